"""Every request our gateways make is one that Twilio's published specifications know.

The SDK is newer than they are: a parameter which they lack would have to be named in NEWER_THAN_THE_SPECIFICATION.
"""

import asyncio
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import pytest

from integrations.twilio.async_client import AsyncGateway
from integrations.twilio.client import Credentials, Gateway, OutgoingMessage
from tests.integrations.twilio.fake_twilio import (
    ACCOUNT,
    API_KEY,
    MESSAGE,
    RECIPIENT,
    SENDER,
    SERVICE,
    VERIFY_SERVICE,
    FakeTwilio,
    Received,
    message_payload,
)

SPECIFICATIONS = Path(__file__).parents[3] / "shared" / "twilio" / "openapi"
FILES = {
    "api.twilio.com": "twilio_api_v2010.json",
    "messaging.twilio.com": "twilio_messaging_v1.json",
    "pricing.twilio.com": "twilio_pricing_v1.json",
    "verify.twilio.com": "twilio_verify_v2.json",
}
NEWER_THAN_THE_SPECIFICATION: set[str] = set()

pytestmark = pytest.mark.skipif(
    not SPECIFICATIONS.exists(), reason="Twilio's specifications are not here: our requests are not held against them"
)

SOON = datetime.now(UTC) + timedelta(hours=1)
FULL_MESSAGE = OutgoingMessage(
    to=RECIPIENT,
    body="Hello",
    messaging_service_sid=SERVICE,
    status_callback="https://heliograph.example/hooks/twilio/k/status/m",
    validity_period=600,
    send_at=SOON,
    max_price=Decimal("0.5"),
    smart_encoded=False,
)
NUMBER_SID = "PN" + "0" * 32
VERIFICATION = "VE" + "0" * 32
FROM_A_NUMBER = OutgoingMessage(to=RECIPIENT, body="Hello", from_=SENDER)

CALLS = {
    "fetch_account": lambda gateway: gateway.fetch_account(),
    "fetch_balance": lambda gateway: gateway.fetch_balance(),
    "fetch_messaging_service": lambda gateway: gateway.fetch_messaging_service(SERVICE),
    "list_senders": lambda gateway: gateway.list_senders(SERVICE),
    "fetch_verify_service": lambda gateway: gateway.fetch_verify_service(VERIFY_SERVICE),
    "find_number": lambda gateway: gateway.find_number(SENDER),
    "send_message": lambda gateway: [gateway.send_message(m) for m in (FULL_MESSAGE, FROM_A_NUMBER)],
    "fetch_message": lambda gateway: gateway.fetch_message(MESSAGE),
    "list_messages": lambda gateway: gateway.list_messages(to=RECIPIENT, sent_after=SOON, sent_before=SOON),
    "cancel_message": lambda gateway: gateway.cancel_message(MESSAGE),
    "redact_message": lambda gateway: gateway.redact_message(MESSAGE),
    "delete_message": lambda gateway: gateway.delete_message(MESSAGE),
    "page_of_messages": lambda gateway: gateway.page_of_messages(sent_after=SOON, sent_before=SOON),
    "fetch_country_prices": lambda gateway: gateway.fetch_country_prices("DE"),
    "list_numbers": lambda gateway: gateway.list_numbers(),
    "point_service": lambda gateway: gateway.point_service(SERVICE, url="https://hg.example/hooks"),
    # Without an application the field is sent empty, which takes one away; the specification has no word for that.
    "point_number": lambda gateway: gateway.point_number(
        NUMBER_SID, url="https://hg.example/hooks", application="AP" + "0" * 32
    ),
    "start_verification": lambda gateway: [
        gateway.start_verification(VERIFY_SERVICE, to=RECIPIENT, channel=channel, locale=locale)
        for channel, locale in (("sms", ""), ("call", "de"), ("whatsapp", "zh-HK"), ("email", "en"))
    ],
    "check_verification": lambda gateway: [
        gateway.check_verification(VERIFY_SERVICE, code="0123456789", **named)
        for named in ({"sid": VERIFICATION}, {"to": RECIPIENT})
    ],
    "fetch_verification": lambda gateway: gateway.fetch_verification(VERIFY_SERVICE, VERIFICATION),
    "cancel_verification": lambda gateway: gateway.cancel_verification(VERIFY_SERVICE, VERIFICATION),
    "list_attempts": lambda gateway: gateway.list_attempts(VERIFY_SERVICE, created_after=SOON),
    "probe_test_credentials": lambda gateway: gateway.probe_test_credentials(),
}
LISTS = {
    "PhoneNumbers": "phone_numbers",
    "ShortCodes": "short_codes",
    "AlphaSenders": "alpha_senders",
    "IncomingPhoneNumbers.json": "incoming_phone_numbers",
    "Messages.json": "messages",
    "Attempts": "attempts",
}


