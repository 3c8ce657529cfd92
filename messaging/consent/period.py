"""The period of a report: whole days in the organization's time zone."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django import forms
from django.utils import timezone

from integrations.organizations.models import Organization
from integrations.templatetags.hg_base import zone_of

DAYS = 30


@dataclass(frozen=True)
class Period:
    """From the first moment of a day to the last of another."""

    first: date
    last: date
    since: datetime
    until: datetime


class PeriodForm(forms.Form):
    """Two days; what cannot be read is the last thirty days, never an error page."""

    since = forms.DateField(label="From", required=False, widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(label="To", required=False, widget=forms.DateInput(attrs={"type": "date"}))


def read_period(organization: Organization, values: dict[str, str]) -> Period:
    """Return the period that was asked for; the other way round it is turned, and beyond the calendar it is cut."""
    zone = zone_of(organization)
    today = timezone.now().astimezone(zone).date()
    form = PeriodForm(values)
    form.is_valid()
    first: date = form.cleaned_data.get("since") or today - timedelta(days=DAYS - 1)
    last: date = form.cleaned_data.get("until") or today
    first, last = sorted((max(first, date(2000, 1, 1)), min(max(last, date(2000, 1, 1)), date(2200, 1, 1))))
    first = min(first, date(2200, 1, 1))
    name = getattr(zone, "key", "UTC")
    return Period(
        first=first,
        last=last,
        since=datetime.combine(first, time.min, tzinfo=ZoneInfo(name)),
        until=datetime.combine(last + timedelta(days=1), time.min, tzinfo=ZoneInfo(name)),
    )
