"""Identifiers of rows: UUID version 7 (RFC 9562), so that newer rows sort behind older ones."""

import uuid
from datetime import datetime

import uuid6


def new_id() -> uuid.UUID:
    """Return a fresh time-ordered UUID."""
    return uuid.UUID(int=uuid6.uuid7().int)


def first_id_of(moment: datetime) -> uuid.UUID:
    """Return the smallest id of a moment: by it, rows of a span of time are found in the order of their ids."""
    milliseconds = max(0, min(int(moment.timestamp() * 1000), 2**48 - 1))
    return uuid.UUID(int=milliseconds << 80)
