"""Long work: slices that are saved once, whoever is killed where."""

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, transaction
from django.utils import timezone

from messaging.contacts.models import Contact
from messaging.jobs import registry, work
from messaging.jobs.models import Job
from messaging.jobs.registry import JobKind, register_job
from messaging.jobs.work import JobFailed, JobLost, save_progress
from tests.conftest import Cast

pytestmark = pytest.mark.django_db(transaction=True)
TOTAL = 5


@pytest.fixture(autouse=True)
def kinds() -> Iterator[dict[str, JobKind]]:
    known = dict(registry._kinds)
    yield registry._kinds
    registry._kinds.clear()
    registry._kinds.update(known)


def add_one(job: Job, until: float) -> bool:
    """Add the next contact: an effect that can be counted."""
    number = job.cursor.get("next", 0)
    with transaction.atomic():
        Contact.objects.create(organization=job.organization, phone=f"+49151123450{number:02d}")
        save_progress(job, cursor={"next": number + 1}, done=number + 1)
    return number + 1 == TOTAL


def started(cast: Cast, step: Any = add_one, **fields: Any) -> Job:
    register_job("test.count", title="Counting")(step)
    return work.start(cast.organization, kind="test.count", actor=cast.agent, **fields)


def test_job_is_done_in_slices_and_says_how_far_it_is(cast: Cast) -> None:
    job = started(cast, total=TOTAL)
    assert (job.state, job.percent, job.created_by_id) == ("waiting", 0, cast.agent.pk)
    assert work.run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.done, job.percent, job.lease_token) == ("done", TOTAL, 100, None)
    assert Contact.objects.count() == TOTAL


def test_finished_job_run_again_changes_nothing(cast: Cast) -> None:
    job = started(cast)
    work.run(job.pk)
    assert work.run(job.pk)
    assert Contact.objects.count() == TOTAL


def test_slice_of_a_lost_lease_is_not_saved(cast: Cast) -> None:
    job = started(cast)
    slow = work._claim(job.pk)
    Job.objects.filter(pk=job.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    assert work.run(job.pk)
    slow.cursor = {"next": 90}
    with pytest.raises(JobLost):
        add_one(slow, 0)
    assert Contact.objects.count() == TOTAL


def test_nobody_takes_a_job_that_somebody_works_on(cast: Cast) -> None:
    job = started(cast)
    assert work._claim(job.pk) is not None
    assert not work.run(job.pk)
    assert work.unattended() == []


def test_job_of_a_killed_process_is_found_when_its_lease_is_over(cast: Cast) -> None:
    job = started(cast)
    work._claim(job.pk)
    Job.objects.filter(pk=job.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    assert work.unattended() == [job.pk]


def test_canceled_job_saves_no_further_slice(cast: Cast) -> None:
    def cancel_in_the_middle(job: Job, until: float) -> bool:
        work.cancel(Job.objects.get(pk=job.pk))
        return add_one(job, until)

    job = started(cast, cancel_in_the_middle)
    assert work.run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.done, Contact.objects.count()) == ("canceled", 0, 0)
    assert not work.cancel(job)


def test_job_that_cannot_be_done_says_why(cast: Cast) -> None:
    def refuse(job: Job, until: float) -> bool:
        raise JobFailed("The file is an image. Save it as CSV.")

    job = started(cast, refuse)
    work.run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.error) == ("failed", "The file is an image. Save it as CSV.")


def test_fault_of_a_slice_is_tried_again_with_pauses_then_ends_in_words(cast: Cast) -> None:
    def stumble(job: Job, until: float) -> bool:
        raise ZeroDivisionError

    job = started(cast, stumble)
    for _ in range(work.MOST_FAILURES):
        assert not Job.objects.filter(pk=job.pk, state="failed").exists()
        work.run(job.pk)
        assert not work.run(job.pk) or Job.objects.filter(pk=job.pk, state="failed").exists()
        Job.objects.filter(pk=job.pk, state="running").update(lease_until=None)
    job.refresh_from_db()
    assert job.state == "failed"
    assert "Something failed on our side" in job.error


def test_restarted_database_costs_a_slice_not_the_job(cast: Cast) -> None:
    seen = []

    def interrupted(job: Job, until: float) -> bool:
        seen.append(job.cursor)
        if len(seen) == 2:
            raise OperationalError("terminating connection")
        return add_one(job, until)

    job = started(cast, interrupted)
    assert not work.run(job.pk)
    Job.objects.filter(pk=job.pk).update(lease_until=None)
    assert work.run(job.pk)
    assert Contact.objects.count() == TOTAL


def test_failures_of_a_long_job_are_forgiven_by_progress(cast: Cast) -> None:
    turns = []

    def stumbling(job: Job, until: float) -> bool:
        turns.append(1)
        if len(turns) % 2:
            raise OperationalError("deadlock detected")
        return add_one(job, until)

    job = started(cast, stumbling)
    for _ in range(TOTAL + 1):
        work.run(job.pk)
        Job.objects.filter(pk=job.pk).update(lease_until=None)
    job.refresh_from_db()
    assert (job.state, job.done) == ("done", TOTAL)


def test_slice_that_kills_its_worker_again_and_again_ends_in_words(cast: Cast) -> None:
    job = started(cast)
    over = timezone.now() - timedelta(seconds=1)
    for _ in range(work.MOST_FAILURES):
        assert work._claim(job.pk)
        Job.objects.filter(pk=job.pk).update(lease_until=over)
    assert work.run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.done) == ("failed", 0)
    assert "Something failed on our side" in job.error


def test_long_job_makes_room_and_goes_on_later(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "TURN", 0.05)

    def slowly(job: Job, until: float) -> bool:
        time.sleep(0.03)
        return add_one(job, until)

    job = started(cast, slowly)
    assert not work.run(job.pk)
    assert work.unattended() == [job.pk]
    for _ in range(TOTAL):
        if work.run(job.pk):
            break
    assert Contact.objects.count() == TOTAL


def test_progress_is_saved_in_the_transaction_of_the_effects_or_not_at_all(cast: Cast) -> None:
    job = started(cast)
    with pytest.raises(RuntimeError):
        save_progress(job, done=1)


def test_unknown_kind_ends_in_words(cast: Cast) -> None:
    job = started(cast)
    del registry._kinds["test.count"]
    assert work.run(job.pk)
    job.refresh_from_db()
    assert job.state == "failed"
    assert "does not know" in job.error
    with pytest.raises(ValueError, match="registered"):
        work.start(cast.organization, kind="test.count")
