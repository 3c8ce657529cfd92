"""Pictures and files that people send: fetched with credentials, kept, shown safely. On the real sandbox."""

import base64
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from integrations.connections.models import Connection
from integrations.connections.sandbox import connect_sandbox
from integrations.twilio import media as twilio_media
from integrations.twilio.client import Credentials
from integrations.twilio.media import MediaUnavailable, fetch_medium, is_twilios
from messaging.inbound import media
from messaging.inbound.media import empty_media, fetch_due
from messaging.inbound.models import MessageMedia
from messaging.inbound.receive import receive
from messaging.inbox.models import Conversation
from messaging.receipts.models import Callback
from messaging.sending.models import Message
from tests.conftest import Cast
from tests.plugins.sandbox import SandboxServer, Webhook

pytestmark = pytest.mark.django_db
PERSON = "+4915112345678"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40
ACCOUNT = "AC" + "a" * 32
URL = f"https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}/Messages/MM{'b' * 32}/Media/ME{'c' * 32}"


@pytest.fixture
def live(cast: Cast, sandbox: SandboxServer) -> Connection:
    return connect_sandbox(cast.organization, actor=cast.owner, with_check=False)


Send = Callable[..., Message]


@pytest.fixture
def send(sandbox: SandboxServer, live: Connection, webhook: Webhook) -> Send:
    """Let a phone send files, and take in what the webhook brought, `times` times."""
    sandbox.control.change_service(live.account_sid, inbound_request_url=webhook.url)

    def send(*media: dict[str, Any], times: int = 1) -> Message:
        sent = sandbox.control.reply(live.account_sid, PERSON, body="Look", media=list(media))
        for _ in range(times):
            params = webhook.hits[-1].params
            receive(Callback.objects.create(connection=live, kind="inbound", params=params, checked_with="x"))
        return Message.objects.get(provider_sid=sent["sid"])

    return send


def png(content: bytes = PNG, content_type: str = "image/png") -> dict[str, Any]:
    return {"content_type": content_type, "data": base64.b64encode(content).decode()}


def test_picture_is_fetched_with_credentials_and_shown_in_the_conversation(
    cast: Cast, live: Connection, sandbox: SandboxServer, send: Send
) -> None:
    message = send(png())
    (row,) = message.media.all()
    assert (row.state, row.content_type) == ("waiting", "image/png")
    assert row.url.startswith(
        f"https://api.twilio.com/2010-04-01/Accounts/{live.account_sid}/Messages/{message.provider_sid}/"
    )
    client = cast.client("viewer")
    conversation = Conversation.objects.get()
    assert "being fetched" in client.get(cast.url(f"inbox/{conversation.pk}/")).content.decode()
    assert fetch_due() == 1
    row.refresh_from_db()
    assert (row.state, bytes(row.content), row.size) == ("stored", PNG, len(PNG))
    page = client.get(cast.url(f"inbox/{conversation.pk}/")).content.decode()
    assert f'<img src="{cast.url(f"inbox/media/{row.pk}/")}"' in page
    answer = client.get(cast.url(f"inbox/media/{row.pk}/"))
    assert answer.content == PNG
    assert answer["Content-Type"] == "image/png"
    assert answer["Content-Disposition"].startswith("inline;")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert fetch_due() == 0


def test_stranger_and_nobody_get_no_file(cast: Cast, live: Connection, sandbox: SandboxServer, send: Send) -> None:
    row = send(png()).media.get()
    fetch_due()
    path = f"inbox/media/{row.pk}/"
    assert cast.client("stranger").get(cast.url(path)).status_code == 404
    assert cast.client("stranger").get(cast.url(path, cast.other)).status_code == 404
    assert cast.client(None).get(cast.url(path)).status_code == 302


@pytest.mark.parametrize(
    ("content", "content_type"),
    [(b"%PDF-1.7", "application/pdf"), (b"<svg onload=alert(1)>", "image/png"), (b"BEGIN:VCARD", "text/vcard")],
)
def test_what_is_no_real_picture_is_only_to_be_saved(
    cast: Cast, live: Connection, sandbox: SandboxServer, send: Send, content: bytes, content_type: str
) -> None:
    row = send(png(content, content_type)).media.get()
    fetch_due()
    answer = cast.client("agent").get(cast.url(f"inbox/media/{row.pk}/"))
    assert answer["Content-Type"] == "application/octet-stream"
    assert re.fullmatch(r'attachment; filename="sms-[0-9a-f]{8}\.\w+"', answer["Content-Disposition"])
    page = cast.client("agent").get(cast.url(f"inbox/{Conversation.objects.get().pk}/")).content.decode()
    assert "<img" not in page[page.index('id="texts"') :]


