"""Make one contact of two that are the same person.

The contact that stays keeps one number. Everything of the other moves to it: messages, conversations, broadcasts' rows,
tags, attributes. The other number is noted down. Opt-outs and consent hang on the numbers, so both stay in force: what
goes to either number is still checked against that number, and the contact is shown as opted out if its own number is.
Two contacts with one number cannot come of it: the number that is kept is one of the two, and the other contact is gone
before the kept one takes it.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, Q
from django.db.models.functions import Lower

from integrations.masking import mask_phone
from integrations.organizations.audit import record
from integrations.organizations.models import Organization, User
from integrations.phones import pretty
from messaging.consent.opt_outs import STOP_TAG, refresh_stop_tag

from .attributes import definitions_of, shown
from .models import Contact
from .tagging import give_tags
from .telling import tell_changed

SENTENCES = {"contact.merged": "merged {which} with another contact of the same person"}
FIELDS = ("name", "phone", "email", "language", "time_zone")
MOST_GROUPS = 50
_LONGEST_NOTES = Contact._meta.get_field("notes").max_length or 5000


class MergeProblem(Exception):
    """The contacts were not merged; the text is for the member."""


@dataclass(frozen=True)
class Suggestion:
    """Contacts that may be the same person, and what they have in common."""

    reason: str
    contacts: Sequence[Contact]


@dataclass(frozen=True)
class Difference:
    """A value to choose: its name in the form, its label, and what each of the two has, as people read it."""

    name: str
    label: str
    first: str
    second: str


def suggestions(organization: Organization) -> list[Suggestion]:
    """Return contacts with the same e-mail address, and with the same name in the same country."""
    rows = Contact.objects.filter(organization=organization)
    by_email = rows.exclude(email="").annotate(address=Lower("email")).values("address").annotate(count=Count("pk"))
    found = []
    for group in by_email.filter(count__gt=1).order_by("address")[:MOST_GROUPS]:
        same = rows.alias(address=Lower("email")).filter(address=group["address"]).exclude(email="")
        found.append(Suggestion("the same e-mail address", list(same.order_by("pk")[:10])))
    known = {contact.pk for suggestion in found for contact in suggestion.contacts}
    for name, region in _same_names(organization):
        namesakes = list(rows.filter(name__iexact=name, region=region).order_by("pk")[:10])
        if not {contact.pk for contact in namesakes} <= known:
            found.append(Suggestion("the same name in the same country", namesakes))
    return found


def differences(first: Contact, second: Contact) -> list[Difference]:
    """Return the values in which two contacts differ: what has to be chosen."""
    labels = {"name": "Name", "phone": "Phone", "email": "E-mail", "language": "Language", "time_zone": "Time zone"}
    found = []
    for name in FIELDS:
        one, other = getattr(first, name), getattr(second, name)
        if one != other:
            writing = pretty if name == "phone" else str
            found.append(Difference(name, labels[name], writing(one), writing(other)))
    for definition in definitions_of(first.organization, with_archived=True):
        one, other = (shown(definition, contact.attributes.get(definition.key)) for contact in (first, second))
        if one != other:
            found.append(Difference(f"attribute_{definition.key}", definition.label, one, other))
    return found


def merge(
    organization: Organization,
    *,
    keep: uuid.UUID,
    drop: uuid.UUID,
    from_dropped: Sequence[str],
    actor: User,
    ip: str = "",
) -> Contact:
    """Merge two contacts and return the one that stays; `from_dropped` names the values taken from the other one.

    Both rows are locked, in the order of their ids, so that two merges at once, or a merge and a change, take turns.
    Raises MergeProblem where one of them is gone.
    """
    with transaction.atomic():
        rows = Contact.objects.select_for_update(of=("self",)).select_related("organization")
        both = {row.pk: row for row in rows.filter(organization=organization, pk__in={keep, drop}).order_by("pk")}
        if keep == drop or keep not in both or drop not in both:
            raise MergeProblem("One of the two contacts is gone, or they were merged already.")
        kept, dropped = both[keep], both[drop]
        phones = sorted({kept.phone, dropped.phone})
        fields = _merged_fields(kept, dropped, set(from_dropped))
        _move_references(kept, dropped)
        tags = dropped.tags.exclude(name=STOP_TAG)
        give_tags((kept.pk, tag.pk) for tag in tags)
        former = mask_phone(dropped.phone if fields["phone"] == kept.phone else kept.phone)
        dropped.delete()
        before = {name: getattr(kept, name) for name, value in fields.items() if getattr(kept, name) != value}
        for name, value in fields.items():
            setattr(kept, name, value)
        kept.save(update_fields=[*fields, "updated_at"])
        for phone in phones:
            refresh_stop_tag(organization, phone=phone)
        changes = {"former number": former, "taken over": ", ".join(sorted(from_dropped)) or "nothing"}
        record(organization, actor=actor, action="contact.merged", target=kept, changes=changes, ip=ip)
        tell_changed(organization.pk, [(kept, before)])
    return kept


def _merged_fields(kept: Contact, dropped: Contact, from_dropped: set[str]) -> dict[str, Any]:
    """Return the fields of the merged contact: the kept one's, gaps filled, and what was chosen from the other."""
    fields: dict[str, Any] = {}
    for name in FIELDS:
        own, other = getattr(kept, name), getattr(dropped, name)
        fields[name] = other if name in from_dropped or (not own and name != "time_zone") else own
    fields["region"] = dropped.region if fields["phone"] == dropped.phone else kept.region
    attributes = {**dropped.attributes, **kept.attributes}
    for key, value in dropped.attributes.items():
        if f"attribute_{key}" in from_dropped:
            attributes[key] = value
    for key in [key for key in attributes if f"attribute_{key}" in from_dropped and key not in dropped.attributes]:
        del attributes[key]
    fields["attributes"] = attributes
    former = dropped.phone if fields["phone"] == kept.phone else kept.phone
    notes = [
        kept.notes,
        dropped.notes if dropped.notes != kept.notes else "",
        f"Merged; former number {pretty(former)}.",
    ]
    fields["notes"] = "\n\n".join(note for note in notes if note)[:_LONGEST_NOTES]
    return fields


def _move_references(kept: Contact, dropped: Contact) -> None:
    """Hang everything that points at the dropped contact on the kept one: whatever room it belongs to."""
    for relation in Contact._meta.related_objects:
        if relation.many_to_many or relation.field is None:
            continue
        model: Any = relation.related_model
        model._default_manager.filter(**{relation.field.name: dropped}).update(**{relation.field.name: kept})


def _same_names(organization: Organization) -> list[tuple[str, str]]:
    """Return names that several contacts of one country have, of two words at least: there are many Annas."""
    rows = Contact.objects.filter(organization=organization, name__contains=" ").exclude(Q(region=""))
    counted = rows.annotate(same=Lower("name")).values("same", "region").annotate(count=Count("pk"))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL work_mem = '64MB'")
        found = list(counted.filter(count__gt=1).order_by("-count")[:MOST_GROUPS])
    return [(row["same"], row["region"]) for row in found]
