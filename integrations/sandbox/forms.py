"""Forms of the room. Bounds that the sandbox knows are asked of its own rules, so that both say the same."""

import re
from collections.abc import Mapping
from typing import Any

from django import forms

from integrations.organizations.models import Organization
from integrations.phones import PhoneProblem, parse_phone, pretty, region_name
from integrations.twilio.error_table import ERRORS, explain

from .dial_board import DIALS, GROUPS, Dial, Group, Unit, at, document_of
from .outcome_words import REFUSED
from .picture import sample_picture
from .server.dials import DEFAULTS, FAULTS, validate
from .server.errors import REFUSALS, ControlError

LONGEST_TEXT = 1600
QUICK_TEXTS = ("STOP", "START", "HELP")
MOST_OUTCOMES = 200
_NUMBER_ERRORS = ("required", "invalid", "min_value", "max_value")
_SEND_RESULTS = [
    ("undelivered", "Undelivered: sent first, then not delivered"),
    ("failed", "Fails: the carrier does not take it"),
    (REFUSED, "Refused at once: Twilio does not take it"),
    ("sent", "Sent, and no delivery report ever comes"),
    ("delivered", "Delivered, whatever the dials say"),
]


class _PhoneField(forms.CharField):
    """A number in any writing, cleaned to E.164; national ones are read as of the organization's region."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            max_length=60,
            widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "off", "placeholder": "+49 151 12345678"}),
            **kwargs,
        )
        self.region = ""

    def belong_to(self, organization: Organization) -> None:
        """Read national numbers as people of this organization write them."""
        self.region = organization.default_region
        self.help_text = f"In any writing. Without + it is read as a national number: {region_name(self.region)}."

    def clean(self, value: Any) -> str:
        text = super().clean(value)
        try:
            return parse_phone(text, region=self.region).e164
        except PhoneProblem as problem:
            raise forms.ValidationError(problem.message, code=problem.code) from problem


class ReplyForm(forms.Form):
    """What a phone writes, and to which of the account's numbers. A quick text goes before what was typed."""

    to = forms.ChoiceField(label="To", error_messages={"invalid_choice": "This number takes no replies. Choose one."})
    body = forms.CharField(
        label="Text",
        required=False,
        max_length=LONGEST_TEXT,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 2, "placeholder": "Write a reply", "autocomplete": "off"}),
    )
    quick = forms.ChoiceField(required=False, choices=[(text, text) for text in QUICK_TEXTS], widget=forms.HiddenInput)
    picture = forms.BooleanField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, numbers: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["to"].choices = [(number, pretty(number)) for number in numbers]  # type: ignore[attr-defined]
        self.has_one_number = len(numbers) == 1

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("picture"):
            return cleaned
        if not cleaned.get("quick") and not (cleaned.get("body") or "").strip() and "body" not in self.errors:
            self.add_error("body", "Write something first.")
        return cleaned

    @property
    def text(self) -> str:
        """What the phone writes."""
        return self.cleaned_data["quick"] or self.cleaned_data["body"]

    @property
    def files_sent(self) -> list[dict[str, str]]:
        """What the phone sends along."""
        return [sample_picture()] if self.cleaned_data.get("picture") else []


