"""Messages per second, by connection and by sender: set by members, lowered by Twilio's complaints.

The generic cell rate algorithm, kept in PostgreSQL: a row holds the moment at which the next message may start. A claim
locks the row, takes the moments that lie within its short horizon, and moves the row on; a message of several segments
moves it as far as so many messages. So the rate holds over all workers and hosts, and nothing of it is lost with
Valkey. Connections and senders without a limit lock nothing.
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog
from django.db import connection as database
from django.db import transaction
from django.db.models.expressions import RawSQL

from integrations.connections.models import Connection

from .limit_models import Pace
from .models import Message

log = structlog.get_logger(__name__)

# Complaints about the speed of a sender. Others of Twilio's rate codes mean something else: 20429 the number of
# requests at once (see places.py), 14107 two numbers that answer each other.
SLOWING_CODES = frozenset({21611, 30001, 30022, 63017, 63018})
# Refusals of a post: Twilio itself says that this sender's queue is full. The others come back for single messages, and
# some of those come back for other reasons than speed: they count once they are not rare.
REFUSED_CODES = frozenset({21611})
COUNTED_FROM = 20  # messages taken lately: among fewer, one failure is not rare
RARE_BELOW = 0.05

# A claim takes the moments that lie this far ahead. Bulk looks less far, so that a transactional message always finds
# a moment before the next of bulk.
_HORIZON = {0: 0.6, 1: 0.4}
# Where the sender's limit is below the connection's, a claim takes little at once: others share the connection's.
_SHARED_HORIZON = {0: 0.15, 1: 0.1}

HALVE_AT_MOST_EVERY = 10  # seconds: complaints about what was sent before the last lowering teach nothing new
RECOVER_EVERY = 20  # seconds from one step up to the next
RECOVERY = 1.25
LOWEST = 1.0  # a second: what the slowest of Twilio's senders takes, and so the lowest that complaints can mean
_MEASURED_OVER = 30  # seconds

# The rate learned from complaints as it is now; NULL once it has recovered. The exponent is bounded for the sake of
# very old rows.
LEARNED = f"""
    CASE WHEN slowed_at IS NOT NULL AND slowed_to * power({RECOVERY}, LEAST(200,
            floor(extract(epoch FROM clock_timestamp() - slowed_at) / {RECOVER_EVERY}))) < slowed_from
        THEN slowed_to * power({RECOVERY}, LEAST(200,
            floor(extract(epoch FROM clock_timestamp() - slowed_at) / {RECOVER_EVERY})))
    END
"""
_RATE = f"LEAST(CASE WHEN p.sender = '' THEN c.mps ELSE p.mps END::float8, {LEARNED})"

_HOLD = """
SELECT p.id, p.sender FROM messaging_pace p
WHERE p.connection_id = %(connection)s AND p.sender IN ('', %(sender)s)
ORDER BY p.sender FOR UPDATE
"""
# Apart from the locking, so that it sees what the last holder wrote.
_READ = f"""
SELECT p.id, p.sender, {_RATE} AS rate, extract(epoch FROM p.next_at - now_at.moment)::float8 AS wait, now_at.moment
FROM (SELECT clock_timestamp() AS moment OFFSET 0) AS now_at CROSS JOIN messaging_pace p
JOIN integrations_connection c ON c.id = p.connection_id WHERE p.id = ANY(%s)
"""  # noqa: S608 - built from our own constants
_TAKE = "UPDATE messaging_pace SET next_at = %s::timestamptz + %s * interval '1 second' WHERE id = %s"

_MAKE_ROW = """
INSERT INTO messaging_pace (connection_id, sender) VALUES (%s, %s) ON CONFLICT (connection_id, sender) DO NOTHING
"""
# What Twilio took from the sender lately: segments a second, messages, and how many of its messages it complained of.
_MEASURE = """
SELECT
    COALESCE(sum(GREATEST(m.segments, 1)) FILTER (WHERE e.is_taken), 0)
        / GREATEST(1, extract(epoch FROM clock_timestamp() - min(e.at) FILTER (WHERE e.is_taken)))::float8,
    count(*) FILTER (WHERE e.is_taken),
    count(*) FILTER (WHERE NOT e.is_taken)
