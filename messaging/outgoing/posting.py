"""The one client by which an organization's own addresses are called: guarded, signed, short.

It follows no redirect (which could lead inside), reads no environment, keeps no cookie, and ends after ten seconds,
however slowly the other side drips.
"""

import http.client
import json
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from integrations.body_signatures import ID_HEADER, SIGNATURE_HEADER, sign
from integrations.retry_after import seconds_of
from integrations.twilio.addresses import certificate_bundle

from .addresses import Endpoint, Target, read_url, resolve
from .problems import NoAnswer

TIMEOUT = 10.0
CONNECT_TIMEOUT = 4.0
LONGEST_ANSWER = 64 * 1024
LONGEST_BODY = 256 * 1024
_LONGEST_PAUSE = 86_400.0


@dataclass(frozen=True)
class Answer:
    """What came back: the status, at most 64 KB of the body, and when to come again where it was said."""

    status: int
    body: bytes
    content_type: str
    retry_after: float | None

    @property
    def is_good(self) -> bool:
        return 200 <= self.status < 300

    @property
    def may_come_again(self) -> bool:
        """Whether the same call may succeed later."""
        return self.status in {408, 425, 429} or self.status >= 500

    def record(self) -> dict[str, Any]:
        """Return the body as a JSON object, {} where it is none."""
        if "json" not in self.content_type:
            return {}
        try:
            found = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}


def post(url: str, body: bytes, *, secrets: tuple[str, ...], key: str, method: str = "POST") -> Answer:
    """Send JSON, signed under each of the secrets, with a key by which the other side knows a second try.

    Raises AddressRefused or NoAnswer.
    """
    target = read_url(url)
    until = time.monotonic() + TIMEOUT
    headers = {
        "Host": target.host_header,
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "User-Agent": "Heliograph",
        "Accept": "application/json",
        "Connection": "close",
        ID_HEADER: key,
        SIGNATURE_HEADER: sign(body, secrets=secrets, at=int(time.time())),
    }
    return _ask(_connect(target, until=until), target, method, headers, body, until=until)


def _connect(target: Target, *, until: float) -> socket.socket:
    """Connect to the first address that takes us, and to no other than those that were looked at."""
    for endpoint in resolve(target)[:3]:
        try:
            return _open(endpoint, target, until=until)
        except ssl.SSLError as error:
            raise NoAnswer("bad_certificate", f"The certificate of {target.host} is not good. Renew it.") from error
        except OSError:
            continue
    raise NoAnswer("no_answer", f"{target.host} could not be reached. Is the service running?")


def _open(endpoint: Endpoint, target: Target, *, until: float) -> socket.socket:
    plain = socket.socket(endpoint.family, socket.SOCK_STREAM)
    try:
        plain.settimeout(min(CONNECT_TIMEOUT, max(0.1, until - time.monotonic())))
        plain.connect((endpoint.ip, target.port))
        return _tls().wrap_socket(plain, server_hostname=target.host) if target.is_https else plain
    except BaseException:
        plain.close()
        raise


def _ask(
    opened: socket.socket, target: Target, method: str, headers: Mapping[str, str], body: bytes, *, until: float
) -> Answer:
    connection = http.client.HTTPConnection(target.host, target.port)
    connection.sock = opened
    left = max(0.1, until - time.monotonic())
    opened.settimeout(left)
    # A limit for the whole, which the socket's own, for each piece, is not.
    is_over = threading.Event()
    alarm = threading.Timer(left, _hang_up, [opened, is_over])
    alarm.daemon = True
    alarm.start()
    try:
        connection.putrequest(method, target.path, skip_host=True, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        answer = connection.getresponse()
        content = answer.read(LONGEST_ANSWER + 1)
    except (OSError, http.client.HTTPException, ValueError) as error:
        # The error may repeat what the other side said: only its kind is told.
        raise NoAnswer(
            "no_answer", f"{target.host} gave no answer within {TIMEOUT:.0f} seconds ({type(error).__name__})."
        ) from None
    finally:
        alarm.cancel()
        connection.close()
        opened.close()
    if is_over.is_set():
        raise NoAnswer("no_answer", f"{target.host} gave no answer within {TIMEOUT:.0f} seconds.")
    pause = seconds_of(answer.headers.get("Retry-After"))
    return Answer(
        status=answer.status,
        body=content[:LONGEST_ANSWER] if len(content) <= LONGEST_ANSWER else b"",
        content_type=answer.headers.get("Content-Type", "").lower(),
        retry_after=min(pause, _LONGEST_PAUSE) if pause is not None else None,
    )


def _hang_up(opened: socket.socket, is_over: threading.Event) -> None:
    is_over.set()
    try:
        opened.shutdown(socket.SHUT_RDWR)
    except OSError:
        return


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=certificate_bundle() or None)
