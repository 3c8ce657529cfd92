"""Connecting in the browser: who may, what is refused, what is kept, and that twice is once."""

import re
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections as databases

from integrations.connections.connecting import candidate, connect
from integrations.connections.models import Connection
from integrations.organizations.models import AuditEntry
from integrations.twilio.errors import TwilioUnreachable
from tests.conftest import Cast
from tests.factories import ConnectionFactory, OrganizationFactory

from .fake_twilio import ACCOUNT, KEY, MG, NUMBER, SECRET, TOKEN, VA, FakeTwilio, refused, sender

CONNECT = "integration/twilio/connect/"
TOKEN_WAY = CONNECT + "?way=auth_token"


def key_fields(**changes: str) -> dict[str, str]:
    fields = {
        "request_id": str(uuid.uuid4()),
        "name": "Twilio",
        "api_key_sid": KEY,
        "api_key_secret": SECRET,
        "messaging_service_sid": MG,
        "verify_service_sid": VA,
    }
    return {**fields, **changes}


def token_fields(**changes: str) -> dict[str, str]:
    fields = {"request_id": str(uuid.uuid4()), "name": "Twilio", "account_sid": ACCOUNT, "auth_token": TOKEN}
    return {**fields, "sender": NUMBER, **changes}


@pytest.mark.parametrize("path", ["integration/", CONNECT])
@pytest.mark.parametrize(
    ("who", "status"), [("owner", 200), ("admin", 200), ("agent", 403), ("viewer", 403), ("stranger", 404), (None, 302)]
)
def test_only_owner_and_admin_may_enter(cast: Cast, path: str, who: str | None, status: int) -> None:
    assert cast.client(who).get(cast.url(path)).status_code == status


@pytest.mark.parametrize(("who", "status"), [("agent", 403), ("viewer", 403), ("stranger", 404), (None, 302)])
def test_nobody_else_connects(cast: Cast, twilio: FakeTwilio, who: str | None, status: int) -> None:
    client = cast.client(who)
    assert client.post(cast.url(CONNECT), key_fields()).status_code == status
    assert client.post(cast.url("integration/twilio/sandbox/")).status_code == status
    assert not Connection.objects.exists()
    assert not twilio.calls


def test_four_fields_connect(cast: Cast, twilio: FakeTwilio) -> None:
    answer = cast.client("admin").post(cast.url(CONNECT), key_fields(api_key_sid=f"\u200b {KEY}\u00a0\n"))
    connection = Connection.objects.get()
    assert answer.status_code == 302
    assert answer.url == cast.url(f"integration/twilio/{connection.pk}/")
    assert connection.account_sid == ACCOUNT
    assert connection.api_key_sid == KEY
    assert connection.api_key_secret.reveal() == SECRET
    assert (connection.mode, connection.auth, connection.is_default) == ("live", "api_key", True)
    assert len(connection.hook_secret.reveal()) == 64
    assert connection.checked_at is not None


def test_token_way_connects_with_a_sender_id(cast: Cast, twilio: FakeTwilio) -> None:
    cast.client("owner").post(cast.url(TOKEN_WAY), token_fields(sender="My Shop", mps="2.5"))
    connection = Connection.objects.get()
    assert (connection.sender, connection.auth, str(connection.mps)) == ("My Shop", "auth_token", "2.50")


def test_test_credentials_become_a_test_connection(cast: Cast, twilio: FakeTwilio) -> None:
    twilio.everything(refused(20008, 403))
    twilio.answers["send_message"] = None
    answer = cast.client("owner").post(cast.url(TOKEN_WAY), token_fields(sender="+15005550006"), follow=True)
    assert Connection.objects.get().mode == "test"
    assert ">TEST<" in re.sub(r"<span[^>]*aria-hidden.*?</span>", "", answer.content.decode())


