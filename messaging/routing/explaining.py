"""Why a message would go the way it goes, and what else would stop it: read, nothing is sent."""

from dataclasses import dataclass
from decimal import Decimal

from integrations.organizations.models import Organization
from integrations.phones import Phone
from integrations.platform_sms.ledger import balance_of
from integrations.platform_sms.models import PLATFORM_SENDER
from messaging.consent.blocking import block_reason
from messaging.sending.policy import blocked_regions
from messaging.sending.reasons import Reason, own_reason

from .decision import Kind, Route, decide


@dataclass(frozen=True)
class Explained:
    """A route, from whom the message would come, and the obstacles beside the route."""

    phone: Phone
    route: Route
    sender: str
    balance: Decimal | None  # where credits pay it
    obstacles: list[Reason]

    @property
    def goes(self) -> bool:
        return self.route.kind is not Kind.REFUSED and not self.obstacles

    @property
    def is_platform(self) -> bool:
        return self.route.kind is Kind.PLATFORM


def explain_route(organization: Organization, *, phone: Phone, purpose: str) -> Explained:
    """Return the route of such a message with its reason, and whatever else would keep it from leaving."""
    route = decide(organization, phone=phone, purpose=purpose)
    is_platform = route.kind is Kind.PLATFORM
    sender = PLATFORM_SENDER if is_platform else route.connection.sends_as if route.connection else ""
    obstacles = []
    if phone.region and phone.region in blocked_regions(organization):
        obstacles.append(own_reason("blocked_region"))
    if block := block_reason(organization, phone=phone.e164, sender=sender, purpose=purpose):
        obstacles.append(own_reason(block))
    balance = balance_of(organization) if is_platform else None
    if balance is not None and balance < route.price:
        obstacles.append(own_reason("insufficient_credits"))
    return Explained(phone, route, sender, balance, obstacles)
