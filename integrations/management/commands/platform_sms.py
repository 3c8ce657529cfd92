"""`manage.py platform_sms`: who carries platform SMS, and at what price."""

from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.management.base import CommandParser

from integrations.connections.models import Connection
from integrations.connections.selectors import default_connection
from integrations.management.json_command import CommandProblem, JsonCommand
from integrations.organizations.models import Organization, as_uuid
from integrations.platform_sms.models import PlatformDestination
from integrations.platform_sms.offers import price_of
from integrations.platform_sms.operating import set_destination

ACTOR = "command platform_sms"
_Destination = PlatformDestination.Destination


class Command(JsonCommand):
    """Let a connection carry platform SMS."""

    help = "Let a connection of an organization of yours carry platform SMS, and print what is offered."

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("--org", required=True, metavar="SLUG", help="The organization of yours that has it.")
        parser.add_argument("--connection", metavar="ID", help="Which connection; left out, its default one.")
        parser.add_argument(
            "--destination",
            choices=[*_Destination.values, "both"],
            default="both",
            help="domestic is Mainland China, international are codes to the rest of the world.",
        )
        parser.add_argument("--price", help="Credits a message; left out, the price of the settings.")

    def perform(self, **options: Any) -> dict[str, Any]:
        organization = Organization.objects.filter(slug=options["org"]).first()
        if organization is None:
            raise CommandProblem("unknown_organization", f"There is no organization with the slug “{options['org']}”.")
        carrier = _carrier(organization, options["connection"])
        price = _price(options["price"])
        wanted = _Destination.values if options["destination"] == "both" else [options["destination"]]
        for destination in wanted:
            set_destination(destination, carrier=carrier, price=price, actor=ACTOR)
        return {
            destination: {"connection": str(carrier.pk), "price": price_of(destination, own=price)}
            for destination in wanted
        }

    def describe(self, result: dict[str, Any]) -> str:
        return "\n".join(f"{name}: {row['price']} credits a message." for name, row in result.items())


def _carrier(organization: Organization, wanted: str | None) -> Connection:
    if wanted is None:
        found = default_connection(organization)
    else:
        key = as_uuid(wanted)
        found = Connection.objects.filter(organization=organization, pk=key).first() if key else None
    if found is None or found.mode == Connection.Mode.TEST or found.status == Connection.Status.DISCONNECTED:
        raise CommandProblem("not_connected", "The organization has no such connection that could carry messages.")
    return found


def _price(raw: str | None) -> Decimal | None:
    if raw is None:
        return None
    try:
        price = Decimal(raw)
    except InvalidOperation as error:
        raise CommandProblem("bad_arguments", "--price: a number, for example 0.8.") from error
    if not price.is_finite() or price < 0 or price != price.quantize(Decimal("0.0001")):
        raise CommandProblem("bad_arguments", "--price: a number from 0 on, with at most four digits after the point.")
    return price
