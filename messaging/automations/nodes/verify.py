"""Verify the contact's number: a code goes out, and the run goes on by whether the right one came back.

The verification's id is written into the step in the transaction of the verification's row, before any code leaves: a
worker that dies then finds it, and sends no second code. Codes that come as a reply are looked for here and not where
the reply arrives, because Twilio may have to be asked, and because nothing is lost when a worker dies.
"""

import uuid
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from integrations.organizations.models import Organization, as_uuid
from messaging.automations.base import (
    Done,
    Node,
    NodeFailed,
    Outcome,
    Scope,
    Settings,
    SettingsForm,
    Step,
    TryLater,
    Wait,
)
from messaging.automations.fields import Field, Type
from messaging.automations.models import Automation, RunStep
from messaging.automations.moves import wake_runs
from messaging.sending.models import Message
from messaging.verification import life
from messaging.verification.askers import Asker
from messaging.verification.models import Verification
from messaging.verification.reasons import admin_words
from messaging.verification.refusals import VerificationRefused
from messaging.verification.selectors import find_verification
from messaging.verification.waiting import is_code_alone

from .picking import choice, known_fields
from .sending.sources import number_in, the_contact

APPROVED, NOT_APPROVED = "approved", "not_approved"
# Whoever ends a verification wakes the run; should that get lost, it looks by itself.
_LOOK_EVERY = timedelta(seconds=30)
# The number is what is wrong: nobody mends that by trying again.
_OF_THE_NUMBER = frozenset({"kind", "regions"})

_WAITS = "Waits for the code: as a reply, from your page by the API, or entered on the verification’s page."


class VerifyForm(SettingsForm):
    """Which number, by which channel, and how a test is taken."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        gone = "This field is not known here any more. Choose another one."
        empty = "The number of the contact or the trigger"
        self.fields["field"] = choice("Number", known_fields(self.scope, Type.PHONE), empty=empty, gone=gone)
        self.fields["channel"] = choice("The code goes by", [("sms", "SMS"), ("call", "Call (needs Twilio Verify)")])
        self.fields["in_test"] = choice(
            "A test takes it as",
            [(APPROVED, "Approved"), (NOT_APPROVED, "Not approved")],
            help_text="In a test no code is sent.",
        )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not cleaned.get("field") and not self.scope.has_contact and "field" not in self.errors:
            self.add_error("field", "This trigger brings no contact. Choose the field that holds the number.")
        return cleaned


class VerifyNode(Node):
    """Proves that a number is its owner's."""

    key = "verify"
    title = "Verify the number"
    text = (
        "Send a code, wait for it, and go on by whether it was right. The person replies with it, or enters it on a "
        "page of yours that asks the API."
    )
    icon = "verified_user"
    group = "Contact"
    is_outside = True
    form = VerifyForm

    def outlets(self, settings: Settings) -> Mapping[str, str]:
        return {APPROVED: "Approved", NOT_APPROVED: "Not approved"}

    def fields(self, scope: Scope, settings: Settings) -> list[Field]:
        at = f"{scope.node_id}."
        statuses = ("approved", "expired", "canceled", "max_attempts", "failed", "refused")
        return [
            Field(f"{at}verification_id", "Verification: its id", Type.TEXT, "0197c3f0"),
            Field(f"{at}status", "Verification: how it ended", Type.CHOICE, "approved", statuses),
            Field(f"{at}reason", "Verification: why not", Type.TEXT, "max_attempts"),
        ]

    def describe(self, scope: Scope, settings: Settings) -> str:
        return "Verify the number by a code"

    def run(self, step: Step) -> Outcome:
        known: uuid.UUID | None = as_uuid(step.memory.get("verification"))
        if known is None:
            return self._begin(step)
        verification = find_verification(step.organization, known)
        if verification is None:
            return Done({"verification_id": str(known), "status": "expired", "reason": "deleted"}, branch=NOT_APPROVED)
        _read_replies(step, verification)
        if verification.is_pending:
            return _wait(step, verification)
        state = verification.state
        reason = "" if state == Verification.Status.APPROVED else verification.error_reason or state
        output = {"verification_id": str(known), "status": state, "reason": reason}
        return Done(output, branch=APPROVED if state == Verification.Status.APPROVED else NOT_APPROVED)

    def rehearse(self, step: Step) -> Outcome:
        taken = NOT_APPROVED if step.settings.get("in_test") == NOT_APPROVED else APPROVED
        step.shown["in this test"] = f"no code is sent; taken as {taken.replace('_', ' ')}"
        status = "approved" if taken == APPROVED else "expired"
        return Done({"verification_id": "", "status": status, "reason": ""}, branch=taken)

    def _begin(self, step: Step) -> Outcome:
        field = str(step.settings.get("field") or "")
        to = number_in(step, field) if field else the_contact(step).to
        language = step.contact.language if step.contact is not None else ""
        asker = Asker(kind="automation", id=step.run.automation_id, language=language)
        try:
            verification = life.start(
                step.organization,
                to=to,
                channel=str(step.settings.get("channel") or "sms"),
                asker=asker,
                keep=lambda made: _keep(step, made),
            )
        except VerificationRefused as refused:
            return _refused(step, refused)
        step.memory["verification"] = str(verification.pk)
        step.shown["code"] = f"sent by {verification.get_channel_display()}"
        return _wait(step, verification)


