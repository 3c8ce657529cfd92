"""Taking one's data along, and leaving."""

from dataclasses import replace
from datetime import timedelta

from django.core.cache import cache
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.accounts import people, sessions
from portal.accounts.own_data import file_name, write_own_data
from portal.accounts.public.shell import Here, message_page, page, portal_page

# So often within an hour may the file be made: it can be large.
MOST_FILES, WINDOW = 10, 3600


@portal_page(methods=("GET", "HEAD"))
def data(request: HttpRequest, here: Here) -> HttpResponse:
    """Offer the file with everything, and the way out."""
    return page(here, "inside/data", {"file_url": here.link("data_file"), "leave_url": here.link("leave")})


@portal_page(methods=("GET",))
def data_file(request: HttpRequest, here: Here) -> HttpResponseBase:
    """Give out everything that the portal knows of the person."""
    key, now = f"portal-data:{here.user.pk}", timezone.now()
    # Counting up a row of the cache would give it another, shorter life.
    made = [at for at in cache.get(key, []) if at > now - timedelta(seconds=WINDOW)]
    if len(made) >= MOST_FILES:
        text = _("You have downloaded this several times just now. Wait an hour, then try again.")
        return message_page(here, _("One moment"), text, status=429, way=here.link("data"))
    cache.set(key, [*made, now], WINDOW)
    response = FileResponse(write_own_data(here.user), as_attachment=True, filename=file_name(here.user, at=now))
    response["Cache-Control"] = "no-store"
    return response


@portal_page()
def leave(request: HttpRequest, here: Here) -> HttpResponse:
    """Say what leaving means, and do it."""
    if request.method != "POST":
        keys = {"has_password": bool(here.user.password), "has_passkeys": here.user.passkeys.exists()}
        return page(here, "inside/leave", {"data_url": here.link("data"), **keys})
    people.leave(here.user)
    text = _("You are logged out everywhere, and nobody gets in with your number any more.")
    response = message_page(replace(here, session=None), _("You have left"), text)
    sessions.drop_cookie(response, request, here.portal, sessions.SESSION)
    return response
