"""The ledger of consent: the one place that adds records and keeps the derived states true to them."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from integrations.masking import mask_ip, mask_phone
from integrations.organizations.audit import record as audit
from integrations.organizations.models import Organization, User
from messaging.contacts.models import Contact

from .locking import lock_numbers
from .models import ConsentPurpose, ConsentRecord, ConsentState

Action, Source, State = ConsentRecord.Action, ConsentRecord.Source, ConsentState.State
SENTENCES = {
    "consent.granted": "recorded that {phone} agreed to {purpose}",
    "consent.withdrawn": "recorded that {phone} took back {purpose}",
    "consent_policy.changed": "changed the consent policy",
    "consent.exported": "downloaded the consent records from {from} to {to}",
    "consent.proof_exported": "downloaded the opt-outs from {from} to {to}",
}
CONFIRM_UNTIL = "confirm_until"
_STATE_OF = {Action.GRANTED: State.GRANTED, Action.WITHDRAWN: State.WITHDRAWN, Action.REQUESTED: State.PENDING}
_MOST_KEYS, _LONGEST_KEY, _LONGEST_VALUE = 30, 60, 2000


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What is to be recorded of one number.

    `evidence` is the proof: for a form `form`, `wording`, `wording_version`, `submission` and `ip`; for an import
    `file`, `file_sha256` and `row`; for a reply `message`; and `given_at` where it was given earlier than recorded.
    """

    phone: str
    action: str
    source: str
    purpose: str = ConsentPurpose.MARKETING
    channel: str = "sms"
    reason: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)


def record_consent(
    organization: Organization, entry: Entry, *, actor: User | str | None = None, ip: str = ""
) -> ConsentRecord:
    """Add one record and return it; the same thing said again with the same proof returns the record that stands.

    With an actor the audit log has it too. `ip` is the visitor's, kept as its network.
    """
    evidence = {**entry.evidence, **({"ip": ip} if ip and entry.source == Source.FORM else {})}
    with transaction.atomic():
        [kept] = record_many(organization, [_with(entry, evidence)], actor=actor)
        if actor is not None and entry.action != Action.REQUESTED:
            audit(
                organization,
                actor=actor,
                action=f"consent.{entry.action}",
                target=kept,
                changes={"phone": mask_phone(entry.phone), "purpose": kept.get_purpose_display().lower()},
                ip=ip,
            )
    return kept


def record_many(
    organization: Organization, entries: Sequence[Entry], *, actor: User | str | None = None
) -> list[ConsentRecord]:
    """Add many records in a few statements (500 at a time is a good measure) and return them in the same order.

    Entries of one number follow each other as given. What says again what stands, with the same proof, adds nothing:
    the standing record is returned in its place.
    """
    with transaction.atomic():
        lock_numbers(organization, {entry.phone for entry in entries})
        standing = _standing(organization, entries)
        contacts = dict(
            Contact.objects.filter(organization=organization, phone__in={entry.phone for entry in entries}).values_list(
                "phone", "pk"
            )
        )
        kept: list[ConsentRecord] = []
        added: list[ConsentRecord] = []
        last: dict[tuple[str, str, str], ConsentRecord] = {}
        for entry in entries:
            key = (entry.phone, entry.channel, entry.purpose)
            before = last.get(key) or standing.get(key)
            made = _make(organization, entry, contact_id=contacts.get(entry.phone), actor=actor, before=before)
            if before is not None and _says_the_same(made, before):
                kept.append(before)
                continue
            last[key] = made
            added.append(made)
            kept.append(made)
        ConsentRecord.objects.bulk_create(added)
        _keep_states(last.values())
    return kept


def state_of(
    organization: Organization, *, phone: str, purpose: str = ConsentPurpose.MARKETING, channel: str = "sms"
) -> ConsentState | None:
    """Return what a number agreed to as of now; None where it was never asked."""
    return (
        ConsentState.objects.select_related("record")
        .filter(organization=organization, phone=phone, channel=channel, purpose=purpose)
        .first()
    )


def rebuild_states(*, organization: Organization | None = None, phone: str = "") -> int:
    """Derive the states anew from the records and return how many there are: of all, of one tenant or of one number."""
    narrowed = " AND organization_id = %(organization)s" if organization else ""
    narrowed += " AND phone = %(phone)s" if phone else ""
    values = {"organization": organization.pk if organization else None, "phone": phone}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM messaging_consentstate WHERE true{narrowed}", values)  # noqa: S608 - our own words
        cursor.execute(_REBUILD.format(narrowed=narrowed), values)
        return cursor.rowcount


