"""A portal that looks attacked: a task for the browser, or a wait, before a code goes out; alike for every number."""

import re
from datetime import timedelta
from hashlib import sha256

import pytest

from integrations.clock import database_now
from messaging.verification import challenge
from messaging.verification.models import Verification
from portal.accounts.invitations import invite, token_of
from portal.accounts.models import Portal, PortalUser, PortalVisit
from tests.conftest import Cast
from tests.portal.accounts.door.conftest import NUMBER, PHONE, Visitor, login
from tests.portal.accounts.door.test_journey import let_codes_go
from tests.portal.accounts.furnishing import make_person, make_portal
from tests.portal.forms.public.conftest import VirtualPhones

pytestmark = pytest.mark.django_db

OTHER_NUMBER, OTHER_PHONE = "+49 1511 2345679", "+4915112345679"
BUSY = "Very many codes are being asked for just now."


def attack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(challenge, "needs_challenge", lambda rows, figures: True)


@pytest.fixture
def attacked(visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> Visitor:
    """Somebody on the first page of a portal that looks attacked."""
    attack(monkeypatch)
    return visitor.open()


def solve(visitor: Visitor) -> str:
    """Do what the script does."""
    found = re.search(r'data-work="([^"]+)"', visitor.html)
    assert found is not None
    salt, target, most, signature = found[1].split(":")
    number = next(n for n in range(int(most)) if sha256(f"{salt}{n}".encode()).hexdigest() == target)
    return f"{salt}:{number}:{signature}"


def wait_of(visitor: Visitor) -> str:
    found = re.search(r'name="waiting" value="([^"]+)"', visitor.html)
    assert found is not None
    return found[1]


def let_time_pass(monkeypatch: pytest.MonkeyPatch, seconds: int = challenge.WAIT_SECONDS + 2) -> None:
    later = database_now() + timedelta(seconds=seconds)
    monkeypatch.setattr(challenge, "database_now", lambda: later)


def test_a_portal_in_peace_asks_for_no_task(visitor: Visitor, phones: VirtualPhones) -> None:
    assert "data-work" not in visitor.html
    assert visitor.ask(challenge="nonsense", waiting="nonsense").is_asked_for_code


def test_a_browser_with_scripts_notices_nothing(attacked: Visitor, phones: VirtualPhones) -> None:
    attacked.ask(challenge=solve(attacked))
    assert attacked.is_asked_for_code
    assert attacked.enter(phones.code()).fill().is_in


@pytest.mark.parametrize("answer", ["", "nonsense", "1:2:3", "\x00", "9" * 500])
def test_who_solved_nothing_gets_a_page_first_and_no_code(
    attacked: Visitor, phones: VirtualPhones, answer: str
) -> None:
    attacked.ask(challenge=answer)
    assert attacked.status == 200 and BUSY in attacked.text and not attacked.is_asked_for_code
    assert "<noscript><p>Press the button in 2" in " ".join(attacked.html.split())
    assert phones.texts() == [] and not Verification.objects.exists()
    attacked.press("code", challenge=solve(attacked))
    assert attacked.is_asked_for_code and len(phones.texts()) == 1
    assert attacked.enter(phones.code()).fill().is_in


def test_without_a_script_one_waits_once(
    attacked: Visitor, phones: VirtualPhones, monkeypatch: pytest.MonkeyPatch
) -> None:
    attacked.ask()
    wait = wait_of(attacked)
    attacked.press("code")
    assert not attacked.is_asked_for_code and 'role="alert">Press the button in' in attacked.html
    assert wait_of(attacked) == wait, "the wait goes on and does not begin anew"
    assert phones.texts() == []
    let_time_pass(monkeypatch)
    assert attacked.press("code").is_asked_for_code
    let_codes_go()
    attacked.press("code", waiting=wait)
    assert BUSY in attacked.text and len(phones.texts()) == 1, "a wait is good for one code"


def test_a_wait_that_took_too_long_begins_anew(
    attacked: Visitor, phones: VirtualPhones, monkeypatch: pytest.MonkeyPatch
) -> None:
    attacked.ask()
    wait = wait_of(attacked)
    let_time_pass(monkeypatch, seconds=601)
    attacked.press("code")
    assert BUSY in attacked.text and wait_of(attacked) != wait and phones.texts() == []


def test_a_task_is_good_for_one_code_and_for_its_own_portal(
    attacked: Visitor, phones: VirtualPhones, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    suppliers = Visitor(make_portal(cast.organization, slug="suppliers")).open()
    answer = solve(suppliers)
    suppliers.ask(OTHER_NUMBER)
    wait = wait_of(suppliers)
    let_time_pass(monkeypatch)
    assert not attacked.ask(challenge=answer, waiting=wait).is_asked_for_code, "of another portal"
    good = solve(attacked)
    assert attacked.press("code", challenge=good).is_asked_for_code
    second = Visitor(attacked.portal).open().ask(OTHER_NUMBER, challenge=good)
    assert BUSY in second.text and phones.texts(OTHER_PHONE) == []


def test_another_code_costs_another_task_and_keeps_its_channel(attacked: Visitor, phones: VirtualPhones) -> None:
    attacked.ask(challenge=solve(attacked))
    let_codes_go()
    attacked.press("code", channel="call")
    assert BUSY in attacked.text and len(phones.texts()) == 1
    assert 'name="channel" value="call"' in attacked.html, "the way that was chosen is not forgotten"
    attacked.press("code", channel="call", challenge=solve(attacked))
    assert "We are calling" in attacked.text and len(phones.texts()) == 2
    assert attacked.open().is_asked_for_code, "who loads the page anew enters the code"


def test_the_page_tells_no_known_number_from_an_unknown_one(
    attacked: Visitor, phones: VirtualPhones, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_time_pass(monkeypatch, seconds=0)  # it stands still: the pages count its seconds
    make_person(attacked.portal)
    attacked.ask()
    stranger = Visitor(attacked.portal).open().ask(OTHER_NUMBER)
    assert BUSY in attacked.text and attacked.text == stranger.text
    assert attacked.page is not None and stranger.page is not None
    assert attacked.page.cookies.keys() == stranger.page.cookies.keys() == {"hg_visit"}
    for one, number in ((attacked, PHONE), (stranger, OTHER_PHONE)):
        assert number[3:] not in one.html.replace(" ", "")
        one.press("code", challenge=solve(one))
    assert attacked.text.replace(NUMBER, "") == stranger.text.replace(OTHER_NUMBER, "")


def test_the_browser_of_before_has_nothing_to_solve_for_its_own_number(
    visitor: Visitor, phones: VirtualPhones, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_person(visitor.portal)
    login(visitor, phones)
    visitor.client.cookies.pop("hg_portal")
    attack(monkeypatch)
    let_codes_go()
    assert BUSY in visitor.open().ask(OTHER_NUMBER).text, "another number is another matter"
    assert visitor.press("restart").ask().is_asked_for_code
    assert visitor.enter(phones.code()).is_in


def test_an_invitation_asks_for_the_task_too(
    attacked: Visitor, drivers: Portal, phones: VirtualPhones, cast: Cast
) -> None:
    invitation = invite(drivers, phone=PHONE, name="Ada", actor=cast.owner)
    path, before = f"i/{token_of(invitation)}", len(phones.texts())
    attacked.open(path)
    answer = solve(attacked)
    attacked.press("", path=path, challenge="nonsense")
    assert BUSY in attacked.text and NUMBER not in attacked.text and PHONE[3:] not in attacked.html.replace(" ", "")
    assert len(phones.texts()) == before and PortalUser.objects.get().status == "invited"
    attacked.press("code", challenge=solve(attacked))
    assert attacked.is_asked_for_code and NUMBER not in attacked.text
    assert attacked.enter(phones.code()).fill().is_in
    other = invite(drivers, phone=OTHER_PHONE, actor=cast.owner)
    second = Visitor(drivers).open(f"i/{token_of(other)}")
    assert second.press("", path=f"i/{token_of(other)}", challenge=answer).is_asked_for_code, "solved on the first page"


def test_a_task_of_a_visit_that_has_ended_sends_nothing(attacked: Visitor, phones: VirtualPhones) -> None:
    attacked.ask()
    answer = solve(attacked)
    PortalVisit.objects.update(expires_at=database_now() - timedelta(seconds=1))
    attacked.press("code", challenge=answer)
    assert attacked.status == 409 and "Please enter your number again." in attacked.text
    assert phones.texts() == []
