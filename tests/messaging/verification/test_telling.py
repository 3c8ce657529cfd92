"""Admins hear where visitors get no codes for a reason of their own or the operator's: once, while it lasts."""

from typing import Any

import pytest

from integrations.connections.models import Connection
from messaging.alerts.models import Alert
from messaging.alerts.watch import watch
from messaging.verification import life
from messaging.verification.askers import Asker
from messaging.verification.limit_models import VerificationPolicy
from messaging.verification.refusals import VerificationRefused
from tests.conftest import Cast
from tests.factories import ConnectionFactory
from tests.messaging.sending.platform import SHANGHAI, give_credits, offer_platform_sms

from .conftest import PHONE, SERVICE, VISITOR, FakeVerify, snapshot
from .test_verify_service import ABSENT, refused

OTHER = "+4915112345679"


def refuse(cast: Cast, *, to: str = PHONE, asker: Asker = VISITOR, **more: Any) -> str:
    """Ask for a code that is not sent, and return the reason."""
    with pytest.raises(VerificationRefused) as caught:
        life.start(cast.organization, to=to, asker=asker, **more)
    return caught.value.code


def told(cast: Cast) -> list[tuple[str, str]]:
    rows = Alert.objects.filter(organization=cast.organization, cleared_at=None).order_by("kind", "key")
    return list(rows.values_list("kind", "key"))


def test_too_few_credits_are_told_though_none_were_ever_topped_up(cast: Cast) -> None:
    offer_platform_sms(cast)
    assert [refuse(cast), refuse(cast, to=OTHER)] == ["insufficient_credits"] * 2
    assert told(cast) == [("codes_refused", "world:insufficient_credits")]
    alert = Alert.objects.get(organization=cast.organization)
    assert "Ask your operator to top them up. Or connect Twilio" in alert.text
    assert "2.3" not in alert.text and PHONE not in alert.text
    assert (alert.link, alert.is_grave) == ("/credits/", True)
    watch()
    assert told(cast) == [("codes_refused", "world:insufficient_credits")]
    give_credits(cast.organization)
    life.start(cast.organization, to=PHONE, asker=VISITOR)
    assert ("codes_refused", "world:insufficient_credits") not in told(cast)


def test_credits_that_came_end_it_before_anybody_asks_again(cast: Cast) -> None:
    offer_platform_sms(cast)
    refuse(cast)
    give_credits(cast.organization, "100")
    watch()
    assert told(cast) == []


def test_without_a_connection_and_without_platform_sms_the_next_step_is_told(cast: Cast) -> None:
    assert refuse(cast) == "not_connected"
    assert told(cast) == [("codes_refused", "world:not_connected")]
    alert = Alert.objects.get()
    assert "Connect Twilio under Integration, System services." in alert.text
    assert alert.link == "/integration/"
    ConnectionFactory(organization=cast.organization)
    watch()
    assert told(cast) == []


def test_codes_to_one_destination_say_nothing_of_the_other(cast: Cast, sender_only: Connection) -> None:
    VerificationPolicy.objects.create(organization=cast.organization, regions=["CN"])
    assert refuse(cast, to=SHANGHAI) == "no_route"
    life.start(cast.organization, to=PHONE, asker=VISITOR)
    assert told(cast) == [("codes_refused", "china:no_route")]
    assert Alert.objects.get().link == "/routing/"


def test_a_carrier_that_broke_is_told(cast: Cast) -> None:
    carrier = offer_platform_sms(cast)
    give_credits(cast.organization)
    Connection.objects.filter(pk=carrier.pk).update(status="broken", broken_code=20003)
    assert refuse(cast) == "platform_unavailable"
    assert told(cast)[0] == ("codes_refused", "world:platform_unavailable")
    alert = Alert.objects.get(organization=cast.organization, kind="codes_refused")
    assert "Your operator has to mend it" in alert.text
    assert carrier.name not in alert.text, "nothing of the operator's account is shown"
    Connection.objects.filter(pk=carrier.pk).update(status="active", broken_code=None)
    watch()
    assert ("codes_refused", "world:platform_unavailable") not in told(cast)


