"""The proof that a number is the visitor's: what the verification says, and nothing that a browser says.

A room that lets people in by their number may vouch for it instead, see arriving.py: it registers who it vouches for.
"""

import uuid
from collections.abc import Callable
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


Voucher = Callable[[FormDraft], Proof | None]
_vouchers: list[Voucher] = []


def register_voucher(voucher: Voucher) -> None:
    """Let a room vouch for numbers: `voucher` returns the proof of a draft that came from there, None for others."""
    _vouchers.append(voucher)


def proof_of(draft: FormDraft) -> Proof | None:
    """Return the proof of the draft's number; None where it was not proved, or for another number or form.

    A proof serves one submission: what one has used is none any more.
    """
    if draft.verification_id is None or not draft.phone:
        return None
    proof = _by_code(draft, draft.verification_id)
    if proof is None:
        proof = next((found for voucher in _vouchers if (found := voucher(draft)) is not None), None)
    if proof is None or Submission.objects.filter(verification_id=proof.verification_id).exists():
        return None
    return proof


def _by_code(draft: FormDraft, verification_id: uuid.UUID) -> Proof | None:
    row = Verification.objects.filter(
        pk=verification_id,
        organization=draft.form.organization_id,
        asker_kind=ASKER,
        asker_id=draft.form_id,
        phone=draft.phone,
        status="approved",
        approved_at__isnull=False,
    ).first()
    if row is None or row.approved_at is None:
        return None
    return Proof(verification_id=row.pk, at=row.approved_at, channel=row.channel)
