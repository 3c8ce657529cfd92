"""Inviting many: from contacts or a file. Every row is checked and shown before anything is sent; each is sent once.

Two jobs: one reads the source into rows, saying of each what is wrong; the other, after a member has looked, invites
those that are good, a few at a time, each slice one transaction with how far it is. A row that was invited has its
invitation, and is never looked at again.
"""

import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import islice
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Count, F, QuerySet
from django.db.models.functions import Now

from integrations.organizations.audit import record
from integrations.organizations.models import Organization, User
from integrations.organizations.roles import Capability
from integrations.phones import Phone, PhoneProblem, parse_phone
from messaging.consent.blocking import consent_blocks
from messaging.contacts.address_book import plain_line
from messaging.contacts.filters import ContactFilter, filtered
from messaging.contacts.models import Contact, SavedFilter, Tag
from messaging.csv_files.columns import NAME_NAMES, FieldSpec, phone_field
from messaging.csv_files.formulas import unescape_formula
from messaging.csv_files.inspection import Inspection, inspect, read_rows
from messaging.csv_files.models import Upload
from messaging.csv_files.reading import Position
from messaging.csv_files.storing import find_upload
from messaging.jobs import work
from messaging.jobs.models import Job
from messaging.jobs.registry import register_job
from messaging.sending.models import Message
from messaging.sending.reasons import own_reason
from portal.forms.public.languages import LANGUAGES

from .batch_models import PortalInvitationBatch, PortalInvitationRow
from .invitations import InvitationRefused, invite, open_numbers, regions_with_codes, why_not_again, why_out_of_reach
from .models import Portal, PortalInvitation, PortalRole, PortalUser

CHECK, SEND = "portal.invitations.check", "portal.invitations.send"
SENTENCES = {"portal_invitations.sent": "had {count} people invited to the portal {portal}, from {source}"}
_READ_AT_ONCE, _SENT_AT_ONCE = 500, 20

State, Source = PortalInvitationBatch.State, PortalInvitation.Source


class BatchProblem(Exception):
    """Many invitations cannot be prepared or sent; the sentence says why and what to do."""


@dataclass(frozen=True)
class Found:
    """A row as its source has it."""

    row: int
    typed: str
    name: str = ""
    language: str = ""
    role: str = ""
    problem: tuple[str, str] = ("", "")


@dataclass(frozen=True)
class Summary:
    """What a checked batch will do: how many are invited, and how many are not, by reason."""

    good: int
    invited: int
    bad: list[tuple[str, int]] = field(default_factory=list)

    @property
    def refused(self) -> int:
        return sum(count for _, count in self.bad)

    @property
    def waiting(self) -> int:
        return self.good - self.invited


def columns_wanted(portal: Portal) -> list[FieldSpec]:
    """Return what a file of people to invite may hold."""
    return [
        phone_field(region=portal.organization.default_region),
        FieldSpec(key="name", label="Name", names=NAME_NAMES),
        FieldSpec(
            key="language",
            label="Language",
            names=("lang", "locale", "sprache", "langue", "idioma", "taal"),
            help=f"Codes of the portal’s languages: {', '.join(portal.form.languages)}. Empty cells: its first one.",
        ),
        FieldSpec(
            key="role", label="Role", names=("group", "rolle", "rôle", "rol"), help="Names of the portal’s roles."
        ),
    ]


def from_file(
    portal: Portal, *, upload: Upload, role: PortalRole | None, language: str, actor: User
) -> PortalInvitationBatch:
    """Prepare to invite the people of a file; raise FileProblem for what is no table. Nothing is read or sent yet."""
    found = inspect(upload, fields=columns_wanted(portal))
    what = {"upload": str(upload.pk), "inspection": found.as_json()}
    return PortalInvitationBatch.objects.create(
        portal=portal, source=Source.FILE, what=what, label=upload.name[:200], role=role, language=language,
        created_by=actor,
    )  # fmt: skip


def choose_columns(
    batch: PortalInvitationBatch, *, inspection: Inspection, columns: dict[str, int], actor: User
) -> None:
    """Say which column holds what, and have every row checked."""
    what = {**batch.what, "inspection": inspection.as_json(), "columns": columns}
    chosen = PortalInvitationBatch.objects.filter(pk=batch.pk, state__in=(State.DRAFT, State.CHECKED))
    if not chosen.update(what=what, state=State.DRAFT):
        raise BatchProblem("These invitations are being checked or sent already; their columns stay as they are.")
    batch.what, batch.state = what, State.DRAFT
    begin_check(batch, actor=actor)


