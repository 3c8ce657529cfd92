"""Contacts in a browser: attributes, saved filters, many at once, a merge, and somebody who is forgotten."""

import re

from playwright.sync_api import expect

from .conftest import Person


def add(owner: Person, name: str, phone: str, **more: str) -> None:
    owner.open("contacts/new/")
    page = owner.page
    page.get_by_label("Name").fill(name)
    page.get_by_label("Phone number").fill(phone)
    for label, value in more.items():
        page.get_by_label(label.replace("_", " ")).fill(value)
    page.get_by_role("button", name="Add contact").click()
    expect(page.get_by_role("heading", name=name)).to_be_visible()


def test_from_an_attribute_to_a_person_who_is_forgotten(owner: Person) -> None:
    page = owner.page
    owner.open("settings/")
    page.get_by_role("link", name="Contact attributes").first.click()
    owner.look("40-attributes-none")
    page.get_by_role("link", name="Add the first attribute").click()
    page.get_by_label("Label").fill("Points")
    page.get_by_label("Name in templates").fill("points")
    page.get_by_label("Type").select_option(label="Number")
    page.get_by_role("button", name="Add attribute").click()
    expect(page.get_by_text("contact.points")).to_be_visible()
    owner.look("41-attributes")

    add(owner, "Anna Schmidt", "0151 12345678", Points="120", **{"E-mail_address": "anna@example.com"})
    add(owner, "Ann Schmidt", "+33 6 12 34 56 78", Points="5", **{"E-mail_address": "anna@example.com"})
    add(owner, "王小明", "+86 138 0013 8000", Points="70")
    page.get_by_role("link", name="Edit", exact=True).click()
    page.get_by_label("Points").fill("many")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Write a number, for example 12 or 12.5.")).to_be_visible()
    owner.look("42-contact-wrong-number")

    owner.open("contacts/")
    page.get_by_label("Search", exact=True).fill("小")
    expect(page.get_by_role("link", name="王小明")).to_be_visible()
    expect(page.get_by_role("link", name="Anna Schmidt")).to_be_hidden()
    page.get_by_label("Search", exact=True).fill("")
    expect(page.get_by_role("link", name="Anna Schmidt")).to_be_visible()
    page.locator("summary").filter(has_text="Filters").click()
    page.get_by_label("Attribute").first.select_option(label="Points")
    page.get_by_label("Comparison").first.select_option(label="is above or after")
    page.get_by_label("Value").first.fill("50")
    expect(page.get_by_text("2 contacts")).to_be_visible()
    expect(page.get_by_role("link", name="Ann Schmidt")).to_be_hidden()
    owner.look("43-contacts-filtered")
    page.get_by_label("Name of the filter").fill("Good customers")
    page.get_by_role("button", name="Save filter").click()
    expect(page.get_by_text("The filter “Good customers” is saved")).to_be_visible()
    assert re.search(r"/contacts/\?filter=[0-9a-f-]{36}$", page.url), "what was asked for stands in the database"

    page.get_by_label("Whom").select_option(label="All that fit")
    page.get_by_label("Tag", exact=True).fill("VIP")
    page.get_by_role("button", name="Continue…").click()
    owner.look("44-tag-many")
    page.get_by_role("button", name="Tag 2 contacts").click()
    expect(page.get_by_role("button", name="Undo: take the tag VIP away again")).to_be_visible(timeout=60_000)
    owner.look("45-tagged-many")

    owner.open("contacts/duplicates/")
    owner.look("46-duplicates")
    page.get_by_role("link", name="Merge with the first…").click()
    owner.look("47-merge")
    page.get_by_role("button", name="Merge the two contacts").click()
    expect(page.get_by_text("The two are one contact now.")).to_be_visible()
    page.get_by_role("button", name="Opt out of everything").click()
    owner.look("48-contact")

    page.get_by_role("link", name="Erase…").click()
    page.get_by_role("button", name="Erase Anna Schmidt for good").click()
    expect(page.get_by_text("Write “erase” to confirm.")).to_be_visible()
    page.get_by_label("to confirm").fill("erase")
    owner.look("49-erase")
    page.get_by_role("button", name="Erase Anna Schmidt for good").click()
    expect(page.get_by_text("Kept, and why")).to_be_visible(timeout=60_000)
    owner.look("50-erased")
    owner.open("contacts/")
    expect(page.get_by_role("link", name="Anna Schmidt")).to_be_hidden()

    add(owner, "Anna again", "0151 12345678")
    expect(page.get_by_text("Opted out.")).to_be_visible()

    owner.open("settings/retention/")
    page.get_by_label("Days until texts are removed").fill("30")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Texts are removed 30 days after")).to_be_visible()
    owner.look("51-retention")
