"""What we ask Twilio when nobody told us: with growing pauses, to an end, and never guessing between two alike."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection as database
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from integrations.connections.models import Connection
from integrations.sandbox.credentials import SandboxCredentials
from integrations.twilio.results import read_message
from messaging.sending import reconcile
from messaging.sending.claim import Claimed
from messaging.sending.engine import Engine
from messaging.sending.models import Message
from messaging.sending.outcomes import Outcome, settle
from messaging.sending.poll import GIVEN_UP_AFTER, poll_due
from messaging.sending.verdict import MAX_ATTEMPTS
from tests.conftest import Cast
from tests.factories import ConnectionFactory, MessageFactory
from tests.messaging.receipts.conftest import Post, post_hook  # noqa: F401
from tests.plugins.sandbox import SandboxServer, wait_until

from .conftest import settled

pytestmark = pytest.mark.django_db(transaction=True)
Queue = Callable[..., Message]
PERSON = "+4915112345678"


def ask_again(message: Message, ask: Callable[[], int]) -> float | None:
    """Let the message's time come, ask, and return the seconds until it comes the next time."""
    Message.objects.filter(pk=message.pk).update(next_check_at=Now() - timedelta(seconds=1))
    assert ask() == 1
    message.refresh_from_db()
    return (message.next_check_at - timezone.now()).total_seconds() if message.next_check_at else None


def test_unknown_message_is_looked_up_with_growing_pauses(engine: Engine, queue: Queue, settings: Any) -> None:
    settings.RECONCILE_AFTER, settings.RECONCILE_HORIZON = 5, 600
    message = queue(status="unknown", unknown_since=timezone.now(), posted_at=timezone.now(), attempts=1)
    pauses = [ask_again(message, reconcile.reconcile_due) for _ in range(5)]
    assert pauses == [pytest.approx(wanted, abs=4) for wanted in (5, 10, 20, 40, 60)]
    assert message.status == "unknown"


def test_last_look_falls_on_the_horizon(engine: Engine, queue: Queue, settings: Any) -> None:
    settings.RECONCILE_AFTER, settings.RECONCILE_HORIZON = 40, 60
    since = timezone.now() - timedelta(seconds=30)
    message = queue(status="unknown", unknown_since=since, posted_at=since, attempts=1)
    assert ask_again(message, reconcile.reconcile_due) == pytest.approx(30, abs=4)


def test_message_that_twilio_never_got_is_given_up_after_the_last_attempt(
    engine: Engine, queue: Queue, settings: Any
) -> None:
    over = timezone.now() - timedelta(seconds=settings.RECONCILE_HORIZON + 1)
    for attempts, status in ((MAX_ATTEMPTS - 1, "queued"), (MAX_ATTEMPTS, "failed")):
        message = queue(status="unknown", unknown_since=over, posted_at=over, attempts=attempts, phone=PERSON)
        ask_again(message, reconcile.reconcile_due)
        assert message.status == status
    assert message.error_reason == "gave_up"


def test_two_equal_texts_are_told_apart_by_their_callbacks(
    engine: Engine,
    queue: Queue,
    sandbox: SandboxServer,
    sandbox_connection: Connection,
    account: SandboxCredentials,
    post_hook: Post,  # noqa: F811
    settings: Any,
) -> None:
    settings.TWILIO_TIMEOUT, settings.RECONCILE_AFTER, settings.RECONCILE_HORIZON = 0.5, 0.1, 0.5
    sandbox.control.change_dials({"rate_accept_hang": 1.0})
    first, second = queue(phone=PERSON), queue(phone=PERSON)
    engine.wake(sandbox_connection.pk, lane=0)
    settled(first, "unknown")
    settled(second, "unknown")
    wait_until(
        lambda: reconcile.reconcile_due() >= 0 and Message.objects.filter(needs_person=True).count() == 2, seconds=20
    )
    sids = [row["sid"] for row in sandbox.control.messages(account_sid=account.account_sid, to=PERSON)]
    assert len(sids) == 2

    # Twilio calls back for one of them, and so the other is known as well.
    path = f"/hooks/twilio/{sandbox_connection.hook_key}/status/{second.pk}"
    params = {"AccountSid": account.account_sid, "MessageSid": sids[0], "MessageStatus": "delivered", "To": PERSON}
    assert post_hook(path, params, token=account.auth_token).status_code == 204
    second.refresh_from_db()
    assert (second.status, second.provider_sid, second.needs_person) == ("delivered", sids[0], False)
    ask_again(first, reconcile.reconcile_due)
    assert first.status in {"accepted", "sent", "delivered"}
    assert (first.provider_sid, first.needs_person) == (sids[1], False)
    assert len(sandbox.control.messages(account_sid=account.account_sid, to=PERSON)) == 2