def from_contacts(
    portal: Portal,
    *,
    tag: Tag | None = None,
    saved_filter: SavedFilter | None = None,
    role: PortalRole | None,
    language: str,
    actor: User,
) -> PortalInvitationBatch:
    """Prepare to invite contacts: all, those with a tag, or those of a saved filter as it is now; check them."""
    what: dict[str, Any] = {}
    label = "All contacts"
    if tag is not None:
        what, label = {"tag": str(tag.pk)}, f"Contacts tagged {tag.name}"
    elif saved_filter is not None:
        what, label = {"wanted": saved_filter.wanted}, f"Contacts of the filter {saved_filter.name}"
    with transaction.atomic():
        batch = PortalInvitationBatch.objects.create(
            portal=portal, source=Source.CONTACTS, what=what, label=label, role=role, language=language,
            created_by=actor,
        )  # fmt: skip
        begin_check(batch, actor=actor)
    return batch


def begin_check(batch: PortalInvitationBatch, *, actor: User) -> None:
    """Have every row of the source read and looked at; raise BatchProblem where that is going on."""
    portal = batch.portal
    with transaction.atomic():
        ready = PortalInvitationBatch.objects.filter(pk=batch.pk, state__in=(State.DRAFT, State.CHECKED))
        if not ready.update(state=State.CHECKING):
            raise BatchProblem("These invitations are being checked or sent already.")
        PortalInvitationRow.objects.filter(batch=batch).delete()
        total = int(batch.what["inspection"]["about"]) if batch.source == Source.FILE else contacts_of(batch).count()
        batch.job = work.start(
            portal.organization, kind=CHECK, params={"batch": str(batch.pk)}, total=total, actor=actor
        )
        batch.state = State.CHECKING
        batch.save(update_fields=["job"])


def begin_sending(batch: PortalInvitationBatch, *, actor: User, ip: str = "") -> None:
    """Invite those that are good; raise BatchProblem. A second press finds it begun."""
    portal = batch.portal
    if not portal.is_on:
        raise BatchProblem("The portal is switched off, so the links would lead nowhere. Switch it on first.")
    summary = summary_of(batch)
    if not summary.waiting:
        raise BatchProblem("Nobody is left to invite. See below why, and mend the source.")
    with transaction.atomic():
        ready = PortalInvitationBatch.objects.filter(pk=batch.pk, state=State.CHECKED)
        if not ready.update(state=State.SENDING):
            raise BatchProblem("These invitations are not checked yet, or are being sent already.")
        batch.job = work.start(
            portal.organization, kind=SEND, params={"batch": str(batch.pk)}, total=summary.waiting, actor=actor
        )
        batch.state = State.SENDING
        batch.save(update_fields=["job"])
        record(
            portal.organization,
            actor=actor,
            action="portal_invitations.sent",
            target=portal,
            changes={
                "count": f"{summary.waiting:,}",
                "portal": portal.name,
                "source": "a file" if batch.source == Source.FILE else "contacts",
            },
            ip=ip,
        )


def settle(batch: PortalInvitationBatch) -> None:
    """Let a batch whose job was stopped, failed or is gone be checked or sent again: nobody is invited twice."""
    job = batch.job
    if batch.state in {State.CHECKING, State.SENDING} and (job is None or not job.is_active):
        former = State.DRAFT if batch.state == State.CHECKING else State.CHECKED
        PortalInvitationBatch.objects.filter(pk=batch.pk, state=batch.state, job=job).update(state=former)
        batch.state = former


def summary_of(batch: PortalInvitationBatch) -> Summary:
    """Count the rows of a batch."""
    rows = PortalInvitationRow.objects.filter(batch=batch)
    good = rows.filter(problem_code="").aggregate(all=Count("pk"), invited=Count("invitation"))
    bad = rows.exclude(problem_code="").values_list("problem_code").annotate(count=Count("pk")).order_by("-count")
    return Summary(good=good["all"], invited=good["invited"], bad=[(REASONS.get(code, code), n) for code, n in bad])


def wrong_rows(batch: PortalInvitationBatch) -> QuerySet[PortalInvitationRow]:
    """Return the rows that are not invited, in the order of the source."""
    return PortalInvitationRow.objects.filter(batch=batch).exclude(problem_code="").order_by("row")


def contacts_of(batch: PortalInvitationBatch) -> QuerySet[Contact]:
    """Return the contacts that a batch is made of."""
    organization = batch.portal.organization
    contacts = Contact.objects.filter(organization=organization)
    if "tag" in batch.what:
        return contacts.filter(tags=uuid.UUID(str(batch.what["tag"])))
    if "wanted" in batch.what:
        return filtered(organization, ContactFilter.from_json(batch.what["wanted"]))
    return contacts


