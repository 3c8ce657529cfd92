"""The page of alerts: what holds sending up now, what did, and who hears of it by e-mail."""

import uuid
from datetime import datetime

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_POST

from integrations.organizations.pages import MemberRequest, member_page
from integrations.organizations.roles import Capability

from . import mail, raising
from .models import Alert
from .selectors import PAGE_SIZE, open_alerts, past_alerts
from .words import LINK_TEXTS, here


@member_page(Capability.VIEW)
def alert_list(request: MemberRequest) -> HttpResponse:
    """List open alerts and those that are over."""
    before = _moment(request.GET.get("before", ""))
    past = list(past_alerts(request.organization, before=before)[: PAGE_SIZE + 1])
    is_admin = request.member.can(Capability.MANAGE_ORGANIZATION)
    context = {
        "title": "Alerts",
        "lead": "What holds sending up. An alert goes away by itself when its cause is gone.",
        "open": [_shown(alert) for alert in open_alerts(request.organization)] if before is None else [],
        "past": [_shown(alert) for alert in past[:PAGE_SIZE]],
        "next": past[PAGE_SIZE - 1].raised_at.isoformat() if len(past) > PAGE_SIZE else "",
        "is_first": before is None,
        "may_dismiss": is_admin,
        "may_choose_mail": is_admin,
        "wants_mail": mail.wants_mail(request.member),
    }
    return render(request, "messaging/alerts/list.html", context)


@member_page(Capability.MANAGE_ORGANIZATION)
@require_POST
def dismiss(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Take an alert off the pages of everybody, or show it again."""
    alert = get_object_or_404(Alert, organization=request.organization, pk=pk)
    if request.POST.get("again"):
        if raising.show_again(alert):
            messages.success(request, "Shown again.")
    elif raising.dismiss(alert, actor=request.user):
        messages.success(request, "Dismissed: it stands on this page only. Its cause remains until it is mended.")
    else:
        messages.info(request, "It was dismissed before, or is over by now.")
    return redirect("alerts:list")


@member_page(Capability.MANAGE_ORGANIZATION)
@require_POST
def choose_mail(request: MemberRequest) -> HttpResponse:
    """Switch the letters to oneself on or off."""
    wants = request.POST.get("wants") == "yes"
    mail.set_wants_mail(request.member, wants=wants)
    if wants:
        messages.success(request, f"From now on alerts of this organization go to {request.user.email}.")
    else:
        messages.success(request, "You get no more e-mail about alerts of this organization.")
    return redirect("alerts:list")


def _shown(alert: Alert) -> dict[str, object]:
    return {"alert": alert, "link": here(alert.link), "link_text": LINK_TEXTS[alert.kind]}


def _moment(text: str) -> datetime | None:
    try:
        moment = parse_datetime(text.replace(" ", "+"))
    except ValueError:
        return None
    return moment if moment is not None and moment.tzinfo is not None else None
