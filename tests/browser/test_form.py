"""A public form in a browser: from the link to “thank you”, with the code read off a virtual phone.

On a wide screen, on a phone and on the smallest one, by keyboard alone, without a script, in Chinese and Arabic, and
inside the page of another site. Each page is also put before axe.
"""

import json
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from .conftest import DESKTOP, PASSWORD, PHONE, SCREENSHOTS, Product
from .guests import Guest, Phones, guest_with, make, make_organization

SMALL = {"width": 320, "height": 640}
SIZES = (DESKTOP, PHONE, SMALL)
QUESTIONS = [
    {"key": "f1", "kind": "short_text", "label": "Your name", "required": True, "saves_as": "name"},
    {"key": "f2", "kind": "phone", "label": "Mobile number", "required": True, "verify": True},
    {"key": "f3", "kind": "email", "label": "E-mail address", "help": "Only if you want the receipt by e-mail."},
    {"key": "f4", "kind": "choice", "label": "When shall we deliver?", "required": True,
     "options": ["Morning, 8 to 12", "Afternoon, 12 to 17", "Evening, 17 to 21"]},
    {"key": "f5", "kind": "choices", "label": "What is in the parcel?",
     "options": ["Papers", "Food", "Something fragile"]},
    {"key": "f6", "kind": "date", "label": "Earliest day"},
    {"key": "f7", "kind": "number", "label": "How many parcels?", "min": 1, "max": 20},
    {"key": "f8", "kind": "file", "label": "Photo of the entrance", "accept": ["jpg", "png"], "max": 2},
    {"key": "f9", "kind": "long_text", "label": "Anything the driver should know?"},
    {"key": "f10", "kind": "consent", "label": "Updates", "required": True, "purpose": "transactional",
     "wording": "I agree that Harbour Logistics texts me about this delivery."},
]  # fmt: skip
CHINESE = [
    {"key": "f1", "kind": "short_text", "label": "姓名", "required": True},
    {"key": "f2", "kind": "phone", "label": "手机号码", "required": True, "verify": True},
    {"key": "f4", "kind": "choice", "label": "何时送货？", "required": True, "options": ["上午", "下午"]},
    {"key": "f9", "kind": "long_text", "label": "备注"},
]
ARABIC = [
    {"key": "f1", "kind": "short_text", "label": "الاسم", "required": True},
    {"key": "f2", "kind": "phone", "label": "رقم الجوال", "required": True, "verify": True},
    {"key": "f4", "kind": "choice", "label": "متى نوصّل الطلب؟", "required": True, "options": ["صباحًا", "مساءً"]},
    {"key": "f9", "kind": "long_text", "label": "ملاحظات"},
]
# What members do in the builder: its own pages have their own test.
_MAKE = """
from messaging.verification.limit_models import VerificationPolicy
from portal.forms.building import create_form, publish
from portal.forms.definition import read
from portal.forms.models import PublicForm
asked = json.loads({asked!r})
VerificationPolicy.objects.update_or_create(organization=organization, defaults={{"regions": {regions!r}}})
told["tokens"] = []
for one in asked:
    form = create_form(organization, title=one["title"], actor=owner)
    form.definition = read(one["questions"]).as_json()
    form.next_key = 50
    form.save()
    publish(form, actor=owner)
    PublicForm.objects.filter(pk=form.pk).update(state="open", **one["settings"])
    told["tokens"].append(form.token)
"""
REGIONS = ["NL", "FR", "CN", "GB", "EG"]


class Shop(ThreadingHTTPServer):
    """Somebody's own site, with a page around the form."""

    frame = ""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), ShopPage)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def origin(self) -> str:
        return f"http://localhost:{self.server_port}"


class ShopPage(BaseHTTPRequestHandler):
    """The page."""

    server: Shop

    def do_GET(self) -> None:
        frame = f'<iframe src="{self.server.frame}" title="Book a delivery" width="100%" height="760"></iframe>'
        body = f'<!DOCTYPE html><html lang="en"><title>Shop</title><h1>Shop</h1>{frame}</html>'.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: Any) -> None:
        pass


