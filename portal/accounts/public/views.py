"""The door of a portal and what stands beside it."""

import uuid

from django.db.models.functions import Now
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from portal.accounts import invitations, passkeys, passwords, sessions
from portal.accounts.devices import label_of
from portal.accounts.invitations import State
from portal.accounts.models import PortalLogin, PortalUser
from portal.accounts.passkeys import PasskeyRefused
from portal.accounts.standing import Standing, Where, standing_of
from portal.forms.models import FormPicture
from portal.forms.pictures import picture_response

from . import pages, steps
from .shell import WRONG, Here, owes_terms, page, portal_page


@portal_page(needs_login=False, takes_files=True)
def door(request: HttpRequest, here: Here) -> HttpResponse:
    """Show the way in and take each step of it; who is in is led on."""
    if here.session is not None:
        return redirect(here.link("home"))
    if request.method == "POST":
        return steps.take_step(here)
    return suspended(here) if sessions.is_suspended(request, here.portal) else steps.show(here)


def suspended(here: Here) -> HttpResponse:
    """Say once to who was logged in why they are not any more."""
    response = pages.standing_page(here, Standing(Where.SUSPENDED))
    sessions.drop_cookie(response, here.request, here.portal, sessions.SESSION)
    return response


@portal_page(needs_login=False)
def invitation(request: HttpRequest, here: Here, token: str) -> HttpResponse:
    """Show an invitation, which looking at does not use, and send its number a code."""
    found = invitations.find(here.portal, token)
    state = invitations.state_of(found) if found is not None else None
    if found is None or state is not State.OPEN or found.user.status != PortalUser.Status.INVITED:
        return pages.ended_invitation_page(here, State.USED if state is State.OPEN else state)
    found.user.portal = here.portal
    if request.method != "POST":
        return pages.invitation_page(here, found)
    return steps.accept(here, found)


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
    text = here.portal.terms_in(here.language.code)
    context = {"terms": text, "version": version.number, "error": error, "has_errors": bool(error)}
    return page(here, "terms", context, status=WRONG if error else 200)


@portal_page(before_terms=True, methods=("POST",))
def keep_password(request: HttpRequest, here: Here) -> HttpResponse:
    """Let a password be asked for that somebody with the person's number said was forgotten."""
    passwords.keep(here.user)
    return redirect(here.link("home"))


@portal_page(needs_login=False, methods=("POST",))
def passkey_options(request: HttpRequest, here: Here) -> HttpResponse:
    """Tell a browser what to ask its passkeys."""
    try:
        return JsonResponse(passkeys.begin_login(here.portal, origin=_origin(request)))
    except PasskeyRefused as refused:
        return _refused(refused)


@portal_page(needs_login=False, methods=("POST",))
def passkey_login(request: HttpRequest, here: Here) -> HttpResponse:
    """Log in whose passkey it is."""
    state, answer = here.posted.get("state", ""), here.posted.get("answer", "")
    try:
        user = passkeys.finish_login(here.portal, origin=_origin(request), state=state, answer=answer)
    except PasskeyRefused as refused:
        return _refused(refused)
    response = JsonResponse({"go": here.link("home")})
    try:
        sessions.open_session(response, here.portal, user, how=PortalLogin.How.PASSKEY, request=request)
    except sessions.NotAdmitted:
        sessions.note_login(
            here.portal, user, how=PortalLogin.How.PASSKEY, outcome=PortalLogin.Outcome.TURNED_AWAY, request=request
        )
        return JsonResponse({"error": pages.standing_words(here, standing_of(here.portal, user.phone))}, status=WRONG)
    passwords.keep(user)
    return response


@portal_page(methods=("POST",))
def passkey_add_options(request: HttpRequest, here: Here) -> HttpResponse:
    """Tell the browser of who is logged in how to make a passkey."""
    assert here.session is not None  # noqa: S101 - the page needs a login
    try:
        return JsonResponse(passkeys.begin_registration(here.session, origin=_origin(request)))
    except PasskeyRefused as refused:
        return _refused(refused)


@portal_page(methods=("POST",))
def passkey_add(request: HttpRequest, here: Here) -> HttpResponse:
    """Keep a passkey that was made."""
    assert here.session is not None  # noqa: S101 - the page needs a login
    state, answer = here.posted.get("state", ""), here.posted.get("answer", "")
    label = label_of(request.headers.get("User-Agent", ""))
    try:
        passkeys.finish_registration(here.session, origin=_origin(request), state=state, answer=answer, label=label)
    except PasskeyRefused as refused:
        return _refused(refused)
    return JsonResponse({"done": True})


@portal_page(needs_login=False, methods=("GET", "HEAD"))
def picture(request: HttpRequest, here: Here, pk: uuid.UUID) -> HttpResponse:
    """Give out the logo or the cover."""
    found = FormPicture.objects.filter(pk=pk, form=here.portal.form_id).first()
    if found is None:
        raise Http404("There is no such picture.")
    return picture_response(found)


def _origin(request: HttpRequest) -> str:
    return f"{request.scheme}://{request.get_host()}"


def _refused(refused: PasskeyRefused) -> HttpResponse:
    return JsonResponse({"error": refused.visitor}, status=WRONG)
