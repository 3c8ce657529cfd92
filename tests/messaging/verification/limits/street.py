"""A clock for tests of the limits, and short words for what happens in them."""

import uuid
from datetime import datetime, timedelta
from typing import Any

from integrations.clock import database_now
from integrations.organizations.models import Organization
from integrations.phones import parse_phone
from messaging.verification import limits
from messaging.verification.askers import Asker

FORM = uuid.UUID(int=1)


class Street:
    """Where visitors and attackers come from; `ask` returns the name of the limit that refused, "" where none did."""

    def __init__(self, organization: Organization) -> None:
        self.organization = organization
        self.now: datetime = database_now()
        self.detail, self.retry_after, self.visitor = "", None, ""

    def forward(self, **span: float) -> None:
        self.now += timedelta(**span)

    def ask(
        self,
        number: str,
        *,
        ip: str = "",
        kind: Any = "form",
        asker_id: Any = FORM,
        solves: bool = True,
        channel: str = "sms",
    ) -> str:
        asker = Asker(kind, asker_id, ip, has_passed=solves)
        phone = parse_phone(number, region=self.organization.default_region)
        try:
            limits.admit(self.organization, phone=phone, asker=asker, channel=channel)
        except limits.LimitReached as reached:
            self.detail, self.retry_after, self.visitor = reached.detail, reached.retry_after, reached.visitor
            return reached.name
        return ""

    def confirm(self, number: str) -> None:
        limits.approved(self.organization, phone=parse_phone(number, region=self.organization.default_region))


def german(number: int) -> str:
    """Return one of many valid German numbers, spread over ranges of a million."""
    carriers = (
        "1511",
        "1512",
        "1514",
        "1515",
        "1516",
        "1517",
        "1520",
        "1522",
        "1523",
        "1525",
        "1570",
        "1573",
        "1575",
        "1577",
    )
    return f"+49{carriers[number % len(carriers)]}{number * 370_003 % 10**7:07d}"
