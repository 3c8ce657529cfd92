"""Look for what admins must hear of, every half minute: raise what is found, clear what is gone.

Each source is one cheap statement over the whole installation that finds only what is wrong. An alert of a kind that a
source does not name any more is cleared.
"""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.db import connection as database
from django.db.models import Count
from django.db.models.functions import Now

from integrations.connections.models import Connection
from integrations.organizations.models import Organization
from integrations.platform_sms.models import PLATFORM_SENDER
from messaging.automations.watching import failing_automations, late_organizations
from messaging.credits import alerting
from messaging.inbox.floods import FLOOD, flooding_conversations
from messaging.sending.daily_cap import cap_use
from messaging.sending.limit_models import SendingPolicy
from messaging.sending.models import Message
from messaging.sending.statuses import Status
from messaging.verification import limit_watch, telling

from . import words
from .failures import count_failures, trends
from .models import Alert
from .raising import clear_alert, clear_others, raise_alert

# A loose scan from lane to lane of the outbox, as the sweep of sending makes it: read are as many rows as lanes. Bulk
# of a limited sender waits for its turn, and that is as it should be; two hours are too long for that as well.
_OLD_QUEUES = """
WITH RECURSIVE lanes AS (
    (
        SELECT connection_id, sender, lane FROM messaging_message
        WHERE status = 'queued' AND connection_id IS NOT NULL ORDER BY connection_id, sender, lane LIMIT 1
    )
    UNION ALL
    SELECT after.connection_id, after.sender, after.lane FROM lanes CROSS JOIN LATERAL (
        SELECT m.connection_id, m.sender, m.lane FROM messaging_message m
        WHERE m.status = 'queued' AND m.connection_id IS NOT NULL
            AND (m.connection_id, m.sender, m.lane) > (lanes.connection_id, lanes.sender, lanes.lane)
        ORDER BY m.connection_id, m.sender, m.lane LIMIT 1
    ) AS after
)
SELECT DISTINCT l.connection_id FROM lanes l
JOIN integrations_connection c ON c.id = l.connection_id AND c.status = 'active'
JOIN integrations_organization o ON o.id = c.organization_id AND o.status = 'active'
CROSS JOIN LATERAL (
    SELECT m.due_at FROM messaging_message m
    WHERE m.connection_id = l.connection_id AND m.sender = l.sender AND m.lane = l.lane AND m.status = 'queued'
    ORDER BY m.due_at LIMIT 1
) AS oldest
WHERE oldest.due_at < now() - CASE
    WHEN l.lane = 1 AND (c.mps IS NOT NULL OR EXISTS (
        SELECT 1 FROM messaging_pace p WHERE p.connection_id = c.id AND p.sender IN ('', l.sender)
    )) THEN interval '2 hours' ELSE interval '10 minutes' END
"""


_STUCK_AFTER = timedelta(minutes=10)


@dataclass(frozen=True)
class Found:
    """Something that holds up; `is_new` false keeps an open alert and raises none."""

    organization: Organization
    key: str
    text: str
    link: str
    is_new: bool = True


def watch() -> None:
    """Compare what is wrong with the alerts that are open."""
    count_failures()
    for kind, look in SOURCES.items():
        found = list(look())
        clear_others(kind, standing={(one.organization.pk, one.key) for one in found})
        for one in found:
            if one.is_new:
                raise_alert(one.organization, kind=kind, key=one.key, text=one.text, link=one.link)


def health_changed(connection: Connection) -> None:
    """Raise or clear at once what a connection's own health means; called where it changes, in that transaction."""
    key = str(connection.pk)
    if connection.status == Connection.Status.BROKEN:
        found = _found_broken(connection)
        raise_alert(
            connection.organization, kind=Alert.Kind.CONNECTION_BROKEN, key=key, text=found.text, link=found.link
        )
    else:
        clear_alert(connection.organization, kind=Alert.Kind.CONNECTION_BROKEN, key=key)


