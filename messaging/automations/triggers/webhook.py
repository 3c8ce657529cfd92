"""A webhook of another system sets an automation off: whatever it sends is at hand as fields."""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, ClassVar

from django import forms

from integrations.identifiers import new_id
from integrations.organizations.models import Organization
from integrations.phones import Phone, PhoneProblem, parse_phone
from messaging.automations import hook_proof
from messaging.automations.base import Scope, Settings, SettingsForm, Start, Trigger
from messaging.automations.fields import Field, Type, example_values, look_up, path_in_words
from messaging.automations.hooks import known_fields
from messaging.automations.models import Automation
from messaging.contacts.address_book import ContactProblem, Details, create_contact
from messaging.contacts.models import Contact

_PATH = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*){0,5}")
_MOST_REQUIRED = 50
# What an example of a call says where nothing is known of a field but its name.
_EXAMPLES: Mapping[str, Any] = {"order_id": 17, "id": 17, "status": "shipped"}
_EXAMPLE_PHONE = "+4915112345678"
LONGEST_REPLAY = 3_600


class PathField(forms.CharField):
    """A field of the payload, as `order.phone`; written as a variable it is read as well."""

    def __init__(self, *, when: str = "", **kwargs: Any) -> None:
        attrs = {"autocapitalize": "none", "spellcheck": "false", **({"data-when": when} if when else {})}
        super().__init__(max_length=200, widget=forms.TextInput(attrs=attrs), **kwargs)

    def clean(self, value: Any) -> str:
        path = read_path(str(super().clean(value) or ""))
        if path and not _PATH.fullmatch(path):
            raise forms.ValidationError("Write the field as in a variable, for example order.phone.")
        return path


class WebhookForm(SettingsForm):
    """How calls are proved, what they must have, and whose number they bring."""

    auth = forms.ChoiceField(
        label="Proof",
        choices=[
            (hook_proof.SECRET, "The secret in a header (Authorization: Bearer, or X-Heliograph-Secret)"),
            (hook_proof.SIGNATURE, "A signature of the body (X-Heliograph-Signature)"),
        ],
        initial=hook_proof.SECRET, required=False,
    )  # fmt: skip
    required = forms.CharField(
        label="Fields that must be there", required=False, max_length=4_000, widget=forms.Textarea(attrs={"rows": 3}),
        help_text="One in a line, like order.id. A call without them is refused with their names.",
    )  # fmt: skip
    phone_path = PathField(
        label="Field with the phone number", required=False,
        help_text="Like customer.phone. Runs then have the contact of this number. Empty: they have none.",
    )  # fmt: skip
    makes_contact = forms.BooleanField(label="Add a contact for a number that has none", required=False)
    name_path = PathField(
        label="Field with the name", required=False, help_text="For contacts that are added. It may stay empty.",
        when="makes_contact=on",
    )  # fmt: skip
    replay_seconds = forms.IntegerField(
        label="Same body counts once within (seconds)", min_value=0, max_value=LONGEST_REPLAY, required=False,
        initial=60,
        help_text="For systems that send twice without an Idempotency-Key. 0: each call counts.",
    )  # fmt: skip

    def clean_required(self) -> str:
        paths = [read_path(line) for line in self.cleaned_data["required"].splitlines() if line.strip()]
        wrong = [path for path in paths if not _PATH.fullmatch(path)]
        if wrong:
            raise forms.ValidationError(f"{wrong[0][:40]} is no field. Write it as in a variable, like order.id.")
        if len(paths) > _MOST_REQUIRED:
            raise forms.ValidationError(f"At most {_MOST_REQUIRED} fields.")
        return "\n".join(dict.fromkeys(paths))

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("makes_contact") and not data.get("phone_path"):
            self.add_error("phone_path", "Say which field has the number of the contacts to add.")
        return data


