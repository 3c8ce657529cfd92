"""A tiny HTTP server that misbehaves on command: one thread a connection, raw sockets, no framework in between."""

import base64
import contextlib
import json
import socket
import struct
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

ACCOUNT = "AC" + "a" * 32
API_KEY = "SK" + "b" * 32
SERVICE = "MG" + "c" * 32
VERIFY_SERVICE = "VA" + "d" * 32
MESSAGE = "SM" + "e" * 32
SENDER = "+14155550132"
RECIPIENT = "+4915112345678"


@dataclass(frozen=True)
class Received:
    """One request as it arrived; `connection` counts the connections, so that reuse can be seen."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    connection: int

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, list[str]]:
        return parse_qs(urlsplit(self.target).query, keep_blank_values=True)

    @property
    def form(self) -> dict[str, list[str]]:
        return parse_qs(self.body.decode(), keep_blank_values=True)

    @property
    def sign_in(self) -> str:
        return base64.b64decode(self.headers["authorization"].removeprefix("Basic ")).decode()


# What to do with a request that was read: True keeps the connection.
Behaviour = Callable[["FakeTwilio", socket.socket, Received], bool]


class FakeTwilio:
    """Answer each request with the next behaviour of the script, or by the router when the script is empty."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.script: deque[Behaviour] = deque()
        self.router: Callable[[Received], tuple[int, Any]] = lambda request: (404, {"code": 20404, "message": "no"})
        self.stopped = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._connections = 0
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self) -> None:
        self.stopped.set()
        self._listener.close()
        for connection in self._open:
            connection.close()

    def answers(self, *behaviours: Behaviour) -> None:
        self.script.extend(behaviours)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self._connections += 1
                self._open.append(connection)
                threading.Thread(target=self._serve, args=(connection, self._connections), daemon=True).start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        with contextlib.suppress(OSError):
            while (request := _read(connection, number)) is not None:
                self.received.append(request)
                behaviour = self.script.popleft() if self.script else answer(*self.router(request))
                if not behaviour(self, connection, request):
                    break
            connection.close()


def _read(connection: socket.socket, number: int) -> Received | None:
    data = b""
    while b"\r\n\r\n" not in data:
        if not (more := connection.recv(65536)):
            return None
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    while len(body) < int(headers.get("content-length", 0)):
        body += connection.recv(65536)
    method, target, _ = lines[0].split(" ", 2)
    return Received(method, target, headers, body, number)


def answer(status: int, body: Any = None, **headers: str) -> Behaviour:
    """Answer with JSON, or with the text or bytes as they are; headers by name, `_` for `-`."""

    def behave(server: FakeTwilio, connection: socket.socket, request: Received) -> bool:
        content = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
        lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(content)}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + content)
        return True

    return behave


def hang(server: FakeTwilio, connection: socket.socket, request: Received) -> bool:
    """Read the request and never answer."""
    server.stopped.wait()
    return False


def reset(server: FakeTwilio, connection: socket.socket, request: Received) -> bool:
    """Read the request and reset the connection."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
    return False


def hang_up(server: FakeTwilio, connection: socket.socket, request: Received) -> bool:
    """Read the request and close the connection politely, without an answer."""
    return False


def half_an_answer(server: FakeTwilio, connection: socket.socket, request: Received) -> bool:
    """Promise 1,000 bytes, send some, hang up."""
    connection.sendall(b'HTTP/1.1 201 X\r\nContent-Length: 1000\r\n\r\n{"sid": "SM')
    return False


def drip(head: bytes) -> Behaviour:
    """Send the head, then a byte every 50 ms for as long as somebody listens."""

    def behave(server: FakeTwilio, connection: socket.socket, request: Received) -> bool:
        connection.sendall(head)
        while not server.stopped.wait(0.05):
            connection.sendall(b"x")
        return False

    return behave


def message_payload(**changes: Any) -> dict[str, Any]:
    """Return a message as the API writes one: numbers as text, times in RFC 2822."""
    return {
        "sid": MESSAGE,
        "account_sid": ACCOUNT,
        "messaging_service_sid": SERVICE,
        "status": "accepted",
        "direction": "outbound-api",
        "to": RECIPIENT,
        "from": None,
        "body": "Hello",
        "num_segments": "0",
        "num_media": "0",
        "price": None,
        "price_unit": None,
        "error_code": None,
        "error_message": None,
        "date_created": "Thu, 24 Aug 2023 05:01:45 +0000",
        "date_updated": "Thu, 24 Aug 2023 05:01:45 +0000",
        "date_sent": None,
        "api_version": "2010-04-01",
        "uri": f"/2010-04-01/Accounts/{ACCOUNT}/Messages/{MESSAGE}.json",
        **changes,
    }


def problem(code: int | None, message: str, status: int) -> dict[str, Any]:
    """Return an error in Twilio's classic form."""
    return {
        "code": code,
        "message": message,
        "more_info": f"https://www.twilio.com/docs/errors/{code}",
        "status": status,
    }
