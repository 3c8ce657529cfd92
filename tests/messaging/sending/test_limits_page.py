"""The page of sending limits: who may see it, what it saves, what it refuses, what it shows."""

import re

import pytest

from integrations.connections.models import Connection
from integrations.organizations.models import AuditEntry
from messaging.sending import pace
from messaging.sending.limit_models import DailyUse, Pace, SendingPolicy
from messaging.sending.models import Message
from messaging.sending.outbox import Draft, EnqueueProblem, enqueue
from messaging.sending.policy import change_policy, set_sender_limit
from messaging.sending.reasons import reason_of
from tests.conftest import Cast

pytestmark = pytest.mark.django_db
VALUES = {
    "daily_cap": "500",
    "is_quiet": "on",
    "quiet_from": "21:00",
    "quiet_until": "07:30",
    "blocked_regions": ["KP"],
}


def test_admin_saves_the_limits_once(cast: Cast) -> None:
    client, address = cast.client("admin"), cast.url("messages/limits/")
    page = client.get(address)
    assert page.status_code == 200
    # Whether to tick a box is a yes or no: there is nothing optional about it.
    assert re.search(r"<input[^>]*name=.is_quiet.[^>]*> Send no marketing at night</label>", page.content.decode())
    for _ in range(2):
        assert client.post(address, VALUES).status_code == 302
    policy = SendingPolicy.objects.get()
    assert (policy.daily_cap, policy.is_quiet, f"{policy.quiet_until:%H:%M}", policy.blocked_regions) == (
        500, True, "07:30", ["KP"])  # fmt: skip
    assert AuditEntry.objects.filter(action="sending.limits_changed").count() == 1
    assert "changed the sending limits" in cast.client("owner").get(cast.url("audit/")).content.decode()


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"quiet_until": "21:00"}, "Quiet hours need an end"),
        ({"daily_cap": "0"}, "greater than or equal to 1"),
        ({"quiet_from": ""}, "required"),
        ({"blocked_regions": ["XX"]}, "XX"),
    ],
)
def test_wrong_limits_are_told_at_the_field_and_save_nothing(cast: Cast, wrong: dict[str, object], words: str) -> None:
    answer = cast.client("admin").post(cast.url("messages/limits/"), VALUES | wrong)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not SendingPolicy.objects.exists()


@pytest.mark.parametrize(("who", "status"), [("agent", 403), ("viewer", 403), ("stranger", 404), (None, 302)])
def test_others_may_not(cast: Cast, connection: Connection, who: str | None, status: int) -> None:
    client = cast.client(who)
    assert client.get(cast.url("messages/limits/")).status_code == status
    assert client.post(cast.url(f"messages/limits/{connection.pk}/speed/"), {"sender": "+15550001111", "mps": "1"}
                       ).status_code == status  # fmt: skip
    assert not Pace.objects.exists()


def test_speed_of_a_sender_is_set_shown_and_taken_away(cast: Cast, connection: Connection) -> None:
    client, address = cast.client("admin"), cast.url(f"messages/limits/{connection.pk}/speed/")
    assert client.post(address, {"sender": "+1 555 010 1111", "mps": "2.5"}).status_code in (302, 422)
    assert client.post(address, {"sender": "+14155550111", "mps": "2.5"}).status_code == 302
    page = client.get(cast.url("messages/limits/")).content.decode()
    assert "+14155550111" in page
    assert "2.5" in page
    assert client.post(address, {"sender": "+14155550111", "mps": ""}).status_code == 302
    assert Pace.objects.get(sender="+14155550111").mps is None
    assert client.post(address, {"sender": "this is no sender at all", "mps": "1"}).status_code == 422


def test_speed_of_another_organizations_connection_is_not_found(cast: Cast, connection: Connection) -> None:
    address = cast.url(f"messages/limits/{connection.pk}/speed/", cast.other)
    assert cast.client("stranger").post(address, {"sender": "+14155550111", "mps": "1"}).status_code == 404


def test_lowered_speed_is_shown_with_its_cause(cast: Cast, connection: Connection) -> None:
    set_sender_limit(connection, sender="+14155550111", mps=10, actor=None)
    pace.slow_down(connection.pk, "+14155550111", 30022)
    page = cast.client("admin").get(cast.url("messages/limits/")).content.decode()
    assert "lowered to 5.0" in page
    assert "Too fast for your US campaign" in page


def test_use_of_today_is_shown(cast: Cast) -> None:
    change_policy(cast.organization, values={"daily_cap": 10}, actor=None)
    DailyUse.objects.update(used=8)
    page = cast.client("admin").get(cast.url("messages/limits/")).content.decode()
    assert "8 of 10 messages are used" in page
    assert "The limit is near" in page


def test_country_not_sent_to_is_refused_with_words(cast: Cast, connection: Connection) -> None:
    change_policy(cast.organization, values={"blocked_regions": ["FR"]}, actor=None)
    with pytest.raises(EnqueueProblem, match="France is a country") as refused:
        enqueue(cast.organization, draft=Draft(to="+33612345678", body="Bonjour"))
    assert (refused.value.code, refused.value.field) == ("blocked_region", "to")
    assert enqueue(cast.organization, draft=Draft(to="+4915112345678", body="Hallo")).status == "queued"
    assert Message.objects.count() == 1


def test_message_that_waits_for_the_morning_says_until_when(cast: Cast, connection: Connection) -> None:
    message = enqueue(cast.organization, draft=Draft(to="+4915112345678", body="Hallo"))
    message.error_reason = "quiet_hours"
    message.due_at = message.due_at.replace(month=1, day=10, hour=7, minute=0)
    reason = reason_of(message)
    assert reason is not None
    assert reason.title == "Waits until 08:00 where they are."


def test_code_lives_shorter_than_other_messages(cast: Cast, connection: Connection) -> None:
    lives = {
        purpose: (message.valid_until - message.due_at).total_seconds()
        for purpose in ("verification", "transactional")
        for message in [enqueue(cast.organization, draft=Draft(to="+4915112345678", body="1234", purpose=purpose))]
    }
    assert lives == {"verification": 600, "transactional": 36_000}
