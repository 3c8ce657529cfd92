"""What is to be sent, and a client that does not give up: it repeats a request, with its key, until the API took it."""

import http.client
import itertools
import json
import random
import threading
import time
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

_GIVE_UP_AFTER = 120.0
_CLIENTS = 6


class Kind(StrEnum):
    """How easily a message is told from others."""

    UNIQUE = "unique"  # nobody else is written to at that number
    SHARED = "shared"  # others get other texts at the same number
    TWIN = "twin"  # one other has the same number and the same text


@dataclass(frozen=True)
class Wanted:
    """One message to hand in; `number` makes its Idempotency-Key."""

    number: int
    kind: Kind
    to: str
    body: str

    @property
    def key(self) -> tuple[str, str]:
        return self.to, self.body


def plan(count: int, *, seed: int) -> list[Wanted]:
    """Return what to send: a tenth to numbers that five messages share, one in 125 of a pair of equal ones."""
    twins, shared = count // 125 // 2 * 2, count // 10 // 5 * 5
    planned = []
    for number in range(count):
        kind, to, text = Kind.UNIQUE, f"+49151{number:08d}", number
        if number < twins:
            kind, to, text = Kind.TWIN, f"+49171{number // 2:08d}", number // 2
        elif number < twins + shared:
            kind, to = Kind.SHARED, f"+49160{(number - twins) // 5:08d}"
        planned.append(Wanted(number, kind, to, f"Your parcel {text:06d} arrives today between 10 and 12."))
    random.Random(seed).shuffle(planned)
    return planned


class Intake:
    """Several clients that hand the messages in, spread over some seconds."""

    def __init__(self, wanted: list[Wanted], *, url: str, api_key: str, seconds: float) -> None:
        self.accepted: dict[str, Wanted] = {}  # by our message id
        self.repeated = 0
        self.problems: list[str] = []
        self._address = urlsplit(url)
        self._api_key = api_key
        self._pause = seconds / len(wanted)
        self._began = time.monotonic()
        self._numbered = itertools.count()
        self._wanted = wanted
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(_CLIENTS)]

    def start(self) -> None:
        self._began = time.monotonic()
        for thread in self._threads:
            thread.start()

    @property
    def is_done(self) -> bool:
        return not any(thread.is_alive() for thread in self._threads)

    def _run(self) -> None:
        while (place := next(self._numbered)) < len(self._wanted) and not self.problems:
            time.sleep(max(0.0, self._began + place * self._pause - time.monotonic()))
            self._hand_in(self._wanted[place])

    def _hand_in(self, wanted: Wanted) -> None:
        end = time.monotonic() + _GIVE_UP_AFTER
        answer = ""
        while time.monotonic() < end:
            try:
                status, answer = self._post(wanted)
            except (OSError, http.client.HTTPException) as error:
                status, answer = 0, type(error).__name__
            if status in {200, 202}:
                with self._lock:
                    self.accepted[json.loads(answer)["id"]] = wanted
                return
            if 400 <= status < 500 and status != 429:
                break
            with self._lock:
                self.repeated += 1
            time.sleep(0.3)
        self.problems.append(f"a message was not taken: {answer[:300]}")

    def _post(self, wanted: Wanted) -> tuple[int, str]:
        connection = http.client.HTTPConnection(str(self._address.hostname), self._address.port, timeout=15)
        headers = {
            "Authorization": f"Bearer {self._api_key}",
            "Content-Type": "application/json",
            "Idempotency-Key": f"drill-{wanted.number}",
        }
        try:
            body = json.dumps({"to": wanted.to, "body": wanted.body})
            connection.request("POST", "/api/v1/messages", body=body, headers=headers)
            response = connection.getresponse()
            return response.status, response.read().decode(errors="replace")
        finally:
            connection.close()
