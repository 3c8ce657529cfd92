"""Do the same with many contacts, as a job: tag, take a tag away, delete. Erasing is in `erasure/`.

Who is meant is settled when the work is confirmed: those that were chosen, or all that fit a filter and were there at
that moment, so that nobody who comes later is drawn in.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from integrations.organizations.audit import record
from integrations.organizations.models import Organization, User, as_uuid
from integrations.organizations.roles import Capability
from messaging.happenings.telling import cause
from messaging.happenings.wake import wake
from messaging.jobs import work
from messaging.jobs.models import Job
from messaging.jobs.registry import register_job

from .address_book import MOST_TAGS, ContactProblem, read_tag_name
from .filters import ContactFilter, filtered
from .models import Contact, Tag, TaggedInJob
from .tagging import TELL_TAGGED

SENTENCES = {
    "contacts.tag": "had {count} contacts tagged with {tag}",
    "contacts.untag": "had the tag {tag} taken from {count} contacts",
    "contacts.delete": "had {count} contacts deleted",
    "contacts.tag_undone": "had the tagging with {tag} undone",
}
TAG, UNTAG, DELETE = "contacts.tag", "contacts.untag", "contacts.delete"
UNDO_FOR = timedelta(days=7)
FORGETS = ("filter",)  # what was searched for may be somebody's name or number
MOST_CHOSEN = 1000
_SLICE = {TAG: 1000, UNTAG: 1000, DELETE: 200}

_TAG_SLICE = f"""
WITH members AS (
    SELECT c.id FROM messaging_contact c WHERE c.organization_id = %(organization)s AND c.id = ANY(%(contacts)s)
        AND (SELECT count(*) FROM messaging_contact_tags t WHERE t.contact_id = c.id) < %(most)s
    ORDER BY c.id FOR KEY SHARE
), given AS (
    INSERT INTO messaging_contact_tags (contact_id, tag_id) SELECT id, %(tag)s FROM members
    ON CONFLICT DO NOTHING RETURNING contact_id, tag_id
), noted AS (
    INSERT INTO messaging_taggedinjob (job_id, contact_id, at) SELECT %(job)s, contact_id, now() FROM given
), told AS ({TELL_TAGGED})
SELECT count(*) FROM told
"""  # noqa: S608 - built from a part of ours


@dataclass(frozen=True)
class Choice:
    """Whom some work is about: the contacts of these ids, or all that fit the filter up to the id `until`."""

    ids: tuple[uuid.UUID, ...] = ()
    wanted: ContactFilter | None = None
    until: uuid.UUID | None = None

    def rows(self, organization: Organization) -> QuerySet[Contact]:
        """Return the contacts that are meant, without an order."""
        if self.wanted is None:
            return Contact.objects.filter(organization=organization, pk__in=self.ids)
        rows = filtered(organization, self.wanted)
        return rows.filter(pk__lte=self.until) if self.until else rows

    def as_json(self) -> dict[str, Any]:
        if self.wanted is None:
            return {"ids": [str(one) for one in self.ids]}
        return {"filter": self.wanted.as_json(), "until": str(self.until) if self.until else None}

    @classmethod
    def from_json(cls, params: dict[str, Any]) -> "Choice":
        if "filter" not in params:
            return cls(ids=tuple(uuid.UUID(one) for one in params.get("ids", [])))
        return cls(wanted=ContactFilter.from_json(params["filter"]), until=as_uuid(params.get("until")))


def choose_all(organization: Organization, wanted: ContactFilter) -> Choice:
    """Return the choice of all that fit and are there now."""
    newest = Contact.objects.filter(organization=organization).order_by("-id").values_list("pk", flat=True).first()
    return Choice(wanted=wanted, until=newest)


def choose(ids: Sequence[str]) -> Choice:
    """Return the choice of these contacts; what is no id at all is left out."""
    found = (as_uuid(one) for one in ids[:MOST_CHOSEN])
    return Choice(ids=tuple(one for one in found if one is not None))


def start_bulk(
    organization: Organization, *, kind: str, choice: Choice, total: int, tag_name: str = "", actor: User, ip: str = ""
) -> Job:
    """Start the work; raise ContactProblem for a tag that cannot be given or that nobody has."""
    params: dict[str, Any] = choice.as_json()
    changes: dict[str, Any] = {"count": f"{total:,}"}
    with transaction.atomic():
        if kind in {TAG, UNTAG}:
            tag = _tag(organization, tag_name, may_make=kind == TAG)
            params |= {"tag": str(tag.pk), "tag_name": tag.name}
            changes["tag"] = tag.name
        job = work.start(organization, kind=kind, params=params, total=total, actor=actor)
        record(organization, actor=actor, action=kind, changes=changes, ip=ip)
    return job


def can_undo(job: Job) -> bool:
    """Tell whether a tagging can be taken back: it has ended, lately, and nobody has done so."""
    if job.kind != TAG or job.is_active or job.created_at < timezone.now() - UNDO_FOR:
        return False
    return TaggedInJob.objects.filter(job_id=job.pk).exists()


def undo(job: Job, *, actor: User, ip: str = "") -> Job:
    """Start the work that takes the tag from those again who got it by that job."""
    with transaction.atomic():
        params = {"undo": str(job.pk), "tag": job.params["tag"], "tag_name": job.params.get("tag_name", "")}
        total = TaggedInJob.objects.filter(job_id=job.pk).count()
        started = work.start(job.organization, kind=UNTAG, params=params, total=total, actor=actor)
        record(job.organization, actor=actor, action="contacts.tag_undone", changes={"tag": params["tag_name"]}, ip=ip)
    return started


@register_job(TAG, title="Tagging contacts", capability=Capability.EDIT_CONTACTS, forgets=FORGETS)
def tag_step(job: Job, until: float) -> bool:
    """Tag the next contacts."""
    return _step(job, _tag_contacts)


@register_job(UNTAG, title="Taking a tag away", capability=Capability.EDIT_CONTACTS, forgets=FORGETS)
def untag_step(job: Job, until: float) -> bool:
    """Take the tag from the next contacts."""
    return _undo_step(job) if "undo" in job.params else _step(job, _untag_contacts)


@register_job(DELETE, title="Deleting contacts", capability=Capability.EDIT_CONTACTS, forgets=FORGETS)
def delete_step(job: Job, until: float) -> bool:
    """Delete the next contacts."""
    return _step(job, _delete_contacts)


def forget_undone(*, most: int = 50_000) -> int:
    """Forget who was tagged by jobs that can no longer be undone; return how many rows."""
    old = TaggedInJob.objects.filter(at__lt=timezone.now() - UNDO_FOR).order_by("id").values("pk")[:most]
    return TaggedInJob.objects.filter(pk__in=old).delete()[0]


def next_ids(job: Job, *, most: int) -> list[uuid.UUID]:
    """Return the next contacts of a job by id, after the one its cursor names."""
    rows = Choice.from_json(job.params).rows(job.organization)
    after = as_uuid(job.cursor.get("after"))
    if after:
        rows = rows.filter(pk__gt=after)
    return list(rows.order_by("pk").values_list("pk", flat=True)[:most])


def _step(job: Job, act: Any) -> bool:
    size = _SLICE[job.kind]
    with transaction.atomic():
        ids = next_ids(job, most=size)
        if ids:
            act(job, ids)
            work.save_progress(job, cursor={"after": str(ids[-1])}, done=job.done + len(ids))
    return len(ids) < size


def _tag_contacts(job: Job, ids: list[uuid.UUID]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            _TAG_SLICE,
            {
                "organization": job.organization_id,
                "contacts": ids,
                "tag": uuid.UUID(job.params["tag"]),
                "job": job.pk,
                "most": MOST_TAGS,
                "cause": cause(),
            },
        )
        if cursor.fetchone()[0]:
            transaction.on_commit(wake)


def _untag_contacts(job: Job, ids: list[uuid.UUID]) -> None:
    Contact.tags.through.objects.filter(contact_id__in=ids, tag_id=job.params["tag"]).delete()


def _delete_contacts(job: Job, ids: list[uuid.UUID]) -> None:
    Contact.objects.filter(organization=job.organization_id, pk__in=ids).delete()


def _undo_step(job: Job) -> bool:
    size = _SLICE[UNTAG]
    with transaction.atomic():
        tagged = list(TaggedInJob.objects.filter(job_id=job.params["undo"]).order_by("id")[:size])
        if tagged:
            _untag_contacts(job, [row.contact_id for row in tagged])
            TaggedInJob.objects.filter(pk__in=[row.pk for row in tagged]).delete()
            work.save_progress(job, done=job.done + len(tagged))
    return len(tagged) < size


def _tag(organization: Organization, name: str, *, may_make: bool) -> Tag:
    name = read_tag_name(name)
    tag = Tag.objects.filter(organization=organization, name__iexact=name).first()
    if tag is None and may_make:
        tag, _ = Tag.objects.get_or_create(organization=organization, name=name)
    if tag is None:
        raise ContactProblem("unknown", "There is no such tag.", field="tag")
    return tag
