"""Which submissions are meant: one description, as JSON for exports and as a query."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime, time, timedelta
from typing import Any, Self

from django.db.models import Q, QuerySet
from django.utils.dateparse import parse_date

from integrations.organizations.models import Organization, as_uuid
from integrations.phones import search_forms
from integrations.templatetags.hg_base import zone_of

from .models import PublicForm, Submission

PAGE = 50
_MOST_WORDS = 6


@dataclass(frozen=True, kw_only=True)
class StoredFilter:
    """What is looked for, in texts: a job or an export keeps it as JSON. What is empty is not asked."""

    @property
    def is_empty(self) -> bool:
        return self == type(self)()

    def as_json(self) -> dict[str, str]:
        return {name: value for name, value in asdict(self).items() if value}

    @classmethod
    def from_json(cls, stored: object) -> Self:
        """Return what was stored; what is no filter is an empty one."""
        known = {one.name for one in fields(cls)}
        given = stored if isinstance(stored, Mapping) else {}
        return cls(**{name: value for name, value in given.items() if name in known and isinstance(value, str)})


@dataclass(frozen=True, kw_only=True)
class SubmissionFilter(StoredFilter):
    """Which submissions are meant; every part may be empty, and all that are not must fit.

    `since` and `until` are days (ISO) of the organization's time zone, both included. `field` and `answer` name an
    answer that was chosen.
    """

    query: str = ""
    since: str = ""
    until: str = ""
    verified: str = ""
    language: str = ""
    version: str = ""
    field: str = ""
    answer: str = ""


@dataclass(frozen=True)
class Page:
    """Rows in the order of the list; `next` is the id to go on from, or None."""

    rows: Sequence[Any]
    next: uuid.UUID | None
    is_first: bool


def filtered(form: PublicForm, wanted: SubmissionFilter) -> QuerySet[Submission]:
    """Return the submissions of a form that fit, in no order."""
    rows = Submission.objects.filter(form=form)
    zone = zone_of(form.organization)
    if since := _day(wanted.since):
        rows = rows.filter(created_at__gte=datetime.combine(since, time.min, tzinfo=zone))
    if until := _day(wanted.until):
        rows = rows.filter(created_at__lt=datetime.combine(until + timedelta(days=1), time.min, tzinfo=zone))
    if wanted.verified in {"yes", "no"}:
        rows = rows.filter(verified_at__isnull=wanted.verified == "no")
    if wanted.language:
        rows = rows.filter(language=wanted.language)
    if wanted.version.isdecimal() and len(wanted.version) < 9:
        rows = rows.filter(version__number=int(wanted.version))
    if wanted.field and wanted.answer:
        # One choice is kept as a text, several as a list.
        chosen = Q(answers__contains={wanted.field: wanted.answer}) | Q(
            answers__contains={wanted.field: [wanted.answer]}
        )
        rows = rows.filter(chosen)
    if not wanted.query.strip():
        return rows
    return rows.filter(searched(form.organization, wanted.query, has_word=_in_answers))


def submission_page(form: PublicForm, wanted: SubmissionFilter, *, after: object = None, size: int = PAGE) -> Page:
    """Return one page of the submissions that fit: the newest, or those older than `after`."""
    rows = filtered(form, wanted).select_related("version", "contact").defer("search_text", "contact__terms")
    return page_of(rows, after=after, size=size)


def page_of(rows: QuerySet[Any], *, after: object = None, size: int = PAGE, is_oldest_first: bool = False) -> Page:
    """Return one page by key: the first, or what follows `after`, which may be anything that an address brings."""
    key = as_uuid(after)
    if key:
        rows = rows.filter(pk__gt=key) if is_oldest_first else rows.filter(pk__lt=key)
    found = list(rows.order_by("pk" if is_oldest_first else "-pk")[: size + 1])
    return Page(rows=found[:size], next=found[size - 1].pk if len(found) > size else None, is_first=key is None)


def searched(organization: Organization, query: str, *, has_word: Callable[[str], Q]) -> Q:
    """Look for a number in any writing, and for every word where `has_word` does."""
    text = query.replace("\x00", "").strip()[:200]
    forms = search_forms(text, region=organization.default_region)
    numbers = Q()
    if forms.exact:
        numbers |= Q(phone__in=forms.exact)
    if forms.suffix:
        numbers |= Q(phone__endswith=forms.suffix)
    words = Q()
    for word in text.split()[:_MOST_WORDS]:
        words &= has_word(word)
    return numbers | words if numbers else words


def _in_answers(word: str) -> Q:
    return Q(search_text__contains=word.casefold())


def _day(text: str) -> Any:
    try:
        return parse_date(text)
    except ValueError:
        return None
