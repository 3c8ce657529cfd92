"""A real sandbox process for tests, and a webhook to which it can call back.

`sandbox_server` lives as long as the session; `sandbox` is the same, empty and with quick statuses, for one test.
"""

import os
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
import requests

from integrations.sandbox.control import SandboxControl
from integrations.sandbox.credentials import SandboxCredentials, derive_credentials, new_account_sid

ROOT = Path(__file__).resolve().parents[2]
QUICK = {"carrier": {"queued_after_s": 0.01, "sent_after_s": 0.02, "final_after_s": 0.02}}


@dataclass
class SandboxServer:
    """A running sandbox: where it is, how to steer it, and accounts to use."""

    url: str
    secret: str
    control: SandboxControl

    def reset(self) -> None:
        """Forget accounts, dials, counters and what was due."""
        self.control.reset()

    def new_account(self) -> SandboxCredentials:
        """Return the credentials of an account that nobody has used."""
        return derive_credentials(self.secret, new_account_sid(self.secret))

    def api(self, credentials: SandboxCredentials, *, with_key: bool = True) -> "SandboxApi":
        """Return something that speaks to the simulated Twilio with these credentials."""
        if with_key:
            return SandboxApi(self.url, credentials, (credentials.api_key_sid, credentials.api_key_secret))
        return SandboxApi(self.url, credentials, (credentials.account_sid, credentials.auth_token))


@dataclass
class SandboxApi:
    """Plain HTTP to the simulated Twilio, without the SDK."""

    url: str
    credentials: SandboxCredentials
    auth: tuple[str, str]
    timeout: float = 5.0

    def call(self, method: str, host: str, path: str, **options: object) -> requests.Response:
        """Make a request: `call("GET", "verify", "/v2/Services")`."""
        return requests.request(
            method,
            f"{self.url}/{host}.twilio.com{path}",
            auth=self.auth,
            timeout=self.timeout,
            **options,  # type: ignore[arg-type]
        )

    def account(self, method: str, path: str, **options: object) -> requests.Response:
        """Make a request below the account: `account("GET", "/Messages.json")`."""
        return self.call(method, "api", f"/2010-04-01/Accounts/{self.credentials.account_sid}{path}", **options)

    def send(self, to: str = "+4915112345678", body: str = "Hello", **fields: str) -> requests.Response:
        """Post a message, from the Messaging Service unless a sender is given."""
        if "From" not in fields and "MessagingServiceSid" not in fields:
            fields["MessagingServiceSid"] = self.credentials.messaging_service_sid
        return self.account("POST", "/Messages.json", data={"To": to, "Body": body, **fields})

    def message(self, sid: str) -> dict[str, object]:
        """Fetch a message."""
        return self.account("GET", f"/Messages/{sid}.json").json()


@pytest.fixture(scope="session")
def sandbox_server() -> Iterator[SandboxServer]:
    """Start a sandbox on a free port; it shares SANDBOX_SECRET with the settings where they have one."""
    secret = os.environ.get("SANDBOX_SECRET") or secrets.token_hex(16)
    process = subprocess.Popen(
        [sys.executable, "-m", "integrations.sandbox.server", "--host", "127.0.0.1", "--port", "0"],
        cwd=ROOT,
        env={**os.environ, "SANDBOX_SECRET": secret},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        ready = process.stdout.readline()
        assert ready.startswith("Sandbox ready on "), f"the sandbox did not start: {ready!r}"
        url = ready.split()[-1]
        yield SandboxServer(url=url, secret=secret, control=SandboxControl(url, secret))
    finally:
        process.terminate()
        process.wait(timeout=10)


@pytest.fixture
def sandbox(sandbox_server: SandboxServer, request: pytest.FixtureRequest) -> SandboxServer:
    """Give a test the sandbox: empty, quick, and known to Django's settings where Django is there."""
    sandbox_server.reset()
    sandbox_server.control.set_dials(QUICK)
    if request.config.pluginmanager.hasplugin("django") and os.environ.get("DJANGO_SETTINGS_MODULE"):
        settings = request.getfixturevalue("settings")
        settings.SANDBOX_ENABLED = True
        settings.SANDBOX_URL = sandbox_server.url
        settings.SANDBOX_SECRET = sandbox_server.secret
    return sandbox_server


@dataclass
class Hit:
    """One request that reached the webhook."""

    path: str
    params: dict[str, str]
    headers: dict[str, str]


@dataclass
class Webhook:
    """A webhook that remembers what it got and answers as a test wants."""

    url: str = ""
    hits: list[Hit] = field(default_factory=list)
    answer: Callable[[Hit], tuple[int, str, str]] = lambda hit: (204, "", "")  # status, content type, body

    def statuses(self) -> list[str]:
        """Return the message statuses in the order they came."""
        return [hit.params.get("MessageStatus", "") for hit in list(self.hits)]


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    """Listen for webhooks on a free port."""
    hook = Webhook()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            hit = Hit(self.path, dict(parse_qsl(body, keep_blank_values=True)), dict(self.headers))
            hook.hits.append(hit)
            status, content_type, answer = hook.answer(hit)
            self.send_response(status)
            if content_type:
                self.send_header("Content-Type", content_type)
            if status != 204:
                self.send_header("Content-Length", str(len(answer.encode())))
            self.end_headers()
            self.wfile.write(answer.encode())

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    hook.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield hook
    finally:
        server.shutdown()
        server.server_close()


def wait_until(condition: Callable[[], object], *, seconds: float = 5.0) -> None:
    """Wait until something is true; fails the test when it does not become true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.01)
