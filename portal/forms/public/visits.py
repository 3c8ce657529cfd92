"""A visit without a cookie: what a page hands to the next one in a hidden field, signed; so a framed form works too.

The secret in it opens one begun submission. It is made with the page, not with the first answer: the same button
pressed twice, or the same page sent by two tabs, then goes on with one submission instead of beginning two.
"""

import secrets
from dataclasses import dataclass, replace

from django.core import signing
from django.utils.crypto import salted_hmac

from portal.forms.models import PublicForm

_SALT = "portal.forms.visit"
# As long as somebody may leave the page open over a night.
LASTS = 24 * 60 * 60


@dataclass(frozen=True)
class Visit:
    """One visitor's way through one form; `opened_with` shows that the password of the form was known."""

    secret: str
    opened_with: str = ""

    @classmethod
    def begin(cls) -> "Visit":
        return cls(secrets.token_urlsafe(24))

    def seal(self, form: PublicForm) -> str:
        """Return the visit for a hidden field of this form."""
        return signing.dumps([form.pk.hex, self.secret, self.opened_with], salt=_SALT)

    def opened(self, form: PublicForm) -> "Visit":
        """Return the visit of somebody who entered the password."""
        return replace(self, opened_with=_mark_of_password(form))

    def may_enter(self, form: PublicForm) -> bool:
        """Tell whether the form has no password, or this visit was opened with the one it has now."""
        return not form.has_password or self.opened_with == _mark_of_password(form)


def read_visit(sealed: str, form: PublicForm) -> Visit | None:
    """Return the visit of a hidden field; None where it is of another form, too old, or not ours."""
    try:
        form_id, secret, opened_with = signing.loads(sealed[:500], salt=_SALT, max_age=LASTS)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return Visit(secret, opened_with) if form_id == form.pk.hex else None


def _mark_of_password(form: PublicForm) -> str:
    """Return what stands for the present password of a form; another password is another mark."""
    return salted_hmac(_SALT, form.password).hexdigest()[:24]
