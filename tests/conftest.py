"""Fixtures of every test: the cast, and servers that are real (see tests/plugins)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import hypothesis
import pytest
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.base import VALID_KEY_CHARS
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import connection as database
from django.template import Context, Template
from django.test import Client
from django.test.signals import template_rendered
from django.utils import timezone
from django.utils.crypto import get_random_string
from django.utils.safestring import SafeString

from config.garbage import calm_collector
from integrations import clock
from integrations.connections.credentials import base_url_of
from integrations.connections.models import Connection
from integrations.organizations.middleware import LAST_ORGANIZATION
from integrations.organizations.models import Member, Organization, User
from messaging.pricing import refresh
from messaging.pricing.models import CountryPrice
from tests.factories import ConnectionFactory, MemberFactory, OrganizationFactory, UserFactory

# A machine that others use is slow at times: that says nothing about what is tested.
hypothesis.settings.register_profile("patient", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("patient")

pytest_plugins = ["tests.plugins.emptying", "tests.plugins.grouping", "tests.plugins.sandbox", "tests.plugins.template"]


def pytest_collection_finish() -> None:
    """Walk the modules of thousands of tests no more than once."""
    calm_collector()


@dataclass
class Cast:
    """The people of a test: an organization's owner and colleagues, a stranger of another one, an operator."""

    organization: Organization
    other: Organization
    owner: User
    admin: User
    agent: User
    viewer: User
    stranger: User
    operator: User

    def client(self, who: str | None) -> Client:
        """Return a browser in which that person is signed in, and has been before; None is nobody.

        One statement where Django's `force_login` makes seven, and thousands of tests begin with it.
        """
        client = Client()
        if who is not None:
            user: User = getattr(self, who)
            signed_in = {
                SESSION_KEY: str(user.pk),
                BACKEND_SESSION_KEY: settings.AUTHENTICATION_BACKENDS[0],
                HASH_SESSION_KEY: user.get_session_auth_hash(),
            }
            if who != "operator":
                # Else the first page of each visit would write it down, once more for every page of a walk.
                signed_in[LAST_ORGANIZATION] = (self.other if who == "stranger" else self.organization).slug
            session = Session(
                session_key=get_random_string(32, VALID_KEY_CHARS),
                session_data=SessionStore().encode(signed_in),
                expire_date=timezone.now() + timedelta(seconds=settings.SESSION_COOKIE_AGE),
            )
            session.save(force_insert=True)
            client.cookies[settings.SESSION_COOKIE_NAME] = session.session_key
        return client

    def url(self, path: str, organization: Organization | None = None) -> str:
        """Return the address of a path inside the organization: `cast.url("messages/")`."""
        return f"/o/{(organization or self.organization).slug}/{path.lstrip('/')}"

    def member(self, who: str) -> Member:
        return Member.objects.get(user=getattr(self, who))


@pytest.fixture
def cast(db: None) -> Cast:
    """Three statements and not thirteen: thousands of tests begin with these people."""
    organization = OrganizationFactory.build(name="Acme Logistics", slug="acme")
    other = OrganizationFactory.build(name="Borealis", slug="borealis")
    people: dict[str, User] = {
        role: UserFactory.build(email=f"{role}@acme.example", name=role.title())
        for role in ("owner", "admin", "agent", "viewer")
    }
    members = [MemberFactory.build(organization=organization, user=user, role=role) for role, user in people.items()]
    people["stranger"] = UserFactory.build(email="stranger@borealis.example", name="Stranger")
    members.append(MemberFactory.build(organization=other, user=people["stranger"], role="owner"))
    people["operator"] = UserFactory.build(email="operator@install.example", name="Operator", is_operator=True)
    Organization.objects.bulk_create([organization, other])
    User.objects.bulk_create(people.values())
    Member.objects.bulk_create(members)
    return Cast(organization=organization, other=other, **people)


@pytest.fixture(autouse=True, scope="session")
def steady_clock() -> Iterator[None]:
    """The clock asks the database every ten seconds: in the middle of counted statements, on a slow machine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "_REFRESH_AFTER", 3600.0)
        yield


@pytest.fixture(autouse=True)
def quick_passwords(settings: Any) -> None:
    """A slow hash protects passwords of people; those of a test need none."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def no_static_files(settings: Any) -> None:
    """Each of Django's test clients would look through all files of styles and scripts before its first request."""
    settings.WHITENOISE_USE_FINDERS = False


@pytest.fixture(autouse=True, scope="session")
def contexts_of_pages(django_test_environment: None) -> Iterator[None]:
    """Keep the context of each page (`answer.context`); Django copies those of every part, option and icon as well."""

    def render(template: Template, context: Context) -> SafeString:
        if context.template is template:
            template_rendered.send(sender=template, template=template, context=context)
        return template.nodelist.render(context)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Template, "_render", render)
        yield


@pytest.fixture(autouse=True)
def no_prices_from_afar(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pages that show prices ask Twilio for them; in a test they ask the sandbox or nobody."""
    fetch = refresh.fetch_now

    def fetch_nearby(connection: Connection, regions: Sequence[str]) -> list[CountryPrice]:
        return fetch(connection, regions) if base_url_of(connection.mode) else []

    monkeypatch.setattr(refresh, "fetch_now", fetch_nearby)


@pytest.fixture
def nested_loops(db: None) -> None:
    """Have PostgreSQL ask an inner question again for each row of the outer one, as it may with other statistics."""
    with database.cursor() as cursor:
        for way in ("hashjoin", "mergejoin", "hashagg", "material", "memoize", "sort"):
            cursor.execute(f"SET LOCAL enable_{way} = off")


@pytest.fixture
def connection(cast: Cast) -> Connection:
    return ConnectionFactory(organization=cast.organization)
