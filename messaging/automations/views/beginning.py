"""New automations: empty, from a recipe, or from a file; and an automation as a file."""

import json
import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.text import slugify
from django.views.decorators.http import require_safe

from integrations.organizations.network import client_ip
from integrations.organizations.pages import MemberRequest, member_page
from integrations.organizations.roles import Capability
from messaging.automations import copying, publishing, recipes
from messaging.automations.building_forms import FileForm, NameForm
from messaging.automations.copying import FileProblem
from messaging.automations.publishing import AutomationProblem

from .finding import automation_of
from .unreadable import says_unreadable


@member_page(Capability.EDIT_AUTOMATIONS)
def new(request: MemberRequest) -> HttpResponse:
    """Begin an automation: with nothing, or with a recipe."""
    recipe = recipes.find(request.POST.get("recipe") or request.GET.get("recipe", ""))
    form = NameForm(
        request.POST if request.method == "POST" else None, initial={"name": recipe.title if recipe else ""}
    )
    if request.method == "POST" and form.is_valid():
        name, ip = form.cleaned_data["name"], client_ip(request)
        try:
            if recipe is not None:
                made = recipes.use(recipe, request.organization, name=name, actor=request.user, ip=ip)
            else:
                made = publishing.create(request.organization, name=name, actor=request.user, ip=ip)
        except AutomationProblem as problem:
            form.add_error("name", str(problem))
        else:
            if recipe is not None:
                messages.success(request, f"This is the draft. {recipe.then}")
            return redirect("automations:build", pk=made.pk)
    context = {"title": "New automation", "form": form, "recipe": recipe, "recipes": recipes.every_recipe()}
    return render(request, "messaging/automations/new.html", context, status=422 if form.errors else 200)


@member_page(Capability.EDIT_AUTOMATIONS)
def take_file(request: MemberRequest) -> HttpResponse:
    """Make a draft of a file that another organization exported."""
    form = FileForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            taken = copying.take(
                request.organization, form.cleaned_data["text"], actor=request.user, ip=client_ip(request)
            )
        except FileProblem as problem:
            form.add_error("text", str(problem))
        else:
            made = f" {len(taken.templates)} template{'s were' if len(taken.templates) != 1 else ' was'} written."
            messages.success(request, f"“{taken.automation.name}” is a draft.{made if taken.templates else ''}")
            if taken.missing:
                names = ", ".join(dict.fromkeys(map(str, taken.missing)))
                messages.warning(request, f"Not known here: {names}. The cards say where to choose others.")
            return redirect("automations:build", pk=taken.automation.pk)
    context = {
        "title": "Automation from a file",
        "lead": "A file that was exported from an automation, here or in another organization.",
        "form": form,
    }
    return render(request, "messaging/automations/import.html", context, status=422 if form.errors else 200)


@member_page(Capability.EDIT_AUTOMATIONS)
@require_safe
@says_unreadable
def as_file(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Give the draft as a file."""
    automation = automation_of(request, pk)
    text = json.dumps(copying.as_file(automation), ensure_ascii=False, indent=2)
    response = HttpResponse(text, content_type="application/json; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{slugify(automation.name) or "automation"}.json"'
    response["Cache-Control"] = "no-store"
    return response
