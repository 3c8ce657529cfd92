"""The list of contacts: searched, filtered, counted; and filters kept under a name."""

import json
import uuid
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from integrations.organizations.models import User, as_uuid
from integrations.organizations.network import client_ip
from integrations.organizations.pages import MemberRequest, member_page
from integrations.organizations.roles import Capability
from integrations.organizations.search_memory import key_of, recall, remember
from messaging.consent.opt_outs import STOP_TAG
from messaging.contacts import saving
from messaging.contacts.filter_form import FilterForm, in_words
from messaging.contacts.filters import ContactFilter, filtered
from messaging.contacts.models import SavedFilter
from messaging.contacts.quick_count import quick_count
from messaging.contacts.saving import SavingProblem
from messaging.contacts.selectors import contact_page, tags_of


@member_page(Capability.VIEW)
def contact_list(request: MemberRequest) -> HttpResponse:
    """List contacts; what is looked for arrives by POST, because a number must not stand in an address."""
    organization, key = request.organization, key_of(request)
    if request.method == "POST":
        form = FilterForm(request.POST, organization=organization)
        is_valid = form.is_valid()
        if is_valid:
            key = _remembered(request, form.wanted, key=key)
        address = reverse("contacts:list") + (f"?search={key}" if key else "")
        if is_valid and not request.htmx:
            return redirect(address)
    else:
        form = FilterForm(organization=organization, shows=asked_filter(request))
        is_valid = True
    wanted = form.wanted if is_valid else ContactFilter()
    asked = ({"search": key} if key else {}) if request.method == "POST" else _asked(request.GET)
    context = {
        "title": "Contacts",
        "lead": "The people your organization writes to, each with one phone number.",
        "form": form,
        "problems": [] if is_valid else form.all_errors(),
        "page": contact_page(organization, wanted, after=as_uuid(request.GET.get("after"))) if is_valid else None,
        "conditions": in_words(organization, wanted),
        "saved_filters": SavedFilter.objects.filter(organization=organization),
        "saved": _saved_or_none(request, request.GET.get("filter")),
        "is_narrowed": not wanted.is_empty,
        "asked": asked,
        "where": urlencode(asked),
        "stop_tag": STOP_TAG,
        "may_edit": request.member.can(Capability.EDIT_CONTACTS),
        "known_tags": tags_of(organization).exclude(name=STOP_TAG)[:200],
    }
    if request.method == "POST" and request.htmx:
        response = render(request, "messaging/contacts/_results.html", context)
        if is_valid:
            response["HX-Replace-Url"] = address
        return response
    return render(request, "messaging/contacts/list.html", context, status=200 if is_valid else 422)


@require_safe
@member_page(Capability.VIEW)
def contact_count(request: MemberRequest) -> HttpResponse:
    """Say how many contacts fit, as far as that can be counted in a moment."""
    rows = filtered(request.organization, asked_filter(request))
    return render(request, "messaging/contacts/_count.html", {"count": quick_count(rows)})


@member_page(Capability.EDIT_CONTACTS)
@require_POST
def filter_save(request: MemberRequest) -> HttpResponse:
    """Keep the filter of the list under a name."""
    wanted = asked_filter(request)
    back = f"{reverse('contacts:list')}?{where_of(request)}"
    try:
        saved = saving.save_filter(
            request.organization,
            name=request.POST.get("name", ""),
            wanted=wanted,
            actor=request.user,
            ip=client_ip(request),
        )
    except SavingProblem as problem:
        messages.error(request, str(problem))
        return redirect(back)
    messages.success(request, f"The filter “{saved.name}” is saved; everybody of your organization sees it.")
    return redirect(f"{reverse('contacts:list')}?filter={saved.pk}")


@member_page(Capability.VIEW)
def filter_list(request: MemberRequest) -> HttpResponse:
    """List the saved filters with what they ask for and who made them."""
    rows = list(SavedFilter.objects.filter(organization=request.organization))
    people = {user.pk: user.get_full_name() for user in User.objects.filter(pk__in={row.created_by_id for row in rows})}
    context = {
        "title": "Saved filters",
        "lead": "Choices of contacts that your organization uses again: in the list, for broadcasts and exports.",
        "rows": [_row(request, row, people) for row in rows],
        "may_edit": request.member.can(Capability.EDIT_CONTACTS),
    }
    return render(request, "messaging/contacts/filters.html", context)


