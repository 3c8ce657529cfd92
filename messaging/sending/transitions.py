"""Every change of a message's state but the claim: one conditional UPDATE for one message or a thousand.

The table of who may follow whom is `statuses.FOLLOWERS`; it is written into the statement, so that a late or doubled
outcome simply finds no row. Each change leaves one event row, in the same statement.
"""

import json
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from messaging.happenings.of_messages import TELL_SQL

from . import statuses
from .credits import close_reservations
from .holding import HELD_UNTIL_SQL, IS_STOPPED
from .statuses import FOLLOWERS, Status


@dataclass(frozen=True, kw_only=True)
class Move:
    """One wished change of state.

    With `claim_token` the change is void unless the claim is still ours; with `sid` it is void where the message is
    known under another SID. `clear_error` forgets an earlier reason, as a message that goes on after a delay should;
    one that was being handed over forgets it in any case, since the reason was that nobody knew.
    """

    message_id: uuid.UUID
    to: Status
    source: str
    sid: str = ""
    error_code: int | None = None
    reason: str = ""
    note: str = ""
    clear_error: bool = False
    claim_token: uuid.UUID | None = None
    due_at: datetime | None = None
    next_check_at: datetime | None = None
    segments: int | None = None
    price: str | None = None
    price_unit: str = ""
    only_from: str = ""


def _quoted(values: Iterable[str]) -> str:
    return ", ".join(f"'{value}'" for value in sorted(values))


# One text for each pair: a list of pairs of columns costs PostgreSQL three times as long to plan.
_STEPS = _quoted(f"{before}>{after}" for before, afters in FOLLOWERS.items() for after in afters)
_FINAL = _quoted(statuses.FINAL)
_IN_FLIGHT = _quoted(statuses.IN_FLIGHT)
_GIVEN_BACK = _quoted(statuses.GIVEN_BACK)
_AT_TWILIO_OR_AFTER = _quoted(statuses.AT_TWILIO | statuses.ARRIVED | {Status.UNDELIVERED})
# A member who settles a message says for themselves that it shall go.
_IS_HELD = f"w.\"to\" = 'queued' AND w.source <> 'member' AND {IS_STOPPED}"

_ADVANCE = f"""
WITH wished AS (
    SELECT * FROM jsonb_to_recordset(%s::jsonb) AS w(
        message_id uuid, "to" text, source text, sid text, error_code int, reason text, note text, clear_error bool,
        claim_token uuid, due_at timestamptz, next_check_at timestamptz, segments int, price numeric, price_unit text,
        only_from text)
), moved AS (
    UPDATE messaging_message m SET
        status = w."to",
        provider_sid = CASE WHEN m.provider_sid = '' THEN w.sid ELSE m.provider_sid END,
        error_code = CASE WHEN w.clear_error OR m.status IN ({_IN_FLIGHT}) THEN w.error_code
            ELSE COALESCE(w.error_code, m.error_code) END,
        error_reason = CASE WHEN w.clear_error OR w.reason <> '' OR m.status IN ({_IN_FLIGHT}) THEN w.reason
            ELSE m.error_reason END,
        claim_token = CASE WHEN w."to" = 'unknown' THEN m.claim_token END,
        lease_until = NULL,
        due_at = CASE WHEN {_IS_HELD} THEN {HELD_UNTIL_SQL} ELSE COALESCE(w.due_at, m.due_at) END,
        valid_until = CASE WHEN {_IS_HELD} THEN {HELD_UNTIL_SQL} ELSE m.valid_until END,
        next_check_at = CASE WHEN w."to" IN ({_FINAL}) THEN NULL ELSE w.next_check_at END,
        unknown_since = CASE WHEN w."to" = 'unknown' THEN now() END,
        probes = CASE WHEN w."to" IN ('unknown', 'accepted') THEN 0 ELSE m.probes END,
        needs_person = CASE WHEN w."to" = 'unknown' THEN m.needs_person ELSE false END,
        segments = COALESCE(NULLIF(w.segments, 0), m.segments),
        price = CASE
            WHEN m.route <> 'platform' THEN COALESCE(w.price, m.price)
            WHEN w."to" IN ({_GIVEN_BACK}) THEN 0
            ELSE m.price
        END,
        price_unit = CASE WHEN m.route <> 'platform' AND w.price_unit <> '' THEN w.price_unit ELSE m.price_unit END,
        handed_over_at = COALESCE(m.handed_over_at, CASE WHEN w."to" IN ({_AT_TWILIO_OR_AFTER}) THEN now() END),
        finished_at = CASE WHEN w."to" IN ({_FINAL}) THEN COALESCE(m.finished_at, now()) END,
        updated_at = now()
    FROM wished w
    WHERE m.id = w.message_id
        AND m.status || '>' || w."to" IN ({_STEPS})
        AND (w.only_from = '' OR m.status = w.only_from)
        AND (w.claim_token IS NULL OR m.claim_token = w.claim_token)
        AND (w.sid = '' OR m.provider_sid IN ('', w.sid))
    RETURNING m.id, m.status, w.source, w.error_code, w.note, m.organization_id, m.route, m.contact_id, m.phone
), logged AS (
    INSERT INTO messaging_messageevent (message_id, status, source, error_code, note, at)
    SELECT id, status, source, error_code, note, now() FROM moved
), told AS ({TELL_SQL})
SELECT id, CASE WHEN route = 'platform' THEN organization_id END, status FROM moved
"""  # noqa: S608 - built from our own table of states


def advance(moves: Iterable[Move]) -> set[uuid.UUID]:
    """Make the changes that are allowed, and return the ids of the messages that moved.

    The credits of platform SMS are settled or given back with them. A message may stand in `moves` once. Raises
    IntegrityError where a SID is already another message's.
    """
    # In the order of the ids, in which PostgreSQL will lock the rows: two bulk changes must not wait in a circle.
    ordered = sorted(moves, key=lambda move: move.message_id)
    rows = [vars(move) for move in ordered]  # not asdict: it copies every value deeply
    if not rows:
        return set()
    with transaction.atomic(savepoint=False):
        with connection.cursor() as cursor:
            cursor.execute(_ADVANCE, [json.dumps(rows, default=_plain)])
            moved = cursor.fetchall()
        close_reservations((key, owner, status) for key, owner, status in moved if owner is not None)
    return {row[0] for row in moved}


def advance_one(move: Move) -> bool:
    """Make one change; tell whether it took place."""
    return bool(advance([move]))


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
