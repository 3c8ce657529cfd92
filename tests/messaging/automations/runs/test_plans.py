"""What PostgreSQL reads for lists, counts and watches among 24,000 runs: what they show, and little more."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.db import transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django.plugin import DjangoDbBlocker

from integrations.organizations.models import Organization
from messaging.automations import forgetting, selectors, watching
from messaging.automations.models import Automation, AutomationVersion, Run
from messaging.automations.retrying import failed_runs
from messaging.automations.run_filter import RunFilter, filtered, run_page
from messaging.automations.run_reasons import reasons_in
from tests.factories import OrganizationFactory

pytestmark = pytest.mark.django_db
_FEW = 700
_FILL = """
INSERT INTO messaging_run (id, organization_id, automation_id, version_id, key, phone, data, is_test, status, lane,
    position, steps_done, wake_key, due_at, ancestry, reason, detail, created_at, ended_at)
SELECT
    (lpad(to_hex((extract(epoch FROM now() - (24000 - n) * interval '1 minute') * 1000)::bigint), 12, '0') || '7000' ||
        '8' || substr(md5(n::text), 1, 15))::uuid,
    CASE WHEN n > 6000 THEN %(busy)s ELSE %(quiet)s END,
    CASE WHEN n <= 6000 THEN %(theirs)s WHEN n %% 2 = 0 THEN %(one)s ELSE %(two)s END,
    CASE WHEN n <= 6000 THEN %(their_version)s WHEN n %% 2 = 0 THEN %(one_version)s ELSE %(two_version)s END,
    'k' || n, '+49151' || lpad((n::bigint * 7919 %% 100000000)::text, 8, '0'), '{}', false,
    CASE WHEN n %% 400 = 6 THEN 'failed' WHEN n %% 400 = 7 THEN 'skipped' WHEN n > 22000 THEN 'waiting' ELSE 'done' END,
    0, 'n1', 1, '', now() + interval '1 hour', '{}',
    CASE WHEN n %% 400 = 6 THEN 'no_luck' WHEN n %% 400 = 7 THEN 'cap' ELSE '' END, '',
    now() - (24000 - n) * interval '1 minute',
    CASE WHEN n > 22000 THEN NULL ELSE now() - (24000 - n) * interval '1 minute' END
