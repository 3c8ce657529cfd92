"""Status callbacks: which, in which order, signed over what, retried when."""

import time

import pytest

from integrations.sandbox.server.callback_urls import read_callback_url
from integrations.sandbox.server.signing import sign
from tests.plugins.sandbox import QUICK, Hit, SandboxApi, SandboxServer, Webhook, wait_until


def test_order_for_a_messaging_service(api: SandboxApi, webhook: Webhook) -> None:
    sid = api.send(StatusCallback=webhook.url + "/status").json()["sid"]
    wait_until(lambda: len(webhook.hits) == 3)
    assert webhook.statuses() == ["queued", "sent", "delivered"]
    last = webhook.hits[-1].params
    assert last["MessageSid"] == last["SmsSid"] == sid
    assert last["SmsStatus"] == "delivered"
    assert last["AccountSid"] == api.credentials.account_sid
    assert last["MessagingServiceSid"] == api.credentials.messaging_service_sid
    assert last["From"] == api.credentials.phone_number
    assert "ErrorCode" not in last
    assert len(last["RawDlrDoneDate"]) == 10


def test_plain_sender_calls_back_without_queued(api: SandboxApi, webhook: Webhook) -> None:
    api.send(From=api.credentials.phone_number, StatusCallback=webhook.url)
    wait_until(lambda: "delivered" in webhook.statuses())
    assert webhook.statuses() == ["sent", "delivered"]


@pytest.mark.parametrize(
    ("number", "statuses", "code"),
    [("+12025550105", ["queued", "sent", "undelivered"], "30005"), ("+12025550101", ["queued", "failed"], "30001")],
)
def test_error_code_comes_with_the_failure_only(
    api: SandboxApi, webhook: Webhook, number: str, statuses: list[str], code: str
) -> None:
    api.send(to=number, StatusCallback=webhook.url)
    wait_until(lambda: len(webhook.hits) == len(statuses))
    assert webhook.statuses() == statuses
    assert webhook.hits[-1].params["ErrorCode"] == code
    assert all("ErrorCode" not in hit.params for hit in webhook.hits[:-1])


def test_signature_covers_query_and_not_the_fragment(api: SandboxApi, webhook: Webhook) -> None:
    address = webhook.url + "/status/1?a=x%20y&b=%C3%A9+z"
    api.send(StatusCallback=address + "#rc=2&rp=all")
    wait_until(lambda: webhook.hits)
    hit = webhook.hits[0]
    assert hit.path == "/status/1?a=x%20y&b=%C3%A9+z"
    expected = sign(address, hit.params, token=api.credentials.auth_token)
    assert hit.headers["X-Twilio-Signature"] == expected
    assert hit.headers["Content-Type"] == "application/x-www-form-urlencoded"


def test_scheduled_message_calls_back_when_canceled(api: SandboxApi, webhook: Webhook) -> None:
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
    sid = api.send(ScheduleType="fixed", SendAt=at, StatusCallback=webhook.url).json()["sid"]
    api.account("POST", f"/Messages/{sid}.json", data={"Status": "canceled"})
    wait_until(lambda: webhook.statuses() == ["canceled"])


def test_services_callback_serves_messages_without_their_own(api: SandboxApi, webhook: Webhook) -> None:
    path = f"/v1/Services/{api.credentials.messaging_service_sid}"
    api.call("POST", "messaging", path, data={"StatusCallback": webhook.url + "/service"})
    api.send()
    api.send(StatusCallback=webhook.url + "/own")
    wait_until(lambda: webhook.statuses().count("delivered") == 2)
    assert [hit.path for hit in webhook.hits].count("/service") == 3
    assert [hit.path for hit in webhook.hits].count("/own") == 3


# ---- retries


def _failing_twice(status: int):  # type: ignore[no-untyped-def]
    count = 0

    def answer(hit: Hit) -> tuple[int, str, str]:
        nonlocal count
        count += 1
        return (status, "text/plain", "no") if count <= 2 else (204, "", "")

    return answer


def test_retries_keep_their_idempotency_token(sandbox: SandboxServer, api: SandboxApi, webhook: Webhook) -> None:
    webhook.answer = _failing_twice(500)
    api.send(From="Parcels", StatusCallback=webhook.url + "#rc=3&rp=5xx")
    wait_until(lambda: "delivered" in webhook.statuses())
    assert webhook.statuses() == ["sent", "sent", "sent", "delivered"]
    tokens = [hit.headers["I-Twilio-Idempotency-Token"] for hit in webhook.hits]
    assert len(set(tokens[:3])) == 1
    assert tokens[3] != tokens[0]


