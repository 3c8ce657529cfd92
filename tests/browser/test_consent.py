"""Consent in a browser: recorded by hand, needed for marketing, taken back by STOP and by a link, proven."""

import re

import requests
from playwright.sync_api import expect

from .conftest import DESKTOP, PHONE, SCREENSHOTS, Person
from .test_first_message import connect_sandbox

NUMBER = "+49 1511 2345678"


def send(owner: Person, text: str, *, purpose: str) -> None:
    owner.open("messages/send/")
    page = owner.page
    page.get_by_label("To", exact=True).fill(NUMBER)
    page.get_by_label("Text").fill(text)
    page.get_by_text("More: purpose").click()
    page.get_by_label("Purpose").select_option(purpose)
    page.get_by_role("button", name="Send", exact=True).click()
    page.wait_for_url(re.compile(r"/messages/[0-9a-f-]{36}/"))


def open_contact(owner: Person) -> None:
    owner.open("contacts/")
    owner.page.get_by_role("link", name="Ada Lovelace").click()


def test_consent_from_nothing_to_stop_and_start(owner: Person) -> None:
    page = owner.page
    connect_sandbox(owner)
    owner.open("contacts/new/")
    page.get_by_label("Name").fill("Ada Lovelace")
    page.get_by_label("Phone").fill("0151 12345678")
    page.get_by_role("button", name=re.compile("^(save|add|create)", re.I)).first.click()
    expect(page.get_by_text("Never agreed")).to_be_visible()

    send(owner, "Sale!", purpose="marketing")
    expect(page.get_by_text("No consent to marketing.").first).to_be_visible()
    open_contact(owner)
    page.get_by_role("link", name=re.compile("Record consent")).click()
    owner.look("40-record-consent")
    page.get_by_role("button", name="Record it").click()
    expect(page.locator(".hg-error").first).to_be_visible()
    page.get_by_label("How you know").fill("Signed the card at the desk on 3 May")
    page.get_by_role("button", name="Record it").click()
    expect(page.locator("#consent .hg-pill-green")).to_be_visible()
    page.locator("#consent summary").click()
    owner.look("41-contact-consent")
    send(owner, "Sale!", purpose="marketing")
    expect(page.locator(".hg-pill", has_text="Delivered").first).to_be_visible(timeout=20_000)

    owner.open("sandbox/")
    page.get_by_role("link", name=re.compile(r"1511 2345678")).first.click()
    page.get_by_role("button", name="STOP", exact=True).click()
    expect(page.get_by_text("unsubscribed").first).to_be_visible()
    open_contact(owner)
    expect(page.locator("#consent .hg-pill-red")).to_be_visible()
    expect(page.get_by_text("by texting START to your number").first).to_be_visible()
    send(owner, "Are you there?", purpose="transactional")
    expect(page.get_by_text("The recipient opted out.").first).to_be_visible()

    owner.open("consent/")
    expect(page.get_by_text("messages held back")).to_be_visible()
    owner.look("42-consent-report")
    owner.open("consent/proof/")
    expect(page.get_by_text("1 opt-out, 0 messages begun after.")).to_be_visible()
    owner.look("43-proof-for-stop")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download as CSV").click()
    assert download.value.suggested_filename.startswith("opt-outs-")

    owner.open("sandbox/")
    page.get_by_role("link", name=re.compile(r"1511 2345678")).first.click()
    page.get_by_role("button", name="START", exact=True).click()
    expect(page.get_by_text(re.compile("subscribed again|messages again")).first).to_be_visible()
    open_contact(owner)
    expect(page.locator("#consent .hg-pill-green")).to_be_visible()
    send(owner, "Sale again!", purpose="marketing")
    expect(page.locator(".hg-pill", has_text="Delivered").first).to_be_visible(timeout=20_000)


def test_the_rules_of_consent(owner: Person) -> None:
    page = owner.page
    connect_sandbox(owner)
    owner.open("settings/")
    page.get_by_role("link", name=re.compile("Consent and opt-outs")).first.click()
    owner.look("44-consent-policy")
    page.get_by_label("German").check()
    page.get_by_label("More words for STOP").fill("Schluss")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    expect(page.get_by_label("German")).to_be_checked()


def test_an_unsubscribe_link_stops_and_takes_back(owner: Person) -> None:
    connect_sandbox(owner)
    key = owner.product.manage("create_api_key", "--org", owner.slug, "--name", "Shop")["key"]
    api, bearer = f"{owner.product.address}/api/v1", {"Authorization": f"Bearer {key}"}
    agreed = requests.post(f"{api}/consents", json={"phone": NUMBER, "action": "granted"}, headers=bearer, timeout=10)
    assert agreed.status_code == 201, agreed.text
    sale = {"to": NUMBER, "body": "Sale!", "from": "HARBOUR", "purpose": "marketing"}
    body = requests.post(f"{api}/messages", json=sale, headers=bearer, timeout=10).json()["body"]
    link = re.search(r"http\S+/u/\S+", body)
    assert link, body

    visitor = owner.page.context.browser.new_context(locale="de-DE", java_script_enabled=False)
    page = visitor.new_page()
    page.goto(owner.product.address + link[0][link[0].index("/u/") :])
    person = Person(page=page, product=owner.product, slug=owner.slug, email="")
    expect(page.get_by_role("heading", name=re.compile("abbestellen"))).to_be_visible()
    for name, button in (("45-unsubscribe", "Nachrichten abbestellen"), ("46-unsubscribed", "wieder Nachrichten")):
        _look(person, name)
        page.get_by_role("button", name=re.compile(button)).click()
    expect(page.get_by_role("heading", name=re.compile("abbestellen"))).to_be_visible()
    page.goto(f"{owner.product.address}/u/nothing")
    _look(person, "47-unsubscribe-invalid")
    assert visitor.cookies() == []
    visitor.close()


def _look(person: Person, name: str) -> None:
    """Take screenshots without a script: the page of a visitor has none."""
    SCREENSHOTS.mkdir(exist_ok=True)
    for suffix, size in (("1280", DESKTOP), ("390", PHONE)):
        person.page.set_viewport_size(size)
        person.page.screenshot(path=SCREENSHOTS / f"{name}-{suffix}.png", full_page=True)
