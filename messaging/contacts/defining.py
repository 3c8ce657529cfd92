"""What an organization keeps about its contacts: add, change, archive. Key and type of an attribute never change."""

from collections.abc import Sequence

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone

from integrations.organizations.audit import record
from integrations.organizations.models import Organization, User

from .address_book import plain_line
from .attributes import LONGEST_CHOICE, MOST_CHOICES, MOST_DEFINITIONS, RESERVED, is_key
from .models import AttributeDefinition

SENTENCES = {
    "attribute.created": "began to keep {which} of contacts",
    "attribute.changed": "changed the attribute {which}",
    "attribute.archived": "archived the attribute {which}",
    "attribute.restored": "took the attribute {which} out of the archive",
}


class DefinitionProblem(Exception):
    """An attribute cannot be like this: the field of the form, and a sentence."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field, self.message = field, message


def define(
    organization: Organization, *, key: str, label: str, kind: str, choices: Sequence[str], actor: User, ip: str = ""
) -> AttributeDefinition:
    """Add an attribute at the end; raise DefinitionProblem for a bad or taken key, or bad choices."""
    if key in RESERVED:
        raise DefinitionProblem("key", f"{key} means something else already. Choose another name.")
    if not is_key(key):
        raise DefinitionProblem("key", "Small letters a–z, digits and _, at most 40, with a letter in front.")
    rows = AttributeDefinition.objects.filter(organization=organization)
    if rows.count() >= MOST_DEFINITIONS:
        raise DefinitionProblem("key", f"An organization has at most {MOST_DEFINITIONS} attributes.")
    last = rows.aggregate(last=Max("position"))["last"] or 0
    definition = AttributeDefinition(
        organization=organization,
        key=key,
        label=plain_line(label),
        kind=kind,
        choices=read_choices(kind, choices),
        position=last + 1,
    )
    try:
        with transaction.atomic():
            definition.save(force_insert=True)
            record(organization, actor=actor, action="attribute.created", target=definition, ip=ip)
    except IntegrityError:
        raise DefinitionProblem("key", "There is an attribute of this name, perhaps in the archive.") from None
    return definition


def redefine(
    definition: AttributeDefinition, *, label: str, choices: Sequence[str], position: int, actor: User, ip: str = ""
) -> None:
    """Change what is shown and offered; values that contacts have already stay as they are."""
    definition.label, definition.position = plain_line(label), position
    definition.choices = read_choices(definition.kind, choices)
    with transaction.atomic():
        definition.save(update_fields=["label", "choices", "position"])
        record(definition.organization, actor=actor, action="attribute.changed", target=definition, ip=ip)


def archive(definition: AttributeDefinition, *, actor: User, ip: str = "") -> None:
    """Offer an attribute no more, or again; values stay in any case."""
    is_archived = definition.archived_at is not None
    definition.archived_at = None if is_archived else timezone.now()
    with transaction.atomic():
        definition.save(update_fields=["archived_at"])
        action = "attribute.restored" if is_archived else "attribute.archived"
        record(definition.organization, actor=actor, action=action, target=definition, ip=ip)


def read_choices(kind: str, choices: Sequence[str]) -> list[str]:
    """Return the choices as they are kept, each once in any case; raise DefinitionProblem."""
    if kind != AttributeDefinition.Kind.CHOICE:
        return []
    found: dict[str, str] = {}
    for line in (plain_line(choice) for choice in choices):
        if line:
            found.setdefault(line.casefold(), line)
    kept = list(found.values())
    if not kept:
        raise DefinitionProblem("choices", "Write what can be chosen, one in a line.")
    if len(kept) > MOST_CHOICES:
        raise DefinitionProblem("choices", f"A list has at most {MOST_CHOICES} choices.")
    if any(len(choice) > LONGEST_CHOICE for choice in kept):
        raise DefinitionProblem("choices", f"A choice has at most {LONGEST_CHOICE} characters.")
    return kept
