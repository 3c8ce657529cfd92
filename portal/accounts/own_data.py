"""Everything that a portal knows of one of its people, for them to take along: a ZIP with the facts and the files."""

import json
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import IO, Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import QuerySet

from messaging.consent.models import ConsentRecord, OptOut
from portal.forms.definition import Definition, DefinitionProblem, read
from portal.forms.display import shown_answer
from portal.forms.models import Submission, SubmissionFile

from .models import PortalUser
from .received import every_message_of

# Beyond this the file is written to the disk of this host, and gone when it is closed.
_IN_MEMORY = 2 * 1024 * 1024


def write_own_data(user: PortalUser) -> IO[bytes]:
    """Write the ZIP and return it, to be read from its beginning: `data.json`, and the files that were sent."""
    written = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - whoever answers with it closes it
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        facts = json.dumps(own_data(user), cls=DjangoJSONEncoder, ensure_ascii=False, indent=2)
        archive.writestr("data.json", facts)
        for name, file in _named_files(user):
            archive.writestr(name, bytes(file.content))
    written.seek(0)
    return written


def own_data(user: PortalUser) -> dict[str, Any]:
    """Return the facts, by topic. Hashes of secrets are no facts about anybody and stay out."""
    portal = user.portal
    # What was before is of an account that has ended, and maybe of somebody else who had the number then.
    since = user.registered_at or user.created_at
    return {
        "portal": {"name": portal.name, "organization": portal.organization.name},
        "profile": {
            "phone": user.phone,
            "country": user.region,
            "name": user.name,
            "language": user.language,
            "status": user.get_status_display(),
            "role": user.role.name if user.role else "",
            "has_password": bool(user.password),
            "added_at": user.created_at,
            "registered_at": user.registered_at,
            "number_since": user.number_since,
            "decided_at": user.decided_at,
            "reason_of_the_decision": user.decision_reason,
            "last_login_at": user.last_login_at,
        },
        "terms": _terms(user),
        "registration": _submission(user.submission) if user.submission else None,
        "forms": [_submission(row) for row in _sent_forms(user)],
        "consent": _consent(user),
        "opt_outs": _opt_outs(user),
        "messages": [
            {"at": row.handed_over_at or row.created_at, "to": row.phone, "text": row.body}
            for row in every_message_of(user)
        ],
        "invitations": _rows(
            user.invitations.order_by("pk"), "created_at", "source", "expires_at", "used_at", "revoked_at"
        ),
        "logins": _rows(
            user.logins.filter(at__gte=since).order_by("pk"), "at", "how", "outcome", "device", "network", "region"
        ),
        "devices": _rows(user.devices.order_by("pk"), "label", "first_seen", "last_seen"),
        "sessions": _rows(
            user.sessions.filter(begun_at__gte=since).order_by("pk"),
            "begun_at",
            "seen_at",
            "network",
            "expires_at",
            "ended_at",
        ),
        "passkeys": _rows(user.passkeys.order_by("pk"), "label", "created_at", "last_used_at"),
    }


def file_name(user: PortalUser, *, at: datetime) -> str:
    """Return what the ZIP is called; nothing of the person is in the name."""
    return f"{user.portal.slug}-my-data-{at:%Y-%m-%d}.zip"


def _terms(user: PortalUser) -> dict[str, Any] | None:
    if user.terms is None:
        return None
    return {"version": user.terms.number, "accepted_at": user.terms_at, "texts": user.terms.texts}


def _submission(row: Submission) -> dict[str, Any]:
    return {
        "form": row.form.title,
        "sent_at": row.created_at,
        "language": row.language,
        "network": row.network,
        "answers": list(_answers(row)),
    }


def _answers(row: Submission) -> Iterator[dict[str, str]]:
    try:
        definition = read(row.version.definition)
    except DefinitionProblem:
        definition = Definition()
    for asked in definition.fields:
        if text := shown_answer(asked, row.answers.get(asked.key)):
            yield {"question": asked.wording or asked.label, "answer": text}


def _sent_forms(user: PortalUser) -> Iterable[Submission]:
    """Return what was sent by forms that the person went to from the portal: the proof says so."""
    rows = Submission.objects.filter(verification_id__in=user.handovers.values("pk"))
    return rows.select_related("form", "version").order_by("pk")


def _consent(user: PortalUser) -> list[dict[str, Any]]:
    rows = ConsentRecord.objects.filter(organization=user.portal.organization_id, phone=user.phone).order_by("pk")
    kept = _rows(rows, "at", "channel", "purpose", "action", "source", "evidence")
    for row in kept:
        row["wording"] = str(row.pop("evidence").get("wording", ""))
    return kept


def _opt_outs(user: PortalUser) -> list[dict[str, Any]]:
    rows = OptOut.objects.filter(organization=user.portal.organization_id, phone=user.phone).order_by("pk")
    return _rows(rows, "channel", "scope", "source", "keyword", "started_at", "ended_at")


def _rows(rows: QuerySet[Any], *fields: str) -> list[dict[str, Any]]:
    return [dict(row) for row in rows.values(*fields)]


def _named_files(user: PortalUser) -> Iterator[tuple[str, SubmissionFile]]:
    """Yield the files, one at a time, each under a name of its own."""
    submissions = [user.submission] if user.submission else []
    for place, row in enumerate([*submissions, *_sent_forms(user)], start=1):
        for file in row.files.order_by("pk").iterator(chunk_size=1):
            yield f"files/{place}/{file.key}-{file.name}", file
