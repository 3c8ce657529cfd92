"""Pages of sending: write one, watch the log, look at one."""

import secrets
import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from integrations.connections.models import Connection
from integrations.organizations.models import as_uuid
from integrations.organizations.pages import MemberRequest, member_page
from integrations.organizations.roles import Capability
from integrations.organizations.search_memory import recall, remember
from integrations.platform_sms.ledger import balance_of
from messaging.consent.blocking import block_reason
from messaging.contacts.models import Contact
from messaging.contacts.selectors import some_contacts
from messaging.pricing.estimate import price_range
from messaging.templates.segments import measure

from . import outbox, resolving
from .forms import LogFilterForm, SendForm, field_for
from .idempotency import KeyReused, once
from .models import Message
from .outbox import Draft, EnqueueProblem
from .reasons import own_reason, reason_of
from .selectors import find_message, message_log, newer_than, page_of
from .statuses import FAILURES, FINAL, WAITING, Status

TEST_TEXT = "This is a test message from {organization}. If you read it, the Twilio connection works."


@member_page(Capability.SEND)
def send(request: MemberRequest) -> HttpResponse:
    """Write and send one message."""
    organization = request.organization
    if request.method != "POST":
        form = SendForm(organization=organization, initial=_initial(request))
        return render(request, "messaging/sending/send.html", _send_context(form))
    form = SendForm(request.POST, organization=organization)
    way = ""
    if form.is_valid():
        draft = form.draft(source="page", created_by_id=request.user.pk)
        key = f"page:{request.user.pk}:{form.cleaned_data['nonce'] or secrets.token_hex(8)}"
        try:
            message, is_new = once(
                organization,
                key=key,
                body=_what_was_typed(request),
                make=lambda: outbox.enqueue(organization, draft=draft),
            )
        except EnqueueProblem as problem:
            form.add_error(field_for(problem.field), problem.detail)
            way = _way_on(problem)
        except KeyReused:
            form.add_error(None, "This page was already sent with another text. Check it and press Send again.")
        else:
            if is_new:
                if message.error_reason:
                    messages.warning(request, f"Not sent. {own_reason(message.error_reason).title}")
                elif message.status == Status.SCHEDULED:
                    messages.success(request, "Scheduled.")
            return redirect("messages:detail", pk=message.pk)
    return render(request, "messaging/sending/send.html", _send_context(form, way=way), status=422)


@member_page(Capability.SEND)
@require_POST
def preview(request: MemberRequest) -> HttpResponse:
    """Show the text as the recipient will read it, its segments and its route; stores nothing."""
    form = SendForm(request.POST, organization=request.organization)
    context: dict[str, Any] = {"form": form}
    if form.is_valid():
        try:
            composed = outbox.compose(request.organization, draft=form.draft())
            price = None
            if not composed.is_platform and composed.connection is not None:
                price = price_range(composed.connection, composed.phone.region, sender=composed.sender)
            context |= {
                "price": price.times(composed.segments) if price else None,
                "composed": composed,
                "balance": balance_of(request.organization) if composed.is_platform else None,
                "measured": measure(composed.body),
                "block": block_reason(
                    request.organization,
                    phone=composed.phone.e164,
                    sender=composed.sender,
                    purpose=form.cleaned_data["purpose"],
                ),
            }
        except EnqueueProblem as problem:
            is_half_typed_name = problem.field == "to" and any(sign.isalpha() for sign in form.cleaned_data["to"])
            context["problem"] = "Choose a contact, or write a number." if is_half_typed_name else problem.detail
            context["way"] = _way_on(problem)
    return render(request, "messaging/sending/_preview.html", context)


@member_page(Capability.SEND)
@require_POST
def template_fields(request: MemberRequest) -> HttpResponse:
    """Give the fields of the chosen template's variables."""
    typed = {name: str(value) for name, value in request.POST.items()}
    form = SendForm(initial=typed, organization=request.organization)
    return render(request, "messaging/sending/_variables.html", {"form": form})


@member_page(Capability.SEND)
@require_POST
def recipients(request: MemberRequest) -> HttpResponse:
    """Offer the contacts whose name or number fits what is being typed."""
    typed = request.POST.get("to", "").strip()[:60]
    found = some_contacts(request.organization, query=typed, most=6) if len(typed) > 1 else []
    is_chosen = len(found) == 1 and found[0].phone == typed
    return render(request, "messaging/sending/_recipients.html", {"contacts": [] if is_chosen else found})


