"""Who sent a form becomes a contact. Only somebody who proved the number changes what is known of it already."""

from collections.abc import Mapping
from typing import Any

from integrations.phones import parse_phone
from messaging.contacts.address_book import ContactProblem, Details, create_contact, update_contact
from messaging.contacts.attributes import definitions_of, read_values
from messaging.contacts.models import Contact

from .definition import Definition
from .models import PublicForm

_ATTRIBUTE = "attr."


def keep_contact(
    form: PublicForm,
    definition: Definition,
    answers: Mapping[str, Any],
    *,
    phone: str,
    language: str,
    is_proved: bool,
) -> Contact | None:
    """Add or update the contact of a number, in the caller's transaction, and return it."""
    organization, actor = form.organization, f"Form “{form.title}”"
    found = Contact.objects.filter(organization=organization, phone=phone).first()
    if found is None:
        details = _details(form, definition, answers, phone=phone, language=language, known=None)
        try:
            return create_contact(organization, details=details, actor=actor)
        except ContactProblem as problem:
            # Somebody became a contact at this moment, by another form or by writing to us.
            found = problem.existing
    if found is not None and is_proved:
        details = _details(form, definition, answers, phone=phone, language=language, known=found)
        update_contact(found, details=details, actor=actor)
    return found


def _details(
    form: PublicForm,
    definition: Definition,
    answers: Mapping[str, Any],
    *,
    phone: str,
    language: str,
    known: Contact | None,
) -> Details:
    given = {
        field.saves_as: answers[field.key]
        for field in definition.fields
        if field.saves_as and answers.get(field.key) not in (None, "", [])
    }
    attributes, _problems = read_values(
        definitions_of(form.organization),
        {name.removeprefix(_ATTRIBUTE): value for name, value in given.items() if name.startswith(_ATTRIBUTE)},
    )
    return Details(
        phone=parse_phone(phone, region=None, allow_magic=True),
        name=str(given.get("name") or (known.name if known else "")),
        email=str(given.get("email") or (known.email if known else "")),
        language=(known.language if known and known.language else language)[:12],
        notes=known.notes if known else "",
        attributes=attributes,
    )
