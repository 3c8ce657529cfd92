"""The pages of who is logged in: what they show, what they do, and for whom."""

import json
import re
import zipfile
from datetime import timedelta
from html import unescape
from io import BytesIO
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models.functions import Now
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from integrations.connections.models import Connection
from messaging.consent.models import ConsentRecord, OptOut
from messaging.consent.opt_outs import opt_out
from messaging.sending.models import Message
from messaging.verification.models import Verification
from portal.accounts import domains, sessions
from portal.accounts.models import Portal, PortalLogin, PortalPasskey, PortalSession, PortalUser, PortalVisit
from portal.accounts.offer_models import PortalOffer
from portal.forms.building import create_form
from portal.forms.models import PublicForm
from tests.conftest import Cast
from tests.factories import ContactFactory, MessageFactory
from tests.messaging.verification.conftest import own_code_of, wrong
from tests.portal.forms.conftest import publish_questions
from tests.portal.forms.public.conftest import VirtualPhones, account, connected, phones
from tests.portal.forms.samples import PNG, QUESTIONS

from .door.test_journey import let_codes_go
from .furnishing import begin_session, make_person, make_portal

__all__ = ["account", "connected", "phones"]
pytestmark = pytest.mark.django_db
PHONE, NEW_NUMBER, NEW_PHONE = "+4915112345678", "+49 1518 7651234", "+4915187651234"
ASKED = [
    {"key": "f1", "kind": "short_text", "label": "Your name", "required": True, "saves_as": "name"},
    {"key": "f2", "kind": "email", "label": "E-mail"},
    {"key": "f3", "kind": "file", "label": "Licence", "accept": ["png"], "max": 1},
    {"key": "f4", "kind": "phone", "label": "Office"},
]


class Inside:
    """Somebody logged in, with a browser that has no script."""

    def __init__(self, person: PortalUser, *, language: str = "en") -> None:
        self.person, self.portal = person, person.portal
        self.client = Client(enforce_csrf_checks=True, headers={"Accept-Language": language})
        self.log_in()

    def log_in(self) -> None:
        self.client.cookies[sessions.SESSION] = begin_session(self.person)

    def url(self, path: str) -> str:
        return f"/p/{self.portal.slug}/{path}"

    def open(self, path: str) -> str:
        self.answer: Any = self.client.get(self.url(path))
        return self.text

    def press(self, path: str, *, token: str | None = None, **data: Any) -> str:
        """Send a form of a page of ours, and follow where it leads."""
        if token is None:
            shown = re.search(r'name="token" value="(\w+)"', self.client.get(self.url("number")).content.decode())
            token = shown[1] if shown else ""
        self.answer = self.client.post(self.url(path), {"token": token, **data}, follow=True)
        return self.text

    @property
    def html(self) -> str:
        return str(self.answer.content.decode())

    @property
    def text(self) -> str:
        return " ".join(unescape(re.sub(r"<[^>]+>", " ", self.html)).split())


@pytest.fixture
def portal(cast: Cast) -> Portal:
    return make_portal(cast.organization, questions=ASKED, languages=["en", "de"])


@pytest.fixture
def ada(portal: Portal) -> Inside:
    return Inside(make_person(portal, contact=ContactFactory(organization=portal.organization, phone=PHONE)))


def test_the_overview_leads_to_every_page(ada: Inside) -> None:
    assert "Welcome, Ada" in ada.open("home")
    for path in ("messages", "profile", "number", "preferences", "security", "data", "help", "leave"):
        if path != "leave":
            assert f'href="/p/drivers/{path}"' in ada.html
    for path in ("messages", "profile", "number", "preferences", "security", "data", "help", "leave", "forms"):
        ada.client.get(ada.url(path))
        assert ada.open(path), path
        assert ada.answer.status_code == 200, path
        assert "private" in ada.answer["Cache-Control"] or "no-store" in ada.answer["Cache-Control"]
        assert 'href="/p/drivers/help"' in ada.html


