"""The benchmark runs from start to end, with very few messages: what it measures here says nothing about speed."""

import json
import os
import subprocess
import sys
from pathlib import Path

from config.launcher.environment import CHECKOUT


def test_bench_measures_every_scenario_and_leaves_nothing_behind(tmp_path: Path) -> None:
    output = tmp_path / "results.json"
    sizes = ["--messages", "60", "--with-callbacks", "10", "--intake", "16", "--singles", "2", "--callbacks", "16"]
    sizes += ["--rows", "500", "--plain", "20", "--recipients", "800", "--memory", "60", "--due", "40"]
    sizes += ["--attack", "80", "--log-rows", "600", "1800"]
    ran = subprocess.run(
        [sys.executable, "-m", "tests.load.bench", *sizes, "--runs", "1", "--workers", "1", "--output", str(output)],
        cwd=CHECKOUT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=560,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    results = json.loads(output.read_text())
    assert results["bare_posts"]["per_second"] > 0
    assert results["callbacks_off"]["messages"] == 60
    assert results["callbacks_off"]["cpu_ms_per_message"]["worker"] > 0
    assert results["callbacks_on"]["until_all_delivered"]["delivered"] == 10
    assert results["callbacks_on"]["until_all_delivered"]["callbacks"] == 30
    assert results["single"]["ms_beside_latency"]["p50"] > 0
    assert results["intake"]["messages"] == results["plain_intake"]["messages"] == 16
    assert results["callbacks"]["messages"] == results["plain_callbacks"]["messages"] == 16
    assert {pool: run["messages"] for pool, run in results["plain_celery"].items()} == dict.fromkeys(
        ("prefork", "threads", "threads, tuned"), 20
    )
    assert results["beside"]["ms_beside_latency"]["p50"] > 0
    assert len(results["memory"]["mb_after_each_tenth"]) == 10
    assert len(results["log"]["queries"]) == 8
    assert len(results["targets"]) == 20
    assert results["runs"]["done"] == 40
    assert set(results["attack"]["attackers"]) == {"plain", "solving"}
    assert results["csv"]["rows"] == 500
    assert results["broadcast"]["ready"] == 500
    assert "sending, callbacks off" in ran.stdout
    assert list(tmp_path.glob("heliograph-bench-*")) == []
