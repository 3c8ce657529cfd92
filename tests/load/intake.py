"""How fast the API takes messages: `POST /api/v1/messages` from several clients at once, each on one connection."""

import http.client
import json
import threading
import time
from typing import Any
from urllib.parse import urlsplit

from messaging.sending.models import Message
from messaging.sending.statuses import Status
from tests.load.figures import spread
from tests.load.machine import Meter
from tests.load.rows import Customer
from tests.load.servers import Installation

_WARM_UP = 10  # requests of each client that do not count: the first ones meet cold processes


class IntakeProblem(Exception):
    """The API did not take a message; the text holds its answer."""


def measure_intake(place: Installation, *, customer: Customer, count: int, clients: int = 8) -> dict[str, Any]:
    """Post messages while no worker runs, so that only the taking is measured; the taken ones are canceled after."""
    _run_clients(place, customer, first=0, each=_WARM_UP, clients=clients)
    each = max(1, count // clients)
    meter = Meter(place.pids()).start()
    waits, seconds = _run_clients(place, customer, first=_WARM_UP * clients, each=each, clients=clients)
    meter.stop()
    taken = Message.objects.filter(organization=customer.organization, source="api", status=Status.QUEUED)
    expected = (each + _WARM_UP) * clients
    if (found := taken.update(status=Status.CANCELED)) != expected:
        raise RuntimeError(f"{expected} messages were taken, but {found} are stored.")
    return {
        "messages": len(waits),
        "clients": clients,
        "per_second": round(len(waits) / seconds, 1),
        "ms": spread(waits),
        "cpu_ms_per_message": {
            name: round(meter.cpu_of(name) * 1000 / len(waits), 3) for name in ("web", "postgres", "valkey")
        },
        "cpu_taken_by_others": round(meter.others, 3),
    }


def _run_clients(
    place: Installation, customer: Customer, *, first: int, each: int, clients: int
) -> tuple[list[float], float]:
    waits: list[float] = []
    problems: list[Exception] = []
    headers = {"Authorization": f"Bearer {customer.api_key}", "Content-Type": "application/json"}
    address = urlsplit(place.web_url)

    def post(begin: int) -> None:
        connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=30)
        try:
            for number in range(begin, begin + each):
                body = json.dumps({"to": f"+4917620{number:06d}", "body": f"Your parcel {number} is on its way."})
                asked = time.perf_counter()
                connection.request("POST", "/api/v1/messages", body=body, headers=headers)
                answer = connection.getresponse()
                content = answer.read()
                waits.append((time.perf_counter() - asked) * 1000)
                if answer.status != 202:
                    raise IntakeProblem(f"{answer.status}: {content[:300].decode(errors='replace')}")
        except (IntakeProblem, OSError, http.client.HTTPException) as error:
            problems.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=post, args=(first + client * each,)) for client in range(clients)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - began
    if problems:
        raise IntakeProblem(str(problems[0])) from problems[0]
    return waits, seconds
