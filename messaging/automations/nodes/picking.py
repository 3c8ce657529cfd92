"""Fields by which a step's form offers what the organization has: its own and nothing else."""

from collections.abc import Iterable
from typing import Any

from django import forms

from integrations.connections.selectors import connections_of
from messaging.automations.base import Scope
from messaging.automations.fields import Type
from messaging.contacts.attributes import definitions_of
from messaging.contacts.models import AttributeDefinition, SavedFilter, Tag
from messaging.templates.selectors import active_templates

PURPOSES = [
    ("transactional", "Transactional: they expect it"),
    ("marketing", "Marketing: goes only to people who agreed to it"),
]


def choice(
    label: str,
    offered: Iterable[tuple[str, str]],
    *,
    empty: str = "",
    gone: str = "This is not there any more. Choose another one.",
    required: bool = False,
    when: str = "",
    help_text: str = "",
) -> forms.ChoiceField:
    """Return a drop-down; `when` is "name=value" of another field that it belongs to (see `shown_when`)."""
    field = forms.ChoiceField(
        label=label,
        choices=[*([("", empty)] if empty else []), *offered],
        required=required,
        help_text=help_text,
        error_messages={"invalid_choice": gone, "required": "Choose one."},
    )
    return shown_when(field, when)


def shown_when(field: Any, when: str) -> Any:
    """Mark a field that is asked only while another one has a certain value, like "to=tag", "how=field|date"."""
    if when:
        field.widget.attrs["data-when"] = when
    return field


def text_with_variables(label: str, *, rows: int = 0, when: str = "", **options: Any) -> forms.CharField:
    """Return a field whose text may have variables: the builder offers the fields that are known."""
    widget: Any = forms.Textarea(attrs={"rows": rows}) if rows else forms.TextInput()
    widget.attrs["data-variables"] = "yes"
    field = forms.CharField(label=label, widget=widget, **{"required": False, "max_length": 2000, **options})
    return shown_when(field, when)


def tags(scope: Scope) -> list[tuple[str, str]]:
    """Return the organization's tags."""
    rows = Tag.objects.filter(organization=scope.organization)
    return scope.once("tags", lambda: [(str(tag.pk), tag.name) for tag in rows])


def saved_filters(scope: Scope) -> list[tuple[str, str]]:
    """Return the organization's saved filters of contacts."""
    rows = SavedFilter.objects.filter(organization=scope.organization)
    return scope.once("saved_filters", lambda: [(str(one.pk), one.name) for one in rows])


def templates(scope: Scope) -> list[tuple[str, str]]:
    """Return the organization's templates that are in use."""
    rows = active_templates(scope.organization)
    return scope.once("templates", lambda: [(str(one.pk), one.name) for one in rows])


def connections(scope: Scope) -> list[tuple[str, str]]:
    """Return the organization's connections."""
    rows = connections_of(scope.organization, with_disconnected=False)
    return scope.once("connections", lambda: [(str(one.pk), one.name) for one in rows])


def attributes(scope: Scope) -> list[AttributeDefinition]:
    """Return what the organization keeps about contacts."""
    return scope.once("attributes", lambda: list(definitions_of(scope.organization)))


def known_fields(scope: Scope, *types: Type) -> list[tuple[str, str]]:
    """Return the fields that are known where the step stands, those of these types first."""
    fields = sorted(scope.fields, key=lambda field: field.type not in types)
    return [(field.path, field.label) for field in fields]


def label_of(scope: Scope, path: str) -> str:
    """Return what a field is called; its path where it is not known (any more)."""
    field = scope.field(path)
    return field.label if field is not None else path


def name_in(offered: Iterable[tuple[str, str]], value: object) -> str:
    """Return what a chosen value is called, "" where it is not offered (any more)."""
    return next((name for key, name in offered if key == value), "")
