"""Another number: a code to the present one, then a code to the new one. Each step goes on from where it stands."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from integrations.phones import PhoneProblem, parse_phone
from messaging.verification.models import Verification
from portal.accounts import moving
from portal.accounts.models import PortalVisit
from portal.accounts.public.pages import countries_of
from portal.accounts.public.shell import TOO_LATE, WRONG, Here, page, portal_page
from portal.forms.phone_words import phone_sentence
from portal.forms.public.countries import chosen_region, likely_region
from portal.forms.public.pages import code_context, sent_sentence, shown_number
from portal.forms.public.proving import Claim, Outcome, Proving, check_code, find_verification, is_awaited, send_code


@portal_page()
def number(request: HttpRequest, here: Here) -> HttpResponse:
    """Show where the change of number stands, and take its next step."""
    assert here.session is not None  # noqa: S101 - the page needs a login
    if request.method != "POST":
        notice = _("Your new number is in use. Your other devices were logged out.") if "done" in request.GET else ""
        return _start_page(here, notice=notice)
    step, visit = here.posted.get("step", ""), moving.find_move(here.session)
    if step == "begin" and (visit is None or visit.used_at is not None):
        visit = moving.begin_move(here.session)
    if visit is None:
        return _start_page(here, trouble=_("This took too long. Begin again."), status=TOO_LATE)
    if visit.used_at is not None:  # the last button was pressed twice
        return redirect(here.link("number") + "?done")
    return _STEPS.get(step, _go_on)(here, visit)


def _go_on(here: Here, visit: PortalVisit) -> HttpResponse:
    """Ask for a code where none is on its way."""
    if _is_at_new(visit) and not visit.phone:
        return _new_page(here)
    verification = find_verification(_claim(here, visit))
    if verification is not None and verification.is_pending:
        return _code_page(here, visit, verification, notice=_("A code is on its way already. Enter it here."))
    return _prove(here, visit, send_code)


def _ask_code(here: Here, visit: PortalVisit) -> HttpResponse:
    channel = here.posted.get("channel", "")
    return _prove(here, visit, lambda claim: send_code(claim, channel=channel))


def _check(here: Here, visit: PortalVisit) -> HttpResponse:
    code = here.posted.get("code", "")
    return _prove(here, visit, lambda claim: check_code(claim, code=code))


def _another(here: Here, visit: PortalVisit) -> HttpResponse:
    """Back to the new number, to enter another one."""
    return _new_page(here, typed=visit.phone) if _is_at_new(visit) else _go_on(here, visit)


def _enter(here: Here, visit: PortalVisit) -> HttpResponse:
    """Take the new number, and send it a code."""
    typed, wanted = here.posted.get("phone", ""), here.posted.get("phone-country", "")
    region = chosen_region(wanted, offered=countries_of(here), usual=here.organization.default_region)
    try:
        moving.enter_number(visit, parse_phone(typed, region=region, allow_magic=True))
    except PhoneProblem as problem:
        return _new_page(here, typed=typed, region=region, error=phone_sentence(problem.code))
    except moving.MoveRefused as refused:
        if refused.code == "not_proved":
            return _go_on(here, visit)
        return _new_page(here, typed=typed, region=region, error=refused.visitor)
    return _go_on(here, visit)


def _prove(here: Here, visit: PortalVisit, act: Callable[[Claim], Proving]) -> HttpResponse:
    """Ask for a code or compare one, and show what came of it."""
    is_new = _is_at_new(visit)
    if is_new and not visit.phone:
        return _new_page(here)  # the code of the present number was sent twice
    proving = act(_claim(here, visit))
    if proving.outcome is Outcome.PROVED:
        if is_new:
            return _finish(here, visit)
        moving.note_old_proved(visit)
        return _new_page(here, notice=_("Your present number is confirmed. Now enter the new one."))
    if proving.outcome is Outcome.WRONG_NUMBER and is_new:
        return _new_page(here, typed=visit.phone, error=proving.text)
    if proving.outcome in {Outcome.STUCK, Outcome.WRONG_NUMBER, Outcome.CHALLENGE}:
        return _stuck_page(here, visit, proving)
    is_error = proving.outcome is Outcome.WRONG_CODE
    return _code_page(
        here,
        visit,
        proving.verification,
        code_error=proving.text if is_error else "",
        notice="" if is_error else proving.text,
        status=WRONG if is_error else 200,
    )


def _look(here: Here, visit: PortalVisit) -> HttpResponse:
    """Tell the script of the code page whether there is something to show: the text got lost, or one went on."""
    return HttpResponse(status=HTTPStatus.NO_CONTENT if is_awaited(_claim(here, visit)) else HTTPStatus.OK)


def _show(here: Here, visit: PortalVisit) -> HttpResponse:
    """Show the code page as it is now; nothing is sent by looking."""
    verification = find_verification(_claim(here, visit))
    is_waiting = verification is not None and verification.is_pending
    return _code_page(here, visit, verification) if is_waiting else _start_page(here)


_STEPS: dict[str, Callable[[Here, PortalVisit], HttpResponse]] = {
    "look": _look,
    "show": _show,
    "code": _ask_code,
    "check": _check,
    "new": _enter,
    "another": _another,
}


def _is_at_new(visit: PortalVisit) -> bool:
    """Tell whether the present number is proved, and the new one's turn has come."""
    return visit.old_proved_at is not None


