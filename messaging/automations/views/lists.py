"""The list of automations, each with what sets it off and how its runs fare."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from integrations.organizations.pages import MemberRequest, member_page
from integrations.organizations.roles import Capability
from integrations.organizations.search_memory import recall, remember
from messaging.automations.display import describe_trigger, flow_shown
from messaging.automations.run_forms import AutomationFilterForm
from messaging.automations.selectors import Counts, automation_page, counts_of, find_automations, last_runs_of, lately

_DAY, _WEEK = 24, 7 * 24


@member_page(Capability.VIEW)
def listing(request: MemberRequest) -> HttpResponse:
    """List automations; what was searched for stands in the session, not in the address."""
    if request.method == "POST":
        fields = {name: str(request.POST.get(name, "")) for name in AutomationFilterForm.base_fields}
        key = remember(request, wanted=fields)
        return redirect(reverse("automations:list") + (f"?search={key}" if key else ""))
    search = request.GET.get("search", "")
    form = AutomationFilterForm(recall(request, key=search) or {"q": "", "status": ""})
    wanted = form.wanted()
    page = automation_page(find_automations(request.organization, **wanted), after=request.GET.get("after"))
    ids = [automation.pk for automation in page.rows]
    day, week, last = counts_of(ids, since=lately(_DAY)), counts_of(ids, since=lately(_WEEK)), last_runs_of(ids)
    context = {
        "title": "Automations",
        "lead": "Something happens, and something is done: each run is listed step by step.",
        "page": page,
        "rows": [
            {
                "automation": automation,
                "trigger": describe_trigger(request.organization, flow_shown(automation), automation=automation),
                "has_changes": automation.live is not None and automation.live.flow != automation.draft,
                "day": day.get(automation.pk, Counts()),
                "week": week.get(automation.pk, Counts()),
                "last": last.get(automation.pk),
            }
            for automation in page.rows
        ],
        "form": form,
        "is_narrowed": any(wanted.values()),
        "search": search,
        "may_edit": request.member.can(Capability.EDIT_AUTOMATIONS),
    }
    return render(request, "messaging/automations/list.html", context)
