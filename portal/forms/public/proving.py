"""Proving a number: a code is asked for, another one, or one is compared; and what a page makes of it.

A form proves the number of a draft, a portal that of a visit: each says what it has to prove by a `Claim`.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import Enum, auto

from django.core.cache import cache
from django.utils.translation import gettext as _

from integrations.organizations.models import Organization
from integrations.phones import parse_phone
from messaging.verification import life, limits, ways
from messaging.verification.arrival import is_lost
from messaging.verification.askers import Asker
from messaging.verification.models import Verification
from messaging.verification.moves import NOT_DELIVERED
from messaging.verification.refusals import VerificationRefused
from messaging.verification.sentences import visitor_sentence, wrong_code_sentence
from messaging.verification.twilio_verify import CHANNEL_CODES
from portal.forms.drafting import bind_verification
from portal.forms.models import FormDraft
from portal.forms.proof import proof_of

from .here import Here
from .pages import Way, call_way, new_code_way, other_ways

# Longer than asking Twilio may take.
_STARTING = 30
_TOO_MANY, _UNAVAILABLE = 429, 503
# What Twilio says of a number that another one would not suffer.
_OF_THE_NUMBER = frozenset(
    {"21211", "21408", "21610", "21614", "60200", "60205", "60220", "60238", "60410", "60412", "60605"}
)
# What is wrong with the channel: the service does not send by it.
_CLOSED = frozenset({"channel_closed", *(str(code) for code in CHANNEL_CODES)})
_TELLS_LANDLINE = frozenset({"21614", "60205"})
_WRONG_KIND, _LANDLINE = "kind", 60205
_MANY_SENT = "60203"
# A pause that a page counts down; beyond that one reads when to come back.
_COUNTED = 600


class Outcome(Enum):
    """What the visitor has to see next."""

    WAITING = auto()  # for the code
    WRONG_CODE = auto()
    PROVED = auto()
    WRONG_NUMBER = auto()
    CHALLENGE = auto()
    STUCK = auto()


@dataclass(frozen=True)
class Proving:
    """An outcome with its sentence; `ways` lead on from where one is stuck."""

    outcome: Outcome
    text: str = ""
    verification: Verification | None = None
    ways: list[Way] = field(default_factory=list)
    status: int = 200


@dataclass(frozen=True)
class Claim:
    """That a number is somebody's, to be proved: whose asking it is, and which verification was begun for it.

    `is_proved` is asked of the database each time, `bind` keeps the verification that was begun and tells whether it
    could; `key` names the row behind it, so that the same button pressed twice sends one code.
    """

    organization: Organization
    phone: str
    asker: Asker
    key: str
    verification_id: uuid.UUID | None
    is_proved: Callable[[], bool]
    bind: Callable[[uuid.UUID], bool]


def claim_of(here: Here, draft: FormDraft) -> Claim:
    """Return what a form has to prove: the number of the draft."""
    return Claim(
        organization=here.form.organization,
        phone=draft.phone,
        asker=here.asker,
        key=f"form-code:{draft.pk}",
        verification_id=draft.verification_id,
        is_proved=lambda: proof_of(draft) is not None,
        bind=lambda verification_id: bind_verification(draft, verification_id),
    )


def find_verification(claim: Claim) -> Verification | None:
    """Return the verification that was begun for the present number."""
    if claim.verification_id is None or not claim.phone:
        return None
    rows = Verification.objects.select_related("organization", "connection")
    return rows.filter(pk=claim.verification_id, organization=claim.organization, phone=claim.phone).first()


def is_awaited(claim: Claim) -> bool:
    """Tell whether a code is on its way that may still arrive: the script of a code page asks while one waits."""
    verification = find_verification(claim)
    return verification is not None and verification.is_pending and not is_lost(verification)


def send_code(claim: Claim, *, channel: str = "") -> Proving:
    """Send a code: the first one, or another one where one is on its way."""
    if claim.is_proved():
        return Proving(Outcome.PROVED)
    channel = channel if channel in ways.VERIFY_CHANNELS else Verification.Channel.SMS
    verification = find_verification(claim)
    if verification is not None and verification.is_pending:
        return _send_again(claim, verification, channel=channel)
    if not cache.add(claim.key, 1, _STARTING):
        # The same button pressed twice: the other press sends the code, and this page waits for it too.
        return Proving(Outcome.WAITING)
    try:
        phone = parse_phone(claim.phone, region=None, allow_magic=True)
        verification = life.start(claim.organization, to=phone, channel=channel, asker=claim.asker)
    except VerificationRefused as refused:
        if refused.code == _MANY_SENT and refused.verification_id is not None:
            return _earlier_code(refused, claim=claim)
        return _refused(refused, claim=claim, channel=channel)
    else:
        if not claim.bind(verification.pk):
            return Proving(Outcome.STUCK, _("The number was changed meanwhile."), ways=[new_code_way()])
    finally:
        cache.delete(claim.key)
    return Proving(Outcome.WAITING, _unheard(verification), verification)


def check_code(claim: Claim, *, code: str) -> Proving:
    """Compare a code. Whoever comes second with the right one finds the number proved all the same."""
    if claim.is_proved():
        return Proving(Outcome.PROVED)
    verification = find_verification(claim)
    if verification is None:
        text = _("No code has been sent to this number yet.")
        return Proving(Outcome.STUCK, text, ways=[new_code_way()])
    try:
        checked = life.check(verification, code=code)
    except VerificationRefused as refused:
        return Proving(Outcome.WRONG_CODE, refused.visitor, verification)
    if checked.approved or claim.is_proved():
        return Proving(Outcome.PROVED)
    if checked.status == Verification.Status.PENDING:
        return Proving(Outcome.WRONG_CODE, wrong_code_sentence(checked.attempts_left), verification)
    reason = NOT_DELIVERED if verification.undelivered_at else checked.status
    return Proving(Outcome.STUCK, visitor_sentence(reason=reason), ways=[new_code_way()])


def _send_again(claim: Claim, verification: Verification, *, channel: str) -> Proving:
    try:
        life.resend(verification, channel=channel, asker=claim.asker)
    except VerificationRefused as refused:
        if refused.code == "challenge":
            return Proving(Outcome.CHALLENGE)
        # The code before may still arrive: one can go on entering it.
        return Proving(Outcome.WAITING, refused.visitor, verification)
    return Proving(Outcome.WAITING, _unheard(verification) or _("A new code is on its way."), verification)


def _earlier_code(refused: VerificationRefused, *, claim: Claim) -> Proving:
    """Ask for the code that came last: so many were sent to the number that Twilio sends no more for ten minutes."""
    assert refused.verification_id is not None  # noqa: S101 - asked before
    if not claim.bind(refused.verification_id):
        return Proving(Outcome.STUCK, _("The number was changed meanwhile."), ways=[new_code_way()])
    begun = replace(claim, verification_id=refused.verification_id)
    return Proving(Outcome.WAITING, refused.visitor, find_verification(begun))


def _unheard(verification: Verification) -> str:
    is_unknown = verification.error_reason == "outcome_unknown"
    return visitor_sentence(reason="outcome_unknown") if is_unknown else ""


def _refused(refused: VerificationRefused, *, claim: Claim, channel: str) -> Proving:
    """Say why no code was sent, where it can be mended: at the number, by waiting, by another way, or later."""
    if refused.code == "challenge":
        return Proving(Outcome.CHALLENGE)
    if refused.code in _TELLS_LANDLINE and (call := _by_call(refused)):
        return Proving(Outcome.STUCK, refused.visitor, ways=call)
    if refused.code == _WRONG_KIND and (call := _call_instead(claim)):
        return Proving(Outcome.STUCK, visitor_sentence(code=_LANDLINE), ways=call)
    if refused.code in _CLOSED and (beside := _beside(channel, claim=claim)):
        return Proving(Outcome.STUCK, refused.visitor, ways=beside)
    is_final = refused.kind == "limit" and refused.retry_after is None
    if is_final or refused.kind == "input" or refused.code in _OF_THE_NUMBER:
        return Proving(Outcome.WRONG_NUMBER, refused.visitor)
    wait = refused.retry_after or 0
    return Proving(
        Outcome.STUCK,
        refused.visitor,
        ways=[new_code_way(wait=wait)] if wait <= _COUNTED else [],
        status=_TOO_MANY if refused.is_limit else _UNAVAILABLE,
    )


def _beside(channel: str, *, claim: Claim) -> list[Way]:
    """Return the ways to a first code beside the one that was refused."""
    phone = parse_phone(claim.phone, region=None, allow_magic=True)
    return [way for way in other_ways(claim.organization, phone) if way.channel != channel]


def _by_call(refused: VerificationRefused) -> list[Way]:
    if refused.verification_id is None:
        return []
    row = Verification.objects.select_related("connection").filter(pk=refused.verification_id).first()
    if row is None or Verification.Channel.CALL not in ways.channels_of(
        row.backend, row.connection, service_sid=row.service_sid
    ):
        return []
    return [call_way()]


def _call_instead(claim: Claim) -> list[Way]:
    """Return the way by call for a number that the limits let be called and not texted; none where nobody calls."""
    phone = parse_phone(claim.phone, region=None, allow_magic=True)
    if limits.takes(phone, channel=Verification.Channel.SMS):
        return []
    return [call_way()] if Verification.Channel.CALL in ways.channels_for(claim.organization, phone=phone) else []
