"""Where somebody is logged in, and the ways to log in beside the code."""

import uuid
from dataclasses import replace

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from portal.accounts import passkeys, passwords, sessions
from portal.accounts.models import PortalLogin
from portal.accounts.passwords import PasswordRefused
from portal.accounts.public.pages import number_page
from portal.accounts.public.shell import TOO_LATE, WRONG, Here, page, portal_page
from portal.accounts.selectors import find_login, logins_of, open_sessions_of

_SHOWN_LOGINS = 10


@portal_page(methods=("GET", "HEAD"))
def security(request: HttpRequest, here: Here) -> HttpResponse:
    """Show the logins that go on and those of before, the password and the passkeys."""
    notices = {
        "ended": _("That device was logged out."),
        "password": _("The password is set. Your other devices were logged out."),
        "no-password": _("The password was removed. A code is enough again."),
        "no-passkey": _("The passkey was removed. It opens nothing any more."),
    }
    return _page(here, notice=next((text for name, text in notices.items() if name in request.GET), ""))


@portal_page(methods=("POST",))
def end_login(request: HttpRequest, here: Here, pk: uuid.UUID) -> HttpResponse:
    """Log another device out."""
    session = find_login(here.user, pk)
    if session is None:
        raise Http404("There is no such login.")
    sessions.end(session)
    return redirect(here.link("security") + "?ended")


@portal_page(methods=("POST",))
def end_everywhere(request: HttpRequest, here: Here) -> HttpResponse:
    """Log out everywhere, here too."""
    sessions.end_all(here.user)
    response = redirect(here.root)
    sessions.drop_cookie(response, request, here.portal, sessions.SESSION)
    return response


@portal_page(methods=("POST",))
def password(request: HttpRequest, here: Here) -> HttpResponse:
    """Set, change or remove the password."""
    assert here.session is not None  # noqa: S101 - the page needs a login
    old, is_removed = here.posted.get("old", ""), here.posted.get("do") == "remove"
    try:
        if is_removed:
            passwords.remove_password(here.session, old=old)
        else:
            passwords.set_password(here.session, new=here.posted.get("new", ""), old=old)
    except PasswordRefused as refused:
        if refused.code == "tried":
            sessions.end(here.session)
            response = number_page(replace(here, session=None), notice=refused.visitor, status=TOO_LATE)
            sessions.drop_cookie(response, request, here.portal, sessions.SESSION)
            return response
        return _page(here, errors={"old" if refused.code == "wrong" else "new": refused.visitor})
    return redirect(f"{here.link('security')}?{'no-password' if is_removed else 'password'}")


@portal_page(methods=("POST",))
def remove_passkey(request: HttpRequest, here: Here, pk: uuid.UUID) -> HttpResponse:
    """Take a passkey away."""
    if not passkeys.remove_passkey(here.user, pk):
        raise Http404("There is no such passkey.")
    return redirect(here.link("security") + "?no-passkey")


def _page(here: Here, *, notice: str = "", errors: dict[str, str] | None = None) -> HttpResponse:
    outcomes: dict[str, str] = {
        PortalLogin.Outcome.REGISTERED: _("registered"),
        PortalLogin.Outcome.IN: _("logged in"),
        PortalLogin.Outcome.WRONG_PASSWORD: _("wrong password"),
        PortalLogin.Outcome.TURNED_AWAY: _("not let in"),
    }
    context = {
        "logins": [(row, here.link("end_login", row.pk)) for row in open_sessions_of(here.user)],
        "everywhere_url": here.link("end_everywhere"),
        "history": [(row, outcomes.get(row.outcome, "")) for row in logins_of(here.user, most=_SHOWN_LOGINS)],
        "time_zone": here.organization.time_zone,
        "takes_password": here.portal.offers_password,
        "has_password": bool(here.user.password),
        "password_url": here.link("own_password"),
        "takes_passkeys": passkeys.are_offered(here.portal),
        "passkeys": [(row, here.link("remove_passkey", row.pk)) for row in here.user.passkeys.order_by("-created_at")],
        "passkey_options_url": here.link("passkey_add_options"),
        "passkey_add_url": here.link("passkey_add"),
        "errors": errors or {},
        "has_errors": bool(errors),
        "notice": notice,
    }
    return page(here, "inside/security", context, status=WRONG if errors else 200)
