"""Begin runs: once for each thing that set an automation off, within its limits, and never in a circle."""

import uuid
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

from django.db import transaction

from integrations.clock import database_now
from messaging.contacts.models import Contact

from .base import Start
from .flow import FlowProblem, read
from .models import Automation, AutomationVersion, Run
from .wake import call_quick

LONGEST_CHAIN = 10
BROKEN = (
    "What set it off could not be taken in: something failed on our side. Publish the automation anew; if it happens "
    "again, ask whoever runs this installation to look into the worker’s log."
)
_SLICE = 500


def start_runs(automation: Automation, starts: Sequence[Start]) -> list[Run]:
    """Begin a run of the live version for each start that is new; return those that were stored now.

    Call it in a transaction. What may not begin is stored as well, as skipped with its reason: nothing gets lost
    silently. Nothing begins while the automation is not live.
    """
    # The lock puts the counting of caps and the spacing of starts into one line.
    locked = Automation.objects.select_for_update(of=("self",), no_key=True).select_related("live").get(
        pk=automation.pk
    )  # fmt: skip
    if locked.status != Automation.Status.LIVE or locked.live is None:
        return []
    made: list[Run] = []
    for first in range(0, len(starts), _SLICE):
        made += _start_slice(locked, locked.live, starts[first : first + _SLICE])
    if made:
        transaction.on_commit(call_quick)
    return made


def _start_slice(automation: Automation, version: AutomationVersion, starts: Sequence[Start]) -> list[Run]:
    now = database_now()
    told = Run.objects.filter(automation=automation, key__in=[start.key for start in starts])
    known = set(told.values_list("key", flat=True))
    fresh = {start.key: start for start in starts if start.key not in known}
    if not fresh:
        return []
    phones = _phones_of(automation, list(fresh.values()))
    chains = _chains_of(fresh.values())
    counts = _counts(automation, [*phones.values(), *(start.phone for start in fresh.values())], now=now)
    first, runs = _first_of(version), list[Run]()
    for start in fresh.values():
        contact_id = start.contact_id if start.contact_id in phones else None
        phone = start.phone or (phones.get(start.contact_id, "") if start.contact_id else "")
        run = Run(
            organization_id=automation.organization_id,
            automation=automation,
            version=version,
            key=start.key,
            contact_id=contact_id,
            phone=phone,
            data={"trigger": dict(start.data), "nodes": {}, **({"had_contact": True} if contact_id else {})},
            position=first or "",
            ancestry=chains.get(start.cause, []) if start.cause else [],
            cause=start.cause,
            created_at=now,
            due_at=start.due_at or now,
        )
        if start.reason:
            _skip(run, start.reason, start.detail)
        elif first is None:
            _skip(run, "internal", BROKEN)
        else:
            _hold_back(automation, run, counts=counts)
        if run.status == Run.Status.WAITING:
            counts[phone] += 1
            _space(automation, run, now=now)
        runs.append(run)
    if automation.per_minute:
        automation.save(update_fields=["next_start_at"])
    return Run.objects.bulk_create(runs)


def _first_of(version: AutomationVersion) -> str | None:
    """Return the step to begin with, "" where there is none; None where this version of the product cannot read it."""
    try:
        return read(version.flow).first
    except FlowProblem:
        return None


def _phones_of(automation: Automation, starts: Sequence[Start]) -> dict[uuid.UUID, str]:
    ids = {start.contact_id for start in starts if start.contact_id}
    rows = Contact.objects.filter(organization=automation.organization_id, pk__in=ids)
    return dict(rows.values_list("pk", "phone"))


def _chains_of(starts: Collection[Start]) -> dict[uuid.UUID, list[uuid.UUID]]:
    causes = {start.cause for start in starts if start.cause}
    rows = Run.objects.filter(pk__in=causes).values_list("pk", "ancestry", "automation_id") if causes else ()
    return {pk: [*ancestry, automation_id] for pk, ancestry, automation_id in rows}


def _counts(automation: Automation, phones: Iterable[str], *, now: datetime) -> Counter[str]:
    if not automation.cap_count:
        return Counter()
    since = now - timedelta(hours=automation.cap_hours)
    rows = Run.objects.filter(
        automation=automation, phone__in={phone for phone in phones if phone}, created_at__gt=since, is_test=False
    ).exclude(status=Run.Status.SKIPPED)
    return Counter(rows.values_list("phone", flat=True))


def _hold_back(automation: Automation, run: Run, *, counts: Counter[str]) -> None:
    """Mark a run as not begun where a limit says so."""
    if automation.pk in run.ancestry:
        _skip(run, "loop", "It had set itself off. An automation does not follow itself, so that nothing goes round.")
    elif len(run.ancestry) >= LONGEST_CHAIN:
        _skip(run, "chain", f"{LONGEST_CHAIN} automations had set each other off. The chain ends here.")
    elif run.phone and automation.cap_count and counts[run.phone] >= automation.cap_count:
        times = "once" if automation.cap_count == 1 else f"{automation.cap_count:,} times"
        _skip(
            run,
            "cap",
            f"This number has set the automation off {times} within {automation.cap_hours:,} hours, its limit. Change "
            "the limit in the automation’s settings.",
        )


def _skip(run: Run, reason: str, detail: str) -> None:
    run.status, run.reason, run.detail, run.ended_at = Run.Status.SKIPPED, reason, detail, run.created_at


def _space(automation: Automation, run: Run, *, now: datetime) -> None:
    """Begin no more runs in a minute than the automation may."""
    if not automation.per_minute:
        return
    run.due_at = max(run.due_at, automation.next_start_at or now)
    automation.next_start_at = run.due_at + timedelta(seconds=60 / automation.per_minute)
