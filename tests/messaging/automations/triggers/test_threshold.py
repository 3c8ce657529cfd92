"""A number that crosses a limit is told once, until it has come back; a flapping sensor sends no hundred texts."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.db.models.functions import Now

from messaging.automations.models import Run
from messaging.automations.trigger_models import ThresholdState
from messaging.automations.triggers.threshold import crossing
from tests.conftest import Cast
from tests.messaging.api.conftest import problem_of

from .conftest import Listening, describe, wrong
from .test_webhook import Door, MakeDoor, door, fresh

__all__ = ["door", "fresh"]

WARM = {"value_path": "t", "direction": "above", "limit": 30, "rearm": 28, "pause_minutes": 0}
START = datetime(2026, 5, 1, tzinfo=UTC)


def told(settings: dict[str, Any], numbers: list[float], *, minutes: float = 1) -> list[float]:
    state = ThresholdState(subject="")
    return [
        number
        for place, number in enumerate(numbers)
        if crossing(state, settings, number, now=START + timedelta(minutes=place * minutes))
    ]


@pytest.mark.parametrize(
    ("given", "numbers", "found"),
    [
        (WARM, [29, 30, 31, 35, 29, 32, 28, 31], [31, 31]),
        ({**WARM, "rearm": None}, [31, 30, 31], [31, 31]),
        ({**WARM, "rearm": ""}, [31, 30, 31], [31, 31]),
        ({**WARM, "direction": "below", "limit": 5, "rearm": 8}, [6, 4, 7, 3, 8, 4], [4, 4]),
        ({**WARM, "pause_minutes": 30}, [31, 20] * 30, [31, 31]),
        ({**WARM, "pause_minutes": 10}, [31, 20, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41], [31, 40]),
    ],
)
def test_hysteresis_and_pause(given: dict[str, Any], numbers: list[float], found: list[float]) -> None:
    assert told(given, numbers) == found


@pytest.mark.django_db
def test_a_crossing_begins_a_run_and_the_rest_is_received(door: MakeDoor) -> None:
    one = door(trigger="threshold", **WARM)
    answers = [one.post({"t": number}).json() for number in (25, "31,5", 33, "27.9", 31)]
    assert [answer["status"] for answer in answers] == ["received", "started", "received", "received", "started"]
    data = Run.objects.order_by("id")[0].data["trigger"]
    assert data == {"t": "31,5", "threshold": {"value": 31.5, "limit": 30.0, "subject": "", "held_back": 0}}


@pytest.mark.django_db
def test_each_subject_has_its_own_limit_and_pause(door: MakeDoor) -> None:
    one = door(trigger="threshold", **{**WARM, "subject_path": "id", "pause_minutes": 60})
    for subject in ("a", "b", "a", 7):
        for number in (31, 20):
            one.post({"t": number, "id": subject})
    assert [run.data["trigger"]["threshold"]["subject"] for run in Run.objects.order_by("id")] == ["a", "b", "7"]
    assert ThresholdState.objects.get(subject="a").held_back == 1
    ThresholdState.objects.update(fired_at=Now() - timedelta(hours=2))
    one.post({"t": 31, "id": "a"})
    assert Run.objects.latest("id").data["trigger"]["threshold"]["held_back"] == 1


@pytest.mark.django_db
@pytest.mark.parametrize("value", [None, "warm", True, {"v": 1}, "1e99", "1e9999999", "NaN", [31]])
def test_what_is_no_number_is_refused_with_the_fields_name(door: MakeDoor, value: Any) -> None:
    one = door(trigger="threshold", **WARM)
    problem = problem_of(one.post({"t": value}), 422, "validation_failed")
    assert problem["errors"][0]["field"] == "t" and one.last_refusal == (422, "validation_failed")
    assert not ThresholdState.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_many_crossings_at_once_are_one_run(cast: Cast, listening: Listening) -> None:
    one = Door(listening("threshold", **WARM), cast)

    def cross() -> None:
        one.post({"t": 31})
        database.close()

    threads = [threading.Thread(target=cross) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Run.objects.count() == 1


@pytest.mark.django_db
def test_bad_limits_are_refused(cast: Cast) -> None:
    assert "or less" in wrong(cast, "threshold", **{**WARM, "rearm": 31})[0]
    assert "or more" in wrong(cast, "threshold", **{**WARM, "direction": "below", "rearm": 3})[0]
    assert len(wrong(cast, "threshold")) == 2, "the direction is chosen already"
    assert wrong(cast, "threshold", **WARM) == []
    assert describe(cast, "threshold", **WARM) == describe(cast, "threshold", **{**WARM, "limit": 30.0})
    assert describe(cast, "threshold", **WARM) == "When t goes above 30"
    assert describe(cast, "threshold", **{**WARM, "limit": 30.5}) == "When t goes above 30.5"
