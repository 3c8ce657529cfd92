"""Broadcasts to Mainland China: by platform SMS, as far as the credits go."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from integrations.connections.models import Connection
from integrations.platform_sms.ledger import balance_of
from integrations.platform_sms.models import PlatformDestination
from messaging.broadcasts import feeder, lifecycle
from messaging.broadcasts.models import Broadcast, Recipient
from messaging.broadcasts.problems import BroadcastProblem
from messaging.consent.ledger import Entry, record_consent
from messaging.consent.models import UnsubscribeLink
from messaging.consent.opt_outs import opt_out
from messaging.sending.models import Message
from tests.conftest import Cast
from tests.messaging.sending.platform import CARRIER_NAME, adds_up, give_credits, kinds, offer_platform_sms

from .conftest import number, run_check

pytestmark = pytest.mark.django_db
Make = Callable[..., Broadcast]
CHINA = [f"+86139123456{n}" for n in range(10, 20)]


@pytest.fixture
def carrier(cast: Cast) -> Connection:
    return offer_platform_sms(cast)


def fed(broadcast: Broadcast) -> list[Message]:
    feeder.feed_all()
    return list(Message.objects.filter(broadcast=broadcast).order_by("broadcast_row"))


def test_each_row_goes_its_own_way(cast: Cast, carrier: Connection, connection: Connection, running: Make) -> None:
    give_credits(cast.organization)
    home, china = fed(running([number(1), CHINA[0]], body="Closed today."))
    assert (home.route, home.connection, home.sender, home.price) == (
        "twilio", connection, connection.messaging_service_sid, None,
    )  # fmt: skip
    assert (china.route, china.connection, china.sender) == ("platform", carrier, "Platform SMS")
    assert (china.body, china.price, china.price_unit) == ("【Acme Logistics】Closed today.", Decimal(1), "credits")
    assert balance_of(cast.organization) == Decimal(9)
    assert kinds(cast.organization) == ["reserve"]


def test_as_many_go_as_the_credits_cover_and_the_rest_is_stored_as_blocked(
    cast: Cast, carrier: Connection, running: Make
) -> None:
    PlatformDestination.objects.filter(destination="domestic").update(price=Decimal("0.4"))
    give_credits(cast.organization, "1")
    messages = fed(running([CHINA[0], number(1), *CHINA[1:4]]))
    assert [(one.status, one.error_reason, one.price) for one in messages] == [
        ("queued", "", Decimal("0.4")),
        ("queued", "", None),
        ("queued", "", Decimal("0.4")),
        ("blocked", "insufficient_credits", 0),
        ("blocked", "insufficient_credits", 0),
    ]
    assert balance_of(cast.organization) == Decimal("0.2")
    assert adds_up(cast.organization)


def test_opted_out_in_between_costs_nothing_and_leaves_the_credits_to_the_next(
    cast: Cast, carrier: Connection, running: Make
) -> None:
    give_credits(cast.organization, "1")
    broadcast = running(CHINA[:2])
    opt_out(cast.organization, phone=CHINA[0], source="keyword")
    assert [(one.status, one.error_reason) for one in fed(broadcast)] == [("blocked", "opted_out"), ("queued", "")]


def test_carrier_that_went_out_of_order_blocks_and_takes_nothing(
    cast: Cast, carrier: Connection, running: Make
) -> None:
    give_credits(cast.organization)
    broadcast = running([CHINA[0], number(1)])
    Connection.objects.filter(pk=carrier.pk).update(status="broken")
    assert [one.error_reason for one in fed(broadcast)] == ["platform_unavailable", ""]
    assert balance_of(cast.organization) == Decimal(10)


def test_canceled_broadcast_gives_back_what_waits(cast: Cast, carrier: Connection, running: Make) -> None:
    give_credits(cast.organization)
    broadcast = running(CHINA[:3])
    fed(broadcast)
    assert balance_of(cast.organization) == Decimal(7)
    lifecycle.cancel(broadcast, actor=cast.admin)
    assert balance_of(cast.organization) == Decimal(10)
    assert kinds(cast.organization) == ["reserve"] * 3 + ["refund"] * 3


def test_marketing_has_a_way_out_that_works(cast: Cast, carrier: Connection, running: Make) -> None:
    give_credits(cast.organization)
    record_consent(cast.organization, Entry(phone=CHINA[0], action="granted", source="staff", reason="signed up"))
    (message,) = fed(running([CHINA[0]], purpose="marketing", body="Sale"))
    link = UnsubscribeLink.objects.get()
    assert (link.phone, link.sender) == (CHINA[0], "Platform SMS")
    assert link.token in message.body
    assert message.body.startswith("【Acme Logistics】Sale")


def test_dry_run_says_what_it_takes_and_whether_it_suffices(cast: Cast, carrier: Connection, checked: Make) -> None:
    give_credits(cast.organization, "2")
    broadcast = checked([number(1), *CHINA[:3]])
    page = " ".join(cast.client("agent").get(cast.url(f"broadcasts/{broadcast.pk}/")).content.decode().split())
    assert "3.00 credits" in page
    assert "it takes 3 credits, and you have 2. The first 2 get theirs" in page
    assert CARRIER_NAME not in page


def test_without_an_offer_mainland_china_is_left_out_and_said_so(cast: Cast, checked: Make) -> None:
    broadcast = checked([CHINA[0], number(1)])
    row = Recipient.objects.get(broadcast=broadcast, row=1)
    assert (row.state, row.reason) == ("left_out", "no_route")


def test_sandbox_broadcast_goes_to_mainland_china_without_credits(
    cast: Cast, carrier: Connection, connection: Connection, running: Make
) -> None:
    Connection.objects.filter(pk=connection.pk).update(mode="sandbox")
    (message,) = fed(running([CHINA[0]]))
    assert (message.route, message.connection_id, message.status) == ("twilio", connection.pk, "queued")


@pytest.mark.parametrize("connected", ["no", "broken"])
def test_only_mainland_china_needs_no_connection(cast: Cast, carrier: Connection, draft: Make, connected: str) -> None:
    give_credits(cast.organization)
    if connected == "no":
        Connection.objects.filter(organization=cast.organization).update(is_default=False, status="disconnected")
    else:
        Connection.objects.filter(organization=cast.organization).update(status="broken", broken_code=20003)
    broadcast = draft(CHINA[:2])
    lifecycle.begin_check(broadcast)
    broadcast = run_check(broadcast)
    page = cast.client("agent").get(cast.url(f"broadcasts/{broadcast.pk}/")).content.decode()
    assert "Mainland China is reached by platform SMS, paid with credits." in page
    lifecycle.start(broadcast, actor=cast.admin)
    assert [one.route for one in fed(broadcast)] == ["platform", "platform"]
    feeder.pause_broken()
    broadcast.refresh_from_db()
    assert broadcast.status == "running"


def test_somebody_elsewhere_needs_one(cast: Cast, carrier: Connection, draft: Make) -> None:
    Connection.objects.filter(organization=cast.organization).update(is_default=False, status="disconnected")
    broadcast = draft([CHINA[0], number(1)])
    lifecycle.begin_check(broadcast)
    with pytest.raises(BroadcastProblem) as caught:
        lifecycle.start(run_check(broadcast), actor=cast.admin)
    assert caught.value.code == "not_connected"
