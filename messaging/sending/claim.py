"""Take queued messages for sending: one short statement, many workers at once, nobody waits for anybody.

The statement that lets a message go is also the one that may stop it: the opt-out, the end of validity, quiet hours and
the day's cap are looked at here, and not only when it was queued.
"""

import itertools
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from integrations.organizations.models import Organization
from integrations.platform_sms.models import PLATFORM_SENDER
from messaging.consent.blocking import block_sql
from messaging.happenings.of_messages import TELL_SQL

from . import daily_cap, pace
from .credits import close_reservations
from .holding import HELD_UNTIL_SQL, IS_STOPPED
from .limits import NONE, Limits, limits_within
from .sealing import open_sealed

# No request begins later than this after the moment before its claim looked at the opt-outs: with what a clock and a
# halted process may cost, nothing starts later than one second after a STOP was committed.
BEGIN_WITHIN = 0.9

# `ends` names the reason for which a message is not sent at all, `waits_until` the time to which it is put off.
_FRAME = """
WITH due AS (
    SELECT m.id, m.due_at, m.purpose, m.attempts = 0 AS is_first, GREATEST(m.segments, 1) AS weight,
        COALESCE({block}, CASE WHEN m.valid_until <= now() THEN 'expired' END) AS ends{quiet}
    FROM messaging_message m
    WHERE m.connection_id = %(connection)s AND m.sender = %(sender)s AND m.lane = %(lane)s AND m.status = 'queued'
        AND m.due_at <= now(){whose}
    ORDER BY m.due_at, m.id
    LIMIT %(limit)s
    FOR UPDATE OF m SKIP LOCKED
), {picked}, moved AS (
    UPDATE messaging_message m SET
        status = CASE
            WHEN p.ends IN ('opted_out', 'no_consent') THEN 'blocked'
            WHEN p.ends IS NOT NULL THEN 'failed'
            WHEN p.waits_until IS NOT NULL THEN 'queued'
            ELSE 'sending'
        END,
        error_reason = CASE
            WHEN p.ends IS NOT NULL THEN p.ends
            WHEN p.waits_until IS NOT NULL THEN p.waits_for
            WHEN m.error_reason IN ('quiet_hours', 'daily_cap') THEN ''
            ELSE m.error_reason
        END,
        error_code = CASE WHEN p.waits_until IS NULL THEN m.error_code END,
        finished_at = CASE WHEN p.ends IS NOT NULL THEN now() END,
        price = CASE WHEN p.ends IS NOT NULL AND m.route = 'platform' THEN 0 ELSE m.price END,
        claim_token = CASE WHEN p.goes THEN %(token)s::uuid END,
        lease_until = CASE WHEN p.goes THEN now() + %(lease)s * interval '1 second' END,
        posted_at = CASE WHEN p.goes THEN now() ELSE m.posted_at END,
        attempts = m.attempts + CASE WHEN p.goes THEN 1 ELSE 0 END,
        due_at = COALESCE(p.waits_until, m.due_at),
        valid_until = m.valid_until + COALESCE(p.waits_until - now(), interval '0'),
        updated_at = now()
    FROM picked p WHERE m.id = p.id
    RETURNING m.id, m.status, m.phone, m.sender, m.body, m.sealed_text, m.attempts, m.error_reason, p.is_first,
        p.weight, p.start_after, m.organization_id, m.contact_id, m.error_code,
        extract(epoch FROM m.valid_until - clock_timestamp())::float8 AS seconds_left
), logged AS (
    INSERT INTO messaging_messageevent (message_id, status, source, note, at)
    SELECT id, status, 'engine', CASE WHEN status = 'sending' THEN '' ELSE error_reason END, now() FROM moved
    WHERE NOT (status = 'sending' AND error_reason = 'not_begun')  -- its timeline says so already
), told AS ({tell})
SELECT id, phone, sender, body, attempts, seconds_left, start_after, status, is_first, weight, sealed_text{looked}
FROM moved
"""

_WHOSE = {False: "", True: " AND m.organization_id = %(tenant)s"}
_PLAIN_PICK = """picked AS (
    SELECT id, ends, ends IS NULL AS goes, NULL::timestamptz AS waits_until, NULL::text AS waits_for, is_first, weight,
        0::float8 AS start_after
    FROM due
)"""


