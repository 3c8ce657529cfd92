"""The same with many contacts: asked about first, then a job with its progress, then what came of it."""

import json
import uuid
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.crypto import salted_hmac
from django.views.decorators.http import require_POST, require_safe

from integrations.organizations.network import client_ip
from integrations.organizations.pages import MemberRequest, member_page
from integrations.organizations.roles import Capability
from messaging.contacts import bulk
from messaging.contacts.address_book import ContactProblem
from messaging.contacts.bulk import Choice
from messaging.contacts.erasure import erasing
from messaging.contacts.views.lists import asked_filter, is_forgotten, where_of
from messaging.jobs.models import Job


@dataclass(frozen=True)
class Action:
    """Something to do with many contacts, in the words of its page."""

    kind: str
    verb: str
    is_dangerous: bool = False


ACTIONS = {
    "tag": Action(bulk.TAG, "Tag"),
    "untag": Action(bulk.UNTAG, "Take the tag from"),
    "delete": Action(bulk.DELETE, "Delete", is_dangerous=True),
    "erase": Action(erasing.ERASE, "Erase", is_dangerous=True),
}


@member_page(Capability.EDIT_CONTACTS)
@require_POST
def bulk_ask(request: MemberRequest) -> HttpResponse:
    """Say what would happen with how many, and ask; do it once it is confirmed."""
    name = request.POST.get("action", "")
    choice, back = _choice(request), f"{reverse('contacts:list')}?{where_of(request)}"
    if name not in ACTIONS:
        return redirect(back)
    if choice.wanted is not None and is_forgotten(request):
        messages.error(request, "What you looked for is not remembered any more. Search again, then choose.")
        return redirect("contacts:list")
    count = choice.rows(request.organization).count()
    if not count:
        messages.info(request, "Choose some contacts first.")
        return redirect(back)
    action, problem, tag = ACTIONS[name], "", request.POST.get("tag", "").strip()
    if name in {"tag", "untag"} and not tag:
        messages.error(request, "Write which tag, beside what to do.")
        return redirect(back)
    seen = _fingerprint(choice)
    if "confirmed" in request.POST:
        if request.POST.get("seen", "") != seen:
            problem = "What you looked for has changed since, and with it who is meant. Read it again."
        elif name == "erase" and request.POST.get("typed", "").strip().lower() != erasing.ERASE_WORD:
            problem = f"Write “{erasing.ERASE_WORD}” to confirm."
        else:
            try:
                return redirect("contacts:work", job_pk=_start(request, action, choice, count=count, tag=tag).pk)
            except ContactProblem as refused:
                problem = refused.detail
    context = {
        "title": f"{action.verb} {count:,} contact{'' if count == 1 else 's'}?",
        "action": action, "name": name, "count": count, "tag": tag, "problem": problem, "back": back,
        "ids": choice.ids, "scope": request.POST.get("scope", ""), "where": where_of(request),
        "until": choice.until or "", "erase_word": erasing.ERASE_WORD, "seen": seen,
    }  # fmt: skip
    return render(request, "messaging/contacts/bulk.html", context, status=422 if problem else 200)


@require_safe
@member_page(Capability.VIEW)
def work_page(request: MemberRequest, job_pk: uuid.UUID) -> HttpResponse:
    """Show how far such work is, and what came of it."""
    job = _job(request, job_pk)
    context = {
        "title": job.title,
        "job": job,
        "may_undo": request.member.can(Capability.EDIT_CONTACTS) and bulk.can_undo(job),
        "report": erasing.report_of(job) if job.kind == erasing.ERASE else None,
    }
    return render(request, "messaging/contacts/work.html", context)


@member_page(Capability.EDIT_CONTACTS)
@require_POST
def work_undo(request: MemberRequest, job_pk: uuid.UUID) -> HttpResponse:
    """Take a tagging back."""
    job = _job(request, job_pk)
    if not bulk.can_undo(job):
        messages.info(request, "There is nothing left to undo.")
        return redirect("contacts:work", job_pk=job_pk)
    return redirect("contacts:work", job_pk=bulk.undo(job, actor=request.user, ip=client_ip(request)).pk)


def _choice(request: MemberRequest) -> Choice:
    if request.POST.get("scope") != "all":
        return bulk.choose(request.POST.getlist("contact"))
    choice = bulk.choose_all(request.organization, asked_filter(request))
    asked = bulk.choose([request.POST.get("until", "")]).ids
    return Choice(wanted=choice.wanted, until=asked[0]) if asked else choice


def _fingerprint(choice: Choice) -> str:
    """Return what tells one filter from another, "" for contacts that were chosen one by one.

    A search is known by a key that another tab may give to the next search, and a saved filter is anybody's to change:
    what was asked about and what is confirmed must be the same.
    """
    if choice.wanted is None:
        return ""
    plain = json.dumps(choice.wanted.as_json(), sort_keys=True)
    return salted_hmac("heliograph.bulk", plain, algorithm="sha256").hexdigest()[:32]


def _start(request: MemberRequest, action: Action, choice: Choice, *, count: int, tag: str) -> Job:
    start = erasing.start_erasing if action.kind == erasing.ERASE else bulk.start_bulk
    more = {} if action.kind == erasing.ERASE else {"kind": action.kind, "tag_name": tag}
    return start(request.organization, choice=choice, total=count, actor=request.user, ip=client_ip(request), **more)


def _job(request: MemberRequest, pk: uuid.UUID) -> Job:
    return get_object_or_404(Job, organization=request.organization, pk=pk)
