"""What becomes of messages sets an automation off: received, delivered, failed."""

from collections.abc import Iterable, Sequence
from typing import Any

from django import forms

from integrations.organizations.models import Organization, as_uuid
from integrations.twilio.error_table import explain
from messaging.automations.base import Scope, Settings, SettingsForm, Start, Trigger
from messaging.automations.fields import Field, Type
from messaging.consent.keywords import classify
from messaging.consent.policy import policy_of
from messaging.happenings.models import Happening
from messaging.happenings.of_messages import MESSAGE_DELIVERED, MESSAGE_FAILED
from messaging.inbound.receive import RECEIVED
from messaging.inbox.matching import fold, says
from messaging.inbox.models import KeywordRule
from messaging.sending.models import Message
from messaging.sending.reasons import reason_of
from messaging.templates.models import Template

_MOST_WORDS = 50
_ANY = "any"


class ReceivedForm(SettingsForm):
    """Which texts."""

    match = forms.ChoiceField(
        label="Which texts", choices=[(_ANY, "Any text"), *KeywordRule.Match.choices], initial=_ANY, required=False
    )
    words = forms.CharField(
        label="Words", required=False, max_length=2_000,
        widget=forms.Textarea(attrs={"rows": 3, "data-when": "match=exact|starts|contains"}),
        help_text="One in a line, or with commas between. Case, accents and signs around them do not count.",
    )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        words = words_of(data)
        if data.get("match") not in (None, "", _ANY):
            if not words:
                self.add_error("words", "Write the words to look for.")
            elif len(words) > _MOST_WORDS:
                self.add_error("words", f"At most {_MOST_WORDS} words or phrases.")
        policy = policy_of(self.scope.organization)
        taken = [word for word in words if classify(word, policy=policy) is not None]
        if taken:
            self.add_error(
                "words",
                f"{taken[0].upper()} is for opting out, in or help and never sets an automation off. Leave it out.",
            )
        return data


class MessageReceived(Trigger):
    """Somebody writes; STOP, START, HELP and answers to a double opt-in are not for automations."""

    key = "message_received"
    title = "SMS received"
    text = "Somebody writes to you: any text, or one with certain words. STOP, START and HELP never set it off."
    icon = "chat"
    group = "Messages"
    kinds = (RECEIVED,)
    form = ReceivedForm

    def fields(self, scope: Scope, settings: Settings) -> list[Field]:
        return [
            Field("trigger.text", "What they wrote", Type.TEXT, (words_of(settings) or ["Hello"])[0]),
            Field("trigger.word", "Word that was found", Type.TEXT, (words_of(settings) or [""])[0]),
            Field("trigger.phone", "Their number", Type.PHONE, "+4930123456"),
            Field("trigger.to", "Your number", Type.TEXT, "+4930654321"),
        ]

    def describe(self, scope: Scope, settings: Settings) -> str:
        words, match = words_of(settings), settings.get("match") or _ANY
        if match == _ANY or not words:
            return "When somebody writes"
        more = f" or {len(words) - 3} more" if len(words) > 3 else ""
        how = KeywordRule.Match(match).label.lower()
        return f"When {how} {', '.join(words[:3])}{more}"

    def starts(self, organization: Organization, settings: Settings, heard: Sequence[Happening]) -> Iterable[Start]:
        for happening in heard:
            word = _word_in(settings, str(happening.data.get("text", "")))
            if word is None:
                continue
            told = {
                "text": happening.data.get("text", ""),
                "word": word,
                "phone": happening.phone,
                "to": happening.data.get("to", ""),
                "message_id": happening.data.get("message_id", ""),
            }
            yield Start.after(happening, told)


