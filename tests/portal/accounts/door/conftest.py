"""A visitor in front of a portal: a browser without a script, which keeps cookies, and the phone for the codes."""

import re
from dataclasses import dataclass, field
from html import unescape
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from portal.accounts.models import Portal
from tests.conftest import Cast
from tests.portal.accounts.furnishing import make_portal
from tests.portal.forms.public.conftest import VirtualPhones, account, connected, phones, wrong

__all__ = ["NUMBER", "PHONE", "Visitor", "account", "connected", "phones", "wrong"]

NUMBER, PHONE = "+49 1511 2345678", "+4915112345678"
_HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)"')
_KEPT = frozenset({"visit", "lang", "page_key", "questions", "version", "waiting"})


@dataclass
class Visitor:
    """Somebody with a browser of their own; it sends the hidden fields of the form that a step belongs to."""

    portal: Portal
    client: Client = field(default_factory=lambda: Client(enforce_csrf_checks=True))
    headers: dict[str, str] = field(default_factory=dict)
    page: HttpResponse | None = None

    @property
    def url(self) -> str:
        return f"/p/{self.portal.slug}/"

    @property
    def html(self) -> str:
        assert self.page is not None
        return self.page.content.decode()

    @property
    def text(self) -> str:
        return " ".join(unescape(re.sub(r"<[^>]+>", " ", self.html)).split())

    @property
    def status(self) -> int:
        assert self.page is not None
        return self.page.status_code

    @property
    def is_asked_for_code(self) -> bool:
        return 'autocomplete="one-time-code"' in self.html

    @property
    def is_in(self) -> bool:
        return self.client.get(f"{self.url}home").status_code == 200

    def open(self, path: str = "") -> "Visitor":
        self.page = self.client.get(self.url + path, headers=self.headers)
        return self

    def press(self, step: str, path: str = "", **data: Any) -> "Visitor":
        hidden = {name: unescape(value) for name, value in _HIDDEN.findall(self.html) if name in _KEPT}
        self.page = self.client.post(self.url + path, {**hidden, "step": step, **data}, headers=self.headers)
        return self

    def ask(self, phone: str = NUMBER, **data: Any) -> "Visitor":
        """Enter a number."""
        return self.press("number", **{"phone": phone, **data})

    def enter(self, code: str) -> "Visitor":
        return self.press("check", code=code)

    def fill(self, **data: Any) -> "Visitor":
        """Answer the questions."""
        return self.press("fill", **{"f1": "Ada Lovelace", **data})


@pytest.fixture
def drivers(cast: Cast) -> Portal:
    """A portal that everybody may register in."""
    return make_portal(cast.organization)


@pytest.fixture
def visitor(drivers: Portal, phones: VirtualPhones) -> Visitor:
    """Somebody on the first page, with a phone that gets codes."""
    return Visitor(drivers).open()


def login(visitor: Visitor, phones: VirtualPhones, phone: str = NUMBER) -> Visitor:
    """Log in with a code, or come as far as the code leads."""
    visitor.open()
    visitor.ask(phone)
    return visitor.enter(phones.code("+" + "".join(filter(str.isdigit, phone))))
