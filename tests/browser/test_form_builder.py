"""The builder of forms in a browser: add, word, order by keys and drag, undo, preview, publish; and without scripts."""

import re

from playwright.sync_api import Locator, expect

from .conftest import PHONE, Person


def begin(owner: Person, title: str) -> None:
    owner.open("forms/new/")
    owner.page.get_by_label("Title").fill(title)
    owner.page.get_by_role("button", name="Go on to the questions").click()
    expect(owner.page.locator("#build-list > li")).to_have_count(2)


def order(owner: Person) -> Locator:
    return owner.page.locator("#build-list strong")


def test_form_is_built_by_mouse_and_keys_and_published(owner: Person) -> None:
    page = owner.page
    owner.open("forms/")
    expect(page.get_by_role("link", name="Build the first form")).to_be_visible()
    begin(owner, "Delivery slots")
    expect(order(owner)).to_have_text(["Name", "Phone number"])

    # A new question is open and has the focus; what is typed is saved as one goes on.
    page.get_by_role("button", name="One choice").click()
    expect(order(owner)).to_have_text(["Name", "Phone number", "Choose one"])
    expect(page.locator("#id_f3-label")).to_be_focused()
    page.locator("#id_f3-label").fill("When may we come?")
    page.locator("#id_f3-options").fill("Morning\nAfternoon\nEvening")
    page.locator("#id_f3-help").focus()
    expect(order(owner)).to_have_text(["Name", "Phone number", "When may we come?"])
    preview = page.frame_locator("#build-preview iframe")
    expect(preview.get_by_text("Evening")).to_be_visible()
    expect(page.locator("#id_f3-help")).to_be_focused()
    owner.look("60-form-builder")

    # By keys: the handle stays in hand.
    handle = page.locator("#handle-f3")
    handle.focus()
    handle.press("ArrowUp")
    expect(order(owner)).to_have_text(["Name", "When may we come?", "Phone number"])
    expect(page.locator("#handle-f3")).to_be_focused()
    expect(page.locator("#build-said")).to_have_text("When may we come?: place 2 of 3")
    expect(page.locator("#edit-f3")).to_have_attribute("open", "")

    # By drag: the first below the last.
    page.locator("#edit-f3 > summary").click()
    box, last = page.locator("#handle-f1").bounding_box(), page.locator("#field-f2").bounding_box()
    assert box is not None
    assert last is not None
    page.mouse.move(box["x"] + 10, box["y"] + 10)
    page.mouse.down()
    page.mouse.move(box["x"] + 10, last["y"] + last["height"] - 4, steps=12)
    page.mouse.up()
    expect(order(owner)).to_have_text(["When may we come?", "Phone number", "Name"])

    # Undo, by key and by button, and redo.
    page.locator("h1").click()
    page.keyboard.press("Control+z")
    expect(order(owner)).to_have_text(["Name", "When may we come?", "Phone number"])
    page.get_by_role("button", name="Redo").click()
    expect(order(owner)).to_have_text(["When may we come?", "Phone number", "Name"])
    page.get_by_role("button", name="Delete Name").click()
    expect(order(owner)).to_have_count(2)
    page.get_by_role("button", name="Undo").click()
    expect(order(owner)).to_have_count(3)

    # What is not ready says so at its place, and is mended there.
    page.get_by_role("button", name="Consent").click()
    expect(page.get_by_text("the ledger keeps these very words").first).to_be_visible()
    owner.look("61-form-not-ready")
    page.locator("#id_f4-wording").fill("Write to me about new routes.")
    page.locator("#id_f4-purpose").select_option("marketing")
    expect(page.get_by_text("Saved as you go")).to_be_visible()

    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Preview").click()
    tried = opened.value
    expect(tried.get_by_text("This is a preview")).to_be_visible()
    tried.get_by_role("button", name=re.compile("Continue|Send")).click()
    expect(tried.get_by_text("Enter your phone number.").first).to_be_visible()
    tried.close()

    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("Visitors get version 1")).to_be_visible()
    expect(page.locator(".hg-qr svg")).to_be_visible()
    owner.look("62-form-overview")
    owner.open(page.url.partition(f"/o/{owner.slug}/")[2] + "look/")
    page.get_by_label("Deutsch").check()
    page.get_by_label("العربية").check()
    page.get_by_label("Description").fill("Choose when the driver may ring.")
    owner.look("63-form-look")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("link", name="Rules").click()
    page.get_by_label("Submissions in all").fill("100")
    page.get_by_label("Sites that may embed it").fill("https://www.example.com/contact")
    owner.look("64-form-rules")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("Sites that may embed it")).to_have_value("https://www.example.com")
    page.get_by_role("link", name="Submissions").click()
    expect(page.get_by_text("Nothing was sent yet")).to_be_visible()
    owner.look("65-form-submissions")


def test_form_is_published_by_the_click_that_leaves_a_question(owner: Person) -> None:
    page = owner.page
    begin(owner, "Depots")
    page.get_by_role("button", name="Short text").click()
    expect(page.locator("#id_f3-label")).to_be_focused()
    page.locator("#id_f3-label").fill("Which depot?")
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("Visitors get version 1")).to_be_visible()


def test_form_is_built_by_finger_on_a_phone(owner: Person) -> None:
    page = owner.page
    page.set_viewport_size(PHONE)
    begin(owner, "Driver check-in")
    page.get_by_role("button", name="Date").click()
    expect(order(owner)).to_have_text(["Name", "Phone number", "Date"])
    page.locator("#edit-f3 > summary").click()
    page.get_by_role("button", name="Move up Date").click()
    expect(order(owner)).to_have_text(["Name", "Date", "Phone number"])
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= PHONE["width"]


def test_form_is_built_without_scripts(owner: Person) -> None:
    begin(owner, "Applicants")
    signed_in = owner.page.context
    plain = signed_in.browser.new_context(storage_state=signed_in.storage_state(), java_script_enabled=False)
    try:
        page = plain.new_page()
        page.goto(owner.page.url)
        page.get_by_role("button", name="E-mail address").click()
        page.locator("#id_f3-label").fill("Where to write")
        page.get_by_role("button", name="Save this question").last.click()
        page.get_by_role("button", name="Move up Where to write").click()
        expect(page.locator("#build-list strong")).to_have_text(["Name", "Where to write", "Phone number"])
        page.get_by_role("button", name="Undo").click()
        expect(page.locator("#build-list strong")).to_have_text(["Name", "Phone number", "Where to write"])
        page.get_by_role("button", name="Publish").click()
        expect(page.get_by_text("Visitors get version 1")).to_be_visible()
    finally:
        plain.close()
