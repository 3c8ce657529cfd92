"""Reading a JSON body strictly: what could be understood in two ways, or cannot be stored, is refused in words."""

import json
import math
import re
from typing import Any

from django.http import HttpRequest
from ninja.parser import Parser

from .problems import ApiProblem, FieldError, invalid

DEEPEST = 8  # levels; no body of ours needs more than three
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def receive_body(request: HttpRequest, *, limit: int) -> bytes:
    """Return the body; refuse one over the limit before it is read, and one in chunks as soon as it grows over it."""
    if "chunked" in request.headers.get("Transfer-Encoding", "").lower():
        source = request.META.get("wsgi.input")
        if source is not None and not request.META.get("wsgi.input_terminated"):
            raise ApiProblem("length_required")
        # Django reads as much as Content-Length says, nothing where there is none; the server knows where chunks end.
        request._body = (source or request).read(limit + 1)  # type: ignore[attr-defined]
    elif declared_length(request) > limit:
        raise ApiProblem("body_too_large")
    elif not hasattr(request, "_body"):
        # By `body` Django would refuse what it has a limit of its own for. A caller who hangs up is met here.
        request._body = request.read(limit + 1)  # type: ignore[attr-defined]
    if len(request.body) > limit:
        raise ApiProblem("body_too_large")
    return request.body


def declared_length(request: HttpRequest) -> int:
    """Return the length that the caller declared, 0 for none."""
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0


class JsonParser(Parser):
    """Ninja's parser of bodies, with our refusals; what was read stays on the request as `json_body`."""

    def parse_body(self, request: HttpRequest) -> dict[str, Any]:
        charset = (request.content_params or {}).get("charset", "utf-8").lower()
        if request.content_type != "application/json" or charset not in {"utf-8", "utf8", "us-ascii"}:
            raise ApiProblem("unsupported_media_type")
        parsed = read_object(request.body)
        request.json_body = parsed  # type: ignore[attr-defined]
        return parsed


def read_object(raw: bytes) -> dict[str, Any]:
    """Return the JSON object of a body; raise ApiProblem: `malformed_json`, or `validation_failed` for its values."""
    try:
        parsed = json.loads(raw.decode("utf-8-sig"), object_pairs_hook=_without_doubles, parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise ApiProblem("malformed_json", f"Byte {error.start + 1} is not UTF-8.") from error
    except json.JSONDecodeError as error:
        raise ApiProblem(
            "malformed_json", f"This is not JSON from line {error.lineno}, character {error.colno} on."
        ) from error
    except RecursionError as error:
        raise _too_deep() from error
    except ValueError as error:  # a number of thousands of digits
        raise ApiProblem("malformed_json", "A number is too long.") from error
    if not isinstance(parsed, dict):
        raise invalid("", "not_an_object", "The body must be a JSON object: {…}.")
    _check_values(parsed)
    return parsed


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ApiProblem("malformed_json", "A field stands twice in one object; which one counts nobody can tell.")
    return found


def _no_constant(word: str) -> float:
    raise ApiProblem("malformed_json", f"{word} is not JSON.")


def _check_values(parsed: dict[str, Any]) -> None:
    """Look at every name and value without recursion; raise ApiProblem naming the fields that cannot be stored."""
    wrong: list[FieldError] = []
    waiting: list[tuple[str, Any, int]] = [("", parsed, 0)]
    while waiting:
        path, value, depth = waiting.pop()
        if depth > DEEPEST:
            raise _too_deep()
        if isinstance(value, dict):
            for name, inner in value.items():
                if _UNSTORABLE.search(name):
                    raise ApiProblem("malformed_json", "The name of a field holds characters that are no text.")
                waiting.append((f"{path}.{name}" if path else name, inner, depth + 1))
        elif isinstance(value, list):
            waiting.extend((f"{path}.{place}", inner, depth + 1) for place, inner in enumerate(value))
        elif isinstance(value, str) and _UNSTORABLE.search(value):
            detail = "Take out NUL characters and halves of surrogate pairs: they are no text."
            wrong.append(FieldError(path, "bad_characters", detail))
        elif isinstance(value, float) and not math.isfinite(value):
            wrong.append(FieldError(path, "out_of_range", "This number is too large."))
    if wrong:
        raise ApiProblem("validation_failed", wrong[0].detail, errors=sorted(wrong, key=lambda error: error.field)[:50])


def _too_deep() -> ApiProblem:
    return ApiProblem("malformed_json", f"The body is nested more than {DEEPEST} levels deep.")
