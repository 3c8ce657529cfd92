"""Pages to look at: the overview, messages, forms, and the help that everybody may read."""

import uuid

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from portal.accounts.handing_over import ticket_for
from portal.accounts.models import Portal
from portal.accounts.offering import forms_for
from portal.accounts.public.shell import Here, page, portal_page
from portal.accounts.received import messages_of
from portal.accounts.sessions import is_on_own_domain


@portal_page(methods=("GET", "HEAD"))
def home(request: HttpRequest, here: Here) -> HttpResponse:
    """Where one is after logging in: what there is, in a list."""
    has_forms = bool(forms_for(here.user))
    entries = [
        ("forms", _("Forms"), _("Fill them in without another code")) if has_forms else None,
        ("messages", _("Messages"), _("What was sent to your phone")),
        ("profile", _("Profile"), _("Your name, your answers, your language")),
        ("number", _("Phone number"), _("Change the number with which you log in")),
        ("wishes", _("Preferences"), _("Which messages you get")),
        ("security", _("Security"), _("Where you are logged in, and how you log in")),
        ("data", _("Your data"), _("Take it along, or leave the portal")),
    ]
    rows = [(here.link(name), title, about) for name, title, about in filter(None, entries)]
    return page(here, "inside/home", {"rows": rows, "form": here.portal.form})


@portal_page(methods=("GET", "HEAD"))
def messages(request: HttpRequest, here: Here) -> HttpResponse:
    """The messages that came to this person, newest first."""
    found = messages_of(here.user, after=_id_of(request.GET.get("before", "")))
    return page(here, "inside/messages", {"found": found, "time_zone": here.organization.time_zone})


@portal_page(methods=("GET", "HEAD"))
def forms(request: HttpRequest, here: Here) -> HttpResponse:
    """The forms that are offered, each with a button that leads in."""
    assert here.session is not None  # noqa: S101 - the page needs a login
    # A domain of the portal's own has no forms: they are where all forms are.
    origin = settings.PUBLIC_BASE_URL if is_on_own_domain(request) else ""
    offered = [
        (form, origin + reverse("form", args=[form.token]), ticket_for(here.session, form))
        for form in forms_for(here.user)
    ]
    response = page(here, "inside/forms", {"offered": offered})
    response.leads_to = origin  # type: ignore[attr-defined]
    return response


@portal_page(needs_login=False, methods=("GET", "HEAD"))
def help_page(request: HttpRequest, here: Here) -> HttpResponse:
    """How all of this works, for people of the portal and those who are not in yet."""
    return page(here, "inside/help", {"is_open": here.portal.admission != Portal.Admission.INVITATION})


def _id_of(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