@dataclass
class Site:
    """Published forms of an organization, and its virtual phones."""

    address: str
    tokens: list[str]
    phones: Phones
    shop: Shop

    def url(self, number: int, query: str = "") -> str:
        return f"{self.address}/f/{self.tokens[number]}{query}"

    def code(self, phone: str) -> str:
        return self.phones.code(phone)


@pytest.fixture(scope="module")
def site(product: Product) -> Iterator[Site]:
    shop = Shop()
    slug = make_organization(product, name="Harbour Logistics", email="forms@harbour.example", password=PASSWORD)
    every = ["en", "zh-hans", "zh-hant", "nl", "de", "es", "fr", "ar"]
    asked: list[dict[str, Any]] = [
        {"title": "Book a delivery", "questions": QUESTIONS, "settings": {
            "languages": every, "color": "#0b7a75", "description": "Tell us when and where. It takes about a minute.",
            "thank_you": "We text you the evening before.", "embed_origins": [shop.origin]}},
        {"title": "预约送货", "questions": CHINESE, "settings": {
            "languages": ["zh-hans", "zh-hant", "en"], "color": "#b3261e",
            "description": "请填写以下信息，大约需要一分钟。"}},
        {"title": "حجز توصيل", "questions": ARABIC, "settings": {
            "languages": ["ar", "en", "fr"], "color": "#f2c200",
            "description": "أخبرنا متى وأين. يستغرق ذلك نحو دقيقة."}},
    ]  # fmt: skip
    told, phones = make(product, slug, _MAKE.format(asked=json.dumps(asked), regions=REGIONS))
    yield Site(product.address, told["tokens"], phones, shop)
    shop.shutdown()


@pytest.fixture
def guest(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Guest]:
    """A visitor; `@pytest.mark.parametrize("guest", [{…}], indirect=True)` says how the browser is."""
    with guest_with(browser, **{"viewport": DESKTOP, **getattr(request, "param", {})}) as guest:
        yield guest
        assert guest.context.cookies() == []


def test_the_whole_form_with_mistakes_on_the_way(site: Site, guest: Guest) -> None:
    page = guest.page
    page.goto(site.url(0))
    guest.look("60-form", sizes=SIZES)
    page.get_by_label("Mobile number").fill("12")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("alert")).to_contain_text("Please look at this again")
    expect(page.get_by_role("alert")).to_be_focused()
    guest.look("61-form-mistakes", sizes=SIZES)
    page.get_by_role("link", name="Mobile number – This number is too short").click()
    expect(page.get_by_label("Mobile number")).to_be_focused()

    page.get_by_label("Your name").fill("Ada Lovelace")
    page.get_by_label("Mobile number").fill("0151 12345601")
    page.get_by_label("Morning, 8 to 12").check()
    page.get_by_label("Food").check()
    page.get_by_label("Something fragile").check()
    page.get_by_label("I agree that Harbour").check()
    page.get_by_label("Photo of the entrance").set_input_files(
        {"name": "door.png", "mimeType": "image/png", "buffer": b"\x89PNG\r\n\x1a\n" + b"\x00" * 2_100_000}
    )
    expect(page.get_by_text("This file is too large. Choose one of at most 2 MB.")).to_be_visible()
    page.get_by_label("Photo of the entrance").set_input_files(
        {"name": "door.png", "mimeType": "image/png", "buffer": b"\x89PNG\r\n\x1a\n" + b"\x00" * 100}
    )
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("+49 1511 2345601")).to_be_visible()
    expect(page.get_by_label("Code", exact=True)).to_be_focused()
    again = page.get_by_role("button", name=re.compile("Send the code again"))
    expect(again).to_have_attribute("aria-disabled", "true")
    expect(again).to_contain_text(re.compile(r"in \d\d? seconds"))
    guest.look("62-form-code", sizes=SIZES)
    page.get_by_label("Code", exact=True).fill("000000" if site.code("+4915112345601") != "000000" else "111111")
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("alert")).to_contain_text("you can try 2 more times")
    guest.look("63-form-wrong-code", sizes=SIZES)
    page.get_by_role("button", name="Change the number or an answer").click()
    expect(page.get_by_label("Your name")).to_have_value("Ada Lovelace")
    expect(page.get_by_label("Food")).to_be_checked()
    expect(page.get_by_text("We have your file door.png.")).to_be_visible()
    guest.look("64-form-again", sizes=(PHONE,))
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("A code is on its way already.")).to_be_visible()
    code = site.code("+4915112345601")
    page.get_by_label("Code", exact=True).fill(f" {code[:3]} {code[3:]} ")
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("heading", name="Thank you. Your answers were sent.")).to_be_visible()
    guest.look("65-form-done", sizes=SIZES)


