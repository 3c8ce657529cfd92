"""The builder of automations in a browser: *form submitted → wait → send* from nothing to the SMS on a virtual phone;
by keys, by drag, on a phone, without scripts, and in two tabs."""

import re
import time

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect

from .conftest import PHONE, Person
from .guests import guest_with, make
from .test_first_message import connect_sandbox

VISITOR = "+4915112345610"
_FORM = """
from portal.forms.building import create_form, publish
from portal.forms.definition import read
form = create_form(organization, title="Delivery slots", actor=owner)
form.definition = read([
    {"key": "f1", "kind": "short_text", "label": "Your name", "required": True, "saves_as": "name"},
    {"key": "f2", "kind": "phone", "label": "Mobile number", "required": True},
]).as_json()
form.save()
publish(form, actor=owner)
told["token"] = form.token
"""
# The minute is over: what the run waits for is moved to now, in the row and in what the step remembers of it.
_MINUTE = """
from django.utils import timezone
from messaging.automations.models import Run, RunStep
now = timezone.now()
for step in RunStep.objects.filter(run__organization=organization, kind="wait", ended_at=None):
    step.memory["until"] = now.isoformat()
    step.save(update_fields=["memory"])
told["woken"] = Run.objects.filter(organization=organization, status="waiting").update(due_at=now)
"""
_AUTOMATION = """
from messaging.automations.flow import Flow, NodeSpec
from messaging.automations.publishing import create
wait = lambda node_id, hours: NodeSpec(node_id, "wait", {"how": "duration", "amount": hours, "unit": "hours"})
fork = NodeSpec("n1", "branch", {"groups": [[{"what": "contact.language", "type": "text", "op": "is", "value": "de"}]]},
                {"yes": (wait("n2", 2),), "no": (wait("n3", 3), NodeSpec("n5", "stop"))})
flow = Flow("contact_created" if False else "form_submitted", {}, (fork, wait("n4", 4)), 5)
told["pk"] = str(create(organization, name="Reminders", flow=flow, actor=owner).pk)
"""


def titles(owner: Person) -> Locator:
    return owner.page.locator("#build-list [data-node] > .hg-build-top strong")


def look(owner: Person, name: str) -> None:
    """Keep pictures, and see that axe finds nothing in what is ours of the page."""
    owner.look(name)
    found = Axe().run(owner.page, context="#hg-page")
    assert found.violations_count == 0, (name, found.generate_report())


def begin(owner: Person, name: str) -> None:
    owner.open("automations/new/")
    owner.page.get_by_label("Name").fill(name)
    owner.page.get_by_role("button", name="Begin with nothing").click()
    expect(owner.page.get_by_text("Choose what sets it off")).to_be_visible()


def add(page: Page, gap: Locator, words: str) -> None:
    gap.click()
    # On a phone, its keys would cover what there is to choose from.
    search, heading = page.get_by_label("Search", exact=True), page.get_by_role("heading", name="Add a step")
    is_narrow = page.viewport_size is not None and page.viewport_size["width"] < 1000
    expect(heading if is_narrow else search).to_be_focused()
    search.fill(words)
    page.keyboard.press("Enter")


