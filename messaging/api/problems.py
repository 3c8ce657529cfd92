"""Problems: the one shape of every answer of 400 and above (RFC 9457), each with a code that stays."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase

CONTENT_TYPE = "application/problem+json"
RETRY_AFTER_OUTAGE = "2"  # seconds; as long as a restarted database or a failover of it usually takes at least


@dataclass(frozen=True)
class Kind:
    """What a code means: its HTTP status, a title, and what the caller does about it."""

    status: int
    title: str
    advice: str


KINDS: dict[str, Kind] = {
    "malformed_json": Kind(400, "The body is not JSON", "Send one JSON object in UTF-8, each field once."),
    "bad_request": Kind(400, "The request cannot be read", "Check its address, its headers and its length."),
    "missing_key": Kind(401, "An API key is needed", "Send the header Authorization: Bearer hg_…"),
    "invalid_key": Kind(401, "The API key is not known", "Copy the whole key; make a new one where it was lost."),
    "key_revoked": Kind(401, "The API key was revoked", "Make a new one under API keys."),
    "missing_signature": Kind(
        401, "A secret or a signature is needed", "Send what the automation’s trigger shows: `detail` names it."
    ),
    "insufficient_credits": Kind(402, "Too few credits", "Ask your operator to top them up, then try again."),
    "bad_signature": Kind(403, "The secret or the signature does not fit", "Compare it with the automation’s webhook."),
    "missing_scope": Kind(403, "The API key may not do this", "Use a key with the scope that `detail` names."),
    "organization_suspended": Kind(403, "The organization is suspended", "Ask the operator of this installation."),
    "not_found": Kind(404, "There is no such thing", "Check the address and the id; a key sees its organization only."),
    "method_not_allowed": Kind(405, "The method is not allowed here", "Use one of those that the header Allow names."),
    "not_acceptable": Kind(406, "Not acceptable", "Answers are JSON."),
    "idempotency_key_reused": Kind(
        409, "The Idempotency-Key was used for another request", "Use a fresh key for whatever else you mean to send."
    ),
    "automation_not_live": Kind(409, "The automation does not run", "Publish or resume it; `detail` says which."),
    "not_connected": Kind(409, "Twilio is not connected", "Connect Twilio under Integration, System services."),
    "connection_broken": Kind(409, "The Twilio connection is broken", "Mend it under Integration, System services."),
    "no_route": Kind(409, "There is no way to this number", "See `detail` for what is missing."),
    "platform_unavailable": Kind(409, "Platform SMS does not work now", "Your operator has to mend it; try later."),
    "no_sender": Kind(409, "The connection has no sender", "Add a Messaging Service or a From number to it."),
    "not_cancelable": Kind(409, "The message can no longer be canceled", "Only scheduled and queued ones can."),
    "broadcast_state": Kind(409, "The broadcast is in another state", "See `detail` for what became of it."),
    "broadcast_started": Kind(409, "The broadcast was started", "Make another one for more recipients."),
    "check_running": Kind(409, "The recipients are being checked", "Start it when `status` is ready."),
    "not_checked": Kind(409, "The recipients were not checked", "Give it recipients first."),
    "bad_rows": Kind(409, "Some recipients are wrong", "See `problems`; start with skip_bad=true to leave them out."),
    "nobody": Kind(409, "Nobody is left to send to", "See `left_out` for why."),
    "not_by_api": Kind(409, "The recipients were chosen on a page", "Make another broadcast for those you have."),
    "run_state": Kind(409, "The run is in another state", "See `detail` for what became of it."),
    "contact_exists": Kind(409, "A contact has this number", "Change the contact that `contact_id` names."),
    "template_exists": Kind(409, "A template has this name", "Reword the template that `template_id` names."),
    "template_archived": Kind(409, "The template is archived", "Bring it back on its page first."),
    "saved_meanwhile": Kind(409, "Another wording was saved meanwhile", "Read the template again, then decide."),
    "needs_start": Kind(409, "Only the person can undo this opt-out", "They text START to your number."),
    "verification_refused": Kind(409, "The code could not be sent", "See `detail` for the reason and the next step."),
    "verification_ended": Kind(409, "The verification has ended", "Start a new one."),
    "invitation_refused": Kind(409, "The number is not invited", "`detail` says why, `reason` in a word."),
    "length_required": Kind(411, "The length of the body is missing", "Send Content-Length."),
    "body_too_large": Kind(413, "The body is too large", "Send at most 1 MB (1,048,576 bytes); to broadcasts, 5 MB."),
    "unsupported_media_type": Kind(415, "The body is not declared as JSON", "Send Content-Type: application/json."),
    "validation_failed": Kind(422, "Some fields cannot be used as they are", "`errors` names each field and why."),
    "verification_limited": Kind(429, "Too many codes", "`limit` names which limit; wait as Retry-After says."),
    "rate_limited": Kind(429, "Too many requests", "Wait as many seconds as Retry-After says."),
    "internal_error": Kind(500, "Something failed on our side", "Try again with the same Idempotency-Key."),
    "unavailable": Kind(503, "The service is not available now", "Try again with the same Idempotency-Key."),
}
_BY_STATUS = {
    400: "bad_request",
    401: "missing_key",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    411: "length_required",
    413: "body_too_large",
    415: "unsupported_media_type",
    429: "rate_limited",
    500: "internal_error",
    503: "unavailable",
}
_KEPT_HEADERS = ("Allow", "Retry-After", "WWW-Authenticate")


@dataclass(frozen=True)
class FieldError:
    """What is wrong with one field of the input; "" is the input as a whole."""

    field: str
    code: str
    detail: str


class ApiProblem(Exception):
    """An answer of 400 or above, raised from anywhere in the room; `more` are further members of the JSON."""

    def __init__(
        self,
        code: str,
        detail: str = "",
        *,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.kind = KINDS[code]
        self.detail = detail or self.kind.advice
        self.errors, self.headers, self.more = tuple(errors), dict(headers or {}), dict(more or {})


def invalid(field: str, code: str, detail: str) -> ApiProblem:
    """Return the problem of one field that cannot be used."""
    return ApiProblem("validation_failed", detail, errors=[FieldError(field, code, detail)])


def respond(problem: ApiProblem) -> HttpResponse:
    """Return the HTTP answer of a problem."""
    response = _write(
        problem.kind.status, problem.code, problem.kind.title, problem.detail, problem.errors, problem.more
    )
    for name, value in problem.headers.items():
        response[name] = value
    if problem.kind.status == HTTPStatus.UNAUTHORIZED:
        # RFC 6750: a request without a key learns the scheme only.
        error = "" if problem.code == "missing_key" else ', error="invalid_token"'
        response["WWW-Authenticate"] = f'Bearer realm="Heliograph API"{error}'
    if problem.kind.status == HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers.setdefault("Retry-After", RETRY_AFTER_OUTAGE)
    return response


def as_problem(response: HttpResponseBase) -> HttpResponseBase:
    """Return the answer itself, or as a problem where somebody else refused in a shape of their own."""
    status = response.status_code
    if status < HTTPStatus.BAD_REQUEST or response.get("Content-Type", "").startswith(CONTENT_TYPE):
        return response
    code = _BY_STATUS.get(status, "internal_error" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "bad_request")
    kind = KINDS[code]
    plain = _write(status, code, kind.title, kind.advice, (), {})
    for name in _KEPT_HEADERS:
        if name in response:
            plain[name] = response[name]
    return plain


def _write(
    status: int, code: str, title: str, detail: str, errors: Sequence[FieldError], more: Mapping[str, Any]
) -> HttpResponse:
    body = {
        "type": f"urn:heliograph:problem:{code}",
        "title": title,
        "status": status,
        "code": code,
        "detail": detail,
        "errors": [{"field": error.field, "code": error.code, "detail": error.detail} for error in errors],
        **more,
    }
    return HttpResponse(json.dumps(body), status=status, content_type=CONTENT_TYPE)
