"""How sending is doing: database, Valkey, workers and the queue, each in words."""

from typing import Any

import redis
from django.db import Error, connection

from config.calling import broker_client

from .pulse import alive_workers, is_clerk_alive


def describe_readiness() -> dict[str, Any]:
    """Return `{status: ready/degraded/down, checks: {name: {ok, detail}}}`."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        database = _check(True, "answers")
        workers, has_clerk = len(alive_workers()), is_clerk_alive()
    except Error:
        checks = {"database": _check(False, "The database does not answer: nothing can be taken or sent.")}
        return {"status": "down", "checks": checks}
    checks = {"database": database, "broker": _broker(), "workers": _workers(workers), "clerk": _clerk(has_clerk)}
    return {"status": "ready" if all(check["ok"] for check in checks.values()) else "degraded", "checks": checks}


def trouble_in_words() -> list[str]:
    """Return what holds sending up just now, a sentence each; empty when all is well."""
    sentences = []
    broker = _broker()
    if not broker["ok"]:
        sentences.append("Valkey does not answer. Messages are taken and kept; they go out when it is back.")
    if not alive_workers():
        sentences.append("No worker is running. Messages are taken and kept; they go out when one is back.")
    return sentences


def _broker() -> dict[str, Any]:
    try:
        broker_client().ping()
    except (redis.RedisError, OSError):
        return _check(False, "Valkey does not answer: messages are kept and go out when it is back.")
    return _check(True, "answers")


def _workers(count: int) -> dict[str, Any]:
    if not count:
        return _check(False, "No worker gave a sign of life: messages are kept and go out when one is back.")
    return _check(True, f"{count} alive")


def _clerk(is_alive: bool) -> dict[str, Any]:
    return _check(is_alive, "alive" if is_alive else "No clerk gave a sign of life: files and exports wait for one.")


def _check(is_ok: bool, detail: str) -> dict[str, Any]:
    return {"ok": is_ok, "detail": detail}
