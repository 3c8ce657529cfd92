"""The clock sets an automation off: every day at nine, each Monday, on the last day of the month, or as cron says."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from django import forms
from django.utils import timezone

from messaging.automations.base import Scope, Settings, SettingsForm, Start, Trigger
from messaging.automations.fields import Field, Type
from messaging.automations.models import Automation

from . import timetable
from .timetable import TimetableProblem

log = structlog.get_logger(__name__)

CATCH_UP = timedelta(days=1)
_ON_TIME = timedelta(minutes=2)


class ScheduleForm(SettingsForm):
    """When; which of the fields count depends on the first."""

    every = forms.ChoiceField(
        label="How often",
        choices=[
            ("day", "Every day"),
            ("weekdays", "Monday to Friday"),
            ("week", "On days of the week"),
            ("month", "On a day of the month"),
            ("last_day", "On the last day of the month"),
            ("hours", "Every few hours"),
            ("minutes", "Every few minutes"),
            ("cron", "As cron says (for who knows it)"),
        ],
        initial="day",
    )
    at = forms.TimeField(
        label="At", required=False, input_formats=["%H:%M", "%H:%M:%S"],
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        help_text="In your organization’s time zone. Where clocks are changed, a time that happens twice counts once, "
        "and one that never happens as the next minute that does. For hours, only the minutes count.",
    )  # fmt: skip
    days = forms.MultipleChoiceField(
        label="Days", choices=list(timetable.DAYS.items()), required=False, widget=forms.CheckboxSelectMultiple
    )
    day = forms.IntegerField(
        label="Day of the month", min_value=1, max_value=31, required=False,
        help_text="Months without this day are left out. For the end of each month choose its last day.",
    )  # fmt: skip
    hours = forms.TypedChoiceField(
        label="Hours", choices=[(number, number) for number in timetable.HOURS], coerce=int, required=False,
        empty_value=None,
    )  # fmt: skip
    minutes = forms.TypedChoiceField(
        label="Minutes", choices=[(number, number) for number in timetable.MINUTES], coerce=int, required=False,
        empty_value=None,
    )  # fmt: skip
    cron = forms.CharField(
        label="Cron", max_length=100, required=False,
        help_text="Five words: minute, hour, day of the month, month, day of the week. 0 9 * * 1-5 is nine o’clock "
        "from Monday to Friday.",
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, every in _ASKED_WHEN.items():
            self.fields[name].widget.attrs["data-when"] = f"every={every}"

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        every = data.get("every")
        needed = {"day": "at", "weekdays": "at", "last_day": "at", "week": "days", "month": "day", "hours": "hours",
                  "minutes": "minutes", "cron": "cron"}  # fmt: skip
        for name in {needed.get(str(every), ""), "at" if every in ("week", "month") else ""} - {""}:
            if data.get(name) in (None, "", []) and name not in self.errors:
                self.add_error(name, f"Say {_ASKED[name]}.")
        if not self.errors:
            try:
                zone = self.scope.organization.time_zone
                timetable.check(self.to_settings(), zone=zone, now=timezone.now())
            except TimetableProblem as problem:
                self.add_error("cron" if every == "cron" else "every", str(problem))
        return data

    def to_settings(self) -> dict[str, Any]:
        settings = super().to_settings()
        if self.cleaned_data.get("at"):
            settings["at"] = f"{self.cleaned_data['at']:%H:%M}"
        return settings


_ASKED_WHEN = {
    "at": "day|weekdays|week|month|last_day|hours",
    "days": "week",
    "day": "month",
    "hours": "hours",
    "minutes": "minutes",
    "cron": "cron",
}
_ASKED = {
    "at": "at which time, for example 09:00",
    "days": "on which days",
    "day": "on which day of the month",
    "hours": "every how many hours",
    "minutes": "every how many minutes",
    "cron": "when, in five words of cron",
}


class ScheduleTrigger(Trigger):
    """By the clock, without a contact: the nodes say who is meant."""

    key = "schedule"
    title = "Schedule"
    text = "By the clock: every day, each Monday, on the last day of the month, every few hours."
    icon = "schedule"
    group = "Time"
    has_contact = False
    looks = True
    form = ScheduleForm

    def fields(self, scope: Scope, settings: Settings) -> list[Field]:
        zone = ZoneInfo(scope.organization.time_zone)
        upcoming = next(self._times(scope, settings), timezone.now())
        example = _data(upcoming.astimezone(zone), missed=0, is_late=False)
        return [
            Field("trigger.scheduled_for", "The moment it was due", Type.MOMENT, example["scheduled_for"]),
            Field("trigger.date", "The day", Type.DATE, example["date"]),
            Field("trigger.time", "The time", Type.TEXT, example["time"]),
            Field("trigger.weekday", "The day of the week", Type.TEXT, example["weekday"]),
            Field("trigger.is_late", "Whether it began late", Type.YES_NO, False),
            Field("trigger.missed", "Earlier times that were missed", Type.NUMBER, 0),
        ]

    def describe(self, scope: Scope, settings: Settings) -> str:
        return timetable.words_of(settings)

    def notes(self, scope: Scope, settings: Settings) -> Iterable[str]:
        zone = ZoneInfo(scope.organization.time_zone)
        following = [f"{at.astimezone(zone):%a %d %b %Y, %H:%M}" for at in islice(self._times(scope, settings), 3)]
        if following:
            yield f"Next: {'; '.join(following)} ({zone.key})."

    def next_look(self, automation: Automation, settings: Settings, *, now: datetime) -> datetime | None:
        after = automation.looked_until or now
        return next(timetable.times(settings, zone=automation.organization.time_zone, after=after), None)

    def look(self, automation: Automation, settings: Settings, *, now: datetime) -> tuple[list[Start], datetime | None]:
        """Begin one run: for the latest time that has come, however many were missed while nothing ran."""
        since = automation.looked_until or now
        zone = automation.organization.time_zone
        try:
            following = timetable.times(settings, zone=zone, after=max(since, now - CATCH_UP))
            latest, missed, upcoming = None, -1, None
            for at in following:
                if at > now:
                    upcoming = at
                    break
                latest, missed = at, missed + 1
        except TimetableProblem:
            log.error("schedule_unreadable", automation=str(automation.pk))
            return [], None
        automation.looked_until = now
        if latest is None:
            return [], upcoming
        start = Start(
            key=latest.astimezone(timezone.get_default_timezone()).isoformat(),
            data=_data(latest, missed=missed, is_late=now - latest > _ON_TIME),
        )
        return [start], upcoming

    def _times(self, scope: Scope, settings: Settings) -> Iterator[datetime]:
        try:
            yield from timetable.times(settings, zone=scope.organization.time_zone, after=timezone.now())
        except TimetableProblem:
            return


def _data(at: datetime, *, missed: int, is_late: bool) -> dict[str, Any]:
    return {
        "scheduled_for": at.isoformat(),
        "date": f"{at:%Y-%m-%d}",
        "time": f"{at:%H:%M}",
        "weekday": f"{at:%A}",
        "is_late": is_late,
        "missed": missed,
    }
