"""Pages of the import, in three steps (the file, its columns, the check), and the export."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from integrations.organizations.network import client_ip
from integrations.organizations.pages import MemberRequest, member_page
from integrations.organizations.roles import Capability
from messaging.consent.confirming import asks_to_confirm
from messaging.contacts.models import Tag
from messaging.contacts.views.lists import asked_filter, is_forgotten
from messaging.csv_files.forms import ReadingForm
from messaging.csv_files.inspection import Inspection
from messaging.csv_files.problems import FileProblem
from messaging.csv_files.receiving import takes_file

from . import journey
from .checking import wrong_rows
from .exporting import export_contacts
from .forms import ImportForm, StartForm
from .journey import ImportProblem
from .models import ContactImport
from .options import Options
from .reporting import error_report

State = ContactImport.State
_RECENT = 10


@member_page(Capability.EDIT_CONTACTS)
@takes_file
def start(request: MemberRequest) -> HttpResponse:
    """Take the file: the first of three steps."""
    is_sent = request.method == "POST"
    form = StartForm(request.POST if is_sent else None, request.FILES if is_sent else None, initial=_kind(request))
    if is_sent and form.is_valid():
        try:
            importing = journey.begin(
                request.organization,
                upload=form.cleaned_data["file"],
                kind=form.cleaned_data["kind"],
                actor=request.user,
            )
        except FileProblem as problem:
            form.add_error("file", problem.detail)
        else:
            return redirect("contact_files:detail", pk=importing.pk)
    context = {
        "title": "Import",
        "form": form,
        "recent": ContactImport.objects.filter(organization=request.organization)
        .select_related("job", "created_by")
        .order_by("-pk")[:_RECENT],
    }
    return render(request, "messaging/contact_files/start.html", context, status=422 if is_sent else 200)


@member_page(Capability.EDIT_CONTACTS)
def detail(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Show the step that an import is at; sent, the columns are taken and every row is checked by them."""
    importing = _import(request, pk)
    if importing.state == State.MAPPING or (importing.state == State.CHECKING and importing.has_stopped):
        return _columns(request, importing)
    if request.method == "POST":
        return redirect("contact_files:detail", pk=pk)
    pages = {State.CHECKED: "checked", State.DONE: "done"}
    context = {
        **_context(importing),
        "rows": wrong_rows(importing),
        "counts": importing.counts,
        "asks_to_confirm": asks_to_confirm(request.organization, purpose=Options.of(importing).purpose),
        "tags": Tag.objects.filter(
            organization=request.organization, name__in=importing.options.get("tags", [])
        ).order_by("name"),
    }
    template = pages.get(State(importing.state), "working")
    return render(request, f"messaging/contact_files/{template}.html", context)


@member_page(Capability.EDIT_CONTACTS)
@require_POST
def read(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Read the file again, as the member says it is written."""
    importing = _import(request, pk)
    try:
        journey.read_again(importing, choice=ReadingForm(request.POST).choice())
    except (FileProblem, ImportProblem) as problem:
        messages.error(request, str(problem))
    return redirect("contact_files:detail", pk=pk)


@member_page(Capability.EDIT_CONTACTS)
@require_POST
def back(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Go back to the columns."""
    return _step(request, pk, journey.back_to_mapping)


@member_page(Capability.EDIT_CONTACTS)
@require_POST
def run(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Import what was checked."""
    return _step(request, pk, lambda importing: journey.take(importing, actor=request.user))


@member_page(Capability.EDIT_CONTACTS)
@require_POST
def discard(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Forget the file and the import that did not take place."""
    importing = _import(request, pk)
    try:
        journey.discard(importing)
    except ImportProblem as problem:
        messages.error(request, str(problem))
        return redirect("contact_files:detail", pk=pk)
    messages.success(request, f"{importing.file_name} is forgotten. Nothing was imported.")
    return redirect("contact_files:start")


@member_page(Capability.EDIT_CONTACTS)
@require_safe
def report(request: MemberRequest, pk: uuid.UUID) -> HttpResponseBase:
    """Give the rows that are not taken as a file, each with what is wrong with it."""
    importing = _import(request, pk)
    if importing.upload is None or not importing.mapping:
        messages.error(request, "The file was forgotten, and with it what was wrong in it. Upload it again.")
        return redirect("contact_files:detail", pk=pk)
    return error_report(importing, importing.upload)


@member_page(Capability.EDIT_CONTACTS)
@require_POST
def export(request: MemberRequest) -> HttpResponseBase:
    """Give the contacts of the list as a file: those of the search that is shown."""
    if is_forgotten(request, given=request.POST):
        messages.error(request, "What you looked for is not remembered any more. Search again, then export.")
        return redirect("contacts:list")
    chosen = asked_filter(request, given=request.POST)
    return export_contacts(request.organization, chosen, actor=request.user, ip=client_ip(request))


def _columns(request: MemberRequest, importing: ContactImport) -> HttpResponse:
    """Let the columns be chosen, and check every row by them."""
    try:
        found = journey.look_at(importing)
    except FileProblem as problem:
        context = {**_context(importing), "problem": problem.detail}
        return render(request, "messaging/contact_files/working.html", context)
    form = _form(request, importing, found)
    if request.method == "POST" and form.is_valid():
        try:
            journey.check(importing, mapping=form.mapping(), options=form.options(), actor=request.user)
        except (FileProblem, ImportProblem) as problem:
            messages.error(request, str(problem))
        return redirect("contact_files:detail", pk=importing.pk)
    context = {
        **_context(importing),
        "form": form,
        "inspection": found,
        "reading": ReadingForm.of(found),
        "earlier": journey.earlier_import(importing),
    }
    status = 422 if form.is_bound else 200
    return render(request, "messaging/contact_files/columns.html", context, status=status)


def _form(request: MemberRequest, importing: ContactImport, found: Inspection) -> ImportForm:
    return ImportForm(
        request.POST if request.method == "POST" else None,
        organization=request.organization,
        inspection=found,
        kind=importing.kind,
        stored=ImportForm.stored_of(importing),
    )


def _step(request: MemberRequest, pk: uuid.UUID, verb: Any) -> HttpResponse:
    importing = _import(request, pk)
    try:
        verb(importing)
    except (FileProblem, ImportProblem) as problem:
        messages.error(request, str(problem))
    return redirect("contact_files:detail", pk=pk)


def _import(request: MemberRequest, pk: uuid.UUID) -> ContactImport:
    found = (
        ContactImport.objects.select_related("organization", "upload", "job", "created_by")
        .filter(organization=request.organization, pk=pk)
        .first()
    )
    if found is None:
        raise Http404("There is no such import.")
    return found


def _context(importing: ContactImport) -> dict[str, Any]:
    return {"title": f"Import {importing.file_name}", "importing": importing, "job": importing.job}


def _kind(request: MemberRequest) -> dict[str, str]:
    kind = request.GET.get("kind", "")
    return {"kind": kind if kind in ContactImport.Kind.values else ContactImport.Kind.CONTACTS}
