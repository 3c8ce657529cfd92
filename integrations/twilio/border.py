"""Where foreign answers and exceptions become ours, once, for the sync and the async client alike.

The hard question is always "can Twilio have acted?", because an SMS sent twice cannot be taken back:

* Nothing was written to the connection (`request_written` is false): surely not. The HTTP clients set the mark
  immediately before the first byte, so this is proof and no guess from the kind of exception.
* 4xx: surely not. That holds for an answer in HTML as well: a proxy or gateway that says 403, 404, 407, 413 or 429
  has turned the request away before passing it on. 408 and nginx's 499 are the exceptions: there the request was under
  way and somebody's patience ended.
* Everything else (timeout, reset, a pooled connection that the server had closed, 5xx, 3xx, a 2xx we cannot read):
  unknown. A stale connection usually means that nothing happened; usually is not enough.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from http import HTTPStatus
from json import JSONDecodeError, loads
from typing import Any

from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException
from twilio.http.response import Response

from integrations.retry_after import seconds_of
from integrations.twilio.errors import TwilioError, TwilioOutcomeUnknown, TwilioRefused, TwilioUnreachable
from integrations.twilio.redaction import scrub

# Both belong to one call in one thread or task, which is what a ContextVar follows.
request_written: ContextVar[bool] = ContextVar("request_written", default=False)
_answer_received: ContextVar[bool] = ContextVar("answer_received", default=False)

CLIENT_CLOSED_REQUEST = 499  # nginx's own
_PERHAPS_PROCESSED = (HTTPStatus.REQUEST_TIMEOUT, CLIENT_CLOSED_REQUEST)
# What reading a payload of the wrong shape raises inside the SDK and in our own results.
_UNREADABLE = (ValueError, TypeError, AttributeError, KeyError, RecursionError)


def accept_answer(*, status: int, headers: Mapping[str, str], text: str) -> Response:
    """Return the answer for the SDK if it is a success that can be read, else raise what it means."""
    if not 200 <= status < 300:
        raise _failure(status=status, headers=headers, text=text)
    if status != HTTPStatus.NO_CONTENT and not text.lstrip().startswith("{"):
        request_id = _header(headers, "Twilio-Request-Id")
        raise TwilioOutcomeUnknown("The answer cannot be Twilio's.", http_status=status, request_id=request_id)
    _answer_received.set(True)
    return Response(status, text, headers)


def lost_connection(error: Exception) -> TwilioError:
    """Return what a failure of the transport means: unreachable while nothing was written, unknown afterwards."""
    kind = type(error).__name__
    if request_written.get():
        return TwilioOutcomeUnknown(f"The connection failed after the request had been sent ({kind}).")
    return TwilioUnreachable(f"No connection to Twilio came about ({kind}).")


@contextmanager
def at_the_border() -> Iterator[None]:
    """Turn whatever the SDK raises inside into our errors; ours, from the HTTP clients, pass."""
    request_written.set(False)
    _answer_received.set(False)
    try:
        yield
    except TwilioException as error:
        raise _translated(error) from scrub(error)
    except _UNREADABLE as error:
        # Without an answer it is a mistake of our own and must stay visible as one.
        if not _answer_received.get():
            raise
        raise TwilioOutcomeUnknown(f"Twilio's answer could not be read ({type(error).__name__}).") from scrub(error)


def _translated(error: TwilioException) -> TwilioError:
    """Translate the SDK's exceptions; with our HTTP clients only the bare one comes (an answer without records)."""
    match error:
        case TwilioRestException():
            return _error_for(error.status, str(error.msg), code=_code(error.code), headers={})
        case TwilioServiceException():
            return _error_for(error.status, error.detail or error.title, code=_code(error.code), headers={})
        case TwilioException(args=(str(), Response() as answer)):
            return _failure(status=answer.status_code, headers=answer.headers or {}, text=answer.text)
        case _:
            return TwilioOutcomeUnknown("Twilio's answer could not be read.")


def _failure(*, status: int, headers: Mapping[str, str], text: str) -> TwilioError:
    body = _parsed(text)
    # "message" is Twilio's classic form, "detail" and "title" that of its newer services (RFC 9457).
    texts = [body.get(key) for key in ("message", "detail", "title")]
    message = next((text for text in texts if isinstance(text, str) and text), f"The answer was HTTP {status}.")
    return _error_for(status, message, code=_code(body.get("code")), headers=headers)


def _error_for(status: int, message: str, *, code: int | None, headers: Mapping[str, str]) -> TwilioError:
    surely_refused = 400 <= status < 500 and status not in _PERHAPS_PROCESSED
    kind = TwilioRefused if surely_refused else TwilioOutcomeUnknown
    return kind(
        message,
        code=code,
        http_status=status,
        request_id=_header(headers, "Twilio-Request-Id"),
        retry_after=seconds_of(_header(headers, "Retry-After")),
    )


def _parsed(text: str) -> dict[str, Any]:
    try:
        body = loads(text)
    except (JSONDecodeError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def _code(value: object) -> int | None:
    """Return Twilio's error code; the SDK puts the HTTP status there where Twilio gave none."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value < 1000:
        return None
    return value


def _header(headers: Mapping[str, str], name: str) -> str | None:
    return headers.get(name) or headers.get(name.lower())
