"""Forms that a portal offers: chosen by members, filled in with the proved number and without a second code."""

import re
import uuid
from datetime import timedelta
from html import unescape

import pytest
from django.core import signing
from django.test import Client
from django.utils import timezone

from integrations.organizations.models import AuditEntry
from messaging.verification.models import Verification
from portal.accounts import handing_over
from portal.accounts.handing_over import forget_old_handovers, ticket_for
from portal.accounts.models import Portal, PortalSession, PortalUser
from portal.accounts.offer_models import PortalHandover, PortalOffer
from portal.accounts.offering import OfferRefused, change_offers, forms_for, forms_to_offer, offered_ids
from portal.accounts.setting_up import create_portal, switch
from portal.forms.building import create_form
from portal.forms.models import FormDraft, PublicForm, Submission
from tests.conftest import Cast
from tests.portal.forms.conftest import publish_questions
from tests.portal.forms.samples import QUESTIONS

from .insiders import NEW_PHONE, PHONE, person_of, session_of

pytestmark = pytest.mark.django_db
WANTS_CODE = 'autocomplete="one-time-code"'


@pytest.fixture
def form(cast: Cast) -> PublicForm:
    form = publish_questions(create_form(cast.organization, title="Delivery slots", actor=cast.owner), cast, QUESTIONS)
    PublicForm.objects.filter(pk=form.pk).update(state="open")
    return form


@pytest.fixture
def session(portal: Portal, cast: Cast, form: PublicForm) -> PortalSession:
    """Ada's, in a portal that is on and offers the form."""
    switch(portal, on=True, actor=cast.owner)
    change_offers(portal, form_ids=[form.pk], actor=cast.owner)
    return session_of(person_of(portal))


def arrive(session: PortalSession, form: PublicForm, *, ticket: str = "") -> str:
    """Press the button inside the portal and return the page."""
    ticket = ticket or ticket_for(session, form)
    return Client().post(f"/f/{form.token}", {"step": "arrive", "ticket": ticket}).content.decode()


def send(form: PublicForm, page: str, **given: str) -> str:
    state = re.search(r'name="state" value="([^"]+)"', page)
    assert state is not None
    data = {"step": "fill", "state": unescape(state[1]), "f1": "Ada", "f2": PHONE, **given}
    return Client().post(f"/f/{form.token}", data).content.decode()


class TestChoosing:
    """What members offer."""

    def test_published_forms_of_the_organization(self, portal: Portal, form: PublicForm, cast: Cast) -> None:
        create_form(cast.organization, title="A draft", actor=cast.owner)
        foreign = create_form(cast.other, title="Foreign", actor=cast.stranger)
        publish_questions(foreign, cast, QUESTIONS)
        PublicForm.objects.filter(pk=foreign.pk).update(state="open")
        assert forms_to_offer(portal) == [form]
        assert change_offers(portal, form_ids=[form.pk, foreign.pk, portal.form_id], actor=cast.owner)
        assert offered_ids(portal) == {form.pk}
        assert not change_offers(portal, form_ids=[form.pk], actor=cast.owner)
        assert AuditEntry.objects.get(action="portal.offers_changed").changes == {"forms": "Delivery slots"}
        assert change_offers(portal, form_ids=[], actor=cast.owner)
        assert not PortalOffer.objects.exists()

    def test_not_without_end(self, portal: Portal, cast: Cast) -> None:
        with pytest.raises(OfferRefused):
            change_offers(portal, form_ids=[uuid.uuid4() for _ in range(51)], actor=cast.owner)

    def test_people_see_those_that_take_answers(self, session: PortalSession, form: PublicForm) -> None:
        assert forms_for(session.user) == [form]
        PublicForm.objects.filter(pk=form.pk).update(state="closed")
        assert forms_for(session.user) == []


