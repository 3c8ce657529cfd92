"""The address book as a file: page by page while it is sent, so that a million contacts need no more memory than ten.

Its columns bear the names that the import knows, so that what was exported can be changed and imported again.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.utils import timezone

from integrations.organizations.audit import record
from integrations.organizations.models import Organization, User
from integrations.phones import region_name
from messaging.consent.models import ConsentPurpose, ConsentState, OptOut
from messaging.consent.opt_outs import STOP_TAG
from messaging.contacts.attributes import definitions_of, shown
from messaging.contacts.filters import ContactFilter, count_up_to, filtered
from messaging.contacts.models import AttributeDefinition, Contact
from messaging.csv_files.writing import csv_response

SENTENCES = {"contacts.exported": "exported {count} contacts"}
PAGE = 2_000
_FIRST = ("Phone number", "Name", "E-mail", "Language", "Time zone", "Tags", "Notes")
_LAST = ("Marketing consent", "Opted out", "Country", "Added")


def export_contacts(
    organization: Organization, wanted: ContactFilter, *, actor: User, ip: str = ""
) -> StreamingHttpResponse:
    """Return the contacts that fit as a download, newest first; that they were taken out is in the audit log."""
    rows = filtered(organization, wanted)
    count, has_more = count_up_to(rows)
    record(
        organization,
        actor=actor,
        action="contacts.exported",
        changes={"count": f"more than {count:,}" if has_more else f"{count:,}"},
        ip=ip,
    )
    definitions = definitions_of(organization)
    return csv_response(
        name=f"Contacts {timezone.localdate(timezone=ZoneInfo(organization.time_zone)):%Y-%m-%d}.csv",
        header=[*_FIRST, *(definition.label for definition in definitions), *_LAST],
        rows=exported_rows(organization, rows, definitions),
    )


def exported_rows(
    organization: Organization, rows: QuerySet[Contact], definitions: Sequence[AttributeDefinition]
) -> Iterator[list[str]]:
    """Yield a row of the file for each contact; a page is fetched when the one before has been sent."""
    zone = ZoneInfo(organization.time_zone)
    rows = rows.order_by("-id").defer("terms", "ordinal")
    page = list(rows[:PAGE])
    while page:
        beside = _Beside(organization, page)
        for contact in page:
            yield [
                contact.phone,
                contact.name,
                contact.email,
                contact.language,
                contact.time_zone,
                ", ".join(beside.tags[contact.pk]),
                contact.notes,
                *(shown(definition, contact.attributes.get(definition.key)) for definition in definitions),
                beside.consent.get(contact.phone, ""),
                "yes" if contact.phone in beside.opted_out else "",
                region_name(contact.region),
                f"{contact.created_at.astimezone(zone):%Y-%m-%d %H:%M}",
            ]
        page = list(rows.filter(id__lt=page[-1].pk)[:PAGE]) if len(page) == PAGE else []


class _Beside:
    """What stands beside the contacts of a page: tags, consent to marketing, opt-outs."""

    def __init__(self, organization: Organization, page: Sequence[Contact]) -> None:
        phones = [contact.phone for contact in page]
        self.tags: defaultdict[Any, list[str]] = defaultdict(list)
        carried = Contact.tags.through.objects.filter(contact__in=[contact.pk for contact in page])
        for contact_id, name in carried.values_list("contact_id", "tag__name").order_by("tag__name"):
            if name != STOP_TAG:
                self.tags[contact_id].append(name)
        states = ConsentState.objects.filter(
            organization=organization, phone__in=phones, channel="sms", purpose=ConsentPurpose.MARKETING
        )
        words = {ConsentState.State.GRANTED.value: "yes", ConsentState.State.WITHDRAWN.value: "no"}
        self.consent = {phone: words.get(state, "") for phone, state in states.values_list("phone", "state")}
        self.opted_out = set(
            OptOut.objects.filter(
                organization=organization, phone__in=phones, ended_at=None, scope=OptOut.Scope.ORGANIZATION
            ).values_list("phone", flat=True)
        )
