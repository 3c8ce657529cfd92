"""Inside a portal, in a browser: profile, another number, wishes, a form, devices, one's data, and leaving.

On a phone and on a wide screen; each page is put before axe, and one is read in Arabic.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from config.launcher.environment import CHECKOUT
from integrations.sandbox.control import SandboxControl

from .conftest import DESKTOP, PASSWORD, PHONE, SCREENSHOTS, Product

NUMBER, NEW_NUMBER = "+4915112345701", "+4915112345702"
_EXPECTED = re.compile(r"status of 4\d\d")
# What members do on pages of their own, and what people did when they registered.
_MAKE = """
import json, secrets
from datetime import timedelta
from django.conf import settings
from django.utils import timezone
from integrations.connections.models import Connection
from integrations.organizations.models import Organization
from portal.accounts.devices import hash_of
from portal.accounts.models import Portal, PortalDevice, PortalLogin, PortalSession, PortalUser
from portal.accounts.offering import change_offers
from portal.accounts.setting_up import create_portal, switch
from portal.forms.building import create_form, publish
from portal.forms.definition import read
from portal.forms.models import PublicForm
organization = Organization.objects.get(slug={slug!r})
owner = organization.members.get().user
portal = create_portal(organization, name="Driver portal", slug="drivers", actor=owner)
every = ["en", "zh-hans", "zh-hant", "nl", "de", "es", "fr", "ar"]
PublicForm.objects.filter(pk=portal.form_id).update(
    languages=every, color="#0b7a75", description="Slots, papers and news for everybody who drives for us.")
Portal.objects.filter(pk=portal.pk).update(offers_password=True)
switch(portal, on=True, actor=owner)
form = create_form(organization, title="Report a delay", actor=owner)
form.definition = read([
    {{"key": "f1", "kind": "short_text", "label": "Your name", "required": True, "saves_as": "name"}},
    {{"key": "f2", "kind": "phone", "label": "Mobile number", "required": True, "verify": True}},
    {{"key": "f3", "kind": "long_text", "label": "What happened?"}}]).as_json()
form.next_key = 9
form.save()
publish(form, actor=owner)
PublicForm.objects.filter(pk=form.pk).update(state="open")
change_offers(portal, form_ids=[form.pk], actor=owner)
tokens = {{}}
people = (("ada", {number!r}, ["Chrome, Android", "Firefox, Windows"]), ("grace", "+4915112345703", ["Safari, Mac"]),
          ("amal", "+4915112345704", ["Chrome, Android"]))
for name, phone, devices in people:
    user = PortalUser.objects.create(portal=portal, phone=phone, region="DE", status="active", name=name.title(),
                                     language="ar" if name == "amal" else "", registered_at=timezone.now())
    for label in devices:
        token = secrets.token_urlsafe(32)
        device = PortalDevice.objects.create(user=user, token_hash=hash_of(secrets.token_urlsafe(32)), label=label)
        PortalSession.objects.create(user=user, device=device, token_hash=hash_of(token),
                                     expires_at=timezone.now() + timedelta(days=30))
        PortalLogin.objects.create(portal=portal, user=user, how="code", outcome="in", device=label)
        tokens.setdefault(name, token)
connection = Connection.objects.get(organization=organization)
print(json.dumps({{"tokens": tokens, "url": settings.SANDBOX_URL, "secret": settings.SANDBOX_SECRET,
                   "account": connection.account_sid}}))