@member_page(Capability.EDIT_CONTACTS)
def filter_edit(request: MemberRequest, filter_pk: uuid.UUID) -> HttpResponse:
    """Change the name of a saved filter and what it asks for."""
    saved = get_object_or_404(SavedFilter, organization=request.organization, pk=filter_pk)
    shows = ContactFilter.from_json(saved.wanted)
    form = FilterForm(request.POST or None, organization=request.organization, shows=shows)
    name, problem = request.POST.get("name", saved.name), ""
    if request.method == "POST" and form.is_valid():
        try:
            saving.change_filter(saved, name=name, wanted=form.wanted, actor=request.user, ip=client_ip(request))
        except SavingProblem as refused:
            problem = str(refused)
        else:
            messages.success(request, "Saved. What uses this filter from now on uses it as it is now.")
            return redirect("contacts:filters")
    context = {"title": f"Edit the filter {saved.name}", "form": form, "saved": saved, "name": name, "problem": problem}
    status = 422 if problem or form.errors else 200
    return render(request, "messaging/contacts/filter_edit.html", context, status=status)


@member_page(Capability.EDIT_CONTACTS)
def filter_delete(request: MemberRequest, filter_pk: uuid.UUID) -> HttpResponse:
    """Delete a saved filter, once the member has read what that means."""
    saved = get_object_or_404(SavedFilter, organization=request.organization, pk=filter_pk)
    if request.method == "POST":
        saving.delete_filter(saved, actor=request.user, ip=client_ip(request))
        messages.success(request, f"The filter “{saved.name}” was deleted.")
        return redirect("contacts:filters")
    context = {"title": f"Delete the filter {saved.name}?", "saved": saved}
    return render(request, "messaging/contacts/filter_delete.html", context)


def where_of(request: MemberRequest) -> str:
    """Return the part of the address that says which contacts it is about; nothing in it names anybody."""
    return urlencode(_asked(request.GET))


def asked_filter(request: MemberRequest, *, given: QueryDict | None = None) -> ContactFilter:
    """Return what the address (or `given`) asks for: a search of the session, a saved filter, or a tag."""
    asked = _asked(request.GET if given is None else given)
    if key := asked.get("search"):
        stored = recall(request, key=key).get("filter", "")
        return ContactFilter.from_json(json.loads(stored)) if stored else ContactFilter()
    if saved := _saved_or_none(request, asked.get("filter")):
        return ContactFilter.from_json(saved.wanted)
    tag = as_uuid(asked.get("tag"))
    return ContactFilter(tags_all=(tag,)) if tag else ContactFilter()


def is_forgotten(request: MemberRequest, *, given: QueryDict | None = None) -> bool:
    """Tell whether the address (or `given`) asks for a search or a saved filter that is not there any more.

    A list may then show everybody; what does something with many must not take everybody for what was meant.
    """
    asked = _asked(request.GET if given is None else given)
    if key := asked.get("search"):
        return not recall(request, key=key).get("filter")
    if wanted := asked.get("filter"):
        return _saved_or_none(request, wanted) is None
    return "tag" in asked and as_uuid(asked["tag"]) is None


def _asked(given: QueryDict) -> dict[str, str]:
    return {name: str(given[name]) for name in ("search", "filter", "tag") if given.get(name)}


def _saved_or_none(request: MemberRequest, wanted: str | None) -> SavedFilter | None:
    pk = as_uuid(wanted)
    return SavedFilter.objects.filter(organization=request.organization, pk=pk).first() if pk else None


def _remembered(request: MemberRequest, wanted: ContactFilter, *, key: str) -> str:
    stored = "" if wanted.is_empty else json.dumps(wanted.as_json())
    return remember(request, wanted={"filter": stored}, key=key)


def _row(request: MemberRequest, saved: SavedFilter, people: dict[uuid.UUID, str]) -> dict[str, Any]:
    wanted = ContactFilter.from_json(saved.wanted)
    conditions = in_words(request.organization, wanted)
    if wanted.query:
        conditions.insert(0, "a search")
    owner = people.get(saved.created_by_id, "") if saved.created_by_id else ""
    return {"saved": saved, "conditions": conditions, "owner": owner}
