"""Duplicates: suggestions, a choice of what to keep, and the merge."""

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_safe

from integrations.organizations.network import client_ip
from integrations.organizations.pages import MemberRequest, member_page
from integrations.organizations.roles import Capability
from messaging.consent.selectors import standing_of
from messaging.contacts import merging
from messaging.contacts.filters import ContactFilter
from messaging.contacts.merging import MergeProblem
from messaging.contacts.models import Contact
from messaging.contacts.selectors import contact_page


@require_safe
@member_page(Capability.EDIT_CONTACTS)
def duplicates(request: MemberRequest) -> HttpResponse:
    """Show contacts that may be the same person."""
    context = {
        "title": "Duplicates",
        "lead": "Contacts that may be the same person. Each number has one contact, so these have several numbers.",
        "suggestions": merging.suggestions(request.organization),
    }
    return render(request, "messaging/contacts/duplicates.html", context)


@member_page(Capability.EDIT_CONTACTS)
def merge_pick(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Find the other contact; the search arrives by POST, because a number must not stand in an address."""
    contact = _contact(request, pk)
    query = request.POST.get("q", "")
    found = contact_page(request.organization, ContactFilter(query=query), size=20).contacts if query.strip() else []
    context = {
        "title": f"Merge {contact.name or 'this contact'} with …",
        "contact": contact,
        "q": query,
        "found": [one for one in found if one.pk != contact.pk],
    }
    return render(request, "messaging/contacts/merge_pick.html", context)


@member_page(Capability.EDIT_CONTACTS)
def merge(request: MemberRequest, pk: uuid.UUID, other_pk: uuid.UUID) -> HttpResponse:
    """Ask which values to keep, say what will happen, and merge."""
    kept, dropped = _contact(request, pk), _contact(request, other_pk)
    differences = merging.differences(kept, dropped)
    if kept.pk == dropped.pk:
        return redirect("contacts:merge_pick", pk=pk)
    if request.method == "POST":
        chosen = [one.name for one in differences if request.POST.get(one.name) == "second"]
        try:
            merging.merge(
                request.organization,
                keep=kept.pk,
                drop=dropped.pk,
                from_dropped=chosen,
                actor=request.user,
                ip=client_ip(request),
            )
        except MergeProblem as problem:
            messages.error(request, str(problem))
            return redirect("contacts:duplicates")
        messages.success(request, "The two are one contact now.")
        return redirect("contacts:detail", pk=kept.pk)
    context = {
        "title": f"Merge {kept.name or 'a contact without a name'} and {dropped.name or 'a contact without a name'}?",
        "kept": kept,
        "dropped": dropped,
        "differences": differences,
        "standing": [
            one for contact in (kept, dropped) for one in standing_of(request.organization, phone=contact.phone)
        ],
    }
    return render(request, "messaging/contacts/merge.html", context)


def _contact(request: MemberRequest, pk: uuid.UUID) -> Contact:
    return get_object_or_404(Contact.objects.select_related("organization"), organization=request.organization, pk=pk)
