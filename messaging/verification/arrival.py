"""Whether codes arrived: of our own by their messages, whose status callbacks the receipts room applies.

Of Twilio Verify's codes no callback tells; those are asked about in `attempts.py`.
"""

import uuid

from django.db import connection, transaction

from messaging.sending.statuses import FAILURES, Status

from .models import Verification, VerificationSend
from .moves import NOT_DELIVERED, reread

Outcome = VerificationSend.Outcome

_IS_NEWEST = "s.id = (SELECT max(n.id) FROM messaging_verificationsend n WHERE n.verification_id = v.id)"
# Whoever entered the code has received it; that the carrier says so too is worth knowing all the same.
_NOTE = f"""
UPDATE messaging_verification v SET delivered_at = COALESCE(v.delivered_at, m.finished_at), undelivered_at = NULL,
    reported_at = CASE WHEN {_IS_NEWEST} THEN m.finished_at END
FROM messaging_verificationsend s JOIN messaging_message m ON m.id = s.message_id
WHERE s.verification_id = v.id AND v.backend = 'own' AND v.reported_at IS NULL
    AND v.created_at > now() - interval '3 days' AND m.status IN ('delivered', 'read')
    AND (v.delivered_at IS NULL OR {_IS_NEWEST})
"""  # noqa: S608 - a condition of ours
_LOST = sorted(status.value for status in (*FAILURES, Status.CANCELED))
# Of a code of ours the newest alone counts. The message's cause goes with it; a word of ours where Twilio gave no code.
_FAIL = """
UPDATE messaging_verificationsend s SET outcome = 'failed', error_code = m.error_code, error_reason = m.error_reason
FROM messaging_message m, messaging_verification v
WHERE m.id = s.message_id AND v.id = s.verification_id AND s.outcome = 'sent' AND v.backend = 'own'
    AND v.reported_at IS NULL AND v.created_at > now() - interval '3 days'
    AND m.status = ANY(%(lost)s) AND (%(only)s::uuid IS NULL OR v.id = %(only)s::uuid)
RETURNING s.verification_id
"""
# What has ended stays as it ended; that nothing arrived says more of it than that nothing was entered.
_TELL = """
UPDATE messaging_verification v SET undelivered_at = now(), reported_at = COALESCE(v.reported_at, now()),
    error_code = CASE WHEN v.status IN ('pending', 'expired') THEN last.error_code ELSE v.error_code END,
    error_reason = CASE WHEN v.status IN ('pending', 'expired') THEN %(word)s ELSE v.error_reason END
FROM (
    SELECT DISTINCT ON (s.verification_id) s.verification_id, s.error_code FROM messaging_verificationsend s
    WHERE s.verification_id = ANY(%(ids)s) ORDER BY s.verification_id, s.id DESC
) AS last
WHERE v.id = last.verification_id AND v.status <> 'approved' AND v.delivered_at IS NULL AND NOT EXISTS (
    SELECT 1 FROM messaging_verificationsend s
    WHERE s.verification_id = v.id AND s.outcome NOT IN ('failed', 'refused')
)
"""


def note_arrivals() -> int:
    """Note of the last days' verifications when their codes were delivered; return of how many."""
    with connection.cursor() as cursor:
        cursor.execute(_NOTE)
        return cursor.rowcount


def note_failures(*, only: uuid.UUID | None = None) -> int:
    """Note which codes surely did not arrive, of the last days or of one verification; return how many codes.

    A verification of which no code arrived is known as that. It stays pending while another code may be asked for,
    and fails when its time is over.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_FAIL, {"lost": _LOST, "only": only})
        ids = [row[0] for row in cursor.fetchall()]
        if ids:
            tell_undelivered(ids)
    return len(ids)


def tell_undelivered(ids: list[uuid.UUID]) -> None:
    """Mark those of these verifications of which every code surely failed, in the caller's transaction."""
    with connection.cursor() as cursor:
        cursor.execute(_TELL, {"ids": ids, "word": NOT_DELIVERED})


def is_lost(verification: Verification) -> bool:
    """Tell whether the code that came last surely did not arrive, as it is known at this moment."""
    if verification.backend == Verification.Backend.OWN and note_failures(only=verification.pk):
        reread(verification)
    outcomes = verification.attempts.exclude(outcome=Outcome.REFUSED).values_list("outcome", flat=True)
    return outcomes.last() == Outcome.FAILED
