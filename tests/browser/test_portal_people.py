"""Looking after the people of a portal in a browser: invite, approve, reject, write to them, look at the figures."""

import re

from playwright.sync_api import Browser, expect

from .conftest import DESKTOP, PHONE, Person
from .guests import Guest, Phones, guest_with, make
from .test_portal_setup import look

_MAKE = """
from portal.accounts.demo import make_demo_portal
make_demo_portal(organization, owner)
organization.portals.update(may_apply_again=False)
told["slug"] = organization.portals.get().slug
"""
APPLICANTS = {"Ada Berger": (PHONE, "+4915112345080"), "Otto Klein": (DESKTOP, "+4915112345180")}


def until(owner: Person, said: str) -> None:
    """Ask for the page again until it says this."""
    for _ in range(80):
        owner.page.reload()
        if said in owner.page.content():
            return
        owner.page.wait_for_timeout(200)
    raise AssertionError(f"{said} never came")


def apply(guest: Guest, door: str, phones: Phones, *, name: str, number: str) -> None:
    """Register at the door, and read that somebody has to approve it, also after loading the page once more."""
    page = guest.page
    prove(guest, door, phones, number=number)
    page.get_by_label("Name").fill(name)
    page.get_by_label("I have read the terms").check()
    guest.look("78-people-apply")
    page.get_by_role("button", name="Register").click()
    expect(page.get_by_role("heading", name="You are registered")).to_be_visible()
    guest.look("79-people-waiting")
    page.goto(door)
    expect(page.get_by_role("heading", name="You are registered")).to_be_visible()


def prove(guest: Guest, door: str, phones: Phones, *, number: str) -> None:
    """Enter a number and its code."""
    guest.page.goto(door)
    guest.page.get_by_label("Your mobile number").fill(number)
    guest.page.get_by_role("button", name="Continue").click()
    guest.page.get_by_label("Code", exact=True).fill(phones.code(number))
    guest.page.get_by_role("button", name="Confirm").click()


def test_people_are_invited_approved_and_written_to(owner: Person, browser: Browser) -> None:
    page = owner.page
    owner.product.manage("connect_twilio", "--org", owner.slug, "--sandbox")
    told, phones = make(owner.product, owner.slug, _MAKE)
    door = f"{owner.product.address}/p/{told['slug']}/"
    for name, (size, number) in APPLICANTS.items():
        with guest_with(browser, viewport=size) as guest:
            apply(guest, door, phones, name=name, number=number)

    owner.open("portals/")
    page.get_by_role("link", name="Driver portal", exact=True).click()
    tabs = page.get_by_role("navigation", name="Pages of the portal")

    # Invite one: a wrong number is told at the field, the right one gets a link that the log does not show.
    tabs.get_by_role("link", name="Invitations").click()
    page.get_by_role("link", name="Invite", exact=True).click()
    page.get_by_label("Phone number").fill("12")
    page.get_by_label("Name").fill("Grete")
    page.get_by_role("button", name="Send the invitation").click()
    expect(page.get_by_text("too short")).to_be_visible()
    look(owner, "80-people-invite")
    page.get_by_label("Phone number").fill("0151 12345680")
    page.get_by_role("button", name="Send the invitation").click()
    expect(page.get_by_text("Grete is invited")).to_be_visible()
    look(owner, "81-people-invitations")
    page.get_by_role("link", name="Grete").click()
    expect(page.get_by_role("heading", name="SMS to them")).to_be_visible()
    until(owner, ">Delivered<")
    (text,) = phones.texts("+4915112345680")
    link = re.search(r"https?://\S+/p/driver-portal\S*/i/\w+", text)
    assert link is not None, text

    # Approve one, reject the other with a reason: each reads of it.
    tabs.get_by_role("link", name="Approvals").click()
    expect(page.get_by_text("2 people wait")).to_be_visible()
    look(owner, "82-people-approvals")
    page.get_by_role("checkbox", name="Ada Berger").check()
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_text("1 person was approved")).to_be_visible()
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("checkbox", name="Otto Klein").check()
    page.get_by_label("Reason").fill("No licence on file.")
    page.get_by_role("button", name="Reject").click()
    expect(page.get_by_text("1 person was rejected")).to_be_visible()
    expect(page.get_by_role("heading", name="Nobody waits")).to_be_visible()

    # Write to everybody who is in, after a look at it.
    tabs.get_by_role("link", name="Notifications").click()
    page.get_by_role("link", name="Write to people").first.click()
    page.get_by_label("Text", exact=True).fill("Gate 4 is closed tomorrow.")
    expect(page.locator("#measure")).to_contain_text("Driver portal: Gate 4 is closed tomorrow.")
    page.get_by_role("button", name="Look at it first").click()
    expect(page.get_by_text("1 person gets it")).to_be_visible()
    look(owner, "83-people-notify")
    page.get_by_role("button", name="Send to 1 person").click()
    expect(page.get_by_role("heading", name="The text")).to_be_visible()
    until(owner, '<strong>1</strong><span class="hg-soft">arrived')
    look(owner, "84-people-notification")
    assert any("approved" in one for one in phones.texts("+4915112345080"))
    assert any("Gate 4" in one for one in phones.texts("+4915112345080"))
    assert "No licence on file." in phones.texts("+4915112345180")[-1]

    # Who was approved comes in with the link of the text, who was rejected reads so and why.
    for name, heading in (("Ada Berger", "Welcome, Ada"), ("Otto Klein", "Your registration was not accepted")):
        size, number = APPLICANTS[name]
        with guest_with(browser, viewport=size) as guest:
            prove(guest, door, phones, number=number)
            expect(guest.page.get_by_role("heading", name=heading)).to_be_visible()
            guest.look(f"88-people-{name.split()[0].lower()}-after-the-decision")

    # Found by number in any writing, kept out, and let in again.
    tabs.get_by_role("link", name="People").click()
    look(owner, "85-people-list")
    page.get_by_label("Search").fill("0151 / 123 45 080")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("link", name="Otto Klein")).to_have_count(0)
    assert not re.search(r"45(\+|%20|)080", page.url)
    page.get_by_role("link", name="Ada Berger").click()
    look(owner, "86-people-person")
    page.get_by_role("button", name="Suspend").click()
    expect(page.get_by_text("logged out everywhere.")).to_be_visible()
    page.get_by_role("button", name="Let in again").click()
    expect(page.get_by_text("They can log in at once.")).to_be_visible()
    tabs.get_by_role("link", name="Statistics").click()
    expect(page.get_by_role("cell", name="Germany").first).to_be_visible()
    look(owner, "87-people-statistics")
