"""The pages that a visitor sees, each from what it has to say; in the language that is active."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from integrations.clock import database_now
from integrations.organizations.models import Organization
from integrations.phones import Phone, pretty
from messaging.verification import arrival, challenge, codes, life, limits, ways
from messaging.verification.askers import Asker
from messaging.verification.models import Verification, VerificationSend
from messaging.verification.moves import NOT_DELIVERED
from messaging.verification.sentences import visitor_sentence
from portal.forms.arriving import way_back_of
from portal.forms.definition import Definition
from portal.forms.display import shown_answer
from portal.forms.models import FormDraft, Submission
from portal.forms.opening import FormRefused
from portal.forms.proof import proof_of

from .countries import Country, every_country, likely_region, some_countries
from .here import Here
from .languages import Language
from .shown import show
from .theme import theme_of

_FOLDER = "portal/forms/public"
WRONG = 422  # what was entered is not right yet


@dataclass(frozen=True)
class Way:
    """Something to press where no code came: another one, or one over another channel. `wait` are seconds."""

    label: str
    channel: str
    wait: int = 0

    @property
    def waiting(self) -> str:
        """The label while it counts down; the script puts the number in the place of {}."""
        return _("%(label)s (in {} seconds)") % {"label": self.label}


def fill_page(
    here: Here,
    *,
    values: Mapping[str, Any] | None = None,
    errors: Mapping[str, str] | None = None,
    chosen: Mapping[str, str] | None = None,
    kept: Mapping[str, str] | None = None,
    trouble: str = "",
    notice: str = "",
    is_proved: bool = False,
    status: int = 200,
) -> HttpResponse:
    """The questions: empty, or with what was entered and what is wrong with it."""
    form, definition, errors = here.form, here.definition, errors or {}
    countries = countries_for(form.organization, definition)
    usual = likely_region(here.accept_language, usual=form.organization.default_region, offered=countries)
    fields = show(
        definition,
        values=values or {},
        errors=errors,
        countries=countries,
        chosen={field.key: (chosen or {}).get(field.key, usual) for field in definition.fields},
        kept=kept or {},
        is_proved=is_proved,
    )
    # Solved while somebody fills in, so that nobody waits; who comes without gets a page of its own.
    may_need_task = definition.verified_field is not None and not is_proved
    needs_task = may_need_task and challenge.is_needed(form.organization, here.asker)
    context = {
        "fields": fields,
        "problems": [{"id": one.id, "label": one.label, "text": one.error} for one in fields if one.error],
        "has_errors": bool(errors or trouble),
        "has_files": any(field.kind == "file" for field in definition.fields),
        "asks_for_proof": definition.verified_field is not None,
        "trouble": trouble,
        "notice": notice,
        "task": _task(here) if needs_task else "",
    }
    return _page(here, "fill", context, status=WRONG if errors else status)


def entered_again(here: Here, draft: FormDraft, **more: Any) -> HttpResponse:
    """The questions with the answers that are kept already."""
    definition = here.definition
    values = {
        field.key: draft.answers[field.key]
        if isinstance(draft.answers[field.key], list | bool)
        else shown_answer(field, draft.answers[field.key])
        for field in definition.fields
        if field.key in draft.answers
    }
    return fill_page(here, values=values, kept=kept_names(draft), is_proved=proof_of(draft) is not None, **more)


def kept_names(draft: FormDraft | None) -> dict[str, str]:
    """Return the names of the files of a draft by their fields."""
    answers = draft.answers if draft is not None else {}
    return {key: str(value.get("name", "")) for key, value in answers.items() if isinstance(value, dict)}


def countries_for(organization: Organization, definition: Definition) -> tuple[Country, ...]:
    """Return the countries to choose from: those that codes are sent to, where the number has to be proved."""
    if definition.number_field is None:
        return ()
    if definition.verified_field is None:
        return every_country()
    return some_countries(limits.regions_of(organization, limits.policy_of(organization)))


def code_page(
    here: Here,
    draft: FormDraft,
    verification: Verification | None,
    *,
    code_error: str = "",
    notice: str = "",
    status: int = 200,
) -> HttpResponse:
    """Where the code is entered. Without a verification one is on its way from another press of the same button."""
    context = code_context(verification, code_error=code_error, notice=notice)
    return _page(here, "code", {**context, "sent": sent_sentence(draft.phone, verification)}, status=status)


def code_context(verification: Verification | None, *, code_error: str = "", notice: str = "") -> dict[str, Any]:
    """Return what every page says on which a code is entered.

    A code that is known to have got lost is told at once: nobody has to wait for it.
    """
    is_own = verification is not None and verification.backend == Verification.Backend.OWN
    is_lost = verification is not None and arrival.is_lost(verification)
    return {
        "can_check": True,
        "code_error": code_error,
        "has_errors": bool(code_error or is_lost),
        "trouble": visitor_sentence(reason=NOT_DELIVERED) if is_lost else "",
        "is_lost": is_lost,
        # Of codes of our own it is known at once where the message failed; the script asks.
        "listens": is_own and not is_lost,
        "code_length": codes.LENGTH if is_own else 0,
        "ways": ways_of(verification),
        "notice": "" if is_lost else notice,
    }


def stuck_page(here: Here, *, trouble: str, ways: Sequence[Way] = (), status: int = 200) -> HttpResponse:
    """Where no code can be entered just now: why, and what can be done."""
    context = {"can_check": False, "trouble": trouble, "has_errors": True, "ways": ways}
    return _page(here, "code", context, status=status)


def challenge_page(here: Here, *, waiting: str = "") -> HttpResponse:
    """A task for the browser, or a wait where no script runs, before a code is sent."""
    context = challenge_context(here.form.organization, here.asker, waiting=waiting)
    return _page(here, "challenge", {**context, "channel": here.posted.get("channel", "")})


def challenge_context(organization: Organization, asker: Asker, *, waiting: str = "") -> dict[str, Any]:
    """Return what a page with a task says: the task, and the wait instead. A wait that has begun goes on."""
    seconds = challenge.seconds_to_wait(waiting) if waiting else 0
    token = waiting if seconds else challenge.waiting_token(asker)
    return {
        "task": challenge.make(organization, asker).text,
        "waiting": token,
        "seconds": seconds or challenge.seconds_to_wait(token),
        "is_early": bool(seconds),
    }


def _task(here: Here) -> str:
    return challenge.make(here.form.organization, here.asker).text


def done_page(here: Here, submission: Submission) -> HttpResponse:
    """The end of a visit that went well."""
    form = here.form
    context = {
        "leads_to": form.redirect_url,
        "verified_number": shown_number(submission.phone) if submission.verified_at else "",
        "way_back": way_back_of(submission),
    }
    return _page(here, "done", context)


def password_page(here: Here, *, error: str = "", status: int = 200) -> HttpResponse:
    """The question for the form's password."""
    return _page(here, "password", {"password_error": error, "has_errors": bool(error)}, status=status)