class NewPhoneForm(ReplyForm):
    """The first text of a phone that nobody has written to."""

    phone = _PhoneField(label="Write from", error_messages={"required": "Write the number of the phone."})
    field_order = ("phone", "to", "body")

    def __init__(self, *args: Any, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.ours = {number for number, _label in self.fields["to"].choices}  # type: ignore[attr-defined]
        self.fields["phone"].belong_to(organization)  # type: ignore[attr-defined]
        self.fields["body"].required = True
        self.fields["body"].error_messages["required"] = "Write the text of the message."
        self.fields["body"].widget.attrs |= {"rows": 3, "placeholder": ""}
        del self.fields["quick"]

    def clean_phone(self) -> str:
        phone: str = self.cleaned_data["phone"]
        if phone in self.ours:
            raise forms.ValidationError("This number is the sandbox account's own. Write from another one.")
        return phone

    @property
    def text(self) -> str:
        return self.cleaned_data["body"]


class _CodesField(forms.CharField):
    """Error codes with commas between them."""

    def clean(self, value: Any) -> list[int]:
        words = re.split(r"[\s,;]+", super().clean(value).strip())
        if not all(re.fullmatch(r"[1-9]\d{4}", word) for word in words) or len(words) > 50:
            raise forms.ValidationError("Write error codes of five digits with commas between them: 30003, 30005.")
        return [int(word) for word in words]


class DialsForm(forms.Form):
    """All dials but the outcomes of numbers."""

    def __init__(self, data: Mapping[str, Any] | None, *, in_force: dict[str, Any]) -> None:
        super().__init__(data, initial={dial.field_name: dial.shown(at(in_force, dial.path)) for dial in DIALS})
        self._in_force = in_force
        for dial in DIALS:
            self.fields[dial.field_name] = _field_of(dial)

    def groups(self) -> list[tuple[Group, list[tuple[Dial, forms.BoundField, bool]]]]:
        """Return each group with its dials, their fields, and whether they are off normal now."""
        return [
            (group, [(dial, self[dial.field_name], self._is_off(dial)) for dial in group.dials]) for group in GROUPS
        ]

    def _is_off(self, dial: Dial) -> bool:
        return bool(at(self._in_force, dial.path) != at(DEFAULTS, dial.path))

    def values(self) -> dict[str, Any]:
        """Return the values by path, as the document has them."""
        return {dial.path: dial.stored(self.cleaned_data[dial.field_name]) for dial in DIALS}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors:
            try:
                validate(document_of(self.values()))
            except ControlError as error:
                self.take(error.errors)
        return cleaned

    def take(self, errors: dict[str, str]) -> None:
        """Put what the sandbox's rules say at the fields they name."""
        for path, detail in errors.items():
            name = path.replace(".", "__")
            if path == "rate_429":
                total = sum(self.cleaned_data.get(fault, 0) for fault in FAULTS)
                detail = f"A request meets one fault at most: together they may be 100 %, and are {total:g} %."
            elif path == "carrier.final":
                name, detail = "carrier__final__delivered", "At least one of the four shares must be above 0."
            self.add_error(name if name in self.fields else None, detail)


def _field_of(dial: Dial) -> forms.Field:
    if dial.unit is Unit.SWITCH:
        return forms.BooleanField(label=dial.label, required=False)
    if dial.unit is Unit.CHOICE:
        return forms.ChoiceField(label=dial.label, choices=dial.choices)
    if dial.unit is Unit.CODES:
        wrong = {"required": "Write at least one error code, such as 30003."}
        return _CodesField(label=dial.label, max_length=400, error_messages=wrong)
    if dial.unit is Unit.NUMBER:
        return forms.IntegerField(
            label=dial.label,
            required=not dial.is_optional,
            min_value=int(dial.low),
            max_value=int(dial.high),
            error_messages=dict.fromkeys(_NUMBER_ERRORS, "Write a whole number."),
        )
    return forms.FloatField(
        label=dial.label,
        required=not dial.is_optional,
        min_value=dial.low,
        max_value=dial.high,
        widget=forms.NumberInput(attrs={"step": "any"}),
        error_messages=dict.fromkeys(_NUMBER_ERRORS, _bounds_in_words(dial)),
    )


def _bounds_in_words(dial: Dial) -> str:
    return f"Write a number from {dial.low:,g} to {dial.high:,.0f}{', or leave it empty' if dial.is_optional else ''}."


class OutcomeForm(forms.Form):
    """A number, and what shall happen to messages to it."""

    number = _PhoneField(label="Number", error_messages={"required": "Write the number."})
    result = forms.ChoiceField(label="What happens", choices=_SEND_RESULTS)
    error_code = forms.IntegerField(
        label="Error code",
        required=False,
        min_value=10_000,
        max_value=99_999,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "list": "error-codes", "autocomplete": "off"}),
        help_text="Type a code or a word of its meaning. Empty: as the carrier dials say.",
        error_messages=dict.fromkeys(
            ("invalid", "min_value", "max_value"), "Write one of Twilio's error codes, such as 30003."
        ),
    )
    silent = forms.BooleanField(
        label="Without status callbacks", required=False, help_text="Heliograph has to ask by itself."
    )

    def __init__(self, *args: Any, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["number"].belong_to(organization)  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        result, code = cleaned.get("result"), cleaned.get("error_code")
        if "error_code" in self.errors:
            return cleaned
        if result == REFUSED and code not in REFUSALS:
            self.add_error("error_code", "Name a code with which Twilio refuses a request, such as 21211 or 21610.")
        elif result in {"delivered", "sent"} and code is not None:
            self.add_error("error_code", "Such a message has no error. Leave the code empty.")
        return cleaned

    def outcome(self) -> dict[str, Any]:
        """Return the outcome as the sandbox takes it."""
        result, code = self.cleaned_data["result"], self.cleaned_data["error_code"]
        outcome: dict[str, Any] = {} if result == REFUSED else {"status": result}
        if code is not None:
            outcome["error_code"] = code
        if self.cleaned_data["silent"] and result != REFUSED:
            outcome["silent"] = True
        return outcome


def known_codes() -> list[tuple[str, str]]:
    """Return the codes that an outcome may have, with their titles, for the list below the field."""
    codes = [code for code in ERRORS if 30_000 <= code < 40_000 or code in REFUSALS]
    return [(str(code), explain(code).title) for code in sorted(codes)]
