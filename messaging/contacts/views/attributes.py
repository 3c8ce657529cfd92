"""Pages on which an organization says what it keeps about its contacts."""

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from integrations.organizations.network import client_ip
from integrations.organizations.pages import MemberRequest, member_page
from integrations.organizations.roles import Capability
from messaging.contacts import defining
from messaging.contacts.attribute_forms import DefinitionForm
from messaging.contacts.attributes import definitions_of
from messaging.contacts.defining import DefinitionProblem
from messaging.contacts.models import AttributeDefinition


@member_page(Capability.MANAGE_ORGANIZATION)
def attribute_list(request: MemberRequest) -> HttpResponse:
    """List the attributes, those in the archive last."""
    every = definitions_of(request.organization, with_archived=True)
    context = {
        "title": "Contact attributes",
        "lead": "What your organization keeps about its contacts beside name, number and language: for templates, "
        "filters and imports.",
        "definitions": [one for one in every if one.archived_at is None],
        "archived": [one for one in every if one.archived_at is not None],
    }
    return render(request, "messaging/contacts/attributes.html", context)


@member_page(Capability.MANAGE_ORGANIZATION)
def attribute_new(request: MemberRequest) -> HttpResponse:
    """Add an attribute."""
    form = DefinitionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            definition = defining.define(
                request.organization,
                key=form.cleaned_data["key"],
                label=form.cleaned_data["label"],
                kind=form.cleaned_data["kind"],
                choices=form.choice_lines(),
                actor=request.user,
                ip=client_ip(request),
            )
        except DefinitionProblem as problem:
            form.add_error(problem.field, problem.message)
        else:
            messages.success(request, f"{definition.label} can be filled in on each contact now.")
            return redirect("contacts:attributes")
    context = {"title": "New attribute", "form": form}
    return render(request, "messaging/contacts/attribute_form.html", context, status=_status_of(form))


@member_page(Capability.MANAGE_ORGANIZATION)
def attribute_edit(request: MemberRequest, attribute_pk: uuid.UUID) -> HttpResponse:
    """Change how an attribute is shown and what can be chosen."""
    definition = _definition(request, attribute_pk)
    initial = {
        "label": definition.label,
        "choices": "\n".join(str(choice) for choice in definition.choices),
        "position": definition.position,
    }
    form = DefinitionForm(request.POST or None, definition=definition, initial=initial)
    if request.method == "POST" and form.is_valid():
        position = form.cleaned_data["position"]
        try:
            defining.redefine(
                definition,
                label=form.cleaned_data["label"],
                choices=form.choice_lines(),
                position=definition.position if position is None else position,
                actor=request.user,
                ip=client_ip(request),
            )
        except DefinitionProblem as problem:
            form.add_error(problem.field, problem.message)
        else:
            messages.success(request, "Saved.")
            return redirect("contacts:attributes")
    context = {"title": f"Edit {_definition(request, attribute_pk).label}", "form": form, "definition": definition}
    return render(request, "messaging/contacts/attribute_form.html", context, status=_status_of(form))


@member_page(Capability.MANAGE_ORGANIZATION)
@require_POST
def attribute_archive(request: MemberRequest, attribute_pk: uuid.UUID) -> HttpResponse:
    """Put an attribute into the archive, or take it out."""
    definition = _definition(request, attribute_pk)
    defining.archive(definition, actor=request.user, ip=client_ip(request))
    words = "is offered again." if definition.archived_at is None else "is in the archive; the values are kept."
    messages.success(request, f"{definition.label} {words}")
    return redirect("contacts:attributes")


def _definition(request: MemberRequest, pk: uuid.UUID) -> AttributeDefinition:
    rows = AttributeDefinition.objects.select_related("organization")
    return get_object_or_404(rows, organization=request.organization, pk=pk)


def _status_of(form: DefinitionForm) -> int:
    return 422 if form.is_bound and form.errors else 200
