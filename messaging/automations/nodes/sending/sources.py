"""Whom a step writes to: each kind of recipients is a source in a registry, read in slices.

Rooms, and the portal wing above, register theirs from `AppConfig.ready()`.
"""

import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.db.models import QuerySet

from integrations.organizations.models import Organization, as_uuid
from integrations.phones import PhoneProblem, parse_phone
from messaging.automations.base import NodeFailed, Scope, Settings, Step
from messaging.automations.fields import Type, fill_in, look_up
from messaging.automations.nodes.picking import (
    choice,
    known_fields,
    label_of,
    name_in,
    saved_filters,
    shown_when,
    tags,
    text_with_variables,
)
from messaging.contacts.filters import ContactFilter, filtered
from messaging.contacts.models import Contact, SavedFilter, Tag

MOST = 100_000
MOST_TYPED = 50
_BETWEEN_NUMBERS = re.compile(r"[,;\n]+")


@dataclass(frozen=True)
class Recipient:
    """Somebody to write to: a number in any writing, and the contact who has it, where the source knows."""

    to: str
    contact: Contact | None = None
    name: str = ""


@dataclass(frozen=True)
class Slice:
    """Recipients in order; `cursor` leads behind the last one, "" where there are no more."""

    recipients: list[Recipient]
    cursor: str = ""


class Source:
    """One way to say who gets something. `is_one` is one that is one person by its nature: a failure is the step's.

    `fields` are the fields of the form that belong to it, by name; each shows itself while the source is chosen.
    """

    key: ClassVar[str]
    title: ClassVar[str]
    is_one: ClassVar[bool] = False

    def is_offered(self, scope: Scope) -> bool:
        """Tell whether it makes sense where the step stands."""
        return True

    def fields(self, scope: Scope) -> Mapping[str, forms.Field]:
        """Return the form's fields."""
        return {}

    def problems(self, scope: Scope, settings: Settings) -> Iterable[tuple[str, str]]:
        """Say what is missing: field and sentence."""
        return ()

    def describe(self, scope: Scope, settings: Settings) -> str:
        """Say who it is, as it goes into "Send an SMS to …"."""
        return self.title

    def is_for_one(self, step: Step) -> bool:
        """Tell whether it is one person this time."""
        return self.is_one

    def count(self, step: Step) -> int:
        """Return how many there are, at most one more than MOST. Raise NodeFailed where nobody can say."""
        return 1

    def read(self, step: Step, *, after: str, until: datetime, most: int) -> Slice:
        """Return the next ones behind a cursor, of those that were there at `until`."""
        raise NotImplementedError

    def note(self, step: Step) -> str:
        """Say who was left out, and what to do about it, for the run's page; "" where nobody was."""
        return ""


_sources: dict[str, Source] = {}


def register_sources(sources: Iterable[Source]) -> None:
    """Offer further recipients."""
    _sources.update({source.key: source for source in sources})


def every_source() -> list[Source]:
    """Return all sources in the order of their registration."""
    return list(_sources.values())


def source_of(key: object) -> Source | None:
    """Return a source by its key."""
    return _sources.get(str(key))


class ContactSource(Source):
    """Who set the automation off."""

    key, title, is_one = "contact", "The contact of the trigger", True

    def is_offered(self, scope: Scope) -> bool:
        return scope.has_contact

    def problems(self, scope: Scope, settings: Settings) -> Iterable[tuple[str, str]]:
        if not scope.has_contact:
            yield "to", "This trigger brings no contact. Choose other recipients."

    def read(self, step: Step, *, after: str, until: datetime, most: int) -> Slice:
        return Slice([the_contact(step)])


