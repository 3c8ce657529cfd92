"""The drill runs from start to end, small; and what it counts by is held against made-up results."""

import os
import re
import subprocess
import sys
from pathlib import Path

from config.launcher.environment import CHECKOUT
from tests.chaos.broadcast import accounted, plan_broadcast
from tests.chaos.count import Row, count
from tests.chaos.intake import Kind, Wanted, plan


def test_a_small_drill_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    tmp_path.chmod(0o711)
    sizes = ["--messages", "150", "--seconds", "7", "--kill-every", "3", "--workers", "2", "--limit", "120"]
    ran = subprocess.run(
        [sys.executable, "-m", "tests.chaos.run", *sizes, "--seed", "7"],
        cwd=CHECKOUT,
        env={**os.environ, "TMPDIR": str(tmp_path), "RECONCILE_HORIZON": "5"},
        capture_output=True,
        text=True,
        timeout=400,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    printed = dict(re.findall(r"^(\S.*?) {2,}(.*)$", ran.stdout, flags=re.MULTILINE))
    assert printed["messages taken by the API"].startswith("75 ")
    assert printed["messages made by the broadcast"] == "45 of 45"
    assert printed["messages made by the automation"] == "30 of 30"
    assert printed["accepted by the simulated Twilio"].startswith("150 of")
    assert printed["lost"] == printed["duplicated"] == printed["stuck"] == "0"
    assert "workers killed" in printed["done to the installation"]
    assert "valkey killed and emptied: 2" in printed["done to the installation"]
    assert list(tmp_path.glob("heliograph-chaos-*")) == []


def wanted(number: int, *, to: str = "+4915100000001", body: str = "One", kind: Kind = Kind.UNIQUE) -> Wanted:
    return Wanted(number, kind, to, body)


def row(name: str, status: str, **fields: object) -> Row:
    values = {"to": "+4915100000001", "body": "One", "sid": "", "needs_person": False, "attempts": 1, **fields}
    return Row(id=name, status=status, **values)  # type: ignore[arg-type]


def at_twilio(sid: str, *, to: str = "+4915100000001", body: str = "One", status: str = "delivered") -> dict[str, str]:
    return {"sid": sid, "to": to, "body": body, "status": status}


def test_a_message_at_twilio_once_and_final_is_well() -> None:
    rows = [row("a", "delivered", sid="SM1")]
    result = count({"a": wanted(1)}, rows=rows, at_twilio=[at_twilio("SM1")])
    assert result.is_good
    assert result.mistaken == []


def test_a_message_that_twilio_never_got_is_lost_whatever_the_row_says() -> None:
    for rows in ([row("a", "failed")], [row("a", "delivered")], []):
        assert count({"a": wanted(1)}, rows=rows, at_twilio=[]).lost


def test_a_row_that_is_gone_is_lost_though_twilio_has_the_message() -> None:
    assert count({"a": wanted(1)}, rows=[], at_twilio=[at_twilio("SM1")]).lost == ["a"]


def test_a_second_one_at_twilio_is_a_duplicate_and_so_is_one_that_nobody_asked_for() -> None:
    twice = [at_twilio("SM1"), at_twilio("SM2")]
    assert len(count({"a": wanted(1)}, rows=[row("a", "delivered")], at_twilio=twice).duplicated) == 1
    pair = {"a": wanted(1, kind=Kind.TWIN), "b": wanted(2, kind=Kind.TWIN)}
    rows = [row("a", "delivered"), row("b", "delivered")]
    assert count(pair, rows=rows, at_twilio=twice).is_good
    assert len(count(pair, rows=rows, at_twilio=[*twice, at_twilio("SM3")]).duplicated) == 1
    assert count({}, rows=[], at_twilio=[at_twilio("SM1")]).duplicated
    assert count({}, rows=[row("a", "queued")], at_twilio=[]).duplicated == ["a"]


def test_a_message_that_is_not_final_is_stuck_unless_it_is_a_twin_that_a_person_was_asked_about() -> None:
    assert count({"a": wanted(1)}, rows=[row("a", "unknown")], at_twilio=[]).stuck == ["a"]
    asked, there = [row("a", "unknown", needs_person=True)], [at_twilio("SM1")]
    twin = count({"a": wanted(1, kind=Kind.TWIN)}, rows=asked, at_twilio=there)
    assert twin.is_good and twin.flagged[Kind.TWIN] == ["a"]
    for kind in (Kind.UNIQUE, Kind.SHARED):
        told_apart = count({"a": wanted(1, kind=kind)}, rows=asked, at_twilio=there)
        assert not told_apart.is_good and told_apart.stuck == told_apart.flagged[kind] == ["a"]


def test_another_sid_or_another_end_than_twilios_is_noticed() -> None:
    one = {"a": wanted(1)}
    assert count(one, rows=[row("a", "delivered", sid="SM9")], at_twilio=[at_twilio("SM1")]).mistaken == ["a"]
    ends_otherwise = [at_twilio("SM1", status="undelivered")]
    assert count(one, rows=[row("a", "delivered", sid="SM1")], at_twilio=ends_otherwise).mistaken == ["a"]


def test_recipient_without_a_message_is_lost_and_one_with_two_is_doubled() -> None:
    broadcast = plan_broadcast(2)
    first, second = (one.to for one in broadcast)
    rows = [row("a", "delivered", to=first, body=broadcast[0].body)]
    there = [at_twilio("SM1", to=first, body=broadcast[0].body)]
    missing = count(accounted(broadcast, rows={first: ["a"]}), rows=rows, at_twilio=there)
    assert missing.lost
    twice = [*rows, row("b", "delivered", to=second, body=broadcast[1].body), row("c", "queued", to=second)]
    there.append(at_twilio("SM2", to=second, body=broadcast[1].body))
    doubled = count(accounted(broadcast, rows={first: ["a"], second: ["b", "c"]}), rows=twice, at_twilio=there)
    assert (doubled.lost, doubled.duplicated) == ([], ["c"])


def test_the_plan_holds_shared_numbers_and_pairs() -> None:
    planned = plan(500, seed=1)
    kinds = {kind: [one for one in planned if one.kind is kind] for kind in Kind}
    assert len(kinds[Kind.TWIN]) == 2 * len({one.key for one in kinds[Kind.TWIN]}) == 4
    assert len(kinds[Kind.SHARED]) == 5 * len({one.to for one in kinds[Kind.SHARED]}) == 50
    assert len({one.to for one in kinds[Kind.UNIQUE]}) == len(kinds[Kind.UNIQUE]) == 446
