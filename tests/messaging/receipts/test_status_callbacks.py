"""Status callbacks: believed only when genuine, stored as they came, applied forward only."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from integrations.connections.credentials import hook_signature
from integrations.connections.disconnecting import disconnect
from integrations.connections.hook_keys import recall
from integrations.connections.models import Connection, RefusedWebhook
from integrations.encryption import Secret
from integrations.twilio.signatures import sign
from messaging.consent.models import OptOut
from messaging.receipts.apply import apply_batch
from messaging.receipts.models import Callback
from messaging.receipts.tasks import apply_pending
from messaging.sending.models import Message, MessageEvent
from tests.factories import ConnectionFactory, MessageFactory

from .conftest import SID, TOKEN, Post

pytestmark = pytest.mark.django_db


def fresh(message: Message) -> Message:
    message.refresh_from_db()
    return message


def test_delivered_callback_is_stored_and_applied(message: Message, callback: Post) -> None:
    assert callback(message, "delivered", RawDlrDoneDate="2601011200").status_code == 204
    assert fresh(message).status == "delivered"
    assert message.finished_at is not None
    stored = Callback.objects.get()
    assert (stored.outcome, stored.params["RawDlrDoneDate"]) == ("applied", "2601011200")


def test_late_sent_and_queued_change_nothing_after_delivered(message: Message, callback: Post) -> None:
    for status in ("delivered", "sent", "queued", "sending"):
        assert callback(message, status).status_code == 204
    assert fresh(message).status == "delivered"
    assert list(message.events.values_list("status", flat=True)) == ["delivered"]
    assert Callback.objects.filter(outcome="nothing_new").count() == 3


def test_message_thought_absent_is_not_sent_again_once_a_callback_names_it(message: Message, callback: Post) -> None:
    Message.objects.filter(pk=message.pk).update(status="queued", provider_sid="", attempts=1)
    assert callback(message, "sent").status_code == 204
    assert (fresh(message).status, message.provider_sid) == ("sent", SID)


def test_same_callback_five_times_is_one_event(message: Message, callback: Post) -> None:
    for _ in range(5):
        assert callback(message, "sent").status_code == 204
    assert message.events.count() == 1
    assert Callback.objects.count() == 5


def test_only_delivered_may_become_read(message: Message, callback: Post) -> None:
    callback(message, "delivered")
    callback(message, "read")
    assert fresh(message).status == "read"
    callback(message, "undelivered", ErrorCode="30003")
    assert (fresh(message).status, message.error_code) == ("read", None)


def test_failed_without_code_after_one_with_a_code_keeps_the_code(message: Message, callback: Post) -> None:
    callback(message, "failed", ErrorCode="30007")
    callback(message, "failed")
    assert (fresh(message).status, message.error_code) == ("failed", 30007)
    assert message.events.count() == 1


def test_code_that_comes_with_a_second_failed_is_filled_in(message: Message, callback: Post) -> None:
    callback(message, "undelivered")
    callback(message, "undelivered", ErrorCode="30005")
    assert fresh(message).error_code == 30005
    assert message.events.count() == 1


def test_callback_before_the_sid_was_stored_is_applied_by_our_id(
    connection: Connection, message: Message, callback: Post
) -> None:
    early = MessageFactory(organization=message.organization, connection=connection, status="sending")
    assert callback(early, "delivered", sid="SM" + "b" * 32).status_code == 204
    assert (fresh(early).status, early.provider_sid) == ("delivered", "SM" + "b" * 32)


def test_unknown_message_is_settled_by_its_callback(connection: Connection, message: Message, callback: Post) -> None:
    lost = MessageFactory(organization=message.organization, connection=connection, status="unknown")
    callback(lost, "sent", sid="SM" + "c" * 32)
    assert (fresh(lost).status, lost.provider_sid) == ("sent", "SM" + "c" * 32)


def test_contradicting_sid_is_stored_and_flagged_but_not_applied(message: Message, callback: Post) -> None:
    assert callback(message, "delivered", sid="SM" + "f" * 32).status_code == 204
    assert (fresh(message).status, message.provider_sid) == ("accepted", SID)
    assert Callback.objects.get().outcome == "contradicts"


def test_sid_of_another_message_is_a_contradiction_not_a_crash(
    connection: Connection, message: Message, callback: Post
) -> None:
    other = MessageFactory(organization=message.organization, connection=connection, status="sending")
    assert callback(other, "sent", sid=SID).status_code == 204
    assert fresh(other).status == "sending"
    assert Callback.objects.get().outcome == "contradicts"


def test_genuine_callback_for_no_message_of_ours_is_kept(
    connection: Connection, post_hook: Post, message: Message
) -> None:
    path = f"/hooks/twilio/{connection.hook_key}/status/{uuid.uuid4()}"
    assert post_hook(path, {"MessageSid": SID, "MessageStatus": "sent"}).status_code == 204
    assert Callback.objects.get().outcome == "unknown_message"


def test_message_of_another_connection_is_not_touched(
    cast: Any, connection: Connection, post_hook: Post, message: Message
) -> None:
    foreign = MessageFactory(organization=cast.other, status="accepted", provider_sid="SM" + "d" * 32)
    path = f"/hooks/twilio/{connection.hook_key}/status/{foreign.pk}"
    assert post_hook(path, {"MessageSid": "SM" + "d" * 32, "MessageStatus": "delivered"}).status_code == 204
    assert fresh(foreign).status == "accepted"


def test_21610_in_a_callback_opts_out_for_that_sender_only(message: Message, callback: Post) -> None:
    callback(message, "failed", ErrorCode="21610")
    block = OptOut.objects.get()
    assert (block.scope, block.sender, block.phone) == ("sender", message.sender, message.phone)


@pytest.mark.parametrize("code", ["", "abc", "99999999999999999999", "-5", "３０００３"])
def test_strange_error_code_does_no_harm(message: Message, callback: Post, code: str) -> None:
    assert callback(message, "failed", ErrorCode=code).status_code == 204
    assert (fresh(message).status, message.error_code) == ("failed", None)


def test_forged_unsigned_and_replayed_elsewhere_are_refused_with_a_reason(
    connection: Connection, message: Message, callback: Post
) -> None:
    assert callback(message, "delivered", token=None).status_code == 403
    assert callback(message, "delivered", token="f" * 32).status_code == 403
    assert fresh(message).status == "accepted"
    assert not Callback.objects.exists()
    assert set(RefusedWebhook.objects.values_list("reason", flat=True)) == {"unsigned", "wrong_signature"}


def test_replay_of_a_genuine_callback_is_harmless(message: Message, callback: Post) -> None:
    callback(message, "sent")
    callback(message, "delivered")
    callback(message, "sent")
    assert fresh(message).status == "delivered"


def test_signature_counts_whatever_host_a_proxy_made_of_it(
    message: Message, callback: Post, connection: Connection
) -> None:
    path = f"/hooks/twilio/{connection.hook_key}/status/{message.pk}"
    params = {"MessageSid": SID, "MessageStatus": "delivered", "ErrorMessage": ""}
    signature = sign(url=settings.PUBLIC_BASE_URL + path, params=params, token=TOKEN)
    answer = Client(headers={"host": "localhost"}).post(path, params, headers={"X-Twilio-Signature": signature})
    assert answer.status_code == 204


def test_query_string_is_part_of_what_is_signed(connection: Connection, message: Message, post_hook: Post) -> None:
    path = f"/hooks/twilio/{connection.hook_key}/status/{message.pk}?a=b%20c&d="
    assert post_hook(path, {"MessageSid": SID, "MessageStatus": "delivered"}).status_code == 204
    assert fresh(message).status == "delivered"


@pytest.mark.parametrize("field", ["signing_token", "signing_token_secondary"])
def test_rotated_token_is_accepted_beside_the_old_one(
    connection: Connection, message: Message, callback: Post, field: str
) -> None:
    setattr(connection, field, "fedcba9876543210fedcba9876543210")
    connection.save()
    assert callback(message, "sent", token="fedcba9876543210fedcba9876543210").status_code == 204
    assert callback(message, "delivered", token=TOKEN).status_code == 204


class TestRememberedConnection:
    """The web remembers connections between requests, and yet believes only who may sign at this moment."""

    OLD, NEW = TOKEN, "fedcba9876543210fedcba9876543210"

    @pytest.fixture(autouse=True)
    def remembered(self, connection: Connection, message: Message, callback: Post) -> None:
        callback(message, "queued")
        assert recall(connection.hook_key) == connection

    def test_what_is_remembered_is_stored_in_one_statement(
        self, message: Message, connection: Connection, django_assert_num_queries: Any
    ) -> None:
        path = f"/hooks/twilio/{connection.hook_key}/status/{message.pk}"
        params = {"MessageSid": SID, "MessageStatus": "sent"}
        signature = sign(url=settings.PUBLIC_BASE_URL + path, params=params, token=TOKEN)
        with django_assert_num_queries(1):
            assert Client().post(path, params, headers={"X-Twilio-Signature": signature}).status_code == 204

    def test_token_that_was_replaced_is_refused_at_once(
        self, connection: Connection, message: Message, callback: Post
    ) -> None:
        Connection.objects.filter(pk=connection.pk).update(auth_token=Secret.of(self.NEW))
        assert callback(message, "sent", token=self.OLD).status_code == 403
        assert callback(message, "sent", token=self.NEW).status_code == 204
        assert callback(message, "delivered", token=self.OLD).status_code == 403
        assert fresh(message).status == "sent"

    def test_token_that_was_added_is_accepted_at_once_and_refused_when_it_is_taken_away(
        self, connection: Connection, message: Message, callback: Post
    ) -> None:
        Connection.objects.filter(pk=connection.pk).update(signing_token=Secret.of(self.NEW))
        assert callback(message, "sent", token=self.NEW).status_code == 204
        Connection.objects.filter(pk=connection.pk).update(signing_token=Secret.of(""))
        assert callback(message, "delivered", token=self.NEW).status_code == 403
        assert fresh(message).status == "sent"

    def test_disconnected_connection_is_refused_at_once(
        self, cast: Any, connection: Connection, message: Message, callback: Post
    ) -> None:
        disconnect(connection, actor=cast.owner)
        assert callback(message, "delivered").status_code == 403
        assert fresh(message).status == "accepted"
        assert RefusedWebhook.objects.get().reason == "disconnected"


class TestConnectionWithoutToken:
    """An API key alone cannot check Twilio's signature: our own HMAC in the address does."""

    @pytest.fixture
    def key_only(self, cast: Any) -> Connection:
        return ConnectionFactory(
            organization=cast.other, auth="api_key", api_key_sid="SK" + "1" * 32, api_key_secret="s" * 32, auth_token=""
        )

    def post(self, connection: Connection, message: Message, h: str, account: str) -> Any:
        path = f"/hooks/twilio/{connection.hook_key}/status/{message.pk}?h={h}"
        params = {"MessageSid": SID, "MessageStatus": "delivered", "AccountSid": account}
        answer = Client().post(path, params)
        apply_batch()
        return answer

    def test_own_signature_is_accepted_with_the_right_account(self, key_only: Connection) -> None:
        message = MessageFactory(organization=key_only.organization, connection=key_only, status="accepted")
        proof = hook_signature(key_only, f"status/{message.pk}")
        assert self.post(key_only, message, proof, key_only.account_sid).status_code == 204
        assert fresh(message).status == "delivered"

    def test_wrong_account_other_message_and_missing_proof_are_refused(self, key_only: Connection) -> None:
        message = MessageFactory(organization=key_only.organization, connection=key_only, status="accepted")
        proof = hook_signature(key_only, f"status/{message.pk}")
        elsewhere = hook_signature(key_only, f"status/{uuid.uuid4()}")
        assert self.post(key_only, message, proof, "AC" + "0" * 32).status_code == 403
        assert self.post(key_only, message, elsewhere, key_only.account_sid).status_code == 403
        assert self.post(key_only, message, "", key_only.account_sid).status_code == 403
        assert fresh(message).status == "accepted"


