"""The page of data retention."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from integrations.organizations.network import client_ip
from integrations.organizations.pages import MemberRequest, member_page
from integrations.organizations.roles import Capability
from integrations.twilio.error_table import explain
from messaging.sending.models import Message

from .models import LEAST_DAYS, MOST_DAYS, TwilioRemoval
from .removing import try_again
from .setting import days_of, set_days

_COUNTED = 10_000


class RetentionForm(forms.Form):
    """After how many days texts are removed; empty keeps them."""

    days = forms.IntegerField(
        label="Days until texts are removed",
        required=False,
        min_value=LEAST_DAYS,
        max_value=MOST_DAYS,
        help_text="Empty: texts are kept.",
    )
    confirmed = forms.BooleanField(required=False, widget=forms.HiddenInput)


@member_page(Capability.MANAGE_ORGANIZATION)
def retention_page(request: MemberRequest) -> HttpResponse:
    """Show and change how long texts are kept; what would be removed is asked about first."""
    days = days_of(request.organization)
    form = RetentionForm(request.POST or None, initial={"days": days})
    asks, concerned = None, 0
    if request.method == "POST" and form.is_valid():
        wanted = form.cleaned_data["days"]
        concerned = _concerned(request, wanted) if wanted and (days is None or wanted < days) else 0
        if concerned and not form.cleaned_data["confirmed"]:
            asks = wanted
        else:
            changed = set_days(request.organization, days=wanted, actor=request.user, ip=client_ip(request))
            messages.success(request, _saved(wanted) if changed else "Nothing was different, so nothing was changed.")
            return redirect("retention:settings")
    removals = TwilioRemoval.objects.filter(organization=request.organization)
    context = {
        "title": "Data retention",
        "lead": "How long the texts of messages are kept, here and at Twilio.",
        "form": form,
        "days": days,
        "asks": asks,
        "concerned": concerned,
        "is_many": concerned > _COUNTED,
        "most": _COUNTED,
        "waiting": len(removals.filter(next_try_at__isnull=False).values_list("pk")[:_COUNTED]),
        "refused": _refused(request),
    }
    return render(request, "messaging/retention/settings.html", context, status=422 if form.errors else 200)


@member_page(Capability.MANAGE_ORGANIZATION)
@require_POST
def removal_again(request: MemberRequest) -> HttpResponse:
    """Ask Twilio once more for what it has refused."""
    count = try_again(request.organization)
    messages.success(request, f"Twilio is asked again to remove {count:,} message{'' if count == 1 else 's'}.")
    return redirect("retention:settings")


def _concerned(request: MemberRequest, days: int) -> int:
    before = timezone.now() - timedelta(days=days)
    rows = Message.objects.filter(organization=request.organization, redacted_at=None, finished_at__lt=before)
    return len(rows.values_list("pk")[: _COUNTED + 1])


def _refused(request: MemberRequest) -> list[dict[str, Any]]:
    """Return what Twilio refused for good, by its code."""
    given_up = TwilioRemoval.objects.filter(organization=request.organization, next_try_at=None)
    counted = given_up.values("error_code").annotate(count=Count("pk")).order_by("-count")
    return [{"count": row["count"], "code": row["error_code"], "entry": explain(row["error_code"])} for row in counted]


def _saved(days: int | None) -> str:
    if days is None:
        return "Saved. Texts are kept from now on."
    return f"Saved. Texts are removed {days} day{'' if days == 1 else 's'} after a message has ended."
