"""What happened, for people and for drills that count."""

from collections import Counter
from collections.abc import Sequence
from heapq import merge
from itertools import islice
from typing import Any

from .model import Account, Message
from .wire import iso8601
from .world import World


def statistics(world: World, accounts: Sequence[Account]) -> dict[str, Any]:
    """Add up the counters; duplicates are counted among the outbound messages that are still stored."""
    counts: Counter[str] = Counter()
    for account in accounts:
        counts.update(account.counts)
    repeated = Counter(
        (account.sid, message.to, message.body)
        for account in accounts
        for message in account.order
        if message.direction != "inbound"
    )
    duplicates = sum(count - 1 for count in repeated.values() if count > 1)
    return {
        "accounts": len(accounts),
        "posts": counts.pop("posts", 0),
        "processed": counts.pop("processed", 0),
        "stored": sum(len(account.order) for account in accounts),
        "duplicates": duplicates,
        "statuses": _section(counts, "status_"),
        "refused": _section(counts, "refused_"),
        "faults": _section(counts, "fault_"),
        "webhooks": _section(counts, "webhooks_"),
        "callbacks": _section(counts, "callbacks_"),
        "webhooks_waiting": world.courier.waiting,
        "timers": len(world.timers),
        "refused_at_the_door": _section(Counter(world.stray_counts), "refused_"),
        "others": dict(counts),
        "webhook_failures": [failure for account in accounts for failure in account.webhook_failures],
    }


def _section(counts: Counter[str], prefix: str) -> dict[str, int]:
    """Take the counters with this prefix out."""
    return {name[len(prefix) :]: counts.pop(name) for name in sorted(counts) if name.startswith(prefix)}


def accepted_messages(accounts: Sequence[Account], *, to: str | None, limit: int) -> list[dict[str, Any]]:
    """Return stored outbound messages, newest first."""
    newest_first = merge(
        *(reversed(account.order) for account in accounts), key=lambda message: message.created, reverse=True
    )
    wanted = (m for m in newest_first if m.direction != "inbound" and (to is None or m.to == to))
    return [_as_json(message) for message in islice(wanted, limit)]


def _as_json(message: Message) -> dict[str, Any]:
    return {
        "sid": message.sid,
        "account_sid": message.account.sid,
        "to": message.to,
        "from": message.from_ or message.sender,
        "body": message.body,
        "status": message.status,
        "error_code": message.error_code,
        "direction": message.direction,
        "messaging_service_sid": message.service_sid,
        "created": iso8601(message.created),
        "callback": None if message.callback is None else message.callback.url,
    }
