"""A virtual phone answers: the webhook, STOP and START, the TwiML answer."""

import pytest

from integrations.sandbox.control import SandboxRefused
from integrations.sandbox.server.signing import sign
from tests.plugins.sandbox import SandboxApi, SandboxServer, Webhook, wait_until

PHONE = "+4915112345678"


@pytest.fixture
def hooked(sandbox: SandboxServer, api: SandboxApi, webhook: Webhook) -> Webhook:
    """Let the account's Messaging Service call the webhook."""
    sandbox.control.change_service(api.credentials.account_sid, inbound_request_url=webhook.url + "/inbound?k=1")
    return webhook


def _reply(sandbox: SandboxServer, api: SandboxApi, body: str, **more: object) -> dict[str, object]:
    account_sid, number = api.credentials.account_sid, api.credentials.phone_number
    return sandbox.control.reply(account_sid, PHONE, body=body, to=number, **more)  # type: ignore[arg-type]


def test_inbound_webhook_is_complete_and_signed(sandbox: SandboxServer, api: SandboxApi, hooked: Webhook) -> None:
    result = _reply(sandbox, api, "Where is it?", media=["https://example.com/a.jpg"])
    assert result["webhook_state"] == "answered"
    hit = hooked.hits[0]
    params = hit.params
    assert params["MessageSid"] == params["SmsSid"] == params["SmsMessageSid"] == result["sid"]
    assert str(result["sid"]).startswith("MM")
    assert (params["From"], params["To"], params["Body"]) == (PHONE, api.credentials.phone_number, "Where is it?")
    assert (params["NumMedia"], params["MediaUrl0"], params["SmsStatus"]) == (
        "1",
        "https://example.com/a.jpg",
        "received",
    )
    assert (params["FromCity"], params["FromCountry"], params["ToCountry"]) == ("", "DE", "US")
    assert params["MessagingServiceSid"] == api.credentials.messaging_service_sid
    assert "OptOutType" not in params
    assert hit.headers["X-Twilio-Signature"] == sign(
        hooked.url + "/inbound?k=1", params, token=api.credentials.auth_token
    )
    stored = api.message(str(result["sid"]))
    assert (stored["direction"], stored["status"]) == ("inbound", "received")


def test_service_set_through_the_api_is_called(sandbox: SandboxServer, api: SandboxApi, webhook: Webhook) -> None:
    path = f"/v1/Services/{api.credentials.messaging_service_sid}"
    api.call("POST", "messaging", path, data={"InboundRequestUrl": webhook.url})
    _reply(sandbox, api, "Hi")
    assert len(webhook.hits) == 1


def test_number_is_called_where_the_service_defers_to_it(
    sandbox: SandboxServer, api: SandboxApi, webhook: Webhook
) -> None:
    account_sid = api.credentials.account_sid
    sandbox.control.change_number(account_sid, api.credentials.phone_number, sms_url=webhook.url + "/number")
    assert _reply(sandbox, api, "Hi")["webhook_state"] == "none"
    sandbox.control.change_service(account_sid, use_inbound_webhook_on_number=True)
    assert _reply(sandbox, api, "Hi")["webhook_state"] == "answered"
    assert webhook.hits[0].path == "/number"


def test_twiml_answer_reaches_the_phone(sandbox: SandboxServer, api: SandboxApi, hooked: Webhook) -> None:
    hooked.answer = lambda hit: (200, "text/xml", "<Response><Message>On its way: 4711</Message></Response>")
    result = _reply(sandbox, api, "Where is it?")
    assert result["webhook"]["messages"] == ["On its way: 4711"]  # type: ignore[index]

    def conversation() -> list[dict[str, object]]:
        messages: list[dict[str, object]] = sandbox.control.phone(api.credentials.account_sid, PHONE)["messages"]
        return messages

    wait_until(lambda: conversation()[-1]["status"] == "delivered")
    asked, answered = conversation()
    assert (asked["direction"], asked["body"], asked["code"]) == ("from_phone", "Where is it?", None)
    assert (answered["direction"], answered["code"]) == ("to_phone", "4711")


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ((500, "text/plain", "oops"), 11200),
        ((200, "text/html", "<p>no</p>"), 12300),
        ((200, "text/xml", "<Response><Message>"), 12100),
        ((204, "", ""), 0),
        ((200, "text/xml", "<Response/>"), 0),
    ],
)
def test_bad_answers_are_named(
    sandbox: SandboxServer, api: SandboxApi, hooked: Webhook, answer: tuple[int, str, str], code: int
) -> None:
    hooked.answer = lambda hit: answer
    assert _reply(sandbox, api, "Hi")["webhook"]["error_code"] == code  # type: ignore[index]


