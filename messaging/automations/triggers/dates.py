"""A date that contacts carry sets an automation off: some time before, on it or after, on the contact's clock.

Who is due is found by the values themselves, with one query for a window of time: a date that is new or was changed
needs nobody to tell of it. A run's key is the contact and the date, so that nobody is set off twice by one date, and a
changed date counts anew.
"""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.db import connection

from integrations.organizations.places import is_time_zone
from messaging.automations.base import Scope, Settings, SettingsForm, Start, Trigger
from messaging.automations.fields import Field, Type
from messaging.automations.models import Automation
from messaging.contacts.attributes import definitions_of
from messaging.contacts.models import AttributeDefinition

from .wall_clock import moment_of, zone_of_number

Kind = AttributeDefinition.Kind
_KINDS = (Kind.DATE, Kind.MOMENT, Kind.TEXT)
LATE = timedelta(hours=1)  # who comes into a window that is over for no longer than this starts late
CATCH_UP = timedelta(days=1)  # what came due while nothing ran, or the organization was suspended, is made up so far
# Runs are stored a minute ahead and wait for their moment, so that thousands of one minute begin in it. A date that is
# changed in this last minute is changed too late.
AHEAD = timedelta(minutes=1)
MOST_AT_ONCE = 2_000
_FURTHEST = timedelta(hours=15)  # between the clocks of the world and UTC, and a little more
_LONGEST_VALUE = 64
_SOME_TIME = time(9)
_UNITS = {"minutes": "minutes", "hours": "hours", "days": "days", "weeks": "weeks"}
_MOST = {"minutes": 1440, "hours": 720, "days": 366, "weeks": 52}

# The first line of the condition is answered by the index of all attributes, the second by the one of moments; see
# migration `contacts_by_moment`, where the function stands.
_DUE = """
SELECT c.id, c.phone, c.time_zone, left(c.attributes->>%(key)s, %(longest)s) AS value
FROM messaging_contact c
WHERE c.organization_id = %(organization)s AND ({fits})
    AND NOT EXISTS (SELECT 1 FROM messaging_run r WHERE r.automation_id = %(automation)s
        AND r.key = c.id::text || ':' || left(c.attributes->>%(key)s, %(longest)s))
"""
_AS_MOMENTS = """c.attributes <> '{}'::jsonb AND heliograph_contact_days(c.organization_id, c.attributes) && (
    SELECT array_agg(heliograph_contact_day(%(organization)s, %(key)s, day)) FROM unnest(%(days)s::text[]) AS day)"""


