"""The HTTP client that the SDK is given for many calls at once, on one event loop.

The SDK's stock one ignores its timeout, repeats a POST after a 5xx when retries are on, and sends JSON as a form. Here
every call has a limit for connecting and one for all, nothing is repeated but an idempotent read on a stale
connection (aiohttp does that, never for POST), and connections stay open as long as the loop lives.
"""

import json
import ssl
import time
from base64 import b64encode
from contextvars import ContextVar
from functools import cache
from urllib.parse import urlencode

from aiohttp import (
    ClientError,
    ClientRequest,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    TCPConnector,
)
from aiohttp.connector import Connection
from twilio.http import AsyncHttpClient
from twilio.http.response import Response
from yarl import URL

from integrations.twilio.addresses import certificate_bundle, resolve_address, system_proxy
from integrations.twilio.border import accept_answer, lost_connection, request_written
from integrations.twilio.errors import TwilioNotBegun
from integrations.twilio.http import CONNECT_TIMEOUT, JSON_TYPES, total_timeout
from integrations.twilio.redaction import quieten_foreign_loggers, scrub

CONNECTIONS = 512  # of one loop, all accounts together: above what the engine has in flight, so nothing queues for one
# The moment, in the clock of time.monotonic(), from which on a request of this task is not written any more.
write_before: ContextVar[float | None] = ContextVar("write_before", default=None)
IDLE_SECONDS = 15.0  # closed by us before a server or load balancer does, which would leave an outcome unknown


class AsyncioHttpClient(AsyncHttpClient):  # type: ignore[misc]
    """Speak HTTP for the SDK's `*_async` methods on the session of one loop."""

    def __init__(self, session: ClientSession, *, base_url: str = "", timeout: float | None = None) -> None:
        super().__init__(logger=None, is_async=True)
        self._session = session
        self._base_url = base_url
        self._explicit_timeout = timeout
        self._proxy = system_proxy(base_url)

    async def request(
        self,
        method: str,
        url: str,
        params: dict[str, object] | None = None,
        data: dict[str, object] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,  # the SDK's signature; redirects are never followed
    ) -> Response:
        """Make one request; raises the errors of `errors.py` for everything but a readable success."""
        total = total_timeout(timeout if timeout is not None else self._explicit_timeout)
        address = resolve_address(url, base_url=self._base_url)
        if params:
            address += ("&" if "?" in address else "?") + urlencode(params, doseq=True)
        headers = dict(headers or {})
        if auth is not None:
            headers["Authorization"] = "Basic " + b64encode(":".join(auth).encode()).decode()
        body: str | None = None
        if data is not None:
            is_json = headers.get("Content-Type") in JSON_TYPES
            body = json.dumps(data) if is_json else urlencode(data, doseq=True)
        request_written.set(False)
        try:
            async with self._session.request(
                method,
                URL(address, encoded=True),  # as written: quoting it a second time would change the filters
                data=body,
                headers=headers,
                timeout=ClientTimeout(total=total, connect=min(CONNECT_TIMEOUT, total)),
                allow_redirects=False,
                proxy=self._proxy,
            ) as answer:
                content = await answer.read()
        except TooLate as error:
            raise TwilioNotBegun("It was too late to begin the request.") from scrub(error)
        except (ClientError, TimeoutError, OSError) as error:
            raise lost_connection(error) from scrub(error)
        return accept_answer(status=answer.status, headers=answer.headers, text=content.decode("utf-8", "replace"))


class TooLate(ClientError):
    """A request was ready to be written after its time."""


def _is_too_late() -> bool:
    latest = write_before.get()
    return latest is not None and time.monotonic() >= latest


class _MarkedRequest(ClientRequest):
    """Note when a request is about to be written: `send` is called with an established connection."""

    async def send(self, conn: Connection) -> ClientResponse:
        # Here and not earlier: a process may be halted anywhere, and what it built before must not leave afterwards.
        if _is_too_late():
            conn.release()  # unused and good: the next try finds it open, however long connecting takes
            raise TooLate
        request_written.set(True)
        return await super().send(conn)


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=certificate_bundle())


def open_session() -> ClientSession:
    """Open the session of the running loop; whoever opens it closes it."""
    return ClientSession(
        connector=TCPConnector(limit=CONNECTIONS, keepalive_timeout=IDLE_SECONDS, ttl_dns_cache=60, ssl=_tls()),
        cookie_jar=DummyCookieJar(),
        request_class=_MarkedRequest,
        trust_env=False,
    )


quieten_foreign_loggers()
