"""What is done to an automation as a whole, and to many failed runs at once."""

import time
import uuid
from typing import Any

import pytest

from integrations.organizations.models import AuditEntry
from messaging.automations import moves, retrying
from messaging.automations.models import Automation, Run
from messaging.automations.run_filter import RunFilter
from messaging.jobs import work
from messaging.jobs.models import Job
from tests.conftest import Cast
from tests.messaging.automations.conftest import MakeAutomation, begin, carry_on, spec

from .conftest import OURS, make_run, of_other

pytestmark = pytest.mark.django_db


def post(cast: Cast, path: str, who: str = "owner", **data: Any) -> str:
    return cast.client(who).post(cast.url(f"automations/{path}"), data, follow=True).content.decode()


def test_only_who_builds_pauses_resumes_archives_and_sets_limits(cast: Cast, welcome: Automation) -> None:
    for path in ("pause", "resume", "archive", "duplicate", "settings"):
        address = cast.url(f"automations/{welcome.pk}/{path}/")
        assert cast.client("agent").post(address).status_code == 403
        assert cast.client("stranger").post(address).status_code == 404
        assert cast.client("owner").post(cast.url(f"automations/{of_other(cast).pk}/{path}/")).status_code == 404
        Automation.objects.filter(organization=cast.other).update(name="Yonder")
        Run.objects.filter(organization=cast.other).delete()
    welcome.refresh_from_db()
    assert (welcome.status, Automation.objects.filter(organization=cast.organization).count()) == ("live", 1)


def test_pause_and_resume_say_what_becomes_of_the_waiting(cast: Cast, automation: MakeAutomation) -> None:
    made = automation(spec("n1", "wait"))
    begin(made)
    carry_on()
    text = post(cast, f"{made.pk}/pause/")
    assert "Paused." in text and "1 waiting run stays where it is." in text and "1 run waits to go on" in text
    assert "It was not running: paused." in post(cast, f"{made.pk}/pause/")
    assert "It runs again" in post(cast, f"{made.pk}/resume/")
    assert "It was not paused: live." in post(cast, f"{made.pk}/resume/")


def test_archive_names_its_consequence_first(cast: Cast, automation: MakeAutomation) -> None:
    made = automation(spec("n1", "wait"))
    begin(made, "1"), begin(made, "2")
    carry_on()
    text = cast.client("owner").get(cast.url(f"automations/{made.pk}/archive/")).content.decode()
    assert "Archive and stop 2 waiting runs" in text
    assert "2 waiting runs were stopped" in post(cast, f"{made.pk}/archive/")
    assert "It was archived already." in post(cast, f"{made.pk}/archive/")
    assert set(Run.objects.values_list("status", "reason")) == {("stopped", "archived")}


def test_copy_is_a_draft_with_the_same_limits(cast: Cast, welcome: Automation) -> None:
    Automation.objects.update(cap_count=3)
    assert "Welcome (copy) is a draft." in post(cast, f"{welcome.pk}/duplicate/")
    copy = Automation.objects.get(name="Welcome (copy)")
    assert (copy.status, copy.cap_count, copy.draft["nodes"]) == ("draft", 3, welcome.draft["nodes"])


def test_name_and_limits_are_saved_and_stand_in_the_audit_log(cast: Cast, welcome: Automation) -> None:
    text = post(cast, f"{welcome.pk}/settings/", name="Hello", cap_count="", cap_hours="48", per_minute="30")
    assert "Saved." in text
    welcome.refresh_from_db()
    assert (welcome.name, welcome.cap_count, welcome.cap_hours, welcome.per_minute) == ("Hello", None, 48, 30)
    actions = set(AuditEntry.objects.values_list("action", flat=True))
    assert {"automation.renamed", "automation.limits_changed"} <= actions
    log = cast.client("owner").get(cast.url("audit/")).content.decode()
    assert "renamed the automation" in log


@pytest.mark.parametrize(
    "wrong",
    [{"name": " "}, {"cap_count": "0"}, {"cap_hours": ""}, {"per_minute": "x"}, {"cap_hours": "9" * 9}],
    ids=str,
)
def test_wrong_limits_are_said_at_the_field_and_keep_what_was_typed(
    cast: Cast, welcome: Automation, wrong: dict[str, str]
) -> None:
    data = {"name": "Hello", "cap_count": "7", "cap_hours": "24", "per_minute": "", **wrong}
    answer = cast.client("owner").post(cast.url(f"automations/{welcome.pk}/settings/"), data)
    assert answer.status_code == 422 and set(answer.context["form"].errors) == set(wrong)
    welcome.refresh_from_db()
    assert (welcome.name, welcome.cap_count) == ("Welcome", 10)


