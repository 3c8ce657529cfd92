"""Reads of the address book: pages by key, newest first."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, QuerySet

from integrations.organizations.models import Organization, as_uuid

from .filters import ContactFilter, filtered, without_query
from .models import Contact, Tag
from .search import newest_fitting, plain_query

PAGE = 50


@dataclass(frozen=True)
class Page:
    """Contacts newest first; `next` is the id to go on from, or None."""

    contacts: Sequence[Contact]
    next: uuid.UUID | None
    is_first: bool


def find_contacts(organization: Organization, *, query: str = "", tag: uuid.UUID | None = None) -> QuerySet[Contact]:
    """Return all contacts that fit, newest first; a page of them is faster by `contact_page`."""
    wanted = ContactFilter(query=query, tags_all=(tag,) if tag else ())
    return filtered(organization, wanted).order_by("-id")


def contact_page(
    organization: Organization, wanted: ContactFilter, *, after: uuid.UUID | None = None, size: int = PAGE
) -> Page:
    """Return one page of the contacts that fit, with their tags: the newest, or those older than `after`."""
    rows, query = without_query(organization, wanted), plain_query(wanted.query)
    if query:
        before = _ordinal_before(organization, after) if after else None
        ordinals = newest_fitting(rows, organization=organization, query=query, before=before, most=size + 1)
        rows = Contact.objects.filter(organization=organization, ordinal__in=ordinals).order_by("-ordinal")
    else:
        # Who is in order of time is in order of id; a tag's members are kept in that order too.
        rows = (rows.filter(id__lt=after) if after else rows).order_by("-id")
    found = list(rows.prefetch_related("tags")[: size + 1])
    return Page(contacts=found[:size], next=found[size - 1].pk if len(found) > size else None, is_first=after is None)


def find_contact(organization: Organization, contact_id: object) -> Contact | None:
    """Return the organization's contact of that id; None for another one's and for what is no id at all."""
    key = as_uuid(contact_id)
    return Contact.objects.filter(organization=organization, pk=key).first() if key else None


def tags_of(organization: Organization) -> QuerySet[Tag]:
    """Return the tags that somebody carries, by name."""
    carried = Contact.tags.through.objects.filter(tag_id=OuterRef("pk"))
    return Tag.objects.filter(Exists(carried), organization=organization).order_by("name")


def some_contacts(organization: Organization, *, query: str = "", most: int = 20) -> list[Contact]:
    """Return a few contacts to choose from: those that fit, newest first."""
    return list(contact_page(organization, ContactFilter(query=query), size=most).contacts)


def _ordinal_before(organization: Organization, contact_id: uuid.UUID) -> int:
    """Return the ordinal of a contact; where it was deleted meanwhile, one just above that of the next older."""
    rows = Contact.objects.filter(organization=organization, id__lte=contact_id).order_by("-id")
    nearest = rows.values_list("id", "ordinal").first()
    if nearest is None:
        return 0
    return nearest[1] if nearest[0] == contact_id else nearest[1] + 1
