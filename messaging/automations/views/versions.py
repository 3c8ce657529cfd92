"""What was published: the list of versions, a look at one, and the way back to it."""

import uuid

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from integrations.organizations.models import User
from integrations.organizations.pages import MemberRequest, member_page
from integrations.organizations.roles import Capability
from messaging.automations import building
from messaging.automations.drawing import draw
from messaging.automations.models import Automation, AutomationVersion
from messaging.automations.publishing import AutomationProblem, read_kept

from .finding import automation_of
from .frame import shown_of
from .unreadable import says_unreadable

MOST = 200


@member_page(Capability.VIEW)
@require_safe
def versions(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """List the versions, the newest first, with who published them."""
    automation = automation_of(request, pk)
    rows = list(automation.versions.filter(number__gt=0).order_by("-number")[:MOST])
    people = User.objects.in_bulk({row.published_by_id for row in rows if row.published_by_id})
    context = {
        "title": automation.name,
        "lead": "Runs finish on the version they began with.",
        "automation": automation,
        "tab": "build",
        "rows": [(row, people.get(row.published_by_id)) for row in rows],
        "may_edit": request.member.can(Capability.EDIT_AUTOMATIONS),
    }
    return render(request, "messaging/automations/versions.html", context)


@member_page(Capability.VIEW)
@require_safe
@says_unreadable
def version(request: MemberRequest, pk: uuid.UUID, number: int) -> HttpResponse:
    """Show what a version does."""
    automation = automation_of(request, pk)
    row = _version(automation, number)
    context = {
        "title": f"{automation.name}, version {number}",
        "automation": automation,
        "tab": "build",
        "row": row,
        "drawing": draw(request.organization, read_kept(row.flow, what=f"version {number}"), automation=automation),
        "may_take": request.member.can(Capability.EDIT_AUTOMATIONS) and automation.status != Automation.Status.ARCHIVED,
        "may_edit": False,
    }
    return render(request, "messaging/automations/version.html", context)


@member_page(Capability.EDIT_AUTOMATIONS)
@require_POST
def version_take(request: MemberRequest, pk: uuid.UUID, number: int) -> HttpResponse:
    """Make a version the draft again; nothing runs otherwise before it is published."""
    automation = automation_of(request, pk)
    row = _version(automation, number)
    try:
        changed = building.take_back(automation, row, shown=shown_of(request))
    except AutomationProblem as problem:
        messages.error(request, str(problem))
    else:
        said = f"The draft is version {number} again. It runs once you publish it; undo brings the former draft back."
        messages.success(request, said if changed else f"The draft was version {number} already.")
    return redirect("automations:build", pk=pk)


def _version(automation: Automation, number: int) -> AutomationVersion:
    row = automation.versions.filter(number=number, number__gt=0).first()
    if row is None:
        raise Http404("There is no such version.")
    return row
