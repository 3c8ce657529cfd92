"""Who asks is settled before what is asked; rates, sizes and content types."""

import io
import re
import socket
import time
from collections.abc import Callable, Iterator

import pytest
from django.conf import LazySettings
from django.db import OperationalError
from django.http import HttpResponse
from django.test.client import FakePayload

from config import calling
from integrations.connections.models import Connection
from integrations.organizations.api_keys import revoke_key
from integrations.organizations.models import ApiKey, Organization
from integrations.organizations.scopes import EVERYTHING
from messaging.api import gate, rates
from messaging.api.routes import api as application
from messaging.sending.models import Message
from tests.conftest import Cast
from tests.factories import MessageFactory

from .conftest import Caller, problem_of

GOOD = {"to": "+4915112345678", "body": "Hello"}
SOME_ID = "019508a7-3f00-7c3e-9d52-0a4f6b1c2d3e"


# ---- who asks


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "me", None),
        ("GET", "messages", None),
        ("POST", "messages", GOOD),
        ("POST", "messages", b"{"),
        ("POST", "messages", b" " * 2_000_000),
        ("POST", "messages", {"nonsense": True}),
        ("GET", "messages?limit=no", None),
        ("GET", f"messages/{SOME_ID}", None),
        ("PUT", "messages", None),
        ("TRACE", "messages", None),
        ("OPTIONS", "messages", None),
        ("GET", "", None),
        ("GET", "nothing/here", None),
        ("GET", "messages/", None),
        ("GET", "messages/%0A", None),
        ("GET", "contacts", None),
        ("GET", "templates", None),
        ("GET", "opt-outs", None),
    ],
)
@pytest.mark.parametrize("key", [None, "hg_wrong", "nonsense", "hg_" + "x" * 5000, "hg_ünïcode"])
def test_without_a_key_nothing_is_told(db: None, method: str, path: str, body: object, key: str | None) -> None:
    response = Caller(key).call(method, path, body)
    problem_of(response, 401, "missing_key" if key is None else "invalid_key")
    assert response["WWW-Authenticate"].startswith("Bearer ")


@pytest.mark.parametrize("header", ["Basic aGc6aGc=", "Bearer", "Bearer ", "hg_something", "Token hg_something"])
def test_another_scheme_is_no_key(db: None, header: str) -> None:
    problem_of(Caller(None).get("me", Authorization=header), 401, "missing_key")


def test_the_scheme_is_read_in_any_case(api: Caller) -> None:
    assert Caller(None).get("me", Authorization=f"bearer  {api.key}").status_code == 200


def test_a_session_of_a_member_is_no_key(cast: Cast) -> None:
    assert cast.client("owner").get("/api/v1/me").status_code == 401


def test_a_revoked_key_is_told_so(api: Caller) -> None:
    revoke_key(ApiKey.objects.get(), actor=None)
    problem_of(api.post("messages", GOOD), 401, "key_revoked")


def test_a_suspended_organization_is_refused(api: Caller, cast: Cast, connection: Connection) -> None:
    Organization.objects.filter(pk=cast.organization.pk).update(status="suspended")
    problem_of(api.post("messages", GOOD), 403, "organization_suspended")
    problem_of(api.get("nothing"), 403, "organization_suspended")
    assert not Message.objects.exists()


SCOPE_OF = {
    ("GET", "messages"): "messages:read",
    ("GET", f"messages/{SOME_ID}"): "messages:read",
    ("POST", "messages"): "messages:write",
    ("POST", f"messages/{SOME_ID}/cancel"): "messages:write",
    ("GET", "broadcasts"): "broadcasts:read",
    ("POST", "broadcasts"): "broadcasts:write",
    ("GET", f"broadcasts/{SOME_ID}"): "broadcasts:read",
    ("GET", f"broadcasts/{SOME_ID}/problems"): "broadcasts:read",
    ("POST", f"broadcasts/{SOME_ID}/recipients"): "broadcasts:write",
    ("POST", f"broadcasts/{SOME_ID}/start"): "broadcasts:write",
    ("POST", f"broadcasts/{SOME_ID}/pause"): "broadcasts:write",
    ("POST", f"broadcasts/{SOME_ID}/resume"): "broadcasts:write",
    ("POST", f"broadcasts/{SOME_ID}/cancel"): "broadcasts:write",
    ("GET", "consents"): "consents:read",
    ("POST", "consents"): "consents:write",
    ("GET", f"consents/{SOME_ID}"): "consents:read",
    ("GET", "contacts"): "contacts:read",
    ("POST", "contacts"): "contacts:write",
    ("GET", f"contacts/{SOME_ID}"): "contacts:read",
    ("PATCH", f"contacts/{SOME_ID}"): "contacts:write",
    ("DELETE", f"contacts/{SOME_ID}"): "contacts:write",
    ("POST", "verifications"): "verifications:write",
    ("GET", f"verifications/{SOME_ID}"): "verifications:read",
    ("POST", f"verifications/{SOME_ID}/resend"): "verifications:write",
    ("POST", f"verifications/{SOME_ID}/check"): "verifications:write",
    ("POST", f"verifications/{SOME_ID}/cancel"): "verifications:write",
    ("GET", "templates"): "templates:read",
    ("POST", "templates"): "templates:write",
    ("GET", f"templates/{SOME_ID}"): "templates:read",
    ("PUT", f"templates/{SOME_ID}"): "templates:write",
    ("POST", "events"): "events:write",
    ("GET", "opt-outs"): "opt_outs:read",
    ("POST", "opt-outs"): "opt_outs:write",
    ("GET", f"opt-outs/{SOME_ID}"): "opt_outs:read",
    ("DELETE", f"opt-outs/{SOME_ID}"): "opt_outs:write",
    ("GET", "automations"): "automations:read",
    ("GET", f"automations/{SOME_ID}/runs"): "automations:read",
    ("GET", f"automations/runs/{SOME_ID}"): "automations:read",
    ("POST", f"automations/runs/{SOME_ID}/retry"): "automations:write",
    ("POST", f"automations/runs/{SOME_ID}/stop"): "automations:write",
    ("GET", f"portals/{SOME_ID}/users"): "portals:read",
    ("GET", f"portals/{SOME_ID}/invitations"): "portals:read",
    ("POST", f"portals/{SOME_ID}/invitations"): "portals:write",
    ("GET", f"portals/{SOME_ID}/invitations/{SOME_ID}"): "portals:read",
    ("POST", f"portals/{SOME_ID}/invitations/{SOME_ID}/resend"): "portals:write",
    ("POST", f"portals/{SOME_ID}/invitations/{SOME_ID}/revoke"): "portals:write",
}


