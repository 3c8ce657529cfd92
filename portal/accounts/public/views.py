"""The door of a portal and what stands beside it."""

import uuid

from django.db.models.functions import Now
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from portal.accounts import sessions
from portal.accounts.models import PortalUser
from portal.forms.models import FormPicture
from portal.forms.pictures import picture_response

from .shell import WRONG, Here, owes_terms, page, portal_page


@portal_page(needs_login=False)
def door(request: HttpRequest, here: Here) -> HttpResponse:
    """Show the way in; who is in is led on."""
    if here.session is not None:
        return redirect(here.link("home"))
    return page(here, "message", {"headline": here.portal.name, "is_authored": True})


@portal_page(before_terms=True, methods=("POST",))
def out(request: HttpRequest, here: Here) -> HttpResponse:
    """Log out."""
    assert here.session is not None  # noqa: S101 - the page needs a login
    sessions.end(here.session)
    response = redirect(here.root)
    sessions.drop_cookie(response, request, here.portal, sessions.SESSION)
    return response


@portal_page(before_terms=True)
def terms(request: HttpRequest, here: Here) -> HttpResponse:
    """Ask who is logged in to accept the terms as they are now."""
    if not owes_terms(here):
        return redirect(here.link("home"))
    version, error = here.portal.terms, ""
    assert version is not None  # noqa: S101 - owed
    if request.method == "POST":
        # What was read is accepted, and no version that came out meanwhile.
        if here.posted.get("accept") and here.posted.get("version") == str(version.number):
            PortalUser.objects.filter(pk=here.user.pk).update(terms=version, terms_at=Now())
            return redirect(here.link("home"))
        error = _("Tick the box to go on.")
    context = {"terms": terms_text(here), "version": version.number, "error": error, "has_errors": bool(error)}
    return page(here, "terms", context, status=WRONG if error else 200)


def terms_text(here: Here) -> str:
    """Return the present terms in the page's language, else in the first they are written in."""
    texts = here.portal.terms.texts if here.portal.terms is not None else {}
    order = [here.language.code, *(language.code for language in here.languages), *texts]
    return next((texts[code] for code in order if texts.get(code)), "")


@portal_page(needs_login=False, methods=("GET", "HEAD"))
def picture(request: HttpRequest, here: Here, pk: uuid.UUID) -> HttpResponse:
    """Give out the logo or the cover."""
    found = FormPicture.objects.filter(pk=pk, form=here.portal.form_id).first()
    if found is None:
        raise Http404("There is no such picture.")
    return picture_response(found)