def test_form_wait_send_from_nothing_to_the_phone(owner: Person, browser: Browser) -> None:
    page = owner.page
    connect_sandbox(owner)
    told, _ = make(owner.product, owner.slug, _FORM)
    owner.open("automations/new/")
    look(owner, "90-automation-new")
    begin(owner, "Thank visitors")
    builder = page.url
    look(owner, "91-automation-empty")

    # What sets it off.
    page.get_by_role("link", name="Choose what sets it off").click()
    expect(page.get_by_role("heading", name="What sets it off?")).to_be_visible()
    look(owner, "92-automation-triggers")
    page.get_by_label("Search", exact=True).fill("public forms")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Form submitted")).to_be_visible()
    page.get_by_label("Form", exact=True).select_option(label="Delivery slots")
    page.get_by_label("Also where the number was not proved").check()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("When the form “Delivery slots” is submitted")).to_be_visible()

    # Wait a minute.
    add(page, page.locator("#add---0"), "wait")
    expect(titles(owner)).to_have_text(["Wait"])
    page.get_by_label("How long").fill("1")
    page.get_by_label("Unit").select_option("minutes")
    expect(page.get_by_label("Date and time")).to_be_hidden()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Wait 1 minute", exact=True)).to_be_visible()

    # Send.
    add(page, page.locator("#add---1"), "send sms")
    expect(titles(owner)).to_have_text(["Wait", "Send SMS"])
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#panel-form .hg-error")).to_have_text("Choose a template, or write the text.")
    page.get_by_label("Text", exact=True).fill("Thank you ! ")
    page.get_by_label("Text", exact=True).evaluate("field => field.setSelectionRange(10, 10)")
    page.get_by_role("button", name="Insert a field").last.click()
    page.get_by_label("Search", exact=True).fill("first name")
    look(owner, "93-automation-fields")
    page.locator("#picker-list button:visible").first.click()
    expect(page.get_by_label("Text", exact=True)).to_have_value('Thank you {{ contact.first_name | "" }}! ')
    expect(page.locator("#text-preview")).to_contain_text("Thank you Anna!")
    expect(page.locator("#text-preview")).to_contain_text("1 segment")
    look(owner, "94-automation-send")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Nothing happens before you publish it.")).to_be_visible()

    # A test run, over the sandbox.
    page.get_by_role("link", name="Test run").click()
    look(owner, "95-automation-test")
    page.get_by_role("button", name="Begin the test run").click()
    expect(page.locator("#test-run")).to_contain_text("nothing waits", timeout=20_000)
    expect(page.locator("#test-run .hg-pill", has_text="Done").first).to_be_visible(timeout=20_000)
    look(owner, "96-automation-tested")
    page.get_by_role("link", name="The virtual phone").click()
    expect(page.get_by_text("Thank you Anna!").first).to_be_visible(timeout=20_000)

    # Published, and done for a visitor.
    page.goto(builder)
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("Published: version 1 runs from now on.")).to_be_visible()
    with guest_with(browser) as guest:
        guest.page.goto(f"{owner.product.address}/f/{told['token']}")
        guest.page.get_by_label("Your name").fill("Ada Lovelace")
        guest.page.get_by_label("Mobile number").fill(VISITOR)
        guest.page.get_by_role("button", name=re.compile("Continue|Send")).click()
        expect(guest.page.get_by_text(re.compile("thank you", re.I)).first).to_be_visible()
    deadline = time.monotonic() + 20
    while not make(owner.product, owner.slug, _MINUTE)[0]["woken"]:
        assert time.monotonic() < deadline
    owner.open("sandbox/")
    page.get_by_role("link", name=re.compile("2345610")).click(timeout=20_000)
    expect(page.get_by_text("Thank you Ada!")).to_be_visible(timeout=20_000)
    page.goto(builder)
    look(owner, "97-automation-published")
    page.get_by_role("link", name="Versions").click()
    look(owner, "98-automation-versions")


def test_steps_are_moved_by_keys_and_by_drag_and_undone(owner: Person) -> None:
    page = owner.page
    connect_sandbox(owner)
    told, _ = make(owner.product, owner.slug, _AUTOMATION)
    owner.open(f"automations/{told['pk']}/")
    look(owner, "99-automation-branches")
    waits = owner.page.locator("#build-list [data-node] > .hg-build-top .hg-flow-line")
    expect(waits).to_have_text([re.compile("^If"), "Wait 2 hours", "Wait 3 hours", "Wait 4 hours"])
    handle = page.locator("#handle-n4")
    handle.focus()
    handle.press("ArrowUp")
    expect(page.locator(".hg-flow-branch").last.locator("[data-node]")).to_have_count(3)
    expect(page.locator("#handle-n4")).to_be_focused()
    expect(page.locator("#build-said")).to_have_text("Wait 4 hours: place 3 of 3 in the branch No")
    page.locator("#handle-n4").press("ArrowDown")
    expect(page.locator("#build-said")).to_have_text("Wait 4 hours: place 2 of 2")
    page.locator("#up-n4").press("Enter")
    expect(page.locator("#up-n4")).to_be_focused()
    expect(page.locator(".hg-flow-branch").last.locator("[data-node]")).to_have_count(3)

    box, there = page.locator("#handle-n4").bounding_box(), page.locator("#add-n1-yes-0").bounding_box()
    assert box is not None
    assert there is not None
    page.mouse.move(box["x"] + 10, box["y"] + 10)
    page.mouse.down()
    page.mouse.move(there["x"] + 12, there["y"] + 12, steps=12)
    page.mouse.up()
    expect(page.locator(".hg-flow-branch").first.locator(".hg-flow-line")).to_have_text(
        ["Wait 4 hours", "Wait 2 hours"]
    )
    page.locator("h1").click()
    page.keyboard.press("Control+z")
    expect(page.locator(".hg-flow-branch").first.locator(".hg-flow-line")).to_have_text(["Wait 2 hours"])
    page.get_by_role("button", name="Redo").click()
    expect(page.locator(".hg-flow-branch").first.locator("[data-node]")).to_have_count(2)
    page.get_by_role("button", name="Delete Branch").click()
    expect(titles(owner)).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(titles(owner)).to_have_count(5)

    # Another tab: nothing is overwritten, and what was typed stays.
    page.locator("#name-n2").click()
    page.get_by_label("How long").fill("7")
    other = page.context.new_page()
    other.goto(page.url)
    other.get_by_role("button", name="Delete Wait Wait 3 hours").click()
    expect(other.locator("#build-list [data-node]")).to_have_count(4)
    other.close()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Somebody changed this automation meanwhile")).to_be_visible()
    expect(page.get_by_label("How long")).to_have_value("7")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Wait 7 hours")).to_be_visible()


