"""Long lists: what one is narrowed to, kept as JSON, and one page of it by key."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime, time, timedelta
from typing import Any, Generic, Self, TypeVar

from django.db.models import Model, QuerySet
from django.utils.dateparse import parse_date

from integrations.templatetags.hg_base import zone_of

from .models import Organization, as_uuid

PAGE = 50
Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True, kw_only=True)
class StoredFilter:
    """What is looked for, in texts: a session, a job or an export keeps it as JSON. What is empty is not asked."""

    @property
    def is_empty(self) -> bool:
        return self == type(self)()

    def as_json(self) -> dict[str, str]:
        """Return the parts that are not empty."""
        return {name: value for name, value in asdict(self).items() if value}

    @classmethod
    def from_json(cls, stored: object) -> Self:
        """Return what was stored; what is no filter is an empty one."""
        known = {one.name for one in fields(cls)}
        given = stored if isinstance(stored, Mapping) else {}
        return cls(**{name: value for name, value in given.items() if name in known and isinstance(value, str)})


@dataclass(frozen=True)
class Page(Generic[Row]):
    """Rows in the order of the list; `next` is the id to go on from, or None."""

    rows: Sequence[Row]
    next: Any
    is_first: bool


def page_of(rows: QuerySet[Row], *, after: object = None, size: int = PAGE, is_oldest_first: bool = False) -> Page[Row]:
    """Return one page by key: the first, or what follows `after`, which may be anything that an address brings."""
    key = after if isinstance(after, int) else as_uuid(after)
    if key:
        rows = rows.filter(pk__gt=key) if is_oldest_first else rows.filter(pk__lt=key)
    found = list(rows.order_by("pk" if is_oldest_first else "-pk")[: size + 1])
    return Page(rows=found[:size], next=found[size - 1].pk if len(found) > size else None, is_first=not key)


def days_of(organization: Organization, *, since: str, until: str) -> tuple[datetime | None, datetime | None]:
    """Return when days (ISO) begin and are over in the organization's time zone; None for what is none."""
    zone = zone_of(organization)
    first, last = _day(since), _day(until)
    return (
        datetime.combine(first, time.min, tzinfo=zone) if first else None,
        datetime.combine(last + timedelta(days=1), time.min, tzinfo=zone) if last else None,
    )


def _day(text: str) -> date | None:
    try:
        found = parse_date(text)
    except ValueError:
        return None
    # Years at the very ends of the calendar have no day before or after them.
    return found if found is not None and 1970 <= found.year < 9000 else None
