"""The inbox in a browser: a phone writes, a member sees it, answers, and sees it delivered."""

import re

from playwright.sync_api import expect

from .conftest import Person
from .test_first_message import connect_sandbox


def a_phone_writes(owner: Person, text: str) -> None:
    owner.open("sandbox/")
    owner.page.get_by_role("link", name=re.compile("new phone", re.I)).first.click()
    owner.page.get_by_label("From", exact=False).first.fill("+49 151 23456789")
    owner.page.get_by_label(re.compile("text|message|body", re.I)).first.fill(text)
    owner.page.get_by_role("button", name=re.compile("send|write", re.I)).last.click()
    expect(owner.page.get_by_text("Delivered to Heliograph").first).to_be_visible()


def test_phone_writes_and_member_answers(owner: Person) -> None:
    page = owner.page
    connect_sandbox(owner)
    owner.open("inbox/")
    expect(page.get_by_text("Nobody has written yet")).to_be_visible()
    owner.look("20-inbox-empty")

    owner.open("inbox/replies/new/")
    page.get_by_label("Name").fill("On its way")
    page.get_by_label("Text").fill('Hi {{ first_name | "there" }}, your parcel is on its way.')
    owner.look("21-canned-reply")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="On its way")).to_be_visible()

    a_phone_writes(owner, "Hello, where is my parcel?")
    owner.open("inbox/")
    row = page.locator(".hg-inbox-unread")
    expect(row).to_contain_text("where is my parcel?")
    expect(page.locator("#nav-sidebar")).to_contain_text("1")
    expect(page).to_have_title(re.compile(r"^\(1\) "))
    owner.look("22-inbox")
    row.get_by_role("link").click()
    expect(page.locator("#texts")).to_contain_text("where is my parcel?")

    page.get_by_label("Canned reply").select_option(label="On its way")
    field = page.get_by_label("Reply", exact=True)
    expect(field).to_have_value("Hi there, your parcel is on its way.")
    expect(page.locator("#reply-measure")).to_contain_text("1 segment")
    owner.look("23-conversation")
    field.press("Control+Enter")
    expect(page.locator("#texts .hg-sandbox-out")).to_contain_text("your parcel is on its way.")
    expect(field).to_have_value("")
    # What is typed meanwhile stays, while the status of the answer is refreshed above it.
    field.fill("half a sente")
    expect(page.locator("#texts .hg-pill", has_text="Delivered").first).to_be_visible(timeout=20_000)
    expect(field).to_have_value("half a sente")
    owner.look("24-conversation-answered")

    owner.open("inbox/")
    expect(page.locator(".hg-inbox-list li")).to_have_count(1)
    expect(page.locator(".hg-inbox-unread")).to_have_count(0)
    owner.look("25-inbox-read")
