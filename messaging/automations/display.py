"""How a run is shown: its steps with what they were given and made, in the words of who built them."""

import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from integrations.masking import DOTS
from integrations.organizations.models import Organization, as_uuid
from integrations.templatetags.hg_base import zone_of

from .fields import path_in_words
from .flow import Flow, FlowProblem, NodeSpec, read
from .models import Automation, AutomationVersion, Run, RunMessage, RunStep
from .moves import HELD
from .registry import node_of, trigger_of
from .scopes import scope_at, scopes_of

LONGEST_SHOWN = 500
_MOST_FACTS = 60
_FIRST_MESSAGES = 5
# Keys whose values open doors: whatever sends them, nobody reads them here.
_SECRET = re.compile(
    r"pass(word|wd|phrase|code)?$|secret|token|authori[sz]ation|api_?key|private_?key|credential|cookie"
    r"|(^|_)(otp|pin|cvv|cvc|iban|csrf\w*|signature|auth)$|card_?number",
    re.IGNORECASE,
)
_PHONE = re.compile(r"\+[1-9]\d{6,14}")
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}")


@dataclass(frozen=True)
class Fact:
    """One value with its label; `kind` says how it is written: text, phone, moment or secret."""

    label: str
    value: Any
    kind: str = "text"


@dataclass(frozen=True)
class ShownStep:
    """A step as the page of its run shows it."""

    row: RunStep
    title: str
    icon: str
    line: str
    given: Sequence[Fact]
    made: Sequence[Fact]
    branch: str
    took: timedelta | None
    verification: uuid.UUID | None
    messages: Sequence[RunMessage]
    message_count: int
    total: int

    @property
    def percent(self) -> int:
        """How far a step is that writes to many."""
        return min(99, self.message_count * 100 // self.total) if self.total else 0

    @property
    def is_long(self) -> bool:
        return self.total > _FIRST_MESSAGES and not self.row.ended_at


@dataclass(frozen=True)
class Place:
    """Where a run stands in a list: the step's title, and how far that one is where it writes to many."""

    title: str
    done: int = 0
    total: int = 0
    is_due: bool = False


class Story:
    """A run with everything that its page tells."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.flow = flow_of(run.version)
        self._scopes = scopes_of(run.organization, self.flow, automation=run.automation)
        self._rows = list(run.steps.order_by("ordinal"))

    @property
    def trigger_line(self) -> str:
        """What set it off, in one line."""
        return describe_trigger(self.run.organization, self.flow, automation=self.run.automation)

    @property
    def trigger_facts(self) -> list[Fact]:
        """What the trigger brought."""
        trigger = trigger_of(self.flow.trigger)
        labels: dict[str, str] = {}
        if trigger is not None:
            scope = scope_at(self.run.organization, self.flow, automation=self.run.automation)
            labels = {one.path: one.label for one in trigger.fields(scope, self.flow.trigger_settings)}
        return facts_of(self.run.data.get("trigger", {}), labels=labels, under="trigger")

    def steps(self) -> list[ShownStep]:
        """Return the steps that the run came to, in their order."""
        counts: dict[uuid.UUID, int] = dict(
            RunMessage.objects.filter(run=self.run).values_list("step").annotate(count=Count("pk")).order_by()
        )
        messages: dict[uuid.UUID, list[RunMessage]] = {}
        if counts:
            first = RunMessage.objects.filter(run=self.run).select_related("message__contact").order_by("pk")
            for row in first[: 4 * _FIRST_MESSAGES]:
                messages.setdefault(row.step_id, []).append(row)
        return [self._shown(row, messages.get(row.pk, []), counts.get(row.pk, 0)) for row in self._rows]

    def waits_for(self) -> str:
        """Say what the run waits for; "" where it does not wait."""
        if self.run.status != Run.Status.WAITING:
            return ""
        return waiting_words(self.run, self._rows[-1] if self._rows else None, now=timezone.now())

    def next_title(self) -> str:
        """Return the step that comes next, where the run has not come to it yet."""
        has_begun = bool(self._rows) and self._rows[-1].ended_at is None
        if self.run.ended_at is not None or has_begun or not self.run.position:
            return ""
        return title_of_node(self.flow.find(self.run.position))

    def _shown(self, row: RunStep, messages: list[RunMessage], count: int) -> ShownStep:
        spec, node = self.flow.find(row.node), node_of(row.kind)
        scope = self._scopes.get(row.node)
        labels: dict[str, str] = {}
        line = ""
        outlets: Mapping[str, str] = {}
        if spec is not None and node is not None and scope is not None:
            labels = {one.path: one.label for one in node.fields(scope, spec.settings)}
            line = node.describe(scope, spec.settings)
            outlets = node.outlets(spec.settings)
        title = node.title if node is not None else "A step that this version does not know"
        return ShownStep(
            row=row,
            title=title,
            icon=node.icon if node is not None else "help",
            line=line if line != title else "",
            given=facts_of(row.input),
            made=facts_of(row.output, labels=labels, under=row.node),
            branch=outlets.get(row.branch, row.branch),
            took=row.ended_at - row.started_at if row.ended_at else None,
            verification=verification_of(row),
            messages=messages[:_FIRST_MESSAGES],
            message_count=count,
            total=_total_of(row),
        )


def verification_of(row: RunStep) -> uuid.UUID | None:
    """Return the id of the verification that a step began, also while it waits for the code."""
    return as_uuid(row.memory.get("verification") or row.output.get("verification_id"))


def flow_of(version: AutomationVersion | None) -> Flow:
    """Return what a version does; an empty flow where it cannot be read by this version of the product."""
    try:
        return read(version.flow) if version is not None else Flow()
    except FlowProblem:
        return Flow()


def flow_shown(automation: Automation) -> Flow:
    """Return what an automation does now: the live version, or the draft while there is none."""
    if automation.live is not None:
        return flow_of(automation.live)
    try:
        return read(automation.draft)
    except FlowProblem:
        return Flow()


def describe_trigger(organization: Organization, flow: Flow, *, automation: Automation | None = None) -> str:
    """Return in one line what sets a flow off."""
    trigger = trigger_of(flow.trigger)
    if trigger is None:
        return "Nothing sets it off yet" if not flow.trigger else "A trigger that this version does not know"
    return trigger.describe(scope_at(organization, flow, automation=automation), flow.trigger_settings)


def title_of_node(spec: NodeSpec | None) -> str:
    """Return what a node is called, by its kind."""
    node = node_of(spec.kind) if spec is not None else None
    return node.title if node is not None else "a step that is not known"


def nodes_of(flow: Flow) -> list[tuple[str, str]]:
    """Return the steps of a flow to choose from: id and title, with a number where there are several of a kind."""
    return [(spec.id, f"{number}. {title_of_node(spec)}") for number, spec in enumerate(flow.walk(), start=1)]


def places_of(runs: Iterable[Run]) -> dict[uuid.UUID, Place]:
    """Return where runs of a list stand: those that have ended badly or are under way."""
    shown = [run for run in runs if run.position and run.status not in {Run.Status.DONE, Run.Status.SKIPPED}]
    if not shown:
        return {}
    versions = AutomationVersion.objects.in_bulk({run.version_id for run in shown})
    flows = {pk: flow_of(version) for pk, version in versions.items()}
    now = timezone.now()
    under_way = [run.pk for run in shown if run.ended_at is None]
    totals = {
        row.run_id: (row, total)
        for row in RunStep.objects.filter(run__in=under_way, ended_at=None)
        if (total := _total_of(row)) > _FIRST_MESSAGES
    }
    done: dict[uuid.UUID, int] = dict(
        RunMessage.objects.filter(step__in=[row.pk for row, _ in totals.values()])
        .values_list("step__run")
        .annotate(count=Count("pk"))
        .order_by()
        if totals
        else ()
    )
    return {
        run.pk: Place(
            title_of_node(flows[run.version_id].find(run.position)),
            done.get(run.pk, 0),
            totals[run.pk][1] if run.pk in totals else 0,
            run.due_at <= now,
        )
        for run in shown
    }


def not_sent_of(runs: Iterable[Run]) -> dict[uuid.UUID, int]:
    """Return how many texts of runs were blocked or had no number to go to: such a run is done, and not all well."""
    found: dict[uuid.UUID, int] = {}
    steps = RunStep.objects.filter(run__in=[run.pk for run in runs if not run.is_test], status=RunStep.Status.DONE)
    for pk, *counts in steps.values_list("run_id", "output__blocked", "output__skipped"):
        if number := sum(count for count in counts if isinstance(count, int)):
            found[pk] = found.get(pk, 0) + number
    return found


def facts_of(values: Any, *, labels: Mapping[str, str] | None = None, under: str = "") -> list[Fact]:
    """Return a record's values one by one, with the labels that the builder shows; what opens doors as dots."""
    found: list[Fact] = []
    _collect(values, labels or {}, under, "", found)
    return found[:_MOST_FACTS]


def public_values(values: Any) -> Any:
    """Return a record without what opens doors, for whoever reads it by the API."""
    if isinstance(values, Mapping):
        return {
            name: DOTS if _SECRET.search(str(name)) and value not in (None, "") else public_values(value)
            for name, value in values.items()
        }
    return [public_values(one) for one in values] if isinstance(values, list) else values


def waiting_words(run: Run, step: RunStep | None, *, now: datetime) -> str:
    """Say what a waiting run waits for."""
    open_step = step if step is not None and step.ended_at is None else None
    if run.automation.status == Automation.Status.PAUSED and not run.is_test:
        return "The automation is paused. The run goes on when it is resumed."
    if run.automation.status == Automation.Status.ARCHIVED and not run.is_test:
        return "The automation was archived. The run is stopped within minutes, without doing anything more."
    if run.lane in HELD.values():
        return "The automation was resumed. The run goes on within minutes, the oldest ones first."
    moment = moment_words(run.due_at, run.organization, now=now)
    if open_step is not None and open_step.reason:
        return f"{open_step.detail} It is tried again {moment}." if run.due_at > now else "It is tried again now."
    if run.due_at <= now:
        return "Waits for its turn: it goes on within seconds."
    if open_step is not None and open_step.detail:
        return _sentence(open_step.detail)
    if open_step is None and not run.steps_done and run.automation.per_minute:
        return f"It begins {moment}: no more than {run.automation.per_minute:,} runs begin in a minute."
    return f"Waits until {moment}."


def moment_words(moment: datetime, organization: Organization, *, now: datetime) -> str:
    """Return a moment to come as people say it: "today 14:30", "tomorrow 09:00", "on 3 March 2026, 09:00"."""
    zone = zone_of(organization)
    local, today = moment.astimezone(zone), now.astimezone(zone).date()
    clock = f"{local:%H:%M}"
    if local.date() == today:
        return f"today {clock}"
    if local.date() == today + timedelta(days=1):
        return f"tomorrow {clock}"
    year = "" if local.year == today.year else f" {local.year}"
    return f"{local:%a} {local.day} {local:%B}{year}, {clock}"


def _collect(value: Any, labels: Mapping[str, str], path: str, key: str, found: list[Fact]) -> None:
    if len(found) >= _MOST_FACTS:
        return
    if isinstance(value, Mapping):
        for name, inner in value.items():
            _collect(inner, labels, f"{path}.{name}" if path else str(name), str(name), found)
        return
    if value in (None, "", []):
        return
    label = labels.get(path) or _label(path)
    found.append(Fact(label, DOTS, "secret") if _SECRET.search(key) else _fact(label, value))


def _fact(label: str, value: Any) -> Fact:
    if isinstance(value, bool):
        return Fact(label, "yes" if value else "no")
    if isinstance(value, list):
        return Fact(label, ", ".join(str(one) for one in value)[:LONGEST_SHOWN])
    text = str(value)
    if _PHONE.fullmatch(text):
        return Fact(label, text, "phone")
    if _MOMENT.match(text) and (moment := _moment(text)) is not None:
        return Fact(label, moment, "moment")
    return Fact(label, text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…")


def _label(path: str) -> str:
    """Return a path as words: `trigger.order.first_name` → "order › first name"."""
    head, _, rest = path.partition(".")
    shown = rest if rest and (head == "trigger" or re.fullmatch(r"n\d+", head)) else path
    return path_in_words(shown) or path


def _moment(text: str) -> datetime | date | None:
    try:
        found = parse_datetime(text)
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None


def _total_of(row: RunStep) -> int:
    total = row.memory.get("total")
    return int(total) if isinstance(total, int | str) and str(total).isdecimal() else 0


def _sentence(text: str) -> str:
    text = text.strip()
    return text if text.endswith((".", "!", "?")) else f"{text[:1].upper()}{text[1:]}."
