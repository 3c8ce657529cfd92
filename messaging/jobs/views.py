"""How far a job is, for whoever waits for it; and the way to stop it."""

import uuid

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from integrations.organizations.pages import MemberRequest, member_page, refuse

from . import work
from .models import Job
from .registry import kind_of


@require_safe
@member_page()
def progress(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Give the bar anew; when the work is over, have the page around it read anew."""
    job = _job(request, pk)
    response = render(request, "components/job.html", {"job": job})
    if not job.is_active:
        response["HX-Refresh"] = "true"
    return response


@require_POST
@member_page()
def cancel(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Stop a job; what it did so far stays."""
    job = _job(request, pk)
    kind = kind_of(job.kind)
    if kind is None or not kind.is_cancelable:
        messages.error(request, "This work cannot be stopped in the middle.")
    elif not request.member.can(kind.capability):
        return refuse(request, kind.capability)
    elif work.cancel(job):
        messages.success(request, "Stopped. What was done until now stays.")
    else:
        messages.info(request, "It had ended already.")
    back = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()})
    return redirect(back if is_ours else "home")


def _job(request: MemberRequest, pk: uuid.UUID) -> Job:
    job = Job.objects.filter(organization=request.organization, pk=pk).first()
    if job is None:
        raise Http404("There is no such job.")
    return job
