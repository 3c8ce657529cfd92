"""The terms of a portal: writing them, publishing versions, and who accepted which."""

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from integrations.organizations.network import client_ip
from integrations.organizations.pages import MemberRequest, member_page
from integrations.organizations.roles import Capability
from portal.accounts import setting_up
from portal.accounts.forms import TermsForm
from portal.accounts.selectors import terms_of
from portal.accounts.setting_up import SetupProblem
from portal.forms.public.languages import LANGUAGES, offered_by

from .frame import act, context_of, portal_of


@member_page(Capability.EDIT_PORTALS)
def terms(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Show the terms and publish a version of them."""
    portal = portal_of(request, pk)
    languages = offered_by(portal.form.languages)
    is_sent = request.method == "POST"
    form = TermsForm(request.POST, languages=languages) if is_sent else TermsForm.of(portal, languages)
    if is_sent and form.is_valid():
        former = portal.terms
        try:
            published = setting_up.publish_terms(
                portal, texts=form.cleaned_data, actor=request.user, ip=client_ip(request)
            )
        except SetupProblem as problem:
            form.add_error(problem.part or None, problem.detail)
        else:
            said = f"Version {published.number} is what people accept from now on."
            messages.success(request, "Nothing was changed." if published == former else said)
            return redirect("portals:terms", pk=pk)
    context = {
        **context_of(request, portal, tab="portals:terms"),
        "form": form,
        "versions": [
            (version, count, [(LANGUAGES[code], text) for code, text in version.texts.items() if code in LANGUAGES])
            for version, count in terms_of(portal)
        ],
        "languages": languages,
        "missing": [one.name for one in languages if portal.terms and one.code not in portal.terms.texts],
    }
    return render(request, "portal/accounts/terms.html", context, status=422 if is_sent else 200)


@member_page(Capability.EDIT_PORTALS)
@require_POST
def terms_remove(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Ask nobody to accept terms any more."""
    portal = portal_of(request, pk)

    def verb() -> str:
        if not setting_up.remove_terms(portal, actor=request.user, ip=client_ip(request)):
            raise SetupProblem("There were no terms to take away.")
        return "Nobody is asked to accept terms any more. Who accepted which version stays below."

    return act(request, portal, verb, then="portals:terms")
