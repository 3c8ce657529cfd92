"""The way in without a script: registering, logging in, and what else a proved number leads to."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models.functions import Now

from integrations.clock import database_now
from messaging.consent.models import ConsentRecord
from messaging.contacts.models import Contact
from messaging.verification import life
from messaging.verification.limit_models import LimitCount
from messaging.verification.models import Verification
from messaging.verification.refusals import VerificationRefused
from portal.accounts.models import (
    Portal,
    PortalDevice,
    PortalLogin,
    PortalSending,
    PortalSession,
    PortalTerms,
    PortalUser,
    PortalVisit,
)
from portal.accounts.people import approve
from portal.forms.models import FormVersion, Submission
from tests.conftest import Cast
from tests.portal.accounts.door.conftest import NUMBER, PHONE, Visitor, login, wrong
from tests.portal.accounts.furnishing import QUESTIONS, make_person, make_portal
from tests.portal.forms.public.conftest import VirtualPhones
from tests.portal.forms.samples import PNG

pytestmark = pytest.mark.django_db
OFF = "It is switched off at the moment."


def publish(portal: Portal, questions: list[dict[str, Any]], number: int = 2) -> None:
    version = FormVersion.objects.create(form=portal.form, number=number, definition=questions)
    portal.form.current = version
    portal.form.save()


def accept_terms(portal: Portal, number: int = 1) -> PortalTerms:
    terms = PortalTerms.objects.create(portal=portal, number=number, texts={"en": f"Be kind, version {number}."})
    Portal.objects.filter(pk=portal.pk).update(terms=terms)
    return terms


def test_registering_with_a_code_leads_straight_in(visitor: Visitor, phones: VirtualPhones, cast: Cast) -> None:
    assert "Drivers" in visitor.text
    visitor.ask()
    assert visitor.is_asked_for_code and NUMBER in visitor.text
    assert not PortalUser.objects.exists()
    visitor.enter(phones.code())
    assert "Your number +49 1511 2345678 was confirmed." in visitor.text
    assert not PortalUser.objects.exists(), "who has proved a number is nobody yet"
    visitor.fill(f2="B-AB 12")
    assert visitor.page is not None and visitor.page["Location"] == "/p/drivers/home"
    assert visitor.is_in
    person = PortalUser.objects.get()
    assert (person.phone, person.status, person.name, person.region) == (PHONE, "active", "Ada Lovelace", "DE")
    assert person.registered_at is not None and person.last_login_at is not None
    sent = Submission.objects.get()
    assert (person.submission, sent.phone, sent.verified_by, sent.answers["f2"]) == (sent, PHONE, "sms", "B-AB 12")
    assert sent.verification_id == Verification.objects.get().pk and sent.network == "127.0.0.0/24"
    contact = Contact.objects.get(organization=cast.organization)
    assert (person.contact, contact.name, contact.phone) == (contact, "Ada Lovelace", PHONE)
    assert [(row.how, row.outcome) for row in PortalLogin.objects.all()] == [("code", "registered")]
    assert not PortalSending.objects.exists(), "a first login is no news"


def test_logging_in_asks_for_a_code_and_nothing_else(visitor: Visitor, phones: VirtualPhones, drivers: Portal) -> None:
    person = make_person(drivers)
    login(visitor, phones)
    assert visitor.is_in
    assert PortalSession.objects.get().user == person
    assert (PortalLogin.objects.get().outcome, PortalLogin.objects.get().region) == ("in", "DE")


def test_whoever_is_in_is_led_on_from_the_door_and_out_again(
    visitor: Visitor, phones: VirtualPhones, drivers: Portal
) -> None:
    make_person(drivers)
    login(visitor, phones)
    assert visitor.open().page["Location"] == "/p/drivers/home"  # type: ignore[index]
    visitor.open("home")
    token = visitor.html.split('name="token" value="')[1].split('"')[0]
    assert visitor.client.post("/p/drivers/out", {"token": token})["Location"] == "/p/drivers/"
    assert not visitor.is_in
    assert PortalSession.objects.get().ended_at is not None


def test_approval_is_waited_for_and_said_once_decided(
    visitor: Visitor, phones: VirtualPhones, drivers: Portal, cast: Cast
) -> None:
    Portal.objects.update(admission="approval")
    login(visitor, phones).fill()
    assert "You get a text message as soon as it is decided" in visitor.text
    assert not visitor.is_in
    person = PortalUser.objects.get()
    assert person.status == "waiting"
    visitor.open()
    assert "You are registered" in visitor.text, "the same page, loaded anew"
    let_codes_go()
    again = login(Visitor(drivers), phones)
    assert "You are registered" in again.text, "registering while an approval is pending"
    assert PortalUser.objects.count() == 1
    assert [row.outcome for row in PortalLogin.objects.order_by("id")] == ["registered", "turned_away"]
    approve([person], actor=cast.owner)
    let_codes_go()
    assert login(Visitor(drivers), phones).is_in


@pytest.mark.parametrize(
    ("status", "rules", "words"),
    [
        ("rejected", {}, "Your registration was not accepted"),
        ("rejected", {"may_apply_again": True}, "Register"),
        ("rejected", {"may_apply_again": True, "admission": "invitation"}, "Your registration was not accepted"),
        ("suspended", {}, "Your access is suspended"),
        ("left", {}, "Register"),
        ("left", {"admission": "invitation"}, "You are not invited yet"),
        ("invited", {"admission": "invitation"}, "Your invitation has ended"),
        ("", {"admission": "invitation"}, "You are not invited yet"),
    ],
)
def test_what_a_proved_number_hears(
    visitor: Visitor, phones: VirtualPhones, drivers: Portal, status: str, rules: dict[str, Any], words: str
) -> None:
    Portal.objects.update(**rules)
    if status:
        make_person(drivers, status=status, decision_reason="No licence." if status == "rejected" else "")
    login(visitor, phones)
    assert words in visitor.text
    assert not visitor.is_in
    assert ("No licence." in visitor.text) is (words == "Your registration was not accepted"), "the reason is told"
    turned_away = PortalLogin.objects.filter(outcome="turned_away").count()
    assert turned_away == (words != "Register")


def test_who_was_rejected_applies_again_and_is_decided_about_also_where_everybody_comes_in(
    visitor: Visitor, phones: VirtualPhones, drivers: Portal
) -> None:
    Portal.objects.update(may_apply_again=True)
    person = make_person(drivers, status="rejected", decision_reason="No licence.")
    login(visitor, phones).fill(f1="Ada again")
    person.refresh_from_db()
    assert (person.status, person.name, person.decision_reason) == ("waiting", "Ada again", "")


def test_mistakes_stand_at_the_field_and_what_was_typed_stays(visitor: Visitor, phones: VirtualPhones) -> None:
    visitor.ask("12")
    assert visitor.status == 422 and "This number is too short" in visitor.text and 'value="12"' in visitor.html
    visitor.ask()
    visitor.enter(wrong(phones.code()))
    assert visitor.status == 422 and "you can try 2 more times" in visitor.text
    visitor.enter(phones.code()).fill(f1="", f2="B-AB 12")
    assert visitor.status == 422
    assert "<title>Error: " in visitor.html and 'href="#f1"' in visitor.html and 'value="B-AB 12"' in visitor.html
    visitor.fill()
    assert visitor.is_in


def test_terms_are_accepted_with_the_version_that_was_read(
    visitor: Visitor, phones: VirtualPhones, drivers: Portal
) -> None:
    first = accept_terms(drivers)
    login(visitor, phones)
    assert "Be kind, version 1." in visitor.text
    visitor.fill()
    assert visitor.status == 422 and "Tick the box to go on." in visitor.text
    second = accept_terms(drivers, 2)
    visitor.fill(accept="yes")
    assert "The terms have changed meanwhile." in visitor.text and "Be kind, version 2." in visitor.text
    visitor.fill(accept="yes")
    person = PortalUser.objects.get()
    assert person.terms == second != first
    assert person.terms_at is not None and abs(database_now() - person.terms_at) < timedelta(minutes=1)


def test_new_terms_are_put_before_who_is_in(visitor: Visitor, phones: VirtualPhones, drivers: Portal) -> None:
    person = make_person(drivers)
    accept_terms(drivers)
    login(visitor, phones)
    assert visitor.open("home").page["Location"] == "/p/drivers/terms"  # type: ignore[index]
    visitor.open("terms")
    token = visitor.html.split('name="token" value="')[1].split('"')[0]
    refused = visitor.client.post("/p/drivers/terms", {"token": token, "version": "1"})
    assert refused.status_code == 422 and "Tick the box" in refused.content.decode()
    assert visitor.client.post("/p/drivers/terms", {"token": token, "version": "0", "accept": "y"}).status_code == 422
    assert visitor.client.post("/p/drivers/terms", {"token": token, "version": "1", "accept": "y"}).status_code == 302
    assert visitor.is_in
    person.refresh_from_db()
    assert person.terms_at is not None


def test_files_consents_and_a_second_number_are_kept(visitor: Visitor, phones: VirtualPhones, drivers: Portal) -> None:
    publish(drivers, [
        *QUESTIONS,
        {"key": "f3", "kind": "file", "label": "Licence", "accept": ["png"], "required": True},
        {"key": "f4", "kind": "consent", "label": "News", "wording": "Write to me.", "purpose": "marketing"},
        {"key": "f5", "kind": "phone", "label": "Office"},
    ])  # fmt: skip
    login(visitor, phones)
    picture = lambda: SimpleUploadedFile("licence.png", PNG)  # noqa: E731
    visitor.fill(f1="", f3=picture())
    assert "Choose this file again" in visitor.text
    visitor.fill(f3=picture(), f4="yes", **{"f5": "030 901820", "f5-country": "DE"})
    assert visitor.is_in
    sent = Submission.objects.get()
    assert (sent.phone, sent.answers["f5"], sent.files.get().name) == (PHONE, "+4930901820", "licence.png")
    record = ConsentRecord.objects.get(purpose="marketing")
    assert (record.phone, record.evidence["number_verified"]) == (PHONE, True)


def test_questions_that_change_meanwhile_are_shown_anew(
    visitor: Visitor, phones: VirtualPhones, drivers: Portal
) -> None:
    login(visitor, phones)
    publish(drivers, [{"key": "f9", "kind": "short_text", "label": "Company"}])
    visitor.fill()
    assert visitor.status == 409 and "The questions have changed meanwhile." in visitor.text
    visitor.press("fill", f9="Acme")
    assert visitor.is_in and Submission.objects.get().answers == {"f9": "Acme"}


def test_a_portal_without_questions_takes_the_number_alone(cast: Cast, phones: VirtualPhones) -> None:
    portal = make_portal(cast.organization, questions=[], slug="bare")
    visitor = login(Visitor(portal), phones)
    visitor.press("fill")
    assert visitor.is_in
    person = PortalUser.objects.get()
    assert person.submission is None and person.contact is not None


def test_switched_off_in_mid_journey(visitor: Visitor, phones: VirtualPhones) -> None:
    login(visitor, phones)
    Portal.objects.update(is_on=False)
    visitor.fill()
    assert visitor.status == 403 and OFF in visitor.text
    assert not PortalUser.objects.exists()
    Portal.objects.update(is_on=True)
    assert "Register" in visitor.open().text, "what was proved is proved"


def test_switched_off_before_the_number_and_before_the_code(visitor: Visitor, phones: VirtualPhones) -> None:
    number_page = visitor.page
    Portal.objects.update(is_on=False)
    visitor.ask()
    assert visitor.status == 403 and OFF in visitor.text
    assert phones.texts() == [] and not PortalVisit.objects.exists()
    Portal.objects.update(is_on=True)
    visitor.page = number_page
    assert visitor.ask().is_asked_for_code, "the page of before is still good"
    code_page, code = visitor.page, phones.code()
    Portal.objects.update(is_on=False)
    let_codes_go()
    for act in (lambda: visitor.enter(code), lambda: visitor.press("code"), lambda: visitor.press("restart")):
        visitor.page = code_page
        act()
        assert visitor.status == 403 and OFF in visitor.text
    assert len(phones.texts()) == 1 and Verification.objects.get().status == "pending"
    assert not PortalVisit.objects.filter(proved_at__isnull=False).exists()
    Portal.objects.update(is_on=True)
    assert visitor.open().is_asked_for_code
    assert visitor.enter(code).fill().is_in, "the code of before is as good as it was"


def test_switched_off_before_the_password(visitor: Visitor, phones: VirtualPhones, drivers: Portal) -> None:
    Portal.objects.update(offers_password=True)
    person = make_person(drivers, password=make_password("four green bicycles"))
    login(visitor, phones)
    password_page = visitor.page
    assert "Your password" in visitor.text
    Portal.objects.update(is_on=False)
    for step, given in (("password", "four green bicycles"), ("password", "guessed"), ("forgot", "")):
        visitor.page = password_page
        visitor.press(step, password=given)
        assert visitor.status == 403 and OFF in visitor.text
    assert not PortalSession.objects.exists() and PortalVisit.objects.get().password_tries == 0
    person.refresh_from_db()
    assert person.password_lapses_at is None
    Portal.objects.update(is_on=True)
    assert "Your password" in visitor.open().text
    assert visitor.press("password", password="four green bicycles").is_in


def test_switched_off_before_who_has_proved_the_number_goes_on(
    visitor: Visitor, phones: VirtualPhones, drivers: Portal
) -> None:
    login(visitor, phones)
    make_person(drivers)
    visitor.open()
    Portal.objects.update(is_on=False)
    visitor.press("enter")
    assert visitor.status == 403 and not PortalSession.objects.exists()


def test_who_is_in_while_it_is_switched_off_is_in_again_afterwards(
    visitor: Visitor, phones: VirtualPhones, drivers: Portal
) -> None:
    make_person(drivers)
    login(visitor, phones)
    Portal.objects.update(is_on=False)
    assert visitor.open("home").status == 403
    Portal.objects.update(is_on=True)
    assert visitor.is_in


def test_a_suspended_organization_has_no_portal(visitor: Visitor, cast: Cast) -> None:
    cast.organization.status = "suspended"
    cast.organization.save()
    assert visitor.open().status == 404 and "There is no portal here" in visitor.text


def test_a_tab_that_was_closed_is_opened_where_it_was(visitor: Visitor, phones: VirtualPhones, drivers: Portal) -> None:
    visitor.ask()
    assert visitor.open().is_asked_for_code
    visitor.enter(phones.code())
    assert "Register" in visitor.open().text
    make_person(drivers)
    visitor.open()
    assert not visitor.is_in, "looking logs nobody in"
    assert visitor.press("enter").is_in


def test_another_code_and_another_number(visitor: Visitor, phones: VirtualPhones) -> None:
    visitor.ask().press("code")
    assert "Wait a moment before you ask for another one." in visitor.text
    let_codes_go()
    visitor.press("code")
    assert "A new code is on its way." in visitor.text and len(phones.texts()) == 2
    visitor.press("restart")
    assert "Your mobile number" in visitor.text
    visitor.ask("+49 1511 2345679")
    assert len(phones.texts("+4915112345679")) == 1
    visitor.enter(phones.code("+4915112345679"))
    assert "+49 1511 2345679 was confirmed" in visitor.text


def test_the_same_number_given_again_gets_no_code_past_the_pause(visitor: Visitor, phones: VirtualPhones) -> None:
    visitor.ask().press("restart").ask()
    assert "A code is on its way already." in visitor.text and len(phones.texts()) == 1
    assert "was confirmed" in visitor.enter(phones.code()).text


def test_too_many_wrong_codes_end_the_attempt(visitor: Visitor, phones: VirtualPhones) -> None:
    visitor.ask()
    code = phones.code()
    for _ in range(3):
        visitor.enter(wrong(code))
    assert "Too many wrong codes were entered." in visitor.text and not visitor.is_asked_for_code
    visitor.enter(code)
    assert "was confirmed" not in visitor.text
    visitor.open().ask()
    assert visitor.status == 429, "one has to wait, and nothing of ours is broken"
    assert "Too many wrong codes were entered. Wait ten minutes" in visitor.text and len(phones.texts()) == 1


@pytest.mark.parametrize("code", [60202, 60203, 60212])
def test_limits_of_twilio_are_told_as_limits(
    visitor: Visitor, phones: VirtualPhones, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def refuse(*_args: Any, **_more: Any) -> None:
        raise VerificationRefused(str(code), kind="provider", visitor="Wait.", retry_after=600)

    monkeypatch.setattr(life, "start", refuse)
    visitor.ask()
    assert visitor.status == 429 and "Wait." in visitor.text


def test_a_country_that_gets_no_codes_is_said_at_the_number(visitor: Visitor, phones: VirtualPhones) -> None:
    visitor.ask("+33 6 12 34 56 03")
    assert visitor.status == 422 and "Codes cannot be sent to numbers of this country." in visitor.text


def test_a_new_login_elsewhere_is_told_of_and_the_same_browser_is_not(
    visitor: Visitor, phones: VirtualPhones, drivers: Portal
) -> None:
    make_person(drivers)
    login(visitor, phones)
    visitor.client.cookies.pop("hg_portal")
    let_codes_go()
    login(visitor, phones)
    assert PortalDevice.objects.count() == 1 and not PortalSending.objects.exists()
    let_codes_go()
    other = Visitor(drivers, headers={"User-Agent": "Mozilla/5.0 (Android 14; Mobile) Gecko/1 Firefox/130.0"})
    assert login(other, phones).is_in
    told = PortalSending.objects.get()
    assert told.kind == "new_login" and told.message is not None and "Firefox, Android" in told.message.body
    assert [row.is_new_device for row in PortalLogin.objects.order_by("id")] == [True, False, True]
    Portal.objects.update(tells_new_logins=False)
    let_codes_go()
    assert login(Visitor(drivers), phones).is_in
    assert PortalSending.objects.count() == 1


def test_a_visit_serves_for_minutes_only(visitor: Visitor, phones: VirtualPhones) -> None:
    login(visitor, phones)
    PortalVisit.objects.update(expires_at=Now() - timedelta(seconds=1))
    visitor.fill()
    assert visitor.status == 409 and "Please enter your number again." in visitor.text
    assert not PortalUser.objects.exists()


@pytest.mark.parametrize("language", ["zh-hant", "de", "ar"])
def test_every_page_speaks_the_language_that_was_chosen(cast: Cast, phones: VirtualPhones, language: str) -> None:
    portal = make_portal(cast.organization, languages=["en", "zh-hans", "zh-hant", "nl", "de", "es", "fr", "ar"])
    visitor = Visitor(portal).open(f"?lang={language}")
    english = ("Your mobile number", "Confirm your number", "Use another number", "Register")
    for act in (lambda: visitor, lambda: visitor.ask(), lambda: visitor.enter(phones.code())):
        act()
        assert not any(words in visitor.text for words in english), language
    assert ('dir="rtl">\n  <head>' in visitor.html) is (language == "ar")
    visitor.fill()
    assert visitor.is_in and PortalUser.objects.get().language == language


def let_codes_go() -> None:
    """Make the next code due: half a minute is over, and limits are forgotten."""
    Verification.objects.update(resend_after=Now() - timedelta(seconds=1))
    LimitCount.objects.all().delete()