def test_every_operation_asks_for_its_scope(make_caller: Callable[..., Caller]) -> None:
    callers = {scope: make_caller(*(set(EVERYTHING) - {scope})) for scope in EVERYTHING}
    for (method, path), scope in SCOPE_OF.items():
        # The body is nonsense: the scope is settled before it is looked at.
        problem = problem_of(callers[scope].call(method, path, b"{"), 403, "missing_scope")
        assert scope in problem["detail"]


def test_the_table_of_scopes_has_every_operation() -> None:
    documented = {
        (method.upper(), path.removeprefix("/api/v1/"))
        for path, item in application.get_openapi_schema(path_prefix="/api/v1/")["paths"].items()
        for method in item
    }
    filled_in = {(method, re.sub(r"\{\w+\}", SOME_ID, path)) for method, path in documented}
    assert filled_in == {*SCOPE_OF, ("GET", "me")}


def test_me(make_caller: Callable[..., Caller], cast: Cast) -> None:
    caller = make_caller("messages:read")
    told = caller.get("me").json()
    assert told["organization"]["slug"] == "acme"
    assert told["scopes"] == ["messages:read"]
    assert told["key"] == {"name": "Shop", "prefix": caller.key[:11]}


# ---- what is asked


def test_unknown_addresses_and_methods(api: Caller) -> None:
    for path in ("nothing", "", "messages/", "messages/x/y", "messages/%0A"):
        problem_of(api.get(path), 404, "not_found")
    response = api.call("PUT", "messages")
    problem_of(response, 405, "method_not_allowed")
    assert set(response["Allow"].split(", ")) == {"GET", "POST"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"hello",
        b'{"to": NaN}',
        b'{"to": "+49", "to": "+48"}',
        b'{"\\u0000": 1}',
        b'{"\\ud800": 1}',
        b'{"to": "\xff"}',
        b'{"to": ' + b"9" * 5000 + b"}",
        b"[" * 50_000,
        b'{"a":' * 900 + b"1" + b"}" * 900,
        b'{"a":' * 9 + b"1" + b"}" * 9,
        "{}".encode("utf-16"),
    ],
)
def test_what_is_no_json_is_refused(api: Caller, connection: Connection, body: bytes) -> None:
    problem_of(api.post("messages", body), 400, "malformed_json")


@pytest.mark.parametrize("body", [b"[]", b"null", b'"x"', b"5", b"true"])
def test_json_that_is_no_object_is_refused(api: Caller, body: bytes) -> None:
    problem = problem_of(api.post("messages", body), 422, "validation_failed")
    assert problem["errors"][0]["code"] == "not_an_object"


def test_a_number_beyond_all_is_refused(api: Caller, connection: Connection) -> None:
    response = api.post("messages", b'{"to": "+4915112345678", "template": "x", "variables": {"n": 1e999}}')
    problem = problem_of(response, 422, "validation_failed")
    assert problem["errors"][0]["field"] == "variables.n"


def test_a_byte_order_mark_is_overlooked(api: Caller, connection: Connection) -> None:
    assert api.post("messages", b'\xef\xbb\xbf{"to": "+4915112345678", "body": "Hello"}').status_code == 202


@pytest.mark.parametrize(
    "content_type", ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x", ""]
)
def test_bodies_are_json(api: Caller, content_type: str) -> None:
    response = api.post("messages", b"to=%2B4915112345678", **{"Content-Type": content_type})
    problem_of(response, 415, "unsupported_media_type")


