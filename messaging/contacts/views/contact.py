"""Pages of the address book."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from integrations.organizations.network import client_ip
from integrations.organizations.pages import MemberRequest, member_page
from integrations.organizations.places import languages
from integrations.organizations.roles import Capability
from integrations.phones import PhoneProblem, parse_phone
from messaging.consent.ledger_selectors import panel_of
from messaging.consent.opt_outs import STOP_TAG, opt_out
from messaging.consent.selectors import history_of, standing_of
from messaging.contacts import address_book
from messaging.contacts.address_book import ContactProblem
from messaging.contacts.attributes import definitions_of, shown
from messaging.contacts.bulk import Choice
from messaging.contacts.erasure import erasing
from messaging.contacts.forms import ContactForm
from messaging.contacts.models import Contact, Tag
from messaging.contacts.selectors import some_contacts, tags_of
from messaging.contacts.timeline import timeline
from messaging.sending.selectors import LogFilter, message_log
from messaging.sending.statuses import IN_FLIGHT, WAITING


@member_page(Capability.EDIT_CONTACTS)
def contact_new(request: MemberRequest) -> HttpResponse:
    """Add a contact by hand."""
    form = ContactForm(request.POST or None, organization=request.organization)
    if request.method == "POST" and form.is_valid():
        try:
            contact = address_book.create_contact(
                request.organization, details=form.details(), actor=request.user, ip=client_ip(request)
            )
        except ContactProblem as problem:
            form.add_problem(problem)
        else:
            messages.success(request, f"{contact.name or 'The contact'} is in your contacts.")
            return redirect("contacts:detail", pk=contact.pk)
    context = {"title": "New contact", "form": form, **_recognition(request, request.POST.get("phone", ""))}
    return render(request, "messaging/contacts/form.html", context, status=_status_of(form))


@member_page(Capability.EDIT_CONTACTS)
def contact_edit(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Change a contact."""
    contact = _contact(request, pk)
    initial = ContactForm.initial_of(contact)
    form = ContactForm(request.POST or None, organization=request.organization, contact=contact, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            changed = address_book.update_contact(
                contact, details=form.details(), actor=request.user, ip=client_ip(request)
            )
        except ContactProblem as problem:
            form.add_problem(problem)
        else:
            messages.success(request, "Saved." if changed else "Nothing had changed.")
            return redirect("contacts:detail", pk=pk)
    typed = request.POST.get("phone", "") if request.method == "POST" else contact.phone
    # A refused form has set the new values on the object; the page still speaks of the contact as it is stored.
    contact = _contact(request, pk)
    context = {
        "title": f"Edit {contact.name or 'contact'}",
        "form": form,
        "contact": contact,
        **_recognition(request, typed),
    }
    return render(request, "messaging/contacts/form.html", context, status=_status_of(form))


@member_page(Capability.VIEW)
def contact_detail(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Show one contact: facts, tags, what they agreed to, and what was written lately."""
    contact = _contact(request, pk)
    standing = standing_of(request.organization, phone=contact.phone)
    context = {
        "title": contact.name or "Contact without a name",
        "standing": standing,
        "is_blocked": any(row.scope == row.Scope.ORGANIZATION for row in standing),
        "past": history_of(request.organization, phone=contact.phone),
        "consent": panel_of(request.organization, phone=contact.phone),
        "story": timeline(request.organization, contact, before=request.GET.get("before", "")),
        "attributes": _attributes(contact),
        "time_zone": contact.time_zone.replace("_", " "),
        "may_send": request.member.can(Capability.SEND),
        "language": dict(languages()).get(contact.language, contact.language),
        **_tag_context(request, contact),
    }
    return render(request, "messaging/contacts/detail.html", context)


@member_page(Capability.EDIT_CONTACTS)
def contact_delete(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Delete a contact, once the member has read what that means."""
    contact = _contact(request, pk)
    if request.method == "POST":
        address_book.delete_contact(contact, actor=request.user, ip=client_ip(request))
        messages.success(request, f"{contact.name or 'The contact'} was deleted.")
        return redirect("contacts:list")
    written = message_log(request.organization, wanted=LogFilter()).filter(contact=contact)
    context = {
        "title": f"Delete {contact.name or 'this contact'}?",
        "contact": contact,
        "message_count": written.count(),
        "waiting_count": written.filter(status__in=WAITING | IN_FLIGHT).count(),
        "standing": standing_of(request.organization, phone=contact.phone),
    }
    return render(request, "messaging/contacts/delete.html", context)


@member_page(Capability.EDIT_CONTACTS)
def contact_erase(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Erase a person for good, once the member has read what that means and has written so."""
    contact, problem = _contact(request, pk), ""
    if request.method == "POST":
        if request.POST.get("typed", "").strip().lower() == erasing.ERASE_WORD:
            job = erasing.start_erasing(
                request.organization,
                choice=Choice(ids=(contact.pk,)),
                total=1,
                actor=request.user,
                ip=client_ip(request),
            )
            return redirect("contacts:work", job_pk=job.pk)
        problem = f"Write “{erasing.ERASE_WORD}” to confirm."
    context = {
        "title": f"Erase {contact.name or 'this contact'}?",
        "contact": contact,
        "problem": problem,
        "erase_word": erasing.ERASE_WORD,
    }
    return render(request, "messaging/contacts/erase.html", context, status=422 if problem else 200)


@member_page(Capability.EDIT_CONTACTS)
@require_POST
def tag_add(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Tag a contact, in place or on its page."""
    contact = _contact(request, pk)
    name, problem = request.POST.get("name", ""), ""
    try:
        address_book.add_tag(contact, name=name, actor=request.user, ip=client_ip(request))
    except ContactProblem as refused:
        problem = refused.detail
    return _tags_changed(request, contact, problem=problem, typed=name if problem else "")


@member_page(Capability.EDIT_CONTACTS)
@require_POST
def tag_remove(request: MemberRequest, pk: uuid.UUID, tag_pk: uuid.UUID) -> HttpResponse:
    """Take a tag from a contact."""
    contact = _contact(request, pk)
    tag, problem = get_object_or_404(Tag, organization=request.organization, pk=tag_pk), ""
    try:
        address_book.remove_tag(contact, tag=tag, actor=request.user, ip=client_ip(request))
    except ContactProblem as refused:
        problem = refused.detail
    return _tags_changed(request, contact, problem=problem)


@member_page(Capability.EDIT_CONTACTS)
@require_POST
def contact_opt_out(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Note down that a contact wants no more messages."""
    contact = _contact(request, pk)
    opt_out(request.organization, phone=contact.phone, source="staff", actor=request.user, ip=client_ip(request))
    messages.success(request, f"{contact.name or 'The contact'} is opted out. Nothing is sent to them any more.")
    return redirect("contacts:detail", pk=pk)


@member_page(Capability.VIEW)
@require_POST
def recognise(request: MemberRequest) -> HttpResponse:
    """Say how a number is understood while it is typed."""
    typed = request.POST.get("phone") or request.POST.get("to") or ""
    return render(request, "messaging/contacts/_recognised.html", _recognition(request, typed))


@member_page(Capability.VIEW)
@require_POST
def options(request: MemberRequest) -> HttpResponse:
    """Give contacts to choose from, as options of a select."""
    found = some_contacts(request.organization, query=request.POST.get("contact_query", "")[:200])
    return render(request, "messaging/contacts/_options.html", {"contacts": found})


def _attributes(contact: Contact) -> list[tuple[str, str]]:
    """Return what is kept about the contact, label and value; of what is in the archive only what is filled in."""
    rows = []
    for definition in definitions_of(contact.organization, with_archived=True):
        value = shown(definition, contact.attributes.get(definition.key))
        if value or definition.archived_at is None:
            rows.append((definition.label, value))
    return rows


def _contact(request: MemberRequest, pk: uuid.UUID) -> Contact:
    return get_object_or_404(Contact.objects.select_related("organization"), organization=request.organization, pk=pk)


def _recognition(request: MemberRequest, typed: str) -> dict[str, Any]:
    """Return how the typed number is read; `problem` while it is none yet."""
    if not typed.strip():
        return {}
    try:
        return {"recognised": parse_phone(typed[:60], region=request.organization.default_region, allow_magic=True)}
    except PhoneProblem as problem:
        return {"problem": problem.message}


def _tag_context(request: MemberRequest, contact: Contact) -> dict[str, Any]:
    return {
        "contact": contact,
        "tags": contact.tags.all(),
        "known_tags": tags_of(request.organization).exclude(name=STOP_TAG)[:200],
        "stop_tag": STOP_TAG,
        "may_edit": request.member.can(Capability.EDIT_CONTACTS),
    }


def _tags_changed(request: MemberRequest, contact: Contact, *, problem: str = "", typed: str = "") -> HttpResponse:
    if request.htmx:
        context = {**_tag_context(request, contact), "tag_problem": problem, "tag_typed": typed}
        return render(request, "messaging/contacts/_tags.html", context)
    if problem:
        messages.error(request, problem)
    return redirect("contacts:detail", pk=contact.pk)


def _status_of(form: ContactForm) -> int:
    return 422 if form.is_bound and form.errors else 200
