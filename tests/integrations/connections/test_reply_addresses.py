"""Replies come here with one click: what stands at Twilio, set, agreed to, and put back. On the real sandbox."""

from typing import Any

import pytest
from django.test import Client

from integrations.connections.models import Connection, ReplyAddress
from integrations.connections.replies.places import State, look
from integrations.connections.replies.pointing import agreement, point_here, put_back
from integrations.connections.sandbox import connect_sandbox
from integrations.connections.webhooks import inbound_url
from integrations.encryption import Secret
from integrations.organizations.models import AuditEntry
from messaging.sending.models import Message
from tests.conftest import Cast
from tests.factories import ConnectionFactory
from tests.plugins.sandbox import SandboxServer

pytestmark = pytest.mark.django_db
THEIRS = "https://crm.example.com/sms?key=secret"


@pytest.fixture
def live(cast: Cast, sandbox: SandboxServer) -> Connection:
    """A connection with a Messaging Service, whose inbound address is empty."""
    connection = connect_sandbox(cast.organization, actor=cast.owner, with_check=False)
    sandbox.control.change_service(connection.account_sid, inbound_request_url="")
    return connection


@pytest.fixture
def by_number(cast: Cast, sandbox: SandboxServer) -> Connection:
    """A connection that sends from a number; the account has two."""
    account = sandbox.new_account()
    sandbox.control.add_number(account.account_sid, "+14155550188")
    return ConnectionFactory(
        organization=cast.organization,
        mode="sandbox",
        account_sid=account.account_sid,
        auth_token=Secret.of(account.auth_token),
        messaging_service_sid="",
        sender=account.phone_number,
    )


def service_url(sandbox: SandboxServer, connection: Connection) -> str | None:
    return sandbox.control.account(connection.account_sid)["messaging_services"][0]["inbound_request_url"]


def number_urls(sandbox: SandboxServer, connection: Connection) -> dict[str, str]:
    return {row["number"]: row["sms_url"] for row in sandbox.control.account(connection.account_sid)["numbers"]}


def test_missing_address_is_set_with_one_click_and_taken_back(
    cast: Cast, sandbox: SandboxServer, live: Connection
) -> None:
    (place,) = look(live).places
    assert place.state == State.MISSING
    (outcome,) = point_here(live, sids=[place.sid], actor=cast.owner)
    assert outcome.is_good
    assert service_url(sandbox, live) == inbound_url(live)
    assert look(live).places[0].state == State.RIGHT
    assert AuditEntry.objects.filter(action="connection.replies_set").count() == 1
    (again,) = point_here(live, sids=[place.sid], actor=cast.owner)
    assert again.text.endswith("here already.")
    (back,) = put_back(live, actor=cast.owner)
    assert back.is_good
    assert service_url(sandbox, live) is None
    assert put_back(live, actor=cast.owner) == []


def test_somebody_elses_address_is_replaced_only_when_agreed_and_put_back(
    cast: Cast, sandbox: SandboxServer, live: Connection
) -> None:
    sandbox.control.change_service(live.account_sid, inbound_request_url=THEIRS)
    (place,) = look(live).places
    assert (place.state, place.whose) == (State.OTHER, THEIRS)
    (refused,) = point_here(live, sids=[place.sid], actor=cast.owner)
    assert not refused.is_good
    assert THEIRS in refused.text
    assert service_url(sandbox, live) == THEIRS
    assert not ReplyAddress.objects.exists()
    # The member agreed to what stood there; meanwhile somebody entered another one.
    sandbox.control.change_service(live.account_sid, inbound_request_url="https://newer.example.com/")
    (changed,) = point_here(live, sids=[place.sid], replace=[agreement(place)], actor=cast.owner)
    assert not changed.is_good
    assert service_url(sandbox, live) == "https://newer.example.com/"
    (place,) = look(live).places
    (done,) = point_here(live, sids=[place.sid], replace=[agreement(place)], actor=cast.owner)
    assert done.is_good
    assert service_url(sandbox, live) == inbound_url(live)
    put_back(live, actor=cast.owner)
    assert service_url(sandbox, live) == "https://newer.example.com/"


def test_older_address_of_ours_is_renewed_and_never_put_back(
    cast: Cast, sandbox: SandboxServer, live: Connection
) -> None:
    old = f"http://old.example.com/hooks/twilio/{live.hook_key}/inbound"
    sandbox.control.change_service(live.account_sid, inbound_request_url=old)
    (place,) = look(live).places
    assert place.state == State.OLD
    point_here(live, sids=[place.sid], actor=cast.owner)
    assert service_url(sandbox, live) == inbound_url(live)
    put_back(live, actor=cast.owner)
    assert service_url(sandbox, live) is None


def test_what_somebody_entered_meanwhile_stays(cast: Cast, sandbox: SandboxServer, live: Connection) -> None:
    point_here(live, sids=[live.messaging_service_sid], actor=cast.owner)
    sandbox.control.change_service(live.account_sid, inbound_request_url=THEIRS)
    (outcome,) = put_back(live, actor=cast.owner)
    assert "nothing was changed" in outcome.text
    assert service_url(sandbox, live) == THEIRS


