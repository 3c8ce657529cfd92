"""Codes by call and WhatsApp at the door, and what is said where none can be sent; the same for every number."""

import re
from typing import Any

import pytest
from django.db import connection as database
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext

from integrations.connections.models import Connection
from messaging.sending.models import Message
from messaging.verification.models import ClosedChannel
from messaging.verification.sentences import NOT_NOW
from portal.accounts.models import Portal, PortalLogin, PortalUser
from portal.forms.models import Submission
from tests.conftest import Cast
from tests.factories import ConnectionFactory
from tests.messaging.sending.platform import give_credits, offer_platform_sms
from tests.messaging.verification.conftest import own_code_of
from tests.portal.accounts.door.conftest import NUMBER, PHONE, Visitor, login
from tests.portal.accounts.door.test_journey import let_codes_go
from tests.portal.accounts.furnishing import make_person
from tests.portal.forms.public.conftest import VirtualPhones

pytestmark = pytest.mark.django_db

OTHER_NUMBER, OTHER_PHONE = "+49 1511 2345679", "+4915112345679"
LANDLINE, LANDLINE_PHONE = "+49 30 123456", "+4930123456"
CALL, TEXT, WHATSAPP = "Call me and say the code", "Send the code by SMS", "Send the code by WhatsApp"


def close(connected: Connection, channel: str) -> None:
    ClosedChannel.objects.create(
        connection=connected, service_sid=connected.verify_service_sid, channel=channel, error_code=60223
    )


class TestWays:
    """By what a code comes."""

    def test_a_call_says_the_code(self, visitor: Visitor, phones: VirtualPhones) -> None:
        visitor.ask()
        assert CALL in visitor.text and WHATSAPP in visitor.text
        visitor.press("code", channel="call")
        assert "Wait a moment before you ask for another one." in visitor.text and len(phones.texts()) == 1
        let_codes_go()
        visitor.press("code", channel="call")
        assert "We are calling" in visitor.text and NUMBER in visitor.text
        assert "Phone call" in phones.texts()[-1]
        assert visitor.enter(phones.code()).fill().is_in
        assert Submission.objects.get().verified_by == "call"

    def test_who_is_known_logs_in_by_a_call(self, visitor: Visitor, phones: VirtualPhones, drivers: Portal) -> None:
        make_person(drivers)
        visitor.ask()
        let_codes_go()
        visitor.press("code", channel="call").enter(phones.code())
        assert visitor.is_in
        assert (PortalLogin.objects.get().how, PortalLogin.objects.get().outcome) == ("code", "in")

    def test_a_channel_that_the_service_does_not_have_is_not_offered_again(
        self, visitor: Visitor, phones: VirtualPhones
    ) -> None:
        visitor.ask()
        let_codes_go()
        visitor.press("code", channel="whatsapp")  # 60223 in the sandbox
        assert visitor.is_asked_for_code, "the first code can still be entered"
        assert "Please choose another way." in visitor.text
        assert WHATSAPP not in visitor.text and CALL in visitor.text
        assert WHATSAPP not in Visitor(visitor.portal).open().ask(OTHER_NUMBER).text, "nor to anybody else"
        assert "was confirmed" in visitor.enter(phones.code()).text

    def test_a_service_that_sends_no_texts_offers_a_call(
        self, visitor: Visitor, phones: VirtualPhones, connected: Connection
    ) -> None:
        close(connected, "sms")
        visitor.ask()
        assert not visitor.is_asked_for_code and "Please choose another way." in visitor.text
        assert CALL in visitor.text and TEXT not in visitor.text
        visitor.press("code", channel="call")
        assert visitor.is_asked_for_code
        assert visitor.enter(phones.code()).fill().is_in

    def test_a_landline_comes_in_by_a_call(self, visitor: Visitor, phones: VirtualPhones) -> None:
        visitor.ask(LANDLINE)
        assert not visitor.is_asked_for_code and phones.texts(LANDLINE_PHONE) == []
        assert "This looks like a landline, which gets no SMS. Ask for a call instead" in visitor.text
        assert WHATSAPP not in visitor.text
        visitor.press("code", channel="call")
        assert visitor.is_asked_for_code and "We are calling" in visitor.text
        assert visitor.enter(phones.code(LANDLINE_PHONE)).fill().is_in
        assert (PortalUser.objects.get().phone, Submission.objects.get().verified_by) == (LANDLINE_PHONE, "call")

    def test_a_landline_that_nobody_can_call_is_said_at_the_number(
        self, visitor: Visitor, phones: VirtualPhones, connected: Connection
    ) -> None:
        close(connected, "call")
        visitor.ask(LANDLINE)
        assert visitor.status == 422 and "cannot receive SMS" in visitor.text and CALL not in visitor.text
        assert f'value="{LANDLINE}"' in visitor.html and "Your mobile number" in visitor.text

    def test_codes_of_our_own_come_by_text_alone(self, drivers: Portal, cast: Cast) -> None:
        ConnectionFactory(organization=cast.organization)
        visitor = Visitor(drivers).open().ask()
        assert visitor.is_asked_for_code and CALL not in visitor.text and WHATSAPP not in visitor.text
        let_codes_go()
        visitor.press("code", channel="call")
        assert visitor.is_asked_for_code and "Please choose another way." in visitor.text
        assert visitor.enter(own_code_of(PHONE)).fill().is_in

    @pytest.mark.parametrize("channel", ["email", "sna", "nonsense", "\x00"])
    def test_a_channel_that_is_none_is_a_text(self, visitor: Visitor, phones: VirtualPhones, channel: str) -> None:
        visitor.ask()
        let_codes_go()
        visitor.press("code", channel=channel)
        assert "A new code is on its way." in visitor.text and len(phones.texts()) == 2
        assert "Phone call" not in phones.texts()[-1]


