"""What a portal tells its people by SMS: each text is kept with what became of it, and undoes nothing by failing."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction
from django.db.models.functions import Now

from integrations.organizations.audit import record
from integrations.organizations.models import User
from messaging.sending.models import Message
from messaging.sending.outbox import Draft, EnqueueProblem, enqueue
from messaging.sending.reasons import own_reason, reason_of
from messaging.sending.statuses import FAILURES, Status
from messaging.templates.rendering import TemplateProblem

from .models import PortalNotification, PortalSending, PortalText, PortalUser
from .texts import words

Kind = PortalText.Kind

SENTENCES = {"portal_text.sent_again": "sent “{kind}” again to {which} of the portal {portal}"}
# What an invitation says is sent again by `invitations.resend`, which makes its link good for longer; and who has
# logged in weeks ago needs not to hear of it now.
AGAIN = frozenset({Kind.APPROVED, Kind.REJECTED, Kind.NOTIFICATION})


class NotTold(Exception):
    """A text was not taken, or is for somebody who opted out. `code` is stable, `detail` says the next step."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code, self.detail = code, detail


@dataclass(frozen=True)
class Outcome:
    """How a text fared, for the pages: a status and, where something went wrong, what and what to do."""

    status: str
    label: str
    problem: str = ""
    remedy: str = ""

    @property
    def is_bad(self) -> bool:
        return self.status in FAILURES or self.status == Status.CANCELED


def tell(
    user: PortalUser,
    kind: str,
    *,
    values: Mapping[str, object] | None = None,
    notification: PortalNotification | None = None,
    secret: str = "",
) -> PortalSending:
    """Queue a text to somebody in the caller's transaction, and return the row that says what became of it.

    What keeps it from being queued stands in the row, for an admin to read: whoever was approved stays approved.
    `secret` is a part of the text that nobody may read in the log.
    """
    sending = PortalSending(portal_id=user.portal_id, user=user, kind=kind, notification=notification)
    try:
        sending.message = _queue(user, kind, values=values, secret=secret)
    except NotTold as refused:
        sending.problem_code, sending.problem = refused.code[:40], refused.detail[:300]
    if sending.message is not None and sending.message.status == Status.BLOCKED:
        sending.problem_code = sending.message.error_reason[:40]
    sending.save()
    return sending


def tell_or_refuse(
    user: PortalUser, kind: str, *, values: Mapping[str, object] | None = None, secret: str = ""
) -> PortalSending:
    """Queue a text that is all there is to the matter, like an invitation; raise NotTold, with nothing stored."""
    with transaction.atomic():
        message = _queue(user, kind, values=values, secret=secret)
        if message.status == Status.BLOCKED:
            reason = own_reason(message.error_reason)
            raise NotTold(message.error_reason, f"{reason.title} {reason.remedy}")
        return PortalSending.objects.create(portal_id=user.portal_id, user=user, kind=kind, message=message)


def tell_again(sending: PortalSending, *, actor: User, ip: str = "") -> PortalSending:
    """Send a text that failed once more, as its words are now; raise NotTold where it did not fail, or fails again.

    The row is locked and then leads to the new message, so that a second press finds nothing failed.
    """
    with transaction.atomic():
        row = (
            PortalSending.objects.select_for_update(of=("self",))
            .select_related("user__portal__organization", "user__portal__form", "message", "notification")
            .get(pk=sending.pk)
        )
        if row.kind not in AGAIN:
            raise NotTold("not_again", "This text is not sent again from here: send the invitation again instead.")
        if not can_go_again(row):
            raise NotTold("on_its_way", "This text did not fail, so it was not sent a second time.")
        row.message = _queue(row.user, row.kind, values=_values_of(row))
        blocked = row.message.status == Status.BLOCKED
        row.problem_code, row.problem = (row.message.error_reason[:40] if blocked else ""), ""
        row.at = Now()
        row.save(update_fields=["message", "problem_code", "problem", "at"])
        record(
            row.user.portal.organization,
            actor=actor,
            action="portal_text.sent_again",
            target=row.user,
            changes={"kind": row.get_kind_display(), "portal": row.user.portal.name},
            ip=ip,
        )
    row.refresh_from_db(fields=["at"])
    return row


def can_go_again(sending: PortalSending) -> bool:
    """Tell whether a text surely did not arrive, so that sending it again is no second one."""
    if sending.kind not in AGAIN or not sending.user.phone:
        return False
    if sending.message is None:
        return bool(sending.problem_code)
    return sending.message.status in FAILURES or sending.message.status == Status.CANCELED


def outcome_of(sending: PortalSending) -> Outcome:
    """Return how a text fared, in words."""
    message = sending.message
    if message is None:
        if sending.problem_code:
            return Outcome(Status.FAILED, "Not sent", sending.problem)
        return Outcome("", "No longer kept")
    reason = reason_of(message)
    problem, remedy = (f"{reason.title} {reason.meaning}", reason.remedy) if reason else ("", "")
    return Outcome(message.status, message.get_status_display(), problem, remedy)


def language_of(user: PortalUser) -> str:
    """Return the language that somebody is written to in: their own, else the first of the portal."""
    languages = user.portal.form.languages
    return user.language or (languages[0] if languages else "en")


def _queue(user: PortalUser, kind: str, *, values: Mapping[str, object] | None, secret: str = "") -> Message:
    """Render and enqueue in a savepoint, so that a refusal leaves the caller's transaction whole; raise NotTold."""
    portal = user.portal
    if not user.phone:
        raise NotTold("no_number", "This person was erased: there is no number left to write to.")
    try:
        body = words(portal, kind, language_of(user), {"name": user.name, **(values or {})})
    except TemplateProblem as problem:
        raise NotTold("bad_text", f"{problem} Change it on the portal’s page Texts.") from problem
    draft = Draft(
        to=user.phone,
        contact=user.contact,
        body=body,
        purpose=Message.Purpose.TRANSACTIONAL,
        # A text to everybody must not stand before somebody's code.
        lane=Message.Lane.BULK if kind == Kind.NOTIFICATION else Message.Lane.FAST,
        source="portal",
        secret=secret,
    )
    try:
        with transaction.atomic():
            return enqueue(portal.organization, draft=draft)
    except EnqueueProblem as problem:
        raise NotTold(problem.code, problem.detail) from problem


def _values_of(sending: PortalSending) -> dict[str, object]:
    """Return what a text said beside what every text can say."""
    if sending.kind == Kind.REJECTED:
        return {"reason": sending.user.decision_reason}
    if sending.kind == Kind.NOTIFICATION and sending.notification is not None:
        return {"text": sending.notification.text}
    return {}
