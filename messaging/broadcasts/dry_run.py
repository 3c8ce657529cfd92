"""The dry run: all that there is to know of a checked broadcast before the button is pressed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from integrations.platform_sms.ledger import balance_of, shown
from integrations.platform_sms.offers import current_offer
from messaging.csv_files.showing import ShownCell, ShownRow
from messaging.routing.decision import Route
from messaging.sending.limit_models import Pace
from messaging.sending.policy import cap_use, policy_of

from .check import adds_way_out
from .estimate import Estimate, estimate_of
from .lifecycle import why_not_startable
from .models import Broadcast, Recipient
from .problems import BroadcastProblem
from .reasons import LeftOut, left_out
from .selectors import FIRST_PROBLEMS, problem_rows, samples_of
from .sources import NUMBER
from .ways import CHINA, has_way, offers_platform, way_of


@dataclass(frozen=True)
class LeftOutGroup:
    """Rows left out for one reason."""

    reason: str
    words: LeftOut
    count: int


@dataclass(frozen=True)
class Remark:
    """Something of the organization's limits that the broadcast will meet."""

    title: str
    text: str


@dataclass(frozen=True, kw_only=True)
class DryRun:
    """What the page of a checked broadcast shows."""

    estimate: Estimate
    samples: list[Recipient]
    left_out: list[LeftOutGroup]
    route: Route
    takes: timedelta | None  # at the rate that is set; None where none is
    rate: Decimal | None
    remarks: list[Remark]
    wrong_rows: list[ShownRow]
    obstacle: BroadcastProblem | None

    @property
    def has_way(self) -> bool:
        return has_way(self.route)


def dry_run_of(broadcast: Broadcast) -> DryRun:
    """Return the dry run of a checked broadcast."""
    groups = [
        LeftOutGroup(reason, left_out(reason), count) for reason, count in broadcast.summary.get("left_out", {}).items()
    ]
    rate = _rate_of(broadcast)
    segments = int(broadcast.summary.get("segments", 0))
    return DryRun(
        estimate=estimate_of(broadcast),
        samples=samples_of(broadcast),
        left_out=sorted(groups, key=lambda group: -group.count),
        route=way_of(broadcast),
        takes=timedelta(seconds=round(segments / rate)) if rate else None,
        rate=rate,
        remarks=list(_remarks(broadcast)),
        wrong_rows=first_wrong_rows(broadcast),
        obstacle=why_not_startable(broadcast),
    )


def _rate_of(broadcast: Broadcast) -> Decimal | None:
    """Return the segments a second that are set for the connection or its sender, the lower one."""
    if broadcast.connection is None:
        return None
    of_sender = Pace.objects.filter(connection=broadcast.connection, sender=broadcast.sender).values_list("mps")
    rates = [rate for rate in (broadcast.connection.mps, *(row[0] for row in of_sender)) if rate]
    return min(rates) if rates else None


def _remarks(broadcast: Broadcast) -> Iterator[Remark]:
    """Say where the organization's limits hold the broadcast up."""
    policy = policy_of(broadcast.organization)
    if policy.is_quiet and broadcast.purpose == Broadcast.Purpose.MARKETING:
        yield Remark(
            "Quiet hours",
            f"Nothing goes out between {policy.quiet_from:%H:%M} and {policy.quiet_until:%H:%M} of each person's own "
            "time; their messages wait until then.",
        )
    yield from _about_credits(broadcast)
    use = cap_use(broadcast.organization)
    if use.cap is not None and use.cap - use.used < broadcast.ready_count:
        left = max(0, use.cap - use.used)
        yield Remark(
            "Messages a day",
            f"Your organization's limit leaves {left:,} message{'s' if left != 1 else ''} for today. The rest waits "
            "for the next days.",
        )
    if broadcast.purpose == Broadcast.Purpose.MARKETING and adds_way_out(broadcast):
        yield Remark("Way out", "Nobody can reply to a name, so each text has the person's own unsubscribe link.")


def _about_credits(broadcast: Broadcast) -> Iterator[Remark]:
    """Say that people in Mainland China get platform SMS, and whether the credits suffice."""
    if not offers_platform(broadcast):
        return
    people = sum(row["count"] for row in broadcast.summary.get("regions", []) if row["region"] == CHINA)
    offer = current_offer().domestic if people else None
    if offer is None:
        return
    needed, balance = offer.price * people, balance_of(broadcast.organization)
    text = f"People in Mainland China get platform SMS: {shown(needed)} of your {shown(balance)} credits."
    if needed > balance:
        covered = int(balance // offer.price)
        text = (
            f"People in Mainland China get platform SMS: it takes {shown(needed)} credits, and you have "
            f"{shown(balance)}. The first {covered:,} get theirs; for the others it is blocked. Ask your operator "
            "to top the credits up before you start."
        )
    yield Remark("Platform SMS", text)


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
