"""A virtual phone answers: the signed webhook really arrives, and the page says what came of it."""

from collections.abc import Callable
from typing import Any

import pytest

from integrations.connections.models import Connection
from integrations.connections.webhooks import inbound_url
from integrations.organizations.roles import Role
from messaging.consent.opt_outs import find_block
from messaging.contacts.models import Contact
from messaging.inbound.models import MessageMedia
from messaging.sending.models import Message
from tests.conftest import Cast
from tests.plugins.sandbox import SandboxServer

from .conftest import PHONE, phone_path

HTMX = {"HX-Request": "true", "HX-Target": "phone"}


@pytest.fixture
def house(transactional_db: None, live_server: Any, settings: Any) -> Any:
    """Heliograph where the sandbox reaches it; first of a test's fixtures, so that all rows are really committed."""
    settings.PUBLIC_BASE_URL = live_server.url
    return live_server


@pytest.fixture
def own_number(ours: Connection, sandbox: SandboxServer) -> str:
    number: str = sandbox.control.account(ours.account_sid)["numbers"][0]["number"]
    return number


@pytest.mark.parametrize("who", [Role.OWNER, Role.AGENT])
def test_reply_becomes_an_inbound_message(
    house: Any, cast: Cast, ours: Connection, arrive: Callable[..., None], own_number: str, who: str
) -> None:
    arrive(ours)

    answer = cast.client(who).post(
        cast.url(phone_path(ours)), {"to": own_number, "body": "I come <b>later</b>"}, headers=HTMX
    )

    assert "Delivered to Heliograph (status 200)." in answer.content.decode()
    message = Message.objects.get(organization=cast.organization, direction=Message.Direction.INBOUND)
    assert (message.phone, message.body, message.connection) == (PHONE, "I come <b>later</b>", ours)
    assert "I come &lt;b&gt;later&lt;/b&gt;" in answer.content.decode()
    assert 'name="body"' in answer.content.decode()
    assert answer.context["form"]["body"].value() == ""


def test_picture_goes_along_as_from_twilio(house: Any, cast: Cast, ours: Connection, own_number: str) -> None:
    answer = cast.client("agent").post(cast.url(phone_path(ours)), {"to": own_number, "picture": "1"}, headers=HTMX)

    assert "Delivered to Heliograph (status 200)." in answer.content.decode()
    (medium,) = MessageMedia.objects.all()
    assert (medium.content_type, medium.state, medium.message.body) == ("image/png", "waiting", "")
    assert medium.url.startswith(f"https://api.twilio.com/2010-04-01/Accounts/{ours.account_sid}/Messages/MM")


def test_reply_without_htmx_redirects_to_the_phone(house: Any, cast: Cast, ours: Connection, own_number: str) -> None:
    client = cast.client("agent")

    answer = client.post(cast.url(phone_path(ours)), {"to": own_number, "body": "Hello"}, follow=True)

    assert answer.redirect_chain == [(cast.url(phone_path(ours)), 302)]
    assert "Delivered to Heliograph" in answer.content.decode()


def test_stop_opts_out_and_start_takes_it_back(
    house: Any, cast: Cast, ours: Connection, arrive: Callable[..., None], own_number: str
) -> None:
    arrive(ours)
    client, url = cast.client("agent"), cast.url(phone_path(ours))

    def is_blocked() -> bool:
        block = find_block(
            cast.organization, phone=PHONE, channel="sms", sender=ours.messaging_service_sid, purpose="notification"
        )
        return block is not None

    stopped = client.post(url, {"to": own_number, "quick": "STOP", "body": "half a sent"}, headers=HTMX)
    assert is_blocked()
    assert "STOP was understood" in stopped.content.decode()
    assert "half a sent" in stopped.content.decode()  # a quick reply leaves the typed one alone
    assert "said STOP" in client.get(cast.url("sandbox/")).content.decode()

    started = client.post(url, {"to": own_number, "quick": "START"}, headers=HTMX)
    assert not is_blocked()
    assert "START was understood" in started.content.decode()


def test_help_is_answered_on_the_phone(house: Any, cast: Cast, ours: Connection, own_number: str) -> None:
    answer = cast.client("agent").post(cast.url(phone_path(ours)), {"to": own_number, "quick": "HELP"}, headers=HTMX)

    assert "HELP was understood and answered." in answer.content.decode()
    assert "Answer STOP to get no more" in answer.content.decode()


def test_restarted_sandbox_is_told_again_where_replies_go(
    house: Any, cast: Cast, ours: Connection, own_number: str, sandbox: SandboxServer
) -> None:
    sandbox.reset()
    assert sandbox.control.account(ours.account_sid)["messaging_services"][0]["inbound_request_url"] is None

    cast.client("agent").post(cast.url(phone_path(ours)), {"to": own_number, "body": "Still here"}, headers=HTMX)

    assert Message.objects.get(organization=cast.organization).body == "Still here"


