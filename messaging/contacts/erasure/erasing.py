"""Erase people: what is known of them goes from every room, and what must be kept no longer says whose it is.

It is a job, one transaction for each person, so that it can be taken up again anywhere. Somebody with a message that is
being handed over just now waits for its outcome, for ten minutes at most: without the number it could not be found out.
"""

import time
import uuid
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from integrations.organizations.audit import record
from integrations.organizations.models import Organization, User
from integrations.organizations.roles import Capability
from messaging.consent.locking import lock_numbers
from messaging.contacts.bulk import FORGETS, Choice, next_ids
from messaging.contacts.models import Contact
from messaging.jobs import work
from messaging.jobs.models import Job
from messaging.jobs.registry import register_job
from messaging.sending.erasing import cancel_for_good, messages_with, settle_for_good, under_way

from .erasers import Person, erase_everywhere
from .number_keys import number_key

ERASE = "contacts.erase"
ERASE_WORD = "erase"  # what a member types to confirm
SENTENCES = {"contacts.erase": "had {count} contacts erased for good"}
PATIENCE = timedelta(minutes=10)
_SLICE = 20
_KEPT = (
    "Opt-outs and consent, without the number: by a keyed hash of it your organization recognises an erased person who "
    "opted out, and still sends them nothing.",
    "That messages were sent, when, how they fared and what they cost, without number and text.",
    "The audit log, without the names of those who were erased.",
)


@dataclass(frozen=True)
class Report:
    """What a job removed, in words and numbers, and what is kept."""

    removed: list[tuple[str, int]]
    kept: tuple[str, ...]
    waiting: int


def start_erasing(organization: Organization, *, choice: Choice, total: int, actor: User, ip: str = "") -> Job:
    """Start erasing these people."""
    with transaction.atomic():
        job = work.start(organization, kind=ERASE, params=choice.as_json(), total=total, actor=actor)
        record(organization, actor=actor, action=ERASE, changes={"count": f"{total:,}"}, ip=ip)
    return job


def report_of(job: Job) -> Report:
    """Return what a job has removed so far."""
    removed = job.cursor.get("removed", {})
    rows = sorted(((what, count) for what, count in removed.items() if count), key=lambda row: -row[1])
    return Report(removed=rows, kept=_KEPT, waiting=len(job.cursor.get("waiting", [])))


@register_job(
    ERASE, title="Erasing contacts", capability=Capability.EDIT_CONTACTS, is_cancelable=False, forgets=FORGETS
)
def erase_step(job: Job, until: float) -> bool:
    """Erase the next people; those with a message under way come last."""
    while time.monotonic() < until:
        ids = next_ids(job, most=_SLICE)
        for contact_id in ids:
            _erase_one(job, contact_id, is_last_turn=False)
        if not ids:
            break
    else:
        return False
    for contact_id in [uuid.UUID(one) for one in job.cursor.get("waiting", [])]:
        _erase_one(job, contact_id, is_last_turn=_patience_is_over(job))
    if job.cursor.get("waiting"):
        time.sleep(max(0.0, min(1.0, until - time.monotonic())))
        return False
    return True


def erase_person(contact: Contact) -> dict[str, int]:
    """Forget one person everywhere, in the caller's transaction; return how many rows of what.

    The numbers are the contact's, and those of messages with the contact that no other contact has: after a merge, the
    person's former number.
    """
    organization = contact.organization
    messages = messages_with(organization, contact)
    phones = {contact.phone, *(phone for phone in messages.values() if phone.startswith("+"))}
    others = Contact.objects.filter(organization=organization, phone__in=phones).exclude(pk=contact.pk)
    phones -= set(others.values_list("phone", flat=True))
    lock_numbers(organization, phones)
    person = Person(
        organization=organization,
        contact_id=contact.pk,
        keys={phone: number_key(organization, phone) for phone in sorted(phones)},
        messages=frozenset(messages),
    )
    removed = erase_everywhere(person)
    with connection.cursor() as cursor:
        cursor.execute("SELECT heliograph_erase_audit(%s, %s)", [organization.pk, str(contact.pk)])
        removed["entries of the audit log"] = cursor.fetchone()[0]
    contact.delete()
    removed["contacts"] = 1
    return removed


def _erase_one(job: Job, contact_id: uuid.UUID, *, is_last_turn: bool) -> None:
    """Erase one person, or put them at the end, and save how far the job is: one transaction."""
    with transaction.atomic():
        rows = Contact.objects.select_for_update(of=("self",)).select_related("organization")
        contact = rows.filter(organization=job.organization_id, pk=contact_id).first()
        cursor: dict[str, Any] = {**job.cursor}
        waiting = [one for one in cursor.get("waiting", []) if one != str(contact_id)]
        was_waiting = len(waiting) < len(cursor.get("waiting", []))
        removed: dict[str, int] = {}
        if contact is not None:
            # What waits is canceled first: from then on nothing new begins for this person.
            cancel_for_good(contact.organization, contact)
            if under_way(contact.organization, contact) and not is_last_turn:
                waiting.append(str(contact_id))
            else:
                settle_for_good(contact.organization, contact)
                removed = erase_person(contact)
        totals = Counter(cursor.get("removed", {}))
        totals.update(removed)
        cursor |= {"waiting": waiting, "removed": dict(totals)}
        if not was_waiting:
            cursor["after"] = str(contact_id)
        done = job.done + (1 if str(contact_id) not in waiting else 0)
        note = f"{len(waiting)} wait for the outcome of a message" if waiting else ""
        work.save_progress(job, cursor=cursor, done=done, note=note)


def _patience_is_over(job: Job) -> bool:
    return job.started_at is not None and job.started_at < timezone.now() - PATIENCE
