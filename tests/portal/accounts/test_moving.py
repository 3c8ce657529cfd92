"""Another number for a person: both proved, never another person's, and everything that hangs on it follows."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from integrations.connections.models import Connection
from integrations.organizations.models import AuditEntry
from integrations.phones import parse_phone
from messaging.consent.blocking import find_block
from messaging.consent.ledger import Entry, record_consent, state_of
from messaging.consent.models import OptOut
from messaging.consent.opt_outs import opt_out
from messaging.contacts.models import Contact
from messaging.sending.models import Message
from portal.accounts import moving
from portal.accounts.models import Portal, PortalSession, PortalUser, PortalVisit
from portal.accounts.moving import MoveRefused, begin_move, enter_number, find_move, move, note_old_proved
from portal.accounts.setting_up import create_portal
from tests.conftest import Cast
from tests.factories import ContactFactory

from .insiders import NEW_PHONE, PHONE, person_of, proof, session_of

pytestmark = pytest.mark.django_db
NEW = parse_phone(NEW_PHONE, region=None)


@pytest.fixture
def session(portal: Portal) -> PortalSession:
    return session_of(person_of(portal))


def proved(session: PortalSession, *, new: Any = None, old: Any = None) -> PortalVisit:
    """Return a change of number of which both numbers are proved, or by what is given in the place of a proof."""
    visit = begin_move(session)
    portal = session.user.portal
    moving.bind_old(visit, old or proof(portal, session.user.phone))
    note_old_proved(visit)
    if visit.old_proved_at is not None:
        enter_number(visit, NEW)
        moving.bind_new(visit, new or proof(portal, NEW_PHONE))
    return visit


def test_both_proved_the_number_changes(session: PortalSession, connection: Connection) -> None:
    user = move(proved(session))
    user.refresh_from_db()
    assert (user.phone, user.region) == (NEW_PHONE, "DE")
    assert user.number_since is not None
    assert user.contact is not None
    assert (user.contact.phone, Contact.objects.count()) == (NEW_PHONE, 1)
    entry = AuditEntry.objects.get(action="portal_user.number_changed")
    assert entry.changes == {"number": ["+49•••••78", "+49•••••34"]}
    told = Message.objects.get()
    assert (told.phone, told.source, told.status) == (PHONE, "portal", "queued")
    assert "+49•••••34" in told.body
    assert NEW_PHONE not in told.body


def test_other_logins_end_with_the_move_or_not_at_all(session: PortalSession) -> None:
    elsewhere = PortalSession.objects.create(
        user=session.user, token_hash="e" * 64, expires_at=timezone.now() + timedelta(days=1)
    )
    visit = proved(session)
    PortalVisit.objects.filter(pk=visit.pk).update(old_proved_at=None)
    with pytest.raises(MoveRefused):
        move(visit, keep=session)
    assert PortalSession.objects.filter(ended_at=None).count() == 2
    PortalVisit.objects.filter(pk=visit.pk).update(old_proved_at=visit.old_proved_at)
    move(visit, keep=session)
    elsewhere.refresh_from_db()
    assert elsewhere.ended_at is not None
    assert list(PortalSession.objects.filter(ended_at=None)) == [session]


def test_pressing_twice_changes_it_once(session: PortalSession) -> None:
    visit = proved(session)
    move(visit)
    assert move(visit).phone == NEW_PHONE
    assert AuditEntry.objects.filter(action="portal_user.number_changed").count() == 1


def test_what_is_no_proof_changes_nothing(session: PortalSession, cast: Cast) -> None:
    portal = session.user.portal
    other = create_portal(cast.organization, name="Suppliers", actor=cast.owner)
    for differs in (
        proof(portal, PHONE), proof(other, NEW_PHONE), proof(portal, NEW_PHONE, status="pending"),
        proof(portal, NEW_PHONE, asker_kind="form"), proof(portal, NEW_PHONE, organization=cast.other),
    ):  # fmt: skip
        with pytest.raises(MoveRefused) as refused:
            move(proved(session, new=differs))
        assert refused.value.code == "not_proved"
    for differs in (proof(portal, NEW_PHONE), proof(other, PHONE), proof(portal, PHONE, status="pending")):
        visit = proved(session, old=differs)
        assert visit.old_proved_at is None
        with pytest.raises(MoveRefused):
            enter_number(visit, NEW)
    session.user.refresh_from_db()
    assert session.user.phone == PHONE


def test_another_number_takes_the_proof_of_the_former_one_away(session: PortalSession) -> None:
    visit = proved(session)
    enter_number(visit, parse_phone("+4915155555555", region=None))
    with pytest.raises(MoveRefused) as refused:
        move(visit)
    assert refused.value.code == "not_proved"


def test_the_present_number_is_no_new_one(session: PortalSession) -> None:
    visit = proved(session)
    with pytest.raises(MoveRefused) as refused:
        enter_number(visit, parse_phone(PHONE, region=None))
    assert refused.value.code == "same"


def test_a_number_with_an_account_is_told_only_after_its_proof(session: PortalSession, portal: Portal) -> None:
    other = person_of(portal, phone=NEW_PHONE, name="Grace")
    visit = proved(session)  # nothing is said until here
    with pytest.raises(MoveRefused) as refused:
        move(visit)
    assert refused.value.code == "taken"
    assert "Acme Logistics" in refused.value.visitor
    session.user.refresh_from_db()
    other.refresh_from_db()
    assert (session.user.phone, other.phone) == (PHONE, NEW_PHONE)


def test_the_same_number_in_another_portal_is_no_hindrance(session: PortalSession, cast: Cast) -> None:
    other = create_portal(cast.organization, name="Suppliers", actor=cast.owner)
    known = person_of(other, phone=NEW_PHONE)
    assert move(proved(session)).contact == known.contact, "the organization knows one person by that number"


def test_a_contact_that_another_portal_knows_by_the_old_number_keeps_it(session: PortalSession, cast: Cast) -> None:
    other = create_portal(cast.organization, name="Suppliers", actor=cast.owner)
    assert session.user.contact is not None
    PortalUser.objects.create(portal=other, phone=PHONE, status="active", contact=session.user.contact)
    user = move(proved(session))
    assert user.contact is not None
    assert user.contact.phone == NEW_PHONE
    assert Contact.objects.get(pk=session.user.contact.pk).phone == PHONE


def test_it_goes_on_in_the_same_session_only_and_not_for_long(session: PortalSession) -> None:
    visit = begin_move(session)
    assert find_move(session) == visit
    assert find_move(session_of(session.user)) is None
    PortalVisit.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert find_move(session) is None
    assert begin_move(session).pk != visit.pk


def test_who_was_suspended_meanwhile_keeps_the_number(session: PortalSession) -> None:
    visit = proved(session)
    PortalUser.objects.update(status="suspended")
    with pytest.raises(MoveRefused) as refused:
        move(visit)
    assert refused.value.code == "ended"


def test_consent_follows_and_ends_for_the_number_that_was_left(session: PortalSession, cast: Cast) -> None:
    proof_of_consent = {"wording": "News, please"}
    record_consent(cast.organization, Entry(phone=PHONE, action="granted", source="portal", evidence=proof_of_consent))
    move(proved(session))
    now = state_of(cast.organization, phone=NEW_PHONE)
    assert now is not None
    assert (now.state, now.record.evidence["wording"]) == ("granted", "News, please")
    assert now.record.evidence["number_changed_from"] == "+49•••••78"
    left = state_of(cast.organization, phone=PHONE)
    assert left is not None
    assert left.state == "withdrawn"


def test_what_the_new_number_said_itself_stands(session: PortalSession, cast: Cast) -> None:
    record_consent(cast.organization, Entry(phone=PHONE, action="granted", source="portal"))
    record_consent(cast.organization, Entry(phone=NEW_PHONE, action="withdrawn", source="keyword"))
    move(proved(session))
    now = state_of(cast.organization, phone=NEW_PHONE)
    assert now is not None
    assert now.state == "withdrawn"


def test_who_stopped_everything_stays_without_messages(
    session: PortalSession, cast: Cast, connection: Connection
) -> None:
    opt_out(cast.organization, phone=PHONE, source="keyword", keyword="STOP")
    move(proved(session))
    assert find_block(cast.organization, phone=NEW_PHONE, purpose="transactional") is not None
    assert OptOut.objects.filter(phone=PHONE, ended_at=None).exists()
    assert Message.objects.get().status == "blocked", "a STOP holds for the warning too"


def test_nothing_to_send_with_changes_the_number_all_the_same(session: PortalSession) -> None:
    assert move(proved(session)).phone == NEW_PHONE
    assert not Message.objects.exists()
    assert AuditEntry.objects.filter(action="portal_user.old_number_not_told").exists()


def test_the_new_numbers_contact_is_taken(session: PortalSession, cast: Cast) -> None:
    known = ContactFactory(organization=cast.organization, phone=NEW_PHONE, name="Ada at work")
    assert move(proved(session)).contact == known
