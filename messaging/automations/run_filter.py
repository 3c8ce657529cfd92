"""Which runs are meant: one description, kept in the session and by jobs as JSON, and read as a query."""

import uuid
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet

from integrations.identifiers import first_id_of
from integrations.organizations.long_lists import PAGE, Page, StoredFilter, days_of, page_of
from integrations.organizations.models import Organization, as_uuid
from integrations.phones import search_forms
from messaging.contacts.selectors import some_contacts

from .models import Run

_MOST_PEOPLE = 50


@dataclass(frozen=True, kw_only=True)
class RunFilter(StoredFilter):
    """What the list of runs is narrowed to, in texts; every part may be empty, and all that are not must fit.

    `since` and `until` are days (ISO) of the organization's time zone, both included. `node` is the step at which a run
    stands, as n3. `tests` is "no" or "only".
    """

    query: str = ""
    automation: str = ""
    status: str = ""
    since: str = ""
    until: str = ""
    node: str = ""
    reason: str = ""
    tests: str = ""


def filtered(organization: Organization, wanted: RunFilter, *, automation_id: uuid.UUID | None = None) -> QuerySet[Run]:
    """Return the runs that fit, in no order: of one automation, or of all that an organization has."""
    rows = Run.objects.filter(organization=organization)
    automation_id = automation_id or as_uuid(wanted.automation)
    if automation_id is not None:
        rows = rows.filter(automation=automation_id)
    if wanted.status in Run.Status.values:
        rows = rows.filter(status=wanted.status)
    if wanted.node:
        rows = rows.filter(position=wanted.node)
    if wanted.reason:
        rows = rows.filter(reason=wanted.reason)
    if wanted.tests in {"no", "only"}:
        rows = rows.filter(is_test=wanted.tests == "only")
    rows = _within(rows, organization, wanted)
    return rows.filter(_by_person(organization, wanted.query)) if wanted.query.strip() else rows


def run_page(rows: QuerySet[Run], *, after: object = None, size: int = PAGE) -> Page[Run]:
    """Return one page of runs: the newest, or those older than `after`."""
    return page_of(rows.select_related("automation", "contact", "version").defer("data"), after=after, size=size)


def _within(rows: QuerySet[Run], organization: Organization, wanted: RunFilter) -> QuerySet[Run]:
    """Narrow runs to days by their ids, which grow with time: what lies outside is not read."""
    begin, end = days_of(organization, since=wanted.since, until=wanted.until)
    if begin is not None:
        rows = rows.filter(id__gte=first_id_of(begin))
    if end is not None:
        rows = rows.filter(id__lt=first_id_of(end))
    return rows


def _by_person(organization: Organization, query: str) -> Q:
    """Find by number in any writing, or by what contacts are found by: name, number, end of a number, address."""
    text = query.replace("\x00", "").strip()[:200]
    people = some_contacts(organization, query=text, most=_MOST_PEOPLE)
    phones = {*search_forms(text, region=organization.default_region).exact, *(person.phone for person in people)}
    wanted: Any = Q(pk__in=[])
    if phones:
        wanted |= Q(phone__in=phones)
    if people:
        wanted |= Q(contact__in=[person.pk for person in people])
    return wanted