def _keep(step: Step, verification: Verification) -> None:
    """Write the id into the step, in the transaction of the verification; another worker that was quicker wins."""
    kept = RunStep.objects.filter(pk=step.id).exclude(memory__has_key="verification")
    if not kept.update(memory={**step.memory, "verification": str(verification.pk)}):
        # What the other one wrote down is kept by this one's failure, too: without it a second code would go out.
        step.memory.update(RunStep.objects.values_list("memory", flat=True).get(pk=step.id))
        raise TryLater("begun", "Another worker has begun the verification.", seconds=1)


def _refused(step: Step, refused: VerificationRefused) -> Outcome:
    """Say what follows from a refusal: another number is needed, or time, or somebody who mends the way."""
    if refused.field == "to" or refused.code in _OF_THE_NUMBER:
        step.shown["refused"] = refused.detail[:300]
        return Done({"verification_id": "", "status": "refused", "reason": refused.code}, branch=NOT_APPROVED)
    if refused.is_limit:
        raise TryLater(f"verify_{refused.code}"[:40], refused.detail, seconds=refused.retry_after)
    raise NodeFailed(refused.code, refused.detail)


def _wait(step: Step, verification: Verification) -> Wait:
    until = min(verification.expires_at + timedelta(seconds=1), step.now + _LOOK_EVERY)
    return Wait(until, wake_key=wake_key(verification.pk), note=_WAITS)


def wake_key(verification_id: uuid.UUID) -> str:
    """Return what a run waits for that waits for a verification."""
    return f"verification:{verification_id}"


def wake(verification_id: uuid.UUID) -> int:
    """Carry on the run that waits for a verification: it ended, or its code came."""
    return wake_runs(wake_key(verification_id))


def names_of(organization: Organization, automation_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, str]:
    """Return what the automations are called that asked for codes."""
    return dict(Automation.objects.filter(organization=organization, pk__in=automation_ids).values_list("pk", "name"))


def _read_replies(step: Step, verification: Verification) -> None:
    """Compare the codes that came as replies since, each once; what cannot be asked now is asked again."""
    replies = Message.objects.filter(
        organization=step.organization,
        direction=Message.Direction.INBOUND,
        phone=verification.phone,
        created_at__gte=verification.created_at,
    ).order_by("created_at", "id")
    read = set(step.memory.get("read", []))
    for reply in replies[:50]:
        if str(reply.pk) in read or not is_code_alone(reply.body):
            continue
        if not verification.is_pending:
            return
        try:
            life.check(verification, code=reply.body)
        except VerificationRefused as refused:
            if refused.kind == "provider" or refused.code == "busy":
                return  # the next look asks again
        read.add(str(reply.pk))
        step.memory["read"] = sorted(read)
        words = admin_words(reason=verification.state)
        step.shown["reply"] = words.title