def respond(request: Received) -> tuple[int, Any]:
    """Answer each request well enough for the call to go on to its next one."""
    last = request.path.rpartition("/")[2]
    if request.method == "GET" and last in LISTS:
        return 200, {LISTS[last]: [], "meta": {"key": LISTS[last], "next_page_url": None}}
    if "/Messaging/Countries/" in request.path:
        return 200, {"country": "Germany", "iso_country": last, "price_unit": "USD", "outbound_sms_prices": []}
    if last == "Balance.json":
        return 200, {"balance": "1", "currency": "USD", "account_sid": ACCOUNT}
    return (201 if request.method == "POST" else 200), message_payload()


@pytest.fixture
def twilio() -> Iterator[FakeTwilio]:
    server = FakeTwilio()
    server.router = respond
    yield server
    server.stop()


@pytest.fixture
def credentials(twilio: FakeTwilio) -> Credentials:
    return Credentials(username=API_KEY, password="secret", account_sid=ACCOUNT, base_url=twilio.url)


@cache
def specification(host: str) -> dict[str, Any]:
    return json.loads((SPECIFICATIONS / FILES[host]).read_text())


def complaints(request: Received) -> list[str]:
    """Return what the specification of the host has against this request."""
    _, host, rest = urlsplit(request.target).path.split("/", 2)
    found = [
        (template, item)
        for template, item in specification(host)["paths"].items()
        if re.fullmatch(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template)), "/" + rest)
    ]
    if not found:
        return [f"no path /{rest} at {host}"]
    # A template with fewer placeholders is the closer one.
    template, item = min(found, key=lambda entry: entry[0].count("{"))
    operation = item.get(request.method.lower())
    if operation is None:
        return [f"{template} has no {request.method}"]
    return [
        *_path_complaints("/" + rest, template, operation, host=host),
        *_query_complaints(request, operation, host=host),
        *_form_complaints(request, operation, host=host),
    ]


def _path_complaints(path: str, template: str, operation: dict[str, Any], *, host: str) -> list[str]:
    schemas = {p["name"]: p["schema"] for p in operation.get("parameters", []) if p["in"] == "path"}
    named = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(template))
    values = re.fullmatch(named, path).groupdict()  # type: ignore[union-attr]
    return [f"{name} = {value}" for name, value in values.items() if not _is_valid(value, schemas[name], host=host)]


def _query_complaints(request: Received, operation: dict[str, Any], *, host: str) -> list[str]:
    known = {p["name"]: p for p in operation.get("parameters", []) if p["in"] == "query"}
    unknown = [f"unknown query {name}" for name in request.query if name not in known | _newer()]
    missing = [f"missing query {name}" for name, p in known.items() if p.get("required") and name not in request.query]
    wrong = [
        f"{name} = {value}"
        for name, values in request.query.items()
        for value in values
        if name in known and not _is_valid(value, known[name]["schema"], host=host)
    ]
    return unknown + missing + wrong


def _form_complaints(request: Received, operation: dict[str, Any], *, host: str) -> list[str]:
    if request.method != "POST":
        return [] if not request.body else [f"{request.method} with a body"]
    content = operation["requestBody"]["content"]
    media_type = request.headers["content-type"].partition(";")[0]
    if media_type not in content:
        return [f"content type {media_type}"]
    schema = content[media_type]["schema"]
    unknown = [f"unknown field {name}" for name in request.form if name not in schema["properties"] | _newer()]
    missing = [f"missing field {name}" for name in schema.get("required", []) if name not in request.form]
    wrong = [
        f"{name} = {value}"
        for name, values in request.form.items()
        for value in values
        if name in schema["properties"] and not _is_valid(value, schema["properties"][name], host=host)
    ]
    return unknown + missing + wrong


