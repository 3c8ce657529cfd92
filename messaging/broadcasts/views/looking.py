"""Looking at broadcasts: the list, one of them, its rows, and tables to download."""

import uuid
from typing import Any

from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from integrations.organizations.models import as_uuid
from integrations.organizations.pages import MemberRequest, member_page
from integrations.organizations.roles import Capability
from integrations.organizations.search_memory import recall, remember
from messaging.broadcasts import downloads
from messaging.broadcasts.dry_run import dry_run_of
from messaging.broadcasts.forms import BroadcastFilterForm
from messaging.broadcasts.models import Broadcast, Recipient
from messaging.broadcasts.progress import progress_of
from messaging.broadcasts.reasons import left_out
from messaging.broadcasts.results import causes_of, cost_of, safe_count
from messaging.broadcasts.selectors import (
    failed_messages,
    find_broadcasts,
    left_out_rows,
    page_of,
    problem_rows,
    rows_page,
)
from messaging.jobs.models import Job
from messaging.sending.reasons import own_reason, reason_for, reason_of

from .finding import broadcast_of

_Status = Broadcast.Status
_OVER = frozenset({_Status.DONE, _Status.CANCELED})


@member_page(Capability.VIEW)
def listing(request: MemberRequest) -> HttpResponse:
    """List broadcasts; what was searched for stands in the session, not in the address."""
    if request.method == "POST":
        fields = {name: str(request.POST.get(name, "")) for name in BroadcastFilterForm.base_fields}
        key = remember(request, wanted=fields)
        return redirect(reverse("broadcasts:list") + (f"?search={key}" if key else ""))
    search = request.GET.get("search", "")
    form = BroadcastFilterForm(recall(request, key=search) or {"q": "", "status": ""})
    wanted = form.wanted()
    rows = find_broadcasts(request.organization, **wanted)
    context = {
        "title": "Broadcasts",
        "lead": "One text to many people: checked row by row, shown before it is sent, and accounted for afterwards.",
        "page": page_of(rows, after=as_uuid(request.GET.get("after"))),
        "form": form,
        "is_narrowed": any(wanted.values()),
        "search": search,
        "may_send": request.member.can(Capability.SEND),
    }
    return render(request, "messaging/broadcasts/list.html", context)


