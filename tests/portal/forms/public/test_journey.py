"""A visitor's way from the questions to the end, without a script."""

import re
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models.functions import Now
from django.test import Client

from integrations.clock import database_now
from integrations.connections.models import Connection
from messaging.sending.models import Message
from messaging.verification import challenge, life
from messaging.verification.limit_models import LimitCount
from messaging.verification.models import ClosedChannel, Verification
from messaging.verification.sentences import NOT_NOW
from portal.forms.models import FormDraft, PublicForm, Submission
from tests.conftest import Cast
from tests.factories import ConnectionFactory
from tests.messaging.sending.platform import give_credits, offer_platform_sms
from tests.messaging.verification.conftest import own_code_of
from tests.portal.forms.samples import PNG

from .conftest import NUMBER, PHONE, VirtualPhones, Visitor, wrong

pytestmark = pytest.mark.django_db


def let_time_pass() -> None:
    """Make the next code due: half a minute is over."""
    Verification.objects.update(resend_after=Now() - timedelta(seconds=1))
    LimitCount.objects.all().delete()


def test_the_whole_way_with_a_code(visitor: Visitor, phones: VirtualPhones) -> None:
    assert "Delivery slots" in visitor.text
    visitor.fill(f3="ada@example.com", f5=["Mon", "Wed"], f9="yes")
    assert visitor.is_asked_for_code
    assert NUMBER in visitor.text
    assert not Submission.objects.exists()
    visitor.enter(phones.code())
    assert visitor.is_done
    sent = Submission.objects.get()
    assert (sent.phone, sent.language, sent.verified_by) == (PHONE, "en", "sms")
    assert sent.verified_at is not None
    assert sent.verification_id == Verification.objects.get(status="approved").pk
    assert sent.answers["f5"] == ["Mon", "Wed"]
    assert sent.network == "127.0.0.0/24"


def test_a_form_without_a_number_to_prove_is_sent_at_once(plain: PublicForm) -> None:
    visitor = Visitor(plain).open().fill(f2="", f3="Evening")
    assert visitor.is_done
    sent = Submission.objects.get()
    assert (sent.answers["f3"], sent.verified_at, sent.phone) == ("Evening", None, "")


def test_no_cookie_is_set_and_none_is_needed(visitor: Visitor, phones: VirtualPhones) -> None:
    visitor.fill()
    # Every step by a browser that forgets everything.
    visitor.client = Client()
    visitor.enter(phones.code())
    assert visitor.is_done
    assert not visitor.client.cookies


def test_what_is_wrong_stands_at_the_field_and_what_was_typed_stays(visitor: Visitor) -> None:
    visitor.fill(f1="", f3="nobody", f6="2026-02-30", f7="11", f10="Please ring <twice>")
    assert visitor.page is not None
    assert visitor.page.status_code == 422
    assert "<title>Error: " in visitor.html
    for key, sentence in {
        "f1": "Fill in this field.", "f3": "This is not an e-mail address", "f6": "This is not a date.",
        "f7": "Enter a number up to 10.",
    }.items():  # fmt: skip
        assert re.search(rf'<a href="#{key}"><bdi>[^<]+</bdi> – {re.escape(sentence)}', visitor.html)
        assert f'id="{key}-error">{sentence}' in visitor.html
    assert "Please ring &lt;twice&gt;</textarea>" in visitor.html
    assert f'value="{NUMBER}"' in visitor.html
    assert not FormDraft.objects.exists()


def test_a_wrong_code_is_said_and_another_may_be_tried(visitor: Visitor, phones: VirtualPhones) -> None:
    visitor.fill()
    code = phones.code()
    visitor.enter(wrong(code))
    assert visitor.is_asked_for_code
    assert "you can try 2 more times" in visitor.text
    visitor.enter("")
    assert "A code has 4 to 10 digits" in visitor.text
    visitor.enter(code)
    assert visitor.is_done


