"""The operator's pages of platform SMS: carriers, prices and webhooks; each organization's credits."""

import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from integrations.connections.models import Connection
from integrations.organizations.models import Organization
from integrations.organizations.network import client_ip
from integrations.organizations.pages import MemberRequest, operator_page

from . import ledger, operating
from .forms import AdjustForm, DestinationForm, TopUpForm, WebhookForm
from .ledger import CreditProblem, shown
from .models import CreditAccount, PlatformDestination
from .offers import can_carry, price_of
from .providers import providers
from .statement import outlook_of, page_of


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@operator_page
def overview(request: MemberRequest) -> HttpResponse:
    """Show and choose who carries platform SMS where, with the price list and the balances."""
    wanted = request.POST.get("destination", "")
    rows = operating.destinations()
    forms_ = [DestinationForm(request.POST if row.destination == wanted else None, row=row) for row in rows]
    for form in forms_:
        if form.is_bound and form.is_valid():
            is_new = operating.set_destination(
                form.row.destination, **form.cleaned_data, actor=request.user, ip=client_ip(request)
            )
            messages.success(request, "Saved. New messages go by it." if is_new else "Nothing was changed.")
            return redirect("platform_sms:overview")
    return _overview(request, destination_forms=forms_)


@never_cache
@require_POST
@operator_page
@sensitive_variables("secret")
def add_webhook(request: MemberRequest) -> HttpResponse:
    """Add a webhook and show its secret, this once."""
    form = WebhookForm(request.POST)
    if not form.is_valid():
        return _overview(request, webhook_form=form)
    connection, secret = operating.add_webhook(
        **_only(form, "name", "url", "organization"), actor=request.user, ip=client_ip(request)
    )
    return _page(request, "webhook.html", title=f"{connection.name} is added", webhook=connection, secret=secret)


@require_POST
@operator_page
def remove_webhook(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """End the use of a webhook."""
    connection = Connection.objects.filter(mode=Connection.Mode.WEBHOOK, pk=pk).first()
    if connection is None:
        messages.info(request, "There is no such webhook any more.")
    elif operating.remove_webhook(connection, actor=request.user, ip=client_ip(request)):
        messages.success(request, f"{connection.name} is removed. What waits for it fails, and its credits come back.")
    return redirect("platform_sms:overview")


@never_cache
@require_http_methods(["GET", "HEAD"])
@operator_page
def credit_page(request: MemberRequest, slug: str) -> HttpResponse:
    """Show an organization's credits."""
    return _credits(request, get_object_or_404(Organization, slug=slug))


@require_POST
@operator_page
def top_up(request: MemberRequest, slug: str) -> HttpResponse:
    """Add credits; the same form twice adds them once."""
    row, form = get_object_or_404(Organization, slug=slug), TopUpForm(request.POST)
    given: dict[str, Any] = {"actor": request.user, "ip": client_ip(request)}
    balance = _moved(form, lambda: ledger.top_up(row, **form.cleaned_data, **given))
    if balance is None:
        return _credits(request, row, top_up_form=form)
    messages.success(request, f"Added. {row.name} has {shown(balance)} credits.")
    return redirect("platform_sms:credits", slug=slug)


@require_POST
@operator_page
def adjust(request: MemberRequest, slug: str) -> HttpResponse:
    """Correct a balance, saying why."""
    row, form = get_object_or_404(Organization, slug=slug), AdjustForm(request.POST)
    given: dict[str, Any] = {"actor": request.user, "ip": client_ip(request)}
    balance = _moved(form, lambda: ledger.adjust(row, **form.cleaned_data, **given))
    if balance is None:
        return _credits(request, row, adjust_form=form)
    messages.success(request, f"Adjusted. {row.name} has {shown(balance)} credits.")
    return redirect("platform_sms:credits", slug=slug)


def _moved(form: forms.Form, move: Callable[[], Decimal]) -> Decimal | None:
    """Return the new balance, or None where the form or the ledger refused, which then stands at the form."""
    if not form.is_valid():
        return None
    try:
        return move()
    except CreditProblem as problem:
        form.add_error("reason" if problem.code == "no_reason" else "amount", problem.detail)
        return None


def _overview(
    request: MemberRequest,
    *,
    destination_forms: list[DestinationForm] | None = None,
    webhook_form: WebhookForm | None = None,
) -> HttpResponse:
    shown_forms = destination_forms or [DestinationForm(row=row) for row in operating.destinations()]
    return _page(
        request,
        "overview.html",
        title="Platform SMS",
        lead="SMS that you offer to the organizations of this installation, which pay it with credits.",
        destinations=[_shown(form) for form in shown_forms],
        webhooks=Connection.objects.filter(mode=Connection.Mode.WEBHOOK)
        .exclude(status=Connection.Status.DISCONNECTED)
        .select_related("organization"),
        webhook_form=webhook_form or WebhookForm(),
        providers=providers(),
        accounts=CreditAccount.objects.select_related("organization").order_by("balance")[:100],
        status=422 if webhook_form or any(form.errors for form in shown_forms) else 200,
    )


def _shown(form: DestinationForm) -> dict[str, Any]:
    row: PlatformDestination = form.row
    return {
        "row": row,
        "form": form,
        "price": price_of(row.destination, own=row.price),
        "is_working": row.carrier is not None and can_carry(row.carrier),
    }


def _credits(
    request: MemberRequest,
    row: Organization,
    *,
    top_up_form: TopUpForm | None = None,
    adjust_form: AdjustForm | None = None,
) -> HttpResponse:
    before = request.GET.get("before", "")
    return _page(
        request,
        "credits.html",
        title=f"Credits of {row.name}",
        row=row,
        outlook=outlook_of(row),
        page=page_of(row, before=int(before) if before.isascii() and before.isdigit() and len(before) < 19 else None),
        top_up_form=top_up_form or TopUpForm(auto_id="top_up_%s"),
        adjust_form=adjust_form or AdjustForm(auto_id="adjust_%s"),
        status=422 if top_up_form or adjust_form else 200,
    )


def _only(form: forms.Form, *names: str) -> dict[str, Any]:
    return {name: form.cleaned_data[name] for name in names}


def _page(request: MemberRequest, template: str, *, status: int = 200, **context: Any) -> HttpResponse:
    """Render inside the shell, whose frame the context processor adds only within an organization."""
    frame = admin.site.each_context(request)
    return render(request, f"integrations/platform_sms/{template}", {**frame, **context}, status=status)