def _plain(*, is_shared: bool) -> str:
    whose = _WHOSE[is_shared]
    return _FRAME.format(block=block_sql(), quiet="", picked=_PLAIN_PICK, looked="", whose=whose, tell=TELL_SQL)


_PLAIN, _PLAIN_OF_TENANT = _plain(is_shared=False), _plain(is_shared=True)

_QUIET = """,
        CASE WHEN m.purpose = 'marketing' THEN messaging_quiet_until(
            COALESCE(NULLIF(m.time_zones, ''), %(zone)s), %(quiet_from)s::time, %(quiet_until)s::time, now()
        ) END AS quiet_until"""

# Three steps: who may go at all; of these, the first ones that the day's cap leaves room for (a message that was
# handed over before counts no second time); of these, as many as the pace lets begin within this claim's time.
_LIMITED_PICK = """within_hours AS (
    SELECT *, ends IS NULL AND quiet_until IS NULL AS may_go FROM due
), within_cap AS (
    SELECT *, may_go AND (NOT is_first OR %(cap_left)s::int IS NULL
        OR count(*) FILTER (WHERE may_go AND is_first) OVER (ORDER BY due_at, id) <= %(cap_left)s::int) AS goes
    FROM within_hours
), placed AS (
    SELECT *, COALESCE(sum(weight) FILTER (WHERE goes) OVER (
        ORDER BY due_at, id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) * %(spacing)s::float8 AS behind
    FROM within_cap
), picked AS (
    SELECT id, goes, is_first, weight, %(first_after)s::float8 + behind AS start_after,
        CASE
            WHEN ends IS NOT NULL THEN ends
            WHEN quiet_until = 'infinity' THEN 'always_quiet'
            WHEN may_go AND NOT goes AND purpose = 'verification' THEN 'daily_cap'
        END AS ends,
        CASE
            WHEN ends IS NOT NULL OR quiet_until = 'infinity' OR goes THEN NULL
            WHEN quiet_until IS NOT NULL THEN quiet_until
            WHEN purpose <> 'verification' THEN %(tomorrow)s::timestamptz
        END AS waits_until,
        CASE WHEN quiet_until IS NOT NULL THEN 'quiet_hours' ELSE 'daily_cap' END AS waits_for
    FROM placed
    WHERE NOT goes OR %(first_after)s::float8 + behind < %(horizon)s::float8
)"""
_LOOKED = ", (SELECT count(*) FROM due) AS looked"


def _limited(*, is_quiet: bool, is_shared: bool) -> str:
    quiet = _QUIET if is_quiet else ",\n        NULL::timestamptz AS quiet_until"
    whose = _WHOSE[is_shared]
    return _FRAME.format(
        block=block_sql(), quiet=quiet, picked=_LIMITED_PICK, looked=_LOOKED, whose=whose, tell=TELL_SQL
    )


_LIMITED = {
    (is_quiet, is_shared): _limited(is_quiet=is_quiet, is_shared=is_shared)
    for is_quiet in (False, True)
    for is_shared in (False, True)
}