def test_all_failed_runs_that_fit_are_tried_again_after_the_count_was_shown(cast: Cast, welcome: Automation) -> None:
    fit = [make_run(welcome, str(number), status="failed") for number in range(3)]
    others = [
        make_run(welcome, "a", status="failed", reason="other"),
        make_run(welcome, "b"),
    ]
    theirs = of_other(cast)
    address = cast.url(f"automations/{welcome.pk}/runs/retry/") + "?reason=no_luck"
    assert cast.client("viewer").get(address).status_code == 403
    text = cast.client("agent").get(address).content.decode()
    assert "Try 3 failed runs again?" in text and "cannot be undone" in text
    assert "3 runs go on" in cast.client("agent").post(address, follow=True).content.decode()
    assert {Run.objects.get(pk=run.pk).status for run in fit} == {"waiting"}
    assert [Run.objects.get(pk=run.pk).status for run in others] == ["failed", "done"]
    assert Run.objects.get(automation=theirs).status == "failed"
    assert "Nothing that failed fits" in cast.client("agent").post(address, follow=True).content.decode()
    entry = AuditEntry.objects.get(action="automation.runs_retried")
    assert entry.changes == {"count": "3"}


def test_search_by_number_narrows_what_is_tried_again(
    cast: Cast, welcome: Automation, automation: MakeAutomation
) -> None:
    wanted, other = make_run(welcome, "1", status="failed", phone=OURS), make_run(welcome, "2", status="failed")
    client = cast.client("agent")
    found = client.post(cast.url("automations/runs/"), {"query": "+49 1511 2345678"})["Location"]
    link = found.replace("/runs/?", "/runs/retry/?")
    assert link in client.get(found).content.decode()
    assert "1 run goes on" in client.post(link, follow=True).content.decode()
    assert (Run.objects.get(pk=wanted.pk).status, Run.objects.get(pk=other.pk).status) == ("waiting", "failed")


def test_runs_of_archived_automations_stay_as_they_are(cast: Cast, welcome: Automation) -> None:
    make_run(welcome, "1", status="failed")
    Automation.objects.update(status="archived")
    assert "Nothing that failed fits" in post(cast, "runs/retry/", "agent")
    assert not moves.retry(Run.objects.get(), actor=cast.agent)


def test_more_than_ten_thousand_are_a_job_that_tries_each_once(
    cast: Cast, welcome: Automation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retrying, "MOST_AT_ONCE", 4)
    monkeypatch.setattr(retrying, "SLICE", 2)
    runs = [make_run(welcome, str(number), status="failed") for number in range(7)]
    address = cast.url("automations/runs/retry/")
    assert "7 runs are tried again" in cast.client("agent").post(address, follow=True).content.decode()
    job = Job.objects.get(kind=retrying.RETRY)
    assert (job.total, job.params["newest"]) == (7, str(runs[-1].pk))
    late = make_run(welcome, "late", status="failed")
    text = cast.client("agent").get(cast.url("automations/runs/")).content.decode()
    assert "Trying failed runs again" in text and "again…" not in text
    work.run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.done) == ("done", 7)
    assert Run.objects.filter(status="waiting").count() == 7
    assert Run.objects.get(pk=late.pk).status == "failed"


@pytest.mark.parametrize("end", ["done", "canceled", "failed"])
def test_job_forgets_whom_was_searched_for_however_it_ends(
    cast: Cast, welcome: Automation, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    monkeypatch.setattr(retrying, "MOST_AT_ONCE", 1)
    wanted = [make_run(welcome, str(number), status="failed", phone=OURS) for number in range(3)]
    other = make_run(welcome, "other", status="failed")
    job = retrying.retry_found(cast.organization, RunFilter(query=OURS), actor=cast.agent)
    assert isinstance(job, Job) and OURS in str(job.params)
    if end == "canceled":
        assert work.cancel(job)
    if end == "failed":
        Job.objects.update(failures=work.MOST_FAILURES)
    work.run(job.pk)
    job.refresh_from_db()
    assert job.state == end and OURS not in str(vars(job)) and set(job.params) == {"newest"}
    assert {Run.objects.get(pk=run.pk).status for run in wanted} == {"waiting" if end == "done" else "failed"}
    assert Run.objects.get(pk=other.pk).status == "failed"


def test_slice_of_the_job_begins_behind_the_last_one(cast: Cast, welcome: Automation) -> None:
    runs = [make_run(welcome, str(number), status="failed") for number in range(3)]
    job = work.start(
        cast.organization, kind=retrying.RETRY, params={"wanted": {}, "newest": str(runs[-1].pk)}, actor=cast.agent
    )
    Job.objects.filter(pk=job.pk).update(cursor={"after": str(runs[0].pk)}, state="running", lease_token=uuid.uuid4())
    job.refresh_from_db()
    assert retrying.retry_slice(job, time.monotonic() + 5)
    assert Run.objects.get(pk=runs[0].pk).status == "failed"
    assert job.done == 2


def test_filter_survives_the_job_as_json() -> None:
    wanted = RunFilter(status="failed", reason="no_luck")
    assert RunFilter.from_json(wanted.as_json()) == wanted
    assert RunFilter.from_json(["nonsense"]) == RunFilter() == RunFilter.from_json({"status": 7, "else": "x"})
