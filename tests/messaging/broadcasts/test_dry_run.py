"""What the pages of a broadcast promise before and while it goes out: price, route, wrong rows, rate and time left."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from integrations.connections.models import Connection
from messaging.broadcasts import feeder, lifecycle
from messaging.broadcasts.models import Broadcast
from messaging.pricing.models import CountryPrice
from messaging.sending.models import Message
from messaging.sending.statuses import Status
from messaging.sending.transitions import Move, advance
from tests.conftest import Cast

from .conftest import number

pytestmark = pytest.mark.django_db
Make = Callable[..., Broadcast]


def page_of(cast: Cast, broadcast: Broadcast) -> str:
    answer = cast.client("agent").get(cast.url(f"broadcasts/{broadcast.pk}/"))
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


@pytest.fixture
def prices(connection: Connection) -> None:
    """Twilio's list, as it was fetched this morning: of Germany and of France."""
    for region, low, high in (("DE", "0.10", "0.12"), ("FR", "0.07", "0.07")):
        CountryPrice.objects.create(
            connection=connection, region=region, by_type={"local": [low, high]}, unit="USD", fetched_at=timezone.now()
        )


def test_the_price_is_a_range_by_country_and_the_real_one_stands_beside_it_afterwards(
    prices: None, checked: Make, cast: Cast, connection: Connection
) -> None:
    broadcast = checked([number(1), number(2), "+33612345678"], body="Closed today. " + "x" * 160)  # two segments
    page = page_of(cast, broadcast)
    for words in (
        " 0.4000 – 0.4800 USD",  # four segments to Germany
        " 0.1400 USD",  # two to France
        " 0.5400 – 0.6200 USD",  # all
        f"<dt>Route</dt><dd>Outside Mainland China, through “{connection.name}”.",
    ):
        assert words in page, words
    lifecycle.start(broadcast, actor=cast.agent)
    feeder.feed_all()
    sent = Message.objects.filter(broadcast=broadcast).values_list("pk", flat=True)
    advance(
        Move(message_id=pk, to=Status.DELIVERED, source="callback", price="0.2150", price_unit="USD") for pk in sent[:2]
    )
    # What was estimated is remembered, whatever Twilio's list says later.
    CountryPrice.objects.update(by_type={"local": ["9", "9"]})
    page = page_of(cast, broadcast)
    assert re.search(r'<dt>Estimated</dt><dd class="hg-num">\s*0.5400 – 0.6200 USD', page)
    assert "0.4300 USD" in page
    assert "for 2 of 2" in page


def test_twenty_wrong_rows_are_shown_and_all_are_in_the_report(checked: Make, cast: Cast) -> None:
    broadcast = checked([f"nonsense {n}" for n in range(1, 26)])
    page = page_of(cast, broadcast)
    assert "25 rows are wrong" in page
    assert "nonsense 20" in page
    assert "nonsense 21" not in page
    answer = cast.client("agent").get(cast.url(f"broadcasts/{broadcast.pk}/wrong-rows.csv"))
    assert b"".join(answer.streaming_content).decode().count("nonsense") == 25


def test_rate_and_time_left_are_told_while_it_goes_out(running: Make, cast: Cast, monkeypatch: Any) -> None:
    monkeypatch.setattr(feeder, "WINDOW", 100)
    broadcast = running([number(n) for n in range(1, 61)])
    feeder.feed_all()
    assert "a second" not in page_of(cast, broadcast), "nothing is known yet"
    # Ten seconds ago nothing was gone; twenty are by now.
    broadcast.refresh_from_db()
    broadcast.pace = [[(timezone.now() - timedelta(seconds=10)).isoformat(), 0]]
    broadcast.save(update_fields=["pace"])
    gone = list(Message.objects.filter(broadcast=broadcast).values_list("pk", flat=True)[:20])
    advance(Move(message_id=pk, to=Status.DELIVERED, source="callback") for pk in gone)
    feeder.feed_all()
    page = page_of(cast, broadcast)
    assert "20 of 60" in page
    assert re.search(r"\b2 a second · about 2\d seconds left", page), "sixty less twenty, two a second"
    # Samples that are old say nothing of now.
    Broadcast.objects.update(
        pace=[[(timezone.now() - timedelta(seconds=age)).isoformat(), done] for age, done in ((60, 0), (50, 20))]
    )
    assert "a second" not in page_of(cast, broadcast)
    lifecycle.pause(broadcast, actor=cast.agent)
    assert "a second" not in page_of(cast, broadcast)