"""


@dataclass
class Portal:
    """A portal with people in it, and their virtual phones."""

    address: str
    tokens: dict[str, str]
    control: SandboxControl
    account: str

    def texts(self, phone: str) -> list[str]:
        return [str(message["body"]) for message in self.control.phone(self.account, phone)["messages"]]

    def code(self, phone: str) -> str:
        """Return the code that the phone got last."""
        found = re.search(r"\b\d{4,10}\b", self.texts(phone)[-1])
        assert found is not None
        return found[0]


@pytest.fixture(scope="module")
def portal(product: Product) -> Portal:
    made = product.manage(
        "create_org", "--name", "Harbour Pilots", "--owner", "portal@harbour.example", "--password", PASSWORD,
        "--region", "DE", "--time-zone", "Europe/Berlin",
    )  # fmt: skip
    product.manage("connect_twilio", "--org", made["slug"], "--sandbox")
    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "--no-imports", "-c", _MAKE.format(slug=made["slug"], number=NUMBER)],
        cwd=CHECKOUT, env=product.environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.strip().splitlines()[-1])
    control = SandboxControl(told["url"], told["secret"])
    return Portal(f"{product.address}/p/drivers/", told["tokens"], control, told["account"])


@dataclass
class Person:
    """Somebody who is logged in to the portal."""

    page: Page
    portal: Portal

    def open(self, path: str) -> None:
        self.page.goto(self.portal.address + path)

    def look(self, name: str) -> None:
        """Keep a picture; see that nothing has to be scrolled sideways, and that axe finds nothing."""
        SCREENSHOTS.mkdir(exist_ok=True)
        size = self.page.viewport_size
        assert size is not None
        wide = self.page.evaluate("document.documentElement.scrollWidth")
        assert wide <= size["width"], f"{name} is {wide} px wide on a screen of {size['width']}"
        self.page.screenshot(path=SCREENSHOTS / f"{name}-{size['width']}.png", full_page=True)
        found = Axe().run(self.page)
        assert found.violations_count == 0, (name, size["width"], found.generate_report())


@pytest.fixture
def person(portal: Portal, browser: Browser, request: pytest.FixtureRequest) -> Iterator[Person]:
    """Somebody by name, on a screen of some size."""
    name, size = request.param
    context = browser.new_context(viewport=size, locale="en-GB")
    context.set_default_timeout(15_000)
    cookie = {"name": "hg_portal", "value": portal.tokens[name], "url": portal.address, "httpOnly": True}
    context.add_cookies([cookie])  # type: ignore[list-item]
    page = context.new_page()
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(f"script error: {error}"))
    page.on(
        "console",
        lambda line: line.type == "error" and not _EXPECTED.search(line.text) and troubles.append(line.text),
    )
    page.on("response", lambda answer: answer.status >= 500 and troubles.append(f"{answer.status} {answer.url}"))
    yield Person(page, portal)
    context.close()
    assert troubles == []


@pytest.mark.parametrize("person", [("ada", PHONE)], indirect=True)
def test_on_a_phone_from_the_profile_to_the_end(person: Person, portal: Portal) -> None:
    page = person.page
    person.open("home")
    expect(page.get_by_role("heading", name="Welcome, Ada")).to_be_visible()
    person.look("80-portal-home")

    page.get_by_role("link", name="Profile").click()
    page.get_by_label("Name").fill("")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_be_focused()
    person.look("81-portal-profile-mistake")
    page.get_by_label("Name").fill("Ada Lovelace")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Your profile was saved.")).to_be_visible()

    person.open("number")
    person.look("82-portal-number")
    page.get_by_role("button", name="Send a code to my present number").click()
    expect(page.get_by_label("Code", exact=True)).to_be_focused()
    person.look("83-portal-old-code")
    page.get_by_label("Code", exact=True).fill(portal.code(NUMBER))
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_text("Now enter the new one.")).to_be_visible()
    person.look("84-portal-new-number")
    page.get_by_label("New phone number").fill("0151 12345702")
    page.get_by_role("button", name="Send a code to this number").click()
    expect(page.get_by_text("+49 1511 2345702")).to_be_visible()
    page.get_by_label("Code", exact=True).fill(portal.code(NEW_NUMBER))
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_text("Your new number is in use.")).to_be_visible()
    expect(page.get_by_text("You log in with +49 1511 2345702")).to_be_visible()

    person.open("forms")
    person.look("85-portal-forms")
    page.get_by_role("button", name="Fill in").click()
    expect(page.get_by_label("Mobile number")).to_have_value("+49 1511 2345702")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="Thank you.")).to_be_visible()

    person.open("preferences")
    page.get_by_label("News and offers of Harbour Pilots").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="What you agreed to")).to_be_visible()
    person.look("86-portal-preferences")

    person.open("security")
    expect(page.get_by_text("Firefox, Windows – this device")).to_have_count(0)
    person.look("87-portal-security")
    person.open("leave")
    person.look("88-portal-leave")
    page.get_by_role("button", name="Leave Driver portal").click()
    expect(page.get_by_role("heading", name="You have left")).to_be_visible()
    person.look("89-portal-left")
    person.open("home")
    expect(page).to_have_url(portal.address)
    assert any("your account now has the number" in text for text in portal.texts(NUMBER))


@pytest.mark.parametrize("person", [("grace", DESKTOP)], indirect=True)
def test_on_a_wide_screen_devices_and_data(person: Person) -> None:
    page = person.page
    person.open("security")
    page.get_by_label("New password").fill("short")
    page.get_by_role("button", name="Set a password").click()
    expect(page.get_by_label("New password")).to_be_focused()
    person.look("90-portal-password-mistake")
    page.get_by_label("New password").fill("four green bicycles")
    page.get_by_role("button", name="Set a password").click()
    expect(page.get_by_text("The password is set.")).to_be_visible()
    person.open("messages")
    person.look("91-portal-messages")
    person.open("help")
    person.look("92-portal-help")
    person.open("data")
    person.look("93-portal-data")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download my data").click()
    assert download.value.suggested_filename.endswith(".zip")
    person.open("home")
    person.look("94-portal-home")
    person.open("security")
    page.get_by_role("button", name="Log out everywhere").click()
    expect(page).to_have_url(person.portal.address)


@pytest.mark.parametrize("person", [("amal", PHONE)], indirect=True)
def test_in_arabic_from_right_to_left(person: Person) -> None:
    for number, path in enumerate(("home", "security", "number"), start=95):
        person.open(path)
        expect(person.page.locator("html")).to_have_attribute("dir", "rtl")
        person.look(f"{number}-portal-arabic-{path}")
