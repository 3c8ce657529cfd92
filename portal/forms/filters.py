"""Which submissions are meant: one description, as JSON for exports and as a query."""

import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime, time, timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.dateparse import parse_date

from integrations.organizations.models import as_uuid
from integrations.phones import search_forms
from integrations.templatetags.hg_base import zone_of

from .models import PublicForm, Submission

PAGE = 50
_COUNTED = 10_000
_MOST_WORDS = 6


@dataclass(frozen=True, kw_only=True)
class SubmissionFilter:
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

    @property
    def is_empty(self) -> bool:
        return self == SubmissionFilter()

    def as_json(self) -> dict[str, str]:
        return {name: value for name, value in asdict(self).items() if value}

    @classmethod
    def from_json(cls, stored: object) -> "SubmissionFilter":
        """Return what was stored; what is no filter is an empty one."""
        known = {one.name for one in fields(cls)}
        given = stored if isinstance(stored, Mapping) else {}
        return cls(**{name: value for name, value in given.items() if name in known and isinstance(value, str)})


@dataclass(frozen=True)
class Page:
    """Submissions, the newest first; `next` is the id to go on from, or None."""

    rows: list[Submission]
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
    return rows.filter(_searched(form, wanted.query)) if wanted.query.strip() else rows


def submission_page(form: PublicForm, wanted: SubmissionFilter, *, after: object = None, size: int = PAGE) -> Page:
    """Return one page of the submissions that fit: the newest, or those older than `after`."""
    key = as_uuid(after)
    rows = filtered(form, wanted).select_related("version", "contact").defer("search_text", "contact__terms")
    rows = (rows.filter(id__lt=key) if key else rows).order_by("-id")
    found = list(rows[: size + 1])
    return Page(rows=found[:size], next=found[size - 1].pk if len(found) > size else None, is_first=key is None)


def count_up_to(rows: QuerySet[Submission], *, most: int = _COUNTED) -> tuple[int, bool]:
    """Count submissions without reading them all: the number, at most `most`, and whether there are more."""
    found = len(rows.order_by().values_list("pk")[: most + 1])
    return min(found, most), found > most


def _searched(form: PublicForm, query: str) -> Q:
    """Look for a number in any writing, and for every word somewhere among the answers."""
    text = query.replace("\x00", "").strip()[:200]
    forms = search_forms(text, region=form.organization.default_region)
    numbers = Q()
    if forms.exact:
        numbers |= Q(phone__in=forms.exact)
    if forms.suffix:
        numbers |= Q(phone__endswith=forms.suffix)
    words = Q()
    for word in text.casefold().split()[:_MOST_WORDS]:
        words &= Q(search_text__contains=word)
    return numbers | words if numbers else words


def _day(text: str) -> Any:
    try:
        return parse_date(text)
    except ValueError:
        return None
