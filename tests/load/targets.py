"""What is wanted, as ratios within one run, and whether it was met."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

# Of the plain Celery design: shown beside the others, and not what ours is held against.
TUNED = frozenset({"threads, tuned"})


@dataclass(frozen=True)
class Verdict:
    """One target: what was asked for, what came out, and whether that is enough."""

    name: str
    wanted: str
    found: str
    is_met: bool


def judge(results: dict[str, Any]) -> list[Verdict]:
    """Return a verdict for every target of which everything was measured."""
    return [*_web(results), *_sending(results), *_rest(results)]


def _web(results: dict[str, Any]) -> Iterator[Verdict]:
    intake, plain = results.get("intake", {}), results.get("plain_intake")
    if plain and "per_second" in intake:
        yield _ratio("API intake to a view that inserts one row", intake, plain, least=0.40)
        tail = intake["ms"]["p95"] / intake["ms"]["p50"]
        yield Verdict("API intake, p95 to p50", "below 10", f"{tail:.1f}", tail < 10)
    callbacks, plain = results.get("callbacks"), results.get("plain_callbacks")
    if callbacks and plain:
        yield _ratio("callbacks to a view that proves and inserts", callbacks, plain, least=0.50)


def _sending(results: dict[str, Any]) -> Iterator[Verdict]:
    off, bare, plain = results.get("callbacks_off"), results.get("bare_posts"), results.get("plain_celery")
    if off and bare:
        yield _ratio("sending to bare aiohttp posts", off, bare, least=0.45)
    if off and plain:
        pool = max((name for name in plain if name not in TUNED), key=lambda name: plain[name]["per_second"])
        ratio = off["per_second"] / plain[pool]["per_second"]
        yield Verdict(f"sending to a Celery task a message ({pool})", "at least 4", f"{ratio:.1f}", ratio >= 4)
    if broadcast := results.get("beside"):
        p95 = broadcast["ms_beside_latency"]["p95"]
        note = "" if broadcast["was_running_all_along"] else " (the broadcast ended too early: send it to more)"
        yield Verdict(
            "one message beside a broadcast, p95 beside the latency",
            "below 300 ms",
            f"{p95} ms{note}",
            p95 < 300 and broadcast["was_running_all_along"],
        )


def _rest(results: dict[str, Any]) -> Iterator[Verdict]:
    if runs := results.get("runs"):
        seconds = runs["seconds_until_all_began"]
        found = f"{seconds} s; all ended after {runs['seconds_until_all_ended']} s"
        is_met = seconds < 30 and runs["done"] == runs["runs"] and not runs["stored_too_late"]
        yield Verdict(f"{runs['runs']:,} runs due at one moment, until all began", "below 30 s", found, is_met)
    if file := results.get("csv"):
        seconds = file["inspect_seconds"] + file["read_seconds"]
        found = f"{seconds:.1f} s, {file['memory_peak_mb']} MB"
        is_met = seconds < 60 and file["memory_peak_mb"] < 300
        yield Verdict(f"a file of {file['rows']:,} rows", "below 60 s and 300 MB", found, is_met)
    if check := results.get("broadcast"):
        seconds = check["upload_seconds"] + check["check_seconds"]
        found = f"{seconds:.1f} s, {check['process_peak_mb']} MB"
        is_met = seconds < 60 and check["process_peak_mb"] < 300
        yield Verdict(
            f"a broadcast to a file of {check['rows']:,} rows, checked", "below 60 s and 300 MB", found, is_met
        )
    if attack := results.get("attack"):
        for name, run in attack["attackers"].items():
            codes, through, visitors = run["codes_to_attacker"], run["visitors_through"], run["visitors"]
            yield Verdict(
                f"an attack on a form, {name} attacker",
                "at most 200 codes, every genuine visitor gets through",
                f"{codes} codes, {through} of {visitors} visitors",
                codes <= 200 and through == visitors,
            )
    if log := results.get("log"):
        for name, entry in log["queries"].items():
            found = f"{entry['ratio']} ({entry['ms'][0]} → {entry['ms'][1]} ms)"
            is_met = entry["ratio"] <= 2 and not entry["sequential"]
            wanted = "at most 2, no sequential scan"
            yield Verdict(f"log, {name}", wanted, found + (", SEQUENTIAL" if entry["sequential"] else ""), is_met)
    if memory := results.get("memory"):
        growth = memory["growth"]
        yield Verdict("memory of the workers, growth after a fifth", "at most 5 %", f"{growth:.1%}", growth <= 0.05)


def _ratio(name: str, ours: dict[str, Any], theirs: dict[str, Any], *, least: float) -> Verdict:
    ratio = ours["per_second"] / theirs["per_second"]
    cost = sum(theirs["cpu_ms_per_message"].values()) / max(0.001, sum(ours["cpu_ms_per_message"].values()))
    return Verdict(name, f"at least {least:.0%}", f"{ratio:.0%} (by CPU a message {cost:.0%})", ratio >= least)
