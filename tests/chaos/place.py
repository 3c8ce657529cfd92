"""An installation to do damage to: the real `make run` in a folder that goes away, and the hands that reach into it."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

from config.launcher import commands
from config.launcher.environment import CHECKOUT, PROCESS_FILE, read_run_file, servers_folder
from integrations.sandbox.control import SandboxControl

_START_SECONDS = 300.0
_KEPT = ("PATH", "LD_LIBRARY_PATH", "HOME", "LANG", "TMPDIR", "VIRTUAL_ENV", "PYTHONDONTWRITEBYTECODE")
# Short, and in the order that the real ones have: an answer is given up before the lease ends, and Twilio's list is
# believed to be empty only after it had time to catch up.
SHORT_SETTINGS = {
    "TWILIO_TIMEOUT": "2",
    "CLAIM_LEASE": "6",
    "RECONCILE_AFTER": "1",
    "RECONCILE_HORIZON": "8",
    "POLL_AFTER": "4",
}


class Place:
    """The launcher with everything below it; what it keeps alive may be killed, itself and the sandbox may not."""

    def __init__(self, *, workers: int) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="heliograph-chaos-"))
        self.folder.chmod(0o711)  # the service user of the servers has to pass
        self._output = self.folder / "launcher.log"
        self._launcher: subprocess.Popen[bytes] | None = None
        self._environment = {
            **{name: os.environ[name] for name in _KEPT if name in os.environ},
            **{name: os.environ.get(name) or value for name, value in SHORT_SETTINGS.items()},
            # Empty ones too: a .env in the checkout must not lead the drill to somebody's servers.
            **dict.fromkeys(("DATABASE_URL", "REDIS_URL", "TWILIO_BASE_URL", "PUBLIC_BASE_URL", "SANDBOX_URL"), ""),
            "HELIOGRAPH_DATA": str(self.folder),
            "PORT": "17800",
            "SANDBOX_PORT": "17900",
            "WORKERS": str(workers),
            "SANDBOX_ENABLED": "1",
            "API_RATE": "1000000",
            "LOG_LEVEL": "WARNING",
        }

    def start(self) -> None:
        """Start everything and wait until it answers; raises RuntimeError with what the launcher said."""
        with self._output.open("wb") as output:
            self._launcher = subprocess.Popen(
                [sys.executable, "-u", "-m", "config.launcher", "--with-parent"],
                env=self._environment,
                cwd=CHECKOUT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        end = time.monotonic() + _START_SECONDS
        while "\nReady: " not in self.said():
            if self._launcher.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"the installation did not start:\n{self.said()[-3000:]}")
            time.sleep(0.2)
        running = read_run_file(self.folder)
        if running is None:
            raise RuntimeError("the launcher left no addresses")
        self._environment |= running["environment"]

    @property
    def web_url(self) -> str:
        return self._environment["PUBLIC_BASE_URL"]

    @property
    def database_url(self) -> str:
        return self._environment["DATABASE_URL"]

    @property
    def sandbox(self) -> SandboxControl:
        return SandboxControl(self._environment["SANDBOX_URL"], self._environment["SANDBOX_SECRET"], timeout=60)

    def manage(self, *arguments: str) -> dict[str, Any]:
        """Run a management command that answers in JSON."""
        ran = subprocess.run(
            commands.manage(*arguments, "--json"),
            check=False,
            env=self._environment,
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
        )
        if ran.returncode:
            raise RuntimeError(f"manage.py {arguments[0]} failed: {ran.stdout}{ran.stderr}")
        answer: dict[str, Any] = json.loads(ran.stdout)
        return answer

    def run_module(self, module: str, *, given: dict[str, Any]) -> str:
        """Run a program of the drill's in the settings of the place and return what it printed."""
        ran = subprocess.run(
            [sys.executable, "-m", module],
            check=False,
            env={**self._environment, "DJANGO_SETTINGS_MODULE": "config.settings"},
            cwd=CHECKOUT,
            input=json.dumps(given),
            capture_output=True,
            text=True,
        )
        if ran.returncode:
            raise RuntimeError(f"{module} failed: {ran.stdout}{ran.stderr}")
        return ran.stdout.strip()

    def said(self) -> str:
        """Return what the launcher printed so far."""
        return self._output.read_text(encoding="utf-8", errors="replace")

    def pids(self) -> dict[str, int]:
        """Return the living children of the launcher by name."""
        assert self._launcher is not None
        found = json.loads((self.folder / PROCESS_FILE).read_text(encoding="utf-8"))
        return {name: pid for name, pid in found.items() if _is_child(pid, of=self._launcher.pid)}

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> bool:
        """Send a signal to a process; False where it is just being started again."""
        pid = self.pids().get(name)
        if pid is None:
            return False
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return False
        return True

    def kill_and_empty_valkey(self) -> bool:
        """Kill Valkey and remove its files; it is halted first, so that its successor surely finds none."""
        if not self.kill("valkey", signal.SIGSTOP):
            return False
        shutil.rmtree(servers_folder(self.folder) / "valkey" / "appendonlydir", ignore_errors=True)
        return self.kill("valkey")

    def stop(self, *, is_kept: bool = False) -> None:
        """Stop everything; remove the folder unless it shall be looked at."""
        if self._launcher is not None and self._launcher.poll() is None:
            self._launcher.send_signal(signal.SIGTERM)
            try:
                self._launcher.wait(60)
            except subprocess.TimeoutExpired:
                self._launcher.kill()
                self._launcher.wait()
        if not is_kept:
            for folder in {servers_folder(self.folder), self.folder}:
                shutil.rmtree(folder, ignore_errors=True)


def _is_child(pid: int, *, of: int) -> bool:
    try:
        return psutil.Process(pid).ppid() == of
    except psutil.NoSuchProcess:
        return False
