"""Decisions about people: each made once, told by SMS, written down; whoever is out has no session left."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.connections.models import Connection
from integrations.organizations.audit_sentences import line_of
from integrations.organizations.models import AuditEntry
from messaging.sending.models import Message
from portal.accounts import people
from portal.accounts.invitations import invite
from portal.accounts.models import (
    Portal,
    PortalInvitation,
    PortalLogin,
    PortalPasskey,
    PortalRole,
    PortalSending,
    PortalSession,
    PortalUser,
)
from portal.forms.models import Submission
from tests.conftest import Cast

from .conftest import NUMBERS, make_portal, person

pytestmark = pytest.mark.django_db


def log_in(user: PortalUser) -> PortalSession:
    return PortalSession.objects.create(
        user=user, token_hash=f"hash of {user.pk}", expires_at=timezone.now() + timedelta(days=1)
    )


def has_session(user: PortalUser) -> bool:
    return PortalSession.objects.filter(user=user, ended_at=None).exists()


def sentences() -> list[str]:
    return [line_of(entry).sentence for entry in AuditEntry.objects.filter(action__startswith="portal_user")]


def test_approval_lets_in_and_tells(cast: Cast, applicant: PortalUser) -> None:
    assert people.approve([applicant], actor=cast.agent) == [applicant]
    applicant.refresh_from_db()
    assert (applicant.status, applicant.decided_by) == ("active", cast.agent)
    assert applicant.decided_at is not None
    assert "approved your registration" in Message.objects.get(phone=applicant.phone).body
    assert sentences() == ["approved Driver 1 for the portal Driver portal"]


def test_two_who_decide_at_once_decide_and_tell_once(cast: Cast, applicant: PortalUser) -> None:
    stale = PortalUser.objects.get(pk=applicant.pk)
    people.approve([applicant], actor=cast.owner)
    assert people.approve([stale], actor=cast.agent) == []
    assert people.reject([stale], actor=cast.agent, reason="Too late") == []
    applicant.refresh_from_db()
    assert (applicant.status, applicant.decision_reason) == ("active", "")
    assert Message.objects.count() == 1


def test_rejection_tells_the_reason(cast: Cast, applicant: PortalUser) -> None:
    people.reject([applicant], actor=cast.owner, reason="  No licence\non file ")
    applicant.refresh_from_db()
    assert (applicant.status, applicant.decision_reason) == ("rejected", "No licence on file")
    assert "No licence on file" in Message.objects.get().body
    assert sentences() == ["rejected Driver 1 for the portal Driver portal: No licence on file"]


def test_many_are_approved_and_who_does_not_wait_is_left_alone(cast: Cast, portal: Portal) -> None:
    waiting = [person(portal, n, status="waiting") for n in range(3)]
    others = [person(portal, 3, status="rejected"), person(portal, 4, status="suspended")]
    assert people.approve([*waiting, *others], actor=cast.owner) == waiting
    assert Message.objects.count() == 3
    assert {user.status for user in PortalUser.objects.filter(pk__in=[one.pk for one in others])} == {
        "rejected",
        "suspended",
    }


def test_approved_stays_approved_when_the_text_fails(cast: Cast, applicant: PortalUser) -> None:
    Connection.objects.all().delete()
    people.approve([applicant], actor=cast.owner)
    applicant.refresh_from_db()
    assert applicant.status == "active"
    assert PortalSending.objects.get().problem_code


def test_suspension_ends_sessions_until_reinstated(cast: Cast, driver: PortalUser) -> None:
    log_in(driver)
    assert people.suspend(driver, actor=cast.owner, reason="Unpaid")
    assert not has_session(driver)
    assert not people.suspend(driver, actor=cast.owner)
    driver.refresh_from_db()
    assert (driver.status, driver.decision_reason) == ("suspended", "Unpaid")
    assert people.reinstate(driver, actor=cast.owner)
    assert not people.reinstate(driver, actor=cast.owner)
    driver.refresh_from_db()
    assert driver.status == "active"


@pytest.mark.parametrize("status", ["invited", "waiting", "rejected", "left"])
def test_only_who_is_in_is_suspended(cast: Cast, portal: Portal, status: str) -> None:
    assert not people.suspend(person(portal, status=status), actor=cast.owner)


def test_leaving_ends_every_way_in(driver: PortalUser) -> None:
    log_in(driver)
    PortalUser.objects.filter(pk=driver.pk).update(password="hash", password_lapses_at=timezone.now())
    PortalPasskey.objects.create(user=driver, credential_id="one", credential=b"1")
    assert people.leave(driver)
    assert not people.leave(driver)
    driver.refresh_from_db()
    assert (driver.status, driver.password, driver.password_lapses_at) == ("left", "", None)
    assert not has_session(driver)
    assert not driver.passkeys.exists()
    assert sentences() == ["left the portal Driver portal: Driver 0"]


def test_removal_ends_an_open_invitation_too(cast: Cast, portal: Portal) -> None:
    invitation = invite(portal, phone=NUMBERS[5], actor=cast.owner)
    assert people.remove(invitation.user, actor=cast.owner)
    invitation.refresh_from_db()
    assert invitation.revoked_at is not None
    assert not people.remove(invitation.user, actor=cast.owner)


def test_a_role_is_one_of_the_same_portal(cast: Cast, portal: Portal, driver: PortalUser) -> None:
    role = PortalRole.objects.create(portal=portal, name="Drivers")
    assert people.change_role(driver, role=role, actor=cast.owner)
    assert not people.change_role(driver, role=role, actor=cast.owner)
    assert sentences() == ["changed the role of Driver 0 in the portal Driver portal from none to Drivers"]
    foreign = PortalRole.objects.create(portal=make_portal(cast, name="Suppliers"), name="Suppliers")
    with pytest.raises(people.PersonProblem):
        people.change_role(driver, role=foreign, actor=cast.owner)


def test_erasure_leaves_a_row_that_says_of_nobody_whose_it_is(cast: Cast, portal: Portal) -> None:
    driver, other = person(portal, 0, answers=True), person(portal, 1, answers=True)
    log_in(driver)
    PortalLogin.objects.create(
        portal=portal, user=driver, how="code", outcome="in", region="DE", device="Firefox", network="192.0.2.0/24"
    )
    people.suspend(driver, actor=cast.owner)
    people.erase(driver, actor=cast.owner)
    driver.refresh_from_db()
    assert (driver.phone, driver.name, driver.status, driver.submission) == ("", "", "left", None)
    assert not driver.sessions.exists()
    login = PortalLogin.objects.get()
    assert (login.user, login.device, login.network, login.region) == (None, "", "", "DE")
    assert list(Submission.objects.all()) == [other.submission]
    assert not AuditEntry.objects.filter(object_label__contains="Driver 0").exists()
    assert AuditEntry.objects.filter(action="portal_user.erased", object_label="an erased portal user").exists()


def test_an_erased_number_may_come_again(cast: Cast, portal: Portal, driver: PortalUser) -> None:
    people.erase(driver, actor=cast.owner)
    assert invite(portal, phone=NUMBERS[0], actor=cast.owner).user != driver
    assert PortalInvitation.objects.count() == 1
