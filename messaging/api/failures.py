"""From what was raised to the problem that is answered: the one place that knows foreign exceptions."""

import re
import traceback
from typing import Any

import structlog
from django.core.exceptions import SuspiciousOperation
from django.db import Error as DatabaseError
from django.db import InterfaceError, OperationalError
from django.http import Http404, UnreadablePostError
from ninja.errors import HttpError, ValidationError

from messaging.broadcasts.problems import BroadcastProblem
from messaging.sending.idempotency import KeyReused
from messaging.sending.outbox import EnqueueProblem
from messaging.verification.refusals import VerificationRefused

from .problems import KINDS, ApiProblem, FieldError, invalid

log = structlog.get_logger(__name__)

_LONG_DIGITS = re.compile(r"\d{5,}(?=\d{2})")
# Ninja names a body's model by the parameter of the view, which callers never see.
BODY = "payload"

# Pydantic's kinds of error → our code and words. `{…}` are values of the error's context.
_WORDS: dict[str, tuple[str, str]] = {
    "missing": ("required", "This field is needed."),
    "extra_forbidden": ("unknown_field", "There is no such field here. Check its spelling."),
    "string_type": ("not_a_string", "Write this as a string, in quotation marks."),
    "string_too_short": ("too_short", "Write at least {min_length} characters."),
    "string_too_long": ("too_long", "Write at most {max_length:,} characters."),
    "string_pattern_mismatch": ("bad_format", "This is not written in the form that is documented."),
    "too_long": ("too_many", "Give at most {max_length:,} of them."),
    "bool_type": ("not_a_boolean", "Write true or false."),
    "bool_parsing": ("not_a_boolean", "Write true or false."),
    "int_type": ("not_a_number", "Write a whole number."),
    "int_parsing": ("not_a_number", "Write a whole number."),
    "int_from_float": ("not_a_number", "Write a whole number."),
    "int_parsing_size": ("out_of_range", "This number is too large."),
    "greater_than_equal": ("too_small", "The least is {ge:,}."),
    "less_than_equal": ("too_large", "The most is {le:,}."),
    "enum": ("not_a_choice", "Choose one of: {expected}."),
    "literal_error": ("not_a_choice", "Choose one of: {expected}."),
    "uuid_type": ("bad_id", "This is not an id."),
    "uuid_parsing": ("bad_id", "This is not an id."),
    "dict_type": ("not_an_object", "Write this as an object: {{…}}."),
}


def explain_failure(failure: Exception) -> ApiProblem:
    """Return the problem to answer with; what nobody foresaw is logged and becomes `internal_error`."""
    match failure:
        case ApiProblem():
            return failure
        case EnqueueProblem():
            return _explain_enqueue(failure)
        case BroadcastProblem():
            return _explain_broadcast(failure)
        case VerificationRefused():
            return _explain_verification(failure)
        case KeyReused():
            return ApiProblem(
                "idempotency_key_reused",
                "This Idempotency-Key was used within 24 hours with another body. Nothing was sent for this request.",
            )
        case ValidationError():
            return _explain_validation(failure)
        case HttpError():
            # Ninja wraps whatever its parser raises.
            cause = failure.__cause__
            return cause if isinstance(cause, ApiProblem) else ApiProblem("bad_request")
        case Http404():
            return ApiProblem("not_found")
        case UnreadablePostError() | SuspiciousOperation():
            return ApiProblem("bad_request")
        case OperationalError() | InterfaceError():
            log.error("api_database_away", error=type(failure).__name__)
            return ApiProblem("unavailable")
        case DatabaseError():
            _log_unforeseen(failure)
            return ApiProblem("internal_error")
        case _:
            _log_unforeseen(failure)
            return ApiProblem("internal_error")


def _explain_enqueue(problem: EnqueueProblem) -> ApiProblem:
    if not problem.is_refusal:
        return invalid(problem.field, problem.code, problem.detail)
    code = "organization_suspended" if problem.code == "suspended" else problem.code
    return ApiProblem(code if code in KINDS else "no_route", problem.detail)


def _explain_broadcast(problem: BroadcastProblem) -> ApiProblem:
    if problem.field:
        return invalid(problem.field, problem.code, problem.detail)
    return ApiProblem(problem.code if problem.code in KINDS else "broadcast_state", problem.detail)


def _explain_verification(refused: VerificationRefused) -> ApiProblem:
    """Return what a refused code means: a field, a limit with its time, Twilio's reason, or a state."""
    more = {"verification_id": str(refused.verification_id)} if refused.verification_id else {}
    if refused.field:
        problem = invalid(refused.field, _WORD_OF.get(refused.code, refused.code), refused.detail)
        return ApiProblem(problem.code, problem.detail, errors=problem.errors, more=more)
    if refused.code in {"unreachable", "check_unknown"}:
        wait = {"Retry-After": str(refused.retry_after or 2)}
        return ApiProblem("unavailable", refused.detail, headers=wait, more=more)
    wait = {} if refused.retry_after is None else {"Retry-After": str(refused.retry_after)}
    if wait and refused.is_limit:
        more = {"limit": refused.code, **more}
        return ApiProblem("verification_limited", refused.detail, headers=wait, more=more)
    if refused.kind == "ended":
        return ApiProblem("verification_ended", refused.detail)
    if refused.kind == "route":
        code = "organization_suspended" if refused.code == "suspended" else refused.code
        return ApiProblem(code if code in KINDS else "no_route", refused.detail, more=more)
    return ApiProblem("verification_refused", refused.detail, headers=wait, more={"reason": refused.code, **more})


# Twilio's numbers of what is wrong with a number, in words like those of our own checks.
_WORD_OF = {"60200": "not_accepted", "60205": "landline", "60412": "suspected_fraud"}


def _explain_validation(failure: ValidationError) -> ApiProblem:
    errors = [_explain_field(error) for error in failure.errors]
    if any(error.field == "" and error.code == "required" for error in errors):
        return ApiProblem("malformed_json", "The body is empty. Send a JSON object.")
    # A union reports each of its kinds; the first is enough for a person.
    by_field = {error.field: error for error in reversed(errors)}
    told = sorted(by_field.values(), key=lambda error: error.field)[:50]
    return ApiProblem("validation_failed", "; ".join(f"{e.field}: {e.detail}" for e in told[:3]), errors=told)


def _explain_field(error: dict[str, Any]) -> FieldError:
    source, *path = error["loc"]
    if source == "body" and path[:1] == [BODY]:
        path = path[1:]
    field = ".".join(str(step) for step in path if step != "[key]")[:200]
    known = _WORDS.get(error["type"])
    if known is not None:
        code, words = known
        return FieldError(field, code, words.format_map(error.get("ctx") or {}))
    if error["type"].startswith("hg_"):  # raised by a check of ours, with words of ours
        return FieldError(field, error["type"].removeprefix("hg_"), error["msg"])
    return FieldError(field, "not_usable", "This cannot be used here. See the documentation of the field.")


def _log_unforeseen(failure: Exception) -> None:
    """Log what failed and where; digits of numbers that a message may quote are masked."""
    stack = "".join(traceback.format_exception(failure))
    log.error("api_failed", error=type(failure).__name__, stack=_LONG_DIGITS.sub("•••••", stack))
