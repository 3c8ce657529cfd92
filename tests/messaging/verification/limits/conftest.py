"""A street of visitors and attackers, with a clock of its own."""

import pytest

from messaging.verification import challenge, limit_setting, limit_watch, limits, pausing
from tests.conftest import Cast
from tests.messaging.verification.limits.street import Street


@pytest.fixture
def street(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Street:
    street = Street(cast.organization)
    for module in (limits, challenge, pausing, limit_setting, limit_watch):
        monkeypatch.setattr(module, "database_now", lambda: street.now)
    return street
