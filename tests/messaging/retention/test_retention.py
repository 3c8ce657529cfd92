"""Texts that have served their time: removed here, everywhere a copy is, and at Twilio; what it refuses is shown."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from integrations.connections.models import Connection
from integrations.organizations.models import AuditEntry
from integrations.sandbox.credentials import SandboxCredentials
from integrations.twilio.client import Gateway
from integrations.twilio.errors import TwilioOutcomeUnknown, TwilioRefused
from messaging.broadcasts.models import Broadcast, Recipient
from messaging.inbox.models import Conversation
from messaging.receipts.models import Callback
from messaging.retention import kept, removing
from messaging.retention.kept import forget_due
from messaging.retention.models import RetentionPolicy, TwilioRemoval
from messaging.retention.removing import MOST_ATTEMPTS, redact_due, remove_at_twilio
from messaging.sending.models import Message
from messaging.verification.models import Verification, VerificationSend
from tests.conftest import Cast
from tests.factories import ConnectionFactory, ContactFactory, MessageFactory
from tests.plugins.sandbox import SandboxServer

PHONE = "+4915112345678"


def old(cast: Cast, connection: Connection, *, days: int = 40, **more: Any) -> Message:
    at = timezone.now() - timedelta(days=days)
    fields = {"status": "delivered", "phone": PHONE, "body": "private", "created_at": at, "finished_at": at, **more}
    return MessageFactory(organization=cast.organization, connection=connection, **fields)


def keep(cast: Cast, days: int | None) -> None:
    RetentionPolicy.objects.update_or_create(organization=cast.organization, defaults={"days": days})


def test_only_texts_older_than_the_setting_go_and_only_where_one_is_set(cast: Cast, connection: Connection) -> None:
    gone, young = old(cast, connection), old(cast, connection, days=10)
    waiting = old(cast, connection, status="queued", finished_at=None)
    elsewhere = MessageFactory(
        organization=cast.other, connection=ConnectionFactory(organization=cast.other), finished_at=gone.finished_at
    )
    assert redact_due() == 0
    keep(cast, 30)
    assert redact_due() == 1
    assert redact_due() == 0
    bodies = dict(Message.objects.values_list("pk", "body"))
    assert bodies == {gone.pk: "", young.pk: "private", waiting.pk: "private", elsewhere.pk: elsewhere.body}
    gone.refresh_from_db()
    assert gone.redacted_at is not None
    assert (gone.phone, gone.status, gone.segments) == (PHONE, "delivered", 1)


def test_slices_go_on_until_everything_is_done(
    cast: Cast, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removing, "SLICE", 2)
    for _ in range(5):
        old(cast, connection)
    keep(cast, 30)
    assert redact_due() == 5


def test_copies_go_too(cast: Cast, connection: Connection) -> None:
    at = timezone.now() - timedelta(days=40)
    broadcast = Broadcast.objects.create(organization=cast.organization, name="News", audience="contacts")
    row = Recipient.objects.create(
        broadcast=broadcast, row=3, phone=PHONE, state="ready", body="private", variables={"name": "X"}
    )
    old(cast, connection, broadcast=broadcast, broadcast_row=3)
    old(cast, connection, direction="inbound", status="received")
    talk = Conversation.objects.create(organization=cast.organization, phone=PHONE, last_text="private", last_at=at)
    told = {"From": PHONE, "Body": "private", "MessageSid": "SM1"}
    kept = Callback.objects.create(connection=connection, kind="inbound", params=told, checked_with="x")
    before = Callback.objects.create(
        connection=connection, kind="inbound", params=told, checked_with="x", received_at=at
    )
    keep(cast, 30)
    redact_due()
    for one in (row, talk, kept, before):
        one.refresh_from_db()
    assert (row.body, row.variables, talk.last_text) == ("", {}, "")
    assert "Body" in kept.params
    assert before.params == {"From": PHONE, "MessageSid": "SM1"}


@pytest.fixture
def account(sandbox: SandboxServer) -> SandboxCredentials:
    return sandbox.new_account()


@pytest.fixture
def sandbox_connection(cast: Cast, account: SandboxCredentials) -> Connection:
    return ConnectionFactory(
        organization=cast.organization,
        mode="sandbox",
        account_sid=account.account_sid,
        auth_token=account.auth_token,
        messaging_service_sid=account.messaging_service_sid,
    )


def test_twilio_removes_its_copy(
    cast: Cast, sandbox: SandboxServer, account: SandboxCredentials, sandbox_connection: Connection
) -> None:
    api = sandbox.api(account)
    sids = [api.send(body="private").json()["sid"] for _ in range(2)]
    old(cast, sandbox_connection, provider_sid=sids[0])
    keep(cast, 30)
    redact_due()
    assert TwilioRemoval.objects.get().what == "text"
    assert remove_at_twilio() == 1
    assert api.message(sids[0])["body"] == ""
    message = old(cast, sandbox_connection, provider_sid=sids[1], days=1)
    removing.ask_twilio([message], what=TwilioRemoval.What.MESSAGE)
    assert remove_at_twilio() == 1
    assert api.account("GET", f"/Messages/{sids[1]}.json").status_code == 404
    # What Twilio does not have any more is as good as removed.
    removing.ask_twilio([message], what=TwilioRemoval.What.MESSAGE)
    assert remove_at_twilio() == 1
    assert not TwilioRemoval.objects.exists()


def refuse(monkeypatch: pytest.MonkeyPatch, error: Exception) -> list[str]:
    asked: list[str] = []

    def redact(self: Gateway, sid: str) -> None:
        asked.append(sid)
        raise error

    monkeypatch.setattr(Gateway, "redact_message", redact)
    return asked


def test_what_twilio_refuses_is_asked_again_later_then_shown_and_asked_at_will(
    cast: Cast, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = refuse(monkeypatch, TwilioRefused("no", code=20003, http_status=401))
    removing.ask_twilio([old(cast, connection, provider_sid="SM" + "1" * 32)], what=TwilioRemoval.What.TEXT)
    assert remove_at_twilio() == 0
    row = TwilioRemoval.objects.get()
    assert (row.attempts, row.error_code) == (1, 20003)
    assert row.next_try_at is not None
    assert row.next_try_at > timezone.now()
    assert remove_at_twilio() == 0  # not due yet
    assert len(asked) == 1
    TwilioRemoval.objects.update(attempts=MOST_ATTEMPTS - 1, next_try_at=timezone.now())
    remove_at_twilio()
    assert TwilioRemoval.objects.get().is_given_up
    client = cast.client("admin")
    page = client.get(cast.url("settings/retention/")).content.decode()
    assert "1 message could not be removed at Twilio" in page
    assert "(20003)" in page
    client.post(cast.url("settings/retention/again/"))
    assert not TwilioRemoval.objects.get().is_given_up


@pytest.mark.parametrize("error", [TwilioOutcomeUnknown("timeout"), TwilioRefused("slow", http_status=429)])
def test_trouble_of_the_moment_is_no_end(
    cast: Cast, connection: Connection, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    refuse(monkeypatch, error)
    removing.ask_twilio([old(cast, connection, provider_sid="SM" + "1" * 32)], what=TwilioRemoval.What.TEXT)
    remove_at_twilio()
    assert not TwilioRemoval.objects.get().is_given_up


def test_a_disconnected_connection_breaks_nothing(cast: Cast, connection: Connection) -> None:
    Connection.objects.filter(pk=connection.pk).update(auth_token="")
    removing.ask_twilio([old(cast, connection, provider_sid="SM" + "1" * 32)], what=TwilioRemoval.What.TEXT)
    assert remove_at_twilio() == 0
    assert TwilioRemoval.objects.get().attempts == 1


def test_setting_it_says_what_goes_and_asks_before(cast: Cast, connection: Connection) -> None:
    old(cast, connection)
    client, url = cast.client("admin"), cast.url("settings/retention/")
    assert client.get(url).status_code == 200
    asked = client.post(url, {"days": "30"}).content.decode()
    assert "Remove the texts of 1 message</button>" in asked
    assert not RetentionPolicy.objects.exists()
    client.post(url, {"days": "30", "confirmed": "1"})
    assert RetentionPolicy.objects.get().days == 30
    assert AuditEntry.objects.get(action="retention.changed").changes == {"days": ["unlimited", 30]}
    client.post(url, {"days": "60"})  # longer: nothing goes that would have stayed
    client.post(url, {"days": ""})
    assert RetentionPolicy.objects.get().days is None


@pytest.mark.parametrize("days", ["0", "-5", "x", "99999", "1.5"])
def test_a_bad_number_of_days_is_said_at_the_field(cast: Cast, days: str) -> None:
    response = cast.client("admin").post(cast.url("settings/retention/"), {"days": days})
    assert response.status_code == 422
    assert b"hg-field-wrong" in response.content


@pytest.mark.parametrize(("who", "status"), [("agent", 403), ("stranger", 404), (None, 302)])
def test_only_admins_set_it(cast: Cast, who: str | None, status: int) -> None:
    client = cast.client(who)
    assert client.get(cast.url("settings/retention/")).status_code == status
    assert client.post(cast.url("settings/retention/"), {"days": "30"}).status_code == status
    assert client.post(cast.url("settings/retention/again/")).status_code == status


def test_the_log_and_the_contact_say_that_a_text_was_removed(cast: Cast, connection: Connection) -> None:
    contact = ContactFactory(organization=cast.organization, phone=PHONE)
    message = old(cast, connection, contact=contact)
    keep(cast, 30)
    redact_due()
    client = cast.client("viewer")
    for path in ("messages/", f"messages/{message.pk}/", f"contacts/{contact.pk}/"):
        page = client.get(cast.url(path)).content.decode()
        assert "private" not in page
        assert "text was removed" in page, path


class TestVerifications:
    """Deleted as a whole after days of their own."""

    def made(self, cast: Cast, *, days: int = 40, **more: Any) -> Verification:
        at = timezone.now() - timedelta(days=days)
        fields: dict[str, Any] = {
            "organization": cast.organization, "phone": PHONE, "region": "DE", "asker_kind": "api", "backend": "own",
            "route": "platform", "status": "expired", "created_at": at, "expires_at": at, "resend_after": at,
            "ended_at": at, "sends": 1, **more,
        }  # fmt: skip
        return Verification.objects.create(**fields)

    def test_only_old_ones_go_and_only_where_days_are_set(self, cast: Cast, connection: Connection) -> None:
        gone, young = self.made(cast), self.made(cast, days=10)
        waiting = self.made(cast, status="pending", ended_at=None)
        elsewhere = self.made(cast, organization=cast.other)
        message = old(cast, connection)
        VerificationSend.objects.create(verification=gone, channel="sms", message=message)
        assert forget_due() == 0
        keep(cast, None)
        assert forget_due() == 0, "texts alone are another thing"
        RetentionPolicy.objects.update(verification_days=30)
        assert forget_due() == 1
        assert forget_due() == 0
        assert set(Verification.objects.all()) == {young, waiting, elsewhere}
        assert Message.objects.filter(pk=message.pk).exists() and not VerificationSend.objects.exists()

    def test_in_slices(self, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(kept, "SLICE", 2)
        for _ in range(5):
            self.made(cast)
        RetentionPolicy.objects.create(organization=cast.organization, verification_days=30)
        assert forget_due(slices=1) == 2
        assert forget_due() == 3

    def test_the_page_asks_before_and_the_log_says_it(self, cast: Cast) -> None:
        self.made(cast)
        client, url = cast.client("admin"), cast.url("settings/retention/")
        page = client.get(url).content.decode()
        assert "Days until verifications are deleted" in page and "Days until submissions are deleted" in page
        asked = client.post(url, {"verification_days": "30"}).content.decode()
        assert "Remove 1 verification</button>" in asked
        assert not RetentionPolicy.objects.exists()
        saved = client.post(url, {"verification_days": "30", "confirmed": "1"}, follow=True).content.decode()
        assert "Verifications are deleted after 30 days." in saved
        assert RetentionPolicy.objects.get().verification_days == 30
        entry = AuditEntry.objects.get(action="retention.verifications_changed")
        assert entry.changes == {"days": ["unlimited", 30]}
        assert client.post(url, {"verification_days": "0"}).status_code == 422
