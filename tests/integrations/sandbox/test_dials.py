"""Dials and the control API: faults, limits, validation, counting."""

import pytest
import requests

from integrations.sandbox.control import SandboxControl, SandboxRefused, SandboxUnavailable
from tests.plugins.sandbox import SandboxApi, SandboxServer


def test_429_does_nothing_and_says_when_to_come_back(sandbox: SandboxServer, api: SandboxApi) -> None:
    sandbox.control.change_dials({"rate_429": 1, "retry_after_s": 2})
    refused = api.send()
    assert (refused.status_code, refused.json()["code"], refused.headers["Retry-After"]) == (429, 20429, "2")
    assert sandbox.control.messages() == []
    assert api.account("GET", "/Messages.json").status_code == 200  # faults meet what sends, unless told otherwise
    sandbox.control.change_dials({"faults_on": "all", "retry_after_s": None})
    refused = api.account("GET", "/Messages.json")
    assert (refused.status_code, refused.headers.get("Retry-After")) == (429, None)


def test_5xx_before_does_nothing_and_after_has_done_it(sandbox: SandboxServer, api: SandboxApi) -> None:
    sandbox.control.change_dials({"rate_5xx": 1})
    assert (api.send().status_code, len(sandbox.control.messages())) == (500, 0)
    sandbox.control.change_dials({"rate_5xx": 0, "rate_accept_5xx": 1})
    assert (api.send().status_code, len(sandbox.control.messages())) == (500, 1)


@pytest.mark.parametrize(("fault", "stored"), [("rate_reset_before", 0), ("rate_accept_reset", 1)])
def test_reset_drops_the_connection(sandbox: SandboxServer, api: SandboxApi, fault: str, stored: int) -> None:
    sandbox.control.change_dials({fault: 1})
    with pytest.raises(requests.ConnectionError):
        api.send()
    assert len(sandbox.control.messages()) == stored
    assert sandbox.control.stats()["faults"] == {fault.removeprefix("rate_"): 1}


def test_hanging_answer_was_accepted(sandbox: SandboxServer, api: SandboxApi) -> None:
    sandbox.control.change_dials({"rate_accept_hang": 1})
    api.timeout = 0.3
    with pytest.raises(requests.ReadTimeout):
        api.send()
    assert len(sandbox.control.messages()) == 1


def test_client_that_gives_up_during_latency_was_served(sandbox: SandboxServer, api: SandboxApi) -> None:
    sandbox.control.change_dials({"latency_ms": 5000})
    api.timeout = 0.2
    with pytest.raises(requests.ReadTimeout):
        api.send()
    assert len(sandbox.control.messages()) == 1


def test_faults_come_as_often_as_the_dial_says_and_the_same_with_the_same_seed(
    sandbox: SandboxServer, api: SandboxApi
) -> None:
    def run() -> list[int]:
        sandbox.control.change_dials({"rate_429": 0.3, "rate_5xx": 0.2, "seed": 7})
        return [api.send().status_code for _ in range(100)]

    first = run()
    assert 15 <= first.count(429) <= 45
    assert 8 <= first.count(500) <= 35
    assert run() == first


def test_limit_per_second_refuses_the_surplus(sandbox: SandboxServer, api: SandboxApi) -> None:
    sandbox.control.change_dials({"limit_per_second": 5})
    codes = [api.send().status_code for _ in range(12)]
    assert codes[:5] == [201] * 5
    assert 429 in codes[5:]
    sandbox.control.advance_clock(10)
    assert api.send().status_code == 201


def test_final_statuses_follow_their_weights(sandbox: SandboxServer, api: SandboxApi) -> None:
    carrier = {"final": {"delivered": 0, "undelivered": 1}, "error_codes": {"undelivered": [30008]}}
    sandbox.control.change_dials({"carrier": carrier | {"queued_after_s": 0, "sent_after_s": 0, "final_after_s": 0}})
    sid = api.send().json()["sid"]
    sandbox.control.advance_clock(1)
    message = api.message(sid)
    assert (message["status"], message["error_code"]) == ("undelivered", 30008)


