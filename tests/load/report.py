"""The printed table and `bench-results.json`."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.load.targets import Verdict


def write_results(results: dict[str, Any], path: Path) -> None:
    """Keep everything that was measured."""
    path.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


def print_table(results: dict[str, Any]) -> None:
    """Print what a reader wants to know first."""
    machine = results["machine"]
    print(
        f"\n{machine['date']}, {machine['cores']} cores, {machine['memory_gb']} GB, Python {machine['python']}, "
        f"load before {machine['load_before']}; {results['workers']} workers with {results['window']} in flight each, "
        f"Twilio simulated with {results['latency_ms']} ms\n"
    )
    row = "{:<34}{:>9}{:>10}{:>9}{:>9}{:>9}{:>9}{:>9}"
    print(row.format("", "messages", "per sec.", "sender", "postgres", "web", "sandbox", "others"))
    print(row.format("", "", "", "ms CPU", "ms CPU", "ms CPU", "ms CPU", "% CPU"))
    for title, run in _runs(results):
        cpu = run["cpu_ms_per_message"]
        figures = [_number(cpu.get(name)) for name in ("postgres", "web", "sandbox")]
        sender = _number(cpu.get("worker", cpu.get("sender")))
        rate = _number(run["per_second"])
        print(row.format(title, run.get("messages", ""), rate, sender, *figures, f"{run['cpu_taken_by_others']:.0%}"))
    print()
    for line in _remarks(results):
        print(line)


def _runs(results: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    found = []
    for name, title in (
        ("bare_posts", "bare aiohttp posts"),
        ("callbacks_off", "sending, callbacks off"),
        ("callbacks_on", "sending, callbacks on"),
        ("plain_intake", "a view that inserts one row"),
        ("intake", "API intake, 8 clients"),
        ("plain_callbacks", "a view that proves and inserts"),
        ("callbacks", "callbacks taken, 8 clients"),
    ):
        if "cpu_ms_per_message" in results.get(name, {}):
            found.append((title, results[name]))
            if "until_all_delivered" in results[name]:
                found.append(("  … until all are delivered", results[name]["until_all_delivered"]))
    for pool, run in results.get("plain_celery", {}).items():
        found.append((f"a Celery task a message, {pool}", run))
    return found


def _remarks(results: dict[str, Any]) -> list[str]:
    lines = []
    off = results.get("callbacks_off")
    if off:
        ratio = off["sandbox_to_sender"]
        verdict = "" if ratio is None else " (at most 0.5 is wanted)" if ratio <= 0.5 else " — MORE than the 0.5 wanted"
        lines.append(f"The sandbox uses {ratio} of the sender's CPU a message{verdict}.")
        memory = off["worker_memory_mb"]
        lines.append(
            f"Memory of the workers: {memory['before']} MB before, {memory['after_first_quarter']} MB after a quarter, "
            f"{memory['end']} MB at the end."
        )
    if "single" in results:
        wait = results["single"]["ms_beside_latency"]
        lines.append(
            f"One message, commit to handed over, beside Twilio's latency: p50 {wait['p50']} ms, p95 {wait['p95']} ms."
        )
    if "csv" in results:
        file = results["csv"]
        lines.append(
            f"A file of {file['rows']:,} rows ({file['megabytes']} MB): looked at in {file['inspect_seconds']} s, "
            f"read in {file['read_seconds']} s, gone on with at 90 % after {file['resume_at_90_percent_ms']} ms, "
            f"in at most {file['memory_peak_mb']} MB."
        )
    if "contacts" in results:
        found = results["contacts"]
        lines.append("Pages of contacts, ms (middle of 15): with 10,000, with 1,000,000, and how many times as long:")
        lines += [
            f"  {title:<42}{found['few'][title]['p50']:>8}{found['many'][title]['p50']:>8}{ratio:>7}"
            for title, ratio in found["ratio"].items()
        ]
    if "broadcast" in results:
        sent = results["broadcast"]
        lines.append(
            f"A broadcast to {sent['rows']:,} rows: uploaded in {sent['upload_seconds']} s, every row checked in "
            f"{sent['check_seconds']} s ({sent['ms_per_row']} ms each), in a process of at most "
            f"{sent['process_peak_mb']} MB; {sent['fed_per_second']:,} rows a second become messages."
        )
    if "attack" in results:
        attack = results["attack"]
        lines.append(
            f"An attack on a form: {attack['requests']:,} requests from {attack['addresses']:,} addresses over "
            f"{attack['prefixes']:,} prefixes in {attack['simulated_minutes']} simulated minutes."
        )
        for name, run in attack["attackers"].items():
            waited = run["visitors_waited_seconds"]
            lines.append(
                f"  {name} attacker: {run['codes_to_attacker']} codes left; {run['visitors_through']} of "
                f"{run['visitors']} genuine visitors got theirs, after {waited['median']} s (middle) and "
                f"{waited['longest']} s (longest); {run['requests_per_second']:,} requests a second were judged."
            )
    if "beside" in results:
        beside, wait = results["beside"], results["beside"]["ms_beside_latency"]
        lines.append(
            f"One message beside a broadcast at {beside['broadcast_per_second']} a second: "
            f"p50 {wait['p50']} ms, p95 {wait['p95']} ms."
        )
    for name, title in (("intake", "API intake"), ("callbacks", "Callbacks")):
        if name in results:
            figures = results[name]
            lines.append(
                f"{title} not measured: {figures['problem']}"
                if "problem" in figures
                else f"{title}: p50 {figures['ms']['p50']} ms, p95 {figures['ms']['p95']} ms."
            )
    if "log" in results:
        few, many = results["log"]["rows"]
        lines.append(f"The log was filled to {few:,} and {many:,} rows in {results['log']['filling_seconds']} s.")
    return lines


def print_verdicts(verdicts: Sequence[Verdict]) -> None:
    """Print each target with what came out."""
    if verdicts:
        print("\nTargets\n")
    for verdict in verdicts:
        print(f"{'met   ' if verdict.is_met else 'MISSED'}  {verdict.name}: {verdict.found}; wanted: {verdict.wanted}")


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.1f}" if value >= 100 else f"{value:.2f}"
