"""What a check of a connection found: steps for people, facts for the row."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from integrations.connections.models import Connection


class Level(StrEnum):
    """How a step ended. A note is neither good nor bad: something could not be looked at, or is left out on purpose."""

    OK = "ok"
    NOTE = "note"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True)
class Step:
    """One thing that was checked; `field` is the form field to change, `code` Twilio's error code where there was one.

    `breaks`: with this, nothing at all can be sent through the connection.
    """

    subject: str
    level: Level
    text: str
    remedy: str = ""
    field: str = ""
    code: int | None = None
    breaks: bool = False


@dataclass
class CheckReport:
    """The steps in the order they were made, and what Twilio told about the account.

    `is_unreachable`: no verdict, because Twilio did not answer; nothing may be concluded about the credentials.
    """

    account_sid: str = ""
    account_name: str = ""
    account_type: str = ""
    messaging_service_name: str = ""
    mode: str = Connection.Mode.LIVE
    is_unreachable: bool = False
    steps: list[Step] = field(default_factory=list)

    @property
    def problems(self) -> list[Step]:
        return [step for step in self.steps if step.level == Level.PROBLEM]

    @property
    def is_trial(self) -> bool:
        return self.account_type.lower() == "trial"

    @property
    def is_good(self) -> bool:
        return not self.problems

    @property
    def breaking(self) -> Step | None:
        """The first problem that stops every message, if there is one."""
        return next((step for step in self.problems if step.breaks), None)

    def obstacles(self, fields: Iterable[str]) -> list[Step]:
        """Return the problems that forbid a change of these fields; older ones elsewhere must not hinder a repair."""
        if self.is_unreachable:
            return self.problems
        changed = set(fields)
        return [step for step in self.problems if step.breaks or step.field in changed]

    def as_json(self) -> list[dict[str, Any]]:
        """Return the steps as the connection's `check_report` keeps them."""
        return [asdict(step) for step in self.steps]
