"""Pages of credits: the statement, the same as a table to download, and what is set for platform SMS."""

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_POST, require_safe

from integrations.organizations.models import Organization
from integrations.organizations.network import client_ip
from integrations.organizations.pages import MemberRequest, member_page
from integrations.organizations.roles import Capability
from integrations.platform_sms.offers import current_offer
from integrations.platform_sms.policies import as_signature, change_policy, policy_of
from integrations.platform_sms.statement import all_entries, outlook_of, page_of
from messaging.csv_files.writing import csv_response

from .forms import PlatformForm

_COLUMNS = ("When", "What", "Added", "Taken", "Balance", "Message", "Note")


@require_safe
@member_page(Capability.MANAGE_CONNECTIONS)
def statement(request: MemberRequest) -> HttpResponse:
    """Show the balance, how long it lasts, and every entry."""
    return _page(request, PlatformForm.of(policy_of(request.organization)))


@require_POST
@member_page(Capability.MANAGE_CONNECTIONS)
def change(request: MemberRequest) -> HttpResponse:
    """Save the signature and the warning."""
    form = PlatformForm(request.POST, usual=as_signature(request.organization.name))
    if not form.is_valid():
        return _page(request, form, status=422)
    is_new = change_policy(request.organization, **form.cleaned_data, actor=request.user, ip=client_ip(request))
    messages.success(request, "Saved." if is_new else "Nothing was changed.")
    return redirect("credits:statement")


@require_safe
@member_page(Capability.MANAGE_CONNECTIONS)
def download(request: MemberRequest) -> HttpResponseBase:
    """Give the statement as CSV, of all time or of the days that are asked for, oldest first."""
    organization = request.organization
    since, until = _day(request, "since"), _day(request, "until")
    return csv_response(
        name=f"credits of {organization.slug}.csv",
        header=_COLUMNS,
        rows=_rows(organization, since=since, until=until + timedelta(days=1) if until else None),
    )


def _rows(
    organization: Organization, *, since: datetime | None, until: datetime | None
) -> Iterator[tuple[object, ...]]:
    for entry in all_entries(organization, since=since, until=until):
        yield (
            entry.at.isoformat(timespec="seconds"),
            entry.get_kind_display(),
            # Two columns: a cell that begins with a minus would be kept from being a number, as formulas are.
            _plain(entry.amount) if entry.amount > 0 else "",
            _plain(-entry.amount) if entry.amount < 0 else "",
            _plain(entry.balance_after),
            entry.message_id,
            entry.note,
        )


def _plain(amount: Decimal) -> str:
    return f"{amount.normalize():f}"


def _day(request: MemberRequest, name: str) -> datetime | None:
    try:
        day = parse_date(request.GET.get(name, ""))
    except ValueError:
        return None
    return datetime.combine(day, time.min, ZoneInfo(request.organization.time_zone)) if day else None


def _page(request: MemberRequest, form: PlatformForm, *, status: int = 200) -> HttpResponse:
    before = request.GET.get("before", "")
    is_id = before.isascii() and before.isdigit() and len(before) < 19
    context = {
        "title": "Credits",
        "lead": "What pays platform SMS: texts to Mainland China, and codes while Twilio is not connected.",
        "outlook": outlook_of(request.organization),
        "offer": current_offer(),
        "page": page_of(request.organization, before=int(before) if is_id else None),
        "is_first": not is_id,
        "form": form,
    }
    return render(request, "messaging/credits/statement.html", context, status=status)
