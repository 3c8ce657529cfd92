"""Times as pages show them."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from integrations.organizations.models import Organization
from integrations.templatetags.hg_base import when

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("distance", "words"),
    [
        (timedelta(seconds=10), "just now"),
        (timedelta(seconds=59), "1 minute ago"),
        (timedelta(minutes=59, seconds=50), "1 hour ago"),
        (timedelta(hours=5), "5 hours ago"),
        (timedelta(hours=23, minutes=50), "1 day ago"),
        (timedelta(days=3), "3 days ago"),
        (timedelta(days=30), "8 Feb"),
        (timedelta(days=400), "3 Feb 2025"),
        (timedelta(hours=-2), "in 2 hours"),
        (timedelta(days=-7), "in 7 days"),
        (timedelta(seconds=-5), "in a moment"),
    ],
)
def test_distance_in_words(distance: timedelta, words: str) -> None:
    with time_machine.travel(NOW, tick=False):
        assert f">{words}</time>" in when(NOW - distance)


def test_exact_time_stands_in_the_organizations_zone() -> None:
    shown = when(NOW, Organization(time_zone="Asia/Tokyo"))
    assert 'title="10 Mar 2026, 21:00:00 JST"' in shown
    assert 'datetime="2026-03-10T12:00:00+00:00"' in shown
    assert "UTC" in when(NOW, Organization(time_zone="Not/AZone"))


def test_nothing_yet_reads_never() -> None:
    assert "never" in when(None)
