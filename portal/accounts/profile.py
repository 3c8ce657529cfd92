"""A person's profile: what they answered when they registered, to be changed by the questions as they are now."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from integrations.organizations.audit import record
from messaging.contacts.address_book import plain_line
from portal.forms.answers import Reading, search_text_of
from portal.forms.contacts import keep_contact
from portal.forms.definition import Definition, Kind
from portal.forms.models import FormVersion, Submission, SubmissionFile

from .models import PortalUser
from .selectors import questions_of

SENTENCES = {"portal_user.profile_changed": "changed the profile of the portal user {which}"}
# What the audit log calls a person who does something: who it was says the object, whose name goes with the person.
THEMSELVES = "Portal user"
_LONGEST_NAME = PortalUser._meta.get_field("name").max_length or 120


class ProfileRefused(Exception):
    """Nothing was changed: one calm sentence for the person, in the active language."""


@dataclass(frozen=True)
class Profile:
    """What a person may change, as it stands. `named_by` is the key of the question that asks for the name, "" where
    none does."""

    name: str
    language: str
    questions: Definition
    answers: Mapping[str, Any] = field(default_factory=dict)
    named_by: str = ""


def profile_of(user: PortalUser) -> Profile:
    """Return the profile. Consents are no part of it: they are given and taken back among the preferences."""
    questions = _changeable(questions_of(user.portal))
    answers = user.submission.answers if user.submission is not None else {}
    known = {one.key: answers[one.key] for one in questions.fields if one.key in answers}
    named_by = _named_by(questions)
    if named_by and user.name:
        known.setdefault(named_by, user.name)
    return Profile(user.name, user.language, questions, known, named_by)


def change_profile(user: PortalUser, *, reading: Reading, name: str, language: str, ip: str = "") -> list[str]:
    """Keep what a person entered, and return what changed: keys of questions, `name` and `language`.

    `reading` has to be good and of the profile's questions; `name` counts where no question asks for it. What
    questions that are no longer asked were answered with is forgotten, and the contact follows. Raise ProfileRefused.
    """
    if not reading.is_good:
        raise ValueError("Only good answers are kept.")
    with transaction.atomic():
        # Locked against a second tab, and against a member who suspends or erases the person at this moment.
        row = PortalUser.objects.select_for_update(of=("self",)).select_related(
            "portal__organization", "portal__form__current", "submission"
        ).get(pk=user.pk)  # fmt: skip
        if row.status != PortalUser.Status.ACTIVE:
            raise ProfileRefused(_("Your access has ended. Nothing was changed."))
        questions = questions_of(row.portal)
        named_by = _named_by(questions)
        changes = _keep_answers(row, reading, questions=questions, language=language, ip=ip)
        new_name = str(reading.answers.get(named_by, "")) if named_by else name
        for field_name, value in (("name", plain_line(new_name)[:_LONGEST_NAME]), ("language", language)):
            if getattr(row, field_name) != value:
                changes.append(field_name)
                setattr(row, field_name, value)
        if not changes:
            return []
        _keep_contact(row, questions, reading)
        row.save(update_fields=["name", "language", "submission", "contact"])
        record(
            row.portal.organization,
            actor=THEMSELVES,
            action="portal_user.profile_changed",
            target=row,
            changes={"changed": ", ".join(_in_words(questions, changes))},
            ip=ip,
        )
    for field_name in ("name", "language", "submission", "contact"):
        setattr(user, field_name, getattr(row, field_name))
    return changes


def _changeable(questions: Definition) -> Definition:
    return replace(questions, fields=tuple(one for one in questions.fields if one.kind != Kind.CONSENT))


def _named_by(questions: Definition) -> str:
    return next((one.key for one in questions.fields if one.saves_as == "name"), "")


def _keep_answers(user: PortalUser, reading: Reading, *, questions: Definition, language: str, ip: str) -> list[str]:
    """Put the answers into the submission, by the version of now; return the keys of those that changed."""
    version = user.portal.form.current
    if version is None:
        return []
    submission = user.submission or _begun(user, version, language=language)
    former = submission.answers
    consents = {one.key: former[one.key] for one in questions.consents if one.key in former}
    answers = {**consents, **reading.answers}
    changed = [key for key in {**former, **answers} if former.get(key) != answers.get(key)]
    sent = {file.key for file in reading.files}
    changed = list(dict.fromkeys([*changed, *sent]))
    if not changed and submission.version_id == version.pk:
        return []
    submission.answers, submission.version = answers, version
    submission.search_text = search_text_of(questions, answers)
    submission.save()
    user.submission = submission
    _keep_files(submission, reading)
    return changed


def _begun(user: PortalUser, version: FormVersion, *, language: str) -> Submission:
    """Return a submission for somebody who came in without answering anything."""
    return Submission(form=user.portal.form, version=version, phone=user.phone, contact=user.contact, language=language)


def _keep_files(submission: Submission, reading: Reading) -> None:
    still_there = {key for key, value in submission.answers.items() if isinstance(value, dict)}
    replaced = {file.key for file in reading.files}
    submission.files.exclude(key__in=still_there - replaced).delete()
    SubmissionFile.objects.bulk_create(
        SubmissionFile(
            submission=submission, key=file.key, name=file.name, kind=file.kind, size=file.size, content=file.content
        )
        for file in reading.files
    )


def _keep_contact(user: PortalUser, questions: Definition, reading: Reading) -> None:
    """Let the contact follow: whoever is logged in has proved the number."""
    form = user.portal.form
    if form.updates_contact and user.phone:
        user.contact = keep_contact(
            form, questions, reading.answers, phone=user.phone, language=user.language, is_proved=True
        )


def _in_words(questions: Definition, changes: list[str]) -> list[str]:
    """Return what changed, for the audit log: the questions, never the answers."""
    labels = {one.key: one.label for one in questions.fields}
    return list(dict.fromkeys(labels.get(key, key if key in {"name", "language"} else "a former answer")[:60]
                              for key in changes))  # fmt: skip