def test_pages_speak_the_language_of_the_browser(portal: Portal) -> None:
    person = make_person(portal, language="de")
    ada = Inside(person)
    assert ada.open("home")
    assert '<html lang="de"' in ada.html


class TestProfile:
    """Name, answers, language."""

    def test_what_is_saved_is_shown_and_counts(self, ada: Inside) -> None:
        page = ada.press("profile", f1="Ada King", f2="ada@example.com", **{"f4": "030 123456", "f4-country": "DE"})
        assert "Your profile was saved." in page
        ada.person.refresh_from_db()
        assert ada.person.name == "Ada King"
        assert ada.person.submission is not None
        assert ada.person.submission.answers == {"f1": "Ada King", "f2": "ada@example.com", "f4": "+4930123456"}
        assert 'value="+49 30 123456"' in ada.html

    def test_a_file_is_taken_and_its_name_shown(self, ada: Inside) -> None:
        ada.press("profile", f1="Ada", f3=SimpleUploadedFile("licence.png", PNG))
        assert "We have your file licence.png" in ada.text

    def test_what_is_wrong_stands_at_the_field_and_nothing_is_lost(self, ada: Inside) -> None:
        page = ada.press("profile", f1="", f2="nobody")
        assert ada.answer.status_code == 422
        assert "Fill in this field." in page
        assert 'value="nobody"' in ada.html
        ada.person.refresh_from_db()
        assert ada.person.submission is None

    def test_the_language_is_spoken_from_then_on(self, ada: Inside) -> None:
        ada.press("profile", f1="Ada", language="de")
        assert '<html lang="de"' in ada.html
        ada.person.refresh_from_db()
        assert ada.person.language == "de"

    def test_without_a_question_for_the_name_there_is_a_field(self, cast: Cast) -> None:
        ada = Inside(make_person(make_portal(cast.organization, questions=[])))
        assert "Name" in ada.open("profile")
        ada.press("profile", name="Ada Lovelace")
        ada.person.refresh_from_db()
        assert ada.person.name == "Ada Lovelace"


