"""Filters under a name, for everybody of the organization."""

from django.db import IntegrityError, transaction

from integrations.organizations.audit import record
from integrations.organizations.models import Organization, User

from .address_book import plain_line
from .filters import ContactFilter
from .models import SavedFilter

MOST_FILTERS = 200
_LONGEST = SavedFilter._meta.get_field("name").max_length or 80
SENTENCES = {
    "saved_filter.created": "saved the filter {which}",
    "saved_filter.changed": "changed the filter {which}",
    "saved_filter.deleted": "deleted the filter {which}",
}


class SavingProblem(Exception):
    """The filter was not saved; the text is for the member."""


def save_filter(
    organization: Organization, *, name: str, wanted: ContactFilter, actor: User, ip: str = ""
) -> SavedFilter:
    """Keep a filter under a new name; raise SavingProblem."""
    name = _read_name(name)
    if wanted.is_empty:
        raise SavingProblem("Choose some contacts first: an empty filter is the whole list.")
    if SavedFilter.objects.filter(organization=organization).count() >= MOST_FILTERS:
        raise SavingProblem(f"An organization keeps at most {MOST_FILTERS} filters. Delete one that nobody uses.")
    saved = SavedFilter(organization=organization, name=name, wanted=wanted.as_json(), created_by_id=actor.pk)
    _save(saved, action="saved_filter.created", actor=actor, ip=ip)
    return saved


def change_filter(saved: SavedFilter, *, name: str, wanted: ContactFilter, actor: User, ip: str = "") -> None:
    """Change name and conditions; raise SavingProblem. What uses the filter uses it as it is at that moment."""
    name = _read_name(name)
    if wanted.is_empty:
        raise SavingProblem("Choose some contacts: an empty filter is the whole list.")
    saved.name, saved.wanted = name, wanted.as_json()
    _save(saved, action="saved_filter.changed", actor=actor, ip=ip)


def delete_filter(saved: SavedFilter, *, actor: User, ip: str = "") -> None:
    """Delete a filter; the contacts stay."""
    with transaction.atomic():
        record(saved.organization, actor=actor, action="saved_filter.deleted", target=saved, ip=ip)
        saved.delete()


def _save(saved: SavedFilter, *, action: str, actor: User, ip: str) -> None:
    try:
        with transaction.atomic():
            saved.save()
            record(saved.organization, actor=actor, action=action, target=saved, ip=ip)
    except IntegrityError:
        raise SavingProblem("There is a filter of this name already. Choose another one.") from None


def _read_name(name: str) -> str:
    name = plain_line(name)
    if not name:
        raise SavingProblem("Give the filter a name.")
    if len(name) > _LONGEST:
        raise SavingProblem(f"A name has at most {_LONGEST} characters.")
    return name
