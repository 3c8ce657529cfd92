"""Every change of a broadcast's status: conditional UPDATEs, so that of two people at once exactly one does it.

draft → checking → ready → running ⇄ paused → done; canceled from anywhere before done.
"""

import uuid
from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from integrations.connections.models import Connection
from integrations.connections.selectors import default_connection
from integrations.organizations.audit import record
from integrations.organizations.models import User
from messaging.jobs import work
from messaging.jobs.models import Job

from . import waiting
from .estimate import estimate_of
from .models import Broadcast
from .problems import BroadcastProblem
from .wake import wake_feeder
from .ways import has_way, way_of

CHECK_JOB = "broadcasts.check"
_Status = Broadcast.Status

FOLLOWERS: dict[str, frozenset[str]] = {
    _Status.DRAFT: frozenset({_Status.CHECKING, _Status.CANCELED}),
    _Status.CHECKING: frozenset({_Status.CHECKING, _Status.DRAFT, _Status.READY, _Status.CANCELED}),
    _Status.READY: frozenset({_Status.CHECKING, _Status.DRAFT, _Status.RUNNING, _Status.CANCELED}),
    _Status.RUNNING: frozenset({_Status.PAUSED, _Status.DONE, _Status.CANCELED}),
    _Status.PAUSED: frozenset({_Status.RUNNING, _Status.CANCELED}),
}
UNSTARTED = frozenset({_Status.DRAFT, _Status.CHECKING, _Status.READY})
UNDER_WAY = frozenset({_Status.RUNNING, _Status.PAUSED})
SENTENCES = {
    "broadcast.created": "prepared the broadcast {which}",
    "broadcast.started": "started the broadcast {which}, to {count}",
    "broadcast.paused": "paused the broadcast {which}",
    "broadcast.resumed": "resumed the broadcast {which}",
    "broadcast.canceled": "canceled the broadcast {which}",
    "broadcast.skips_bad": "chose to leave out the {count} wrong rows of the broadcast {which}",
    "broadcast.deleted": "deleted the draft {which}",
}


def _locked(broadcast: Broadcast) -> Broadcast:
    return Broadcast.objects.select_for_update(of=("self",)).get(pk=broadcast.pk)


def _predecessors(target: str) -> list[str]:
    return sorted(state for state, followers in FOLLOWERS.items() if target in followers)


def _move(
    broadcast: Broadcast, to: str, *, only_from: Iterable[str] = (), where: Q | None = None, **values: Any
) -> bool:
    """Make the change if the broadcast still is where it may begin; the object is read anew either way."""
    allowed = list(only_from) or _predecessors(to)
    rows = Broadcast.objects.filter(where or Q(), pk=broadcast.pk, status__in=allowed)
    changed = rows.update(status=to, **values)
    broadcast.refresh_from_db()
    return bool(changed)


def begin_check(broadcast: Broadcast, *, actor: User | None = None) -> None:
    """Have every row checked (again), whatever an earlier check found; raise BroadcastProblem once it was started."""
    with transaction.atomic():
        locked = _locked(broadcast)
        if locked.status not in UNSTARTED:
            raise BroadcastProblem("broadcast_started", "The broadcast was started; its recipients stay as they are.")
        _stop_check(locked)
        job = work.start(locked.organization, kind=CHECK_JOB, params={"broadcast": str(locked.pk)}, actor=actor)
        template, way = locked.template, _way_of(locked)
        _move(
            broadcast,
            _Status.CHECKING,
            check_job_id=job.pk,
            check_error="",
            template_version=template.current if template else None,
            connection=way,
            sender=way.sends_as if way else "",
            checked_at=None,
            ready_count=0,
            left_out_count=0,
            bad_count=0,
            summary={},
            skips_bad=False,
            # A member sees what was found before anything leaves, whatever the API had asked for.
            starts_when_clean=locked.starts_when_clean and actor is None,
        )


def continue_check(broadcast: Broadcast, *, from_row: int) -> None:
    """Have recipients checked that were added behind `from_row`; what was found of the others stays.

    Call it in the transaction that added them, under the lock of the broadcast's row. A check that runs goes on to
    them by itself.
    """
    if broadcast.status == _Status.CHECKING:
        return
    if broadcast.status == _Status.DRAFT:
        begin_check(broadcast)
        return
    params = {"broadcast": str(broadcast.pk), "from_row": from_row}
    job = work.start(broadcast.organization, kind=CHECK_JOB, params=params)
    _move(broadcast, _Status.CHECKING, only_from=[_Status.READY], check_job_id=job.pk, skips_bad=False)


