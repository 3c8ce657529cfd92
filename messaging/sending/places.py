"""How many requests may be under way at once: in this process, and at an account of Twilio's.

Twilio tells nobody its limit of concurrent requests; it answers 20429 beyond it. So it is learned as networks learn
theirs: each round of good answers allows one more, each round with a refusal half as many. All of this belongs to the
pump's thread and to one process: several processes find their shares against each other.
"""

import time
from dataclasses import dataclass, field

from integrations.twilio.async_http import CONNECTIONS

# Connections of the loop that reconciliation and polling may need besides the engine's.
_FOR_QUESTIONS = 32
MOST = CONNECTIONS - _FOR_QUESTIONS
# Bulk, of however many connections, never takes these: a login code finds a place at once.
FOR_TRANSACTIONAL = MOST // 5


@dataclass
class Account:
    """The requests of one account; `most` is None until Twilio first complains."""

    most: float | None = None
    in_flight: int = 0
    lowered_at: float = 0.0

    def free(self, *, is_bulk: bool) -> int:
        """Return how many more requests may begin."""
        if self.most is None:
            return MOST
        # A tenth is kept from bulk, where there is a tenth: transactional messages go first.
        most = max(1, int(self.most * 0.9)) if is_bulk else int(self.most)
        return max(0, most - self.in_flight)

    def note_refusal(self, *, begun_at: float) -> None:
        """Take a 20429 in: half as many at once. Requests that began before the last halving teach nothing new."""
        if begun_at < self.lowered_at:
            return
        self.most = max(1.0, min(self.most or MOST, self.in_flight + 1) / 2)
        self.lowered_at = time.monotonic()

    def note_answer(self) -> None:
        """Take any other answer in: a round of them allows one request more."""
        if self.most is not None:
            self.most += 1 / self.most
            if self.most >= MOST:
                self.most = None


@dataclass
class Places:
    """All requests of this process."""

    accounts: dict[str, Account] = field(default_factory=dict)
    in_flight: int = 0
    bulk_in_flight: int = 0

    def account(self, sid: str) -> Account:
        return self.accounts.setdefault(sid, Account())

    def free(self, account: Account, *, is_bulk: bool) -> int:
        """Return how many requests of the account and lane may begin now."""
        free = MOST - self.in_flight
        if is_bulk:
            free = min(free, MOST - FOR_TRANSACTIONAL - self.bulk_in_flight)
        return max(0, min(free, account.free(is_bulk=is_bulk)))

    def take(self, account: Account, count: int, *, is_bulk: bool) -> None:
        """Count requests that are about to begin; a negative count gives places back."""
        account.in_flight += count
        self.in_flight += count
        if is_bulk:
            self.bulk_in_flight += count
