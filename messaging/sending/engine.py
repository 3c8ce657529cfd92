"""The sending engine: one per worker process.

One thread, the pump, does all database work: it claims as many messages as there are free places, hands them to an
event loop that posts them to Twilio, and writes the outcomes in bulk. So a place is refilled as soon as it is free,
nothing waits for the slowest answer of a batch, and no transaction is ever open while Twilio is asked.
"""

import asyncio
import queue
import threading
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import structlog
from django.conf import settings
from django.db import Error, InterfaceError, OperationalError, close_old_connections, connection, reset_queries

from integrations.twilio.async_client import Credentials
from integrations.twilio.errors import TwilioError, TwilioNotBegun
from integrations.twilio.results import MessageSnapshot

from .claim import Claimed, claim_batch
from .dispatch import Dispatch, load_dispatch
from .lanes import Lane, lanes_of
from .limits import NONE, Limits, limits_of
from .models import Message
from .nudges import nudge
from .outcomes import Outcome, is_too_many_requests, settle
from .places import Account, Places

log = structlog.get_logger(__name__)

_IDLE_WAIT = 0.5
_COLLECT_FOR = 0.01  # seconds in which outcomes gather before they are written together
_LONGEST_BATCH = 500
_LONGEST_HELP_PAUSE = 3.0
_REFRESH_AFTER = 1.0  # seconds after which a connection's row and its limits are read anew while its lane is busy
# Outcomes of bulk lanes written by one statement, and posts begun by the loop, before transactional ones have a turn.
_WRITTEN_AT_ONCE = 100
_BEGUN_AT_ONCE = 8
# Seconds for which bulk lanes are refilled before the pump looks at transactional ones again, however many they are.
_BULK_TURN = 0.05
_SMALLEST_CLAIM = 8

BULK = Message.Lane.BULK


@dataclass
class _LaneState:
    """A lane that this process is working on. Moments are those of time.monotonic()."""

    lane: Lane
    in_flight: int = 0
    has_more: bool = True
    not_before: float = 0.0
    read_at: float = 0.0
    served_at: float = 0.0
    help_at: float = 0.0
    help_pause: float = 0.1
    dispatch: Dispatch | None = None
    account: Account = field(default_factory=Account)
    limits: Limits = NONE

    @property
    def is_bulk(self) -> bool:
        return self.lane.lane == BULK


