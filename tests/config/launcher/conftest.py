"""Folders and processes for the launcher's own tests; none of them needs Django."""

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from config.launcher.processes import Service, Supervisor


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that every user of the machine can walk into, unlike pytest's own."""
    made = Path(tempfile.mkdtemp(prefix="heliograph-test-")).resolve()
    made.chmod(0o711)
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def supervisor(said: list[str]) -> Iterator[Supervisor]:
    made = Supervisor(say=said.append)
    yield made
    made.stop()


@pytest.fixture
def python_service(folder: Path) -> Callable[..., Service]:
    """Make a service that runs a piece of Python."""

    def make(code: str, *, name: str = "dummy", **details: object) -> Service:
        return Service(
            name=name,
            command=[sys.executable, "-c", code],
            log=folder / f"{name}.log",
            environment=dict(os.environ),
            folder=folder,
            **details,  # type: ignore[arg-type]
        )

    return make


def is_alive(pid: int) -> bool:
    """Tell whether the process runs; one that only waits to be buried does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait_for(condition: Callable[[], object], *, seconds: float, what: str) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"{what}: not within {seconds} s"
        time.sleep(0.02)
