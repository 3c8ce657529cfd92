"""Virtual phones: the list, one phone, replies, and a phone that writes first."""

import re
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from integrations.connections.models import Connection
from integrations.organizations.pages import MemberRequest
from integrations.organizations.roles import Capability
from integrations.sandbox.control import SandboxRefused
from integrations.sandbox.forms import QUICK_TEXTS, NewPhoneForm, ReplyForm
from integrations.sandbox.phone_tokens import TokenUnreadable, open_number, seal_number
from integrations.sandbox.replying import ReplyResult, write_from
from integrations.sandbox.selectors import (
    Conversation,
    list_phones,
    own_numbers,
    read_conversation,
    sandbox_connections,
)

from .door import explain_absence, frame, sandbox_page
from .live import answer_refresh, live_part

_LEAD = "What the phones of the simulated world received. Nothing here has left this installation."
_LEVELS = {"success": messages.SUCCESS, "warning": messages.WARNING, "danger": messages.ERROR}


@require_safe
@sandbox_page()
def home(request: MemberRequest) -> HttpResponseBase:
    """Show the phones of the organization's first sandbox connection, or say how to get one."""
    connection = sandbox_connections(request.organization).first()
    if connection is None:
        return explain_absence(request, "not_connected")
    return phones(request, pk=connection.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@sandbox_page()
def phones(request: MemberRequest, connection: Connection) -> HttpResponse:
    """Show the phones of a sandbox connection; a search comes by POST, because of the numbers in it."""
    wanted = request.POST.get("q", "").strip()[:100]
    page = _page_number(request)
    context = {
        "page": list_phones(connection, wanted=wanted, page=page),
        "q": wanted,
        "connection": connection,
        "may_reply": request.member.can(Capability.SEND),
    }
    if request.htmx and request.method == "POST":
        return render(request, "integrations/sandbox/_phones.html", context)
    url = reverse("sandbox:phones", args=[connection.pk])
    live = live_part(
        request, "integrations/sandbox/_phones.html", context, url=f"{url}?page={page}" if page > 1 else url
    )
    if request.htmx:
        return answer_refresh(request, live)
    context |= {"title": "Sandbox", "lead": _LEAD, "live": live, **frame(request, connection, tab="phones")}
    return render(request, "integrations/sandbox/phones.html", context)


def _page_number(request: MemberRequest) -> int:
    text = request.GET.get("page", "")
    return max(1, int(text)) if re.fullmatch(r"[0-9]{1,3}", text) else 1


@require_http_methods(["GET", "HEAD", "POST"])
@sandbox_page()
def phone(request: MemberRequest, connection: Connection, token: str) -> HttpResponseBase:
    """Show one phone, and let it write."""
    number = _number_of(connection, token)
    if request.method == "POST":
        return _reply(request, connection, number)
    return _show_phone(request, connection, number)


@require_safe
@sandbox_page()
def talk(request: MemberRequest, connection: Connection, token: str) -> HttpResponse:
    """Answer the conversation alone, for the page that shows it already."""
    conversation = read_conversation(connection, _number_of(connection, token))
    return answer_refresh(request, _live_talk(request, connection, conversation))


@sandbox_page(Capability.SEND)
def _reply(request: MemberRequest, connection: Connection, number: str) -> HttpResponse:
    """Let the phone write, and show what came of it."""
    form = _reply_form(request, connection, read_conversation(connection, number))
    if not form.is_valid():
        return _show_phone(request, connection, number, form=form)
    result = _write(connection, number, form)
    if result is None:
        return _show_phone(request, connection, number, form=form)
    if not request.htmx:
        messages.add_message(request, _LEVELS[result.kind], result.text)
        return redirect("sandbox:phone", connection.pk, seal_number(number, connection_id=connection.pk))
    kept = form["body"].value() if form.cleaned_data["quick"] else ""
    fresh = _reply_form(
        request, connection, read_conversation(connection, number), initial={"body": kept, "to": form["to"].value()}
    )
    return _show_phone(request, connection, number, form=fresh, result=result)


def _write(connection: Connection, number: str, form: ReplyForm) -> ReplyResult | None:
    """Write; None where the sandbox named a field that it cannot use, which the form then shows."""
    try:
        return write_from(connection, number, to=form.cleaned_data["to"], body=form.text, files=form.files_sent)
    except SandboxRefused as refusal:
        for name, detail in refusal.errors.items():
            form.add_error(name if name in form.fields else None, detail)
        return None


def _reply_form(
    request: MemberRequest,
    connection: Connection,
    conversation: Conversation,
    *,
    initial: dict[str, str] | None = None,
) -> ReplyForm:
    """Return the form with the numbers that take replies, first the one that wrote last."""
    ours = own_numbers(connection)
    wrote = [sender for sender in conversation.senders if sender in ours]
    numbers = list(dict.fromkeys([*wrote, *ours]))
    if initial is not None:
        return ReplyForm(numbers=numbers, initial=initial)
    return ReplyForm(request.POST if request.method == "POST" else None, numbers=numbers)


def _show_phone(
    request: MemberRequest,
    connection: Connection,
    number: str,
    *,
    form: ReplyForm | None = None,
    result: ReplyResult | None = None,
) -> HttpResponse:
    conversation = read_conversation(connection, number)
    context: dict[str, Any] = {
        "conversation": conversation,
        "connection": connection,
        "token": seal_number(number, connection_id=connection.pk),
        "form": form or _reply_form(request, connection, conversation),
        "result": result,
        "quick_texts": QUICK_TEXTS,
        "live": _live_talk(request, connection, conversation),
        "may_reply": request.member.can(Capability.SEND),
        "may_manage": request.member.can(Capability.MANAGE_CONNECTIONS),
    }
    if request.htmx:
        return render(request, "integrations/sandbox/_phone.html", context)
    context |= {"title": "Virtual phone", **frame(request, connection, tab="phones")}
    status = 422 if form is not None and form.errors else 200
    return render(request, "integrations/sandbox/phone.html", context, status=status)


def _live_talk(request: MemberRequest, connection: Connection, conversation: Conversation) -> dict[str, str]:
    token = seal_number(conversation.number.e164, connection_id=connection.pk)
    url = reverse("sandbox:talk", args=[connection.pk, token])
    return live_part(request, "integrations/sandbox/_talk.html", {"conversation": conversation}, url=url)


@require_http_methods(["GET", "HEAD", "POST"])
@sandbox_page(Capability.SEND)
def new_phone(request: MemberRequest, connection: Connection) -> HttpResponse:
    """Let a phone write that nobody has written to."""
    form = NewPhoneForm(request.POST or None, numbers=own_numbers(connection), organization=request.organization)
    if request.method == "POST" and form.is_valid():
        number = form.cleaned_data["phone"]
        result = _write(connection, number, form)
        if result is not None:
            messages.add_message(request, _LEVELS[result.kind], result.text)
            return redirect("sandbox:phone", connection.pk, seal_number(number, connection_id=connection.pk))
    context = {
        "title": "New phone",
        "lead": "Somebody writes to you first, from any number.",
        "form": form,
        **frame(request, connection, tab="phones"),
    }
    return render(request, "integrations/sandbox/new_phone.html", context, status=422 if form.errors else 200)


def _number_of(connection: Connection, token: str) -> str:
    try:
        return open_number(token, connection_id=connection.pk)
    except TokenUnreadable as error:
        raise Http404("There is no such phone.") from error
