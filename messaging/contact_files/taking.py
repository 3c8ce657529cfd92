"""The import itself: rows become contacts, tags, opt-outs and records of consent, a batch at a time.

The same rows a second time change nothing: a contact is its number, a tag is carried once, an opt-out stands once, and
the ledger knows a record by its proof, which names the file and the row.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from django.utils import timezone

from integrations.organizations.audit import record
from integrations.organizations.models import Organization
from messaging.consent.confirming import take_many
from messaging.consent.ledger import Action, Entry, Source
from messaging.consent.locking import lock_numbers
from messaging.consent.many_opt_outs import opt_out_many
from messaging.consent.models import OptOut
from messaging.consent.opt_outs import STOP_TAG
from messaging.contacts.models import Contact, Tag
from messaging.contacts.tagging import give_tags
from messaging.contacts.telling import CHANGED, CREATED, tell_changed, tell_created
from messaging.csv_files.models import Upload
from messaging.happenings.telling import heard_kinds
from messaging.jobs.models import Job

from .drafts import Draft, Plan, changes_of
from .models import ContactImport
from .numbers import repeated
from .options import Options
from .passes import Counts, go_through
from .standing import Standing, standing_of

SENTENCES = {
    "contacts.imported": "imported {file}: {added} new contacts, {changed} changed",
    "opt_outs.imported": "imported the opt-outs of {file}: {new_opt_outs} new ones",
}
_UPDATED = ("name", "email", "language", "time_zone", "notes", "attributes", "updated_at")


def import_slice(job: Job, until: float) -> bool:
    """Import some rows of the import that the job names; return True when all are."""
    return go_through(job, until, state=ContactImport.State.RUNNING, handle=_handle, finish=_finish)


def _handle(importing: ContactImport, plan: Plan, upload: Upload, drafts: Sequence[Draft], counts: Counts) -> None:
    repeats = repeated(upload, drafts)
    good = [draft for draft in drafts if draft.is_good and draft.row.number not in repeats]
    counts["bad"] += sum(not draft.is_good for draft in drafts)
    counts["repeated"] += len(repeats)
    phones = {draft.e164 for draft in good}
    # A STOP that arrives at this moment comes before or after the batch, and never in the middle of it.
    lock_numbers(plan.organization, phones)
    options = Options.of(importing)
    standing = standing_of(plan.organization, phones, purpose=options.purpose, is_locked=True)
    if importing.is_of_opt_outs:
        _opt_out(importing, good, standing, counts)
        return
    _take_contacts(importing, good, standing, options, counts)
    _opt_out(importing, [draft for draft in good if draft.opted_out], standing, counts)
    _record_consent(importing, good, standing, options, counts)


def _take_contacts(
    importing: ContactImport, good: Sequence[Draft], standing: Standing, options: Options, counts: Counts
) -> None:
    organization, now = importing.organization, timezone.now()
    fresh = [draft for draft in good if draft.e164 not in standing.contacts]
    heard = heard_kinds(organization.pk, [CREATED, CHANGED])
    made = Contact.objects.bulk_create(
        [
            Contact(
                organization=organization,
                phone=draft.e164,
                region=draft.phone.region[:3] if draft.phone else "",
                attributes=draft.attributes,
                imported_in=importing.job_id,
                **draft.values,
            )
            for draft in fresh
        ],
        ignore_conflicts=True,  # somebody may have written to us in this very moment, and become a contact
    )
    counts["new"] += len(fresh)
    if CREATED in heard:
        stored = Contact.objects.filter(pk__in=[contact.pk for contact in made]).order_by("pk")
        tell_created(organization.pk, stored, source="import")
    changed: list[Contact] = []
    former: list[tuple[Contact, dict[str, Any]]] = []
    for draft in good:
        contact = standing.contacts.get(draft.e164)
        if contact is None:
            continue
        if options.skips_known:
            counts["skipped"] += 1
            continue
        changes = changes_of(contact, draft)
        counts["updates" if changes else "unchanged"] += 1
        if changes:
            former.append((contact, {name: getattr(contact, name) for name in changes}))
            for name, value in changes.items():
                setattr(contact, name, value)
            contact.updated_at = now
            changed.append(contact)
    Contact.objects.bulk_update(changed, _UPDATED)
    if CHANGED in heard:
        tell_changed(organization.pk, former)
    wanted = {
        draft.e164: [*draft.tags, *options.tags]
        for draft in good
        if draft.e164 not in standing.contacts or not options.skips_known
    }
    for phone in {draft.e164 for draft in fresh} & standing.opted_out_of_some:
        wanted[phone].append(STOP_TAG)
    _tag(organization, wanted)


def _tag(organization: Organization, wanted: Mapping[str, Sequence[str]]) -> None:
    names = {name for tags in wanted.values() for name in tags}
    if not names:
        return
    tags = _tags_named(organization, names)
    ids = dict(Contact.objects.filter(organization=organization, phone__in=wanted.keys()).values_list("phone", "pk"))
    give_tags(
        (ids[phone], tags[name.casefold()])
        for phone, names_of_row in wanted.items()
        if phone in ids
        for name in names_of_row
    )


def _tags_named(organization: Organization, names: Collection[str]) -> dict[str, Any]:
    """Return the ids of the tags of these names in any case; those that are not there are made."""
    known = {name.casefold(): pk for pk, name in _existing_tags(organization)}
    missing = {name.casefold(): name for name in sorted(names) if name.casefold() not in known}
    if missing:
        Tag.objects.bulk_create(
            (Tag(organization=organization, name=name) for name in missing.values()), ignore_conflicts=True
        )
        known = {name.casefold(): pk for pk, name in _existing_tags(organization)}
    return known


def _existing_tags(organization: Organization) -> Iterable[tuple[Any, str]]:
    return Tag.objects.filter(organization=organization).values_list("pk", "name")


def _opt_out(importing: ContactImport, drafts: Sequence[Draft], standing: Standing, counts: Counts) -> None:
    fresh = {draft.e164: draft for draft in drafts if draft.e164 not in standing.opted_out}
    counts["standing_opt_outs"] += len(drafts) - len(fresh)
    counts["new_opt_outs"] += opt_out_many(
        importing.organization,
        evidence={phone: _proof(importing, draft) for phone, draft in fresh.items()},
        source=OptOut.Source.IMPORT,
        actor=importing.created_by,
    )


def _record_consent(
    importing: ContactImport, good: Sequence[Draft], standing: Standing, options: Options, counts: Counts
) -> None:
    """Record what was agreed and taken back. Who opted out or took it back is not made to agree by a file."""
    entries = []
    for draft in good:
        agrees = options.consent_of(draft, is_known=draft.e164 in standing.contacts)
        if agrees is None:
            continue
        is_out = draft.opted_out or draft.e164 in standing.opted_out
        if agrees and (is_out or draft.e164 in standing.withdrew):
            counts["kept_back"] += 1
            continue
        if not agrees and (draft.e164 in standing.withdrew or is_out):
            continue
        counts["consents" if agrees else "withdrawals"] += 1
        entries.append(
            Entry(
                phone=draft.e164,
                action=Action.GRANTED if agrees else Action.WITHDRAWN,
                source=Source.IMPORT,
                purpose=options.purpose,
                reason=options.wording,
                evidence={"wording": options.wording, **_proof(importing, draft)},
            )
        )
    take_many(importing.organization, entries, actor=importing.created_by)


def _proof(importing: ContactImport, draft: Draft) -> dict[str, Any]:
    return {"file": importing.file_name, "file_sha256": importing.file_sha256, "row": draft.row.number}


def _finish(importing: ContactImport) -> None:
    importing.state, importing.finished_at = ContactImport.State.DONE, timezone.now()
    counts = importing.counts
    kind = "opt_outs" if importing.is_of_opt_outs else "contacts"
    named = {
        "added": "new",
        "changed": "updates",
        "new_opt_outs": "new_opt_outs",
        "consents": "consents",
        "withdrawals": "withdrawals",
    }
    record(
        importing.organization,
        actor=importing.created_by,
        action=f"{kind}.imported",
        target=importing,
        changes={"file": importing.file_name, **{name: counts.get(count, 0) for name, count in named.items()}},
    )
