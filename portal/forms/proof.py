"""The proof that a number is the visitor's: what the verification says, and nothing that a browser says.

A room that lets people in by their number may vouch for it instead, see arriving.py: it registers who it vouches for.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from messaging.verification.askers import AskerKind
from messaging.verification.models import Verification
from messaging.verification.selectors import approved

from .models import FormDraft, Submission

ASKER: AskerKind = "form"  # what a verification calls forms


@dataclass(frozen=True)
class Proof:
    """That a number was proved: when, over which channel, and by which verification."""

    verification_id: uuid.UUID
    at: datetime
    channel: str

    @classmethod
    def of(cls, verification: Verification | None) -> Self | None:
        """Return the proof that an approved verification is."""
        if verification is None or verification.approved_at is None:
            return None
        return cls(verification_id=verification.pk, at=verification.approved_at, channel=verification.channel)


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
    form = draft.form
    proof = Proof.of(
        approved(
            draft.verification_id,
            organization_id=form.organization_id,
            asker=(ASKER, form.pk),
            phone=draft.phone,
        )
    )
    if proof is None:
        proof = next((found for voucher in _vouchers if (found := voucher(draft)) is not None), None)
    if proof is None or Submission.objects.filter(verification_id=proof.verification_id).exists():
        return None
    return proof