class FieldSource(Source):
    """A number that the trigger, or an earlier step, brings."""

    key, title, is_one = "field", "A number that the trigger or an earlier step brings", True

    def fields(self, scope: Scope) -> Mapping[str, forms.Field]:
        offered = known_fields(scope, Type.PHONE)
        gone = "This field is not known here any more. Choose another one."
        return {"field": choice("Field with the number", offered, empty="Choose a field", gone=gone, when="to=field")}

    def problems(self, scope: Scope, settings: Settings) -> Iterable[tuple[str, str]]:
        if not settings.get("field"):
            yield "field", "Choose the field that holds the number."

    def describe(self, scope: Scope, settings: Settings) -> str:
        return f"the number in “{label_of(scope, str(settings.get('field', '')))}”"

    def read(self, step: Step, *, after: str, until: datetime, most: int) -> Slice:
        return Slice([Recipient(number_in(step, str(step.settings.get("field", ""))))])


class TypedSource(Source):
    """Numbers that somebody wrote into the step."""

    key, title = "typed", "Numbers you type"

    def fields(self, scope: Scope) -> Mapping[str, forms.Field]:
        field = text_with_variables(
            "Numbers", rows=2, when="to=typed", help_text="With country code, one a line or with commas between."
        )
        return {"numbers": field}

    def problems(self, scope: Scope, settings: Settings) -> Iterable[tuple[str, str]]:
        typed = _split(str(settings.get("numbers", "")))
        if not typed:
            yield "numbers", "Write at least one number."
        elif len(typed) > MOST_TYPED:
            yield "numbers", f"At most {MOST_TYPED} numbers can be typed. Tag contacts, and choose the tag."
        for one in typed:
            if "{{" not in one:
                try:
                    parse_phone(one, region=scope.organization.default_region, allow_magic=True)
                except PhoneProblem as problem:
                    yield "numbers", f"{one}: {problem.message}"

    def describe(self, scope: Scope, settings: Settings) -> str:
        typed = _split(str(settings.get("numbers", "")))
        return typed[0] if len(typed) == 1 else f"{len(typed)} numbers"

    def is_for_one(self, step: Step) -> bool:
        return self.count(step) == 1

    def count(self, step: Step) -> int:
        return len(self._numbers(step))

    def read(self, step: Step, *, after: str, until: datetime, most: int) -> Slice:
        return Slice([Recipient(number) for number in self._numbers(step)])

    def _numbers(self, step: Step) -> list[str]:
        found = _split(fill_in(str(step.settings.get("numbers", "")), step.values))
        if not found:
            raise NodeFailed("no_number", "The step's numbers are empty this time. See what the trigger brought.")
        return found[: MOST_TYPED * 2]


class _ManyContacts(Source):
    """Contacts in the order of their ids."""

    def rows(self, organization: Organization, settings: Settings) -> QuerySet[Contact] | None:
        """Return who is meant, None where what says so is gone."""
        raise NotImplementedError

    def count(self, step: Step) -> int:
        return len(self._rows(step).order_by().values_list("pk")[: MOST + 1])

    def read(self, step: Step, *, after: str, until: datetime, most: int) -> Slice:
        rows = self._rows(step).filter(created_at__lte=until).order_by("id")
        if after:
            rows = rows.filter(id__gt=uuid.UUID(after))
        found = list(rows[:most])
        recipients = [Recipient(contact.phone, contact, contact.name) for contact in found]
        return Slice(recipients, str(found[-1].pk) if len(found) == most else "")

    def _rows(self, step: Step) -> QuerySet[Contact]:
        rows = self.rows(step.organization, step.settings)
        if rows is None:
            raise NodeFailed(
                "recipients_gone", f"{self.title}: what was chosen was deleted. Choose recipients anew, and publish."
            )
        return rows


class TagSource(_ManyContacts):
    """Everybody with a tag, at the moment the step is done."""

    key, title = "tag", "Contacts with a tag"

    def fields(self, scope: Scope) -> Mapping[str, forms.Field]:
        gone = "This tag was deleted. Choose another one."
        return {"tag": choice("Tag", tags(scope), empty="Choose a tag", gone=gone, when="to=tag")}

    def problems(self, scope: Scope, settings: Settings) -> Iterable[tuple[str, str]]:
        if not settings.get("tag"):
            yield "tag", "Choose the tag."

    def describe(self, scope: Scope, settings: Settings) -> str:
        return f"contacts tagged {name_in(tags(scope), settings.get('tag')) or '…'}"

    def rows(self, organization: Organization, settings: Settings) -> QuerySet[Contact] | None:
        key = as_uuid(settings.get("tag"))
        tag = Tag.objects.filter(organization=organization, pk=key).first() if key else None
        return Contact.objects.filter(organization=organization, tags=tag) if tag else None


