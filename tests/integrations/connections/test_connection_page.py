"""The page of a connection: what it shows, and what can be done there."""

import uuid
from typing import Any

import pytest

from integrations.connections import registry
from integrations.connections.models import Connection
from integrations.connections.refusals import record_refusal
from integrations.connections.webhooks import inbound_url
from integrations.organizations.models import AuditEntry
from integrations.twilio.errors import TwilioUnreachable
from tests.conftest import Cast

from .conftest import saved_connection
from .fake_twilio import ACCOUNT, KEY, MG, NUMBER, SECRET, TOKEN, FakeTwilio, refused


@pytest.fixture
def live(cast: Cast) -> Connection:
    return saved_connection(
        organization=cast.organization,
        auth="api_key",
        account_sid=ACCOUNT,
        api_key_sid=KEY,
        api_key_secret=SECRET,
        auth_token="",
        messaging_service_sid=MG,
    )


def url(cast: Cast, connection: Connection, rest: str = "") -> str:
    return cast.url(f"integration/twilio/{connection.pk}/{rest}")


def page(cast: Cast, connection: Connection, who: str = "owner") -> str:
    answer = cast.client(who).get(url(cast, connection))
    assert answer.status_code == 200
    return answer.content.decode()


READ = ["", "settings/", "disconnect/", "rotate/", "webhook-tokens/"]
WRITE = ["check/", "default/", "settings/", "disconnect/", "rotate/", "webhook-tokens/"]


@pytest.mark.parametrize("rest", READ)
@pytest.mark.parametrize(
    ("who", "status"), [("owner", 200), ("admin", 200), ("agent", 403), ("viewer", 403), ("stranger", 404), (None, 302)]
)
def test_who_may_look(cast: Cast, live: Connection, rest: str, who: str | None, status: int) -> None:
    assert cast.client(who).get(url(cast, live, rest)).status_code == status


@pytest.mark.parametrize("rest", WRITE)
@pytest.mark.parametrize(("who", "status"), [("agent", 403), ("viewer", 403), ("stranger", 404), (None, 302)])
def test_who_may_not_change(
    cast: Cast, live: Connection, twilio: FakeTwilio, rest: str, who: str | None, status: int
) -> None:
    assert cast.client(who).post(url(cast, live, rest)).status_code == status
    live.refresh_from_db()
    assert live.status == "active"
    assert not twilio.calls
    assert not AuditEntry.objects.filter(action__startswith="connection").exists()


@pytest.mark.parametrize("rest", READ)
def test_connection_of_another_organization_does_not_exist(cast: Cast, live: Connection, rest: str) -> None:
    path = f"integration/twilio/{live.pk}/{rest}"
    assert cast.client("stranger").get(cast.url(path, cast.other)).status_code == 404
    assert cast.client("owner").get(cast.url(f"integration/twilio/{uuid.uuid4()}/{rest}")).status_code == 404


@pytest.mark.parametrize(("mode", "badge"), [("live", "LIVE"), ("sandbox", "SANDBOX"), ("test", "TEST")])
def test_mode_cannot_be_confused(cast: Cast, live: Connection, mode: str, badge: str) -> None:
    Connection.objects.update(mode=mode)
    shown = page(cast, live)
    badges = {word for word in ("LIVE", "SANDBOX", "TEST") if f"</span>{word}</span>" in shown}
    assert badges == {badge}


def test_webhook_addresses_are_shown(cast: Cast, live: Connection, settings: Any) -> None:
    settings.PUBLIC_BASE_URL, settings.TWILIO_BASE_URL = "https://sms.acme.com", ""
    shown = page(cast, live)
    assert inbound_url(live) in shown.replace("&amp;", "&")
    assert "signature of ours" in shown
    assert "PUBLIC_BASE_URL" not in shown


def test_unreachable_installation_is_told_what_will_be_missing(cast: Cast, live: Connection, settings: Any) -> None:
    settings.PUBLIC_BASE_URL, settings.TWILIO_BASE_URL = "http://localhost:8000", ""
    shown = page(cast, live)
    assert "Replies, STOP and START do not arrive at all" in shown
    Connection.objects.update(mode="sandbox")
    assert "do not arrive at all" not in page(cast, live)


def test_refused_webhooks_are_listed_with_reason_and_remedy(cast: Cast, live: Connection) -> None:
    record_refusal(live, "/hooks/twilio/k/status/1", "wrong_signature", "Tried 1 token.", "203.0.113.7")
    shown = page(cast, live)
    assert "Signature does not fit" in shown
    assert "Tried 1 token." in shown
    assert "enter a new one under Rotate" in shown
    record_refusal(live, "/x", "never_heard_of", "", "")
    assert "Never heard of" in page(cast, live)


def test_broken_connection_says_why_and_what_to_do(cast: Cast, live: Connection) -> None:
    Connection.objects.update(status="broken", broken_code=20003)
    shown = page(cast, live)
    assert "Twilio error 20003" in shown
    assert "Enter new credentials" in shown


def test_unreadable_secret_is_said_and_no_500(cast: Cast, live: Connection, settings: Any) -> None:
    from cryptography.fernet import Fernet

    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode()]
    assert "cannot be decrypted" in page(cast, live)
    answer = cast.client("owner").post(url(cast, live, "check/"), follow=True)
    assert "cannot be decrypted" in answer.content.decode()


def test_check_again_repairs_a_broken_connection(cast: Cast, live: Connection, twilio: FakeTwilio) -> None:
    Connection.objects.update(status="broken", broken_code=20003)
    answer = cast.client("admin").post(url(cast, live, "check/"), follow=True)
    live.refresh_from_db()
    assert live.status == "active"
    assert "everything needed for sending" in answer.content.decode()
    assert AuditEntry.objects.filter(action="connection.recovered").count() == 1


