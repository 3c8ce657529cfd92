"""Opting out and in again: the one place that starts and ends opt-outs, and keeps the contact's tag true."""

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from integrations.masking import mask_phone
from integrations.organizations.audit import record
from integrations.organizations.models import Organization, User
from messaging.contacts.models import Contact, Tag

from .models import OptOut

STOP_TAG = "Twilio-Message-stop"
VERIFICATION = "verification"
SENTENCES = {
    "opt_out.started": "opted {phone} out",
    "opt_out.ended": "ended the opt-out of {phone}",
}
# What the person asked for themselves, or what Twilio holds against a number: no member may undo it.
BY_THE_PERSON = frozenset({OptOut.Source.KEYWORD, OptOut.Source.TWILIO})


class OptOutProblem(Exception):
    """The opt-out stays as it is; the message is for the member, `code` is stable."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


def find_block(
    organization: Organization, *, phone: str, channel: str = "sms", sender: str = "", purpose: str
) -> OptOut | None:
    """Return the opt-out that forbids writing to this number now, or None.

    It covers the whole organization or the given sender (a number or a Messaging Service SID). A verification code
    is never blocked: the person has just asked for it.
    """
    if purpose == VERIFICATION:
        return None
    return (
        OptOut.objects.filter(_reaches(sender), organization=organization, phone=phone, channel=channel, ended_at=None)
        .order_by("scope")
        .first()
    )


def opt_out(
    organization: Organization,
    *,
    phone: str,
    source: str,
    channel: str = "sms",
    scope: str = OptOut.Scope.ORGANIZATION,
    sender: str = "",
    keyword: str = "",
    twilio_scope: str = "",
    actor: User | str | None = None,
    ip: str = "",
) -> OptOut:
    """Opt a number out and return the opt-out in force; a second call with the same reach changes nothing.

    What the person says outranks what a member wrote down: an opt-out that a member (or the API) made and could
    therefore end is closed and followed by one of the person's own. Someone who opts out many numbers in one
    transaction takes them in order of the number, because each stays locked until the end.
    """
    sender = sender if scope == OptOut.Scope.SENDER else ""
    with transaction.atomic():
        _lock(organization, phone)
        reach = {"organization": organization, "phone": phone, "channel": channel, "scope": scope, "sender": sender}
        standing = OptOut.objects.filter(**reach, ended_at=None).first()
        if standing is not None and (standing.source in BY_THE_PERSON or source not in BY_THE_PERSON):
            if twilio_scope and not standing.twilio_scope:
                standing.twilio_scope = twilio_scope
                standing.save(update_fields=["twilio_scope"])
            _tag(organization, phone)
            return standing
        if standing is not None:
            standing.ended_at, standing.ended_by = timezone.now(), source
            standing.save(update_fields=["ended_at", "ended_by"])
        started = OptOut.objects.create(**reach, source=source, keyword=keyword[:40], twilio_scope=twilio_scope[:34])
        _tag(organization, phone)
        if actor is not None:
            record(
                organization,
                actor=actor,
                action="opt_out.started",
                target=started,
                changes={"phone": mask_phone(phone), **({"sender": _masked_sender(sender)} if sender else {})},
                ip=ip,
            )
    return started


def opt_in(organization: Organization, *, phone: str, source: str, channel: str = "sms", sender: str = "") -> int:
    """End the opt-outs that a START undoes and return how many: the organization-wide ones and those of `sender`."""
    with transaction.atomic():
        _lock(organization, phone)
        ended = OptOut.objects.filter(
            _reaches(sender), organization=organization, phone=phone, channel=channel, ended_at=None
        ).update(ended_at=timezone.now(), ended_by=source)
        _tag(organization, phone)
    return ended


def end_by_member(standing: OptOut, *, actor: User, ip: str = "") -> None:
    """End an opt-out that a member made; raise OptOutProblem where only the person can undo it."""
    with transaction.atomic():
        _lock(standing.organization, standing.phone)
        standing.refresh_from_db()
        if standing.ended_at is not None:
            raise OptOutProblem("ended", "This opt-out has already ended.")
        if standing.locked_because:
            raise OptOutProblem("needs_start", standing.locked_because)
        standing.ended_at, standing.ended_by = timezone.now(), OptOut.Source.STAFF
        standing.save(update_fields=["ended_at", "ended_by"])
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
        _lock(standing.organization, standing.phone)
        ended = OptOut.objects.filter(pk=standing.pk, ended_at=None).update(
            ended_at=timezone.now(), ended_by=OptOut.Source.API
        )
        if ended:
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


def refresh_stop_tag(organization: Organization, *, phone: str) -> None:
    """Give or take the tag of whoever has this number now; call it in the transaction that gave them the number."""
    with transaction.atomic():
        _lock(organization, phone)
        _tag(organization, phone)


def _reaches(sender: str) -> Q:
    whole = Q(scope=OptOut.Scope.ORGANIZATION)
    return whole | Q(scope=OptOut.Scope.SENDER, sender=sender) if sender else whole


def _lock(organization: Organization, phone: str) -> None:
    """Let one transaction at a time change what a number agreed to.

    An advisory lock, because there may be no row yet to lock: two STOPs at once, or a STOP while the contact is
    being created, would otherwise not see each other and leave the tag wrong.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"opt-out:{organization.pk}:{phone}"])


def _tag(organization: Organization, phone: str) -> None:
    contact = Contact.objects.filter(organization=organization, phone=phone).first()
    if contact is None:
        return
    if OptOut.objects.filter(organization=organization, phone=phone, ended_at=None).exists():
        tag, _ = Tag.objects.get_or_create(organization=organization, name=STOP_TAG)
        contact.tags.add(tag)
    else:
        contact.tags.remove(*contact.tags.filter(name=STOP_TAG))


def _masked_sender(sender: str) -> str:
    return mask_phone(sender) if sender.startswith("+") else sender
