"""Runs: the list, one of them step by step, and what is done to one or to many."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from integrations.organizations.network import client_ip
from integrations.organizations.pages import MemberRequest, member_page
from integrations.organizations.roles import Capability
from integrations.organizations.search_memory import recall, remember
from messaging.automations import moves, retrying, settling
from messaging.automations.display import Story, flow_shown, nodes_of, not_sent_of, places_of
from messaging.automations.models import Automation, Run
from messaging.automations.run_filter import RunFilter, filtered, run_page
from messaging.automations.run_forms import RunFilterForm
from messaging.automations.run_reasons import reasons_in
from messaging.automations.selectors import (
    counts_of,
    counts_of_all,
    messages_page,
    names_of,
    run_that_caused,
    runs_led_to,
)

from .finding import automation_of, run_of

_ENDED = frozenset({Run.Status.DONE, Run.Status.FAILED, Run.Status.STOPPED, Run.Status.SKIPPED})
# A number must not stand in an address; all else that a list is narrowed to may.
_IN_ADDRESS = ("automation", "status", "node", "reason", "since", "until", "tests")


@member_page(Capability.VIEW)
def of_all(request: MemberRequest) -> HttpResponse:
    """List the runs of all automations."""
    return _listing(request, None)


@member_page(Capability.VIEW)
def of_one(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """List the runs of one automation."""
    return _listing(request, automation_of(request, pk))


@member_page(Capability.VIEW)
@require_safe
def detail(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Show one run; as a partial, only what changes."""
    run = run_of(request, pk)
    story = Story(run)
    may_act = request.member.can(Capability.SEND)
    context = {
        "title": "Run",
        "run": run,
        "story": story,
        "steps": story.steps(),
        "is_over": run.status in _ENDED,
        "caused_by": run_that_caused(run),
        "led_to": runs_led_to(run),
        "is_archived": run.automation.status == Automation.Status.ARCHIVED,
        "may_retry": may_act and run.status == Run.Status.FAILED and run.reason != moves.ERASED,
        "may_stop": may_act and run.status == Run.Status.WAITING,
    }
    return render(request, f"messaging/automations/{'_run' if request.htmx else 'run'}.html", context)


