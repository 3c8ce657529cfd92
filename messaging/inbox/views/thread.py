"""One conversation: its texts, the answer, and who sees to it."""

import hashlib
import secrets
import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from integrations.organizations.models import Member, as_uuid
from integrations.organizations.network import client_ip
from integrations.organizations.pages import MemberRequest, member_page
from integrations.organizations.roles import Capability
from messaging.consent.opt_outs import find_block
from messaging.contacts.models import Contact
from messaging.inbox import conversing
from messaging.inbox.canned import fill
from messaging.inbox.forms import ReplyForm
from messaging.inbox.models import CannedReply, Conversation
from messaging.inbox.selectors import canned_replies, contact_of, find_conversation, members_to_assign, thread_of
from messaging.sending.idempotency import KeyReused
from messaging.sending.models import Message
from messaging.sending.outbox import EnqueueProblem
from messaging.sending.statuses import FINAL, Status
from messaging.templates.rendering import clean_text
from messaging.templates.segments import measure

_NO_CHANGE = 204
_STATES = {
    "close": (conversing.close, "Closed. The next message opens it again."),
    "reopen": (conversing.reopen, "Open again."),
    "unread": (conversing.mark_unread, "Marked as unread."),
}


@require_safe
@member_page(Capability.VIEW)
def show(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Show a conversation; looking alone does not mark it as read, which the page asks for once it is open."""
    return _show(request, _conversation(request, pk))


@require_safe
@member_page(Capability.VIEW)
def texts(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Answer the texts alone, or nothing while they are those on the screen."""
    live = _texts(request, _conversation(request, pk))
    if request.GET.get("seen") == live["seen"]:
        return HttpResponse(status=_NO_CHANGE)
    return render(request, "messaging/inbox/_texts.html", live)


@member_page(Capability.SEND)
@require_POST
def send_reply(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Send an answer, or put a canned one into the field where the browser runs no scripts."""
    conversation = _conversation(request, pk)
    form = ReplyForm(request.POST)
    if request.POST.get("do") == "insert":
        return _show(request, conversation, form=_with_canned(request, conversation))
    if form.is_valid():
        data = form.cleaned_data
        try:
            message = conversing.reply(
                conversation,
                body=clean_text(data["body"]).strip(),
                key=data["nonce"] or secrets.token_hex(8),
                actor=request.user,
            )
        except EnqueueProblem as problem:
            form.add_error("body", problem.detail)
        except KeyReused:
            form = ReplyForm({"body": data["body"], "nonce": secrets.token_urlsafe(12)})
            form.add_error("body", "This page was already sent with another text. Check it and press Send again.")
        else:
            return _after_reply(request, conversation, message)
    return _show(request, conversation, form=form)


def _after_reply(request: MemberRequest, conversation: Conversation, message: Message) -> HttpResponse:
    is_blocked = message.status == Status.BLOCKED
    if not request.htmx:
        if is_blocked:
            messages.warning(request, "Not sent: the recipient opted out.")
        return redirect("inbox:thread", pk=conversation.pk)
    fresh = find_conversation(request.organization, conversation.pk) or conversation
    return _show(request, fresh)


@member_page(Capability.SEND)
@require_POST
def read(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Mark a conversation as read: the page asks for it when somebody has opened it."""
    conversation = _conversation(request, pk)
    conversing.mark_read(conversation)
    return HttpResponse(status=_NO_CHANGE) if request.htmx else redirect("inbox:thread", pk=pk)


@member_page(Capability.SEND)
@require_POST
def change_state(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Close, open again, mark as unread, mute or end the muting."""
    conversation = _conversation(request, pk)
    wish = request.POST.get("do", "")
    if wish in {"mute", "unmute"}:
        act = conversing.mute if wish == "mute" else conversing.unmute
        act(conversation, actor=request.user, ip=client_ip(request))
        said = "Muted. What comes is kept, and calls nobody." if wish == "mute" else "No longer muted."
        messages.success(request, said)
        return redirect("inbox:thread", pk=pk)
    if wish not in _STATES:
        messages.error(request, "Choose what shall happen with the conversation.")
        return redirect("inbox:thread", pk=pk)
    act_on, said = _STATES[wish]
    act_on(conversation)
    messages.success(request, said)
    return redirect("inbox:thread", pk=pk) if wish == "reopen" else redirect("inbox:list")


@member_page(Capability.SEND)
@require_POST
def assign(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Hand the conversation to a member, or to nobody."""
    conversation = _conversation(request, pk)
    wanted = request.POST.get("member", "")
    member = None
    if wanted:
        key = as_uuid(wanted)
        member = Member.objects.filter(organization=request.organization, pk=key).first() if key else None
        if member is None or not member.can(Capability.SEND):
            messages.error(request, "Choose a member who may answer.")
            return redirect("inbox:thread", pk=pk)
    conversing.assign(conversation, member)
    messages.success(request, f"Assigned to {member.user}." if member else "Assigned to nobody.")
    return redirect("inbox:thread", pk=pk)


@member_page(Capability.SEND)
@require_POST
def open_conversation(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Go to the conversation with a contact, which begins where there is none."""
    contact = get_object_or_404(Contact, organization=request.organization, pk=pk)
    return redirect("inbox:thread", pk=conversing.open_with(request.organization, contact).pk)


@member_page(Capability.SEND)
@require_POST
def measure_reply(request: MemberRequest) -> HttpResponse:
    """Say how long the answer is and what it costs in segments."""
    body = clean_text(request.POST.get("body", "")[:20_000])
    return render(request, "messaging/inbox/_measure.html", {"measured": measure(body), "body": body})


def _conversation(request: MemberRequest, pk: uuid.UUID) -> Conversation:
    conversation = find_conversation(request.organization, pk)
    if conversation is None:
        raise Http404("There is no such conversation.")
    return conversation


def _show(request: MemberRequest, conversation: Conversation, *, form: ReplyForm | None = None) -> HttpResponse:
    organization, contact = request.organization, contact_of(conversation)
    _, sender = conversing.way_back(conversation)
    may_send = request.member.can(Capability.SEND)
    context: dict[str, Any] = {
        "title": (contact.name if contact else "") or "Conversation",
        "conversation": conversation,
        "contact": contact,
        "form": form or ReplyForm(initial={"nonce": secrets.token_urlsafe(12)}),
        "opt_out": find_block(organization, phone=conversation.phone, sender=sender, purpose="transactional"),
        "sender": sender,
        "canned": [fill(row, contact=contact, organization=organization) for row in canned_replies(organization)]
        if may_send
        else [],
        "members": members_to_assign(organization),
        "may_send": may_send,
        "live": _texts(request, conversation),
    }
    # htmx puts nothing on the page for an answer that is not a success.
    status = 422 if form is not None and form.errors and not request.htmx else 200
    template = "_desk" if request.htmx else "thread"
    return render(request, f"messaging/inbox/{template}.html", context, status=status)


def _texts(request: MemberRequest, conversation: Conversation) -> dict[str, Any]:
    """Render the texts with a digest of them, by which the page knows whether anything changed."""
    before = as_uuid(request.GET.get("before"))
    thread = thread_of(conversation, before=before)
    context = {
        "conversation": conversation,
        "thread": thread,
        "before": before,
        "organization": request.organization,
        "is_settled": all(message.status in FINAL for message in thread.messages),
    }
    part = render_to_string("messaging/inbox/_bubbles.html", context, request)
    seen = hashlib.blake2b(part.encode(), digest_size=8).hexdigest()
    url = reverse("inbox:texts", args=[conversation.pk])
    return {"part": part, "seen": seen, "url": url, "before": before, "conversation": conversation}


def _with_canned(request: MemberRequest, conversation: Conversation) -> ReplyForm:
    """Return the form with the chosen canned reply behind what was typed."""
    key = as_uuid(request.POST.get("canned", ""))
    row = CannedReply.objects.filter(organization=request.organization, pk=key).first() if key else None
    typed = request.POST.get("body", "")[:20_000]
    nonce = request.POST.get("nonce", "")[:64] or secrets.token_urlsafe(12)
    if row is not None:
        text = fill(row, contact=contact_of(conversation), organization=request.organization).text
        typed = f"{typed.rstrip()}\n{text}" if typed.strip() else text
    return ReplyForm(initial={"body": typed, "nonce": nonce})
