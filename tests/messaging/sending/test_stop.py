"""A STOP in the middle of everything: paced and bulk messages under way, others scheduled. Then there is silence."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now

from integrations import clock
from integrations.connections.models import Connection
from integrations.sandbox.credentials import SandboxCredentials
from messaging.consent.proof import prove
from messaging.sending import sweeps
from messaging.sending.engine import Engine
from messaging.sending.models import Message
from messaging.sending.policy import set_sender_limit
from tests.messaging.receipts.conftest import Post, post_hook  # noqa: F401
from tests.plugins.sandbox import SandboxServer, wait_until

pytestmark = pytest.mark.django_db(transaction=True)
Queue = Callable[..., Message]
PERSON, NEIGHBOUR = "+4915112345678", "+4915112345679"
OPEN = ["scheduled", "queued", "sending"]


@pytest.fixture
def text(
    sandbox_connection: Connection,
    account: SandboxCredentials,
    post_hook: Post,  # noqa: F811
) -> Callable[[str], None]:
    """Let the person write to us, signed as Twilio signs."""
    sids = iter(f"SM{n:032x}" for n in range(100))

    def write(body: str) -> None:
        sid = next(sids)
        fields = {
            "MessageSid": sid,
            "AccountSid": account.account_sid,
            "MessagingServiceSid": account.messaging_service_sid,
            "From": PERSON,
            "To": "+15550001111",
            "Body": body,
            "NumMedia": "0",
        }
        path = f"/hooks/twilio/{sandbox_connection.hook_key}/inbound"
        assert post_hook(path, fields, token=account.auth_token).status_code == 200

    return write


@pytest.mark.parametrize("paced", ["connection", "sender", "neither"])
def test_nothing_follows_a_stop_whatever_waits_and_the_proof_says_so(
    engine: Engine,
    queue: Queue,
    sandbox: SandboxServer,
    sandbox_connection: Connection,
    text: Callable[[str], None],
    paced: str,
    settings: Any,
) -> None:
    if paced == "connection":
        Connection.objects.filter(pk=sandbox_connection.pk).update(mps=15)
    elif paced == "sender":
        set_sender_limit(sandbox_connection, sender=sandbox_connection.messaging_service_sid, mps=15, actor=None)
    else:
        settings.SEND_WINDOW = 10  # so that it is full, and the rest waits
        sandbox.control.change_dials({"latency_ms": 500})
    each = 150  # more than leave before the STOP is written, however busy the machine
    for lane in (0, 1):
        for _ in range(each):
            queue(phone=PERSON, lane=lane)
    for seconds in (0.2, 0.6, 1.5):
        message = queue(phone=PERSON, status="scheduled")
        Message.objects.filter(pk=message.pk).update(due_at=Now() + timedelta(seconds=seconds))
    others = [queue(phone=NEIGHBOUR, lane=lane) for lane in (0, 1) for _ in range(5)]

    def look_after() -> None:
        """Do what the clock does every second."""
        sweeps.release_scheduled()
        for lane in (0, 1):
            engine.wake(sandbox_connection.pk, lane=lane)

    def arrived() -> int:
        return len(sandbox.control.messages(account_sid=sandbox_connection.account_sid, to=PERSON))

    look_after()
    wait_until(lambda: arrived() >= 5, seconds=30)
    text("STOP")
    stopped = time.monotonic()
    # One second is for what begins, as test_begin.py measures it; another one for its way on a busy machine.
    while time.monotonic() < stopped + 2:
        look_after()
        time.sleep(0.05)
    in_that_second = arrived()

    def is_over() -> bool:
        look_after()
        return not Message.objects.filter(direction="outbound", status__in=OPEN).exists()

    wait_until(is_over, seconds=60)
    assert arrived() == in_that_second, "requests to Twilio went on after the STOP"
    held_back = Message.objects.filter(phone=PERSON, status="blocked", error_reason="opted_out")
    assert held_back.count() == 2 * each + 3 - in_that_second
    assert held_back.count() > 20, "there was nothing left to hold back: the test proves nothing"
    for message in others:
        message.refresh_from_db()
        assert message.status in {"accepted", "sent", "delivered"}, "the neighbour asked for nothing"
    now = clock.database_now()
    day = timedelta(days=1)
    proof = prove(sandbox_connection.organization, since=now - day, until=now + day)
    assert (proof.opt_outs, proof.began_after) == (1, 0)

    # START, and the person hears from us again.
    text("START")
    again = queue(phone=PERSON)
    wait_until(
        lambda: look_after() or Message.objects.get(pk=again.pk).status in {"accepted", "sent", "delivered"},
        seconds=30,
    )
