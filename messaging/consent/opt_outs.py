"""Opting out and in again: the one place that starts and ends opt-outs, and keeps the contact's tag true.

An opt-out of the whole organization takes back the consent to marketing as well, and what ends it gives back no more
than it took.
"""

from collections.abc import Collection
from typing import Any

from django.db import transaction

from integrations.clock import database_now
from integrations.masking import mask_phone
from integrations.organizations.audit import record
from integrations.organizations.models import Organization, User
from messaging.contacts.erasure.number_keys import forms_of
from messaging.contacts.models import Contact, Tag
from messaging.contacts.tagging import give_tags
from messaging.happenings.telling import tell

from .blocking import find_block, reaches
from .ledger import Action, Entry, record_many, state_of
from .locking import lock_numbers
from .models import ConsentRecord, OptOut

__all__ = [
    "OPTED_OUT",
    "STOP_TAG",
    "OptOutProblem",
    "end_by_api",
    "end_by_member",
    "end_by_person",
    "find_block",
    "opt_in",
    "opt_out",
    "refresh_stop_tag",
    "start_opt_out",
]

STOP_TAG = "Twilio-Message-stop"
OPTED_OUT = "contact.opted_out"
SENTENCES = {
    "opt_out.started": "opted {phone} out",
    "opt_out.ended": "ended the opt-out of {phone}",
}
# What the person asked for themselves, or what Twilio holds against a number: no member may undo it.
BY_THE_PERSON = frozenset({OptOut.Source.KEYWORD, OptOut.Source.TWILIO, OptOut.Source.LINK, OptOut.Source.PORTAL})


