"""Gives the test session real servers: loaded with `-p`, before Django reads its settings.

The controller (or a plain pytest) starts PostgreSQL and Valkey where DATABASE_URL / REDIS_URL name none, and stops them
at the end; the workers of pytest-xdist inherit their addresses, each with a Valkey database of its own.
"""

import os
from urllib.parse import urlsplit, urlunsplit

import pytest

from config.launcher.temporary import TemporaryServers, fill_environment
from tests.plugins.template import IS_OURS

_servers: TemporaryServers | None = None


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Complete the environment before pytest-django loads the settings."""
    global _servers
    options = early_config.known_args_namespace
    if getattr(options, "help", False) or getattr(options, "version", False):
        return
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker is not None:
        os.environ["REDIS_URL"] = _with_database(os.environ["REDIS_URL"], int(worker.removeprefix("gw")) + 1)
    elif _servers is None:
        _servers = TemporaryServers()
        fill_environment(_servers)
        if "DATABASE_URL" in _servers.environment:
            os.environ[IS_OURS] = "1"


def pytest_unconfigure() -> None:
    """Stop the servers."""
    global _servers
    if _servers is not None:
        _servers.stop()
        _servers = None


def _with_database(url: str, number: int) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{number}"))
