"""What a step writes: a template whose variables are mapped, or a text of its own.

Variables of a text of its own are those of the run. A template's own variables, like the contact's name, are those of
whoever gets the message; the others are mapped, each to a text with variables of the run.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from integrations.organizations.models import Organization, as_uuid
from messaging.automations.base import NodeFailed, Scope, Settings, Step
from messaging.automations.fields import as_texts, fill_in
from messaging.automations.nodes.picking import choice, templates, text_with_variables
from messaging.templates.models import Template
from messaging.templates.rendering import TemplateProblem, Variable, parse
from messaging.templates.selectors import find_template
from messaging.templates.variables import nest, offered, overlay

_PREFIX = "value__"
_GONE = "This template was deleted or archived. Choose another one."
_GONE_IN_RUN = (
    "The template of this step was deleted or archived. Bring it back under Templates, and try this run again; or "
    "choose another one in the step and publish: runs that begin then use it, this one keeps the step as it was."
)


@dataclass(frozen=True)
class Words:
    """What is handed to the outbox: a template with its values, or a text."""

    template: Template | None
    variables: Mapping[str, Any]
    body: str


def wording_fields(scope: Scope, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a form that asks what to write; those of the template's variables go by `data`."""
    made: dict[str, Any] = {
        "template": choice("Template", templates(scope), empty="No template: write the text below", gone=_GONE),
        "text": text_with_variables("Text", rows=4, when="template=", strip=False, max_length=10_000),
    }
    made["template"].widget.attrs["data-reload"] = "yes"  # another template has other variables
    known = _known(scope)
    for variable in _variables(scope, data.get("template")):
        field = text_with_variables(f"{{{{ {variable.name} }}}}", max_length=1600)
        if _is_known(variable.name, known):
            field.help_text = "Empty: as the contact has it."
        elif variable.has_fallback:
            field.help_text = f"Empty: “{variable.fallback}”, as the template says."
        made[field_of(variable.name)] = field
    return made


def problems_of_wording(scope: Scope, cleaned: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """Say what is missing: field and sentence."""
    if not cleaned.get("template"):
        text = str(cleaned.get("text") or "")
        if not text.strip():
            yield "text", "Choose a template, or write the text."
            return
        try:
            parse(text)
        except TemplateProblem as problem:
            yield "text", str(problem)
        return
    known = _known(scope)
    for variable in _variables(scope, cleaned["template"]):
        needs = not variable.has_fallback and not _is_known(variable.name, known)
        if needs and not str(cleaned.get(field_of(variable.name)) or "").strip():
            yield field_of(variable.name), "The template needs a value for it. Write one, or pick a field."


def to_settings(cleaned: dict[str, Any]) -> dict[str, Any]:
    """Return cleaned data with the variables' texts under `values`."""
    values = {name: text for name, text in cleaned.items() if name.startswith(_PREFIX)}
    kept = {name: value for name, value in cleaned.items() if name not in values}
    if not kept.get("template"):
        return kept
    kept.pop("text", None)
    given = {name.removeprefix(_PREFIX).replace("__", "."): text for name, text in values.items() if text}
    return {**kept, **({"values": given} if given else {})}


def to_data(settings: Settings) -> dict[str, Any]:
    """Return stored settings as the form's data."""
    values = settings.get("values", {})
    given = {field_of(name): text for name, text in values.items()} if isinstance(values, Mapping) else {}
    return {**{name: value for name, value in settings.items() if name != "values"}, **given}


def field_of(variable: str) -> str:
    """Return the name of the form's field for a variable of a template."""
    return _PREFIX + variable.replace(".", "__")


def variables_of(organization: Organization, template_id: object) -> tuple[Variable, ...]:
    """Return the variables of a template of the organization's, none where there is none."""
    key = as_uuid(template_id)
    template = find_template(organization, key) if key else None
    if template is None or template.current is None:
        return ()
    try:
        return parse(template.current.body).variables
    except TemplateProblem:
        return ()


def words_of(step: Step) -> Words:
    """Return what is to be written; raise NodeFailed where the template is gone, MissingVariables for a value."""
    settings = step.settings
    if not settings.get("template"):
        return Words(None, {}, step.text("text"))
    key = as_uuid(settings["template"])
    template = find_template(step.organization, key) if key else None
    if template is None or template.archived_at is not None:
        raise NodeFailed("template_gone", _GONE_IN_RUN)
    if template.current is None:
        raise NodeFailed("template_empty", f"The template “{template.name}” has no text. Write one, then try again.")
    mapped = settings.get("values", {})
    values = {name: fill_in(str(text), step.values) for name, text in mapped.items()} if mapped else {}
    return Words(template, _of_test(step, nest(values)) if step.is_test else nest(values), "")


def name_of_template(scope: Scope, settings: Settings) -> str:
    """Return what the step writes, for the builder's line."""
    chosen = settings.get("template")
    name = next((name for key, name in templates(scope) if key == chosen), "") if chosen else ""
    text = " ".join(str(settings.get("text", "")).split())
    return f"“{name}”" if name else f"“{text[:60]}{'…' if len(text) > 60 else ''}”" if text else ""


def _of_test(step: Step, values: dict[str, Any]) -> dict[str, Any]:
    """Return the values with those of the sample contact beneath: the virtual phone is nobody's."""
    sample = step.values.get("contact", {})
    if not isinstance(sample, Mapping):
        return values
    sample = as_texts(sample)
    return overlay({**{name: sample[name] for name in _OF_CONTACT if name in sample}, "contact": sample}, values)


_OF_CONTACT = ("name", "first_name", "email")


def _known(scope: Scope) -> Mapping[str, str]:
    return scope.once("variables", lambda: offered(scope.organization))


def _variables(scope: Scope, template_id: object) -> tuple[Variable, ...]:
    return scope.once(f"variables of {template_id}", lambda: variables_of(scope.organization, template_id))


def _is_known(name: str, known: Mapping[str, str]) -> bool:
    return name in known or name.removeprefix("contact.") in known
