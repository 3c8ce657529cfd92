"""Very many waiting runs, when their automation is resumed or archived: the first at once, the others by a job."""

from typing import Any

import pytest

from messaging.automations import settling
from messaging.automations.models import Automation, Run, RunStep
from messaging.automations.publishing import pause, publish, resume
from messaging.jobs import work
from messaging.jobs.models import Job
from tests.conftest import Cast

from .conftest import make_run

pytestmark = pytest.mark.django_db

HELD = Run.Lane.HELD_QUICK


@pytest.fixture(autouse=True)
def small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settling, "SLICE", 2)


def wait(automation: Automation, count: int = 7, **values: Any) -> list[Run]:
    return [make_run(automation, f"{number}", status="waiting", **values) for number in range(count)]


def lanes(runs: list[Run]) -> list[int]:
    return [Run.objects.get(pk=run.pk).lane for run in runs]


def post(cast: Cast, automation: Automation, what: str) -> str:
    address = cast.url(f"automations/{automation.pk}/{what}/")
    return cast.client("owner").post(address, follow=True).content.decode()


def text_of(cast: Cast, path: str) -> str:
    return " ".join(cast.client("owner").get(cast.url(f"automations/{path}")).content.decode().split())


def test_resumed_runs_go_on_in_slices_the_oldest_first(cast: Cast, welcome: Automation) -> None:
    pause(welcome, actor=cast.owner)
    runs = wait(welcome, lane=HELD)
    outside = make_run(welcome, "outside", status="waiting", lane=Run.Lane.HELD_OUTSIDE)
    assert "so do the runs that waited, 6 of them by and by" in post(cast, welcome, "resume")
    assert lanes(runs) == [Run.Lane.QUICK] * 2 + [HELD] * 5
    for page in (f"{welcome.pk}/settings/", f"{welcome.pk}/runs/"):
        assert "Letting runs go on" in text_of(cast, page)
    assert "The automation was resumed. The run goes on within minutes" in text_of(cast, f"runs/{runs[-1].pk}/")
    job = Job.objects.get()
    assert work.run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.done, job.total) == ("done", 6, 6)
    assert lanes([*runs, outside]) == [Run.Lane.QUICK] * 7 + [Run.Lane.OUTSIDE]
    assert "Letting runs go on" not in text_of(cast, f"{welcome.pk}/settings/")


def test_few_runs_go_on_at_once_without_a_job(cast: Cast, welcome: Automation) -> None:
    pause(welcome, actor=cast.owner)
    runs = wait(welcome, 2, lane=HELD)
    assert "so do the runs that waited. What happened" in post(cast, welcome, "resume")
    assert lanes(runs) == [Run.Lane.QUICK] * 2 and not Job.objects.exists()


def test_what_is_published_while_it_was_paused_lets_all_go(cast: Cast, welcome: Automation) -> None:
    pause(welcome, actor=cast.owner)
    runs = wait(welcome, lane=HELD)
    publish(welcome, actor=cast.owner)
    assert work.run(Job.objects.get().pk)
    assert lanes(runs) == [Run.Lane.QUICK] * 7


def test_who_pauses_again_keeps_what_was_not_let_go_yet(cast: Cast, welcome: Automation) -> None:
    pause(welcome, actor=cast.owner)
    runs = wait(welcome, lane=HELD)
    resume(welcome, actor=cast.owner)
    pause(welcome, actor=cast.owner)
    first = Job.objects.get()
    assert work.run(first.pk) and lanes(runs)[2:] == [HELD] * 5
    resume(welcome, actor=cast.owner)
    assert work.run(Job.objects.exclude(pk=first.pk).get().pk)
    assert lanes(runs) == [Run.Lane.QUICK] * 7


def test_archived_runs_are_stopped_in_slices_with_their_steps(cast: Cast, welcome: Automation) -> None:
    runs = wait(welcome)
    for run in runs:
        RunStep.objects.create(run=run, ordinal=1, node="n1", kind="act", started_at=run.created_at)
    done = make_run(welcome, "done")
    other = Run.objects.create(
        organization=cast.organization,
        automation=Automation.objects.create(organization=cast.organization, name="Other"),
        version=welcome.live,
        key="1",
        due_at=done.due_at,
    )
    assert "7 waiting runs are being stopped, the oldest first" in post(cast, welcome, "archive")
    assert Run.objects.filter(automation=welcome, status="stopped").count() == 2
    assert "Stopping runs" in text_of(cast, f"{welcome.pk}/settings/")
    assert "The run is stopped within minutes" in text_of(cast, f"runs/{runs[-1].pk}/")
    assert work.run(Job.objects.get().pk)
    assert set(Run.objects.filter(pk__in=[run.pk for run in runs]).values_list("status", "reason")) == {
        ("stopped", "archived")
    }
    assert set(RunStep.objects.values_list("status", "reason")) == {("failed", "archived")}
    assert (Run.objects.get(pk=done.pk).status, Run.objects.get(pk=other.pk).status) == ("done", "waiting")


def test_work_for_another_automation_is_not_shown(cast: Cast, welcome: Automation) -> None:
    work.start(cast.organization, kind=settling.LET_GO, params={"automation": str(cast.organization.pk)})
    assert settling.running_job(welcome) is None
