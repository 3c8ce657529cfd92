"""`manage.py top_up`: credits for an organization."""

from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.management.base import CommandParser

from integrations.management.json_command import CommandProblem, JsonCommand
from integrations.organizations.models import Organization
from integrations.platform_sms.ledger import CreditProblem, shown, top_up

ACTOR = "command top_up"


class Command(JsonCommand):
    """Add credits to an organization's account."""

    help = "Add credits, with which an organization pays platform SMS, and print the balance."

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("--org", required=True, metavar="SLUG", help="The organization's slug.")
        parser.add_argument("--credits", required=True, help="How many, for example 500 or 2.3.")
        parser.add_argument("--note", default="", help="What the organization reads on its statement.")

    def perform(self, **options: Any) -> dict[str, Any]:
        organization = Organization.objects.filter(slug=options["org"]).first()
        if organization is None:
            raise CommandProblem("unknown_organization", f"There is no organization with the slug “{options['org']}”.")
        try:
            amount = Decimal(options["credits"])
        except InvalidOperation as error:
            raise CommandProblem("bad_arguments", "--credits: a number, for example 500 or 2.3.") from error
        try:
            return {"balance": top_up(organization, amount=amount, actor=ACTOR, note=options["note"])}
        except CreditProblem as problem:
            raise CommandProblem(problem.code, problem.detail) from problem

    def describe(self, result: dict[str, Any]) -> str:
        return f"The balance is {shown(result['balance'])} credits."
