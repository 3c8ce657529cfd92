"""The figures of a portal."""

import uuid

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from integrations.organizations.pages import MemberRequest, member_page
from integrations.organizations.roles import Capability
from portal.accounts.statistics import DAYS, report_of
from portal.accounts.views.frame import context_of, portal_of

_USUAL = 30


@member_page(Capability.PORTAL_PEOPLE)
@require_safe
def statistics(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Show registrations, logins, codes and invitations of the last days, by day and by country."""
    portal = portal_of(request, pk)
    asked = request.GET.get("days", "")
    days = int(asked) if asked in map(str, DAYS) else _USUAL
    report = report_of(portal, days=days)
    most = max((day.registered + day.logins for day in report.by_day), default=0) or 1
    context = {
        **context_of(request, portal, tab="portals:statistics"),
        "report": report,
        "bars": [
            (day, codes, 100 * day.registered // most, 100 * day.logins // most)
            for day, codes in zip(report.by_day, report.codes.by_day, strict=True)
        ],
        "days": days,
        "choices": DAYS,
    }
    return render(request, "portal/accounts/people/statistics.html", context)
