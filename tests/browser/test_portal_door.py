"""The door of a portal in a browser: registering, logging in, an invitation; the code is read off a virtual phone.

On a phone and on a wide screen, without a script on the smallest one, in Arabic, and with a passkey. Each page is also
put before axe.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from config.launcher.environment import CHECKOUT
from integrations.sandbox.control import SandboxControl

from .conftest import DESKTOP, PASSWORD, PHONE, SCREENSHOTS, Product

KNOWN = "+4915112345712"
SMALL = {"width": 320, "height": 640}
# What a browser says of pages that say that something is wrong.
_EXPECTED = re.compile(r"status of 4\d\d")
# What members do on their pages, in one go: those have their own test.
_MAKE = """
import json
from django.conf import settings
from integrations.connections.models import Connection
from integrations.organizations.models import Organization
from portal.accounts.invitations import invite, link_of
from portal.accounts.models import Portal, PortalUser
from portal.accounts.setting_up import create_portal, publish_terms, switch
from portal.forms.models import PublicForm
organization = Organization.objects.get(slug={slug!r})
owner = organization.members.get().user
portal = create_portal(organization, name="Driver portal", slug="harbour-drivers", actor=owner)
welcome = "Shifts, papers and messages for everybody who drives for us."
PublicForm.objects.filter(pk=portal.form_id).update(
    languages=["en", "zh-hans", "zh-hant", "nl", "de", "es", "fr", "ar"], color="#0b7a75", description=welcome)
Portal.objects.filter(pk=portal.pk).update(admission="open")
portal.refresh_from_db()
publish_terms(portal, texts={{"en": "Drive carefully.\\n\\n" + "Keep to the speed limit. " * 60}}, actor=owner)
switch(portal, on=True, actor=owner)
PortalUser.objects.create(portal=portal, phone={known!r}, region="DE", status="active", terms_id=portal.terms.pk)
invitations = [invite(portal, phone=phone, name="Grace Hopper", actor=owner) for phone in {invited!r}]
connection = Connection.objects.get(organization=organization)
print(json.dumps({{"links": [link_of(one) for one in invitations], "url": settings.SANDBOX_URL,
                   "secret": settings.SANDBOX_SECRET, "account": connection.account_sid}}))
