"""Pages of templates: the list, the editor with its live preview, and the versions of a wording."""

import uuid
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_POST

from integrations.organizations.models import as_uuid
from integrations.organizations.network import client_ip
from integrations.organizations.pages import MemberRequest, member_page
from integrations.organizations.roles import Capability
from messaging.automations.selectors import published_with
from messaging.contacts.models import Contact
from messaging.contacts.selectors import find_contact, some_contacts

from . import wording
from .forms import TemplateForm
from .look import Look, look_at
from .models import Template, TemplateVersion
from .selectors import find_template, find_templates, versions_of
from .variables import offered
from .wording import SavedMeanwhile, WordingProblem

PAGE = 50
_VALUE = "var_"  # what the send page calls its fields for variables


@member_page(Capability.VIEW)
def template_list(request: MemberRequest) -> HttpResponse:
    """List the templates in use, or the archived ones."""
    query, is_archived = request.GET.get("q", "")[:200], request.GET.get("archived") == "1"
    found = find_templates(request.organization, query=query, is_archived=is_archived)
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    context = {
        "title": "Templates",
        "lead": "Texts to send again and again, with variables for what differs.",
        "rows": [(template, _look_of(request, template)) for template in page],
        "page": page,
        "q": query,
        "is_archived": is_archived,
        "may_edit": request.member.can(Capability.EDIT_TEMPLATES),
    }
    part = "_results" if request.htmx else "list"
    response = render(request, f"messaging/templates/{part}.html", context)
    # The address of both is the same: without this, going back could show the bare rows.
    patch_vary_headers(response, ["HX-Request"])
    return response


@member_page(Capability.EDIT_TEMPLATES)
def template_new(request: MemberRequest) -> HttpResponse:
    """Write a new template."""
    form = TemplateForm(request.POST or None)
    if request.method == "POST" and request.POST.get("do") == "plain":
        form = _with_plain_text(request)
    elif request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            template = wording.create_template(
                request.organization, name=data["name"], body=data["body"], actor=request.user, ip=client_ip(request)
            )
        except WordingProblem as problem:
            form.add_problem(problem)
        else:
            messages.success(request, f"“{template.name}” is saved.")
            return redirect("templates:detail", pk=template.pk)
    context = {"title": "New template", "form": form, **_editor_context(request, form)}
    return render(request, "messaging/templates/editor.html", context, status=_status_of(form))