def _finish(here: Here, visit: PortalVisit) -> HttpResponse:
    try:
        moving.move(visit, keep=here.session, ip=here.ip)
    except moving.MoveRefused as refused:
        return _start_page(here, trouble=refused.visitor, status=TOO_LATE)
    return redirect(here.link("number") + "?done")


def _claim(here: Here, visit: PortalVisit) -> Claim:
    """Return what is to be proved now: the present number first, then the new one."""
    is_new = _is_at_new(visit)
    phone = visit.phone if is_new else here.user.phone

    def bind(verification_id: Any) -> bool:
        verification = Verification.objects.get(pk=verification_id)
        if is_new:
            return moving.bind_new(visit, verification)
        moving.bind_old(visit, verification)
        return True

    return Claim(
        organization=here.organization,
        phone=phone,
        # Whoever is logged in has shown to be no machine; how many codes go out is limited all the same.
        asker=here.asker(phone=phone, has_passed=True),
        key=f"portal-number:{visit.pk}:{'new' if is_new else 'old'}",
        verification_id=visit.verification_id if is_new else visit.old_verification_id,
        is_proved=lambda: moving.is_new_proved(visit) if is_new else moving.note_old_proved(visit),
        bind=bind,
    )


def _start_page(here: Here, *, notice: str = "", trouble: str = "", status: int = 200) -> HttpResponse:
    context = {"number": shown_number(here.user.phone), "notice": notice, "trouble": trouble}
    return page(here, "inside/number", {**context, "has_errors": bool(trouble)}, status=status)


def _new_page(here: Here, *, typed: str = "", region: str = "", error: str = "", notice: str = "") -> HttpResponse:
    countries = countries_of(here)
    usual = likely_region(
        here.request.headers.get("Accept-Language", ""), usual=here.organization.default_region, offered=countries
    )
    context = {
        "countries": countries,
        "country": region or usual,
        "typed": typed,
        "error": error,
        "notice": notice,
        "has_errors": bool(error),
    }
    return page(here, "inside/new_number", context, status=WRONG if error else 200)


def _code_page(
    here: Here,
    visit: PortalVisit,
    verification: Verification | None,
    *,
    code_error: str = "",
    notice: str = "",
    status: int = 200,
) -> HttpResponse:
    is_new = _is_at_new(visit)
    phone = visit.phone if is_new else here.user.phone
    context = code_context(verification, code_error=code_error, notice=notice)
    context |= {"is_new": is_new, "sent": sent_sentence(phone, verification)}
    return page(here, "inside/number_code", context, status=status)


def _stuck_page(here: Here, visit: PortalVisit, proving: Proving) -> HttpResponse:
    context: dict[str, Any] = {"is_new": _is_at_new(visit), "can_check": False, "has_errors": True}
    context |= {"trouble": proving.text, "ways": proving.ways}
    return page(here, "inside/number_code", context, status=proving.status)