def give_up_check(broadcast: Broadcast, *, job_id: uuid.UUID, why: str) -> bool:
    """End a check that cannot go on, in words for the admin; the broadcast is a draft again."""
    return _move(broadcast, _Status.DRAFT, where=Q(check_job_id=job_id), check_error=why[:500])


def finish_check(
    broadcast: Broadcast, *, job_id: uuid.UUID, counts: dict[str, int], summary: dict[str, object]
) -> bool:
    """Note what the check found; one that an API call asked to start when clean starts."""
    changed = _move(
        broadcast,
        _Status.READY,
        only_from=[_Status.CHECKING],
        where=Q(check_job_id=job_id),
        checked_at=Now(),
        ready_count=counts["ready"],
        left_out_count=counts["left_out"],
        bad_count=counts["bad"],
        summary=summary,
    )
    if changed and broadcast.starts_when_clean and not why_not_startable(broadcast):
        start(broadcast, actor=None)
    return changed


def back_to_draft(broadcast: Broadcast, **values: Any) -> bool:
    """Make a broadcast that has not started a draft, to be changed; what the check found no longer holds."""
    return _move(broadcast, _Status.DRAFT, only_from=UNSTARTED, summary={}, ready_count=0, bad_count=0,
                 left_out_count=0, skips_bad=False, check_error="", check_job_id=None, **values)  # fmt: skip


def skip_bad_rows(broadcast: Broadcast, *, actor: User | str | None, ip: str = "") -> bool:
    """Store the choice to send without the wrong rows; False where there is nothing (more) to choose."""
    with transaction.atomic():
        changed = Broadcast.objects.filter(
            pk=broadcast.pk, status=_Status.READY, skips_bad=False, bad_count__gt=0
        ).update(skips_bad=True)
        broadcast.refresh_from_db()
        if changed:
            _record(broadcast, "broadcast.skips_bad", actor, {"count": f"{broadcast.bad_count:,}"}, ip)
    return bool(changed)


def why_not_startable(broadcast: Broadcast) -> BroadcastProblem | None:
    """Return what keeps a broadcast from being started; None where nothing does."""
    if broadcast.status == _Status.CHECKING:
        return BroadcastProblem("check_running", "The rows are still being checked. Start it when the check is done.")
    if broadcast.status == _Status.DRAFT:
        return BroadcastProblem("not_checked", "The rows have not been checked yet. Have them checked first.")
    if broadcast.status != _Status.READY:
        return _already(broadcast)
    if broadcast.bad_count and not broadcast.skips_bad:
        rows = f"{broadcast.bad_count:,} row{'s are' if broadcast.bad_count != 1 else ' is'} wrong"
        return BroadcastProblem("bad_rows", f"{rows}. Correct them, or choose to leave them out.")
    if not broadcast.ready_count:
        return BroadcastProblem("nobody", "Nobody is left to send to. See who was left out, and why.")
    return _why_no_way(broadcast)


def start(broadcast: Broadcast, *, actor: User | str | None, ip: str = "") -> None:
    """Begin to send; raise BroadcastProblem, also for the second of two who start it at once."""
    broadcast.refresh_from_db()
    if problem := why_not_startable(broadcast):
        raise problem
    with transaction.atomic():
        label = actor.get_full_name() if isinstance(actor, User) else actor or "the API, when the check was clean"
        changed = _move(
            broadcast,
            _Status.RUNNING,
            only_from=[_Status.READY],  # not from paused: somebody else may have started and paused it meanwhile
            where=Q(bad_count=0) | Q(skips_bad=True),
            started_at=Now(),
            started_by_label=label[:200],
            # Kept to stand beside the real price; nobody waits for Twilio here.
            summary={**broadcast.summary, "estimate": estimate_of(broadcast, may_ask=False).as_json()},
            pace=[],
        )
        if not changed:
            raise _already(broadcast)
        _record(broadcast, "broadcast.started", actor, {"count": _people(broadcast.ready_count)}, ip)
        transaction.on_commit(lambda: wake_feeder() and None)


