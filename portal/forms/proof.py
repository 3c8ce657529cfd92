"""The proof that a number is the visitor's: what the verification says, and nothing that a browser says."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from messaging.verification.models import Verification

from .models import FormDraft, Submission

ASKER = "form"  # what a verification calls forms


@dataclass(frozen=True)
class Proof:
    """That a number was proved: when, over which channel, and by which verification."""

    verification_id: uuid.UUID
    at: datetime
    channel: str


def proof_of(draft: FormDraft) -> Proof | None:
    """Return the proof of the draft's number; None where it was not proved, or for another number or form.

    A proof serves one submission: what one has used is none any more.
    """
    if draft.verification_id is None or not draft.phone:
        return None
    row = Verification.objects.filter(
        pk=draft.verification_id,
        organization=draft.form.organization_id,
        asker_kind=ASKER,
        asker_id=draft.form_id,
        phone=draft.phone,
        status="approved",
        approved_at__isnull=False,
    ).first()
    if row is None or row.approved_at is None or Submission.objects.filter(verification_id=row.pk).exists():
        return None
    return Proof(verification_id=row.pk, at=row.approved_at, channel=row.channel)