class FilterSource(_ManyContacts):
    """Everybody who fits a saved filter, as the filter is at the moment the step is done."""

    key, title = "filter", "Contacts of a saved filter"

    def fields(self, scope: Scope) -> Mapping[str, forms.Field]:
        gone = "This filter was deleted. Choose another one."
        offered = saved_filters(scope)
        return {"filter": choice("Saved filter", offered, empty="Choose a filter", gone=gone, when="to=filter")}

    def problems(self, scope: Scope, settings: Settings) -> Iterable[tuple[str, str]]:
        if not settings.get("filter"):
            yield "filter", "Choose the saved filter."

    def describe(self, scope: Scope, settings: Settings) -> str:
        return f"contacts of the filter {name_in(saved_filters(scope), settings.get('filter')) or '…'}"

    def rows(self, organization: Organization, settings: Settings) -> QuerySet[Contact] | None:
        key = as_uuid(settings.get("filter"))
        saved = SavedFilter.objects.filter(organization=organization, pk=key).first() if key else None
        return filtered(organization, ContactFilter.from_json(saved.wanted)) if saved else None


def the_contact(step: Step) -> Recipient:
    """Return who set the run off; raise NodeFailed where that is nobody, or nobody any more."""
    if step.contact is not None:
        return Recipient(step.contact.phone, step.contact, step.contact.name)
    if step.run.phone and not step.run.data.get("had_contact"):
        return Recipient(step.run.phone)  # somebody who is no contact, like who writes for the first time
    if step.run.data.get("had_contact"):
        raise NodeFailed(
            "contact_gone", "The contact was deleted or erased meanwhile, so there is nobody left to write to."
        )
    raise NodeFailed(
        "no_contact", "What set the automation off brought no contact and no number. Choose other recipients."
    )


def number_in(step: Step, path: str) -> str:
    """Return the number in a field; raise NodeFailed where there is none."""
    value = look_up(step.values, path)
    if value in (None, "") or isinstance(value, Mapping | bool):
        raise NodeFailed(
            "no_number",
            f"There was no number in {path}. See that what sets the automation off brings it; then try again.",
        )
    return str(value)


def recipient_fields(scope: Scope) -> dict[str, Any]:
    """Return the fields of a form that asks for recipients: `to`, and those of every source."""
    sources = [source for source in every_source() if source.is_offered(scope)]
    to = forms.ChoiceField(
        label="To",
        choices=[(source.key, source.title) for source in sources],
        initial=sources[0].key,
        error_messages={
            "invalid_choice": "These recipients cannot be had here. Choose others.",
            "required": "Choose who.",
        },
    )
    made: dict[str, Any] = {"to": to}
    for source in sources:
        for name, field in source.fields(scope).items():
            made[name] = shown_when(field, f"to={source.key}")
    return made


def forget_other_sources(settings: dict[str, Any], scope: Scope) -> dict[str, Any]:
    """Return settings without the fields of sources that were not chosen."""
    chosen = source_of(settings.get("to"))
    kept = set(chosen.fields(scope)) if chosen is not None else set()
    others = {name for source in every_source() for name in source.fields(scope)} - kept
    return {name: value for name, value in settings.items() if name not in others}


def _split(text: str) -> list[str]:
    """Return the numbers of a text, each once; what stands in braces is never torn apart."""
    pieces = [piece.strip() for piece in _BETWEEN_NUMBERS.split(re.sub(r"\{\{.*?\}\}", _without_commas, text))]
    return list(dict.fromkeys(piece.replace("\x1f", ",").replace("\x1e", ";") for piece in pieces if piece))


def _without_commas(found: re.Match[str]) -> str:
    return found[0].replace(",", "\x1f").replace(";", "\x1e")


OWN = (ContactSource(), FieldSource(), TypedSource(), TagSource(), FilterSource())
