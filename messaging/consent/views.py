"""Pages of opt-outs: who is not written to, since when and why; and what a member may do about it."""

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from integrations.organizations.models import as_uuid
from integrations.organizations.network import client_ip
from integrations.organizations.pages import MemberRequest, member_page
from integrations.organizations.roles import Capability
from integrations.organizations.search_memory import key_of, recall, remember
from messaging.contacts.selectors import find_contact

from .forms import OptOutForm
from .models import OptOut
from .opt_outs import OptOutProblem, end_by_member, opt_out
from .selectors import find_opt_outs, page_of

STATES = {"": "All", "active": "In force", "past": "Ended"}


@member_page(Capability.VIEW)
def opt_out_list(request: MemberRequest) -> HttpResponse:
    """List opt-outs; a search arrives by POST, because a number must not stand in an address."""
    organization, key = request.organization, key_of(request)
    if request.method == "POST":
        wanted = {"q": request.POST.get("q", ""), "state": request.POST.get("state", "")}
        key = remember(request, wanted=wanted, key=key)
        address = reverse("consent:list") + (f"?search={key}" if key else "")
        if not request.htmx:
            return redirect(address)
    else:
        wanted = recall(request, key=key) or {"state": request.GET.get("state", "")}
    rows = find_opt_outs(organization, query=wanted.get("q", ""), state=wanted.get("state", ""))
    context = {
        "title": "Opt-outs",
        "lead": "Who asked not to be written to. Nothing is sent to them, except a code they have just asked for.",
        "page": page_of(rows, organization=organization, after=as_uuid(request.GET.get("after"))),
        "q": wanted.get("q", ""),
        "state": wanted.get("state", ""),
        "states": STATES.items(),
        "is_narrowed": any(wanted.values()),
        "search": key,
        "may_edit": request.member.can(Capability.EDIT_CONTACTS),
    }
    if request.method == "POST":
        response = render(request, "messaging/consent/_results.html", context)
        response["HX-Replace-Url"] = address
        return response
    return render(request, "messaging/consent/list.html", context)


@member_page(Capability.EDIT_CONTACTS)
def opt_out_new(request: MemberRequest) -> HttpResponse:
    """Opt a number out by hand."""
    form = OptOutForm(request.POST or None, organization=request.organization)
    if request.method == "POST" and form.is_valid():
        phone = form.cleaned_data["phone"]
        opt_out(
            request.organization,
            phone=phone.e164,
            source=OptOut.Source.STAFF,
            actor=request.user,
            ip=client_ip(request),
        )
        messages.success(request, "Opted out. Nothing is sent to this number any more.")
        return redirect("consent:list")
    context = {"title": "Opt a number out", "form": form}
    return render(request, "messaging/consent/form.html", context, status=422 if form.is_bound else 200)


@member_page(Capability.EDIT_CONTACTS)
@require_POST
def opt_out_end(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """End an opt-out that a member made."""
    standing = get_object_or_404(
        OptOut.objects.select_related("organization"), organization=request.organization, pk=pk
    )
    try:
        end_by_member(standing, actor=request.user, ip=client_ip(request))
    except OptOutProblem as problem:
        messages.error(request, problem.message)
    else:
        messages.success(request, "The opt-out has ended; messages to this number are sent again.")
    contact = find_contact(request.organization, request.POST.get("contact"))
    return redirect("contacts:detail", pk=contact.pk) if contact else redirect("consent:list")
