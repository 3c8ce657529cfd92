"""What PostgreSQL reads for the inbox of an organization with 20,000 conversations: a page, not the table."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection as database
from django.db import transaction
from django.test.utils import CaptureQueriesContext
from pytest_django.plugin import DjangoDbBlocker

from integrations.organizations.models import Member
from messaging.inbox.selectors import find_conversations, newest_unread, page_of, unread_count
from tests.factories import MemberFactory, OrganizationFactory

pytestmark = pytest.mark.django_db
COUNT = 20_000
_FEW = 700

_FILL = """
INSERT INTO messaging_conversation (
    id, organization_id, channel, phone, sender, state, unread, last_text, last_is_inbound, last_at, last_inbound_at,
    created_at, minute_count, assignee_id)
SELECT (lpad(to_hex(n), 12, '0') || '7000' || '8' || substr(md5(n::text), 1, 15))::uuid, %(organization)s, 'sms',
    '+49151' || lpad(n::text, 8, '0'), '', CASE WHEN n %% 4 = 0 THEN 'open' ELSE 'closed' END,
    CASE WHEN n %% 40 = 0 THEN 1 ELSE 0 END, 'text ' || n, true, now() - n * interval '1 minute', now(), now(), 1,
    CASE WHEN n %% 100 = 0 THEN %(member)s::uuid END
FROM generate_series(1, %(count)s) AS n
"""


@pytest.fixture(scope="module")
def member(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Member]:
    with django_db_blocker.unblock(), transaction.atomic():
        member = MemberFactory(organization=OrganizationFactory(slug="crowded"), role="agent")
        with database.cursor() as cursor:
            values = {"organization": member.organization.pk, "member": member.pk, "count": COUNT}
            cursor.execute(_FILL, values)
            cursor.execute("ANALYZE messaging_conversation")
            # Here and once, or each test would check the keys of all these rows.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
        yield member
        transaction.set_rollback(True)


def rows_read(ask: Callable[[], Any], *, table: str = "messaging_conversation") -> int:
    """Return how many rows of the table the statements read, counting those that a filter threw away."""
    with CaptureQueriesContext(database) as asked:
        ask()
    total = 0
    for query in asked.captured_queries:
        if table not in query["sql"]:
            continue
        with database.cursor() as cursor:
            cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {query['sql']}")
            answer = cursor.fetchone()[0]
        plan = answer if isinstance(answer, list) else json.loads(answer)
        total += _read(plan[0]["Plan"], table)
    return total


def _read(plan: dict[str, Any], table: str) -> int:
    own = 0
    if plan.get("Relation Name") == table:
        own = int((plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)) * plan["Actual Loops"])
    return own + sum(_read(part, table) for part in plan.get("Plans", ()))


@pytest.mark.parametrize("view", ["", "unread", "mine", "closed", "unassigned"])
def test_each_view_reads_a_page(member: Member, view: str) -> None:
    rows = find_conversations(member, view=view)
    page = page_of(rows, organization=member.organization)
    assert page.rows
    assert rows_read(lambda: page_of(rows, organization=member.organization)) < _FEW


def test_a_page_far_down_reads_a_page(member: Member) -> None:
    rows = find_conversations(member)
    after = page_of(rows, organization=member.organization, size=3000).next
    assert after
    assert page_of(rows, organization=member.organization, after=after).rows
    assert rows_read(lambda: page_of(rows, organization=member.organization, after=after)) < _FEW


def test_counting_the_unread_reads_a_hundred(member: Member) -> None:
    assert unread_count(member.organization) == 100
    assert rows_read(lambda: unread_count(member.organization)) <= 100
    assert rows_read(lambda: newest_unread(member.organization)) < 10


def test_search_by_number_is_quick(member: Member) -> None:
    began = time.perf_counter()
    page = page_of(find_conversations(member, query="+49151 00019999"), organization=member.organization)
    assert [row.conversation.phone for row in page.rows] == ["+4915100019999"]
    assert time.perf_counter() - began < 1.0
