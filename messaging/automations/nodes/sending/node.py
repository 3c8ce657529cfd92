"""Send SMS: to one or to many, each exactly once, in the transaction that also moves the run.

Many go in slices, with a cursor in the step's memory: a slice's messages, what is written down of each, and the cursor
are kept together or not at all. The memory is changed last of all, because it outlives a step that fails.
"""

import uuid
from collections.abc import Mapping
from contextlib import nullcontext
from datetime import datetime
from typing import Any

from django import forms
from django.db import transaction
from django.db.models import Count, Q

from integrations.connections.models import Connection
from integrations.masking import mask_phone
from integrations.organizations.models import as_uuid
from integrations.phones import PhoneProblem, parse_phone
from messaging.automations.base import Again, Done, Node, NodeFailed, Outcome, Scope, Settings, SettingsForm, Step
from messaging.automations.fields import Field, Type
from messaging.automations.models import RunMessage
from messaging.automations.nodes.picking import PURPOSES, choice, connections
from messaging.automations.nodes.testing import need_sandbox
from messaging.sending.models import Message
from messaging.sending.outbox import Draft, EnqueueProblem, enqueue, read_sender
from messaging.sending.reasons import own_reason
from messaging.sending.statuses import Status
from messaging.templates.variables import overlay

from . import wording
from .sources import MOST, Recipient, Source, forget_other_sources, recipient_fields, source_of

SLICE = 200
# From so many on, a step's messages stand behind those that somebody waits for.
FEW = 20
# What nobody watches being refused is stored as a blocked message, so that the log has it.
KEPT = frozenset({"not_connected", "no_route", "platform_unavailable", "insufficient_credits"})
# What is wrong with the way, and not with a recipient: nothing of the slice is kept, and it may be tried again.
_OF_THE_WAY = frozenset({"connection_broken", "no_sender", "suspended"})


