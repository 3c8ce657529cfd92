"""`manage.py seed_demo`: a demo organization to try everything with; running it again changes nothing."""

import secrets
from pathlib import Path
from typing import Any

from django.conf import settings

from integrations.connections.sandbox import connect_sandbox
from integrations.connections.selectors import default_connection
from integrations.management.json_command import CommandProblem, JsonCommand
from integrations.organizations.membership import add_member
from integrations.organizations.models import Member, Organization, User
from integrations.organizations.operating import create_organization
from integrations.organizations.people import create_person
from integrations.organizations.roles import Role
from integrations.phones import parse_phone
from integrations.platform_sms.models import PlatformDestination
from integrations.platform_sms.operating import set_destination
from messaging.consent.ledger import Entry, record_consent
from messaging.contacts.address_book import Details, create_contact
from messaging.contacts.models import Contact
from messaging.demo import make_demo_parts
from messaging.templates.models import Template
from messaging.templates.wording import create_template

SLUG = "demo"
OPERATIONS = "platform-operations"
EMAIL = "demo@heliograph.example"

# Numbers that regulators keep free for films and examples: nobody's phone rings.
_PEOPLE = [
    ("Ada Lovelace", "+12065550123"),
    ("Grace Hopper", "+13055550142"),
    ("Hedy Lamarr", "+14045550177"),
]
# One of them did not agree to marketing, so that one can see what becomes of it.
_AGREED = {"Ada Lovelace", "Grace Hopper"}
_TEMPLATES = [
    ("Parcel on its way", 'Hi {{ first_name | "there" }}, your parcel leaves today: {{ link | "example.com/t" }}'),
    ("Appointment reminder", 'Hello {{ name | "there" }}, we see you tomorrow at {{ time }}. Reply STOP to opt out.'),
    ("Order ready", "Your order {{ order }} is ready to collect."),
]


class Command(JsonCommand):
    """Create the demo organization, its owner, a sandbox connection, contacts and templates."""

    help = "Create a demo organization with a sandbox connection; does nothing where it stands already."

    def perform(self, **options: Any) -> dict[str, Any]:
        if not settings.SANDBOX_ENABLED:
            raise CommandProblem("sandbox_disabled", "The demo needs the sandbox: set SANDBOX_ENABLED=1.")
        password = _password()
        owner = User.objects.filter(email=EMAIL).first()
        if owner is None:
            owner = create_person(email=EMAIL, password=password, name="Demo Owner")
            owner.is_operator = settings.IS_TRIAL
            owner.save(update_fields=["is_operator"])
        organization = Organization.objects.filter(slug=SLUG).first()
        if organization is None:
            organization = create_organization(
                name="Demo Organization",
                slug=SLUG,
                default_region="US",
                time_zone="America/New_York",
                actor="seed_demo",
            )
        if not Member.objects.filter(organization=organization, user=owner).exists():
            add_member(organization, user=owner, role=Role.OWNER, actor=owner)
        if default_connection(organization) is None:
            connect_sandbox(organization, actor=owner, make_default=True, with_check=False)
        _offer_platform_sms(owner)
        for name, number in _PEOPLE:
            if not Contact.objects.filter(organization=organization, phone=number).exists():
                details = Details(phone=parse_phone(number, region="US"), name=name)
                create_contact(organization, details=details, actor=owner)
                if name in _AGREED:
                    entry = Entry(phone=number, action="granted", source="staff", reason="Made up for the demo.")
                    record_consent(organization, entry, actor=owner)
        for name, body in _TEMPLATES:
            if not Template.objects.filter(organization=organization, name=name).exists():
                create_template(organization, name=name, body=body, actor=owner)
        make_demo_parts(organization, owner)
        return {"slug": SLUG, "email": EMAIL, "password": password, "address": f"{settings.PUBLIC_BASE_URL}/o/{SLUG}/"}

    def describe(self, result: dict[str, Any]) -> str:
        return "\n".join(
            [
                f"  Sign in:   {result['email']}  /  {result['password']}",
                f"  Demo:      {result['address']}",
                "",
                "  To try:    1. Send SMS: choose a template, write to Ada at +1 206 555 0123.",
                "             2. Sandbox: see it arrive on the virtual phone, reply STOP, send again.",
                "             3. Sandbox, dials: let Twilio fail, and read on the message what to do.",
                "             4. Portals: open the driver portal's link, register with Ada's number, approve her.",
            ]
        )


def _offer_platform_sms(operator: User) -> None:
    """Let an organization of the operator's carry platform SMS in the sandbox, where nobody chose another carrier."""
    if PlatformDestination.objects.exclude(carrier=None).exists():
        return
    owner = Organization.objects.filter(slug=OPERATIONS).first()
    if owner is None:
        owner = create_organization(name="Platform Operations", slug=OPERATIONS, actor="seed_demo")
    if not Member.objects.filter(organization=owner, user=operator).exists():
        add_member(owner, user=operator, role=Role.OWNER, actor=operator)
    carrier = default_connection(owner) or connect_sandbox(
        owner, actor=operator, name="Platform SMS", make_default=True, with_check=False
    )
    for destination in PlatformDestination.Destination.values:
        set_destination(destination, carrier=carrier, price=None, actor="seed_demo")


def _password() -> str:
    """Return the demo's password, made once and kept beside the trial's other secrets."""
    place = Path(settings.HELIOGRAPH_DATA) / "demo.password"
    if place.is_file():
        return place.read_text().strip()
    password = f"demo-{secrets.token_hex(4)}"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.touch(mode=0o600)
    place.write_text(password)
    return password
