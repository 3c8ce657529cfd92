"""The way in: number, code, then whatever is still missing. One way for known and unknown numbers.

Until the code is entered nothing is looked up about the number: pages, answers, statements and texts are the same
whoever it belongs to. Each step reads where the visit stands on the server and goes on from there, so that it may be
taken twice, in two windows or after the browser's arrow back.
"""

from collections.abc import Callable
from http import HTTPStatus

from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from integrations.masking import mask_ip
from integrations.phones import PhoneProblem, parse_phone
from messaging.verification import challenge
from portal.accounts import passwords, sessions, visits
from portal.accounts.models import PortalInvitation, PortalLogin, PortalTerms, PortalUser, PortalVisit
from portal.accounts.registering import RegistrationRefused, register
from portal.accounts.selectors import questions_of
from portal.accounts.standing import Standing, Where, standing_of
from portal.forms.phone_words import phone_sentence
from portal.forms.public.countries import chosen_region
from portal.forms.public.pages import countries_for, new_code_way
from portal.forms.public.proving import Claim, Outcome, Proving, check_code, find_verification, is_awaited, send_code
from portal.forms.public.reading import chosen_countries, lost_files, read_page, typed
from portal.forms.receiving import sent_files

from . import pages
from .shell import TOO_LATE, WRONG, Here

How, Came = PortalLogin.How, PortalLogin.Outcome


def show(here: Here) -> HttpResponse:
    """The page on which this browser stands. Looking at it changes nothing."""
    visit = visits.find(here.request, here.portal)
    return pages.number_page(here) if visit is None else _where(here, visit)


def take_step(here: Here) -> HttpResponse:
    """Take the step that a page of ours asks for; whatever else comes sees where it stands."""
    step = here.posted.get("step", "")
    if step == "number":
        return number(here)
    if step == "restart":
        return restart(here)
    if step not in STEPS:
        return show(here)
    visit = visits.find(here.request, here.portal)
    if visit is None:
        return pages.lost_page(here)
    if not visits.is_page_of(visit, here.posted.get("visit", "")):
        return _where(here, visit, notice=_("You went on in another window. This is where you are now."))
    return STEPS[step](here, visit)


def number(here: Here) -> HttpResponse:
    """Take a number, and send it a code."""
    raw, country = here.posted.get("phone", ""), _country(here)
    if "speak" in here.posted:
        return pages.number_page(here, typed=raw, country=country)
    try:
        phone = parse_phone(raw, region=country).e164
    except PhoneProblem as problem:
        return pages.number_page(here, typed=raw, country=country, error=phone_sentence(problem.code))
    if (visit := _on_its_way(here, phone=phone)) is not None:
        return _go_on(here, visit)
    return _begin(here, phone=phone)


def accept(here: Here, invitation: PortalInvitation) -> HttpResponse:
    """Send a code to the invited number, whoever has the link."""
    return _begin(here, phone=invitation.user.phone, invitation=invitation)


def restart(here: Here) -> HttpResponse:
    """Ask for a number anew, and forget the visit; one whose code is on its way only once there is another number."""
    response = pages.number_page(here)
    if _on_its_way(here) is None:
        sessions.drop_cookie(response, here.request, here.portal, visits.COOKIE)
    return response


def ask_code(here: Here, visit: PortalVisit) -> HttpResponse:
    """Send a code once more, by the channel that was pressed."""
    return _where(here, visit) if visit.proved_at is not None else _go_on(here, visit, is_wanted=True)


def check(here: Here, visit: PortalVisit) -> HttpResponse:
    """Take a code; with the right one go on to whatever is still missing."""
    if visit.proved_at is not None:
        return _where(here, visit)
    return _after(here, visit, check_code(_claim(here, visit), code=here.posted.get("code", "")))


def look(here: Here, visit: PortalVisit) -> HttpResponse:
    """Tell the script of the code page whether there is something to show: the text got lost, or the visit went on."""
    is_waiting = visit.proved_at is None and is_awaited(_claim(here, visit))
    return HttpResponse(status=HTTPStatus.NO_CONTENT if is_waiting else HTTPStatus.OK)


