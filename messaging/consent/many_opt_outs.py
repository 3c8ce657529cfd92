"""Opting many numbers out at once, as an import does: a few statements for hundreds of them."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from integrations.clock import database_now
from integrations.organizations.models import Organization, User
from messaging.contacts.models import Contact, Tag
from messaging.contacts.tagging import give_tags
from messaging.happenings.telling import Told, tell_many

from .ledger import Action, Entry, record_many
from .locking import lock_numbers
from .models import ConsentPurpose, ConsentRecord, ConsentState, OptOut
from .opt_outs import OPTED_OUT, STOP_TAG


def opt_out_many(
    organization: Organization,
    *,
    evidence: Mapping[str, Mapping[str, Any]],
    source: str,
    channel: str = "sms",
    actor: User | str | None = None,
) -> int:
    """Opt the numbers out of everything the organization sends, and return how many were not before.

    `evidence` has the proof of each number. An opt-out that stands is left as it is, so that a second call changes
    nothing. The audit log has no line for each number: the caller writes one for all of them.
    """
    with transaction.atomic():
        lock_numbers(organization, evidence)
        reach = {"channel": channel, "scope": OptOut.Scope.ORGANIZATION, "sender": ""}
        standing = set(
            OptOut.objects.filter(
                **reach, organization=organization, phone__in=evidence.keys(), ended_at=None
            ).values_list("phone", flat=True)
        )
        started = OptOut.objects.bulk_create(
            OptOut(organization=organization, phone=phone, source=source, started_at=database_now(), **reach)
            for phone in evidence
            if phone not in standing
        )
        before = dict(
            ConsentState.objects.filter(
                organization=organization,
                phone__in=[row.phone for row in started],
                channel=channel,
                purpose=ConsentPurpose.MARKETING,
            ).values_list("phone", "state")
        )
        record_many(
            organization,
            [
                Entry(
                    phone=row.phone,
                    channel=channel,
                    action=Action.WITHDRAWN,
                    source=ConsentRecord.Source(source),
                    evidence={
                        **evidence[row.phone],
                        "opt_out": str(row.pk),
                        "before": before.get(row.phone, ""),
                    },
                )
                for row in started
            ],
            actor=actor,
        )
        contacts = _tag(organization, [row.phone for row in started])
        told = {"source": source, "channel": channel, "keyword": ""}
        tell_many(
            organization.pk,
            OPTED_OUT,
            [Told(contact_id=contacts.get(row.phone), phone=row.phone, data=told) for row in started],
        )
    return len(started)


def _tag(organization: Organization, phones: list[str]) -> dict[str, Any]:
    """Tag the contacts of the numbers, and return them."""
    contacts = dict(Contact.objects.filter(organization=organization, phone__in=phones).values_list("phone", "pk"))
    if contacts:
        tag, _ = Tag.objects.get_or_create(organization=organization, name=STOP_TAG)
        give_tags((contact, tag.pk) for contact in contacts.values())
    return contacts
