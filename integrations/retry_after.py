"""When somebody outside asks to come again: the header Retry-After."""

import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def seconds_of(raw: str | None) -> float | None:
    """Read a number of seconds or a date (RFC 9110, 10.2.3); None where it is neither."""
    raw = (raw or "").strip()
    try:
        seconds = float(raw)
    except ValueError:
        try:
            moment = parsedate_to_datetime(raw)
            seconds = (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
        except (ValueError, OverflowError):
            return None
    return max(seconds, 0.0) if math.isfinite(seconds) else None
