"""The builder: questions that are added, worded, ordered, undone, looked at and published.

With scripts each change comes back as a part of the page; without, as the whole page at the same place.
"""

import uuid
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.cache import patch_vary_headers
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from integrations.organizations.network import client_ip
from integrations.organizations.pages import MemberRequest, member_page
from integrations.organizations.roles import Capability
from portal.forms import building
from portal.forms.building import BuildingProblem
from portal.forms.definition import ABOUT, Field, read
from portal.forms.forms import FieldForm, TitleForm, attributes_of
from portal.forms.models import PublicForm
from portal.forms.previewing import preview_page
from portal.forms.selectors import building_of, find_forms

from .frame import act, context_of, form_of, link

PAGE = 50
Problem = tuple[str, str, str]  # key of the field, part, sentence


@member_page(Capability.VIEW)
def form_list(request: MemberRequest) -> HttpResponse:
    """List the forms with how much was sent by each."""
    query = request.GET.get("q", "")[:200]
    page = Paginator(find_forms(request.organization, query=query), PAGE).get_page(request.GET.get("page"))
    context = {
        "title": "Forms",
        "lead": "Pages that anybody can fill in, with the phone number proved by a code where you want it.",
        "page": page,
        "search": query,
        "may_edit": request.member.can(Capability.EDIT_FORMS),
        "may_read": request.member.can(Capability.VIEW_SUBMISSIONS),
    }
    return render(request, "portal/forms/list.html", context)


@member_page(Capability.EDIT_FORMS)
def form_new(request: MemberRequest) -> HttpResponse:
    """Begin a form."""
    form = TitleForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = building.create_form(
                request.organization, title=form.cleaned_data["title"], actor=request.user, ip=client_ip(request)
            )
        except BuildingProblem as problem:
            form.add_error(problem.part or None, problem.detail)
        else:
            return redirect("forms:build", pk=made.pk)
    context = {"title": "New form", "form": form}
    return render(request, "portal/forms/new.html", context, status=422 if request.method == "POST" else 200)