def refused_page(here: Here, refused: FormRefused, *, status: int = 200) -> HttpResponse:
    """A form that takes nothing just now, in its own words where it has some."""
    form = here.form
    is_own = refused.visitor == form.closed_message.strip()
    context: dict[str, Any] = {
        "headline": form.title,
        "is_authored": True,
        "own_words": refused.visitor if is_own else "",
        "explanation": "" if is_own else refused.visitor,
    }
    if refused.code == "not_yet" and form.opens_at is not None:
        with timezone.override(form.organization.time_zone):
            moment = timezone.localtime(form.opens_at)
            when = f"{date_format(moment, 'DATETIME_FORMAT')} ({moment:%Z})"
        context["explanation"] = _("This form opens on %(when)s. Come back then with the same link.") % {"when": when}
    return _page(here, "message", context, status=status)


def missing_page(language: Language) -> HttpResponse:
    """An address without a form."""
    context = {
        "language": language,
        "headline": _("There is no form here"),
        "explanation": _("The link may be incomplete or no longer in use. Ask whoever sent it to you for a new one."),
    }
    return HttpResponse(render_to_string(f"{_FOLDER}/message.html", context), status=404)


def wait_page(here: Here, *, explanation: str, status: int) -> HttpResponse:
    """Something that cannot be done as it was asked."""
    return _page(here, "message", {"headline": _("This did not work"), "explanation": explanation}, status=status)