def test_after_three_wrong_codes_the_visitor_reads_what_to_do(visitor: Visitor, phones: VirtualPhones) -> None:
    visitor.fill()
    code = phones.code()
    for _ in range(3):
        visitor.enter(wrong(code))
    assert not visitor.is_asked_for_code
    assert "Too many wrong codes were entered." in visitor.text
    visitor.enter(code)
    assert not visitor.is_done
    assert "Change the number or an answer" in visitor.text


@pytest.mark.parametrize(
    "write",
    [
        lambda code: f" {code[:3]} {code[3:]} ",
        lambda code: code.translate(str.maketrans("0123456789", "０１２３４５６７８９")),
        lambda code: code.translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")),
        lambda code: f"{code} is your code",
        lambda code: f"{code[:3]}-{code[3:]}\n",
    ],
)
def test_a_code_is_read_however_it_is_pasted(visitor: Visitor, phones: VirtualPhones, write: Any) -> None:
    visitor.fill().enter(write(phones.code()))
    assert visitor.is_done


def test_the_same_button_twice_sends_one_code_and_one_form(visitor: Visitor, phones: VirtualPhones) -> None:
    page = visitor.page
    visitor.fill()
    visitor.page = page
    visitor.fill()
    assert visitor.is_asked_for_code
    assert "A code is on its way already." in visitor.text
    assert len(phones.texts()) == 1
    code_page, code = visitor.page, phones.code()
    visitor.enter(code)
    visitor.page = code_page
    visitor.enter(code)
    assert visitor.is_done
    visitor.page = page
    visitor.fill()
    assert visitor.is_done, "the first page of a form that was sent leads to its end"
    assert Submission.objects.count() == 1
    assert len(phones.texts()) == 1


