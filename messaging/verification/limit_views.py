"""The page of verification limits: figures, countries, what was refused, and paused prefixes to release."""

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from integrations.organizations.network import client_ip
from integrations.organizations.pages import MemberRequest, member_page
from integrations.organizations.roles import Capability

from .limit_forms import LimitsForm
from .limit_models import PausedPrefix
from .limit_setting import change_limits, refusals, sent_today
from .limits import figures_of, policy_of
from .pausing import paused_prefixes, release


@member_page(Capability.MANAGE_ORGANIZATION)
def limits_page(request: MemberRequest) -> HttpResponse:
    """Show and change the limits of asking for codes."""
    organization = request.organization
    if request.method != "POST":
        return _page(request, LimitsForm.of(organization, policy_of(organization)))
    form = LimitsForm(request.POST, organization=organization)
    if not form.is_valid():
        return _page(request, form, status=422)
    changes = change_limits(organization, values=form.cleaned_data, actor=request.user, ip=client_ip(request))
    messages.success(request, "Saved. It holds from now on." if changes else "Nothing was changed.")
    return redirect("verification_limits:settings")


@member_page(Capability.MANAGE_ORGANIZATION)
@require_POST
def release_prefix(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Let numbers of a paused prefix have codes again."""
    prefix = get_object_or_404(PausedPrefix, organization=request.organization, pk=pk)
    was_paused = release(prefix, actor=request.user, ip=client_ip(request))
    done = f"Numbers that begin with {prefix.prefix} get codes again."
    messages.success(request, done if was_paused else "This prefix was not paused any more.")
    return redirect("verification_limits:settings")


def _page(request: MemberRequest, form: LimitsForm, *, status: int = 200) -> HttpResponse:
    organization = request.organization
    context = {
        "title": "Verification limits",
        "lead": "How many codes may be asked for, by whom, and to which countries.",
        "form": form,
        "paused": paused_prefixes(organization),
        "refusals": refusals(organization),
        "sent": sent_today(organization),
        "most": figures_of(policy_of(organization))["day"],
    }
    return render(request, "messaging/verification/limits.html", context, status=status)
