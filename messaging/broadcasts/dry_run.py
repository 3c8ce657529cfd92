"""The dry run: all that there is to know of a checked broadcast before the button is pressed."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from messaging.csv_files.showing import ShownCell, ShownRow
from messaging.routing.decision import Kind, Route, route_to_world

from .estimate import Estimate, estimate_of
from .lifecycle import why_not_startable
from .models import Broadcast, Recipient
from .problems import BroadcastProblem
from .reasons import LeftOut, left_out
from .selectors import FIRST_PROBLEMS, problem_rows, samples_of
from .sources import NUMBER


@dataclass(frozen=True)
class LeftOutGroup:
    """Rows left out for one reason."""

    reason: str
    words: LeftOut
    count: int


@dataclass(frozen=True, kw_only=True)
class DryRun:
    """What the page of a checked broadcast shows."""

    estimate: Estimate
    samples: list[Recipient]
    left_out: list[LeftOutGroup]
    route: Route
    takes: timedelta | None  # at the rate that is set; None where none is
    rate: Decimal | None
    wrong_rows: list[ShownRow]
    obstacle: BroadcastProblem | None

    @property
    def has_way(self) -> bool:
        return self.route.kind is Kind.TWILIO


def dry_run_of(broadcast: Broadcast) -> DryRun:
    """Return the dry run of a checked broadcast."""
    groups = [
        LeftOutGroup(reason, left_out(reason), count) for reason, count in broadcast.summary.get("left_out", {}).items()
    ]
    rate = broadcast.connection.mps if broadcast.connection else None
    segments = int(broadcast.summary.get("segments", 0))
    return DryRun(
        estimate=estimate_of(broadcast),
        samples=samples_of(broadcast),
        left_out=sorted(groups, key=lambda group: -group.count),
        route=route_to_world(broadcast.connection),
        takes=timedelta(seconds=round(segments / rate)) if rate else None,
        rate=rate,
        wrong_rows=first_wrong_rows(broadcast),
        obstacle=why_not_startable(broadcast),
    )


def first_wrong_rows(broadcast: Broadcast) -> list[ShownRow]:
    """Return the first wrong rows, each problem inside the cell it concerns."""
    rows = list(problem_rows(broadcast)[:FIRST_PROBLEMS])
    names = list(dict.fromkeys(name for row in rows for name in (*row.variables, row.field) if name and name != NUMBER))
    return [_shown(broadcast, row, names) for row in rows]


def heading_of(broadcast: Broadcast, field: str) -> str:
    """Return what the column of a field is called in the source."""
    column = broadcast.source.get("columns", {}).get(field)
    if column is not None:
        return str(broadcast.source["inspection"]["header"][column])
    return "Number" if field == NUMBER else field


def _shown(broadcast: Broadcast, row: Recipient, names: list[str]) -> ShownRow:
    cells = [ShownCell(heading_of(broadcast, NUMBER), row.typed, row.problem if row.field == NUMBER else "")]
    for name in names:
        value = str(row.variables.get(name, ""))[:120]
        cells.append(ShownCell(heading_of(broadcast, name), value, row.problem if row.field == name else ""))
    return ShownRow(row.row, cells, "" if row.field else row.problem)