def test_while_the_first_press_still_asks_for_the_code_the_second_waits_for_it(
    visitor: Visitor, phones: VirtualPhones, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, start, second = visitor.page, life.start, Visitor(visitor.form)

    def start_slowly(*args: Any, **options: Any) -> Verification:
        second.page = page
        second.fill()
        return start(*args, **options)

    monkeypatch.setattr(life, "start", start_slowly)
    visitor.fill()
    assert visitor.is_asked_for_code
    assert second.is_asked_for_code
    assert len(phones.texts()) == 1
    second.enter(phones.code())
    assert second.is_done


def test_another_number_voids_the_proof_of_the_first(visitor: Visitor, phones: VirtualPhones) -> None:
    other, others = "+49 1511 8765432", "+4915118765432"
    visitor.fill()
    code = phones.code()
    visitor.press("edit")
    assert f'value="{NUMBER}"' in visitor.html
    assert 'value="Ada"' in visitor.html
    visitor.fill(f2=other)
    assert other in visitor.text
    visitor.enter(code if code != phones.code(others) else wrong(code))
    assert not visitor.is_done
    visitor.enter(phones.code(others))
    assert visitor.is_done
    assert Submission.objects.get().phone == others


def test_an_approved_number_that_is_changed_has_to_be_proved_again(
    visitor: Visitor, phones: VirtualPhones, published: PublicForm
) -> None:
    visitor.fill()
    # The number is proved, but the form closes before it is sent.
    PublicForm.objects.update(state="closed")
    visitor.enter(phones.code())
    assert not visitor.is_done
    assert Verification.objects.get().status == "approved"
    PublicForm.objects.update(state="open")
    visitor.press("edit").fill(f2="+49 1511 8765432")
    assert visitor.is_asked_for_code
    assert not Submission.objects.exists()
    visitor.press("edit").fill()
    assert visitor.is_asked_for_code, "the proof does not come back with the first number"


def test_nothing_that_a_browser_says_is_a_proof(visitor: Visitor, phones: VirtualPhones, plain: PublicForm) -> None:
    visitor.fill(verified="1", verified_at="2026-01-01", verification_id="x", f2_verified="on", status="approved")
    assert visitor.is_asked_for_code
    genuine, code = visitor.hidden["state"], phones.code()
    for state in ("", "x", genuine[:-2] + "xx", genuine.partition(":")[0], "\x00"):
        visitor.press("check", code=code, state=state)
        assert not visitor.is_done
    other = Visitor(plain).open()
    other.press("check", code=code, state=genuine)
    assert not other.is_done
    assert not Submission.objects.exists()


def test_a_proof_of_one_visit_is_none_of_another(visitor: Visitor, phones: VirtualPhones) -> None:
    visitor.fill()
    second = Visitor(visitor.form).open()
    second.press("check", code=phones.code())
    assert not second.is_done
    assert "open for too long" in second.text
    assert not Submission.objects.exists()


def test_another_code_can_be_asked_for_after_half_a_minute(visitor: Visitor, phones: VirtualPhones) -> None:
    visitor.fill()
    assert 'data-wait="' in visitor.html
    visitor.press("code", channel="sms")
    assert visitor.is_asked_for_code
    assert "Wait a moment before you ask for another one." in visitor.text
    assert len(phones.texts()) == 1
    let_time_pass()
    visitor.press("code", channel="call")
    assert "A new code is on its way." in visitor.text
    assert "We are calling" in visitor.text
    assert "Phone call" in phones.texts()[-1]
    visitor.enter(phones.code())
    assert visitor.is_done
    assert Submission.objects.get().verified_by == "call"


def test_a_channel_that_the_service_does_not_have_is_not_offered_again(visitor: Visitor, phones: VirtualPhones) -> None:
    visitor.fill()
    assert "Send the code by WhatsApp" in visitor.text
    let_time_pass()
    visitor.press("code", channel="whatsapp")  # 60223 in the sandbox
    assert visitor.is_asked_for_code, "the first code can still be entered"
    assert "Please choose another way." in visitor.text
    assert "Send the code by WhatsApp" not in visitor.text
    assert "Call me and say the code" in visitor.text
    visitor.enter(phones.code())
    assert visitor.is_done


def test_a_service_that_sends_no_texts_offers_a_call(
    visitor: Visitor, phones: VirtualPhones, connected: Connection
) -> None:
    ClosedChannel.objects.create(
        connection=connected, service_sid=connected.verify_service_sid, channel="sms", error_code=60223
    )
    visitor.fill()
    assert "Please choose another way." in visitor.text
    assert "Call me and say the code" in visitor.text
    visitor.press("code", channel="call")
    assert visitor.is_asked_for_code
    visitor.enter(phones.code())
    assert visitor.is_done


def test_a_landline_is_offered_a_call(visitor: Visitor, phones: VirtualPhones) -> None:
    landline = "+49 30 123456"
    visitor.fill(f2=landline)
    assert not visitor.is_asked_for_code
    assert "This looks like a landline, which gets no SMS. Ask for a call instead" in visitor.text
    assert "Call me and say the code" in visitor.text
    assert phones.texts("+4930123456") == []
    visitor.press("code", channel="call")
    assert visitor.is_asked_for_code
    assert "We are calling" in visitor.text
    assert "text message" not in visitor.text and "WhatsApp" not in visitor.text, "another code comes by call, too"
    visitor.enter(phones.code("+4930123456"))
    assert visitor.is_done
    assert Submission.objects.get().verified_by == "call"


def test_a_landline_that_nobody_can_call_is_said_at_its_field(
    visitor: Visitor, phones: VirtualPhones, connected: Connection
) -> None:
    ClosedChannel.objects.create(
        connection=connected, service_sid=connected.verify_service_sid, channel="call", error_code=60223
    )
    visitor.fill(f2="+49 30 123456")
    assert 'id="f2-error"' in visitor.html and "cannot receive SMS" in visitor.text
    connected.verify_service_sid = ""
    connected.save()
    visitor.fill(f2="+49 30 123456")
    assert 'id="f2-error"' in visitor.html and "Call me" not in visitor.text
    assert phones.texts("+4930123456") == []


def test_a_number_that_was_sent_too_many_codes_can_still_enter_the_last_one(
    visitor: Visitor, phones: VirtualPhones, published: PublicForm
) -> None:
    for _ in range(5):
        LimitCount.objects.all().delete()
        Visitor(published).open().fill()
    LimitCount.objects.all().delete()
    visitor.fill()  # 60203 in the sandbox
    assert visitor.is_asked_for_code
    assert "Several codes were sent to this number. Enter the one that came last" in visitor.text
    assert len(phones.texts()) == 5
    visitor.enter(phones.code())
    assert visitor.is_done


def test_a_code_that_got_lost_is_told_at_once(published: PublicForm, cast: Cast) -> None:
    ConnectionFactory(organization=cast.organization)
    visitor = Visitor(published).open().fill()
    assert "data-listens" in visitor.html
    code_page = visitor.page
    assert visitor.press("look").page.status_code == 204  # type: ignore[union-attr]
    Message.objects.update(status="undelivered", error_code=30003, finished_at=Now())
    visitor.page = code_page
    assert visitor.press("look").page.status_code == 200  # type: ignore[union-attr]
    visitor.page = code_page
    visitor.press("show")
    assert "The code could not be delivered to this number. Check the number, or use another one." in visitor.text
    assert visitor.is_asked_for_code and "data-listens" not in visitor.html
    assert "It can take a minute" not in visitor.text and "We sent a text message" not in visitor.text
    let_time_pass()
    visitor.press("code", channel="sms")
    assert "A new code is on its way." in visitor.text and "could not be delivered" not in visitor.text
    assert visitor.enter(own_code_of(PHONE)).is_done


def test_a_lost_code_whose_time_is_over_says_so(published: PublicForm, cast: Cast) -> None:
    ConnectionFactory(organization=cast.organization)
    visitor = Visitor(published).open().fill()
    Message.objects.update(status="failed", error_code=30003, finished_at=Now())
    visitor.press("show")
    Verification.objects.update(expires_at=Now() - timedelta(seconds=1))
    visitor.enter("123456")
    assert "The code could not be delivered to this number." in visitor.text
    assert Verification.objects.get().status == "failed"


def test_looking_into_somebody_elses_visit_says_nothing(published: PublicForm, visitor: Visitor) -> None:
    visitor.press("look", state="")
    assert not visitor.is_asked_for_code
    assert visitor.page is not None and visitor.page.status_code == 409, "the visit begins anew"


def test_credits_that_run_out_are_one_calm_sentence_and_nothing_is_lost(published: PublicForm, cast: Cast) -> None:
    offer_platform_sms(cast)
    give_credits(cast.organization, "3")
    visitor = Visitor(published).open().fill()
    assert visitor.is_asked_for_code
    code = own_code_of(PHONE)
    let_time_pass()
    visitor.press("code", channel="sms")
    assert NOT_NOW in visitor.text
    assert "credit" not in visitor.text.lower()
    assert visitor.enter(code).is_done, "the code before still counts"

    late = Visitor(published).open().fill(f1="Grace", f2="+49 1511 2345679")
    assert NOT_NOW in late.text
    assert "credit" not in late.text.lower()
    assert not late.is_asked_for_code
    assert FormDraft.objects.filter(phone="+4915112345679").exists(), "what was entered is kept"
    assert Message.objects.count() == 1


def test_the_chooser_of_files_offers_every_ending(visitor: Visitor) -> None:
    assert 'accept=".jpg,.jpeg,.png"' in visitor.html


def test_an_expired_code_leads_to_a_new_one(visitor: Visitor, phones: VirtualPhones) -> None:
    visitor.fill()
    Verification.objects.update(expires_at=Now() - timedelta(seconds=1))
    phones.sandbox.control.advance_clock(601)
    visitor.enter(phones.code())
    assert "The code has expired." in visitor.text
    let_time_pass()
    visitor.press("code", channel="sms")
    visitor.enter(phones.code())
    assert visitor.is_done


def test_a_visit_that_was_forgotten_begins_anew(visitor: Visitor, phones: VirtualPhones) -> None:
    visitor.fill()
    FormDraft.objects.update(expires_at=Now() - timedelta(seconds=1))
    code = phones.code()
    for step in ("check", "code", "edit"):
        visitor.press(step, code=code)
        assert "This page was open for too long. Fill in the form again." in visitor.text
        assert 'name="f1"' in visitor.html
    assert not Submission.objects.exists()


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        ("", "Enter your phone number."), ("   ", "Enter your phone number."), ("12", "too short"),
        ("call me", "This is not a phone number."), ("+999 123456789", "No country has this code."),
        ("0151 1234 5678 9012 3456 78", "too long"), ("+881 6 2100 0000", "cannot receive SMS"),
        ("+49 900 1 234567", "cannot receive SMS"), ("+49 700 12345678", "cannot receive SMS"),
        ("+1 212 555 0100", "numbers of this country"), ("\x00\x00", "phone number"), ("１２", "too short"),
    ],
)  # fmt: skip
def test_a_number_that_gets_no_code_is_said_at_its_field(
    visitor: Visitor, phones: VirtualPhones, number: str, sentence: str
) -> None:
    visitor.fill(f2=number)
    assert not visitor.is_asked_for_code
    assert sentence in visitor.text
    assert 'id="f2-error"' in visitor.html
    assert phones.texts() == []


