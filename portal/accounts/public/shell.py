"""What every page of a portal goes through: which portal, which language, who is it; sealed as public forms are."""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.http.multipartparser import MultiPartParserError
from django.http.request import UnreadablePostError
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from integrations.organizations.models import Organization
from integrations.organizations.network import client_ip
from messaging.verification.askers import Asker
from portal.accounts import devices, sessions, visits
from portal.accounts.models import Portal, PortalSession, PortalUser
from portal.forms.public.languages import LANGUAGES, Language, choose, offered_by
from portal.forms.public.sealing import seal
from portal.forms.public.theme import theme_of
from portal.forms.receiving import KeepSmallFiles

FOLDER = "portal/accounts/public"
LANGUAGE = "hg_lang"
WRONG, TOO_LATE = 422, 409
_LANGUAGE_LASTS = 180 * 24 * 60 * 60
_UNREADABLE = (RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent, MultiPartParserError, UnreadablePostError)
# What a browser says of where a form was sent from; old ones say nothing, and the token in the page has to do.
_FROM_HERE = frozenset({"same-origin", "none", ""})

View = Callable[..., HttpResponseBase]


@dataclass(frozen=True)
class Here:
    """One request to a page of a portal. `session` is None where nobody is logged in."""

    request: HttpRequest
    portal: Portal
    language: Language
    languages: list[Language]
    session: PortalSession | None = None

    @property
    def user(self) -> PortalUser:
        """The person who is logged in; only for pages that need a login."""
        assert self.session is not None  # noqa: S101 - the decorator lets nobody else in
        return self.session.user

    @property
    def organization(self) -> Organization:
        return self.portal.organization

    @property
    def posted(self) -> QueryDict:
        return self.request.POST

    @property
    def root(self) -> str:
        """Where the portal begins: cookies are for what is below it."""
        return sessions.root_of(self.request, self.portal)

    @property
    def action(self) -> str:
        """The address of this page, to send its forms to."""
        return self.request.path

    @property
    def nonce(self) -> str:
        return str(getattr(self.request, "csp_nonce", ""))

    @property
    def ip(self) -> str:
        return client_ip(self.request)

    @property
    def device(self) -> str:
        """The token by which this browser is known again."""
        return self.request.COOKIES.get(sessions.DEVICE, "")

    @property
    def csrf(self) -> str:
        """What each form of a page of somebody logged in brings back as `token`."""
        return sessions.csrf_token(self.session) if self.session is not None else ""

    @property
    def authored_tag(self) -> str:
        """The language of the organization's own words, where it is not the page's: for who hears the page."""
        return "" if self.languages[0] == self.language else self.languages[0].tag

    def asker(self, *, phone: str = "", has_passed: bool = False) -> Asker:
        """Return who asks for a code to this number, as limits count it."""
        return Asker(
            visits.ASKER,
            self.portal.pk,
            ip=self.ip,
            language=self.language.code,
            has_passed=has_passed,
            device=devices.device_of_number(self.portal, phone, self.device),
        )

    def link(self, name: str, *args: object) -> str:
        """Return the address of a page of this portal, by its name: `here.link("home")`."""
        address = reverse(f"portal:{name}", args=[self.portal.slug, *args])
        return self.root + address.partition(f"/p/{self.portal.slug}/")[2]


def find_portal(slug: str) -> Portal | None:
    """Return the portal of that address, on or off; None for none, and for one of a suspended organization."""
    portal = Portal.objects.select_related("organization", "form__current", "terms").filter(slug=slug).first()
    return None if portal is None or portal.organization.is_suspended else portal


def look_around(request: HttpRequest, slug: str) -> Here | None:
    """Read a request; None where there is no such portal. The body has to be readable."""
    portal = find_portal(slug)
    if portal is None:
        return None
    portal.form.organization = portal.organization
    session = sessions.current(request, portal) if portal.is_on else None
    languages = offered_by(portal.form.languages)
    return Here(request, portal, _language_for(request, languages, session), languages, session)


def page(here: Here, template: str, context: Mapping[str, Any] | None = None, status: int = 200) -> HttpResponse:
    """Return a page of the portal: a template of `templates/portal/accounts/public/`, in the frame of all."""
    form = here.portal.form
    pictures = {picture.place: picture.pk for picture in form.pictures.only("place", "form_id")}
    frame: dict[str, Any] = {
        "here": here,
        "portal": here.portal,
        "organization_name": here.organization.name,
        "language": here.language,
        "languages": here.languages,
        "session": here.session,
        "csrf": here.csrf,
        "root": here.root,
        "help_url": here.link("help"),
        "action": here.action,
        "nonce": here.nonce,
        "theme": theme_of(form.color),
        "authored": format_html(' lang="{}"', here.authored_tag) if here.authored_tag else "",
        **{f"{place}_url": here.link("picture", pk) for place, pk in pictures.items()},
    }
    if here.session is not None:
        frame |= {name + "_url": here.link(name) for name in ("home", "out", "keep_password")}
    html = render_to_string(f"{FOLDER}/{template}.html", {**frame, **(context or {})})
    return seal(HttpResponse(html, status=status))


