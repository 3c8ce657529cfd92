"""Pages of canned replies."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from integrations.organizations.network import client_ip
from integrations.organizations.pages import MemberRequest, member_page
from integrations.organizations.roles import Capability
from messaging.inbox.canned import CannedProblem, delete_reply, save_reply
from messaging.inbox.forms import CannedReplyForm
from messaging.inbox.models import CannedReply
from messaging.inbox.selectors import canned_replies


@require_safe
@member_page(Capability.VIEW)
def reply_list(request: MemberRequest) -> HttpResponse:
    """List the replies kept ready."""
    context = {
        "title": "Canned replies",
        "lead": "Answers you give again and again. In a conversation, choose one from the menu above the field.",
        "replies": canned_replies(request.organization),
        "may_edit": request.member.can(Capability.EDIT_TEMPLATES),
    }
    return render(request, "messaging/inbox/canned_list.html", context)


@member_page(Capability.EDIT_TEMPLATES)
def reply_new(request: MemberRequest) -> HttpResponse:
    """Write a canned reply."""
    return _edit(request, None)


@member_page(Capability.EDIT_TEMPLATES)
def reply_edit(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Change a canned reply."""
    return _edit(request, get_object_or_404(CannedReply, organization=request.organization, pk=pk))


@member_page(Capability.EDIT_TEMPLATES)
@require_POST
def reply_delete(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Delete a canned reply."""
    reply = get_object_or_404(CannedReply, organization=request.organization, pk=pk)
    delete_reply(reply, actor=request.user, ip=client_ip(request))
    messages.success(request, f"“{reply.name}” was deleted. What was sent with it stays as it was.")
    return redirect("inbox:canned")


def _edit(request: MemberRequest, reply: CannedReply | None) -> HttpResponse:
    initial: dict[str, Any] = {"name": reply.name, "body": reply.body} if reply else {}
    form = CannedReplyForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            saved = save_reply(
                request.organization,
                reply=reply,
                name=data["name"],
                body=data["body"],
                actor=request.user,
                ip=client_ip(request),
            )
        except CannedProblem as problem:
            form.add_error(problem.field, problem.detail)
        else:
            messages.success(request, f"“{saved.name}” is saved.")
            return redirect("inbox:canned")
    context = {"title": f"Edit {reply.name}" if reply else "New canned reply", "form": form, "reply": reply}
    return render(request, "messaging/inbox/canned_form.html", context, status=422 if form.errors else 200)
