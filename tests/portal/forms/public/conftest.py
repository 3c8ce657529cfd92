"""A visitor without a script and without cookies, and the phone on which codes arrive."""

import re
from dataclasses import dataclass, field
from html import unescape
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from integrations.connections.models import Connection
from integrations.sandbox.credentials import SandboxCredentials
from portal.forms.models import PublicForm
from tests.conftest import Cast
from tests.factories import ConnectionFactory
from tests.plugins.sandbox import SandboxServer

NUMBER, PHONE = "+49 1511 2345678", "+4915112345678"
_HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)"')


@dataclass
class Visitor:
    """Somebody with a browser that has no script; it sends the hidden fields of the page it is on."""

    form: PublicForm
    client: Client = field(default_factory=lambda: Client(enforce_csrf_checks=True))
    headers: dict[str, str] = field(default_factory=dict)
    page: HttpResponse | None = None

    @property
    def url(self) -> str:
        return f"/f/{self.form.token}"

    @property
    def text(self) -> str:
        """The page as one reads it, without marks."""
        assert self.page is not None
        return " ".join(unescape(re.sub(r"<[^>]+>", " ", self.html)).split())

    @property
    def html(self) -> str:
        assert self.page is not None
        return self.page.content.decode()

    @property
    def hidden(self) -> dict[str, str]:
        return {
            name: unescape(value)
            for name, value in _HIDDEN.findall(self.html)
            if name in {"state", "lang", "framed", "waiting"}
        }

    @property
    def is_asked_for_code(self) -> bool:
        return 'autocomplete="one-time-code"' in self.html

    @property
    def is_done(self) -> bool:
        return "Your answers were sent" in self.text

    def open(self, query: str = "") -> "Visitor":
        self.page = self.client.get(self.url + query, headers=self.headers)
        return self

    def press(self, step: str, **data: Any) -> "Visitor":
        self.page = self.client.post(self.url, {**self.hidden, "step": step, **data}, headers=self.headers)
        return self

    def fill(self, **data: Any) -> "Visitor":
        """Enter a name and a number, and press the button."""
        return self.press("fill", **{"f1": "Ada", "f2": NUMBER, **data})

    def enter(self, code: str) -> "Visitor":
        return self.press("check", code=code)


@pytest.fixture
def visitor(published: PublicForm) -> Visitor:
    return Visitor(published).open()


@dataclass
class VirtualPhones:
    """The phones of a sandbox account."""

    sandbox: SandboxServer
    account: SandboxCredentials

    def texts(self, phone: str = PHONE) -> list[str]:
        phones = {one["number"] for one in self.sandbox.control.phones(self.account.account_sid)}
        if phone not in phones:
            return []
        conversation = self.sandbox.control.phone(self.account.account_sid, phone)
        return [str(message["body"]) for message in conversation["messages"]]

    def code(self, phone: str = PHONE) -> str:
        """Return the code that came last."""
        found = re.search(r"\b\d{4,10}\b", self.texts(phone)[-1])
        assert found is not None
        return found[0]


@pytest.fixture
def account(sandbox: SandboxServer) -> SandboxCredentials:
    return sandbox.new_account()


@pytest.fixture
def connected(cast: Cast, account: SandboxCredentials) -> Connection:
    """The organization's connection, with a Verify Service in the sandbox."""
    return ConnectionFactory(
        organization=cast.organization,
        mode="sandbox",
        account_sid=account.account_sid,
        auth_token=account.auth_token,
        messaging_service_sid=account.messaging_service_sid,
        verify_service_sid=account.verify_service_sid,
    )


@pytest.fixture
def phones(connected: Connection, sandbox: SandboxServer, account: SandboxCredentials) -> VirtualPhones:
    return VirtualPhones(sandbox, account)


def wrong(code: str) -> str:
    """Return another code of the same length."""
    return f"{(int(code) + 1) % 10 ** len(code):0{len(code)}d}"
