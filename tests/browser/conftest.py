"""A whole running product (`python -m config.launcher`) and a real Chromium in front of it."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from config.launcher.environment import CHECKOUT
from config.launcher.ports import PortBook
from tests.plugins.template import copy_database

GIVEN = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "CREDENTIAL_KEYS", "SANDBOX_SECRET", "PUBLIC_BASE_URL", "DEBUG")
SCREENSHOTS = Path(__file__).parent / "screenshots"
PASSWORD = "correct horse battery"
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark these tests, and leave them out where there is no browser."""
    for item in items:
        if "tests/browser/" in str(item.fspath):
            item.add_marker(pytest.mark.browser)
            if not os.environ.get("CHROMIUM"):
                item.add_marker(pytest.mark.skip(reason="NO CHROMIUM: the browser tests are left out"))


@dataclass
class Product:
    """The product under a launcher of the tests' own."""

    address: str
    environment: dict[str, str] = field(repr=False)

    def manage(self, *arguments: str) -> dict[str, str]:
        """Run a management command and return its JSON."""
        process = self.commands
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps([*arguments, "--json"]) + "\n")
        process.stdin.flush()
        code, printed = json.loads(process.stdout.readline())
        assert code == 0, printed
        return json.loads(printed)

    @cached_property
    def commands(self) -> "subprocess.Popen[str]":
        """The process that runs them."""
        return subprocess.Popen(
            [sys.executable, "-m", "tests.browser.commands"],
            cwd=CHECKOUT,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )


@pytest.fixture(scope="session", autouse=True)
def pictures_if_wanted() -> Iterator[None]:
    """Take screenshots where somebody is to look at them (SCREENSHOTS=1): drawn without a GPU they take minutes."""
    with pytest.MonkeyPatch.context() as patch:
        if not os.environ.get("SCREENSHOTS"):
            patch.setattr(Page, "screenshot", lambda *_, **__: b"")
        yield


@pytest.fixture(scope="package")
def product() -> Iterator[Product]:
    data = Path(tempfile.mkdtemp(prefix="heliograph-browser-")).resolve()
    data.chmod(0o711)
    book = PortBook()
    web, sandbox = book.claim(18_400), book.claim(19_400)
    book.close()
    kept = {name: value for name, value in os.environ.items() if name not in GIVEN and not name.startswith("PYTEST")}
    environment = {
        **kept,
        "PORT": str(web),
        "SANDBOX_PORT": str(sandbox),
        "WORKERS": "1",
        "HELIOGRAPH_DATA": str(data),
    }
    output = data / "output"
    with output.open("w") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "config.launcher"],
            cwd=CHECKOUT,
            # For the launcher alone: whatever else is run finds the database as one does with `make run`.
            env={**environment, "DATABASE_URL": copy_database(f"browser_{os.getpid()}") or ""},
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + 300
        while not (ready := re.search(r"^Ready: (http://\S+)", output.read_text(), re.MULTILINE)):
            assert process.poll() is None, output.read_text()
            assert time.monotonic() < deadline, output.read_text()
            time.sleep(0.1)
        running = Product(address=ready[1], environment=environment)
        yield running
        running.commands.kill()
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Give these tests a browser; it leaves with them, because its event loop would be in the way of others."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=os.environ["CHROMIUM"],
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"],
        )
        yield chromium
        chromium.close()


@dataclass
class Person:
    """Somebody at a browser, in an organization of their own."""

    page: Page
    product: Product
    slug: str
    email: str

    def open(self, path: str) -> None:
        """Go to a page of the organization."""
        self.page.goto(f"{self.product.address}/o/{self.slug}/{path}")

    def sign_in(self) -> None:
        self.page.goto(f"{self.product.address}/o/{self.slug}/")
        self.page.get_by_label("E-mail").fill(self.email)
        self.page.get_by_label("Password", exact=True).fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in").click()
        self.page.wait_for_url(f"**/o/{self.slug}/")

    def look(self, name: str) -> None:
        """Take screenshots of the page, wide and on a phone, and see that a phone need not scroll sideways."""
        SCREENSHOTS.mkdir(exist_ok=True)
        for suffix, size in (("1280", DESKTOP), ("390", PHONE)):
            self.page.set_viewport_size(size)
            self.page.wait_for_timeout(150)
            wide = self.page.evaluate("document.documentElement.scrollWidth")
            assert wide <= size["width"], f"{name} is {wide} px wide on a screen of {size['width']}"
            self.page.screenshot(path=SCREENSHOTS / f"{name}-{suffix}.png", full_page=True)
        self.page.set_viewport_size(DESKTOP)


_made = 0


@pytest.fixture
def owner(product: Product, browser: Browser) -> Iterator[Person]:
    """The owner of a fresh organization, signed in; a page error or a 5xx fails the test."""
    global _made
    _made += 1
    name, email = f"Harbour Logistics {_made}", f"owner{_made}@harbour.example"
    made = product.manage(
        "create_org", "--name", name, "--owner", email, "--password", PASSWORD, "--region", "DE",
        "--time-zone", "Europe/Berlin",
    )  # fmt: skip
    context: BrowserContext = browser.new_context(viewport=DESKTOP, locale="en-GB")
    context.set_default_timeout(15_000)
    page = context.new_page()
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(f"script error: {error}"))
    page.on("response", lambda answer: answer.status >= 500 and troubles.append(f"{answer.status} {answer.url}"))
    person = Person(page=page, product=product, slug=made["slug"], email=email)
    person.sign_in()
    yield person
    context.close()
    assert troubles == []
