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


def undismissed_count(organization: Organization) -> int:
    """Count what the sidebar points at."""
    return Alert.objects.filter(organization=organization, cleared_at=None, dismissed_at=None).count()


def dismissed_count(organization: Organization) -> int:
    """Count the open alerts that stand on their own page only."""
    return Alert.objects.filter(organization=organization, cleared_at=None).exclude(dismissed_at=None).count()


def badge(request: Any) -> str:
    """Return the count for the sidebar; "" where there is none."""
    count = undismissed_count(request.organization)
    return str(count) if count else ""


def notices(organization: Organization) -> Iterator[Notice]:
    """Yield the open alerts that nobody dismissed, for the top of every page."""
    for alert in open_alerts(organization):
        if alert.dismissed_at is None:
            yield Notice(
                kind="danger" if alert.is_grave else "warning",
                text=alert.text,
                link=here(alert.link),
                link_text=LINK_TEXTS[alert.kind],
            )
