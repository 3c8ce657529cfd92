"""Codes of our own: made here, kept as a hash, sent through the outbox like every message."""

from django.db import transaction

from integrations.clock import database_now
from messaging.sending import outbox
from messaging.sending.models import Message
from messaging.sending.outbox import Draft, EnqueueProblem

from . import moves
from .codes import hash_code, is_code, new_code
from .models import Verification, VerificationSend
from .refusals import VerificationRefused
from .texts import code_text

Status = Verification.Status


def put(verification: Verification, send: VerificationSend) -> None:
    """Queue the message with a fresh code, in the caller's transaction; an earlier code no longer works.

    Raises VerificationRefused where the message cannot be taken, for want of credits for example.
    """
    code = new_code()
    is_platform = verification.route == Verification.Route.PLATFORM
    now = database_now()
    draft = Draft(
        to=verification.phone,
        body=code_text(
            code, name=verification.organization.name, language=verification.locale, is_platform=is_platform
        ),
        purpose=Message.Purpose.VERIFICATION,
        connection=None if is_platform else verification.connection,
        valid_for=moves.LIFE,
        source="verification",
        secret=code,
    )
    try:
        message = outbox.enqueue(verification.organization, draft=draft)
    except EnqueueProblem as problem:
        raise VerificationRefused(
            problem.code,
            kind="route" if problem.is_refusal else "input",
            detail=problem.detail,
            field=problem.field if problem.field == "to" else "",
        ) from problem
    send.message, send.outcome = message, VerificationSend.Outcome.SENT
    send.save(update_fields=["message", "outcome"])
    verification.code_hash = hash_code(code, verification_id=verification.pk)
    verification.expires_at = now + moves.LIFE
    # What is known of the code before no longer matters: this one may fare otherwise.
    verification.undelivered_at, verification.reported_at = None, None
    verification.error_code, verification.error_reason = None, ""
    verification.save(
        update_fields=["code_hash", "expires_at", "undelivered_at", "reported_at", "error_code", "error_reason"]
    )


def check(verification: Verification, code: str) -> bool:
    """Compare a code under the row's lock; return whether this call approved the verification."""
    with transaction.atomic():
        # One check after the other: two with the right code must not both win, nor five wrong ones count as one.
        Verification.objects.select_for_update().get(pk=verification.pk)
        if not moves.begin_check(verification):
            moves.reread(verification)
            return False
        moves.reread(verification)
        if is_code(code, code_hash=verification.code_hash, verification_id=verification.pk):
            return moves.end(verification, Status.APPROVED)
        if verification.checks >= moves.CHECKS_AT_MOST:
            moves.end(verification, Status.MAX_ATTEMPTS, reason="max_attempts")
        else:
            moves.finish_check(verification)
        return False
