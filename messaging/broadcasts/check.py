"""The check of a slice: each row's number, its text and whether it may be sent, with a few reads for all of them."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from django.db import connection as database

from integrations.phones import NumberKind, Phone, PhoneProblem, parse_phone
from integrations.platform_sms.models import PLATFORM_SENDER
from integrations.platform_sms.offers import PlatformOffer, current_offer
from integrations.platform_sms.policies import sign, signature_of
from messaging.consent.blocking import MARKETING, consent_blocks
from messaging.consent.links import VARIABLE, is_name, link_of
from messaging.consent.models import ConsentPolicy
from messaging.consent.policy import policy_of
from messaging.consent.way_out import add_way_out
from messaging.contacts.models import Contact
from messaging.routing.decision import Kind, decide_for
from messaging.sending.policy import blocked_regions
from messaging.sending.zones import zones_of
from messaging.templates.rendering import (
    EmptyText,
    MissingVariables,
    ParsedTemplate,
    TextTooLong,
    parse,
    render,
)
from messaging.templates.segments import LONGEST_TEXT, measure
from messaging.templates.variables import contact_values, nest, overlay

from .models import Broadcast, Recipient
from .sources import NUMBER, SourceRow
from .ways import goes_by_platform

_LANDLINES = frozenset({NumberKind.FIXED_LINE})
_COLUMNS = (
    "broadcast_id", "row", "phone", "region", "time_zones", "contact_id", "variables", "body", "encoding", "segments",
    "state", "reason", "problem", "field", "typed", "repeats_row",
)  # fmt: skip


@dataclass(slots=True)
class Found:
    """What the check found of a row."""

    row: int
    typed: str
    given: Mapping[str, str] = field(default_factory=dict)
    phone: Phone | None = None
    contact: Contact | None = None
    body: str = ""
    encoding: str = ""
    segments: int = 0
    state: str = Recipient.State.READY
    reason: str = ""
    problem: str = ""
    field: str = ""
    repeats_row: int | None = None

    def leave_out(self, reason: str, *, repeats: int | None = None) -> None:
        self.state, self.reason, self.repeats_row = Recipient.State.LEFT_OUT, reason, repeats

    def call_bad(self, code: str, words: str, *, field: str) -> None:
        self.state, self.reason = Recipient.State.BAD, code
        self.problem, self.field = words[:300], field[:80]


@dataclass(frozen=True)
class Wording:
    """The text of a broadcast, read once for many rows, with what its links out of the mailing list need."""

    parsed: ParsedTemplate
    policy: ConsentPolicy | None  # set where a way out is added to the text
    has_link: bool
    signature: str = ""  # of what goes by platform SMS

    @classmethod
    def of(cls, broadcast: Broadcast) -> "Wording":
        parsed = parse(broadcast.text)
        adds = broadcast.purpose == MARKETING
        has_link = any(variable.name == VARIABLE for variable in parsed.variables)
        return cls(
            parsed,
            policy_of(broadcast.organization) if adds else None,
            has_link,
            signature=signature_of(broadcast.organization),
        )

    def render(self, broadcast: Broadcast, entry: Found) -> str:
        """Return the row's text; raises what `rendering.render` raises."""
        if entry.phone is None:
            raise EmptyText
        organization, number, contact = broadcast.organization, entry.phone.e164, entry.contact
        is_platform = goes_by_platform(broadcast, entry.phone)
        sender = PLATFORM_SENDER if is_platform else broadcast.sender
        known = contact_values(contact, organization)
        if contact is None:
            known["phone"] = entry.phone.international
        if self.has_link:
            known[VARIABLE] = link_of(organization, phone=number, sender=sender)
        text = render(self.parsed, overlay(known, nest(entry.given)) if entry.given else known)
        if self.policy is not None:
            text = add_way_out(
                organization,
                body=text,
                purpose=broadcast.purpose,
                phone=number,
                sender=sender,
                contact=contact,
                policy=self.policy,
            )
        if is_platform:
            text = sign(text, signature=self.signature)
        if len(text) > LONGEST_TEXT:
            raise TextTooLong(len(text))
        return text


def adds_way_out(broadcast: Broadcast) -> bool:
    """Tell whether the texts may get an unsubscribe link of their own: marketing from a name."""
    return broadcast.purpose == MARKETING and is_name(broadcast.sender)