"""


@dataclass
class Place:
    """A portal that everybody may register in, two invitations to it, and virtual phones."""

    address: str
    links: list[str]
    control: SandboxControl
    account: str

    @property
    def url(self) -> str:
        # Browsers make passkeys for names, not for 127.0.0.1.
        return f"{self.address.replace('127.0.0.1', 'localhost')}/p/harbour-drivers/"

    def link(self, number: int) -> str:
        return self.url + self.links[number].partition("/p/harbour-drivers/")[2]

    def code(self, phone: str) -> str:
        """Return the code that the phone got last."""
        messages = self.control.phone(self.account, phone)["messages"]
        found = re.search(r"\b\d{4,10}\b", str(messages[-1]["body"]))
        assert found is not None
        return found[0]


@pytest.fixture(scope="module")
def place(product: Product) -> Place:
    made = product.manage(
        "create_org", "--name", "Harbour Drivers", "--owner", "door@harbour.example", "--password", PASSWORD,
        "--region", "DE", "--time-zone", "Europe/Berlin",
    )  # fmt: skip
    product.manage("connect_twilio", "--org", made["slug"], "--sandbox")
    script = _MAKE.format(slug=made["slug"], known=KNOWN, invited=["+4915112345721", "+4915112345722"])
    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "--no-imports", "-c", script],
        cwd=CHECKOUT, env=product.environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.strip().splitlines()[-1])
    return Place(product.address, told["links"], SandboxControl(told["url"], told["secret"]), told["account"])


@dataclass
class Guest:
    """Somebody with a browser of their own, who never signed in to anything."""

    page: Page
    has_script: bool = True
    troubles: list[str] = field(default_factory=list)

    def look(self, name: str, *, sizes: tuple[dict[str, int], ...] = (PHONE, DESKTOP)) -> None:
        """Keep pictures; see that nothing has to be scrolled sideways, and that axe finds nothing."""
        SCREENSHOTS.mkdir(exist_ok=True)
        before = self.page.viewport_size
        for size in sizes:
            self.page.set_viewport_size(size)  # type: ignore[arg-type]
            self.page.screenshot(path=SCREENSHOTS / f"{name}-{size['width']}.png", full_page=True)
            if self.has_script:
                wide = self.page.evaluate("document.documentElement.scrollWidth")
                assert wide <= size["width"], f"{name} is {wide} px wide on a screen of {size['width']}"
                found = Axe().run(self.page)
                assert found.violations_count == 0, (name, size["width"], found.generate_report())
        self.page.set_viewport_size(before)  # type: ignore[arg-type]


@pytest.fixture
def guest(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Guest]:
    """A visitor; `@pytest.mark.parametrize("guest", [{…}], indirect=True)` says how the browser is."""
    options: dict[str, Any] = {"viewport": PHONE, "locale": "en-GB", **getattr(request, "param", {})}
    context = browser.new_context(**options)
    context.set_default_timeout(15_000)
    page = context.new_page()
    guest = Guest(page, has_script=options.get("java_script_enabled", True))
    page.on("pageerror", lambda error: guest.troubles.append(f"script error: {error}"))
    page.on("console", lambda line: _is_trouble(line) and guest.troubles.append(line.text))
    page.on("response", lambda answer: answer.status >= 500 and guest.troubles.append(f"{answer.status} {answer.url}"))
    yield guest
    context.close()
    assert guest.troubles == []


def _is_trouble(line: ConsoleMessage) -> bool:
    return line.type == "error" and not _EXPECTED.search(line.text)


def test_registering_on_a_phone_then_a_passkey_and_logging_in_by_it(place: Place, guest: Guest) -> None:
    page = guest.page
    devices = page.context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": True, "automaticPresenceSimulation": True,
    }})  # fmt: skip
    page.goto(place.url)
    guest.look("120-portal-door")
    page.get_by_label("Your mobile number").fill("12")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_label("Your mobile number")).to_be_focused()
    guest.look("121-portal-door-mistake", sizes=(PHONE,))
    page.get_by_label("Your mobile number").fill("0151 12345711")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_label("Code", exact=True)).to_be_focused()
    guest.look("122-portal-code")
    page.get_by_label("Code", exact=True).fill(place.code("+4915112345711"))
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("heading", name="Register")).to_be_visible()
    page.get_by_role("button", name="Register").click()
    expect(page.get_by_role("alert").first).to_be_focused()
    guest.look("123-portal-register-mistakes")
    page.get_by_label("Name").fill("Ada Lovelace")
    page.get_by_label("I have read the terms").check()
    page.get_by_role("button", name="Register").click()
    page.wait_for_url("**/harbour-drivers/home")
    guest.look("124-portal-in")

    page.goto(f"{place.url}security")
    with page.expect_navigation():
        page.get_by_role("button", name=re.compile("passkey", re.IGNORECASE)).click()
    page.get_by_role("button", name="Log out").first.click()
    expect(page.get_by_label("Your mobile number")).to_be_visible()
    page.get_by_role("button", name="Log in with a passkey").click()
    page.wait_for_url("**/harbour-drivers/home")


@pytest.mark.parametrize("guest", [{"viewport": DESKTOP}], indirect=True)
def test_logging_in_on_a_desktop_by_keyboard(place: Place, guest: Guest) -> None:
    """The number of who has registered: the same pages, and then one is in."""
    page = guest.page
    page.goto(place.url)
    page.get_by_label("Your mobile number").focus()
    page.keyboard.type("0151 12345712")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Code", exact=True)).to_be_focused()
    page.reload()
    page.get_by_label("Code", exact=True).focus()
    page.keyboard.type(place.code(KNOWN))
    page.keyboard.press("Enter")
    page.wait_for_url("**/harbour-drivers/home")


def test_an_invitation_on_a_phone_then_used_up(place: Place, guest: Guest) -> None:
    page = guest.page
    page.goto(place.link(0))
    expect(page.get_by_text("Harbour Drivers invites you.")).to_be_visible()
    guest.look("125-portal-invitation")
    page.get_by_role("button", name="Send me the code").click()
    expect(page.get_by_label("Code", exact=True)).to_be_focused()
    page.get_by_label("Code", exact=True).fill(place.code("+4915112345721"))
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_label("Name")).to_have_value("Grace Hopper")
    page.get_by_label("I have read the terms").check()
    page.get_by_role("button", name="Register").click()
    page.wait_for_url("**/harbour-drivers/home")
    page.goto(place.link(0))
    expect(page.get_by_role("heading", name="This invitation was used already")).to_be_visible()
    guest.look("126-portal-invitation-used", sizes=(PHONE,))


@pytest.mark.parametrize("guest", [{"viewport": SMALL, "java_script_enabled": False}], indirect=True)
def test_an_invitation_without_a_script_on_the_smallest_screen(place: Place, guest: Guest) -> None:
    page = guest.page
    page.goto(place.link(1))
    page.get_by_role("button", name="Send me the code").click()
    page.get_by_label("Code", exact=True).fill(place.code("+4915112345722"))
    page.get_by_role("button", name="Confirm").click()
    page.get_by_label("I have read the terms").check()
    guest.look("127-portal-register-no-script", sizes=(SMALL,))
    page.get_by_role("button", name="Register").click()
    page.wait_for_url("**/harbour-drivers/home")


@pytest.mark.parametrize("guest", [{"locale": "ar-EG", "color_scheme": "dark"}], indirect=True)
def test_in_arabic_from_right_to_left_on_a_dark_screen(place: Place, guest: Guest) -> None:
    page = guest.page
    page.goto(place.url)
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    guest.look("128-portal-door-arabic", sizes=(SMALL, DESKTOP))
    page.get_by_label("رقم جوالك").fill("+49 1511 2345713")
    page.get_by_role("button", name="متابعة").click()
    expect(page.get_by_label("الرمز", exact=True)).to_be_focused()
    page.get_by_label("الرمز", exact=True).fill(place.code("+4915112345713"))
    page.get_by_role("button", name="تأكيد").click()
    expect(page.get_by_role("heading", name="التسجيل")).to_be_visible()
    guest.look("129-portal-register-arabic", sizes=(PHONE,))
