"""Forms around attributes: their definitions, and the fields in which a contact's values are entered."""

from typing import Any

from django import forms

from .attributes import AttributeProblem, definitions_of, read_value, shown
from .models import AttributeDefinition, Contact

PREFIX = "attribute_"
Kind = AttributeDefinition.Kind


class DefinitionForm(forms.Form):
    """What an attribute is called and what it may hold."""

    label = forms.CharField(
        label="Label", max_length=60, help_text="As your colleagues read it.",
        error_messages={"required": "Write what your colleagues shall read."},
    )  # fmt: skip
    key = forms.CharField(
        label="Name in templates", max_length=40,
        help_text="Templates write {{ contact.name_here }}. Small letters, digits and _. It cannot be changed later.",
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false"}),
    )  # fmt: skip
    kind = forms.ChoiceField(label="Type", choices=Kind.choices, help_text="It cannot be changed later.")
    choices = forms.CharField(
        label="Choices", required=False, max_length=10_000, help_text="One in a line; only for a list.",
        widget=forms.Textarea(attrs={"rows": 5}),
    )  # fmt: skip
    position = forms.IntegerField(
        label="Place", min_value=0, max_value=1000, required=False, help_text="Smaller numbers stand further up."
    )

    def __init__(self, *args: Any, definition: AttributeDefinition | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if definition is None:
            del self.fields["position"]
            return
        del self.fields["key"], self.fields["kind"]
        if definition.kind != Kind.CHOICE:
            del self.fields["choices"]

    def choice_lines(self) -> list[str]:
        return str(self.cleaned_data.get("choices") or "").splitlines()


class AttributeFields:
    """The part of a contact's form that asks for attributes; mixed into a form with `organization`."""

    def add_attribute_fields(self, form: forms.Form, contact: Contact | None) -> None:
        """Add a field for each attribute in use, with the contact's value."""
        self.definitions = definitions_of(form.organization)  # type: ignore[attr-defined]
        self.stored = contact.attributes if contact else {}
        for definition in self.definitions:
            value = shown(definition, self.stored.get(definition.key))
            form.fields[PREFIX + definition.key] = _field(definition, value)

    def read_attributes(self, form: forms.Form) -> dict[str, Any]:
        """Return the values that changed; what has another type is said at its field."""
        values = {}
        for definition in self.definitions:
            name = PREFIX + definition.key
            raw, stored = form.cleaned_data.get(name, ""), self.stored.get(definition.key)
            if name not in form.data or raw == shown(definition, stored):
                continue
            try:
                values[definition.key] = read_value(definition, raw)
            except AttributeProblem as problem:
                form.add_error(name, forms.ValidationError(problem.message, code=problem.code))
        return values


def _field(definition: AttributeDefinition, value: str) -> forms.Field:
    """Return a field that takes any text: whether it fits the type is asked of `attributes`."""
    if definition.kind in {Kind.CHOICE, Kind.YES_NO}:
        offered = ["yes", "no"] if definition.kind == Kind.YES_NO else [str(choice) for choice in definition.choices]
        if value and value not in offered:
            offered.append(value)  # it was a choice once
        words = {"yes": "Yes", "no": "No"} if definition.kind == Kind.YES_NO else {}
        select = forms.Select(choices=[("", "—"), *((choice, words.get(choice, choice)) for choice in offered)])
        return forms.CharField(label=definition.label, required=False, initial=value, widget=select)
    attrs: dict[str, Any] = {"autocomplete": "off"}
    if definition.kind == Kind.DATE:
        attrs["type"] = "date"
    if definition.kind == Kind.MOMENT:
        attrs["placeholder"] = "2026-05-01 14:30"
    if definition.kind == Kind.NUMBER:
        attrs["inputmode"] = "decimal"
    widget = forms.TextInput(attrs=attrs)
    return forms.CharField(label=definition.label, required=False, initial=value, widget=widget)