class TestNumber:
    """Two codes to another number."""

    def begin(self, ada: Inside) -> str:
        """Ask for the code to the present number, and return it."""
        assert "We sent a text message with a code to +49 1511 2345678" in ada.press("number", step="begin")
        return own_code_of(PHONE)

    def test_the_whole_way(self, ada: Inside, connection: Connection) -> None:
        other = Inside(ada.person)
        assert "Now enter the new one" in ada.press("number", step="check", code=self.begin(ada))
        page = ada.press("number", step="new", phone="01518 7651234", **{"phone-country": "DE"})
        assert f"We sent a text message with a code to {NEW_NUMBER}" in page
        page = ada.press("number", step="check", code=own_code_of(NEW_PHONE))
        assert "Your new number is in use." in page
        assert f"You log in with {NEW_NUMBER}" in page
        ada.person.refresh_from_db()
        assert (ada.person.phone, ada.person.region) == (NEW_PHONE, "DE")
        other.open("home")
        assert other.answer.status_code == 302, "other devices are logged out"
        told = Message.objects.get(source="portal", purpose="transactional")
        assert (told.phone, NEW_PHONE in told.body) == (PHONE, False)
        assert "Your new number is in use." in ada.press("number", step="check", code="123456"), "pressed twice"

    def test_a_wrong_code_and_a_wrong_number_are_told(self, ada: Inside, connection: Connection) -> None:
        code = self.begin(ada)
        assert "This code is not right." in ada.press("number", step="check", code=wrong(code))
        assert "A code is on its way already." in ada.press("number", step="begin")
        ada.press("number", step="check", code=code)
        said = {"12": "too short", "+49 1511 2345678": "you have already", "": "Enter your phone number."}
        for typed, sentence in said.items():
            assert sentence in ada.press("number", step="new", phone=typed, **{"phone-country": "DE"})
        assert not Verification.objects.exclude(phone=PHONE).exists()

    def test_no_step_can_be_left_out(self, ada: Inside, connection: Connection) -> None:
        assert "Begin again" in ada.press("number", step="new", phone=NEW_NUMBER)
        self.begin(ada)
        ada.press("number", step="new", phone=NEW_NUMBER)
        assert not Verification.objects.filter(phone=NEW_PHONE).exists()
        assert PortalVisit.objects.get().phone == ""

    def test_a_number_with_an_account_is_told_after_its_code(
        self, ada: Inside, portal: Portal, connection: Connection
    ) -> None:
        make_person(portal, phone=NEW_PHONE, name="Grace")
        ada.press("number", step="check", code=self.begin(ada))
        assert "We sent a text message" in ada.press("number", step="new", phone=NEW_NUMBER)
        page = ada.press("number", step="check", code=own_code_of(NEW_PHONE))
        assert "This number has an account of its own here." in page
        assert "Grace" not in page

    def test_another_browser_does_not_go_on_with_it(self, ada: Inside, connection: Connection) -> None:
        code = self.begin(ada)
        other = Inside(ada.person)
        assert "Begin again" in other.press("number", step="check", code=code)

    def test_both_codes_can_come_by_call(self, ada: Inside, phones: VirtualPhones, connected: Connection) -> None:
        page = ada.press("number", step="begin")
        assert "Call me and say the code" in page and "Send the code by WhatsApp" in page
        assert "Wait a moment before you ask for another one." in ada.press("number", step="code", channel="call")
        let_codes_go()
        page = ada.press("number", step="code", channel="call")
        assert "We are calling" in page and "Phone call" in phones.texts(PHONE)[-1]
        assert "Now enter the new one" in ada.press("number", step="check", code=phones.code(PHONE))
        ada.press("number", step="new", phone=NEW_NUMBER)
        let_codes_go()
        page = ada.press("number", step="code", channel="whatsapp")  # 60223 in the sandbox
        assert "Please choose another way." in page and "Send the code by WhatsApp" not in page
        assert 'autocomplete="one-time-code"' in ada.html, "the first code can still be entered"
        assert "We are calling" in ada.press("number", step="code", channel="call")
        assert "Phone call" in phones.texts(NEW_PHONE)[-1]
        assert "Your new number is in use." in ada.press("number", step="check", code=phones.code(NEW_PHONE))
        ada.person.refresh_from_db()
        assert ada.person.phone == NEW_PHONE

    def test_a_landline_is_proved_by_a_call(self, ada: Inside, phones: VirtualPhones) -> None:
        ada.press("number", step="begin")
        ada.press("number", step="check", code=phones.code(PHONE))
        page = ada.press("number", step="new", phone="+49 30 123456")
        assert "This looks like a landline, which gets no SMS. Ask for a call instead" in page
        assert "Enter another number" in page and phones.texts("+4930123456") == []
        assert "We are calling" in ada.press("number", step="code", channel="call")
        page = ada.press("number", step="check", code=phones.code("+4930123456"))
        assert "Your new number is in use." in page and "You log in with +49 30 123456" in page

    def test_codes_of_our_own_come_by_text_alone(self, ada: Inside, connection: Connection) -> None:
        code = self.begin(ada)
        assert "Call me" not in ada.text and "WhatsApp" not in ada.text
        let_codes_go()
        assert "Please choose another way." in ada.press("number", step="code", channel="call")
        assert "Now enter the new one" in ada.press("number", step="check", code=code)

    def test_a_code_that_got_lost_is_told(self, ada: Inside, connection: Connection) -> None:
        ada.press("number", step="check", code=self.begin(ada))
        ada.press("number", step="new", phone=NEW_NUMBER)
        assert "data-listens" in ada.html
        ada.press("number", step="look")
        assert ada.answer.status_code == 204
        Message.objects.filter(phone=NEW_PHONE).update(status="failed", error_code=30003, finished_at=Now())
        ada.press("number", step="look")
        assert ada.answer.status_code == 200
        page = ada.press("number", step="show")
        assert "The code could not be delivered to this number." in page and "Enter another number" in page
        assert "We sent a text message" not in page and 'autocomplete="one-time-code"' in ada.html
        Verification.objects.filter(phone=NEW_PHONE).update(expires_at=Now())
        assert "Send a code to my present number" in ada.press("number", step="show")
        assert Verification.objects.filter(phone=NEW_PHONE).count() == 1, "nothing is sent by looking"

    def test_without_a_way_to_send_it_says_so(self, ada: Inside) -> None:
        page = ada.press("number", step="begin")
        assert "Codes cannot be sent at the moment." in page
        assert ada.answer.status_code == 503