@member_page(Capability.VIEW)
def log(request: MemberRequest) -> HttpResponse:
    """List messages; a search arrives by POST, because a number must not stand in an address.

    As a partial, the rows on the screen are refreshed without being moved: what came since is only counted.
    """
    if request.method == "POST":
        fields = {name: str(request.POST.get(name, "")) for name in LogFilterForm.base_fields}
        key = remember(request, wanted=fields)
        return redirect(reverse("messages:log") + (f"?search={key}" if key else ""))
    search = request.GET.get("search", "")
    typed = recall(request, key=search) or {
        name: request.GET.get(name, "") for name in LogFilterForm.base_fields if name != "q"
    }
    form = LogFilterForm(typed, organization=request.organization)
    wanted = form.wanted()
    rows = message_log(request.organization, wanted=wanted)
    top, after = as_uuid(request.GET.get("top")), as_uuid(request.GET.get("after"))
    is_refresh = bool(request.htmx) and top is not None
    page = page_of(rows.filter(id__lte=top) if is_refresh else rows, after=after)
    if not is_refresh:
        top = page.messages[0].pk if page.messages else None
    context = {
        "title": "Messages",
        "form": form,
        "wanted": wanted,
        "page": page,
        "top": top,
        "after": after,
        "newer": newer_than(rows, newest=top) if is_refresh and page.is_first else 0,
        "is_refresh": is_refresh,
        "query": _query_without(request, "top", "after"),
    }
    return render(request, "messaging/sending/_log_rows.html" if is_refresh else "messaging/sending/log.html", context)


@member_page(Capability.VIEW)
def detail(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Show one message with its timeline; as a partial, only what changes."""
    message = _message(request, pk)
    context = {
        "title": "Message",
        "message": message,
        "events": message.events.all(),
        "reason": reason_of(message),
        "is_final": message.status in FINAL,
        "may_cancel": message.status in WAITING and request.member.can(Capability.SEND),
        "may_send_again": message.status in FAILURES | {Status.CANCELED}
        and message.purpose != Message.Purpose.VERIFICATION  # its code is for its recipient alone
        and request.member.can(Capability.SEND),
        "may_resolve": message.needs_person and not message.is_platform and request.member.can(Capability.SEND),
    }
    return render(
        request, "messaging/sending/_detail.html" if request.htmx else "messaging/sending/detail.html", context
    )


@member_page(Capability.SEND)
@require_POST
def cancel(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Cancel a message that still waits."""
    message = _message(request, pk)
    if outbox.cancel(message, actor=request.user):
        messages.success(request, "Canceled: it was not sent.")
    else:
        messages.error(request, "Too late to cancel: the message was already handed over.")
    return redirect("messages:detail", pk=pk)


@member_page(Capability.SEND)
@require_POST
def resolve(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Settle a flagged message by what a person saw in Twilio's log."""
    message = _message(request, pk)
    answer = request.POST.get("was_sent")
    if message.is_platform:
        messages.error(request, "It went by platform SMS: your operator looks into the log and settles it.")
    elif answer not in {"yes", "no"}:
        messages.error(request, "Say whether Twilio's log shows the message.")
    elif resolving.resolve(message, was_sent=answer == "yes", actor=request.user):
        messages.success(request, "Settled.")
    else:
        messages.info(request, "It settled by itself in the meantime.")
    return redirect("messages:detail", pk=pk)


@member_page(Capability.MANAGE_CONNECTIONS)
@require_POST
def send_test(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Send the test text through one connection."""
    organization = request.organization
    connection = get_object_or_404(Connection, organization=organization, pk=pk)
    draft = Draft(
        to=request.POST.get("to", ""),
        body=TEST_TEXT.format(organization=organization.name),
        connection=connection,
        source="test",
        created_by_id=request.user.pk,
    )
    try:
        message = outbox.enqueue(organization, draft=draft)
    except EnqueueProblem as problem:
        messages.error(request, problem.detail)
        return redirect("connections:detail", pk=pk)
    return redirect("messages:detail", pk=message.pk)


def _message(request: MemberRequest, pk: uuid.UUID) -> Message:
    message = find_message(request.organization, pk)
    if message is None:
        raise Http404("There is no such message.")
    return message


def _initial(request: MemberRequest) -> dict[str, Any]:
    initial: dict[str, Any] = {"nonce": secrets.token_urlsafe(16)}
    contact_id, template_id = as_uuid(request.GET.get("contact")), as_uuid(request.GET.get("template"))
    if contact_id:
        contact = get_object_or_404(Contact, organization=request.organization, pk=contact_id)
        initial["to"] = contact.phone
    if template_id:
        initial["template"] = str(template_id)
    if again_id := as_uuid(request.GET.get("again")):
        again = get_object_or_404(Message, organization=request.organization, direction="outbound", pk=again_id)
        initial |= {"to": again.phone, "body": again.body, "purpose": again.purpose}
    return initial


def _send_context(form: SendForm, *, way: str = "") -> dict[str, Any]:
    return {"title": "Send SMS", "form": form, "way": way}


def _way_on(problem: EnqueueProblem) -> str:
    """Return where a refusal is mended: at the credits, at the services, or "" where a member cannot."""
    if problem.code == "insufficient_credits":
        return "credits"
    return "services" if problem.is_refusal and problem.code not in {"no_route", "platform_unavailable"} else ""


def _what_was_typed(request: MemberRequest) -> dict[str, str]:
    return {name: str(value) for name, value in request.POST.items() if name != "csrfmiddlewaretoken"}


def _query_without(request: MemberRequest, *names: str) -> str:
    query = request.GET.copy()
    for name in names:
        query.pop(name, None)
    return query.urlencode()
