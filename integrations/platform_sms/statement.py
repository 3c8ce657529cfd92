"""Reads of the ledger: a statement by pages, the rate at which credits go, and how long they last."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import Min, QuerySet, Sum
from django.db.models.functions import Now

from integrations.clock import database_now
from integrations.organizations.models import Organization

from .ledger import balance_of
from .models import CreditAccount, CreditEntry

PAGE = 50
_LOOKED_BACK = timedelta(days=7)
_SHORTEST = timedelta(days=1)  # a day's worth of spending at least, however new the account is
_AT_ONCE = 2000
_Kind = CreditEntry.Kind


@dataclass(frozen=True)
class Outlook:
    """The balance, what goes a day at the rate of the last week, and for how many days that suffices; None: no rate."""

    balance: Decimal
    a_day: Decimal
    days_left: int | None


@dataclass(frozen=True)
class Page:
    """Entries newest first; `next` is the id to go on from, or None."""

    entries: Sequence[CreditEntry]
    next: int | None


def outlook_of(organization: Organization) -> Outlook:
    """Return how long the credits last at the rate of the last seven days, given-back ones not counted."""
    balance = balance_of(organization)
    lately = CreditEntry.objects.filter(
        account__organization=organization, kind__in=[_Kind.RESERVE, _Kind.REFUND], at__gte=Now() - _LOOKED_BACK
    ).aggregate(spent=Sum("amount"), since=Min("at"))
    spent = -(lately["spent"] or Decimal(0))
    if spent <= 0:
        return Outlook(balance, Decimal(0), None)
    span = max(_SHORTEST, min(_LOOKED_BACK, database_now() - lately["since"]))
    a_day = spent * _SHORTEST.days * 86_400 / Decimal(span.total_seconds())
    return Outlook(balance, a_day, int(balance / a_day))


def pays_with_credits(organization: Organization) -> bool:
    """Tell whether the organization ever had credits."""
    return CreditAccount.objects.filter(organization=organization, entries__isnull=False).exists()


def page_of(organization: Organization, *, before: int | None = None) -> Page:
    """Return one page of the statement: the newest entries, or those older than `before`."""
    rows = entries_of(organization)
    found = list((rows.filter(id__lt=before) if before is not None else rows)[: PAGE + 1])
    return Page(entries=found[:PAGE], next=found[PAGE - 1].pk if len(found) > PAGE else None)


def entries_of(organization: Organization) -> QuerySet[CreditEntry]:
    """Return the entries of an organization, newest first."""
    return CreditEntry.objects.filter(account__organization=organization).order_by("-id")


def all_entries(
    organization: Organization, *, since: datetime | None = None, until: datetime | None = None
) -> Iterator[CreditEntry]:
    """Yield the entries of a span of time, oldest first, by key: however many they are."""
    rows = CreditEntry.objects.filter(account__organization=organization).order_by("id")
    if since is not None:
        rows = rows.filter(at__gte=since)
    if until is not None:
        rows = rows.filter(at__lt=until)
    after = 0
    while found := list(rows.filter(id__gt=after)[:_AT_ONCE]):
        yield from found
        after = found[-1].pk
