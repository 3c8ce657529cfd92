"""Enter our address at Twilio with one click, remember what stood there, and put it back when the connection goes."""

from collections.abc import Collection
from dataclasses import dataclass

import structlog
from django.db import transaction
from django.utils import timezone

from integrations.connections.credentials import ConnectionUnusable
from integrations.connections.models import Connection, ReplyAddress
from integrations.organizations import audit
from integrations.organizations.models import User
from integrations.phones import pretty
from integrations.twilio.client import Gateway
from integrations.twilio.errors import TwilioError

from .places import SERVICE, Place, State, can_be_reached, is_ours, look, open_gateway

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Outcome:
    """What became of one place, in a sentence; `is_good` where it is as it was wished."""

    is_good: bool
    text: str


def point_here(
    connection: Connection, *, sids: Collection[str], replace: Collection[str] = (), actor: User, ip: str = ""
) -> list[Outcome]:
    """Let Twilio send what comes in at these places to us; return what became of each.

    What stands there is read again first. Somebody else's address is replaced only where `replace` names it exactly
    as it stands there now, which means that the member saw it and agreed. The former address is kept before Twilio is
    asked, so that it can be put back. Must not run inside a transaction.
    """
    if not can_be_reached(connection):
        text = "Twilio cannot reach this installation. Set PUBLIC_BASE_URL to its public address first."
        return [Outcome(False, text)]
    found = look(connection)
    if found.problem and not found.places:
        return [Outcome(False, found.problem)]
    outcomes = []
    for place in found.places:
        if place.sid not in sids:
            continue
        if place.state == State.RIGHT:
            outcomes.append(Outcome(True, f"{name_of(place)} sent replies here already."))
        elif place.state == State.OTHER and agreement(place) not in replace:
            text = f"{name_of(place)} sends replies to {place.whose}. Tick that it may be replaced, if it may."
            outcomes.append(Outcome(False, text))
        else:
            outcomes.append(_set(connection, place, actor=actor, ip=ip))
    return outcomes or [Outcome(False, "Choose at least one place.")]


def agreement(place: Place) -> str:
    """Return what a member agrees to by a tick: this address at this place may go, and no other."""
    return f"{place.sid} {place.application or place.url}"


def name_of(place: Place | ReplyAddress) -> str:
    """Return a place as people call it."""
    return f"The Messaging Service “{place.label}”" if place.kind == SERVICE else pretty(place.label)


def put_back(connection: Connection, *, sid: str = "", actor: User, ip: str = "") -> list[Outcome]:
    """Put back what stood at the places before, where ours still stands; return what became of each.

    An address that somebody entered meanwhile stays. Must not run inside a transaction.
    """
    rows = ReplyAddress.objects.filter(connection=connection, put_back_at=None)
    rows = rows.filter(sid=sid) if sid else rows
    if not rows:
        return []
    try:
        gateway = open_gateway(connection)
    except ConnectionUnusable as error:
        return [Outcome(False, f"{name_of(row)} still sends replies here: {error.detail}") for row in rows]
    return [_put_back(connection, gateway, row, actor=actor, ip=ip) for row in rows]


def kept_addresses(connection: Connection) -> list[ReplyAddress]:
    """Return the places that were changed and not put back."""
    return list(ReplyAddress.objects.filter(connection=connection, put_back_at=None).order_by("id"))


def what_is_put_back(connection: Connection) -> list[str]:
    """Say what a disconnection changes at Twilio, a sentence for each place."""
    return [
        f"{name_of(row)}: replies go {_where(row)} again at Twilio, unless somebody changed it meanwhile."
        for row in kept_addresses(connection)
    ]


def _set(connection: Connection, place: Place, *, actor: User, ip: str) -> Outcome:
    _remember(connection, place)
    try:
        _write(open_gateway(connection), place.kind, place.sid, url=place.wanted, method="POST")
    except TwilioError as error:
        log.warning("reply_address_not_set", connection=str(connection.pk), code=error.code)
        if error.outcome_unknown:
            return Outcome(False, f"{name_of(place)}: Twilio's answer was not heard. The list says what holds now.")
        return Outcome(False, f"{name_of(place)}: {error.entry.meaning} {error.entry.remedy}")
    audit.record(
        connection.organization,
        actor=actor,
        action="connection.replies_set",
        target=connection,
        changes={"place": name_of(place), "replies": [_shortened(place.application or place.url), "Heliograph"]},
        ip=ip,
    )
    return Outcome(True, f"{name_of(place)} sends replies here now.")


def _remember(connection: Connection, place: Place) -> None:
    """Keep what stands there now; ours of before is nobody's address, and what was kept earlier stays kept."""
    kept = place.state != State.OLD
    ReplyAddress.objects.get_or_create(
        connection=connection,
        sid=place.sid,
        put_back_at=None,
        defaults={
            "kind": place.kind,
            "label": place.label[:120],
            "former_url": place.url[:2000] if kept else "",
            "former_method": place.method[:6] if kept else "",
            "former_application": place.application[:34] if kept else "",
        },
    )


def _put_back(connection: Connection, gateway: Gateway, row: ReplyAddress, *, actor: User, ip: str) -> Outcome:
    try:
        present = _read(gateway, row)
        if present is not None and is_ours(present, connection.hook_key):
            _write(
                gateway,
                row.kind,
                row.sid,
                url=row.former_url,
                method=row.former_method or "POST",
                application=row.former_application,
            )
    except TwilioError as error:
        log.warning("reply_address_not_put_back", connection=str(connection.pk), code=error.code)
        text = f"{name_of(row)} may still send replies here: {error.entry.title} Look at it in Twilio's Console."
        return Outcome(False, text)
    is_changed = present is not None and is_ours(present, connection.hook_key)
    with transaction.atomic():
        ReplyAddress.objects.filter(pk=row.pk, put_back_at=None).update(put_back_at=timezone.now())
        if is_changed:
            audit.record(
                connection.organization,
                actor=actor,
                action="connection.replies_put_back",
                target=connection,
                changes={"place": name_of(row), "replies": ["Heliograph", _shortened(row.former_url)]},
                ip=ip,
            )
    if is_changed:
        return Outcome(True, f"{name_of(row)}: replies go {_where(row)} again.")
    return Outcome(True, f"{name_of(row)} did not send replies here any more; nothing was changed.")


def _read(gateway: Gateway, row: ReplyAddress) -> str | None:
    """Return the address that stands there; None where the place is gone."""
    if row.kind == SERVICE:
        return gateway.fetch_messaging_service(row.sid).inbound_request_url
    number = gateway.find_number(row.label)
    return None if number is None or number.sms_application_sid else number.sms_url


def _write(gateway: Gateway, kind: str, sid: str, *, url: str, method: str, application: str = "") -> None:
    if kind == SERVICE:
        gateway.point_service(sid, url=url, method=method)
    else:
        gateway.point_number(sid, url=url, method=method, application=application)


def _where(row: ReplyAddress) -> str:
    former = row.former_application or row.former_url
    return f"to {_shortened(former)}" if former else "nowhere"


def _shortened(url: str) -> str:
    """Return an address without its query, which may carry somebody's secret."""
    return url.partition("?")[0][:200]
