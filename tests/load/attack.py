"""An attack on a form: codes sent to numbers whose operator pays the attacker, and visitors who want one meanwhile.

20,000 requests from 5,000 addresses over 300 ranges of numbers in ten simulated minutes, all in countries that the
organization chose. It is made twice: by an attacker who answers no challenge, and by one whose browsers solve every one
at no cost. Nothing but the clock is simulated: each request goes through the door of the limits (`limits.admit`) with
its statements in PostgreSQL, several at a time.

Among them come genuine visitors, each from another address, who do what people do: their browser solves what it is
given, they wait as they are told, try again for some minutes, and confirm the code twenty seconds after it came.
"""

import heapq
import itertools
import random
import statistics
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from unittest import mock

from django.db import connection

from integrations.clock import database_now
from integrations.organizations.models import Organization
from integrations.phones import NumberKind, Phone
from messaging.verification import challenge, limits
from messaging.verification.askers import Asker
from messaging.verification.limit_models import PausedPrefix
from messaging.verification.limit_setting import change_limits

MINUTES = 10
# The code and the region of each country, and how many digits its numbers have behind the code.
_COUNTRIES = (
    (49, "DE", 11),
    (31, "NL", 9),
    (33, "FR", 9),
    (34, "ES", 9),
    (43, "AT", 10),
    (380, "UA", 9),
    (62, "ID", 11),
)
_PATIENCE = 240.0
_CONFIRMS_AFTER = 20.0


@dataclass
class Visitor:
    """Somebody genuine: when they come, with which number and address, and how it went."""

    comes: float
    phone: Phone
    ip: str
    waited: float | None = None
    refused: list[str] = field(default_factory=list)


class Simulation:
    """What happens, in the order of simulated seconds; what happens may bring about more."""

    def __init__(self, begins: datetime) -> None:
        self._begins = begins
        self._events: list[tuple[float, int, Callable[[float], None]]] = []
        self._order = itertools.count()
        self._lock = threading.Lock()
        self._second = threading.local()

    def at(self, second: float, event: Callable[[float], None]) -> None:
        """Have something happen at a second."""
        with self._lock:
            heapq.heappush(self._events, (second, next(self._order), event))

    def now(self) -> datetime:
        """Return the simulated time of what this thread does."""
        return self._begins + timedelta(seconds=self._second.value)

    def run(self, threads: int) -> None:
        """Let everything happen, so many at a time; one is done without threads, in the caller's transaction."""
        with (
            mock.patch.object(limits, "database_now", self.now),
            mock.patch.object(challenge, "database_now", self.now),
        ):
            if threads == 1:
                self._work()
                return
            workers = [threading.Thread(target=self._work_apart) for _ in range(threads)]
            for worker in workers:
                worker.start()
            for worker in workers:
                worker.join()

    def _work_apart(self) -> None:
        try:
            self._work()
        finally:
            connection.close()

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._events:
                    return
                second, _, event = heapq.heappop(self._events)
            self._second.value = second
            event(second)


def measure_attack(
    organization: Organization,
    *,
    requests: int = 20_000,
    addresses: int = 5_000,
    prefixes: int = 300,
    visitors: int = 30,
    threads: int = 4,
) -> dict[str, Any]:
    """Return what left and who got through, for each of the two attackers."""
    change_limits(organization, values={"regions": [region for _, region, _ in _COUNTRIES[1:]]}, actor=None)
    attackers = {}
    for days, (name, solves) in enumerate((("plain", False), ("solving", True)), start=1):
        attackers[name] = _attack(
            organization,
            # Weeks apart, so that what the one left behind has faded for the other.
            begins=database_now() + timedelta(days=30 * days),
            solves=solves,
            requests=requests,
            addresses=addresses,
            prefixes=prefixes,
            visitors=visitors,
            threads=threads,
        )
    return {
        "requests": requests,
        "addresses": addresses,
        "prefixes": prefixes,
        "simulated_minutes": MINUTES,
        "attackers": attackers,
    }


