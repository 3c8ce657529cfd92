"""`manage.py seed_demo`: what it sets up once, and leaves alone the second time."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from integrations.connections.models import Connection
from integrations.organizations.models import Organization
from integrations.platform_sms.models import PlatformDestination
from integrations.platform_sms.offers import current_offer
from messaging.automations.models import Automation
from portal.accounts.models import Portal

pytestmark = pytest.mark.django_db


@pytest.fixture
def seeded(settings: Any, tmp_path: Path) -> Any:
    settings.SANDBOX_ENABLED, settings.IS_TRIAL, settings.HELIOGRAPH_DATA = True, True, str(tmp_path)
    settings.SANDBOX_SECRET, settings.SANDBOX_URL = "secret", "http://127.0.0.1:1"

    def run() -> dict[str, Any]:
        out = io.StringIO()
        call_command("seed_demo", "--json", stdout=out)
        return json.loads(out.getvalue())

    return run


def test_demo_is_there_after_one_run_and_the_same_after_two(seeded: Any) -> None:
    first = seeded()
    assert first["slug"] == "demo"
    before = (Organization.objects.count(), Connection.objects.count(), Portal.objects.count())
    assert seeded() == first
    assert (Organization.objects.count(), Connection.objects.count(), Portal.objects.count()) == before


def test_demo_has_a_portal_that_is_on(seeded: Any) -> None:
    seeded()
    portal = Portal.objects.get(organization__slug="demo")
    assert (portal.is_on, portal.admission, portal.form.languages[0]) == (True, "approval", "en")
    assert list(portal.roles.filter(is_default=True).values_list("name", flat=True)) == ["Drivers"]


def test_demo_has_an_automation_that_is_live(seeded: Any) -> None:
    seeded()
    automation = Automation.objects.get(organization__slug="demo")
    assert (automation.name, automation.status) == ("Welcome newcomers", "live")
    seeded()
    assert Automation.objects.count() == 1


def test_demo_offers_platform_sms_by_a_sandbox_connection_of_its_own(seeded: Any) -> None:
    seeded()
    offer = current_offer()
    for one in (offer.domestic, offer.international):
        assert one is not None
        assert one.is_working
        assert (one.carrier.is_sandbox, one.carrier.organization.slug) == (True, "platform-operations")


def test_carrier_that_the_operator_chose_stays(seeded: Any) -> None:
    seeded()
    row = PlatformDestination.objects.get(destination="domestic")
    other = Connection.objects.get(organization__slug="demo")
    row.carrier = other
    row.save()
    seeded()
    row.refresh_from_db()
    assert row.carrier == other
