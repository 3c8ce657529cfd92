"""The OpenAPI document: ninja writes the good answers, this adds every other one, in words."""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from .problems import CONTENT_TYPE, KINDS

_PROBLEMS, _RESPONSES, _HEADERS = "x-problems", "x-responses", "x-headers"
_BODY_METHODS = frozenset({"post", "put", "patch"})
_ALWAYS = ("missing_key", "invalid_key", "key_revoked", "organization_suspended", "rate_limited")
_LAST = ("body_too_large", "internal_error", "unavailable")

DESCRIPTION = """
Send SMS over your organization's own Twilio account, and see what became of every message.

**Keys.** Every request carries `Authorization: Bearer hg_…`. Members make keys on the page *API keys*; a key is shown
once, belongs to one organization and sees nothing of another one.

**Sending once.** Give `POST /messages` and `POST /verifications` an `Idempotency-Key` that is new for each one you
mean. After a timeout repeat the request as it was: the same key with the same body never sends twice.

**Problems.** Every answer of 400 and above is `application/problem+json` with a `code` that stays, a `detail` for
people, and, for input, `errors` that name each field.

**Lists** answer `{"items": […], "next": …}`, newest first. Give `next` as `cursor` for the following page; null means
that there is none.

**Rate.** A key may ask 100 times in a second unless the operator set another number. 429 carries `Retry-After`.
""".strip()

_SCHEMA_OF_PROBLEM = {
    "type": "object",
    "title": "Problem",
    "description": "What went wrong (RFC 9457). A few codes add a member of their own, such as `contact_id`.",
    "required": ["type", "title", "status", "code", "detail", "errors"],
    "properties": {
        "type": {"type": "string", "format": "uri", "description": "urn:heliograph:problem: and the code."},
        "title": {"type": "string", "description": "What the code means, the same each time."},
        "status": {"type": "integer", "description": "The HTTP status.", "minimum": 400, "maximum": 599},
        "code": {"type": "string", "description": "What to decide by: codes stay.", "enum": sorted(KINDS)},
        "detail": {"type": "string", "description": "What happened this time, for people. It may change."},
        "errors": {
            "type": "array",
            "description": "Each field that cannot be used; empty where no field is at fault.",
            "items": {
                "type": "object",
                "title": "FieldError",
                "required": ["field", "code", "detail"],
                "properties": {
                    "field": {"type": "string", "description": "Its name as in the request; dots lead inside."},
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}
_TELLING_HEADERS = {
    401: {"WWW-Authenticate": "The scheme: Bearer."},
    429: {"Retry-After": "Seconds to wait."},
    503: {"Retry-After": "Seconds to wait."},
}


def problems(
    *codes: str, responses: Mapping[int, str], headers: Mapping[int, Mapping[str, str]] | None = None
) -> dict[str, Any]:
    """Return what an operation tells the document: its own problems, its answers in words, and their headers."""
    return {_PROBLEMS: codes, _RESPONSES: responses, _HEADERS: headers or {}}


def parameter(name: str, description: str, *, example: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the description of a header that the operation reads by itself."""
    header = {"in": "header", "name": name, "required": False, "description": description}
    return {"parameters": [{**header, "example": example, "schema": dict(schema)}]}


def complete(document: Any) -> Any:
    """Return the document with every problem, header and word that ninja does not know of."""
    document["components"]["schemas"]["Problem"] = _SCHEMA_OF_PROBLEM
    for item in document["paths"].values():
        for method, operation in item.items():
            _complete_operation(method, operation)
    return document


def _complete_operation(method: str, operation: dict[str, Any]) -> None:
    for told in operation["parameters"]:
        told["schema"] = _without_null(told["schema"])
    for content in operation.get("requestBody", {}).get("content", {}).values():
        # A body that may be left out: ninja writes its default around it, which callers have no use for.
        content["schema"] = next(iter(content["schema"].get("allOf", ())), content["schema"])
    responses = operation["responses"] = {str(status): told for status, told in operation["responses"].items()}
    headers = operation.pop(_HEADERS)
    for status, words in operation.pop(_RESPONSES).items():
        responses[str(status)]["description"] = words
        if status in headers:
            responses[str(status)]["headers"] = _describe_headers(headers[status])
    by_status: dict[int, list[str]] = {}
    for code in _codes(method, operation):
        by_status.setdefault(KINDS[code].status, []).append(code)
    for status, codes in sorted(by_status.items()):
        responses[str(status)] = _describe(status, codes)


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a parameter as an address can carry it: left out, never null."""
    kinds = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
    if len(kinds) != 1:
        return schema
    rest = {name: value for name, value in schema.items() if name not in {"anyOf", "default"}}
    return {**rest, **kinds[0]}


def _codes(method: str, operation: dict[str, Any]) -> Iterable[str]:
    places = {parameter["in"] for parameter in operation["parameters"]}
    yield from _ALWAYS
    yield from operation.pop(_PROBLEMS)
    yield "bad_request"
    if operation["operationId"] != "getMe":
        yield "missing_scope"
    if "path" in places:
        yield "not_found"
    if "requestBody" in operation:
        yield from ("malformed_json", "unsupported_media_type")
    if method in _BODY_METHODS:
        yield "length_required"
    if "requestBody" in operation or places & {"query", "header"}:
        yield "validation_failed"
    yield from _LAST


def _describe(status: int, codes: list[str]) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "description": f"{HTTPStatus(status).phrase}: " + "; ".join(f"`{code}`" for code in codes) + ".",
        "content": {
            CONTENT_TYPE: {
                "schema": {"$ref": "#/components/schemas/Problem"},
                "examples": {code: {"summary": KINDS[code].title, "value": _example(code)} for code in codes},
            }
        },
    }
    if status in _TELLING_HEADERS:
        answer["headers"] = _describe_headers(_TELLING_HEADERS[status])
    return answer


def _example(code: str) -> dict[str, Any]:
    kind = KINDS[code]
    wrong = {"field": "to", "code": "too_short", "detail": "The number is too short."}
    return {
        "type": f"urn:heliograph:problem:{code}",
        "title": kind.title,
        "status": kind.status,
        "code": code,
        "detail": kind.advice,
        "errors": [wrong] if code == "validation_failed" else [],
    }


def _describe_headers(headers: Mapping[str, str]) -> dict[str, Any]:
    return {name: {"description": words, "schema": {"type": "string"}} for name, words in headers.items()}
