"""`manage.py create_org`: an organization with its first owner."""

from typing import Any

from django.core.management.base import CommandParser
from django.db import transaction

from integrations.management.json_command import CommandProblem, JsonCommand
from integrations.organizations.membership import add_member
from integrations.organizations.operating import create_organization
from integrations.organizations.people import create_person, find_person
from integrations.organizations.places import is_region, is_time_zone
from integrations.organizations.problems import OrganizationProblem
from integrations.organizations.roles import Role

ACTOR = "command create_org"


class Command(JsonCommand):
    """Create an organization; its owner is made too, unless the address has an account already."""

    help = "Create an organization with an owner who signs in with e-mail address and password."

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("--name", required=True, help="Name of the organization.")
        parser.add_argument("--owner", required=True, metavar="EMAIL", help="Address the owner signs in with.")
        parser.add_argument(
            "--password", default="", help="Password of a new owner; an account that exists keeps its own."
        )
        parser.add_argument("--slug", default="", help="The organization's part of each address; made from the name.")
        parser.add_argument("--region", default="US", help="Country of numbers written without +, two letters.")
        parser.add_argument("--time-zone", default="UTC", help="Zone in which times are shown: Europe/Berlin.")

    def perform(self, **options: Any) -> dict[str, Any]:
        region = options["region"].upper()
        if not is_region(region):
            raise CommandProblem("bad_region", f"“{options['region']}” is no country we know: write DE, US, CN …")
        if not is_time_zone(options["time_zone"]):
            raise CommandProblem("bad_time_zone", f"“{options['time_zone']}” is no time zone: write Europe/Berlin.")
        try:
            with transaction.atomic():
                organization = create_organization(
                    name=options["name"],
                    slug=options["slug"],
                    default_region=region,
                    time_zone=options["time_zone"],
                    actor=ACTOR,
                )
                owner = find_person(options["owner"])
                is_new_person = owner is None
                owner = owner or create_person(email=options["owner"], password=options["password"])
                add_member(organization, user=owner, role=Role.OWNER, actor=ACTOR)
        except OrganizationProblem as problem:
            raise CommandProblem(problem.code, problem.detail) from problem
        if not is_new_person:
            self.stderr.write(f"{owner.email} has an account already: it is the owner now and keeps its password.")
        return {"slug": organization.slug, "id": str(organization.pk)}