def test_check_again_finds_a_revoked_key(cast: Cast, live: Connection, twilio: FakeTwilio) -> None:
    twilio.everything(refused(20003, 401))
    cast.client("owner").post(url(cast, live, "check/"))
    live.refresh_from_db()
    assert (live.status, live.broken_code) == ("broken", 20003)


def test_empty_pool_is_reported_and_does_not_break(cast: Cast, live: Connection, twilio: FakeTwilio) -> None:
    twilio.answers["list_senders"] = []
    answer = cast.client("owner").post(url(cast, live, "check/"), follow=True)
    live.refresh_from_db()
    assert live.status == "active"
    assert "has no sender" in answer.content.decode()


def test_check_without_an_answer_changes_no_state(cast: Cast, live: Connection, twilio: FakeTwilio) -> None:
    twilio.everything(TwilioUnreachable("gone"))
    for status in ("broken", "active"):
        Connection.objects.update(status=status, broken_code=20003 if status == "broken" else None)
        cast.client("owner").post(url(cast, live, "check/"))
        live.refresh_from_db()
        assert live.status == status


def test_default_is_handed_over(cast: Cast, live: Connection) -> None:
    second = saved_connection(organization=cast.organization, name="Second", is_default=False)
    client = cast.client("owner")
    for _ in range(2):
        assert client.post(url(cast, second, "default/")).status_code == 302
    assert Connection.objects.get(is_default=True) == second
    assert AuditEntry.objects.filter(action="connection.made_default").count() == 1
    Connection.objects.filter(pk=live.pk).update(status="disconnected")
    answer = client.post(url(cast, live, "default/"), follow=True)
    assert "cannot be the default" in answer.content.decode()
    assert Connection.objects.get(is_default=True) == second


def test_name_and_speed_change_without_asking_twilio(cast: Cast, live: Connection, twilio: FakeTwilio) -> None:
    fields = {"name": "Night shift", "messaging_service_sid": MG, "mps": "5"}
    assert cast.client("owner").post(url(cast, live, "settings/"), fields).status_code == 302
    live.refresh_from_db()
    assert (live.name, str(live.mps)) == ("Night shift", "5.00")
    assert not twilio.calls
    assert AuditEntry.objects.get(action="connection.changed").changes["name"] == ["Twilio", "Night shift"]


def test_new_sender_is_checked_before_it_is_used(cast: Cast, live: Connection, twilio: FakeTwilio) -> None:
    twilio.answers["find_number"] = None
    client, fields = cast.client("owner"), {"name": "Twilio", "messaging_service_sid": "", "sender": NUMBER}
    answer = client.post(url(cast, live, "settings/"), fields)
    live.refresh_from_db()
    assert answer.status_code == 422
    assert "not a number of this Twilio account" in answer.context["form"].errors["sender"][0]
    assert live.messaging_service_sid == MG
    fields["sender"] = "Acme"
    assert client.post(url(cast, live, "settings/"), fields).status_code == 302
    live.refresh_from_db()
    assert (live.messaging_service_sid, live.sender) == ("", "Acme")


def test_disconnecting_says_what_it_means_and_wipes_secrets(
    cast: Cast, live: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "_sources", [lambda connection: ["312 queued messages will fail."]])
    saved_connection(organization=cast.organization, name="Simulated", mode="sandbox", is_default=False)
    spare = saved_connection(organization=cast.organization, name="Spare", is_default=False)
    client = cast.client("owner")
    asked = client.get(url(cast, live, "disconnect/")).content.decode()
    assert "312 queued messages will fail." in asked
    assert "“Spare” becomes the default" in asked
    assert Connection.objects.get(pk=live.pk).status == "active"
    client.post(url(cast, live, "disconnect/"))
    live.refresh_from_db()
    assert (live.status, live.is_default) == ("disconnected", False)
    secrets = (live.api_key_secret, live.auth_token, live.signing_token, live.signing_token_secondary, live.hook_secret)
    assert not any(secrets)
    assert Connection.objects.get(is_default=True) == spare
    assert live.account_sid == ACCOUNT
    assert "Its secrets are gone" in page(cast, live)


def test_live_default_is_not_handed_to_the_sandbox(cast: Cast, live: Connection) -> None:
    saved_connection(organization=cast.organization, mode="sandbox", is_default=False)
    client = cast.client("owner")
    assert "no default connection" in client.get(url(cast, live, "disconnect/")).content.decode()
    client.post(url(cast, live, "disconnect/"))
    assert not Connection.objects.filter(is_default=True).exists()


def test_disconnected_connection_can_only_be_looked_at(cast: Cast, live: Connection, twilio: FakeTwilio) -> None:
    client = cast.client("owner")
    for _ in range(2):
        client.post(url(cast, live, "disconnect/"))
    assert AuditEntry.objects.filter(action="connection.disconnected").count() == 1
    for rest in ("settings/", "rotate/", "webhook-tokens/", "check/"):
        answer = client.post(url(cast, live, rest), {"auth_token": TOKEN})
        assert (answer.status_code, answer.url) == (302, url(cast, live))
    live.refresh_from_db()
    assert not live.auth_token
    assert not twilio.calls


def test_page_asks_as_often_for_many_refusals_as_for_one(
    cast: Cast, live: Connection, django_assert_max_num_queries: Any
) -> None:
    client = cast.client("owner")
    for n in range(15):
        record_refusal(live, f"/hooks/{n}", "unsigned", "", "")
    client.get(url(cast, live))
    with django_assert_max_num_queries(13):
        client.get(url(cast, live))
