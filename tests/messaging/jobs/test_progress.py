"""What a member sees of long work, and who may stop it."""

from collections.abc import Iterator

import pytest

from integrations.organizations.roles import Capability
from messaging.jobs import registry
from messaging.jobs.models import Job
from messaging.jobs.registry import register_job
from tests.conftest import Cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def job(cast: Cast) -> Iterator[Job]:
    known = dict(registry._kinds)
    register_job("test.count", title="Counting sheep", capability=Capability.EDIT_CONTACTS)(lambda job, until: True)
    yield Job.objects.create(
        organization=cast.organization, kind="test.count", state="running", done=2500, total=10_000, note="half asleep"
    )
    registry._kinds.clear()
    registry._kinds.update(known)


def test_bar_shows_count_and_total_and_asks_again(cast: Cast, job: Job) -> None:
    page = cast.client("viewer").get(cast.url(f"jobs/{job.pk}/")).content.decode()
    assert "Counting sheep" in page
    assert "2,500 of 10,000" in page
    assert 'value="25"' in page
    assert f'hx-get="{cast.url(f"jobs/{job.pk}/")}"' in page


def test_bar_of_ended_work_has_the_page_read_anew_and_asks_no_more(cast: Cast, job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(state="failed", error="The file is an image.")
    answer = cast.client("agent").get(cast.url(f"jobs/{job.pk}/"))
    assert answer["HX-Refresh"] == "true"
    assert "The file is an image." in answer.content.decode()
    assert "hx-get" not in answer.content.decode()


def test_member_with_the_capability_stops_it_once(cast: Cast, job: Job) -> None:
    client, address = cast.client("agent"), cast.url(f"jobs/{job.pk}/cancel/")
    back = cast.url("contacts/")
    assert client.post(address, {"next": back})["Location"] == back
    job.refresh_from_db()
    assert job.state == "canceled"
    assert client.post(address, {"next": "https://elsewhere.example/"})["Location"] == cast.url("")


def test_viewer_and_stranger_stop_nothing(cast: Cast, job: Job) -> None:
    assert cast.client("viewer").post(cast.url(f"jobs/{job.pk}/cancel/")).status_code == 403
    assert cast.client("stranger").post(cast.url(f"jobs/{job.pk}/cancel/")).status_code == 404
    assert cast.client("stranger").get(f"/o/{cast.other.slug}/jobs/{job.pk}/").status_code == 404
    job.refresh_from_db()
    assert job.state == "running"
