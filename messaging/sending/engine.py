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
from dataclasses import dataclass, field
from typing import Any

import structlog
from django.conf import settings
from django.db import Error, InterfaceError, OperationalError, close_old_connections, connection, reset_queries

from integrations.connections.credentials import ConnectionUnusable, callback_base, credentials_of, live_tokens
from integrations.connections.models import Connection
from integrations.twilio.async_client import AsyncGateway, async_gateway_for
from integrations.twilio.client import Credentials, OutgoingMessage
from integrations.twilio.errors import TwilioError
from integrations.twilio.results import MessageSnapshot

from .callback_urls import status_callback
from .claim import Claimed, claim_batch
from .nudges import nudge
from .outcomes import Outcome, settle

log = structlog.get_logger(__name__)

_IDLE_WAIT = 0.5
_COLLECT_FOR = 0.01  # seconds in which outcomes gather before they are written together
_LONGEST_BATCH = 500
_LONGEST_HELP_PAUSE = 3.0
_REFRESH_AFTER = 5.0  # seconds after which a connection's row is read anew while its lane is busy

Lane = tuple[uuid.UUID, int]


@dataclass
class _LaneState:
    """A lane that this process is working on."""

    connection_id: uuid.UUID
    lane: int
    in_flight: int = 0
    has_more: bool = True
    read_at: float = 0.0
    help_at: float = 0.0
    help_pause: float = 0.1
    dispatch: "_Dispatch | None" = None


@dataclass(frozen=True)
class _Dispatch:
    """What every message of a connection needs in order to leave."""

    connection: Connection
    credentials: Credentials
    callback_base: str | None
    needs_proof: bool

    def message_for(self, claimed: Claimed) -> OutgoingMessage:
        seconds_left = max(1, int(claimed.valid_until.timestamp() - time.time()))
        is_service = claimed.sender.startswith("MG")
        return OutgoingMessage(
            to=claimed.phone,
            body=claimed.body,
            messaging_service_sid=claimed.sender if is_service else "",
            from_="" if is_service else claimed.sender,
            status_callback=status_callback(
                self.connection, claimed.id, base=self.callback_base, needs_proof=self.needs_proof
            ),
            validity_period=min(36_000, seconds_left) if self.connection.mode != Connection.Mode.TEST else None,
        )


