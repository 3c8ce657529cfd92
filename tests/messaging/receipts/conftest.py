"""Twilio's side of a webhook: signed as Twilio signs."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from integrations.connections.models import Connection
from integrations.twilio.signatures import sign
from messaging.receipts.apply import apply_batch
from messaging.sending.models import Message
from tests.conftest import Cast
from tests.factories import MessageFactory

TOKEN = "0123456789abcdef0123456789abcdef"
SID = "SM" + "a" * 32
Post = Callable[..., Any]


@pytest.fixture
def message(cast: Cast, connection: Connection) -> Message:
    return MessageFactory(
        organization=cast.organization,
        connection=connection,
        status="accepted",
        provider_sid=SID,
        sender="MG" + "1" * 32,
    )


@pytest.fixture
def post_hook() -> Post:
    """Post a webhook as Twilio does: `post_hook(path, {"MessageSid": …}, token=…)`; token None leaves it unsigned.

    What it stored is applied at once, as a worker would a moment later.
    """

    def post(path: str, params: dict[str, str], *, token: str | None = TOKEN, **extra: Any) -> Any:
        headers = {}
        if token is not None:
            headers["X-Twilio-Signature"] = sign(url=settings.PUBLIC_BASE_URL + path, params=params, token=token)
        answer = Client().post(path, params, headers=headers, **extra)
        apply_batch()
        return answer

    return post


@pytest.fixture
def callback(connection: Connection, post_hook: Post) -> Post:
    """Post a status callback of a message: `callback(message, "delivered")`."""

    def post(message: Message, status: str, *, sid: str = SID, token: str | None = TOKEN, **params: str) -> Any:
        fields = {
            "AccountSid": connection.account_sid,
            "MessageSid": sid,
            "SmsSid": sid,
            "MessageStatus": status,
            "SmsStatus": status,
            "To": message.phone,
            "From": "+15550001111",
            "ApiVersion": "2010-04-01",
            **params,
        }
        return post_hook(f"/hooks/twilio/{connection.hook_key}/status/{message.pk}", fields, token=token)

    return post
