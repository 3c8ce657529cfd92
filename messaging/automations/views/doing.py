"""What is done to an automation as a whole: pause, resume, archive, duplicate, name and limits."""

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from integrations.organizations.network import client_ip
from integrations.organizations.pages import MemberRequest, member_page
from integrations.organizations.roles import Capability
from messaging.automations import publishing, settling
from messaging.automations.models import Automation
from messaging.automations.publishing import AutomationProblem
from messaging.automations.run_forms import SettingsOfAutomationForm
from messaging.automations.selectors import waiting_of

from .finding import automation_of
from .unreadable import says_unreadable

Status = Automation.Status


@member_page(Capability.EDIT_AUTOMATIONS)
@require_POST
def pause(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Begin nothing and carry on nothing until it is resumed."""
    automation = automation_of(request, pk)
    if publishing.pause(automation, actor=request.user, ip=client_ip(request)):
        waiting = waiting_of(automation)
        kept = f" {waiting:,} waiting run{' stays where it is' if waiting == 1 else 's stay where they are'}."
        messages.success(request, f"Paused. Nothing begins until it is resumed.{kept if waiting else ''}")
    else:
        messages.info(request, f"It was not running: {automation.get_status_display().lower()}.")
    return redirect("automations:settings", pk=pk)


@member_page(Capability.EDIT_AUTOMATIONS)
@require_POST
def resume(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Go on."""
    automation = automation_of(request, pk)
    try:
        is_resumed = publishing.resume(automation, actor=request.user, ip=client_ip(request))
    except AutomationProblem as problem:
        messages.error(request, str(problem))
        return redirect("automations:settings", pk=pk)
    if is_resumed:
        job = settling.running_job(automation)
        waited = f", {job.total:,} of them by and by, the oldest first" if job is not None else ""
        messages.success(
            request, f"It runs again, and so do the runs that waited{waited}. What happened in between set nothing off."
        )
    else:
        messages.info(request, f"It was not paused: {automation.get_status_display().lower()}.")
    return redirect("automations:settings", pk=pk)


@member_page(Capability.EDIT_AUTOMATIONS)
def archive(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """End an automation for good, once the member has read what that means."""
    automation = automation_of(request, pk)
    if request.method == "POST":
        if automation.status == Status.ARCHIVED:
            messages.info(request, "It was archived already.")
            return redirect("automations:settings", pk=pk)
        stopped = publishing.archive(automation, actor=request.user, ip=client_ip(request))
        ended = f" {stopped:,} waiting run{' was' if stopped == 1 else 's were'} stopped." if stopped else ""
        if settling.running_job(automation) is not None:
            ended = f" {stopped:,} waiting runs are being stopped, the oldest first."
        messages.success(request, f"{automation.name} is archived.{ended} What it did can still be looked at.")
        return redirect("automations:list")
    if automation.status == Status.ARCHIVED:
        return redirect("automations:settings", pk=pk)
    context = {
        "title": f"Archive {automation.name}?",
        "automation": automation,
        "waiting": waiting_of(automation),
    }
    return render(request, "messaging/automations/archive.html", context)


@member_page(Capability.EDIT_AUTOMATIONS)
@require_POST
@says_unreadable
def duplicate(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Make a draft like this one."""
    copy = publishing.duplicate(automation_of(request, pk), actor=request.user, ip=client_ip(request))
    messages.success(request, f"{copy.name} is a draft. Change it, try it, then publish it.")
    return redirect("automations:settings", pk=copy.pk)


@member_page(Capability.EDIT_AUTOMATIONS)
def settings(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Name an automation, say how much it may do, and what becomes of it."""
    automation = automation_of(request, pk)
    known = {
        "name": automation.name,
        "cap_count": automation.cap_count,
        "cap_hours": automation.cap_hours,
        "per_minute": automation.per_minute,
    }
    form = SettingsOfAutomationForm(request.POST or None, initial=known)
    if request.method == "POST" and form.is_valid():
        typed = form.cleaned_data
        actor, ip = request.user, client_ip(request)
        try:
            publishing.rename(automation, name=typed["name"], actor=actor, ip=ip)
        except AutomationProblem as problem:
            form.add_error("name", str(problem))
        else:
            limits = {name: typed[name] for name in ("cap_count", "cap_hours", "per_minute")}
            if any(limits[name] != known[name] for name in limits):
                publishing.set_limits(automation, **limits, actor=actor, ip=ip)
            messages.success(request, "Saved. Runs that wait for their turn keep it.")
            return redirect("automations:settings", pk=pk)
    context = {
        "title": automation.name,
        "automation": automation,
        "form": form,
        "waiting": waiting_of(automation),
        "job": settling.running_job(automation),
        "may_edit": True,
        "tab": "settings",
    }
    return render(request, "messaging/automations/settings.html", context, status=422 if form.errors else 200)
