"""Branch: two ways on, by conditions that are joined by "and" and "or".

Conditions joined by "and" make a group; it is enough that one group holds. They are kept as a list of groups, each
condition with the type that its field had when the step was configured.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms

from integrations.clock import database_now
from integrations.templatetags.hg_base import zone_of
from messaging.automations.base import Done, Node, Outcome, Scope, Settings, SettingsForm, Step
from messaging.automations.fields import Field, Type, fill_in, look_up
from messaging.automations.nodes.picking import choice, text_with_variables
from messaging.templates.rendering import MissingVariables

from . import subjects
from .comparing import OPERATIONS, Now, compare, why_not

MOST = 20
_GONE = "This field is not known here any more. Choose another one."


class BranchForm(SettingsForm):
    """Rows of field, comparison and value; there is always one more row, which may stay empty."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = {**{field.path: field.label for field in self.scope.fields}, **subjects.offered(self.scope)}
        self.rows = min(MOST, _filled_rows(self.data) + 1)
        for row in range(self.rows):
            self.fields |= _row(row, known)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        types, now = subjects.types_of(self.scope), _now_of(self.scope)
        count = 0
        for row in range(self.rows):
            what, operation = cleaned.get(f"what_{row}"), cleaned.get(f"op_{row}") or ""
            if not what:
                continue
            count += 1
            problem = why_not(operation, cleaned.get(f"value_{row}") or "", kind=types[what], now=now)
            if problem:
                field = f"op_{row}" if problem.startswith("A field") else f"value_{row}"
                self.add_error(field, problem)
        if not count and not self.errors:
            self.add_error("what_0", "Choose what to look at.")
        return cleaned

    def to_settings(self) -> dict[str, Any]:
        types = subjects.types_of(self.scope)
        groups: list[list[dict[str, str]]] = []
        for row in range(self.rows):
            what = self.cleaned_data.get(f"what_{row}")
            if not what:
                continue
            operation = self.cleaned_data[f"op_{row}"]
            condition = {**subjects.kept_as(what), "type": types[what].value, "op": operation}
            if OPERATIONS[operation].needs_value:
                condition["value"] = self.cleaned_data.get(f"value_{row}") or ""
            if not groups or self.cleaned_data.get(f"join_{row}") == "or":
                groups.append([])
            groups[-1].append(condition)
        return {"groups": groups}

    @classmethod
    def to_data(cls, settings: Settings) -> dict[str, Any]:
        made: dict[str, Any] = {}
        row = 0
        for group in _groups(settings):
            for place, condition in enumerate(group):
                made |= {
                    f"join_{row}": "or" if not place and row else "and",
                    f"what_{row}": subjects.subject_of(condition),
                    f"op_{row}": condition.get("op", ""),
                    f"value_{row}": condition.get("value", ""),
                }
                row += 1
        return made


class BranchNode(Node):
    """Goes on by yes or by no."""

    key = "branch"
    title = "Branch"
    writes = False
    text = "Go on by one of two ways: if the order is over 100, if they opted out …"
    icon = "call_split"
    group = "Flow"
    form = BranchForm

    def outlets(self, settings: Settings) -> Mapping[str, str]:
        return {"yes": "Yes", "no": "No"}

    def fields(self, scope: Scope, settings: Settings) -> list[Field]:
        return [Field(f"{scope.node_id}.result", "Branch: which way", Type.CHOICE, "yes", ("yes", "no"))]

    def describe(self, scope: Scope, settings: Settings) -> str:
        known = {**{field.path: field.label for field in scope.fields}, **subjects.offered(scope)}
        groups = [" and ".join(_in_words(condition, known) for condition in group) for group in _groups(settings)]
        return f"If {', or '.join(groups)}" if groups else "Branch"

    def problems(self, scope: Scope, settings: Settings) -> Iterable[str]:
        types = subjects.types_of(scope)
        for group in _groups(settings):
            for condition in group:
                what = subjects.subject_of(condition)
                if what in types and condition.get("type") not in (None, types[what].value):
                    yield f"“{what}” is of another type by now. Look at the condition, and save the step again."

    def run(self, step: Step) -> Outcome:
        now = Now(step.now, zone_of(step.organization))
        holds = False
        for group in _groups(step.settings):
            # Every condition is judged, so that the run page shows what each came to.
            judged = [_holds(step, condition, now) for condition in group]
            holds = holds or all(judged)
        answer = "yes" if holds else "no"
        return Done({"result": answer}, branch=answer)


def _holds(step: Step, condition: Mapping[str, Any], now: Now) -> bool:
    what, operation = subjects.subject_of(condition), str(condition.get("op", ""))
    kind = Type(condition["type"]) if condition.get("type") in set(Type) else Type.TEXT
    is_asked = what.startswith(":")
    value = subjects.answer(step, what) if is_asked else look_up(step.values, what)
    try:
        wanted = fill_in(str(condition.get("value", "")), step.values)
    except MissingVariables:
        wanted = ""
    holds = compare(value, operation, wanted, kind=kind, now=now)
    words = _in_words({**condition, "value": wanted}, {what: subjects.words_of(step, what)} if is_asked else {})
    step.shown[words[:120]] = f"{'yes' if holds else 'no'}; it was {_shown(value)}"
    return holds


def _shown(value: Any) -> str:
    if value is None or value == "" or isinstance(value, Mapping):
        return "empty"
    return "yes" if value is True else "no" if value is False else str(value)[:120]


def _row(row: int, known: Mapping[str, str]) -> dict[str, Any]:
    operations = [(key, operation.words) for key, operation in OPERATIONS.items()]
    made: dict[str, Any] = {}
    if row:
        joins = [("and", "and"), ("or", "or")]
        made[f"join_{row}"] = forms.ChoiceField(label="Joined by", choices=joins, required=False, initial="and")
    made[f"what_{row}"] = choice("If", known.items(), empty="Choose a field", gone=_GONE)
    made[f"op_{row}"] = choice("Comparison", operations)
    made[f"value_{row}"] = text_with_variables("Value", max_length=500)
    return made


def _filled_rows(data: Mapping[str, Any]) -> int:
    """Return how many rows there are up to the last one that says something."""
    return max((row + 1 for row in range(MOST) if data.get(f"what_{row}")), default=0)


def _groups(settings: Settings) -> list[list[Mapping[str, Any]]]:
    groups = settings.get("groups", [])
    if not isinstance(groups, list):
        return []
    return [[one for one in group if isinstance(one, Mapping)] for group in groups if isinstance(group, list) and group]


def _in_words(condition: Mapping[str, Any], known: Mapping[str, str]) -> str:
    what, operation = subjects.subject_of(condition), OPERATIONS.get(str(condition.get("op", "")))
    label = known.get(what, what.lstrip(":"))
    if operation is None:
        return label
    value = str(condition.get("value", ""))
    if "…" in operation.words:
        return f"{label} {operation.words.replace('…', value)}"
    words = operation.words.partition(" (")[0]
    return f"{label} {words} {value}".strip() if operation.needs_value else f"{label} {words}"


def _now_of(scope: Scope) -> Now:
    return Now(database_now(), zone_of(scope.organization))
