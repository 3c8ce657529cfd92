"""The audit log, newest first."""

from datetime import datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from integrations.organizations.audit_sentences import action_in_words, line_of
from integrations.organizations.forms import AuditFilterForm
from integrations.organizations.models import AuditEntry, Organization
from integrations.organizations.pages import MemberRequest, member_page
from integrations.organizations.roles import Capability
from integrations.organizations.selectors import audit_actions, audit_rows
from integrations.templatetags.hg_base import zone_of

PER_PAGE = 50


@require_safe
@member_page(Capability.VIEW_AUDIT)
def audit_log(request: MemberRequest) -> HttpResponse:
    """Show who changed what in the organization."""
    context = log_context(request, request.organization)
    context |= {"title": "Audit log", "lead": "Who changed what. Nothing here can be edited or deleted, by nobody."}
    return render(request, "integrations/organizations/audit.html", context)


def log_context(request: HttpRequest, organization: Organization | None) -> dict[str, Any]:
    """Return a page of the log: `lines`, `form`, and the addresses `newer` and `older` ("" where there is none)."""
    actions = [(action, action_in_words(action)) for action in audit_actions(organization)]
    form = AuditFilterForm(request.GET or None, actions=actions)
    chosen = form.cleaned_data if form.is_bound and form.is_valid() else {}
    rows = audit_rows(
        organization,
        who=chosen.get("who", ""),
        action=chosen.get("action", ""),
        since=_midnight(chosen.get("since"), organization),
        until=_midnight(chosen.get("until"), organization, days=1),
    )
    entries, has_newer, has_older = _keyset(request, rows)
    kept = {name: value for name in form.fields if (value := request.GET.get(name))}
    return {
        "form": form,
        "is_filtered": bool(kept),
        "lines": [line_of(entry) for entry in entries],
        "newer": _link(kept, after=entries[0].pk) if entries and has_newer else "",
        "older": _link(kept, before=entries[-1].pk) if entries and has_older else "",
    }


def _keyset(request: HttpRequest, rows: Any) -> tuple[list[AuditEntry], bool, bool]:
    before, after = _number(request.GET.get("before")), _number(request.GET.get("after"))
    if after is not None:
        entries = list(rows.filter(pk__gt=after).order_by("pk")[: PER_PAGE + 1])
        return entries[:PER_PAGE][::-1], len(entries) > PER_PAGE, True
    if before is not None:
        rows = rows.filter(pk__lt=before)
    entries = list(rows.order_by("-pk")[: PER_PAGE + 1])
    return entries[:PER_PAGE], before is not None, len(entries) > PER_PAGE


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else None


def _midnight(day: Any, organization: Organization | None, *, days: int = 0) -> datetime | None:
    """Return the start of the day, `days` later, in the organization's zone."""
    if day is None or day.year >= 9999:
        return None
    return datetime.combine(day + timedelta(days=days), time.min, tzinfo=zone_of(organization))


def _link(kept: dict[str, str], **position: int) -> str:
    return "?" + urlencode({**kept, **position})
