"""Texts of a portal: kept with what became of them, sent again once, and never to who opted out."""

import pytest
from django.db import transaction

from integrations.connections.models import Connection
from messaging.consent.opt_outs import opt_out
from messaging.sending.models import Message
from portal.accounts.models import Portal, PortalNotification, PortalSending, PortalUser
from portal.accounts.telling import NotTold, can_go_again, outcome_of, tell, tell_again, tell_or_refuse
from tests.conftest import Cast

pytestmark = pytest.mark.django_db


def test_a_text_is_queued_in_the_persons_language(driver: PortalUser) -> None:
    driver.language = "de"
    sending = tell(driver, "approved")
    assert sending.message is not None
    assert sending.message.phone == driver.phone
    assert "freigegeben" in sending.message.body
    assert sending.message.source == "portal"
    assert sending.message.purpose == Message.Purpose.TRANSACTIONAL
    assert not can_go_again(sending)


def test_a_text_that_cannot_be_queued_is_kept_with_its_reason(portal: Portal, driver: PortalUser) -> None:
    Connection.objects.all().delete()
    with transaction.atomic():
        sending = tell(driver, "approved")
    assert sending.message is None
    assert sending.problem_code
    assert "Connect Twilio" in outcome_of(sending).problem
    assert can_go_again(sending)


def test_who_opted_out_is_not_told_and_the_row_says_why(cast: Cast, driver: PortalUser) -> None:
    opt_out(cast.organization, phone=driver.phone, source="staff")
    sending = tell(driver, "approved")
    assert sending.problem_code == "opted_out"
    assert sending.message is not None
    assert sending.message.status == "blocked"
    assert "START" in outcome_of(sending).remedy


def test_a_refused_text_stores_nothing(cast: Cast, driver: PortalUser) -> None:
    opt_out(cast.organization, phone=driver.phone, source="staff")
    with pytest.raises(NotTold) as refused:
        tell_or_refuse(driver, "approved")
    assert refused.value.code == "opted_out"
    assert not PortalSending.objects.exists()
    assert not Message.objects.exists()


def test_a_failed_text_goes_again_once(cast: Cast, driver: PortalUser) -> None:
    sending = tell(driver, "approved")
    with pytest.raises(NotTold, match="did not fail"):
        tell_again(sending, actor=cast.owner)
    Message.objects.update(status="failed", error_code=30003)
    again = tell_again(sending, actor=cast.owner)
    assert again.message_id != sending.message_id
    with pytest.raises(NotTold, match="did not fail"):
        tell_again(sending, actor=cast.owner)
    assert Message.objects.count() == 2
    assert PortalSending.objects.count() == 1


def test_a_text_of_unknown_outcome_is_never_sent_again(cast: Cast, driver: PortalUser) -> None:
    sending = tell(driver, "approved")
    Message.objects.update(status="unknown")
    with pytest.raises(NotTold):
        tell_again(sending, actor=cast.owner)
    assert Message.objects.count() == 1


def test_a_rejection_that_goes_again_says_its_reason(cast: Cast, driver: PortalUser) -> None:
    driver.decision_reason = "No licence"
    driver.save()
    sending = tell(driver, "rejected", values={"reason": "No licence"})
    Message.objects.update(status="undelivered", error_code=30005)
    again = tell_again(sending, actor=cast.owner)
    assert again.message is not None
    assert "No licence" in again.message.body


def test_a_notification_that_goes_again_says_its_text(cast: Cast, portal: Portal, driver: PortalUser) -> None:
    notification = PortalNotification.objects.create(portal=portal, audience="all", text="Gate 4 is closed.")
    sending = tell(driver, "notification", values={"text": notification.text}, notification=notification)
    assert sending.message is not None
    assert sending.message.lane == Message.Lane.BULK
    Message.objects.update(status="failed")
    again = tell_again(sending, actor=cast.owner)
    assert again.message is not None
    assert "Gate 4 is closed." in again.message.body


def test_an_erased_person_is_not_told(portal: Portal) -> None:
    nobody = PortalUser.objects.create(portal=portal, phone="", status="left")
    assert tell(nobody, "approved").problem_code == "no_number"
