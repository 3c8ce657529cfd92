"""How fast the web takes messages and callbacks, beside a plain Django project that does the least (plain_django)."""

import json
import secrets
import uuid
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.conf import settings

from integrations.connections.credentials import live_tokens
from integrations.twilio.signatures import sign
from messaging.receipts.models import Callback
from messaging.sending.models import Message
from messaging.sending.statuses import Status
from tests.load.figures import spread
from tests.load.machine import Meter
from tests.load.posts import Post, post_all
from tests.load.rows import Customer
from tests.load.servers import Installation

CLIENTS = 8
WARM_UP = 80  # requests that do not count: the first ones meet cold processes


def measure_intake(place: Installation, *, customer: Customer, count: int) -> dict[str, Any]:
    """Post messages to the API while no worker runs, so that only the taking is measured; they are canceled after."""
    headers = {"Authorization": f"Bearer {customer.api_key}", "Content-Type": "application/json"}
    posts = [Post("/api/v1/messages", _message(number), headers) for number in range(count + WARM_UP)]
    figures = _measure(place, place.web_url, posts, process="web", expect=202)
    taken = Message.objects.filter(organization=customer.organization, source="api", status=Status.QUEUED)
    if (found := taken.update(status=Status.CANCELED)) != len(posts):
        raise RuntimeError(f"{len(posts)} messages were taken, but {found} are stored.")
    return figures


def measure_plain_intake(place: Installation, *, count: int) -> dict[str, Any]:
    """Post the same to the view that inserts one row."""
    headers = {"Content-Type": "application/json"}
    posts = [Post("/messages", _message(number), headers) for number in range(count + WARM_UP)]
    return _measure(place, place.plain_url, posts, process="plain", expect=202)


def measure_callbacks(place: Installation, *, customer: Customer, messages: Sequence[uuid.UUID]) -> dict[str, Any]:
    """Post a genuine callback for each message, while no worker runs: what is taken waits to be applied."""
    connection = customer.talking
    (token,) = live_tokens(connection)
    posts = [
        _callback(settings.PUBLIC_BASE_URL, f"/hooks/twilio/{connection.hook_key}/status/{message}", token=token)
        for message in messages
    ]
    before = Callback.objects.count()
    figures = _measure(place, place.web_url, posts, process="web", expect=204)
    if (found := Callback.objects.count() - before) != len(posts):
        raise RuntimeError(f"{len(posts)} callbacks were taken, but {found} are stored.")
    return figures


def measure_plain_callbacks(place: Installation, *, count: int) -> dict[str, Any]:
    """Post as many to the view that checks the signature and inserts the raw row."""
    posts = [_callback(place.plain_url, f"/status/{uuid.uuid4()}", token=place.plain_token) for _ in range(count)]
    return _measure(place, place.plain_url, posts, process="plain", expect=204)


def _measure(place: Installation, url: str, posts: Sequence[Post], *, process: str, expect: int) -> dict[str, Any]:
    post_all(url, posts[:WARM_UP], clients=CLIENTS, expect=expect)
    meter = Meter(place.pids()).start()
    waits, seconds = post_all(url, posts[WARM_UP:], clients=CLIENTS, expect=expect)
    meter.stop()
    return {
        "messages": len(waits),
        "clients": CLIENTS,
        "per_second": round(len(waits) / seconds, 1),
        "ms": spread(waits),
        "cpu_ms_per_message": {
            **{name: round(meter.cpu_of(name) * 1000 / len(waits), 3) for name in ("postgres", "valkey")},
            "web": round(meter.cpu_of(process) * 1000 / len(waits), 3),
        },
        "cpu_taken_by_others": round(meter.others, 3),
    }


def _message(number: int) -> bytes:
    return json.dumps({"to": f"+4917620{number:06d}", "body": f"Your parcel {number} is on its way."}).encode()


def _callback(base: str, path: str, *, token: str) -> Post:
    sid = f"SM{secrets.token_hex(16)}"
    fields = {
        "AccountSid": "AC" + "0" * 32,
        "ApiVersion": "2010-04-01",
        "From": "+15550001111",
        "MessageSid": sid,
        "MessageStatus": "delivered",
        "MessagingServiceSid": "MG" + "0" * 32,
        "RawDlrDoneDate": "2601011200",
        "SmsSid": sid,
        "SmsStatus": "delivered",
        "To": "+4917620000000",
    }
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Twilio-Signature": sign(url=base + path, params=fields, token=token),
        "I-Twilio-Idempotency-Token": str(uuid.uuid4()),
    }
    return Post(path, urlencode(fields).encode(), headers)