class TestPreferences:
    """Consent and opt-outs by ticked boxes."""

    def test_boxes_become_consent_and_opt_outs(self, ada: Inside) -> None:
        assert "Your preferences were saved." in ada.press("preferences", messages="yes", news="yes")
        record = ConsentRecord.objects.get()
        assert record.evidence["wording"] == "News and offers of Acme Logistics by text message"
        assert record.evidence["wording"] in ada.text
        ada.press("preferences")
        assert OptOut.objects.get(ended_at=None).source == "portal"
        ada.press("preferences", messages="yes")
        assert not OptOut.objects.filter(ended_at=None).exists()

    def test_a_stop_says_how_it_is_lifted(self, ada: Inside) -> None:
        opt_out(ada.portal.organization, phone=PHONE, source="keyword", keyword="STOP")
        assert "text START to the number" in ada.open("preferences")
        assert "disabled" in ada.html
        assert "text START" in ada.press("preferences", messages="yes")
        assert ada.answer.status_code == 409
        assert OptOut.objects.get().ended_at is None

    def test_a_stop_of_one_sender_stands_there(self, ada: Inside) -> None:
        opt_out(ada.portal.organization, phone=PHONE, source="keyword", scope="sender", sender="+4930123456")
        assert "+49 30 123456" in ada.open("preferences")


class TestSecurity:
    """Where one is logged in."""

    def test_another_device_is_logged_out(self, ada: Inside) -> None:
        other = Inside(ada.person)
        session = PortalSession.objects.latest("begun_at")
        assert ada.open("security").count("this device") == 1
        assert "That device was logged out." in ada.press(f"security/logins/{session.pk}")
        other.open("home")
        assert other.answer.status_code == 302

    def test_everywhere_means_here_too(self, ada: Inside) -> None:
        other = Inside(ada.person)
        ada.press("security/everywhere")
        for one in (ada, other):
            one.open("home")
            assert one.answer.status_code == 302

    def test_nobody_ends_the_login_of_somebody_else(self, ada: Inside, portal: Portal) -> None:
        grace = Inside(make_person(portal, phone=NEW_PHONE))
        session = PortalSession.objects.get(user=grace.person)
        ada.press(f"security/logins/{session.pk}")
        assert ada.answer.status_code == 404
        grace.open("home")
        assert grace.answer.status_code == 200

    def test_a_password_is_set_changed_and_removed(self, ada: Inside, portal: Portal) -> None:
        assert "Set a password" not in ada.open("security")
        Portal.objects.update(offers_password=True)
        other = Inside(ada.person)
        assert "Take 10 characters or more." in ada.press("security/password", new="short")
        assert ada.answer.status_code == 422
        assert "The password is set." in ada.press("security/password", new="four green bicycles")
        other.open("home")
        assert other.answer.status_code == 302
        assert "This is not your password." in ada.press("security/password", new="five red bicycles", old="guessed")
        assert "This is not your password." in ada.press("security/password", do="remove", old="guessed")
        ada.person.refresh_from_db()
        assert ada.person.password
        assert "A code is enough again." in ada.press("security/password", do="remove", old="four green bicycles")
        ada.person.refresh_from_db()
        assert not ada.person.password

    def test_passkeys_are_listed_and_removed_by_their_owner(self, ada: Inside, portal: Portal) -> None:
        mine, hers = (
            PortalPasskey.objects.create(user=user, credential_id=name, credential=b"x", label=name)
            for user, name in ((ada.person, "Chrome, Android"), (make_person(portal, phone=NEW_PHONE), "Safari, Mac"))
        )
        assert "Chrome, Android" in ada.open("security")
        assert "Safari" not in ada.text
        assert 'data-options="/p/drivers/passkey/new/options"' in ada.html
        ada.press(f"security/passkeys/{hers.pk}/remove")
        assert ada.answer.status_code == 404
        assert "The passkey was removed." in ada.press(f"security/passkeys/{mine.pk}/remove")
        assert list(PortalPasskey.objects.all()) == [hers]

    def test_the_history_is_ones_own(self, ada: Inside, portal: Portal) -> None:
        PortalLogin.objects.create(portal=portal, user=ada.person, how="code", outcome="in", device="Firefox, Android")
        PortalLogin.objects.create(portal=portal, how="code", outcome="in", device="Opera, Mac")
        assert "Firefox, Android" in ada.open("security")
        assert "Opera" not in ada.text


