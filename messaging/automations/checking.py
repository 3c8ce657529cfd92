"""Which node lacks what: everything that can be said before an automation runs."""

from collections.abc import Iterator, Mapping
from typing import Any

from integrations.organizations.models import Organization
from messaging.templates.rendering import TemplateProblem, parse

from .base import Node, Problem, Scope, Settings, Trigger
from .flow import Flow, NodeSpec
from .models import Automation
from .registry import node_of, trigger_of
from .scopes import scopes_of

NO_STEPS = "Add a step: what shall be done?"


def problems_of(organization: Organization, flow: Flow, *, automation: Automation | None = None) -> list[Problem]:
    """Return all that keeps a flow from being published, the trigger's first; [] where nothing does."""
    return problems_in(scopes_of(organization, flow, automation=automation), flow)


def problems_in(scopes: Mapping[str, Scope], flow: Flow) -> list[Problem]:
    """Do the same where the scopes are known already."""
    found = list(_of_trigger(scopes[""], flow))
    if not flow.nodes:
        found.append(Problem(NO_STEPS))
    for spec in flow.walk():
        found += problems_of_node(scopes[spec.id], spec)
    return found


def problems_of_node(scope: Scope, spec: NodeSpec) -> list[Problem]:
    """Return what one node lacks where it stands."""
    node = node_of(spec.kind)
    if node is None:
        return [Problem("This version does not know this kind of step. Remove it.", spec.id)]
    found = [Problem(text, spec.id, field) for field, text in _of_form(node, scope, spec.settings)]
    if not found:
        found = [Problem(text, spec.id) for text in node.problems(scope, spec.settings)]
    found += [Problem(text, spec.id, name) for name, text in _of_variables(scope, spec.settings)]
    outlets = node.outlets(spec.settings)
    for branch, nodes in spec.branches.items():
        if nodes and branch not in outlets:
            found.append(Problem("Steps stand in a branch that this step has no more. Move or remove them.", spec.id))
    return found


def _of_trigger(scope: Scope, flow: Flow) -> Iterator[Problem]:
    if not flow.trigger:
        yield Problem("Choose what sets the automation off.")
        return
    trigger = trigger_of(flow.trigger)
    if trigger is None:
        yield Problem("This version does not know this trigger. Choose another one.")
        return
    found = [Problem(text, field=field) for field, text in _of_form(trigger, scope, flow.trigger_settings)]
    yield from found
    if not found:
        for text in trigger.problems(scope, flow.trigger_settings):
            yield Problem(text)


def _of_form(kind: Trigger | Node, scope: Scope, settings: Settings) -> Iterator[tuple[str, str]]:
    # Of what was never configured, no more is said than what its panel lacks: what that begins with is chosen there.
    form = kind.form.begun(settings, scope=scope)
    if not settings and form.is_valid():
        form = kind.form(kind.form.to_data(settings), scope=scope)
    for name, errors in form.errors.items():
        label = form.fields[name].label if name in form.fields else ""
        for error in errors:
            yield name, f"{label}: {error}" if label else str(error)


def _of_variables(scope: Scope, settings: Settings) -> Iterator[tuple[str, str]]:
    """Say which variables name something that is not known where the node stands."""
    known = {field.path for field in scope.fields}
    for name, text in _texts(settings):
        try:
            variables = parse(text).variables
        except TemplateProblem as problem:
            yield name, str(problem)
            continue
        for variable in variables:
            if not variable.has_fallback and variable.name not in known:
                written = f"{{{{ {variable.name} }}}}"
                yield name, f"{written} is not known here. Pick a field of an earlier step, or write a fallback."


def _texts(settings: Mapping[str, Any], name: str = "") -> Iterator[tuple[str, str]]:
    for key, value in settings.items():
        yield from _texts_in(value, name or str(key))


def _texts_in(value: Any, name: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str) and "{{" in value:
        yield name, value
    elif isinstance(value, Mapping):
        yield from _texts(value, name)
    elif isinstance(value, list):
        for one in value:
            yield from _texts_in(one, name)