_SENT: dict[str, Callable[[], str]] = {
    Verification.Channel.SMS: lambda: _("We sent a text message with a code to {number}."),
    Verification.Channel.CALL: lambda: _("We are calling {number} to say a code to you."),
    Verification.Channel.WHATSAPP: lambda: _("We sent a code by WhatsApp to {number}."),
}


def sent_sentence(phone: str, verification: Verification | None) -> SafeString:
    """Return the sentence that says by which way the code is coming, and to which number."""
    channel = _last_channel(verification)
    return format_html(_SENT.get(channel, _SENT[Verification.Channel.SMS])(), number=shown_number(phone))


def shown_number(phone: str) -> SafeString:
    """Return a number that stands from left to right in whatever text."""
    return format_html('<bdi class="number" dir="ltr">{}</bdi>', pretty(phone))


def _last_channel(verification: Verification | None) -> str:
    """Return the channel by which the last code went out; one that was refused sent none."""
    if verification is None:
        return str(Verification.Channel.SMS)
    sends = verification.attempts.exclude(outcome=VerificationSend.Outcome.REFUSED)
    return str(sends.values_list("channel", flat=True).last() or verification.channel)


def ways_of(verification: Verification | None) -> list[Way]:
    """Return the ways to another code while one is awaited."""
    if verification is None:
        return []
    wait = max(0, round((verification.resend_after - database_now()).total_seconds()))
    labels = {Verification.Channel.SMS: _("Send the code again by text message"), **_other_labels()}
    offered = life.offered_channels(verification)
    return [Way(labels[channel], channel, wait) for channel in labels if channel in offered]


def other_ways(organization: Organization, phone: Phone) -> list[Way]:
    """Return the ways to a first code where a text message is none."""
    labels, offered = _other_labels(), ways.channels_for(organization, phone=phone)
    return [Way(labels[channel], channel) for channel in labels if channel in offered]


def _other_labels() -> dict[str, str]:
    return {
        Verification.Channel.CALL: _("Call me and say the code"),
        Verification.Channel.WHATSAPP: _("Send the code by WhatsApp"),
    }


def call_way() -> Way:
    """Return the way by call."""
    return Way(_other_labels()[Verification.Channel.CALL], Verification.Channel.CALL)


def new_code_way(*, wait: int = 0) -> Way:
    """Return the way to a first code after something went wrong."""
    return Way(_("Send a new code"), Verification.Channel.SMS, wait)


def _page(here: Here, name: str, context: Mapping[str, Any], *, status: int = 200) -> HttpResponse:
    form = here.form
    pictures = {picture.place: picture.pk for picture in form.pictures.only("place", "form_id")}
    frame: dict[str, Any] = {
        "form": form,
        "organization_name": form.organization.name,
        "language": here.language,
        "languages": here.languages,
        "nonce": here.nonce,
        "theme": theme_of(form.color),
        "is_framed": here.is_framed,
        "action": here.action,
        "state": here.visit.seal(form),
        "authored": format_html(' lang="{}"', here.authored_tag) if here.authored_tag else "",
        **{f"{place}_url": reverse("form-picture", args=[form.token, pk]) for place, pk in pictures.items()},
    }
    return HttpResponse(render_to_string(f"{_FOLDER}/{name}.html", {**frame, **context}), status=status)