@pytest.mark.parametrize(
    ("way", "changes", "field", "words"),
    [
        (CONNECT, {"api_key_sid": ACCOUNT}, "api_key_sid", "That is an Account SID"),
        (CONNECT, {"messaging_service_sid": "MG12"}, "messaging_service_sid", "too short"),
        (CONNECT, {"messaging_service_sid": ""}, "messaging_service_sid", "messages need a sender"),
        (CONNECT, {"sender": NUMBER}, "sender", "leave one empty"),
        (CONNECT, {"api_key_secret": KEY}, "api_key_secret", "That is an API Key SID"),
        (CONNECT, {"api_key_secret": " \u200b "}, "api_key_secret", "required"),
        (CONNECT, {"mps": "0"}, "mps", "0.01"),
        (CONNECT, {"name": ""}, "name", "required"),
        (TOKEN_WAY, {"sender": "TwelveLetters"}, "sender", "at most 11"),
        (TOKEN_WAY, {"sender": ""}, "sender", "messages need a sender"),
        (TOKEN_WAY, {"auth_token": "x" * 32}, "auth_token", "32 characters"),
    ],
)
def test_bad_looks_are_refused_before_twilio_is_asked(
    cast: Cast, twilio: FakeTwilio, way: str, changes: dict[str, str], field: str, words: str
) -> None:
    fields = key_fields(**changes) if way == CONNECT else token_fields(**changes)
    answer = cast.client("owner").post(cast.url(way), fields)
    assert answer.status_code == 422
    assert words in " ".join(answer.context["form"].errors[field])
    assert not twilio.calls
    assert not Connection.objects.exists()


def test_problem_found_by_twilio_stands_at_its_field_and_the_rest_stays(cast: Cast, twilio: FakeTwilio) -> None:
    twilio.answers["list_senders"] = []
    answer = cast.client("owner").post(cast.url(CONNECT), key_fields(name="Dispatch"))
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "has no sender" in answer.context["form"].errors["messaging_service_sid"][0]
    for kept in (KEY, MG, VA, "Dispatch"):
        assert kept in page
    assert SECRET not in page
    assert not Connection.objects.exists()


def test_secret_is_carried_over_a_failed_check_unseen(cast: Cast, twilio: FakeTwilio) -> None:
    client, fields = cast.client("owner"), key_fields()
    twilio.answers["list_senders"] = []
    answer = client.post(cast.url(CONNECT), fields)
    sealed = answer.context["form"]["carried_secrets"].value()
    assert sealed and SECRET not in answer.content.decode()
    twilio.answers["list_senders"] = [sender()]
    again = {**fields, "api_key_secret": "", "carried_secrets": sealed}
    assert client.post(cast.url(CONNECT), again).status_code == 302
    assert Connection.objects.get().api_key_secret.reveal() == SECRET


@pytest.mark.parametrize("thief", ["admin", "stranger"])
def test_carried_secret_opens_for_nobody_else(cast: Cast, twilio: FakeTwilio, thief: str) -> None:
    twilio.answers["list_senders"] = []
    sealed = cast.client("owner").post(cast.url(CONNECT), key_fields()).context["form"]["carried_secrets"].value()
    organization = cast.organization if thief == "admin" else cast.other
    fields = key_fields(api_key_secret="", carried_secrets=sealed)
    answer = cast.client(thief).post(cast.url(CONNECT, organization), fields)
    assert "required" in answer.context["form"].errors["api_key_secret"][0]


def test_carried_secret_goes_stale(cast: Cast, twilio: FakeTwilio, monkeypatch: pytest.MonkeyPatch) -> None:
    twilio.answers["list_senders"] = []
    client = cast.client("owner")
    sealed = client.post(cast.url(CONNECT), key_fields()).context["form"]["carried_secrets"].value()
    later = time.time() + 16 * 60
    monkeypatch.setattr("integrations.connections.carried.time.time", lambda: later)
    answer = client.post(cast.url(CONNECT), key_fields(api_key_secret="", carried_secrets=sealed))
    assert "required" in answer.context["form"].errors["api_key_secret"][0]
    nonsense = client.post(cast.url(CONNECT), key_fields(api_key_secret="", carried_secrets="é{}"))
    assert nonsense.status_code == 422


def test_wrong_secret_must_be_entered_again(cast: Cast, twilio: FakeTwilio) -> None:
    twilio.everything(refused(20003, 401))
    form = cast.client("owner").post(cast.url(CONNECT), key_fields()).context["form"]
    assert form.errors["api_key_secret"]
    assert not form["carried_secrets"].value()


def test_unreachable_twilio_saves_nothing_and_keeps_the_form(cast: Cast, twilio: FakeTwilio) -> None:
    twilio.everything(TwilioUnreachable("no route"))
    answer = cast.client("owner").post(cast.url(CONNECT), key_fields())
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "could not be reached" in page and KEY in page
    assert not Connection.objects.exists()


