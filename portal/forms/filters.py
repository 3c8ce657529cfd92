"""Which submissions are meant: one description, as JSON for exports and as a query."""

from collections.abc import Callable
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from integrations.organizations.long_lists import PAGE, Page, StoredFilter, days_of, page_of
from integrations.organizations.models import Organization
from integrations.phones import search_forms

from .models import PublicForm, Submission

_MOST_WORDS = 6


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


def filtered(form: PublicForm, wanted: SubmissionFilter) -> QuerySet[Submission]:
    """Return the submissions of a form that fit, in no order."""
    rows = Submission.objects.filter(form=form)
    begin, end = days_of(form.organization, since=wanted.since, until=wanted.until)
    if begin is not None:
        rows = rows.filter(created_at__gte=begin)
    if end is not None:
        rows = rows.filter(created_at__lt=end)
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


def submission_page(
    form: PublicForm, wanted: SubmissionFilter, *, after: object = None, size: int = PAGE
) -> Page[Submission]:
    """Return one page of the submissions that fit: the newest, or those older than `after`."""
    rows = filtered(form, wanted).select_related("version", "contact").defer("search_text", "contact__terms")
    return page_of(rows, after=after, size=size)


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
