"""What PostgreSQL reads for the list of contacts and its searches, in an address book of 40,000 in four blocks.

No question may read the table from end to end, neither row by row nor through an index whose rows it throws away.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection as database
from django.db import transaction
from django.test.utils import CaptureQueriesContext
from pytest_django.plugin import DjangoDbBlocker

from integrations.organizations.models import Organization
from messaging.contacts.filters import ContactFilter
from messaging.contacts.models import Tag
from messaging.contacts.selectors import contact_page
from tests.factories import OrganizationFactory
from tests.load.contacts import FILL, TAG_OLDEST

pytestmark = pytest.mark.django_db

COUNT = 40_000
# A block of ten thousand and a little: what a search may look at before it has a page.
BLOCK, FEW = 10_500, 700


@pytest.fixture(scope="module")
def book(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Organization]:
    """An address book as the benchmark has it: see there for who is called what."""
    with django_db_blocker.unblock(), transaction.atomic():
        organization = OrganizationFactory(slug="book")
        values = {"organization": organization.pk, "count": COUNT, "slug": "plans"}
        tag = Tag.objects.create(organization=organization, name="Member")
        with database.cursor() as cursor:
            cursor.execute(FILL, values)
            cursor.execute(TAG_OLDEST, {**values, "tag": tag.pk})
            cursor.execute("ANALYZE messaging_contact, messaging_contact_tags")
            # Here and once, or each test would check the keys of all these rows.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
        yield organization
        transaction.set_rollback(True)


def read_rows(action: Callable[[], object]) -> tuple[int, list[str]]:
    """Do it, look at the plan of each statement, and return the most contacts one read, and how they were reached."""
    with CaptureQueriesContext(database) as captured:
        action()
    most, ways = 0, []
    for statement in [query["sql"] for query in captured if "messaging_contact" in query["sql"]]:
        with database.cursor() as cursor:
            cursor.execute("EXPLAIN (ANALYZE, FORMAT JSON) " + statement.replace("%", "%%"), ())
            found = cursor.fetchone()[0]
        plan = (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]
        for node in _nodes(plan):
            if node.get("Relation Name") == "messaging_contact" and "Scan" in node["Node Type"]:
                ways.append(f"{node['Node Type']} {node.get('Index Name', '')}".strip())
                removed = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
                most = max(most, round((node["Actual Rows"] + removed) * node["Actual Loops"]))
    assert ways, "nothing was asked of the contacts"
    return most, ways


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from _nodes(inner)


def page(organization: Organization, **wanted: Any) -> Callable[[], object]:
    return lambda: contact_page(organization, ContactFilter(**wanted))


@pytest.mark.parametrize(
    ("query", "limit"),
    [
        ("4711", FEW),
        ("0151 00079190", FEW),
        ("person4711@", FEW),
        ("zzzz", FEW),
        (chr(19968 + 100) + chr(20000 + 100), FEW),
        ("carla", BLOCK),  # a tenth of all
        ("maria", BLOCK),  # three of ten, and none among the newest
        ("anna gh", BLOCK),
    ],
)
def test_a_search_reads_a_block_at_most(book: Organization, query: str, limit: int) -> None:
    most, ways = read_rows(page(book, query=query))
    assert most <= limit, ways
    assert "Seq Scan" not in ways


def test_first_and_later_pages_read_a_page(book: Organization) -> None:
    first = contact_page(book, ContactFilter())
    for after in (None, first.next):
        most, ways = read_rows(lambda after=after: contact_page(book, ContactFilter(), after=after))  # type: ignore[misc]
        assert most <= FEW, ways
        assert "Seq Scan" not in ways


def test_the_members_of_a_tag_are_followed_also_where_all_are_old(book: Organization) -> None:
    most, ways = read_rows(page(book, tags_all=(Tag.objects.get(organization=book).pk,)))
    assert most <= FEW, ways
    assert "Seq Scan" not in ways


def test_a_country_is_followed(book: Organization) -> None:
    for country in ("DE", "FR"):
        most, ways = read_rows(page(book, countries=(country,)))
        assert most <= FEW, ways
