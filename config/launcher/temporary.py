"""Embedded servers for the length of one command: tests, linters, anything that needs a database and leaves nothing."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from config.launcher.embedded import prepare_folder, prepare_postgres, prepare_valkey
from config.launcher.environment import is_same_process, process_start, servers_folder
from config.launcher.keys import new_fernet_key, new_secret
from config.launcher.ports import PortBook
from config.launcher.processes import Supervisor

_PREFIX = "heliograph-temporary-"


class TemporaryServers:
    """PostgreSQL and Valkey in a folder that goes away with them."""

    def __init__(self) -> None:
        _sweep_leftovers()
        self.supervisor = Supervisor()
        self.environment: dict[str, str] = {}
        self._ports = PortBook()
        self._folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-{process_start(os.getpid()) or 0}-"))
        # mkdtemp closes it to others; the service user has to pass.
        self._folder.chmod(0o711)
        self._servers = servers_folder(self._folder)
        atexit.register(self.stop)

    def start(self, *, postgres: bool, valkey: bool) -> None:
        """Start the servers that are asked for; `environment` then holds their addresses."""
        prepare_folder(self._servers)
        if postgres:
            server = prepare_postgres(self._servers, ports=self._ports, logs=self._folder, durable=False)
            self.supervisor.start(server.service)
            self.environment["DATABASE_URL"] = server.url
        if valkey:
            server = prepare_valkey(self._servers, ports=self._ports, logs=self._folder, durable=False)
            self.supervisor.start(server.service)
            self.environment["REDIS_URL"] = server.url
        for name in self.supervisor.pids():
            self.supervisor.wait_answering(name, seconds=60)

    def stop(self) -> None:
        """Stop the servers and remove their folder; a second call does nothing."""
        self.supervisor.stop()
        self._ports.close()
        for folder in {self._servers, self._folder}:
            shutil.rmtree(folder, ignore_errors=True)
        atexit.unregister(self.stop)


def throwaway_settings() -> dict[str, str]:
    """Return what settings ask for beside the servers, good for tests and tools only."""
    return {
        "DEBUG": "1",
        "SECRET_KEY": new_secret(),
        "CREDENTIAL_KEYS": new_fernet_key(),
        "PUBLIC_BASE_URL": "http://localhost:8000",
        "SANDBOX_SECRET": new_secret(),
    }


def fill_environment(servers: TemporaryServers) -> None:
    """Start what the environment does not name and complete the environment of this process and its children."""
    servers.start(postgres=not os.environ.get("DATABASE_URL"), valkey=not os.environ.get("REDIS_URL"))
    for name, value in {**throwaway_settings(), **servers.environment}.items():
        if not os.environ.get(name):
            os.environ[name] = value


def _sweep_leftovers() -> None:
    """Remove the folders of runs that were killed before they could."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        pid, _, started = folder.name.removeprefix(_PREFIX).partition("-")
        if pid.isdigit() and not is_same_process(int(pid), started.partition("-")[0]):
            shutil.rmtree(servers_folder(folder), ignore_errors=True)
            shutil.rmtree(folder, ignore_errors=True)