@pytest.mark.parametrize(
    "number", ["0151 12345678", "００４９１５１１２３４５６７８", "+49-1511-2345678", "٠١٥١١٢٣٤٥٦٧٨"]
)
def test_a_number_is_read_in_every_writing(visitor: Visitor, phones: VirtualPhones, number: str) -> None:
    visitor.fill(f2=number)
    assert visitor.is_asked_for_code
    assert len(phones.texts()) == 1


def test_without_a_connection_the_visitor_reads_something_neutral(visitor: Visitor) -> None:
    visitor.fill(f2="+49 1511 2345678")
    assert not visitor.is_asked_for_code
    assert "Codes cannot be sent at the moment. Please try again later." in visitor.text
    assert "credit" not in visitor.text.lower()
    assert "Twilio" not in visitor.text
    visitor.press("edit")
    assert 'value="Ada"' in visitor.html, "what was entered is still there"


def test_a_verify_service_that_was_deleted_is_no_fault_of_the_visitor(
    visitor: Visitor, phones: VirtualPhones, connected: Any
) -> None:
    connected.verify_service_sid = "VA" + "0" * 32
    connected.save()
    visitor.fill()
    assert "Codes cannot be sent at the moment. Please try again later." in visitor.text


def test_a_form_closed_meanwhile_takes_nothing_and_sends_no_code(visitor: Visitor, phones: VirtualPhones) -> None:
    PublicForm.objects.update(state="closed", closed_message="Come back in May.")
    visitor.fill()
    assert "Come back in May." in visitor.text
    assert phones.texts() == []


