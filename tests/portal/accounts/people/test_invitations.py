"""Invitations: one open for each number, by a link that works once, for as long as it holds."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.connections.models import Connection
from integrations.organizations.api_keys import create_key
from integrations.organizations.audit_sentences import line_of
from integrations.organizations.models import AuditEntry
from messaging.consent.opt_outs import opt_out
from messaging.sending.models import Message
from messaging.sending.sealing import text_of
from messaging.verification.limit_models import VerificationPolicy
from portal.accounts import invitations
from portal.accounts.finding import STATES
from portal.accounts.invitations import InvitationRefused, State, find, invite, state_of
from portal.accounts.models import Portal, PortalInvitation, PortalRole, PortalSending, PortalUser
from tests.conftest import Cast
from tests.factories import ContactFactory
from tests.messaging.api.conftest import Caller

from .conftest import NUMBERS, make_portal, person

pytestmark = pytest.mark.django_db
PHONE = NUMBERS[0]


def later(invitation: PortalInvitation, *, minutes: int) -> PortalInvitation:
    """Make an invitation and its texts older."""
    back = timedelta(minutes=minutes)
    PortalInvitation.objects.filter(pk=invitation.pk).update(expires_at=invitation.expires_at - back)
    for sending in PortalSending.objects.filter(user=invitation.user):
        PortalSending.objects.filter(pk=sending.pk).update(at=sending.at - back)
    invitation.refresh_from_db()
    return invitation


def code_of(refused: pytest.ExceptionInfo[InvitationRefused]) -> str:
    return refused.value.code


def test_an_invitation_goes_out_with_a_link_that_the_log_does_not_show(cast: Cast, portal: Portal) -> None:
    invitation = invite(portal, phone="0151 12345600", name="Ada", actor=cast.owner)
    assert (invitation.user.phone, invitation.user.status, invitation.user.name) == (PHONE, "invited", "Ada")
    message = Message.objects.get()
    token = invitations.token_of(invitation)
    assert token not in message.body
    assert f"/p/driver-portal/i/{token}" in text_of(message)
    assert token not in str(PortalInvitation.objects.values().get())
    assert find(portal, token) == invitation
    entry = AuditEntry.objects.get(action="portal_invitation.sent")
    assert line_of(entry).sentence == "invited Ada to the portal Driver portal"
    assert PHONE not in str(entry.changes)


def test_a_link_opens_its_own_portal_only(cast: Cast, portal: Portal) -> None:
    token = invitations.token_of(invite(portal, phone=PHONE, actor=cast.owner))
    assert find(make_portal(cast, name="Suppliers"), token) is None
    assert find(portal, token[:-1] + ("2" if token[-1] != "2" else "3")) is None
    assert find(portal, "x" * 500) is None


def test_two_invitations_to_one_number_are_one(cast: Cast, portal: Portal) -> None:
    invite(portal, phone=PHONE, actor=cast.owner)
    with pytest.raises(InvitationRefused, match="invited already") as refused:
        invite(portal, phone=PHONE, name="Other", actor=cast.owner)
    assert code_of(refused) == "already_invited"
    assert (Message.objects.count(), PortalUser.objects.get().name) == (1, "")


def test_an_automation_invites_as_people_do(cast: Cast, portal: Portal) -> None:
    role = PortalRole.objects.create(portal=portal, name="Drivers")
    given = {"phone": PHONE, "role": role, "language": "de", "source": "automation", "actor": None}
    invitation = invite(portal, name="Ada", **given)
    invitation.refresh_from_db()
    assert (invitation.source, invitation.created_by, invitation.user.role) == ("automation", None, role)
    assert "lädt Sie" in Message.objects.get().body
    with pytest.raises(InvitationRefused, match="invited already"):
        invite(portal, **given)
    assert Message.objects.count() == 1
    entry = AuditEntry.objects.get(action="portal_invitation.sent")
    assert line_of(entry).sentence == "invited Ada to the portal Driver portal"
    assert (entry.actor_id, entry.changes["source"]) == (None, "Automation")
    _, key = create_key(cast.organization, name="Shop", scopes=["portals:read"], actor=cast.owner)
    told = Caller(key).get(f"portals/driver-portal/invitations/{invitation.pk}").json()
    assert told["source"] == "automation"
    page = cast.client("owner").get(cast.url(f"portals/{portal.pk}/people/{invitation.user_id}/"))
    assert "Automation, " in page.content.decode()
    assert find(portal, invitations.token_of(invitation)) == invitation


def test_a_number_that_no_code_goes_to_is_not_invited(cast: Cast, portal: Portal) -> None:
    with pytest.raises(InvitationRefused, match="France") as refused:
        invite(portal, phone="+33612345678", actor=cast.owner)
    assert code_of(refused) == "no_codes_there"
    assert not PortalUser.objects.exists()
    VerificationPolicy.objects.create(organization=cast.organization, regions=["FR"])
    assert invite(portal, phone="+33612345678", actor=cast.owner).user.region == "FR"


def test_an_invitation_is_not_sent_again_where_no_code_goes_any_more(cast: Cast, portal: Portal) -> None:
    policy = VerificationPolicy.objects.create(organization=cast.organization, regions=["FR"])
    invitation = invite(portal, phone="+33612345678", actor=cast.owner)
    PortalSending.objects.all().delete()
    VerificationPolicy.objects.filter(pk=policy.pk).update(regions=["IT"])
    with pytest.raises(InvitationRefused) as refused:
        invitations.resend(invitation, actor=cast.owner)
    assert refused.value.code == "no_codes_there"
    assert Message.objects.count() == 1


@pytest.mark.parametrize("status", ["active", "waiting", "suspended"])
def test_who_is_in_or_waits_is_not_invited(cast: Cast, portal: Portal, status: str) -> None:
    person(portal, status=status)
    with pytest.raises(InvitationRefused) as refused:
        invite(portal, phone=PHONE, actor=cast.owner)
    assert code_of(refused) == f"already_{status}"
    assert not Message.objects.exists()


@pytest.mark.parametrize("status", ["rejected", "left"])
def test_who_is_out_may_be_invited_again(cast: Cast, portal: Portal, status: str) -> None:
    user = person(portal, status=status)
    assert invite(portal, phone=PHONE, actor=cast.owner).user == user
    user.refresh_from_db()
    assert user.status == "invited"


def test_an_opted_out_number_is_refused_with_the_reason(cast: Cast, portal: Portal) -> None:
    opt_out(cast.organization, phone=PHONE, source="staff")
    portal.admission = Portal.Admission.INVITATION
    with pytest.raises(InvitationRefused, match=r"opted out.*START") as refused:
        invite(portal, phone=PHONE, actor=cast.owner)
    assert (code_of(refused), refused.value.field) == ("opted_out", "phone")
    assert "invite them again" in str(refused.value) and "/p/" not in str(refused.value)
    for admission in (Portal.Admission.OPEN, Portal.Admission.APPROVAL):
        portal.admission = admission
        with pytest.raises(InvitationRefused, match=r"lets them register: \S+/p/driver-portal/"):
            invite(portal, phone=PHONE, actor=cast.owner)
    assert not PortalUser.objects.exists()
    assert not Message.objects.exists()


def test_bad_input_is_refused_in_words(cast: Cast, portal: Portal) -> None:
    with pytest.raises(InvitationRefused, match="too short") as refused:
        invite(portal, phone="123", actor=cast.owner)
    assert code_of(refused) == "too_short"
    foreign = PortalRole.objects.create(portal=make_portal(cast, name="Suppliers"), name="Suppliers")
    with pytest.raises(InvitationRefused, match="no such role"):
        invite(portal, phone=PHONE, role=foreign, actor=cast.owner)
    with pytest.raises(InvitationRefused, match="It speaks: en, de"):
        invite(portal, phone=PHONE, language="fr", actor=cast.owner)
    Portal.objects.update(is_on=False)
    portal.refresh_from_db()
    with pytest.raises(InvitationRefused, match="Switch it on"):
        invite(portal, phone=PHONE, actor=cast.owner)


def test_what_keeps_the_text_from_going_keeps_the_invitation_away(cast: Cast, portal: Portal) -> None:
    Connection.objects.all().delete()
    with pytest.raises(InvitationRefused, match="Connect Twilio"):
        invite(portal, phone=PHONE, actor=cast.owner)
    assert not PortalUser.objects.exists()


def test_the_contact_lends_name_and_language(cast: Cast, portal: Portal) -> None:
    contact = ContactFactory(organization=cast.organization, phone=PHONE, name="Grete", language="de")
    ContactFactory(organization=cast.other, phone=PHONE, name="Stranger")
    default = PortalRole.objects.create(portal=portal, name="Drivers", is_default=True)
    user = invite(portal, phone=PHONE, actor=cast.owner).user
    assert (user.contact, user.name, user.language, user.role) == (contact, "Grete", "de", default)
    assert "lädt Sie" in Message.objects.get().body


def test_sending_again_keeps_the_link_and_starts_the_days_anew(cast: Cast, portal: Portal) -> None:
    invitation = invite(portal, phone=PHONE, actor=cast.owner)
    token = invitations.token_of(invitation)
    with pytest.raises(InvitationRefused, match="a moment ago"):
        invitations.resend(invitation, actor=cast.owner)
    later(invitation, minutes=60 * 24 * 15)
    assert state_of(invitation) is State.EXPIRED
    invitations.resend(invitation, actor=cast.agent)
    found = find(portal, token)
    assert found is not None
    assert state_of(found) is State.OPEN
    assert Message.objects.count() == 2


def test_a_failed_text_need_not_be_waited_for(cast: Cast, portal: Portal) -> None:
    invitation = invite(portal, phone=PHONE, actor=cast.owner)
    Message.objects.update(status="failed")
    invitations.resend(invitation, actor=cast.owner)
    assert Message.objects.count() == 2


def test_an_expired_invitation_makes_room_for_a_new_one(cast: Cast, portal: Portal) -> None:
    old = later(invite(portal, phone=PHONE, actor=cast.owner), minutes=60 * 24 * 15)
    new = invite(portal, phone=PHONE, actor=cast.owner)
    old.refresh_from_db()
    assert (state_of(old), state_of(new)) == (State.EXPIRED, State.OPEN)
    assert new.user == old.user


def test_each_list_has_the_invitations_of_its_state(cast: Cast, portal: Portal) -> None:
    over = timezone.now() - timedelta(days=1)
    made = [invite(portal, phone=number, actor=cast.owner) for number in NUMBERS[:4]]
    invitations.revoke(made[1], actor=cast.owner)
    PortalInvitation.objects.filter(pk__in=[made[2].pk, made[3].pk]).update(expires_at=over)
    invite(portal, phone=NUMBERS[2], actor=cast.owner)  # makes room for itself
    invitations.revoke(PortalInvitation.objects.get(pk=made[0].pk), actor=cast.owner)
    PortalInvitation.objects.filter(pk=made[0].pk).update(revoked_at=None, used_at=timezone.now())
    for invitation in PortalInvitation.objects.all():
        listed = [name for name, rows in STATES.items() if PortalInvitation.objects.filter(rows, pk=invitation.pk)]
        assert listed == [state_of(invitation)]
    assert {state_of(one) for one in PortalInvitation.objects.all()} == set(State)


def test_an_invitation_that_was_taken_back_does_nothing_more(cast: Cast, portal: Portal) -> None:
    invitation = invitations.revoke(invite(portal, phone=PHONE, actor=cast.owner), actor=cast.owner)
    assert state_of(invitation) is State.REVOKED
    assert not invitations.use(invitation)
    for verb in (invitations.revoke, invitations.resend):
        with pytest.raises(InvitationRefused, match="taken back"):
            verb(invitation, actor=cast.owner)
    assert invite(portal, phone=PHONE, actor=cast.owner).pk != invitation.pk


def test_an_invitation_is_used_once_and_not_after_its_end(cast: Cast, portal: Portal) -> None:
    invitation = invite(portal, phone=PHONE, actor=cast.owner)
    assert invitations.use(invitation)
    assert not invitations.use(invitation)
    invitation.refresh_from_db()
    assert state_of(invitation) is State.USED
    with pytest.raises(InvitationRefused, match="accepted already"):
        invitations.revoke(invitation, actor=cast.owner)
    expired = later(invite(portal, phone=NUMBERS[1], actor=cast.owner), minutes=60 * 24 * 15)
    assert not invitations.use(expired)


def test_a_reminder_goes_once_with_the_same_link(cast: Cast, portal: Portal) -> None:
    Portal.objects.update(reminder_days=3)
    portal.refresh_from_db()
    invitation = invite(portal, phone=PHONE, actor=cast.owner)
    assert invitation.remind_at is not None
    assert timezone.now() + timedelta(days=2) < invitation.remind_at < invitation.expires_at
    sending = invitations.remind(invitation)
    assert sending is not None
    assert sending.message is not None
    assert invitations.token_of(invitation) in text_of(sending.message)
    assert invitations.token_of(invitation) not in sending.message.body
    assert invitations.remind(invitation) is None
    assert Message.objects.count() == 2


def test_nobody_is_reminded_of_what_is_over(cast: Cast, portal: Portal) -> None:
    invitation = invite(portal, phone=PHONE, actor=cast.owner)
    invitations.use(invitation)
    assert invitations.remind(invitation) is None
