"""Dials of a sandbox account, and numbers with an outcome of their own."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from integrations.connections.models import Connection
from integrations.masking import mask_phone
from integrations.organizations.network import client_ip
from integrations.organizations.pages import MemberRequest
from integrations.organizations.roles import Capability
from integrations.sandbox.control import SandboxRefused
from integrations.sandbox.dial_board import PRESETS
from integrations.sandbox.dialling import apply_preset, back_to_normal, remove_outcome, set_outcome, turn
from integrations.sandbox.forms import MOST_OUTCOMES, DialsForm, OutcomeForm, known_codes
from integrations.sandbox.outcome_words import built_in_outcomes, own_outcomes
from integrations.sandbox.selectors import control

from .door import frame, sandbox_page


@require_http_methods(["GET", "HEAD", "POST"])
@sandbox_page(Capability.MANAGE_CONNECTIONS)
def board(request: MemberRequest, connection: Connection) -> HttpResponse:
    """Show the dials, and turn them."""
    in_force = control().dials(connection.account_sid)["in_force"]
    form = DialsForm(request.POST or None, in_force=in_force)
    if request.method == "POST" and form.is_valid():
        try:
            turn(connection, form.values(), actor=request.user, ip=client_ip(request))
        except SandboxRefused as refusal:
            form.take(refusal.errors)
        else:
            messages.success(request, "The dials are set. They hold for what is sent from now on.")
            return redirect("sandbox:dials", connection.pk)
    context = {
        "title": "Dials",
        "lead": "How slow, faulty and unlucky the simulated Twilio is for this account. Nobody else notices.",
        "form": form,
        "presets": PRESETS,
        "outcome_count": len(in_force["outcomes"]),
        "json_path": f"/sandbox/accounts/{connection.account_sid}/dials",
        **frame(request, connection, tab="dials"),
    }
    return render(request, "integrations/sandbox/dials.html", context, status=422 if form.errors else 200)


@require_POST
@sandbox_page(Capability.MANAGE_CONNECTIONS)
def preset(request: MemberRequest, connection: Connection) -> HttpResponse:
    """Set all dials as a preset has them."""
    chosen = next((preset for preset in PRESETS if preset.key == request.POST.get("preset")), None)
    if chosen is None:
        raise Http404("There is no such preset.")
    apply_preset(connection, chosen.key, actor=request.user, ip=client_ip(request))
    messages.success(request, f"The dials are set: {chosen.title.lower()}.")
    return redirect("sandbox:dials", connection.pk)


@require_POST
@sandbox_page(Capability.MANAGE_CONNECTIONS)
def reset(request: MemberRequest, connection: Connection) -> HttpResponse:
    """Set every dial to its default and forget the outcomes of numbers."""
    back_to_normal(connection, actor=request.user, ip=client_ip(request))
    messages.success(request, "All dials are back to normal.")
    return redirect("sandbox:dials", connection.pk)


@require_safe
@sandbox_page()
def numbers(request: MemberRequest, connection: Connection) -> HttpResponse:
    """Show the numbers whose outcome is known: built in, and the account's own."""
    return _show_numbers(request, connection, OutcomeForm(organization=request.organization))


@require_POST
@sandbox_page(Capability.MANAGE_CONNECTIONS)
def add_outcome(request: MemberRequest, connection: Connection) -> HttpResponse:
    """Give a number an outcome, in the place of the one it had."""
    form = OutcomeForm(request.POST, organization=request.organization)
    if form.is_valid():
        known = control().dials(connection.account_sid)["in_force"]["outcomes"]
        if len(known) >= MOST_OUTCOMES and form.cleaned_data["number"] not in known:
            form.add_error(None, f"{MOST_OUTCOMES} numbers at most. Remove one first.")
            return _show_numbers(request, connection, form)
        try:
            set_outcome(
                connection,
                form.cleaned_data["number"],
                outcome=form.outcome(),
                actor=request.user,
                ip=client_ip(request),
            )
        except SandboxRefused as refusal:
            form.add_error(None, " ".join(refusal.errors.values()))
        else:
            messages.success(request, "Messages to this number now end as you said.")
            return redirect("sandbox:numbers", connection.pk)
    return _show_numbers(request, connection, form)


@require_POST
@sandbox_page(Capability.MANAGE_CONNECTIONS)
def drop_outcome(request: MemberRequest, connection: Connection) -> HttpResponse:
    """Let messages to a number end as the dials say again."""
    number = request.POST.get("number", "")[:40]
    remove_outcome(connection, number, actor=request.user, ip=client_ip(request))
    messages.success(request, f"{mask_phone(number)} has no outcome of its own any more.")
    return redirect("sandbox:numbers", connection.pk)


def _show_numbers(request: MemberRequest, connection: Connection, form: OutcomeForm) -> HttpResponse:
    in_force = control().dials(connection.account_sid)["in_force"]
    context = {
        "title": "Numbers with an outcome",
        "lead": "Send to one of these to see a failure, without touching a dial.",
        "form": form,
        "own": own_outcomes(in_force),
        "built_in": built_in_outcomes(),
        "codes": known_codes(),
        **frame(request, connection, tab="numbers"),
    }
    return render(request, "integrations/sandbox/numbers.html", context, status=422 if form.errors else 200)
