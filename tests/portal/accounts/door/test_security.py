"""What somebody may try at the door of a portal: guessing who is registered, planting cookies, forging, racing."""

import re
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.db.models.functions import Now
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from messaging.sending.models import Message
from messaging.verification.models import Verification
from portal.accounts import devices, sessions, visits
from portal.accounts.door_tasks import forget_visits
from portal.accounts.models import Portal, PortalDevice, PortalLogin, PortalSession, PortalUser, PortalVisit
from portal.accounts.people import suspend
from tests.conftest import Cast
from tests.portal.accounts.door.conftest import NUMBER, PHONE, Visitor, login, wrong
from tests.portal.accounts.door.test_journey import let_codes_go
from tests.portal.accounts.furnishing import begin_session, make_person, make_portal
from tests.portal.forms.public.conftest import VirtualPhones

pytestmark = pytest.mark.django_db

OTHER_NUMBER, OTHER_PHONE = "+49 1511 2345679", "+4915112345679"


@pytest.mark.parametrize("status", ["active", "invited", "suspended", "waiting", "rejected", "left"])
def test_nothing_tells_a_known_number_from_an_unknown_one_before_the_code(
    drivers: Portal, phones: VirtualPhones, status: str
) -> None:
    """The same pages, statuses, cookies and statements, one text each; also with a wrong code."""
    Portal.objects.update(admission="invitation", offers_password=True)
    make_person(drivers, status=status, password="x")
    seen = [_traces(drivers, phones, number) for number in (NUMBER, OTHER_NUMBER)]
    assert seen[0] == seen[1]


def _traces(portal: Portal, phones: VirtualPhones, number: str) -> list[Any]:
    """Return all that somebody sees who does not know the code, without what is random."""
    visitor, traces = Visitor(portal).open(), []
    for act in (
        lambda: visitor.ask(number),
        lambda: visitor.press("code"),
        lambda: visitor.enter("000000" if phones.code(_e164(number)) != "000000" else "111111"),
        lambda: visitor.open(),
    ):
        with CaptureQueriesContext(database) as statements:
            act()
        assert visitor.page is not None
        text = visitor.text.replace(number, "…")
        cookies = sorted((name, one["path"]) for name, one in visitor.page.cookies.items())
        # The clock is asked every ten seconds, whoever comes.
        asked = [one["sql"] for one in statements if "clock_timestamp" not in one["sql"]]
        shapes = [re.sub(r"'[^']*'|\d+", "?", sql)[:60] for sql in asked]
        traces.append((visitor.status, text, cookies, shapes))
    return [*traces, len(phones.texts(_e164(number)))]


def _e164(number: str) -> str:
    return number.replace(" ", "")


def test_a_session_begins_with_a_token_that_nobody_planted(
    visitor: Visitor, phones: VirtualPhones, drivers: Portal
) -> None:
    make_person(drivers)
    visitor.client.cookies["hg_portal"] = "planted-by-somebody"
    visitor.client.cookies["hg_device"] = "planted-too"
    login(visitor, phones)
    first = visitor.client.cookies["hg_portal"].value
    assert first != "planted-by-somebody" and visitor.client.cookies["hg_device"].value != "planted-too"
    visitor.client.cookies.pop("hg_portal")
    visitor.client.cookies["hg_portal"] = first
    PortalSession.objects.update(ended_at=None)
    let_codes_go()
    again = Visitor(drivers, client=visitor.client)
    again.client.cookies["hg_portal"] = "gone"
    login(again, phones)
    assert again.client.cookies["hg_portal"].value not in {first, "gone"}


def test_the_login_of_before_is_ended_in_the_same_browser(
    visitor: Visitor, phones: VirtualPhones, drivers: Portal, rf: Any
) -> None:
    person = make_person(drivers)
    request = rf.get("/")
    request.COOKIES[sessions.SESSION] = begin_session(person)
    response = HttpResponse()
    session = sessions.open_session(response, drivers, person, how="code", request=request)
    open_ones = PortalSession.objects.filter(ended_at=None)
    assert list(open_ones) == [session] and PortalSession.objects.count() == 2


def test_a_planted_visit_is_worth_nothing_once_the_number_is_proved(
    visitor: Visitor, phones: VirtualPhones, drivers: Portal
) -> None:
    """Who knows the cookie of before the code, and even its page, has nothing afterwards."""
    make_person(drivers, password="x")
    Portal.objects.update(offers_password=True)
    visitor.ask()
    thief = Visitor(drivers)
    thief.client.cookies["hg_visit"] = visitor.client.cookies["hg_visit"].value
    thief.open()
    assert thief.is_asked_for_code
    visitor.enter(phones.code())
    assert "Your password" in visitor.text
    thief.enter(phones.code())
    assert thief.status == 409 and "Please enter your number again." in thief.text
    assert "Your mobile number" in thief.open().text


