"""Invitations from the form to the new member's first page."""

import smtplib
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.test import Client
from django.utils import timezone

from integrations.organizations.invitations import accept, invite, revoke, send_again
from integrations.organizations.models import AuditEntry, Invitation, Member, User
from integrations.organizations.problems import OrganizationProblem
from tests.conftest import Cast
from tests.factories import PASSWORD, UserFactory

NEW_PASSWORD = "a quiet harbour at dawn"


def _open(client: Client, link: str) -> Any:
    path = link.partition("/invitations/")[2]
    return client.get(f"/invitations/{path}")


def _invite(cast: Cast, email: str = "new@acme.example", role: str = "agent") -> tuple[Invitation, str]:
    return invite(cast.organization, email=email, role=role, actor=cast.member("owner"))


def test_inviting_sends_a_letter_and_shows_the_link_once(cast: Cast) -> None:
    client = cast.client("admin")
    response = client.post(cast.url("members/invite/"), {"email": "New@Acme.example", "role": "agent"})
    page = response.content.decode()
    assert "no-store" in response["Cache-Control"]
    invitation = Invitation.objects.get()
    assert invitation.email == "new@acme.example"
    [letter] = mail.outbox
    assert letter.to == ["new@acme.example"]
    [link] = [line for line in letter.body.splitlines() if "/invitations/" in line]
    assert link in page
    token = link.rstrip("/").rpartition("/")[2]
    assert token not in invitation.token_hash
    assert token not in str(AuditEntry.objects.values_list("changes", "object_label"))
    assert token not in client.get(cast.url("members/")).content.decode()


