"""The page "Why this route"."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache

from integrations.organizations.pages import MemberRequest, member_page
from integrations.organizations.roles import Capability

from .explaining import explain_route
from .forms import RouteForm


@never_cache
@member_page(Capability.SEND)
def why(request: MemberRequest) -> HttpResponse:
    """Show the route of a number that is typed in; it arrives by POST, because it must not stand in an address."""
    form = RouteForm(request.POST if request.method == "POST" else None, organization=request.organization)
    explained = None
    if form.is_bound and form.is_valid():
        explained = explain_route(
            request.organization, phone=form.cleaned_data["to"], purpose=form.cleaned_data["purpose"]
        )
    context = {
        "title": "Why this route",
        "lead": "Which way a message to a number would go, who pays it, and what would stop it. Nothing is sent.",
        "form": form,
        "explained": explained,
    }
    status = 422 if form.is_bound and explained is None else 200
    return render(request, "messaging/routing/why.html", context, status=status)
