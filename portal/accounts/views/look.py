"""How a portal looks: its welcome, languages, colour and pictures, which are those of its form."""

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from integrations.organizations.network import client_ip
from integrations.organizations.pages import MemberRequest, member_page
from integrations.organizations.roles import Capability
from portal.accounts.forms import PortalLookForm
from portal.forms.selectors import pictures_of
from portal.forms.settling import change_form
from portal.forms.views.frame import context_of, form_of, link
from portal.forms.views.settling import picture_places


@member_page(Capability.EDIT_PORTALS)
def form_home(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Lead to the portal: the form of one has no overview of its own."""
    return redirect("portals:detail", pk=form_of(request, pk).portal.pk)


@member_page(Capability.EDIT_PORTALS)
def look(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Change welcome, languages and colour."""
    row = form_of(request, pk)
    form = PortalLookForm(request.POST) if request.method == "POST" else PortalLookForm.of(row.portal)
    if request.method == "POST" and form.is_valid():
        changed = change_form(row, values=form.values(), actor=request.user, ip=client_ip(request))
        messages.success(request, "Saved." if changed else "Nothing was changed.")
        return redirect(link(request, "look", pk))
    context = {**context_of(request, row, tab="look"), "form": form, "pictures": picture_places(pictures_of(row))}
    return render(request, "portal/accounts/look.html", context, status=422 if form.is_bound else 200)
