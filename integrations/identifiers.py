"""Identifiers of rows: UUID version 7 (RFC 9562), so that newer rows sort behind older ones."""

import uuid

import uuid6


def new_id() -> uuid.UUID:
    """Return a fresh time-ordered UUID."""
    return uuid.UUID(int=uuid6.uuid7().int)
