"""Each line of what other systems taught about sending and callbacks, and the tests that hold us to it.

The tests stand with what they test; here they are listed by lesson, and it is proven that they exist. A lesson without
a test fails, and so does a test that was renamed and forgotten here.
"""

import ast
from collections.abc import Callable
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.db.models.functions import Now

from integrations.connections import registry
from integrations.connections.models import Connection
from integrations.twilio.errors import TwilioRefused, TwilioUnreachable
from messaging.sending.engine import Engine
from messaging.sending.models import Message
from messaging.sending.outbox import Draft, EnqueueProblem, enqueue
from messaging.sending.poll import poll_due
from messaging.sending.sweeps import expire_waiting
from messaging.sending.verdict import MAX_ATTEMPTS, judge
from tests.conftest import Cast
from tests.plugins.sandbox import SandboxServer, wait_until

from .conftest import settled

TESTS = Path(__file__).resolve().parents[2]
SENDING, RECEIPTS, BROADCASTS = "messaging/sending", "messaging/receipts", "messaging/broadcasts"

LESSONS: dict[str, list[tuple[str, str]]] = {
    "Twilio accepts, then the socket times out: exactly one SMS, settled without a person": [
        (f"{SENDING}/test_engine.py", "test_accepted_then_hanging_is_found_in_the_list_and_adopted"),
        (f"{SENDING}/test_engine.py", "test_reset_before_processing_is_sent_again_only_after_the_horizon"),
        (f"{SENDING}/test_engine.py", "test_server_error_is_unknown_and_not_sent_again"),
    ],
    "a worker is killed between claim and answer: nothing lost, nothing sent twice": [
        (f"{SENDING}/test_engine.py", "test_killed_worker_leaves_unknown_not_a_second_message"),
        ("chaos/test_chaos_smoke.py", "*"),
    ],
    "delivered, then a late sent or queued: stays delivered": [
        (f"{RECEIPTS}/test_status_callbacks.py", "test_late_sent_and_queued_change_nothing_after_delivered"),
    ],
    "the same callback five times, a failed without code after one with a code: one event each, the code is kept": [
        (f"{RECEIPTS}/test_status_callbacks.py", "test_same_callback_five_times_is_one_event"),
        (f"{RECEIPTS}/test_status_callbacks.py", "test_failed_without_code_after_one_with_a_code_keeps_the_code"),
    ],
    "a callback arrives before the SID was stored: applied by our id": [
        (f"{RECEIPTS}/test_status_callbacks.py", "test_callback_before_the_sid_was_stored_is_applied_by_our_id"),
    ],
    "callbacks never come: polled and settled, the code is kept": [
        (f"{SENDING}/test_engine.py", "test_message_without_callbacks_is_polled_to_its_end"),
        (f"{SENDING}/test_pace.py", "test_failure_found_by_polling_slows_its_sender_down"),
        (f"{SENDING}/test_lessons.py", "test_failure_found_by_polling_keeps_its_code"),
    ],
    "21610 on POST or in a callback: one attempt, opted out for that sender only": [
        (f"{SENDING}/test_engine.py", "test_21610_fails_once_and_opts_out_for_that_sender_only"),
        (f"{RECEIPTS}/test_status_callbacks.py", "test_21610_in_a_callback_opts_out_for_that_sender_only"),
    ],
    "signed webhook with a proxy's host, a query string, a rotated token, an API-key-only organization: accepted": [
        (f"{RECEIPTS}/test_status_callbacks.py", "test_signature_counts_whatever_host_a_proxy_made_of_it"),
        (f"{RECEIPTS}/test_status_callbacks.py", "test_query_string_is_part_of_what_is_signed"),
        (f"{RECEIPTS}/test_status_callbacks.py", "test_rotated_token_is_accepted_beside_the_old_one"),
        (f"{RECEIPTS}/test_status_callbacks.py", "test_own_signature_is_accepted_with_the_right_account"),
    ],
    "a forged, unsigned or replayed webhook: refused or harmless": [
        (
            f"{RECEIPTS}/test_status_callbacks.py",
            "test_forged_unsigned_and_replayed_elsewhere_are_refused_with_a_reason",
        ),
        (f"{RECEIPTS}/test_status_callbacks.py", "test_replay_of_a_genuine_callback_is_harmless"),
    ],
    "a 1,700-character text: a clear error before anything is sent": [
        (f"{SENDING}/test_lessons.py", "test_text_of_1700_characters_is_refused_before_anything_is_stored"),
    ],
    "the secret cannot be decrypted, or is revoked: fails loudly for that organization": [
        (f"{SENDING}/test_engine.py", "test_wrong_secret_breaks_the_connection_and_the_message_waits"),
        (f"{SENDING}/test_lessons.py", "test_secret_that_cannot_be_read_sends_nothing"),
    ],
    "a broadcast starves login codes: never": [
        (f"{SENDING}/test_places.py", "test_two_broadcasts_under_way_do_not_delay_a_login_code"),
        (f"{SENDING}/test_places.py", "test_bulk_of_many_connections_leaves_a_share_of_the_process"),
        (f"{SENDING}/test_pace.py", "test_transactional_message_finds_a_moment_before_the_next_of_bulk"),
    ],
    "STOP recorded too widely or not at all: a report shows that nothing went out in between": [
        (f"{SENDING}/test_engine.py", "test_opt_out_of_another_sender_does_not_block"),
        (f"{SENDING}/test_begin.py", "test_nothing_begins_later_than_a_second_after_a_stop"),
        (f"{SENDING}/test_stop.py", "test_nothing_follows_a_stop_whatever_waits_and_the_proof_says_so"),
        (
            "messaging/consent/test_proof.py",
            "test_what_was_claimed_before_the_opt_out_was_committed_is_not_counted",
        ),
    ],
    "a CSV with an error in row 812: said in its cell, nothing queued until clean, a row never twice": [
        (
            f"{BROADCASTS}/test_pages.py",
            "test_a_file_with_an_error_in_row_812_queues_nothing_until_that_row_is_left_out",
        ),
        (f"{BROADCASTS}/test_feeder.py", "test_the_database_itself_refuses_a_row_twice"),
        (f"{BROADCASTS}/test_feeder.py", "test_two_feeders_at_once_make_each_message_once"),
    ],
    "costs discovered on the bill: segments, price and total are known before sending": [
        (
            f"{BROADCASTS}/test_dry_run.py",
            "test_the_price_is_a_range_by_country_and_the_real_one_stands_beside_it_afterwards",
        ),
        ("messaging/pricing/test_estimate.py", "test_send_page_shows_what_the_message_will_cost"),
    ],
    "a status page that says 30034: it says what that means and what to do": [
        (f"{SENDING}/test_pages.py", "test_failure_is_explained_with_the_remedy_and_the_timeline"),
    ],
}