def upload_of(batch: PortalInvitationBatch) -> Upload:
    """Return the file of a batch; raise BatchProblem where it was forgotten."""
    upload = find_upload(batch.portal.organization, batch.what.get("upload"))
    if upload is None:
        raise BatchProblem("The file is no longer kept. Upload it again.")
    return upload


@register_job(CHECK, title="Checking whom to invite", capability=Capability.PORTAL_PEOPLE)
def check_slice(job: Job, until: float) -> bool:
    """Read and check the next rows."""
    batch = _batch_of(job.organization, job)
    try:
        while time.monotonic() < until:
            found, cursor = _next_rows(batch, job.cursor)
            with transaction.atomic():
                PortalInvitationRow.objects.bulk_create(_checked(batch, found))
                is_last = len(found) < _READ_AT_ONCE
                if is_last:
                    PortalInvitationBatch.objects.filter(pk=batch.pk, state=State.CHECKING).update(state=State.CHECKED)
                work.save_progress(job, cursor=cursor, done=job.done + len(found))
            if is_last:
                return True
    except BatchProblem as problem:
        raise work.JobFailed(str(problem)) from problem
    return False


@register_job(SEND, title="Inviting", capability=Capability.PORTAL_PEOPLE)
def send_slice(job: Job, until: float) -> bool:
    """Invite the next few; a number that cannot be invited any more gets its reason."""
    batch = _batch_of(job.organization, job)
    while time.monotonic() < until:
        with transaction.atomic():
            rows = PortalInvitationRow.objects.select_for_update(of=("self",)).select_related("role")
            some = list(rows.filter(batch=batch, problem_code="", invitation=None).order_by("row")[:_SENT_AT_ONCE])
            sent = sum(_invite(batch, row) for row in some)
            is_last = len(some) < _SENT_AT_ONCE
            changed: dict[str, Any] = {"invited": F("invited") + sent, "refused": F("refused") + len(some) - sent}
            PortalInvitationBatch.objects.filter(pk=batch.pk).update(
                **changed, **({"state": State.DONE} if is_last else {})
            )
            work.save_progress(job, done=job.done + len(some))
        if is_last:
            return True
    return False


def forget_rows() -> int:
    """Delete the rows of batches that are older than uploads may get; who was invited stands on other pages."""
    old = PortalInvitationBatch.objects.filter(created_at__lt=Now() - timedelta(days=settings.UPLOAD_DAYS))
    deleted, _ = PortalInvitationRow.objects.filter(batch__in=old).delete()
    return deleted


REASONS: dict[str, str] = {
    "twice": "The same number stands in an earlier row",
    "opted_out": "Opted out: only they can undo it, by texting START",
    "no_codes_there": "In a country that no codes go to",
    "already_invited": "Invited already, and the link still works",
    "already_active": "In the portal already",
    "already_waiting": "Registered already, and waiting for approval",
    "already_suspended": "Suspended in the portal",
    "unknown_role": "The portal has no such role",
    "unknown_language": "The portal does not speak this language",
    "empty": "No number",
    "not_a_number": "Not a phone number",
    "too_short": "The number is too short",
    "too_long": "The number is too long",
    "unknown_country": "No country has this code",
    "not_valid": "There are no such numbers",
    "no_country": "The country is missing",
    "blocked_region": "A country your organization does not send to",
    "insufficient_credits": "Too few credits for platform SMS",
}


def _invite(batch: PortalInvitationBatch, row: PortalInvitationRow) -> bool:
    try:
        row.invitation = invite(
            batch.portal,
            phone=row.phone,
            name=row.name,
            role=row.role or batch.role,
            language=row.language or batch.language,
            source=batch.source,
            actor=batch.created_by,
        )
    except InvitationRefused as refused:
        row.problem_code, row.problem = refused.code[:40], refused.detail[:300]
    row.save(update_fields=["invitation", "problem_code", "problem"])
    return row.invitation is not None


