"""Nudges of many messages at once: the first leaves at once, and none is left without one that comes after it."""

import os
import threading
import time
import uuid

import pytest

from messaging.sending import nudges

LANE = uuid.uuid4()


@pytest.fixture
def left(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    left: list[float] = []
    monkeypatch.setattr(nudges, "nudge", lambda *_, **__: left.append(time.monotonic()))
    monkeypatch.setattr(nudges, "_gather_until", {})
    monkeypatch.setattr(nudges, "_waiting", {})
    monkeypatch.setattr(nudges, "GATHER", 0.05)
    return left


def soon(lane: int = 0, sender: str = "MG1") -> None:
    nudges.nudge_soon(LANE, lane=lane, sender=sender)


def test_first_of_many_leaves_at_once_and_one_for_the_others_after_the_last(left: list[float]) -> None:
    soon()
    assert len(left) == 1
    for _ in range(20):
        soon()
    last = time.monotonic()
    assert len(left) == 1
    time.sleep(0.2)
    assert len(left) == 2
    assert left[1] >= last


def test_single_ones_with_time_between_them_never_wait(left: list[float]) -> None:
    for count in range(1, 4):
        soon()
        assert len(left) == count
        time.sleep(0.06)


def test_lanes_do_not_wait_for_each_other(left: list[float]) -> None:
    soon()
    soon(lane=1)
    soon(sender="MG2")
    assert len(left) == 3


def test_one_thread_sends_what_is_left_of_every_lane(left: list[float]) -> None:
    for lane in range(4):
        soon(lane)
        soon(lane)
    assert [thread.name for thread in threading.enumerate()].count("nudges") == 1
    time.sleep(0.2)
    assert len(left) == 8


def test_forked_process_nudges_too(left: list[float]) -> None:
    soon()
    soon()
    if (child := os.fork()) == 0:
        left.clear()
        soon(lane=1)
        soon(lane=1)
        time.sleep(0.2)
        os._exit(0 if len(left) == 2 else 1)
    assert os.waitpid(child, 0)[1] == 0
