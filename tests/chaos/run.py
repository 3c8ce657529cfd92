"""`make chaos`: workers, Valkey and PostgreSQL are killed while messages go out through a faulty Twilio.

A part of them goes out as a broadcast, which is checked and fed meanwhile, and a part by the runs of an automation.

Prints what was lost, sent twice or never finished, and exits 1 unless all three are 0. Options: ARGS="--help".
"""

import argparse
import os
import secrets
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg

from tests.chaos.place import Place

_ORGANIZATION, _OWNER = "drill", "drill@example.com"


def main(arguments: Sequence[str]) -> int:
    """Run the drill; return 0 where nothing was lost, sent twice or stuck, 1 otherwise, 130 after Ctrl-C."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    options = _read(arguments)
    place = Place(workers=options.workers)
    is_good = False
    try:
        _say("Starting an installation of the drill's own …")
        place.start()
        is_good = drill(place, options=options)
    except KeyboardInterrupt:
        return 130
    except RuntimeError as error:
        print(f"The drill failed: {error}", file=sys.stderr)
    finally:
        place.stop(is_kept=options.keep)
        if options.keep:
            _say(f"Logs and data: {place.folder}")
    return 0 if is_good else 1


def drill(place: Place, *, options: argparse.Namespace) -> bool:
    """Hand the messages in, rage, wait, count, print; return whether all is well."""
    # These read the states of messages, and with them Django, which only now finds its settings.
    from tests.chaos.automation import plan_automation
    from tests.chaos.broadcast import accounted, plan_broadcast
    from tests.chaos.count import Count, count, read_rows
    from tests.chaos.intake import Intake, Kind, plan
    from tests.chaos.storm import FAIR_WEATHER, FAULTS, rage

    password = secrets.token_hex(9)
    place.manage("create_org", "--name", _ORGANIZATION, "--owner", _OWNER, "--password", password)
    connection = place.manage("connect_twilio", "--org", _ORGANIZATION, "--sandbox")
    api_key = place.manage("create_api_key", "--org", _ORGANIZATION, "--name", "drill")["key"]
    account_sid = _account_of(place, connection["id"])
    place.sandbox.set_dials({**FAULTS, "seed": options.seed})
    broadcast = plan_broadcast(options.messages * options.broadcast // 100)
    recipients = [[one.to, one.body.split()[2]] for one in broadcast]
    automated = plan_automation(options.messages * options.automation // 100)
    single = options.messages - len(broadcast) - len(automated)
    within = f"within {options.seconds:g} s"
    _say(
        f"Handing in {single:,} messages {within}, a broadcast to {len(broadcast):,}, and what sets an automation off "
        f"{len(automated):,} times, while things break:"
    )
    if automated:
        people = [[one.to, one.body.split()[2]] for one in automated]
        order = {"organization": _ORGANIZATION, "owner": _OWNER, "people": people, "seconds": options.seconds * 0.9}
        place.run_module("tests.chaos.automation", given=order)
    if broadcast:
        place.run_module("tests.chaos.broadcast", given={"organization": _ORGANIZATION, "recipients": recipients})
    intake = Intake(plan(single, seed=options.seed), url=place.web_url, api_key=api_key, seconds=options.seconds * 0.9)
    began = time.monotonic()
    intake.start()
    done = rage(
        place, intake=intake, seconds=options.seconds, kill_every=options.kill_every, seed=options.seed, say=_say
    )
    if intake.problems:
        raise RuntimeError(intake.problems[0])
    place.sandbox.set_dials(FAIR_WEATHER)
    calm = time.monotonic()
    _say(f"  {calm - began:5.1f} s  the last fault; waiting until everything is final …")
    while time.monotonic() < calm + options.limit:
        try:
            rows = read_rows(place.database_url, connection_id=connection["id"])
        except psycopg.OperationalError:
            time.sleep(1)
            continue
        waiting = sum(1 for row in rows if not row.is_final and not row.needs_person)
        if not waiting and len(rows) >= len(intake.accepted) + len(broadcast) + len(automated):
            break
        time.sleep(1)
    settled = time.monotonic()
    # What is sent a second time would be sent by now, or a little later.
    time.sleep(3)
    rows = read_rows(place.database_url, connection_id=connection["id"])
    at_twilio = place.sandbox.messages(account_sid=account_sid, limit=200_000)
    numbers = {one.to for one in (*broadcast, *automated)}
    by_number: dict[str, list[str]] = {}
    for row in rows:
        if row.to in numbers:
            by_number.setdefault(row.to, []).append(row.id)
    wanted = {**intake.accepted, **accounted((*broadcast, *automated), rows=by_number)}
    result: Count = count(wanted, rows=rows, at_twilio=at_twilio)
    stats = place.sandbox.stats(account_sid)

    lines = {
        "messages taken by the API": f"{len(intake.accepted):,} ({intake.repeated:,} requests had to be repeated)",
        "messages made by the broadcast": _made(by_number, broadcast),
        "messages made by the automation": _made(by_number, automated),
        "accepted by the simulated Twilio": f"{len(at_twilio):,} of {stats['posts']:,} requests",
        "answers spoilt": _listed(stats["faults"]),
        "callbacks spoilt": _listed(stats["callbacks"]),
        "done to the installation": _listed(done),
        "final": f"{settled - calm:.0f} s after the last fault, {settled - began:.0f} s after the first message",
        "statuses": _listed(result.statuses),
        "attempts": _listed(result.attempts),
        "flagged for a person": _listed({kind: len(result.flagged[kind]) for kind in Kind}),
        "with another SID or end than Twilio's": len(result.mistaken),
        "lost": len(result.lost),
        "duplicated": len(result.duplicated),
        "stuck": len(result.stuck),
    }
    print()
    for name, value in lines.items():
        print(f"{name:38} {value}")
    for name in ("lost", "duplicated", "stuck", "mistaken"):
        for example in getattr(result, name)[:10]:
            print(f"  {name}: {example}")
    return result.is_good


def _made(by_number: Mapping[str, list[str]], wanted: Sequence[Any]) -> str:
    return f"{sum(len(by_number.get(one.to, ())) for one in wanted):,} of {len(wanted):,}"


def _listed(numbers: Mapping[Any, int]) -> str:
    return ", ".join(f"{name}: {number:,}" for name, number in sorted(numbers.items()))


def _account_of(place: Place, connection_id: str) -> str:
    with psycopg.connect(place.database_url) as database:
        row = database.execute("SELECT account_sid FROM integrations_connection WHERE id = %s", [connection_id])
        found = row.fetchone()
    assert found is not None
    return str(found[0])


def _read(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make chaos ARGS=…", description=__doc__)
    parser.add_argument("--messages", type=int, default=5000, help="messages in all")
    parser.add_argument("--broadcast", type=int, default=30, help="per cent of them that go out as a broadcast")
    parser.add_argument("--automation", type=int, default=20, help="per cent of them that an automation sends")
    parser.add_argument("--seconds", type=float, default=120, help="how long things break at least")
    parser.add_argument("--kill-every", type=float, default=2, help="seconds between two kills of a worker")
    parser.add_argument(
        "--limit", type=float, default=300, help="seconds after the last fault until it counts as stuck"
    )
    parser.add_argument("--workers", type=int, default=4, help="worker processes")
    parser.add_argument("--seed", type=int, default=int(time.time()) % 10_000, help="the same dice again")
    parser.add_argument("--keep", action="store_true", help="keep the folder with logs and data")
    return parser.parse_args(arguments)


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
