"""Who is suspended while logged in reads why they are out: once, in that browser and in no other."""

import pytest

from portal.accounts import people, sessions
from portal.accounts.models import Portal
from tests.conftest import Cast
from tests.portal.accounts.door.conftest import Visitor
from tests.portal.accounts.furnishing import begin_session, make_person, make_portal

pytestmark = pytest.mark.django_db
SUSPENDED = "Your access is suspended"


def logged_in(portal: Portal) -> Visitor:
    person = portal.users.first() or make_person(portal)
    visitor = Visitor(portal)
    visitor.client.cookies[sessions.SESSION] = begin_session(person)
    return visitor


def test_the_next_page_says_why_and_the_one_after_is_the_door(drivers: Portal, cast: Cast) -> None:
    visitor = logged_in(drivers)
    assert visitor.open("home").status == 200
    people.suspend(drivers.users.get(), actor=cast.owner)
    assert visitor.open("profile").status == 302
    assert SUSPENDED in visitor.open().text and "Ask Acme why" in visitor.text.replace(cast.organization.name, "Acme")
    assert not visitor.client.cookies[sessions.SESSION].value
    assert SUSPENDED not in visitor.open().text and "Your mobile number" in visitor.text
    assert visitor.press("restart").status == 200


def test_nobody_else_hears_of_it(drivers: Portal, cast: Cast) -> None:
    before = logged_in(drivers)
    before_token = before.client.cookies[sessions.SESSION].value
    people.suspend(drivers.users.get(), actor=cast.owner)
    people.reinstate(drivers.users.get(), actor=cast.owner)
    ended = logged_in(drivers)
    sessions.end_all(drivers.users.get())
    people.suspend(drivers.users.get(), actor=cast.owner)
    planted, stranger = Visitor(drivers), Visitor(drivers)
    planted.client.cookies[sessions.SESSION] = "planted-by-somebody"
    for one in (before, ended, planted, stranger):
        assert SUSPENDED not in one.open().text, "a login that was over before, a made-up one, none"
    other = Visitor(make_portal(cast.organization, slug="suppliers"))
    other.client.cookies[sessions.SESSION] = before_token
    assert SUSPENDED not in other.open().text


def test_who_is_let_in_again_logs_in_as_ever(drivers: Portal, cast: Cast) -> None:
    visitor = logged_in(drivers)
    people.suspend(drivers.users.get(), actor=cast.owner)
    people.reinstate(drivers.users.get(), actor=cast.owner)
    assert SUSPENDED not in visitor.open().text


@pytest.mark.parametrize("browser", ["fr", "ja", "de", ""])
def test_a_portal_that_is_off_speaks_its_own_language(drivers: Portal, browser: str) -> None:
    drivers.form.languages = ["de", "nl"]
    drivers.form.save(update_fields=["languages"])
    Portal.objects.update(is_on=False)
    visitor = Visitor(drivers, headers={"Accept-Language": browser})
    for path in ("", "home", "i/unknown"):
        assert 'lang="de"' in visitor.open(path).html and "It is switched off" not in visitor.text
        assert visitor.status == 403