class OptOutProblem(Exception):
    """The opt-out stays as it is; the message is for the member, `code` is stable."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


def opt_out(organization: Organization, *, phone: str, source: str, **more: Any) -> OptOut:
    """Opt a number out as `start_opt_out` does, and return the opt-out in force."""
    return start_opt_out(organization, phone=phone, source=source, **more)[0]


def start_opt_out(
    organization: Organization,
    *,
    phone: str,
    source: str,
    channel: str = "sms",
    scope: str = OptOut.Scope.ORGANIZATION,
    sender: str = "",
    keyword: str = "",
    twilio_scope: str = "",
    evidence: dict[str, Any] | None = None,
    actor: User | str | None = None,
    ip: str = "",
) -> tuple[OptOut, bool]:
    """Opt a number out; return the opt-out in force, and whether it began now: a second call changes nothing.

    What the person says outranks what a member wrote down: an opt-out that a member (or the API) made and could
    therefore end is closed and followed by one of the person's own. Someone who opts out many numbers in one
    transaction takes them in order of the number, because each stays locked until the end.
    """
    sender = sender if scope == OptOut.Scope.SENDER else ""
    with transaction.atomic():
        lock_numbers(organization, [phone])
        reach = {"organization": organization, "phone": phone, "channel": channel, "scope": scope, "sender": sender}
        standing = OptOut.objects.filter(**reach, ended_at=None).first()
        if standing is not None and (standing.source in BY_THE_PERSON or source not in BY_THE_PERSON):
            if twilio_scope and not standing.twilio_scope:
                standing.twilio_scope = twilio_scope
                standing.save(update_fields=["twilio_scope"])
            _tag(organization, phone)
            return standing, False
        if standing is not None:
            standing.ended_at, standing.ended_by = database_now(), source
            standing.save(update_fields=["ended_at", "ended_by"])
        started = OptOut.objects.create(
            **reach, source=source, keyword=keyword[:40], twilio_scope=twilio_scope[:34], started_at=database_now()
        )
        contact = _tag(organization, phone)
        if standing is None:
            tell(
                organization.pk,
                OPTED_OUT,
                contact_id=contact.pk if contact else None,
                phone=phone,
                data={"source": source, "channel": channel, "keyword": keyword[:40]},
            )
        if scope == OptOut.Scope.ORGANIZATION:
            _take_back(started, replaced=standing, evidence=evidence or {}, actor=actor)
        if actor is not None:
            record(
                organization,
                actor=actor,
                action="opt_out.started",
                target=started,
                changes={"phone": mask_phone(phone), **({"sender": _masked_sender(sender)} if sender else {})},
                ip=ip,
            )
    return started, standing is None


def opt_in(
    organization: Organization,
    *,
    phone: str,
    source: str,
    channel: str = "sms",
    sender: str = "",
    undoes_twilios: bool = True,
    evidence: dict[str, Any] | None = None,
) -> int:
    """End the opt-outs that a START undoes and return how many: the organization-wide ones and those of `sender`.

    A word that Twilio does not know (`undoes_twilios=False`) leaves those in force that Twilio still holds.
    """
    with transaction.atomic():
        lock_numbers(organization, [phone])
        forms = forms_of(organization, phone)  # a START undoes also what an erased person's number opted out of
        standing = OptOut.objects.filter(
            reaches(sender), organization=organization, phone__in=forms, channel=channel, ended_at=None
        )
        if not undoes_twilios:
            standing = standing.filter(twilio_scope="")
        ended = list(standing)
        if not ended:
            return 0
        OptOut.objects.filter(pk__in=[row.pk for row in ended]).update(ended_at=database_now(), ended_by=source)
        _give_back(ended, source=source, evidence=evidence or {}, actor=None)
        _tag(organization, phone)
    return len(ended)


def end_by_member(standing: OptOut, *, actor: User, ip: str = "") -> None:
    """End an opt-out that a member made; raise OptOutProblem where only the person can undo it."""
    with transaction.atomic():
        lock_numbers(standing.organization, [standing.phone])
        standing.refresh_from_db()
        if standing.ended_at is not None:
            raise OptOutProblem("ended", "This opt-out has already ended.")
        if standing.locked_because:
            raise OptOutProblem("needs_start", standing.locked_because)
        standing.ended_at, standing.ended_by = database_now(), OptOut.Source.STAFF
        standing.save(update_fields=["ended_at", "ended_by"])
        _give_back([standing], source=OptOut.Source.STAFF, evidence={}, actor=actor)
        _tag(standing.organization, standing.phone)
        record(
            standing.organization,
            actor=actor,
            action="opt_out.ended",
            target=standing,
            changes={"phone": mask_phone(standing.phone)},
            ip=ip,
        )


def end_by_api(standing: OptOut, *, actor: str, ip: str = "") -> bool:
    """End an opt-out for a system that calls the API; False where it had ended.

    Raises OptOutProblem for one that only the person can undo.
    """
    if standing.source in BY_THE_PERSON:
        raise OptOutProblem("needs_start", "Only the person can undo this opt-out, by texting START to your number.")
    with transaction.atomic():
        lock_numbers(standing.organization, [standing.phone])
        ended = OptOut.objects.filter(pk=standing.pk, ended_at=None).update(
            ended_at=database_now(), ended_by=OptOut.Source.API
        )
        if ended:
            _give_back([standing], source=OptOut.Source.API, evidence={}, actor=actor)
            _tag(standing.organization, standing.phone)
            record(
                standing.organization,
                actor=actor,
                action="opt_out.ended",
                target=standing,
                changes={"phone": mask_phone(standing.phone)},
                ip=ip,
            )
    return bool(ended)


def end_by_person(organization: Organization, *, phone: str, channel: str, source: str, sender: str = "") -> int:
    """End what the person began at this very place, an unsubscribe link or a portal; return how many opt-outs.

    A STOP stays until START, whatever is pressed elsewhere.
    """
    with transaction.atomic():
        lock_numbers(organization, [phone])
        ended = list(
            OptOut.objects.filter(
                reaches(sender),
                organization=organization,
                phone=phone,
                channel=channel,
                ended_at=None,
                source=source,
                twilio_scope="",
            )
        )
        OptOut.objects.filter(pk__in=[row.pk for row in ended]).update(ended_at=database_now(), ended_by=source)
        _give_back(ended, source=source, evidence={}, actor=None)
        _tag(organization, phone)
    return len(ended)


def refresh_stop_tag(organization: Organization, *, phone: str) -> None:
    """Give or take the tag of whoever has this number now; call it in the transaction that gave them the number."""
    with transaction.atomic():
        lock_numbers(organization, [phone])
        _tag(organization, phone)


def _take_back(started: OptOut, *, replaced: OptOut | None, evidence: dict[str, Any], actor: User | str | None) -> None:
    """Record that the consent to marketing ended with this opt-out, and what there was before."""
    standing = state_of(started.organization, phone=started.phone, channel=started.channel)
    before = standing.state if standing is not None else ""
    if standing is not None and replaced is not None and standing.record.evidence.get("opt_out") == str(replaced.pk):
        before = standing.record.evidence.get("before", "")
    proof = {**evidence, "keyword": started.keyword, "opt_out": str(started.pk), "before": before}
    entry = Entry(
        phone=started.phone,
        channel=started.channel,
        action=Action.WITHDRAWN,
        source=ConsentRecord.Source(started.source),
        evidence=proof,
    )
    record_many(started.organization, [entry], actor=actor)


def _give_back(ended: Collection[OptOut], *, source: str, evidence: dict[str, Any], actor: User | str | None) -> None:
    """Record that marketing is agreed to again where one of these opt-outs, and nothing since, had taken it back."""
    for opt_out_ in ended:
        standing = state_of(opt_out_.organization, phone=opt_out_.phone, channel=opt_out_.channel)
        if standing is None:
            continue
        proof = standing.record.evidence
        if proof.get("opt_out") == str(opt_out_.pk) and proof.get("before") == "granted":
            entry = Entry(
                phone=opt_out_.phone,
                channel=opt_out_.channel,
                action=Action.GRANTED,
                source=ConsentRecord.Source(source),
                evidence={**evidence, "opt_out_ended": str(opt_out_.pk)},
            )
            record_many(opt_out_.organization, [entry], actor=actor)


def _tag(organization: Organization, phone: str) -> Contact | None:
    """Keep the tag of whoever has the number true, and return them."""
    contact = Contact.objects.filter(organization=organization, phone=phone).first()
    if contact is None:
        return None
    if OptOut.objects.filter(
        organization=organization, phone__in=forms_of(organization, phone), ended_at=None
    ).exists():
        tag, _ = Tag.objects.get_or_create(organization=organization, name=STOP_TAG)
        give_tags([(contact.pk, tag.pk)])
    else:
        contact.tags.remove(*contact.tags.filter(name=STOP_TAG))
    return contact


def _masked_sender(sender: str) -> str:
    return mask_phone(sender) if sender.startswith("+") else sender
