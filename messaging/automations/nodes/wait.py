"""Wait: for a while, until a date, until office hours. A wait is a row with a due time, and costs nothing."""

from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from typing import Any

from django import forms

from integrations.templatetags.hg_base import zone_of
from messaging.automations.base import Done, End, Node, NodeFailed, Outcome, Scope, Settings, SettingsForm, Step, Wait
from messaging.automations.fields import Field, Type, look_up
from messaging.inbox.office_hours import next_staffed, policy_of

from .picking import choice, known_fields, label_of, shown_when
from .waiting_moments import CONTACT, ORGANIZATION, in_words, read_moment, zone_for

LONGEST = timedelta(days=365)
DURATION, FIELD, DATE, HOURS = "duration", "field", "date", "hours"
_HOW = [
    (DURATION, "For a while"),
    (FIELD, "Until a date that the trigger, the contact or an earlier step has"),
    (DATE, "Until a date you type"),
    (HOURS, "Until office hours"),
]
_UNITS = {"minutes": timedelta(minutes=1), "hours": timedelta(hours=1), "days": timedelta(days=1)}
_TOO_LONG = f"A step waits at most {LONGEST.days} days."
_NO_HOURS = "No office hours are set, so they would never begin. Set them under Settings, Office hours."


class WaitForm(SettingsForm):
    """How long, or until when."""

    how = forms.ChoiceField(label="Wait", choices=_HOW, initial=DURATION)
    amount = forms.IntegerField(
        label="How long", required=False, min_value=1, max_value=525_600, initial=1,
        widget=forms.NumberInput(attrs={"data-when": "how=duration"}),
        error_messages={"min_value": "Write a number from 1 on.", "max_value": _TOO_LONG},
    )  # fmt: skip
    unit = shown_when(
        forms.ChoiceField(label="Unit", required=False, choices=[(name, name) for name in _UNITS], initial="hours"),
        "how=duration",
    )
    date = forms.CharField(
        label="Date and time", required=False, max_length=40,
        help_text="Like 2026-05-01 09:00.", widget=forms.TextInput(attrs={"data-when": "how=date"}),
    )  # fmt: skip
    time = forms.TimeField(
        label="At what time, where only a day is known", required=False, initial=time(9),
        widget=forms.TimeInput(attrs={"type": "time", "data-when": "how=field|date"}, format="%H:%M"),
    )  # fmt: skip
    zone = forms.ChoiceField(
        label="In whose time zone", required=False,
        choices=[(CONTACT, "The contact’s"), (ORGANIZATION, "Your organization’s")],
        widget=forms.Select(attrs={"data-when": "how=field|date"}),
    )  # fmt: skip
    past = forms.ChoiceField(
        label="If it is over already", required=False,
        choices=[("go_on", "Go on at once"), ("end", "End the run")],
        widget=forms.Select(attrs={"data-when": "how=field|date"}),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        gone = "This field is not known here any more. Choose another one."
        offered = known_fields(self.scope, Type.DATE, Type.MOMENT)
        self.fields["field"] = choice("Field with the date", offered, empty="Choose", gone=gone, when="how=field")
        self.order_fields(["how", "amount", "unit", "field", "date", "time", "zone", "past"])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        how = cleaned.get("how")
        if how == DURATION and "amount" in cleaned:
            if not cleaned["amount"]:
                self.add_error("amount", "Write how long.")
            elif cleaned["amount"] * _UNITS[cleaned.get("unit") or "hours"] > LONGEST:
                self.add_error("amount", _TOO_LONG)
        if how == FIELD and not cleaned.get("field") and "field" not in self.errors:
            self.add_error("field", "Choose the field that holds the date.")
        if how == DATE:
            found = read_moment(cleaned.get("date") or "", zone=zone_of(self.scope.organization), at=_hour(cleaned))
            if found is None:
                self.add_error("date", "Write a date like 2026-05-01, or with a time like 2026-05-01 09:00.")
            elif found.moment > datetime.now(UTC) + LONGEST:
                self.add_error("date", f"{_TOO_LONG} This is further away.")
        return cleaned

    def to_settings(self) -> dict[str, Any]:
        wanted = {
            DURATION: {"amount", "unit"},
            FIELD: {"field", "time", "zone", "past"},
            DATE: {"date", "time", "zone", "past"},
        }.get(self.cleaned_data["how"], set())
        return {name: value for name, value in super().to_settings().items() if name == "how" or name in wanted}


class WaitNode(Node):
    """Goes on later. Woken too early, it waits on."""

    key = "wait"
    title = "Wait"
    text = "For some minutes, hours or days; until a date; until office hours."
    icon = "schedule"
    group = "Flow"
    form = WaitForm

    def fields(self, scope: Scope, settings: Settings) -> list[Field]:
        return [Field(f"{scope.node_id}.until", "Wait: until when", Type.MOMENT, "2026-05-01T07:00:00+00:00")]

    def problems(self, scope: Scope, settings: Settings) -> Iterable[str]:
        if settings.get("how") == HOURS:
            organization = scope.organization
            if next_staffed(policy_of(organization), organization, at=datetime.now(UTC)) is None:
                yield _NO_HOURS
        elif settings.get("how") == DATE and settings.get("zone") != CONTACT:
            found = read_moment(str(settings.get("date", "")), zone=zone_of(scope.organization), at=_hour(settings))
            # Not wrong, and not to be guessed: a local time that is twice, or never, is written otherwise.
            if found is not None and found.note:
                yield f"{found.note} Choose another time, so that it is clear."

    def describe(self, scope: Scope, settings: Settings) -> str:
        match settings.get("how"):
            case "duration":
                amount, unit = settings.get("amount", 1), str(settings.get("unit", "hours"))
                return f"Wait {amount} {unit if amount != 1 else unit[:-1]}"
            case "field":
                return f"Wait until “{label_of(scope, str(settings.get('field', '')))}”"
            case "date":
                return f"Wait until {settings.get('date', '…')}"
            case "hours":
                return "Wait until office hours"
        return self.title

    def run(self, step: Step) -> Outcome:
        if "until" in step.memory:
            until, note = datetime.fromisoformat(step.memory["until"]), str(step.memory.get("note", ""))
        else:
            until, note = self._until(step)
            if until > step.now + LONGEST:
                raise NodeFailed(
                    "too_far",
                    f"{_TOO_LONG} This would be {in_words(until, zone_of(step.organization))}. Look at its source.",
                )
            if until <= step.now and step.settings.get("how") in {FIELD, DATE}:
                step.shown["until"] = note
                if step.settings.get("past") == "end":
                    return End("What the run should wait for was over already.")
            step.memory.update(until=until.isoformat(), note=note)
        step.shown["until"] = note
        if until > step.now:
            return Wait(until, note=f"Waits until {note}")
        return Done({"until": until.isoformat()})

    def rehearse(self, step: Step) -> Outcome:
        """Say until when it would wait, and go on."""
        until, note = self._until(step)
        if until > step.now + LONGEST:
            raise NodeFailed("too_far", f"{_TOO_LONG} This would be {in_words(until, zone_of(step.organization))}.")
        step.shown["until"] = note
        step.shown["in this test"] = "nothing waits"
        return Done({"until": until.isoformat()})

    def _until(self, step: Step) -> tuple[datetime, str]:
        """Return until when, in UTC and in words."""
        settings, organization = step.settings, zone_of(step.organization)
        match settings.get("how"):
            case "duration":
                until = step.now + int(settings["amount"]) * _UNITS[str(settings.get("unit") or "hours")]
                return until, in_words(until, organization)
            case "hours":
                staffed = next_staffed(policy_of(step.organization), step.organization, at=step.now)
                if staffed is None:
                    raise NodeFailed("no_hours", _NO_HOURS)
                return staffed, in_words(staffed, organization)
            case "field":
                raw = look_up(step.values, str(settings.get("field", "")))
            case _:
                raw = settings.get("date", "")
        zone = zone_for(step, str(settings.get("zone") or CONTACT))
        found = read_moment(str(raw or ""), zone=zone, at=_hour(settings))
        if found is None:
            what = (
                f"“{str(raw)[:40]}” is no date" if raw else f"There was no date in {settings.get('field', 'the step')}"
            )
            raise NodeFailed(
                "no_date", f"{what}. A date like 2026-05-01 is needed, or 2026-05-01T09:00. See where it comes from."
            )
        return found.moment, " ".join(filter(None, [in_words(found.moment, zone), found.note]))


def _hour(settings: Settings) -> time:
    """Return the time of a day where only the day is known."""
    kept = settings.get("time")
    if isinstance(kept, time):
        return kept
    try:
        return time.fromisoformat(str(kept)) if kept else time(9)
    except ValueError:
        return time(9)
