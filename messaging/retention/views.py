"""The page of data retention."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from integrations.organizations.network import client_ip
from integrations.organizations.pages import MemberRequest, member_page
from integrations.organizations.roles import Capability
from integrations.twilio.error_table import explain
from messaging.sending.models import Message

from .kept import KINDS, before
from .models import LEAST_DAYS, MOST_DAYS, RetentionPolicy, TwilioRemoval
from .removing import try_again
from .setting import change_days, policy_of

_COUNTED = 10_000


class RetentionForm(forms.Form):
    """After how many days texts are removed and other things deleted; empty keeps them."""

    days = forms.IntegerField(
        label="Days until texts are removed",
        required=False,
        min_value=LEAST_DAYS,
        max_value=MOST_DAYS,
        help_text="Empty: texts are kept.",
    )
    confirmed = forms.BooleanField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for kind in KINDS.values():
            self.fields[kind.field] = forms.IntegerField(
                label=f"Days until {kind.nouns} are deleted",
                required=False,
                min_value=LEAST_DAYS,
                max_value=MOST_DAYS,
                help_text=f"{kind.help} Empty: they are kept.",
            )

    def wanted(self) -> dict[str, int | None]:
        """Return the days by the fields of the policy."""
        return {name: self.cleaned_data[name] for name in ("days", *KINDS)}


@member_page(Capability.MANAGE_ORGANIZATION)
def retention_page(request: MemberRequest) -> HttpResponse:
    """Show and change how long things are kept; what would be removed at once is asked about first."""
    policy = policy_of(request.organization)
    form = RetentionForm(request.POST or None, initial={name: getattr(policy, name) for name in ("days", *KINDS)})
    concerned: list[str] = []
    if request.method == "POST" and form.is_valid():
        wanted = form.wanted()
        concerned = _concerned(policy, wanted)
        if not concerned or form.cleaned_data["confirmed"]:
            changed = change_days(request.organization, values=wanted, actor=request.user, ip=client_ip(request))
            messages.success(request, _saved(wanted) if changed else "Nothing was different, so nothing was changed.")
            return redirect("retention:settings")
    removals = TwilioRemoval.objects.filter(organization=request.organization)
    context = {
        "title": "Data retention",
        "lead": "How long texts of messages, verifications, submissions and runs of automations are kept.",
        "form": form,
        "others": [form[name] for name in KINDS],
        "concerned": concerned,
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


def _concerned(policy: RetentionPolicy, wanted: Mapping[str, int | None]) -> list[str]:
    """Return what is older than is wanted now and was kept so far, as the button calls it."""
    found = []
    for name, days in wanted.items():
        known = getattr(policy, name)
        if days is None or (known is not None and days >= known):
            continue
        if name == "days":
            rows = Message.objects.filter(
                organization=policy.organization, redacted_at=None, finished_at__lt=before(days)
            )
            words = ("the texts of 1 message", "the texts of {} messages")
        else:
            rows = KINDS[name].older(policy.organization, before(days))
            words = (f"1 {KINDS[name].noun}", f"{{}} {KINDS[name].nouns}")
        if count := len(rows.values_list("pk")[: _COUNTED + 1]):
            many = f"more than {_COUNTED:,}" if count > _COUNTED else f"{count:,}"
            found.append(words[0] if count == 1 else words[1].format(many))
    return found


def _refused(request: MemberRequest) -> list[dict[str, Any]]:
    """Return what Twilio refused for good, by its code."""
    given_up = TwilioRemoval.objects.filter(organization=request.organization, next_try_at=None)
    counted = given_up.values("error_code").annotate(count=Count("pk")).order_by("-count")
    return [{"count": row["count"], "code": row["error_code"], "entry": explain(row["error_code"])} for row in counted]


def _saved(days: Mapping[str, int | None]) -> str:
    texts = days["days"]
    parts = (
        ["Texts are kept from now on."]
        if texts is None
        else [f"Texts are removed {texts} day{'' if texts == 1 else 's'} after a message has ended."]
    )
    parts += [
        f"{kind.nouns.capitalize()} are deleted after {days[name]} day{'' if days[name] == 1 else 's'}."
        for name, kind in KINDS.items()
        if days[name] is not None
    ]
    return f"Saved. {' '.join(parts)}"
