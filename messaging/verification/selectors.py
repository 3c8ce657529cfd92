"""Reads: the list of verifications, one of them, and how many of the codes that were sent proved a number."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from integrations.clock import database_now
from integrations.organizations.models import Organization
from integrations.phones import region_name, search_forms

from .asker_names import asker_names
from .askers import AskerKind
from .models import Verification, VerificationSend

Status = Verification.Status
PAGE = 50
SHOWN_DAYS = 30


@dataclass(frozen=True, kw_only=True)
class VerificationFilter:
    """What the list is narrowed to; every field may be empty."""

    query: str = ""
    status: str = ""
    asker: str = ""

    @property
    def is_empty(self) -> bool:
        return not any((self.query, self.status, self.asker))


@dataclass(frozen=True)
class Page:
    """Verifications, the newest first; `next` is the id to go on from, or None."""

    verifications: Sequence[Verification]
    next: uuid.UUID | None
    is_first: bool


def verifications_of(organization: Organization, *, wanted: VerificationFilter) -> QuerySet[Verification]:
    """Return the organization's verifications that fit, newest first."""
    rows = Verification.objects.filter(organization=organization).order_by("-id")
    if wanted.query.strip():
        rows = rows.filter(_query(wanted.query.strip(), organization))
    if wanted.status:
        rows = rows.filter(in_state(wanted.status))
    if wanted.asker:
        rows = rows.filter(asker_kind=wanted.asker)
    return rows


def in_state(status: str) -> Q:
    """Return the condition of a status as it is at this moment: what was not approved in time is expired."""
    now = database_now()
    is_late = Q(status=Status.PENDING, expires_at__lte=now)
    if status == Status.PENDING:
        return Q(status=Status.PENDING, expires_at__gt=now)
    if status == Status.EXPIRED:
        return Q(status=status) | is_late & Q(undelivered_at=None)
    return Q(status=status) | is_late & Q(undelivered_at__isnull=False) if status == Status.FAILED else Q(status=status)


def page_of(rows: QuerySet[Verification], *, after: uuid.UUID | None = None, size: int = PAGE) -> Page:
    """Return one page: the newest, or those older than the verification `after`."""
    if after is not None:
        rows = rows.filter(id__lt=after)
    found = list(rows.select_related("connection")[: size + 1])
    return Page(found[:size], found[size - 1].pk if len(found) > size else None, is_first=after is None)


def find_verification(organization: Organization, verification_id: uuid.UUID) -> Verification | None:
    """Return one verification, or None for another organization's."""
    return (
        Verification.objects.filter(organization=organization, pk=verification_id)
        .select_related("organization", "connection")
        .first()
    )


def approved(
    verification_id: uuid.UUID | None,
    *,
    organization_id: uuid.UUID,
    asker: tuple[AskerKind, uuid.UUID],
    phone: str,
) -> Verification | None:
    """Return the verification where it proved this very number to whoever asked for it; None where it did not."""
    if verification_id is None or not phone:
        return None
    asker_kind, asker_id = asker
    return Verification.objects.filter(
        pk=verification_id,
        organization=organization_id,
        asker_kind=asker_kind,
        asker_id=asker_id,
        phone=phone,
        status=Status.APPROVED,
        approved_at__isnull=False,
    ).first()


def sends_of(verification: Verification) -> list[VerificationSend]:
    """Return the codes that were sent, the first one first, each with its message."""
    return list(VerificationSend.objects.filter(verification=verification).select_related("message").order_by("pk"))


def _query(text: str, organization: Organization) -> Q:
    if len(text) == 34 and text[:2].upper() == "VE":
        return Q(provider_sid=text[:2].upper() + text[2:].lower())
    forms = search_forms(text, region=organization.default_region)
    wanted = Q(pk__in=[])
    if forms.exact:
        wanted |= Q(phone__in=forms.exact)
    if forms.suffix:
        wanted |= Q(phone__endswith=forms.suffix)
    return wanted


# ---- conversion


@dataclass(frozen=True)
class Conversion:
    """How verifications fared: `sent` had a code leave, `delivered` are known to have got it, `approved` entered it.

    `delivered` is None where neither a carrier nor Twilio said anything of any of them: then nobody knows.
    """

    name: str
    verifications: int
    sent: int
    delivered: int | None
    approved: int
    codes: int

    @property
    def percent(self) -> int | None:
        """How many of a hundred that were sent a code proved their number; None of none."""
        return round(100 * self.approved / self.sent) if self.sent else None


@dataclass(frozen=True)
class ConversionReport:
    """The figures of some days: all together, by country, by who asked, by day (oldest first)."""

    total: Conversion
    by_country: list[Conversion]
    by_asker: list[Conversion]
    by_day: list[Conversion]
    since: date


# A code left, or may have, and is not known to have got lost.
_SENT = ~Q(status=Status.FAILED) & Q(undelivered_at=None)
_COUNTS: dict[str, Any] = {
    "all_of_them": Count("pk"),
    "were_sent": Count("pk", filter=_SENT),
    "were_delivered": Count("pk", filter=Q(delivered_at__isnull=False)),
    "were_reported": Count("pk", filter=Q(reported_at__isnull=False)),
    "were_approved": Count("pk", filter=Q(status=Status.APPROVED)),
    "all_codes": Sum("sends"),
}


def conversion_of(
    organization: Organization, *, days: int = SHOWN_DAYS, asker: tuple[str, uuid.UUID] | None = None
) -> ConversionReport:
    """Count the verifications of the last days, days of the organization's zone; of one form or portal, if named."""
    zone = ZoneInfo(organization.time_zone)
    today = timezone.now().astimezone(zone).date()
    first = today - timedelta(days=days - 1)
    rows = Verification.objects.filter(
        organization=organization, created_at__gte=datetime.combine(first, time.min, zone)
    ).order_by()
    if asker is not None:
        rows = rows.filter(asker_kind=asker[0], asker_id=asker[1])
    days_found = rows.annotate(day=TruncDate("created_at", tzinfo=zone)).values("day").annotate(**_COUNTS)
    by_day = {row["day"]: row for row in days_found}
    countries = list(rows.values("region").annotate(**_COUNTS))
    askers = list(rows.values("asker_kind", "asker_id").annotate(**_COUNTS))
    names = asker_names(organization, [(row["asker_kind"], row["asker_id"]) for row in askers])
    return ConversionReport(
        total=_conversion("All", rows.aggregate(**_COUNTS)),
        by_country=_most_first(_conversion(_country(row["region"]), row) for row in countries),
        by_asker=_most_first(_conversion(names[row["asker_kind"], row["asker_id"]], row) for row in askers),
        by_day=[
            _conversion(f"{day:%Y-%m-%d}", by_day.get(day, {}))
            for day in (first + timedelta(days=offset) for offset in range(days))
        ],
        since=first,
    )


def _conversion(name: str, row: Mapping[str, Any]) -> Conversion:
    return Conversion(
        name=name,
        verifications=row.get("all_of_them") or 0,
        sent=row.get("were_sent") or 0,
        delivered=(row.get("were_delivered") or 0) if row.get("were_reported") or not row.get("were_sent") else None,
        approved=row.get("were_approved") or 0,
        codes=row.get("all_codes") or 0,
    )


def _most_first(rows: Iterable[Conversion]) -> list[Conversion]:
    return sorted(rows, key=lambda row: (-row.sent, row.name))


def _country(region: str) -> str:
    return region_name(region) if region else "No country"
