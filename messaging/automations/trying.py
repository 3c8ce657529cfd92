"""Trying a draft: sample data that somebody may change, read back with its types, and the phone that is written to."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from integrations.organizations.models import Organization

from .fields import Field, Type, example_values, plain_keys
from .flow import Flow
from .models import Automation
from .panel import flat
from .registry import trigger_of
from .scopes import contact_fields, scope_at
from .trigger_models import HookSample, SeenEvent
from .triggers.api_event import ApiEventTrigger
from .triggers.threshold import ThresholdTrigger
from .triggers.webhook import WebhookTrigger

LARGEST = 200_000
MOST_FIELDS = 60
_FROM_OUTSIDE = frozenset({WebhookTrigger.key, ThresholdTrigger.key, ApiEventTrigger.key})


class SampleProblem(Exception):
    """Sample data that cannot be read; the text says why."""


@dataclass(frozen=True)
class Sample:
    """Something to begin with: what it is called, and the trigger's fields as JSON."""

    title: str
    data: Mapping[str, Any]

    @property
    def text(self) -> str:
        return json.dumps(self.data, ensure_ascii=False, indent=2)


def trigger_fields(organization: Organization, flow: Flow, *, automation: Automation) -> list[Field]:
    """Return what the trigger brings, as fields."""
    trigger = trigger_of(flow.trigger)
    if trigger is None:
        return []
    return trigger.fields(scope_at(organization, flow, automation=automation), flow.trigger_settings)[:MOST_FIELDS]


def fields_of_contact(organization: Organization, flow: Flow, *, automation: Automation) -> list[Field]:
    """Return what is known of the contact, where the trigger brings one."""
    has_contact = scope_at(organization, flow, automation=automation).has_contact
    return contact_fields(organization)[:MOST_FIELDS] if has_contact else []


def read_fields(fields: list[Field], typed: Mapping[str, str]) -> dict[str, Any]:
    """Return what was typed, by path, as the records that texts look into; raise SampleProblem."""
    values = []
    for field in fields:
        text = typed.get(field.path, "").strip()[:2000]
        if text:
            values.append(Field(field.path, field.label, example=_value(field, text)))
    return example_values(values)


def read_json(text: str) -> dict[str, Any]:
    """Return pasted JSON as the fields of a trigger; raise SampleProblem."""
    if len(text) > LARGEST:
        raise SampleProblem("This is larger than 200 kB. Paste an example, not everything.")
    try:
        raw = json.loads(text or "{}")
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", 0)
        raise SampleProblem(f"This is not JSON{f': look at line {line}' if line else ''}.") from error
    if not isinstance(raw, dict):
        raise SampleProblem("Write a JSON object: it begins with { and ends with }.")
    made = plain_keys(raw)
    return made if isinstance(made, dict) else {}


def begin_with(fields: list[Field]) -> dict[str, str]:
    """Return examples by path, to be shown in the form."""
    return flat(example_values(fields))


def takes_json(flow: Flow) -> bool:
    """Tell whether what the trigger brings is JSON that somebody outside sends."""
    return flow.trigger in _FROM_OUTSIDE


def samples_of(automation: Automation, flow: Flow) -> list[Sample]:
    """Return what the trigger captured, the newest first; of the API's events what came last under this name."""
    if flow.trigger == ApiEventTrigger.key:
        name = str(flow.trigger_settings.get("name", ""))
        seen = SeenEvent.objects.filter(organization=automation.organization, name=name).first()
        return [Sample(name, {"event": name, "data": seen.sample})] if seen is not None else []
    rows = HookSample.objects.filter(hook__automation=automation).order_by("-id")
    zone = ZoneInfo(automation.organization.time_zone)
    return [Sample(f"{row.at.astimezone(zone):%d %b, %H:%M:%S}", row.payload) for row in rows]


def example_of(fields: list[Field]) -> Sample:
    """Return an example of what the trigger brings, where nothing was captured yet."""
    found = example_values(fields).get("trigger", {})
    return Sample("Example", found if isinstance(found, dict) else {})


def _value(field: Field, text: str) -> Any:
    if field.type == Type.YES_NO:
        if text.casefold() not in {"yes", "no", "true", "false"}:
            raise SampleProblem(f"{field.label}: write yes or no.")
        return text.casefold() in {"yes", "true"}
    if field.type == Type.NUMBER:
        try:
            number = float(text.replace(",", "."))
        except ValueError as error:
            raise SampleProblem(f"{field.label}: write a number.") from error
        if not math.isfinite(number):
            raise SampleProblem(f"{field.label}: write a number.")
        return int(number) if number.is_integer() and abs(number) < 10**15 else number
    return plain_keys(text)
