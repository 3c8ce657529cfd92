"""Verifications: send a code, check it, send another one, cancel."""

import uuid
from datetime import datetime
from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Body, Field, Router, Schema, Status
from pydantic import AfterValidator, ConfigDict

from integrations.organizations.models import Organization
from integrations.organizations.scopes import VERIFICATIONS_READ, VERIFICATIONS_WRITE
from messaging.contacts.erasure.number_keys import is_key
from messaging.sending import idempotency
from messaging.sending.idempotency import LONGEST_KEY
from messaging.verification import life, moves
from messaging.verification.askers import Asker
from messaging.verification.models import Verification
from messaging.verification.reasons import admin_words
from messaging.verification.refusals import VerificationRefused
from messaging.verification.selectors import find_verification

from .checks import storable
from .documentation import parameter, problems
from .gate import BearerKey
from .message_shape import MessageError
from .messages import idempotency_key
from .problems import ApiProblem

router = Router()

ChannelName = Literal["sms", "call", "whatsapp", "email"]
LocaleName = Annotated[str, AfterValidator(storable)]
EXAMPLE: dict[str, Any] = {
    "id": "019508a7-3f00-7c3e-9d52-0a4f6b1c2d3e",
    "to": "+4915112345678",
    "channel": "sms",
    "locale": "de",
    "status": "pending",
    "route": "twilio",
    "sends": 1,
    "attempts_left": 5,
    "channels": ["sms", "call"],
    "error": None,
    "created_at": "2026-05-01T09:00:00.000Z",
    "expires_at": "2026-05-01T09:10:00.000Z",
    "resend_after": "2026-05-01T09:00:30.000Z",
    "approved_at": None,
}
_SENDING = (
    "insufficient_credits", "not_connected", "connection_broken", "no_route", "no_sender", "verification_refused",
    "verification_limited",
)  # fmt: skip


class NewVerification(Schema):
    """A number to be proved."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"to": "+4915112345678"}, {"to": "+4915112345678", "locale": "de"}]},
    )

    to: str = Field(
        max_length=254,
        description="A phone number in any writing; without + it is read in your organization's default region. With "
        "the channel email, an address.",
    )
    channel: ChannelName = Field(
        "sms", description="How the code is sent. Without a Verify Service there is sms alone."
    )
    locale: LocaleName = Field("", max_length=12, description="The person's language, like de or zh-Hans.")


class AnotherCode(Schema):
    """How the next code is sent."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"channel": "call"}]})

    channel: ChannelName | None = Field(None, description="Left out: as the one before.")


_AS_BEFORE = AnotherCode(channel=None)


class CodeToCheck(Schema):
    """What the person entered."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"code": "482913"}]})

    code: str = Field(
        min_length=1,
        max_length=400,
        description="4 to 10 digits as typed or pasted; blanks, hyphens and digits of other scripts are read.",
    )


class VerificationOut(Schema):
    """One attempt to prove a number."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    id: uuid.UUID
    to: str | None = Field(description="The number, or the address with the channel email; null once it was erased.")
    channel: ChannelName = Field(description="How the last code was sent.")
    locale: str | None
    status: Literal["pending", "approved", "expired", "canceled", "max_attempts", "failed"] = Field(
        description="All but pending are final."
    )
    route: Literal["twilio", "platform"] = Field(
        description="twilio: your own Twilio account; platform: the operator's SMS service, paid with credits."
    )
    sends: int = Field(description="How many codes were asked for, five at most.")
    attempts_left: int = Field(description="How many codes may still be tried.")
    channels: list[ChannelName] = Field(description="By what another code can be sent; empty once it has ended.")
    error: MessageError | None = Field(description="What went wrong or is not known; null where all is well.")
    created_at: datetime
    expires_at: datetime = Field(description="Until when the code works.")
    resend_after: datetime = Field(description="From when on another code may be asked for.")
    approved_at: datetime | None


