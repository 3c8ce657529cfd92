"""The builder: what sets an automation off and what is done then, step below step, changed one thing at a time.

With scripts each change comes back as a part of the page; without, as the whole page at the same place.
"""

import uuid
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_POST

from integrations.organizations.network import client_ip
from integrations.organizations.pages import MemberRequest, member_page
from integrations.organizations.roles import Capability
from messaging.automations import building, publishing
from messaging.automations.drawing import draw, node_menu, trigger_menu
from messaging.automations.flow import read
from messaging.automations.models import Automation
from messaging.automations.panel import NEW_NAME, NEW_TEXT, TRIGGER, Panel, open_panel, preview_of
from messaging.automations.publishing import AutomationProblem, draft_of
from messaging.templates import wording
from messaging.templates.wording import WordingProblem

from .finding import automation_of
from .frame import place_of, shown_of
from .hooks import hook_context
from .unreadable import says_unreadable


@member_page(Capability.VIEW)
@says_unreadable
def build(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Show the builder; who may not build sees the same flow, and nothing to change it with."""
    automation = automation_of(request, pk)
    context = _context(request, automation)
    opened = request.GET.get("open", "")
    if opened and context["may_edit"]:
        panel = open_panel(request.organization, draft_of(automation), opened, automation=automation)
        context |= _triggers() if panel is None and opened == TRIGGER else _panel_context(panel)
    response = render(request, "messaging/automations/build.html", context)
    patch_vary_headers(response, ["HX-Request"])
    return response


@member_page(Capability.EDIT_AUTOMATIONS)
@says_unreadable
def step_add(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Offer the steps that there are, and add the chosen one at the place of the “+” that was pressed."""
    automation = automation_of(request, pk)
    if request.method == "POST":
        place, kind = place_of(request), request.POST.get("kind", "")
        return _answer(
            request, automation, lambda: building.add_step(automation, kind=kind, at=place, shown=shown_of(request))
        )
    return _menu(request, automation, menu=node_menu(), menu_title="Add a step", place=place_of(request))


@member_page(Capability.EDIT_AUTOMATIONS)
@says_unreadable
def trigger_choose(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Offer the triggers that there are, and take the chosen one."""
    automation = automation_of(request, pk)
    if request.method == "POST":
        kind = request.POST.get("kind", "")

        def choose() -> str:
            building.choose_trigger(automation, kind=kind, shown=shown_of(request))
            return TRIGGER

        return _answer(request, automation, choose)
    return _menu(request, automation, **_triggers())


@member_page(Capability.EDIT_AUTOMATIONS)
@says_unreadable
def settings(request: MemberRequest, pk: uuid.UUID, node: str) -> HttpResponse:
    """Show the settings of the trigger or of a step, and save them; what is wrong stands at its field."""
    automation = automation_of(request, pk)
    if request.method != "POST":
        panel = open_panel(request.organization, draft_of(automation), node, automation=automation)
        if panel is None and node == TRIGGER:
            return _menu(request, automation, **_triggers())
        return _panel_page(request, automation, panel)
    if request.POST.get("do") == "new_template":
        return _new_template(request, automation, node)
    is_save = request.POST.get("do", "save") == "save"
    flow = draft_of(automation)
    panel = open_panel(request.organization, flow, node, automation=automation, data=request.POST, is_checked=is_save)
    if panel is None:
        return _shown(request, automation, problem=building.GONE)
    if not is_save or not panel.form.is_valid():
        return _panel_page(request, automation, panel, status=422 if is_save else 200)
    made = panel.form.to_settings()
    try:
        if node == TRIGGER:
            building.configure_trigger(automation, settings=made, shown=shown_of(request))
        else:
            building.configure_step(automation, node, settings=made, shown=shown_of(request))
    except AutomationProblem as problem:
        # With the number of the draft as it is now: saved again, it goes over that knowingly.
        return _shown(request, automation_of(request, pk), panel=panel, problem=str(problem))
    return _shown(request, automation, opened=node, said="Saved.")


@member_page(Capability.EDIT_AUTOMATIONS)
@require_POST
@says_unreadable
def preview(request: MemberRequest, pk: uuid.UUID, node: str) -> HttpResponse:
    """Show what the text of a step becomes with sample values; stores nothing."""
    automation = automation_of(request, pk)
    panel = open_panel(request.organization, draft_of(automation), node, automation=automation, data=request.POST)
    look = preview_of(panel, automation=automation) if panel is not None else None
    return render(request, "messaging/automations/_text_preview.html", {"look": look})


@member_page(Capability.EDIT_AUTOMATIONS)
@require_POST
@says_unreadable
def step_move(request: MemberRequest, pk: uuid.UUID, node: str) -> HttpResponse:
    """Move a step up or down, or to the place where it was dropped."""
    automation = automation_of(request, pk)
    way = request.POST.get("to", "")

    def move() -> None:
        if way in {"up", "down"}:
            building.nudge_step(automation, node, by=-1 if way == "up" else 1, shown=shown_of(request))
        else:
            building.move_step(automation, node, to=place_of(request), shown=shown_of(request))

    return _answer(request, automation, move)


@member_page(Capability.EDIT_AUTOMATIONS)
@require_POST
@says_unreadable
def step_copy(request: MemberRequest, pk: uuid.UUID, node: str) -> HttpResponse:
    """Put a copy below a step."""
    automation = automation_of(request, pk)

    def copy() -> None:
        building.copy_step(automation, node, shown=shown_of(request))

    return _answer(request, automation, copy)


@member_page(Capability.EDIT_AUTOMATIONS)
@require_POST
@says_unreadable
def step_remove(request: MemberRequest, pk: uuid.UUID, node: str) -> HttpResponse:
    """Take a step out; undo brings it back."""
    automation = automation_of(request, pk)

    def remove() -> None:
        building.remove_step(automation, node, shown=shown_of(request))

    return _answer(request, automation, remove)


@member_page(Capability.EDIT_AUTOMATIONS)
@require_POST
@says_unreadable
def undo(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Undo the last change, or do it again."""
    automation = automation_of(request, pk)
    go = building.step_forward if request.POST.get("to") == "forward" else building.step_back

    def change() -> None:
        if not go(automation, shown=shown_of(request)):
            raise AutomationProblem("There is nothing more to be undone or done again.")

    return _answer(request, automation, change)


@member_page(Capability.EDIT_AUTOMATIONS)
@require_POST
@says_unreadable
def publish(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Let the draft run from now on."""
    automation = automation_of(request, pk)
    under_way = building.under_way_of(automation)
    former = automation.live
    try:
        version = publishing.publish(automation, shown=shown_of(request), actor=request.user, ip=client_ip(request))
    except AutomationProblem as problem:
        lacks = " ".join(dict.fromkeys(one.text for one in problem.problems[:3]))
        messages.error(request, f"{problem} {lacks}".strip())
        return redirect("automations:build", pk=pk)
    finish = ""
    if former is not None and under_way:
        finish = f" {under_way:,} run{' finishes' if under_way == 1 else 's finish'} on version {former.number}."
    messages.success(request, f"Published: version {version.number} runs from now on.{finish}")
    hook = hook_context(automation, read(version.flow))
    if hook and not hook.get("hook_has_secret"):
        messages.warning(request, "Nothing can call it yet: open the first card, and make its address and secret.")
    return redirect("automations:build", pk=pk)


def _answer(request: MemberRequest, automation: Automation, change: Callable[[], str | None]) -> HttpResponse:
    """Make a change, and show the builder with what came of it; a card whose id is returned is opened."""
    try:
        opened = change() or ""
    except AutomationProblem as problem:
        return _shown(request, automation_of(request, automation.pk), problem=str(problem))
    return _shown(request, automation, opened=opened)


def _shown(
    request: MemberRequest,
    automation: Automation,
    *,
    opened: str = "",
    panel: Panel | None = None,
    problem: str = "",
    said: str = "",
) -> HttpResponse:
    context: dict[str, Any] = {"panel_problem" if panel is not None else "problem": problem, "said": said}
    if panel is None and opened and request.htmx:
        panel = open_panel(request.organization, draft_of(automation), opened, automation=automation)
    if request.htmx:
        context = {**_context(request, automation), **_panel_context(panel), **context}
        response = render(request, "messaging/automations/_builder.html", context)
        # Asked for from a panel or a card that is gone: its own form would put the answer nowhere.
        response["HX-Retarget"], response["HX-Reswap"] = "#builder", "outerHTML"
        return response
    if panel is not None:
        context = {**_context(request, automation), **_panel_context(panel), **context}
        return render(request, "messaging/automations/build.html", context, status=409)
    if problem:
        messages.error(request, problem)
    elif said:
        messages.success(request, said)
    address = reverse("automations:build", args=[automation.pk])
    return redirect(f"{address}?open={opened}#build-panel" if opened else f"{address}#builder")


def _panel_page(
    request: MemberRequest, automation: Automation, panel: Panel | None, *, status: int = 200
) -> HttpResponse:
    """Answer with the panel alone, or with the page around it."""
    if panel is None and not request.htmx:
        raise Http404("There is no such step.")
    context = {**_context(request, automation), **_panel_context(panel)}
    if request.htmx:
        return render(request, "messaging/automations/_panel.html", context)
    return render(request, "messaging/automations/build.html", context, status=status)


def _triggers() -> dict[str, Any]:
    return {"menu": trigger_menu(), "menu_title": "What sets it off?"}


def _menu(request: MemberRequest, automation: Automation, **also: Any) -> HttpResponse:
    context = {**_context(request, automation), **also}
    part = "_panel" if request.htmx else "build"
    return render(request, f"messaging/automations/{part}.html", context)


def _new_template(request: MemberRequest, automation: Automation, node: str) -> HttpResponse:
    """Write a template on the spot, and choose it in the panel; nothing of the step is saved yet."""
    data, trouble = request.POST.copy(), {}
    try:
        made = wording.create_template(
            request.organization,
            name=data.get(NEW_NAME, ""),
            body=data.get(NEW_TEXT, ""),
            actor=request.user,
            ip=client_ip(request),
        )
    except WordingProblem as problem:
        trouble = {problem.field or "body": problem.detail}
    else:
        data["template"] = str(made.pk)
        data.pop(NEW_NAME), data.pop(NEW_TEXT)
    panel = open_panel(request.organization, draft_of(automation), node, automation=automation, data=data)
    context = {
        **_context(request, automation),
        **_panel_context(panel),
        "new_template": {"name": data.get(NEW_NAME, ""), "text": data.get(NEW_TEXT, ""), "trouble": trouble},
    }
    part = "_panel" if request.htmx else "build"
    return render(request, f"messaging/automations/{part}.html", context)


def _panel_context(panel: Panel | None) -> dict[str, Any]:
    if panel is None:
        return {"panel": None, "opened": ""}
    context = {"panel": panel, "opened": panel.id}
    if panel.id == TRIGGER and panel.scope.automation is not None:
        context |= hook_context(panel.scope.automation, panel.scope.flow)
    return context


def _context(request: MemberRequest, automation: Automation) -> dict[str, Any]:
    drawing = draw(request.organization, draft_of(automation), automation=automation)
    undoes, redoes = building.can_step(automation)
    is_archived = automation.status == Automation.Status.ARCHIVED
    return {
        "title": automation.name,
        "automation": automation,
        "tab": "build",
        "drawing": drawing,
        "undoes": undoes,
        "redoes": redoes,
        "may_edit": request.member.can(Capability.EDIT_AUTOMATIONS) and not is_archived,
        "has_changes": automation.live is not None and automation.live.flow != automation.draft,
        "under_way": building.under_way_of(automation) if automation.live is not None else 0,
    }
