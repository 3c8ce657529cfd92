"""The HTTP client that the SDK is given for calls one at a time.

One keep-alive session serves all accounts and threads of a process (credentials travel with each request): opening a
connection anew costs some 40 ms of CPU for TLS. The session is safe to share because nothing in it changes: it keeps
no cookies, reads no environment, follows no redirect, repeats nothing.
"""

import io
import os
import threading
import time
from functools import cache
from http.client import HTTPResponse
from http.cookiejar import DefaultCookiePolicy
from typing import Any

from django.conf import settings
from requests import Request, RequestException, Session
from requests.adapters import HTTPAdapter
from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, Timeout
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from integrations.twilio.addresses import certificate_bundle, resolve_address, system_proxy
from integrations.twilio.border import accept_answer, lost_connection, request_written
from integrations.twilio.redaction import quieten_foreign_loggers, scrub

CONNECT_TIMEOUT = 5.0  # seconds; Twilio answers a SYN in well under one, so more would only hide an outage
POOL_SIZE = 64  # connections kept per host; further threads open one of their own for the call
JSON_TYPES = ("application/json", "application/scim+json")


def total_timeout(explicit: float | None) -> float:
    """Return the seconds a call may take in all: the explicit ones, else the setting, read when needed."""
    return explicit if explicit is not None else float(settings.TWILIO_TIMEOUT)


class SyncHttpClient(TwilioHttpClient):  # type: ignore[misc]
    """Speak HTTP for the SDK: real timeouts, one shared pool, a look-alike's address where one is set."""

    def __init__(self, *, base_url: str = "", timeout: float | None = None) -> None:
        super().__init__(pool_connections=False)
        self._base_url = base_url
        self._explicit_timeout = timeout
        proxy = system_proxy(base_url)
        self._proxies = {"http": proxy, "https": proxy} if proxy else {}

    def request(
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
        is_json = (headers or {}).get("Content-Type") in JSON_TYPES
        session = _session()
        prepared = session.prepare_request(
            Request(
                method.upper(),
                resolve_address(url, base_url=self._base_url),
                params=params,
                data=None if is_json else data,
                json=data if is_json else None,
                headers=headers,
                auth=auth,
            )
        )
        request_written.set(False)
        try:
            answer = session.send(
                prepared,
                timeout=Timeout(connect=min(CONNECT_TIMEOUT, total), total=total),  # type: ignore[arg-type]
                allow_redirects=False,
                proxies=self._proxies,
                verify=session.verify,
                stream=False,
            )
        except (RequestException, HTTPError) as error:
            raise lost_connection(error) from scrub(error)
        return accept_answer(
            status=answer.status_code, headers=answer.headers, text=answer.content.decode("utf-8", "replace")
        )


class _DeadlineReader(io.RawIOBase):
    """Read a socket until a moment, not merely without long pauses: a drip of bytes must not hold a worker for ever."""

    def __init__(self, raw: io.RawIOBase, *, sock: Any) -> None:
        self._raw = raw
        self._sock = sock
        patience = sock.gettimeout()  # urllib3 has put there what is left of the total
        self._deadline = None if patience is None else time.monotonic() + patience

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self._deadline is not None:
            left = self._deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError("timed out")
            self._sock.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()


class _DeadlineResponse(HTTPResponse):
    def __init__(self, sock: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_DeadlineReader(self.fp.detach(), sock=sock))


class _MarkedConnection(HTTPConnection):
    """Note when the first byte of a request is about to be written (connecting and TLS are behind us then)."""

    response_class = _DeadlineResponse

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        request_written.set(True)
        super().send(data)


class _MarkedSecureConnection(HTTPSConnection):
    response_class = _DeadlineResponse

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        request_written.set(True)
        super().send(data)


class _MarkedPool(HTTPConnectionPool):
    ConnectionCls = _MarkedConnection


class _MarkedSecurePool(HTTPSConnectionPool):
    ConnectionCls = _MarkedSecureConnection


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _MarkedPool, "https": _MarkedSecurePool}

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = {"http": _MarkedPool, "https": _MarkedSecurePool}
        return manager


@cache
def _built_session(process: int) -> Session:
    session = Session()
    session.trust_env = False
    session.verify = certificate_bundle()
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    adapter = _Adapter(pool_maxsize=POOL_SIZE, max_retries=0)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


_building = threading.Lock()


def _session() -> Session:
    """Return the session of this process; a forked worker must not share its parent's sockets, hence the number."""
    with _building:
        return _built_session(os.getpid())


quieten_foreign_loggers()
