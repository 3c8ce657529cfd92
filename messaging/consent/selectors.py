"""Reads of opt-outs: pages by key, newest first."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from integrations.organizations.models import Organization
from integrations.phones import search_forms
from messaging.contacts.erasure.number_keys import forms_of
from messaging.contacts.models import Contact

from .models import OptOut

PAGE = 50


@dataclass(frozen=True)
class Row:
    """An opt-out with the contact who has the number, if any."""

    opt_out: OptOut
    contact: Contact | None


@dataclass(frozen=True)
class Page:
    """Opt-outs newest first; `next` is the id to go on from, or None."""

    rows: Sequence[Row]
    next: uuid.UUID | None
    is_first: bool


def find_opt_outs(organization: Organization, *, query: str = "", state: str = "") -> QuerySet[OptOut]:
    """Return opt-outs, newest first: by number in any writing or by its end; `state` is active, past or "" for both."""
    rows = OptOut.objects.filter(organization=organization).order_by("-id")
    query = query.replace("\x00", "").strip()
    if query:
        forms = search_forms(query, region=organization.default_region)
        wanted = Q(pk=None)
        if forms.exact:
            wanted |= Q(phone__in=forms.exact)
        if forms.suffix:
            wanted |= Q(phone__endswith=forms.suffix)
        rows = rows.filter(wanted)
    if state in {"active", "past"}:
        rows = rows.filter(ended_at__isnull=state == "active")
    return rows


def page_of(
    rows: QuerySet[OptOut], *, organization: Organization, after: uuid.UUID | None = None, size: int = PAGE
) -> Page:
    """Return one page with the contacts behind the numbers: the newest, or those older than the opt-out `after`."""
    if after is not None:
        rows = rows.filter(id__lt=after)
    found = list(rows[: size + 1])
    shown = found[:size]
    by_phone = Contact.objects.filter(organization=organization, phone__in={row.phone for row in shown})
    contacts = {contact.phone: contact for contact in by_phone}
    return Page(
        rows=[Row(row, contacts.get(row.phone)) for row in shown],
        next=shown[-1].pk if len(found) > size else None,
        is_first=after is None,
    )


def standing_of(organization: Organization, *, phone: str) -> list[OptOut]:
    """Return the opt-outs of a number that are in force, the widest first."""
    forms = forms_of(organization, phone)
    rows = OptOut.objects.filter(organization=organization, phone__in=forms, ended_at=None)
    return list(rows.order_by("scope", "-started_at"))


def history_of(organization: Organization, *, phone: str, most: int = 10) -> list[OptOut]:
    """Return the opt-outs of a number that have ended, the latest first."""
    rows = OptOut.objects.filter(organization=organization, phone=phone, ended_at__isnull=False)
    return list(rows.order_by("-ended_at")[:most])