@cache
def _functions(path: str) -> frozenset[str]:
    tree = ast.parse((TESTS / path).read_text())
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize("lesson", LESSONS)
def test_every_lesson_has_its_tests(lesson: str) -> None:
    for path, name in LESSONS[lesson]:
        names = _functions(path)
        assert name in names or (name == "*" and any(one.startswith("test_") for one in names)), f"{path}: {name}"


@pytest.mark.django_db(transaction=True)
def test_failure_found_by_polling_keeps_its_code(
    engine: Engine, queue: Callable[..., Message], sandbox: SandboxServer
) -> None:
    message = queue()
    sandbox.control.change_dials({"outcomes": {message.phone: {"status": "undelivered", "error_code": 30003}}})
    engine.wake(message.connection_id, lane=0)
    settled(message, "accepted")

    def is_over() -> bool:
        Message.objects.filter(pk=message.pk, status__in=["accepted", "sent"]).update(
            next_check_at=Now() - timedelta(seconds=1)
        )
        poll_due()
        message.refresh_from_db()
        return message.status == "undelivered"

    wait_until(is_over)
    assert message.error_code == 30003


@pytest.mark.django_db
def test_text_of_1700_characters_is_refused_before_anything_is_stored(cast: Cast, connection: Connection) -> None:
    with pytest.raises(EnqueueProblem, match="1,700 characters") as refused:
        enqueue(cast.organization, draft=Draft(to="+4915112345678", body="x" * 1700))
    assert (refused.value.code, refused.value.field) == ("too_long", "body")
    assert not Message.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_secret_that_cannot_be_read_sends_nothing(
    engine: Engine, queue: Callable[..., Message], sandbox: SandboxServer, settings: Any
) -> None:
    message = queue()
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode()]
    engine.wake(message.connection_id, lane=0)
    wait_until(lambda: not engine._lanes)
    message.refresh_from_db()
    assert (message.status, message.attempts) == ("queued", 0)
    assert sandbox.control.stats()["posts"] == 0


# 21702 is no code the sandbox refuses with: see test_wrong_service_of_one_message_is_no_fault_of_the_connection.
@pytest.mark.parametrize("code", [20003, 10001, 21704])
@pytest.mark.django_db(transaction=True)
def test_refusal_of_the_whole_connection_is_told_once_and_new_sends_hear_the_cause(
    engine: Engine, queue: Callable[..., Message], sandbox: SandboxServer, cast: Cast, code: int
) -> None:
    told: list[Connection] = []
    registry.on_connection_broken(told.append)
    try:
        messages = [queue() for _ in range(3)]
        sandbox.control.set_dials({"outcomes": {one.phone: {"error_code": code} for one in messages}})
        engine.wake(messages[0].connection_id, lane=0)
        wait_until(lambda: Connection.objects.get(pk=messages[0].connection_id).status == "broken")
        for message in messages:
            settled(message, "queued")
        wait_until(lambda: len(told) == 1)
        assert told[0].broken_code == code
        with pytest.raises(EnqueueProblem, match="is broken") as refused:
            enqueue(cast.organization, draft=Draft(to="+4915112345678", body="Hello"))
        assert refused.value.code == "connection_broken"
        Message.objects.update(valid_until=Now() - timedelta(seconds=1))
        assert expire_waiting() == 3
        assert set(Message.objects.values_list("error_reason", "error_code")) == {("connection_broken", code)}
    finally:
        registry._on_broken.remove(told.append)


def test_giving_up_keeps_what_twilio_said_last() -> None:
    busy = TwilioRefused("Queue is full", code=21611, http_status=400)
    verdict = judge(busy, attempts=MAX_ATTEMPTS)
    assert (verdict.decision, verdict.code, verdict.reason, verdict.note) == (
        "fail", 21611, "gave_up", "refused_for_now")  # fmt: skip
    away = judge(TwilioUnreachable("No way"), attempts=MAX_ATTEMPTS)
    assert (away.code, away.reason, away.note) == (None, "gave_up", "unreachable")
