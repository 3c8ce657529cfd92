"""The page of an invitation: who may come in by it, and what else its link says."""

from datetime import timedelta

import pytest
from django.db import connection as database
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext

from portal.accounts.invitations import hash_of, invite, revoke, token_of
from portal.accounts.models import Portal, PortalInvitation, PortalUser
from tests.conftest import Cast
from tests.portal.accounts.door.conftest import NUMBER, PHONE, Visitor, login
from tests.portal.accounts.door.test_journey import OFF, let_codes_go
from tests.portal.accounts.furnishing import make_portal
from tests.portal.forms.public.conftest import VirtualPhones

pytestmark = pytest.mark.django_db

OTHER_NUMBER, OTHER_PHONE = "+49 1511 2345679", "+4915112345679"


@pytest.fixture
def invitation(drivers: Portal, phones: VirtualPhones, cast: Cast) -> PortalInvitation:
    Portal.objects.update(admission="invitation")
    drivers.refresh_from_db()
    return invite(drivers, phone=PHONE, name="Ada", actor=cast.owner)


def path_of(invitation: PortalInvitation) -> str:
    return f"i/{token_of(invitation)}"


def follow(drivers: Portal, invitation: PortalInvitation) -> Visitor:
    return Visitor(drivers).open(path_of(invitation))


def test_an_invited_person_comes_in_by_the_link_without_approval(
    drivers: Portal, invitation: PortalInvitation, phones: VirtualPhones
) -> None:
    visitor = follow(drivers, invitation)
    assert "Acme Logistics invites you." in visitor.text and "+49•••••78" in visitor.text
    assert PHONE[3:] not in visitor.html.replace(" ", ""), "whoever has the link learns no number"
    before = len(phones.texts())
    visitor.press("", path=path_of(invitation))
    assert visitor.is_asked_for_code and "+49•••••78" in visitor.text and NUMBER not in visitor.text
    assert len(phones.texts()) == before + 1
    visitor.enter(phones.code())
    assert 'value="Ada"' in visitor.html, "the name that was invited stands there"
    visitor.fill()
    assert visitor.is_in
    invitation.refresh_from_db()
    person = PortalUser.objects.get()
    assert (person.status, person.name) == ("active", "Ada Lovelace") and invitation.used_at is not None


def test_looking_uses_nothing_up(drivers: Portal, invitation: PortalInvitation) -> None:
    with CaptureQueriesContext(database) as statements:
        for _ in range(3):
            follow(drivers, invitation)
    assert not [row["sql"] for row in statements if not row["sql"].lstrip().startswith("SELECT")]
    invitation.refresh_from_db()
    assert invitation.used_at is None


def test_an_invited_number_comes_in_by_the_door_as_well(
    drivers: Portal, invitation: PortalInvitation, phones: VirtualPhones
) -> None:
    visitor = login(Visitor(drivers), phones).fill()
    assert visitor.is_in
    invitation.refresh_from_db()
    assert invitation.used_at is not None


def test_a_forwarded_link_sends_its_code_to_the_invited_number_alone(
    drivers: Portal, invitation: PortalInvitation, phones: VirtualPhones
) -> None:
    """Whatever is put into the form: another number cannot accept it."""
    visitor = follow(drivers, invitation)
    visitor.press("", path=path_of(invitation), phone=OTHER_NUMBER)
    assert phones.texts(OTHER_PHONE) == []
    visitor.enter("000000" if phones.code() != "000000" else "111111")
    assert not visitor.is_in and PortalUser.objects.get().status == "invited"
    visitor.press("restart")
    let_codes_go()
    visitor.ask(OTHER_NUMBER).enter(phones.code(OTHER_PHONE))
    assert "You are not invited yet" in visitor.text


