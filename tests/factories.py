"""Makers of rows for tests; each returns a saved object of the organization it is given."""

from datetime import timedelta

import factory
from cryptography.fernet import Fernet
from django.utils import timezone
from factory.django import DjangoModelFactory

from integrations.connections.models import Connection
from integrations.encryption import Secret
from integrations.organizations.models import Member, Organization, User
from messaging.contacts.models import Contact
from messaging.sending.models import Message

PASSWORD = "correct horse battery"


def fernet_key() -> str:
    return Fernet.generate_key().decode()


class UserFactory(DjangoModelFactory):
    class Meta:
        model = User
        skip_postgeneration_save = True

    email = factory.Sequence(lambda n: f"person{n}@example.com")
    name = factory.Sequence(lambda n: f"Person {n}")
    password = factory.django.Password(PASSWORD)


class OrganizationFactory(DjangoModelFactory):
    class Meta:
        model = Organization

    name = factory.Sequence(lambda n: f"Organization {n}")
    slug = factory.Sequence(lambda n: f"org-{n}")
    default_region = "DE"
    time_zone = "Europe/Berlin"


class MemberFactory(DjangoModelFactory):
    class Meta:
        model = Member

    organization = factory.SubFactory(OrganizationFactory)
    user = factory.SubFactory(UserFactory)
    role = "owner"


def _sid(prefix: str) -> factory.Sequence:
    return factory.Sequence(lambda n: f"{prefix}{n:032x}")


class ConnectionFactory(DjangoModelFactory):
    """A live connection with an Auth Token, a Messaging Service and nothing asked of Twilio."""

    class Meta:
        model = Connection

    organization = factory.SubFactory(OrganizationFactory)
    name = "Twilio"
    mode = "live"
    auth = "auth_token"
    account_sid = _sid("AC")
    auth_token = factory.LazyFunction(lambda: Secret.of("0123456789abcdef0123456789abcdef"))
    messaging_service_sid = _sid("MG")
    hook_secret = factory.LazyFunction(lambda: Secret.of("hook-secret-of-a-test"))
    is_default = True


class ContactFactory(DjangoModelFactory):
    class Meta:
        model = Contact

    organization = factory.SubFactory(OrganizationFactory)
    name = factory.Sequence(lambda n: f"Contact {n}")
    phone = factory.Sequence(lambda n: f"+4915112{n:06d}")
    region = "DE"


class MessageFactory(DjangoModelFactory):
    class Meta:
        model = Message

    organization = factory.SubFactory(OrganizationFactory)
    connection = factory.SubFactory(ConnectionFactory, organization=factory.SelfAttribute("..organization"))
    phone = factory.Sequence(lambda n: f"+4915112{n:06d}")
    region = "DE"
    sender = "MG" + "0" * 32
    body = "Your parcel is here."
    encoding = "GSM-7"
    segments = 1
    valid_until = factory.LazyFunction(lambda: timezone.now() + timedelta(hours=10))
