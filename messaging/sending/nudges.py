"""Tell a worker that there is something to send. A lost nudge costs two seconds: the sweep finds the row."""

import os
import threading
import time
import uuid

from config.calling import begin, call_once
from config.celery import FAST

GATHER = 0.03  # seconds in which nudges of one lane gather
_MOST_LANES = 10_000
_Lane = tuple[uuid.UUID, int, str]
_gathering = threading.Condition()
_gather_until: dict[_Lane, float] = {}
_waiting: dict[_Lane, float] = {}  # lanes with a nudge for many to come, and when it leaves
_caller: threading.Thread | None = None


def _key(connection_id: uuid.UUID | str, lane: int, sender: str | None) -> str:
    return f"heliograph:nudged:{connection_id}:{lane}:{'*' if sender is None else sender}"


def nudge(connection_id: uuid.UUID, *, lane: int, sender: str | None = None) -> bool:
    """Ask for a drain of a lane; return whether the nudge left. Never raises and never takes long.

    Without a `sender` all senders of the connection are meant; a worker then looks which of them have something to do.

    Many messages queued at once need one nudge: a mark in Valkey, taken away when the drain begins, holds the others
    back. The mark is only a saving; without Valkey nothing is nudged and the sweep does the work.
    """
    mark = _key(connection_id, lane, sender)
    return call_once(mark, "messaging.sending.drain", str(connection_id), lane, sender, queue=FAST)


def nudge_soon(connection_id: uuid.UUID, *, lane: int, sender: str) -> None:
    """Nudge after a commit; of many within a moment the first goes at once, and one for all others afterwards.

    Asking Valkey for each of hundreds of messages a second is a tenth of what taking one costs. The later nudge leaves
    after the commits of all that wait for it; a process that dies before has lost a nudge: the sweep makes up for it.
    """
    global _caller
    key = connection_id, lane, sender
    with _gathering:
        if key in _waiting:
            return
        now = time.monotonic()
        due = _gather_until.get(key, 0.0)
        if is_first := now >= due:
            _note(key, now)
        else:
            _waiting[key] = due
            # One thread for all: to start one each time costs a request more than the nudge does.
            if _caller is None or not _caller.is_alive():
                _caller = threading.Thread(target=_nudge_for_all, name="nudges", daemon=True)
                _caller.start()
            _gathering.notify()
    if is_first:
        nudge(connection_id, lane=lane, sender=sender)


def _nudge_for_all() -> None:
    while True:
        with _gathering:
            while not _waiting:
                _gathering.wait()
            now = time.monotonic()
            if (first := min(_waiting.values())) > now:
                _gathering.wait(first - now)
                continue
            due = [key for key, when in _waiting.items() if when <= now]
            for key in due:
                del _waiting[key]  # before the nudge: whoever commits from now on is not covered
                _note(key, now)
        for connection_id, lane, sender in due:
            nudge(connection_id, lane=lane, sender=sender)


def _note(key: _Lane, now: float) -> None:
    if len(_gather_until) >= _MOST_LANES:
        _gather_until.clear()
    _gather_until[key] = now + GATHER


def _begin_anew() -> None:
    """A forked process has none of the threads: nobody would ever send what waits, or give the lock back."""
    global _gathering, _caller
    _gathering, _caller = threading.Condition(), None
    _waiting.clear()


os.register_at_fork(after_in_child=_begin_anew)


def begin_drain(connection_id: uuid.UUID, *, lane: int, sender: str | None = None) -> None:
    """Take the mark away, before the first claim: what is queued from now on nudges again."""
    begin(_key(connection_id, lane, sender))