@pytest.mark.parametrize("content_type", ["text/html", "application/x-msdownload", "image/svg+xml", ""])
def test_kinds_that_are_not_taken_are_said_so(
    cast: Cast, live: Connection, sandbox: SandboxServer, send: Send, content_type: str
) -> None:
    row = send(png(b"x", content_type or "application/unheard")).media.get()
    fetch_due()
    row.refresh_from_db()
    assert (row.state, row.reason, row.content) == ("refused", "type_not_allowed", None)
    page = cast.client("agent").get(cast.url(f"inbox/{Conversation.objects.get().pk}/")).content.decode()
    assert "Files of this kind are not taken." in page


def test_ten_megabytes_are_refused_in_words(cast: Cast, live: Connection, sandbox: SandboxServer, send: Send) -> None:
    row = send({"content_type": "image/jpeg", "size": 10_000_000}).media.get()
    fetch_due()
    row.refresh_from_db()
    assert (row.state, row.reason, row.content) == ("refused", "too_large", None)
    page = cast.client("agent").get(cast.url(f"inbox/{Conversation.objects.get().pk}/")).content.decode()
    assert "larger than 5 MB" in page


def test_several_files_and_a_repeated_webhook_are_kept_once(send: Send) -> None:
    send(png(), png(b"%PDF-1.7", "application/pdf"), times=3)
    assert MessageMedia.objects.count() == 2


@pytest.mark.parametrize("count", ["-1", "x", "99999", "３", ""])
def test_senseless_counts_harm_nothing(cast: Cast, live: Connection, count: str) -> None:
    params = {"MessageSid": "MM" + "1" * 32, "From": PERSON, "To": "+15550001111", "NumMedia": count}
    receive(Callback.objects.create(connection=live, kind="inbound", params=params, checked_with="x"))
    assert Message.objects.count() == 1
    assert not MessageMedia.objects.exists()


def test_wrong_credentials_are_tried_again_with_pauses_and_then_given_up(
    live: Connection, sandbox: SandboxServer, send: Send
) -> None:
    row = send(png()).media.get()
    sandbox.control.change_account(live.account_sid, is_key_revoked=True)
    for _ in range(8):
        MessageMedia.objects.update(next_try_at=timezone.now() - timedelta(seconds=1))
        assert fetch_due() == 1
        assert fetch_due() == 0
    row.refresh_from_db()
    assert (row.state, row.reason, row.attempts) == ("failed", "refused", 8)


def test_it_works_again_once_the_credentials_do(live: Connection, sandbox: SandboxServer, send: Send) -> None:
    row = send(png()).media.get()
    sandbox.control.change_account(live.account_sid, is_key_revoked=True)
    fetch_due()
    sandbox.control.change_account(live.account_sid, is_key_revoked=False)
    MessageMedia.objects.update(next_try_at=timezone.now())
    fetch_due()
    row.refresh_from_db()
    assert row.state == "stored"


def test_disconnected_connection_ends_it_in_words(live: Connection, sandbox: SandboxServer, send: Send) -> None:
    row = send(png()).media.get()
    Connection.objects.filter(pk=live.pk).update(status="disconnected", is_default=False, api_key_secret="")
    fetch_due()
    row.refresh_from_db()
    assert (row.state, row.reason) == ("failed", "disconnected")


def test_emptying_takes_the_content(cast: Cast, live: Connection, sandbox: SandboxServer, send: Send) -> None:
    message = send(png())
    row = message.media.get()
    fetch_due()
    assert empty_media([message.pk]) == 1
    assert empty_media([message.pk]) == 0
    row.refresh_from_db()
    assert (row.state, row.content, row.url) == ("deleted", None, "")
    assert cast.client("agent").get(cast.url(f"inbox/media/{row.pk}/")).status_code == 404


