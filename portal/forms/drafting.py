"""What a visitor has entered, kept on the server until it is sent; the browser holds a secret and nothing else.

So neither the answers nor the proof of the number can be changed in between: a form with a code is drafted, proved and
sent, each step by the same secret.
"""

import hashlib
import secrets
import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Sum
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from integrations.masking import mask_ip

from .answers import KeptFile, Reading
from .file_kinds import MB
from .models import FormDraft, FormVersion, PublicForm, SubmissionFile
from .opening import FormRefused

LASTS = timedelta(hours=24)
# Bytes of files that an organization's visitors may have sent without finishing: nobody fills the disk with drafts.
MOST_WAITING = 500 * MB
_BATCH = 500


def new_secret() -> str:
    """Return a secret for one visitor's way through one form."""
    return secrets.token_urlsafe(24)


def keep_draft(form: PublicForm, *, secret: str, reading: Reading, language: str, ip: str) -> FormDraft:
    """Keep what was entered under the secret: a new draft, or other answers in the place of the first ones.

    Another number takes the proof of the former one away. What was sent meanwhile stays as it was sent: the draft is
    returned as it stands then. `ip` is kept as its network. Raise FormRefused where too many files wait already.
    """
    if form.current is None or not reading.is_good:
        raise ValueError("Only good answers to a published form are kept.")
    if reading.files and _is_full(form):
        raise FormRefused("busy", _("Very many files are being sent just now. Try again in an hour."))
    phone = reading.phone.e164 if reading.phone else ""
    with transaction.atomic():
        draft, is_new = FormDraft.objects.get_or_create(
            secret_hash=hash_secret(secret),
            defaults={
                "form": form,
                "version": form.current,
                "answers": reading.answers,
                "phone": phone,
                "language": language[:12],
                "network": mask_ip(ip) if ip else "",
                "expires_at": Now() + LASTS,
            },
        )
        # Locked against the button that sends it in another tab.
        draft = (
            FormDraft.objects.select_for_update(of=("self",))
            .select_related("form__organization", "form__current", "version", "submission")
            .get(pk=draft.pk)
        )
        if draft.form_id != form.pk:
            raise ValueError("The secret belongs to another form.")
        if draft.submission_id is not None:
            return draft
        if not is_new:
            _change(draft, version=form.current, answers=reading.answers, phone=phone)
        _keep_files(draft, reading.files)
    return draft


def _change(draft: FormDraft, *, version: FormVersion, answers: dict[str, Any], phone: str) -> None:
    """Put other answers in; they were read by the version of now, which may be a later one than the first were."""
    if draft.phone != phone:
        draft.verification_id = None
    draft.version, draft.answers, draft.phone = version, answers, phone
    draft.save(update_fields=["version", "answers", "phone", "verification_id"])
    still_there = {name for name, value in answers.items() if isinstance(value, dict)}
    draft.files.exclude(key__in=still_there).delete()


def find_draft(form: PublicForm, secret: str) -> FormDraft | None:
    """Return the draft of that secret on that form, sent or not; None for a wrong one and for one that ran out."""
    return (
        FormDraft.objects.select_related("form__organization", "form__current", "version", "submission")
        .filter(form=form, secret_hash=hash_secret(secret), expires_at__gt=Now())
        .first()
    )


def bind_verification(draft: FormDraft, verification_id: uuid.UUID) -> bool:
    """Remember which verification was begun for the draft; False where it was sent or changed its number meanwhile."""
    changed = FormDraft.objects.filter(pk=draft.pk, phone=draft.phone, submission=None).update(
        verification_id=verification_id
    )
    if changed:
        draft.verification_id = verification_id
    return bool(changed)


def forget_old_drafts() -> int:
    """Delete drafts that ran out, with their files; return how many. What was sent is not touched."""
    count = 0
    while ids := list(FormDraft.objects.filter(expires_at__lt=Now()).values_list("pk", flat=True)[:_BATCH]):
        FormDraft.objects.filter(pk__in=ids).delete()
        count += len(ids)
    return count


def _is_full(form: PublicForm) -> bool:
    waiting = SubmissionFile.objects.filter(draft__form__organization=form.organization_id)
    return (waiting.aggregate(sum=Sum("size"))["sum"] or 0) > MOST_WAITING


def _keep_files(draft: FormDraft, files: Sequence[KeptFile]) -> None:
    draft.files.filter(key__in=[file.key for file in files]).delete()
    SubmissionFile.objects.bulk_create(
        SubmissionFile(draft=draft, key=file.key, name=file.name, kind=file.kind, size=file.size, content=file.content)
        for file in files
    )


def hash_secret(secret: str) -> str:
    """Return what is kept of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()
