"""The lists of automations and of runs: what they show, find and count, page by page, in how many statements."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from integrations.identifiers import first_id_of
from messaging.automations.models import Automation, Run, RunMessage, RunStep
from messaging.automations.publishing import create
from tests.conftest import Cast
from tests.factories import ContactFactory
from tests.messaging.automations.conftest import MakeAutomation, spec

from .conftest import OURS, make_run, of_other

pytestmark = pytest.mark.django_db


def page(cast: Cast, path: str, who: str = "viewer", **query: str) -> str:
    answer = cast.client(who).get(cast.url(f"automations/{path}"), query)
    assert answer.status_code == 200
    return answer.content.decode()


def found(cast: Cast, path: str, **typed: str) -> tuple[str, str]:
    """Search by POST; return the address of what was found, and its page."""
    client = cast.client("viewer")
    answer = client.post(cast.url(f"automations/{path}"), typed)
    assert answer.status_code == 302
    return answer["Location"], client.get(answer["Location"]).content.decode()


def test_list_says_what_sets_it_off_and_how_the_runs_fare(cast: Cast, welcome: Automation) -> None:
    for number in range(3):
        make_run(welcome, str(number))
    make_run(welcome, "bad", status="failed")
    make_run(welcome, "tried", is_test=True)
    make_run(
        welcome,
        "old",
        id=first_id_of(datetime.now(UTC) - timedelta(days=3)),
        created_at=datetime(2020, 1, 1, tzinfo=UTC),
    )
    text = " ".join(page(cast, "").split())
    assert "Welcome" in text and "Live" in text and "Test" in text
    assert ">4</a>" in text and "1 failed" in text  # a day
    assert ">5</a>" in text  # a week


def test_archived_ones_are_shown_where_asked_for(cast: Cast, welcome: Automation) -> None:
    Automation.objects.update(status="archived")
    assert "Welcome" not in page(cast, "")
    assert "Welcome" in found(cast, "", status="archived")[1]
    assert "Welcome" in found(cast, "", status="all")[1]
    assert "Welcome" not in found(cast, "", status="live")[1]


def test_changes_that_are_not_published_are_told(cast: Cast, welcome: Automation) -> None:
    assert "changes not published" not in page(cast, "")
    Automation.objects.update(draft={**welcome.draft, "nodes": []})
    assert "changes not published" in page(cast, "")


def test_empty_list_offers_the_first_step_to_who_may_take_it(cast: Cast) -> None:
    assert "No automations yet" in page(cast, "")
    assert "Build the first automation" not in page(cast, "")
    assert "No automations yet" in page(cast, "", "owner")


def test_names_are_searched_and_pages_follow_by_key(cast: Cast) -> None:
    for number in range(52):
        create(cast.organization, name=f"Automation {number}", actor=cast.admin)
    first = cast.client("viewer").get(cast.url("automations/"))
    assert "Automation 51" in first.content.decode() and "Automation 1<" not in first.content.decode()
    second = page(cast, "", after=str(first.context["page"].next))
    assert "Automation 1<" in second and "Automation 51" not in second
    address, text = found(cast, "", q="tion 17")
    assert "17" not in address.partition("?")[0] and "Automation 17" in text and "Automation 18" not in text
    assert "Nothing fits" in found(cast, "", q="nothing like it")[1]


def test_stranger_sees_nothing(cast: Cast, welcome: Automation) -> None:
    run = make_run(welcome, "1")
    theirs = of_other(cast)
    for path in ("", "runs/", f"{welcome.pk}/runs/", f"runs/{run.pk}/", f"runs/{run.pk}/messages/"):
        assert cast.client("stranger").get(cast.url(f"automations/{path}")).status_code == 404
    for path in (f"{theirs.pk}/runs/", f"runs/{Run.objects.get(key='theirs').pk}/"):
        assert cast.client("owner").get(cast.url(f"automations/{path}")).status_code == 404
    assert "Yonder" not in page(cast, "") + page(cast, "runs/")
    assert "Yonder" in cast.client("stranger").get(cast.url("automations/runs/", cast.other)).content.decode()


def test_run_list_shows_status_reason_and_place(cast: Cast, welcome: Automation) -> None:
    contact = ContactFactory(organization=cast.organization, name="Anna Schmidt", phone=OURS)
    make_run(welcome, "1", status="failed", contact=contact, phone=OURS)
    make_run(welcome, "2", status="skipped", reason="cap", detail="This number has set the automation off once.")
    make_run(welcome, "3", status="waiting", is_test=True)
    for path in (f"{welcome.pk}/runs/", "runs/"):
        text = page(cast, path)
        assert "Anna Schmidt" in text and "+49 1511 2345678" in text
        assert "No luck" in text and "at Act" in text and "It did not work. Try something else." in text
        assert "Limit of the number" in text and "Not begun" in text and "TEST" in text
        assert "1 failed" in text and "1 not begun" in text and "waiting</a>" not in text  # tests are not counted


def test_run_that_is_done_says_what_it_could_not_send(cast: Cast, welcome: Automation) -> None:
    run, tried = make_run(welcome, "1"), make_run(welcome, "2", is_test=True)
    for one, output in ((run, {"count": 1, "blocked": 1, "skipped": 1}), (tried, {"count": 0, "skipped": 7})):
        RunStep.objects.create(
            run=one, ordinal=1, node="n1", kind="send_sms", status="done", output=output, started_at=run.created_at
        )
    RunStep.objects.create(
        run=run, ordinal=2, node="n2", kind="act", status="done", output={"blocked": "x"}, started_at=run.created_at
    )
    text = page(cast, "runs/")
    assert "2 texts not sent" in text and "7 texts" not in text


def test_progress_of_a_step_that_writes_to_many_is_shown(cast: Cast, welcome: Automation) -> None:
    run = make_run(welcome, "1", status="waiting")
    step = RunStep.objects.create(
        run=run, ordinal=1, node="n1", kind="act", memory={"total": 1200, "cursor": "x"}, started_at=run.created_at
    )
    RunMessage.objects.bulk_create(RunMessage(run=run, step=step, key=str(number)) for number in range(300))
    assert "300 of 1,200" in page(cast, "runs/")
    text = page(cast, f"runs/{run.pk}/")
    assert "300 of 1,200" in text and 'value="25"' in text and "All 300 messages" in text


@pytest.mark.parametrize("typed", ["+49 1511 2345678", "01511 2345678", "Anna", "345678"])
def test_number_and_name_are_searched_and_stand_in_no_address(cast: Cast, welcome: Automation, typed: str) -> None:
    contact = ContactFactory(organization=cast.organization, name="Anna Schmidt", phone=OURS)
    wanted = make_run(welcome, "1", contact=contact, phone=OURS)
    other = make_run(welcome, "2", phone="+4915187654321")
    address, text = found(cast, "runs/", query=typed)
    assert not any(part in address for part in (typed[-4:], "2345678"))
    assert str(wanted.pk) in text and str(other.pk) not in text
    assert str(wanted.pk) in cast.client("viewer").get(cast.url("automations/runs/")).content.decode()


def test_number_without_a_contact_is_found(cast: Cast, welcome: Automation) -> None:
    wanted = make_run(welcome, "1", phone=OURS)
    assert str(wanted.pk) in found(cast, f"{welcome.pk}/runs/", query="+4915112345678")[1]


@pytest.mark.parametrize(
    ("narrowed", "shown"),
    [
        ({"status": "failed"}, "f1 f2"),
        ({"status": "failed", "node": "n2"}, "f2"),
        ({"reason": "no_luck"}, "f1"),
        ({"tests": "only"}, "test"),
        ({"tests": "no", "status": "done"}, "done old"),
        ({"until": "2021-01-01"}, "old"),
        ({"since": "2020-06-05", "until": "2020-06-05"}, "old"),
        ({"since": "2020-06-06"}, "f1 f2 test done"),
        ({"status": "nonsense", "node": "nX", "since": "13.13.2020"}, "f1 f2 test done old"),
    ],
    ids=str,
)
def test_filters(cast: Cast, welcome: Automation, narrowed: dict[str, str], shown: str) -> None:
    long_ago = datetime(2020, 6, 5, 12, tzinfo=UTC)
    made = {
        "f1": make_run(welcome, "1", status="failed"),
        "f2": make_run(welcome, "2", status="failed", position="n2", reason="missing_value"),
        "test": make_run(welcome, "3", is_test=True),
        "done": make_run(welcome, "4"),
        "old": make_run(welcome, "5", id=first_id_of(long_ago), created_at=long_ago),
    }
    text = page(cast, f"{welcome.pk}/runs/", **narrowed)
    assert {name for name, run in made.items() if f"/runs/{run.pk}/" in text} == set(shown.split())
    assert {
        name for name, run in made.items() if f"/runs/{run.pk}/" in found(cast, f"{welcome.pk}/runs/", **narrowed)[1]
    } == set(shown.split())


def test_runs_of_all_are_narrowed_to_an_automation(cast: Cast, welcome: Automation, automation: MakeAutomation) -> None:
    other = automation(spec("n1"), name="Other")
    mine, theirs = make_run(welcome, "1"), make_run(other, "1")
    text = page(cast, "runs/", automation=str(welcome.pk))
    assert str(mine.pk) in text and str(theirs.pk) not in text


def test_pages_of_runs_follow_by_key(cast: Cast, welcome: Automation) -> None:
    runs = [make_run(welcome, str(number)) for number in range(52)]
    first = cast.client("viewer").get(cast.url(f"automations/{welcome.pk}/runs/"), {"status": "done"})
    text = first.content.decode()
    assert str(runs[51].pk) in text and str(runs[0].pk) not in text and "status=done&amp;after=" in text
    second = page(cast, f"{welcome.pk}/runs/", status="done", after=str(first.context["page"].next))
    assert str(runs[0].pk) in second and str(runs[51].pk) not in second
    assert page(cast, "runs/", after="nonsense")


@pytest.mark.parametrize("path", ["", "runs/", "{}/runs/"])
def test_lists_ask_as_much_for_many_as_for_few(
    cast: Cast, automation: MakeAutomation, path: str, django_assert_max_num_queries: Any
) -> None:
    def fill(number: int) -> Automation:
        made = automation(spec("n1"), name=f"Number {number}")
        contact = ContactFactory(organization=cast.organization)
        for status in ("failed", "waiting", "done"):
            make_run(made, status, status=status, contact=contact, phone=contact.phone)
        return made

    first, client = fill(0), cast.client("viewer")
    address = cast.url(f"automations/{path.format(first.pk)}")
    client.get(address)
    with CaptureQueriesContext(database) as few:
        client.get(address)
    for number in range(1, 9):
        fill(number)
        for status in ("failed", "waiting", "done"):
            make_run(first, f"{status} {number}", status=status)
    with django_assert_max_num_queries(len(few)):
        client.get(address)