@member_page(Capability.VIEW)
def detail(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Show a broadcast where it stands: draft, check, dry run, progress, results."""
    broadcast = broadcast_of(request, pk)
    context: dict[str, Any] = {
        "title": broadcast.name,
        "broadcast": broadcast,
        "may_send": request.member.can(Capability.SEND),
        "audience": _audience_in_words(broadcast),
    }
    if request.htmx:
        return _news(request, broadcast, context)
    if broadcast.status in {_Status.DRAFT, _Status.CHECKING}:
        context |= {"job": _job_of(broadcast)}
        return render(request, "messaging/broadcasts/draft.html", context)
    if broadcast.status == _Status.READY:
        return render(request, "messaging/broadcasts/dry_run.html", context | {"run": dry_run_of(broadcast)})
    return render(request, "messaging/broadcasts/progress.html", context | _course_of(broadcast))


@member_page(Capability.VIEW)
@require_safe
def rows(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """List rows of a broadcast of one kind: left out for a reason, wrong, or failed for a cause."""
    broadcast = broadcast_of(request, pk)
    kind, _, which = request.GET.get("show", "ready").replace("\x00", "")[:80].partition(":")
    after = request.GET.get("after", "")
    behind = int(after) if after.isascii() and after.isdecimal() and len(after) < 10 else 0
    context = {
        "broadcast": broadcast,
        "show": f"{kind}:{which}" if which else kind,
        **_rows_of_kind(broadcast, kind, which, behind),
    }
    return render(request, "messaging/broadcasts/rows.html", context)


@member_page(Capability.VIEW)
@require_safe
def wrong_rows(request: MemberRequest, pk: uuid.UUID) -> HttpResponseBase:
    """Download the wrong rows with what is wrong."""
    return downloads.wrong_rows(broadcast_of(request, pk))


@member_page(Capability.VIEW)
@require_safe
def results(request: MemberRequest, pk: uuid.UUID) -> HttpResponseBase:
    """Download what became of every row."""
    return downloads.results(broadcast_of(request, pk))


def _news(request: MemberRequest, broadcast: Broadcast, context: dict[str, Any]) -> HttpResponse:
    """Give the progress anew; where the broadcast went on to another stage, the page as a whole."""
    if request.GET.get("was") != broadcast.status:
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    context |= _course_of(broadcast)
    return render(request, "messaging/broadcasts/_progress.html", context)


def _course_of(broadcast: Broadcast) -> dict[str, Any]:
    progress = progress_of(broadcast)
    is_over = broadcast.status in _OVER
    safe = safe_count(broadcast) if is_over and progress.not_delivered else 0
    return {
        "progress": progress,
        "causes": causes_of(broadcast) if progress.not_delivered or progress.flagged else [],
        "costs": cost_of(broadcast),
        "estimate": broadcast.summary.get("estimate", []),
        "left_out": [
            {"reason": reason, "words": left_out(reason), "count": count}
            for reason, count in broadcast.summary.get("left_out", {}).items()
        ],
        "is_over": is_over,
        "is_moving": not is_over or bool(progress.at_twilio or progress.under_way),
        "safe": safe,
        "not_safe": progress.not_delivered + progress.flagged - safe,
        "again": broadcast.retries.exclude(status=_Status.CANCELED).first() if is_over else None,
    }


def _rows_of_kind(broadcast: Broadcast, kind: str, which: str, after: int) -> dict[str, Any]:
    """Return the title and the page of rows that `show` names; 404 for what there is no list of."""
    match kind:
        case "left_out":
            words = left_out(which) if which else None
            return {
                "title": f"Left out: {words.title.lower()}" if words else "Left out",
                "lead": words.meaning if words else "Rows of the audience that get no message.",
                "page": rows_page(left_out_rows(broadcast, reason=which), after=after),
            }
        case "bad":
            return {
                "title": "Wrong rows",
                "lead": "What stands in these rows cannot be sent.",
                "page": rows_page(problem_rows(broadcast), after=after),
            }
        case "ready":
            ready = Recipient.objects.filter(broadcast=broadcast, state=Recipient.State.READY)
            return {
                "title": f"Recipients of {broadcast.name}",
                "lead": "Each with the text as it is frozen for them.",
                "page": rows_page(ready, after=after),
            }
        case "failed" | "undelivered" | "blocked" | "unknown":
            found = failed_messages(broadcast, key=f"{kind}:{which}").select_related("contact")
            some = list(found.filter(broadcast_row__gt=after).order_by("broadcast_row")[:51])
            cause = (
                reason_for(code=int(which), reason="") if which.isdecimal() and len(which) < 9 else own_reason(which)
            )
            return {
                "title": cause.title if cause else "Failed",
                "lead": cause.remedy if cause else "",
                "failed": [(message, reason_of(message)) for message in some[:50]],
                "page": {"next": some[49].broadcast_row if len(some) > 50 else None},
            }
        case _:
            raise Http404("There is no such list.")


def _job_of(broadcast: Broadcast) -> Job | None:
    if broadcast.status != _Status.CHECKING or broadcast.check_job_id is None:
        return None
    return Job.objects.filter(organization=broadcast.organization, pk=broadcast.check_job_id).first()


def _audience_in_words(broadcast: Broadcast) -> str:
    label = broadcast.source.get("label", "")
    match broadcast.audience:
        case Broadcast.Audience.TAG:
            return f"Contacts with the tag “{label}”"
        case Broadcast.Audience.FILTER:
            return f"Contacts of the saved filter “{label}”"
        case Broadcast.Audience.CSV:
            return f"The file {label}" if label else "A CSV file, still to be chosen"
        case Broadcast.Audience.RETRY if broadcast.retry_of:
            return f"Failed messages of “{broadcast.retry_of.name}”"
        case _:
            return broadcast.get_audience_display()