def test_two_organizations_over_one_account_are_not_taken_for_each_other(
    engine: Engine, queue: Queue, cast: Cast, sandbox: SandboxServer, account: SandboxCredentials, settings: Any
) -> None:
    settings.RECONCILE_HORIZON = 0.1
    long_ago = timezone.now() - timedelta(seconds=20)
    other = ConnectionFactory(
        organization=cast.other, mode="sandbox", account_sid=account.account_sid, auth_token=account.auth_token
    )
    times = {"status": "unknown", "unknown_since": long_ago, "posted_at": long_ago, "attempts": 1, "phone": PERSON}
    ours = queue(**times, body="Your parcel is here.")
    theirs = MessageFactory(organization=cast.other, connection=other, body=ours.body, **times)
    sandbox.api(account).send(to=PERSON, body=ours.body)
    ask_again(ours, reconcile.reconcile_due)
    assert (ours.status, ours.provider_sid) == ("unknown", ""), "it may be the other organization's"
    Message.objects.filter(pk=theirs.pk).update(status="failed", finished_at=Now())
    ask_again(ours, reconcile.reconcile_due)
    assert ours.provider_sid.startswith("SM")


@pytest.fixture
def never_final(
    queue: Queue, sandbox: SandboxServer, account: SandboxCredentials, engine: Engine
) -> Callable[[timedelta], Message]:
    """Make a message of some age that is on its way for ever."""
    sandbox.control.change_dials({"carrier": {"final": {"delivered": 0, "undelivered": 0, "failed": 0, "sent": 1}}})

    def make(age: timedelta) -> Message:
        sid = sandbox.api(account).send(to=PERSON).json()["sid"]
        wait_until(lambda: sandbox.api(account).message(sid)["status"] == "sent")
        return queue(phone=PERSON, status="sent", provider_sid=sid, handed_over_at=timezone.now() - age)

    return make


def test_message_is_polled_with_growing_pauses(never_final: Callable[[timedelta], Message], settings: Any) -> None:
    settings.POLL_AFTER = 60
    message = never_final(timedelta(0))
    pauses = [ask_again(message, poll_due) for _ in range(4)]
    assert pauses == [pytest.approx(wanted, abs=4) for wanted in (60, 120, 240, 480)]
    Message.objects.update(probes=30)
    message.refresh_from_db()
    assert ask_again(message, poll_due) == pytest.approx(6 * 3600, abs=4)


def test_nobody_asks_any_more_after_three_days(never_final: Callable[[timedelta], Message]) -> None:
    assert timedelta(days=3) == GIVEN_UP_AFTER
    message = never_final(timedelta(days=3) - timedelta(seconds=10))
    assert ask_again(message, poll_due) is None
    assert message.status == "sent", "it stays what Twilio last said of it"
    assert poll_due() == 0


def test_outcomes_of_many_cost_as_many_statements_as_of_two(queue: Queue, sandbox_connection: Connection) -> None:
    def statements(count: int) -> int:
        outcomes = []
        for _ in range(count):
            message = queue(status="sending", claim_token=uuid.uuid4(), attempts=1)
            claimed = Claimed(message.pk, message.claim_token, message.phone, message.sender, message.body, 1, 36_000.0)
            answer = read_message(SimpleNamespace(**_ANSWER | {"sid": f"SM{uuid.uuid4().hex}"}))
            outcomes.append(Outcome(claimed=claimed, connection=sandbox_connection, answer=answer))
        with CaptureQueriesContext(database) as asked:
            settle(outcomes)
        return len(asked)

    statements(1)
    assert statements(60) == statements(2)
    assert Message.objects.filter(status="accepted").count() == 63


_ANSWER = dict.fromkeys(
    ("account_sid", "to", "from_", "body", "direction", "messaging_service_sid", "num_segments", "price", "price_unit",
     "error_code", "date_created", "date_sent", "date_updated")
) | {"status": "queued"}  # fmt: skip
