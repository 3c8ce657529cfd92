"""What the builder's side panel shows of the trigger or a step: its form, and the fields that it may use."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from integrations.organizations.models import Organization, as_uuid
from messaging.templates.look import Look, look_at
from messaging.templates.rendering import MissingVariables, TemplateProblem
from messaging.templates.selectors import find_template

from .base import Node, Scope, Settings, SettingsForm, Trigger
from .fields import Field, example_values, fill_in
from .flow import Flow
from .models import Automation
from .registry import node_of, trigger_of
from .scopes import contact_fields, scope_at

TRIGGER = "trigger"
# Names of the form's parts by which a template is written on the spot.
NEW_NAME, NEW_TEXT = "new_template_name", "new_template_text"


@dataclass(frozen=True)
class Panel:
    """The trigger (`id` is "trigger") or a step, opened. `typed` says that the form holds what somebody typed."""

    id: str
    kind: Trigger | Node
    scope: Scope
    form: SettingsForm
    is_checked: bool
    notes: tuple[str, ...] = ()

    @property
    def known(self) -> tuple[Field, ...]:
        """The fields that texts may name here."""
        return self.scope.fields

    @property
    def takes_variables(self) -> bool:
        """Tell whether something here may name a field."""
        return any("data-variables" in field.widget.attrs for field in self.form.fields.values())

    @property
    def writes(self) -> bool:
        """Tell whether it says something that can be looked at beforehand; a trigger's template only narrows."""
        return isinstance(self.kind, Node) and bool({"template", "text"} & set(self.form.fields))


def open_panel(
    organization: Organization,
    flow: Flow,
    card_id: str,
    *,
    automation: Automation,
    data: Any = None,
    is_checked: bool = False,
) -> Panel | None:
    """Return the panel of the trigger or of a step; None where there is no such thing.

    `data` is what was typed; without it the form shows the settings as they are, and says what they lack only where
    somebody has configured it before.
    """
    spec = flow.find(card_id)
    kind: Trigger | Node | None = None
    settings: Settings = {}
    if card_id == TRIGGER:
        kind, settings = trigger_of(flow.trigger), flow.trigger_settings
    elif spec is not None:
        kind, settings = node_of(spec.kind), spec.settings
    if kind is None:
        return None
    scope = scope_at(organization, flow, spec.id if spec is not None else "", automation=automation)
    if data is None:
        form = kind.form.begun(settings, scope=scope)
        return Panel(card_id, kind, scope, form, bool(settings), tuple(_notes(kind, scope, settings)))
    return Panel(card_id, kind, scope, kind.form(data, scope=scope), is_checked)


def preview_of(panel: Panel, *, automation: Automation) -> Look | None:
    """Return what a text becomes with sample values; None where nothing is written yet."""
    panel.form.is_valid()
    cleaned = getattr(panel.form, "cleaned_data", {})
    template_id = as_uuid(cleaned.get("template")) if cleaned.get("template") else None
    samples = flat(sample_values(panel.scope))
    template = find_template(panel.scope.organization, template_id) if template_id else None
    if template is not None and template.current is not None:
        prefix = "value__"
        given = {
            name.removeprefix(prefix).replace("__", "."): _filled(str(text), samples)
            for name, text in cleaned.items()
            if name.startswith(prefix) and text
        }
        return look_at(panel.scope.organization, body=template.current.body, values=given)
    text = str(panel.form.data.get("text", "") or "")
    return look_at(panel.scope.organization, body=text, values=samples) if text.strip() else None


def sample_values(scope: Scope) -> dict[str, Any]:
    """Return an example of everything that is known at a place."""
    return example_values([*scope.fields, *(contact_fields(scope.organization) if scope.has_contact else ())])


def flat(values: Mapping[str, Any], under: str = "") -> dict[str, str]:
    """Return records as texts by their paths."""
    found: dict[str, str] = {}
    for name, value in values.items():
        path = f"{under}{name}"
        if isinstance(value, Mapping):
            found |= flat(value, f"{path}.")
        elif value not in (None, ""):
            found[path] = ("yes" if value else "no") if isinstance(value, bool) else str(value)
    return found


def _notes(kind: Trigger | Node, scope: Scope, settings: Settings) -> list[str]:
    return list(kind.notes(scope, settings)) if isinstance(kind, Trigger) and settings else []


def _filled(text: str, samples: Mapping[str, str]) -> str:
    try:
        return fill_in(text, _nested(samples))
    except (MissingVariables, TemplateProblem):
        return text


def _nested(samples: Mapping[str, str]) -> dict[str, Any]:
    return example_values(Field(path, path, example=value) for path, value in samples.items())
