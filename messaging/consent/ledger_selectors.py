"""Reads of the ledger: the panel of a contact, the report of a period, the rows of its export."""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, QuerySet
from django.utils import timezone

from integrations.organizations.models import Organization
from messaging.sending.models import Message
from messaging.sending.statuses import Status

from .blocking import NO_CONSENT, OPTED_OUT
from .models import ConsentPurpose, ConsentRecord, ConsentState

PAGE = 50
Action = ConsentRecord.Action


@dataclass(frozen=True)
class PurposeLine:
    """What a number agreed to for one purpose; `state` is None where it was never asked."""

    purpose: str
    label: str
    state: ConsentState | None

    @property
    def is_granted(self) -> bool:
        return self.state is not None and self.state.state == ConsentState.State.GRANTED

    @property
    def is_overdue(self) -> bool:
        """Tell whether the person was asked and the time to answer is over."""
        until = self.state.pending_until if self.state is not None else None
        return until is not None and until < timezone.now()


@dataclass(frozen=True)
class Panel:
    """What the page of a contact shows: each purpose, and what led to it, the latest first."""

    lines: Sequence[PurposeLine]
    history: Sequence[ConsentRecord]


def panel_of(organization: Organization, *, phone: str, channel: str = "sms", most: int = 20) -> Panel:
    """Return what a number agreed to and the latest records of it."""
    states = {
        state.purpose: state
        for state in ConsentState.objects.select_related("record").filter(
            organization=organization, phone=phone, channel=channel
        )
    }
    asked_for = (ConsentPurpose.MARKETING, ConsentPurpose.TRANSACTIONAL)
    return Panel(
        lines=[PurposeLine(purpose.value, purpose.label, states.get(purpose.value)) for purpose in asked_for],
        history=list(records_of(organization, phone=phone)[:most]),
    )


def records_of(
    organization: Organization,
    *,
    phone: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
) -> QuerySet[ConsentRecord]:
    """Return records, newest first: of one number, and of a period."""
    rows = ConsentRecord.objects.filter(organization=organization).order_by("-id")
    if phone:
        rows = rows.filter(phone=phone)
    if since is not None:
        rows = rows.filter(at__gte=since)
    if until is not None:
        rows = rows.filter(at__lt=until)
    return rows


@dataclass(frozen=True)
class Page:
    """Records newest first; `next` is the id to go on from, or None."""

    rows: Sequence[ConsentRecord]
    next: uuid.UUID | None
    is_first: bool


def page_of(rows: QuerySet[ConsentRecord], *, after: uuid.UUID | None = None, size: int = PAGE) -> Page:
    """Return one page: the newest, or those older than the record `after`."""
    found = list((rows.filter(id__lt=after) if after is not None else rows)[: size + 1])
    shown = found[:size]
    return Page(rows=shown, next=shown[-1].pk if len(found) > size else None, is_first=after is None)


@dataclass(frozen=True)
class SourceLine:
    """How often something was recorded from one source in a period."""

    source: str
    granted: int
    withdrawn: int
    requested: int


@dataclass(frozen=True)
class Report:
    """The sums of a period: records by source, and the messages that were held back, by reason."""

    lines: Sequence[SourceLine]
    granted: int
    withdrawn: int
    requested: int
    blocked_opted_out: int
    blocked_no_consent: int


def report_of(organization: Organization, *, since: datetime, until: datetime, phone: str = "") -> Report:
    """Count what was recorded and what was held back in a period, of everybody or of one number."""
    rows = records_of(organization, phone=phone, since=since, until=until).order_by()
    counts: dict[str, dict[str, int]] = {}
    for source, action, count in rows.values_list("source", "action").annotate(count=Count("id")):
        counts.setdefault(source, {})[action] = count
    labels = dict(ConsentRecord.Source.choices)
    lines = [
        SourceLine(
            source=labels.get(source, source),
            granted=found.get(Action.GRANTED, 0),
            withdrawn=found.get(Action.WITHDRAWN, 0),
            requested=found.get(Action.REQUESTED, 0),
        )
        for source, found in sorted(counts.items(), key=lambda item: -sum(item[1].values()))
    ]
    blocked = Message.objects.filter(
        organization=organization,
        status=Status.BLOCKED,
        created_at__gte=since,
        created_at__lt=until,
        error_reason__in=[OPTED_OUT, NO_CONSENT],
    )
    if phone:
        blocked = blocked.filter(phone=phone)
    held = dict(blocked.values_list("error_reason").annotate(count=Count("id")).order_by())
    return Report(
        lines=lines,
        granted=sum(line.granted for line in lines),
        withdrawn=sum(line.withdrawn for line in lines),
        requested=sum(line.requested for line in lines),
        blocked_opted_out=held.get(OPTED_OUT, 0),
        blocked_no_consent=held.get(NO_CONSENT, 0),
    )


EXPORT_HEADER = (
    "Time (UTC)", "Number", "Channel", "Purpose", "What", "Source", "Reason", "Form", "Wording",
    "Version of the wording", "File", "Row", "Given at", "Network", "Message", "Recorded by",
)  # fmt: skip


def export_rows(rows: QuerySet[ConsentRecord]) -> Iterator[list[object]]:
    """Yield the rows of the export, a thousand at a time from the database."""
    for row in rows.iterator(chunk_size=1000):
        proof = row.evidence
        yield [
            row.at.isoformat(timespec="seconds"),
            row.phone,
            row.channel,
            row.get_purpose_display(),
            row.get_action_display(),
            row.get_source_display(),
            row.reason,
            *(
                proof.get(name, "")
                for name in ("form", "wording", "wording_version", "file", "row", "given_at", "ip", "message")
            ),
            row.actor_label,
        ]
