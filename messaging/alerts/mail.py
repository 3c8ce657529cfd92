"""Letters about alerts, to owners and admins: each alert once, several of one minute together.

The letter is a row before it is a letter. An attempt is recorded and committed, then made. Where the mail server surely
did not take the letter it is tried again; where nobody knows (the connection broke after the text was handed over, or
the worker died), it is left at that: an alert stands in the product as well, and a letter that comes twice is noise.
"""

import smtplib
import uuid
from collections.abc import Iterator
from datetime import timedelta
from email.utils import formataddr

import structlog
from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db import transaction
from django.db.models import F
from django.template.loader import render_to_string
from django.utils import timezone, translation

from integrations.organizations.models import Member, Organization
from integrations.organizations.roles import Capability, Role, role_can
from integrations.templatetags.hg_base import zone_of

from .models import Alert, AlertMail, MailRefusal
from .words import LINK_TEXTS

log = structlog.get_logger(__name__)

GATHER_FOR = timedelta(seconds=45)  # so long an alert waits for company; what clears meanwhile needs no letter
SMTP_SECONDS = 15
_ATTEMPTS = 8
_LONGEST_PAUSE = timedelta(hours=1)
_LOST_AFTER = timedelta(minutes=5)
_AT_ONCE = 50
_ROLES = [role for role in Role.values if role_can(role, Capability.MANAGE_ORGANIZATION)]
_Outcome = AlertMail.Outcome


class _NotTaken(Exception):
    """The mail server surely did not take the letter."""


def send_letters() -> int:
    """Write the letters that are due, and send those that wait; return how many were sent."""
    write_letters()
    _give_up_lost()
    sent = 0
    for mail in _take_waiting():
        sent += _send(mail)
    return sent


def write_letters() -> int:
    """Make a letter for each owner and admin of an organization with new alerts; return how many."""
    due = Alert.objects.filter(cleared_at=None, emailed_at=None, raised_at__lte=timezone.now() - GATHER_FOR)
    written = 0
    for organization_id in due.order_by().values_list("organization", flat=True).distinct():
        written += _write_for(organization_id)
    return written


def wants_mail(member: Member) -> bool:
    """Tell whether letters about alerts go to this member."""
    return member.role in _ROLES and not MailRefusal.objects.filter(member=member).exists()


def set_wants_mail(member: Member, *, wants: bool) -> None:
    """Have letters sent to this member, or not."""
    if wants:
        MailRefusal.objects.filter(member=member).delete()
    else:
        MailRefusal.objects.get_or_create(member=member)


@transaction.atomic
def _write_for(organization_id: uuid.UUID) -> int:
    # The locks let one of two workers write; those that it finds include what was raised since, for company.
    alerts = list(
        Alert.objects.select_for_update(skip_locked=True)
        .filter(organization=organization_id, cleared_at=None, emailed_at=None)
        .order_by("raised_at")
    )
    if not alerts:
        return 0
    readers = Member.objects.filter(organization=organization_id, role__in=_ROLES, user__is_active=True).exclude(
        pk__in=MailRefusal.objects.values("member")
    )
    mails = AlertMail.objects.bulk_create(
        AlertMail(organization_id=organization_id, recipient_id=reader.user_id) for reader in readers
    )
    for mail in mails:
        mail.alerts.set(alerts)
    Alert.objects.filter(pk__in=[alert.pk for alert in alerts]).update(emailed_at=timezone.now())
    return len(mails)


def _give_up_lost() -> None:
    """Call letters unknown whose worker did not report: nobody knows whether they left."""
    lost = AlertMail.objects.filter(outcome=_Outcome.SENDING, due_at__lt=timezone.now() - _LOST_AFTER)
    for pk in lost.values_list("pk", flat=True):
        if lost.filter(pk=pk).update(outcome=_Outcome.UNKNOWN):
            log.warning("alert_mail_unknown", mail=pk)


def _take_waiting() -> Iterator[AlertMail]:
    """Record an attempt at each waiting letter, one at a time; of two workers one gets it."""
    waiting = AlertMail.objects.filter(outcome=_Outcome.WAITING, due_at__lte=timezone.now())
    for pk in list(waiting.order_by("due_at").values_list("pk", flat=True)[:_AT_ONCE]):
        taken = AlertMail.objects.filter(pk=pk, outcome=_Outcome.WAITING).update(
            outcome=_Outcome.SENDING, attempts=F("attempts") + 1, due_at=timezone.now()
        )
        if taken:
            yield AlertMail.objects.select_related("organization", "recipient").get(pk=pk)


def _send(mail: AlertMail) -> bool:
    try:
        _hand_over(_compose(mail))
    except _NotTaken as refused:
        log.warning("alert_mail_not_taken", mail=mail.pk, attempts=mail.attempts, reason=str(refused))
        pause = min(_LONGEST_PAUSE, timedelta(minutes=2 ** (mail.attempts - 1)))
        again = mail.attempts < _ATTEMPTS
        AlertMail.objects.filter(pk=mail.pk, outcome=_Outcome.SENDING).update(
            outcome=_Outcome.WAITING if again else _Outcome.GIVEN_UP, due_at=timezone.now() + pause
        )
        return False
    except (smtplib.SMTPException, OSError) as error:
        log.warning("alert_mail_unknown", mail=mail.pk, reason=type(error).__name__)
        AlertMail.objects.filter(pk=mail.pk).update(outcome=_Outcome.UNKNOWN)
        return False
    AlertMail.objects.filter(pk=mail.pk).update(outcome=_Outcome.SENT, sent_at=timezone.now())
    return True


def _hand_over(message: EmailMessage) -> None:
    """Give the letter to the mail server. Raises _NotTaken, or what SMTP raises where it may have been taken."""
    server = get_connection(timeout=SMTP_SECONDS)
    try:
        server.open()
    except (smtplib.SMTPException, OSError) as error:
        raise _NotTaken(type(error).__name__) from error
    try:
        server.send_messages([message])
    except (smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused, smtplib.SMTPNotSupportedError) as error:
        raise _NotTaken(type(error).__name__) from error
    finally:
        server.close()


def _compose(mail: AlertMail) -> EmailMessage:
    organization, recipient = mail.organization, mail.recipient
    zone = zone_of(organization)
    alerts = [
        {
            "title": alert.get_kind_display(),
            "text": alert.text,
            "link": address_of(organization, alert.link),
            "link_text": LINK_TEXTS[alert.kind],
            "raised_at": alert.raised_at.astimezone(zone),
            "is_over": not alert.is_open,
        }
        for alert in mail.alerts.order_by("raised_at")
    ]
    with translation.override(organization.language):
        body = render_to_string(
            "messaging/alerts/mail/alerts.txt",
            {
                "organization": organization,
                "name": recipient.get_short_name(),
                "alerts": alerts,
                "page": address_of(organization, "/alerts/"),
            },
        )
    subject = alerts[0]["title"] if len(alerts) == 1 else f"{len(alerts)} alerts"
    return EmailMessage(
        subject=" ".join(f"{organization.name}: {subject}".split()),
        body=body,
        to=[formataddr((recipient.name.replace("\n", " "), recipient.email))],
    )


def address_of(organization: Organization, link: str) -> str:
    """Return the whole address of a link inside the organization, for a letter."""
    return f"{settings.PUBLIC_BASE_URL.rstrip('/')}/o/{organization.slug}{link or '/'}"
