"""The scenario measures what it says, and the limits hold in a small one as well."""

import pytest

from tests.conftest import Cast
from tests.load.attack import measure_attack


@pytest.mark.django_db
def test_few_codes_leave_and_visitors_get_through(cast: Cast) -> None:
    measured = measure_attack(cast.organization, requests=500, addresses=125, prefixes=8, visitors=6, threads=1)
    plain, solving = measured["attackers"]["plain"], measured["attackers"]["solving"]
    assert plain["codes_to_attacker"] + sum(plain["refused"].values()) == 500
    assert plain["codes_to_attacker"] <= 30
    assert solving["codes_to_attacker"] <= 100
    assert plain["visitors_through"] == solving["visitors_through"] == 6
    assert set(plain["refused"]) <= {"challenge", "number"}
    assert solving["refused"]["prefix"] > 250