def pause(
    broadcast: Broadcast, *, actor: User | str | None, reason: str = "member", detail: str = "", ip: str = ""
) -> bool:
    """Hold everything that is not on its way to Twilio; False where it was not running."""
    with transaction.atomic():
        changed = _move(
            broadcast,
            _Status.PAUSED,
            paused_reason=reason,
            paused_detail=detail[:300],
            paused_at=Now(),
            pace=[],
        )
        if changed:
            _record(broadcast, "broadcast.paused", actor, {"reason": detail} if detail else {}, ip)
            # In this transaction, as below: the row's lock keeps a pause, a resumption and the feeder apart.
            waiting.hold(broadcast)
    return changed


def resume(broadcast: Broadcast, *, actor: User | str | None, ip: str = "") -> None:
    """Go on; raise BroadcastProblem where it is not paused or still cannot send."""
    broadcast.refresh_from_db()
    if broadcast.status != _Status.PAUSED:
        raise _already(broadcast)
    if problem := _why_no_way(broadcast):
        raise problem
    with transaction.atomic():
        changed = _move(broadcast, _Status.RUNNING, paused_reason="", paused_detail="", paused_at=None, pace=[])
        if not changed:
            raise _already(broadcast)
        _record(broadcast, "broadcast.resumed", actor, {}, ip)
        waiting.release(broadcast)
        transaction.on_commit(lambda: wake_feeder() and None)


def cancel(broadcast: Broadcast, *, actor: User | str | None, ip: str = "") -> bool:
    """End it: nothing more is queued, what waits is canceled. What Twilio has, or is just being handed, goes out."""
    with transaction.atomic():
        changed = _move(broadcast, _Status.CANCELED, finished_at=Now())
        if changed:
            _record(broadcast, "broadcast.canceled", actor, {}, ip)
            waiting.cancel(broadcast, by=actor.get_short_name() if isinstance(actor, User) else "")
    return changed


def finish(broadcast: Broadcast) -> bool:
    """Call a broadcast done whose every message is final or at Twilio."""
    return _move(broadcast, _Status.DONE, only_from=[_Status.RUNNING], finished_at=Now())


def delete_draft(broadcast: Broadcast, *, actor: User | str | None, ip: str = "") -> bool:
    """Delete a broadcast that was never started, with its rows."""
    with transaction.atomic():
        locked = Broadcast.objects.select_for_update().filter(pk=broadcast.pk, status__in=UNSTARTED).first()
        if locked is None:
            return False
        _stop_check(locked)
        _record(locked, "broadcast.deleted", actor, {}, ip)
        locked.delete()
    return True


def _stop_check(broadcast: Broadcast) -> None:
    job = Job.objects.filter(pk=broadcast.check_job_id).first() if broadcast.check_job_id else None
    if job is not None:
        work.cancel(job)


def _way_of(broadcast: Broadcast) -> Connection | None:
    """Return the connection to send through: the one that was chosen, else the organization's as it is now."""
    chosen = broadcast.connection
    if chosen is not None and chosen.status != Connection.Status.DISCONNECTED:
        return chosen
    return default_connection(broadcast.organization)


def _why_no_way(broadcast: Broadcast) -> BroadcastProblem | None:
    if broadcast.organization.is_suspended:
        return BroadcastProblem("organization_suspended", "The organization is suspended; nothing is sent.")
    route = way_of(broadcast)
    return None if has_way(route) else BroadcastProblem(route.code, route.reason)


def _already(broadcast: Broadcast) -> BroadcastProblem:
    """Say what became of the broadcast in the meantime."""
    words = {
        _Status.RUNNING: f"It was already started by {broadcast.started_by_label or 'somebody else'}.",
        _Status.PAUSED: "It was started already, and is paused. Resume it instead.",
        _Status.DONE: "It was sent already.",
        _Status.CANCELED: "It was canceled.",
    }
    detail = words.get(broadcast.status, "It has not been started.")  # type: ignore[call-overload]
    return BroadcastProblem("broadcast_state", detail)


def _record(broadcast: Broadcast, action: str, actor: User | str | None, changes: dict[str, object], ip: str) -> None:
    record(broadcast.organization, actor=actor, action=action, target=broadcast, changes=changes, ip=ip)


def _people(count: int) -> str:
    return f"{count:,} {'person' if count == 1 else 'people'}"
