"""Count rows for a page without letting the page, or the database, wait for it."""

from dataclasses import dataclass

from django.db import OperationalError, connection, transaction
from django.db.models import QuerySet

from .filters import count_up_to
from .models import Contact

_PATIENCE = 1500  # milliseconds


@dataclass(frozen=True)
class Count:
    """How many there are: exactly, at least so many (`is_more`), or None where counting took too long."""

    number: int | None
    is_more: bool = False


def quick_count(rows: QuerySet[Contact], *, most: int = 10_000, patience: int = _PATIENCE) -> Count:
    """Count up to `most`, and give up after a moment."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL statement_timeout = {int(patience)}")
            return Count(*count_up_to(rows, most=most))
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", "") != "57014":  # canceled by the timeout
            raise
        return Count(None)