def test_a_code_is_good_only_in_the_browser_that_asked_for_it(
    visitor: Visitor, phones: VirtualPhones, drivers: Portal
) -> None:
    make_person(drivers)
    visitor.ask()
    for other in (Visitor(drivers).open(), Visitor(drivers)):
        other.page = visitor.page
        other.enter(phones.code())
        assert other.status == 409 and not other.is_in
    visitor.enter(phones.code())
    assert visitor.is_in


def test_a_proof_of_another_browser_is_none_here(visitor: Visitor, phones: VirtualPhones, drivers: Portal) -> None:
    """Twilio shares one verification among attempts for a number: each is proved by itself."""
    make_person(drivers)
    visitor.ask()
    thief = Visitor(drivers).open().ask()
    visitor.enter(phones.code())
    assert visitor.is_in
    thief.enter(wrong(phones.code()))
    assert not thief.is_in
    assert not PortalVisit.objects.filter(proved_at__isnull=False, used_at=None).exists()


def test_the_same_code_twice_lets_in_once(visitor: Visitor, phones: VirtualPhones, drivers: Portal) -> None:
    make_person(drivers)
    visitor.ask()
    code_page, cookie, code = visitor.page, visitor.client.cookies["hg_visit"].value, phones.code()
    visitor.enter(code)
    assert visitor.is_in
    replay = Visitor(drivers)
    replay.page = code_page
    replay.client.cookies["hg_visit"] = cookie
    assert replay.enter(code).status == 409 and not replay.is_in


def test_two_tabs_end_where_the_last_one_began(visitor: Visitor, phones: VirtualPhones, drivers: Portal) -> None:
    visitor.ask()
    first_tab = visitor.page
    visitor.open("?lang=en").press("restart").ask(OTHER_NUMBER)
    visitor.page = first_tab
    visitor.enter(phones.code())
    assert "You went on in another window." in visitor.text and OTHER_NUMBER in visitor.text
    visitor.enter(phones.code(OTHER_PHONE))
    assert f"{OTHER_NUMBER} was confirmed" in visitor.text


def test_the_same_button_twice_sends_one_code(visitor: Visitor, phones: VirtualPhones) -> None:
    page = visitor.page
    visitor.ask()
    visitor.client.cookies.clear()
    visitor.page = page
    visitor.ask()
    assert visitor.is_asked_for_code and "A code is on its way already." in visitor.text
    assert len(phones.texts()) == 1 and PortalVisit.objects.count() == 1
    visitor.page = page
    visitor.ask(OTHER_NUMBER)
    assert len(phones.texts(OTHER_PHONE)) == 1, "another number on the same page gets its own"
    visitor.enter(phones.code())
    assert "was confirmed" not in visitor.text, "the first code proves nothing of the second number"


def test_registering_twice_at_once_makes_one_person(visitor: Visitor, phones: VirtualPhones, drivers: Portal) -> None:
    login(visitor, phones)
    page = visitor.page
    visitor.fill()
    visitor.client.cookies.pop("hg_portal")
    visitor.page = page
    visitor.fill(f1="Twice")
    assert PortalUser.objects.get().name == "Ada Lovelace" and not visitor.is_in


def test_two_browsers_with_the_same_number_make_one_person(
    visitor: Visitor, phones: VirtualPhones, drivers: Portal
) -> None:
    login(visitor, phones)
    let_codes_go()
    other = login(Visitor(drivers), phones)
    visitor.fill()
    other.fill(f1="Second")
    assert PortalUser.objects.get().name == "Ada Lovelace"
    assert not other.is_in and other.press("enter").is_in, "it is known now, and led on"


def test_cookies_are_for_the_portal_alone(
    visitor: Visitor, phones: VirtualPhones, drivers: Portal, settings: Any
) -> None:
    settings.SESSION_COOKIE_SECURE = True
    make_person(drivers)
    visitor.ask()
    set_at_first = dict(visitor.page.cookies)  # type: ignore[union-attr]
    visitor.enter(phones.code())
    for name, one in {**set_at_first, **visitor.page.cookies}.items():  # type: ignore[union-attr]
        assert name in {"hg_visit", "hg_portal", "hg_device"}
        assert one["path"] == "/p/drivers/" and one["samesite"] == "Lax", name
        if one.value:
            assert one["httponly"] and one["secure"], name
    assert "heliograph_member" not in visitor.client.cookies and "heliograph_csrf" not in visitor.client.cookies


