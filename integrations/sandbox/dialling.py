"""Turn the dials of one sandbox account. Every verb raises SandboxUnavailable or SandboxRefused."""

from collections.abc import Mapping
from typing import Any

from integrations.connections.models import Connection
from integrations.masking import mask_phone
from integrations.organizations import audit
from integrations.organizations.models import User

from .dial_board import PRESETS, deviations, differences, document_of, preset_document
from .selectors import control
from .server.dials import DEFAULTS, merge


def turn(connection: Connection, values: Mapping[str, Any], *, actor: User, ip: str = "") -> None:
    """Set dials by path (`callbacks.delay_ms`); the outcomes of numbers stay."""
    in_force = control().dials(connection.account_sid)["in_force"]
    _put(connection, merge(in_force, document_of(values)), actor=actor, ip=ip)


def apply_preset(connection: Connection, key: str, *, actor: User, ip: str = "") -> None:
    """Set all dials as the preset has them; the outcomes of numbers stay. Raises KeyError for an unknown preset."""
    preset = {preset.key: preset for preset in PRESETS}[key]
    outcomes = control().dials(connection.account_sid)["in_force"]["outcomes"]
    _put(connection, {**preset_document(preset), "outcomes": outcomes}, actor=actor, ip=ip)


def back_to_normal(connection: Connection, *, actor: User, ip: str = "") -> None:
    """Set every dial to its default and forget the outcomes of numbers."""
    _put(connection, merge(DEFAULTS, {}), actor=actor, ip=ip)


def set_outcome(connection: Connection, number: str, *, outcome: Mapping[str, Any], actor: User, ip: str = "") -> None:
    """Say what shall happen to messages to a number (E.164): `{"status", "error_code", "silent"}`."""
    in_force = control().dials(connection.account_sid)["in_force"]
    outcomes = {**in_force["outcomes"], number: dict(outcome)}
    _put(connection, {**in_force, "outcomes": outcomes}, actor=actor, ip=ip)


def remove_outcome(connection: Connection, number: str, *, actor: User, ip: str = "") -> None:
    """Let messages to a number end as the dials say again; nothing happens where it had no outcome."""
    in_force = control().dials(connection.account_sid)["in_force"]
    outcomes = {known: outcome for known, outcome in in_force["outcomes"].items() if known != number}
    _put(connection, {**in_force, "outcomes": outcomes}, actor=actor, ip=ip)


def _put(connection: Connection, document: Mapping[str, Any], *, actor: User, ip: str) -> None:
    """Store only what differs from the installation's dials, so that the account follows those elsewhere."""
    sandbox = control()
    sandbox.set_dials(differences(document, base=sandbox.dials()), account_sid=connection.account_sid)
    audit.record(
        connection.organization,
        actor=actor,
        action="sandbox.dials_changed",
        target=connection,
        changes={
            "off_normal": "; ".join(deviations(document)) or "nothing",
            "numbers": ", ".join(mask_phone(number) for number in document["outcomes"]),
        },
        ip=ip,
    )
