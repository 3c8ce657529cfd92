"""One process that posts messages with aiohttp and nothing else: no database, no SDK, no bookkeeping.

The driver gives it one JSON object on standard input; it says `ready`, waits for a line, posts, and prints its figures.
"""

import asyncio
import json
import resource
import sys
import time
from typing import Any
from urllib.parse import urlencode

import aiohttp


async def post_all(order: dict[str, Any]) -> dict[str, float]:
    """Post `count` messages with `window` of them in flight, and return when it began and ended, and its CPU."""
    headers = {
        "Authorization": aiohttp.encode_basic_auth(order["username"], order["password"]),
        "Content-Type": "application/x-www-form-urlencoded",
        "Accept": "application/json",
    }
    numbers = iter(range(order["count"]))
    connector = aiohttp.TCPConnector(limit=order["window"])
    async with aiohttp.ClientSession(connector=connector, headers=headers) as session:

        async def post_some() -> None:
            for number in numbers:
                form = {"To": f"+49151{number:08d}", "Body": order["body"], "MessagingServiceSid": order["service"]}
                async with session.post(order["url"], data=urlencode(form)) as answer:
                    if answer.status != 201:
                        raise RuntimeError(f"The sandbox answered {answer.status}.")
                    json.loads(await answer.read())

        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        cpu, began = _cpu(), time.time()
        await asyncio.gather(*(post_some() for _ in range(order["window"])))
        return {"began": began, "ended": time.time(), "cpu": _cpu() - cpu}


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    print(json.dumps(asyncio.run(post_all(json.loads(sys.stdin.readline())))), flush=True)
