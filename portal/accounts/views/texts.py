"""The SMS of a portal: which are sent in which language, and writing one with its preview."""

import uuid
from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from integrations.organizations.network import client_ip
from integrations.organizations.pages import MemberRequest, member_page
from integrations.organizations.roles import Capability
from messaging.templates.look import Look, look_at
from portal.accounts.forms import TextForm
from portal.accounts.models import Portal, PortalText
from portal.accounts.texts import (
    ABOUT_VARIABLES,
    VARIABLES,
    TextRefused,
    body_of,
    check_body,
    ours,
    sample_values,
    take_ours,
    write_text,
)
from portal.forms.public.languages import Language, offered_by

from .frame import context_of, portal_of


@member_page(Capability.EDIT_PORTALS)
def text_list(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """List every SMS of the portal in each of its languages, with what it takes."""
    portal = portal_of(request, pk)
    languages = offered_by(portal.form.languages)
    own = set(portal.texts.values_list("kind", "language"))
    kinds = []
    for kind in PortalText.Kind:
        rows = []
        for language in languages:
            is_own = (kind.value, language.code) in own
            look = _look(portal, kind.value, body_of(portal, kind.value, language.code))
            rows.append((language, is_own, look, not is_own and (kind.value, languages[0].code) in own))
        kinds.append((kind, _WHEN[kind], rows))
    context = {**context_of(request, portal, tab="portals:texts"), "kinds": kinds, "first": languages[0]}
    return render(request, "portal/accounts/texts.html", context)


@member_page(Capability.EDIT_PORTALS)
def text(request: MemberRequest, pk: uuid.UUID, kind: str, language: str) -> HttpResponse:
    """Write one SMS in one language, or take our words back."""
    portal, spoken = portal_of(request, pk), _language(request, pk, kind, language)
    is_sent = request.method == "POST"
    form = TextForm(request.POST if is_sent else None, initial={"body": body_of(portal, kind, language)})
    who: dict[str, Any] = {"kind": kind, "language": language, "actor": request.user, "ip": client_ip(request)}
    if is_sent and request.POST.get("do") == "ours":
        take_ours(portal, **who)
        messages.success(request, f"Our words are sent in {spoken.name} again.")
        return redirect("portals:texts", pk=pk)
    if is_sent and form.is_valid():
        try:
            write_text(portal, body=form.cleaned_data["body"], **who)
        except TextRefused as refused:
            form.add_error("body", str(refused))
        else:
            messages.success(request, f"Saved. “{PortalText.Kind(kind).label}” goes out so in {spoken.name}.")
            return redirect("portals:texts", pk=pk)
    body = form["body"].value() or ""
    context = {
        **context_of(request, portal, tab="portals:texts"),
        "title": f"{PortalText.Kind(kind).label}, {spoken.name}",
        "form": form,
        "kind": kind,
        "language": spoken,
        "when": _WHEN[PortalText.Kind(kind)],
        "variables": [(name, ABOUT_VARIABLES[name]) for name in VARIABLES[kind]],
        "ours": ours(kind, language),
        "is_own": portal.texts.filter(kind=kind, language=language).exists(),
        "look": _look(portal, kind, body),
    }
    return render(request, "portal/accounts/text.html", context, status=422 if is_sent else 200)


@member_page(Capability.EDIT_PORTALS)
@require_POST
def measure(request: MemberRequest, pk: uuid.UUID, kind: str, language: str) -> HttpResponse:
    """Show a text as it arrives, and what it takes, while it is written."""
    portal = portal_of(request, pk)
    _language(request, pk, kind, language)
    look = _look(portal, kind, request.POST.get("body", "")[:10_000], is_checked=True)
    return render(request, "messaging/templates/_measure.html", {"look": look, "may_replace": True})


_WHEN = {
    PortalText.Kind.INVITATION: "Sent when somebody is invited, with a link that works once.",
    PortalText.Kind.REMINDER: "Sent to the invited who have not come, after the days that the rules say.",
    PortalText.Kind.APPROVED: "Sent when you approve a registration.",
    PortalText.Kind.REJECTED: "Sent when you reject a registration, with the reason if you give one.",
    PortalText.Kind.NOTIFICATION: "Goes around what you write to people under Notifications.",
    PortalText.Kind.NEW_LOGIN: "Sent to somebody who logs in from a device that was not seen before.",
}


def _language(request: MemberRequest, pk: uuid.UUID, kind: str, code: str) -> Language:
    spoken = {one.code: one for one in offered_by(portal_of(request, pk).form.languages)}
    if kind not in PortalText.Kind.values or code not in spoken:
        raise Http404("The portal sends no such text.")
    return spoken[code]


def _look(portal: Portal, kind: str, body: str, *, is_checked: bool = False) -> Look:
    look = look_at(portal.organization, body=body, values=sample_values(portal, kind))
    # The variables stand beside the text already, each with what it means.
    look = replace(look, variables=(), is_sample=False)
    if is_checked and body.strip() and not look.problem:
        try:
            check_body(kind, body)
        except TextRefused as refused:
            return replace(look, problem=str(refused))
    return look