def test_cookies_and_links_follow_a_domain_of_its_own(drivers: Portal, rf: Any) -> None:
    request = rf.get("/home")
    request.portal_root = "/"
    response = HttpResponse()
    sessions.open_session(response, drivers, make_person(drivers), how="code", request=request)
    assert {one["path"] for one in response.cookies.values()} == {"/"}


def test_what_comes_from_another_site_does_nothing(visitor: Visitor, phones: VirtualPhones, drivers: Portal) -> None:
    visitor.headers = {"Sec-Fetch-Site": "cross-site"}
    visitor.ask()
    assert visitor.status == 403 and not Verification.objects.exists() and not PortalVisit.objects.exists()
    visitor.headers = {"Sec-Fetch-Site": "same-origin"}
    visitor.open().ask()
    code = phones.code()
    # An old browser says nothing of where a form comes from: the page's token has to be right.
    visitor.headers = {}
    forged = visitor.client.post(visitor.url, {"step": "check", "code": code, "visit": "x" * 40})
    assert "You went on in another window." in forged.content.decode()
    assert not PortalVisit.objects.filter(proved_at__isnull=False).exists()


def test_inside_a_form_needs_the_token_of_its_login(visitor: Visitor, phones: VirtualPhones, drivers: Portal) -> None:
    person = make_person(drivers)
    client, other = Client(), Client()
    client.cookies["hg_portal"], other.cookies["hg_portal"] = begin_session(person), begin_session(person)
    foreign = re.search(r'name="token" value="(\w+)"', other.get("/p/drivers/home").content.decode())
    assert foreign is not None
    for token in ("", "x" * 40, foreign[1]):
        assert client.post("/p/drivers/out", {"token": token}).status_code == 403, "the token of another login too"
    assert PortalSession.objects.filter(ended_at=None).count() == 2


@pytest.mark.parametrize("differs", ["ended", "expired", "suspended", "other portal", "other organization", "garbage"])
def test_a_session_opens_its_own_portal_and_nothing_else(cast: Cast, drivers: Portal, differs: str) -> None:
    person = make_person(drivers)
    path, given = "/p/drivers/home", {}
    if differs == "ended":
        given = {"ended_at": Now()}
    if differs == "expired":
        given = {"expires_at": Now() - timedelta(seconds=1)}
    if differs == "other portal":
        path = f"/p/{make_portal(cast.organization, slug='suppliers').slug}/home"
    if differs == "other organization":
        path = f"/p/{make_portal(cast.other, slug='suppliers').slug}/home"
    token = begin_session(person, **given)
    if differs == "suspended":
        PortalUser.objects.update(status="suspended")
    client = Client()
    client.cookies["hg_portal"] = "x" * 500 if differs == "garbage" else token
    assert client.get(path).status_code == 302


def test_the_same_person_in_two_portals_is_two_accounts(
    cast: Cast, visitor: Visitor, phones: VirtualPhones, drivers: Portal
) -> None:
    make_person(drivers)
    suppliers = make_portal(cast.organization, slug="suppliers")
    login(visitor, phones)
    # Django's client sends a cookie everywhere; a browser keeps one for each portal.
    there = Visitor(suppliers).open()
    there.client.cookies["hg_portal"] = visitor.client.cookies["hg_portal"].value
    assert "Your mobile number" in there.text and not there.is_in
    let_codes_go()
    there.ask().enter(phones.code())
    assert "Register" in there.text
    there.fill()
    assert PortalUser.objects.filter(phone=PHONE).count() == 2 and visitor.is_in and there.is_in


def test_a_visit_of_one_portal_is_none_in_another(cast: Cast, visitor: Visitor, phones: VirtualPhones) -> None:
    suppliers = make_portal(cast.organization, slug="suppliers")
    visitor.ask()
    there = Visitor(suppliers, client=visitor.client)
    there.page = visitor.page
    assert there.enter(phones.code()).status == 409


def test_a_verification_of_another_asker_proves_nothing(
    visitor: Visitor, phones: VirtualPhones, drivers: Portal
) -> None:
    login(visitor, phones)
    visit = PortalVisit.objects.get()
    visit.portal = drivers
    assert visits.proof_of(visit) is not None
    changes: list[dict[str, Any]] = [{"asker_kind": "form"}, {"asker_id": visit.pk}, {"phone": OTHER_PHONE}]
    for change in changes:
        kept = Verification.objects.values(*change).get()
        Verification.objects.update(**change)
        assert visits.proof_of(visit) is None, change
        Verification.objects.update(**kept)


def test_who_is_suspended_while_logged_in_is_out(
    visitor: Visitor, phones: VirtualPhones, drivers: Portal, cast: Cast
) -> None:
    person = make_person(drivers)
    login(visitor, phones)
    suspend(person, actor=cast.owner)
    assert not visitor.is_in
    visitor.open()
    let_codes_go()
    visitor.ask().enter(phones.code())
    assert "Your access is suspended" in visitor.text and not visitor.is_in


