"""Real servers, started, killed, found again."""

import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from config.launcher.embedded import EmbeddedServer, prepare_folder, prepare_postgres, prepare_valkey
from config.launcher.errors import LauncherError
from config.launcher.ports import PortBook
from config.launcher.processes import Supervisor
from tests.config.launcher.conftest import is_alive


class Installation:
    """The servers of one data folder under one launcher."""

    def __init__(self, folder: Path, said: list[str]) -> None:
        self.folder, self.said = prepare_folder(folder / "servers"), said
        self.start()

    def start(self) -> None:
        self.ports, self.supervisor = PortBook(), Supervisor(say=self.said.append)
        self.postgres = self._run(prepare_postgres(self.folder, ports=self.ports, logs=self.folder.parent))
        self.valkey = self._run(prepare_valkey(self.folder, ports=self.ports, logs=self.folder.parent))
        for name in ("postgres", "valkey"):
            self.supervisor.wait_answering(name, seconds=30)

    def stop(self) -> None:
        self.supervisor.stop()
        self.ports.close()

    def ask(self, statement: str) -> list[tuple[object, ...]]:
        with psycopg.connect(self.postgres.url, autocommit=True) as connection:
            cursor = connection.execute(statement)  # type: ignore[arg-type]
            return cursor.fetchall() if cursor.description else []

    def _run(self, server: EmbeddedServer) -> EmbeddedServer:
        self.supervisor.start(server.service)
        return server


@pytest.fixture
def installation(folder: Path, said: list[str]) -> Iterator[Installation]:
    made = Installation(folder, said)
    yield made
    made.stop()


def test_killed_servers_come_back_with_their_data_in_two_seconds(installation: Installation) -> None:
    installation.ask("CREATE TABLE kept AS SELECT 7 AS number")
    valkey = redis.Redis.from_url(installation.valkey.url)
    valkey.set("kept", "7")
    time.sleep(1.1)  # Valkey flushes its journal every second; a lost second is what it promises
    for name, answers in (
        ("postgres", lambda: installation.ask("SELECT number FROM kept") == [(7,)]),
        ("valkey", lambda: valkey.get("kept") == b"7"),
    ):
        os.kill(installation.supervisor.pids()[name], signal.SIGKILL)
        killed = time.monotonic()

        def is_back(answers=answers) -> bool:
            try:
                return answers()
            except (psycopg.OperationalError, redis.ConnectionError):
                return False

        # The connection to the killed one may still be taken up by its last children.
        assert installation.supervisor.wait_until(lambda n=name: n in installation.supervisor.pids(), seconds=2)
        assert installation.supervisor.wait_until(is_back, seconds=20), installation.said
        assert time.monotonic() - killed < 15


def test_stopped_installation_picks_up_where_it_was(installation: Installation) -> None:
    installation.ask("CREATE TABLE kept AS SELECT 7 AS number")
    redis.Redis.from_url(installation.valkey.url).set("kept", "7")
    before = (installation.postgres.url, installation.valkey.url)
    pids = [process.pid for pid in installation.supervisor.pids().values() for process in _family(pid)]
    installation.stop()
    assert [pid for pid in pids if is_alive(pid)] == []
    installation.start()
    assert (installation.postgres.url, installation.valkey.url) == before
    assert installation.ask("SELECT number FROM kept") == [(7,)]
    assert redis.Redis.from_url(installation.valkey.url).get("kept") == b"7"


def test_servers_that_outlived_their_launcher_are_replaced(installation: Installation) -> None:
    installation.ask("CREATE TABLE kept AS SELECT 7 AS number")
    old = installation.supervisor.pids()
    # The launcher is gone without a word, as where the kernel does not end orphans.
    installation.ports.close()
    forgotten = installation.supervisor
    installation.start()
    try:
        assert installation.ask("SELECT number FROM kept") == [(7,)]
    finally:
        forgotten.stop()
    assert not any(is_alive(pid) for pid in old.values())


def test_process_id_of_another_program_does_not_hinder_the_start(installation: Installation) -> None:
    installation.stop()
    pid_file = installation.folder / "postgresql" / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n")
    shutil.chown(pid_file, installation.postgres.service.account.uid if installation.postgres.service.account else None)
    installation.start()
    assert installation.ask("SELECT 1") == [(1,)]


def test_text_is_compared_by_unicode_rules_without_the_machines_locales(installation: Installation) -> None:
    assert installation.ask(
        "SELECT lower('ÄÉŁ'), 'é' ~ '\\w', pg_encoding_to_char(encoding) FROM pg_database LIMIT 1"
    ) == [("äéł", True, "UTF8")]


def test_data_are_durable_and_closed_to_strangers(installation: Installation) -> None:
    assert installation.ask("SHOW fsync") == [("on",)]
    assert (installation.folder / "postgresql").stat().st_mode & 0o077 == 0
    assert (installation.folder / "postgresql.password").stat().st_mode & 0o077 == 0
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(installation.postgres.url.replace("app:", "app:x"))
    with pytest.raises(redis.AuthenticationError):
        redis.Redis.from_url(installation.valkey.url.replace("redis://:", "redis://:x")).ping()


def test_data_of_another_version_are_refused_in_words(folder: Path) -> None:
    (folder / "postgresql").mkdir()
    (folder / "postgresql" / "PG_VERSION").write_text("17\n")
    with pytest.raises(LauncherError, match="written by PostgreSQL 17"):
        prepare_postgres(folder, ports=PortBook(), logs=folder)
    assert (folder / "postgresql").exists()


def _family(pid: int) -> list[psutil.Process]:
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]
