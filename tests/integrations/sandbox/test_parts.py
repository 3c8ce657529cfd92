"""Parts that need no server: signatures, segments, timers, memory."""

import asyncio
import json
import random
from pathlib import Path
from typing import Any

import pytest

from integrations.sandbox.credentials import new_account_sid
from integrations.sandbox.server.model import Message
from integrations.sandbox.server.segments import count_segments, smart_encode
from integrations.sandbox.server.signing import sign
from integrations.sandbox.server.timers import Timers
from integrations.sandbox.server.world import World

SHARED = Path(__file__).resolve().parents[4] / "shared" / "twilio"


def _shared(name: str) -> Any:
    path = SHARED / name
    if not path.is_file():
        pytest.skip(f"LEFT OUT: ../shared/twilio/{name} is not here")
    return json.loads(path.read_text())


def test_signatures_agree_with_the_vectors() -> None:
    seen = 0
    for vector in _shared("signatures.json")["vectors"]:
        params = vector["params"]
        is_plain = isinstance(params, dict) and all(isinstance(value, str) for value in params.values())
        if vector["algorithm"] == "HMAC_SHA1" and is_plain and vector["body"] is None and vector["sdk_validates"]:
            url = vector["signed_url"]
            assert sign(url, params, token=vector["auth_token"]) == vector["expected_signature"], vector["name"]
            seen += 1
    assert seen >= 5


def test_segments_agree_with_the_samples() -> None:
    """Families of emoji are left out: the reference never cuts them, carriers do."""
    seen = 0
    for case in _shared("segments.json")["cases"]:
        if case["smartEncoding"] or any(ord(character) > 0xFFFF for character in case["input"]):
            continue
        if "\r" in case["input"] or any(0x300 <= ord(character) <= 0x36F for character in case["input"]):
            continue
        assert count_segments(case["input"]) == max(case["segments"], 1), case["name"]
        seen += 1
    assert seen >= 20


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("€" * 80, 1),
        ("€" * 153, 3),
        ("ü" * 160, 1),
        ("ç" * 70, 1),
        ("ç" * 71, 2),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
        ("", 1),
    ],
)
def test_segments(text: str, segments: int) -> None:
    assert count_segments(text) == segments


def test_smart_encoding_makes_texts_plain() -> None:
    assert smart_encode("“It’s …” – yes") == '"It\'s ..." - yes'


def _store(world: World, account_sid: str, number: int, *, is_final: bool) -> None:
    account = world.account(account_sid)
    account.message_count = number
    message = Message(
        sid=f"SM{number}",
        account=account,
        number=number,
        to=f"+49151{number % 7:08d}",
        body="x",
        direction="outbound-api",
        status="delivered" if is_final else "accepted",
        created=float(number),
        updated=float(number),
        steps=((1.0, "delivered"),),
        step=1 if is_final else 0,
    )
    world.store(message, phone=message.to)


def test_oldest_finished_messages_make_room() -> None:
    world = World("secret", max_messages=100)
    account_sid = new_account_sid("secret")
    dice = random.Random(3)
    on_their_way = set()
    for number in range(1, 1001):
        is_final = dice.random() < 0.95
        if not is_final:
            on_their_way.add(f"SM{number}")
        _store(world, account_sid, number, is_final=is_final)
    account = world.account(account_sid)
    assert len(account.order) <= 102
    assert "SM1000" in account.messages
    assert on_their_way <= set(account.messages)
    assert {m.sid for m in account.order} == set(account.messages)
    assert sorted(m.number for m in account.order) == [m.number for m in account.order]
    assert sum(len(messages) for messages in account.by_phone.values()) == len(account.order)
    assert account.counts["messages_dropped"] == 1000 - len(account.order)


def test_action_that_fails_does_not_stop_the_clock() -> None:
    async def run() -> list[str]:
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
        timers, done, over = Timers(), [], asyncio.Event()

        def act(name: str) -> None:
            done.append(name)
            if name == "bad":
                raise ValueError(name)
            if name == "last":
                over.set()

        for seconds, name in ((3600, "last"), (60, "second"), (30, "bad")):
            timers.after(seconds, act, name)
        timers.advance(100)
        timers.advance(3600)
        await asyncio.wait_for(over.wait(), 5)
        return done

    assert asyncio.run(run()) == ["bad", "second", "last"]
