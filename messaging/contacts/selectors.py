"""Reads of the address book: pages by key, newest first."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q, QuerySet

from integrations.organizations.models import Organization, as_uuid
from integrations.phones import search_forms

from .models import Contact, Tag

PAGE = 50


@dataclass(frozen=True)
class Page:
    """Contacts newest first; `next` is the id to go on from, or None."""

    contacts: Sequence[Contact]
    next: uuid.UUID | None
    is_first: bool


def find_contacts(organization: Organization, *, query: str = "", tag: uuid.UUID | None = None) -> QuerySet[Contact]:
    """Return the contacts that fit, newest first: by number in any writing or by its end, by name, by e-mail."""
    rows = Contact.objects.filter(organization=organization).order_by("-id")
    query = query.replace("\x00", "").strip()
    if query:
        rows = rows.filter(_fits(query, organization))
    return rows.filter(tags=tag) if tag else rows


def page_of(rows: QuerySet[Contact], *, after: uuid.UUID | None = None, size: int = PAGE) -> Page:
    """Return one page with the tags: the newest, or those older than the contact `after`."""
    if after is not None:
        rows = rows.filter(id__lt=after)
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
    return list(find_contacts(organization, query=query)[:most])


def _fits(query: str, organization: Organization) -> Q:
    by_name = Q()
    for word in query.split()[:6]:
        by_name &= Q(name__icontains=word)
    wanted = by_name | Q(email__icontains=query)
    forms = search_forms(query, region=organization.default_region)
    if forms.exact:
        wanted |= Q(phone__in=forms.exact)
    if forms.suffix:
        wanted |= Q(phone__endswith=forms.suffix)
    return wanted
