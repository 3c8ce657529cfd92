"""Pages of verification for members: the list, one of them, a try, and how many codes proved a number."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from integrations.organizations.models import as_uuid
from integrations.organizations.network import client_ip
from integrations.organizations.pages import MemberRequest, member_page
from integrations.organizations.roles import Capability
from integrations.organizations.search_memory import recall, remember

from . import life, managing
from .asker_names import asker_names
from .askers import Asker
from .forms import CodeForm, TryForm, VerificationFilterForm
from .models import ClosedChannel, Verification
from .reasons import admin_words
from .refusals import VerificationRefused
from .selectors import conversion_of, find_verification, page_of, sends_of, verifications_of
from .sentences import wrong_code_sentence

CHOICES_OF_DAYS = (7, 30, 90)


@member_page(Capability.VIEW)
def verification_list(request: MemberRequest) -> HttpResponse:
    """List verifications; a search arrives by POST, because a number must not stand in an address."""
    if request.method == "POST":
        fields = {name: str(request.POST.get(name, "")) for name in VerificationFilterForm.base_fields}
        key = remember(request, wanted=fields)
        return redirect(reverse("verifications:list") + (f"?search={key}" if key else ""))
    search = request.GET.get("search", "")
    typed = recall(request, key=search) or {
        name: request.GET.get(name, "") for name in VerificationFilterForm.base_fields if name != "q"
    }
    form = VerificationFilterForm(typed)
    wanted = form.wanted()
    page = page_of(verifications_of(request.organization, wanted=wanted), after=as_uuid(request.GET.get("after")))
    names = asker_names(request.organization, [(row.asker_kind, row.asker_id) for row in page.verifications])
    query = request.GET.copy()
    query.pop("after", None)
    context = {
        "title": "Verifications",
        "form": form,
        "wanted": wanted,
        "page": page,
        "rows": [(row, names[row.asker_kind, row.asker_id]) for row in page.verifications],
        "query": query.urlencode(),
        "closed": ClosedChannel.objects.filter(connection__organization=request.organization)
        .exclude(connection__status="disconnected")
        .select_related("connection"),
        "may_offer": request.member.can(Capability.MANAGE_CONNECTIONS),
    }
    return render(request, "messaging/verification/list.html", context)


@member_page(Capability.VIEW)
@require_safe
def detail(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Show one verification: what happened, and the next step."""
    return render(request, "messaging/verification/detail.html", _context(request, _verification(request, pk)))


@member_page(Capability.SEND)
def attempt(request: MemberRequest) -> HttpResponse:
    """Send a code to a number of one's own."""
    form = TryForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        asker = Asker(kind="member", id=request.user.pk, ip=client_ip(request), language="en")
        try:
            verification = life.start(
                request.organization, to=form.cleaned_data["to"], channel=form.cleaned_data["channel"], asker=asker
            )
        except VerificationRefused as refused:
            if refused.verification_id is not None:
                return redirect("verifications:detail", pk=refused.verification_id)
            form.add_error(refused.field if refused.field in form.fields else None, refused.detail)
        else:
            return redirect("verifications:detail", pk=verification.pk)
    context = {"title": "Try a verification", "form": form}
    return render(request, "messaging/verification/try.html", context, status=422 if form.errors else 200)