# Platform SMS of many organizations waits in one lane, and each has limits and credits of its own: a claim takes those
# of one of them. A loose scan from organization to organization: read are as many rows as there are organizations, and
# not the hundred thousand of one that has just begun a broadcast. Of one that is suspended nothing goes.
_DUE_TENANTS = """
WITH RECURSIVE tenants AS (
    (
        SELECT m.organization_id FROM messaging_message m
        WHERE m.connection_id = %(connection)s AND m.sender = %(sender)s AND m.lane = %(lane)s AND m.status = 'queued'
            AND m.route = 'platform'
        ORDER BY m.organization_id LIMIT 1
    )
    UNION ALL
    SELECT after.organization_id FROM tenants CROSS JOIN LATERAL (
        SELECT m.organization_id FROM messaging_message m
        WHERE m.connection_id = %(connection)s AND m.sender = %(sender)s AND m.lane = %(lane)s AND m.status = 'queued'
            AND m.route = 'platform' AND m.organization_id > tenants.organization_id
        ORDER BY m.organization_id LIMIT 1
    ) AS after
)
SELECT t.organization_id FROM tenants t
JOIN integrations_organization o ON o.id = t.organization_id AND o.status = 'active'
CROSS JOIN LATERAL (
    SELECT m.due_at, m.id FROM messaging_message m
    WHERE m.connection_id = %(connection)s AND m.sender = %(sender)s AND m.lane = %(lane)s AND m.status = 'queued'
        AND m.route = 'platform' AND m.organization_id = t.organization_id AND m.due_at <= now()
    ORDER BY m.due_at, m.id LIMIT 1
) AS oldest
ORDER BY oldest.due_at, oldest.id
"""
# When this process last served each organization of a lane, as a running number: whose turn is longest ago comes next.
# Each worker takes turns by itself, which is as fair as all of them together need to be.
_turns = itertools.count(1)
_served: dict[tuple[uuid.UUID, int], dict[uuid.UUID, int]] = {}


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message that this process alone may now post, until the lease runs out.

    `begin_at` and `begin_before` are moments of time.monotonic(): not earlier, for the pace; not later, for a STOP
    that comes now and for the message's validity.
    """

    id: uuid.UUID
    token: uuid.UUID
    phone: str
    sender: str
    body: str
    attempts: int
    seconds_left: float
    begin_at: float = 0.0
    begin_before: float = float("inf")


@dataclass(frozen=True)
class Claim:
    """What one claim did: the messages to post, whether more are due, and in how many seconds the pace allows more.

    `taken` counts the rows that it changed: those that end or are put off are among them.
    """

    messages: list[Claimed]
    has_more: bool
    taken: int = 0
    wait: float = 0.0


def claim_batch(connection_id: uuid.UUID, *, sender: str, lane: int, limit: int, limits: Limits = NONE) -> Claim:
    """Claim up to `limit` due messages of a lane, oldest first; those that may not be sent end or are put off here."""
    if sender == PLATFORM_SENDER:
        return _claim_of_one_tenant(connection_id, lane=lane, limit=limit, limits=limits)
    return _claim(connection_id, sender=sender, lane=lane, limit=limit, limits=limits)[0]


def _claim_of_one_tenant(connection_id: uuid.UUID, *, lane: int, limit: int, limits: Limits) -> Claim:
    """Claim platform SMS of one organization, under its own limits, and give back the credits of what ends here.

    Organizations take turns, so that the broadcast of one holds nobody else up; among those whose turn it is equally,
    whoever has waited longest comes first.
    """
    claim = Claim([], has_more=False)
    for tenant_id in _tenants_by_turn(connection_id, lane=lane):
        # Each in a transaction of its own: rows of two organizations are never locked at once.
        with transaction.atomic():
            tenant = Organization.objects.get(pk=tenant_id)
            own = replace(limits_within(tenant), is_paced=limits.is_paced)
            claim, rows = _claim(
                connection_id, sender=PLATFORM_SENDER, lane=lane, limit=limit, limits=own, tenant=tenant.pk
            )
            close_reservations((row[0], tenant.pk, row[7]) for row in rows if row[7] != "sending")
        if claim.taken:
            _served[connection_id, lane][tenant_id] = next(_turns)
        # Where another process holds all of it, the next one is tried; a wait of the pace is everybody's.
        if claim.taken or claim.wait:
            break
    # Another organization's may wait as well: looked for until nothing is found.
    return replace(claim, has_more=claim.has_more or claim.taken > 0)


def _tenants_by_turn(connection_id: uuid.UUID, *, lane: int) -> list[uuid.UUID]:
    """Return the organizations with something due on a carrier, whoever was served longest ago first."""
    with connection.cursor() as cursor:
        cursor.execute(_DUE_TENANTS, {"connection": connection_id, "sender": PLATFORM_SENDER, "lane": lane})
        due = [row[0] for row in cursor.fetchall()]
    known = _served.get((connection_id, lane), {})
    turns = _served[connection_id, lane] = {tenant: known.get(tenant, 0) for tenant in due}
    return sorted(due, key=turns.__getitem__)


def _claim(
    connection_id: uuid.UUID, *, sender: str, lane: int, limit: int, limits: Limits, tenant: uuid.UUID | None = None
) -> tuple[Claim, list[tuple[Any, ...]]]:
    is_shared = tenant is not None
    values: dict[str, Any] = {
        "connection": connection_id,
        "sender": sender,
        "lane": lane,
        "tenant": tenant,
        "limit": limit,
        "token": uuid.uuid4(),
        "lease": settings.CLAIM_LEASE,
    }
    if limits.is_free:
        messages, rows = _execute(_PLAIN_OF_TENANT if is_shared else _PLAIN, values)
        return Claim(messages, has_more=len(rows) >= limit, taken=len(rows)), rows
    with transaction.atomic():
        # Always in this order: connection, sender, day. Two claims then never wait for each other in a circle.
        slots = pace.hold(connection_id, sender=sender, lane=lane) if limits.is_paced else pace.UNPACED
        if not slots.has_room:
            return Claim([], has_more=True, wait=slots.wait), []
        day = daily_cap.hold(limits) if limits.daily_cap is not None else daily_cap.UNCAPPED
        most = min(limit, slots.most)
        values |= {
            "limit": most,
            "cap_left": day.left,
            "tomorrow": day.ends_at,
            "spacing": slots.spacing,
            "first_after": slots.first_after,
            "horizon": slots.horizon,
            "zone": limits.zone,
            "quiet_from": limits.quiet_from,
            "quiet_until": limits.quiet_until,
        }
        messages, rows = _execute(_LIMITED[limits.is_quiet, is_shared], values)
        gone = [row for row in rows if row[7] == "sending"]
        slots.take(weight=sum(row[9] for row in gone))
        day.count(sum(row[8] for row in gone))
    looked = rows[0][11] if rows else 0
    claim = Claim(
        messages,
        has_more=looked >= most or len(rows) < looked,
        taken=len(rows),
        wait=slots.wait if gone else 0.0,
    )
    return claim, rows


def _execute(statement: str, values: dict[str, Any]) -> tuple[list[Claimed], list[tuple[Any, ...]]]:
    """Run the claim; the time in which its messages may begin is counted from before it looked at any row."""
    began = time.monotonic()
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        rows = cursor.fetchall()
    messages = []
    for key, phone, sender, body, attempts, seconds_left, start_after, status, _, _, sealed, *_ in rows:
        # What cannot be opened is not posted: it waits for the key until its lease and then its validity end.
        if status == "sending" and (text := open_sealed(sealed, body=body)) is not None:
            until = began + min(BEGIN_WITHIN, seconds_left, settings.CLAIM_LEASE / 2)
            token = values["token"]
            messages.append(
                Claimed(key, token, phone, sender, text, attempts, seconds_left, began + start_after, until)
            )
    return messages, rows


# Whoever was given back before has an event that says so; a slow hour is not to fill its timeline.
_GIVE_BACK = f"""
WITH held AS (
    SELECT m.id, m.error_reason <> 'not_begun' AS is_news FROM messaging_message m
    JOIN unnest(%(ids)s::uuid[], %(tokens)s::uuid[]) AS b(id, token) ON b.id = m.id
    WHERE m.claim_token = b.token AND m.status IN ('sending', 'unknown')
    FOR UPDATE OF m
), back AS (
    UPDATE messaging_message m SET
        status = 'queued', attempts = m.attempts - 1, error_reason = 'not_begun', error_code = NULL,
        claim_token = NULL, lease_until = NULL, next_check_at = NULL, unknown_since = NULL,
        due_at = CASE WHEN {IS_STOPPED} THEN {HELD_UNTIL_SQL} ELSE m.due_at END,
        valid_until = CASE WHEN {IS_STOPPED} THEN {HELD_UNTIL_SQL} ELSE m.valid_until END, updated_at = now()
    FROM held WHERE m.id = held.id
    RETURNING m.id, m.organization_id, m.posted_at, m.attempts, held.is_news
), logged AS (
    INSERT INTO messaging_messageevent (message_id, status, source, note, at)
    SELECT id, 'queued', 'engine', 'not_begun', now() FROM back WHERE is_news
), uncounted AS (
    UPDATE messaging_dailyuse d SET used = GREATEST(0, d.used - wrong.messages)
    FROM (
        SELECT back.organization_id, (back.posted_at AT TIME ZONE o.time_zone)::date AS day, count(*) AS messages
        FROM back JOIN integrations_organization o ON o.id = back.organization_id
        WHERE back.attempts = 0 GROUP BY 1, 2
    ) AS wrong
    WHERE d.organization_id = wrong.organization_id AND d.day = wrong.day
)
SELECT id FROM back
"""  # noqa: S608 - our own words


def give_back(claimed: Sequence[Claimed]) -> set[uuid.UUID]:
    """Put messages back whose request never began, as if they had not been claimed; return which.

    No attempt and nothing of the day's cap is used up. What was claimed by somebody else meanwhile stays theirs.
    """
    if not claimed:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(_GIVE_BACK, {"ids": [one.id for one in claimed], "tokens": [one.token for one in claimed]})
        return {row[0] for row in cursor.fetchall()}