class CheckedOut(Schema):
    """What came of a code."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"status": "pending", "attempts_left": 4}]})

    status: Literal["approved", "pending", "expired", "max_attempts", "canceled", "failed"] = Field(
        description="approved: this check proved the number, and no other one will say so. pending: the code is wrong "
        "and another may be tried. All others: it is over; a code that was used already is expired."
    )
    attempts_left: int = Field(description="How many codes may still be tried.")


@router.post(
    "",
    response={201: VerificationOut, 200: VerificationOut},
    auth=BearerKey(VERIFICATIONS_WRITE),
    operation_id="startVerification",
    summary="Send a code",
    openapi_extra=problems(
        *_SENDING,
        "idempotency_key_reused",
        responses={
            201: "A code was sent, or, with `error.code` outcome_unknown, may have been.",
            200: "This Idempotency-Key was used before with the same body: that verification as it is now.",
        },
        headers={201: {"Location": "The address of the verification."}},
    )
    | parameter(
        "Idempotency-Key",
        "Any text of at most 255 characters that is new for each verification you mean to start, such as a UUID. Holds "
        "for 24 hours: the same key with the same body never sends a second code. A request that was refused leaves "
        "its key free.",
        example="sign-up-4711",
        schema={"type": "string", "minLength": 1, "maxLength": LONGEST_KEY, "pattern": r"^[!-~]([ -~]*[!-~])?$"},
    ),
)
def start_verification(
    request: HttpRequest, payload: NewVerification, response: HttpResponse
) -> Status[VerificationOut]:
    """Send a code to a number: by your Verify Service, else a code of our own over your sender or by platform SMS."""
    verification, is_new = _start_once(request, payload)
    if not is_new:
        return Status(200, shape(verification))
    response["Location"] = f"{request.path.rstrip('/')}/{verification.pk}"
    return Status(201, shape(verification))


@router.get(
    "/{uuid:verification_id}",
    response=VerificationOut,
    auth=BearerKey(VERIFICATIONS_READ),
    operation_id="getVerification",
    summary="See a verification",
    openapi_extra=problems(responses={200: "The verification as it is now."}),
)
def get_verification(request: HttpRequest, verification_id: uuid.UUID) -> VerificationOut:
    """Return one verification."""
    return shape(_find(request, verification_id))


@router.post(
    "/{uuid:verification_id}/resend",
    response=VerificationOut,
    auth=BearerKey(VERIFICATIONS_WRITE),
    operation_id="resendVerification",
    summary="Send another code",
    openapi_extra=problems(
        *_SENDING, "verification_ended", responses={200: "The verification, for which another code was sent."}
    ),
)
def resend_verification(
    request: HttpRequest, verification_id: uuid.UUID, payload: Body[AnotherCode] = _AS_BEFORE
) -> VerificationOut:
    """Send another code, by another channel if you name one; not before `resend_after`. Every code costs."""
    verification = _find(request, verification_id)
    asker = _asker(request, language=verification.locale)
    return shape(life.resend(verification, channel=payload.channel or "", asker=asker))


@router.post(
    "/{uuid:verification_id}/check",
    response=CheckedOut,
    auth=BearerKey(VERIFICATIONS_WRITE),
    operation_id="checkVerification",
    summary="Check a code",
    openapi_extra=problems(
        "not_connected", "connection_broken", "verification_refused", "verification_limited",
        responses={200: "What came of the code; a wrong one is no error."},
    ),
)  # fmt: skip
def check_verification(request: HttpRequest, verification_id: uuid.UUID, payload: CodeToCheck) -> CheckedOut:
    """Check what the person entered. Of all checks of a verification, at once or not, at most one is approved."""
    checked = life.check(_find(request, verification_id), code=payload.code)
    # Whoever comes with a code that is used up must not take the number for proved.
    is_used = checked.status == Verification.Status.APPROVED and not checked.approved
    return CheckedOut.model_construct(
        status="expired" if is_used else checked.status, attempts_left=checked.attempts_left
    )


@router.post(
    "/{uuid:verification_id}/cancel",
    response=VerificationOut,
    auth=BearerKey(VERIFICATIONS_WRITE),
    operation_id="cancelVerification",
    summary="Cancel a verification",
    openapi_extra=problems("verification_ended", responses={200: "The verification, canceled now or before."}),
)
def cancel_verification(request: HttpRequest, verification_id: uuid.UUID) -> VerificationOut:
    """End a verification that waits: its code proves nothing any more. Canceling it again changes nothing."""
    verification = life.cancel(_find(request, verification_id))
    if verification.state != Verification.Status.CANCELED:
        label = Verification.Status(verification.state).label.lower()
        raise ApiProblem("verification_ended", f"The verification has ended already: {label}.")
    return shape(verification)


def shape(verification: Verification) -> VerificationOut:
    """Return the verification as JSON has it; `connection` should have been fetched."""
    state = verification.state
    words = None
    if verification.error_reason or verification.error_code:
        found = admin_words(code=verification.error_code, reason=verification.error_reason)
        words = MessageError.model_construct(
            code=found.code, title=found.title, remedy=f"{found.meaning} {found.remedy}".strip()
        )
    return VerificationOut.model_construct(
        id=verification.pk,
        to=verification.email or (None if is_key(verification.phone) else verification.phone),
        channel=verification.channel,
        locale=verification.locale or None,
        status=state,
        route=verification.route,
        sends=verification.sends,
        attempts_left=moves.attempts_left(verification) if verification.is_pending else 0,
        channels=life.offered_channels(verification),
        error=words,
        created_at=verification.created_at,
        expires_at=verification.expires_at,
        resend_after=verification.resend_after,
        approved_at=verification.approved_at,
    )


def _start_once(request: HttpRequest, payload: NewVerification) -> tuple[Verification, bool]:
    """Start a verification, once for each Idempotency-Key; tell whether it was started now."""
    organization: Organization = request.organization  # type: ignore[attr-defined]
    key = idempotency_key(request)
    body = {"path": request.path, "body": request.json_body}  # type: ignore[attr-defined]

    def keep(verification: Verification) -> None:
        if key is not None:
            idempotency.bind_result(organization, key=key, body=body, result=_result(verification.pk))

    # Looked up first: a repeated request is no further code, and no limit counts it.
    earlier = idempotency.result_of(organization, key=key, body=body) if key is not None else None
    if earlier is not None:
        return _find(request, uuid.UUID(earlier["verification"])), False
    try:
        verification = life.start(
            organization,
            to=payload.to,
            channel=payload.channel,
            locale=payload.locale,
            asker=_asker(request, language=payload.locale),
            keep=keep,
        )
    except idempotency.AlreadyDone as done:
        return _find(request, uuid.UUID(done.result["verification"])), False
    except VerificationRefused as refused:
        if key is not None and refused.verification_id is not None:
            idempotency.free_key(organization, key=key, result=_result(refused.verification_id))
        raise
    return verification, True


def _result(verification_id: uuid.UUID) -> dict[str, str]:
    return {"verification": str(verification_id)}


def _asker(request: HttpRequest, *, language: str) -> Asker:
    # Who calls the API is a program: its address says nothing of the person whose number it is.
    return Asker(kind="api", id=request.auth.pk, language=language)  # type: ignore[attr-defined]


def _find(request: HttpRequest, verification_id: uuid.UUID) -> Verification:
    found = find_verification(request.organization, verification_id)  # type: ignore[attr-defined]
    if found is None:
        raise ApiProblem("not_found", "Your organization has no verification of this id.")
    return found
