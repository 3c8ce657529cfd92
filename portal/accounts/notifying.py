"""Writing to the people of a portal: to all, to a role or to one. Each gets it once, whatever happens to the job."""

import time
import uuid
from dataclasses import dataclass, replace

from django.db import transaction
from django.db.models import Count, Q, QuerySet

from integrations.organizations.audit import record
from integrations.organizations.models import Organization, User
from integrations.organizations.roles import Capability
from messaging.consent.blocking import consent_blocks
from messaging.jobs import work
from messaging.jobs.models import Job
from messaging.jobs.registry import register_job
from messaging.sending.models import Message
from messaging.sending.statuses import ARRIVED, AT_TWILIO, FAILURES, Status
from messaging.templates.look import Look, look_at
from messaging.templates.rendering import clean_text

from .models import Portal, PortalInvitation, PortalNotification, PortalRole, PortalSending, PortalText, PortalUser
from .telling import language_of, tell
from .texts import body_of, first_language, usual_values

NOTIFY = "portal.notify"
SENTENCES = {"portal_notification.sent": "wrote to {audience} of the portal {portal}: {count} people"}
LONGEST = 1000
NOBODY = "Nobody of these is in yet, so there is nobody to write to. Invite people first."
_SLICE = 25
_AT_ONCE = 2000

Audience = PortalNotification.Audience
_ON_THE_WAY = AT_TWILIO | {Status.SCHEDULED, Status.QUEUED, Status.SENDING, Status.UNKNOWN}
_FAILED = Q(message__status__in=[*FAILURES, Status.CANCELED]) | (Q(message=None) & ~Q(problem_code=""))