def test_another_charset_is_refused(api: Caller) -> None:
    response = api.post("messages", b"{}", **{"Content-Type": "application/json; charset=latin-1"})
    problem_of(response, 415, "unsupported_media_type")


def test_a_body_over_a_megabyte_is_refused(api: Caller, connection: Connection) -> None:
    body = b'{"to": "+4915112345678", "body": "Hello"}'
    fits, too_large = body.ljust(1_048_576), body.ljust(1_048_577)
    assert api.post("messages", fits).status_code == 202
    for path in ("messages", "nothing"):
        problem_of(api.post(path, too_large), 413, "body_too_large")


# ---- bodies in chunks


def _in_chunks(caller: Caller, body: bytes, *, is_joined: bool = True) -> HttpResponse:
    """Make a request without a length, as a server passes it on; `is_joined` where it knows where the chunks end."""
    environ = {"CONTENT_TYPE": "application/json", "wsgi.input": io.BytesIO(body), "wsgi.input_terminated": is_joined}
    return caller.post("messages", None, **{"Transfer-Encoding": "chunked"}, environ=environ)


def test_a_body_in_chunks_is_read(api: Caller, connection: Connection) -> None:
    assert _in_chunks(api, b'{"to": "+4915112345678", "body": "Hello"}').status_code == 202


def test_a_body_in_chunks_has_the_same_limit(api: Caller, connection: Connection) -> None:
    problem_of(_in_chunks(api, b" " * 3_000_000), 413, "body_too_large")


def test_chunks_that_the_server_does_not_join_need_a_length(api: Caller, connection: Connection) -> None:
    problem_of(_in_chunks(api, b"29\r\n{}\r\n0\r\n\r\n", is_joined=False), 411, "length_required")


def test_a_caller_who_hangs_up_is_no_fault_of_ours(api: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> bytes:
        raise OSError("connection reset")

    monkeypatch.setattr(FakePayload, "read", broken)
    problem_of(api.post("messages", GOOD), 400, "bad_request")


# ---- rates


def test_a_key_may_ask_so_many_times_a_second(
    api: Caller, make_caller: Callable[..., Caller], settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.API_RATE = 3
    monkeypatch.setattr(rates, "WINDOW_MS", 60_000)
    assert [api.get("me").status_code for _ in range(3)] == [200] * 3
    response = api.get("nothing")
    problem_of(response, 429, "rate_limited")
    assert 1 <= int(response["Retry-After"]) <= 60
    assert make_caller().get("me").status_code == 200  # another key has its own count


def test_the_count_begins_anew(api: Caller, settings: LazySettings) -> None:
    settings.API_RATE = 1
    statuses, until = [], time.monotonic() + 10
    while statuses.count(200) < 3 and time.monotonic() < until:
        statuses.append(api.get("me").status_code)
    assert statuses.count(200) == 3
    assert 429 in statuses


# ---- Valkey away


@pytest.fixture(params=["closed port", "black hole"])
def dead_valkey(request: pytest.FixtureRequest, settings: LazySettings) -> Iterator[None]:
    """Point everything that speaks to Valkey to where nobody answers: at once, or ever."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        if request.param == "black hole":
            listener.listen(16)  # connections come about, and then nothing is ever said
        settings.REDIS_URL = f"redis://127.0.0.1:{listener.getsockname()[1]}/0"
        yield


@pytest.mark.django_db(transaction=True)
def test_without_valkey_messages_are_taken_quickly(
    api: Caller, connection: Connection, dead_valkey: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calling, "_client", None)
    monkeypatch.setattr(calling, "_doubtful_until", 0.0)
    api.get("messages")  # warm; the counting is in doubt from here on, so forget that
    monkeypatch.setattr(rates, "_doubtful_until", 0.0)
    took = []
    for _ in range(3):
        began = time.monotonic()
        assert api.post("messages", GOOD).status_code == 202
        took.append(time.monotonic() - began)
    assert max(took) < 1.0
    assert min(took[1:]) < 0.3  # not asked again for a while
    assert Message.objects.filter(status="queued").count() == 3


# ---- faults


def test_a_database_that_is_away_is_a_503(api: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(raw: str) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(gate, "authenticate_key", away)
    response = api.get("me")
    problem_of(response, 503, "unavailable")
    assert int(response["Retry-After"]) >= 1


def test_a_fault_is_a_500_without_details(
    api: Caller, connection: Connection, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("secret of +4915112345678")

    monkeypatch.setattr("messaging.api.messages.outbox.enqueue", fail)
    response = api.post("messages", GOOD)
    problem_of(response, 500, "internal_error")
    assert b"secret" not in response.content
    assert "RuntimeError" in caplog.text  # found by us, without the number
    assert "4915112345678" not in caplog.text


def test_a_key_is_asked_for_in_every_request(api: Caller, stranger: Caller, connection: Connection) -> None:
    """The organization of one request never stays for the next one in the same process."""
    message = MessageFactory(organization=connection.organization, connection=connection)
    for _ in range(3):
        assert api.get(f"messages/{message.pk}").status_code == 200
        problem_of(stranger.get(f"messages/{message.pk}"), 404, "not_found")
