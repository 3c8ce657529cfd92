"""The webhook as a carrier: signed posts under one id, and what each answer means."""

import asyncio
import hashlib
import hmac
import json
import time
import uuid
from typing import Any

import pytest

from integrations.body_signatures import sign
from integrations.connections.models import Connection
from integrations.platform_sms.providers import WEBHOOK, gateway_for, provider_of, providers
from integrations.platform_sms.providers import webhook as module
from integrations.platform_sms.providers.webhook import CarrierRefused, CarrierUnreachable, WebhookGateway
from integrations.twilio.errors import TwilioError, TwilioMisconfigured, TwilioNotBegun
from integrations.twilio.outgoing import Credentials, OutgoingMessage
from integrations.twilio.results import MessageSnapshot
from messaging.sending.verdict import MAX_ATTEMPTS, Decision, judge

from .conftest import Receiver

SECRET = "hgw_secret-of-a-test"


def message(**changes: Any) -> OutgoingMessage:
    given = {"to": "+8613912345678", "body": "【Acme】你好", "reference": str(uuid.uuid4()), "validity_period": 600}
    return OutgoingMessage(**{**given, **changes})


def post(receiver: Receiver, outgoing: OutgoingMessage, **options: Any) -> MessageSnapshot | TwilioError:
    """Post a message on a loop of its own; return the answer or the error."""

    async def run() -> MessageSnapshot | TwilioError:
        gateway = WebhookGateway(Credentials(username="", password=SECRET, base_url=receiver.url))
        try:
            return await gateway.send_message(outgoing, **options)
        except TwilioError as error:
            return error
        finally:
            if session := module._sessions.pop(asyncio.get_running_loop(), None):
                await session.close()

    return asyncio.run(run())


def test_message_is_posted_as_json_signed_under_its_id(receiver: Receiver) -> None:
    outgoing = message()
    answer = post(receiver, outgoing)
    assert isinstance(answer, MessageSnapshot)
    assert (answer.status, answer.sid) == ("sent", "")
    ((headers, body),) = receiver.posts
    assert json.loads(body) == {
        "id": outgoing.reference,
        "to": "+8613912345678",
        "text": "【Acme】你好",
        "valid_for": 600,
    }
    assert headers["Idempotency-Key"] == outgoing.reference
    assert headers["Content-Type"] == "application/json"
    parts = dict(part.split("=", 1) for part in headers["Heliograph-Signature"].split(","))
    assert abs(int(parts["t"]) - time.time()) < 60
    wanted = hmac.new(SECRET.encode(), parts["t"].encode() + b"." + body, hashlib.sha256).hexdigest()
    assert hmac.compare_digest(parts["v1"], wanted)


def test_signature_depends_on_time_body_and_secret() -> None:
    cases = [(b"{}", "a", 1), (b"{}", "a", 2), (b"[]", "a", 1), (b"{}", "b", 1)]
    assert len({sign(body, secrets=[secret], at=at) for body, secret, at in cases}) == 4


@pytest.mark.parametrize(
    ("status", "decision"),
    [
        (202, None),
        (400, Decision.FAIL),
        (401, Decision.FAIL),
        (422, Decision.FAIL),
        (408, Decision.AGAIN),
        (409, Decision.AGAIN),
        (425, Decision.AGAIN),
        (429, Decision.AGAIN),
        (302, Decision.AGAIN),
        (500, Decision.AGAIN),
        (503, Decision.AGAIN),
    ],
)
def test_answers_say_sent_never_or_again_and_nothing_is_unknown(
    receiver: Receiver, status: int, decision: Decision | None
) -> None:
    receiver.status, receiver.headers = status, {"Retry-After": "7", "Location": "http://127.0.0.1:1/"}
    answer = post(receiver, message())
    if decision is None:
        assert isinstance(answer, MessageSnapshot)
        return
    assert isinstance(answer, CarrierRefused if decision is Decision.FAIL else CarrierUnreachable)
    verdict = judge(answer, attempts=1)
    assert verdict.decision is decision
    assert not verdict.breaks_connection
    if decision is Decision.AGAIN:
        assert verdict.delay >= 7
        assert judge(answer, attempts=MAX_ATTEMPTS).decision is Decision.FAIL, "not for ever"


def test_no_answer_is_tried_again_under_the_same_id(receiver: Receiver, settings: Any) -> None:
    settings.TWILIO_TIMEOUT, receiver.pause = 0.05, 0.3
    outgoing = message()
    for _ in range(2):
        answer = post(receiver, outgoing)
        assert isinstance(answer, CarrierUnreachable)
        assert receiver.url not in str(answer), "the address may hold a secret"
    assert {headers["Idempotency-Key"] for headers, _ in receiver.posts} == {outgoing.reference}


def test_nobody_listening_is_tried_again(receiver: Receiver) -> None:
    receiver.url = "http://127.0.0.1:1/sms"
    assert isinstance(post(receiver, message()), CarrierUnreachable)


def test_too_late_to_begin_posts_nothing(receiver: Receiver) -> None:
    assert isinstance(post(receiver, message(), begin_before=time.monotonic() - 1), TwilioNotBegun)
    assert not receiver.posts


def test_without_address_or_id_nothing_is_posted(receiver: Receiver) -> None:
    assert isinstance(post(receiver, message(reference="")), TwilioMisconfigured)
    assert not receiver.posts


def test_there_are_three_kinds_of_carriers() -> None:
    assert [provider.key for provider in providers()] == ["twilio", "webhook", "sandbox"]
    assert [provider.repeats_safely for provider in providers()] == [False, True, False]


def test_kind_follows_the_mode_of_the_connection() -> None:
    found = {mode: provider_of(Connection(mode=mode)).key for mode in Connection.Mode.values}
    assert found == {"live": "twilio", "test": "twilio", "sandbox": "sandbox", "webhook": "webhook"}
    gateway = gateway_for(Connection(mode="webhook"), Credentials(username="", password=SECRET, base_url="http://x"))
    assert isinstance(gateway, WEBHOOK.gateway)  # type: ignore[arg-type]
