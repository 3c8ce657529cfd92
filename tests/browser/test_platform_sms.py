"""Platform SMS in a browser: topped up by the operator, explained, sent without Twilio, on the statement."""

import re
from pathlib import Path

from playwright.sync_api import Browser, expect

from .conftest import DESKTOP, Person


def sign_in_operator(owner: Person, browser: Browser) -> Person:
    """Sign the demo's owner in, who operates a trial."""
    password = (Path(owner.product.environment["HELIOGRAPH_DATA"]) / "demo.password").read_text().strip()
    page = browser.new_context(viewport=DESKTOP, locale="en-GB").new_page()
    page.goto(f"{owner.product.address}/o/demo/")
    page.get_by_label("E-mail").fill("demo@heliograph.example")
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/o/demo/")
    return Person(page=page, product=owner.product, slug="demo", email="demo@heliograph.example")


def test_from_top_up_to_delivered_and_the_statement(owner: Person, browser: Browser) -> None:
    page = owner.page
    owner.open("routing/")
    page.get_by_label("Number").fill("139 1234 5678")
    page.get_by_role("button", name="Show the route").click()
    expect(page.locator(".hg-error").first).to_be_visible()  # a number of Germany's, and no valid one
    page.get_by_label("Number").fill("+86 139 1234 5678")
    page.get_by_role("button", name="Show the route").click()
    expect(page.get_by_text("Mainland China is reached by platform SMS, paid with credits.")).to_be_visible()
    expect(page.get_by_text("Too few credits")).to_be_visible()
    assert "139" not in page.url
    owner.look("50-why-this-route")

    operator = sign_in_operator(owner, browser)
    operator.page.goto(f"{owner.product.address}/operator/platform-sms/")
    expect(operator.page.get_by_text("offered").first).to_be_visible()
    operator.look("51-operator-platform-sms")
    operator.page.goto(f"{owner.product.address}/operator/platform-sms/credits/{owner.slug}/")
    form = operator.page.locator("form", has=operator.page.get_by_role("heading", name="Top up"))
    form.get_by_label("Credits").fill("25")
    form.get_by_label("Note").fill("Invoice 4711")
    form.get_by_role("button", name="Add credits").click()
    expect(operator.page.get_by_text("has 25 credits")).to_be_visible()
    operator.look("52-operator-credits")

    owner.open("messages/send/")
    page.get_by_label("To", exact=True).fill("+86 139 1234 5678")
    page.get_by_label("Text").fill("Your parcel is here.")
    expect(page.get_by_text("by platform SMS, 1 credit")).to_be_visible()
    expect(page.locator("#preview")).to_contain_text(re.compile("【Harbour Logistics"))
    owner.look("53-send-by-platform-sms")
    page.get_by_role("button", name="Send", exact=True).click()
    page.wait_for_url(re.compile(r"/messages/[0-9a-f-]{36}/"))
    expect(page.locator(".hg-pill", has_text="Delivered").first).to_be_visible(timeout=20_000)
    expect(page.get_by_text("1 credit", exact=True)).to_be_visible()
    assert "Platform Operations" not in page.content()

    owner.open("credits/")
    expect(page.get_by_text("Message sent")).to_be_visible()
    expect(page.get_by_text("Invoice 4711")).to_be_visible()
    owner.look("54-credits")
    operator.page.context.close()
