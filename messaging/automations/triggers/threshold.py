"""A number in a webhook crosses a limit: once, until it has come back, and not too often for each subject."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms

from messaging.api.problems import ApiProblem, FieldError
from messaging.automations.base import Scope, Settings, Start
from messaging.automations.fields import Field, Type, look_up
from messaging.automations.models import Automation
from messaging.automations.trigger_models import ThresholdState

from .webhook import PathField, WebhookForm, WebhookTrigger, start_of

ABOVE, BELOW = "above", "below"
_LARGEST = 1e15
_LONGEST_SUBJECT = 120


class ThresholdForm(WebhookForm):
    """Which number, its limits, and how often it may be told."""

    value_path = PathField(
        label="Field with the number", help_text="Like reading.temperature.",
        error_messages={"required": "Write the field that holds the number, like reading.temperature."},
    )  # fmt: skip
    direction = forms.ChoiceField(
        label="Told when it goes", choices=[(ABOVE, "above the limit"), (BELOW, "below the limit")], initial=ABOVE
    )
    limit = forms.FloatField(
        label="Limit", min_value=-_LARGEST, max_value=_LARGEST, error_messages={"required": "Write a number, like 30."}
    )
    rearm = forms.FloatField(
        label="Normal again at", min_value=-_LARGEST, max_value=_LARGEST, required=False,
        help_text="Only when it has come back to this number may it be told anew, so that a value that trembles around "
        "the limit is told once. Empty: the limit itself.",
    )  # fmt: skip
    pause_minutes = forms.IntegerField(
        label="At most once in (minutes)", min_value=0, max_value=10_080, initial=30, required=False
    )
    subject_path = PathField(
        label="Field that names the thing", required=False,
        help_text="Like sensor.id: each thing is watched by itself. Empty: all numbers are of one thing.",
    )  # fmt: skip

    # What makes it a threshold comes first; how it is called, behind.
    field_order = ("value_path", "direction", "limit", "rearm", "pause_minutes", "subject_path")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["replay_seconds"].initial = 0

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        limit, rearm = data.get("limit"), data.get("rearm")
        if limit is not None and rearm is not None:
            if data.get("direction") == BELOW and rearm < limit:
                self.add_error("rearm", "For a number that goes below the limit, write the limit or more.")
            if data.get("direction") != BELOW and rearm > limit:
                self.add_error("rearm", "For a number that goes above the limit, write the limit or less.")
        return data


class ThresholdTrigger(WebhookTrigger):
    """The number is looked at with each call; a run begins when it crosses the limit."""

    key = "threshold"
    title = "Threshold"
    text = "A number in a webhook goes above or below a limit: a sensor, a stock, a queue. Told once, until it is back."
    icon = "speed"
    form = ThresholdForm
    # Sensors say the same again and again; hysteresis and pause take care of it.
    replay_seconds = 0

    def fields(self, scope: Scope, settings: Settings) -> list[Field]:
        limit = settings.get("limit", 30)
        return [
            *super().fields(scope, settings),
            Field("trigger.threshold.value", "The number", Type.NUMBER, limit),
            Field("trigger.threshold.limit", "The limit", Type.NUMBER, limit),
            Field("trigger.threshold.subject", "Of what", Type.TEXT, "sensor 1"),
            Field("trigger.threshold.held_back", "Numbers held back since the last time", Type.NUMBER, 0),
        ]

    def paths(self) -> tuple[str, ...]:
        return (*super().paths(), "value_path", "subject_path")

    def examples(self, settings: Settings) -> dict[str, Any]:
        """Return them with a number beyond the limit, so that the example sets off what is built."""
        limit, is_below = _number(settings.get("limit")) or 0.0, settings.get("direction") == BELOW
        beyond = 31.0 if settings.get("limit") is None else limit - 1 if is_below else limit + 1
        found = super().examples(settings)
        found[str(settings.get("value_path") or "temperature")] = beyond
        if subject := settings.get("subject_path"):
            found[str(subject)] = "sensor 1"
        return found

    def describe(self, scope: Scope, settings: Settings) -> str:
        what = settings.get("value_path") or "a number"
        return f"When {what} goes {settings.get('direction', ABOVE)} {_shown(settings.get('limit'))}"

    def check_payload(self, settings: Settings, values: Mapping[str, Any]) -> None:
        path = str(settings.get("value_path", ""))
        if _number(look_up(values, path)) is None:
            detail = f"{path}: a number is needed, like 21.5."
            raise ApiProblem("validation_failed", detail, errors=[FieldError(path, "not_a_number", detail)])

    def take(
        self, automation: Automation, settings: Settings, values: Mapping[str, Any], *, now: datetime
    ) -> list[Start]:
        value = _number(look_up(values, str(settings.get("value_path", ""))))
        if value is None:
            return []
        state = _locked(automation, _subject(settings, values), now=now)
        held_back = state.held_back
        crosses = crossing(state, settings, value, now=now)
        state.save(update_fields=["is_over", "value", "held_back", "fired_at", "at"])
        if not crosses:
            return []
        told = {
            "value": value,
            "limit": settings.get("limit"),
            "subject": state.subject,
            "held_back": held_back,
        }
        return [start_of(automation, settings, values, data={**values, "threshold": told})]


def crossing(state: ThresholdState, settings: Settings, value: float, *, now: datetime) -> bool:
    """Move a state on by a number; tell whether it is to be told.

    What crosses within the pause is not told, and not taken for told either: if the number is still beyond the limit
    when the pause is over, it is told then.
    """
    sign = -1 if settings.get("direction") == BELOW else 1
    limit = float(settings.get("limit", 0))
    rearm = settings.get("rearm")
    state.value, state.at = value, now
    if state.is_over:
        back = float(limit if rearm in (None, "") else rearm)  # a file may have it empty, as the form does
        state.is_over = value * sign > back * sign
        return False
    if value * sign <= limit * sign:
        return False
    pause = timedelta(minutes=int(settings.get("pause_minutes") or 0))
    if state.fired_at is not None and now - state.fired_at < pause:
        state.held_back += 1
        return False
    state.is_over, state.fired_at, state.held_back = True, now, 0
    return True


def _locked(automation: Automation, subject: str, *, now: datetime) -> ThresholdState:
    """Return the subject's state, locked: of two calls at once the second sees what the first has told."""
    ThresholdState.objects.bulk_create(
        [ThresholdState(automation=automation, subject=subject, at=now)], ignore_conflicts=True
    )
    return ThresholdState.objects.select_for_update().get(automation=automation, subject=subject)


def _subject(settings: Settings, values: Mapping[str, Any]) -> str:
    found = look_up(values, str(settings.get("subject_path") or "")) if settings.get("subject_path") else None
    return "" if found is None or isinstance(found, Mapping) else str(found).strip()[:_LONGEST_SUBJECT]


def _shown(limit: Any) -> str:
    """Return a limit as people write it: 30, and not 30.0."""
    return f"{limit:.15g}" if isinstance(limit, int | float) else "…"


def _number(raw: Any) -> float | None:
    """Return a number, also one that was sent as text, with a point or a comma before its decimals."""
    if isinstance(raw, bool) or not isinstance(raw, int | float | str):
        return None
    text = str(raw).strip()
    if text.count(",") == 1 and "." not in text:
        text = text.replace(",", ".")
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    # Compared, and not counted with: abs() of 1e9999999 is more than Decimal can hold.
    return float(value) if value.is_finite() and -_LARGEST <= value <= _LARGEST else None
