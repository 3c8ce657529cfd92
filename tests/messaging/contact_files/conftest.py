"""An import from bytes to its end, as the pages would do it."""

from collections.abc import Callable
from typing import Any

import pytest

from messaging.contact_files import journey
from messaging.contact_files.fields import import_fields
from messaging.contact_files.models import ContactImport
from messaging.csv_files.inspection import Inspection
from messaging.csv_files.storing import store_upload
from messaging.jobs import work
from tests.conftest import Cast

Checked = Callable[..., ContactImport]


def finish_job(importing: ContactImport) -> ContactImport:
    """Do the long work of an import to its end."""
    importing.refresh_from_db()
    assert importing.job_id is not None
    while not work.run(importing.job_id):
        pass
    return ContactImport.objects.select_related("job", "upload", "organization").get(pk=importing.pk)


@pytest.fixture
def checked(cast: Cast) -> Checked:
    """Upload a file, take the guessed columns, and check every row."""

    def check(
        content: str | bytes, *, kind: str = "contacts", columns: dict[str, int] | None = None, **options: Any
    ) -> ContactImport:
        raw = content if isinstance(content, bytes) else content.encode()
        upload = store_upload(cast.organization, file=[raw], name="people.csv", actor=cast.owner)
        importing = journey.begin(cast.organization, upload=upload, kind=kind, actor=cast.owner)
        keys = {spec.key for spec in import_fields(cast.organization, kind=kind)}
        guess = {key: column for key, column in Inspection.from_json(importing.inspection).guess.items() if key in keys}
        journey.check(importing, mapping={**guess, **(columns or {})}, options=options, actor=cast.owner)
        return finish_job(importing)

    return check


@pytest.fixture
def imported(checked: Checked, cast: Cast) -> Checked:
    """The same, and import what was found."""

    def take(content: str | bytes, **decisions: Any) -> ContactImport:
        importing = checked(content, **decisions)
        assert importing.state == ContactImport.State.CHECKED, importing.job and importing.job.error
        journey.take(importing, actor=cast.owner)
        return finish_job(importing)

    return take
