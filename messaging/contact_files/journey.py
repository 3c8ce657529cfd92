"""From a file to contacts, step by step: look at it, choose the columns, check every row, import."""

from typing import Any

from django.db import transaction

from integrations.organizations.models import Organization, User
from messaging.csv_files.inspection import Inspection, inspect, with_sample
from messaging.csv_files.models import Upload
from messaging.csv_files.problems import FileProblem
from messaging.jobs import work

from .fields import import_fields
from .models import ContactImport

CHECK, TAKE = "contacts.check", "contacts.import"
State = ContactImport.State


class ImportProblem(Exception):
    """The step cannot be taken now, in a sentence for the member."""


def begin(organization: Organization, *, upload: Upload, kind: str, actor: User) -> ContactImport:
    """Look at the file and begin an import; raises FileProblem for what is no table."""
    found = inspect(upload, fields=import_fields(organization, kind=kind))
    return ContactImport.objects.create(
        organization=organization,
        kind=kind,
        upload=upload,
        file_name=upload.name,
        file_sha256=upload.sha256,
        inspection=found.as_json(),
        created_by=actor,
    )


def look_at(importing: ContactImport) -> Inspection:
    """Return how the file is read, with its first rows; raises FileProblem once it was forgotten."""
    return with_sample(_file_of(importing), Inspection.from_json(importing.inspection))


def read_again(importing: ContactImport, *, choice: dict[str, Any]) -> None:
    """Read the file as the member says; raises FileProblem where it cannot be, and ImportProblem while it is read."""
    fields = import_fields(importing.organization, kind=importing.kind)
    found = inspect(_file_of(importing), fields=fields, **choice)
    with transaction.atomic():
        current = _held(importing, before_import=True)
        current.reading, current.inspection = choice, found.as_json()
        current.mapping, current.state, current.counts, current.first_wrong = {}, State.MAPPING, {}, []
        current.save(update_fields=["reading", "inspection", "mapping", "state", "counts", "first_wrong"])


def check(importing: ContactImport, *, mapping: dict[str, int], options: dict[str, Any], actor: User) -> None:
    """Keep what the member chose and check every row by it; raises ImportProblem while that cannot be."""
    _file_of(importing)
    with transaction.atomic():
        current = _held(importing, before_import=True)
        current.mapping, current.options, current.state = mapping, options, State.CHECKING
        current.progress, current.counts, current.first_wrong = {}, {}, []
        _start_job(current, kind=CHECK, actor=actor)


def back_to_mapping(importing: ContactImport) -> None:
    """Let the columns be chosen again."""
    with transaction.atomic():
        current = _held(importing, before_import=True)
        current.state = State.MAPPING
        current.save(update_fields=["state"])


def take(importing: ContactImport, *, actor: User) -> None:
    """Import what was checked, or go on with an import that stopped; raises ImportProblem where nothing is to be done.

    A second click finds the import at work.
    """
    _file_of(importing)
    with transaction.atomic():
        current = _held(importing)
        goes_on = current.state == State.RUNNING and current.has_stopped
        if not goes_on and current.state != State.CHECKED:
            raise ImportProblem("Every row is checked first. Choose the columns, then import.")
        if not goes_on:
            current.progress = {}
        current.state, current.created_by = State.RUNNING, actor
        _start_job(current, kind=TAKE, actor=actor)


def discard(importing: ContactImport) -> None:
    """Forget an import that did not take place, and its file."""
    with transaction.atomic():
        current = _held(importing, before_import=True)
        upload = current.upload
        current.delete()
        if upload is not None:
            upload.delete()


def earlier_import(importing: ContactImport) -> ContactImport | None:
    """Return the latest import of the very same file, byte for byte."""
    same = ContactImport.objects.filter(
        organization=importing.organization, file_sha256=importing.file_sha256, kind=importing.kind, state=State.DONE
    )
    return same.exclude(pk=importing.pk).order_by("-pk").first()


def _file_of(importing: ContactImport) -> Upload:
    if importing.upload is None:
        raise FileProblem("forgotten", "The file was forgotten: files are kept for some days only. Upload it again.")
    return importing.upload


def _held(importing: ContactImport, *, before_import: bool = False) -> ContactImport:
    """Return the row, locked until the transaction ends, where nobody works on it: two clicks at once start one job."""
    current = ContactImport.objects.select_for_update(of=("self",)).select_related("job", "upload").get(pk=importing.pk)
    if current.is_at_work:
        raise ImportProblem("This is under way already. Wait until it has ended, or stop it first.")
    if before_import and current.state in {State.RUNNING, State.DONE}:
        raise ImportProblem("Rows of this file have been imported already. Upload it again to import it differently.")
    return current


def _start_job(current: ContactImport, *, kind: str, actor: User) -> None:
    about = int(current.inspection.get("about") or 0)
    current.job = work.start(
        current.organization, kind=kind, params={"import": str(current.pk)}, total=about or None, actor=actor
    )
    current.save()