@pytest.mark.parametrize(
    ("state", "status", "words"),
    [
        ("used", 410, "This invitation was used already"),
        ("expired", 410, "This invitation has expired"),
        ("revoked", 410, "This invitation was taken back"),
        ("forged", 404, "There is no such invitation"),
        ("of another portal", 404, "There is no such invitation"),
    ],
)
def test_a_link_that_lets_nobody_in_says_why(
    cast: Cast,
    drivers: Portal,
    invitation: PortalInvitation,
    phones: VirtualPhones,
    state: str,
    status: int,
    words: str,
) -> None:
    visitor = Visitor(drivers)
    path = path_of(invitation)
    if state == "used":
        PortalInvitation.objects.update(used_at=Now())
    elif state == "expired":
        PortalInvitation.objects.update(expires_at=Now() - timedelta(seconds=1))
    elif state == "revoked":
        revoke(invitation, actor=cast.owner)
    elif state == "forged":
        path = f"i/{'A' * 12}"
    else:
        visitor = Visitor(make_portal(cast.organization, slug="suppliers"))
    before = len(phones.texts())
    assert visitor.open(path).status == status and words in visitor.text
    assert 'href="/p/' in visitor.html, "there is a way on"
    visitor.press("", path=path)
    assert visitor.status == status and len(phones.texts()) == before


def test_an_invitation_that_is_taken_back_in_mid_journey_lets_nobody_in(
    cast: Cast, drivers: Portal, invitation: PortalInvitation, phones: VirtualPhones
) -> None:
    visitor = follow(drivers, invitation)
    visitor.press("", path=path_of(invitation)).enter(phones.code())
    revoke(invitation, actor=cast.owner)
    visitor.fill()
    assert "Your invitation has ended" in visitor.text and not visitor.is_in
    assert PortalUser.objects.get().status == "invited"


def test_a_portal_that_is_switched_off_uses_no_invitation_up(
    drivers: Portal, invitation: PortalInvitation, phones: VirtualPhones
) -> None:
    visitor, before = follow(drivers, invitation), len(phones.texts())
    invitation_page = visitor.page
    Portal.objects.update(is_on=False)
    visitor.press("", path=path_of(invitation))
    assert visitor.status == 403 and OFF in visitor.text and len(phones.texts()) == before
    assert visitor.open(path_of(invitation)).status == 403 and "Ada" not in visitor.text
    Portal.objects.update(is_on=True)
    visitor.page = invitation_page
    visitor.press("", path=path_of(invitation)).enter(phones.code())
    Portal.objects.update(is_on=False)
    register_page = visitor.page
    assert visitor.fill().status == 403 and PortalUser.objects.get().status == "invited"
    Portal.objects.update(is_on=True)
    invitation.refresh_from_db()
    assert invitation.used_at is None
    visitor.page = register_page
    assert visitor.fill().is_in


def test_an_invitation_is_used_once_by_two_browsers(
    drivers: Portal, invitation: PortalInvitation, phones: VirtualPhones
) -> None:
    first, second = follow(drivers, invitation), follow(drivers, invitation)
    first.press("", path=path_of(invitation)).enter(phones.code())
    let_codes_go()
    second.press("", path=path_of(invitation)).enter(phones.code())
    first.fill()
    second.fill(f1="Second")
    assert first.is_in and not second.is_in
    assert PortalUser.objects.get().name == "Ada Lovelace"


def test_an_expired_invitation_does_not_keep_out_whom_everybody_may_join(
    drivers: Portal, invitation: PortalInvitation, phones: VirtualPhones
) -> None:
    PortalInvitation.objects.update(expires_at=Now() - timedelta(seconds=1))
    Portal.objects.update(admission="approval")
    login(Visitor(drivers), phones).fill()
    assert PortalUser.objects.get().status == "waiting"


def test_no_token_stands_in_the_log(
    drivers: Portal, invitation: PortalInvitation, caplog: pytest.LogCaptureFixture
) -> None:
    follow(drivers, invitation)
    assert token_of(invitation) not in caplog.text and hash_of(token_of(invitation)) not in caplog.text


def test_who_is_in_already_is_told_to_log_in(drivers: Portal, invitation: PortalInvitation) -> None:
    PortalUser.objects.update(status="active")
    assert "This invitation was used already" in follow(drivers, invitation).text