def no_connection(cast: Cast, request: pytest.FixtureRequest) -> None:
    assert not Connection.objects.filter(organization=cast.organization).exists()


def broken_connection(cast: Cast, request: pytest.FixtureRequest) -> None:
    ConnectionFactory(organization=cast.organization, status="broken")


def no_credits(cast: Cast, request: pytest.FixtureRequest) -> None:
    offer_platform_sms(cast)
    give_credits(cast.organization, "0.0001")


def no_service(cast: Cast, request: pytest.FixtureRequest) -> None:
    connected: Connection = request.getfixturevalue("connected")
    Connection.objects.filter(pk=connected.pk).update(verify_service_sid="VA" + "0" * 32)


def wrong_token(cast: Cast, request: pytest.FixtureRequest) -> None:
    connected: Connection = request.getfixturevalue("connected")
    connected.auth_token = "0" * 32
    connected.save()


@pytest.mark.parametrize("status", ["active", "waiting", "suspended"])
@pytest.mark.parametrize("fails", [no_connection, broken_connection, no_credits, no_service, wrong_token])
def test_where_no_code_can_be_sent_every_number_hears_the_same_calm_sentence(
    cast: Cast, drivers: Portal, request: pytest.FixtureRequest, fails: Any, status: str
) -> None:
    fails(cast, request)
    make_person(drivers, status=status, password="x")
    Portal.objects.update(offers_password=True, admission="invitation")
    # Whoever comes first may be who finds out that nothing works: nobody is compared with that.
    _refused(drivers, "+49 1511 2345670")
    known, unknown = (_refused(drivers, number) for number in (NUMBER, OTHER_NUMBER))
    for one, other in zip(known, unknown, strict=True):
        assert one == other
    status_code, text, _, _ = known[0]
    assert status_code == 503 and NOT_NOW in text
    assert not re.search("credit|twilio|account", text, re.IGNORECASE)
    assert not Message.objects.exists()
    assert not PortalLogin.objects.exists() and PortalUser.objects.count() == 1


