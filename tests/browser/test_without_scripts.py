"""Where no script runs, the pages are there all the same, and a message goes out."""

import re

from playwright.sync_api import expect

from .conftest import Person
from .test_first_message import connect_sandbox


def test_a_message_is_sent_without_scripts(owner: Person) -> None:
    connect_sandbox(owner)
    signed_in = owner.page.context
    plain = signed_in.browser.new_context(storage_state=signed_in.storage_state(), java_script_enabled=False)
    try:
        page = plain.new_page()
        page.goto(f"{owner.product.address}/o/{owner.slug}/messages/send/")
        page.get_by_label("To", exact=True).fill("+49 1511 2345678")
        page.get_by_label("Text").fill("No script, and still a text.")
        page.get_by_role("button", name="Send", exact=True).click()
        expect(page).to_have_url(re.compile(r"/messages/[0-9a-f-]{36}/"))
        expect(page.get_by_text("No script, and still a text.")).to_be_visible()
    finally:
        plain.close()