def test_unknown_connection_key_is_404_and_get_is_405(message: Message, connection: Connection) -> None:
    assert Client().post(f"/hooks/twilio/nobody/status/{message.pk}", {}).status_code == 404
    assert Client().get(f"/hooks/twilio/{connection.hook_key}/status/{message.pk}").status_code == 405


@pytest.mark.parametrize("params", [{}, {"MessageSid": SID}, {"MessageStatus": "delivered"}, {"MessageStatus": "\x00"}])
def test_genuine_but_senseless_callback_is_kept_and_harmless(
    connection: Connection, message: Message, post_hook: Post, params: dict[str, str]
) -> None:
    path = f"/hooks/twilio/{connection.hook_key}/status/{message.pk}"
    assert post_hook(path, params).status_code == 204
    assert fresh(message).status == "accepted"
    assert Callback.objects.get().outcome == "unreadable"


def test_stored_callback_that_was_not_applied_is_applied_by_the_sweep(connection: Connection, message: Message) -> None:
    Callback.objects.create(
        connection=connection,
        kind="status",
        message_id=message.pk,
        params={"MessageSid": SID, "MessageStatus": "delivered"},
        checked_with="twilio_signature",
        received_at=timezone.now() - timedelta(seconds=10),
    )
    apply_pending()
    apply_pending()
    assert fresh(message).status == "delivered"
    assert MessageEvent.objects.filter(message=message).count() == 1


@pytest.mark.parametrize("key", ["unknown", "a%00b", "%F0%9F%98%80", "x" * 500])
def test_address_of_no_connection_is_not_found(key: str) -> None:
    assert Client().post(f"/hooks/twilio/{key}/status/{uuid.uuid4()}").status_code == 404
    assert Client().post(f"/hooks/twilio/{key}/inbound").status_code == 404