def _refused(portal: Portal, number: str) -> list[tuple[int, str, list[str], list[str]]]:
    """Return what somebody sees to whom no code goes, and what was asked of the database meanwhile."""
    visitor, seen = Visitor(portal).open(), []
    for act in (lambda: visitor.ask(number), lambda: visitor.press("code"), lambda: visitor.open()):
        let_codes_go()
        with CaptureQueriesContext(database) as statements:
            act()
        assert visitor.page is not None
        asked = [one["sql"] for one in statements if "clock_timestamp" not in one["sql"]]
        seen.append((
            visitor.status,
            visitor.text.replace(number, "…"),
            sorted(visitor.page.cookies),
            [re.sub(r"'[^']*'|\d+", "?", sql)[:60] for sql in asked],
        ))  # fmt: skip
    return seen


def test_once_it_works_again_the_same_page_goes_on(drivers: Portal, cast: Cast) -> None:
    visitor = Visitor(drivers).open().ask()
    assert visitor.status == 503 and "Use another number" in visitor.text
    ConnectionFactory(organization=cast.organization)
    visitor.press("code")
    assert visitor.is_asked_for_code
    assert visitor.enter(own_code_of(PHONE)).fill().is_in


def test_credits_that_run_out_leave_the_code_before_good(drivers: Portal, cast: Cast) -> None:
    offer_platform_sms(cast)
    give_credits(cast.organization, "3")
    visitor = Visitor(drivers).open().ask()
    assert visitor.is_asked_for_code
    let_codes_go()
    visitor.press("code")
    assert NOT_NOW in visitor.text and "credit" not in visitor.text.lower()
    late = Visitor(drivers).open().ask(OTHER_NUMBER)
    assert late.status == 503 and NOT_NOW in late.text and not late.is_asked_for_code
    assert visitor.enter(own_code_of(PHONE)).fill().is_in, "the code before still counts"
    assert Message.objects.filter(purpose="verification").count() == 1


def test_a_service_that_fails_between_two_codes_leaves_the_first_good(
    visitor: Visitor, phones: VirtualPhones, connected: Connection
) -> None:
    visitor.ask()
    token, connected.auth_token = connected.auth_token, "0" * 32
    connected.save()
    let_codes_go()
    assert NOT_NOW in visitor.press("code").text and visitor.is_asked_for_code
    connected.refresh_from_db()
    connected.auth_token, connected.status = token, "active"
    connected.save()
    assert login(visitor, phones).text
    assert visitor.fill().is_in


def test_a_code_of_ours_that_got_lost_is_told_at_the_door(drivers: Portal, cast: Cast) -> None:
    ConnectionFactory(organization=cast.organization)
    visitor = Visitor(drivers).open().ask()
    assert "data-listens" in visitor.html
    code_page = visitor.page
    assert visitor.press("look").status == 204
    Message.objects.update(status="undelivered", error_code=30003, finished_at=Now())
    visitor.page = code_page
    assert visitor.press("look").status == 200
    visitor.page = code_page
    visitor.press("show")
    assert "The code could not be delivered to this number. Check the number, or use another one." in visitor.text
    assert visitor.is_asked_for_code and "data-listens" not in visitor.html
    assert "It can take a minute" not in visitor.text and "We sent a text message" not in visitor.text
    let_codes_go()
    visitor.press("code", channel="sms")
    assert "A new code is on its way." in visitor.text and "could not be delivered" not in visitor.text
    assert visitor.enter(own_code_of(PHONE)).fill().is_in


def test_looking_tells_nobody_else_anything(drivers: Portal, cast: Cast) -> None:
    ConnectionFactory(organization=cast.organization)
    Visitor(drivers).open().ask()
    stranger = Visitor(drivers).open()
    assert stranger.press("look", visit="x" * 40).status == 409
