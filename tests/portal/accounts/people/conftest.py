"""A portal that is on, and people who wait, are in, or are invited."""

from typing import Any

import pytest

from integrations.connections.models import Connection
from portal.accounts.models import Portal, PortalUser
from portal.forms.models import Submission
from tests.conftest import Cast
from tests.factories import ConnectionFactory
from tests.portal.accounts import furnishing

NUMBERS = [f"+49151123456{n:02d}" for n in range(100)]
QUESTIONS = [
    {"key": "f1", "kind": "short_text", "label": "Company", "required": True},
    {"key": "f2", "kind": "choice", "label": "Truck", "options": ["Small", "Large"]},
]


@pytest.fixture
def portal(cast: Cast) -> Portal:
    """Speaks English and German, is switched on, and its organization can send."""
    ConnectionFactory(organization=cast.organization)
    return make_portal(cast)


def make_portal(cast: Cast, *, name: str = "Driver portal", stranger: bool = False, **values: Any) -> Portal:
    """Return a portal whose newcomers wait for approval, with the questions of these tests."""
    slug = name.lower().replace(" ", "-")
    given = {"slug": slug, "languages": ["en", "de"], "questions": QUESTIONS, "admission": "approval", **values}
    return furnishing.make_portal(cast.other if stranger else cast.organization, name=name, **given)


def person(portal: Portal, n: int = 0, *, status: str = "active", answers: bool = False, **values: Any) -> PortalUser:
    """Return somebody of the portal; with answers, what they sent at registration is there too."""
    user = PortalUser.objects.create(
        portal=portal, phone=NUMBERS[n], region="DE", status=status, **{"name": f"Driver {n}", **values}
    )
    if answers:
        user.submission = Submission.objects.create(
            form=portal.form,
            version=portal.form.current,
            answers={"f1": f"Company {n}", "f2": "Large"},
            phone=user.phone,
        )
        user.save()
    return user


@pytest.fixture
def driver(portal: Portal) -> PortalUser:
    return person(portal)


@pytest.fixture
def applicant(portal: Portal) -> PortalUser:
    return person(portal, 1, status="waiting", answers=True)


def broken(connection: Connection) -> None:
    """Take the sender away, so that nothing can be queued."""
    Connection.objects.filter(pk=connection.pk).update(messaging_service_sid="", from_number="")
