"""Keeping contacts: create, change, delete, tag. Each change a member makes is in the audit log, numbers masked."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction

from integrations.masking import mask_email, mask_phone
from integrations.organizations.audit import record
from integrations.organizations.models import Organization, User
from integrations.phones import Phone, guess_time_zone
from messaging.consent.opt_outs import STOP_TAG, refresh_stop_tag

from .attributes import changed as changed_attributes
from .models import Contact, Tag
from .tagging import give_tags
from .telling import tell_changed, tell_created

SENTENCES = {
    "contact.created": "added the contact {which}",
    "contact.changed": "changed the contact {which}",
    "contact.deleted": "deleted the contact {which}",
    "contact.tagged": "tagged {which} with {tag}",
    "contact.untagged": "took the tag {tag} from {which}",
}
MOST_TAGS = 50
_LONGEST_TAG = Tag._meta.get_field("name").max_length or 60


class ContactProblem(Exception):
    """A change that cannot be made: a stable `code`, a sentence for people, the field, and who is in the way."""

    def __init__(self, code: str, detail: str, *, field: str = "", existing: Contact | None = None) -> None:
        super().__init__(detail)
        self.code, self.detail, self.field, self.existing = code, detail, field, existing


@dataclass(frozen=True, kw_only=True)
class Details:
    """What a member enters about a contact.

    A time zone of None is the number's, as long as nobody chose another. `attributes` are values that
    `attributes.read_values` has read; those that are not named stay as they are.
    """

    phone: Phone
    name: str = ""
    email: str = ""
    language: str = ""
    notes: str = ""
    time_zone: str | None = None
    attributes: Mapping[str, Any] | None = None

    def as_fields(self, contact: Contact | None = None) -> dict[str, Any]:
        """Return the values of the fields of the contact, which may be a new one."""
        return {
            "phone": self.phone.e164,
            "region": self.phone.region[:3],
            "name": plain_line(self.name)[:150],
            "email": self.email,
            "language": self.language,
            "notes": self.notes,
            "time_zone": self._zone(contact),
            "attributes": changed_attributes(contact.attributes if contact else {}, self.attributes or {}),
        }

    def _zone(self, contact: Contact | None) -> str:
        if self.time_zone is not None:
            return self.time_zone
        if contact is not None and contact.time_zone != guess_time_zone(contact.phone):
            return contact.time_zone
        return guess_time_zone(self.phone.e164)


def create_contact(organization: Organization, *, details: Details, actor: User | str, ip: str = "") -> Contact:
    """Add a contact; raise ContactProblem where the number has one. The same form sent twice adds one contact."""
    fields = details.as_fields()
    try:
        with transaction.atomic():
            contact = Contact.objects.create(organization=organization, **fields)
            refresh_stop_tag(organization, phone=contact.phone)
            record(
                organization,
                actor=actor,
                action="contact.created",
                target=contact,
                changes={"phone": mask_phone(contact.phone)},
                ip=ip,
            )
            tell_created(organization.pk, [contact], source="system" if isinstance(actor, str) else "member")
    except IntegrityError:
        existing = Contact.objects.filter(organization=organization, phone=details.phone.e164).first()
        if existing is not None and all(getattr(existing, name) == value for name, value in fields.items()):
            return existing
        raise _taken(existing) from None
    return contact


def update_contact(contact: Contact, *, details: Details, actor: User | str, ip: str = "") -> list[str]:
    """Change a contact and return the names of the fields that changed; raise ContactProblem for a taken number."""
    fields = details.as_fields(contact)
    changed = [name for name, value in fields.items() if getattr(contact, name) != value]
    if not changed:
        return []
    changes = {name: _masked(name, getattr(contact, name), fields[name]) for name in changed if name != "region"}
    former = {name: getattr(contact, name) for name in changed}
    for name in changed:
        setattr(contact, name, fields[name])
    try:
        with transaction.atomic():
            contact.save(update_fields=[*changed, "updated_at"])
            if "phone" in former:
                # Opt-outs belong to the number, not to the person behind it.
                refresh_stop_tag(contact.organization, phone=contact.phone)
            record(contact.organization, actor=actor, action="contact.changed", target=contact, changes=changes, ip=ip)
            tell_changed(contact.organization_id, [(contact, former)])
    except IntegrityError:
        existing = Contact.objects.filter(organization=contact.organization, phone=details.phone.e164).first()
        raise _taken(existing) from None
    return changed


def delete_contact(contact: Contact, *, actor: User | str, ip: str = "") -> None:
    """Delete a contact; messages keep their history and opt-outs stay in force, because both hang on the number."""
    with transaction.atomic():
        record(
            contact.organization,
            actor=actor,
            action="contact.deleted",
            target=contact,
            changes={"phone": mask_phone(contact.phone)},
            ip=ip,
        )
        contact.delete()


def add_tag(contact: Contact, *, name: str, actor: User | str, ip: str = "") -> Tag:
    """Tag a contact, with the tag of that name in any case or a new one; raise ContactProblem for a bad name."""
    name = read_tag_name(name)
    if contact.tags.count() >= MOST_TAGS:
        raise ContactProblem("too_many", f"A contact has at most {MOST_TAGS} tags.", field="name")
    with transaction.atomic():
        tag = Tag.objects.filter(organization=contact.organization, name__iexact=name).first()
        if tag is None:
            tag, _ = Tag.objects.get_or_create(organization=contact.organization, name=name)
        if give_tags([(contact.pk, tag.pk)]):
            record(
                contact.organization,
                actor=actor,
                action="contact.tagged",
                target=contact,
                changes={"tag": tag.name},
                ip=ip,
            )
    return tag


def read_tag_name(name: str) -> str:
    """Return the name of a tag as it is kept; raise ContactProblem for one that members cannot give."""
    name = plain_line(name)
    if not name:
        raise ContactProblem("empty", "Write the tag first.", field="name")
    if len(name) > _LONGEST_TAG:
        raise ContactProblem("too_long", f"A tag has at most {_LONGEST_TAG} characters.", field="name")
    if name.casefold() == STOP_TAG.casefold():
        raise ContactProblem("reserved", f"{STOP_TAG} follows the opt-outs: opt the contact out instead.", field="name")
    return name


def remove_tag(contact: Contact, *, tag: Tag, actor: User | str, ip: str = "") -> None:
    """Take a tag from a contact; raise ContactProblem for the tag that follows the opt-outs."""
    if tag.name == STOP_TAG:
        raise ContactProblem("reserved", f"{STOP_TAG} goes by itself when the opt-out ends.", field="name")
    with transaction.atomic():
        if contact.tags.filter(pk=tag.pk).exists():
            contact.tags.remove(tag)
            record(
                contact.organization,
                actor=actor,
                action="contact.untagged",
                target=contact,
                changes={"tag": tag.name},
                ip=ip,
            )


def set_tags(contact: Contact, *, names: Sequence[str], actor: User | str, ip: str = "") -> None:
    """Give a contact these tags and no others, but for the one that follows the opt-outs; raise ContactProblem."""
    wanted = {name.casefold(): name for name in names}
    with transaction.atomic():
        for tag in contact.tags.exclude(name=STOP_TAG):
            if wanted.pop(tag.name.casefold(), None) is None:
                remove_tag(contact, tag=tag, actor=actor, ip=ip)
        for name in wanted.values():
            add_tag(contact, name=name, actor=actor, ip=ip)


def plain_line(text: str) -> str:
    """Return the text as one line without signs that cannot be seen or that turn the reading direction.

    Joiners stay: Indic and Persian names need them.
    """
    kept = (sign for sign in text if unicodedata.category(sign) not in {"Cf", "Cs"} or sign in "\u200c\u200d")
    spaced = "".join(" " if unicodedata.category(sign) == "Cc" else sign for sign in kept)
    return " ".join(spaced.split())


def _taken(existing: Contact | None) -> ContactProblem:
    whose = f"{existing.name} has" if existing is not None and existing.name else "Another contact has"
    return ContactProblem("duplicate", f"{whose} this number already.", field="phone", existing=existing)


def _masked(name: str, old: Any, new: Any) -> Any:
    if name == "phone":
        return [mask_phone(old), mask_phone(new)]
    if name == "email":
        return [mask_email(old) if old else "", mask_email(new) if new else ""]
    if name in {"notes", "attributes"}:
        return "changed"
    return [old, new]
