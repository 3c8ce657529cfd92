"""Webhooks on their way: signed, kept in order per message, retried as the address asks, a bounded number at once."""

import asyncio
import uuid
from collections import deque
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import urlencode

import aiohttp
import yarl

from .model import Account, CallbackTarget, Message
from .signing import sign
from .timers import Timers

_AT_ONCE = 24  # deliveries in flight to one origin
_WAITING_AT_MOST = 200_000  # queued deliveries to one origin; beyond, the oldest are given up
_RETRY_PAUSE = 0.5
_ANSWER_AT_MOST = 65_536  # bytes read of a webhook's answer


@dataclass(slots=True)
class Answer:
    """What came back from a webhook; `failure` is ct, rt, 4xx or 5xx, or empty where the answer was good."""

    status: int | None
    failure: str
    content_type: str = ""
    body: str = ""


@dataclass(slots=True)
class Delivery:
    """One webhook on its way."""

    account: Account
    target: CallbackTarget
    body: bytes
    headers: dict[str, str]
    message: Message | None = None
    attempt: int = 0
    done: "asyncio.Future[Answer] | None" = None


@dataclass(slots=True)
class _Lane:
    """The queue of one origin, so that a dead webhook of one customer does not hold up the others."""

    waiting: deque[Delivery] = field(default_factory=deque)
    runners: int = 0


@lru_cache(maxsize=256)
def _timeout(connect: float, read: float, total: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=total, sock_connect=connect, sock_read=read)


class Courier:
    """Delivers webhooks over one HTTP session."""

    def __init__(self, timers: Timers) -> None:
        self._timers = timers
        self._lanes: dict[str, _Lane] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Open the session on the running loop."""
        # Shorter than gunicorn's 2 s, so that we seldom write into a connection which the other side is closing.
        connector = aiohttp.TCPConnector(limit=0, limit_per_host=_AT_ONCE * 2, keepalive_timeout=1.5)
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": "Heliograph-Sandbox/1", "Accept": "*/*"},
            skip_auto_headers=("Accept-Encoding",),
            auto_decompress=False,
        )

    async def close(self) -> None:
        """Give up what is in flight and close the session."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def clear(self) -> None:
        """Forget what is queued."""
        for lane in self._lanes.values():
            for delivery in lane.waiting:
                if delivery.done is not None and not delivery.done.done():
                    delivery.done.cancel()
            lane.waiting.clear()

    @property
    def waiting(self) -> int:
        """Count the webhooks that are queued but not in flight."""
        return sum(len(lane.waiting) for lane in self._lanes.values())

    # ---- status callbacks: one after the other per message

    def tell(self, message: Message, params: dict[str, str]) -> None:
        """Send a status callback, after the earlier ones of the same message."""
        if message.is_calling_back:
            if message.waiting is None:
                message.waiting = []
            message.waiting.append(params)
            return
        message.is_calling_back = True
        self._post(message, params)

    def _post(self, message: Message, params: dict[str, str]) -> None:
        if message.callback is not None:
            self._submit(self._delivery(message.account, message.callback, params, message=message))

    def _finished(self, delivery: Delivery, answer: Answer) -> None:
        account = delivery.account
        if answer.failure:
            account.counts["webhooks_failed"] += 1
            account.webhook_failures.append(
                {
                    "at": self._timers.now(),
                    "url": delivery.target.url,
                    "status": answer.status,
                    "failure": answer.failure,
                    "error_code": 11205 if answer.failure == "ct" else 11200,
                }
            )
        else:
            account.counts["webhooks_delivered"] += 1
        if delivery.done is not None and not delivery.done.done():
            delivery.done.set_result(answer)
        message = delivery.message
        if message is not None:
            if message.waiting:
                self._post(message, message.waiting.pop(0))
            else:
                message.is_calling_back = False

    # ---- webhooks whose answer matters

    async def ask(self, account: Account, target: CallbackTarget, params: dict[str, str]) -> Answer:
        """Post a webhook and wait for its answer, retries included."""
        delivery = self._delivery(account, target, params)
        delivery.done = asyncio.get_running_loop().create_future()
        self._submit(delivery)
        return await delivery.done

    # ---- delivery

    def _delivery(
        self, account: Account, target: CallbackTarget, params: dict[str, str], *, message: Message | None = None
    ) -> Delivery:
        return Delivery(
            account=account,
            target=target,
            body=urlencode(params).encode(),
            headers={
                "Content-Type": "application/x-www-form-urlencoded",
                "X-Twilio-Signature": sign(target.url, params, token=account.auth_token),
                "I-Twilio-Idempotency-Token": str(uuid.uuid4()),
            },
            message=message,
        )

    def _submit(self, delivery: Delivery) -> None:
        lane = self._lanes.get(delivery.target.origin)
        if lane is None:
            lane = self._lanes[delivery.target.origin] = _Lane()
        lane.waiting.append(delivery)
        if len(lane.waiting) > _WAITING_AT_MOST:
            self._finished(lane.waiting.popleft(), Answer(None, "ct"))
        if lane.runners < _AT_ONCE:
            lane.runners += 1
            task = asyncio.get_running_loop().create_task(self._run(delivery.target.origin, lane))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _run(self, origin: str, lane: _Lane) -> None:
        try:
            while lane.waiting:
                delivery = lane.waiting.popleft()
                answer = await self._attempt(delivery)
                policy = delivery.target.retry_policy
                may_retry = answer.failure and (answer.failure in policy or "all" in policy)
                if may_retry and delivery.attempt < delivery.target.retry_count:
                    delivery.attempt += 1
                    delivery.account.counts["webhooks_retried"] += 1
                    self._timers.after(_RETRY_PAUSE * delivery.attempt, self._submit, delivery)
                else:
                    self._finished(delivery, answer)
        finally:
            lane.runners -= 1
            if not lane.runners and not lane.waiting:
                self._lanes.pop(origin, None)

    async def _attempt(self, delivery: Delivery) -> Answer:
        answer = await self._request(delivery)
        if answer.failure == "closed":
            # A kept-alive connection that the other side had just closed: nothing was heard, so ask once more.
            answer = await self._request(delivery)
            if answer.failure == "closed":
                answer.failure = "rt"
        return answer

    async def _request(self, delivery: Delivery) -> Answer:
        if self._session is None:
            raise RuntimeError("The courier was not started.")
        target = delivery.target
        delivery.account.counts["webhooks_sent"] += 1
        try:
            async with self._session.post(
                # encoded=True: the query must arrive as it was signed, byte for byte.
                yarl.URL(target.url, encoded=True),
                data=delivery.body,
                headers=delivery.headers,
                timeout=_timeout(target.connect_timeout, target.read_timeout, target.total_timeout),
                allow_redirects=False,
            ) as response:
                body = b""
                if response.status != 204:
                    body = await response.content.read(_ANSWER_AT_MOST)
                status = response.status
                failure = "" if status < 300 else "5xx" if status >= 500 else "4xx"
                content_type = response.headers.get("Content-Type", "")
                return Answer(status, failure, content_type, body.decode("utf-8", "replace"))
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL):
            return Answer(None, "ct")
        except TimeoutError:
            return Answer(None, "rt")
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
            return Answer(None, "closed")
        except aiohttp.ClientError:
            return Answer(None, "rt")
