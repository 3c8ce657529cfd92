"""An automation as a file, to be taken to another organization: names in the place of ids, and no secrets."""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from integrations.organizations.models import Organization, User
from messaging.contacts.address_book import plain_line
from messaging.templates import wording
from messaging.templates.models import Template
from messaging.templates.wording import WordingProblem

from .drawing import draw
from .flow import Flow, FlowProblem, read
from .models import Automation
from .publishing import AutomationProblem, create, draft_of
from .references import Missing, named, resolved
from .registry import trigger_of
from .triggers.webhook import WebhookTrigger

FORMAT, VERSION = "heliograph-automation", 1
LARGEST = 1_000_000
MOST_TEMPLATES = 50
DEEPEST_VALUE = 40  # levels; branches within branches, and what is set in them, need half of it
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_SECRET = re.compile(r"secret|password|token|authori[sz]ation|api_?key|credential|headers?$", re.IGNORECASE)


class FileProblem(AutomationProblem):
    """A file that cannot be taken; the text says what is wrong with it."""


@dataclass(frozen=True)
class Taken:
    """What came of a file: the draft, what it names and this organization does not have, and templates made for it."""

    automation: Automation
    missing: tuple[Missing, ...]
    templates: tuple[Template, ...]


def as_file(automation: Automation) -> dict[str, Any]:
    """Return the draft as JSON takes it, with the texts of the templates that it uses."""
    flow, rows = named(automation.organization, without_secrets(draft_of(automation).as_json()))
    used = {row.name: row.current.body for row in rows if isinstance(row, Template) and row.current is not None}
    return {"format": FORMAT, "version": VERSION, "name": automation.name, "flow": flow, "templates": used}


def take(organization: Organization, text: str, *, actor: User, ip: str = "") -> Taken:
    """Make a draft of what a file says; raise FileProblem. What is not here by its name is a problem of its step."""
    stored = _read(text)
    with transaction.atomic():
        templates = _take_templates(organization, stored.get("templates"), actor=actor, ip=ip)
        settings, missing = resolved(organization, without_secrets(stored["flow"]))
        try:
            flow = read(settings)
        except FlowProblem as problem:
            raise FileProblem(f"The steps of the file cannot be read. {problem}") from problem
        _check_settings(organization, flow)
        name = plain_line(str(stored.get("name") or ""))[:120] or "Imported"
        made = create(organization, name=name, flow=flow, actor=actor, ip=ip)
    return Taken(made, tuple(missing), tuple(templates))


def without_secrets(value: Any) -> Any:
    """Return settings without what opens doors: passwords, tokens, headers."""
    if isinstance(value, Mapping):
        return {key: without_secrets(inner) for key, inner in value.items() if not _SECRET.search(str(key))}
    return [without_secrets(one) for one in value] if isinstance(value, list) else value


def _read(text: str) -> dict[str, Any]:
    if len(text) > LARGEST:
        raise FileProblem("This file is larger than 1 MB: it is no automation.")
    try:
        stored = json.loads(text, parse_constant=_no_constant)
    except ValueError as error:
        line = getattr(error, "lineno", 0)
        where = f" The first thing that is not understood stands in line {line}." if line else ""
        raise FileProblem(f"This is not JSON.{where} Export an automation, and take that file as it is.") from error
    except RecursionError as error:
        raise FileProblem("This file is nested too deep to be an automation.") from error
    if not isinstance(stored, dict) or stored.get("format") != FORMAT:
        raise FileProblem("This is JSON, but not an automation of Heliograph: its “format” says something else.")
    if stored.get("version") != VERSION:
        raise FileProblem("This file was made by another version of Heliograph, and this one cannot read it.")
    if not isinstance(stored.get("flow"), dict):
        raise FileProblem("The file has no “flow”, which says what the automation does.")
    _check_values(stored)
    return stored


def _check_settings(organization: Organization, flow: Flow) -> None:
    """Refuse settings of shapes that no form makes: what shows and runs steps may then rely on theirs."""
    try:
        draw(organization, flow)
        trigger = trigger_of(flow.trigger)
        if isinstance(trigger, WebhookTrigger):
            trigger.example(flow.trigger_settings)
    except (TypeError, ValueError, AttributeError, LookupError, ArithmeticError) as error:
        raise FileProblem(
            "The settings of a step in the file cannot be read: a value has another type than Heliograph writes."
        ) from error


def _no_constant(word: str) -> float:
    raise ValueError(f"{word} is not JSON.")


def _check_values(stored: Any) -> None:
    """Raise FileProblem for what lies too deep, or cannot be stored; without recursion."""
    waiting: list[tuple[Any, int]] = [(stored, 0)]
    while waiting:
        value, depth = waiting.pop()
        if depth > DEEPEST_VALUE:
            raise FileProblem("This file is nested too deep to be an automation.")
        if isinstance(value, dict):
            waiting += [(inner, depth + 1) for pair in value.items() for inner in pair]
        elif isinstance(value, list):
            waiting += [(inner, depth + 1) for inner in value]
        elif isinstance(value, str) and _UNSTORABLE.search(value):
            raise FileProblem("The file holds characters that are no text. Export the automation once more.")
        elif isinstance(value, float) and not math.isfinite(value):
            raise FileProblem("The file holds a number that is too large to be one of an automation.")


def _take_templates(organization: Organization, stored: Any, *, actor: User, ip: str) -> list[Template]:
    """Write the templates that are not here by their names; one that is keeps its own text."""
    if stored is None:
        return []
    if not isinstance(stored, dict) or len(stored) > MOST_TEMPLATES:
        raise FileProblem(
            f"The “templates” of the file cannot be read: names with their texts, at most {MOST_TEMPLATES}."
        )
    made = []
    for name, body in stored.items():
        if not isinstance(body, str):
            raise FileProblem(f"The template “{name[:80]}” of the file has no text.")
        if wording.find_by_name(organization, name=name) is not None:
            continue
        try:
            made.append(wording.create_template(organization, name=name, body=body, actor=actor, ip=ip))
        except WordingProblem as problem:
            raise FileProblem(f"The template “{name[:80]}” of the file cannot be used. {problem.detail}") from problem
    return made
