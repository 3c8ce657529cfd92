"""Portals to set up and to enter."""

import pytest

from portal.accounts.models import Portal
from portal.accounts.setting_up import create_portal
from tests.conftest import Cast


@pytest.fixture
def portal(cast: Cast) -> Portal:
    """A portal as it begins: switched off, with a question for the name."""
    return create_portal(cast.organization, name="Driver portal", actor=cast.owner)