class SendSmsForm(SettingsForm):
    """To whom, what, and which way."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        scope = self.scope
        self.fields.update(recipient_fields(scope))
        self.fields.update(wording.wording_fields(scope, self.data))
        self.fields["purpose"] = choice("Purpose", PURPOSES, required=False)
        gone = "This connection was disconnected. Choose another one."
        self.fields["connection"] = choice("Connection", connections(scope), empty="The default one", gone=gone)
        self.fields["sender"] = forms.CharField(
            label="Sender",
            required=False,
            max_length=34,
            help_text="Empty: as the connection has it. Else a number of yours, a sender ID or a Messaging Service.",
        )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        source = source_of(cleaned.get("to"))
        found = list(source.problems(self.scope, cleaned)) if source is not None else []
        if "template" in cleaned:
            found += wording.problems_of_wording(self.scope, cleaned)
        try:
            read_sender(str(cleaned.get("sender") or ""))
        except EnqueueProblem as problem:
            found.append(("sender", problem.detail))
        self.add_problems(found)
        return cleaned

    def to_settings(self) -> dict[str, Any]:
        return wording.to_settings(forget_other_sources(super().to_settings(), self.scope))

    @classmethod
    def to_data(cls, settings: Settings) -> dict[str, Any]:
        return wording.to_data(settings)


class SendSmsNode(Node):
    """Writes to people; each gets it once, however often the step is tried."""

    key = "send_sms"
    title = "Send SMS"
    text = "Write to the contact, to numbers, to everybody with a tag …"
    icon = "sms"
    group = "Send"
    form = SendSmsForm

    def fields(self, scope: Scope, settings: Settings) -> list[Field]:
        at = f"{scope.node_id}."
        return [
            Field(f"{at}message_id", "SMS: its id (of the first)", Type.TEXT, "0197c3f0"),
            Field(f"{at}status", "SMS: status (of the first)", Type.CHOICE, "queued", ("queued", "blocked", "skipped")),
            Field(f"{at}reason", "SMS: why it was blocked", Type.TEXT, "opted_out"),
            Field(f"{at}count", "SMS: how many are on their way", Type.NUMBER, 1),
            Field(f"{at}blocked", "SMS: how many were blocked", Type.NUMBER, 0),
            Field(f"{at}skipped", "SMS: how many recipients could not be read", Type.NUMBER, 0),
        ]

    def describe(self, scope: Scope, settings: Settings) -> str:
        source = source_of(settings.get("to"))
        if source is None:
            return "Send an SMS"
        what = wording.name_of_template(scope, settings)
        who = source.describe(scope, settings)
        who = who if who[:2].isupper() else who[:1].lower() + who[1:]
        return f"Send {what} to {who}" if what else f"Send an SMS to {who}"

    def run(self, step: Step) -> Outcome:
        source, words = _source(step), wording.words_of(step)
        memory = step.memory
        total = int(memory["total"]) if "total" in memory else source.count(step)
        if total > MOST:
            raise NodeFailed(
                "too_many", f"A step writes to at most {MOST:,} people, and here are more. Send a broadcast instead."
            )
        until = datetime.fromisoformat(memory["until"]) if "until" in memory else step.now
        found = source.read(step, after=str(memory.get("cursor", "")), until=until, most=SLICE)
        is_one = source.is_for_one(step)
        _show(step, words, f"{total:,} recipients" if total != 1 else _shown_number(found.recipients))
        sent = _Slice(step, words, is_one=is_one, lane=Message.Lane.BULK if total > FEW else Message.Lane.FAST)
        sent.write_to(found.recipients)
        if found.cursor:
            memory.update(total=total, until=until.isoformat(), cursor=found.cursor)
            return Again()
        output = _output_of_one(sent.last) if is_one and sent.last is not None else _output(step)
        if output["skipped"] and not output["count"] and not output["blocked"]:
            memory.clear()  # tried again, it begins from the first one
            raise NodeFailed(
                "none_reached", f"None of {output['skipped']:,} could be written to. {_first_detail(step)}"
            )
        return Done(output, note=source.note(step))

    def rehearse(self, step: Step) -> Outcome:
        """Write to the number that was given for the test, over the sandbox; say to how many it would go."""
        source, words = _source(step), wording.words_of(step)
        phone = step.run.phone
        total = 1 if source.is_one else source.count(step)
        _show(step, words, f"{total:,} recipients" if total != 1 else "1 recipient")
        step.shown["in this test"] = f"goes to {mask_phone(phone)} in the sandbox" if phone else "goes to nobody"
        if not phone:
            return Done({"status": "skipped", "count": 0, "blocked": 0, "skipped": total}, note=source.note(step))
        sent = _Slice(step, words, is_one=True, lane=Message.Lane.FAST, connection=need_sandbox(step.organization))
        # A template may greet by name: the virtual phone plays the first of many.
        first = [] if source.is_one else source.read(step, after="", until=step.now, most=1).recipients
        contact = step.contact if step.contact and step.contact.phone == phone else None
        sent.write_to([Recipient(phone, contact, first[0].name if first else "")])
        return Done(_output_of_one(sent.last) if sent.last is not None else _output(step), note=source.note(step))


class _Slice:
    """Writes to recipients of a step; whoever stands in the step's list already is left out."""

    def __init__(
        self, step: Step, words: wording.Words, *, is_one: bool, lane: int, connection: Connection | None = None
    ) -> None:
        self._step, self._words, self._is_one, self._lane = step, words, is_one, lane
        self._connection = connection or _connection_of(step)
        self.last: Message | None = None
        self._sender = "" if connection is not None else str(step.settings.get("sender") or "")

    def write_to(self, recipients: list[Recipient]) -> None:
        """Queue a message for each, or write down why there is none."""
        wanted: dict[str, Recipient] = {}
        for recipient in recipients:
            wanted.setdefault(self._key(recipient), recipient)
        # At the first try for one nothing can stand there: all that a try does is kept together, or not at all.
        looks = self._step.is_resumed or not self._is_one
        stored = RunMessage.objects.filter(step=self._step.id, key__in=wanted) if looks else ()
        kept = {row.key: row for row in stored}
        rows = [
            self._write(recipient, kept.get(key) or RunMessage(run=self._step.run, step_id=self._step.id, key=key))
            for key, recipient in wanted.items()
            if key not in kept or self._may_try_again(kept[key])
        ]
        made = [row for row in rows if row.pk is None]
        if self._is_one:
            self._step.rows += made
        else:
            RunMessage.objects.bulk_create(made)
        if again := [row for row in rows if row.pk is not None]:
            RunMessage.objects.bulk_update(again, ["message", "reason", "detail"])

    def _may_try_again(self, row: RunMessage) -> bool:
        """Tell whether there surely was no message for this one: an earlier try of the step wrote down why."""
        return row.message_id is None and bool(row.reason)

    def _write(self, recipient: Recipient, row: RunMessage) -> RunMessage:
        step = self._step
        try:
            # For one, a refusal fails the step, which takes everything back.
            with nullcontext() if self._is_one else transaction.atomic():
                message = enqueue(step.organization, draft=self._draft(recipient), keeps=KEPT)
        except EnqueueProblem as problem:
            if self._is_one or problem.code in _OF_THE_WAY:
                raise NodeFailed(problem.code, problem.detail) from problem
            row.reason, row.detail = problem.code[:40], problem.detail[:500]
            return row
        self.last = row.message = message
        row.reason, row.detail = message.error_reason[:40], ""
        if message.status == Status.BLOCKED:
            reason = own_reason(message.error_reason)
            row.detail = f"{reason.title} {reason.remedy}"[:500]
        return row

    def _key(self, recipient: Recipient) -> str:
        """Return the number as the key of the message; what is no number is its own."""
        region = self._step.organization.default_region
        try:
            return parse_phone(recipient.to, region=region, allow_magic=True).e164
        except PhoneProblem as problem:
            if self._is_one:
                raise NodeFailed(problem.code, f"{problem.message} See where the number comes from.") from problem
            return f"?{recipient.to}"[:80]

    def _draft(self, recipient: Recipient) -> Draft:
        words = self._words
        return Draft(
            to=recipient.to,
            contact=recipient.contact,
            body=words.body,
            template=words.template,
            variables=overlay(_known_of(recipient), words.variables),
            sender=self._sender,
            purpose=str(self._step.settings.get("purpose") or Message.Purpose.TRANSACTIONAL),
            lane=self._lane,
            connection=self._connection,
            source="automation",
        )


