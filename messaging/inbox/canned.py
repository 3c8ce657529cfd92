"""Replies kept ready: written once, put into an answer with the contact's values."""

from dataclasses import dataclass

from django.db import IntegrityError, transaction

from integrations.organizations.audit import record
from integrations.organizations.models import Organization, User
from messaging.contacts.address_book import plain_line
from messaging.contacts.models import Contact
from messaging.templates.rendering import LONGEST_TEXT, TemplateProblem, clean_text, parse, preview
from messaging.templates.variables import contact_values

from .models import CannedReply

SENTENCES = {
    "canned_reply.created": "wrote the canned reply “{which}”",
    "canned_reply.changed": "changed the canned reply “{which}”",
    "canned_reply.deleted": "deleted the canned reply “{which}”",
}
MOST = 200
_LONGEST_NAME = 60


class CannedProblem(Exception):
    """A canned reply that cannot be kept; `field` names what is wrong, the text is for people."""

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(detail)
        self.field, self.detail = field, detail


@dataclass(frozen=True)
class Filled:
    """A canned reply with the contact's values; what is missing stands there as `{{ name }}`, to be filled in."""

    reply: CannedReply
    text: str


def save_reply(
    organization: Organization, *, reply: CannedReply | None = None, name: str, body: str, actor: User, ip: str = ""
) -> CannedReply:
    """Keep a new reply or change one, and return it; raise CannedProblem."""
    name, body = _clean_name(name), _clean_body(body)
    action = "changed" if reply else "created"
    if reply is None and CannedReply.objects.filter(organization=organization).count() >= MOST:
        raise CannedProblem("name", f"There are {MOST} canned replies, which is the most. Delete one first.")
    row = reply or CannedReply(organization=organization)
    row.name, row.body = name, body
    try:
        with transaction.atomic():
            row.save()
            record(organization, actor=actor, action=f"canned_reply.{action}", target=row, ip=ip)
    except IntegrityError:
        raise CannedProblem("name", f"Another canned reply is called “{name}”. Choose another name.") from None
    return row


def delete_reply(reply: CannedReply, *, actor: User, ip: str = "") -> None:
    """Delete a canned reply; what was sent with it stays."""
    with transaction.atomic():
        record(reply.organization, actor=actor, action="canned_reply.deleted", target=reply, ip=ip)
        reply.delete()


def fill(reply: CannedReply, *, contact: Contact | None, organization: Organization) -> Filled:
    """Return the reply as it would read to this contact."""
    try:
        chunks = preview(parse(reply.body), contact_values(contact, organization))
    except TemplateProblem:
        return Filled(reply, reply.body)
    return Filled(reply, "".join(chunk.text for chunk in chunks))


def _clean_name(name: str) -> str:
    name = plain_line(name)
    if not name:
        raise CannedProblem("name", "Give it a name, to find it by.")
    if len(name) > _LONGEST_NAME:
        raise CannedProblem("name", f"A name has at most {_LONGEST_NAME} characters.")
    return name


def _clean_body(body: str) -> str:
    body = clean_text(body).strip()
    if not body:
        raise CannedProblem("body", "Write the text.")
    if len(body) > LONGEST_TEXT:
        raise CannedProblem("body", f"The text has {len(body):,} characters; Twilio takes at most {LONGEST_TEXT:,}.")
    try:
        parse(body)
    except TemplateProblem as problem:
        raise CannedProblem("body", str(problem)) from problem
    return body