class TestFillingIn:
    """From the portal into the form."""

    def test_the_number_stands_there_and_needs_no_code(self, session: PortalSession, form: PublicForm) -> None:
        page = arrive(session, form)
        assert 'value="+49 1511 2345678"' in page
        assert 'value="Ada"' in page
        assert "This number is confirmed already." in page
        assert "Your answers were sent" in send(form, page)
        sent = Submission.objects.get()
        handover = PortalHandover.objects.get()
        assert (sent.phone, sent.verified_by, sent.verification_id) == (PHONE, "portal", handover.pk)
        assert sent.verified_at == handover.created_at
        assert not Verification.objects.exists()

    def test_a_button_pressed_twice_leads_to_one_submission(self, session: PortalSession, form: PublicForm) -> None:
        ticket = ticket_for(session, form)
        first, second = arrive(session, form, ticket=ticket), arrive(session, form, ticket=ticket)
        assert FormDraft.objects.count() == 1
        send(form, first)
        send(form, second)
        assert Submission.objects.count() == 1
        assert "Your answers were sent" in arrive(session, form, ticket=ticket)

    def test_the_button_of_the_page_loaded_anew_begins_another_one(
        self, session: PortalSession, form: PublicForm
    ) -> None:
        for _ in range(2):
            send(form, arrive(session, form))
        assert Submission.objects.count() == 2

    def test_another_number_is_asked_for_a_code(self, session: PortalSession, form: PublicForm) -> None:
        page = send(form, arrive(session, form), f2=NEW_PHONE)
        assert not Submission.objects.exists()
        assert "Your answers were sent" not in page
        assert FormDraft.objects.get().verification_id is None

    def test_a_mistake_keeps_the_proof(self, session: PortalSession, form: PublicForm) -> None:
        page = send(form, arrive(session, form), f3="nobody")
        assert "This number is confirmed already." in page
        assert "Your answers were sent" in send(form, page)

    def test_a_password_of_the_form_is_not_asked_for(self, session: PortalSession, form: PublicForm) -> None:
        PublicForm.objects.filter(pk=form.pk).update(password="md5$x$y")
        assert "Your answers were sent" in send(form, arrive(session, form))


class TestTickets:
    """What opens nothing: the form is there as for everybody, and the number gets a code."""

    def assert_opens_nothing(self, session: PortalSession, form: PublicForm, ticket: str) -> None:
        page = arrive(session, form, ticket=ticket)
        assert "+49 1511 2345678" not in page
        assert not PortalHandover.objects.exists()

    def test_forged_foreign_and_old_ones(self, session: PortalSession, form: PublicForm, cast: Cast) -> None:
        other = publish_questions(create_form(cast.organization, title="B", actor=cast.owner), cast, QUESTIONS)
        good = ticket_for(session, form)
        for ticket in ("x", good[:-1] + ("A" if good[-1] != "A" else "B"), ticket_for(session, other),
                       signing.dumps(["a", form.pk.hex, "b"], salt="portal.accounts.handover"),
                       signing.dumps([session.pk.hex, form.pk.hex, uuid.uuid4().hex], salt="another")):  # fmt: skip
            self.assert_opens_nothing(session, form, ticket)

    def test_too_old(self, session: PortalSession, form: PublicForm, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(handing_over, "TICKET_LASTS", timedelta(seconds=-1))
        self.assert_opens_nothing(session, form, ticket_for(session, form))

    @pytest.mark.parametrize("what", ["logged out", "suspended", "switched off", "not offered", "expired"])
    def test_once_something_has_ended(self, session: PortalSession, form: PublicForm, what: str) -> None:
        ticket = ticket_for(session, form)
        if what == "logged out":
            PortalSession.objects.update(ended_at=timezone.now())
        elif what == "expired":
            PortalSession.objects.update(expires_at=timezone.now())
        elif what == "suspended":
            PortalUser.objects.update(status="suspended")
        elif what == "switched off":
            Portal.objects.update(is_on=False)
        else:
            PortalOffer.objects.all().delete()
        self.assert_opens_nothing(session, form, ticket)

    def test_a_form_of_another_organization(self, session: PortalSession, cast: Cast) -> None:
        foreign = publish_questions(create_form(cast.other, title="B", actor=cast.stranger), cast, QUESTIONS)
        PublicForm.objects.filter(pk=foreign.pk).update(state="open")
        PortalOffer.objects.create(portal=session.user.portal, form=foreign)
        self.assert_opens_nothing(session, foreign, ticket_for(session, foreign))

    @pytest.mark.parametrize("what", ["suspended", "moved"])
    def test_a_proof_ends_with_what_it_was_of(self, session: PortalSession, form: PublicForm, what: str) -> None:
        page = arrive(session, form)
        PortalUser.objects.update(**({"status": "suspended"} if what == "suspended" else {"phone": NEW_PHONE}))
        assert "Your answers were sent" not in send(form, page)
        assert not Submission.objects.exists()


def test_another_portal_does_not_lend_its_offers(session: PortalSession, form: PublicForm, cast: Cast) -> None:
    other = create_portal(cast.organization, name="Suppliers", actor=cast.owner)
    switch(other, on=True, actor=cast.owner)
    stranger = session_of(person_of(other, phone=NEW_PHONE))
    assert forms_for(stranger.user) == []
    arrive(stranger, form)
    assert not PortalHandover.objects.exists()


def test_what_led_nowhere_is_forgotten_and_what_was_sent_is_kept(session: PortalSession, form: PublicForm) -> None:
    send(form, arrive(session, form))
    arrive(session, form)
    assert forget_old_handovers() == 0
    PortalHandover.objects.update(expires_at=timezone.now())
    assert forget_old_handovers() == 1
    assert PortalHandover.objects.get().pk == Submission.objects.get().verification_id
