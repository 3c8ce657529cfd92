"""How a broadcast looks in JSON."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from ninja import Field, Schema
from pydantic import ConfigDict

from messaging.broadcasts.models import Broadcast, Recipient
from messaging.broadcasts.progress import Progress

from .message_shape import MessageTemplate

# The values of Broadcast.Status. As an enum it would have the name of a message's, and the document one for both.
BroadcastStatus = Literal["draft", "checking", "ready", "running", "paused", "done", "canceled"]

EXAMPLE: dict[str, Any] = {
    "id": "019508a7-3f00-7c3e-9d52-0a4f6b1c2d3e",
    "name": "Depot closed",
    "status": "running",
    "purpose": "transactional",
    "body": "Hello {{ name }}, our depot is closed today.",
    "template": None,
    "sender": "MG0123456789abcdef0123456789abcdef",
    "recipients": {"ready": 1204, "left_out": 12, "bad": 0},
    "left_out": {"opted_out": 10, "duplicate": 2},
    "segments": 1204,
    "progress": {
        "total": 1204, "waiting": 804, "under_way": 20, "at_twilio": 130, "delivered": 240, "undelivered": 4,
        "failed": 6, "blocked": 0, "canceled": 0, "needs_person": 0, "percent": 31, "per_second": 20.4,
        "seconds_left": 39,
    },
    "paused_reason": None,
    "created_at": "2026-05-01T09:00:00.000Z",
    "checked_at": "2026-05-01T09:00:02.000Z",
    "started_at": "2026-05-01T09:00:02.000Z",
    "finished_at": None,
}  # fmt: skip


class RecipientCounts(Schema):
    """What the check made of the recipients; 0 each until it has ended."""

    ready: int = Field(description="Will get the broadcast.")
    left_out: int = Field(description="Get nothing; `left_out` says why.")
    bad: int = Field(description="Cannot be sent to as they are; `problems` says why.")


class ProgressOut(Schema):
    """Where the people stand who are to get it; each is in one of the counts, `percent` is of those settled."""

    total: int
    waiting: int
    under_way: int = Field(description="Being handed over, or the answer is not known yet.")
    at_twilio: int = Field(description="Handed over; no receipt yet.")
    delivered: int
    undelivered: int
    failed: int
    blocked: int = Field(description="Opted out, or took their consent back, after the check.")
    canceled: int
    needs_person: int = Field(description="Nobody knows whether Twilio has them; a member must look.")
    percent: int
    per_second: float | None = Field(description="How many leave in a second now; null while that is not known.")
    seconds_left: int | None = Field(description="How long the rest takes at this rate; null while not known.")


class RecipientProblem(Schema):
    """A recipient that cannot be sent to as it was given."""

    row: int = Field(description="Its place among all recipients of the broadcast, counted from 1 through all calls.")
    field: str = Field(description="to, or the name of the variable.")
    code: str
    detail: str


class BroadcastOut(Schema):
    """A broadcast."""

    model_config = ConfigDict(populate_by_name=True, json_schema_extra={"examples": [EXAMPLE]})

    id: uuid.UUID
    name: str
    status: BroadcastStatus = Field(
        description="draft, checking, ready (checked; start it), running, paused, done or canceled."
    )
    purpose: Literal["transactional", "marketing"]
    body: str = Field(description="The wording, with its variables.")
    template: MessageTemplate | None
    sender: str = Field(description="What it is sent from; empty while nothing is connected.")
    recipients: RecipientCounts
    left_out: dict[str, int] = Field(
        description="Why people are left out, and how many: duplicate, opted_out, no_consent, blocked_country, "
        "no_route, landline."
    )
    segments: int = Field(description="Of all texts together, once they are checked.")
    progress: ProgressOut
    paused_reason: str | None = Field(description="Why it is paused, in words; null where it is not.")
    created_at: datetime
    checked_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None


class BroadcastDetail(BroadcastOut):
    """A broadcast with what is wrong with its recipients."""

    model_config = ConfigDict(
        populate_by_name=True, json_schema_extra={"examples": [{**EXAMPLE, "problem": None, "problems": []}]}
    )

    problem: str | None = Field(description="What keeps it from going on, in words; null where nothing does.")
    problems: list[RecipientProblem] = Field(description="The first twenty; GET …/problems lists all.")


class RecipientsAdded(Schema):
    """What a call added."""

    first_row: int = Field(description="The row of the first recipient of this call; the others follow it.")
    count: int


def shape(broadcast: Broadcast, progress: Progress) -> dict[str, Any]:
    """Return the broadcast as JSON has it; `template` and `template_version` should have been fetched."""
    summary = broadcast.summary
    return {
        "id": broadcast.pk,
        "name": broadcast.name,
        "status": broadcast.status,
        "purpose": broadcast.purpose,
        "body": broadcast.text,
        "template": _template(broadcast),
        "sender": broadcast.sender,
        "recipients": {
            "ready": broadcast.ready_count,
            "left_out": broadcast.left_out_count,
            "bad": broadcast.bad_count,
        },
        "left_out": summary.get("left_out", {}),
        "segments": summary.get("segments", 0),
        "progress": _progress(progress),
        "paused_reason": _paused_because(broadcast),
        "created_at": broadcast.created_at,
        "checked_at": broadcast.checked_at,
        "started_at": broadcast.started_at,
        "finished_at": broadcast.finished_at,
    }


def shape_problem(row: Recipient) -> dict[str, Any]:
    """Return a wrong recipient."""
    return {"row": row.row, "field": row.field, "code": row.reason, "detail": row.problem}


def shape_detail(
    broadcast: Broadcast, progress: Progress, *, problem: str | None, problems: Sequence[Recipient]
) -> dict[str, Any]:
    """Return the broadcast with its problems."""
    return {
        **shape(broadcast, progress),
        "problem": problem,
        "problems": [shape_problem(row) for row in problems],
    }


def _template(broadcast: Broadcast) -> dict[str, Any] | None:
    if broadcast.template is None:
        return None
    version = broadcast.template_version
    return {
        "id": broadcast.template.pk,
        "name": broadcast.template.name,
        "version": version.number if version is not None else None,
    }


def _progress(progress: Progress) -> dict[str, Any]:
    return {
        "total": progress.total,
        "waiting": progress.waiting,
        "under_way": progress.under_way,
        "at_twilio": progress.at_twilio,
        "delivered": progress.delivered,
        "undelivered": progress.undelivered,
        "failed": progress.failed,
        "blocked": progress.blocked,
        "canceled": progress.canceled,
        "needs_person": progress.flagged,
        "percent": progress.percent,
        "per_second": round(progress.rate, 1) if progress.rate is not None else None,
        "seconds_left": round(progress.time_left.total_seconds()) if progress.time_left is not None else None,
    }


def _paused_because(broadcast: Broadcast) -> str | None:
    if broadcast.status != Broadcast.Status.PAUSED:
        return None
    return broadcast.paused_detail or "Paused by a member or through the API."
