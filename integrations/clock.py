"""The one clock that decisions go by: PostgreSQL's. Clocks of machines differ, and each believes its own."""

import threading
import time
from datetime import datetime, timedelta

from django.db import connection

_REFRESH_AFTER = 10.0  # seconds: the monotonic clock drifts little, but stands still while a machine sleeps
_asking = threading.Lock()
_base: tuple[datetime, float] | None = None


def database_now() -> datetime:
    """Return the time as PostgreSQL has it, asked for every ten seconds and counted on in between.

    It is never ahead of the database: what is due at this moment is due for every statement that comes after. A wrong
    or changed clock of this machine has no part in it.
    """
    base = _base
    if base is None or time.monotonic() - base[1] >= _REFRESH_AFTER:
        base = _ask()
    return base[0] + timedelta(seconds=time.monotonic() - base[1])


def forget() -> None:
    """Ask anew at the next call."""
    global _base
    _base = None


def _ask() -> tuple[datetime, float]:
    global _base
    with _asking, connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        answer: datetime = cursor.fetchone()[0]
        # Taken after the answer came: the result errs by the way of the answer, and to the early side.
        _base = answer, time.monotonic()
    return _base