def test_address_of_an_earlier_base_is_replaced_and_a_foreign_one_kept(
    house: Any, cast: Cast, ours: Connection, own_number: str, sandbox: SandboxServer
) -> None:
    client, url = cast.client("agent"), cast.url(phone_path(ours))
    old = inbound_url(ours).replace(house.url, "http://127.0.0.1:1")
    sandbox.control.change_service(ours.account_sid, inbound_request_url=old)

    assert "Delivered" in client.post(url, {"to": own_number, "body": "1"}, headers=HTMX).content.decode()

    sandbox.control.change_service(ours.account_sid, inbound_request_url="http://127.0.0.1:1/elsewhere")
    refused = client.post(url, {"to": own_number, "body": "2"}, headers=HTMX).content.decode()
    assert "could not reach Heliograph" in refused


def test_refused_webhook_leads_to_the_reason(
    house: Any, cast: Cast, ours: Connection, own_number: str, sandbox: SandboxServer
) -> None:
    sandbox.control.change_account(ours.account_sid, token_generation=1)  # now signs with a token we do not have

    answer = cast.client("owner").post(cast.url(phone_path(ours)), {"to": own_number, "body": "Hello"}, headers=HTMX)

    page = answer.content.decode()
    assert "Heliograph refused it (status 403): Signature does not fit." in page
    assert f'href="{cast.url(f"integration/twilio/{ours.pk}/")}#refused"' in page
    assert not Message.objects.filter(organization=cast.organization).exists()


def test_unknown_phone_writes_first(house: Any, cast: Cast, ours: Connection, own_number: str) -> None:
    answer = cast.client("agent").post(
        cast.url(f"sandbox/{ours.pk}/new-phone/"),
        {"phone": "030 123456", "to": own_number, "body": "Do you deliver?"},
        follow=True,
    )

    assert answer.redirect_chain[0][0] == cast.url(phone_path(ours, "+4930123456"))
    assert "Do you deliver?" in answer.content.decode()
    assert Contact.objects.filter(organization=cast.organization, phone="+4930123456").exists()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"phone": "nonsense", "body": "Hi"}, "A phone number has no letters"),
        ({"phone": "", "body": "Hi"}, "Write the number of the phone."),
        ({"phone": PHONE, "body": ""}, "Write the text of the message."),
        ({"phone": PHONE, "body": "x" * 1601}, "at most 1600 characters"),
        ({"phone": PHONE, "body": "Hi", "to": "+4930999999"}, "This number takes no replies."),
    ],
)
def test_new_phone_says_what_is_wrong_and_keeps_the_rest(
    cast: Cast, ours: Connection, own_number: str, sandbox: SandboxServer, data: dict[str, str], words: str
) -> None:
    answer = cast.client("agent").post(cast.url(f"sandbox/{ours.pk}/new-phone/"), {"to": own_number, **data})

    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert sandbox.control.phones(ours.account_sid) == []


def test_account_does_not_write_to_itself(cast: Cast, ours: Connection, own_number: str) -> None:
    answer = cast.client("agent").post(
        cast.url(f"sandbox/{ours.pk}/new-phone/"), {"phone": own_number, "to": own_number, "body": "Hi"}
    )

    assert "own. Write from another one." in answer.content.decode()


@pytest.mark.parametrize(
    ("data", "words"),
    [({"body": "  "}, "Write something first."), ({"body": "x" * 1601}, "at most 1600"), ({"quick": "SHOUT"}, "Write")],
)
def test_unusable_reply_is_explained_and_not_sent(
    cast: Cast, ours: Connection, own_number: str, sandbox: SandboxServer, data: dict[str, str], words: str
) -> None:
    answer = cast.client("agent").post(cast.url(phone_path(ours)), {"to": own_number, **data})

    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert sandbox.control.phones(ours.account_sid) == []


def test_viewer_cannot_reply(cast: Cast, ours: Connection, own_number: str, sandbox: SandboxServer) -> None:
    client = cast.client("viewer")
    page = client.get(cast.url(phone_path(ours))).content.decode()
    answer = client.post(cast.url(phone_path(ours)), {"to": own_number, "body": "Hello"})

    assert "<textarea" not in page
    assert answer.status_code == 403
    assert client.get(cast.url(f"sandbox/{ours.pk}/new-phone/")).status_code == 403
    assert sandbox.control.phones(ours.account_sid) == []


def test_stranger_cannot_reply(cast: Cast, ours: Connection, own_number: str, sandbox: SandboxServer) -> None:
    answer = cast.client("stranger").post(cast.url(phone_path(ours)), {"to": own_number, "body": "Hello"})

    assert answer.status_code == 404
    assert sandbox.control.phones(ours.account_sid) == []


def test_reply_goes_to_the_number_that_wrote_last(
    cast: Cast, ours: Connection, arrive: Callable[..., None], own_number: str, sandbox: SandboxServer
) -> None:
    sandbox.control.add_number(ours.account_sid, "+14845550199")
    arrive(ours)

    choices = cast.client("agent").get(cast.url(phone_path(ours))).context["form"].fields["to"].choices

    assert [number for number, _label in choices] == [own_number, "+14845550199"]