def test_automation_is_built_on_a_phone(owner: Person) -> None:
    page = owner.page
    page.set_viewport_size(PHONE)
    begin(owner, "On the way")
    page.get_by_role("link", name="Choose what sets it off").click()
    sheet = page.get_by_role("dialog")
    expect(sheet).to_be_visible()
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    expect(page.locator("#name-trigger")).to_be_focused()
    add(page, page.locator("#add---0"), "branch")
    expect(page.get_by_role("heading", name="Branch")).to_be_visible()
    page.get_by_role("link", name="Close").click()
    add(page, page.locator("#add-n1-no-0"), "stop")
    expect(page.get_by_role("heading", name="Stop")).to_be_visible()
    page.get_by_role("link", name="Close").click()
    expect(titles(owner)).to_have_text(["Branch", "Stop"])
    page.get_by_role("button", name="Move up Stop").click()
    expect(page.locator(".hg-flow-branch").first.locator("[data-node]")).to_have_count(1)
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= PHONE["width"]


def test_automation_is_built_without_scripts(owner: Person) -> None:
    begin(owner, "Plainly")
    signed_in = owner.page.context
    assert signed_in.browser is not None
    plain = signed_in.browser.new_context(storage_state=signed_in.storage_state(), java_script_enabled=False)
    try:
        page = plain.new_page()
        page.goto(owner.page.url)
        page.get_by_role("link", name="Choose what sets it off").click()
        page.get_by_role("link", name="Another trigger").or_(page.get_by_role("link", name="Choose")).first.click()
        page.locator("button[value=form_submitted]").click()
        page.get_by_role("button", name="Save", exact=True).click()
        page.get_by_role("link", name="Add a step here").first.click()
        page.locator("button[value=wait]").click()
        page.get_by_label("How long").fill("3")
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_text("Wait 3 hours")).to_be_visible()
        page.get_by_role("link", name="Add a step here").first.click()
        page.locator("button[value=stop]").click()
        page.get_by_role("button", name="Move down Stop").click()
        expect(page.locator("#build-list strong")).to_have_text(["Form submitted", "Wait", "Stop"])
        page.get_by_role("button", name="Undo").click()
        expect(page.locator("#build-list strong")).to_have_text(["Form submitted", "Stop", "Wait"])
        page.get_by_role("button", name="Publish").click()
        expect(page.get_by_text("Published: version 1 runs from now on.")).to_be_visible()
    finally:
        plain.close()


def test_webhook_shows_its_secret_once_and_what_comes(owner: Person) -> None:
    page = owner.page
    owner.open("automations/new/?recipe=orders")
    look(owner, "89-automation-recipe")
    page.get_by_role("button", name="Use this recipe").click()
    expect(page.get_by_text("Saved as you go. Nothing happens before you publish it.")).to_be_visible()
    page.get_by_role("link", name="Incoming webhook").click()
    page.get_by_role("button", name="Make address and secret").click()
    secret = page.locator("#hook-secret .hg-secret code").inner_text()
    address = page.locator("#hook-secret .hg-copy code").first.inner_text()
    expect(page.get_by_text("Waiting for a first call…")).to_be_visible()
    path = address.partition("/hooks/")[2]
    answer = page.request.post(
        f"{owner.product.address}/hooks/{path}",
        headers={"Authorization": f"Bearer {secret}"},
        data={"order_id": 17, "status": "shipped", "phone": "+4915112345611"},
    )
    assert answer.status == 202, answer.text()
    expect(page.locator("#hook-news pre")).to_contain_text('"order_id": 17')
    look(owner, "88-automation-webhook")
