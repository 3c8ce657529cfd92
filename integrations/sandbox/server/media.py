"""What comes with a message: its Media resource, and the store to which Twilio leads for the content.

As at Twilio, the API asks for credentials and answers with a redirect; the store (`mms.twiliocdn.com`) gives the bytes
to whoever knows the address. https://www.twilio.com/docs/messaging/api/media-resource
"""

import base64
import binascii
from typing import Any

from aiohttp import web

from .door import Call
from .errors import ControlError
from .model import Account, Medium, Message
from .paging import list_of_2010, page_number, page_size
from .wire import json_response, new_sid, rfc2822
from .world import WORLD

_API = "https://api.twilio.com/2010-04-01/Accounts"
_STORE = "https://mms.twiliocdn.com"
_JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00"
LARGEST = 20_000_000


def read_media(items: list[Any]) -> list[str | tuple[str, bytes]]:
    """Read what a phone sends along: addresses as they are, or files; raises ControlError.

    A file is `{"content_type", "data"}` with base64, or `{"content_type", "size"}` for so many bytes of nothing.
    """
    return [item if isinstance(item, str) else _read_file(item) for item in items]


def _read_file(item: Any) -> tuple[str, bytes]:
    wrong = ControlError(
        {"media": "A list of addresses, or of {content_type, data in base64} or {content_type, size}."}
    )
    if not isinstance(item, dict) or not isinstance(item.get("content_type"), str):
        raise wrong
    size = item.get("size")
    if isinstance(size, int) and not isinstance(size, bool) and 0 <= size <= LARGEST:
        return item["content_type"], _JPEG.ljust(size, b"\0")[:size]
    try:
        return item["content_type"], base64.b64decode(item["data"], validate=True)
    except (KeyError, TypeError, binascii.Error) as error:
        raise wrong from error


def add_medium(account: Account, message_sid: str, *, content_type: str, content: bytes, now: float) -> str:
    """Keep a file of a message and return its address at the API."""
    medium = Medium(
        sid=new_sid("ME"),
        message_sid=message_sid,
        content_type=content_type,
        content=content,
        created=now,
        token=new_sid("")[:32],
    )
    account.media[medium.sid] = medium
    while len(account.media) > 500:
        del account.media[next(iter(account.media))]
    return f"{_API}/{account.sid}/Messages/{message_sid}/Media/{medium.sid}"


def content_type_of(account: Account, url: str) -> str:
    """Return the type that the webhook names for an address."""
    medium = account.media.get(url.rpartition("/")[2])
    return medium.content_type if medium else "image/jpeg"


def _json(account: Account, medium: Medium) -> dict[str, Any]:
    return {
        "account_sid": account.sid,
        "content_type": medium.content_type,
        "date_created": rfc2822(medium.created),
        "date_updated": rfc2822(medium.created),
        "parent_sid": medium.message_sid,
        "sid": medium.sid,
        "uri": f"/2010-04-01/Accounts/{account.sid}/Messages/{medium.message_sid}/Media/{medium.sid}.json",
    }


def list_media(call: Call) -> web.Response:
    """Answer the media of a message."""
    message = _message(call)
    found = [medium for medium in call.account.media.values() if medium.message_sid == message.sid]
    size, page = page_size(call), page_number(call)
    shown = found[page * size : (page + 1) * size]
    more = f"ME{page}" if len(found) > (page + 1) * size else None
    return list_of_2010(
        call, [_json(call.account, medium) for medium in shown], key="media_list", filters={}, next_token=more
    )


def fetch_medium(call: Call) -> web.Response:
    """Answer one medium as a resource."""
    return json_response(_json(call.account, _find(call)))


def delete_medium(call: Call) -> web.Response:
    """Delete a medium."""
    del call.account.media[_find(call).sid]
    return web.Response(status=204)


def lead_to_content(call: Call) -> web.Response:
    """Lead to the store, as Twilio does for the address without .json."""
    medium = _find(call)
    return web.Response(status=307, headers={"Location": f"{_STORE}/{call.account.sid}/{medium.token}"})


async def give_content(request: web.Request) -> web.Response:
    """Give the bytes to whoever knows the address; credentials are neither asked for nor looked at."""
    account = request.app[WORLD].accounts.get(request.match_info["account_sid"])
    token = request.match_info["token"]
    for medium in account.media.values() if account else ():
        if medium.token == token:
            return web.Response(body=medium.content, headers={"Content-Type": medium.content_type})
    return web.Response(status=404)


def _message(call: Call) -> Message:
    message = call.account.messages.get(call.path["message_sid"])
    if message is None:
        raise call.not_found()
    return message


def _find(call: Call) -> Medium:
    medium = call.account.media.get(call.path["sid"])
    if medium is None or medium.message_sid != call.path["message_sid"]:
        raise call.not_found()
    return medium
