"""The engine against the real sandbox process: what Twilio answers, and what becomes of the message."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone

from integrations.connections.models import Connection
from integrations.twilio.errors import TwilioRefused
from integrations.twilio.results import MessageSnapshot, read_message
from messaging.consent.models import OptOut
from messaging.sending import reconcile, sweeps
from messaging.sending.claim import Claimed
from messaging.sending.engine import Engine
from messaging.sending.models import Message, MessageEvent
from messaging.sending.outcomes import Outcome, settle
from messaging.sending.poll import poll_due
from messaging.sending.statuses import Status
from messaging.sending.transitions import advance_one
from tests.conftest import Cast
from tests.factories import ConnectionFactory, MessageFactory
from tests.plugins.sandbox import SandboxServer, wait_until

from .conftest import settled

pytestmark = pytest.mark.django_db(transaction=True)
Queue = Callable[..., Message]


def accepted_by(sandbox: SandboxServer, message: Message) -> list[dict[str, object]]:
    return sandbox.control.messages(account_sid=message.connection.account_sid, to=message.phone)


def test_queued_message_is_handed_over_once_with_its_sid(engine: Engine, queue: Queue, sandbox: SandboxServer) -> None:
    message = queue()
    engine.wake(message.connection_id, lane=0)
    settled(message, "accepted")
    assert message.provider_sid.startswith("SM")
    assert (message.attempts, message.claim_token, message.error_reason) == (1, None, "")
    assert [row["sid"] for row in accepted_by(sandbox, message)] == [message.provider_sid]
    assert list(message.events.values_list("status", flat=True)) == ["sending", "accepted"]


def test_many_messages_leave_concurrently_and_each_once(engine: Engine, queue: Queue, sandbox: SandboxServer) -> None:
    sandbox.control.set_dials({"latency_ms": 50})
    messages = [queue(body=f"Number {number}") for number in range(150)]
    engine.wake(messages[0].connection_id, lane=0)
    wait_until(lambda: not Message.objects.filter(status__in=["queued", "sending"]).exists(), seconds=20)
    assert Message.objects.filter(status="accepted").count() == 150
    assert sandbox.control.stats()["processed"] == 150


def test_opted_out_recipient_is_blocked_at_the_claim(engine: Engine, queue: Queue, sandbox: SandboxServer) -> None:
    message = queue()
    OptOut.objects.create(organization=message.organization, phone=message.phone, source="keyword")
    engine.wake(message.connection_id, lane=0)
    settled(message, "blocked")
    assert (message.error_reason, message.attempts) == ("opted_out", 0)
    assert accepted_by(sandbox, message) == []


def test_opt_out_of_another_sender_does_not_block(engine: Engine, queue: Queue) -> None:
    message = queue()
    OptOut.objects.create(
        organization=message.organization, phone=message.phone, source="twilio", scope="sender", sender="+15550001"
    )
    engine.wake(message.connection_id, lane=0)
    settled(message, "accepted")


def test_verification_code_leaves_although_opted_out(engine: Engine, queue: Queue) -> None:
    message = queue(purpose="verification")
    OptOut.objects.create(organization=message.organization, phone=message.phone, source="keyword")
    engine.wake(message.connection_id, lane=0)
    settled(message, "accepted")


def test_message_past_its_validity_is_not_sent(engine: Engine, queue: Queue, sandbox: SandboxServer) -> None:
    message = queue(valid_until=timezone.now() - timedelta(seconds=1))
    engine.wake(message.connection_id, lane=0)
    settled(message, "failed")
    assert message.error_reason == "expired"
    assert accepted_by(sandbox, message) == []


def test_permanent_refusal_fails_with_its_code_after_one_attempt(
    engine: Engine, queue: Queue, sandbox: SandboxServer
) -> None:
    message = queue()
    sandbox.control.set_dials({"outcomes": {message.phone: {"error_code": 21612}}})
    engine.wake(message.connection_id, lane=0)
    settled(message, "failed")
    assert (message.error_code, message.attempts) == (21612, 1)


def test_21610_fails_once_and_opts_out_for_that_sender_only(
    engine: Engine, queue: Queue, sandbox: SandboxServer
) -> None:
    message = queue()
    sandbox.control.set_dials({"outcomes": {message.phone: {"error_code": 21610}}})
    engine.wake(message.connection_id, lane=0)
    settled(message, "failed")
    assert (message.error_code, message.attempts) == (21610, 1)
    wait_until(OptOut.objects.exists)
    block = OptOut.objects.get()
    assert (block.scope, block.sender, block.source) == ("sender", message.sender, "twilio")


def test_rate_limit_goes_back_to_the_queue_and_arrives_later(
    engine: Engine, queue: Queue, sandbox: SandboxServer
) -> None:
    sandbox.control.set_dials({"rate_429": 1.0, "retry_after_s": 0})
    message = queue()
    engine.wake(message.connection_id, lane=0)
    wait_until(lambda: MessageEvent.objects.filter(message=message, note="refused_for_now").exists())
    message.refresh_from_db()
    assert message.status == "queued"
    assert message.error_code == 20429
    sandbox.control.set_dials({"rate_429": 0})
    Message.objects.filter(pk=message.pk).update(due_at=timezone.now())
    engine.wake(message.connection_id, lane=0)
    settled(message, "accepted")
    assert message.attempts == 2
    assert message.error_code is None


def test_wrong_secret_breaks_the_connection_and_the_message_waits(
    engine: Engine, queue: Queue, sandbox_connection: Connection
) -> None:
    sandbox_connection.auth_token = "f" * 32
    sandbox_connection.save()
    message = queue()
    engine.wake(message.connection_id, lane=0)
    wait_until(lambda: Connection.objects.get(pk=sandbox_connection.pk).status == "broken")
    settled(message, "queued")
    assert message.error_code == 20003
    assert Connection.objects.get(pk=sandbox_connection.pk).broken_code == 20003


def test_server_error_is_unknown_and_not_sent_again(engine: Engine, queue: Queue, sandbox: SandboxServer) -> None:
    sandbox.control.set_dials({"rate_5xx": 1.0})
    message = queue()
    engine.wake(message.connection_id, lane=0)
    settled(message, "unknown")
    assert message.attempts == 1
    assert sandbox.control.stats()["posts"] == 1


def test_accepted_then_hanging_is_found_in_the_list_and_adopted(
    engine: Engine, queue: Queue, sandbox: SandboxServer, settings: object
) -> None:
    settings.TWILIO_TIMEOUT, settings.RECONCILE_AFTER = 0.5, 0.1
    sandbox.control.set_dials({"rate_accept_hang": 1.0})
    message = queue()
    engine.wake(message.connection_id, lane=0)
    settled(message, "unknown")
    sandbox.control.set_dials({"rate_accept_hang": 0})
    wait_until(lambda: reconcile.reconcile_due() > 0)
    settled(message, "accepted", "sent", "delivered")
    accepted = accepted_by(sandbox, message)
    assert [row["sid"] for row in accepted] == [message.provider_sid]


def test_reset_before_processing_is_sent_again_only_after_the_horizon(
    engine: Engine, queue: Queue, sandbox: SandboxServer, settings: object
) -> None:
    settings.RECONCILE_AFTER, settings.RECONCILE_HORIZON = 0.1, 1.0
    sandbox.control.set_dials({"rate_reset_before": 1.0})
    message = queue()
    engine.wake(message.connection_id, lane=0)
    settled(message, "unknown")
    sandbox.control.set_dials({"rate_reset_before": 0})
    wait_until(lambda: reconcile.reconcile_due() > 0)
    message.refresh_from_db()
    assert message.status == "unknown", "absent, but the horizon is not reached: Twilio's list may lag"

    def is_back() -> bool:
        reconcile.reconcile_due()
        message.refresh_from_db()
        return message.status == "queued"

    wait_until(is_back, seconds=10)
    engine.wake(message.connection_id, lane=0)
    settled(message, "accepted", "sent", "delivered")
    assert message.attempts == 2
    assert len(accepted_by(sandbox, message)) == 1


def test_two_equal_texts_to_one_number_are_flagged_and_never_guessed(
    engine: Engine, queue: Queue, sandbox: SandboxServer, settings: object
) -> None:
    settings.TWILIO_TIMEOUT, settings.RECONCILE_AFTER, settings.RECONCILE_HORIZON = 0.5, 0.1, 0.5
    sandbox.control.set_dials({"rate_accept_hang": 1.0})
    first, second = queue(phone="+4915112345678"), queue(phone="+4915112345678")
    engine.wake(first.connection_id, lane=0)
    settled(first, "unknown")
    settled(second, "unknown")
    sandbox.control.set_dials({"rate_accept_hang": 0})

    def are_flagged() -> bool:
        reconcile.reconcile_due()
        return Message.objects.filter(needs_person=True, status="unknown").count() == 2

    wait_until(are_flagged, seconds=10)
    assert len(accepted_by(sandbox, first)) == 2


def test_killed_worker_leaves_unknown_not_a_second_message(queue: Queue) -> None:
    message = queue(
        status="sending",
        claim_token="0190b4f2-0000-7000-8000-000000000001",
        lease_until=timezone.now() - timedelta(seconds=1),
        attempts=1,
    )
    assert sweeps.release_expired_leases() == 1
    message.refresh_from_db()
    assert (message.status, message.error_reason) == ("unknown", "outcome_unknown")


def test_message_without_callbacks_is_polled_to_its_end(engine: Engine, queue: Queue) -> None:
    message = queue()
    engine.wake(message.connection_id, lane=0)
    settled(message, "accepted")

    def is_delivered() -> bool:
        Message.objects.filter(pk=message.pk, status__in=["accepted", "sent"]).update(next_check_at=timezone.now())
        poll_due()
        message.refresh_from_db()
        return message.status == "delivered"

    wait_until(is_delivered)
    assert message.events.last().source == "poll"
    assert message.next_check_at is None


def test_suspended_organization_sends_nothing(engine: Engine, queue: Queue, sandbox: SandboxServer) -> None:
    message = queue()
    message.organization.status = "suspended"
    message.organization.save()
    engine.wake(message.connection_id, lane=0)
    wait_until(lambda: not engine._lanes)
    message.refresh_from_db()
    assert message.status == "queued"
    assert sandbox.control.stats()["posts"] == 0


def test_stopping_engine_writes_what_is_under_way(engine: Engine, queue: Queue, sandbox: SandboxServer) -> None:
    sandbox.control.set_dials({"latency_ms": 400})
    message = queue()
    engine.wake(message.connection_id, lane=0)
    wait_until(lambda: engine.in_flight == 1)
    assert engine.stop(timeout=10)
    message.refresh_from_db()
    assert message.status == "accepted"


def test_refusal_of_credentials_that_were_rotated_meanwhile_breaks_nothing(
    queue: Queue, sandbox_connection: Connection
) -> None:
    message = queue(status="sending", claim_token=uuid.uuid4(), attempts=1)
    Connection.objects.filter(pk=sandbox_connection.pk).update(credentials_version=2)
    refused = TwilioRefused("Authenticate", code=20003, http_status=401)
    settle([Outcome(claimed=claimed(message), connection=sandbox_connection, answer=refused)])
    message.refresh_from_db()
    assert message.status == "queued"
    assert Connection.objects.get(pk=sandbox_connection.pk).status == "active"


@pytest.mark.parametrize("code", [21701, 21702, 21704, 21705])
def test_wrong_service_of_one_message_is_no_fault_of_the_connection(
    queue: Queue, sandbox_connection: Connection, code: int
) -> None:
    own, other = (queue(status="sending", claim_token=uuid.uuid4(), attempts=1) for _ in range(2))
    other.sender = "MG" + "f" * 32
    for message, status, after in ((other, "failed", "active"), (own, "queued", "broken")):
        refused = TwilioRefused("No such service", code=code, http_status=400)
        settle([Outcome(claimed=claimed(message), connection=sandbox_connection, answer=refused)])
        message.refresh_from_db()
        assert message.status == status
        assert Connection.objects.get(pk=sandbox_connection.pk).status == after


def claimed(message: Message) -> Claimed:
    token = message.claim_token
    return Claimed(message.pk, token, message.phone, message.sender, message.body, 1, 36_000.0)


def test_value_that_no_column_holds_does_not_stop_the_others(cast: Cast, sandbox_connection: Connection) -> None:
    good, bad = (
        MessageFactory(
            organization=cast.organization, connection=sandbox_connection, status="sending", claim_token=uuid.uuid4()
        )
        for _ in range(2)
    )
    settle([
        Outcome(
            claimed=claimed(row),
            connection=sandbox_connection,
            answer=read_message(SimpleNamespace(**_ANSWER | {"sid": sid})),
        )
        for row, sid in ((good, "SM" + "1" * 32), (bad, "SM" + "2" * 60))
    ])  # fmt: skip
    good.refresh_from_db()
    bad.refresh_from_db()
    assert (good.status, bad.status) == ("accepted", "sending")


_ANSWER = dict.fromkeys(
    ("account_sid", "to", "from_", "body", "direction", "messaging_service_sid", "num_segments", "price", "price_unit",
     "error_code", "date_created", "date_sent", "date_updated")
) | {"status": "queued"}  # fmt: skip


class TestWeighing:
    """What Twilio's list says of an unknown message."""

    def listed(self, number: int, **fields: object) -> MessageSnapshot:
        values = _ANSWER | {"sid": f"SM{number:032}", "body": "Something else", "date_created": timezone.now()} | fields
        return read_message(SimpleNamespace(**values))

    def test_list_that_ends_before_the_message_was_posted_proves_absence(self) -> None:
        message = Message(body="Hello", posted_at=timezone.now())
        assert reconcile.weigh(message, listed=[], known_sids=set(), siblings=[])[0] == "absent"

    def test_list_cut_within_the_time_of_the_message_proves_nothing(self) -> None:
        message = Message(body="Hello", posted_at=timezone.now())
        listed = [self.listed(number) for number in range(reconcile._LONGEST_LIST)]
        known = {one.sid for one in listed}
        assert reconcile.weigh(message, listed=listed, known_sids=known, siblings=[])[0] == "ambiguous"
        old = self.listed(0, date_created=timezone.now() - timedelta(hours=1))
        finding, _ = reconcile.weigh(message, listed=[*listed[1:], old], known_sids=known, siblings=[])
        assert finding == "absent"

    def test_equal_text_of_another_connection_to_the_same_account_is_a_rival(
        self, cast: Cast, sandbox_connection: Connection
    ) -> None:
        twin = ConnectionFactory(
            organization=cast.organization, mode="sandbox", account_sid=sandbox_connection.account_sid, is_default=False
        )
        first, _ = (
            MessageFactory(
                organization=cast.organization, connection=one, status="unknown", body="Hello", phone="+4915112345678"
            )
            for one in (sandbox_connection, twin)
        )
        theirs = self.listed(1, body="Hello")
        reconcile._settle(first, [theirs], account_sid=sandbox_connection.account_sid)
        first.refresh_from_db()
        assert (first.status, first.provider_sid) == ("unknown", "")

    @pytest.mark.parametrize(
        ("state", "age", "is_flagged"), [("sending", 0, False), ("unknown", 0, False), ("unknown", 1, True)]
    )
    def test_nobody_is_asked_while_the_other_text_may_belong_to_a_message_that_settles_itself(
        self, queue: Queue, settings: Any, state: str, age: int, is_flagged: bool
    ) -> None:
        over = timezone.now() - timedelta(seconds=settings.RECONCILE_HORIZON + 1)
        message = queue(status="unknown", body="Hello", unknown_since=over)
        queue(status=state, body="Something else", unknown_since=over if age else timezone.now(), phone=message.phone)
        reconcile._settle(message, [self.listed(1)], account_sid=message.connection.account_sid)
        message.refresh_from_db()
        assert (message.status, message.needs_person) == ("unknown", is_flagged)
        assert message.next_check_at > timezone.now()


def test_absence_found_for_an_earlier_attempt_does_not_requeue_a_later_one(queue: Queue) -> None:
    message = queue(status="unknown", claim_token=uuid.uuid4(), attempts=1)
    Message.objects.filter(pk=message.pk).update(claim_token=uuid.uuid4(), attempts=2)
    assert not advance_one(reconcile._back(message, to=Status.QUEUED, reason=""))