def test_a_mail_server_that_is_down_keeps_the_invitation(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise smtplib.SMTPServerDisconnected("gone")

    monkeypatch.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", refuse)
    response = cast.client("owner").post(cast.url("members/invite/"), {"email": "new@acme.example", "role": "agent"})
    assert response.status_code == 200
    assert "did not take the letter" in response.content.decode()
    assert Invitation.objects.get().is_open


def test_the_same_address_is_not_invited_twice(cast: Cast) -> None:
    _invite(cast)
    response = cast.client("owner").post(cast.url("members/invite/"), {"email": "NEW@acme.example", "role": "agent"})
    assert "is invited already" in response.content.decode()
    assert Invitation.objects.count() == 1


def test_a_member_is_not_invited(cast: Cast) -> None:
    with pytest.raises(OrganizationProblem) as problem:
        _invite(cast, email="Agent@acme.example")
    assert problem.value.code == "already_member"


def test_admin_cannot_invite_an_owner(cast: Cast) -> None:
    response = cast.client("admin").post(cast.url("members/invite/"), {"email": "x@acme.example", "role": "owner"})
    assert response.status_code == 200
    assert not Invitation.objects.exists()
    with pytest.raises(OrganizationProblem):
        invite(cast.organization, email="x@acme.example", role="owner", actor=cast.member("admin"))


def test_new_person_signs_up_and_is_in(cast: Cast) -> None:
    _, link = _invite(cast)
    client = Client()
    opened = _open(client, link)
    assert opened["Location"] == "/invitations/accept/"
    assert "Join Acme Logistics" in client.get("/invitations/accept/").content.decode()
    form = client.get("/accounts/signup/").content.decode()
    assert 'value="new@acme.example" readonly' in form
    response = client.post(
        "/accounts/signup/", {"email": "new@acme.example", "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    )
    assert response.status_code == 302
    user = User.objects.get(email="new@acme.example")
    assert Member.objects.get(user=user).role == "agent"
    assert user.emailaddress_set.get().verified  # the letter proved it
    assert client.get(cast.url("members/leave/")).status_code == 200
    assert AuditEntry.objects.filter(action="member.added", actor_id=user.pk).count() == 1
    assert "was used" in _opened_page(Client(), link)


def test_sign_up_holds_to_the_invited_address(cast: Cast) -> None:
    _, link = _invite(cast)
    client = Client()
    _open(client, link)
    response = client.post(
        "/accounts/signup/", {"email": "other@acme.example", "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    )
    assert "The invitation is for new@acme.example" in response.content.decode()
    assert not User.objects.filter(email="other@acme.example").exists()


def test_an_invitation_taken_back_while_the_form_was_open_lets_nobody_in(cast: Cast) -> None:
    invitation, link = _invite(cast)
    client = Client()
    _open(client, link)
    revoke(invitation, actor=cast.member("owner"))
    response = client.post(
        "/accounts/signup/", {"email": "new@acme.example", "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    )
    assert "by invitation" in response.content.decode()
    assert not User.objects.filter(email="new@acme.example").exists()


def test_existing_person_signs_in_and_accepts(cast: Cast) -> None:
    user = UserFactory(email="known@else.example")
    _, link = _invite(cast, email="known@else.example", role="viewer")
    client = Client()
    _open(client, link)
    response = client.post(
        "/accounts/login/?next=/invitations/accept/",
        {"login": "known@else.example", "password": PASSWORD, "next": "/invitations/accept/"},
    )
    assert response["Location"] == "/invitations/accept/"
    assert client.post("/invitations/accept/")["Location"] == "/o/acme/"
    assert Member.objects.get(user=user, organization=cast.organization).role == "viewer"
    assert client.post("/invitations/accept/").status_code == 410  # a second click: nothing left to accept


def test_somebody_else_who_is_signed_in_is_told_so(cast: Cast) -> None:
    _, link = _invite(cast)
    client = cast.client("stranger")
    _open(client, link)
    page = client.get("/invitations/accept/").content.decode()
    assert "You are signed in as stranger@borealis.example" in page
    assert client.post("/invitations/accept/").status_code == 302
    assert not Member.objects.filter(user=cast.stranger, organization=cast.organization).exists()


def _opened_page(client: Client, link: str) -> str:
    _open(client, link)
    response = client.get("/invitations/accept/")
    assert response.status_code == 410
    return response.content.decode()


def test_dead_links_say_why(cast: Cast) -> None:
    revoked, revoked_link = _invite(cast, email="a@acme.example")
    revoke(revoked, actor=cast.member("owner"))
    assert "was taken back" in _opened_page(Client(), revoked_link)
    _, expired_link = _invite(cast, email="b@acme.example")
    with time_machine.travel(timezone.now() + timedelta(days=7, minutes=1)):
        assert "has expired" in _opened_page(Client(), expired_link)
    assert "cannot be found" in _opened_page(Client(), "/invitations/nonsense/")


def test_sending_again_kills_the_old_link(cast: Cast) -> None:
    invitation, old = _invite(cast)
    response = cast.client("admin").post(cast.url(f"members/invitations/{invitation.pk}/resend/"))
    assert "no-store" in response["Cache-Control"]
    assert "cannot be found" in _opened_page(Client(), old)
    assert len(mail.outbox) == 1


def test_an_expired_invitation_is_renewed_by_inviting_again(cast: Cast) -> None:
    invitation, _ = _invite(cast)
    Invitation.objects.update(expires_at=timezone.now() - timedelta(days=1))
    again, _ = _invite(cast, role="viewer")
    assert again.pk == invitation.pk
    assert again.is_open
    assert again.role == "viewer"


def test_answered_invitations_can_be_changed_no_more(cast: Cast) -> None:
    user = UserFactory(email="new@acme.example")
    invitation, _ = _invite(cast)
    accept(invitation.pk, user=user)
    for attempt in (
        lambda: send_again(invitation, actor=cast.member("owner")),
        lambda: revoke(invitation, actor=cast.member("owner")),
        lambda: accept(invitation.pk, user=user),
    ):
        with pytest.raises(OrganizationProblem):
            attempt()
    client = cast.client("owner")
    assert client.post(cast.url(f"members/invitations/{invitation.pk}/revoke/")).status_code == 302
    invitation.refresh_from_db()
    assert invitation.revoked_at is None
