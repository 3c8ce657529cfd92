"""A password beside the code, for who wants one: it keeps out whoever has the phone, or its number, for a moment.

So it cannot simply be reset by a code. Who forgot it says so at the door, and a day later a code is enough; meanwhile
every page of whoever is logged in shows it, and a login with the password or a passkey, or a press there, stops it.
"""

from datetime import datetime, timedelta
from hashlib import sha256

from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.password_validation import CommonPasswordValidator, NumericPasswordValidator
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from integrations.clock import database_now
from messaging.verification.challenge import spend
from messaging.verification.limit_models import SpentProof

from . import sessions
from .models import PortalSession, PortalUser

LEAST, MOST = 10, 200
LAPSES_AFTER = timedelta(hours=24)
# So often a day may a login enter a wrong password before it is ended: whoever found it open guesses no further.
TRIES = 5


class PasswordRefused(Exception):
    """The password stays as it is: a stable `code` and a sentence for the person. Codes: wrong, weak, off, tried."""

    def __init__(self, code: str, visitor: str) -> None:
        super().__init__(visitor)
        self.code, self.visitor = code, visitor


def is_asked(user: PortalUser) -> bool:
    """Tell whether a code alone does not let this person in."""
    has_lapsed = user.password_lapses_at is not None and user.password_lapses_at <= database_now()
    return bool(user.password) and user.portal.offers_password and not has_lapsed


def holds(user: PortalUser, raw: str) -> bool:
    """Tell whether this is the person's password."""
    return bool(user.password) and len(raw) <= MOST and check_password(raw, user.password)


def set_password(session: PortalSession, *, new: str, old: str = "") -> None:
    """Give who is logged in a password; raise PasswordRefused. It is asked for the one so far, where there is one.

    Whoever is logged in elsewhere has to log in again with the new one.
    """
    user = session.user
    if not user.portal.offers_password:
        raise PasswordRefused("off", _("Passwords are not in use here."))
    _check_old(session, old)
    if len(new) < LEAST or len(new) > MOST:
        raise PasswordRefused("weak", _("Take %(least)d characters or more.") % {"least": LEAST})
    try:
        CommonPasswordValidator().validate(new)
        NumericPasswordValidator().validate(new)
    except ValidationError as error:
        text = _("This password is easy to guess. Take a longer one, or several words.")
        raise PasswordRefused("weak", text) from error
    with transaction.atomic():
        _save(user, make_password(new))
        sessions.end_all(user, except_=session)


def remove_password(session: PortalSession, *, old: str) -> None:
    """Let a code be enough again; raise PasswordRefused where `old` is not the password."""
    _check_old(session, old)
    _save(session.user, "")


def lapse_later(user: PortalUser) -> datetime:
    """Let a code be enough a day from now, because the password was forgotten; return when. A second time changes
    nothing."""
    rows = PortalUser.objects.filter(pk=user.pk)
    rows.filter(password_lapses_at=None).update(password_lapses_at=Now() + LAPSES_AFTER)
    user.refresh_from_db(fields=["password_lapses_at"])
    return user.password_lapses_at or database_now()


def keep(user: PortalUser) -> bool:
    """Ask for the password also in future; False where nobody said that it was forgotten."""
    user.password_lapses_at = None
    rows = PortalUser.objects.filter(pk=user.pk, password_lapses_at__isnull=False)
    return bool(rows.update(password_lapses_at=None))


def drop_lapsed(user: PortalUser) -> bool:
    """Forget a password that a day has passed since it was forgotten; False where there is none such."""
    rows = PortalUser.objects.filter(pk=user.pk, password_lapses_at__lte=Now())
    return bool(rows.update(password="", password_lapses_at=None))


def _check_old(session: PortalSession, old: str) -> None:
    if not session.user.password:
        return
    counted = _count_try(session)
    if not counted:
        text = _("That was not your password, five times. Begin again with your number and a new code.")
        raise PasswordRefused("tried", text)
    if not holds(session.user, old):
        raise PasswordRefused("wrong", _("This is not your password. Check capital letters, then try again."))
    # Who knows it has not guessed.
    SpentProof.objects.filter(proof=counted).delete()


def _count_try(session: PortalSession) -> str:
    """Count a try before it is compared and return its mark; "" where those of the day are used up, however many come
    at once."""
    now = database_now()
    tries = (f"portal-password|{session.pk}|{now:%Y-%m-%d}|{number}" for number in range(TRIES))
    marks = (sha256(one.encode()).hexdigest() for one in tries)
    return next((mark for mark in marks if spend(mark, now + timedelta(days=1))), "")


def _save(user: PortalUser, hashed: str) -> None:
    user.password, user.password_lapses_at = hashed, None
    user.save(update_fields=["password", "password_lapses_at"])