def test_a_number_that_was_used_is_told_only_to_who_proved_it(
    visitor: Visitor, phones: VirtualPhones, published: PublicForm
) -> None:
    PublicForm.objects.update(limit_per_number=1)
    visitor.fill().enter(phones.code())
    let_time_pass()
    second = Visitor(published).open().fill()
    assert second.is_asked_for_code, "whether a number was used is nobody else's business"
    second.enter(phones.code())
    assert "With this number the form was sent already." in second.text
    assert Submission.objects.count() == 1


def test_a_file_is_kept_while_the_number_is_proved(visitor: Visitor, phones: VirtualPhones) -> None:
    visitor.fill(f8=SimpleUploadedFile("cat.png", PNG, content_type="text/html"))
    visitor.press("edit")
    assert "We have your file cat.png." in visitor.text
    visitor.fill()
    visitor.enter(phones.code())
    assert visitor.is_done
    sent = Submission.objects.get()
    assert sent.answers["f8"]["name"] == "cat.png"
    assert bytes(sent.files.get().content) == PNG


def test_a_file_that_came_with_a_mistake_elsewhere_is_asked_for_again(visitor: Visitor) -> None:
    visitor.fill(f1="", f8=SimpleUploadedFile("cat.png", PNG))
    assert "Choose this file again" in visitor.text


