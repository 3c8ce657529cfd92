"""Raise and clear alerts: the only place that opens or closes them. Each change is one conditional statement."""

import uuid
from collections.abc import Collection
from datetime import timedelta

from django.db import IntegrityError, connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from integrations.identifiers import new_id
from integrations.organizations.models import Organization, User

from .models import Alert

# What was cleared so lately and comes back is the same alert still: it is opened again, without another letter.
FLAPPING = timedelta(minutes=15)

_RAISE = """
INSERT INTO messaging_alert (id, organization_id, kind, key, text, link, raised_at)
VALUES (%s, %s, %s, %s, %s, %s, now())
ON CONFLICT (organization_id, kind, key) WHERE cleared_at IS NULL DO NOTHING
RETURNING id
"""


def raise_alert(organization: Organization, *, kind: str, key: str = "", text: str, link: str = "") -> bool:
    """Open an alert unless one is open for this kind and key; return whether this call did it.

    Of several callers at once one opens it. An open one gets the newer text.
    """
    standing = Alert.objects.filter(organization=organization, kind=kind, key=key)
    open_text = standing.filter(cleared_at=None).values_list("text", flat=True).first()
    if open_text is not None:
        if open_text != text:
            standing.filter(cleared_at=None).update(text=text, link=link)
        return False
    if _reopened(standing, text=text, link=link):
        return True
    with connection.cursor() as cursor:
        cursor.execute(_RAISE, [new_id(), organization.pk, kind, key, text, link])
        return cursor.fetchone() is not None


def _reopened(standing: QuerySet[Alert], *, text: str, link: str) -> bool:
    lately = standing.filter(cleared_at__gt=timezone.now() - FLAPPING).order_by("-cleared_at").first()
    if lately is None:
        return False
    try:
        with transaction.atomic():
            return bool(
                Alert.objects.filter(pk=lately.pk, cleared_at=lately.cleared_at).update(
                    cleared_at=None, text=text, link=link
                )
            )
    except IntegrityError:  # somebody else opened one at this moment
        return False


def clear_alert(organization: Organization, *, kind: str, key: str = "") -> bool:
    """Close the alert because its cause is gone; return whether there was one."""
    return bool(
        Alert.objects.filter(organization=organization, kind=kind, key=key, cleared_at=None).update(
            cleared_at=timezone.now()
        )
    )


def clear_alerts(organization: Organization, *, kind: str, prefix: str) -> int:
    """Close the alerts of a kind whose keys begin alike, because their common cause is gone."""
    rows = Alert.objects.filter(organization=organization, kind=kind, key__startswith=prefix, cleared_at=None)
    return rows.update(cleared_at=timezone.now())


def clear_others(kind: str, *, standing: Collection[tuple[uuid.UUID, str]]) -> int:
    """Close the alerts of a kind whose cause was not found: `standing` names organization and key of those found."""
    gone = [
        pk
        for pk, organization_id, key in Alert.objects.filter(kind=kind, cleared_at=None).values_list(
            "pk", "organization_id", "key"
        )
        if (organization_id, key) not in standing
    ]
    return Alert.objects.filter(pk__in=gone, cleared_at=None).update(cleared_at=timezone.now()) if gone else 0


def dismiss(alert: Alert, *, actor: User) -> bool:
    """Take an open alert off the pages, for the whole organization; its cause remains to be mended."""
    return bool(
        Alert.objects.filter(pk=alert.pk, cleared_at=None, dismissed_at=None).update(
            dismissed_at=timezone.now(), dismissed_by=actor
        )
    )


def show_again(alert: Alert) -> bool:
    """Undo a dismissal."""
    return bool(
        Alert.objects.filter(pk=alert.pk, cleared_at=None)
        .exclude(dismissed_at=None)
        .update(dismissed_at=None, dismissed_by=None)
    )
