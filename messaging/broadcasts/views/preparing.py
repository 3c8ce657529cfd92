"""Preparing a broadcast: the text and the audience, the file, its columns, and the check."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from integrations.identifiers import new_id
from integrations.organizations.models import as_uuid
from integrations.organizations.network import client_ip
from integrations.organizations.pages import MemberRequest, member_page
from integrations.organizations.roles import Capability
from messaging.broadcasts import creating, lifecycle
from messaging.broadcasts.forms import BroadcastForm, columns_wanted
from messaging.broadcasts.models import Broadcast
from messaging.broadcasts.problems import BroadcastProblem
from messaging.broadcasts.sources import upload_of
from messaging.csv_files.forms import MappingForm, ReadingForm, UploadForm
from messaging.csv_files.inspection import Inspection, dialect_in_words, inspect
from messaging.csv_files.problems import FileProblem
from messaging.csv_files.receiving import takes_file

from .finding import broadcast_of


@member_page(Capability.SEND)
def new(request: MemberRequest) -> HttpResponse:
    """Prepare a broadcast; nothing is sent."""
    if request.method != "POST":
        initial = {"request_id": new_id(), "template": as_uuid(request.GET.get("template")), "audience": "contacts"}
        form = BroadcastForm(organization=request.organization, initial=initial)
        return _form_page(request, form)
    form = BroadcastForm(request.POST, organization=request.organization)
    if form.is_valid():
        try:
            broadcast = creating.create(
                request.organization, plan=form.plan(), actor=request.user, ip=client_ip(request)
            )
        except BroadcastProblem as problem:
            form.add_error(problem.field or None, problem.detail)
        else:
            return _go_on(request, broadcast)
    return _form_page(request, form, status=422)


@member_page(Capability.SEND)
def edit(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Change a broadcast that has not been started; its rows are checked anew."""
    broadcast = broadcast_of(request, pk)
    if broadcast.status not in lifecycle.UNSTARTED or broadcast.audience in {"api", "retry"}:
        messages.info(request, "This broadcast can no longer be changed here.")
        return redirect("broadcasts:detail", pk=pk)
    if request.method != "POST":
        form = BroadcastForm(organization=request.organization, initial=BroadcastForm.initial_of(broadcast))
        return _form_page(request, form, broadcast=broadcast)
    form = BroadcastForm(request.POST, organization=request.organization)
    if form.is_valid():
        try:
            creating.change(broadcast, plan=form.plan(known_source=broadcast.source))
        except BroadcastProblem as problem:
            form.add_error(problem.field or None, problem.detail)
        else:
            return _go_on(request, broadcast)
    return _form_page(request, form, broadcast=broadcast, status=422)


@member_page(Capability.SEND)
@takes_file
def file(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Take the file with the recipients, straight into the database."""
    broadcast = broadcast_of(request, pk)
    if refused := _not_for_files(request, broadcast):
        return refused
    form = UploadForm(request.POST, request.FILES) if request.method == "POST" else UploadForm()
    if request.method == "POST" and form.is_valid():
        upload = form.cleaned_data["file"]
        try:
            found = inspect(upload, fields=columns_wanted(broadcast))
        except FileProblem as problem:
            form.add_error("file", problem.detail)
        else:
            source = {"upload": str(upload.pk), "label": upload.name, "inspection": found.as_json()}
            if lifecycle.back_to_draft(broadcast, source=source):
                return redirect("broadcasts:columns", pk=pk)
            form.add_error(None, "The broadcast was started meanwhile; it stays as it is.")
    context = {"title": f"Recipients of {broadcast.name}", "broadcast": broadcast, "form": form}
    return render(request, "messaging/broadcasts/file.html", context, status=422 if form.errors else 200)


@member_page(Capability.SEND)
def columns(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Say which column of the file holds what; then every row is checked."""
    broadcast = broadcast_of(request, pk)
    if refused := _not_for_files(request, broadcast):
        return refused
    fields = columns_wanted(broadcast)
    reading: ReadingForm | None = None
    choice: dict[str, Any] = {}
    if request.method == "POST":
        reading = ReadingForm(request.POST)
        choice = reading.choice()
    try:
        found = inspect(upload_of(broadcast), fields=fields, **choice)
    except (FileProblem, BroadcastProblem) as problem:
        messages.error(request, problem.detail)
        return redirect("broadcasts:file", pk=pk)
    is_check = request.method == "POST" and not request.POST.get("again")
    form = MappingForm(request.POST if is_check else None, inspection=found, fields=fields)
    if is_check and form.is_valid():
        source = {**broadcast.source, "inspection": found.as_json(), "columns": form.mapping()}
        if lifecycle.back_to_draft(broadcast, source=source):
            lifecycle.begin_check(broadcast, actor=request.user)
        return redirect("broadcasts:detail", pk=pk)
    context = {
        "title": "Which column holds what?",
        "broadcast": broadcast,
        "form": form,
        "reading": reading if reading is not None and not is_check else ReadingForm.of(found),
        "inspection": found,
        "dialect": dialect_in_words(found),
    }
    return render(request, "messaging/broadcasts/columns.html", context, status=422 if form.errors else 200)


@member_page(Capability.SEND)
@require_POST
def check(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Have every row checked (again)."""
    broadcast = broadcast_of(request, pk)
    return _go_on(request, broadcast)


def _go_on(request: MemberRequest, broadcast: Broadcast) -> HttpResponse:
    """Lead to what is missing, or begin the check and show it."""
    if broadcast.audience == Broadcast.Audience.CSV:
        if "upload" not in broadcast.source:
            return redirect("broadcasts:file", pk=broadcast.pk)
        if not _is_matched(broadcast):
            return redirect("broadcasts:columns", pk=broadcast.pk)
    try:
        lifecycle.begin_check(broadcast, actor=request.user)
    except BroadcastProblem as problem:
        messages.error(request, problem.detail)
    return redirect("broadcasts:detail", pk=broadcast.pk)


def _is_matched(broadcast: Broadcast) -> bool:
    """Tell whether the columns were chosen, and for the text as it is now."""
    chosen = broadcast.source.get("columns")
    if not chosen or "inspection" not in broadcast.source:
        return False
    width = len(Inspection.from_json(broadcast.source["inspection"]).header)
    needed = [spec.key for spec in columns_wanted(broadcast) if spec.is_required]
    return all(key in chosen for key in needed) and all(column < width for column in chosen.values())


def _not_for_files(request: MemberRequest, broadcast: Broadcast) -> HttpResponse | None:
    if broadcast.audience != Broadcast.Audience.CSV or broadcast.status not in lifecycle.UNSTARTED:
        messages.info(request, "This broadcast takes no file (any more).")
        return redirect("broadcasts:detail", pk=broadcast.pk)
    return None


def _form_page(
    request: MemberRequest, form: BroadcastForm, *, broadcast: Broadcast | None = None, status: int = 200
) -> HttpResponse:
    context = {
        "title": f"Change {broadcast.name}" if broadcast else "New broadcast",
        "lead": "One text to many people. Every row is checked and shown before anything is sent.",
        "form": form,
        "broadcast": broadcast,
        "has_contacts": request.organization.contacts.exists(),
    }
    return render(request, "messaging/broadcasts/form.html", context, status=status)