@dataclass
class Engine:
    """Sends the queued messages of the lanes it was woken for."""

    _lanes: dict[Lane, _LaneState] = field(default_factory=dict)
    _outcomes: "queue.SimpleQueue[tuple[Lane, Outcome] | None]" = field(default_factory=queue.SimpleQueue)
    _woken: "queue.SimpleQueue[tuple[uuid.UUID, int, str | None]]" = field(default_factory=queue.SimpleQueue)
    _places: Places = field(default_factory=Places)
    # How many messages one claim may take: lowered when not all of them could begin in time.
    _at_once: int = field(default_factory=lambda: settings.SEND_WINDOW)
    _loop: asyncio.AbstractEventLoop | None = None
    _pump_thread: threading.Thread | None = None
    _start: threading.Lock = field(default_factory=threading.Lock)
    _stopping: bool = False
    # What Twilio answered and is not written yet, of transactional and of bulk lanes.
    _unsettled: list[Outcome] = field(default_factory=list)
    _unsettled_bulk: list[Outcome] = field(default_factory=list)
    _posts: set["asyncio.Task[None]"] = field(default_factory=set)
    _prepared: set[Credentials] = field(default_factory=set)

    def wake(self, connection_id: uuid.UUID, *, lane: int, sender: str | None = None) -> None:
        """Work on the lane, beginning now; from any thread. Waking a lane that is worked on makes it look again.

        Without a sender the connection's lanes of all senders are meant.
        """
        self._ensure_started()
        self._woken.put((connection_id, lane, sender))
        self._outcomes.put(None)

    def begin_stop(self) -> None:
        """Claim nothing more."""
        self._stopping = True
        self._outcomes.put(None)

    def stop(self, *, timeout: float) -> bool:
        """Claim nothing more, wait for the answers that are under way, write them; tell whether all were written."""
        self.begin_stop()
        if self._pump_thread is None:
            return True
        self._pump_thread.join(timeout)
        return not self._pump_thread.is_alive()

    def run_on_loop(self, coroutine: Any, *, timeout: float) -> Any:
        """Run a coroutine on the engine's event loop and return its result; from any other thread."""
        self._ensure_started()
        assert self._loop is not None  # noqa: S101 - set by _ensure_started
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(timeout)

    @property
    def in_flight(self) -> int:
        return sum(state.in_flight for state in self._lanes.values())

    # ---- the pump

    def _ensure_started(self) -> None:
        with self._start:
            if self._pump_thread is not None and self._pump_thread.is_alive():
                return
            self._stopping = False
            loop = asyncio.new_event_loop()
            threading.Thread(target=loop.run_forever, name="engine-loop", daemon=True).start()
            self._loop = loop
            self._pump_thread = threading.Thread(target=self._pump, name="engine-pump", daemon=True)
            self._pump_thread.start()

    def _pump(self) -> None:
        while True:
            try:
                self._turn()
            except (OperationalError, InterfaceError) as error:
                # The database is away. What Twilio answered meanwhile is kept here; what is never written becomes
                # `unknown` when its lease runs out, and is looked up at Twilio.
                log.warning("engine_waits_for_database", error=type(error).__name__)
                connection.close()
                time.sleep(0.5)
            except Error:
                log.exception("engine_turn_failed")
                connection.close()
                time.sleep(0.5)
            if self._stopping and not self.in_flight and not self._unsettled and not self._unsettled_bulk:
                break
        connection.close()

    def _turn(self) -> None:
        self._collect()
        self._serve_transactional()
        self._write(self._unsettled_bulk)
        self._refill_bulk()
        for key in [key for key, state in self._lanes.items() if not state.has_more and not state.in_flight]:
            del self._lanes[key]
        if not self._lanes:
            close_old_connections()
        reset_queries()  # with DEBUG Django keeps the text of thousands of statements; nobody else clears them here

    def _serve_transactional(self) -> None:
        """Do what transactional lanes wait for; a lane's outcomes are written before it is refilled.

        Otherwise a message that went back to the queue would not be seen by the claim, and nobody would look again.
        """
        self._write(self._unsettled)
        self._look_who_woke()
        for state in [state for state in self._lanes.values() if not state.is_bulk]:
            self._refill(state)

    def _write(self, outcomes: list[Outcome]) -> None:
        """Write outcomes in parts and take them off the list; whoever wakes in between is served first."""
        while outcomes:
            settle(outcomes[:_WRITTEN_AT_ONCE])
            del outcomes[:_WRITTEN_AT_ONCE]
            if outcomes is self._unsettled_bulk and not self._woken.empty():
                self._serve_transactional()

    def _look_who_woke(self) -> None:
        while not self._woken.empty():
            connection_id, lane, sender = self._woken.get_nowait()
            lanes = [Lane(connection_id, sender, lane)] if sender is not None else lanes_of(connection_id, lane=lane)
            for key in lanes:
                self._lanes.setdefault(key, _LaneState(key)).has_more = True

    def _refill_bulk(self) -> None:
        """Refill bulk lanes in turns, until transactional ones should have a look again."""
        until = time.monotonic() + _BULK_TURN
        for state in sorted((one for one in self._lanes.values() if one.is_bulk), key=lambda one: one.served_at):
            if time.monotonic() >= until:
                return
            self._refill(state)

    def _collect(self) -> None:
        """Wait for something to do, then take what gathers within a moment."""
        try:
            first = self._outcomes.get(timeout=self._pause())
        except queue.Empty:
            return
        self._take(first)
        until = time.monotonic() + (_COLLECT_FOR if self.in_flight > 1 else 0)
        while len(self._unsettled) + len(self._unsettled_bulk) < _LONGEST_BATCH:
            try:
                self._take(self._outcomes.get(timeout=max(0.0, until - time.monotonic())))
            except (queue.Empty, ValueError):
                return

    def _pause(self) -> float:
        """Return how long to wait for outcomes: until the first lane may claim again."""
        now, pause = time.monotonic(), _IDLE_WAIT
        for state in self._lanes.values():
            if state.has_more and self._free(state):
                pause = min(pause, max(_COLLECT_FOR, state.not_before - now))
        return pause

    def _take(self, item: tuple[Lane, Outcome] | None) -> None:
        if item is None:
            return
        key, outcome = item
        state = self._lanes[key]
        state.in_flight -= 1
        self._places.take(state.account, -1, is_bulk=state.is_bulk)
        if isinstance(outcome.answer, TwilioNotBegun):
            state.has_more = True
            self._at_once = max(_SMALLEST_CLAIM, min(self._at_once, outcome.claimed_with // 2))
        elif is_too_many_requests(outcome.answer):
            state.account.note_refusal(begun_at=outcome.begun_at)
        else:
            state.account.note_answer()
        (self._unsettled_bulk if state.is_bulk else self._unsettled).append(outcome)

    def _free(self, state: _LaneState) -> int:
        """Return how many messages of the lane may be claimed now; 0 until it is worth a claim."""
        window = min(settings.SEND_WINDOW, int(state.account.most or settings.SEND_WINDOW))
        free = min(settings.SEND_WINDOW - state.in_flight, self._places.free(state.account, is_bulk=state.is_bulk))
        return free if free >= max(1, window // 10) else 0

    def _refill(self, state: _LaneState) -> None:
        if self._stopping or not state.has_more or time.monotonic() < state.not_before:
            return
        dispatch = self._dispatch(state)
        if dispatch is None:
            state.has_more = False
            return
        free = min(self._free(state), self._at_once)
        if not free:
            return
        state.served_at = time.monotonic()
        connection_id, sender, lane = state.lane
        claim = claim_batch(connection_id, sender=sender, lane=lane, limit=free, limits=state.limits)
        state.has_more = claim.has_more
        state.not_before = time.monotonic() + claim.wait
        if claim.messages:
            state.in_flight += len(claim.messages)
            self._places.take(state.account, len(claim.messages), is_bulk=state.is_bulk)
            assert self._loop is not None  # noqa: S101 - the pump runs after the loop was made
            # One call for all: waking the loop for each message costs more than the message's share of the claim.
            together = len(claim.messages)
            self._loop.call_soon_threadsafe(self._begin_posts, state.lane, dispatch, claim.messages, together)
            if len(claim.messages) >= self._at_once:
                self._at_once = min(settings.SEND_WINDOW, self._at_once + 1 + self._at_once // 10)
        if state.has_more and not claim.wait:
            self._call_for_help(state)

    def _call_for_help(self, state: _LaneState) -> None:
        """Nudge the other workers while there is more than one can take; more and more seldom, they may all be busy."""
        now = time.monotonic()
        if now >= state.help_at:
            state.help_pause = min(_LONGEST_HELP_PAUSE, state.help_pause * 2)
            state.help_at = now + state.help_pause
            nudge(state.lane.connection_id, lane=state.lane.lane, sender=state.lane.sender)

    def _dispatch(self, state: _LaneState) -> Dispatch | None:
        """Return what is needed to send, or None while the connection cannot; its messages then wait."""
        now = time.monotonic()
        if state.dispatch is not None and now - state.read_at < _REFRESH_AFTER:
            return state.dispatch
        state.dispatch, state.read_at = load_dispatch(state.lane.connection_id), now
        if state.dispatch is not None:
            self._prepare(state.dispatch)
            state.limits = limits_of(state.dispatch.connection, sender=state.lane.sender)
            if not state.in_flight:
                state.account = self._places.account(state.dispatch.connection.account_sid)
        return state.dispatch

    def _prepare(self, dispatch: Dispatch) -> None:
        """Build what a first post needs before anything is claimed: it would cost the claim's short time."""
        if dispatch.credentials in self._prepared:
            return

        async def build() -> None:
            dispatch.gateway()

        with suppress(TwilioError, TimeoutError):  # the first post says what is wrong
            self.run_on_loop(build(), timeout=30)
        self._prepared.add(dispatch.credentials)

    # ---- on the event loop

    def _begin_posts(self, key: Lane, dispatch: Dispatch, messages: list[Claimed], together: int) -> None:
        """Begin a few posts, and the others after whatever the loop was asked for meanwhile."""
        loop = asyncio.get_running_loop()
        if rest := messages[_BEGUN_AT_ONCE:]:
            loop.call_soon(self._begin_posts, key, dispatch, rest, together)
        for claimed in messages[:_BEGUN_AT_ONCE]:
            if claimed.begin_at > loop.time():
                loop.call_at(claimed.begin_at, self._begin_post, key, dispatch, claimed, together)
            else:
                self._begin_post(key, dispatch, claimed, together)

    def _begin_post(self, key: Lane, dispatch: Dispatch, claimed: Claimed, together: int) -> None:
        post = asyncio.get_running_loop().create_task(self._post(key, dispatch, claimed, together))
        self._posts.add(post)  # the loop itself keeps only weak references
        post.add_done_callback(self._posts.discard)

    async def _post(self, key: Lane, dispatch: Dispatch, claimed: Claimed, together: int) -> None:
        answer: MessageSnapshot | TwilioError | None = None
        begun_at = time.monotonic()
        try:
            gateway = dispatch.gateway()
            # Looked at when the request is written: a process that was halted, or a loop that was busy, posts no more.
            answer = await gateway.send_message(dispatch.message_for(claimed), begin_before=claimed.begin_before)
        except TwilioError as error:
            answer = error
        except Exception:
            log.exception("post_failed_unexpectedly", message_id=str(claimed.id))
        finally:
            outcome = Outcome(
                claimed=claimed,
                connection=dispatch.connection,
                answer=answer,
                begun_at=begun_at,
                claimed_with=together,
            )
            self._outcomes.put((key, outcome))


_engine: Engine | None = None
_making = threading.Lock()


def engine() -> Engine:
    """Return this process's engine."""
    global _engine
    with _making:
        if _engine is None:
            _engine = Engine()
        return _engine


__all__ = ["Engine", "engine"]
