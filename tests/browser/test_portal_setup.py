"""Setting up a portal in a browser: made, worded, ruled, switched on, seen by a visitor, and switched off."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from .conftest import Person


def look(owner: Person, name: str) -> None:
    """Keep pictures, and see that axe finds nothing in what is ours of the page."""
    owner.look(name)
    found = Axe().run(owner.page, context="#hg-page")
    assert found.violations_count == 0, (name, found.generate_report())


def test_portal_is_set_up_switched_on_and_opened(owner: Person) -> None:
    page = owner.page
    owner.open("portals/")
    page.get_by_role("link", name="Make the first portal").click()
    page.get_by_label("Name").fill(f"Drivers of {owner.slug}")
    page.get_by_role("button", name="Make the portal").click()
    expect(page.get_by_text("The portal is switched off. Whoever opens")).to_be_visible()
    look(owner, "70-portal-overview")
    tabs = page.get_by_role("navigation", name="Pages of the portal")

    # Questions: the forms room's builder, in the portal's frame.
    tabs.get_by_role("link", name="Questions").click()
    page.get_by_role("button", name="Phone number").click()
    expect(page.locator("#id_f2-label")).to_be_focused()
    expect(page.get_by_label("Verify by code")).to_have_count(0)
    page.locator("#id_f2-label").fill("Number of the office")
    page.locator("#id_f2-help").focus()
    preview = page.frame_locator("#build-preview iframe")
    expect(preview.get_by_text("Number of the office")).to_be_visible()
    look(owner, "71-portal-questions")
    page.get_by_role("button", name="Publish changes").click()
    expect(page.get_by_text("Visitors get version 2")).to_be_visible()
    expect(tabs.get_by_role("link", name="Overview")).to_have_attribute("aria-current", "page")

    tabs.get_by_role("link", name="Look").click()
    page.get_by_label("Welcome").fill("Slots and delivery notes for our drivers.")
    page.get_by_label("Deutsch").check()
    look(owner, "72-portal-look")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()

    # A text: what is wrong is said while one types, and what it takes.
    tabs.get_by_role("link", name="Texts").click()
    look(owner, "73-portal-texts")
    page.get_by_role("link", name="Approved: Deutsch").click()
    body = page.get_by_label("Text", exact=True)
    body.fill("Hallo {{ name }}, willkommen!")
    expect(page.get_by_text("not always known")).to_be_visible()
    body.fill("Willkommen! ")
    page.get_by_role("button", name="link", exact=True).click()
    expect(body).to_have_value("Willkommen! {{ link }}")
    expect(page.locator("#measure")).to_contain_text("1 segment")
    look(owner, "74-portal-text")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Yours", exact=True)).to_be_visible()

    tabs.get_by_role("link", name="Terms").click()
    page.get_by_label("English").fill("Drive carefully.\n\nBe on time.")
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("Version 1 is what people accept")).to_be_visible()
    look(owner, "75-portal-terms")

    tabs.get_by_role("link", name="Rules").click()
    page.get_by_label("Everybody may register", exact=True).check()
    page.get_by_label("Remind after, in days").fill("20")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("remind earlier")).to_be_visible()
    page.get_by_label("Remind after, in days").fill("3")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_label("New role").fill("Drivers")
    page.get_by_role("button", name="Add the role").click()
    page.get_by_role("textbox", name="Domain").fill("drivers.harbour.example")
    page.get_by_role("button", name="Save the domain").click()
    expect(page.get_by_text("Not seen yet")).to_be_visible()
    look(owner, "76-portal-rules")

    # On, after it was asked; then a visitor finds it.
    tabs.get_by_role("link", name="Overview").click()
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.message), dialog.accept()))
    page.get_by_role("button", name="Switch on").click()
    expect(page.get_by_text("The portal is on.")).to_be_visible()
    assert "is in at once" in asked[0]
    address = page.get_by_role("link", name="Open the portal").get_attribute("href")
    assert address is not None
    visitor = page.context.browser.new_context()  # type: ignore[union-attr]
    try:
        seen = visitor.new_page()
        seen.goto(address)
        expect(seen.get_by_role("heading", name=f"Drivers of {owner.slug}")).to_be_visible()
    finally:
        visitor.close()
    page.get_by_role("button", name="Switch off").click()
    expect(page.get_by_text("The portal is off.")).to_be_visible()
    assert "until you switch it on again" in asked[1]