def erase_phone(organization: Organization, *, phone: str, replacement: str) -> int:
    """Put a keyed hash in the place of a number in every record of it; return how many records.

    For erasing a person and nothing else: the database's own function is the only way past the trigger that keeps the
    ledger. It leaves what was agreed, when and by which wording; free text, networks and ids of messages and
    submissions go. Call it in the transaction that erases the rest.
    """
    with transaction.atomic():
        lock_numbers(organization, [phone])
        ConsentState.objects.filter(organization=organization, phone__in=[phone, replacement]).delete()
        with connection.cursor() as cursor:
            cursor.execute("SELECT heliograph_erase_consent(%s, %s, %s)", [organization.pk, phone, replacement])
            (erased,) = cursor.fetchone()
        rebuild_states(organization=organization, phone=replacement)
    return int(erased)


def clean_evidence(evidence: Mapping[str, Any]) -> dict[str, Any]:
    """Return evidence as it is kept: short, storable, and with the network instead of an address."""
    cleaned: dict[str, Any] = {}
    for name, value in list(evidence.items())[:_MOST_KEYS]:
        key = _storable(str(name))[:_LONGEST_KEY]
        if key == "ip":
            value = value if "/" in str(value) else mask_ip(str(value))
        if isinstance(value, bool | int | float) or value is None:
            cleaned[key] = value
        elif isinstance(value, list | tuple):
            cleaned[key] = [_storable(str(item))[:_LONGEST_VALUE] for item in value[:_MOST_KEYS]]
        else:
            cleaned[key] = _storable(str(value))[:_LONGEST_VALUE]
    return {key: value for key, value in cleaned.items() if value not in ("", None)}


_REBUILD = """
INSERT INTO messaging_consentstate
    (id, organization_id, phone, channel, purpose, state, record_id, pending_until, changed_at)
SELECT DISTINCT ON (organization_id, phone, channel, purpose)
    gen_random_uuid(), organization_id, phone, channel, purpose,
    CASE action WHEN 'granted' THEN 'granted' WHEN 'withdrawn' THEN 'withdrawn' ELSE 'pending' END,
    id, CASE WHEN action = 'requested' THEN (evidence ->> 'confirm_until')::timestamptz END, at
FROM messaging_consentrecord WHERE true{narrowed}
ORDER BY organization_id, phone, channel, purpose, at DESC, id DESC
"""


def _standing(organization: Organization, entries: Iterable[Entry]) -> dict[tuple[str, str, str], ConsentRecord]:
    states = ConsentState.objects.filter(organization=organization, phone__in={entry.phone for entry in entries})
    return {(row.phone, row.channel, row.purpose): row.record for row in states.select_related("record")}


def _make(
    organization: Organization,
    entry: Entry,
    *,
    contact_id: Any,
    actor: User | str | None,
    before: ConsentRecord | None,
) -> ConsentRecord:
    now = timezone.now()
    if before is not None:
        # Clocks of two hosts differ; the order in which a number changed its mind must not.
        now = max(now, before.at + timedelta(microseconds=1))
    label = actor.email if isinstance(actor, User) else actor or ""
    return ConsentRecord(
        organization=organization,
        phone=entry.phone,
        contact_id=contact_id,
        channel=entry.channel,
        purpose=ConsentPurpose(entry.purpose).value,
        action=Action(entry.action).value,
        source=Source(entry.source).value,
        reason=_storable(entry.reason)[:300],
        evidence=clean_evidence(entry.evidence),
        actor_id=actor.pk if isinstance(actor, User) else None,
        actor_label=label[:200],
        at=now,
    )


def _says_the_same(made: ConsentRecord, before: ConsentRecord) -> bool:
    return all(getattr(made, name) == getattr(before, name) for name in ("action", "source", "reason")) and (
        json.dumps(made.evidence, sort_keys=True) == json.dumps(before.evidence, sort_keys=True)
    )


def _keep_states(records: Iterable[ConsentRecord]) -> None:
    states = [
        ConsentState(
            organization_id=record.organization_id,
            phone=record.phone,
            channel=record.channel,
            purpose=record.purpose,
            state=_STATE_OF[Action(record.action)],
            record=record,
            pending_until=_pending_until(record),
            changed_at=record.at,
        )
        for record in records
    ]
    ConsentState.objects.bulk_create(
        states,
        update_conflicts=True,
        unique_fields=["organization", "phone", "channel", "purpose"],
        update_fields=["state", "record", "pending_until", "changed_at"],
    )


def _pending_until(record: ConsentRecord) -> datetime | None:
    if record.action != Action.REQUESTED:
        return None
    return parse_datetime(str(record.evidence.get(CONFIRM_UNTIL, "")))


def _with(entry: Entry, evidence: Mapping[str, Any]) -> Entry:
    return Entry(**{**vars(entry), "evidence": evidence})


def _storable(text: str) -> str:
    return "".join(sign for sign in text if sign != "\x00" and not "\ud800" <= sign <= "\udfff")
