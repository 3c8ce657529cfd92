"""People who write in, through the real webhook."""

import pytest

from integrations.connections.models import Connection
from tests.messaging.receipts.conftest import Post, post_hook  # noqa: F401

PERSON = "+4915112345678"
OURS = "+15550001111"


class Incoming:
    """Lets people write to the organization: `incoming("Hello", sender="+49…")`; each message has a SID of its own."""

    def __init__(self, connection: Connection, post: Post) -> None:
        self._connection, self._post, self._count = connection, post, 0

    def __call__(self, body: str, *, sender: str = PERSON, to: str = OURS, sid: str = "", **params: str) -> object:
        self._count += 1
        sid = sid or f"SM{self._count:032x}"
        fields = {
            "MessageSid": sid,
            "SmsSid": sid,
            "AccountSid": self._connection.account_sid,
            "MessagingServiceSid": self._connection.messaging_service_sid,
            "From": sender,
            "To": to,
            "Body": body,
            "NumMedia": "0",
            **params,
        }
        answer = self._post(f"/hooks/twilio/{self._connection.hook_key}/inbound", fields)
        assert answer.status_code == 200
        assert answer["Content-Type"] == "text/xml; charset=utf-8"
        return answer


@pytest.fixture
def incoming(connection: Connection, post_hook: Post) -> Incoming:  # noqa: F811
    return Incoming(connection, post_hook)
