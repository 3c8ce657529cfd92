"""Broadcasts by the API: handed in, checked, started once, watched, ended."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from integrations.connections.models import Connection
from messaging.broadcasts import checking, feeder
from messaging.broadcasts.models import Broadcast
from messaging.consent.opt_outs import opt_out
from messaging.jobs import work
from messaging.jobs.models import Job
from messaging.sending.models import Message
from tests.conftest import Cast
from tests.messaging.broadcasts.conftest import number

from .conftest import Caller


def given(*numbers: int, **variables: str) -> list[dict[str, Any]]:
    return [{"to": number(n), **({"variables": variables} if variables else {})} for n in numbers]


def run_jobs() -> None:
    """Do what the clerk does until no check is left."""
    while unfinished := list(Job.objects.filter(state__in=["waiting", "running"])):
        for job in unfinished:
            work.run(job.pk)


@pytest.fixture
def hand_in(api: Caller, connection: Connection) -> Callable[..., dict[str, Any]]:
    """Hand in a broadcast and return it after the check."""

    def make(*numbers: int, **fields: Any) -> dict[str, Any]:
        body = {"name": "Depot", "body": "Closed today.", "recipients": given(*numbers), **fields}
        answer = api.post("broadcasts", body)
        assert answer.status_code == 202, answer.content
        run_jobs()
        return look(api, answer.json()["id"])

    return make


def look(api: Caller, key: str) -> dict[str, Any]:
    return api.get(f"broadcasts/{key}").json()


def test_what_is_handed_in_is_checked_and_waits_to_be_started(api: Caller, connection: Connection) -> None:
    answer = api.post("broadcasts", {"name": "Depot", "body": "Closed.", "recipients": given(1, 2)})
    assert answer.status_code == 202
    told = answer.json()
    assert told["status"] == "checking"
    assert answer["Location"] == f"/api/v1/broadcasts/{told['id']}"
    run_jobs()
    told = look(api, told["id"])
    assert (told["status"], told["recipients"]) == ("ready", {"ready": 2, "left_out": 0, "bad": 0})
    feeder.feed_all()
    assert not Message.objects.exists()


def test_one_with_start_goes_out_when_the_check_is_clean(api: Caller, hand_in: Callable[..., dict[str, Any]]) -> None:
    told = hand_in(1, 2, start=True)
    assert told["status"] == "running"
    feeder.feed_all()
    assert Message.objects.filter(source="broadcast").count() == 2
    assert look(api, told["id"])["progress"]["waiting"] == 2


def test_one_with_start_and_a_wrong_number_says_why_it_waits(api: Caller, connection: Connection) -> None:
    body = {"name": "Depot", "body": "Hi {{ name }}", "start": True, "recipients": [*given(1, name="A"), *given(2)]}
    key = api.post("broadcasts", body).json()["id"]
    run_jobs()
    told = look(api, key)
    assert told["status"] == "ready"
    assert "1 row is wrong" in told["problem"]
    assert [(row["row"], row["field"], row["code"]) for row in told["problems"]] == [(2, "name", "missing_variable")]
    feeder.feed_all()
    assert not Message.objects.exists()
    assert api.post(f"broadcasts/{key}/start").json()["code"] == "bad_rows"
    started = api.post(f"broadcasts/{key}/start?skip_bad=true")
    assert started.json()["status"] == "running"
    assert Broadcast.objects.get().skips_bad


def test_wrong_recipients_are_listed_by_their_rows_through_all_calls(api: Caller, connection: Connection) -> None:
    bad = [{"to": "nobody"} for _ in range(30)]
    key = api.post("broadcasts", {"name": "D", "body": "Hi", "recipients": [*given(1), *bad]}).json()["id"]
    added = api.post(f"broadcasts/{key}/recipients", {"recipients": [*given(2), {"to": "nobody either"}]})
    assert added.json() == {"first_row": 32, "count": 2}
    run_jobs()
    assert len(look(api, key)["problems"]) == 20
    first = api.get(f"broadcasts/{key}/problems?limit=25").json()
    second = api.get(f"broadcasts/{key}/problems?limit=25&cursor={first['next']}").json()
    rows = [row["row"] for row in first["items"] + second["items"]]
    assert rows == [*range(2, 32), 33]
    assert second["next"] is None


@pytest.mark.parametrize("when", ["draft", "checking", "ready"])
def test_more_recipients_are_checked_with_those_before_and_a_number_twice_is_left_out(
    api: Caller, connection: Connection, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "SLICE_ROWS", 2)
    first = [] if when == "draft" else given(1, 2, 3)
    key = api.post("broadcasts", {"name": "D", "body": "Hi", "recipients": first}).json()["id"]
    if when == "ready":
        run_jobs()
    answer = api.post(f"broadcasts/{key}/recipients", {"recipients": given(3, 4, 5)})
    assert answer.status_code == 202
    run_jobs()
    told = look(api, key)
    expected = 3 if when == "draft" else 5
    assert (told["status"], told["recipients"]["ready"]) == ("ready", expected)
    assert told["left_out"] == ({} if when == "draft" else {"duplicate": 1})
    assert Broadcast.objects.get().recipients.count() == len(first) + 3


def test_recipients_that_come_while_the_last_slice_is_checked_are_not_forgotten(
    api: Caller, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = api.post("broadcasts", {"name": "D", "body": "Hi", "recipients": given(1)}).json()["id"]
    genuine, added = checking.examine, []

    def slow(broadcast: Broadcast, rows: Any) -> Any:
        if not rows and not added:  # the end of the source was seen, and not yet acted on
            added.append(api.post(f"broadcasts/{key}/recipients", {"recipients": given(2)}))
        return genuine(broadcast, rows)

    monkeypatch.setattr(checking, "examine", slow)
    run_jobs()
    assert added
    assert look(api, key)["recipients"]["ready"] == 2


def test_ten_thousand_recipients_are_one_call_and_one_more_is_refused(api: Caller, connection: Connection) -> None:
    body = {
        "name": "D",
        "body": "Hi",
        "recipients": [{"to": number(n), "variables": {"x": "y" * 60}} for n in range(10_000)],
    }
    assert len(json.dumps(body)) > 1_048_576
    assert api.post("broadcasts", body).status_code == 202
    body["recipients"].append({"to": number(10_001)})  # type: ignore[attr-defined]
    answer = api.post("broadcasts", body)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "too_many")


def test_more_than_five_megabytes_are_refused_and_other_calls_keep_their_limit(api: Caller) -> None:
    assert api.post("broadcasts", b" " * (5 * 1_048_576 + 1)).status_code == 413
    assert api.post("broadcasts", b" " * 2_000_000).json()["code"] == "malformed_json"
    assert api.post("messages", b" " * 2_000_000).status_code == 413


def test_the_same_key_and_body_make_one_broadcast_another_body_none(api: Caller, connection: Connection) -> None:
    body = {"name": "D", "body": "Hi", "recipients": given(1)}
    first = api.post("broadcasts", body, **{"Idempotency-Key": "summer"})
    again = api.post("broadcasts", body, **{"Idempotency-Key": "summer"})
    assert (first.status_code, again.status_code) == (202, 200)
    assert first.json()["id"] == again.json()["id"]
    other = api.post("broadcasts", {**body, "name": "E"}, **{"Idempotency-Key": "summer"})
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")
    message = api.post("messages", {"to": number(1), "body": "Hi"}, **{"Idempotency-Key": "summer"})
    assert message.status_code == 409
    assert Broadcast.objects.count() == 1


def test_the_same_recipients_under_one_key_are_added_once(api: Caller, hand_in: Callable[..., dict[str, Any]]) -> None:
    key = hand_in(1)["id"]
    path, body = f"broadcasts/{key}/recipients", {"recipients": given(2, 3)}
    answers = [api.post(path, body, **{"Idempotency-Key": "page-2"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 200]
    assert answers[0].json() == answers[1].json() == {"first_row": 2, "count": 2}
    run_jobs()
    assert look(api, key)["recipients"]["ready"] == 3
    elsewhere = hand_in(9)["id"]
    assert api.post(f"broadcasts/{elsewhere}/recipients", body, **{"Idempotency-Key": "page-2"}).status_code == 409


def test_it_starts_once(api: Caller, hand_in: Callable[..., dict[str, Any]]) -> None:
    key = hand_in(1)["id"]
    assert api.post(f"broadcasts/{key}/start").json()["status"] == "running"
    second = api.post(f"broadcasts/{key}/start")
    assert (second.status_code, second.json()["code"]) == (409, "broadcast_state")
    assert "already started by API key Shop" in second.json()["detail"]
    feeder.feed_all()
    assert Message.objects.count() == 1


def test_nothing_starts_while_the_check_runs(api: Caller, connection: Connection) -> None:
    key = api.post("broadcasts", {"name": "D", "body": "Hi", "recipients": given(1)}).json()["id"]
    answer = api.post(f"broadcasts/{key}/start")
    assert (answer.status_code, answer.json()["code"]) == (409, "check_running")


def test_one_without_recipients_is_a_draft_and_does_not_start(api: Caller, connection: Connection) -> None:
    told = api.post("broadcasts", {"name": "D", "body": "Hi"}).json()
    assert told["status"] == "draft"
    assert api.post(f"broadcasts/{told['id']}/start").json()["code"] == "not_checked"


def test_pausing_resuming_and_canceling(api: Caller, hand_in: Callable[..., dict[str, Any]]) -> None:
    key = hand_in(1, 2, start=True)["id"]
    feeder.feed_all()
    for _ in range(2):
        paused = api.post(f"broadcasts/{key}/pause")
        assert (paused.status_code, paused.json()["status"]) == (200, "paused")
    assert paused.json()["paused_reason"]
    for _ in range(2):
        assert api.post(f"broadcasts/{key}/resume").json()["status"] == "running"
    for _ in range(2):
        canceled = api.post(f"broadcasts/{key}/cancel").json()
        assert (canceled["status"], canceled["progress"]["canceled"]) == ("canceled", 2)
    assert api.post(f"broadcasts/{key}/pause").json()["code"] == "broadcast_state"
    assert api.post(f"broadcasts/{key}/resume").json()["code"] == "broadcast_state"
    refused = api.post(f"broadcasts/{key}/recipients", {"recipients": given(3)})
    assert (refused.status_code, refused.json()["code"]) == (409, "broadcast_started")


def test_who_opted_out_is_counted_and_not_written_to(
    api: Caller, cast: Cast, hand_in: Callable[..., dict[str, Any]]
) -> None:
    opt_out(cast.organization, phone=number(2), source="keyword")
    told = hand_in(1, 2)
    assert told["left_out"] == {"opted_out": 1}


def test_without_a_connection_it_is_checked_and_says_what_is_missing(api: Caller) -> None:
    key = api.post("broadcasts", {"name": "D", "body": "Hi", "recipients": given(1)}).json()["id"]
    run_jobs()
    told = look(api, key)
    assert told["problem"].startswith("Connect Twilio")
    assert api.post(f"broadcasts/{key}/start").json()["code"] == "not_connected"


@pytest.mark.parametrize(
    ("fields", "field", "code"),
    [
        ({"body": ""}, "body", "empty"),
        ({"body": "Hi {{ name"}, "body", "bad_template"),
        ({"template": "nothing", "body": ""}, "template", "unknown_template"),
        ({"template": "x"}, "template", "body_and_template"),
        ({"name": "  "}, "name", "required"),
        ({"recipients": [{"variables": {}}]}, "recipients.0.to", "required"),
        ({"purpose": "fun"}, "purpose", "not_a_choice"),
        ({"recipient": []}, "recipient", "unknown_field"),
    ],
)
def test_what_cannot_be_used_names_its_field(
    api: Caller, connection: Connection, fields: dict[str, Any], field: str, code: str
) -> None:
    answer = api.post("broadcasts", {"name": "D", "body": "Hi", "recipients": given(1), **fields})
    assert answer.status_code == 422
    assert (field, code) in [(error["field"], error["code"]) for error in answer.json()["errors"]]
    assert not Broadcast.objects.exists()


def test_the_list_is_paged_and_asks_as_often_for_many_as_for_one(
    api: Caller, hand_in: Callable[..., dict[str, Any]], django_assert_max_num_queries: Any
) -> None:
    keys = [hand_in(n)["id"] for n in range(1, 6)]
    with django_assert_max_num_queries(8):
        first = api.get("broadcasts?limit=3").json()
    assert [item["id"] for item in first["items"]] == keys[:1:-1]
    second = api.get(f"broadcasts?limit=3&cursor={first['next']}").json()
    assert [item["id"] for item in second["items"]] == keys[1::-1]
    assert api.get("broadcasts?status=running").json()["items"] == []


def test_keys_need_the_scopes(make_caller: Callable[..., Caller], hand_in: Callable[..., dict[str, Any]]) -> None:
    key = hand_in(1)["id"]
    reader, sender = make_caller("broadcasts:read"), make_caller("messages:write")
    assert reader.get(f"broadcasts/{key}").status_code == 200
    assert reader.post(f"broadcasts/{key}/start").status_code == 403
    assert sender.get("broadcasts").status_code == 403
    assert sender.post("broadcasts", {"name": "D", "body": "Hi"}).status_code == 403


def test_a_stranger_finds_nothing(stranger: Caller, hand_in: Callable[..., dict[str, Any]]) -> None:
    key = hand_in(1)["id"]
    assert stranger.get(f"broadcasts/{key}").status_code == 404
    assert stranger.get(f"broadcasts/{key}/problems").status_code == 404
    for step in ("start", "pause", "resume", "cancel"):
        assert stranger.post(f"broadcasts/{key}/{step}").status_code == 404
    assert stranger.post(f"broadcasts/{key}/recipients", {"recipients": given(2)}).status_code == 404
    assert stranger.get("broadcasts").json()["items"] == []
