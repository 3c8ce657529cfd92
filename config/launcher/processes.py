"""The supervisor: starts processes, restarts the ones that die, stops all of them in order, leaves none behind."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from config.launcher.accounts import Account
from config.launcher.errors import LauncherError

PAUSE = 0.1  # seconds between two looks at the processes
STEADY = 10.0  # a process that lived this long has started well; what follows is a new story
AFTER_KILL = (0.0, 0.3, 1.0)  # seconds until the restart of a process that somebody stopped from outside
AFTER_CRASH = (0.2, 0.5, 1.0, 1.5, 4.0, 8.0, 15.0)  # … of one that ended by its own fault
LARGEST_LOG = 20_000_000  # bytes; a larger one is put aside when its process is started

_PR_SET_PDEATHSIG = 1


class StopRequestedError(Exception):
    """Somebody asked the launcher to stop while it was waiting for something."""


@dataclass(frozen=True, kw_only=True)
class Service:
    """One process to keep alive.

    `stage`: higher ones are stopped first. `orphan_signal` is what it gets from the kernel (Linux) if the launcher is
    killed. `settle` runs before every start and mends what a killed predecessor left.
    """

    name: str
    command: Sequence[str | Path]
    log: Path
    environment: Mapping[str, str]
    folder: Path
    account: Account | None = None
    stage: int = 1
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 5.0
    abort_signal: signal.Signals = signal.SIGKILL
    orphan_signal: signal.Signals = signal.SIGKILL
    keep_open: tuple[int, ...] = ()
    settle: Callable[[], None] | None = None
    is_answering: Callable[[], bool] | None = None


@dataclass
class _Child:
    service: Service
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    log_start: int = 0
    ends: int = 0
    due: float | None = None


@dataclass
class Supervisor:
    """Keeps services alive from one thread: whoever waits, waits through `wait_until`, which looks after them."""

    say: Callable[[str], None] = print
    on_change: Callable[[dict[str, int]], None] | None = None
    stop_requests: int = 0
    _children: dict[str, _Child] = field(default_factory=dict)

    def listen_to_signals(self) -> None:
        """Stop at Ctrl-C, SIGTERM and a closed terminal; a second one stops harder."""
        signal.signal(signal.SIGINT, self._request_stop)
        signal.signal(signal.SIGTERM, self._request_stop)
        # Under nohup it is ignored, and that is meant.
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            signal.signal(signal.SIGHUP, self._request_stop)

    def start(self, service: Service) -> None:
        """Start the service and keep it alive from now on."""
        child = _Child(service)
        self._children[service.name] = child
        self._spawn(child)

    def wait_answering(self, name: str, *, seconds: float) -> None:
        """Wait until the service answers; raises LauncherError with the end of its log where it does not."""
        child = self._children[name]
        is_answering = child.service.is_answering
        if is_answering is not None and not self.wait_until(
            lambda: is_answering() or child.ends >= 4, seconds=seconds, every=0.05
        ):
            raise LauncherError(f"{name} did not answer within {seconds:.0f} s.{self.log_tail(name)}")
        if child.ends >= 4:
            raise LauncherError(f"{name} does not start.{self.log_tail(name)}")

    def wait_until(self, is_met: Callable[[], bool], *, seconds: float, every: float = PAUSE) -> bool:
        """Look after the services until the condition is met (True) or the time is over (False).

        Raises StopRequestedError as soon as the launcher is asked to stop.
        """
        end = time.monotonic() + seconds
        while True:
            self._raise_if_stopping()
            self.look()
            if is_met():
                return True
            if time.monotonic() >= end:
                return False
            time.sleep(every)

    def run(self, service: Service) -> tuple[int, str]:
        """Run a command that ends by itself, looking after the services meanwhile; return exit code and output."""
        service.log.unlink(missing_ok=True)
        child = _Child(service)
        process = self._popen(child)
        try:
            while process.poll() is None:
                self._raise_if_stopping()
                self.look()
                time.sleep(PAUSE / 2)
        finally:
            if process.poll() is None:
                process.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(3)
            _kill_group(process.pid)
            process.wait()
        return process.returncode, service.log.read_text(encoding="utf-8", errors="replace")

    def watch(self) -> None:
        """Keep the services alive until somebody asks to stop."""
        while not self.stop_requests:
            self.look()
            time.sleep(PAUSE)

    def look(self) -> None:
        """Bury what has died, start what is due."""
        for child in self._children.values():
            if child.process is not None and child.process.poll() is not None:
                self._bury(child, child.process.returncode)
            if child.due is not None and time.monotonic() >= child.due:
                self._spawn(child)

    def pids(self) -> dict[str, int]:
        """Return the process id of every living service by name."""
        return {
            name: child.process.pid
            for name, child in self._children.items()
            if child.process is not None and child.process.returncode is None
        }

    def log_tail(self, name: str, *, lines: int = 15) -> str:
        """Return the last lines that the service wrote since its last start, indented, with where the rest is."""
        child = self._children[name]
        try:
            with child.service.log.open("rb") as file:
                file.seek(max(child.log_start, child.service.log.stat().st_size - 20_000))
                written = file.read().decode(errors="replace").splitlines()[-lines:]
        except OSError:
            written = []
        end = "".join(f"\n    | {line}" for line in written)
        return f" The end of {child.service.log}:{end}" if end else f" It wrote nothing to {child.service.log}."

    def stop(self) -> None:
        """Stop every service, higher stages first, and wait for its end."""
        stages = sorted({child.service.stage for child in self._children.values()}, reverse=True)
        requests = self.stop_requests
        for stage in stages:
            children = [child for child in self._children.values() if child.service.stage == stage]
            for child in children:
                child.due = None
                self._signal(child, child.service.stop_signal)
            patience = max(child.service.stop_seconds for child in children)
            # A second Ctrl-C ends the patience of this stage and of every later one.
            self._wait_ended(children, seconds=patience, until_request=requests + 1)
            for child in children:
                self._signal(child, child.service.abort_signal)
            self._wait_ended(children, seconds=2.0, until_request=requests + 2)
            for child in children:
                if child.process is not None:
                    _kill_group(child.process.pid)
                    child.process.wait()
        self._children.clear()
        self._tell_change()

    def _request_stop(self, number: int, frame: FrameType | None) -> None:
        self.stop_requests += 1

    def _raise_if_stopping(self) -> None:
        if self.stop_requests:
            raise StopRequestedError

    def _wait_ended(self, children: list[_Child], *, seconds: float, until_request: int) -> None:
        end = time.monotonic() + seconds
        while any(child.process is not None and child.process.poll() is None for child in children):
            if time.monotonic() >= end or self.stop_requests >= until_request:
                return
            time.sleep(PAUSE / 4)

    def _signal(self, child: _Child, number: signal.Signals) -> None:
        if child.process is not None and child.process.poll() is None:
            child.process.send_signal(number)

    def _spawn(self, child: _Child) -> None:
        child.due = None
        child.started = time.monotonic()
        try:
            if child.service.settle is not None:
                child.service.settle()
            child.process = self._popen(child)
        except OSError as error:
            child.process = None
            self._plan_restart(child, AFTER_CRASH, f"cannot be started: {error}.")
            return
        self._tell_change()

    def _popen(self, child: _Child) -> subprocess.Popen[bytes]:
        service = child.service
        if service.log.exists() and service.log.stat().st_size > LARGEST_LOG:
            service.log.replace(service.log.with_name(service.log.name + ".1"))
        identity: dict[str, object] = {}
        if service.account is not None:
            identity = {"user": service.account.uid, "group": service.account.gid, "extra_groups": []}
        with open(os.open(service.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as log:
            child.log_start = log.tell()
            return subprocess.Popen(  # type: ignore[call-overload,no-any-return]
                [str(part) for part in service.command],
                env=dict(service.environment),
                cwd=service.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # A session of its own: Ctrl-C reaches the launcher alone, which stops the others in order.
                start_new_session=True,
                pass_fds=service.keep_open,
                preexec_fn=tie_to_parent(service.orphan_signal),
                **identity,
            )

    def _bury(self, child: _Child, code: int) -> None:
        assert child.process is not None
        # Children of the dead (web workers) would go on holding the port and the database.
        _kill_group(child.process.pid)
        child.process = None
        if time.monotonic() - child.started >= STEADY:
            child.ends = 0
        if code < 0:
            self._plan_restart(child, AFTER_KILL, f"was ended by {_name_signal(-code)}.")
        elif code == 0:
            self._plan_restart(child, AFTER_KILL, "has stopped.")
        else:
            self._plan_restart(
                child, AFTER_CRASH, f"ended with exit code {code}.{self.log_tail(child.service.name)}\n   "
            )
        self._tell_change()

    def _plan_restart(self, child: _Child, delays: Sequence[float], what: str) -> None:
        delay = delays[min(child.ends, len(delays) - 1)]
        child.ends += 1
        child.due = time.monotonic() + delay
        self.say(f"{child.service.name} {what} Starting it again{f' in {delay:g} s' if delay >= 1 else ''}.")

    def _tell_change(self) -> None:
        if self.on_change is not None:
            self.on_change(self.pids())


def tie_to_parent(number: signal.Signals) -> Callable[[], None] | None:
    """Return what a child runs first so that it gets the signal when its parent dies; None elsewhere than on Linux.

    Only the thread that starts it counts as the parent, which is why the supervisor has one thread.
    """
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None)
    parent = os.getpid()

    def tie() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, int(number))
        if os.getppid() != parent:  # it died in between
            os._exit(1)

    return tie


def follow_parent(number: signal.Signals) -> None:
    """Get the signal when the process that started this one dies (Linux)."""
    if sys.platform.startswith("linux"):
        parent = os.getppid()
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(number))
        if os.getppid() != parent:
            os.kill(os.getpid(), number)


def _kill_group(leader: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def _name_signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
