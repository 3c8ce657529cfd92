"""Lists in pages, in the two shapes that Twilio has."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode

from aiohttp import web

from .door import Call
from .errors import ApiError
from .wire import json_response

Item = TypeVar("Item")


def page_size(call: Call, *, most: int = 1000) -> int:
    """Read PageSize, 50 where it is not given."""
    text = call.query.get("PageSize", "50")
    if not text.isdecimal() or int(text) < 1:
        raise ApiError(20001)
    return min(int(text), most)


def page_number(call: Call) -> int:
    """Read Page, 0 where it is not given."""
    text = call.query.get("Page", "0")
    if not text.isdecimal():
        raise ApiError(20001)
    return int(text)


def list_with_meta(
    call: Call, items: Sequence[Item], *, key: str, as_json: Callable[[Item], dict[str, Any]]
) -> web.Response:
    """Answer one page as the newer APIs do: `meta` with absolute addresses on the real host."""
    size, page = page_size(call), page_number(call)
    start = page * size
    address = "https:/" + call.request.path

    def url_of(number: int) -> str:
        query: dict[str, object] = {"PageSize": size, "Page": number}
        if number:
            query["PageToken"] = f"P{key[:1].upper()}{number * size}"
        return f"{address}?{urlencode(query)}"

    return json_response(
        {
            key: [as_json(item) for item in items[start : start + size]],
            "meta": {
                "page": page,
                "page_size": size,
                "first_page_url": url_of(0),
                "previous_page_url": url_of(page - 1) if page else None,
                "url": url_of(page),
                "next_page_url": url_of(page + 1) if start + size < len(items) else None,
                "key": key,
            },
        }
    )


def list_of_2010(  # the older API: relative addresses beside the items
    call: Call, items: list[dict[str, Any]], *, key: str, filters: dict[str, str], next_token: str | None
) -> web.Response:
    """Answer one page as the 2010 API does; `items` is the page already cut."""
    size, page = page_size(call), page_number(call)
    address = "/" + call.request.path.split("/", 2)[2]

    def uri_of(number: int, token: str | None = None) -> str:
        query: dict[str, object] = {**filters, "PageSize": size, "Page": number}
        if token:
            query["PageToken"] = token
        return f"{address}?{urlencode(query)}"

    start = page * size
    return json_response(
        {
            key: items,
            "page": page,
            "page_size": size,
            "start": start,
            "end": start + max(len(items) - 1, 0),
            "uri": uri_of(page, call.query.get("PageToken")),
            "first_page_uri": uri_of(0),
            "previous_page_uri": uri_of(page - 1) if page else None,
            "next_page_uri": uri_of(page + 1, next_token) if next_token else None,
        }
    )