@member_page(Capability.EDIT_FORMS)
def build(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Show the builder."""
    form = form_of(request, pk)
    response = render(request, "portal/forms/build.html", _builder(request, form, opened=request.GET.get("open", "")))
    patch_vary_headers(response, ["HX-Request"])
    return response


@member_page(Capability.EDIT_FORMS)
@require_POST
def field_add(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Add a question of the posted kind."""
    form = form_of(request, pk)
    return _answer(request, form, lambda: building.add_field(form, kind=request.POST.get("kind", "")).key)


@member_page(Capability.EDIT_FORMS)
@require_POST
def field_save(request: MemberRequest, pk: uuid.UUID, key: str) -> HttpResponse:
    """Save one question as it was worded."""
    form = form_of(request, pk)
    field = read(form.definition).find(key)
    if field is None:
        return _answer(request, form, lambda: building.remove_field(form, key=key))  # says that it is gone
    attributes = attributes_of(request.organization)
    worded = FieldForm(request.POST, field=field, attributes=attributes, knows_number=form.knows_number)
    problem: Problem | None = None
    if worded.is_valid():
        try:
            building.change_field(form, key=key, values=worded.values())
        except BuildingProblem as refused:
            problem = (key, refused.part, refused.detail)
            if refused.part in worded.fields:
                worded.add_error(refused.part, refused.detail)
    if request.htmx:
        return _one_field(request, form, key=key, worded=worded)
    if worded.errors or problem:
        context = _builder(request, form, opened=key, worded=worded)
        return render(request, "portal/forms/build.html", context, status=422)
    return redirect(f"{link(request, 'build', form.pk)}?open={key}#field-{key}")


@member_page(Capability.EDIT_FORMS)
@require_POST
def field_move(request: MemberRequest, pk: uuid.UUID, key: str) -> HttpResponse:
    """Move a question up or down."""
    form = form_of(request, pk)
    by = -1 if request.POST.get("to") == "up" else 1
    return _answer(request, form, lambda: building.move_field(form, key=key, by=by))


@member_page(Capability.EDIT_FORMS)
@require_POST
def field_order(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Put the questions into the posted order, as somebody dragged them."""
    form = form_of(request, pk)
    keys = request.POST.get("keys", "")[:2000].split(",")
    return _answer(request, form, lambda: building.order_fields(form, keys=keys))


@member_page(Capability.EDIT_FORMS)
@require_POST
def field_copy(request: MemberRequest, pk: uuid.UUID, key: str) -> HttpResponse:
    """Copy a question."""
    form = form_of(request, pk)
    return _answer(request, form, lambda: building.copy_field(form, key=key))


@member_page(Capability.EDIT_FORMS)
@require_POST
def field_remove(request: MemberRequest, pk: uuid.UUID, key: str) -> HttpResponse:
    """Delete a question; undo brings it back."""
    form = form_of(request, pk)
    return _answer(request, form, lambda: building.remove_field(form, key=key))


@member_page(Capability.EDIT_FORMS)
@require_POST
def step(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Undo the last change, or do it again."""
    form = form_of(request, pk)
    raw = request.POST.get("step", "")
    shown = int(raw) if raw.isdecimal() and len(raw) < 9 else 0
    go = building.step_forward if request.POST.get("to") == "forward" else building.step_back

    def change() -> None:
        if not go(form, shown=shown):
            raise BuildingProblem("Nothing was taken back: somebody changed the form meanwhile, or this was all.")

    return _answer(request, form, change)


@member_page(Capability.EDIT_FORMS)
@require_POST
def form_publish(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Publish what was built."""
    form = form_of(request, pk)
    try:
        version = building.publish(form, actor=request.user, ip=client_ip(request))
    except BuildingProblem as problem:
        messages.error(request, problem.detail)
        return redirect(link(request, "build", pk))
    messages.success(request, f"Published. Visitors get version {version.number}.")
    return redirect(link(request, "detail", pk))


@csrf_exempt
@member_page(Capability.EDIT_FORMS)
def preview(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Show what is being built as visitors will see it; sent, it says what would be wrong, and keeps nothing.

    The page is a visitor's, which carries no token against forged requests; there is nothing here to forge.
    """
    form = form_of(request, pk)
    return preview_page(request, form, picture_at=lambda picture: link(request, "picture", form.pk, picture.pk))


@member_page(Capability.EDIT_FORMS)
@require_POST
def form_copy(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Begin another form with the same questions."""
    form = form_of(request, pk)
    try:
        made = building.copy_form(form, actor=request.user, ip=client_ip(request))
    except BuildingProblem as problem:
        messages.error(request, problem.detail)
        return redirect("forms:detail", pk=pk)
    messages.success(request, f"This is the copy, “{made.title}”. It is a draft until you publish it.")
    return redirect("forms:build", pk=made.pk)


@member_page(Capability.EDIT_FORMS)
@require_POST
def form_open(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Open a closed form again."""
    form = form_of(request, pk)

    def verb() -> str:
        if not building.open_form(form, actor=request.user, ip=client_ip(request)):
            raise BuildingProblem("It cannot be opened: it is open already, or was never published.")
        return "The form is open."

    return act(request, form, verb)


def _answer(request: MemberRequest, form: PublicForm, change: Callable[[], object]) -> HttpResponse:
    """Make a change of the order or number of questions, and show the builder with what came of it.

    A new question's key, returned by the change, has that question opened.
    """
    problem, opened = "", ""
    try:
        made = change()
        opened = made if isinstance(made, str) else ""
    except BuildingProblem as refused:
        problem = refused.detail
    if request.htmx:
        context = {**_builder(request, form, opened=opened), "problem": problem}
        response = render(request, "portal/forms/_builder.html", context)
        # Asked for by a question that is gone: its own form would put the answer nowhere.
        response["HX-Retarget"], response["HX-Reswap"] = "#builder", "outerHTML"
        return response
    if problem:
        messages.error(request, problem)
    mark = f"?open={opened}#field-{opened}" if opened else "#builder"
    return redirect(f"{link(request, 'build', form.pk)}{mark}")


def _builder(
    request: MemberRequest, form: PublicForm, *, opened: str = "", worded: FieldForm | None = None
) -> dict[str, Any]:
    definition, problems = building_of(form)
    attributes = attributes_of(request.organization)
    rows = []
    for field in definition.fields:
        mine = worded if worded is not None and worded.field.key == field.key else None
        form_of_field = mine or FieldForm.of(field, attributes=attributes, knows_number=form.knows_number)
        rows.append(_row(field, problems.get(field.key, {}), form_of_field, opened))
    return {
        **context_of(request, form, tab="build"),
        "rows": rows,
        "problems": problems,
        "whole_problems": list(problems.get("", {}).values()),
        "kinds": [(kind.value, about) for kind, about in ABOUT.items()],
        "can_undo": form.steps.filter(number=form.step - 1).exists(),
        "can_redo": form.steps.filter(number=form.step + 1).exists(),
    }


def _row(field: Field, problems: dict[str, str], worded: FieldForm, opened: str) -> dict[str, Any]:
    # What was typed wrongly is said before what is still missing.
    said = {part.name: " ".join(map(str, part.errors)) or problems.get(part.name, "") for part in worded}
    parts = [{"field": part, "problem": said[part.name]} for part in worded]
    is_open = field.key == opened or bool(worded.errors)
    return {"field": field, "problems": problems, "parts": parts, "is_open": is_open}


def _one_field(request: MemberRequest, form: PublicForm, *, key: str, worded: FieldForm) -> HttpResponse:
    """Answer what one question's change touches, beside its own inputs: somebody is typing in these."""
    context = _builder(request, form, opened=key, worded=worded)
    row = next((row for row in context["rows"] if row["field"].key == key), None)
    context |= {"row": row, "is_part": True}
    return render(request, "portal/forms/_saved.html", context)
