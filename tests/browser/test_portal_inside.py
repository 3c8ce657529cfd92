"""Inside a portal, in a browser: profile, another number, wishes, a form, devices, one's data, and leaving.

On a phone and on a wide screen; each page is put before axe, and one is read in Arabic.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, expect

from .conftest import DESKTOP, PASSWORD, PHONE, Product
from .guests import Guest, Phones, guest_with, make, make_organization

# Who they are, their numbers, and where they are logged in.
PEOPLE = [
    ("ada", "+4915112345701", ["Chrome, Android", "Firefox, Windows"]),
    ("hedy", "+4915112345705", ["Firefox, Windows", "Safari, iPhone"]),
    ("grace", "+4915112345703", ["Safari, Mac"]),
    ("amal", "+4915112345704", ["Chrome, Android"]),
]
NUMBERS = {name: number for name, number, _ in PEOPLE}
NEW_NUMBERS = {"ada": "+4915112345702", "hedy": "+4915112345706"}
# What members do on pages of their own, and what people did when they registered.
_MAKE = """
import secrets
from datetime import timedelta
from django.utils import timezone
from portal.accounts.devices import hash_of
from portal.accounts.models import Portal, PortalDevice, PortalLogin, PortalSession, PortalUser
from portal.accounts.offering import change_offers
from portal.accounts.setting_up import create_portal, switch
from portal.forms.building import create_form, publish
from portal.forms.definition import read
from portal.forms.models import PublicForm
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
told["tokens"] = {{}}
for name, phone, devices in {people!r}:
    user = PortalUser.objects.create(portal=portal, phone=phone, region="DE", status="active", name=name.title(),
                                     language="ar" if name == "amal" else "", registered_at=timezone.now())
    for label in devices:
        token = secrets.token_urlsafe(32)
        device = PortalDevice.objects.create(user=user, token_hash=hash_of(secrets.token_urlsafe(32)), label=label)
        PortalSession.objects.create(user=user, device=device, token_hash=hash_of(token),
                                     expires_at=timezone.now() + timedelta(days=30))
        PortalLogin.objects.create(portal=portal, user=user, how="code", outcome="in", device=label)
        told["tokens"].setdefault(name, token)
"""


@dataclass
class Portal:
    """A portal with people in it, and their virtual phones."""

    address: str
    tokens: dict[str, str]
    phones: Phones


@pytest.fixture(scope="module")
def portal(product: Product) -> Portal:
    slug = make_organization(product, name="Harbour Pilots", email="portal@harbour.example", password=PASSWORD)
    told, phones = make(product, slug, _MAKE.format(people=PEOPLE))
    return Portal(f"{product.address}/p/drivers/", told["tokens"], phones)


@dataclass
class Person:
    """Somebody who is logged in to the portal."""

    name: str
    guest: Guest
    portal: Portal

    def open(self, path: str) -> None:
        self.guest.page.goto(self.portal.address + path)

    def look(self, name: str) -> None:
        self.guest.look(name)


@pytest.fixture
def person(portal: Portal, browser: Browser, request: pytest.FixtureRequest) -> Iterator[Person]:
    """Somebody by name, on a screen of some size."""
    name, size = request.param
    with guest_with(browser, viewport=size) as guest:
        cookie = {"name": "hg_portal", "value": portal.tokens[name], "url": portal.address, "httpOnly": True}
        guest.context.add_cookies([cookie])  # type: ignore[list-item]
        yield Person(name, guest, portal)


@pytest.mark.parametrize("person", [("ada", PHONE), ("hedy", DESKTOP)], indirect=True, ids=["phone", "desktop"])
def test_from_the_profile_over_another_number_to_the_end(person: Person, portal: Portal) -> None:
    page, old, new = person.guest.page, NUMBERS[person.name], NEW_NUMBERS[person.name]
    shown = f"+49 1511 {new[7:]}"
    person.open("home")
    expect(page.get_by_role("heading", name=f"Welcome, {person.name.title()}")).to_be_visible()
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
    page.get_by_label("Code", exact=True).fill(portal.phones.code(old))
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_text("Now enter the new one.")).to_be_visible()
    person.look("84-portal-new-number")
    page.get_by_label("New phone number").fill(f"0{new[3:]}")
    page.get_by_role("button", name="Send a code to this number").click()
    expect(page.get_by_text(shown)).to_be_visible()
    person.look("84-portal-new-code")
    page.get_by_label("Code", exact=True).fill(portal.phones.code(new))
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_text("Your new number is in use.")).to_be_visible()
    expect(page.get_by_text(f"You log in with {shown}")).to_be_visible()

    person.open("forms")
    person.look("85-portal-forms")
    page.get_by_role("button", name="Fill in").click()
    expect(page.get_by_label("Mobile number")).to_have_value(shown)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="Thank you.")).to_be_visible()
    person.look("85-portal-form-done")
    page.get_by_role("link", name="Back to Driver portal").click()
    expect(page.get_by_role("heading", name="Welcome")).to_be_visible()

    person.open("preferences")
    page.get_by_label("News and offers of Harbour Pilots").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="What you agreed to")).to_be_visible()
    person.look("86-portal-preferences")

    person.open("security")
    expect(page.get_by_text("this device")).to_have_count(1)
    person.look("87-portal-security")
    person.open("leave")
    person.look("88-portal-leave")
    page.get_by_role("button", name="Leave Driver portal").click()
    expect(page.get_by_role("heading", name="You have left")).to_be_visible()
    person.look("89-portal-left")
    person.open("home")
    expect(page).to_have_url(portal.address)
    assert any("your account now has the number" in text for text in portal.phones.texts(old))


@pytest.mark.parametrize("person", [("grace", DESKTOP)], indirect=True)
def test_on_a_wide_screen_devices_and_data(person: Person) -> None:
    page = person.guest.page
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
        expect(person.guest.page.locator("html")).to_have_attribute("dir", "rtl")
        person.look(f"{number}-portal-arabic-{path}")
