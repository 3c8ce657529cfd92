"""POST Messages with test credentials: magic numbers, no charge, nothing stored, no callbacks.

The numbers are Twilio's: https://www.twilio.com/docs/iam/test-credentials
"""

from aiohttp import web

from .door import Call
from .errors import ApiError
from .messages import message_json
from .model import Message
from .recipients import read_recipient
from .segments import count_segments
from .submission import read_content
from .wire import json_response, new_sid

GOOD_SENDER = "+15005550006"
_SENDERS: dict[str, int] = {"+15005550001": 21212, "+15005550007": 21606, "+15005550008": 21611}
_RECIPIENTS: dict[str, int] = {
    "+15005550001": 21211,
    "+15005550002": 21612,
    "+15005550003": 21408,
    "+15005550004": 21610,
    "+15005550009": 21614,
}


def create_test_message(call: Call) -> web.Response:
    """Answer as if the message had been accepted, or with the error of the magic number."""
    form = call.form
    media = read_content(call)
    from_, to = form.get("From", "").strip(), form.get("To", "").strip()
    if not from_:
        raise ApiError(21606, detail="")  # a Messaging Service cannot be used with test credentials
    if from_ != GOOD_SENDER:
        raise ApiError(_SENDERS.get(from_, 21606), detail=from_)
    recipient = read_recipient(to)
    if recipient is None or recipient.e164 in _RECIPIENTS:
        raise ApiError(21211 if recipient is None else _RECIPIENTS[recipient.e164], detail=to)
    now = call.world.now()
    message = Message(
        sid=new_sid("MM" if media else "SM"),
        account=call.account,
        number=0,
        to=recipient.e164,
        body=form.get("Body", ""),
        direction="outbound-api",
        status="queued",
        created=now,
        updated=now,
        from_=from_,
        segments=count_segments(form.get("Body", "")),
        media=media,
    )
    return json_response(message_json(message), status=201)
