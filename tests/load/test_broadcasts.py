"""The scenario measures what it says."""

import pytest

from integrations.connections.models import Connection
from tests.load.broadcasts import measure_broadcast


@pytest.mark.django_db
def test_scenario_checks_every_row_and_feeds_a_window(connection: Connection) -> None:
    measured = measure_broadcast(connection, count=6_000)
    assert measured["ready"] == 6_000
    assert measured["ms_per_row"] > 0
    assert measured["fed_per_second"] > 0
