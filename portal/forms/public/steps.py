"""A visitor's way: fill in, prove the number, done. Each step reads where the visit stands on the server and goes on.

So every step may be taken twice, in two tabs or after the browser's arrow back, and ends where it would have led to.
"""

from collections.abc import Callable
from http import HTTPStatus

from django.http import HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _

from messaging.verification import challenge
from portal.forms.answers import Reading
from portal.forms.arriving import begin_draft, read_arrival
from portal.forms.drafting import find_draft, keep_draft
from portal.forms.models import FormDraft
from portal.forms.opening import FormRefused, ensure_open, opens_with
from portal.forms.proof import proof_of
from portal.forms.submitting import submit

from . import pages
from .here import Here
from .passwords import may_try, note_wrong
from .proving import Outcome, Proving, check_code, claim_of, find_verification, is_awaited, send_code
from .reading import chosen_countries, lost_files, read_page, typed
from .visits import Visit

_TOO_LATE = 409


def open_form(here: Here) -> HttpResponse:
    """The first page: the questions, or why there are none to see."""
    return _unless_closed(here) or pages.fill_page(here)


def unlock(here: Here) -> HttpResponse:
    """Take the password, and show the questions to who knows it."""
    if not may_try(here.form, ip=here.ip):
        return pages.password_page(here, error=_("Too many tries. Wait ten minutes, then try again."), status=429)
    if not opens_with(here.form, here.posted.get("password", "")):
        note_wrong(here.form, ip=here.ip)
        return pages.password_page(
            here, error=_("This is not the password. Check capital letters, then try again."), status=pages.WRONG
        )
    return open_form(here.with_visit(here.visit.opened(here.form)))


def fill(here: Here) -> HttpResponse:
    """Take the answers: keep them, and go on to the code where there is a number to prove, else send them."""
    if closed := _unless_closed(here):
        return closed
    draft = find_draft(here.form, here.visit.secret)
    if draft is not None and draft.submission is not None:
        return _done(here, draft)
    chosen = _chosen_countries(here)
    reading, values = _read(here, draft, chosen=chosen), typed(here.definition, here.posted)
    if "speak" in here.posted or not reading.is_good:
        problems = {} if "speak" in here.posted else {**lost_files(here.definition, here.files), **reading.problems}
        return pages.fill_page(
            here,
            values=values,
            errors=problems,
            chosen=chosen,
            kept=pages.kept_names(draft),
            is_proved=_needs_no_code(draft, reading),
        )
    try:
        draft = keep_draft(
            here.form, secret=here.visit.secret, reading=reading, language=here.language.code, ip=here.ip
        )
    except FormRefused as refused:
        return pages.fill_page(here, values=values, chosen=chosen, trouble=refused.visitor, status=_TOO_LATE)
    if draft.submission is not None:
        return _done(here, draft)
    if here.definition.verified_field is None:
        return _send(here, draft)
    return _go_on(here, draft)


def ask_code(here: Here) -> HttpResponse:
    """Send a code once more, by the channel that was pressed."""
    draft = _draft(here)
    if draft is None:
        return _anew(here)
    if closed := _unless_closed(here):
        return closed
    return _done(here, draft) if draft.submission is not None else _go_on(here, draft, is_wanted=True)


def check(here: Here) -> HttpResponse:
    """Take a code, and send the form where it is the right one."""
    draft = _draft(here)
    if draft is None:
        return _anew(here)
    if draft.submission is not None:
        return _done(here, draft)
    found = check_code(claim_of(here, draft), code=here.posted.get("code", ""))
    return _after(here, draft, found)


def edit(here: Here) -> HttpResponse:
    """Back to the questions, with the answers in them."""
    draft = _draft(here)
    if draft is None:
        return _anew(here)
    if draft.submission is not None:
        return _done(here, draft)
    return _unless_closed(here) or pages.entered_again(here, draft)


def show(here: Here) -> HttpResponse:
    """Show the page on which the visit stands, in another language for example."""
    draft = _draft(here)
    if draft is None:
        return open_form(here)
    if draft.submission is not None:
        return pages.done_page(here, draft.submission)
    if closed := _unless_closed(here):
        return closed
    verification = find_verification(claim_of(here, draft))
    if verification is not None and verification.is_pending:
        return pages.code_page(here, draft, verification)
    return pages.entered_again(here, draft)


def arrive(here: Here) -> HttpResponse:
    """Let in who comes from a room that has proved the number: it stands there already, and needs no code."""
    arrival = read_arrival(here.posted.get("ticket", ""), here.form)
    if arrival is None:
        notice = _("This page was open for too long. You can go on here all the same: your number gets a code.")
        return _unless_closed(here) or pages.fill_page(here, notice=notice)
    # Whom the organization offers the form needs no password of it.
    here = here.with_visit(Visit(arrival.secret).opened(here.form))
    draft = begin_draft(here.form, arrival, language=here.language.code, ip=here.ip)
    if draft is not None and draft.submission is not None:
        return _done(here, draft)
    if closed := _unless_closed(here):
        return closed
    return pages.entered_again(here, draft) if draft is not None else pages.fill_page(here)


