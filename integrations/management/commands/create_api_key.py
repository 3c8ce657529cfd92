"""`manage.py create_api_key`: a key for the REST API."""

from typing import Any

from django.core.management.base import CommandParser

from integrations.management.json_command import CommandProblem, JsonCommand
from integrations.organizations.api_keys import create_key
from integrations.organizations.models import Organization
from integrations.organizations.problems import OrganizationProblem
from integrations.organizations.scopes import EVERYTHING, SCOPES

ACTOR = "command create_api_key"


class Command(JsonCommand):
    """Make an API key and print it, once."""

    help = "Make an API key of an organization. It is printed this once; only a fingerprint of it is kept."

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("--org", required=True, metavar="SLUG", help="The organization's slug.")
        parser.add_argument("--name", required=True, help="Where the key will live.")
        parser.add_argument(
            "--scopes", default="", help=f"What it may do, with commas; everything unless given: {', '.join(SCOPES)}."
        )

    def perform(self, **options: Any) -> dict[str, Any]:
        organization = Organization.objects.filter(slug=options["org"]).first()
        if organization is None:
            raise CommandProblem("unknown_organization", f"There is no organization with the slug “{options['org']}”.")
        name = " ".join(options["name"].split())[:80]
        if not name:
            raise CommandProblem("no_name", "The key needs a name.")
        scopes = [scope.strip() for scope in options["scopes"].split(",") if scope.strip()] or EVERYTHING
        try:
            _, raw = create_key(organization, name=name, scopes=scopes, actor=ACTOR, may_repeat_name=True)
        except OrganizationProblem as problem:
            raise CommandProblem(problem.code, problem.detail) from problem
        return {"key": raw}

    def describe(self, result: dict[str, Any]) -> str:
        return f"{result['key']}\nThis is the only time it is shown."