@member_page(Capability.EDIT_TEMPLATES)
def template_edit(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Change name and wording; a colleague's newer wording is shown, never overwritten unseen."""
    template, theirs = _template(request, pk), None
    form = TemplateForm(request.POST or None, initial=_initial_of(template))
    if request.method == "POST" and request.POST.get("do") == "plain":
        form = _with_plain_text(request)
    elif request.method == "POST" and form.is_valid():
        try:
            version = wording.save_wording(
                template,
                name=form.cleaned_data["name"],
                body=form.cleaned_data["body"],
                based_on=form.cleaned_data["based_on"] or 0,
                actor=request.user,
                ip=client_ip(request),
            )
        except SavedMeanwhile as problem:
            theirs = problem.version
            form = _based_on(form, theirs)
            form.add_problem(problem)
        except WordingProblem as problem:
            form.add_problem(problem)
        else:
            messages.success(request, f"Saved. Version {version.number} is in force.")
            return redirect("templates:detail", pk=pk)
    context = {
        "title": f"Edit {template.name}",
        "form": form,
        "template": template,
        "theirs": theirs,
        **_editor_context(request, form),
    }
    return render(request, "messaging/templates/editor.html", context, status=_status_of(form))


@member_page(Capability.VIEW)
def template_detail(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Show a template: its wording as it arrives, and its versions."""
    template = _template(request, pk)
    context = {
        "title": template.name,
        "template": template,
        "look": _look_of(request, template),
        "versions": versions_of(template)[:100],
        "used_by": published_with(request.organization, template.pk),
        "may_edit": request.member.can(Capability.EDIT_TEMPLATES),
        "may_send": request.member.can(Capability.SEND),
    }
    return render(request, "messaging/templates/detail.html", context)


@member_page(Capability.EDIT_TEMPLATES)
@require_POST
def version_restore(request: MemberRequest, pk: uuid.UUID, number: int) -> HttpResponse:
    """Put an earlier wording in force again."""
    template = _template(request, pk)

    def act() -> str:
        version = wording.restore(template, number=number, actor=request.user, ip=client_ip(request))
        return f"The wording of version {number} is in force again, as version {version.number}."

    return _act(request, template, act)


@member_page(Capability.EDIT_TEMPLATES)
@require_POST
def template_duplicate(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Copy a template and open the copy."""
    try:
        copy = wording.duplicate(_template(request, pk), actor=request.user, ip=client_ip(request))
    except WordingProblem as problem:
        messages.error(request, problem.detail)
        return redirect("templates:detail", pk=pk)
    messages.success(request, f"This is the copy, “{copy.name}”.")
    return redirect("templates:edit", pk=copy.pk)


@member_page(Capability.EDIT_TEMPLATES)
@require_POST
def template_archive(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Take a template out of use."""
    template = _template(request, pk)

    def act() -> str:
        wording.archive(template, actor=request.user, ip=client_ip(request))
        return f"“{template.name}” is archived: it can no longer be chosen. What is queued with it still goes out."

    return _act(request, template, act)


@member_page(Capability.EDIT_TEMPLATES)
@require_POST
def template_unarchive(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Bring a template back into use."""
    template = _template(request, pk)

    def act() -> str:
        wording.unarchive(template, actor=request.user, ip=client_ip(request))
        return f"“{template.name}” can be chosen again."

    return _act(request, template, act)


@member_page(Capability.VIEW)
@require_POST
def measure(request: MemberRequest) -> HttpResponse:
    """Show what the posted `body`, or the wording of the posted `template`, becomes for the posted `contact`.

    `var_…` fields are values given by hand. Ids that are not this organization's are as good as none.
    """
    template_id = as_uuid(request.POST.get("template"))
    template = find_template(request.organization, template_id) if template_id else None
    body = template.current.body if template and template.current else request.POST.get("body", "")
    values = {
        name.removeprefix(_VALUE): str(value)[:500] for name, value in request.POST.items() if name.startswith(_VALUE)
    }
    contact = find_contact(request.organization, request.POST.get("contact"))
    look = look_at(request.organization, body=body, contact=contact, values=values)
    context = {"look": look, "contact": contact, "may_replace": template is None}
    return render(request, "messaging/templates/_measure.html", context)


def _template(request: MemberRequest, pk: uuid.UUID) -> Template:
    template = find_template(request.organization, pk)
    if template is None:
        raise Http404("There is no such template.")
    return template


def _act(request: MemberRequest, template: Template, act: Callable[[], str]) -> HttpResponse:
    """Do what a button of the template's page asks for, and say there what came of it."""
    try:
        messages.success(request, act())
    except WordingProblem as problem:
        messages.error(request, problem.detail)
    return redirect("templates:detail", pk=template.pk)


def _look_of(request: MemberRequest, template: Template) -> Look:
    return look_at(request.organization, body=template.current.body if template.current else "")


def _initial_of(template: Template) -> dict[str, Any]:
    current = template.current
    return {
        "name": template.name,
        "body": current.body if current else "",
        "based_on": current.number if current else 0,
    }


def _based_on(form: TemplateForm, version: TemplateVersion) -> TemplateForm:
    """Return the form with what was typed, written from their version now: saved again, it goes over it knowingly."""
    again = TemplateForm({**form.data.dict(), "based_on": version.number})  # type: ignore[attr-defined]
    again.is_valid()
    return again


def _with_plain_text(request: MemberRequest) -> TemplateForm:
    """Return the form with the cheaper characters in its text, nothing saved: what the button does without scripts."""
    look = look_at(request.organization, body=request.POST.get("body", ""))
    return TemplateForm(
        initial={
            "name": request.POST.get("name", ""),
            "body": look.plain or request.POST.get("body", ""),
            "based_on": request.POST.get("based_on", ""),
        }
    )


def _editor_context(request: MemberRequest, form: TemplateForm) -> dict[str, Any]:
    contact: Contact | None = find_contact(
        request.organization, request.POST.get("contact") or request.GET.get("contact")
    )
    body = form["body"].value() or ""
    contacts = some_contacts(request.organization)
    if contact is not None and contact not in contacts:
        contacts.insert(0, contact)
    return {
        "look": look_at(request.organization, body=body, contact=contact),
        "contact": contact,
        "contacts": contacts,
        "chosen": contact,
        "offered": offered(request.organization).items(),
        "may_replace": True,
    }


def _status_of(form: TemplateForm) -> int:
    return 422 if form.is_bound and form.errors else 200
