"""Empties the database after a test that committed: only the tables that hold rows.

Django truncates every table and then makes content types and permissions anew, a tenth of a second and more each time;
most tests leave rows in a handful of tables.
"""

from functools import cache
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, transaction
from django.test import TransactionTestCase

_KEPT = frozenset({"django_content_type", "auth_permission", "django_migrations"})
_LARGE = 4 * 2**20  # bytes: from here on, truncating is quicker than deleting


@pytest.fixture(autouse=True, scope="session")
def quick_emptying() -> Any:
    """Replace what Django does after each test that committed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda _self: empty_database())
        yield


def empty_database() -> None:
    """Take every row out of every table of ours, past the triggers that keep some of them."""
    connection.close_if_unusable_or_obsolete()
    tables = _tables()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(_question(table) for table in tables))
        found = cursor.fetchall()
        if not found:
            return
        cursor.execute("SET LOCAL session_replication_role = replica")
        for table, size in found:
            cursor.execute(f'TRUNCATE "{table}" CASCADE' if size > _LARGE else f'DELETE FROM "{table}"')


def _question(table: str) -> str:
    return f"(SELECT '{table}', pg_relation_size('\"{table}\"') WHERE EXISTS (SELECT 1 FROM \"{table}\"))"


@cache
def _tables() -> tuple[str, ...]:
    names = {model._meta.db_table for model in apps.get_models(include_auto_created=True) if model._meta.managed}
    return tuple(sorted(names - _KEPT))
