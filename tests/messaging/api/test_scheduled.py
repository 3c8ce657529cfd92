"""Messages for later through the API: canceled until they are handed over, and then not any more."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.db.models.functions import Now

from integrations.connections.models import Connection
from messaging.consent.opt_outs import opt_out
from messaging.sending.claim import claim_batch
from messaging.sending.models import Message
from messaging.sending.sweeps import release_scheduled
from tests.conftest import Cast

from .conftest import Caller, problem_of

pytestmark = pytest.mark.django_db
TO = "+4915112345678"


@pytest.fixture
def scheduled(api: Caller, connection: Connection) -> Callable[[], Message]:
    """Hand a message in that is due in two hours."""

    def make() -> Message:
        at = datetime.now(UTC) + timedelta(hours=2)
        told = api.post("messages", {"to": TO, "body": "Tomorrow at nine.", "send_at": at.isoformat()})
        assert (told.status_code, told.json()["status"]) == (202, "scheduled")
        return Message.objects.get(pk=told.json()["id"])

    return make


def its_time_comes(message: Message) -> int:
    Message.objects.filter(pk=message.pk).update(due_at=Now() - timedelta(seconds=1))
    return release_scheduled()


def claimed(message: Message) -> list[object]:
    """Return what a worker would send now."""
    claim = claim_batch(message.connection_id, sender=message.sender, lane=message.lane, limit=10)  # type: ignore[arg-type]
    return [one.id for one in claim.messages]


def test_one_that_was_canceled_does_not_go_when_its_time_comes(api: Caller, scheduled: Callable[[], Message]) -> None:
    message = scheduled()
    assert release_scheduled() == 0, "not yet"
    assert api.post(f"messages/{message.pk}/cancel").json()["status"] == "canceled"
    assert its_time_comes(message) == 0
    assert claimed(message) == []
    told = api.get(f"messages/{message.pk}").json()
    assert (told["status"], told["attempts"]) == ("canceled", 0)
    assert [event["status"] for event in told["events"]] == ["scheduled", "canceled"]


def test_one_whose_time_has_come_is_canceled_as_long_as_nobody_took_it(
    api: Caller, scheduled: Callable[[], Message]
) -> None:
    message = scheduled()
    assert its_time_comes(message) == 1
    assert api.get(f"messages/{message.pk}").json()["status"] == "queued"
    assert api.post(f"messages/{message.pk}/cancel").json()["status"] == "canceled"
    assert claimed(message) == []


def test_one_that_is_being_handed_over_is_not_canceled(api: Caller, scheduled: Callable[[], Message]) -> None:
    message = scheduled()
    its_time_comes(message)
    assert claimed(message) == [message.pk]
    problem_of(api.post(f"messages/{message.pk}/cancel"), 409, "not_cancelable")
    assert api.get(f"messages/{message.pk}").json()["status"] == "sending"


def test_who_opts_out_before_its_time_gets_nothing(api: Caller, cast: Cast, scheduled: Callable[[], Message]) -> None:
    message = scheduled()
    opt_out(cast.organization, phone=TO, source="keyword")
    its_time_comes(message)
    assert claimed(message) == []
    told = api.get(f"messages/{message.pk}").json()
    assert (told["status"], told["error"]["code"], told["attempts"]) == ("blocked", "opted_out", 0)
