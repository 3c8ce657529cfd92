"""Reads: the alerts of an organization, and what its pages say of them."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from integrations.organizations.models import Organization
from integrations.organizations.registry import Notice

from .models import Alert
from .words import LINK_TEXTS, here

PAGE_SIZE = 30
_KEPT = "_undismissed_alerts"  # on the organization, whose object lives as long as the request
# What stops sending stands first.
_ORDER = {kind: place for place, kind in enumerate(Alert.Kind.values)}


def open_alerts(organization: Organization) -> list[Alert]:
    """Return the open alerts, the gravest first."""
    rows = Alert.objects.filter(organization=organization, cleared_at=None).select_related("dismissed_by")
    return sorted(rows, key=lambda alert: (_ORDER.get(alert.kind, 99), alert.raised_at))


def past_alerts(organization: Organization, *, before: datetime | None = None) -> QuerySet[Alert]:
    """Return what is over, newest first."""
    rows = Alert.objects.filter(organization=organization).exclude(cleared_at=None).select_related("dismissed_by")
    return (rows.filter(raised_at__lt=before) if before else rows).order_by("-raised_at")


def undismissed(organization: Organization) -> list[Alert]:
    """Return what every page points at: asked for once, for the sidebar and the notices of one request."""
    kept: list[Alert] | None = getattr(organization, _KEPT, None)
    if kept is None:
        kept = [alert for alert in open_alerts(organization) if alert.dismissed_at is None]
        setattr(organization, _KEPT, kept)
    return kept


def dismissed_count(organization: Organization) -> int:
    """Count the open alerts that stand on their own page only."""
    return Alert.objects.filter(organization=organization, cleared_at=None).exclude(dismissed_at=None).count()


def badge(request: Any) -> str:
    """Return the count for the sidebar; "" where there is none."""
    count = len(undismissed(request.organization))
    return str(count) if count else ""


def notices(organization: Organization) -> Iterator[Notice]:
    """Yield the open alerts that nobody dismissed, for the top of every page."""
    for alert in undismissed(organization):
        yield Notice(
            kind="danger" if alert.is_grave else "warning",
            text=alert.text,
            link=here(alert.link),
            link_text=LINK_TEXTS[alert.kind],
        )