# ---- whom we call


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data/",
        "https://api.twilio.com.evil.example/2010-04-01/x",
        URL.replace("https://", "http://"),
        URL.replace("api.twilio.com", "api.twilio.com:8443"),
        URL.replace("api.twilio.com", "user@api.twilio.com"),
        URL.replace(ACCOUNT, "AC" + "d" * 32),
        f"{URL}?next=http://localhost/",
        f"{URL}/../../Balance.json",
        "file:///etc/passwd",
        "",
    ],
)
def test_only_media_of_the_account_at_twilio_are_asked_for(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(twilio_media.requests.Session, "get", lambda *_, **__: pytest.fail("asked"))
    assert not is_twilios(url, account_sid=ACCOUNT)
    with pytest.raises(MediaUnavailable) as caught:
        fetch_medium(url, credentials=Credentials("SK" + "1" * 32, "secret", ACCOUNT), most=100)
    assert (caught.value.reason, caught.value.is_final) == ("not_twilios", True)


class Answer:
    """An answer of the store, as the client sees it."""

    def __init__(self, status: int, *, headers: dict[str, str] | None = None, content: bytes = b"") -> None:
        self.status_code, self.headers, self._content = status, headers or {}, content
        self.is_redirect = status in {302, 307} and "Location" in self.headers

    def __enter__(self) -> "Answer":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def iter_content(self, size: int) -> Any:
        for start in range(0, len(self._content), size):
            yield self._content[start : start + size]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Any:
    calls: list[tuple[str, object]] = []

    def answer_with(*answers: Answer) -> list[tuple[str, object]]:
        waiting = list(answers)

        def get(_: object, address: str, *, auth: object, **__: object) -> Answer:
            calls.append((address, auth))
            return waiting.pop(0)

        monkeypatch.setattr(twilio_media.requests.Session, "get", get)
        return calls

    return answer_with


CREDENTIALS = Credentials("SK" + "1" * 32, "secret", ACCOUNT)


def test_the_store_is_asked_without_credentials(asked: Any) -> None:
    store = "https://mms.twiliocdn.com/x"
    calls = asked(
        Answer(307, headers={"Location": store}),
        Answer(200, headers={"Content-Type": "image/PNG; q=1"}, content=b"abc"),
    )
    medium = fetch_medium(URL, credentials=CREDENTIALS, most=100)
    assert (medium.content, medium.content_type) == (b"abc", "image/png")
    assert calls == [(URL, ("SK" + "1" * 32, "secret")), (store, None)]


@pytest.mark.parametrize(
    "location",
    ["http://mms.twiliocdn.com/x", "https://10.0.0.1/x", "https://evil.example/", "https://twiliocdn.com.evil.example/",
     "https://mms.twiliocdn.com:8080/", "https://a@mms.twiliocdn.com/", "//localhost/x"],
)  # fmt: skip
def test_twilio_is_not_followed_anywhere_else(asked: Any, location: str) -> None:
    calls = asked(Answer(307, headers={"Location": location}))
    with pytest.raises(MediaUnavailable) as caught:
        fetch_medium(URL, credentials=CREDENTIALS, most=100)
    assert caught.value.reason == "not_twilios"
    assert len(calls) == 1


def test_a_store_that_says_nothing_of_the_size_is_cut_off(asked: Any) -> None:
    asked(Answer(200, content=b"x" * 200_000))
    with pytest.raises(MediaUnavailable) as caught:
        fetch_medium(URL, credentials=CREDENTIALS, most=100)
    assert (caught.value.reason, caught.value.is_final) == ("too_large", True)


@pytest.mark.parametrize(
    ("status", "reason", "is_final"),
    [(404, "gone", True), (410, "gone", True), (401, "refused", False), (503, "no_answer", False)],
)  # fmt: skip
def test_failures_of_the_store_are_told_apart(asked: Any, status: int, reason: str, is_final: bool) -> None:
    asked(Answer(status))
    with pytest.raises(MediaUnavailable) as caught:
        fetch_medium(URL, credentials=CREDENTIALS, most=100)
    assert (caught.value.reason, caught.value.is_final) == (reason, is_final)


def test_endless_redirects_end(asked: Any) -> None:
    asked(*[Answer(307, headers={"Location": "https://mms.twiliocdn.com/x"}) for _ in range(9)])
    with pytest.raises(MediaUnavailable):
        fetch_medium(URL, credentials=CREDENTIALS, most=100)


@pytest.mark.usefixtures("nested_loops")
def test_no_more_is_claimed_than_asked_for_whatever_the_plan(send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    send(png(), png(), png())
    monkeypatch.setattr(media, "_BATCH", 2)
    assert fetch_due() == 2
    assert fetch_due() == 1