def test_asking_for_codes_to_a_strangers_number_locks_its_owner_out_nowhere(
    visitor: Visitor, phones: VirtualPhones, drivers: Portal
) -> None:
    make_person(drivers)
    login(visitor, phones)
    visitor.client.cookies.pop("hg_portal")
    for _ in range(7):
        Visitor(drivers).open().ask()
    stranger = Visitor(drivers).open().ask()
    assert not stranger.is_asked_for_code, "who asks again and again gets no more"
    assert visitor.open().ask().is_asked_for_code, "the browser of before has an allowance of its own"
    assert visitor.enter(phones.code()).is_in


def test_a_member_is_nobody_in_a_portal_and_a_portal_user_no_member(cast: Cast, drivers: Portal) -> None:
    owner = cast.client("owner")
    assert owner.get("/p/drivers/home").status_code == 302
    owner.cookies["hg_portal"] = owner.cookies["heliograph_member"].value
    assert owner.get("/p/drivers/home").status_code == 302, "the one cookie is not the other"
    person = Client()
    person.cookies["heliograph_member"] = begin_session(make_person(drivers))
    assert person.get(cast.url("contacts/")).status_code == 302


def test_pages_hold_no_number_in_their_address_and_no_memory(
    visitor: Visitor, phones: VirtualPhones, caplog: pytest.LogCaptureFixture
) -> None:
    visitor.ask()
    assert visitor.page is not None
    assert visitor.page["Cache-Control"] == "no-store" and visitor.page["Referrer-Policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in visitor.page["Content-Security-Policy"]
    visitor.enter(phones.code()).fill()
    for place in (caplog.text, str(visitor.page["Location"])):
        assert PHONE not in place and PHONE[3:] not in place and phones.code() not in place


def test_the_first_page_is_small_and_looking_at_it_changes_nothing(visitor: Visitor) -> None:
    with CaptureQueriesContext(database) as statements:
        visitor.open()
    assert not [row["sql"] for row in statements if not row["sql"].lstrip().startswith("SELECT")]
    assert len(statements) <= 8
    assert visitor.page is not None and not visitor.page.cookies and len(visitor.page.content) < 12_000


def test_old_visits_sessions_and_devices_are_forgotten(drivers: Portal) -> None:
    person = make_person(drivers)
    for age, token in ((2, "a"), (0, "b")):
        PortalVisit.objects.create(portal=drivers, secret_hash=token, expires_at=Now() - timedelta(days=age))
    begin_session(person)
    begin_session(person, expires_at=Now() - timedelta(days=100))
    PortalDevice.objects.create(user=person, token_hash="d", last_seen=Now() - timedelta(days=400))
    PortalDevice.objects.create(user=person, token_hash="e")
    forget_visits()
    assert PortalVisit.objects.get().secret_hash == "b"
    assert PortalSession.objects.count() == 1 and PortalDevice.objects.get().token_hash == "e"


@pytest.mark.parametrize(
    ("said", "label"),
    [
        ("Mozilla/5.0 (Android 14; Mobile; rv:130.0) Gecko/130.0 Firefox/130.0", "Firefox, Android"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0) Version/17.0 Mobile/15E148 Safari/604.1", "Safari, iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/126.0 Safari/537.36 Edg/126.0", "Edge, Windows"),
        ("Mozilla/5.0 (Macintosh; Intel) Chrome/126.0 Safari/537.36", "Chrome, Mac"),
        ("", "?"),
        ("<script>alert(1)</script>" * 100, "?"),
    ],
)
def test_devices_are_called_by_what_they_say(said: str, label: str) -> None:
    assert devices.label_of(said) == label


def test_a_failed_login_says_no_more_in_the_history_than_a_network(
    visitor: Visitor, phones: VirtualPhones, drivers: Portal
) -> None:
    Portal.objects.update(admission="invitation")
    login(visitor, phones)
    row = PortalLogin.objects.get()
    assert (row.user, row.outcome, row.network) == (None, "turned_away", "127.0.0.0/24")
    assert not Message.objects.filter(source="portal").exists()


@pytest.mark.django_db(transaction=True)
def test_of_many_tries_at_a_password_at_once_five_are_compared(drivers: Portal) -> None:
    visit = PortalVisit.objects.create(portal=drivers, secret_hash="x", expires_at=Now() + timedelta(minutes=5))
    counted: list[bool] = []

    def try_once() -> None:
        counted.append(visits.count_try(PortalVisit.objects.get(pk=visit.pk)))
        database.close()

    threads = [threading.Thread(target=try_once) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(counted) == visits.PASSWORD_TRIES
