"""Connect an organization to Twilio, to a look-alike, or to the sandbox, from a shell."""

from decimal import Decimal, InvalidOperation
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from integrations.connections.check import CheckReport, run_check
from integrations.connections.connecting import candidate, connect
from integrations.connections.models import Connection
from integrations.connections.pasted import clean_pasted, clean_sender, sender_problem, sid_problem
from integrations.connections.sandbox import SandboxDisabled, connect_sandbox
from integrations.management.json_command import CommandProblem, JsonCommand
from integrations.organizations.models import Organization

_SIDS = {"account_sid": "AC", "api_key_sid": "SK", "messaging_service_sid": "MG", "verify_service_sid": "VA"}
_ACTOR = "manage.py connect_twilio"


class Command(JsonCommand):
    help = (
        "Connect an organization to Twilio and make the new connection its default. Gives {id, hook_key, mode}. "
        "With TWILIO_BASE_URL set, the credentials are those of the look-alike there; what it does not offer is left "
        "unchecked."
    )

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("--org", required=True, help="Slug of the organization.")
        parser.add_argument("--name", default="", help="How members see the connection.")
        parser.add_argument("--account-sid", default="", help="AC…; with an API Key found through its services.")
        parser.add_argument("--api-key-sid", default="", help="SK…")
        parser.add_argument("--api-key-secret", default="", help="Secret of that key.")
        parser.add_argument("--auth-token", default="", help="Auth Token, instead of an API Key.")
        parser.add_argument("--messaging-service-sid", default="", help="MG…")
        parser.add_argument("--verify-service-sid", default="", help="VA…")
        parser.add_argument(
            "--from", dest="sender", default="", help="Number or sender ID, without a Messaging Service."
        )
        parser.add_argument("--signing-token", default="", help="Auth Token that signs webhooks, beside an API Key.")
        parser.add_argument("--mps", default="", help="Messages per second at most; unset: no limit of ours.")
        parser.add_argument("--no-check", action="store_true", help="Save without asking Twilio.")
        parser.add_argument("--sandbox", action="store_true", help="Use the simulated Twilio; needs no credentials.")

    def perform(self, **options: Any) -> dict[str, Any]:
        organization = Organization.objects.filter(slug=options["org"]).first()
        if organization is None:
            raise CommandProblem("unknown_organization", f"There is no organization “{options['org']}”.")
        mps = _mps(options["mps"])
        if options["sandbox"]:
            connection = _connect_sandbox(organization, options, mps)
        else:
            connection = _connect_twilio(organization, options, mps)
        return {"id": str(connection.pk), "hook_key": connection.hook_key, "mode": connection.mode}


def _connect_sandbox(organization: Organization, options: dict[str, Any], mps: Decimal | None) -> Connection:
    try:
        return connect_sandbox(
            organization,
            actor=_ACTOR,
            name=options["name"] or "Sandbox",
            make_default=True,
            with_check=not options["no_check"],
            mps=mps,
        )
    except SandboxDisabled as error:
        raise CommandProblem("sandbox_disabled", "The sandbox is off. Set SANDBOX_ENABLED=1 to use it.") from error


def _connect_twilio(organization: Organization, options: dict[str, Any], mps: Decimal | None) -> Connection:
    values = _values(options)
    auth = Connection.Auth.API_KEY if values["api_key_sid"] else Connection.Auth.AUTH_TOKEN
    draft = candidate(organization, auth=auth, name=options["name"] or "Twilio", mps=mps, **values)
    report: CheckReport | None = None
    if not options["no_check"]:
        report = run_check(draft, is_lenient=bool(settings.TWILIO_BASE_URL))
        if report.problems:
            code = "twilio_unreachable" if report.is_unreachable else "check_failed"
            words = [f"{step.field}: {step.text}" if step.field else step.text for step in report.problems]
            raise CommandProblem(code, " ".join(words))
    return connect(draft, report=report, actor=_ACTOR, make_default=True)


def _values(options: dict[str, Any]) -> dict[str, str]:
    """Return the cleaned credentials; raises CommandProblem naming the first option that cannot be right."""
    values = {}
    for name, prefix in _SIDS.items():
        values[name] = clean_pasted(options[name])
        if values[name] and (problem := sid_problem(values[name], prefix)):
            raise CommandProblem("bad_arguments", f"--{name.replace('_', '-')}: {problem}")
    for name in ("api_key_secret", "auth_token", "signing_token"):
        values[name] = clean_pasted(options[name])
    values["sender"] = clean_sender(options["sender"])
    if values["sender"] and (problem := sender_problem(values["sender"])):
        raise CommandProblem("bad_arguments", f"--from: {problem}")
    has_key = bool(values["api_key_sid"] and values["api_key_secret"])
    has_token = bool(values["account_sid"] and values["auth_token"])
    if bool(values["api_key_sid"]) != bool(values["api_key_secret"]):
        raise CommandProblem("bad_arguments", "--api-key-sid and --api-key-secret go together.")
    if not has_key and not has_token:
        raise CommandProblem(
            "bad_arguments", "Give --api-key-sid and --api-key-secret, or --account-sid and --auth-token."
        )
    if has_key and values["auth_token"]:
        # An API Key sends; the Auth Token beside it can only be meant for signatures.
        values["signing_token"] = values["signing_token"] or values["auth_token"]
        values["auth_token"] = ""
    if not values["messaging_service_sid"] and not values["sender"]:
        raise CommandProblem("bad_arguments", "Give --messaging-service-sid or --from: messages need a sender.")
    return values


def _mps(text: str) -> Decimal | None:
    if not text:
        return None
    try:
        mps = Decimal(text)
    except InvalidOperation as error:
        raise CommandProblem("bad_arguments", "--mps: a number, for example 10 or 0.5.") from error
    if not mps.is_finite() or not Decimal("0.01") <= mps <= 10_000:
        raise CommandProblem("bad_arguments", "--mps: between 0.01 and 10000.")
    return mps