def test_same_form_twice_makes_one_connection(cast: Cast, twilio: FakeTwilio) -> None:
    client, fields = cast.client("owner"), key_fields()
    first = client.post(cast.url(CONNECT), fields)
    calls = len(twilio.calls)
    second = client.post(cast.url(CONNECT), fields)
    assert first.url == second.url
    assert len(twilio.calls) == calls
    assert AuditEntry.objects.filter(action="connection.connected").count() == 1


def test_request_of_another_organization_is_no_obstacle(cast: Cast, twilio: FakeTwilio) -> None:
    fields = key_fields()
    cast.client("stranger").post(cast.url(CONNECT, cast.other), fields)
    cast.client("owner").post(cast.url(CONNECT), fields)
    assert Connection.objects.count() == 2


def test_second_connection_leaves_the_default_alone_unless_asked(cast: Cast, twilio: FakeTwilio) -> None:
    first = ConnectionFactory(organization=cast.organization)
    client = cast.client("owner")
    client.post(cast.url(CONNECT), key_fields(name="Second"))
    assert Connection.objects.get(is_default=True) == first
    client.post(cast.url(CONNECT), key_fields(name="Third", make_default="on"))
    assert Connection.objects.get(is_default=True).name == "Third"


@pytest.mark.django_db(transaction=True)
def test_two_admins_at_once_make_one_default() -> None:
    organization = OrganizationFactory()
    start = threading.Barrier(4)

    def run(n: int) -> None:
        draft = candidate(organization, auth="auth_token", name=str(n), account_sid=ACCOUNT, auth_token=TOKEN)
        start.wait(timeout=10)
        try:
            connect(draft, report=None, actor="test", make_default=n % 2 == 0)
        finally:
            databases.close_all()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(run, range(4)))
    assert Connection.objects.filter(organization=organization).count() == 4
    assert Connection.objects.filter(organization=organization, is_default=True).count() == 1


@pytest.mark.django_db(transaction=True)
def test_double_click_at_the_same_moment_makes_one() -> None:
    organization, request_id = OrganizationFactory(), uuid.uuid4()
    start = threading.Barrier(3)

    def run(_: int) -> uuid.UUID:
        draft = candidate(organization, auth="auth_token", name="x", account_sid=ACCOUNT, auth_token=TOKEN)
        start.wait(timeout=10)
        try:
            return connect(draft, report=None, actor="test", request_id=request_id).pk
        finally:
            databases.close_all()

    with ThreadPoolExecutor(3) as pool:
        made = list(pool.map(run, range(3)))
    assert len(made) == 3
    assert len(set(made)) == Connection.objects.count() == 1


def test_sandbox_button_twice_is_once(cast: Cast, sandbox: Any) -> None:
    client, fields = cast.client("owner"), {"request_id": str(uuid.uuid4())}
    page = client.post(cast.url("integration/twilio/sandbox/"), fields, follow=True).content.decode()
    client.post(cast.url("integration/twilio/sandbox/"), fields)
    assert Connection.objects.get().mode == "sandbox"
    assert "SANDBOX" in page and ">LIVE<" not in page


def test_sandbox_is_not_offered_where_it_is_off(cast: Cast, settings: Any) -> None:
    settings.SANDBOX_ENABLED = False
    client = cast.client("owner")
    assert "Use the sandbox" not in client.get(cast.url("integration/")).content.decode()
    page = client.post(cast.url("integration/twilio/sandbox/"), {"request_id": "x"}, follow=True)
    assert "not turned the sandbox on" in page.content.decode()
    assert not Connection.objects.exists()


def test_services_page_asks_as_often_for_many_as_for_one(cast: Cast, django_assert_max_num_queries: Any) -> None:
    ConnectionFactory(organization=cast.organization)
    client = cast.client("owner")
    client.get(cast.url("integration/"))
    ConnectionFactory.create_batch(8, organization=cast.organization, is_default=False)
    ConnectionFactory(organization=cast.organization, is_default=False, status="disconnected", name="Old one")
    with django_assert_max_num_queries(11):
        page = client.get(cast.url("integration/")).content.decode()
    assert "Disconnected (1)" in page
