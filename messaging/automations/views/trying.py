"""A test run: the draft with sample data, over the sandbox; the page follows it step by step."""

import uuid
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from integrations.organizations.pages import MemberRequest, member_page
from integrations.organizations.roles import Capability
from integrations.sandbox.phone_tokens import seal_number
from messaging.automations import publishing, trying
from messaging.automations.building_forms import TestForm
from messaging.automations.display import Story
from messaging.automations.fields import Field
from messaging.automations.models import Automation, Run
from messaging.automations.nodes.testing import sandbox_of
from messaging.automations.publishing import AutomationProblem, draft_of
from messaging.automations.trying import SampleProblem
from messaging.contacts.selectors import some_contacts

from .finding import automation_of, run_of
from .unreadable import says_unreadable

PHONE = "+4915123456789"
_PREFIX = "f:"


@member_page(Capability.EDIT_AUTOMATIONS)
@says_unreadable
def test(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Ask for sample data, and begin a test run of the draft."""
    automation = automation_of(request, pk)
    flow = draft_of(automation)
    fields = trying.trigger_fields(request.organization, flow, automation=automation)
    of_contact = trying.fields_of_contact(request.organization, flow, automation=automation)
    samples = trying.samples_of(automation, flow)
    typed = {name.removeprefix(_PREFIX): str(value) for name, value in request.POST.items() if name.startswith(_PREFIX)}
    form = TestForm(
        request.POST if request.method == "POST" else None,
        organization=request.organization,
        initial={"phone": _phone(request)},
    )
    problem = ""
    if request.method == "POST" and form.is_valid():
        try:
            phone = form.cleaned_data["phone"]
            person = trying.read_fields(of_contact, typed).get("contact", {})
            run = publishing.begin_test(
                automation,
                data=_data(request, fields, typed),
                phone=phone,
                contact={**person, "phone": phone} if of_contact else {},
            )
        except (SampleProblem, AutomationProblem) as refused:
            lacks = [one.text for one in getattr(refused, "problems", [])][:5]
            problem = " ".join([str(refused), *dict.fromkeys(lacks)])
        else:
            return redirect("automations:test_run", pk=pk, run_pk=run.pk)
    shown = typed or trying.begin_with([*fields, *of_contact])
    example = samples[0] if samples else trying.example_of(fields)
    json_text = request.POST.get("json", example.text)
    context = {
        "title": f"Test {automation.name}",
        "lead": "The draft runs once with the values below. Nothing leaves but to the sandbox, nothing waits, and no "
        "contact is changed.",
        "automation": automation,
        "tab": "build",
        "may_edit": True,
        "form": form,
        "problem": problem,
        "fields": [(field, f"{_PREFIX}{field.path}", shown.get(field.path, "")) for field in fields],
        "of_contact": [(field, f"{_PREFIX}{field.path}", shown.get(field.path, "")) for field in of_contact],
        "samples": samples,
        "takes_json": trying.takes_json(flow),
        "json": json_text,
        "sandbox": sandbox_of(request.organization),
        "contacts": some_contacts(request.organization) if of_contact else [],
    }
    return render(request, "messaging/automations/test.html", context, status=422 if problem or form.errors else 200)


@member_page(Capability.EDIT_AUTOMATIONS)
@require_safe
def test_run(request: MemberRequest, pk: uuid.UUID, run_pk: uuid.UUID) -> HttpResponse:
    """Follow a test run: what each step did or would do, and the phone that got the text."""
    automation = automation_of(request, pk)
    run = run_of(request, run_pk)
    if run.automation_id != automation.pk or not run.is_test:
        raise Http404("There is no such test run.")
    story = Story(run)
    is_over = run.ended_at is not None
    context: dict[str, Any] = {
        "title": f"Test of {automation.name}",
        "automation": automation,
        "tab": "build",
        "may_edit": True,
        "run": run,
        "story": story,
        "steps": story.steps(),
        "is_over": is_over,
        "phone_link": _phone_link(automation, run),
    }
    part = "_test_run" if request.htmx else "test_run"
    return render(request, f"messaging/automations/{part}.html", context)


def _phone_link(automation: Automation, run: Run) -> str:
    sandbox = sandbox_of(automation.organization)
    if sandbox is None or not run.phone:
        return ""
    return reverse("sandbox:phone", args=[sandbox.pk, seal_number(run.phone, connection_id=sandbox.pk)])


def _phone(request: MemberRequest) -> str:
    last = Run.objects.filter(organization=request.organization, is_test=True).exclude(phone="").order_by("-id")
    return last.values_list("phone", flat=True).first() or PHONE


def _data(request: MemberRequest, fields: list[Field], typed: dict[str, str]) -> dict[str, Any]:
    """Return what the trigger brings, as JSON or as fields; raise SampleProblem."""
    if "json" in request.POST:
        return trying.read_json(request.POST["json"])
    found = trying.read_fields(fields, typed).get("trigger", {})
    return found if isinstance(found, dict) else {}
