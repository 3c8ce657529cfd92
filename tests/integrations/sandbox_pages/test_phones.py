"""Virtual phones: who sees them, what stands on them, and addresses that tell no number."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from integrations.connections.models import Connection
from integrations.connections.sandbox import connect_sandbox
from integrations.sandbox.credentials import derive_credentials
from integrations.sandbox.phone_tokens import TokenUnreadable, open_number, seal_number
from tests.conftest import Cast
from tests.plugins.sandbox import SandboxServer, wait_until

from .conftest import PHONE, phone_path

Arrive = Callable[..., None]


@pytest.mark.parametrize("who", ["owner", "admin", "agent", "viewer"])
def test_members_see_what_their_phones_received(cast: Cast, ours: Connection, arrive: Arrive, who: str) -> None:
    arrive(ours, body="Your table is booked.")

    listed = cast.client(who).get(cast.url("sandbox/"))
    shown = cast.client(who).get(cast.url(phone_path(ours)))

    assert listed.status_code == shown.status_code == 200
    for page in (listed, shown):
        assert "SANDBOX" in page.content.decode()
        assert "+49 1511 2345678" in page.content.decode()
        assert "Your table is booked." in page.content.decode()


@pytest.mark.parametrize("end", ["", "talk/"])
def test_strangers_and_anonymous_people_reach_no_phone(cast: Cast, ours: Connection, arrive: Arrive, end: str) -> None:
    arrive(ours)
    url = cast.url(phone_path(ours, end=end))

    assert cast.client("stranger").get(url).status_code == 404
    answer = cast.client(None).get(url)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/login/")


def test_another_organizations_account_is_not_found(
    cast: Cast, ours: Connection, theirs: Connection, arrive: Arrive
) -> None:
    arrive(theirs, body="Not for you")
    token = seal_number(PHONE, connection_id=theirs.pk)
    client = cast.client("owner")

    for path in (
        f"sandbox/{theirs.pk}/",
        phone_path(theirs),
        phone_path(theirs, end="talk/"),
        f"sandbox/{ours.pk}/phones/{token}/",  # their token on our account
        f"sandbox/{theirs.pk}/numbers/",
        f"sandbox/{theirs.pk}/dials/",
        f"sandbox/{theirs.pk}/new-phone/",
    ):
        assert client.get(cast.url(path)).status_code == 404, path
    assert "Not for you" not in client.get(cast.url("sandbox/")).content.decode()


def test_live_and_disconnected_connections_have_no_phones(cast: Cast, connection: Connection, ours: Connection) -> None:
    Connection.objects.filter(pk=ours.pk).update(status=Connection.Status.DISCONNECTED, is_default=False)

    assert cast.client("owner").get(cast.url(f"sandbox/{connection.pk}/")).status_code == 404
    assert cast.client("owner").get(cast.url(f"sandbox/{ours.pk}/")).status_code == 404
    assert "No sandbox connected yet" in cast.client("owner").get(cast.url("sandbox/")).content.decode()


@pytest.mark.parametrize("spoil", [lambda t: t[:-2] + "AA", lambda t: "A" + t[1:], lambda t: "x", lambda t: t + "!é"])
def test_tampered_token_is_not_found(cast: Cast, ours: Connection, spoil: Callable[[str], str]) -> None:
    token = seal_number(PHONE, connection_id=ours.pk)
    spoiled = spoil(token)

    assert spoiled != token
    assert cast.client("owner").get(cast.url(f"sandbox/{ours.pk}/phones/{spoiled}/")).status_code == 404


def test_token_is_always_the_same_and_hides_the_number(ours: Connection, theirs: Connection) -> None:
    token = seal_number(PHONE, connection_id=ours.pk)

    assert token == seal_number(PHONE, connection_id=ours.pk)
    assert open_number(token, connection_id=ours.pk) == PHONE
    with pytest.raises(TokenUnreadable):
        open_number(token, connection_id=theirs.pk)


def test_no_address_on_the_pages_holds_a_number(cast: Cast, ours: Connection, arrive: Arrive) -> None:
    arrive(ours)

    for path in ("sandbox/", phone_path(ours)):
        page = cast.client("owner").get(cast.url(path)).content.decode()
        attributes = [word for word in page.split() if word.startswith(("href=", "action=", "hx-get=", "hx-post="))]
        assert attributes
        assert not [word for word in attributes if "15112345678" in word]


def test_texts_cannot_bring_markup(cast: Cast, ours: Connection, arrive: Arrive) -> None:
    arrive(ours, body="<script>alert(1)</script> 123456 <img src=x onerror=alert(2)>")

    for path in ("sandbox/", phone_path(ours), phone_path(ours, end="talk/")):
        page = cast.client("owner").get(cast.url(path)).content.decode()
        assert "<script>alert(1)" not in page, path
        assert "<img src=x" not in page, path
        assert "&lt;script&gt;alert(1)" in page, path


def test_code_is_marked_and_can_be_copied(cast: Cast, ours: Connection, arrive: Arrive) -> None:
    arrive(ours, body="Order 123456789012: your code is 482915, valid 10 minutes.")

    page = cast.client("viewer").get(cast.url(phone_path(ours))).content.decode()

    assert "<mark>482915</mark>" in page
    assert 'data-copy="482915"' in page
    assert "Copy code" in page


def test_failed_message_says_why_it_never_arrived(cast: Cast, ours: Connection, sandbox: SandboxServer) -> None:
    number = "+12025550103"
    sandbox.api(derive_credentials(sandbox.secret, ours.account_sid)).send(to=number)
    wait_until(lambda: sandbox.control.phone(ours.account_sid, number)["messages"][-1]["status"] == "undelivered")

    page = cast.client("viewer").get(cast.url(phone_path(ours, number))).content.decode()

    assert "Never arrived: 30003" in page


def test_refresh_answers_only_what_is_new(cast: Cast, ours: Connection, arrive: Arrive) -> None:
    client = cast.client("viewer")
    arrive(ours, body="First")
    page = client.get(cast.url(phone_path(ours)))
    url = page.context["live"]["url"]

    assert client.get(url, headers={"HX-Request": "true"}).status_code == 204
    arrive(ours, body="Second")
    fresh = client.get(url, headers={"HX-Request": "true"})
    assert fresh.status_code == 200
    assert "Second" in fresh.content.decode()
    assert "<form" not in fresh.content.decode()  # what is being typed is not touched


def test_list_refreshes_like_the_phone(cast: Cast, ours: Connection, arrive: Arrive) -> None:
    client = cast.client("viewer")
    url = client.get(cast.url("sandbox/")).context["live"]["url"]

    assert client.get(url, headers={"HX-Request": "true"}).status_code == 204
    arrive(ours, body="News")
    assert "News" in client.get(url, headers={"HX-Request": "true"}).content.decode()


@pytest.mark.parametrize("wanted", ["0151 1234", "+49 1511", "5678", "parcel"])
def test_phones_are_found_by_number_or_text(cast: Cast, ours: Connection, arrive: Arrive, wanted: str) -> None:
    arrive(ours)
    arrive(ours, to="+12065550177", body="Something else")

    found = cast.client("viewer").post(cast.url(f"sandbox/{ours.pk}/"), {"q": wanted}).content.decode()

    assert "+49 1511 2345678" in found
    assert "+1 206-555-0177" not in found


def test_search_without_hits_says_so(cast: Cast, ours: Connection, arrive: Arrive) -> None:
    arrive(ours)

    found = cast.client("viewer").post(cast.url(f"sandbox/{ours.pk}/"), {"q": "nothing like it"})

    assert "No phone fits" in found.content.decode()


def test_long_lists_have_pages(cast: Cast, ours: Connection, arrive: Arrive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("integrations.sandbox.selectors.PER_PAGE", 2)
    for last in (1, 2, 3):
        arrive(ours, to=f"+1206555017{last}")
    client = cast.client("viewer")

    first = client.get(cast.url("sandbox/"))
    second = client.get(cast.url(f"sandbox/{ours.pk}/?page=2"))

    assert [row.number.e164[-1] for row in first.context["page"].rows] == ["3", "2"]
    assert "?page=2" in first.content.decode()
    assert [row.number.e164[-1] for row in second.context["page"].rows] == ["1"]
    assert client.get(cast.url(f"sandbox/{ours.pk}/?page=-1")).context["page"].number == 1


@pytest.mark.parametrize(("who", "words"), [("agent", "Send an SMS"), ("viewer", "your organization sends")])
def test_empty_list_offers_the_first_step(cast: Cast, ours: Connection, who: str, words: str) -> None:
    assert words in cast.client(who).get(cast.url("sandbox/")).content.decode()


@pytest.mark.parametrize(("who", "words"), [("admin", "Connect the sandbox"), ("agent", "An owner or admin")])
def test_without_sandbox_connection_the_page_says_how_to_get_one(
    cast: Cast, sandbox: SandboxServer, who: str, words: str
) -> None:
    assert words in cast.client(who).get(cast.url("sandbox/")).content.decode()


def test_turned_off_sandbox_says_so_and_asks_nothing(cast: Cast, ours: Connection, settings: Any) -> None:
    settings.SANDBOX_ENABLED = False
    settings.SANDBOX_URL = "http://127.0.0.1:1"

    for path in ("sandbox/", phone_path(ours), f"sandbox/{ours.pk}/dials/"):
        page = cast.client("owner").get(cast.url(path))
        assert page.status_code == 200
        assert "The sandbox is turned off" in page.content.decode()
    assert cast.client("stranger").get(cast.url("sandbox/")).status_code == 404


def test_silent_sandbox_is_explained(cast: Cast, ours: Connection, settings: Any) -> None:
    settings.SANDBOX_URL = "http://127.0.0.1:1"
    client = cast.client("owner")

    for path in ("sandbox/", phone_path(ours), f"sandbox/{ours.pk}/dials/", f"sandbox/{ours.pk}/numbers/"):
        page = client.get(cast.url(path))
        assert page.status_code == 200, path
        assert "manage.py sandbox" in page.content.decode(), path


def test_reply_to_a_silent_sandbox_keeps_what_was_typed(cast: Cast, ours: Connection, settings: Any) -> None:
    settings.SANDBOX_URL = "http://127.0.0.1:1"

    answer = cast.client("agent").post(
        cast.url(phone_path(ours)), {"body": "Hello"}, headers={"HX-Request": "true", "HX-Target": "phone"}
    )

    assert answer["HX-Retarget"] == "#came-of-it"
    assert "does not answer" in answer.content.decode()


def test_account_of_another_secret_is_explained(cast: Cast, ours: Connection) -> None:
    Connection.objects.filter(pk=ours.pk).update(account_sid="AC" + "0" * 32)

    page = cast.client("owner").get(cast.url("sandbox/"))

    assert "does not know this account" in page.content.decode()
    assert f"/integration/twilio/{ours.pk}/" in page.content.decode()


def test_pages_show_no_secret(cast: Cast, ours: Connection, arrive: Arrive, sandbox: SandboxServer) -> None:
    arrive(ours)
    credentials = derive_credentials(sandbox.secret, ours.account_sid)
    client: Client = cast.client("owner")

    for path in ("sandbox/", phone_path(ours), f"sandbox/{ours.pk}/dials/", f"sandbox/{ours.pk}/numbers/"):
        page = client.get(cast.url(path)).content.decode()
        for secret in (sandbox.secret, credentials.auth_token, credentials.api_key_secret):
            assert secret not in page, path


def test_second_sandbox_connection_is_one_click_away(cast: Cast, ours: Connection) -> None:
    second = connect_sandbox(cast.organization, actor=cast.owner, name="Training", with_check=False)

    page = cast.client("viewer").get(cast.url(f"sandbox/{second.pk}/"))

    assert f'href="{cast.url(f"sandbox/{ours.pk}/")}"' in page.content.decode()
    assert page.context["connection"] == second
