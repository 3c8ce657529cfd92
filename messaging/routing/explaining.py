"""Why a message would go the way it goes, and what else would stop it: read, nothing is sent."""

from dataclasses import dataclass
from decimal import Decimal

from integrations.organizations.models import Organization
from integrations.phones import Phone
from integrations.platform_sms.ledger import balance_of, shown
from integrations.platform_sms.models import PLATFORM_SENDER
from messaging.consent.blocking import block_reason
from messaging.sending.policy import blocked_regions

from .decision import Kind, Route, decide

_CONSENT = {
    "opted_out": ("Opted out", "They replied STOP, or a member recorded it: nothing but codes is sent to them."),
    "no_consent": ("No consent", "Nothing shows that they agreed to marketing. Record it on the contact's page first."),
}


@dataclass(frozen=True)
class Obstacle:
    """Something beside the route that stops the message: a few words, and a sentence with the next step."""

    title: str
    text: str


@dataclass(frozen=True)
class Explained:
    """A route, from whom the message would come, and the obstacles beside the route."""

    phone: Phone
    route: Route
    sender: str
    service_name: str  # of the Messaging Service that `sender` is, where it is known
    balance: Decimal | None  # where credits pay it
    obstacles: list[Obstacle]

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
        obstacles.append(
            Obstacle("Country not sent to", "Your organization refuses it. That is set under Settings, Sending limits.")
        )
    if block := block_reason(organization, phone=phone.e164, sender=sender, purpose=purpose):
        obstacles.append(Obstacle(*_CONSENT[block]))
    balance = balance_of(organization) if is_platform else None
    if balance is not None and balance < route.price:
        text = f"It takes {shown(route.price)}, and {shown(balance)} are left. Ask your operator to top them up."
        obstacles.append(Obstacle("Too few credits", text))
    service_name = route.connection.messaging_service_name if route.connection and not is_platform else ""
    return Explained(phone, route, sender, service_name, balance, obstacles)
