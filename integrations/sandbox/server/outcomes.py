"""Recipients whose outcome is known beforehand, so that a person sees a failure without touching a dial.

All lie in the fictitious range +1 202 555 0100 to 0199, which belongs to nobody. The last two digits recall the code.
`docs/sandbox.md` shows this table to people.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Outcome:
    """What happens to a message to one number: a final status, or a refusal of the request itself."""

    status: str = ""  # "delivered", "undelivered", "failed", or "sent" (no delivery report ever comes)
    error_code: int | None = None
    is_silent: bool = False  # no status callback is ever sent

    @property
    def refuses_message(self) -> bool:
        """Tell whether POST Messages itself is answered with the error."""
        return self.error_code is not None and not self.status and not self.refuses_verification

    @property
    def refuses_verification(self) -> bool:
        """Tell whether starting a verification is answered with the error."""
        return self.error_code is not None and not self.status and 60000 <= self.error_code < 61000


WELL_KNOWN: dict[str, Outcome] = {
    "+12025550103": Outcome("undelivered", 30003),
    "+12025550104": Outcome("undelivered", 30004),
    "+12025550105": Outcome("undelivered", 30005),
    "+12025550106": Outcome("undelivered", 30006),
    "+12025550107": Outcome("undelivered", 30007),
    "+12025550108": Outcome("undelivered", 30008),
    "+12025550101": Outcome("failed", 30001),
    "+12025550134": Outcome("failed", 30034),
    "+12025550150": Outcome("sent"),
    "+12025550151": Outcome("delivered", is_silent=True),
    "+12025550111": Outcome(error_code=21211),
    "+12025550148": Outcome(error_code=21408),
    "+12025550110": Outcome(error_code=21610),
    "+12025550112": Outcome(error_code=21612),
    "+12025550114": Outcome(error_code=21614),
    "+12025550160": Outcome(error_code=60410),
    "+12025550165": Outcome(error_code=60605),
}