def password(here: Here, visit: PortalVisit) -> HttpResponse:
    """Take the password of somebody who has one, a few times a visit."""
    standing = _standing(here, visit)
    if standing is None or standing.where is not Where.PASSWORD or standing.user is None:
        return _where(here, visit)
    if not visits.count_try(visit):
        return _too_many_passwords(here)
    if not passwords.holds(standing.user, here.posted.get("password", "")):
        _note(here, standing.user, Came.WRONG_PASSWORD, how=How.PASSWORD)
        left = visits.PASSWORD_TRIES - visit.password_tries
        if left < 1:
            return _too_many_passwords(here)
        words = ngettext(
            "This is not your password. You can try once more.",
            "This is not your password. Check capital letters; you can try %(count)d more times.",
            left,
        )
        return pages.password_page(here, visit, error=words % {"count": left})
    return _enter(here, visit, standing.user, how=How.PASSWORD)


def forgot(here: Here, visit: PortalVisit) -> HttpResponse:
    """Let the password lapse in a day."""
    standing = _standing(here, visit)
    if standing is None or standing.where is not Where.PASSWORD or standing.user is None:
        return _where(here, visit)
    passwords.lapse_later(standing.user)
    return pages.lapsing_page(here, standing.user)


def fill(here: Here, visit: PortalVisit) -> HttpResponse:
    """Take the answers and the terms, and register."""
    standing = _standing(here, visit)
    if standing is None or standing.where is not Where.REGISTER:
        return _where(here, visit)
    definition, portal = questions_of(here.portal), here.portal
    usual, files = here.organization.default_region, sent_files(here.request)
    offered = countries_for(here.organization, definition)
    chosen = chosen_countries(definition, here.posted, offered=offered, usual=usual)
    values = typed(definition, here.posted)
    if "speak" in here.posted:
        return pages.register_page(here, visit, standing, values=values, chosen=chosen)
    reading = read_page(definition, here.posted, files, chosen=chosen, region=usual)
    terms, terms_error = _accepted_terms(here)
    if not reading.is_good or terms_error:
        errors = {**lost_files(definition, files), **reading.problems}
        return pages.register_page(
            here, visit, standing, values=values, chosen=chosen, errors=errors, terms_error=terms_error
        )
    # What was answered are the questions of the page, which may not be those of now.
    is_same = here.posted.get("questions", "") == str(portal.form.current_id or "")
    try:
        user = register(
            visit,
            reading=reading,
            version=portal.form.current if is_same else None,
            terms=terms,
            language=here.language.code,
            network=mask_ip(here.ip),
        )
    except RegistrationRefused as refused:
        if refused.code in {"terms", "questions"}:
            return pages.register_page(
                here, visit, standing, values=values, chosen=chosen, trouble=refused.visitor, status=TOO_LATE
            )
        return pages.lost_page(here, notice=refused.visitor) if refused.code == "over" else _where(here, visit)
    return _registered(here, user)


def enter(here: Here, visit: PortalVisit) -> HttpResponse:
    """Log in who has proved the number before, and comes back to the page."""
    return _arrive(here, visit)


STEPS: dict[str, Callable[[Here, PortalVisit], HttpResponse]] = {
    "code": ask_code,
    "check": check,
    "look": look,
    "password": password,
    "forgot": forgot,
    "fill": fill,
    "enter": enter,
}


def _begin(here: Here, *, phone: str, invitation: PortalInvitation | None = None) -> HttpResponse:
    page_key = here.posted.get("page_key", "")
    visit, secret = visits.begin(here.portal, phone=phone, page_key=page_key, invitation=invitation)
    response = _go_on(here, visit)
    _keep_cookie(response, here, secret)
    return response


def _on_its_way(here: Here, *, phone: str = "") -> PortalVisit | None:
    """Return this browser's visit whose code can still be entered, for that number if one is named.

    Who goes back and gives the same number again gets no code past the pause between two.
    """
    visit = visits.find(here.request, here.portal)
    if visit is None or visit.proved_at is not None or visit.invitation_id is not None:
        return None
    if phone and visit.phone != phone:
        return None
    verification = find_verification(_claim(here, visit))
    return visit if verification is not None and verification.is_pending else None