class NotificationRefused(Exception):
    """Nothing was sent; the sentence says what to change, `field` which part."""

    def __init__(self, detail: str, *, field: str = "") -> None:
        super().__init__(detail)
        self.detail, self.field = detail, field


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is written to whom; nothing is sent by it."""

    audience: str
    text: str
    role: PortalRole | None = None
    user: PortalUser | None = None


@dataclass(frozen=True)
class Preview:
    """What would go out: the text as the first of them reads it, to how many, and how many of them opted out."""

    look: Look
    people: int
    opted_out: int

    @property
    def reached(self) -> int:
        return self.people - self.opted_out


@dataclass(frozen=True)
class Results:
    """How the texts of a notification fared."""

    total: int
    arrived: int
    on_the_way: int
    failed: int


def recipients_of(portal: Portal, plan: Plan) -> QuerySet[PortalUser]:
    """Return who is meant: people who are in, and nobody else."""
    rows = PortalUser.objects.filter(portal=portal, status=PortalUser.Status.ACTIVE)
    if plan.audience == Audience.ROLE:
        return rows.filter(role=plan.role)
    if plan.audience == Audience.ONE:
        return rows.filter(pk=plan.user.pk) if plan.user else rows.none()
    return rows


def preview(portal: Portal, plan: Plan) -> Preview:
    """Return what would go out; raise NotificationRefused where that is nothing, or to nobody."""
    text = _checked(plan)
    people = recipients_of(portal, plan)
    first = people.order_by("pk").select_related("portal__form", "portal__organization").first()
    if first is None:
        raise NotificationRefused(NOBODY, field="audience")
    look = look_of(portal, text, language=language_of(first), name=first.name)
    if look.problem:
        raise NotificationRefused(look.problem, field="text")
    phones = list(people.values_list("phone", flat=True))
    opted_out = 0
    for begin in range(0, len(phones), _AT_ONCE):
        some = phones[begin : begin + _AT_ONCE]
        opted_out += len(consent_blocks(portal.organization, some, purpose=Message.Purpose.TRANSACTIONAL))
    return Preview(look=look, people=len(phones), opted_out=opted_out)


def send(
    portal: Portal,
    plan: Plan,
    *,
    request_id: uuid.UUID,
    source: str = PortalInvitation.Source.HAND,
    actor: User | None,
    ip: str = "",
) -> PortalNotification:
    """Begin to write to the people; the same `request_id` a second time returns what was begun and sends nothing.

    Raises NotificationRefused.
    """
    if not portal.is_on:
        raise NotificationRefused("The portal is switched off: nobody could log in. Switch it on first.")
    text = _checked(plan)
    count = recipients_of(portal, plan).count()
    if not count:
        raise NotificationRefused(NOBODY, field="audience")
    if PortalNotification.objects.filter(pk=request_id).exclude(portal=portal).exists():
        raise NotificationRefused("Look at it once more before it is sent.")
    with transaction.atomic():
        row, is_new = PortalNotification.objects.get_or_create(
            pk=request_id,
            portal=portal,
            defaults={
                "audience": plan.audience,
                "role": plan.role if plan.audience == Audience.ROLE else None,
                "user": plan.user if plan.audience == Audience.ONE else None,
                "text": text,
                "source": source,
                "created_by": actor,
            },
        )
        if not is_new:
            return row
        row.job = work.start(
            portal.organization, kind=NOTIFY, params={"notification": str(row.pk)}, total=count, actor=actor
        )
        row.save(update_fields=["job"])
        record(
            portal.organization,
            actor=actor,
            action="portal_notification.sent",
            target=row,
            changes={"audience": _who(row), "portal": portal.name, "count": f"{count:,}"},
            ip=ip,
        )
    return row


@register_job(NOTIFY, title="Writing to people of a portal", capability=Capability.PORTAL_PEOPLE)
def notify_slice(job: Job, until: float) -> bool:
    """Queue the next texts: what was queued and how far the job is are one transaction, and each person is a row once.

    Whoever is no longer in when their turn comes gets nothing, nor does who came after the text was written.
    """
    row = _notification_of(job.organization, job.params.get("notification"))
    people = recipients_of(row.portal, Plan(audience=row.audience, text=row.text, role=row.role, user=row.user)).filter(
        created_at__lte=row.created_at
    )
    people = people.select_related("contact").order_by("pk")
    while time.monotonic() < until:
        after = job.cursor.get("after")
        with transaction.atomic():
            some = list((people.filter(pk__gt=uuid.UUID(after)) if after else people)[:_SLICE])
            for user in some:
                user.portal = row.portal
                tell(user, PortalText.Kind.NOTIFICATION, values={"text": row.text}, notification=row)
            if some:
                work.save_progress(job, cursor={"after": str(some[-1].pk)}, done=job.done + len(some))
        if len(some) < _SLICE:
            return True
    return False


def results_of(notification: PortalNotification) -> Results:
    """Count how the texts fared."""
    rows = PortalSending.objects.filter(notification=notification)
    found = rows.aggregate(
        total=Count("pk"),
        arrived=Count("pk", filter=Q(message__status__in=list(ARRIVED))),
        failed=Count("pk", filter=_FAILED),
        on_the_way=Count("pk", filter=Q(message__status__in=list(_ON_THE_WAY))),
    )
    return Results(**found)


def failed_of(notification: PortalNotification) -> QuerySet[PortalSending]:
    """Return the texts that did not go out or did not arrive."""
    return PortalSending.objects.filter(_FAILED, notification=notification)


def look_of(portal: Portal, text: str, *, language: str = "", name: str = "") -> Look:
    """Return a notification as it arrives, in the portal's first language unless another is named."""
    body = body_of(portal, PortalText.Kind.NOTIFICATION, language or first_language(portal))
    usual = {key: str(value) for key, value in usual_values(portal, PortalText.Kind.NOTIFICATION).items()}
    values = {**usual, "name": name, "text": clean_text(text)}
    return replace(look_at(portal.organization, body=body, values=values), variables=(), is_sample=False)


def _checked(plan: Plan) -> str:
    text = clean_text(plan.text).strip()
    if not text:
        raise NotificationRefused("Write what they shall read.", field="text")
    if len(text) > LONGEST:
        raise NotificationRefused(
            f"The text has {len(text):,} characters; at most {LONGEST:,} can be sent. Shorten it.", field="text"
        )
    if plan.audience == Audience.ROLE and plan.role is None:
        raise NotificationRefused("Choose the role.", field="role")
    if plan.audience == Audience.ONE and plan.user is None:
        raise NotificationRefused("Choose the person on their own page.", field="audience")
    return text


def _notification_of(organization: Organization, pk: object) -> PortalNotification:
    row = (
        PortalNotification.objects.select_related("portal__organization", "portal__form", "role", "user")
        .filter(pk=str(pk), portal__organization=organization)
        .first()
    )
    if row is None:
        raise work.JobFailed("The portal was deleted meanwhile, and with it what was to be sent.")
    return row


def _who(row: PortalNotification) -> str:
    if row.audience == Audience.ROLE:
        return f"the role {row.role}"
    return "one person" if row.audience == Audience.ONE else "everybody"