def look(here: Here) -> HttpResponse:
    """Tell the script of the code page whether there is something to show: the text got lost, or the visit went on."""
    draft = _draft(here)
    is_waiting = draft is not None and draft.submission is None and is_awaited(claim_of(here, draft))
    return HttpResponse(status=HTTPStatus.NO_CONTENT if is_waiting else HTTPStatus.OK)


STEPS: dict[str, Callable[[Here], HttpResponse]] = {
    "unlock": unlock,
    "fill": fill,
    "code": ask_code,
    "check": check,
    "edit": edit,
    "show": show,
    "arrive": arrive,
    "look": look,
}


def take_step(here: Here) -> HttpResponse:
    """Take the step that a page of ours asks for; whatever else comes gets the first page."""
    step = here.posted.get("step", "")
    if step not in STEPS:
        return open_form(here)
    if step not in {"unlock", "arrive"} and not here.visit.may_enter(here.form):
        return _unless_closed(here) or open_form(here)
    if here.is_new and step not in {"unlock", "fill", "show", "arrive"}:
        return _anew(here)
    return STEPS[step](here)


def _go_on(here: Here, draft: FormDraft, *, is_wanted: bool = False) -> HttpResponse:
    """Get the number proved: by a code that is sent now, unless one is on its way or it is proved already."""
    if proof_of(draft) is not None:
        return _send(here, draft)
    verification = find_verification(claim_of(here, draft))
    if not is_wanted and verification is not None and verification.is_pending:
        return pages.code_page(here, draft, verification, notice=_("A code is on its way already. Enter it here."))
    here = _challenged(here)
    # A number whose codes others have used up needs a task too, which is known only once a code is asked for.
    if not here.has_passed and challenge.is_needed(here.form.organization, here.asker):
        return pages.challenge_page(here, waiting=here.posted.get("waiting", ""))
    return _after(here, draft, send_code(claim_of(here, draft), channel=here.posted.get("channel", "")))


def _needs_no_code(draft: FormDraft | None, reading: Reading) -> bool:
    """Tell whether the number that was typed is the one that is proved already."""
    number = reading.phone.e164 if reading.phone else ""
    return draft is not None and bool(number) and draft.phone == number and proof_of(draft) is not None


def _challenged(here: Here) -> Here:
    solution, waiting = here.posted.get("challenge", ""), here.posted.get("waiting", "")
    return here.passed() if challenge.passed(solution, waiting, asker=here.asker) else here


def _after(here: Here, draft: FormDraft, proving: Proving) -> HttpResponse:
    """Show what came of asking for a code or of entering one."""
    if proving.outcome is Outcome.PROVED:
        return _send(here, draft)
    if proving.outcome is Outcome.CHALLENGE:
        return pages.challenge_page(here, waiting=here.posted.get("waiting", ""))
    if proving.outcome is Outcome.WRONG_NUMBER:
        field = here.definition.verified_field
        errors = {field.key: proving.text} if field is not None else {}
        return pages.entered_again(here, draft, errors=errors)
    if proving.outcome is Outcome.STUCK:
        return pages.stuck_page(here, trouble=proving.text, ways=proving.ways, status=proving.status)
    is_error = proving.outcome is Outcome.WRONG_CODE
    return pages.code_page(
        here,
        draft,
        proving.verification,
        code_error=proving.text if is_error else "",
        notice="" if is_error else proving.text,
        status=pages.WRONG if is_error else 200,
    )


def _send(here: Here, draft: FormDraft) -> HttpResponse:
    try:
        submission = submit(draft)
    except FormRefused as refused:
        if refused.code == "expired":
            return _anew(here)
        if refused.code == "not_verified":
            return pages.stuck_page(here, trouble=refused.visitor, ways=[pages.new_code_way()])
        return pages.refused_page(here, refused, status=_TOO_LATE)
    draft.submission = submission
    return _done(here, draft)


def _done(here: Here, draft: FormDraft) -> HttpResponse:
    assert draft.submission is not None  # noqa: S101 - asked before
    if here.form.redirect_url and not here.is_framed:
        return HttpResponseRedirect(here.form.redirect_url)
    return pages.done_page(here, draft.submission)


def _draft(here: Here) -> FormDraft | None:
    return find_draft(here.form, here.visit.secret)


def _anew(here: Here) -> HttpResponse:
    notice = _("This page was open for too long. Fill in the form again.")
    return _unless_closed(here) or pages.fill_page(here, trouble=notice, status=_TOO_LATE)


def _unless_closed(here: Here) -> HttpResponse | None:
    """Return the page of a form that is closed, or that asks for its password first."""
    try:
        ensure_open(here.form)
    except FormRefused as refused:
        return pages.refused_page(here, refused)
    return None if here.visit.may_enter(here.form) else pages.password_page(here)


def _chosen_countries(here: Here) -> dict[str, str]:
    offered = pages.countries_for(here.form.organization, here.definition)
    usual = here.form.organization.default_region
    return chosen_countries(here.definition, here.posted, offered=offered, usual=usual)


def _read(here: Here, draft: FormDraft | None, *, chosen: dict[str, str]) -> Reading:
    return read_page(
        here.definition,
        here.posted,
        here.files,
        chosen=chosen,
        region=here.form.organization.default_region,
        kept=draft.answers if draft is not None else {},
    )
