"""A webhook of the operator's carries: each message is posted as JSON, signed, under an id that stays the same.

Because the id stays the same, whatever is not a plain yes or no is simply posted again, with growing pauses: the
receiver sends one id once. What it answers is the whole outcome; no receipts come later.
"""

import asyncio
import json
import time
from http import HTTPStatus
from weakref import WeakKeyDictionary

from aiohttp import ClientError, ClientSession, ClientTimeout
from django.conf import settings

from integrations.body_signatures import ID_HEADER, SIGNATURE_HEADER, sign
from integrations.connections.models import Connection
from integrations.retry_after import seconds_of
from integrations.twilio.async_http import TooLate, open_session, write_before
from integrations.twilio.errors import (
    TwilioError,
    TwilioMisconfigured,
    TwilioNotBegun,
    TwilioRefused,
    TwilioUnreachable,
)
from integrations.twilio.outgoing import Credentials, OutgoingMessage
from integrations.twilio.results import MessageSnapshot

from .base import Provider

# Answers that say nothing for good: the message may be posted again under its id.
_LATER = frozenset({
    HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS,
})  # fmt: skip
_LONGEST_ANSWER = 10_000  # bytes; nothing of it is kept
_sessions: "WeakKeyDictionary[asyncio.AbstractEventLoop, ClientSession]" = WeakKeyDictionary()


class CarrierRefused(TwilioRefused):
    """The receiver said no for good."""


class CarrierUnreachable(TwilioUnreachable):
    """No answer, or one that says nothing for good: posting the same id again is safe."""


class WebhookGateway:
    """Posts messages to one address under one secret."""

    def __init__(self, credentials: Credentials) -> None:
        self._url, self._secret = credentials.base_url, credentials.password

    async def send_message(self, message: OutgoingMessage, *, begin_before: float | None = None) -> MessageSnapshot:
        """Post a message; a success is `sent`. Raises CarrierRefused, CarrierUnreachable or TwilioNotBegun."""
        if not self._url or not message.reference:
            raise TwilioMisconfigured("A webhook needs its address, and the message an id.")
        body = json.dumps(
            {
                "id": message.reference,
                "to": message.to,
                "text": message.body,
                "valid_for": message.validity_period,
            },
            ensure_ascii=False,
        ).encode()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Heliograph",
            ID_HEADER: message.reference,
            SIGNATURE_HEADER: sign(body, secrets=[self._secret], at=int(time.time())),
        }
        reset = write_before.set(begin_before)
        try:
            async with _session().post(
                self._url,
                data=body,
                headers=headers,
                timeout=ClientTimeout(total=settings.TWILIO_TIMEOUT),
                allow_redirects=False,
            ) as answer:
                await answer.content.read(_LONGEST_ANSWER)
                status, retry_after = answer.status, seconds_of(answer.headers.get("Retry-After"))
        except TooLate:
            raise TwilioNotBegun("It was too late to begin the request.") from None
        except (ClientError, TimeoutError, OSError) as error:
            # The error itself may hold the address, and with it a secret of the operator's.
            raise CarrierUnreachable(f"The webhook gave no answer ({type(error).__name__}).") from None
        finally:
            write_before.reset(reset)
        problem = problem_of(status, retry_after=retry_after)
        if problem is not None:
            raise problem
        return _sent(message)


def problem_of(status: int, *, retry_after: float | None = None) -> TwilioError | None:
    """Return what an HTTP status means: nothing for a success, refused for good, or to be posted again."""
    if 200 <= status < 300:
        return None
    if 400 <= status < 500 and status not in _LATER:
        return CarrierRefused("The webhook refused the message.", http_status=status)
    return CarrierUnreachable("The webhook asks to come again.", http_status=status, retry_after=retry_after)


def _session() -> ClientSession:
    loop = asyncio.get_running_loop()
    session = _sessions.get(loop)
    if session is None or session.closed:
        session = _sessions[loop] = open_session()
    return session


def _sent(message: OutgoingMessage) -> MessageSnapshot:
    return MessageSnapshot(
        sid="",
        account_sid="",
        status="sent",
        to=message.to,
        from_="",
        body=message.body,
        direction="outbound-api",
        messaging_service_sid="",
        num_segments=None,
        price=None,
        price_unit="",
        error_code=None,
        date_created=None,
        date_sent=None,
        date_updated=None,
    )


WEBHOOK = Provider(
    key="webhook",
    title="Webhook",
    text="Your own service: each message is posted to your address as JSON, signed, and repeated until you answer.",
    modes=frozenset({Connection.Mode.WEBHOOK}),
    gateway=WebhookGateway,
    repeats_safely=True,
)