@pytest.mark.parametrize("guest", [{"viewport": PHONE}], indirect=True)
def test_by_keyboard_alone(site: Site, guest: Guest) -> None:
    page = guest.page
    page.goto(site.url(0))

    def tab_to(name: str) -> None:
        for _ in range(40):
            page.keyboard.press("Tab")
            focused = page.evaluate(
                "(() => { const one = document.activeElement; const label = one.labels && one.labels[0];"
                " return (label ? label.innerText : one.getAttribute('aria-label') || one.innerText || '') })()"
            )
            outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline != "none", f"one sees where one is: {focused}"
            if name in focused:
                return
        raise AssertionError(f"the keyboard does not reach “{name}”")

    tab_to("Your name")
    page.keyboard.type("Grace Hopper")
    tab_to("Mobile number")
    page.keyboard.type("0151 12345602")
    tab_to("Morning, 8 to 12")
    page.keyboard.press("ArrowDown")
    tab_to("I agree that")
    page.keyboard.press("Space")
    tab_to("Continue")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Code", exact=True)).to_be_focused()
    page.keyboard.type(site.code("+4915112345602"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Thank you. Your answers were sent.")).to_be_visible()


@pytest.mark.parametrize("guest", [{"viewport": SMALL, "java_script_enabled": False}], indirect=True)
def test_without_a_script_on_the_smallest_screen(site: Site, guest: Guest) -> None:
    page = guest.page
    page.goto(site.url(0))
    page.get_by_label("Your name").fill("Katherine Johnson")
    page.get_by_label("Country").select_option("FR")
    page.get_by_label("Mobile number").fill("06 12 34 56 03")
    page.get_by_label("Evening, 17 to 21").check()
    page.get_by_label("I agree that").check()
    page.get_by_label("Your name").press("Enter")
    expect(page.get_by_text("+33 6 12 34 56 03")).to_be_visible()
    guest.look("66-form-code-no-script", sizes=(SMALL,))
    page.get_by_role("button", name="Send the code again by text message").click()
    expect(page.get_by_text("Wait a moment before you ask for another one.")).to_be_visible()
    page.get_by_label("Code", exact=True).fill(site.code("+33612345603"))
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("heading", name="Thank you. Your answers were sent.")).to_be_visible()


@pytest.mark.parametrize("guest", [{"locale": "zh-CN"}], indirect=True)
def test_in_chinese(site: Site, guest: Guest) -> None:
    page = guest.page
    page.goto(site.url(1))
    expect(page.locator("html")).to_have_attribute("lang", "zh-Hans")
    expect(page.locator("select option[value=DE]")).to_have_text("德国 (+49)")
    expect(page.locator("select")).to_have_value("CN")
    guest.look("67-form-chinese", sizes=SIZES)
    page.get_by_label("姓名").fill("王小明")
    page.get_by_label("手机号码").fill("+49 1511 2345604")
    page.get_by_label("上午").check()
    page.get_by_role("button", name="继续").click()
    expect(page.get_by_role("heading", name="确认您的号码")).to_be_visible()
    guest.look("68-form-chinese-code", sizes=SIZES)
    code = site.code("+4915112345604")
    page.get_by_label("验证码", exact=True).fill(code.translate(str.maketrans("0123456789", "０１２３４５６７８９")))
    page.get_by_role("button", name="确认").click()
    expect(page.get_by_role("heading", name="谢谢。您的回答已发送。")).to_be_visible()
    guest.look("69-form-chinese-done", sizes=(PHONE,))


@pytest.mark.parametrize("guest", [{"locale": "ar-EG", "color_scheme": "dark"}], indirect=True)
def test_in_arabic_from_right_to_left_on_a_dark_screen(site: Site, guest: Guest) -> None:
    page = guest.page
    page.goto(site.url(2))
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    guest.look("70-form-arabic", sizes=SIZES)
    page.get_by_role("button", name="متابعة").click()
    expect(page.get_by_role("alert")).to_be_visible()
    guest.look("71-form-arabic-mistakes", sizes=(PHONE,))
    page.get_by_label("الاسم").fill("ليلى")
    page.get_by_label("رقم الجوال").fill("+49 1511 2345605")
    page.get_by_label("مساءً").check()
    page.get_by_role("button", name="متابعة").click()
    expect(page.get_by_label("الرمز", exact=True)).to_be_focused()
    guest.look("72-form-arabic-code", sizes=SIZES)
    code = site.code("+4915112345605")
    page.get_by_label("الرمز", exact=True).fill(code.translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")))
    page.get_by_role("button", name="تأكيد").click()
    expect(page.get_by_role("heading", name="شكرًا لك.")).to_be_visible()
    guest.look("73-form-arabic-done", sizes=(PHONE, SMALL))


def test_a_language_is_chosen_and_what_was_typed_stays(site: Site, guest: Guest) -> None:
    page = guest.page
    page.goto(site.url(0))
    page.get_by_label("Your name").fill("Ada")
    page.locator("summary").click()
    guest.look("74-form-languages", sizes=(PHONE, SMALL))
    page.get_by_role("button", name="Nederlands").click()
    expect(page.locator("html")).to_have_attribute("lang", "nl")
    expect(page.get_by_label("Your name")).to_have_value("Ada")
    expect(page.get_by_role("button", name="Verder")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)


def test_inside_another_site_and_inside_no_other(site: Site, guest: Guest) -> None:
    page = guest.page
    site.shop.frame = site.url(0, "?framed=1")
    page.goto(f"{site.shop.origin}/book.html")
    form = page.frame_locator("iframe")
    form.get_by_label("Your name").fill("Ada")
    form.get_by_label("Mobile number").fill("0151 12345606")
    form.get_by_label("Morning, 8 to 12").check()
    form.get_by_label("I agree that").check()
    page.set_viewport_size(DESKTOP)
    page.screenshot(path=SCREENSHOTS / "75-form-embedded-1280.png")
    form.get_by_role("button", name="Continue").click()
    expect(form.get_by_label("Code", exact=True)).to_be_focused()
    form.get_by_label("Code", exact=True).fill(site.code("+4915112345606"))
    form.get_by_role("button", name="Confirm").click()
    expect(form.get_by_role("heading", name="Thank you. Your answers were sent.")).to_be_visible()

    other = Shop()
    other.frame = site.shop.frame
    # The browser says that it shows nothing: what is not there yet might come.
    with page.expect_console_message(lambda line: "frame-ancestors" in line.text):
        page.goto(f"{other.origin}/book.html")
    expect(page.frame_locator("iframe").get_by_label("Your name")).to_have_count(0)
    other.shutdown()


@pytest.fixture(scope="module")
def own_codes(site: Site, product: Product) -> Site:
    """A form of an organization without a Verify Service: its codes are our own, over the sandbox's sender."""
    slug = make_organization(product, name="Harbour Ferries", email="ferries@harbour.example", password=PASSWORD)
    asked = [{"title": "Book a ferry", "questions": QUESTIONS[:2], "settings": {"languages": ["en"]}}]
    script = _MAKE.format(asked=json.dumps(asked), regions=[*REGIONS, "US"])
    script += "Connection.objects.filter(organization=organization).update(verify_service_sid='')\n"
    told, phones = make(product, slug, script)
    return Site(product.address, told["tokens"], phones, site.shop)


def ask_for_code(site: Site, page: Page, number: str) -> None:
    page.goto(site.url(0))
    page.get_by_label("Your name").fill("Ada Lovelace")
    page.get_by_label("Mobile number").fill(number)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_label("Code", exact=True)).to_be_focused()


def arrived(site: Site, phone: str) -> dict[str, Any]:
    """Return the newest text on a phone, once a worker has handed it over and it has ended."""
    for _ in range(150):
        if any(one["number"] == phone for one in site.phones.control.phones(site.phones.account)):
            message = site.phones.control.phone(site.phones.account, phone)["messages"][-1]
            if message.get("status") in {"delivered", "undelivered", None}:
                return message
        time.sleep(0.1)
    raise AssertionError("no text arrived")


def test_a_full_code_goes_off_by_itself(own_codes: Site, guest: Guest) -> None:
    page = guest.page
    ask_for_code(own_codes, page, "0151 12345611")
    arrived(own_codes, "+4915112345611")
    code = own_codes.code("+4915112345611")
    wrong = "000000" if code != "000000" else "111111"
    page.get_by_label("Code", exact=True).press_sequentially(wrong)
    expect(page.get_by_role("alert")).to_contain_text("you can try 4 more times")
    page.get_by_label("Code", exact=True).press_sequentially(code[:5])
    expect(page.get_by_role("button", name="Confirm")).to_be_visible()
    page.get_by_label("Code", exact=True).press_sequentially(code[5])
    expect(page.get_by_role("heading", name="Thank you. Your answers were sent.")).to_be_visible()


def test_a_code_that_the_browser_reads_from_the_text_is_entered(own_codes: Site, guest: Guest) -> None:
    page = guest.page
    # Chromium has WebOTP on Android alone: what it would do there is put in its place.
    page.add_init_script("""
        window.OTPCredential = function () {};
        const get = (asked) => new Promise((resolve, reject) => {
          window.askedFor = asked.otp;
          window.deliver = (code) => resolve({ code });
          asked.signal.addEventListener("abort", () => { window.isGivenUp = true; reject(new Error("aborted")); });
        });
        Object.defineProperty(navigator, "credentials", { value: { get } });
    """)
    ask_for_code(own_codes, page, "0151 12345612")
    assert page.evaluate("window.askedFor") == {"transport": ["sms"]}
    arrived(own_codes, "+4915112345612")
    page.evaluate("code => window.deliver(code)", own_codes.code("+4915112345612"))
    expect(page.get_by_role("heading", name="Thank you. Your answers were sent.")).to_be_visible()


def test_a_text_that_got_lost_is_told_without_a_press(own_codes: Site, guest: Guest) -> None:
    page = guest.page
    page.clock.install()
    ask_for_code(own_codes, page, "+1 202 555 0103")
    assert arrived(own_codes, "+12025550103")["status"] == "undelivered"
    told = page.get_by_text("The code could not be delivered to this number.")
    for _ in range(4):  # the status has to come back to us first
        page.clock.fast_forward(41_000)
        page.wait_for_timeout(1_500)
        if told.count():
            break
    expect(told).to_be_visible()
    expect(page.get_by_role("alert")).to_be_focused()
    guest.look("66-form-lost-code", sizes=SIZES)