def test_outcome_of_one_number(sandbox: SandboxServer, api: SandboxApi) -> None:
    sandbox.control.change_dials({"outcomes": {"+4915112345678": {"error_code": 21612}}})
    assert api.send().json()["code"] == 21612
    assert api.send(to="+4915112345679").status_code == 201


def test_account_dials_lie_over_the_global_ones(sandbox: SandboxServer, api: SandboxApi) -> None:
    account_sid = api.credentials.account_sid
    other = sandbox.api(sandbox.new_account())
    sandbox.control.set_dials({"rate_429": 1}, account_sid=account_sid)
    assert (api.send().status_code, other.send().status_code) == (429, 201)
    sandbox.control.change_dials({"list_lag_ms": 5})
    shown = sandbox.control.dials(account_sid)
    assert (shown["in_force"]["rate_429"], shown["in_force"]["list_lag_ms"]) == (1, 5)
    assert shown["own"] == {"rate_429": 1}
    sandbox.control.set_dials({}, account_sid=account_sid)
    assert api.send().status_code == 201


def test_put_takes_back_what_it_does_not_name(sandbox: SandboxServer) -> None:
    sandbox.control.change_dials({"rate_429": 0.5})
    sandbox.control.set_dials({"rate_5xx": 0.1})
    dials = sandbox.control.dials()
    assert (dials["rate_429"], dials["rate_5xx"]) == (0, 0.1)


@pytest.mark.parametrize(
    ("dials", "field"),
    [
        ({"rate_42": 1}, "rate_42"),
        ({"rate_429": 1.5}, "rate_429"),
        ({"rate_429": "much"}, "rate_429"),
        ({"rate_429": True}, "rate_429"),
        ({"rate_429": None}, "rate_429"),
        ({"rate_429": 0.6, "rate_5xx": 0.6}, "rate_429"),
        ({"latency_ms": -1}, "latency_ms"),
        ({"faults_on": "some"}, "faults_on"),
        ({"callbacks": 3}, "callbacks"),
        ({"callbacks": {"reversed": 1}}, "callbacks.reversed"),
        ({"callbacks": {"drop": 1}}, "callbacks.drop"),
        ({"carrier": {"final": {"delivered": 0}}}, "carrier.final"),
        ({"carrier": {"error_codes": {"failed": []}}}, "carrier.error_codes.failed"),
        ({"verify": {"exhausted": "404"}}, "verify.exhausted"),
        ({"outcomes": []}, "outcomes"),
        ({"outcomes": {"123": {"status": "failed"}}}, "outcomes.123"),
        ({"outcomes": {"+12025550123": {}}}, "outcomes.+12025550123"),
        ({"outcomes": {"+12025550123": {"status": "gone"}}}, "outcomes.+12025550123.status"),
        ({"outcomes": {"+12025550123": {"error_code": 30003}}}, "outcomes.+12025550123.error_code"),
    ],
)
def test_unusable_dials_are_refused_by_name_and_change_nothing(
    sandbox: SandboxServer, dials: dict[str, object], field: str
) -> None:
    before = sandbox.control.dials()
    with pytest.raises(SandboxRefused) as refused:
        sandbox.control.change_dials(dials)
    assert refused.value.status == 422
    assert field in refused.value.errors
    assert sandbox.control.dials() == before


# ---- the rest of the control API


def test_secret_is_asked_for(sandbox: SandboxServer) -> None:
    for path in ("dials", "stats", "messages", f"accounts/{sandbox.new_account().account_sid}/phones"):
        for headers in ({}, {"X-Sandbox-Secret": "wrong"}, {"X-Sandbox-Secret": "ü".encode()}):
            assert requests.get(f"{sandbox.url}/sandbox/{path}", headers=headers, timeout=5).status_code == 401
    with pytest.raises(SandboxUnavailable):
        SandboxControl(sandbox.url, "wrong").dials()


