"""Attacks on portals that once went through: each is held up, and what it was after stays where it is."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now
from django.test import Client
from django.utils import timezone

from integrations.identifiers import new_id
from portal.accounts import invitations, notifying, passwords, people, sessions, visits
from portal.accounts.devices import hash_of
from portal.accounts.handing_over import read_ticket, ticket_for
from portal.accounts.models import (
    Portal,
    PortalLogin,
    PortalNotification,
    PortalRole,
    PortalSending,
    PortalSession,
    PortalUser,
)
from portal.accounts.offer_models import PortalOffer
from portal.accounts.own_data import own_data
from portal.accounts.passwords import PasswordRefused
from portal.accounts.received import messages_of
from portal.accounts.registering import register
from portal.accounts.selectors import logins_of
from portal.forms.answers import Reading
from portal.forms.arriving import begin_draft
from portal.forms.building import create_form
from portal.forms.models import PublicForm, Submission
from portal.forms.proof import proof_of
from tests.conftest import Cast
from tests.factories import ConnectionFactory, MessageFactory
from tests.portal.forms.conftest import publish_questions
from tests.portal.forms.samples import QUESTIONS

from .furnishing import begin_session, make_person, make_portal
from .insiders import proof

pytestmark = pytest.mark.django_db
PHONE = "+4915112345678"


@pytest.fixture
def drivers(cast: Cast) -> Portal:
    return make_portal(cast.organization, offers_password=True)


def come(portal: Portal, *, phone: str = PHONE, name: str = "Bob") -> PortalUser:
    """Prove a number at the door, and register."""
    visit, _ = visits.begin(portal, phone=phone)
    visits.bind(visit, proof(portal, phone).pk)
    assert visits.prove(visit)
    version = portal.form.current
    return register(visit, reading=Reading(answers={"f1": name}), version=version, terms=None, language="en")


# ---- the password inside


def test_a_login_found_open_guesses_the_password_five_times(drivers: Portal) -> None:
    person = make_person(drivers)
    token = begin_session(person)
    session = PortalSession.objects.select_related("user__portal").get()
    passwords.set_password(session, new="correct horse battery")
    browser, url = Client(), f"/p/{drivers.slug}/security/password"
    browser.cookies[sessions.SESSION] = token
    guess: dict[str, Any] = {"token": sessions.csrf_token(session), "do": "remove"}
    for number in range(passwords.TRIES):
        assert browser.post(url, {**guess, "old": f"guess number {number}"}).status_code == 422
    last = browser.post(url, {**guess, "old": "correct horse battery"})
    assert last.status_code == 409
    assert "five times" in last.content.decode()
    person.refresh_from_db()
    assert person.password
    session.refresh_from_db()
    assert session.ended_at is not None
    # Who has the password logs in anew, and is not held up by who guessed.
    begin_session(person)
    another = PortalSession.objects.select_related("user__portal").get(ended_at=None)
    with pytest.raises(PasswordRefused) as caught:
        passwords.remove_password(another, old="no")
    assert caught.value.code == "wrong"
    passwords.remove_password(another, old="correct horse battery")


# ---- roles


@pytest.fixture
def staff(drivers: Portal) -> PortalRole:
    PortalRole.objects.create(portal=drivers, name="Newcomers", is_default=True)
    return PortalRole.objects.create(portal=drivers, name="Staff")


def test_a_role_ends_with_the_account(drivers: Portal, staff: PortalRole, cast: Cast) -> None:
    person = make_person(drivers, role=staff)
    assert people.remove(person, actor=cast.owner)
    again = come(drivers)
    assert (again.pk, again.status, str(again.role)) == (person.pk, "active", "Newcomers")


def test_a_role_ends_with_the_invitation_that_gave_it(drivers: Portal, staff: PortalRole, cast: Cast) -> None:
    ConnectionFactory(organization=cast.organization)
    invitation = invitations.invite(drivers, phone=PHONE, role=staff, actor=cast.owner)
    invitations.revoke(invitation, actor=cast.owner)
    assert str(come(drivers).role) == "Newcomers"
    other = invitations.invite(drivers, phone="+4915187651234", role=staff, actor=cast.owner)
    assert str(come(drivers, phone="+4915187651234").role) == "Staff"
    other.refresh_from_db()
    assert other.used_at is not None


# ---- a number that somebody gave up, and somebody else has now


def test_who_gets_a_number_gets_nothing_of_who_had_it(drivers: Portal, cast: Cast) -> None:
    month = timedelta(days=30)
    person = make_person(drivers, name="Ada Lovelace", registered_at=timezone.now() - month)
    begin_session(person)
    device = person.devices.create(token_hash=hash_of("hers"), label="Her phone")
    PortalLogin.objects.create(portal=drivers, user=person, how="code", outcome="in", at=timezone.now() - month)
    PortalSession.objects.update(begun_at=timezone.now() - month)
    text = MessageFactory(organization=cast.organization, phone=PHONE, status="delivered", connection=None,
                          body="Ada, your account is ready", created_at=timezone.now() - month)  # fmt: skip
    PortalSending.objects.create(portal=drivers, user=person, kind="approved", message=text, at=timezone.now() - month)
    form = publish_questions(create_form(cast.organization, title="Medical", actor=cast.owner), cast, QUESTIONS)
    handover = person.handovers.create(pk=device.pk, form=form, expires_at=Now() + month)
    Submission.objects.create(
        form=form, version=form.current, answers={"f1": "Her secret"}, phone=PHONE, verification_id=handover.pk
    )
    people.leave(person)
    again = come(drivers)
    assert again.pk == person.pk
    again.refresh_from_db()
    assert "Ada" not in str(own_data(again)) and "Her secret" not in str(own_data(again))
    assert (own_data(again)["logins"], own_data(again)["devices"], own_data(again)["sessions"]) == ([], [], [])
    assert logins_of(again, most=10) == []
    assert list(messages_of(again).messages) == []


def test_the_questions_do_not_tell_the_name_of_who_had_the_number(drivers: Portal) -> None:
    PortalUser.objects.filter(pk=make_person(drivers, name="Ada Lovelace").pk).update(status="left")
    visit, secret = visits.begin(drivers, phone=PHONE)
    visits.bind(visit, proof(drivers, PHONE).pk)
    browser = Client()
    browser.cookies[visits.COOKIE] = visits.prove(visit)
    assert secret != browser.cookies[visits.COOKIE].value
    page = browser.get(f"/p/{drivers.slug}/").content.decode()
    assert 'name="f1"' in page
    assert "Ada" not in page


# ---- from the portal into a form


@pytest.mark.parametrize("what", ["out", "off"])
def test_a_form_that_was_begun_inside_proves_nothing_once_one_is_out(drivers: Portal, cast: Cast, what: str) -> None:
    form = publish_questions(create_form(cast.organization, title="Slots", actor=cast.owner), cast, QUESTIONS)
    PublicForm.objects.filter(pk=form.pk).update(state="open")
    PortalOffer.objects.create(portal=drivers, form=form)
    person = make_person(drivers)
    begin_session(person)
    arrival = read_ticket(ticket_for(PortalSession.objects.get(), form), form)
    assert arrival is not None
    draft = begin_draft(form, arrival, language="en", ip="")
    assert draft is not None
    assert proof_of(draft) is not None
    if what == "out":
        sessions.end_all(person)
    else:
        Portal.objects.update(is_on=False)
    assert proof_of(draft) is None


# ---- notifications


def test_what_was_written_to_one_person_is_erased_with_them(drivers: Portal, cast: Cast) -> None:
    person = make_person(drivers)
    plan = notifying.Plan(audience="one", text="Ada, your result is here.", user=person)
    notifying.send(drivers, plan, request_id=new_id(), actor=cast.owner)
    people.erase(person, actor=cast.owner)
    assert not PortalNotification.objects.exists()


def test_a_request_of_another_portal_is_sent_nowhere(drivers: Portal, cast: Cast) -> None:
    make_person(drivers)
    plan, request_id = notifying.Plan(audience="all", text="Closed today."), new_id()
    notifying.send(drivers, plan, request_id=request_id, actor=cast.owner)
    other = make_portal(cast.other, slug="others")
    make_person(other)
    with pytest.raises(notifying.NotificationRefused):
        notifying.send(other, plan, request_id=request_id, actor=cast.stranger)
    assert PortalNotification.objects.get().portal == drivers


# ---- answers that are no answers


def test_a_nested_answer_of_a_passkey_is_refused(drivers: Portal) -> None:
    browser, url = Client(), f"/p/{drivers.slug}/passkey/"
    state = browser.post(url + "options").json()["state"]
    assert browser.post(url + "login", {"state": state, "answer": "[" * 19_000}).status_code == 422


# ---- members who have nothing to do with portals


@pytest.mark.parametrize("model", ["portal", "portalrole", "portalterms", "portaltext", "portaloffer"])
def test_viewers_see_nothing_of_portals_among_all_records(cast: Cast, drivers: Portal, model: str) -> None:
    address = cast.url(f"admin/portal/{model}/")
    assert cast.client("viewer").get(address).status_code == 403
    assert cast.client("agent").get(address).status_code == 200