def test_several_numbers_are_set_and_put_back_each(cast: Cast, sandbox: SandboxServer, by_number: Connection) -> None:
    places = look(by_number).places
    assert [place.is_main for place in places] == [True, False]
    outcomes = point_here(by_number, sids=[place.sid for place in places], actor=cast.owner)
    assert [outcome.is_good for outcome in outcomes] == [True, True]
    assert set(number_urls(sandbox, by_number).values()) == {inbound_url(by_number)}
    put_back(by_number, sid=places[0].sid, actor=cast.owner)
    urls = number_urls(sandbox, by_number)
    assert urls[places[0].label] == ""
    assert urls[places[1].label] == inbound_url(by_number)


def test_service_that_leaves_replies_to_its_numbers_shows_the_numbers(
    cast: Cast, sandbox: SandboxServer, live: Connection
) -> None:
    sandbox.control.change_service(live.account_sid, use_inbound_webhook_on_number=True)
    (place,) = look(live).places
    assert (place.kind, place.state) == ("number", State.MISSING)
    point_here(live, sids=[place.sid], actor=cast.owner)
    assert number_urls(sandbox, live)[place.label] == inbound_url(live)


def test_credentials_that_do_not_work_are_said_to_be_the_reason(sandbox: SandboxServer, live: Connection) -> None:
    sandbox.control.change_account(live.account_sid, is_key_revoked=True)
    found = look(live)
    assert found.places == ()
    assert "does not accept the credentials" in found.problem


def test_no_address_is_entered_that_twilio_cannot_reach(
    cast: Cast, by_number: Connection, settings: Any, sandbox: SandboxServer
) -> None:
    settings.PUBLIC_BASE_URL = "http://localhost:8000"
    by_number.mode = "live"
    (outcome,) = point_here(by_number, sids=["x"], actor=cast.owner)
    assert "cannot reach" in outcome.text


def test_address_of_a_connection_without_token_carries_our_signature_and_is_believed(
    cast: Cast, live: Connection
) -> None:
    Connection.objects.filter(pk=live.pk).update(signing_token="")
    keyed = Connection.objects.get(pk=live.pk)
    url = inbound_url(keyed)
    assert "?h=" in url
    params = {"MessageSid": "SM" + "5" * 32, "From": "+4915112345678", "To": "+15550001111", "Body": "Hi"}
    path = url[url.index("/hooks/") :]
    assert Client().post(path, {**params, "AccountSid": keyed.account_sid}).status_code == 200
    assert Message.objects.get().body == "Hi"
    assert Client().post(path, {**params, "AccountSid": "AC" + "0" * 32}).status_code == 403
    assert Client().post(path.partition("?")[0], {**params, "AccountSid": keyed.account_sid}).status_code == 403


# ---- the page


def page_of(cast: Cast, who: str, connection: Connection) -> Any:
    return cast.client(who).get(cast.url(f"integration/twilio/{connection.pk}/replies/"))


def test_page_shows_expected_against_actual_and_sets_it(cast: Cast, sandbox: SandboxServer, live: Connection) -> None:
    page = page_of(cast, "admin", live).content.decode()
    assert "replies are lost" in page
    assert inbound_url(live) in page.replace("&amp;", "&")
    answer = cast.client("admin").post(
        cast.url(f"integration/twilio/{live.pk}/replies/"), {"place": live.messaging_service_sid}, follow=True
    )
    shown = answer.content.decode()
    assert "sends replies here now" in shown
    assert "Replies come here." in shown
    assert "Set the chosen ones" not in shown
    assert "Put back what stood" in shown


def test_page_warns_of_somebody_elses_address(cast: Cast, sandbox: SandboxServer, live: Connection) -> None:
    sandbox.control.change_service(live.account_sid, inbound_request_url=THEIRS)
    page = page_of(cast, "admin", live).content.decode()
    assert "may be replaced; I know whose it is" in page


def test_page_says_when_nothing_can_be_read(cast: Cast, sandbox: SandboxServer, live: Connection) -> None:
    sandbox.control.change_account(live.account_sid, is_key_revoked=True)
    assert "Cannot be read." in page_of(cast, "admin", live).content.decode()


def test_page_is_for_admins_of_the_organization(cast: Cast, live: Connection) -> None:
    assert page_of(cast, "agent", live).status_code == 403
    assert page_of(cast, "stranger", live).status_code == 404


def test_disconnecting_puts_the_address_back_first(cast: Cast, sandbox: SandboxServer, live: Connection) -> None:
    sandbox.control.change_service(live.account_sid, inbound_request_url=THEIRS)
    (place,) = look(live).places
    point_here(live, sids=[place.sid], replace=[agreement(place)], actor=cast.owner)
    client = cast.client("owner")
    path = cast.url(f"integration/twilio/{live.pk}/disconnect/")
    assert "replies go to https://crm.example.com/sms again" in client.get(path).content.decode()
    client.post(path)
    live.refresh_from_db()
    assert live.status == "disconnected"
    assert service_url(sandbox, live) == THEIRS


def test_disconnecting_goes_on_where_twilio_refuses_and_says_what_is_left(
    cast: Cast, sandbox: SandboxServer, live: Connection
) -> None:
    point_here(live, sids=[live.messaging_service_sid], actor=cast.owner)
    sandbox.control.change_account(live.account_sid, is_key_revoked=True)
    answer = cast.client("owner").post(cast.url(f"integration/twilio/{live.pk}/disconnect/"), follow=True)
    live.refresh_from_db()
    assert live.status == "disconnected"
    assert "may still send replies here" in answer.content.decode()
