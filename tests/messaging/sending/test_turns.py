"""Transactional messages have their turn between the parts of what a busy bulk lane does."""

import asyncio
import uuid
from types import SimpleNamespace
from typing import Any

import pytest

from messaging.sending import engine as engine_module
from messaging.sending.engine import Engine


def test_whoever_wakes_while_outcomes_of_bulk_are_written_is_served_between(monkeypatch: pytest.MonkeyPatch) -> None:
    engine, story = Engine(), []

    def settle(outcomes: list[Any]) -> None:
        story.append(len(outcomes))
        if len(story) == 1:
            engine._woken.put((uuid.uuid4(), 0, "MG1"))

    def serve() -> None:
        story.append("served")
        engine._woken.get_nowait()

    monkeypatch.setattr(engine_module, "settle", settle)
    monkeypatch.setattr(engine, "_serve_transactional", serve)
    engine._unsettled_bulk.extend(SimpleNamespace(number=number) for number in range(250))  # type: ignore[arg-type]
    engine._write(engine._unsettled_bulk)
    assert story == [100, "served", 100, 50]
    assert not engine._unsettled_bulk


def test_what_could_not_be_written_is_kept_for_the_next_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    engine, written = Engine(), []

    def settle(outcomes: list[Any]) -> None:
        if written:
            raise OSError
        written.extend(outcomes)

    monkeypatch.setattr(engine_module, "settle", settle)
    engine._unsettled_bulk.extend(range(150))  # type: ignore[arg-type]
    with pytest.raises(OSError):
        engine._write(engine._unsettled_bulk)
    assert (len(written), engine._unsettled_bulk) == (100, list(range(100, 150)))


def test_posts_of_a_large_claim_let_others_in_between(monkeypatch: pytest.MonkeyPatch) -> None:
    engine, begun = Engine(), []
    monkeypatch.setattr(engine, "_begin_post", lambda key, dispatch, claimed, together: begun.append(claimed.number))

    async def go() -> int:
        loop = asyncio.get_running_loop()
        bulk = [SimpleNamespace(begin_at=0.0, number=number) for number in range(50)]
        engine._begin_posts(None, None, bulk, 50)  # type: ignore[arg-type]
        before_the_code = len(begun)
        loop.call_soon(engine._begin_posts, None, None, [SimpleNamespace(begin_at=0.0, number="code")], 1)
        while len(begun) < 51:
            await asyncio.sleep(0)
        return before_the_code

    assert asyncio.run(go()) == 8
    assert begun.index("code") <= 16
    assert [one for one in begun if one != "code"] == list(range(50))
