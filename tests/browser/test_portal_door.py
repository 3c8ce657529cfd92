"""The door of a portal in a browser: registering, logging in, an invitation; the code is read off a virtual phone.

On a phone and on a wide screen, without a script on the smallest one, in Arabic, and with a passkey. Each page is also
put before axe.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from .conftest import DESKTOP, PASSWORD, PHONE, Product
from .guests import Guest, Phones, Size, guest_with, make, make_organization

# Everybody comes with a number of their own: one for each size of a screen.
NEW = {390: "0151 12345711", 1280: "0151 12345714"}
KNOWN = {390: "+4915112345712", 1280: "+4915112345715"}
INVITED = ["+4915112345721", "+4915112345722", "+4915112345723"]
SMALL = {"width": 320, "height": 640}
# What members do on their pages: those have their own test.
_MAKE = """
from portal.accounts.invitations import invite, link_of
from portal.accounts.models import Portal, PortalUser
from portal.accounts.setting_up import create_portal, publish_terms, switch
from portal.forms.models import PublicForm
portal = create_portal(organization, name="Driver portal", slug="harbour-drivers", actor=owner)
welcome = "Shifts, papers and messages for everybody who drives for us."
PublicForm.objects.filter(pk=portal.form_id).update(
    languages=["en", "zh-hans", "zh-hant", "nl", "de", "es", "fr", "ar"], color="#0b7a75", description=welcome)
Portal.objects.filter(pk=portal.pk).update(admission="open")
portal.refresh_from_db()
publish_terms(portal, texts={{"en": "Drive carefully.\\n\\n" + "Keep to the speed limit. " * 60}}, actor=owner)
switch(portal, on=True, actor=owner)
for phone in {known!r}:
    PortalUser.objects.create(portal=portal, phone=phone, region="DE", status="active", terms_id=portal.terms.pk)
invitations = [invite(portal, phone=phone, name="Grace Hopper", actor=owner) for phone in {invited!r}]
told["links"] = [link_of(one) for one in invitations]
"""


@dataclass
class Place:
    """A portal that everybody may register in, invitations to it, and virtual phones."""

    address: str
    links: list[str]
    phones: Phones

    @property
    def url(self) -> str:
        # Browsers make passkeys for names, not for 127.0.0.1.
        return f"{self.address.replace('127.0.0.1', 'localhost')}/p/harbour-drivers/"

    def link(self, number: int) -> str:
        return self.url + self.links[number].partition("/p/harbour-drivers/")[2]

    def code(self, phone: str) -> str:
        return self.phones.code(phone)


@pytest.fixture(scope="module")
def place(product: Product) -> Place:
    slug = make_organization(product, name="Harbour Drivers", email="door@harbour.example", password=PASSWORD)
    told, phones = make(product, slug, _MAKE.format(known=list(KNOWN.values()), invited=INVITED))
    return Place(product.address, told["links"], phones)


@pytest.fixture
def guest(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Guest]:
    """A visitor; `@pytest.mark.parametrize("guest", [{…}], indirect=True)` says how the browser is."""
    with guest_with(browser, **{"viewport": PHONE, **getattr(request, "param", {})}) as guest:
        yield guest


def on(size: Size) -> dict[str, Any]:
    return {"viewport": size}


@pytest.mark.parametrize("guest", [on(PHONE), on(DESKTOP)], indirect=True, ids=["phone", "desktop"])
def test_registering_then_a_passkey_and_logging_in_by_it(place: Place, guest: Guest) -> None:
    page = guest.page
    assert page.viewport_size is not None
    typed = NEW[page.viewport_size["width"]]
    number = "+49" + typed.replace(" ", "")[1:]
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
    guest.look("121-portal-door-mistake")
    page.get_by_label("Your mobile number").fill(typed)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_label("Code", exact=True)).to_be_focused()
    guest.look("122-portal-code")
    page.get_by_label("Code", exact=True).fill(place.code(number))
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


@pytest.mark.parametrize("guest", [on(PHONE), on(DESKTOP)], indirect=True, ids=["phone", "desktop"])
def test_logging_in_by_keyboard(place: Place, guest: Guest) -> None:
    """The number of who has registered: the same pages, and then one is in."""
    page = guest.page
    assert page.viewport_size is not None
    number = KNOWN[page.viewport_size["width"]]
    page.goto(place.url)
    page.get_by_label("Your mobile number").focus()
    page.keyboard.type(number)
    page.keyboard.press("Enter")
    expect(page.get_by_label("Code", exact=True)).to_be_focused()
    page.reload()
    page.get_by_label("Code", exact=True).focus()
    page.keyboard.type(place.code(number))
    page.keyboard.press("Enter")
    page.wait_for_url("**/harbour-drivers/home")


@pytest.mark.parametrize(("guest", "number"), [(on(PHONE), 0), (on(DESKTOP), 2)], indirect=["guest"])
def test_an_invitation_then_used_up(place: Place, guest: Guest, number: int) -> None:
    page = guest.page
    page.goto(place.link(number))
    expect(page.get_by_text("Harbour Drivers invites you.")).to_be_visible()
    guest.look("125-portal-invitation")
    page.get_by_role("button", name="Send me the code").click()
    expect(page.get_by_label("Code", exact=True)).to_be_focused()
    page.get_by_label("Code", exact=True).fill(place.code(INVITED[number]))
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_label("Name")).to_have_value("Grace Hopper")
    page.get_by_label("I have read the terms").check()
    page.get_by_role("button", name="Register").click()
    page.wait_for_url("**/harbour-drivers/home")
    page.goto(place.link(number))
    expect(page.get_by_role("heading", name="This invitation was used already")).to_be_visible()
    guest.look("126-portal-invitation-used")


@pytest.mark.parametrize("guest", [{"viewport": SMALL, "java_script_enabled": False}], indirect=True)
def test_an_invitation_without_a_script_on_the_smallest_screen(place: Place, guest: Guest) -> None:
    page = guest.page
    page.goto(place.link(1))
    page.get_by_role("button", name="Send me the code").click()
    page.get_by_label("Code", exact=True).fill(place.code(INVITED[1]))
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
