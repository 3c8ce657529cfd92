"""The first page of an organization."""

from django.http import HttpResponse
from django.shortcuts import render

from integrations.connections.selectors import default_connection
from integrations.organizations.pages import MemberRequest, member_page
from integrations.organizations.roles import Capability
from integrations.organizations.views.switching import landing
from integrations.platform_sms.statement import outlook_of, pays_with_credits
from messaging.alerts.selectors import dismissed_count
from messaging.sending.health import trouble_in_words
from messaging.sending.models import Message
from messaging.sending.selectors import waiting_count

from .selectors import last_days


def home(request: MemberRequest) -> HttpResponse:
    """Show the dashboard inside an organization; elsewhere lead to one."""
    if request.organization is None:
        return landing(request)
    return dashboard(request)  # type: ignore[return-value]


@member_page()
def dashboard(request: MemberRequest) -> HttpResponse:
    """Show how messages fared today and in the last 14 days, and what needs attention."""
    organization = request.organization
    days = last_days(organization)
    highest = max((day.total for day in days), default=0)
    context = {
        "title": "Dashboard",
        "connection": default_connection(organization),
        "today": days[-1],
        "bars": [
            {
                "day": day,
                "delivered": day.share(day.delivered, of=highest),
                "on_way": day.share(day.on_way, of=highest),
                "failed": day.share(day.failed, of=highest),
            }
            for day in days
        ],
        "has_messages": highest > 0 or Message.objects.filter(organization=organization).exists(),
        "waiting": waiting_count(organization),
        "outlook": outlook_of(organization) if pays_with_credits(organization) else None,
        "may_see_credits": request.member.can(Capability.MANAGE_CONNECTIONS),
        "dismissed": dismissed_count(organization),
        "troubles": trouble_in_words(),
        "recent": Message.objects.filter(organization=organization)
        .select_related("contact", "connection")
        .order_by("-id")[:6],
    }
    template = "messaging/dashboard/_dashboard.html" if request.htmx else "messaging/dashboard/dashboard.html"
    return render(request, template, context)
