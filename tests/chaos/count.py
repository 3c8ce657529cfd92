"""Compare what the simulated Twilio accepted with what the API took and what PostgreSQL says."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import psycopg

from messaging.sending.statuses import FINAL
from tests.chaos.intake import Kind, Wanted

_ROWS = """
SELECT m.id::text, m.phone, m.body, m.status, m.provider_sid, m.needs_person, m.attempts
FROM messaging_message m WHERE m.connection_id = %s AND m.direction = 'outbound'
"""


@dataclass(frozen=True)
class Row:
    """A message as PostgreSQL has it."""

    id: str
    to: str
    body: str
    status: str
    sid: str
    needs_person: bool
    attempts: int

    @property
    def is_final(self) -> bool:
        return self.status in FINAL


@dataclass
class Count:
    """The result. `lost`, `duplicated` and `stuck` hold the ids or the numbers of the messages meant."""

    lost: list[str] = field(default_factory=list)
    duplicated: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    flagged: dict[Kind, list[str]] = field(default_factory=lambda: {kind: [] for kind in Kind})
    mistaken: list[str] = field(default_factory=list)  # another's SID, or another end than Twilio's
    statuses: Counter[str] = field(default_factory=Counter)
    attempts: Counter[int] = field(default_factory=Counter)

    @property
    def is_good(self) -> bool:
        return not (self.lost or self.duplicated or self.stuck)


def read_rows(database_url: str, *, connection_id: str) -> list[Row]:
    """Read every message of the drill."""
    with psycopg.connect(database_url) as database:
        return [Row(*row) for row in database.execute(_ROWS, [connection_id])]


def count(accepted: Mapping[str, Wanted], *, rows: list[Row], at_twilio: list[dict[str, Any]]) -> Count:
    """Judge every message that the API took, and look for any that nobody asked for.

    Of a pair of equal messages one may be flagged for a person, of others none may; a third at Twilio's is a duplicate
    all the same.
    """
    result = Count(
        statuses=Counter(row.status for row in rows), attempts=Counter(row.attempts for row in rows if row.attempts)
    )
    asked = Counter(wanted.key for wanted in accepted.values())
    handed_over = Counter((one["to"], one["body"]) for one in at_twilio)
    stored = {row.id: row for row in rows}
    waiting: Counter[tuple[str, str]] = Counter()
    for message_id, wanted in accepted.items():
        row = stored.get(message_id)
        if row is None:
            result.lost.append(message_id)
        elif not row.is_final:
            waiting[wanted.key] += 1
            if row.needs_person:
                result.flagged[wanted.kind].append(message_id)
            if not (row.needs_person and wanted.kind is Kind.TWIN):
                result.stuck.append(message_id)
    for key, times in asked.items():
        result.lost += [key[0]] * max(0, times - handed_over[key] - waiting[key])
    for key, times in handed_over.items():
        result.duplicated += [key[0]] * max(0, times - asked[key])
    result.duplicated += [row.id for row in rows if row.id not in accepted]
    by_sid = {one["sid"]: one for one in at_twilio}
    result.mistaken = [row.id for row in rows if row.sid and not _agree(row, by_sid.get(row.sid))]
    return result


def _agree(row: Row, there: dict[str, Any] | None) -> bool:
    if there is None or (there["to"], there["body"]) != (row.to, row.body):
        return False
    return not row.is_final or there["status"] == row.status
