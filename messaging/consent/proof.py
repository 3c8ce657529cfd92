"""The proof that nothing was sent after a STOP: every opt-out of a period, and what began to be sent after.

A request to Twilio may begin up to a second after the opt-out was committed: it was on its way already. What is kept of
each message is when it was last claimed, and the engine begins nothing later than 0.9 s after that. So a message counts
as late where the latest moment at which it can have begun is more than a second behind the opt-out.
"""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from integrations.organizations.models import Organization
from messaging.sending.claim import BEGIN_WITHIN

from .models import OptOut

GRACE = f"interval '{1 - BEGIN_WITHIN:.3f} seconds'"
PAGE = 50
_COLUMNS = "id, phone, channel, scope, sender, source, keyword, twilio_scope, started_at, ended_at, ended_by"
# What an opt-out covers while it lasts; codes and the answer to the STOP itself may go.
_COVERED = """
    m.organization_id = o.organization_id AND m.phone = o.phone AND m.channel = o.channel
    AND m.direction = 'outbound' AND m.purpose NOT IN ('verification', 'consent')
    AND (o.scope = 'organization' OR m.sender = o.sender)
"""
_AFTER = f"""
    m.posted_at > o.started_at + {GRACE} AND (o.ended_at IS NULL OR m.posted_at < o.ended_at)
"""
_PERIOD = "o.organization_id = %(organization)s AND o.started_at >= %(since)s AND o.started_at < %(until)s"
_ROWS = f"""
SELECT {", ".join(f"o.{name.strip()}" for name in _COLUMNS.split(","))}, told.began_after, told.held_back,
    told.last_before
FROM messaging_optout o
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE {_AFTER}) AS began_after,
        count(*) FILTER (WHERE m.status = 'blocked' AND m.finished_at >= o.started_at
            AND (o.ended_at IS NULL OR m.finished_at < o.ended_at)) AS held_back,
        max(m.posted_at) FILTER (WHERE m.posted_at <= o.started_at + {GRACE}) AS last_before
    FROM messaging_message m WHERE {_COVERED}
) AS told
WHERE {_PERIOD}
"""  # noqa: S608 - our own words
# By number and number: joined otherwise, PostgreSQL may read the whole log.
_SUM = f"""
SELECT count(*), COALESCE(sum(told.began_after), 0)
FROM messaging_optout o
CROSS JOIN LATERAL (
    SELECT count(*) AS began_after FROM messaging_message m WHERE {_COVERED} AND {_AFTER}
) AS told
WHERE {_PERIOD}
"""  # noqa: S608 - our own words
_OFFENDERS = f"""
SELECT m.id, m.phone, m.posted_at, m.status, m.purpose, m.sender, o.started_at, o.source
FROM messaging_optout o JOIN messaging_message m ON {_COVERED} AND {_AFTER}
WHERE {_PERIOD} ORDER BY m.posted_at LIMIT 200
"""  # noqa: S608 - our own words


@dataclass(frozen=True)
class ProofRow:
    """One opt-out: what began to be sent after it, what was held back, and the last that was sent before."""

    id: uuid.UUID
    phone: str
    channel: str
    scope: str
    sender: str
    source: str
    keyword: str
    twilio_scope: str
    started_at: datetime
    ended_at: datetime | None
    ended_by: str
    began_after: int
    held_back: int
    last_before: datetime | None

    @property
    def source_label(self) -> str:
        return str(OptOut.Source(self.source).label)


@dataclass(frozen=True)
class Offender:
    """A message that began to be sent too late."""

    id: uuid.UUID
    phone: str
    posted_at: datetime
    status: str
    purpose: str
    sender: str
    stopped_at: datetime
    source: str


@dataclass(frozen=True)
class Proof:
    """The sums of a period: opt-outs, and messages that began to be sent after them, which there should be none of."""

    opt_outs: int
    began_after: int
    offenders: Sequence[Offender]


def prove(organization: Organization, *, since: datetime, until: datetime) -> Proof:
    """Look through every opt-out of a period for messages that began to be sent after it."""
    values: dict[str, Any] = {"organization": organization.pk, "since": since, "until": until}
    with connection.cursor() as cursor:
        cursor.execute(_SUM, values)
        opt_outs, began_after = cursor.fetchone()
        offenders: list[Offender] = []
        if began_after:
            cursor.execute(_OFFENDERS, values)
            offenders = [Offender(*row) for row in cursor.fetchall()]
    return Proof(opt_outs=opt_outs, began_after=int(began_after), offenders=offenders)


def proof_rows(
    organization: Organization,
    *,
    since: datetime,
    until: datetime,
    after: uuid.UUID | None = None,
    most: int = PAGE + 1,
) -> list[ProofRow]:
    """Return the opt-outs of a period, newest first, those older than `after`."""
    values: dict[str, Any] = {"organization": organization.pk, "since": since, "until": until, "after": after}
    behind = " AND o.id < %(after)s" if after is not None else ""
    with connection.cursor() as cursor:
        cursor.execute(f"{_ROWS}{behind} ORDER BY o.id DESC LIMIT {int(most)}", values)
        return [ProofRow(*row) for row in cursor.fetchall()]


def all_proof_rows(organization: Organization, *, since: datetime, until: datetime) -> Iterator[ProofRow]:
    """Yield every opt-out of a period, some hundred at a time."""
    after: uuid.UUID | None = None
    while rows := proof_rows(organization, since=since, until=until, after=after, most=500):
        yield from rows
        after = rows[-1].id


EXPORT_HEADER = (
    "Opted out (UTC)", "Number", "Channel", "Recorded by", "Keyword", "Reaches", "Sender", "Blocked at Twilio",
    "Ended (UTC)", "Ended by", "Messages begun more than 1 s after", "Messages held back", "Last sent before (UTC)",
)  # fmt: skip


def export_rows(rows: Iterator[ProofRow]) -> Iterator[list[object]]:
    """Yield the rows of the export."""
    for row in rows:
        yield [
            row.started_at.isoformat(timespec="milliseconds"),
            row.phone,
            row.channel,
            row.source,
            row.keyword,
            row.scope,
            row.sender,
            row.twilio_scope,
            row.ended_at.isoformat(timespec="milliseconds") if row.ended_at else "",
            row.ended_by,
            row.began_after,
            row.held_back,
            row.last_before.isoformat(timespec="milliseconds") if row.last_before else "",
        ]