def test_fallback_is_called_with_the_error(sandbox: SandboxServer, api: SandboxApi, hooked: Webhook) -> None:
    sandbox.control.change_service(api.credentials.account_sid, fallback_url=hooked.url + "/fallback")
    hooked.answer = lambda hit: (204, "", "") if hit.path == "/fallback" else (500, "text/plain", "")
    _reply(sandbox, api, "Hi")
    assert [hit.path for hit in hooked.hits] == ["/inbound?k=1", "/fallback"]
    assert hooked.hits[1].params["ErrorCode"] == "11200"


# ---- keywords


@pytest.mark.parametrize("word", ["STOP", " stop ", "Unsubscribe", "revoke", "OptOut", "cancel"])
def test_stop_blocks_the_service_and_the_number(
    sandbox: SandboxServer, api: SandboxApi, hooked: Webhook, word: str
) -> None:
    result = _reply(sandbox, api, word)
    assert result["keyword"] == "STOP"
    assert len(hooked.hits) == 1  # the word itself still arrives
    for sender in ({}, {"From": api.credentials.phone_number}):
        refused = api.send(to=PHONE, **sender)
        assert (refused.status_code, refused.json()["code"]) == (400, 21610)
    assert api.send(to="+4915112345679").status_code == 201
    last = sandbox.control.phone(api.credentials.account_sid, PHONE)["messages"][-1]
    assert (last["direction"], last["body"]) == ("to_phone", result["automatic_answer"])
    assert "START" in str(result["automatic_answer"])


@pytest.mark.parametrize("word", ["START", "yes", "Unstop"])
def test_start_undoes_stop(sandbox: SandboxServer, api: SandboxApi, word: str) -> None:
    _reply(sandbox, api, "STOP")
    assert sandbox.control.phones(api.credentials.account_sid)[0]["opted_out"] is True
    assert _reply(sandbox, api, word)["keyword"] == "START"
    assert api.send(to=PHONE).status_code == 201
    assert sandbox.control.phones(api.credentials.account_sid)[0]["opted_out"] is False


@pytest.mark.parametrize("body", ["Stop please", "don't stop", "stop it"])
def test_only_the_whole_text_counts(sandbox: SandboxServer, api: SandboxApi, body: str) -> None:
    assert _reply(sandbox, api, body)["keyword"] is None
    assert api.send(to=PHONE).status_code == 201


def test_help_is_answered_unless_opted_out(sandbox: SandboxServer, api: SandboxApi) -> None:
    assert _reply(sandbox, api, "help")["automatic_answer"]
    _reply(sandbox, api, "STOP")
    assert _reply(sandbox, api, "help")["automatic_answer"] is None


def test_other_services_still_reach_someone_who_stopped_one(sandbox: SandboxServer, api: SandboxApi) -> None:
    _reply(sandbox, api, "STOP")
    assert api.send(to=PHONE, From="Parcels").status_code == 201


def test_advanced_opt_out_tells_the_webhook_and_fails_later(
    sandbox: SandboxServer, api: SandboxApi, hooked: Webhook
) -> None:
    sandbox.control.change_service(api.credentials.account_sid, advanced_opt_out=True)
    _reply(sandbox, api, "STOP")
    assert hooked.hits[0].params["OptOutType"] == "STOP"
    accepted = api.send(to=PHONE)
    assert accepted.status_code == 201
    sid = accepted.json()["sid"]
    wait_until(lambda: api.message(sid)["status"] == "failed")
    assert api.message(sid)["error_code"] == 21610
    assert api.send(to=PHONE, From=api.credentials.phone_number).json()["code"] == 21610


def test_toll_free_numbers_are_not_started_by_yes(sandbox: SandboxServer, api: SandboxApi) -> None:
    account_sid, toll_free = api.credentials.account_sid, "+18885550123"
    sandbox.control.add_number(account_sid, toll_free)
    sandbox.control.reply(account_sid, PHONE, body="STOP", to=toll_free)
    assert sandbox.control.reply(account_sid, PHONE, body="YES", to=toll_free)["keyword"] is None
    assert api.send(to=PHONE, From=toll_free).json()["code"] == 21610
    assert sandbox.control.reply(account_sid, PHONE, body="UNSTOP", to=toll_free)["keyword"] == "START"


def test_short_codes_obey_no_keyword(sandbox: SandboxServer, api: SandboxApi) -> None:
    sandbox.control.add_number(api.credentials.account_sid, "12345")
    assert sandbox.control.reply(api.credentials.account_sid, PHONE, body="STOP", to="12345")["keyword"] is None


def test_bad_replies_are_refused(sandbox: SandboxServer, api: SandboxApi) -> None:
    account_sid = api.credentials.account_sid
    for number, body, to, field in (
        (PHONE, "Hi", "Parcels", "to"),
        (PHONE, "", "", "body"),
        ("+1", "Hi", "", "number"),
    ):
        with pytest.raises(SandboxRefused) as refused:
            sandbox.control.reply(account_sid, number, body=body, to=to)
        assert field in refused.value.errors
