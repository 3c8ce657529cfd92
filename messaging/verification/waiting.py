"""Who waits for the end of a verification, or for its code: rooms above register themselves.

Only automations wait; forms and portals ask when their visitor comes back.
"""

import uuid
from collections.abc import Callable

from django.db.models.functions import Now

from integrations.organizations.models import Organization

from .codes import LONGEST, SHORTEST, read_code
from .models import Verification

# Called in the transaction of what happened, with the verification's id.
Waiter = Callable[[uuid.UUID], object]
_waiters: list[Waiter] = []
_LONGEST_REPLY = 40


def register_waiter(waiter: Waiter) -> None:
    """Be called whenever a verification of an automation ends, or somebody replies with what may be its code."""
    if waiter not in _waiters:
        _waiters.append(waiter)


def tell_waiters(verification: Verification) -> None:
    """Call whoever waits for this one."""
    if verification.asker_kind == Verification.AskerKind.AUTOMATION:
        for waiter in _waiters:
            waiter(verification.pk)


def take_reply(organization: Organization, *, phone: str, text: str) -> bool:
    """Tell whether a text is a code for which an automation waits, and have it looked at.

    The code is compared by the automation's own step, which finds the text by itself: Twilio may have to be asked, and
    not while a webhook is being stored.
    """
    if not is_code_alone(text):
        return False
    waiting = list(pending_of(organization, phone=phone))
    for verification in waiting:
        tell_waiters(verification)
    return bool(waiting)


def pending_of(organization: Organization, *, phone: str) -> list[Verification]:
    """Return the verifications that automations began for a number, and that wait."""
    rows = Verification.objects.filter(
        organization=organization,
        phone=phone,
        asker_kind=Verification.AskerKind.AUTOMATION,
        status=Verification.Status.PENDING,
        expires_at__gt=Now(),
    )
    return list(rows)


def is_code_alone(text: str) -> bool:
    """Tell whether a reply is nothing but a code."""
    digits = read_code(text) if len(text) <= _LONGEST_REPLY else ""
    others = sum(1 for sign in text if sign.isalpha())
    return SHORTEST <= len(digits) <= LONGEST and not others
