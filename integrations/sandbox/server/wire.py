"""How things are written on the wire: JSON, forms, dates."""

import json
import os
import time
from functools import lru_cache
from urllib.parse import parse_qsl

from aiohttp import web

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def json_response(body: object, *, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """Answer with JSON, as Twilio does, with a request id."""
    every = {"Content-Type": "application/json", "Twilio-Request-Id": new_sid("RQ")}
    if headers:
        every.update(headers)
    return web.Response(body=json.dumps(body, separators=(",", ":")).encode(), status=status, headers=every)


def new_sid(prefix: str) -> str:
    """Make a fresh SID."""
    return prefix + os.urandom(16).hex()


def read_form(body: bytes) -> list[tuple[str, str]]:
    """Read an urlencoded body; empty values are kept, because Body="" means something."""
    return parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)


@lru_cache(maxsize=1024)
def _rfc2822(second: int) -> str:
    t = time.gmtime(second)
    return (
        f"{_DAYS[t.tm_wday]}, {t.tm_mday:02d} {_MONTHS[t.tm_mon - 1]} {t.tm_year} "
        f"{t.tm_hour:02d}:{t.tm_min:02d}:{t.tm_sec:02d} +0000"
    )


def rfc2822(at: float | None) -> str | None:
    """Write a time as the 2010 API does: `Thu, 24 Aug 2023 05:01:45 +0000`."""
    return None if at is None else _rfc2822(int(at))


def iso8601(at: float | None) -> str | None:
    """Write a time as the newer APIs do: `2023-08-24T05:01:45Z`."""
    return None if at is None else time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))


def read_bool(text: str) -> bool:
    """Read a boolean of a form; everything but `true` is false."""
    return text.strip().lower() == "true"
