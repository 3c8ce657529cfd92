"""A database with all tables in it, to copy: Django takes ten seconds of work to make them, PostgreSQL a tenth of one.

Made anew in every session, from nothing and by `manage.py migrate`, by whoever needs it first; the others wait for it.
A server of somebody's own (DATABASE_URL) gets none: there each worker migrates a test database, as Django does it.
"""

import os
import subprocess
import sys
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from psycopg import sql

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
        ran = subprocess.run(
            [sys.executable, "manage.py", "migrate", "--no-input", "-v", "0"],
            check=False,
            cwd=CHECKOUT,
            env={**os.environ, "DATABASE_URL": _address_of(_NAME)},
            capture_output=True,
            text=True,
        )
        assert ran.returncode == 0, f"manage.py migrate failed:\n{ran.stdout}{ran.stderr}"
        server.execute(sql.SQL("ALTER DATABASE {} IS_TEMPLATE true").format(name))


def _address_of(name: str) -> str:
    return urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}"))
