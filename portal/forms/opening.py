"""Whether a form takes something just now, and the sentence for those whom it does not let in."""

from datetime import datetime

from django.contrib.auth.hashers import check_password
from django.utils.translation import gettext as _

from integrations.clock import database_now

from .models import PublicForm, Submission


class FormRefused(Exception):
    """Nothing was sent: a stable `code`, and one calm sentence for the visitor in the visitor's language.

    Codes: not_open, not_yet, over, full, number_used, expired, not_verified, proof_used.
    """

    def __init__(self, code: str, visitor: str) -> None:
        super().__init__(visitor)
        self.code, self.visitor = code, visitor


def find_public_form(token: str) -> PublicForm | None:
    """Return the form of that address with its published version.

    None for none, a draft, a suspended tenant's, and for that of a portal, which is filled in inside the portal only.
    """
    if not 8 <= len(token) <= 24 or "\x00" in token:
        return None
    form = (
        PublicForm.objects.select_related("organization", "current")
        .exclude(state=PublicForm.State.DRAFT)
        .filter(token=token, serves=PublicForm.Serves.PUBLIC)
        .first()
    )
    return None if form is None or form.organization.is_suspended else form


def ensure_open(form: PublicForm, *, phone: str = "", now: datetime | None = None) -> None:
    """Raise FormRefused where the form takes nothing at this moment; with a number, nothing more of this number.

    The words that members wrote for a closed form are said instead of ours, where there are some.
    """
    moment = now or database_now()
    own = form.closed_message.strip()
    if form.state != PublicForm.State.OPEN or form.current is None or form.organization.is_suspended:
        raise FormRefused("not_open", own or _("This form is closed. Ask whoever sent you here how to go on."))
    if form.opens_at is not None and moment < form.opens_at:
        raise FormRefused("not_yet", _("This form is not open yet. Come back later with the same link."))
    if form.closes_at is not None and moment >= form.closes_at:
        raise FormRefused("over", own or _("This form is closed. Ask whoever sent you here how to go on."))
    sent = Submission.objects.filter(form=form)
    if form.limit_total is not None and sent[: form.limit_total].count() >= form.limit_total:
        raise FormRefused("full", own or _("This form has taken all it can. Ask whoever sent you here how to go on."))
    most = form.limit_per_number
    if phone and most is not None and sent.filter(phone=phone)[:most].count() >= most:
        raise FormRefused(
            "number_used",
            _("With this number the form was sent already. To change something, ask whoever sent you here."),
        )


def opens_with(form: PublicForm, password: str) -> bool:
    """Tell whether the password opens the form; every one opens a form without."""
    return not form.password or check_password(password[:200], form.password)
