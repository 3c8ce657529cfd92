"""STOP and START to the carrier of platform SMS: they reach whoever wrote by it, and nobody else."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from integrations.connections.models import Connection
from messaging.consent.models import ConsentPolicy, OptOut
from messaging.consent.policy import policy_of
from messaging.sending.models import Message
from tests.conftest import Cast
from tests.factories import MessageFactory, OrganizationFactory
from tests.messaging.sending.platform import offer_platform_sms

from .test_hearing import PHONE, say

pytestmark = pytest.mark.django_db


@pytest.fixture
def carrier(cast: Cast) -> Connection:
    return offer_platform_sms(cast)


def wrote(organization: Any, carrier: Connection, *, days_ago: int = 1, **fields: Any) -> None:
    MessageFactory(
        **{
            "organization": organization,
            "connection": carrier,
            "route": "platform",
            "sender": "Platform SMS",
            "phone": PHONE,
            "status": "delivered",
            "attempts": 1,
            "created_at": timezone.now() - timedelta(days=days_ago),
            **fields,
        }
    )


def stopped() -> set[str]:
    return set(OptOut.objects.filter(ended_at=None).values_list("organization__slug", flat=True))


def test_stop_reaches_every_organization_that_wrote_by_the_carrier(cast: Cast, carrier: Connection) -> None:
    bystander = OrganizationFactory(slug="bystander")
    wrote(cast.organization, carrier)
    wrote(cast.other, carrier, days_ago=89)
    wrote(bystander, carrier, phone="+4915199999999")
    assert say(carrier.organization, carrier, "STOP") == "stop"
    assert stopped() == {"operations", "acme", "borealis"}
    assert set(OptOut.objects.values_list("scope", flat=True)) == {"organization"}


@pytest.mark.parametrize(
    "fields", [{"days_ago": 91}, {"attempts": 0, "status": "blocked"}, {"route": "twilio", "sender": "MG1"}]
)
def test_who_did_not_write_lately_is_not_reached(cast: Cast, carrier: Connection, fields: dict[str, Any]) -> None:
    wrote(cast.organization, carrier, **fields)
    say(carrier.organization, carrier, "STOP")
    assert stopped() == {"operations"}


def test_stop_to_ones_own_number_reaches_nobody_else(cast: Cast, carrier: Connection, connection: Connection) -> None:
    wrote(cast.other, carrier)
    say(cast.organization, connection, "STOP")
    assert stopped() == {"acme"}


def test_organization_that_narrows_stops_is_narrowed_to_platform_sms(cast: Cast, carrier: Connection) -> None:
    policy = policy_of(cast.organization)
    policy.scope = ConsentPolicy.Scope.SENDER
    policy.save()
    wrote(cast.organization, carrier)
    say(carrier.organization, carrier, "STOP")
    standing = OptOut.objects.get(organization=cast.organization)
    assert (standing.scope, standing.sender) == ("sender", "Platform SMS")


def test_start_undoes_it_also_long_afterwards(cast: Cast, carrier: Connection) -> None:
    wrote(cast.organization, carrier)
    say(carrier.organization, carrier, "STOP")
    Message.objects.filter(route="platform").update(created_at=timezone.now() - timedelta(days=400))
    say(carrier.organization, carrier, "START")
    assert stopped() == set()


def test_second_stop_changes_nothing(cast: Cast, carrier: Connection) -> None:
    wrote(cast.organization, carrier)
    for _ in range(2):
        say(carrier.organization, carrier, "STOP")
    assert OptOut.objects.filter(organization=cast.organization).count() == 1
