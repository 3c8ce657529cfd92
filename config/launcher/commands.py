"""The commands of the processes, in one place; `docs/deploy.md` and `compose.yaml` say the same for production."""

import sys
from pathlib import Path

# Python's own path is the one of the environment that the launcher runs in.
_PYTHON = [sys.executable]


def manage(*arguments: str) -> list[str]:
    """Return a management command."""
    return [*_PYTHON, "manage.py", *arguments]


def web(*, listener: int, application: str = "config.wsgi:application") -> list[str]:
    """Return the web server on a listening socket that is already open; it takes threads, as most requests wait."""
    return [
        *_PYTHON,
        *("-m", "gunicorn", application, "--bind", f"fd://{listener}"),
        *("--worker-class", "gthread", "--workers", "2", "--threads", "8"),
        *("--timeout", "60", "--graceful-timeout", "5", "--no-control-socket", "--log-level", "warning"),
    ]


def worker(*, number: int) -> list[str]:
    """Return one worker process, which sends; threads, since sending waits for the network."""
    return [
        *_PYTHON,
        *("-m", "celery", "-A", "config", "worker", "-Q", "fast,chores", "--pool", "threads", "--concurrency", "8"),
        *("-n", f"worker{number}@%h", "--without-gossip", "--without-mingle", "-l", "warning"),
    ]


def clerk() -> list[str]:
    """Return the process for long work, apart from the workers: reading a large file must not slow a login code."""
    return [
        *_PYTHON,
        *("-m", "celery", "-A", "config", "worker", "-Q", "jobs", "--pool", "threads", "--concurrency", "3"),
        *("-n", "clerk@%h", "--without-gossip", "--without-mingle", "-l", "warning"),
    ]


def beat(*, schedule: Path) -> list[str]:
    """Return the clock of the periodic tasks, which remembers in a file what it has started when."""
    return [
        *_PYTHON,
        *("-m", "celery", "-A", "config", "beat", "-l", "warning", "--schedule", str(schedule), "--pidfile", ""),
    ]


def sandbox() -> list[str]:
    """Return the simulated Twilio; it reads SANDBOX_SECRET and SANDBOX_PORT from its environment."""
    return [*_PYTHON, "-m", "integrations.sandbox.server"]
