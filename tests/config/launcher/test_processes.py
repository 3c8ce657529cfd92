import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from config.launcher.environment import CHECKOUT
from config.launcher.errors import LauncherError
from config.launcher.processes import Service, StopRequestedError, Supervisor
from tests.config.launcher.conftest import is_alive, wait_for

FOREVER = "import time; print('up', flush=True); time.sleep(300)"
# A web server's shape: a child of its own in the same group, whose id it prints.
WITH_CHILD = "import subprocess, time; print(subprocess.Popen(['sleep', '300']).pid, flush=True); time.sleep(300)"
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(300)"

Make = Callable[..., Service]


def wait_line(service: Service, *, lines: int = 1) -> list[str]:
    wait_for(lambda: service.log.read_text().count("\n") >= lines, seconds=10, what="a line in the log")
    return service.log.read_text().split()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_killed_process_is_back_within_two_seconds(
    supervisor: Supervisor, said: list[str], python_service: Make, number: signal.Signals
) -> None:
    service = python_service(FOREVER)
    supervisor.start(service)
    before = supervisor.pids()["dummy"]
    for turn in range(3):
        wait_line(service, lines=turn + 1)
        os.kill(supervisor.pids()["dummy"], number)
        killed = time.monotonic()
        assert supervisor.wait_until(lambda n=turn: service.log.read_text().count("up") > n + 1, seconds=3, every=0.01)
        assert time.monotonic() - killed < 2
    assert supervisor.pids()["dummy"] != before
    assert said[0] == f"dummy was ended by {number.name}. Starting it again."


def test_process_that_dies_at_once_is_retried_ever_more_slowly_and_says_why(
    supervisor: Supervisor, said: list[str], python_service: Make
) -> None:
    service = python_service("import sys; sys.exit('the reason')", is_answering=lambda: False)
    supervisor.start(service)
    with pytest.raises(LauncherError, match=r"does not start[^\n]*\n.*the reason"):
        supervisor.wait_answering("dummy", seconds=30)
    assert "ended with exit code 1" in said[0]
    assert "| the reason" in said[0]
    assert said[-1].endswith("Starting it again in 1.5 s.")


def test_program_that_is_gone_is_a_crash_like_another(
    supervisor: Supervisor, said: list[str], python_service: Make, folder: Path
) -> None:
    service = python_service("")
    supervisor.start(Service(**{**vars(service), "command": [folder / "absent"]}))
    assert supervisor.pids() == {}
    assert said[0].startswith("dummy cannot be started: ")


def test_children_of_a_killed_process_go_with_it(supervisor: Supervisor, python_service: Make) -> None:
    service = python_service(WITH_CHILD)
    supervisor.start(service)
    child = int(wait_line(service)[0])
    os.kill(supervisor.pids()["dummy"], signal.SIGKILL)
    assert supervisor.wait_until(lambda: not is_alive(child), seconds=2)


def test_stop_leaves_nobody(supervisor: Supervisor, python_service: Make) -> None:
    services = [python_service(WITH_CHILD, name=name) for name in ("one", "two")]
    for service in services:
        supervisor.start(service)
    pids = [int(wait_line(service)[0]) for service in services] + list(supervisor.pids().values())
    assert len(pids) == 4
    supervisor.stop()
    wait_for(lambda: not any(map(is_alive, pids)), seconds=1, what="all of them end")


def test_higher_stages_stop_first(supervisor: Supervisor, python_service: Make) -> None:
    code = "import signal, sys, time; signal.signal(15, lambda *a: (print(time.time(), flush=True), sys.exit())); "
    code += "print('up', flush=True); time.sleep(300)"
    server, web = python_service(code, name="server", stage=0), python_service(code, name="web", stage=2)
    for service in (server, web):
        supervisor.start(service)
        wait_line(service)
    supervisor.stop()
    assert float(wait_line(web)[1]) < float(wait_line(server)[1])


def test_process_that_will_not_stop_is_killed_when_patience_ends(supervisor: Supervisor, python_service: Make) -> None:
    service = python_service(DEAF, stop_seconds=0.3)
    supervisor.start(service)
    wait_line(service)
    pid = supervisor.pids()["dummy"]
    supervisor.stop()
    assert not is_alive(pid)


def test_second_request_ends_the_patience_at_once(supervisor: Supervisor, python_service: Make) -> None:
    service = python_service(DEAF, stop_seconds=60)
    supervisor.start(service)
    wait_line(service)
    supervisor.stop_requests = 1
    old = signal.signal(signal.SIGALRM, supervisor._request_stop)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        begun = time.monotonic()
        supervisor.stop()
        assert time.monotonic() - begun < 5
    finally:
        signal.signal(signal.SIGALRM, old)


def test_waiting_ends_when_a_stop_is_asked_for(supervisor: Supervisor) -> None:
    supervisor.stop_requests = 1
    with pytest.raises(StopRequestedError):
        supervisor.wait_until(lambda: False, seconds=60)


def test_command_is_run_to_its_end_while_services_are_kept_alive(supervisor: Supervisor, python_service: Make) -> None:
    service = python_service(FOREVER, name="kept")
    supervisor.start(service)
    wait_line(service)
    os.kill(supervisor.pids()["kept"], signal.SIGKILL)
    code, output = supervisor.run(python_service("import time; time.sleep(1); print('done'); exit(3)", name="once"))
    assert (code, output) == (3, "done\n")
    assert service.log.read_text().count("up") == 2


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux ends processes whose parent was killed")
def test_killed_supervisor_leaves_no_orphan(folder: Path) -> None:
    script = f"""
import pathlib, sys
from config.launcher.processes import Service, Supervisor
supervisor = Supervisor()
for name in ("one", "two"):
    supervisor.start(Service(name=name, command=["sleep", "300"], log=pathlib.Path({str(folder)!r}) / name,
                             environment={{"PATH": "/usr/bin:/bin"}}, folder=pathlib.Path("/")))
print(*supervisor.pids().values(), flush=True)
supervisor.watch()
"""
    launcher = subprocess.Popen([sys.executable, "-c", script], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True)
    assert launcher.stdout is not None
    pids = [int(pid) for pid in launcher.stdout.readline().split()]
    assert len(pids) == 2
    launcher.kill()
    launcher.wait()
    wait_for(lambda: not any(map(is_alive, pids)), seconds=3, what="the children end")
