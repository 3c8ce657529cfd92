"""Somebody's way to a proved number, from the number to the login, bound to the browser that began it.

The browser holds a secret in a cookie, and each page a token made of it: a code is good only in the browser that asked
for it, and a page of an attempt that was given up does nothing. Once the number is proved the secret is another one, so
that who may have seen or planted the first has nothing; and from then on there are minutes, and one login.
"""

import secrets
import uuid
from datetime import timedelta

from django.core import signing
from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare, salted_hmac

from messaging.verification.askers import AskerKind
from messaging.verification.models import Verification
from messaging.verification.selectors import approved
from portal.forms.proof import Proof

from .devices import hash_of
from .models import Portal, PortalInvitation, PortalUser, PortalVisit

COOKIE = "hg_visit"
ASKER: AskerKind = "portal"  # what a verification calls portals
LASTS = timedelta(minutes=40)
PROVED_LASTS = timedelta(minutes=15)
PASSWORD_TRIES = 5
_KEPT = timedelta(days=1)
# As long as somebody may leave the first page open over a night.
_PAGE_LASTS = 24 * 60 * 60
_SALT = "portal.accounts.visit"
_BATCH = 500


def new_page_key(portal: Portal) -> str:
    """Return what the first page carries, so that its button pressed twice begins one visit and sends one code."""
    return signing.dumps([portal.pk.hex, secrets.token_urlsafe(18)], salt=_SALT)


def begin(
    portal: Portal, *, phone: str, page_key: str = "", invitation: PortalInvitation | None = None
) -> tuple[PortalVisit, str]:
    """Begin a visit, or go on with that of the same page; return it with the secret for the cookie.

    Another number on the same page takes the place of the first one, and with it goes the code that was sent to that.
    """
    secret = _secret_of(portal, page_key)
    key = hash_of(secret)
    PortalVisit.objects.filter(secret_hash=key, expires_at__lte=Now()).delete()
    try:
        with transaction.atomic():
            visit, _is_new = PortalVisit.objects.select_related("invitation").get_or_create(
                secret_hash=key,
                defaults={"portal": portal, "phone": phone, "invitation": invitation, "expires_at": Now() + LASTS},
            )
    except IntegrityError:  # pragma: no cover - deleted at this moment by the sweep
        return begin(portal, phone=phone, invitation=invitation)
    if visit.phone != phone or visit.invitation != invitation:
        PortalVisit.objects.filter(pk=visit.pk, proved_at=None).update(
            phone=phone, invitation=invitation, verification_id=None
        )
        visit.phone, visit.invitation, visit.verification_id = phone, invitation, None
    visit.portal = portal
    return visit, secret


def find(request: HttpRequest, portal: Portal) -> PortalVisit | None:
    """Return the visit of this browser in this portal; None where none goes on."""
    secret = request.COOKIES.get(COOKIE, "")
    if not secret or len(secret) > 100:
        return None
    visit = (
        PortalVisit.objects.select_related("invitation", "user")
        .filter(secret_hash=hash_of(secret), portal=portal, purpose=PortalVisit.Purpose.ENTER, expires_at__gt=Now())
        .first()
    )
    if visit is not None:
        visit.portal = portal
    return visit


def token_of(visit: PortalVisit) -> str:
    """Return what each page of a visit brings back: it shows that the page is one of this visit, and no forged form."""
    return salted_hmac("portal.accounts.visit.page", visit.secret_hash, algorithm="sha256").hexdigest()[:40]


def is_page_of(visit: PortalVisit, token: str) -> bool:
    """Tell whether a page belongs to this visit."""
    return constant_time_compare(token, token_of(visit))


def bind(visit: PortalVisit, verification_id: uuid.UUID) -> bool:
    """Remember which verification was begun; False where the number was changed or proved meanwhile."""
    row = PortalVisit.objects.filter(pk=visit.pk, phone=visit.phone, proved_at=None)
    changed = row.update(verification_id=verification_id, expires_at=Now() + LASTS)
    if changed:
        visit.verification_id = verification_id
    return bool(changed)


def is_proved(visit: PortalVisit) -> bool:
    """Tell whether the code was entered in this visit, as the database has it."""
    return PortalVisit.objects.filter(pk=visit.pk, proved_at__isnull=False).exists()


def prove(visit: PortalVisit) -> str:
    """Note that the right code was entered, and return the visit's new secret; "" where another request did first.

    Call it only where a check of this very request was approved: that the verification is approved says nothing of who
    entered the code.
    """
    secret = secrets.token_urlsafe(32)
    changed = PortalVisit.objects.filter(
        pk=visit.pk, proved_at=None, verification_id=visit.verification_id, secret_hash=visit.secret_hash
    ).update(proved_at=Now(), secret_hash=hash_of(secret), expires_at=Now() + PROVED_LASTS)
    if not changed:
        return ""
    visit.refresh_from_db(fields=["proved_at", "secret_hash", "expires_at"])
    return secret


def proof_of(visit: PortalVisit) -> Proof | None:
    """Return the proof of the visit's number, as the verification has it."""
    return Proof.of(proved_by(visit, visit.verification_id, visit.phone)) if visit.proved_at is not None else None


def proved_by(visit: PortalVisit, verification_id: uuid.UUID | None, phone: str) -> Verification | None:
    """Return the verification where it proved this number to the visit's portal; None where it did not."""
    portal = visit.portal
    return approved(verification_id, organization_id=portal.organization_id, asker=(ASKER, portal.pk), phone=phone)


def use(visit: PortalVisit, user: PortalUser) -> bool:
    """Use a proved visit up, in the transaction that lets the person in; False where it has served already."""
    fresh = PortalVisit.objects.filter(pk=visit.pk, proved_at__isnull=False, used_at=None, expires_at__gt=Now())
    changed = fresh.update(used_at=Now(), user=user)
    if changed:
        visit.user = user
    return bool(changed)


def count_try(visit: PortalVisit) -> bool:
    """Count a try at the password before it is compared; False where all are used up, however many come at once."""
    left = PortalVisit.objects.filter(pk=visit.pk, password_tries__lt=PASSWORD_TRIES, used_at=None)
    changed = left.update(password_tries=F("password_tries") + 1)
    visit.refresh_from_db(fields=["password_tries"])
    return bool(changed)


def forget_old() -> int:
    """Delete visits that ended a day ago and return how many."""
    count = 0
    ended = PortalVisit.objects.filter(expires_at__lt=Now() - _KEPT)
    while ids := list(ended.values_list("pk", flat=True)[:_BATCH]):
        PortalVisit.objects.filter(pk__in=ids).delete()
        count += len(ids)
    return count


def _secret_of(portal: Portal, page_key: str) -> str:
    """Return the secret that goes with a first page: the server's to know, whoever has the page."""
    try:
        portal_id, once = signing.loads(page_key[:300], salt=_SALT, max_age=_PAGE_LASTS)
    except (signing.BadSignature, ValueError, TypeError):
        portal_id, once = "", ""
    if portal_id != portal.pk.hex:
        once = secrets.token_urlsafe(32)
    return salted_hmac("portal.accounts.visit.secret", f"{portal.pk}|{once}", algorithm="sha256").hexdigest()
