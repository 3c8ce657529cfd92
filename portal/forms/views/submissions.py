"""What was sent by a form: the list, one submission, its files, the export."""

import json
import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_POST, require_safe

from integrations.organizations.network import client_ip
from integrations.organizations.pages import MemberRequest, member_page
from integrations.organizations.roles import Capability
from integrations.organizations.search_memory import key_of, recall, remember
from messaging.contacts.filters import count_up_to
from portal.forms.definition import Kind, read
from portal.forms.display import Shown, answers_of, shown_answer
from portal.forms.exporting import download, start_export
from portal.forms.file_kinds import PICTURES
from portal.forms.filters import SubmissionFilter, filtered, submission_page
from portal.forms.forms import FilterForm
from portal.forms.models import PublicForm, Submission, SubmissionExport, SubmissionFile
from portal.forms.removing import delete_submission
from portal.forms.selectors import Column, columns_of, find_file, find_submission, telling_columns

from .frame import context_of, form_of


@member_page(Capability.VIEW_SUBMISSIONS)
def submission_list(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """List what was sent; what is looked for arrives by POST, because a number must not stand in an address."""
    form = form_of(request, pk)
    columns, key = columns_of(form), key_of(request)
    asked = FilterForm(request.POST, columns=columns) if request.method == "POST" else None
    if asked is not None and asked.is_valid():
        key = remember(request, wanted={"filter": _written(asked.wanted)}, key=key)
        return redirect(_address(form, key))
    wanted = _wanted(request) if asked is None else SubmissionFilter()
    shown = telling_columns(columns)
    page = submission_page(form, wanted, after=request.GET.get("after"))
    context = {
        **context_of(request, form, tab="submissions"),
        "filter_form": asked or FilterForm(columns=columns, shows=wanted),
        "columns": shown,
        "rows": [(row, _cells(row, shown)) for row in page.rows],
        "page": page,
        "count": count_up_to(filtered(form, wanted)),
        "search": key,
        "is_narrowed": not wanted.is_empty,
        "export": _newest_export(request, form),
    }
    return render(request, "portal/forms/submissions.html", context, status=422 if asked is not None else 200)


@member_page(Capability.VIEW_SUBMISSIONS)
def submission(request: MemberRequest, pk: uuid.UUID, submission_pk: uuid.UUID) -> HttpResponse:
    """Show one submission: every question with its answer, how the number was proved, and what followed."""
    form = form_of(request, pk)
    row = _submission(form, submission_pk)
    files = {file.key: file for file in row.files.defer("content")}
    shown = answers_of(read(row.version.definition), row.answers)
    context = {
        **context_of(request, form, tab="submissions"),
        "title": "Submission",
        "row": row,
        "answers": [(answer, files.get(answer.field.key), _as_list(answer)) for answer in shown],
        "may_delete": request.member.can(Capability.EDIT_FORMS),
    }
    return render(request, "portal/forms/submission.html", context)


@require_safe
@member_page(Capability.VIEW_SUBMISSIONS)
def submission_file(request: MemberRequest, pk: uuid.UUID, file_pk: uuid.UUID) -> HttpResponse:
    """Give out a file that somebody sent: pictures to be looked at, everything else to be saved; nothing in it acts."""
    row = find_file(form_of(request, pk), file_pk)
    if row is None:
        raise Http404("There is no such file.")
    return file_response(row)


@member_page(Capability.EDIT_FORMS)
@require_POST
def submission_delete(request: MemberRequest, pk: uuid.UUID, submission_pk: uuid.UUID) -> HttpResponse:
    """Delete one submission."""
    form = form_of(request, pk)
    delete_submission(_submission(form, submission_pk), actor=request.user, ip=client_ip(request))
    messages.success(request, "The submission is deleted. What was agreed in it stays in the consent ledger.")
    return redirect("forms:submissions", pk=pk)


@member_page(Capability.VIEW_SUBMISSIONS)
@require_POST
def export(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Begin to write the submissions of the list into a table."""
    form, key = form_of(request, pk), request.POST.get("search", "")
    if key and not recall(request, key=key).get("filter"):
        messages.error(request, "What you looked for is not remembered any more. Search again, then export.")
        return redirect("forms:submissions", pk=pk)
    start_export(form, _recalled(request, key), actor=request.user, ip=client_ip(request))
    return redirect(_address(form, key))


@require_safe
@member_page(Capability.VIEW_SUBMISSIONS)
def export_download(request: MemberRequest, pk: uuid.UUID, export_pk: uuid.UUID) -> HttpResponseBase:
    """Give out a table that is written."""
    form = form_of(request, pk)
    row = SubmissionExport.objects.select_related("form__organization", "job").filter(form=form, pk=export_pk).first()
    if row is None or (row.job is not None and row.job.state != row.job.State.DONE):
        raise Http404("There is no such table, or it is not finished.")
    return download(row)


def file_response(row: SubmissionFile) -> HttpResponse:
    """Return a file that somebody sent, of whatever kind, in a way that nothing in it can act."""
    picture = PICTURES.get(row.kind)
    response = HttpResponse(bytes(row.content), content_type=picture or "application/octet-stream")
    response.headers["Content-Disposition"] = content_disposition_header(picture is None, row.name) or "attachment"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["Cache-Control"] = "private, no-store"
    return response


def _submission(form: PublicForm, submission_pk: uuid.UUID) -> Submission:
    row = find_submission(form, submission_pk)
    if row is None:
        raise Http404("There is no such submission.")
    return row


def _wanted(request: MemberRequest) -> SubmissionFilter:
    return _recalled(request, request.GET.get("search", ""))


def _recalled(request: MemberRequest, key: str) -> SubmissionFilter:
    stored = recall(request, key=key).get("filter", "") if key else ""
    return SubmissionFilter.from_json(json.loads(stored)) if stored else SubmissionFilter()


def _written(wanted: SubmissionFilter) -> str:
    return "" if wanted.is_empty else json.dumps(wanted.as_json())


def _address(form: PublicForm, key: str) -> str:
    address = reverse("forms:submissions", args=[form.pk])
    return f"{address}?search={key}" if key else address


def _cells(row: Submission, columns: list[Column]) -> list[tuple[str, str]]:
    return [
        (column.field.label or column.key, shown_answer(column.field, row.answers.get(column.key)))
        for column in columns
    ]


def _as_list(answer: Shown) -> list[Any]:
    return answer.value if answer.field.kind == Kind.CHOICES and isinstance(answer.value, list) else []


def _newest_export(request: MemberRequest, form: PublicForm) -> SubmissionExport | None:
    """Return the member's own newest table: who asked for it finds it here."""
    rows = SubmissionExport.objects.select_related("job").filter(form=form, created_by=request.user)
    return rows.order_by("-id").first()
