"""What a person wants to be written to about, and what no page can undo."""

import pytest

from messaging.consent.blocking import find_block
from messaging.consent.models import ConsentRecord, OptOut
from messaging.consent.opt_outs import opt_in, opt_out
from portal.accounts.models import Portal, PortalUser
from portal.accounts.wishes import Wishes, WishRefused, change_wishes, wishes_of
from tests.conftest import Cast

from .insiders import PHONE, person_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def user(portal: Portal) -> PortalUser:
    return person_of(portal)


def change(user: PortalUser, *, messages: bool = True, news: bool = False) -> Wishes:
    return change_wishes(user, messages=messages, news=news, wording="News by SMS", language="en")


def test_news_are_agreed_to_in_the_ledger_with_the_words(user: PortalUser, cast: Cast) -> None:
    assert wishes_of(user) == Wishes(gets_messages=True, gets_news=False, stops=[], agreed=[])
    assert change(user, news=True).gets_news
    record = ConsentRecord.objects.get()
    assert (record.phone, record.purpose, record.action, record.source) == (PHONE, "marketing", "granted", "portal")
    assert record.evidence["wording"] == "News by SMS"
    assert record.evidence["number_verified"] is True
    assert record.contact_id == user.contact_id
    change(user, news=True)
    assert ConsentRecord.objects.count() == 1
    assert not change(user).gets_news
    assert find_block(cast.organization, phone=PHONE, purpose="marketing") is None
    assert ConsentRecord.objects.latest("at").action == "withdrawn"


def test_stopping_everything_is_an_opt_out_that_the_same_page_ends(user: PortalUser, cast: Cast) -> None:
    change(user, news=True)
    wishes = change(user, messages=False, news=True)
    assert (wishes.gets_messages, wishes.gets_news, wishes.needs_start) == (False, False, False)
    assert OptOut.objects.get().source == "portal"
    assert find_block(cast.organization, phone=PHONE, purpose="transactional") is not None
    assert change(user, messages=True, news=True).gets_news, "given back with what was stopped"
    assert find_block(cast.organization, phone=PHONE, purpose="transactional") is None


def test_news_that_were_unticked_do_not_come_back(user: PortalUser) -> None:
    change(user, news=True)
    change(user, messages=False)
    assert not change(user, messages=True, news=False).gets_news


def test_a_stop_stays_until_start(user: PortalUser, cast: Cast) -> None:
    opt_out(cast.organization, phone=PHONE, source="keyword", keyword="STOP")
    assert wishes_of(user).needs_start
    with pytest.raises(WishRefused, match="text START"):
        change(user, messages=True, news=True)
    assert not change(user, messages=False).gets_messages
    assert OptOut.objects.get().source == "keyword"
    opt_in(cast.organization, phone=PHONE, source="keyword")
    assert change(user, messages=True).gets_messages


@pytest.mark.parametrize("source", ["staff", "api", "import", "link", "twilio"])
def test_what_others_recorded_is_not_undone_here(user: PortalUser, cast: Cast, source: str) -> None:
    opt_out(cast.organization, phone=PHONE, source=source)
    with pytest.raises(WishRefused):
        change(user, messages=True)
    assert OptOut.objects.filter(ended_at=None).exists()


def test_a_stop_of_one_sender_is_shown_and_forbids_nothing_else(user: PortalUser, cast: Cast) -> None:
    opt_out(cast.organization, phone=PHONE, source="keyword", scope="sender", sender="+4930123456")
    wishes = wishes_of(user)
    assert (wishes.gets_messages, wishes.needs_start) == (True, False)
    assert [stop.sender for stop in wishes.stops] == ["+49 30 123456"]
    assert change(user, news=True).gets_news


def test_other_organizations_are_not_touched(user: PortalUser, cast: Cast) -> None:
    change(user, messages=False)
    assert find_block(cast.other, phone=PHONE, purpose="transactional") is None