class TestMessagesAndForms:
    """What came, and what can be filled in."""

    def test_messages_page_by_page(self, ada: Inside) -> None:
        PortalUser.objects.update(registered_at=Now() - timedelta(days=1))
        assert "No messages yet." in ada.open("messages")
        for number in range(21):
            to_ada = {"organization": ada.portal.organization, "phone": PHONE, "connection": None}
            MessageFactory(**to_ada, body=f"Text {number}.", status="sent")
        assert "Text 20." in ada.open("messages")
        assert "Text 0." not in ada.text
        older = re.search(r'href="([^"]+before=[^"]+)"', ada.html)
        assert older is not None
        assert "Text 0." in ada.open(older[1].removeprefix("/p/drivers/"))
        assert ada.open("messages?before=nonsense")

    def test_a_form_is_filled_in_without_another_code(self, ada: Inside, cast: Cast) -> None:
        assert "There is no form to fill in" in ada.open("forms")
        form = create_form(cast.organization, title="Delivery slots", actor=cast.owner)
        publish_questions(form, cast, QUESTIONS)
        PublicForm.objects.filter(pk=form.pk).update(state="open")
        PortalOffer.objects.create(portal=ada.portal, form=form)
        assert "Forms" in ada.open("home")
        assert "Delivery slots" in ada.open("forms")
        ticket = re.search(r'name="ticket" value="([^"]+)"', ada.html)
        assert ticket is not None
        assert f'action="/f/{form.token}"' in ada.html
        arrived = Client().post(f"/f/{form.token}", {"step": "arrive", "ticket": ticket[1]}).content.decode()
        assert "+49 1511 2345678" in arrived
        state = re.search(r'name="state" value="([^"]+)"', arrived)
        assert state is not None
        sent = {"step": "fill", "state": unescape(state[1]), "f1": "Ada", "f2": "+49 1511 2345678"}
        done = Client().post(f"/f/{form.token}", sent).content.decode()
        assert "Your answers were sent" in done
        assert f'href="{settings.PUBLIC_BASE_URL}/p/drivers/home"' in done and "Back to Drivers" in done
        assert "You can close this page now." not in done
        Portal.objects.update(is_on=False)
        again = Client().post(f"/f/{form.token}", {"step": "show", "state": sent["state"]}).content.decode()
        assert "Your answers were sent" in again and "Back to" not in again, "a portal that is off is no way to go"

    def test_at_a_domain_of_its_own_forms_are_where_all_forms_are(self, ada: Inside, cast: Cast) -> None:
        form = publish_questions(create_form(cast.organization, title="Slots", actor=cast.owner), cast, QUESTIONS)
        PublicForm.objects.filter(pk=form.pk).update(state="open")
        PortalOffer.objects.create(portal=ada.portal, form=form)
        Portal.objects.update(domain="drivers.example.com")
        domains.forget()
        answer = ada.client.get("/forms", headers={"Host": "drivers.example.com"})
        assert f'action="{settings.PUBLIC_BASE_URL}/f/{form.token}"' in answer.content.decode()
        assert f"form-action 'self' {settings.PUBLIC_BASE_URL}" in answer["Content-Security-Policy"]
        home = ada.client.get("/home", headers={"Host": "drivers.example.com"}).content.decode()
        assert 'href="/profile"' in home
        assert "/p/drivers/" not in home
        domains.forget()