def _attack(
    organization: Organization,
    *,
    begins: datetime,
    solves: bool,
    requests: int,
    addresses: int,
    prefixes: int,
    visitors: int,
    threads: int,
) -> dict[str, Any]:
    chance = random.Random(requests + solves)
    form = uuid.UUID(int=chance.getrandbits(128))
    ranges = [_range(chance) for _ in range(prefixes)]
    ips = [f"{11 + number // 200}.{chance.randrange(256)}.{number % 200}.7" for number in range(addresses)]
    people = [_visitor(chance, number=number, of=visitors, attacked=ranges) for number in range(visitors)]
    simulation, tally = Simulation(begins), Counter[str]()
    for number in range(requests):
        phone = _number(chance, chance.choice(ranges))
        asker = Asker("form", form, ips[number % addresses], has_passed=solves)
        simulation.at(MINUTES * 60 * number / requests, _attempt(organization, phone, asker, tally))
    for person in people:
        simulation.at(person.comes, _visit(organization, person, form, simulation))
    began = time.perf_counter()
    simulation.run(threads)
    seconds = time.perf_counter() - began
    through = [person.waited for person in people if person.waited is not None]
    return {
        "codes_to_attacker": tally.pop("sent", 0),
        "refused": dict(tally.most_common()),
        "visitors": len(people),
        "visitors_through": len(through),
        "visitors_waited_seconds": {
            "median": round(statistics.median(through)) if through else None,
            "longest": round(max(through)) if through else None,
        },
        "visitors_refused_by": dict(Counter(name for person in people for name in person.refused)),
        "paused_prefixes": PausedPrefix.objects.filter(organization=organization, paused_at__gte=begins).count(),
        "requests_per_second": round(requests / seconds),
    }


def _attempt(organization: Organization, phone: Phone, asker: Asker, tally: Counter[str]) -> Callable[[float], None]:
    def attempt(_second: float) -> None:
        try:
            limits.admit(organization, phone=phone, asker=asker)
        except limits.LimitReached as reached:
            tally[reached.name] += 1
        else:
            tally["sent"] += 1

    return attempt


def _visit(
    organization: Organization, person: Visitor, form: uuid.UUID, simulation: Simulation
) -> Callable[[float], None]:
    def visit(second: float) -> None:
        asker = Asker("form", form, person.ip)
        if challenge.is_needed(organization, asker):
            asker = Asker("form", form, person.ip, has_passed=True)  # their browser solved it
        try:
            limits.admit(organization, phone=person.phone, asker=asker)
        except limits.LimitReached as reached:
            person.refused.append(reached.name)
            if second - person.comes < _PATIENCE:
                simulation.at(second + min(60, reached.retry_after or 30), visit)
        else:
            person.waited = second - person.comes
            simulation.at(second + _CONFIRMS_AFTER, confirm)

    def confirm(_second: float) -> None:
        limits.approved(organization, phone=person.phone)

    return visit


def _range(chance: random.Random) -> tuple[int, str, str, int]:
    """Return a range that an attacker has: country code, region, first digits, how many digits are open."""
    code, region, digits = chance.choice(_COUNTRIES)
    free = chance.choice((4, 5, 6))
    first = "".join(str(chance.randrange(10)) for _ in range(digits - free - 1))
    return code, region, f"{chance.choice((1, 6, 7, 8, 9))}{first}", free


def _number(chance: random.Random, range_: tuple[int, str, str, int]) -> Phone:
    code, region, first, free = range_
    rest = "".join(str(chance.randrange(10)) for _ in range(free))
    return Phone(e164=f"+{code}{first}{rest}", region=region, country_code=code, kind=NumberKind.MOBILE)


def _visitor(chance: random.Random, *, number: int, of: int, attacked: list[tuple[int, str, str, int]]) -> Visitor:
    """Make a visitor at home, spread over the ten minutes, whose number is in no attacked million."""
    taken = {f"+{code}{first}"[: len(f"+{code}") + 5] for code, _, first, _ in attacked}
    while True:
        phone = _number(chance, (49, "DE", f"1{chance.choice('567')}{chance.randrange(10)}", 8))
        if phone.e164[:8] not in taken:
            break
    return Visitor(
        comes=MINUTES * 60 * (number + 0.5) / of, phone=phone, ip=f"203.{number}.113.{chance.randrange(1, 255)}"
    )