def broken_connections() -> Iterator[Found]:
    """Find what Twilio refuses altogether."""
    rows = Connection.objects.select_related("organization").filter(
        status=Connection.Status.BROKEN, organization__status=Organization.Status.ACTIVE
    )
    return (_found_broken(row) for row in rows)


def _found_broken(connection: Connection) -> Found:
    return Found(
        organization=connection.organization,
        key=str(connection.pk),
        text=words.of_broken(connection),
        link=words.path_within("connections:detail", connection.pk),
    )


def old_queues() -> Iterator[Found]:
    """Find connections that could send and whose oldest message has waited too long."""
    with database.cursor() as cursor:
        cursor.execute(_OLD_QUEUES)
        ids = [row[0] for row in cursor.fetchall()]
    for row in Connection.objects.select_related("organization").filter(pk__in=ids) if ids else ():
        if not cap_use(row.organization).is_reached:  # that is said already
            yield Found(
                organization=row.organization,
                key=str(row.pk),
                text=words.of_old_queue(row),
                link=words.path_within("messages:log", query="status=queued"),
            )

    yield from _stuck_at_carriers()


def _stuck_at_carriers() -> Iterator[Found]:
    """Find carriers of platform SMS that have not taken a message for ten minutes: told where the carrier belongs."""
    carriers = Connection.objects.filter(carries__isnull=False, status=Connection.Status.ACTIVE).distinct()
    for carrier in carriers.select_related("organization"):
        waiting = Message.objects.filter(
            connection=carrier,
            sender=PLATFORM_SENDER,
            status=Status.QUEUED,
            error_reason="platform_unavailable",
            created_at__lt=Now() - _STUCK_AFTER,
        )
        if waiting.exists():
            yield Found(
                organization=carrier.organization,
                key=f"platform:{carrier.pk}",
                text=words.of_stuck_carrier(carrier),
                link=words.path_within("alerts:list"),
            )


def flagged_messages() -> Iterator[Found]:
    """Find messages that only a person can settle."""
    counts: dict[uuid.UUID, int] = dict(
        Message.objects.filter(needs_person=True, status=Status.UNKNOWN)
        .exclude(route="platform")
        .values("organization")
        .annotate(count=Count("id"))
        .values_list("organization", "count")
    )
    for organization in Organization.objects.filter(pk__in=counts) if counts else ():
        yield Found(
            organization=organization,
            key="",
            text=words.of_flagged(counts[organization.pk]),
            link=words.path_within("messages:log", query="status=unknown"),
        )
    yield from _flagged_at_carriers()


def _flagged_at_carriers() -> Iterator[Found]:
    """Find platform SMS that only the operator can settle: told where the carrier belongs."""
    flagged = Message.objects.filter(needs_person=True, status=Status.UNKNOWN, route="platform")
    owners = set(flagged.order_by().values_list("connection__organization", flat=True))
    for organization in Organization.objects.filter(pk__in=owners) if owners else ():
        yield Found(
            organization=organization,
            key="platform",
            text=words.FLAGGED_AT_CARRIER,
            link=words.path_within("alerts:list"),
        )


def rising_failures() -> Iterator[Found]:
    """Find causes that make more messages fail than they used to."""
    found = trends()
    organizations = {row.pk: row for row in Organization.objects.filter(pk__in={one.organization_id for one in found})}
    for trend in found:
        yield Found(
            organization=organizations[trend.organization_id],
            key=trend.cause,
            text=words.of_rising(trend.cause, failed=trend.lately),
            link=words.path_within("messages:log", query=f"status={trend.status}"),
            is_new=trend.is_rising,
        )


def caps_near() -> Iterator[Found]:
    """Find organizations that have used up most of their day, and may still send."""
    return (found for found, is_reached in _caps() if not is_reached)


def caps_reached() -> Iterator[Found]:
    """Find organizations whose day is used up."""
    return (found for found, is_reached in _caps() if is_reached)