def _newer() -> dict[str, Any]:
    return dict.fromkeys(NEWER_THAN_THE_SPECIFICATION)


def _is_valid(text: str, schema: dict[str, Any], *, host: str) -> bool:
    """Tell whether the text stands for a value of the schema, whose references are those of the host's file."""
    value: Any = text
    match schema.get("type"):
        case "integer":
            value = int(text) if re.fullmatch(r"-?\d+", text) else text
        case "number":
            value = float(text) if re.fullmatch(r"-?\d+(\.\d+)?", text) else text
        case "boolean":
            value = {"true": True, "false": False}.get(text, text)
    if schema.get("format") == "date-time" and not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", text):
        return False
    components = specification(host)["components"]
    return jsonschema.Draft202012Validator({**schema, "components": components}).is_valid(value)


@pytest.mark.parametrize("name", CALLS)
def test_requests_of_the_gateway(name: str, twilio: FakeTwilio, credentials: Credentials) -> None:
    CALLS[name](Gateway(credentials, timeout=5))
    assert twilio.received
    assert [complaint for request in twilio.received for complaint in complaints(request)] == []


def test_every_method_of_the_gateway_is_covered() -> None:
    assert set(CALLS) == {name for name in vars(Gateway) if not name.startswith("_")}


def test_requests_of_the_async_gateway(twilio: FakeTwilio, credentials: Credentials) -> None:
    async def call_all() -> None:
        gateway = AsyncGateway(credentials, timeout=5)
        await gateway.send_message(FULL_MESSAGE)
        await gateway.send_message(FROM_A_NUMBER)
        await gateway.fetch_message(MESSAGE)
        await gateway.list_messages(to=RECIPIENT, sent_after=SOON, sent_before=SOON)
        await gateway.close()

    assert {name for name in vars(AsyncGateway) if not name.startswith("_")} == {
        "send_message", "fetch_message", "list_messages", "close",
    }  # fmt: skip
    asyncio.run(call_all())
    assert len(twilio.received) == 4
    assert [complaint for request in twilio.received for complaint in complaints(request)] == []


def test_both_gateways_make_the_same_requests(twilio: FakeTwilio, credentials: Credentials) -> None:
    async def send() -> None:
        gateway = AsyncGateway(credentials, timeout=5)
        await gateway.send_message(FULL_MESSAGE)
        await gateway.list_messages(to=RECIPIENT, sent_after=SOON)
        await gateway.close()

    asyncio.run(send())
    gateway = Gateway(credentials, timeout=5)
    gateway.send_message(FULL_MESSAGE)
    gateway.list_messages(to=RECIPIENT, sent_after=SOON)
    sent = [(r.method, r.path, r.query, r.form if r.body else None) for r in twilio.received]
    assert sent[:2] == sent[2:]


@pytest.mark.parametrize(("change", "complaint"), [
    ({"target": "/api.twilio.com/2010-04-01/Nowhere.json"}, "no path"),
    ({"method": "PATCH"}, "has no PATCH"),
    ({"body": b"To=%2B1&Invented=1"}, "unknown field Invented"),
    ({"body": b"Body=x"}, "missing field To"),
    ({"body": b"To=%2B1&ValidityPeriod=soon"}, "ValidityPeriod = soon"),
    ({"body": b"To=%2B1&MessagingServiceSid=XX1"}, "MessagingServiceSid = XX1"),
    ({"target": f"/api.twilio.com/2010-04-01/Accounts/{ACCOUNT}/Messages.json?Odd=1"}, "unknown query Odd"),
    ({"target": "/api.twilio.com/2010-04-01/Accounts/AC1/Messages.json"}, "AccountSid = AC1"),
])  # fmt: skip
def test_the_comparison_can_fail(change: dict[str, Any], complaint: str) -> None:
    good = Received(
        "POST",
        f"/api.twilio.com/2010-04-01/Accounts/{ACCOUNT}/Messages.json",
        {"content-type": "application/x-www-form-urlencoded"},
        b"To=%2B14155550199",
        1,
    )
    assert complaints(good) == []
    assert complaint in " ".join(complaints(replace(good, **change)))