class WebhookTrigger(Trigger):
    """Another system calls an address of the automation's own."""

    key = "webhook"
    title = "Incoming webhook"
    text = (
        "Another system calls an address of this automation: a shop, a form, a workflow. Its fields can be used below."
    )
    icon = "webhook"
    group = "Systems"
    form = WebhookForm
    replay_seconds: ClassVar[int] = 60

    def brings_contact(self, settings: Settings) -> bool:
        return bool(settings.get("phone_path"))

    def fields(self, scope: Scope, settings: Settings) -> list[Field]:
        known = known_fields(scope.automation)
        paths = {one.path for one in known}
        named = [*required_paths(settings), *(settings.get(name, "") for name in self.paths())]
        phone = settings.get("phone_path")
        for path in dict.fromkeys(filter(None, named)):
            if f"trigger.{path}" not in paths:
                kind, example = (Type.PHONE, "+4930123456") if path == phone else (Type.TEXT, "")
                known.append(Field(f"trigger.{path}", path_in_words(path), kind, example))
        return known

    def paths(self) -> tuple[str, ...]:
        """Return the names of the settings that name a field of the payload."""
        return ("phone_path", "name_path")

    def example(self, settings: Settings) -> dict[str, Any]:
        """Return a payload with every field that the settings name, for the example of a call: an order's for none."""
        named = self.examples(settings) or {"order_id": 17, "status": "shipped", "phone": _EXAMPLE_PHONE}
        # A draft from a file may hold anything, and the example is pasted into a shell.
        paths = [
            Field(f"trigger.{path}", path, example=value) for path, value in named.items() if _PATH.fullmatch(path)
        ]
        made = example_values(paths).get("trigger", {})
        return made if isinstance(made, dict) else {}

    def examples(self, settings: Settings) -> dict[str, Any]:
        """Return an example of each field that the settings name, by its path."""
        found = {path: _EXAMPLES.get(path.rpartition(".")[2], "text") for path in required_paths(settings)}
        if phone := settings.get("phone_path"):
            found[str(phone)] = _EXAMPLE_PHONE
        if name := settings.get("name_path"):
            found[str(name)] = "Ada Lovelace"
        return found

    def describe(self, scope: Scope, settings: Settings) -> str:
        phone = settings.get("phone_path")
        return f"When a webhook arrives, for the number in {phone}" if phone else "When a webhook arrives"

    def notes(self, scope: Scope, settings: Settings) -> Iterable[str]:
        if not known_fields(scope.automation):
            yield "Nothing has arrived yet. Call the address once, also as a draft, and its fields can be picked."

    def check_payload(self, settings: Settings, values: Mapping[str, Any]) -> None:
        """Raise ApiProblem for a payload that cannot be used."""

    def take(
        self, automation: Automation, settings: Settings, values: Mapping[str, Any], *, now: datetime
    ) -> list[Start]:
        """Return what a payload sets off, under the automation's lock and in its transaction."""
        return [start_of(automation, settings, values, data=values)]


def start_of(
    automation: Automation, settings: Settings, values: Mapping[str, Any], *, data: Mapping[str, Any]
) -> Start:
    """Return the start for a payload, with the contact of its number; a number that cannot be read is its reason."""
    key, path = f"w-{new_id()}", str(settings.get("phone_path") or "")
    if not path:
        return Start(key=key, data=data)
    raw = look_up(values, path)
    try:
        phone = _read_phone(raw, automation.organization)
    except PhoneProblem as problem:
        said = f"The number in {path} cannot be used. {problem.message}"
        mend = f"Let the other system send it as {path}, or name another field in the trigger."
        return Start(key=key, data=data, reason="bad_number", detail=f"{said} {mend}")
    contact = Contact.objects.filter(organization=automation.organization_id, phone=phone.e164).first()
    if contact is None and settings.get("makes_contact"):
        name = look_up(values, str(settings.get("name_path") or "")) if settings.get("name_path") else ""
        contact = _make(automation, phone, name=name if isinstance(name, str) else "")
    return Start(key=key, data=data, contact_id=contact.pk if contact else None, phone=phone.e164)


def required_paths(settings: Settings) -> list[str]:
    """Return the fields that a payload must have."""
    return [line for line in str(settings.get("required") or "").splitlines() if line]


def read_path(text: str) -> str:
    """Return what somebody typed as a path below `trigger`."""
    return text.strip().removeprefix("{{").removesuffix("}}").strip().removeprefix("trigger.")


def _read_phone(raw: Any, organization: Organization) -> Phone:
    if raw is None or isinstance(raw, bool | Mapping):
        raise PhoneProblem("empty", "There is none in the payload.")
    text = str(raw).strip()
    try:
        return parse_phone(text, region=organization.default_region, allow_magic=True)
    except PhoneProblem:
        # Many systems leave the + out, or send the number as a number.
        if not (text.isascii() and text.isdecimal() and len(text) >= 10):
            raise
        return parse_phone(f"+{text}", region=None, allow_magic=True)


def _make(automation: Automation, phone: Phone, *, name: str) -> Contact | None:
    details = Details(phone=phone, name=name)
    try:
        return create_contact(automation.organization, details=details, actor=f"Automation “{automation.name}”")
    except ContactProblem as problem:
        return problem.existing  # somebody became a contact at this moment
