"""Where somebody is logged in, and the ways to log in beside the code."""

import uuid

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from portal.accounts import sessions
from portal.accounts.models import PortalLogin
from portal.accounts.public.shell import Here, page, portal_page
from portal.accounts.selectors import find_login, logins_of, open_sessions_of

_SHOWN_LOGINS = 10


@portal_page(methods=("GET", "HEAD"))
def security(request: HttpRequest, here: Here) -> HttpResponse:
    """Show the logins that go on, and those of before."""
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
        "notice": _("That device was logged out.") if "ended" in request.GET else "",
    }
    return page(here, "inside/security", context)


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
