"""The way from a portal into one of the forms it offers: the number was proved at the door and needs no second code.

A button inside carries a ticket, signed, for this session and this form; nothing is stored until it is pressed. Then a
`PortalHandover` stands for the proof: it counts while the person is logged in somewhere and has the number still, and
for one submission. The form asks by `portal.forms.arriving` and `portal.forms.proof`, and knows nothing of portals.
"""

import uuid
from datetime import timedelta

from django.core import signing
from django.db.models import Exists, OuterRef
from django.db.models.functions import Now
from django.utils.crypto import salted_hmac

from portal.forms.arriving import Arrival, WayBack
from portal.forms.drafting import LASTS
from portal.forms.models import FormDraft, PublicForm, Submission
from portal.forms.proof import Proof

from .addresses import address_of
from .models import PortalSession, PortalUser
from .offer_models import PortalHandover, PortalOffer

# How long a page with the button may stay open.
TICKET_LASTS = timedelta(hours=12)
CHANNEL = "portal"  # by what a submission's number is proved
_SALT = "portal.accounts.handover"
_BATCH = 500


def ticket_for(session: PortalSession, form: PublicForm) -> str:
    """Return a ticket for the button: it lets this session, and nobody else, into this form once."""
    return signing.dumps([session.pk.hex, form.pk.hex, uuid.uuid4().hex], salt=_SALT, compress=False)


def read_ticket(ticket: str, form: PublicForm) -> Arrival | None:
    """Return who arrives with a ticket, and stand for their number from now on; None where it opens nothing.

    The session has to go on, the portal to be on, the form to be offered, and the person to be active.
    """
    try:
        session_id, form_id, handover_id = signing.loads(ticket, salt=_SALT, max_age=TICKET_LASTS)
        session_key, proof_id = uuid.UUID(session_id), uuid.UUID(handover_id)
    except (signing.BadSignature, ValueError, TypeError, AttributeError):
        return None
    if form_id != form.pk.hex:
        return None
    session = (
        PortalSession.objects.select_related("user__portal", "user__submission__version")
        .filter(
            pk=session_key,
            ended_at=None,
            expires_at__gt=Now(),
            user__status=PortalUser.Status.ACTIVE,
            user__portal__is_on=True,
            user__portal__organization=form.organization_id,
        )
        .first()
    )
    if session is None or not PortalOffer.objects.filter(portal=session.user.portal_id, form=form).exists():
        return None
    user = session.user
    PortalHandover.objects.get_or_create(
        pk=proof_id, defaults={"user": user, "form": form, "expires_at": Now() + LASTS}
    )
    secret = salted_hmac(_SALT, proof_id.hex, algorithm="sha256").hexdigest()
    return Arrival(secret=secret, phone=user.phone, proof_id=proof_id, known=_known_of(user))


def vouch(draft: FormDraft) -> Proof | None:
    """Return the proof of a draft that came from a portal, None for any other and for one that holds no longer."""
    if draft.verification_id is None:
        return None
    logins = PortalSession.objects.filter(user=OuterRef("user"), ended_at=None, expires_at__gt=Now())
    handover = PortalHandover.objects.filter(
        Exists(logins),
        pk=draft.verification_id,
        form=draft.form_id,
        expires_at__gt=Now(),
        user__status=PortalUser.Status.ACTIVE,
        user__portal__is_on=True,
        user__phone=draft.phone,
    ).first()
    if handover is None:
        return None
    return Proof(verification_id=handover.pk, at=handover.created_at, channel=CHANNEL)


def way_back(submission: Submission) -> WayBack | None:
    """Return the portal whose button led to this submission, while it is on."""
    if submission.verification_id is None:
        return None
    handover = (
        PortalHandover.objects.select_related("user__portal")
        .filter(pk=submission.verification_id, form=submission.form_id, user__portal__is_on=True)
        .first()
    )
    if handover is None:
        return None
    portal = handover.user.portal
    return WayBack(name=portal.name, address=address_of(portal, "home"))


def forget_old_handovers() -> int:
    """Delete ways that were begun and led to no submission; return how many."""
    sent = Submission.objects.filter(verification_id=OuterRef("pk"))
    count = 0
    while ids := list(
        PortalHandover.objects.filter(~Exists(sent), expires_at__lt=Now()).values_list("pk", flat=True)[:_BATCH]
    ):
        count += PortalHandover.objects.filter(pk__in=ids).delete()[0]
    return count


def _known_of(user: PortalUser) -> dict[str, str]:
    """Return what the person need not type again: the name, and the e-mail address where the portal asked for it."""
    known = {"name": user.name}
    if user.submission is not None:
        for one in user.submission.version.definition:
            if one.get("saves_as") == "email":
                known["email"] = str(user.submission.answers.get(one["key"]) or "")
    return known