@pytest.mark.parametrize("content", [b"MZ\x90", b"", b"x" * 1_100_000])
def test_a_disguised_empty_or_large_file_is_refused_at_its_field(visitor: Visitor, content: bytes) -> None:
    visitor.fill(f8=SimpleUploadedFile("cat.png", content))
    assert visitor.page is not None
    assert visitor.page.status_code == 422
    assert 'id="f8-error"' in visitor.html


def test_thank_you_and_redirect(plain: PublicForm) -> None:
    PublicForm.objects.update(thank_you="We ring you tomorrow.")
    assert "We ring you tomorrow." in Visitor(plain).open().fill(f2="").text
    PublicForm.objects.update(redirect_url="https://acme.example/thanks?from=form")
    visitor = Visitor(plain).open().fill(f2="")
    assert visitor.page is not None
    assert visitor.page["Location"] == "https://acme.example/thanks?from=form"
    assert "form-action 'self' https://acme.example" in visitor.page["Content-Security-Policy"]
    framed = Visitor(plain).open("?framed=1").fill(f2="")
    assert 'href="https://acme.example/thanks?from=form" target="_top"' in framed.html


def test_another_organizations_connection_is_never_used(cast: Cast, visitor: Visitor, phones: VirtualPhones) -> None:
    type(cast.organization.connections.get()).objects.update(organization=cast.other)
    visitor.fill()
    assert not visitor.is_asked_for_code
    assert phones.texts() == []


class TestChallenge:
    """What a form that looks attacked asks of a browser, and of a visitor without a script."""

    @pytest.fixture(autouse=True)
    def attacked(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(challenge, "is_needed", lambda organization, asker: True)

    def solve(self, visitor: Visitor) -> str:
        """Do what the script does."""
        found = re.search(r'data-work="([^"]+)"', visitor.html)
        assert found is not None
        salt, target, most, signature = found[1].split(":")
        number = next(n for n in range(int(most)) if sha256(f"{salt}{n}".encode()).hexdigest() == target)
        return f"{salt}:{number}:{signature}"

    def test_a_browser_with_scripts_notices_nothing(self, visitor: Visitor, phones: VirtualPhones) -> None:
        visitor.open().fill(challenge=self.solve(visitor.open()))
        assert visitor.is_asked_for_code
        visitor.enter(phones.code())
        assert visitor.is_done

    def test_who_solved_nothing_gets_a_page_first_and_no_code(self, visitor: Visitor, phones: VirtualPhones) -> None:
        visitor.fill(challenge="nonsense")
        assert not visitor.is_asked_for_code
        assert "Very many codes are being asked for just now." in visitor.text
        assert "<noscript><p>Press the button in 2" in " ".join(visitor.html.split())
        assert phones.texts() == []
        visitor.press("code", challenge=self.solve(visitor))
        assert visitor.is_asked_for_code
        visitor.enter(phones.code())
        assert visitor.is_done

    def test_without_a_script_one_waits(
        self, visitor: Visitor, phones: VirtualPhones, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        visitor.fill()
        token = visitor.hidden["waiting"]
        visitor.press("code")
        assert not visitor.is_asked_for_code
        assert 'role="alert">Press the button in' in visitor.html
        assert visitor.hidden["waiting"] == token, "the wait goes on and does not begin anew"
        later = database_now() + timedelta(seconds=22)
        monkeypatch.setattr(challenge, "database_now", lambda: later)
        visitor.press("code")
        assert visitor.is_asked_for_code
        assert len(phones.texts()) == 1
        visitor.press("code", waiting=token)
        assert "just now" in visitor.text, "a wait is good for one code"

    def test_an_answer_is_good_for_one_code(self, visitor: Visitor, phones: VirtualPhones) -> None:
        answer = self.solve(visitor.open())
        visitor.fill(challenge=answer)
        second = Visitor(visitor.form).open().fill(f2="+49 1511 8765432", challenge=answer)
        assert not second.is_asked_for_code
        assert len(phones.texts()) == 1