def test_a_connection_without_a_sender_is_told_on_its_page(cast: Cast) -> None:
    connection = ConnectionFactory(organization=cast.organization, messaging_service_sid="", sender="")
    assert refuse(cast) == "no_sender"
    alert = Alert.objects.get()
    assert "neither a Messaging Service nor a From number" in alert.text
    assert alert.link == f"/integration/twilio/{connection.pk}/"


def test_a_broken_connection_has_its_own_alert_and_no_second_one(cast: Cast) -> None:
    connection = ConnectionFactory(organization=cast.organization, status="broken", broken_code=20003)
    assert refuse(cast) == "connection_broken"
    watch()
    assert told(cast) == [("connection_broken", str(connection.pk))]


def test_a_verify_service_that_is_gone_is_told_whoever_asked(
    cast: Cast, twilio: FakeVerify, with_service: Connection
) -> None:
    twilio.will("start_verification", ABSENT)
    assert refuse(cast, asker=Asker("api")) == "verify_service_gone"
    assert refuse(cast, to=OTHER) == "verify_service_gone"
    assert told(cast) == [("codes_refused", f"world:verify_service_gone:{SERVICE}")]
    assert "“Twilio” names a Verify Service that Twilio does not find" in Alert.objects.get().text
    watch()
    assert len(told(cast)) == 1, "what only Twilio could tell stands until a code leaves"
    twilio.will("start_verification", snapshot())
    life.start(cast.organization, to=PHONE, asker=VISITOR)
    assert told(cast) == []


def test_another_verify_service_ends_it(cast: Cast, twilio: FakeVerify, with_service: Connection) -> None:
    twilio.will("start_verification", ABSENT)
    refuse(cast)
    Connection.objects.filter(pk=with_service.pk).update(verify_service_sid="VA" + "7" * 32)
    watch()
    assert told(cast) == []


def test_a_service_that_goes_before_the_code_is_entered_is_told(cast: Cast, twilio: FakeVerify) -> None:
    verification = life.start(cast.organization, to=PHONE, asker=VISITOR)
    for method in ("check_verification", "fetch_verification", "fetch_verify_service"):
        twilio.will(method, ABSENT)
    life.check(verification, code="482913")
    assert told(cast) == [("codes_refused", f"world:verify_service_gone:{SERVICE}")]


def test_another_code_that_is_refused_is_told_too(cast: Cast, later: Any) -> None:
    offer_platform_sms(cast)
    give_credits(cast.organization, "3")
    verification = life.start(cast.organization, to=PHONE, asker=VISITOR)
    later(verification, seconds=31)
    with pytest.raises(VerificationRefused):
        life.resend(verification, asker=VISITOR)
    assert ("codes_refused", "world:insufficient_credits") in told(cast)


@pytest.mark.parametrize("kind", ["api", "member"])
def test_who_reads_the_reason_needs_no_alert(cast: Cast, kind: Any) -> None:
    assert refuse(cast, asker=Asker(kind)) == "not_connected"
    assert told(cast) == []


def test_what_is_wrong_with_one_number_is_no_alert(cast: Cast, twilio: FakeVerify) -> None:
    twilio.will("start_verification", refused(60200))
    refuse(cast)
    refuse(cast, to="+49 30 123456")
    assert told(cast) == []


def test_a_stranger_hears_nothing_and_members_read_it_on_every_page(cast: Cast) -> None:
    refuse(cast)
    for who in ("owner", "viewer"):
        page = cast.client(who).get(cast.url("messages/")).content.decode()
        assert "Visitors of your forms and portals get no codes outside Mainland China." in page
        assert "See what helps" in page
    assert cast.client("stranger").get(cast.url("alerts/")).status_code == 404
    assert not Alert.objects.filter(organization=cast.other).exists()


def test_asking_again_and_again_costs_one_statement_and_changes_nothing(
    cast: Cast, django_assert_max_num_queries: Any
) -> None:
    refuse(cast)
    first = Alert.objects.get()
    with django_assert_max_num_queries(5):
        refuse(cast)
    assert Alert.objects.get().raised_at == first.raised_at