def test_http_errors_are_not_retried_unless_asked_for(
    sandbox: SandboxServer, api: SandboxApi, webhook: Webhook
) -> None:
    webhook.answer = lambda hit: (500, "text/plain", "no")
    api.send(From="Parcels", StatusCallback=webhook.url)
    wait_until(lambda: "delivered" in webhook.statuses())
    assert webhook.statuses() == ["sent", "delivered"]
    failure = sandbox.control.stats()["webhook_failures"][0]
    assert (failure["status"], failure["error_code"]) == (500, 11200)


def test_refused_connection_is_retried_once(sandbox: SandboxServer, api: SandboxApi) -> None:
    api.send(From="Parcels", StatusCallback="http://127.0.0.1:9/nobody")
    wait_until(lambda: sandbox.control.stats()["webhooks"].get("failed") == 2)
    webhooks = sandbox.control.stats()["webhooks"]
    assert (webhooks["sent"], webhooks["retried"]) == (4, 2)
    assert sandbox.control.stats()["webhook_failures"][0]["error_code"] == 11205


@pytest.mark.parametrize(
    ("fragment", "count", "policy"),
    [
        ("", 1, {"ct"}),
        ("#rc=5&rp=all", 5, {"all"}),
        ("#rc=9", 5, {"ct"}),
        ("#rc=x&rp=nonsense", 1, {"ct"}),
        ("#rc=0&rp=4xx,rt", 0, {"4xx", "rt"}),
    ],
)
def test_overrides_are_read_from_the_fragment(fragment: str, count: int, policy: set[str]) -> None:
    target = read_callback_url("https://example.com/hook" + fragment)
    assert target is not None
    assert (target.url, target.retry_count, target.retry_policy) == ("https://example.com/hook", count, policy)


@pytest.mark.parametrize(
    ("url", "is_good"),
    [
        ("https://example.com", True),
        ("http://localhost:8000/x", True),
        ("http://127.0.0.1/x?y=z", True),
        ("http://[::1]:8000/x", True),
        ("https://user:pw@example.com/", True),
        ("https://a_b.example.com/", False),
        ("example.com/x", False),
        ("https://", False),
        ("https://exa mple.com/", False),
        ("", False),
    ],
)
def test_which_addresses_are_accepted(url: str, is_good: bool) -> None:
    assert (read_callback_url(url) is not None) is is_good


# ---- what the dials do to callbacks


def test_reversed_callbacks_come_last_first(sandbox: SandboxServer, api: SandboxApi, webhook: Webhook) -> None:
    sandbox.control.change_dials({"callbacks": {"reversed": True}})
    api.send(StatusCallback=webhook.url)
    wait_until(lambda: len(webhook.hits) == 3)
    assert webhook.statuses() == ["delivered", "sent", "queued"]


def test_doubled_callbacks_come_twice(sandbox: SandboxServer, api: SandboxApi, webhook: Webhook) -> None:
    sandbox.control.change_dials({"callbacks": {"double_rate": 1}})
    api.send(From="Parcels", StatusCallback=webhook.url)
    wait_until(lambda: len(webhook.hits) == 4)
    assert webhook.statuses() == ["sent", "sent", "delivered", "delivered"]


def test_dropped_callbacks_never_come(sandbox: SandboxServer, api: SandboxApi, webhook: Webhook) -> None:
    sandbox.control.change_dials({"callbacks": {"drop_rate": 1}})
    sid = api.send(StatusCallback=webhook.url).json()["sid"]
    wait_until(lambda: api.message(sid)["status"] == "delivered")
    stats = sandbox.control.stats()
    assert stats["callbacks"] == {"dropped": 3}
    assert stats["webhooks"] == {}
    assert webhook.hits == []


def test_late_callbacks_wait(sandbox: SandboxServer, api: SandboxApi, webhook: Webhook) -> None:
    sandbox.control.set_dials(QUICK | {"callbacks": {"delay_ms": 600_000}})
    sid = api.send(StatusCallback=webhook.url).json()["sid"]
    wait_until(lambda: api.message(sid)["status"] == "delivered")
    assert webhook.hits == []
    sandbox.control.advance_clock(601)
    wait_until(lambda: sorted(webhook.statuses()) == ["delivered", "queued", "sent"])


def test_silent_number_never_calls_back(sandbox: SandboxServer, api: SandboxApi, webhook: Webhook) -> None:
    sid = api.send(to="+12025550151", StatusCallback=webhook.url).json()["sid"]
    wait_until(lambda: api.message(sid)["status"] == "delivered")
    assert sandbox.control.stats()["webhooks"] == {}


def test_dead_webhook_of_one_does_not_hold_up_another(
    sandbox: SandboxServer, api: SandboxApi, webhook: Webhook
) -> None:
    for _ in range(60):
        api.send(StatusCallback="http://127.0.0.1:9/nobody#rc=5")
    api.send(StatusCallback=webhook.url)
    wait_until(lambda: "delivered" in webhook.statuses(), seconds=3)
