"""People of a portal, logged in, and proofs of their numbers."""

import uuid
from datetime import timedelta
from hashlib import sha256
from typing import Any

from django.utils import timezone

from messaging.verification.models import Verification
from portal.accounts.models import Portal, PortalDevice, PortalSession, PortalUser
from tests.factories import ContactFactory

PHONE, NEW_PHONE = "+4915112345678", "+4915187651234"


def person_of(portal: Portal, *, phone: str = PHONE, **more: Any) -> PortalUser:
    """Return somebody who is active in the portal, and a contact of the organization."""
    more.setdefault("registered_at", timezone.now() - timedelta(days=30))
    contact = ContactFactory(organization=portal.organization, phone=phone, name=more.get("name", "Ada"))
    return PortalUser.objects.create(
        **{
            "portal": portal, "phone": phone, "region": "DE", "status": "active", "name": "Ada", "language": "en",
            "contact": contact, **more,
        }
    )  # fmt: skip


def session_of(user: PortalUser, **more: Any) -> PortalSession:
    """Return a login of the person, by a device of its own; no cookie fits it."""
    device = PortalDevice.objects.create(user=user, token_hash=_hash(), label="Firefox on Android")
    return PortalSession.objects.create(
        **{
            "user": user, "device": device, "token_hash": _hash(),
            "expires_at": timezone.now() + timedelta(days=30), **more,
        }
    )  # fmt: skip


def proof(portal: Portal, phone: str, **differs: Any) -> Verification:
    """Return a verification by which the portal was shown that the number is theirs, or one that differs somehow."""
    now = timezone.now()
    is_approved = differs.get("status", "approved") == "approved"
    return Verification.objects.create(
        **{
            "organization": portal.organization,
            "phone": phone,
            "asker_kind": "portal",
            "asker_id": portal.pk,
            "backend": "own",
            "route": "twilio",
            "status": "approved",
            "expires_at": now + timedelta(minutes=10),
            "resend_after": now,
            "approved_at": now if is_approved else None,
            "ended_at": now if is_approved else None,
            **differs,
        }
    )


def _hash() -> str:
    return sha256(uuid.uuid4().bytes).hexdigest()
