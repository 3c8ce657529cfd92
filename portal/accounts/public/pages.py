"""The pages of the door, each from what it has to say; in the language that is active."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.http import HttpResponse
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from integrations.masking import mask_phone
from messaging.verification import challenge, limits
from messaging.verification.models import Verification
from portal.accounts import passkeys, visits
from portal.accounts.invitations import State
from portal.accounts.models import PortalInvitation, PortalUser, PortalVisit
from portal.accounts.selectors import questions_of
from portal.accounts.standing import Standing, Where
from portal.forms.public.countries import Country, likely_region, some_countries
from portal.forms.public.pages import Way, challenge_context, code_context, countries_for, sent_sentence, shown_number
from portal.forms.public.shown import show

from .shell import TOO_LATE, WRONG, Here, message_page, page


def number_page(
    here: Here, *, typed: str = "", country: str = "", error: str = "", notice: str = "", status: int = 200
) -> HttpResponse:
    """The way in: one question, for the number, whether somebody is known here or not."""
    countries = countries_of(here)
    accept = here.request.headers.get("Accept-Language", "")
    usual = likely_region(accept, usual=here.organization.default_region, offered=countries)
    context = {
        "page_key": visits.new_page_key(here.portal),
        "countries": countries,
        "country": country or usual,
        "typed": typed,
        "error": error,
        "has_errors": bool(error),
        "notice": notice,
        "speaks_by": "main",
        "task": _task(here) if challenge.is_needed(here.organization, here.asker()) else "",
        "passkey_url": here.link("passkey_options") if passkeys.are_offered(here.portal) else "",
        "passkey_login_url": here.link("passkey_login"),
    }
    return page(here, "number", context, status=WRONG if error else status)


def countries_of(here: Here) -> tuple[Country, ...]:
    """Return the countries that codes are sent to."""
    return some_countries(limits.regions_of(here.organization, limits.policy_of(here.organization)))


def code_page(
    here: Here,
    visit: PortalVisit,
    verification: Verification | None,
    *,
    code_error: str = "",
    notice: str = "",
    status: int = 200,
) -> HttpResponse:
    """Where the code is entered. Without a verification one is on its way from another press of the same button."""
    context = code_context(verification, code_error=code_error, notice=notice)
    # Who follows an invitation sees no more of its number than the invitation shows.
    context["sent"] = _sent_to_invited(visit) if visit.invitation_id else sent_sentence(visit.phone, verification)
    return _visit_page(here, visit, "code", context, status=status)


def stuck_page(
    here: Here, visit: PortalVisit, *, trouble: str, ways: Sequence[Way] = (), status: int = 200
) -> HttpResponse:
    """Where no code can be entered just now: why, and what can be done."""
    context = {"can_check": False, "trouble": trouble, "has_errors": True, "ways": ways}
    return _visit_page(here, visit, "code", context, status=status)


def challenge_page(here: Here, visit: PortalVisit, *, waiting: str = "") -> HttpResponse:
    """A task for the browser, or a wait where no script runs, before a code is sent."""
    context = challenge_context(here.organization, here.asker(), waiting=waiting)
    return _visit_page(here, visit, "challenge", {**context, "channel": here.posted.get("channel", "")})


def password_page(here: Here, visit: PortalVisit, *, error: str = "", status: int = 200) -> HttpResponse:
    """The question for the password, after the code."""
    context = {"password_error": error, "has_errors": bool(error)}
    return _visit_page(here, visit, "password", context, status=WRONG if error else status)


def lapsing_page(here: Here, user: PortalUser) -> HttpResponse:
    """What follows where the password was forgotten: a day of waiting."""
    assert user.password_lapses_at is not None  # noqa: S101 - set before
    when = date_format(user.password_lapses_at, "DATETIME_FORMAT") + " UTC"
    text = _(
        "So that nobody gets in who only has your phone, it takes 24 hours: from %(when)s on, a code is enough. Come "
        "back then. If you remember your password earlier, log in with it, and everything stays as it is."
    )
    return message_page(here, _("Your password will be removed"), text % {"when": when}, way=here.root)


def register_page(
    here: Here,
    visit: PortalVisit,
    standing: Standing,
    *,
    values: Mapping[str, Any] | None = None,
    errors: Mapping[str, str] | None = None,
    chosen: Mapping[str, str] | None = None,
    terms_error: str = "",
    trouble: str = "",
    status: int = 200,
) -> HttpResponse:
    """The questions and the terms, for who has proved a number and is not in yet."""
    form, definition, errors = here.portal.form, questions_of(here.portal), dict(errors or {})
    countries = countries_for(here.organization, definition)
    usual = here.organization.default_region
    # Whose account has ended here may have had the number before whoever comes with it now.
    is_known = standing.user is not None and standing.user.status != PortalUser.Status.LEFT
    if values is None and is_known and standing.user is not None and standing.user.name:
        values = {one.key: standing.user.name for one in definition.fields if one.saves_as == "name"}
    fields = show(
        definition,
        values=values or {},
        errors=errors,
        countries=countries,
        chosen={one.key: (chosen or {}).get(one.key, usual) for one in definition.fields},
    )
    problems = [{"id": one.id, "label": one.label, "text": one.error} for one in fields if one.error]
    if terms_error:
        problems.append({"id": "accept", "label": "", "text": terms_error})
    context = {
        "fields": fields,
        "has_files": any(one.kind == "file" for one in definition.fields),
        "problems": problems,
        "has_errors": bool(problems or trouble),
        "trouble": trouble,
        "speaks_by": "main",
        "questions": form.current_id or "",
        "terms": here.portal.terms_in(here.language.code),
        "version": here.portal.terms.number if here.portal.terms is not None else "",
        "accepted": bool(here.posted.get("accept")),
        "error": terms_error,
        "number": shown_number(visit.phone),
        "needs_approval": here.portal.admission == here.portal.Admission.APPROVAL and standing.invitation is None,
    }
    return _visit_page(here, visit, "register", context, status=WRONG if problems else status)


def enter_page(here: Here, visit: PortalVisit) -> HttpResponse:
    """One button: for who comes back to a page after the number was proved, since looking at it logs nobody in."""
    return _visit_page(here, visit, "enter", {"number": shown_number(visit.phone)})


def standing_page(here: Here, standing: Standing) -> HttpResponse:
    """What the portal says to somebody who has proved a number and is not let in."""
    headline, text = _STANDINGS[standing.where]()
    reason = standing.user.decision_reason if standing.user is not None and standing.where is Where.REJECTED else ""
    return message_page(here, headline, text % {"name": here.organization.name}, own_words=reason, restart=True)


def standing_words(here: Here, standing: Standing) -> str:
    """Return in a line what the portal says to somebody who is not let in."""
    if standing.where not in _STANDINGS:
        return _("This did not work. Try again, or log in with your number.")
    headline, text = _STANDINGS[standing.where]()
    return f"{headline}. {text}" % {"name": here.organization.name}


_STANDINGS: dict[Where, Callable[[], tuple[str, str]]] = {
    Where.WAITING: lambda: (
        _("You are registered"),
        _("%(name)s looks at every registration. You get a text message as soon as it is decided; until then there is "
          "nothing more to do."),
    ),
    Where.REJECTED: lambda: (
        _("Your registration was not accepted"),
        _("If you think that this is a mistake, ask %(name)s."),
    ),
    Where.SUSPENDED: lambda: (
        _("Your access is suspended"),
        _("You cannot log in at the moment. Ask %(name)s why, and how to go on."),
    ),
    Where.NOT_INVITED: lambda: (
        _("You are not invited yet"),
        _("Only people whom %(name)s has invited can come in here, and your number is not among them. Ask for an "
          "invitation to this number, or log in with the number that was invited."),
    ),
    Where.INVITATION_OVER: lambda: (
        _("Your invitation has ended"),
        _("The invitation to this number has expired or was taken back. Ask %(name)s for a new one."),
    ),
}  # fmt: skip


def invitation_page(here: Here, invitation: PortalInvitation, *, error: str = "", status: int = 200) -> HttpResponse:
    """Who invites; the number is shown as far as its owner knows it again, and cannot be changed. Links get forwarded:
    of who was invited it says nothing more."""
    context = {
        "page_key": visits.new_page_key(here.portal),
        "number": mask_phone(invitation.user.phone),
        "trouble": error,
        "has_errors": bool(error),
        "task": _task(here) if challenge.is_needed(here.organization, here.asker()) else "",
    }
    return page(here, "invitation", context, status=status)


def ended_invitation_page(here: Here, state: State | None) -> HttpResponse:
    """An invitation that lets nobody in any more, or that nobody made."""
    headline, text, status = _ENDED[state]()
    return message_page(here, headline, text % {"name": here.organization.name}, status=status, way=here.root)


_ENDED: dict[State | None, Callable[[], tuple[str, str, int]]] = {
    None: lambda: (
        _("There is no such invitation"),
        _("The link may be incomplete: open it from the message once more. If that does not help, ask %(name)s for a "
          "new one."),
        404,
    ),
    State.USED: lambda: (
        _("This invitation was used already"),
        _("It lets somebody in once. If that was you, log in with your number. If not, ask %(name)s for a new one."),
        410,
    ),
    State.EXPIRED: lambda: (
        _("This invitation has expired"),
        _("Ask %(name)s for a new one."),
        410,
    ),
    State.REVOKED: lambda: (
        _("This invitation was taken back"),
        _("If you think that this is a mistake, ask %(name)s."),
        410,
    ),
}  # fmt: skip


def lost_page(here: Here, *, notice: str = "") -> HttpResponse:
    """Where a visit has ended, or goes on in another browser: one begins anew."""
    text = notice or _("This took too long, or was begun in another browser. Please enter your number again.")
    return number_page(here, notice=text, status=TOO_LATE)


def moved_on_page(here: Here) -> HttpResponse:
    """Where the same button was pressed twice: the other press went on."""
    return message_page(here, _("One moment"), _("You are going on in another window already."), way=here.root)


def _sent_to_invited(visit: PortalVisit) -> str:
    return _("We sent a code to the invited number, %(number)s.") % {"number": mask_phone(visit.phone)}


def _task(here: Here) -> str:
    return challenge.make(here.organization, here.asker()).text


def _visit_page(
    here: Here, visit: PortalVisit, name: str, context: Mapping[str, Any], *, status: int = 200
) -> HttpResponse:
    """Return a page whose forms go on with this visit."""
    frame = {"action": here.root, "visit": visits.token_of(visit), "is_invited": visit.invitation_id is not None}
    return page(here, name, {**frame, **context}, status=status)
