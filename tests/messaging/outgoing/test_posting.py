"""A call is signed, short, follows nothing, and goes to the address that was looked at."""

import hashlib
import hmac
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest

from messaging.outgoing import addresses, posting
from messaging.outgoing.posting import post
from messaging.outgoing.problems import AddressRefused, NoAnswer

from .receiver import Receiver, receiving


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    settings.OUTGOING_WEBHOOKS_ALLOW = frozenset({"127.0.0.1"})
    with receiving() as running:
        yield running


def test_a_call_is_signed_under_every_secret(receiver: Receiver) -> None:
    answer = post(receiver.url, b'{"a": 1}', secrets=("new", "old"), key="k1")
    assert answer.is_good and answer.record() == {"ticket": {"id": 7}}
    method, path, headers, body = receiver.calls[0]
    assert (method, path, body) == ("POST", "/hook?token=s3cret", b'{"a": 1}')
    assert headers["Idempotency-Key"] == "k1" and headers["Content-Type"] == "application/json"
    at, *signatures = headers["Heliograph-Signature"].split(",")
    signed = at.removeprefix("t=").encode() + b"." + body
    expected = [f"v1={hmac.new(key, signed, hashlib.sha256).hexdigest()}" for key in (b"new", b"old")]
    assert signatures == expected and abs(int(at[2:]) - time.time()) < 30


def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    receiver.status, receiver.headers = 302, {"Location": "http://127.0.0.1:1/"}
    answer = post(receiver.url, b"{}", secrets=("s",), key="k", method="PUT")
    assert answer.status == 302 and not answer.is_good and not answer.may_come_again and len(receiver.calls) == 1


def test_much_is_not_kept_and_nonsense_is_no_record(receiver: Receiver) -> None:
    receiver.body = b'{"a": "' + b"x" * 70_000 + b'"}'
    assert post(receiver.url, b"{}", secrets=("s",), key="k").record() == {}
    for body in (b"[" * 60_000, b"\xff\xfe", b"[1]", b"null"):
        receiver.body = body
        assert post(receiver.url, b"{}", secrets=("s",), key="k").record() == {}


@pytest.mark.parametrize(
    ("raw", "low", "high"),
    [("120", 120, 120), ("9999999", 86_400, 86_400), ("soon", None, None), ("", None, None),
     ("Fri, 31 Dec 9999 23:59:59 GMT", 86_400, 86_400), ("Thu, 01 Jan 1970 00:00:00 GMT", 0, 0)],
)  # fmt: skip
def test_when_to_come_again_is_read(receiver: Receiver, raw: str, low: float | None, high: float | None) -> None:
    receiver.status, receiver.headers = 429, {"Retry-After": raw}
    answer = post(receiver.url, b"{}", secrets=("s",), key="k")
    assert answer.may_come_again
    assert answer.retry_after is None if low is None else low <= (answer.retry_after or 0) <= (high or 0)


def test_who_drips_is_hung_up_on(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posting, "TIMEOUT", 1.0)
    receiver.drips = 0.2
    begun = time.monotonic()
    with pytest.raises(NoAnswer):
        post(receiver.url, b"{}", secrets=("s",), key="k")
    assert time.monotonic() - begun < 4


def test_nobody_there_is_said_without_the_address(settings: Any) -> None:
    settings.OUTGOING_WEBHOOKS_ALLOW = frozenset({"127.0.0.1"})
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    with pytest.raises(NoAnswer) as silent:
        post(f"http://127.0.0.1:{port}/s3cret", b"{}", secrets=("s",), key="k")
    assert "s3cret" not in str(silent.value)


def test_it_connects_to_what_was_looked_at_and_not_to_what_the_name_says_later(
    receiver: Receiver, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def look_up(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        ip = "93.184.216.34" if len(asked) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port))]

    connected: list[str] = []

    def connect(self: Any, address: tuple[str, int]) -> None:
        connected.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(addresses.socket, "getaddrinfo", look_up)
    monkeypatch.setattr(posting.socket, "socket", type("Socket", (socket.socket,), {"connect": connect}))
    with pytest.raises(NoAnswer):
        post("https://rebinding.example/", b"{}", secrets=("s",), key="k")
    assert asked == ["rebinding.example"] and connected == ["93.184.216.34"]
    with pytest.raises(AddressRefused):
        post("https://rebinding.example/", b"{}", secrets=("s",), key="k")