FROM (
    SELECT message_id, at, status = 'accepted' AS is_taken FROM messaging_messageevent
    WHERE id > (SELECT max(id) - 4000 FROM messaging_messageevent)
        AND (status = 'accepted' AND source = 'engine' OR error_code = ANY(%(complaints)s))
) AS e
JOIN messaging_message m ON m.id = e.message_id
WHERE m.connection_id = %(connection)s AND m.sender = %(sender)s AND e.at > now() - %(seconds)s * interval '1 second'
"""
_SLOW_DOWN = f"""
UPDATE messaging_pace p SET
    slowed_to = GREATEST(LEAST({LOWEST}, now_at.rate), LEAST(now_at.rate / 2, {LEARNED} / 2)),
    slowed_from = COALESCE(CASE WHEN {LEARNED} IS NOT NULL THEN p.slowed_from END, now_at.until),
    slowed_code = %(code)s, slowed_at = clock_timestamp()
FROM (
    SELECT LEAST(own.mps, c.mps)::float8 AS set_to,
        COALESCE(LEAST(own.mps, c.mps)::float8, %(measured)s::float8) AS rate,
        COALESCE(LEAST(own.mps, c.mps)::float8, %(measured)s::float8 * 2) AS until
    FROM messaging_pace own JOIN integrations_connection c ON c.id = own.connection_id
    WHERE own.connection_id = %(connection)s AND own.sender = %(sender)s
) AS now_at
WHERE p.connection_id = %(connection)s AND p.sender = %(sender)s
    AND (p.slowed_at IS NULL OR p.slowed_at < clock_timestamp() - {HALVE_AT_MOST_EVERY} * interval '1 second')
