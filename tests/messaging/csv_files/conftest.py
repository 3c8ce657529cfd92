"""Files for the tests of the room."""

from collections.abc import Callable

import pytest

from messaging.csv_files.models import Upload
from messaging.csv_files.storing import store_upload
from tests.conftest import Cast

Keep = Callable[[bytes], Upload]


@pytest.fixture
def keep(cast: Cast) -> Keep:
    """Store bytes as the organization's upload."""

    def keep_bytes(content: bytes) -> Upload:
        return store_upload(cast.organization, file=[content], name="people.csv", actor=cast.owner)

    return keep_bytes