def examine(broadcast: Broadcast, rows: Sequence[SourceRow]) -> list[Found]:
    """Return what is to be said of each row. Duplicates are looked for among these rows and those stored before."""
    region = broadcast.organization.default_region
    found = [_read(row, region) for row in rows]
    phones = {entry.phone.e164: entry for entry in reversed(found) if entry.phone is not None}
    _find_contacts(broadcast, found, phones)
    stored = _rows_of(broadcast, list(phones))
    blocks = _blocks(broadcast, phones)
    offer = current_offer() if any(one.phone and one.phone.is_mainland_china for one in found) else PlatformOffer()
    refused = frozenset(blocked_regions(broadcast.organization))
    wording = Wording.of(broadcast)
    firsts: dict[str, int] = dict(stored)
    for entry, row in zip(found, rows, strict=True):
        if entry.phone is None:
            continue
        number = entry.phone.e164
        if (first := firsts.get(number)) is not None:
            entry.leave_out("duplicate", repeats=first)
        elif reason := blocks.get(number) or _no_way(broadcast, entry.phone, refused, offer):
            entry.leave_out(reason)
        else:
            _write(broadcast, entry, wording, row.text)
            if entry.state == Recipient.State.READY:
                firsts[number] = entry.row
    return found


def store(broadcast: Broadcast, found: Iterable[Found]) -> None:
    """Insert what was found, in the caller's transaction; IntegrityError where a row is there already."""
    table = database.ops.quote_name(Recipient._meta.db_table)
    columns = ", ".join(_COLUMNS)
    key = broadcast.pk
    with database.cursor() as cursor, cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
        for entry in found:
            copy.write_row((
                key,
                entry.row,
                entry.phone.e164 if entry.phone else "",
                entry.phone.region if entry.phone else "",
                zones_of(entry.phone, contact=entry.contact) if entry.phone and entry.body else "",
                entry.contact.pk if entry.contact else None,
                json.dumps(entry.given, ensure_ascii=False),
                entry.body,
                entry.encoding,
                entry.segments,
                entry.state,
                entry.reason,
                entry.problem,
                entry.field,
                entry.typed if entry.state == Recipient.State.BAD else "",
                entry.repeats_row,
            ))  # fmt: skip


def _read(row: SourceRow, region: str) -> Found:
    entry = Found(row.row, row.typed.strip()[:120], row.given, contact=row.contact)
    if row.problem is not None:
        entry.call_bad(*row.problem, field="")
        return entry
    try:
        entry.phone = parse_phone(row.typed, region=region, allow_magic=True)
    except PhoneProblem as problem:
        entry.call_bad(problem.code, problem.message, field=NUMBER)
    return entry


def _find_contacts(broadcast: Broadcast, found: Iterable[Found], phones: Mapping[str, Found]) -> None:
    """Give the rows that came without a contact the one that has their number."""
    unknown = [number for number, entry in phones.items() if entry.contact is None]
    if not unknown:
        return
    contacts = Contact.objects.filter(organization=broadcast.organization, phone__in=unknown)
    known = {contact.phone: contact for contact in contacts}
    for entry in found:
        if entry.contact is None and entry.phone is not None:
            entry.contact = known.get(entry.phone.e164)


def _blocks(broadcast: Broadcast, phones: Mapping[str, Found]) -> dict[str, str]:
    """Return who must not be written to: each by the sender that their message will come from."""
    by_platform = [
        number for number, entry in phones.items() if entry.phone and goes_by_platform(broadcast, entry.phone)
    ]
    others = list(phones.keys() - set(by_platform)) if by_platform else list(phones)
    organization, purpose = broadcast.organization, broadcast.purpose
    blocks = consent_blocks(organization, others, purpose=purpose, sender=broadcast.sender)
    return blocks | consent_blocks(organization, by_platform, purpose=purpose, sender=PLATFORM_SENDER)


def _rows_of(broadcast: Broadcast, phones: list[str]) -> dict[str, int]:
    """Return the rows that hold these numbers already."""
    ready = Recipient.objects.filter(broadcast=broadcast, state=Recipient.State.READY, phone__in=phones)
    return dict(ready.values_list("phone", "row"))


def _no_way(broadcast: Broadcast, phone: Phone, blocked_regions: frozenset[str], offer: PlatformOffer) -> str:
    if phone.region in blocked_regions:
        return "blocked_country"
    if phone.is_mainland_china:
        route = decide_for(broadcast.connection, phone, broadcast.purpose, offer)
        if route.kind is Kind.REFUSED and route.code == "no_route":
            return "no_route"
    if phone.kind in _LANDLINES and not broadcast.includes_landlines:
        return "landline"
    return ""


def _write(broadcast: Broadcast, entry: Found, wording: Wording, text: str) -> None:
    """Render and measure the row's text; say what is wrong with it where that cannot be."""
    try:
        entry.body = text or wording.render(broadcast, entry)
    except MissingVariables as problem:
        names = ", ".join(problem.names)
        entry.call_bad("missing_variable", f"A value is missing for {names}.", field=problem.names[0])
        return
    except TextTooLong as problem:
        entry.call_bad("too_long", str(problem), field=_longest(entry.given))
        return
    except EmptyText as problem:
        entry.call_bad("empty_text", str(problem), field="")
        return
    measured = measure(entry.body)
    entry.encoding, entry.segments = measured.encoding, measured.segments


def _longest(given: Mapping[str, str]) -> str:
    return max(given, key=lambda name: len(given[name]), default="")
