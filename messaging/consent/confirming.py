"""Double opt-in: who is said to have agreed is asked by SMS, and agrees by answering YES."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from integrations.organizations.models import Organization, User
from messaging.sending.models import Message
from messaging.sending.outbox import Draft, EnqueueProblem, compose, store

from .keywords import as_seen, is_yes
from .ledger import CONFIRM_UNTIL, Action, Entry, Source, State, record_consent, record_many, state_of
from .links import is_name
from .locking import lock_numbers
from .models import ConsentPolicy, ConsentPurpose, ConsentRecord, ConsentState
from .policy import policy_of
from .texts import text_for

QUESTION, NOT_ASKED = "question", "not_asked"
# What others say of a person is asked; what the person or a colleague who spoke with them says is not.
ASKED_SOURCES = frozenset({Source.FORM, Source.IMPORT, Source.API})


def take_consent(
    organization: Organization, entry: Entry, *, actor: User | str | None = None, ip: str = ""
) -> ConsentRecord:
    """Record what was agreed or taken back; with double opt-in, ask the person first where it is to be marketing.

    Asked before and not yet answered, the person is not asked again. Return the record: granted, withdrawn, or
    requested with, where nobody could be asked, the reason in its evidence.
    """
    policy = policy_of(organization)
    if not _is_to_be_asked(entry, policy=policy):
        return record_consent(organization, entry, actor=actor, ip=ip)
    with transaction.atomic():
        return _ask(organization, entry, policy=policy, actor=actor, ip=ip, lane=Message.Lane.FAST)


def take_many(
    organization: Organization, entries: Sequence[Entry], *, actor: User | str | None = None
) -> list[ConsentRecord]:
    """Do the same for many, as an import does: what needs no question in a few statements, questions one by one."""
    policy = policy_of(organization)
    asked = [_is_to_be_asked(entry, policy=policy) for entry in entries]
    with transaction.atomic():
        lock_numbers(organization, {entry.phone for entry in entries})
        plain = [entry for entry, is_asked in zip(entries, asked, strict=True) if not is_asked]
        kept = iter(record_many(organization, plain, actor=actor))
        return [
            _ask(organization, entry, policy=policy, actor=actor, ip="", lane=Message.Lane.BULK)
            if is_asked
            else next(kept)
            for entry, is_asked in zip(entries, asked, strict=True)
        ]


def asks_to_confirm(organization: Organization, *, purpose: str) -> bool:
    """Tell whether people in a file would be asked by SMS, for whoever is about to import it."""
    return purpose == ConsentPurpose.MARKETING and policy_of(organization).double_opt_in


def confirm(organization: Organization, *, policy: ConsentPolicy, phone: str, message: Message) -> bool:
    """Grant what a person was asked about and now answered YES to in time; tell whether there was such a thing."""
    if not is_yes(message.body, policy=policy):
        return False
    lock_numbers(organization, [phone])
    standing = state_of(organization, phone=phone, channel=message.channel)
    if standing is None or standing.state != State.PENDING:
        return False
    if standing.pending_until is None or standing.pending_until < timezone.now():
        return False
    proof = standing.record.evidence
    kept = {name: proof[name] for name in ("form", "wording", "wording_version", "submission") if name in proof}
    entry = Entry(
        phone=phone,
        channel=message.channel,
        action=Action.GRANTED,
        source=Source.DOUBLE_OPT_IN,
        evidence={
            **kept,
            "request": str(standing.record_id),
            QUESTION: proof.get(QUESTION, ""),
            "message": str(message.pk),
            "answer": as_seen(message.body)[:40],
        },
    )
    record_consent(organization, entry)
    return True


def _is_to_be_asked(entry: Entry, *, policy: ConsentPolicy) -> bool:
    return (
        policy.double_opt_in
        and entry.action == Action.GRANTED
        and entry.purpose == ConsentPurpose.MARKETING
        and entry.channel == "sms"
        and entry.source in ASKED_SOURCES
    )


def _ask(
    organization: Organization, entry: Entry, *, policy: ConsentPolicy, actor: User | str | None, ip: str, lane: int
) -> ConsentRecord:
    lock_numbers(organization, [entry.phone])
    standing = state_of(organization, phone=entry.phone, channel=entry.channel)
    if standing is not None and standing.state == State.GRANTED:
        return record_consent(organization, entry, actor=actor, ip=ip)
    now = timezone.now()
    if standing is not None and _waits_for_answer(standing, now=now):
        return standing.record
    until = now + timedelta(hours=policy.confirm_within_hours)
    evidence = {**entry.evidence, CONFIRM_UNTIL: until.isoformat(), **_put_question(organization, entry, policy, lane)}
    return record_consent(organization, replace(entry, action=Action.REQUESTED, evidence=evidence), actor=actor, ip=ip)


def _waits_for_answer(standing: ConsentState, *, now: datetime) -> bool:
    was_asked = standing.state == State.PENDING and NOT_ASKED not in standing.record.evidence
    return was_asked and standing.pending_until is not None and standing.pending_until > now


def _put_question(organization: Organization, entry: Entry, policy: ConsentPolicy, lane: int) -> dict[str, str]:
    """Queue the question and return its id, or the reason why there is none."""
    draft = Draft(
        to=entry.phone,
        body=text_for("question", organization=organization, policy=policy),
        source="consent",
        lane=lane,
    )
    if organization.is_suspended:
        return {NOT_ASKED: "The organization is suspended."}
    try:
        composed = compose(organization, draft=draft)
    except EnqueueProblem as problem:
        return {NOT_ASKED: problem.detail}
    if composed.contact is not None and not policy.double_opt_in_text:
        body = text_for("question", organization=organization, policy=policy, contact=composed.contact)
        composed = compose(organization, draft=replace(draft, body=body))
    if is_name(composed.sender):
        return {NOT_ASKED: "Nobody can reply to a name: give the connection a number."}
    message = store(organization, draft=draft, composed=composed)
    if message.error_reason:
        return {NOT_ASKED: "The recipient opted out.", QUESTION: str(message.pk)}
    return {QUESTION: str(message.pk)}
