"""The whole path in a browser: connect, template, contact, send, delivered, STOP, refused, and what to do."""

import re

from playwright.sync_api import expect

from .conftest import Person


def connect_sandbox(owner: Person) -> None:
    owner.open("integration/")
    owner.page.get_by_role("button", name=re.compile("sandbox", re.I)).first.click()
    expect(owner.page.get_by_text("SANDBOX").first).to_be_visible()


def test_from_sign_in_to_delivered_and_back_with_stop(owner: Person) -> None:
    page = owner.page
    expect(page.get_by_text("Connect Twilio to begin")).to_be_visible()
    owner.look("01-dashboard-empty")

    owner.open("integration/")
    owner.look("02-system-services")
    connect_sandbox(owner)
    owner.look("03-connection")

    owner.open("templates/")
    owner.look("04-templates-empty")
    page.get_by_role("link", name=re.compile("new template|write", re.I)).first.click()
    page.get_by_label("Name").fill("Parcel")
    page.get_by_label("Text").fill("Hi {{ first_name }}, your parcel arrives at {{ time }} – “soon”!")
    expect(page.get_by_text("UCS-2").first).to_be_visible()
    owner.look("05-template-editor")
    page.get_by_role("button", name=re.compile("^(save|create)", re.I)).first.click()

    owner.open("contacts/new/")
    page.get_by_label("Name").fill("Ada Lovelace")
    page.get_by_label("Phone").fill("0151 12345678")
    expect(page.get_by_text("+49 1511 2345678").first).to_be_visible()
    owner.look("06-contact-form")
    page.get_by_role("button", name=re.compile("^(save|add|create)", re.I)).first.click()
    expect(page.get_by_role("heading", name="Ada Lovelace", level=1)).to_be_visible()
    owner.look("07-contact")

    page.get_by_role("link", name=re.compile("send sms", re.I)).last.click()
    page.wait_for_url("**/messages/send/**")  # loaded, its scripts included: what is chosen before asks for nothing
    page.get_by_label("Template").select_option(label="Parcel")
    page.get_by_label("time", exact=True).fill("17:00")
    expect(page.locator("#preview .hg-bubble")).to_contain_text("Hi Ada, your parcel arrives at 17:00")
    owner.look("08-send")
    page.get_by_role("button", name="Send", exact=True).click()
    page.wait_for_url(re.compile(r"/messages/[0-9a-f-]{36}/"))
    expect(page.locator(".hg-pill", has_text="Delivered").first).to_be_visible(timeout=20_000)
    expect(page.locator(".hg-timeline")).to_contain_text("Accepted by Twilio")
    owner.look("09-message-delivered")

    owner.open("sandbox/")
    owner.look("10-virtual-phones")
    page.get_by_role("link", name=re.compile(r"1511 2345678")).first.click()
    expect(page.get_by_text("Hi Ada, your parcel arrives").first).to_be_visible()
    owner.look("11-virtual-phone")
    page.get_by_role("button", name="STOP", exact=True).click()
    expect(page.get_by_text("unsubscribed").first).to_be_visible()

    owner.open("messages/")
    expect(page.locator(".hg-pill", has_text="Received").first).to_be_visible()
    owner.look("12-message-log")
    owner.open("contacts/")
    page.get_by_role("link", name="Ada Lovelace").click()
    expect(page.get_by_text("Twilio-Message-stop").first).to_be_visible()

    owner.open("messages/send/")
    page.get_by_label("To", exact=True).fill("+49 1511 2345678")
    page.get_by_label("Text").fill("Are you there?")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator(".hg-pill", has_text="Blocked").first).to_be_visible()
    expect(page.get_by_text("The recipient opted out.").first).to_be_visible()
    expect(page.get_by_text("What to do:").first).to_be_visible()
    owner.look("13-message-blocked")

    owner.open("")
    expect(page.get_by_text("delivered today")).to_be_visible()
    owner.look("14-dashboard")


def test_failed_message_says_what_it_means_and_what_to_do(owner: Person) -> None:
    connect_sandbox(owner)
    owner.open("messages/send/")
    page = owner.page
    page.get_by_label("To", exact=True).fill("+1 202 555 0103")
    page.get_by_label("Text").fill("Hello?")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator(".hg-pill", has_text="Undelivered").first).to_be_visible(timeout=20_000)
    expect(page.get_by_text("30003").first).to_be_visible()
    expect(page.get_by_text("What to do:").first).to_be_visible()
    owner.look("15-message-undelivered")


def test_bad_number_and_too_long_text_stay_in_the_form_with_words(owner: Person) -> None:
    connect_sandbox(owner)
    owner.open("messages/send/")
    page = owner.page
    page.get_by_label("To", exact=True).fill("12")
    page.get_by_label("Text").fill("a" * 1700)
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator(".hg-error").first).to_be_visible()
    expect(page.get_by_label("To", exact=True)).to_have_value("12")
    assert len(page.get_by_label("Text").input_value()) == 1700
    owner.look("16-send-refused")


def test_the_icon_of_a_button_on_an_empty_page_is_the_size_of_its_words(owner: Person) -> None:
    owner.open("sandbox/")
    button = owner.page.get_by_role("button", name="Connect the sandbox")
    expect(button).to_be_visible()
    box = button.locator(".hg-icon").bounding_box()
    assert box is not None
    assert box["height"] < 30