def _caps() -> Iterator[tuple[Found, bool]]:
    for policy in SendingPolicy.objects.exclude(daily_cap=None).select_related("organization"):
        organization = policy.organization
        use = cap_use(organization)
        if use.cap is not None and use.is_near and not organization.is_suspended:
            found = Found(
                organization=organization,
                # A new day is a new alert.
                key=use.ends_at.date().isoformat() if use.ends_at else "",
                text=words.of_cap(organization, used=use.used, cap=use.cap),
                link=words.path_within("messages:limits"),
            )
            yield found, use.is_reached


def floods() -> Iterator[Found]:
    """Find inboxes that one number or more flood."""
    flooding: dict[uuid.UUID, list[uuid.UUID]] = {}
    for organization_id, conversation_id in flooding_conversations().values_list("organization", "pk"):
        flooding.setdefault(organization_id, []).append(conversation_id)
    for organization in Organization.objects.filter(pk__in=flooding) if flooding else ():
        ids = flooding[organization.pk]
        yield Found(
            organization=organization,
            key="",
            text=words.of_floods(len(ids), texts=FLOOD),
            link=words.path_within("inbox:thread", ids[0]) if len(ids) == 1 else words.path_within("inbox:list"),
        )


def low_credits() -> Iterator[Found]:
    """Find organizations whose credits fall short of what they want to be warned of."""
    for organization, outlook in alerting.short_of_credits():
        yield Found(
            organization=organization,
            key="",
            text=alerting.in_words(outlook),
            link=words.path_within("credits:statement"),
        )


def paused_prefixes() -> Iterator[Found]:
    """Find numbers that get no codes because too few were confirmed."""
    return _of_verification(limit_watch.paused_prefixes())


def held_codes() -> Iterator[Found]:
    """Find limits of verification that hold visitors up."""
    return _of_verification(limit_watch.held_codes())


def refused_codes() -> Iterator[Found]:
    """Find the refusals told of before whose cause lasts; they are raised where a visitor meets them."""
    return (
        Found(organization=one.organization, key=one.key, text=one.text, link=one.link, is_new=False)
        for one in telling.standing()
    )


def late_runs() -> Iterator[Found]:
    """Find organizations whose automations stand still."""
    link = words.path_within("automations:runs_of_all", query="status=waiting")
    return (
        Found(organization=organization, key="", text=words.of_late_runs(), link=link)
        for organization in late_organizations()
    )


def failing() -> Iterator[Found]:
    """Find automations that fail; those told of stay until an hour passed without a failure."""
    for one in failing_automations():
        yield Found(
            organization=one.automation.organization,
            key=str(one.automation.pk),
            text=words.of_failing(one.automation.name, count=one.count, detail=one.text),
            link=words.path_within("automations:runs", one.automation.pk, query="status=failed"),
            is_new=one.is_new,
        )


def _of_verification(troubles: Iterator[limit_watch.Trouble]) -> Iterator[Found]:
    link = words.path_within("verification_limits:settings")
    return (Found(organization=one.organization, key=one.key, text=one.text, link=link) for one in troubles)


SOURCES: dict[str, Callable[[], Iterator[Found]]] = {
    Alert.Kind.CONNECTION_BROKEN: broken_connections,
    Alert.Kind.CODES_REFUSED: refused_codes,
    Alert.Kind.QUEUE_OLD: old_queues,
    Alert.Kind.NEEDS_PERSON: flagged_messages,
    Alert.Kind.FAILURES_RISING: rising_failures,
    Alert.Kind.CAP_NEAR: caps_near,
    Alert.Kind.CAP_REACHED: caps_reached,
    Alert.Kind.INBOX_FLOODED: floods,
    Alert.Kind.CREDITS_LOW: low_credits,
    Alert.Kind.PREFIX_PAUSED: paused_prefixes,
    Alert.Kind.CODES_HELD: held_codes,
    Alert.Kind.RUNS_LATE: late_runs,
    Alert.Kind.AUTOMATION_FAILING: failing,
}
