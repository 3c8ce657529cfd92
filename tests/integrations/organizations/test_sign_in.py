"""Signing in, second factors, passwords, and where one lands."""

import re

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.core import mail
from django.test import Client

from integrations.organizations.models import AuditEntry
from integrations.organizations.people import create_person
from tests.conftest import Cast
from tests.factories import PASSWORD, MemberFactory, UserFactory

NEW_PASSWORD = "a quiet harbour at dawn"


def _sign_in(client: Client, email: str, password: str = PASSWORD, next_: str = "") -> object:
    return client.post("/accounts/login/", {"login": email, "password": password, "next": next_})


def _code(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))


def test_one_organization_is_entered_at_once(cast: Cast) -> None:
    client = Client()
    assert _sign_in(client, "Owner@ACME.example")["Location"] == "/"
    assert client.get("/")["Location"] == "/o/acme/"


def test_of_several_the_last_one_is_entered(cast: Cast) -> None:
    MemberFactory(organization=cast.other, user=cast.viewer, role="viewer")
    client = Client()
    client.force_login(cast.viewer)
    assert client.get("/")["Location"] == "/organizations/"
    page = client.get("/organizations/").content.decode()
    assert "Acme Logistics" in page
    assert "Borealis" in page
    client.get("/o/borealis/members/leave/")
    assert client.get("/")["Location"] == "/o/borealis/"
    cast.other.members.filter(user=cast.viewer).delete()
    assert client.get("/")["Location"] == "/o/acme/"


def test_landing_of_people_without_an_organization(cast: Cast) -> None:
    lonely = UserFactory()
    client = Client()
    client.force_login(lonely)
    assert client.get("/")["Location"] == "/organizations/"
    assert "You belong to no organization" in client.get("/organizations/").content.decode()
    assert cast.client("operator").get("/")["Location"] == "/operator/"
    assert cast.client(None).get("/")["Location"] == "/accounts/login/"
    assert cast.client(None).get("/organizations/")["Location"].startswith("/accounts/login/")


def test_expired_session_leads_back_to_the_page(cast: Cast) -> None:
    client = Client()
    asked = client.get(cast.url("members/?q=a"))
    assert asked["Location"] == "/accounts/login/?next=/o/acme/members/%3Fq%3Da"
    form = client.get(asked["Location"]).content.decode()
    assert 'name="next" value="/o/acme/members/?q=a"' in form
    assert _sign_in(client, "owner@acme.example", next_="/o/acme/members/?q=a")["Location"] == "/o/acme/members/?q=a"


def test_sign_in_does_not_lead_to_other_sites(cast: Cast) -> None:
    assert _sign_in(Client(), "owner@acme.example", next_="https://evil.example/")["Location"] == "/"


def test_wrong_password_and_unknown_address_get_the_same_answer(cast: Cast) -> None:
    strip = re.compile(r'value="[^"]*"')
    answers = {
        strip.sub("", _sign_in(Client(), email, "wrong password").content.decode())
        for email in ("owner@acme.example", "nobody@acme.example")
    }
    assert len(answers) == 1
    assert "do not belong together" in answers.pop()


def test_too_many_failed_tries_are_stopped(cast: Cast) -> None:
    client = Client()
    for _ in range(5):
        _sign_in(client, "owner@acme.example", "wrong password")
    assert "Too many tries" in _sign_in(client, "owner@acme.example").content.decode()
    assert _sign_in(Client(), "admin@acme.example").status_code == 302


def test_inactive_person_stays_out(cast: Cast) -> None:
    cast.agent.is_active = False
    cast.agent.save(update_fields=["is_active"])
    client = Client()
    _sign_in(client, "agent@acme.example")
    assert client.get(cast.url("members/leave/")).status_code == 302


def test_sign_up_is_closed_without_invitation(cast: Cast, settings) -> None:
    assert "Accounts come by invitation" in Client().get("/accounts/signup/").content.decode()
    settings.OPEN_SIGNUP = True
    assert "Create your account" in Client().get("/accounts/signup/").content.decode()


@pytest.mark.django_db(transaction=True)
def test_second_factor_from_activation_to_recovery(cast: Cast) -> None:
    person = create_person(email="mfa@acme.example", password=PASSWORD)
    MemberFactory(organization=cast.organization, user=person, role="agent")
    client = Client()
    _sign_in(client, "mfa@acme.example")
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    page = client.get("/accounts/2fa/totp/activate/")
    secret = page.context["form"].secret
    assert secret in page.content.decode()
    assert client.post("/accounts/2fa/totp/activate/", {"code": "000000"}).status_code == 200
    assert client.post("/accounts/2fa/totp/activate/", {"code": _code(secret)}).status_code == 302
    stored = Authenticator.objects.get(type=Authenticator.Type.TOTP)
    assert secret not in str(stored.data)
    codes = client.get("/accounts/2fa/recovery-codes/").context["unused_codes"]
    assert AuditEntry.objects.filter(action="user.two_factor_activated", actor_id=person.pk).exists()
    assert "on" in cast.client("owner").get(cast.url("members/"), {"q": "mfa@"}).content.decode()

    other = Client()
    assert _sign_in(other, "mfa@acme.example")["Location"].startswith("/accounts/2fa/authenticate/")
    assert other.get(cast.url("members/leave/")).status_code == 302
    assert "Your second factor" in other.get("/accounts/2fa/authenticate/").content.decode()
    assert other.post("/accounts/2fa/authenticate/", {"code": codes[0]}).status_code == 302
    assert other.get(cast.url("members/leave/")).status_code == 200

    again = Client()
    _sign_in(again, "mfa@acme.example")
    assert again.post("/accounts/2fa/authenticate/", {"code": codes[0]}).status_code == 200  # used


def test_password_reset_by_letter(cast: Cast, settings) -> None:
    settings.PUBLIC_BASE_URL = "https://sms.example.org"
    client = Client()
    assert client.post("/accounts/password/reset/", {"email": "agent@acme.example"}).status_code == 302
    [letter] = mail.outbox
    [link] = re.findall(r"https://sms\.example\.org(/accounts/password/reset/key/\S+)", letter.body)
    page = client.get(link, follow=True)
    assert "Choose a new password" in page.content.decode()
    done = client.post(page.request["PATH_INFO"], {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})
    assert done.status_code == 302
    assert _sign_in(Client(), "agent@acme.example", NEW_PASSWORD).status_code == 302
    assert AuditEntry.objects.get().action == "user.password_changed"
    assert "no longer works" in Client().get(link, follow=True).content.decode()


def test_password_reset_tells_nobody_who_has_an_account(cast: Cast) -> None:
    known = Client().post("/accounts/password/reset/", {"email": "agent@acme.example"})
    unknown = Client().post("/accounts/password/reset/", {"email": "nobody@acme.example"})
    assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])


@pytest.mark.parametrize(
    "path",
    [
        "email/",
        "password/change/",
        "2fa/",
        "logout/",
        "reauthenticate/",
    ],
)
def test_account_pages_have_our_frame(cast: Cast, path: str) -> None:
    page = cast.client("viewer").get(f"/accounts/{path}", follow=True).content.decode()
    assert "hg-plain-box" in page
    assert "hg-foot" in page


def test_signing_out_needs_a_post_and_ends_at_sign_in(cast: Cast) -> None:
    client = cast.client("owner")
    client.get("/accounts/logout/")
    assert client.get(cast.url("members/")).status_code == 200
    assert client.post("/accounts/logout/")["Location"] == "/accounts/login/"
    assert client.get(cast.url("members/")).status_code == 302