def _claim(here: Here, visit: PortalVisit, *, has_passed: bool = False) -> Claim:
    """Return what a visit has to prove: its number, by a code that was entered in this very visit."""
    return Claim(
        organization=here.organization,
        phone=visit.phone,
        asker=here.asker(phone=visit.phone, has_passed=has_passed),
        key=f"portal-code:{visit.pk}",
        verification_id=visit.verification_id,
        is_proved=lambda: visits.is_proved(visit),
        bind=lambda verification_id: visits.bind(visit, verification_id),
    )


def _go_on(here: Here, visit: PortalVisit, *, is_wanted: bool = False) -> HttpResponse:
    """Get the number proved: by a code that is sent now, unless one is on its way."""
    claim = _claim(here, visit)
    verification = find_verification(claim)
    if not is_wanted and verification is not None and verification.is_pending:
        return pages.code_page(here, visit, verification, notice=_("A code is on its way already. Enter it here."))
    # A number whose codes others have used up needs a task too, which is known only once a code is asked for.
    if _has_passed(here):
        claim = _claim(here, visit, has_passed=True)
    elif challenge.is_needed(here.organization, claim.asker):
        return pages.challenge_page(here, visit, waiting=here.posted.get("waiting", ""))
    return _after(here, visit, send_code(claim, channel=here.posted.get("channel", "")))


def _has_passed(here: Here) -> bool:
    solution, waiting = here.posted.get("challenge", ""), here.posted.get("waiting", "")
    return challenge.passed(solution, waiting, asker=here.asker())


def _after(here: Here, visit: PortalVisit, proving: Proving) -> HttpResponse:
    """Show what came of asking for a code or of entering one."""
    if proving.outcome is Outcome.PROVED:
        return _proved(here, visit)
    if proving.outcome is Outcome.CHALLENGE:
        return pages.challenge_page(here, visit, waiting=here.posted.get("waiting", ""))
    if proving.outcome is Outcome.WRONG_NUMBER and visit.invitation_id is None:
        typed_number = here.posted.get("phone", "") or visit.phone
        return pages.number_page(here, typed=typed_number, country=_country(here), error=proving.text)
    if proving.outcome in {Outcome.STUCK, Outcome.WRONG_NUMBER}:
        return pages.stuck_page(here, visit, trouble=proving.text, ways=proving.ways, status=proving.status)
    is_error = proving.outcome is Outcome.WRONG_CODE
    return pages.code_page(
        here,
        visit,
        proving.verification,
        code_error=proving.text if is_error else "",
        notice="" if is_error else proving.text,
        status=WRONG if is_error else 200,
    )


def _proved(here: Here, visit: PortalVisit) -> HttpResponse:
    """Give the visit another secret, now that it is worth something, and go on."""
    secret = visits.prove(visit)
    if not secret:
        return pages.moved_on_page(here)
    response = _arrive(here, visit, is_first=True)
    if visit.used_at is None:
        _keep_cookie(response, here, secret)
    return response


def _arrive(here: Here, visit: PortalVisit, *, is_first: bool = False) -> HttpResponse:
    """Let in, ask for what is missing, or say why not."""
    standing = _standing(here, visit)
    if standing is None:
        return pages.lost_page(here)
    if standing.where is Where.IN and standing.user is not None:
        return _enter(here, visit, standing.user, how=How.CODE)
    if is_first and standing.where not in {Where.REGISTER, Where.PASSWORD}:
        _note(here, standing.user, Came.TURNED_AWAY, how=How.CODE)
    return _missing(here, visit, standing)


