"""What a portal's people did in the last days: registrations, logins, codes and invitations, by day and by country."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import TruncDate
from django.utils import timezone

from integrations.phones import region_name
from integrations.templatetags.hg_base import zone_of
from messaging.verification.selectors import ConversionReport, conversion_of

from .models import Portal, PortalInvitation, PortalLogin, PortalUser
from .visits import ASKER

DAYS = (7, 30, 90)
_IN = (PortalLogin.Outcome.IN, PortalLogin.Outcome.REGISTERED)


@dataclass(frozen=True)
class Figures:
    """The counts of one day, one country, or all of them."""

    name: str
    registered: int = 0
    logins: int = 0
    invited: int = 0
    accepted: int = 0

    @property
    def percent(self) -> int | None:
        """How many of a hundred invitations of these days were accepted by now; None of none."""
        return round(100 * self.accepted / self.invited) if self.invited else None

    @property
    def is_empty(self) -> bool:
        return not (self.registered or self.logins or self.invited)


@dataclass(frozen=True)
class Report:
    """The figures of some days, and how the codes fared that were asked for at the portal."""

    total: Figures
    by_day: list[Figures]
    by_country: list[Figures]
    codes: ConversionReport
    since: date


def report_of(portal: Portal, *, days: int) -> Report:
    """Count what happened in the last days, days of the organization's zone."""
    zone = zone_of(portal.organization)
    first = timezone.now().astimezone(zone).date() - timedelta(days=days - 1)
    since = datetime.combine(first, time.min, zone)
    counted: tuple[tuple[str, QuerySet[Any], str, str], ...] = (
        ("registered", PortalUser.objects.filter(portal=portal, registered_at__gte=since), "registered_at", "region"),
        ("logins", PortalLogin.objects.filter(portal=portal, outcome__in=_IN, at__gte=since), "at", "region"),
        ("invited", _invitations(portal, since), "created_at", "user__region"),
        ("accepted", _invitations(portal, since).filter(used_at__isnull=False), "created_at", "user__region"),
    )
    by_day: dict[date, Figures] = {}
    by_country: dict[str, Figures] = {}
    for what, rows, moment, region in counted:
        days_found = rows.order_by().annotate(day=TruncDate(moment, tzinfo=zone)).values("day")
        _add(by_day, what, ((row["day"], row) for row in days_found.annotate(count=Count("pk"))))
        countries = rows.order_by().values(region).annotate(count=Count("pk"))
        _add(by_country, what, ((row[region], row) for row in countries))
    shown = [by_day.get(day, Figures("")) for day in (first + timedelta(days=offset) for offset in range(days))]
    return Report(
        total=_sum(by_country.values()),
        by_day=[
            replace(figures, name=f"{first + timedelta(days=offset):%Y-%m-%d}") for offset, figures in enumerate(shown)
        ],
        by_country=sorted(
            (replace(one, name=region_name(region) if region else "No country") for region, one in by_country.items()),
            key=lambda one: (-one.registered - one.logins - one.invited, one.name),
        ),
        codes=conversion_of(portal.organization, days=days, asker=(ASKER, portal.pk)),
        since=first,
    )


def _invitations(portal: Portal, since: datetime) -> QuerySet[PortalInvitation]:
    # One that made room for a newer one to the same number is the same person asked again.
    replaced = Q(revoked_at__isnull=False, used_at=None)
    return PortalInvitation.objects.filter(portal=portal, created_at__gte=since).exclude(replaced)


def _add(figures: dict[Any, Figures], what: str, rows: Iterable[tuple[Any, Mapping[str, Any]]]) -> None:
    for key, row in rows:
        known = figures.get(key, Figures(""))
        figures[key] = replace(known, **{what: getattr(known, what) + row["count"]})


def _sum(rows: Iterable[Figures]) -> Figures:
    total = Figures("All")
    for row in rows:
        total = Figures(
            "All",
            registered=total.registered + row.registered,
            logins=total.logins + row.logins,
            invited=total.invited + row.invited,
            accepted=total.accepted + row.accepted,
        )
    return total
