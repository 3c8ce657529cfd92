"""The scenario measures what it says, and reading stays far from what would be too slow."""

import pytest

from tests.conftest import Cast
from tests.load.csv_rows import measure_csv_rows


@pytest.mark.django_db
def test_scenario_reads_every_row_in_little_memory(cast: Cast) -> None:
    measured = measure_csv_rows(cast.organization, count=20_000)
    assert measured["rows"] == 20_000
    assert measured["memory_peak_mb"] < 5
    assert measured["resume_at_90_percent_ms"] < 1_000
    assert measured["rows_per_second"] > 10_000