def test_dead_sandbox_is_unavailable() -> None:
    control = SandboxControl("http://127.0.0.1:9", "x")
    assert not control.is_up()
    with pytest.raises(SandboxUnavailable):
        control.stats()


def test_unknown_account_and_broken_json(sandbox: SandboxServer) -> None:
    with pytest.raises(SandboxRefused) as refused:
        sandbox.control.account("AC" + "0" * 32)
    assert refused.value.status == 404
    headers = {"X-Sandbox-Secret": sandbox.secret}
    assert requests.put(f"{sandbox.url}/sandbox/dials", data="{", headers=headers, timeout=5).status_code == 400
    assert requests.put(f"{sandbox.url}/sandbox/dials", json=[1], headers=headers, timeout=5).status_code == 422


def test_unusable_properties_are_refused(sandbox: SandboxServer, api: SandboxApi) -> None:
    for properties in ({"status": "asleep"}, {"auth_token": "x"}, {"verified_numbers": ["12"]}, {"is_key_main": 1}):
        with pytest.raises(SandboxRefused) as refused:
            sandbox.control.change_account(api.credentials.account_sid, **properties)
        assert set(refused.value.errors) == set(properties)


def test_account_is_shown_without_secrets(sandbox: SandboxServer, api: SandboxApi) -> None:
    shown = str(sandbox.control.account(api.credentials.account_sid))
    assert api.credentials.messaging_service_sid in shown
    assert api.credentials.auth_token not in shown
    assert api.credentials.api_key_secret not in shown


def test_stats_count_duplicates(sandbox: SandboxServer, api: SandboxApi) -> None:
    for body in ("a", "a", "a", "b"):
        api.send(body=body)
    api.send(to="123")
    stats = sandbox.control.stats(api.credentials.account_sid)
    assert (stats["posts"], stats["processed"], stats["stored"], stats["duplicates"]) == (5, 4, 4, 2)
    assert stats["refused"] == {"21211": 1}


def test_accepted_messages_of_one_account_and_number(sandbox: SandboxServer, api: SandboxApi) -> None:
    sandbox.api(sandbox.new_account()).send(body="another's")
    for n in range(3):
        api.send(body=str(n))
    api.send(to="+4915112345679", body="3")
    account_sid = api.credentials.account_sid
    assert [m["body"] for m in sandbox.control.messages(account_sid=account_sid, limit=2)] == ["3", "2"]
    assert [m["body"] for m in sandbox.control.messages(to="+4915112345679")] == ["3"]
    assert len(sandbox.control.messages()) == 5


def test_phones_list_those_with_news_first(sandbox: SandboxServer, api: SandboxApi) -> None:
    api.send(to="+4915112345678", body="Your code is 123456")
    api.send(to="+4915112345679", body="No code 12345678901")
    sandbox.control.reply(api.credentials.account_sid, "+4915112345678", body="Thanks")
    first, second = sandbox.control.phones(api.credentials.account_sid)
    assert (first["number"], first["received"], first["sent"]) == ("+4915112345678", 1, 1)
    assert first["last"]["body"] == "Thanks"
    assert (second["number"], second["last"]["code"]) == ("+4915112345679", None)
    assert sandbox.control.phone(api.credentials.account_sid, "+4915112345678")["messages"][0]["code"] == "123456"
    assert sandbox.control.phone(api.credentials.account_sid, "+4915112345670")["messages"] == []


def test_reset_of_one_account_leaves_the_others(sandbox: SandboxServer, api: SandboxApi) -> None:
    other = sandbox.api(sandbox.new_account())
    api.send()
    other.send()
    sandbox.control.reset(api.credentials.account_sid)
    assert [m["account_sid"] for m in sandbox.control.messages()] == [other.credentials.account_sid]
    assert api.send().status_code == 201
