"""The verb by which a submission comes into being: all that follows from it is in one transaction, or nothing is."""

from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from messaging.consent.confirming import take_consent
from messaging.consent.ledger import Action, Entry, Source, record_consent
from messaging.sending.outbox import Draft, EnqueueProblem, enqueue

from .answers import Reading, search_text_of
from .contacts import keep_contact
from .definition import Definition, parse
from .display import shown_answers
from .models import FormDraft, FormVersion, PublicForm, Submission, SubmissionFile
from .opening import FormRefused, ensure_open
from .proof import Proof, proof_of
from .told import tell_submission


def submit(draft: FormDraft) -> Submission:
    """Send what was drafted and return the submission; raise FormRefused. The same draft a second time sends nothing.

    Call it in the visitor's language. Whether the number is proved is read from the verification at this moment, and
    whether the form still takes something is asked under its lock.
    """
    with transaction.atomic():
        # Locked against a second tab with the same draft; the form, so that its limits hold for parallel visitors.
        row = (
            FormDraft.objects.select_for_update(of=("self",))
            .select_related("version", "submission")
            .filter(pk=draft.pk, expires_at__gt=Now())
            .first()
        )
        if row is None:
            raise FormRefused("expired", _("This page was open for too long. Fill in the form again."))
        if row.submission is not None:
            return row.submission
        form = (
            PublicForm.objects.select_for_update(of=("self",), no_key=True)
            .select_related("organization", "current", "confirmation_template")
            .get(pk=row.form_id)
        )
        row.form = form
        ensure_open(form, phone=row.phone)
        submission = _store(row, definition=parse(row.version.definition, knows_number=form.knows_number))
        row.files.update(draft=None, submission=submission)
        row.submission, row.answers, row.phone = submission, {}, ""
        row.save(update_fields=["submission", "answers", "phone"])
    return submission


def submit_proved(
    form: PublicForm, *, version: FormVersion, reading: Reading, phone: str, proof: Proof, language: str, network: str
) -> Submission:
    """Keep what somebody entered who has proved the number before being asked, in the caller's transaction.

    A portal asks so: there is no draft, since the answers come last. What follows from a submission follows all the
    same. `proof` is of this number, and serves once.
    """
    if not reading.is_good:
        raise ValueError("Only good answers are kept.")
    definition = parse(version.definition, knows_number=form.knows_number)
    submission = Submission(
        form=form,
        version=version,
        answers=reading.answers,
        search_text=search_text_of(definition, reading.answers),
        phone=phone,
        language=language[:12],
        network=network,
    )
    _finish(submission, definition=definition, proof=proof)
    SubmissionFile.objects.bulk_create(
        SubmissionFile(
            submission=submission, key=file.key, name=file.name, kind=file.kind, size=file.size, content=file.content
        )
        for file in reading.files
    )
    return submission


def _store(draft: FormDraft, *, definition: Definition) -> Submission:
    form, proof = draft.form, proof_of(draft)
    if definition.verified_field is not None and proof is None:
        raise FormRefused("not_verified", _("Your number is not confirmed yet. Ask for a code and enter it."))
    submission = Submission(
        form=form,
        version=draft.version,
        answers=draft.answers,
        search_text=search_text_of(definition, draft.answers),
        phone=draft.phone,
        language=draft.language,
        network=draft.network,
    )
    _finish(submission, definition=definition, proof=proof)
    return submission


def _finish(submission: Submission, *, definition: Definition, proof: Proof | None) -> None:
    """Save a submission with all that follows from it: the proof of its number, contact, consents, confirmation."""
    form = submission.form
    if proof is not None:
        submission.verification_id, submission.verified_at = proof.verification_id, proof.at
        submission.verified_by = proof.channel
    if form.updates_contact and submission.phone:
        submission.contact = keep_contact(
            form,
            definition,
            submission.answers,
            phone=submission.phone,
            language=submission.language,
            is_proved=proof is not None,
        )
    submission.save()
    _record_consents(submission, definition=definition)
    _confirm(submission, definition=definition)
    tell_submission(submission, definition=definition)


def _record_consents(submission: Submission, *, definition: Definition) -> None:
    """Write every ticked consent to the ledger, with the words that stood there and the version they stood in."""
    form, is_proved = submission.form, submission.verified_at is not None
    for field in definition.consents:
        if submission.answers.get(field.key) is not True or not submission.phone:
            continue
        entry = Entry(
            phone=submission.phone,
            action=Action.GRANTED,
            source=Source.FORM,
            purpose=field.purpose,
            evidence={
                "form": form.title,
                "form_id": str(form.pk),
                "wording": field.wording,
                "wording_version": submission.version.number,
                "submission": str(submission.pk),
                "number_verified": is_proved,
                "language": submission.language,
            },
        )
        # Who has just proved the number need not be asked again whether it was them.
        take = record_consent if is_proved else take_consent
        take(form.organization, entry, ip=submission.network)


def _confirm(submission: Submission, *, definition: Definition) -> None:
    """Queue the confirmation SMS. To proved numbers only: otherwise anybody could have anybody texted.

    What keeps it from being sent is noted for the members; the submission stands either way.
    """
    form, template = submission.form, submission.form.confirmation_template
    if template is None or submission.verified_at is None:
        return
    problem = "The template of the confirmation is archived." if template.archived_at is not None else ""
    if not problem:
        values = {"form": form.title, "answer": dict(shown_answers(definition, submission.answers))}
        draft = Draft(
            to=submission.phone, contact=submission.contact, template=template, variables=values, source="form"
        )
        try:
            with transaction.atomic():
                submission.confirmation = enqueue(form.organization, draft=draft)
        except EnqueueProblem as refused:
            problem = refused.detail
    submission.confirmation_problem = problem[:300]
    submission.save(update_fields=["confirmation", "confirmation_problem"])
