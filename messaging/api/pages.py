"""Pages of lists, by key: a cursor names the last row that was seen, in letters whose meaning is ours to change."""

import base64
import binascii
import uuid
from collections.abc import Sequence
from typing import Annotated, Any, Generic, TypeVar

from django.db.models import Model, QuerySet
from django.http import QueryDict
from ninja import Field, Schema
from pydantic import AfterValidator

from .checks import refuse, storable
from .problems import invalid

LIMIT, MOST = 50, 200
_VERSION = b"\x01"

Row = TypeVar("Row", bound=Model)
Item = TypeVar("Item")


def write_cursor(last: uuid.UUID) -> str:
    """Return the cursor of the page that begins behind this row."""
    return base64.urlsafe_b64encode(_VERSION + last.bytes).decode().rstrip("=")


def read_cursor(cursor: str) -> uuid.UUID | None:
    """Return the id of the row that was last on the page before, None for the first page; ValueError for any other."""
    if not cursor:
        return None
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise ValueError("not a cursor") from error
    if len(raw) != 17 or raw[:1] != _VERSION:
        raise ValueError("not a cursor")
    return uuid.UUID(bytes=raw[1:])


def _check_cursor(cursor: str) -> str:
    try:
        read_cursor(cursor)
    except ValueError as error:
        raise refuse("bad_cursor", "This is not a cursor of ours: take `next` as it was answered.") from error
    return cursor


class PageQuery(Schema):
    """What every list takes."""

    cursor: Annotated[str, AfterValidator(storable), AfterValidator(_check_cursor)] = Field(
        "", max_length=64, description="`next` of the page before; left out for the first page."
    )
    limit: int = Field(LIMIT, ge=1, le=MOST, description="How many items a page has at most.")


class Page(Schema, Generic[Item]):
    """One page, newest first."""

    items: list[Item]
    next: str | None = Field(description="Give it as `cursor` to get the following page; null on the last one.")


def cut(rows: QuerySet[Row], query: PageQuery, *, asked: QueryDict) -> tuple[Sequence[Row], str | None]:
    """Return the rows of the asked page, newest first, and the cursor of the following one.

    `asked` is the query as it came: a misspelt filter that went unnoticed would show everything.
    """
    for name, values in asked.lists():
        if name not in type(query).model_fields:
            raise invalid(_plain(name), "unknown_parameter", "This list knows no such parameter. Check its spelling.")
        if len(values) > 1:
            raise invalid(name, "repeated", "Give this parameter once.")
    after = read_cursor(query.cursor)
    if after is not None:
        rows = rows.filter(id__lt=after)
    found = list(rows.order_by("-id")[: query.limit + 1])
    shown = found[: query.limit]
    return shown, write_cursor(shown[-1].pk) if len(found) > query.limit else None


def _plain(name: str) -> str:
    return name[:80].replace("\x00", "")


def page(items: list[Any], following: str | None) -> dict[str, Any]:
    """Return the body of a list."""
    return {"items": items, "next": following}