class TestDataAndLeaving:
    """Taking it along, and the end."""

    def test_the_file_is_ones_own(self, ada: Inside) -> None:
        ada.open("data")
        answer = ada.client.get(ada.url("data/file"))
        assert "attachment" in answer["Content-Disposition"]
        assert answer["Cache-Control"] == "no-store"
        archive = zipfile.ZipFile(BytesIO(b"".join(answer.streaming_content)))  # type: ignore[attr-defined]
        assert json.loads(archive.read("data.json"))["profile"]["name"] == "Ada"

    def test_ten_files_an_hour_each(self, ada: Inside, portal: Portal) -> None:
        def take(one: Inside) -> int:
            one.answer = one.client.get(one.url("data/file"))
            if one.answer.streaming:
                assert zipfile.ZipFile(BytesIO(b"".join(one.answer.streaming_content))).namelist() == ["data.json"]
            return int(one.answer.status_code)

        grace = Inside(make_person(portal, phone=NEW_PHONE))
        begun = timezone.now()
        with time_machine.travel(begun, tick=False):
            assert {take(ada) for _ in range(10)} == {200}
            for one in (ada, Inside(ada.person)):
                assert take(one) == 429, "whichever browser it is"
                assert "Wait an hour" in one.text and "Content-Disposition" not in one.answer
            assert 'href="/p/drivers/data"' in ada.html, "there is a way back"
            assert take(grace) == 200, "the limit is each person's own"
        for minutes, status in ((10, 429), (59, 429), (61, 200)):
            with time_machine.travel(begun + timedelta(minutes=minutes), tick=False):
                assert take(ada) == status, minutes

    def test_leaving_says_what_there_is_to_lose(self, ada: Inside) -> None:
        page = ada.open("leave")
        assert "You are logged out everywhere." in page
        assert "password" not in page.lower() and "passkey" not in page.lower()
        PortalUser.objects.update(password="x")
        page = ada.open("leave")
        assert "Your password is deleted." in page and "passkey" not in page.lower()
        PortalPasskey.objects.create(user=ada.person, credential_id="1", credential=b"1")
        assert "Your passkeys are deleted here." in ada.open("leave")

    def test_leaving_ends_every_login(self, ada: Inside) -> None:
        other = Inside(ada.person)
        assert "Leave Drivers?" in ada.open("leave")
        assert "You have left" in ada.press("leave")
        ada.person.refresh_from_db()
        assert ada.person.status == "left"
        for one in (ada, other):
            one.open("home")
            assert one.answer.status_code == 302


@pytest.mark.parametrize("path", ["profile", "number", "preferences", "security/everywhere", "leave"])
def test_a_form_of_another_site_or_login_does_nothing(ada: Inside, path: str) -> None:
    other = Inside(ada.person)
    shown = re.search(r'name="token" value="(\w+)"', other.client.get(other.url("number")).content.decode())
    assert shown is not None
    for forged in ("", "x" * 40, shown[1]):
        ada.press(path, token=forged, f1="Eve", step="begin")
        assert ada.answer.status_code == 403
    ada.person.refresh_from_db()
    assert (ada.person.name, ada.person.status) == ("Ada", "active")
    assert other.open("home")
    assert other.answer.status_code == 200


def test_no_page_opens_once_the_portal_is_off_or_the_person_out(ada: Inside) -> None:
    for change in ({"status": "suspended"}, {"status": "active"}):
        PortalUser.objects.update(**change)
        assert (ada.client.get(ada.url("profile")).status_code == 302) == (change["status"] == "suspended")
    Portal.objects.update(is_on=False)
    for path in ("home", "profile", "data/file", "help"):
        answer: HttpResponse = ada.client.get(ada.url(path))  # type: ignore[assignment]
        assert answer.status_code == 403
        assert b"Ada" not in answer.content