@member_page(Capability.SEND)
@require_POST
def check(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Check the code of a try."""
    verification = _own_try(request, pk)
    form = CodeForm(request.POST)
    if form.is_valid():
        try:
            checked = life.check(verification, code=form.cleaned_data["code"])
        except VerificationRefused as refused:
            form.add_error("code", refused.detail)
        else:
            if checked.status != Verification.Status.PENDING:
                return redirect("verifications:detail", pk=pk)
            form.add_error("code", wrong_code_sentence(checked.attempts_left))
    context = _context(request, verification) | {"code_form": form}
    return render(request, "messaging/verification/detail.html", context, status=422)


@member_page(Capability.SEND)
@require_POST
def resend(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Send another code for a try."""
    verification = _own_try(request, pk)
    asker = Asker(kind="member", id=request.user.pk, ip=client_ip(request), language="en")
    try:
        life.resend(verification, channel=request.POST.get("channel", ""), asker=asker)
    except VerificationRefused as refused:
        messages.warning(request, refused.detail)
    else:
        messages.success(request, "Another code is on its way.")
    return redirect("verifications:detail", pk=pk)


@member_page(Capability.SEND)
@require_POST
def cancel(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Cancel a verification that waits for its code."""
    if managing.cancel(_verification(request, pk), actor=request.user, ip=client_ip(request)):
        messages.success(request, "Canceled: its code proves nothing any more.")
    else:
        messages.info(request, "It had ended already.")
    return redirect("verifications:detail", pk=pk)


@member_page(Capability.MANAGE_CONNECTIONS)
@require_POST
def offer_again(request: MemberRequest, channel_id: int) -> HttpResponse:
    """Offer a channel again that was switched on at Twilio."""
    channel = managing.offer_again(request.organization, channel_id, actor=request.user, ip=client_ip(request))
    if not channel:
        raise Http404("There is no such channel, or it is offered again already.")
    messages.success(request, f"Codes by {channel} are offered again.")
    return redirect("verifications:list")


@member_page(Capability.VIEW)
@require_safe
def conversion(request: MemberRequest) -> HttpResponse:
    """Show how many of the codes that were sent proved a number, by country, asker and day."""
    asked = request.GET.get("days", "")
    days = int(asked) if asked in {str(choice) for choice in CHOICES_OF_DAYS} else 30
    report = conversion_of(request.organization, days=days)
    highest = max((day.sent for day in report.by_day), default=0)
    context = {
        "title": "Conversion",
        "report": report,
        "days": days,
        "choices": CHOICES_OF_DAYS,
        "bars": [
            (day, _share(day.approved, of=highest), _share(day.sent - day.approved, of=highest))
            for day in report.by_day
        ],
        "tables": [("By country", "Country", report.by_country), ("By who asked", "Asked by", report.by_asker)],
    }
    return render(request, "messaging/verification/conversion.html", context)


def _share(count: int, *, of: int) -> int:
    return max(1, round(100 * count / of)) if count > 0 and of else 0


def _verification(request: MemberRequest, pk: uuid.UUID) -> Verification:
    found = find_verification(request.organization, pk)
    if found is None:
        raise Http404("There is no such verification.")
    return found


def _own_try(request: MemberRequest, pk: uuid.UUID) -> Verification:
    verification = _verification(request, pk)
    if not managing.may_try(verification, member_id=request.user.pk):
        raise Http404("There is no such try of yours.")
    return verification


def _context(request: MemberRequest, verification: Verification) -> dict[str, Any]:
    state = verification.state
    may_send = request.member.can(Capability.SEND)
    is_try = verification.is_pending and managing.may_try(verification, member_id=request.user.pk) and may_send
    asker = verification.asker_kind, verification.asker_id
    return {
        "title": "Verification",
        "verification": verification,
        "state": state,
        "words": admin_words(
            code=verification.error_code,
            reason=verification.error_reason or ("" if verification.error_code else state),
        ),
        "asker": asker_names(request.organization, [asker])[asker],
        "sends": [(send, _words_of(send)) for send in sends_of(verification)],
        "attempts_left": life.moves.attempts_left(verification) if verification.is_pending else 0,
        "may_cancel": verification.is_pending and may_send,
        "code_form": CodeForm() if is_try else None,
        "channels": [(name, Verification.Channel(name).label) for name in life.offered_channels(verification)]
        if is_try
        else [],
    }


def _words_of(send: Any) -> Any:
    if send.error_code is None and not send.error_reason:
        return None
    return admin_words(code=send.error_code, reason=send.error_reason)
