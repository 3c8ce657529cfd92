"""Strangers who ask for codes to somebody's number: its owner gets in all the same, on a device that nobody knows."""

from collections.abc import Iterator

import pytest
from django.db.models.functions import Now

from messaging.verification.models import Verification
from portal.accounts.models import Portal, PortalVisit
from tests.portal.accounts.door.conftest import NUMBER, PHONE, Visitor, wrong
from tests.portal.accounts.door.test_challenge import BUSY, let_time_pass, solve
from tests.portal.accounts.furnishing import make_person
from tests.portal.forms.public.conftest import VirtualPhones

pytestmark = pytest.mark.django_db

STRANGER, OWNER = "203.0.113.7", "198.51.100.7"


def at(portal: Portal, ip: str) -> Visitor:
    """Somebody with a new browser in a network."""
    visitor = Visitor(portal)
    visitor.client.defaults["REMOTE_ADDR"] = ip
    return visitor.open()


def strangers(portal: Portal, ip: str = STRANGER) -> Iterator[Visitor]:
    """Ask for codes from one network, in one new browser after the other, until none leaves any more."""
    while True:
        one = at(portal, ip).ask(NUMBER)
        if BUSY in one.text:
            one.press("code", challenge=solve(one))
        if not one.is_asked_for_code:
            assert one.status == 429
            return
        yield one


def test_the_owner_gets_in_with_a_new_device_while_a_stranger_keeps_asking(
    drivers: Portal, phones: VirtualPhones
) -> None:
    make_person(drivers)
    before = len(list(strangers(drivers)))
    owner = at(drivers, OWNER).ask(NUMBER)
    assert BUSY in owner.text and len(phones.texts()) == before, "a task first"
    owner.press("code", challenge=solve(owner))
    assert owner.is_asked_for_code
    assert not list(strangers(drivers)), "the spare codes are not for whoever used up the others"
    assert owner.enter(phones.code()).is_in


def test_without_a_script_the_owner_waits_and_gets_in(
    drivers: Portal, phones: VirtualPhones, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_person(drivers)
    list(strangers(drivers))
    owner = at(drivers, OWNER).ask(NUMBER)
    assert 'role="alert">Press the button in' in owner.press("code").html, "too early: the wait goes on"
    let_time_pass(monkeypatch)
    owner.press("code")
    assert owner.is_asked_for_code
    assert owner.enter(phones.code()).is_in


def test_a_stranger_in_many_networks_has_few_codes_sent(drivers: Portal, phones: VirtualPhones) -> None:
    list(strangers(drivers))
    first = len(phones.texts())
    # Half an hour goes by for Twilio, which would not send so many in ten minutes.
    for network in range(10):
        Verification.objects.update(expires_at=Now())
        list(strangers(drivers, ip=f"198.18.{network}.1"))
    assert len(phones.texts()) <= first + 12


def test_wrong_codes_of_a_stranger_leave_the_owner_tries(drivers: Portal, phones: VirtualPhones) -> None:
    make_person(drivers)
    owner = at(drivers, OWNER).ask(NUMBER)
    code = phones.code()
    for _ in range(3):
        one = at(drivers, STRANGER).ask(NUMBER)
        for _ in range(5):
            if one.is_asked_for_code:
                one.enter(wrong(code))
    assert owner.enter(wrong(code)).status == 422 and owner.is_asked_for_code
    assert owner.enter(code).is_in


def test_an_owner_who_asks_after_the_stranger_gets_in(drivers: Portal, phones: VirtualPhones) -> None:
    make_person(drivers)
    stranger = at(drivers, STRANGER).ask(NUMBER)
    for _ in range(5):
        stranger.enter("000000")
    assert at(drivers, OWNER).ask(NUMBER).enter(phones.code()).is_in


def test_who_did_not_ask_cannot_even_try_a_code(drivers: Portal, phones: VirtualPhones) -> None:
    owner = at(drivers, OWNER).ask(NUMBER)
    code = phones.code()
    nobody = at(drivers, STRANGER)
    for data in ({}, {"visit": "x" * 40}, {"phone": PHONE}):
        nobody.press("check", code=code, **data)
        assert nobody.status == 409 and not nobody.is_in
    other = at(drivers, STRANGER).ask("+49 1511 2345679")
    other.press("check", code=code, phone=PHONE)
    assert "was confirmed" not in other.text
    assert Verification.objects.get(phone=PHONE).checks == 0
    assert not PortalVisit.objects.filter(proved_at__isnull=False).exists()
    assert "was confirmed" in owner.enter(code).text
