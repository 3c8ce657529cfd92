"""People outside an organization, each with a browser of their own, and the virtual phones on which codes arrive.

Whatever one of them looks at must need no scrolling sideways, and axe must find nothing in it.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

from config.launcher.environment import CHECKOUT
from integrations.sandbox.control import SandboxControl

from .conftest import SCREENSHOTS, Product

Size = dict[str, int]
# What a browser says of pages that say that something is wrong, or that may not be framed.
_EXPECTED = re.compile(r"status of 4\d\d|frame-ancestors")
# What goes in front of a script: its organization with the owner; and behind it: the way to the virtual phones.
_BEFORE = """
import json
from django.conf import settings
from integrations.connections.models import Connection
from integrations.organizations.models import Organization
organization = Organization.objects.get(slug={slug!r})
owner = organization.members.get().user
told = {{}}
"""
_AFTER = """
connection = Connection.objects.get(organization=organization)
print(json.dumps({**told, "url": settings.SANDBOX_URL, "secret": settings.SANDBOX_SECRET,
                  "account": connection.account_sid}))
"""


@dataclass
class Guest:
    """Somebody with a browser of their own, who never signed in to anything."""

    page: Page
    context: BrowserContext
    has_script: bool = True
    troubles: list[str] = field(default_factory=list)

    def look(self, name: str, *, sizes: Sequence[Size] = ()) -> None:
        """Keep pictures, on the screen as it is unless sizes are named, and see that all is well with the page."""
        SCREENSHOTS.mkdir(exist_ok=True)
        before = self.page.viewport_size
        assert before is not None
        for size in sizes or [before]:
            self.page.set_viewport_size(size)  # type: ignore[arg-type]
            if self.has_script:
                wide = self.page.evaluate("document.documentElement.scrollWidth")
                assert wide <= size["width"], f"{name} is {wide} px wide on a screen of {size['width']}"
            self.page.screenshot(path=SCREENSHOTS / f"{name}-{size['width']}.png", full_page=True)
            if self.has_script:
                found = Axe().run(self.page)
                assert found.violations_count == 0, (name, size["width"], found.generate_report())
        self.page.set_viewport_size(before)


@contextmanager
def guest_with(browser: Browser, **options: Any) -> Iterator[Guest]:
    """Give somebody a browser; a page error or a 5xx fails the test at the end."""
    context = browser.new_context(locale=options.pop("locale", "en-GB"), **options)
    context.set_default_timeout(15_000)
    page = context.new_page()
    guest = Guest(page, context, has_script=options.get("java_script_enabled", True))
    page.on("pageerror", lambda error: guest.troubles.append(f"script error: {error}"))
    page.on("console", lambda line: _is_trouble(line) and guest.troubles.append(line.text))
    page.on("response", lambda answer: answer.status >= 500 and guest.troubles.append(f"{answer.status} {answer.url}"))
    yield guest
    context.close()
    assert guest.troubles == []


def _is_trouble(line: ConsoleMessage) -> bool:
    return line.type == "error" and not _EXPECTED.search(line.text)


@dataclass
class Phones:
    """The virtual phones of an organization."""

    control: SandboxControl
    account: str

    def texts(self, phone: str) -> list[str]:
        return [str(message["body"]) for message in self.control.phone(self.account, phone)["messages"]]

    def code(self, phone: str) -> str:
        """Return the code that the phone got last."""
        found = re.search(r"\b\d{4,10}\b", self.texts(phone)[-1])
        assert found is not None
        return found[0]


def make(product: Product, slug: str, script: str) -> tuple[dict[str, Any], Phones]:
    """Do what members do on pages of their own, in one go; return what the script put into `told`, and the phones."""
    whole = _BEFORE.format(slug=slug) + script + _AFTER
    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "--no-imports", "-c", whole],
        cwd=CHECKOUT, env=product.environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.strip().splitlines()[-1])
    return told, Phones(SandboxControl(told["url"], told["secret"]), told["account"])


def make_organization(product: Product, *, name: str, email: str, password: str) -> str:
    """Make an organization in Berlin that is connected to the sandbox; return its slug."""
    made = product.manage(
        "create_org", "--name", name, "--owner", email, "--password", password, "--region", "DE",
        "--time-zone", "Europe/Berlin",
    )  # fmt: skip
    product.manage("connect_twilio", "--org", made["slug"], "--sandbox")
    return made["slug"]
