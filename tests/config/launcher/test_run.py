"""`make run`, end to end: everything up, a second one, a killed worker, a clean stop, and again."""

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from config.launcher.environment import CHECKOUT
from config.launcher.ports import PortBook
from tests.config.launcher.conftest import is_alive, wait_for

# What the test session itself was given: a bare machine has none of it.
GIVEN = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "CREDENTIAL_KEYS", "SANDBOX_SECRET", "PUBLIC_BASE_URL", "DEBUG")


class Launcher:
    """A launcher without a terminal, its output in a file."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.output, self.environment, self.data = folder / "output", environment, folder / "data"
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "config.launcher"],
                cwd=CHECKOUT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def text(self) -> str:
        return self.output.read_text()

    def wait_ready(self) -> str:
        """Wait for the line and return its address."""
        try:
            wait_for(lambda: "\nReady: " in self.text() or self.process.poll() is not None, seconds=300, what="Ready")
        finally:
            ready = re.search(r"^Ready: (http://127\.0\.0\.1:\d+)", self.text(), re.MULTILINE)
        assert ready, self.text()
        return ready[1]

    def pids(self) -> dict[str, int]:
        return json.loads((self.data / "processes.json").read_text())

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *command], cwd=CHECKOUT, env=self.environment, capture_output=True, text=True, check=False
        )

    def stop(self, number: signal.Signals) -> int:
        family = psutil.Process(self.process.pid).children(recursive=True)
        assert len(family) >= 7
        self.process.send_signal(number)
        code = self.process.wait(20)
        wait_for(lambda: not [child for child in family if is_alive(child.pid)], seconds=2, what="everybody gone")
        return code


@pytest.fixture
def environment(folder: Path) -> dict[str, str]:
    book = PortBook()
    web, sandbox = book.claim(18_000), book.claim(19_000)
    book.close()
    kept = {name: value for name, value in os.environ.items() if name not in GIVEN and not name.startswith("PYTEST")}
    return {
        **kept,
        "PORT": str(web),
        "SANDBOX_PORT": str(sandbox),
        "WORKERS": "1",
        "HELIOGRAPH_DATA": str(folder / "data"),
    }


@pytest.fixture
def launcher(folder: Path, environment: dict[str, str]) -> Iterator[Launcher]:
    started = Launcher(folder, environment)
    yield started
    if started.process.poll() is None:
        started.process.kill()
        started.process.wait()


def get(address: str, path: str) -> int:
    connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=60)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    finally:
        connection.close()


def test_make_run_brings_everything_up_keeps_it_up_and_leaves_nothing(
    launcher: Launcher, folder: Path, environment: dict[str, str]
) -> None:
    address = launcher.wait_ready()
    assert address == f"http://127.0.0.1:{environment['PORT']}"
    assert get(address, "/health/live") == 200
    assert get(address, "/accounts/login/") == 200
    assert "@" in launcher.text().partition("Ready: ")[2], "the demo sign-in follows"

    second = launcher.run("-m", "config.launcher")
    assert second.returncode == 1
    assert f"already running from {folder / 'data'} (process {launcher.process.pid}, {address})" in second.stdout

    assert "DATABASE_URL" not in environment
    workers = launcher.run("manage.py", "worker_pids")
    assert workers.stdout.split() == [str(launcher.pids()["worker1"])], workers.stderr

    for name in ("worker1", "web", "beat"):
        before = launcher.pids()[name]
        os.kill(before, signal.SIGKILL)
        wait_for(lambda n=name, b=before: launcher.pids().get(n, b) != b, seconds=2, what=f"{name} back")
    # Somebody who comes while web restarts waits, and is answered.
    assert get(address, "/health/live") == 200

    begun = time.monotonic()
    assert launcher.stop(signal.SIGTERM) == 0, launcher.text()
    assert time.monotonic() - begun < 15
    assert launcher.text().endswith("Stopped.\n")
    assert not (folder / "data" / "run.json").exists()

    again = Launcher(folder, environment)
    try:
        assert again.wait_ready() == address
        assert again.stop(signal.SIGINT) == 0, again.text()
    finally:
        if again.process.poll() is None:
            again.process.kill()
