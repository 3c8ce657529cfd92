"""The profile: name, answers and language."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from portal.accounts import sessions
from portal.accounts.profile import Profile, ProfileRefused, change_profile, profile_of
from portal.accounts.public.shell import LANGUAGE, WRONG, Here, page, portal_page
from portal.forms.display import shown_answer
from portal.forms.public.countries import every_country, likely_region
from portal.forms.public.reading import chosen_countries, lost_files, read_page, typed
from portal.forms.public.shown import Values, show
from portal.forms.receiving import sent_files


@portal_page(takes_files=True)
def profile(request: HttpRequest, here: Here) -> HttpResponse:
    """Show what the person answered, and take what they change."""
    known = profile_of(here.user)
    if request.method != "POST":
        notice = _("Your profile was saved.") if "saved" in request.GET else ""
        return _page(here, known, _as_typed(known), name=known.name, notice=notice)
    files = sent_files(request)
    usual = here.organization.default_region
    chosen = chosen_countries(known.questions, here.posted, offered=every_country(), usual=usual)
    reading = read_page(known.questions, here.posted, files, chosen=chosen, region=usual, kept=known.answers)
    name = here.posted.get("name", known.name)
    again: dict[str, Any] = {"name": name, "chosen": chosen}
    values = typed(known.questions, here.posted)
    if "speak" in here.posted:
        return _page(here, known, values, **again)
    if not reading.is_good:
        errors = {**lost_files(known.questions, files), **reading.problems}
        return _page(here, known, values, errors=errors, **again)
    language = here.posted.get("language", "")
    if language not in {one.code for one in here.languages}:
        language = known.language
    try:
        change_profile(here.user, reading=reading, name=name, language=language, ip=here.ip)
    except ProfileRefused as refused:
        return _page(here, known, values, trouble=str(refused), **again)
    response = redirect(here.link("profile") + "?saved")
    if language:
        sessions.put_cookie(response, request, here.portal, LANGUAGE, language)
    return response


def _page(
    here: Here,
    known: Profile,
    values: Values,
    *,
    name: str,
    errors: dict[str, str] | None = None,
    chosen: dict[str, str] | None = None,
    notice: str = "",
    trouble: str = "",
) -> HttpResponse:
    countries = every_country()
    usual = likely_region("", usual=here.organization.default_region, offered=countries)
    fields = show(
        known.questions,
        values=values,
        errors=errors or {},
        countries=countries,
        chosen={one.key: (chosen or {}).get(one.key, usual) for one in known.questions.fields},
        kept={key: str(value.get("name", "")) for key, value in known.answers.items() if isinstance(value, dict)},
    )
    context = {
        "fields": fields,
        "problems": [{"id": one.id, "label": one.label, "text": one.error} for one in fields if one.error],
        "has_errors": bool(errors or trouble),
        "has_files": any(one.kind == "file" for one in known.questions.fields),
        "asks_name": not known.named_by,
        "name": name,
        "own_language": known.language or here.language.code,
        "notice": notice,
        "trouble": trouble,
        "speaks_by": "profile",
    }
    return page(here, "inside/profile", context, status=WRONG if errors or trouble else 200)


def _as_typed(known: Profile) -> dict[str, Any]:
    """Return the answers as they stand in the fields."""
    return {
        one.key: value if isinstance(value := known.answers[one.key], list | bool) else shown_answer(one, value)
        for one in known.questions.fields
        if one.key in known.answers
    }
