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

    # The phone sends a picture, which a worker fetches with our credentials.
    owner.open("sandbox/")
    page.get_by_role("link", name=re.compile("3456789")).first.click()
    page.get_by_role("button", name="Picture").click()
    expect(page.get_by_text("Delivered to Heliograph").first).to_be_visible()
    owner.open("inbox/")
    page.locator(".hg-inbox-unread").get_by_role("link").click()
    picture = page.locator("#texts img")
    expect(picture).to_be_visible(timeout=20_000)
    assert picture.evaluate("picture => picture.decode().then(() => picture.naturalWidth)") == 160
    owner.look("26-conversation-picture")
    page.wait_for_timeout(500)

    owner.open("inbox/")
    expect(page.locator(".hg-inbox-list li")).to_have_count(1)
    expect(page.locator(".hg-inbox-unread")).to_have_count(0)
    owner.look("25-inbox-read")


def test_rules_answer_by_themselves_and_replies_are_set_at_twilio(owner: Person) -> None:
    page = owner.page
    connect_sandbox(owner)
    page.get_by_role("link", name="Look at Twilio, and set it").click()
    expect(page.get_by_text("Replies come here.")).to_be_visible()
    owner.look("27-replies-right")

    owner.open("inbox/rules/new/")
    page.get_by_label("Name").fill("Opening hours")
    page.get_by_label("Words").fill("hours, open")
    page.get_by_label("Answer", exact=False).first.fill("We are there from 9 to 5.")
    owner.look("28-rule-form")
    page.get_by_role("button", name="Save").click()
    page.get_by_label("A text that somebody sends").fill("Hours?")
    expect(page.locator("#outcome")).to_contain_text("The rule Opening hours fits.")
    owner.look("29-rules")
    owner.open("inbox/hours/")
    owner.look("30-office-hours")

    a_phone_writes(owner, "Hours?")
    owner.open("inbox/")
    page.locator(".hg-inbox-list").get_by_role("link").first.click()
    expect(page.locator("#texts .hg-sandbox-out")).to_contain_text("9 to 5")
    expect(page.locator("#texts .hg-pill", has_text="Delivered").first).to_be_visible(timeout=20_000)


# Chromium shows no notifications here: what would be shown is kept, and the answer to the question for leave.
NOTIFICATIONS = """
window.Notification = class {
  constructor(title, options) { window.shown = [...(window.shown || []), { title, ...options }]; window.last = this; }
  close() {}
  static get permission() { return localStorage.getItem("leave") || "default"; }
  static requestPermission() { localStorage.setItem("leave", "granted"); return Promise.resolve("granted"); }
};
"""


def test_browser_tells_of_new_messages_by_name_and_never_with_the_text(owner: Person) -> None:
    connect_sandbox(owner)
    page = owner.page
    page.context.add_init_script(NOTIFICATIONS)
    owner.open("inbox/")
    button = page.get_by_role("button", name="Notify me here")
    button.click()
    expect(page.get_by_role("button", name="Notifying you here")).to_have_attribute("aria-pressed", "true")

    beside = page.context.new_page()
    a_phone_writes(Person(page=beside, product=owner.product, slug=owner.slug, email=owner.email), "The code is 4711")
    beside.close()
    page.wait_for_function("window.shown", timeout=40_000)
    shown = page.evaluate("window.shown")
    assert [note["title"] for note in shown] == ["New SMS"]
    assert re.fullmatch(r"From \+49•+89", shown[0]["body"]), "not the whole number either: it stands on locked screens"
    assert "4711" not in str(shown)
    page.evaluate("window.last.onclick()")
    expect(page.locator("#texts")).to_contain_text("The code is 4711")

    # Switched off again, nothing more is told.
    owner.open("inbox/")
    page.get_by_role("button", name="Notifying you here").click()
    expect(page.get_by_role("button", name="Notify me here")).to_have_attribute("aria-pressed", "false")
    assert page.evaluate("localStorage.getItem('heliograph-notify')") is None