class OutcomeForm(SettingsForm):
    """Of which messages."""

    template = forms.ChoiceField(label="Template", required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = Template.objects.filter(organization=self.scope.organization).order_by("name").values_list("pk", "name")
        self.fields["template"].choices = [("", "Any message"), *((str(pk), name) for pk, name in rows)]  # type: ignore[attr-defined]
        self.fields["template"].error_messages["invalid_choice"] = "This template was deleted. Choose another one."


class FailedForm(OutcomeForm):
    """Of which messages, and for which reasons."""

    codes = forms.CharField(
        label="Error codes", required=False, max_length=500,
        help_text="Twilio's numbers with commas between, for example 30003, 30005. Empty: whatever the reason.",
    )  # fmt: skip

    def clean_codes(self) -> str:
        raw = self.cleaned_data["codes"]
        parts = [part for part in raw.replace(",", " ").split() if part]
        wrong = [part for part in parts if not (part.isdecimal() and len(part) == 5)]
        if wrong:
            raise forms.ValidationError(f"{wrong[0][:20]} is no error code. They have five digits, for example 30003.")
        return ", ".join(dict.fromkeys(parts))


class _OutcomeOfMessage(Trigger):
    """What the two triggers share: the rows of the messages are read at once for all that was heard."""

    group = "Messages"

    def fields(self, scope: Scope, settings: Settings) -> list[Field]:
        return [
            Field("trigger.to", "Recipient’s number", Type.PHONE, "+4930123456"),
            Field("trigger.template", "Template", Type.TEXT, _template_name(scope, settings) or "Reminder"),
            Field("trigger.status", "Status", Type.CHOICE, "delivered", ("delivered", "failed", "undelivered")),
            Field("trigger.sent_at", "When it was made", Type.MOMENT, "2026-05-01T09:00:00+00:00"),
        ]

    def starts(self, organization: Organization, settings: Settings, heard: Sequence[Happening]) -> Iterable[Start]:
        ids = [happening.data.get("message_id") for happening in heard]
        rows = Message.objects.filter(organization=organization, pk__in=[one for one in ids if one])
        if settings.get("template"):
            rows = rows.filter(template=as_uuid(settings["template"]))
        messages = {
            str(row.pk): row for row in rows.select_related("template", "organization").defer("body", "sealed_text")
        }
        for happening in heard:
            message = messages.get(str(happening.data.get("message_id")))
            # Codes of verification and answers to STOP are nobody's errand.
            if message is None or message.purpose in {Message.Purpose.VERIFICATION, Message.Purpose.CONSENT}:
                continue
            if self.is_meant(settings, happening):
                yield Start.after(happening, self.told(message, happening), key=f"{self.key}:{message.pk}")

    def is_meant(self, settings: Settings, happening: Happening) -> bool:
        """Tell whether this outcome is meant."""
        return True

    def told(self, message: Message, happening: Happening) -> dict[str, Any]:
        """Return the fields of the run."""
        return {
            "message_id": str(message.pk),
            "to": happening.phone,
            "template": message.template.name if message.template else "",
            "status": happening.data.get("status", ""),
            "sent_at": message.created_at.isoformat(),
        }


class MessageDelivered(_OutcomeOfMessage):
    """A message arrives at the phone."""

    key = "message_delivered"
    title = "SMS delivered"
    text = "A message arrives at the phone, as far as its carrier reports it."
    icon = "done_all"
    kinds = (MESSAGE_DELIVERED,)
    form = OutcomeForm

    def describe(self, scope: Scope, settings: Settings) -> str:
        name = _template_name(scope, settings)
        return f"When a message of {name} is delivered" if name else "When a message is delivered"


class MessageFailed(_OutcomeOfMessage):
    """A message fails or does not arrive."""

    key = "message_failed"
    title = "SMS failed"
    text = "A message fails or is not delivered, for any reason or for certain error codes."
    icon = "sms_failed"
    kinds = (MESSAGE_FAILED,)
    form = FailedForm

    def fields(self, scope: Scope, settings: Settings) -> list[Field]:
        code = next(iter(_codes(settings)), 30003)
        words = explain(code)
        return [
            *super().fields(scope, settings),
            Field("trigger.error_code", "Error code", Type.NUMBER, code),
            Field("trigger.error_title", "Error in words", Type.TEXT, words.title),
            Field("trigger.error_remedy", "What to do about it", Type.TEXT, words.remedy),
        ]

    def describe(self, scope: Scope, settings: Settings) -> str:
        name, codes = _template_name(scope, settings), settings.get("codes")
        what = f"a message of {name}" if name else "a message"
        return f"When {what} fails with {codes}" if codes else f"When {what} fails"

    def is_meant(self, settings: Settings, happening: Happening) -> bool:
        codes = _codes(settings)
        return not codes or happening.data.get("error_code") in codes

    def told(self, message: Message, happening: Happening) -> dict[str, Any]:
        reason = reason_of(message)
        return {
            **super().told(message, happening),
            "error_code": happening.data.get("error_code"),
            "error_title": reason.title if reason else "",
            "error_remedy": reason.remedy if reason else "",
        }


def words_of(settings: Settings) -> list[str]:
    """Return the words to look for, folded."""
    parts = (fold(part) for line in str(settings.get("words") or "").splitlines() for part in line.split(","))
    return list(dict.fromkeys(part for part in parts if part))


def _word_in(settings: Settings, text: str) -> str | None:
    """Return the word that a text says, "" where any text is meant, None where none is said."""
    match = settings.get("match") or _ANY
    if match == _ANY:
        return ""
    folded = fold(text)
    return next((word for word in words_of(settings) if says(KeywordRule(match=match, words=[word]), folded)), None)


def _codes(settings: Settings) -> list[int]:
    return [int(part) for part in str(settings.get("codes") or "").replace(",", " ").split() if part.isdecimal()]


def _template_name(scope: Scope, settings: Settings) -> str:
    template = as_uuid(settings.get("template"))
    if template is None:
        return ""
    rows = Template.objects.filter(organization=scope.organization, pk=template)
    return rows.values_list("name", flat=True).first() or ""