FROM generate_series(1, 24000) AS n
"""


@pytest.fixture(scope="module")
def busy(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Organization]:
    """An organization with 18,000 runs of two automations, beside a quiet one with 6,000 older ones."""
    with django_db_blocker.unblock(), transaction.atomic():
        busy, quiet = OrganizationFactory(slug="busy"), OrganizationFactory(slug="quiet")
        values: dict[str, Any] = {"busy": busy.pk, "quiet": quiet.pk}
        for name, organization in (("one", busy), ("two", busy), ("theirs", quiet)):
            made = Automation.objects.create(organization=organization, name=name)
            version = AutomationVersion.objects.create(automation=made, number=1, flow={})
            Automation.objects.filter(pk=made.pk).update(live=version, status="live")
            values |= {name: made.pk, f"{name if name != 'theirs' else 'their'}_version": version.pk}
        with database.cursor() as cursor:
            cursor.execute(_FILL, values)
            cursor.execute("ANALYZE messaging_run, messaging_automation, integrations_organization")
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
        yield busy
        transaction.set_rollback(True)


def read_rows(action: Callable[[], object]) -> tuple[int, list[str]]:
    """Do it, and return the most runs that one statement read, and by which ways."""
    with transaction.atomic():
        with CaptureQueriesContext(database) as captured:
            action()
        transaction.set_rollback(True)
    statements = [query["sql"] for query in captured if "messaging_run" in query["sql"]]
    assert statements, "nothing was asked of the table"
    most, ways = 0, []
    for statement in statements:
        with transaction.atomic(), database.cursor() as cursor:
            cursor.execute("EXPLAIN (ANALYZE, FORMAT JSON) " + statement.replace("%", "%%"), ())
            found = cursor.fetchone()[0]
            transaction.set_rollback(True)
        plan = (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]
        for node in _nodes(plan):
            if "Scan" in node["Node Type"] and (
                node.get("Relation Name") == "messaging_run" or node.get("Index Name", "").startswith("run_")
            ):
                ways.append(f"{node['Node Type']} {node.get('Index Name', '')}".strip())
                removed = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
                most = max(most, round((node["Actual Rows"] + removed) * node["Actual Loops"]))
    return most, ways


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from _nodes(inner)


def one(busy: Organization) -> Automation:
    return Automation.objects.get(organization=busy, name="one")


def page(busy: Organization, *, is_one: bool, after: Any = None, **wanted: str) -> Callable[[], object]:
    key = one(busy).pk if is_one else None
    return lambda: run_page(filtered(busy, RunFilter(**wanted), automation_id=key), after=after)


def day(before: int) -> str:
    return (timezone.now() - timedelta(days=before)).date().isoformat()


@pytest.mark.parametrize("is_one", [True, False], ids=["one", "all"])
@pytest.mark.parametrize(
    "wanted",
    [{}, {"status": "failed"}, {"status": "skipped"}, {"status": "waiting"}, {"reason": "no_luck",
     "status": "failed"}, {"until": 9}, {"since": 9, "until": 9}, {"status": "failed", "until": 9}, {"tests": "no"}],
    ids=lambda wanted: "-".join(wanted) or "everything",
)  # fmt: skip
def test_list_reads_what_it_shows(busy: Organization, is_one: bool, wanted: dict[str, Any]) -> None:
    texts = {name: day(value) if isinstance(value, int) else value for name, value in wanted.items()}
    most, ways = read_rows(page(busy, is_one=is_one, **texts))
    assert most <= _FEW, ways
    assert "Seq Scan" not in ways


@pytest.mark.parametrize("is_one", [True, False], ids=["one", "all"])
def test_later_page_and_search_by_number_read_what_they_show(busy: Organization, is_one: bool) -> None:
    some = Run.objects.filter(organization=busy, automation=one(busy)).order_by("-id")[5000]
    for action in (page(busy, is_one=is_one, after=some.pk), page(busy, is_one=is_one, query=some.phone)):
        most, ways = read_rows(action)
        assert most <= _FEW, ways
        assert "Seq Scan" not in ways


def test_counts_are_read_from_the_index_and_stop_at_ten_thousand(
    busy: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selectors, "COUNTED", 100)
    counts = selectors.counts_of_all(busy)
    assert counts.is_more and counts.failed > 40
    most, ways = read_rows(lambda: selectors.counts_of_all(busy))
    assert most <= 2 * 6 * 100 + 100, ways
    assert {way for way in ways if "Only" not in way} == set()


def test_counts_of_a_day_and_last_runs_read_no_more_than_they_count(busy: Organization) -> None:
    ids = list(Automation.objects.values_list("pk", flat=True))
    # Six statuses of each automation, and nothing of before: 360 runs began in six hours.
    most, ways = read_rows(lambda: selectors.counts_of(ids, since=selectors.lately(6)))
    assert most <= 6 * len(ids) * 360, ways
    assert "Seq Scan" not in ways
    most, ways = read_rows(lambda: selectors.last_runs_of(ids))
    assert most <= 2 * len(ids), ways


@pytest.mark.parametrize("look", ["failing", "late", "reasons", "failed", "retention"])
def test_watch_that_finds_little_reads_little(busy: Organization, look: str) -> None:
    action: dict[str, Callable[[], object]] = {
        "failing": lambda: list(watching.failing_automations()),
        "late": watching.late_organizations,
        "reasons": lambda: reasons_in(busy, None),
        "failed": lambda: list(failed_runs(busy, RunFilter())),
        "retention": lambda: list(
            forgetting.KEPT.older(busy, timezone.now() - timedelta(days=60)).order_by("pk").values_list("pk")[:500]
        ),
    }
    most, ways = read_rows(action[look])
    assert most <= _FEW, ways
    assert "Seq Scan" not in ways
