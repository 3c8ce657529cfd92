"""A database with all tables in it, to copy: Django takes ten seconds of work to make them, PostgreSQL a tenth of one.

Made from nothing and by `manage.py migrate`, by whoever of a session needs it first; the others wait for it. In a
checkout whose migrations have not changed since, its dump is read instead (`.data/migrated-….sql`, of a second); in CI
there is none.
A server of somebody's own (DATABASE_URL) gets none: there each worker migrates a test database, as Django does it.
"""

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from psycopg import sql

from config.launcher.binaries import postgres_programs
from config.launcher.environment import CHECKOUT

IS_OURS = "TEST_DATABASE_IS_OURS"  # set where the session started PostgreSQL itself
_NAME = "migrated"
_LOCK = 4_110_017


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Let Django make the test database by copying; its own `migrate` then finds nothing to do."""
    from django.conf import settings

    if os.environ.get(IS_OURS):
        _make_template()
        settings.DATABASES["default"].setdefault("TEST", {})["TEMPLATE"] = _NAME


def copy_database(name: str) -> str | None:
    """Make a database with all tables and return its address; None where there is no template."""
    if not os.environ.get(IS_OURS):
        return None
    _make_template()
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(_NAME)))
    return _address_of(name)


def _make_template() -> None:
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as server:
        server.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        # It is marked as a template when it is ready, so that one half made is none.
        if server.execute("SELECT 1 FROM pg_database WHERE datname = %s AND datistemplate", [_NAME]).fetchone():
            return
        name = sql.Identifier(_NAME)
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(name))
        server.execute(sql.SQL("CREATE DATABASE {}").format(name))
        dump = CHECKOUT / ".data" / f"migrated-{_fingerprint()}.sql"
        if not (dump.exists() and _restore(dump)):
            _migrate()
            _keep(dump)
        server.execute(sql.SQL("ALTER DATABASE {} IS_TEMPLATE true").format(name))


def _migrate() -> None:
    ran = _run(sys.executable, "manage.py", "migrate", "--no-input", "-v", "0")
    assert ran.returncode == 0, f"manage.py migrate failed:\n{ran.stdout}{ran.stderr}"


def _restore(dump: Path) -> bool:
    arguments = ("-q", "-v", "ON_ERROR_STOP=1", "-o", os.devnull, "-1", "-f", str(dump), _address_of(_NAME))
    return _run(str(postgres_programs(None) / "psql"), *arguments).returncode == 0


def _keep(dump: Path) -> None:
    """Keep a dump for the next session; where that fails, the next one migrates."""
    dump.parent.mkdir(exist_ok=True)
    for older in dump.parent.glob("migrated-*"):
        older.unlink(missing_ok=True)
    half = dump.with_suffix(f".{os.getpid()}")
    if _run(str(postgres_programs(None) / "pg_dump"), "-O", "-f", str(half), _address_of(_NAME)).returncode == 0:
        half.rename(dump)


def _fingerprint() -> str:
    """Name what the tables depend on: the migrations, ours and those of the packages that are installed."""
    digest = hashlib.sha256((CHECKOUT / "uv.lock").read_bytes())
    for file in sorted(CHECKOUT.glob("*/migrations/*.py")):
        digest.update(file.name.encode() + file.read_bytes())
    return digest.hexdigest()[:16]


def _run(*command: str) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "DATABASE_URL": _address_of(_NAME)}
    return subprocess.run(command, check=False, cwd=CHECKOUT, env=environment, capture_output=True, text=True)


def _address_of(name: str) -> str:
    return urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}"))
