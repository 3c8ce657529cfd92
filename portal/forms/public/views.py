"""The public addresses of a form. Anybody may come, no cookie is set, and looking changes nothing."""

import uuid

from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.http.multipartparser import MultiPartParserError
from django.http.request import UnreadablePostError
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from portal.forms.models import FormPicture, PublicForm
from portal.forms.opening import find_public_form
from portal.forms.pictures import picture_response
from portal.forms.receiving import KeepSmallFiles

from . import pages
from .here import language_for, look_around
from .sealing import seal
from .steps import open_form, take_step

_UNREADABLE = (RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent, MultiPartParserError, UnreadablePostError)


# Forged requests need a cookie to ride on: there is none, and every step is by the signed visit in the page.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def public_form(request: HttpRequest, token: str) -> HttpResponse:
    """Show a form, and take each step of a visitor through it."""
    request.upload_handlers = [KeepSmallFiles(request)]
    form = find_public_form(token)
    is_readable = _is_readable(request)
    with translation.override(language_for(request, form).code):
        response = _answer(request, form, is_readable=is_readable)
    if request.method != "POST":
        # Nothing of the visitor is in it, and the browser's arrow back finds what was typed.
        response["Cache-Control"] = "private, no-cache"
        patch_vary_headers(response, ["Accept-Language"])
    return _seal(response, form)


@require_safe
def form_picture(request: HttpRequest, token: str, pk: uuid.UUID) -> HttpResponse:
    """Give out the logo or the cover of a form."""
    form = find_public_form(token)
    picture = FormPicture.objects.filter(pk=pk, form=form).first() if form is not None else None
    if picture is None:
        raise Http404("There is no such picture.")
    return picture_response(picture)


def _answer(request: HttpRequest, form: PublicForm | None, *, is_readable: bool) -> HttpResponse:
    if form is None:
        return pages.missing_page(language_for(request, None))
    here = look_around(request, form)
    if not is_readable:
        text = _("More was sent than this form takes. Go back, shorten what you wrote or choose smaller files.")
        return pages.wait_page(here, explanation=text, status=413)
    return take_step(here) if request.method == "POST" else open_form(here)


def _is_readable(request: HttpRequest) -> bool:
    """Read the body; one that is too large or broken counts as empty."""
    try:
        request.POST  # noqa: B018 - read on first look
    except _UNREADABLE:
        request._post = QueryDict()  # type: ignore[attr-defined]
        request._files = {}  # type: ignore[attr-defined]
        return False
    return True


def _seal(response: HttpResponse, form: PublicForm | None) -> HttpResponse:
    if form is None:
        return seal(response)
    return seal(response, embed_origins=form.embed_origins, leads_to=form.redirect_url)