@dataclass
class Engine:
    """Sends the queued messages of the lanes it was woken for."""

    _lanes: dict[Lane, _LaneState] = field(default_factory=dict)
    _outcomes: "queue.SimpleQueue[tuple[Lane, Outcome] | None]" = field(default_factory=queue.SimpleQueue)
    _woken: "queue.SimpleQueue[Lane]" = field(default_factory=queue.SimpleQueue)
    _loop: asyncio.AbstractEventLoop | None = None
    _pump_thread: threading.Thread | None = None
    _start: threading.Lock = field(default_factory=threading.Lock)
    _stopping: bool = False
    _unsettled: list[Outcome] = field(default_factory=list)
    _posts: set["asyncio.Task[None]"] = field(default_factory=set)

    def wake(self, connection_id: uuid.UUID, *, lane: int) -> None:
        """Work on the lane, beginning now; from any thread. Waking a lane that is worked on makes it look again."""
        self._ensure_started()
        self._woken.put((connection_id, lane))
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
            if self._stopping and not self.in_flight and not self._unsettled:
                break
        connection.close()

    def _turn(self) -> None:
        self._collect()
        if self._unsettled:
            settle(self._unsettled)
            self._unsettled.clear()
        while not self._woken.empty():
            key = self._woken.get_nowait()
            state = self._lanes.setdefault(key, _LaneState(*key))
            state.has_more = True
        if not self._stopping:
            for state in sorted(self._lanes.values(), key=lambda lane: lane.lane):
                self._refill(state)
        for key in [key for key, state in self._lanes.items() if not state.has_more and not state.in_flight]:
            del self._lanes[key]
        if not self._lanes:
            close_old_connections()
        reset_queries()  # with DEBUG Django keeps the text of thousands of statements; nobody else clears them here

    def _collect(self) -> None:
        """Wait for something to do, then take what gathers within a moment."""
        busy = any(state.has_more and state.in_flight < settings.SEND_WINDOW for state in self._lanes.values())
        try:
            first = self._outcomes.get(timeout=_COLLECT_FOR if busy else _IDLE_WAIT)
        except queue.Empty:
            return
        self._take(first)
        until = time.monotonic() + (_COLLECT_FOR if self.in_flight > 1 else 0)
        while len(self._unsettled) < _LONGEST_BATCH:
            try:
                self._take(self._outcomes.get(timeout=max(0.0, until - time.monotonic())))
            except (queue.Empty, ValueError):
                return

    def _take(self, item: tuple[Lane, Outcome] | None) -> None:
        if item is None:
            return
        key, outcome = item
        self._lanes[key].in_flight -= 1
        self._unsettled.append(outcome)

    def _refill(self, state: _LaneState) -> None:
        free = settings.SEND_WINDOW - state.in_flight
        if not state.has_more or free < max(1, settings.SEND_WINDOW // 10):
            return
        dispatch = self._dispatch(state)
        if dispatch is None:
            state.has_more = False
            return
        # A post that begins before this moment has ended when the lease does.
        lease = settings.CLAIM_LEASE
        until = time.monotonic() + lease - min(settings.TWILIO_TIMEOUT, lease / 2)
        claim = claim_batch(state.connection_id, lane=state.lane, limit=free)
        state.has_more = claim.taken >= free
        if claim.messages:
            state.in_flight += len(claim.messages)
            assert self._loop is not None  # noqa: S101 - the pump runs after the loop was made
            # One call for all: waking the loop for each message costs more than the message's share of the claim.
            self._loop.call_soon_threadsafe(
                self._begin_posts, (state.connection_id, state.lane), dispatch, claim.messages, until
            )
        if state.has_more:
            self._call_for_help(state)

    def _call_for_help(self, state: _LaneState) -> None:
        """Nudge the other workers while there is more than one can take; more and more seldom, they may all be busy."""
        now = time.monotonic()
        if now >= state.help_at:
            state.help_pause = min(_LONGEST_HELP_PAUSE, state.help_pause * 2)
            state.help_at = now + state.help_pause
            nudge(state.connection_id, lane=state.lane)

    def _dispatch(self, state: _LaneState) -> _Dispatch | None:
        """Return what is needed to send, or None while the connection cannot; its messages then wait."""
        now = time.monotonic()
        if state.dispatch is not None and now - state.read_at < _REFRESH_AFTER:
            return state.dispatch
        state.dispatch, state.read_at = load_dispatch(state.connection_id), now
        return state.dispatch

    # ---- on the event loop

    def _begin_posts(self, key: Lane, dispatch: _Dispatch, messages: list[Claimed], until: float) -> None:
        for claimed in messages:
            post = asyncio.get_running_loop().create_task(self._post(key, dispatch, claimed, until))
            self._posts.add(post)  # the loop itself keeps only weak references
            post.add_done_callback(self._posts.discard)

    async def _post(self, key: Lane, dispatch: _Dispatch, claimed: Claimed, until: float) -> None:
        answer: MessageSnapshot | TwilioError | None = None
        try:
            gateway: AsyncGateway = async_gateway_for(dispatch.credentials)
            # A process that was halted with its claim does not post when it goes on: another one may have done it.
            answer = await gateway.send_message(dispatch.message_for(claimed), begin_before=until)
        except TwilioError as error:
            answer = error
        except Exception:
            log.exception("post_failed_unexpectedly", message_id=str(claimed.id))
        finally:
            self._outcomes.put((key, Outcome(claimed=claimed, connection=dispatch.connection, answer=answer)))


def load_dispatch(connection_id: uuid.UUID) -> _Dispatch | None:
    """Read a connection that may send now; None where it is broken, disconnected, unreadable or suspended."""
    row = (
        Connection.objects.select_related("organization")
        .filter(pk=connection_id, status=Connection.Status.ACTIVE, organization__status="active")
        .first()
    )
    if row is None:
        return None
    try:
        return _Dispatch(
            connection=row,
            credentials=credentials_of(row),
            callback_base=callback_base(row),
            needs_proof=not live_tokens(row),
        )
    except ConnectionUnusable as error:
        log.error("connection_unusable", connection_id=str(connection_id), code=error.code)
        return None


_engine: Engine | None = None
_making = threading.Lock()


def engine() -> Engine:
    """Return this process's engine."""
    global _engine
    with _making:
        if _engine is None:
            _engine = Engine()
        return _engine


__all__ = ["Engine", "engine", "load_dispatch"]