def message_page(here: Here, headline: str, explanation: str = "", *, status: int = 200, **more: Any) -> HttpResponse:
    """Return a page that says one thing, and where to go on."""
    return page(here, "message", {"headline": headline, "explanation": explanation, **more}, status=status)


def portal_page(
    *, needs_login: bool = True, takes_files: bool = False, before_terms: bool = False, methods: tuple[str, ...] = ()
) -> Callable[[View], View]:
    """Make a view of a portal's page: it is called as `view(request, here, **kwargs)` in the visitor's language.

    Without a login one is led to the door. A form has to bring `token` = `here.csrf` back where somebody is logged in;
    a page without need of a login looks after its own forms. Who has not accepted the present terms is asked first,
    except on pages that say `before_terms`.
    """

    def decorate(view: View) -> View:
        # Forged forms are held up by the portal's own token: members' cookies are nothing to these pages.
        @csrf_exempt
        @require_http_methods(methods or ("GET", "HEAD", "POST"))
        @functools.wraps(view)
        def entered(request: HttpRequest, slug: str, **kwargs: Any) -> HttpResponseBase:
            if takes_files:
                request.upload_handlers = [KeepSmallFiles(request)]
            is_readable = _is_readable(request)
            here = look_around(request, slug)
            if here is None:
                return _missing(request)
            with translation.override(here.language.code):
                stopped = _stopped(here, needs_login=needs_login, before_terms=before_terms, is_readable=is_readable)
                response = stopped or view(request, here, **kwargs)
            return _finish(here, response)

        entered.needs_login = needs_login  # type: ignore[attr-defined]
        return entered

    return decorate


def _stopped(here: Here, *, needs_login: bool, before_terms: bool, is_readable: bool) -> HttpResponse | None:
    """Return what is said instead of the page, if anything stands against it."""
    request = here.request
    if not here.portal.is_on:
        return _off_page(here)
    if not is_readable:
        text = _("More was sent than this page takes. Go back, shorten what you wrote or choose smaller files.")
        return message_page(here, _("This did not work"), text, status=413)
    is_post = request.method == "POST"
    if is_post and request.headers.get("Sec-Fetch-Site", "") not in _FROM_HERE:
        return _foreign_page(here)
    if needs_login and here.session is None:
        return redirect(here.root)
    if needs_login and is_post and not sessions.csrf_holds(here.session, here.posted.get("token", "")):  # type: ignore[arg-type]
        return _foreign_page(here)
    if needs_login and not before_terms and owes_terms(here):
        return redirect(here.link("terms"))
    return None


def owes_terms(here: Here) -> bool:
    """Tell whether the person has not accepted the terms as they are now."""
    return here.portal.terms_id is not None and here.user.terms_id != here.portal.terms_id


def _finish(here: Here, response: HttpResponseBase) -> HttpResponseBase:
    if isinstance(response, HttpResponse):
        # A form of a page may lead to another host of ours: its view says so.
        seal(response, leads_to=getattr(response, "leads_to", ""))
    if "lang" in here.request.GET or "speak" in here.posted:
        sessions.put_cookie(response, here.request, here.portal, LANGUAGE, here.language.code, lasts=_LANGUAGE_LASTS)
    return response


def _off_page(here: Here) -> HttpResponse:
    text = _("It is switched off at the moment. Nothing of yours is lost: come back later, or ask %(name)s.")
    return message_page(here, here.portal.name, text % {"name": here.organization.name}, status=403, is_authored=True)


def _foreign_page(here: Here) -> HttpResponse:
    text = _("This page was not up to date any more, so nothing was done. Load it anew and try again.")
    return message_page(here, _("This did not work"), text, status=403, way=here.root)


def _missing(request: HttpRequest) -> HttpResponse:
    language = choose(list(LANGUAGES.values()), accept=request.headers.get("Accept-Language", ""))
    with translation.override(language.code):
        text = _("The link may be incomplete or no longer in use. Ask whoever sent it to you for a new one.")
        context = {"language": language, "headline": _("There is no portal here"), "explanation": text}
        return seal(HttpResponse(render_to_string(f"{FOLDER}/message.html", context), status=404))


def _language_for(request: HttpRequest, offered: list[Language], session: PortalSession | None) -> Language:
    """Return the language to speak: the one just asked for, the one of before, the person's own, the browser's."""
    remembered = request.COOKIES.get(LANGUAGE, "") or (session.user.language if session is not None else "")
    wanted = request.POST.get("speak") or request.GET.get("lang") or request.POST.get("lang") or remembered
    return choose(offered, wanted=wanted[:20], accept=request.headers.get("Accept-Language", ""))


def _is_readable(request: HttpRequest) -> bool:
    """Read the body; one that is too large or broken counts as empty."""
    try:
        request.POST  # noqa: B018 - read on first look
    except _UNREADABLE:
        request._post = QueryDict()  # type: ignore[attr-defined]
        request._files = {}  # type: ignore[attr-defined]
        return False
    return True