class DateForm(SettingsForm):
    """Which date, and how long before or after."""

    attribute = forms.ChoiceField(label="Date")
    amount = forms.IntegerField(label="How long", min_value=0, max_value=1440, initial=1)
    unit = forms.ChoiceField(label="Unit", choices=list(_UNITS.items()), initial="days")
    direction = forms.ChoiceField(
        label="Before or after", choices=[("before", "before"), ("after", "after")], initial="before"
    )
    at = forms.TimeField(
        label="At", required=False, input_formats=["%H:%M", "%H:%M:%S"],
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        help_text="On the contact’s clock. A date without a time needs one. Where clocks are changed, an hour that "
        "happens twice counts the first time, and a minute that never happens as the next one that does.",
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.definitions = {one.key: one for one in definitions_of(self.scope.organization) if one.kind in _KINDS}
        known = sorted(self.definitions.values(), key=lambda one: one.kind == Kind.TEXT)
        labels = [
            (one.key, f"{one.label} (text like 2026-05-01)" if one.kind == Kind.TEXT else one.label) for one in known
        ]
        self.fields["attribute"].choices = labels  # type: ignore[attr-defined]
        self.fields["attribute"].error_messages |= {
            "invalid_choice": "This attribute is no date, or archived. Choose another one.",
            "required": "Choose a date. Attributes of the types Date, and Date and time are offered; add one under "
            "Settings, Contact attributes.",
        }

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        definition = self.definitions.get(data.get("attribute", ""))
        unit, amount = data.get("unit", ""), data.get("amount")
        if amount is not None and unit in _MOST and amount > _MOST[unit]:
            self.add_error("amount", f"At most {_MOST[unit]:,} {unit}.")
        if definition is not None and definition.kind == Kind.DATE and not data.get("at") and "at" not in self.errors:
            self.add_error("at", f"{definition.label} has no time of day. Say at which time, for example 09:00.")
        if (
            definition is not None
            and definition.kind == Kind.MOMENT
            and data.get("at")
            and unit in ("minutes", "hours")
        ):
            self.add_error("at", f"{definition.label} has a time of its own: leave this empty, or count in days.")
        return data

    def to_settings(self) -> dict[str, Any]:
        settings = super().to_settings()
        if self.cleaned_data.get("at"):
            settings["at"] = f"{self.cleaned_data['at']:%H:%M}"
        return settings


@dataclass(frozen=True)
class Rule:
    """When a date is due: so long before (negative) or after, at a time of day."""

    attribute: str
    days: int = 0
    minutes: int = 0
    at: time | None = None

    @classmethod
    def of(cls, settings: Settings) -> "Rule":
        """Return the rule of a trigger's settings."""
        amount = int(settings.get("amount") or 0) * (-1 if settings.get("direction", "before") == "before" else 1)
        unit = settings.get("unit", "days")
        at = settings.get("at")
        return cls(
            attribute=str(settings.get("attribute", "")),
            days=amount * {"days": 1, "weeks": 7}.get(unit, 0),
            minutes=amount * {"minutes": 1, "hours": 60}.get(unit, 0),
            at=_time_of(str(at)) if at else None,
        )

    def due(self, value: str, zone: str) -> datetime | None:
        """Return the moment at which a value is due in a zone, None for a value that cannot be read."""
        try:
            there = self._on_the_wall(value, zone)
            if there is None:
                return None
            if self.days:
                there += timedelta(days=self.days)
            if self.at is not None and (self.days or not self.minutes):
                there = datetime.combine(there.date(), self.at)
            return moment_of(there, zone) + timedelta(minutes=self.minutes)
        except OverflowError:  # the year 1, the year 9999
            return None

    def days_of(self, since: datetime, until: datetime) -> list[str]:
        """Return the days on which values stand that may be due in a window."""
        shift = timedelta(days=self.days, minutes=self.minutes)
        first, last = (since - shift - _FURTHEST).date(), (until - shift + _FURTHEST).date()
        return [(first + timedelta(days=number)).isoformat() for number in range((last - first).days + 1)]

    def _on_the_wall(self, value: str, zone: str) -> datetime | None:
        try:
            if len(value) == len("2026-05-01"):
                return datetime.combine(date.fromisoformat(value), self.at or _SOME_TIME)
            read = datetime.fromisoformat(value.replace(" +", "+"))
        except ValueError:
            return None
        return read.astimezone(ZoneInfo(zone)).replace(tzinfo=None) if read.tzinfo else read


class DateTrigger(Trigger):
    """Some time before or after a date that contacts carry."""

    key = "contact_date"
    title = "Date of a contact"
    text = "Some time before or after a date that contacts carry, like an appointment, on each contact’s own clock."
    icon = "event"
    group = "Time"
    looks = True
    form = DateForm

    def fields(self, scope: Scope, settings: Settings) -> list[Field]:
        label = _label(scope, settings)
        return [
            Field("trigger.date", f"{label}: the day", Type.DATE, "2026-05-01"),
            Field("trigger.time", f"{label}: the time", Type.TEXT, settings.get("at") or "14:30"),
            Field("trigger.value", f"{label} as it is kept", Type.TEXT, "2026-05-01"),
            Field("trigger.is_late", "Whether it began late", Type.YES_NO, False),
        ]

    def describe(self, scope: Scope, settings: Settings) -> str:
        amount, unit = int(settings.get("amount") or 0), str(settings.get("unit", "days"))
        when = f"{amount:,} {unit.removesuffix('s') if amount == 1 else unit} {settings.get('direction', 'before')}"
        at = f" at {settings['at']}" if settings.get("at") else ""
        return f"{when if amount else 'On'} {_label(scope, settings)}{at}"

    def notes(self, scope: Scope, settings: Settings) -> Iterable[str]:
        yield (
            "It goes by the contact’s time zone; where none is known by the number’s; where that is one of several by "
            f"yours, {scope.organization.time_zone}."
        )

    def next_look(self, automation: Automation, settings: Settings, *, now: datetime) -> datetime | None:
        return now

    def look(self, automation: Automation, settings: Settings, *, now: datetime) -> tuple[list[Start], datetime | None]:
        """Return who is due since it was looked last, in the minute ahead, and in the hour before, if a date came late.

        `looked_until` stays an hour behind, but never before the moment of publishing.
        """
        rule = Rule.of(settings)
        since = max(automation.looked_until or now, now - CATCH_UP)
        due = sorted(_due(automation, rule, since=since, now=now), key=lambda start: (start.data["due_at"], start.key))
        if len(due) > MOST_AT_ONCE:
            return due[:MOST_AT_ONCE], now
        automation.looked_until = max(since, now - LATE)
        return due, now.replace(second=0, microsecond=0) + timedelta(minutes=1)


def _due(automation: Automation, rule: Rule, *, since: datetime, now: datetime) -> Iterable[Start]:
    definition = AttributeDefinition.objects.filter(
        organization=automation.organization_id, key=rule.attribute, kind__in=_KINDS
    ).first()
    if definition is None:
        return
    until = now + AHEAD
    own_zone = automation.organization.time_zone
    moments: dict[tuple[str, str], datetime | None] = {}
    for contact_id, phone, contact_zone, value in _candidates(automation, definition, rule.days_of(since, until)):
        zone = contact_zone or zone_of_number(phone) or own_zone
        if not _is_zone(zone):
            zone = own_zone  # the database of time zones has lost a name since
        if (value, zone) not in moments:
            moments[value, zone] = rule.due(value, zone)
        due = moments[value, zone]
        if due is not None and since < due <= until:
            yield Start(
                key=f"{contact_id}:{value}",
                data=_told(value, zone, rule, due=due, is_late=now - due > timedelta(minutes=2)),
                contact_id=contact_id,
                due_at=max(due, now),
            )


def _candidates(
    automation: Automation, definition: AttributeDefinition, days: list[str]
) -> list[tuple[uuid.UUID, str, str, str]]:
    """Return contacts whose date stands on one of the days, and whom it has not set off yet."""
    fits: list[str] = []
    values: Mapping[str, Any] = {
        "organization": automation.organization_id,
        "automation": automation.pk,
        "key": definition.key,
        "days": days,
        "longest": _LONGEST_VALUE,
    }
    if definition.kind != Kind.MOMENT:
        # One containment a day: an index answers each, where it would not answer `= ANY (…)`.
        on_day = "c.attributes @> jsonb_build_object(%(key)s::text, (%(days)s::text[])[{at}])"
        fits += [on_day.replace("{at}", str(at)) for at in range(1, len(days) + 1)]
    if definition.kind != Kind.DATE:
        fits.append(_AS_MOMENTS)
    with connection.cursor() as cursor:
        cursor.execute(_DUE.replace("{fits}", " OR ".join(fits)), values)
        return cursor.fetchall()


def _told(value: str, zone: str, rule: Rule, *, due: datetime, is_late: bool) -> dict[str, Any]:
    there = rule._on_the_wall(value, zone)
    return {
        "value": value,
        "date": there.date().isoformat() if there else "",
        "time": f"{there:%H:%M}" if there else "",
        "due_at": due.isoformat(),
        "is_late": is_late,
    }


@lru_cache(maxsize=1024)
def _is_zone(name: str) -> bool:
    return is_time_zone(name)


def _time_of(text: str) -> time:
    """Read a time of day as forms take it: 9:00, 09:00, 09:00:00."""
    hour, minute = text.split(":")[:2]
    return time(int(hour), int(minute))


def _label(scope: Scope, settings: Settings) -> str:
    key = settings.get("attribute", "")
    known = {one.key: one.label for one in definitions_of(scope.organization, with_archived=True)}
    return known.get(key, key or "a date")