def _where(here: Here, visit: PortalVisit, *, notice: str = "") -> HttpResponse:
    """Return the page on which a visit stands, and change nothing."""
    if visit.used_at is not None:
        standing = standing_of(here.portal, visit.phone)
        # What this browser may still hear is what it has just done; who was let in logs in anew.
        return pages.standing_page(here, standing) if standing.where is Where.WAITING else pages.number_page(here)
    standing_now = _standing(here, visit)
    if standing_now is not None:
        return pages.enter_page(here, visit) if standing_now.where is Where.IN else _missing(here, visit, standing_now)
    verification = find_verification(_claim(here, visit))
    if verification is not None and verification.is_pending:
        return pages.code_page(here, visit, verification, notice=notice)
    if visit.invitation_id is not None and verification is None:
        return pages.stuck_page(here, visit, trouble=notice, ways=[new_code_way()])
    return pages.number_page(here, notice=notice)


def _missing(here: Here, visit: PortalVisit, standing: Standing) -> HttpResponse:
    if standing.where is Where.PASSWORD:
        return pages.password_page(here, visit)
    if standing.where is Where.REGISTER:
        return pages.register_page(here, visit, standing)
    return pages.standing_page(here, standing)


def _standing(here: Here, visit: PortalVisit) -> Standing | None:
    """Return what the number is to the portal; None while it is not proved, or once the visit has served."""
    if visit.used_at is not None or visits.proof_of(visit) is None:
        return None
    return standing_of(here.portal, visit.phone)


def _enter(here: Here, visit: PortalVisit, user: PortalUser, *, how: str) -> HttpResponse:
    response = redirect(here.link("home"))
    try:
        with transaction.atomic():
            if not visits.use(visit, user):
                return pages.moved_on_page(here)
            sessions.open_session(response, here.portal, user, how=how, request=here.request)
            # A day after it was said to be forgotten, the password is; with it, it is not.
            if not passwords.drop_lapsed(user) and how == How.PASSWORD:
                passwords.keep(user)
    except sessions.NotAdmitted:
        return _missing(here, visit, standing_of(here.portal, visit.phone))
    visit.refresh_from_db(fields=["used_at"])
    sessions.drop_cookie(response, here.request, here.portal, visits.COOKIE)
    return response


def _registered(here: Here, user: PortalUser) -> HttpResponse:
    """Lead in who is let in at once; whoever waits for approval reads so."""
    if user.status != PortalUser.Status.ACTIVE:
        _note(here, user, Came.REGISTERED, how=How.CODE)
        return pages.standing_page(here, Standing(Where.WAITING, user))
    response = redirect(here.link("home"))
    try:
        sessions.open_session(response, here.portal, user, how=How.CODE, request=here.request, outcome=Came.REGISTERED)
    except sessions.NotAdmitted:
        return pages.standing_page(here, standing_of(here.portal, user.phone))
    sessions.drop_cookie(response, here.request, here.portal, visits.COOKIE)
    return response


def _accepted_terms(here: Here) -> tuple[PortalTerms | None, str]:
    """Return the terms that were accepted, and what is wrong where they were not."""
    current = here.portal.terms
    if current is None:
        return None, ""
    if here.posted.get("version", "") != str(current.number):
        return None, _("The terms have changed meanwhile. Please read them again.")
    return (current, "") if here.posted.get("accept") else (None, _("Tick the box to go on."))


def _too_many_passwords(here: Here) -> HttpResponse:
    text = _("That was not your password, five times. Begin again with your number and a new code.")
    response = pages.number_page(here, notice=text, status=TOO_LATE)
    sessions.drop_cookie(response, here.request, here.portal, visits.COOKIE)
    return response


def _note(here: Here, user: PortalUser | None, outcome: str, *, how: str) -> None:
    sessions.note_login(here.portal, user, how=how, outcome=outcome, request=here.request)


def _country(here: Here) -> str:
    """Return the country chosen beside the number, or the only one there is."""
    wanted, usual = here.posted.get("phone-country", ""), here.organization.default_region
    return chosen_region(wanted, offered=pages.countries_of(here), usual=usual)


def _keep_cookie(response: HttpResponse, here: Here, secret: str) -> None:
    lasts = int(visits.LASTS.total_seconds())
    sessions.put_cookie(response, here.request, here.portal, visits.COOKIE, secret, lasts=lasts)
