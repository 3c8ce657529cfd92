"""Inviting many: contacts or a file, which column holds what, every row checked, and then sent."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from integrations.organizations.network import client_ip
from integrations.organizations.pages import MemberRequest, member_page
from integrations.organizations.roles import Capability
from messaging.csv_files.forms import MappingForm, ReadingForm, UploadField
from messaging.csv_files.inspection import dialect_in_words, inspect
from messaging.csv_files.problems import FileProblem
from messaging.csv_files.receiving import takes_file
from portal.accounts import inviting_many
from portal.accounts.batch_models import PortalInvitationBatch
from portal.accounts.inviting_many import BatchProblem
from portal.accounts.models import Portal
from portal.accounts.people_forms import InviteContactsForm, RoleAndLanguageForm
from portal.accounts.views.frame import context_of, portal_of

_SHOWN = 100


class InviteFileForm(RoleAndLanguageForm):
    """A file of people to be invited."""

    field_order = ("file", "role", "language")

    file = UploadField()


@member_page(Capability.PORTAL_PEOPLE)
def invite_contacts(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Choose contacts; they are checked, and nothing is sent yet."""
    portal = portal_of(request, pk)
    form = InviteContactsForm(request.POST or None, portal=portal)
    if request.method == "POST" and form.is_valid():
        batch = inviting_many.from_contacts(portal, **form.source, **form.given, actor=request.user)
        return redirect("portals:batch", pk=pk, batch_pk=batch.pk)
    context = {**_context(request, portal, "Invite contacts"), "form": form}
    return render(request, "portal/accounts/people/contacts.html", context, status=422 if form.errors else 200)


@member_page(Capability.PORTAL_PEOPLE)
@takes_file
def invite_file(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Take a file with people; nothing is sent yet."""
    portal = portal_of(request, pk)
    is_sent = request.method == "POST"
    form = InviteFileForm(request.POST, request.FILES, portal=portal) if is_sent else InviteFileForm(portal=portal)
    if is_sent and form.is_valid():
        try:
            batch = inviting_many.from_file(portal, upload=form.cleaned_data["file"], **form.given, actor=request.user)
        except FileProblem as problem:
            form.add_error("file", problem.detail)
        else:
            return redirect("portals:batch_columns", pk=pk, batch_pk=batch.pk)
    context = {**_context(request, portal, "Invite from a file"), "form": form}
    return render(request, "portal/accounts/people/file.html", context, status=422 if form.errors else 200)


@member_page(Capability.PORTAL_PEOPLE)
def batch_columns(request: MemberRequest, pk: uuid.UUID, batch_pk: uuid.UUID) -> HttpResponse:
    """Say which column of the file holds what; then every row is checked."""
    batch = _batch(request, pk, batch_pk)
    fields = inviting_many.columns_wanted(batch.portal)
    reading = ReadingForm(request.POST) if request.method == "POST" else None
    try:
        found = inspect(inviting_many.upload_of(batch), fields=fields, **(reading.choice() if reading else {}))
    except (FileProblem, BatchProblem) as problem:
        messages.error(request, str(problem))
        return redirect("portals:invite_file", pk=pk)
    is_check = request.method == "POST" and not request.POST.get("again")
    form = MappingForm(request.POST if is_check else None, inspection=found, fields=fields)
    if is_check and form.is_valid():
        try:
            inviting_many.choose_columns(batch, inspection=found, columns=form.mapping(), actor=request.user)
        except BatchProblem as problem:
            messages.error(request, str(problem))
        return redirect("portals:batch", pk=pk, batch_pk=batch_pk)
    context = {
        **_context(request, batch.portal, "Which column holds what?"),
        "batch": batch,
        "form": form,
        "reading": reading if reading is not None and not is_check else ReadingForm.of(found),
        "inspection": found,
        "dialect": dialect_in_words(found),
    }
    return render(request, "portal/accounts/people/columns.html", context, status=422 if form.errors else 200)


@member_page(Capability.PORTAL_PEOPLE)
def batch(request: MemberRequest, pk: uuid.UUID, batch_pk: uuid.UUID) -> HttpResponse:
    """Show what was found, how far it is, and what came of it."""
    row = _batch(request, pk, batch_pk)
    inviting_many.settle(row)
    wrong = inviting_many.wrong_rows(row)
    context = {
        **_context(request, row.portal, str(row)),
        "batch": row,
        "summary": inviting_many.summary_of(row),
        "wrong": wrong[:_SHOWN],
        "is_file": row.source == inviting_many.Source.FILE,
    }
    return render(request, "portal/accounts/people/batch.html", context)


@member_page(Capability.PORTAL_PEOPLE)
@require_POST
def batch_do(request: MemberRequest, pk: uuid.UUID, batch_pk: uuid.UUID) -> HttpResponse:
    """Check again, or invite."""
    row = _batch(request, pk, batch_pk)
    try:
        if request.POST.get("do") == "send":
            inviting_many.begin_sending(row, actor=request.user, ip=client_ip(request))
        else:
            inviting_many.begin_check(row, actor=request.user)
    except BatchProblem as problem:
        messages.error(request, str(problem))
    return redirect("portals:batch", pk=pk, batch_pk=batch_pk)


def _batch(request: MemberRequest, pk: uuid.UUID, batch_pk: uuid.UUID) -> PortalInvitationBatch:
    portal = portal_of(request, pk)
    row = PortalInvitationBatch.objects.select_related("job", "role").filter(portal=portal, pk=batch_pk).first()
    if row is None:
        raise Http404("There are no such invitations.")
    row.portal = portal
    return row


def _context(request: MemberRequest, portal: Portal, title: str) -> dict[str, Any]:
    return {**context_of(request, portal, tab="portals:invitations"), "title": title}