def _known_of(recipient: Recipient) -> dict[str, Any]:
    """Return what a template knows by itself of somebody who has a name and is no contact."""
    if recipient.contact is not None or not recipient.name:
        return {}
    known = {"name": recipient.name, "first_name": recipient.name.split(" ")[0]}
    return {**known, "contact": known}


def _source(step: Step) -> Source:
    source = source_of(step.settings.get("to"))
    if source is None:
        raise NodeFailed("no_recipients", "This version does not know these recipients. Choose others, and publish.")
    return source


def _connection_of(step: Step) -> Connection | None:
    """Return the connection that the step names; None means the organization's default one."""
    named = step.settings.get("connection")
    if not named:
        return None
    place = "connection", step.run.organization_id, named
    if place not in step.shared:
        step.shared[place] = _find_connection(step, as_uuid(named))
    found: Connection = step.shared[place]
    return found


def _find_connection(step: Step, key: uuid.UUID | None) -> Connection:
    found = Connection.objects.filter(organization=step.organization, pk=key).first() if key else None
    if found is None or found.status == Connection.Status.DISCONNECTED:
        raise NodeFailed(
            "not_connected",
            "The connection that this step sends through was disconnected. Choose another one, and publish; or connect "
            "it again and try the run again.",
        )
    return found


def _output_of_one(message: Message) -> dict[str, Any]:
    """Return what became of the only recipient."""
    is_blocked = message.status == Status.BLOCKED
    return {
        "count": int(not is_blocked),
        "blocked": int(is_blocked),
        "skipped": 0,
        "message_id": str(message.pk),
        "status": str(message.status),
        "reason": message.error_reason,
    }


def _output(step: Step) -> dict[str, Any]:
    """Return what became of all of the step's recipients."""
    rows = RunMessage.objects.filter(step=step.id).order_by("id")
    is_blocked = Q(message__status=Status.BLOCKED)
    made: dict[str, Any] = rows.aggregate(
        count=Count("pk", filter=Q(message__isnull=False) & ~is_blocked),
        blocked=Count("pk", filter=is_blocked),
        skipped=Count("pk", filter=Q(message=None)),
    )
    first = rows.select_related("message").first()
    if first is not None:
        message = first.message
        made |= {
            "message_id": str(message.pk) if message is not None else "",
            "status": str(message.status) if message is not None else "skipped",
            "reason": first.reason,
        }
    else:
        made |= {"message_id": "", "status": "skipped", "reason": "nobody"}
    return made


def _first_detail(step: Step) -> str:
    return RunMessage.objects.filter(step=step.id).order_by("id").values_list("detail", flat=True)[0]


def _show(step: Step, words: wording.Words, who: str) -> None:
    step.shown["to"] = who
    if words.template is not None:
        step.shown["template"] = words.template.name
        for name, value in _flat(words.variables):
            step.shown[name] = value
    else:
        step.shown["text"] = words.body[:500]


def _flat(values: Mapping[str, Any], under: str = "") -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for name, value in values.items():
        found += (
            _flat(value, f"{under}{name}.") if isinstance(value, Mapping) else [(f"{under}{name}", str(value)[:200])]
        )
    return found


def _shown_number(recipients: list[Recipient]) -> str:
    return mask_phone(recipients[0].to) if recipients else "nobody"
