"""API keys: the list, a new one, revoking one."""

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from integrations.organizations.api_keys import create_key, revoke_key
from integrations.organizations.forms import ApiKeyForm
from integrations.organizations.listing import page_of, search_words
from integrations.organizations.models import ApiKey
from integrations.organizations.network import client_ip
from integrations.organizations.pages import MemberRequest, member_page
from integrations.organizations.problems import OrganizationProblem
from integrations.organizations.roles import Capability
from integrations.organizations.scopes import EVERYTHING
from integrations.organizations.selectors import api_key_rows


@require_safe
@member_page(Capability.MANAGE_KEYS)
def api_keys(request: MemberRequest) -> HttpResponse:
    """List the keys, live ones first."""
    search = search_words(request)
    context = {
        "title": "API keys",
        "lead": "For programs and agents that work in the organization's name.",
        "search": search,
        "page": page_of(request, api_key_rows(request.organization, search=search)),
        "everything": len(EVERYTHING),
    }
    return render(request, "integrations/organizations/api_keys.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@member_page(Capability.MANAGE_KEYS)
def new(request: MemberRequest) -> HttpResponse:
    """Make a key; the answer to the form is the only page that ever shows it."""
    form = ApiKeyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            key, raw = create_key(
                request.organization,
                name=form.cleaned_data["name"],
                scopes=form.cleaned_data["scopes"],
                actor=request.user,
                ip=client_ip(request),
            )
        except OrganizationProblem as problem:
            form.add_problem(problem)
        else:
            context = {"title": "Your new API key", "key": key, "raw": raw, "base_url": settings.PUBLIC_BASE_URL}
            return render(request, "integrations/organizations/api_key_created.html", context)
    context = {"title": "New API key", "form": form}
    return render(request, "integrations/organizations/api_key_new.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(Capability.MANAGE_KEYS)
def revoke(request: MemberRequest, pk: UUID) -> HttpResponse:
    """Ask, then stop a key."""
    key = get_object_or_404(ApiKey.objects.select_related("organization"), pk=pk, organization=request.organization)
    if request.method == "POST":
        if revoke_key(key, actor=request.user, ip=client_ip(request)):
            messages.success(request, f"“{key.name}” was revoked: whatever uses it is refused from now on.")
        return redirect("organizations:api_keys")
    if not key.is_live:
        messages.info(request, f"“{key.name}” was revoked before.")
        return redirect("organizations:api_keys")
    context = {"title": f"Revoke “{key.name}”", "key": key}
    return render(request, "integrations/organizations/api_key_revoke.html", context)
