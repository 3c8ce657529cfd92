"""What may keep a call from being made or answered.

OutgoingProblem
├── AddressRefused   our servers do not call this address, now and later
└── NoAnswer         nobody answered, or not in time: it may be tried again
"""


class OutgoingProblem(Exception):
    """A stable `code`, and a sentence that says what happened and what to do next; never the address's secrets."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code, self.detail = code, detail


class AddressRefused(OutgoingProblem):
    """Our servers do not call this address."""


class NoAnswer(OutgoingProblem):
    """No connection came about, or no answer in time."""
