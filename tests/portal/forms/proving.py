"""Proofs of numbers, genuine ones and others."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from messaging.verification.models import Verification
from portal.forms.drafting import bind_verification
from portal.forms.models import FormDraft


def prove(draft: FormDraft, **differs: Any) -> Verification:
    """Have the number of a draft proved, or something that looks like a proof and differs in some way."""
    now = timezone.now()
    is_approved = differs.get("status", "approved") == "approved"
    verification = Verification.objects.create(
        **{
            "organization": draft.form.organization,
            "phone": draft.phone,
            "asker_kind": "form",
            "asker_id": draft.form_id,
            "backend": "own",
            "route": "twilio",
            "status": "approved",
            "expires_at": now + timedelta(minutes=10),
            "resend_after": now,
            "approved_at": now if is_approved else None,
            "ended_at": None if differs.get("status") == "pending" else now,
            **differs,
        }
    )
    bind_verification(draft, verification.pk)
    return verification