def _next_rows(batch: PortalInvitationBatch, cursor: dict[str, Any]) -> tuple[list[Found], dict[str, Any]]:
    if batch.source == Source.FILE:
        start = Position(*cursor["position"]) if "position" in cursor else None
        inspection = Inspection.from_json(batch.what["inspection"])
        rows = list(islice(read_rows(upload_of(batch), inspection=inspection, start=start), _READ_AT_ONCE))
        columns: dict[str, int] = batch.what["columns"]
        found = []
        for row in rows:
            cells = {key: unescape_formula(row.cells[column]).strip() for key, column in columns.items()}
            problem = (row.problem.code, row.problem.detail) if row.problem else ("", "")
            found.append(
                Found(
                    row.number,
                    cells.get("phone", ""),
                    name=cells.get("name", ""),
                    language=cells.get("language", ""),
                    role=cells.get("role", ""),
                    problem=problem,
                )
            )
        return found, {"position": list(rows[-1].next_position)} if rows else dict(cursor)
    contacts = contacts_of(batch).order_by("id")
    if after := cursor.get("after"):
        contacts = contacts.filter(id__gt=after)
    people = list(contacts[:_READ_AT_ONCE])
    behind = int(cursor.get("row", 0))
    found = [Found(behind + place, one.phone, name=one.name) for place, one in enumerate(people, start=1)]
    after = str(people[-1].pk) if people else cursor.get("after")
    return found, {"after": after, "row": behind + len(people)}


def _checked(batch: PortalInvitationBatch, found: Sequence[Found]) -> Iterator[PortalInvitationRow]:
    """Return rows with what is wrong with each: of the row itself, then of the number among the others, then here."""
    portal = batch.portal
    roles = {role.name.casefold(): role for role in portal.roles.all()}
    read = [(one, _read(portal.organization, one)) for one in found]
    phones = [phone.e164 for _, phone in read if isinstance(phone, Phone)]
    seen = dict(
        PortalInvitationRow.objects.filter(batch=batch, phone__in=phones, problem_code="").values_list("phone", "row")
    )
    blocks = consent_blocks(portal.organization, phones, purpose=Message.Purpose.TRANSACTIONAL)
    known = {user.phone: user for user in PortalUser.objects.filter(portal=portal, phone__in=phones)}
    invited, reached = open_numbers(portal, phones), regions_with_codes(portal)
    for one, phone in read:
        row = PortalInvitationRow(batch=batch, row=one.row, typed=one.typed[:80], name=plain_line(one.name)[:120])
        problem = one.problem if one.problem[0] else phone if isinstance(phone, tuple) else ("", "")
        if isinstance(phone, Phone):
            row.phone, row.typed = phone.e164, ""
        if not problem[0] and one.language:
            row.language = _language(portal, one.language)
            if not row.language:
                problem = (
                    "unknown_language",
                    f"The portal does not speak “{one.language[:20]}”. It speaks: {', '.join(portal.form.languages)}.",
                )
        if not problem[0] and one.role:
            row.role = roles.get(one.role.casefold())
            if row.role is None:
                problem = (
                    "unknown_role",
                    f"The portal has no role “{one.role[:40]}”. Add it under Rules, or mend the row.",
                )
        if not problem[0] and row.phone in seen:
            problem = ("twice", f"The same number stands in row {seen[row.phone]:,}, which is taken.")
        if not problem[0] and isinstance(phone, Phone) and (far := why_out_of_reach(phone.region, regions=reached)):
            problem = (far.code, far.detail)
        if not problem[0] and row.phone in blocks:
            reason = own_reason(blocks[row.phone])
            problem = (reason.code, f"{reason.title} {reason.remedy}")
        if not problem[0] and (refused := why_not_again(known.get(row.phone), is_open=row.phone in invited)):
            problem = (refused.code, refused.detail)
        row.problem_code, row.problem = problem[0][:40], problem[1][:300]
        if not row.problem_code:
            seen[row.phone] = row.row
        yield row


def _read(organization: Organization, one: Found) -> Phone | tuple[str, str]:
    try:
        return parse_phone(one.typed, region=organization.default_region)
    except PhoneProblem as problem:
        return problem.code, problem.message


def _language(portal: Portal, written: str) -> str:
    """Return the code of a language of the portal that is written as its code or its name; "" for another."""
    wanted = written.strip().casefold().replace("_", "-")
    for code in portal.form.languages:
        name = LANGUAGES[code].name.casefold() if code in LANGUAGES else ""
        if wanted in {code.casefold(), name} or wanted.split("-")[0] == code.casefold():
            return str(code)
    return ""


def _batch_of(organization: Organization, job: Job) -> PortalInvitationBatch:
    batch = (
        PortalInvitationBatch.objects.select_related("portal__organization", "portal__form", "role", "created_by")
        .filter(pk=job.params.get("batch"), portal__organization=organization)
        .first()
    )
    if batch is None:
        raise work.JobFailed("The portal was deleted meanwhile. There is nobody to invite.")
    return batch