RETURNING p.slowed_to
"""  # noqa: S608 - built from our own constants


@dataclass(frozen=True)
class _Held:
    """A locked row: the seconds that a segment costs, and those until its next moment, counted from `at`."""

    row: int
    is_connection: bool
    seconds: float
    wait: float
    at: datetime


@dataclass
class Slots:
    """The moments that a claim may take: the first in `first_after` seconds, then one for each segment."""

    first_after: float = 0.0
    spacing: float = 0.0
    horizon: float = 1.0
    held: list[_Held] = field(default_factory=list)
    _used: float = 0.0

    @property
    def has_room(self) -> bool:
        return self.first_after < self.horizon

    @property
    def most(self) -> int:
        """How many messages are worth looking at: those that fit, and some beside that may not be sent."""
        return int((self.horizon - self.first_after) / self.spacing) + 21 if self.spacing else 1_000_000

    @property
    def wait(self) -> float:
        """In how many seconds there is room again."""
        return max(0.0, self.first_after + self._used - self.horizon + 0.001) if self.spacing else 0.0

    def take(self, *, weight: int) -> None:
        """Use the moments of `weight` segments up."""
        if not weight:
            return
        self._used = weight * self.spacing
        with database.cursor() as cursor:
            for held in self.held:
                # The slowest sets the moments; a faster one only counts how many they were.
                begin = self.first_after if held.seconds == self.spacing else held.wait
                cursor.execute(_TAKE, [held.at, begin + weight * held.seconds, held.row])


UNPACED = Slots()


@dataclass(frozen=True)
class Speed:
    """How fast a sender (or, with an empty `sender`, the whole connection) may go, for the page."""

    sender: str
    mps: Any
    learned: float | None
    code: int | None
    slowed_at: datetime | None


def is_limited(connection: Connection, *, sender: str) -> bool:
    """Tell whether messages of this sender have to keep a pace; makes the rows that the claim locks."""
    with database.cursor() as cursor:
        cursor.execute(
            f"SELECT sender, mps, {LEARNED} FROM messaging_pace p "  # noqa: S608 - our own constants
            "WHERE connection_id = %s AND sender IN ('', %s)",
            [connection.pk, sender],
        )
        rows = {row[0]: row[1:] for row in cursor.fetchall()}
        if connection.mps is not None and "" not in rows:
            cursor.execute(_MAKE_ROW, [connection.pk, ""])
    return connection.mps is not None or any(value is not None for row in rows.values() for value in row)


def hold(connection_id: uuid.UUID, *, sender: str, lane: int) -> Slots:
    """Lock what limits the sender until the transaction ends, and return the moments that are free."""
    with database.cursor() as cursor:
        cursor.execute(_HOLD, {"connection": connection_id, "sender": sender})
        held = [row[0] for row in cursor.fetchall()]
        cursor.execute(_READ, [held])
        limited = [
            _Held(row=row, is_connection=not name, seconds=1 / rate, wait=max(0.0, wait), at=at)
            for row, name, rate, wait, at in cursor.fetchall()
            if rate
        ]
    if not limited:
        return Slots()
    spacing = max(held.seconds for held in limited)
    is_shared = any(held.is_connection and held.seconds < spacing for held in limited)
    return Slots(
        first_after=max(held.wait for held in limited),
        spacing=spacing,
        horizon=(_SHARED_HORIZON if is_shared else _HORIZON)[min(lane, 1)],
        held=limited,
    )


def slow_down(connection_id: uuid.UUID, sender: str, code: int | None) -> bool:
    """Lower the sender's rate to half if Twilio's code complains of its speed; tell whether this call did it.

    A refused post always counts; failures of messages already taken count where they are not rare. It recovers by
    itself, a quarter every 20 seconds, up to what is set (or, where nothing is set, until it is twice as fast as it
    was). Call it after the transaction that wrote the message's outcome: it locks a row that claims need.
    """
    if code not in SLOWING_CODES or not sender:
        return False
    about: dict[str, Any] = {"connection": connection_id, "sender": sender}
    with transaction.atomic(), database.cursor() as cursor:
        complaints = list(SLOWING_CODES - REFUSED_CODES)
        cursor.execute(_MEASURE, about | {"complaints": complaints, "seconds": _MEASURED_OVER})
        rate, taken, complained = cursor.fetchone()
        if code not in REFUSED_CODES and taken >= COUNTED_FROM and complained < taken * RARE_BELOW:
            return False
        cursor.execute(_MAKE_ROW, [connection_id, sender])
        cursor.execute(_SLOW_DOWN, about | {"code": code, "measured": max(2 * LOWEST, float(rate or 0.0))})
        lowered = cursor.fetchone()
    if lowered is not None:
        log.warning("sender_slowed_down", connection_id=str(connection_id), code=code, mps=round(lowered[0], 2))
    return lowered is not None


def slow_down_for(reports: Iterable[tuple[uuid.UUID, int | None]]) -> int:
    """Lower the rates of the senders of these messages, each reported with a code; return how many were lowered."""
    codes = {message_id: code for message_id, code in reports if code in SLOWING_CODES}
    senders = {
        (connection_id, sender): codes[message_id]
        for message_id, connection_id, sender in Message.objects.filter(pk__in=codes).values_list(
            "pk", "connection_id", "sender"
        )
        if connection_id is not None
    }
    return sum(slow_down(connection_id, sender, code) for (connection_id, sender), code in senders.items())


def speeds_of(connection: Connection) -> list[Speed]:
    """Return the limits of the connection's senders, set and learned, in the order of their names."""
    rows = Pace.objects.filter(connection=connection).annotate(learned=RawSQL(LEARNED, ())).order_by("sender")  # noqa: S611
    return [
        Speed(
            sender=row.sender,
            mps=row.mps if row.sender else connection.mps,
            learned=row.learned,  # type: ignore[attr-defined]
            code=row.slowed_code if row.learned is not None else None,  # type: ignore[attr-defined]
            slowed_at=row.slowed_at if row.learned is not None else None,  # type: ignore[attr-defined]
        )
        for row in rows
    ]