@member_page(Capability.VIEW)
@require_safe
def run_messages(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """List everything that a run sent, and what it did not send."""
    run = run_of(request, pk)
    after = request.GET.get("after", "")
    behind = int(after) if after.isascii() and after.isdecimal() and len(after) < 19 else 0
    context = {"title": "Messages of the run", "run": run, "page": messages_page(run, after=behind)}
    return render(request, "messaging/automations/run_messages.html", context)


@member_page(Capability.SEND)
@require_POST
def retry(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Try the step that failed again."""
    run = run_of(request, pk)
    if run.automation.status == Automation.Status.ARCHIVED:
        messages.info(request, "The automation is archived: its runs stay as they are.")
    elif not moves.retry(run, actor=request.user, ip=client_ip(request)):
        messages.info(request, "It has not failed, or was tried again meanwhile.")
    elif run.automation.status == Automation.Status.PAUSED:
        messages.success(request, "It goes on from the step that failed as soon as the automation is resumed.")
    else:
        messages.success(request, "It goes on from the step that failed. What was done before is not done again.")
    return redirect("automations:run", pk=pk)


@member_page(Capability.SEND)
@require_POST
def stop(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """End a run that waits."""
    run = run_of(request, pk)
    if moves.stop(run, actor=request.user, ip=client_ip(request)):
        messages.success(request, "Stopped. What it has done stays done.")
    else:
        messages.info(request, "It had ended, or was being carried on at this moment: look again.")
    return redirect("automations:run", pk=pk)


@member_page(Capability.SEND)
def retry_all(request: MemberRequest) -> HttpResponse:
    """Try all failed runs again that the list of all automations shows."""
    return _retry_many(request, None)


@member_page(Capability.SEND)
def retry_of_one(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Try all failed runs of an automation again that its list shows."""
    return _retry_many(request, automation_of(request, pk))


def _listing(request: MemberRequest, automation: Automation | None) -> HttpResponse:
    address = _address(automation)
    if request.method == "POST":
        fields = {name: str(request.POST.get(name, "")) for name in RunFilterForm.base_fields}
        key = remember(request, wanted=fields)
        return redirect(address + (f"?search={key}" if key else ""))
    form, wanted = _asked(request, automation)
    rows = filtered(request.organization, wanted, automation_id=automation.pk if automation else None)
    page = run_page(rows, after=request.GET.get("after"))
    places, not_sent = places_of(page.rows), not_sent_of(page.rows)
    if automation is not None:
        counts = counts_of([automation.pk])[automation.pk]
    else:
        counts = counts_of_all(request.organization)
    job = retrying.running_job(request.organization)
    context = {
        "title": automation.name if automation else "Runs",
        "lead": "" if automation else "Each time that an automation was set off, and what came of it.",
        "automation": automation,
        "tab": "runs",
        "form": form,
        "wanted": wanted,
        "page": page,
        "rows": [(run, places.get(run.pk), not_sent.get(run.pk, 0)) for run in page.rows],
        "counts": counts,
        "statuses": [(value, label, counts.by_status.get(value, 0)) for value, label in Run.Status.choices],
        "query": _query_of(request),
        "address": address,
        "job": job,
        "settling": settling.running_job(automation) if automation is not None else None,
        "may_retry": request.member.can(Capability.SEND) and bool(counts.failed),
        "may_edit": request.member.can(Capability.EDIT_AUTOMATIONS),
    }
    return render(request, "messaging/automations/runs.html", context)


def _retry_many(request: MemberRequest, automation: Automation | None) -> HttpResponse:
    """Ask first with the count, then do it, by a job where they are many."""
    _, wanted = _asked(request, automation)
    back = _address(automation) + (f"?{query}" if (query := _query_of(request)) else "")
    if request.method == "POST":
        done = retrying.retry_found(
            request.organization, wanted, automation=automation, actor=request.user, ip=client_ip(request)
        )
        if not isinstance(done, int):
            messages.success(request, f"{done.total:,} runs are tried again, the oldest first.")
        elif done:
            messages.success(request, f"{done:,} run{' goes' if done == 1 else 's go'} on from the step that failed.")
        else:
            messages.info(request, "Nothing that failed fits (any more).")
        return redirect(back)
    rows = retrying.failed_runs(request.organization, wanted, automation_id=automation.pk if automation else None)
    count = retrying.count_failed(rows)
    if not count:
        messages.info(request, "Nothing that failed fits (any more).")
        return redirect(back)
    context = {
        "title": f"Try {count:,} failed run{'' if count == 1 else 's'} again?",
        "count": count,
        "automation": automation,
        "is_narrowed": not wanted.is_empty,
        "is_job": count > moves.MOST_AT_ONCE,
        "back": back,
    }
    return render(request, "messaging/automations/retry.html", context)


def _asked(request: MemberRequest, automation: Automation | None) -> tuple[RunFilterForm, RunFilter]:
    """Return the form and what it asks for: what is remembered of a search, else what stands in the address."""
    typed = recall(request, key=request.GET.get("search", "")) or {
        name: request.GET.get(name, "").replace("\x00", "") for name in _IN_ADDRESS
    }
    form = RunFilterForm(
        typed,
        reasons=reasons_in(request.organization, automation, chosen=typed.get("reason", "")),
        nodes=nodes_of(flow_shown(automation)) if automation else (),
        automations=() if automation else names_of(request.organization),
    )
    return form, form.wanted()


def _address(automation: Automation | None) -> str:
    return reverse("automations:runs", args=[automation.pk]) if automation else reverse("automations:runs_of_all")


def _query_of(request: MemberRequest) -> str:
    query: Any = request.GET.copy()
    for name in set(query) - {"search", *_IN_ADDRESS}:
        query.pop(name)
    return query.urlencode()
