"""Which contacts are meant: one description, as JSON for saved filters and jobs, and as a query.

The form that asks for it is in `filter_form.py`. A new condition is a field of ContactFilter, its reader in `_READ`
and a line in `_conditions`.
"""

import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from django.apps import apps
from django.db.models import Exists, OuterRef, Q, QuerySet, Value
from django.db.models.fields.json import JSONField, KeyTransform, KeyTransformIStartsWith
from django.db.models.functions import Lower, Reverse
from django.db.models.lookups import GreaterThan, LessThan

from integrations.organizations.models import Organization, as_uuid
from messaging.consent.models import OptOut

from .attributes import AttributeProblem, definitions_of, is_key, read_value
from .models import AttributeDefinition, Contact
from .search import fits, plain_query

YES, NO = "yes", "no"
_COUNTED = 10_000
_MOST_VALUES = 200
_tagged = Contact.tags.through.objects


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What an attribute is compared with: is, is_not, below, above, begins, set, unset."""

    key: str
    op: str
    value: Any = None


# Comparison → its words, and the types of attributes it makes sense for.
OPERATIONS: dict[str, tuple[str, frozenset[str]]] = {
    "is": ("is", frozenset(AttributeDefinition.Kind.values)),
    "is_not": ("is not", frozenset(AttributeDefinition.Kind.values)),
    "below": ("is below or before", frozenset({"number", "date", "moment"})),
    "above": ("is above or after", frozenset({"number", "date", "moment"})),
    "begins": ("begins with", frozenset({"text", "choice"})),
    "set": ("is filled in", frozenset(AttributeDefinition.Kind.values)),
    "unset": ("is empty", frozenset(AttributeDefinition.Kind.values)),
}


@dataclass(frozen=True, kw_only=True)
class ContactFilter:
    """Which contacts are meant; every field may be empty, and all that are not must fit.

    Dates are days of the organization's time zone, the last one included. Tags and imports are ids.
    """

    query: str = ""
    tags_any: tuple[uuid.UUID, ...] = ()
    tags_all: tuple[uuid.UUID, ...] = ()
    tags_none: tuple[uuid.UUID, ...] = ()
    countries: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    opted_out: str = ""
    consent: str = ""
    created_since: date | None = None
    created_until: date | None = None
    written_since: date | None = None
    written_until: date | None = None
    imported_in: uuid.UUID | None = None
    attributes: tuple[Comparison, ...] = ()

    @property
    def is_empty(self) -> bool:
        return self == ContactFilter()

    def as_json(self) -> dict[str, Any]:
        """Return the filled-in fields in a form that JSON takes; `from_json` reads it."""
        return {name: _plain(value) for name, value in asdict(self).items() if value not in ("", None, ())}

    @classmethod
    def from_json(cls, stored: Any) -> "ContactFilter":
        """Read what `as_json` returned; what cannot be read, as from an older version, is left out."""
        if not isinstance(stored, Mapping):
            return cls()
        known = {field.name for field in fields(cls)}
        read = {name: _READ[name](value) for name, value in stored.items() if name in known}
        return cls(**{name: value for name, value in read.items() if value is not None})


def filtered(organization: Organization, wanted: ContactFilter) -> QuerySet[Contact]:
    """Return the organization's contacts that fit, each once, in no order: the caller says which it needs."""
    rows = without_query(organization, wanted)
    query = plain_query(wanted.query)
    if query:
        rows = rows.alias(backwards=Reverse("phone"), address=Lower("email")).filter(fits(organization, query=query))
    return rows


def without_query(organization: Organization, wanted: ContactFilter) -> QuerySet[Contact]:
    """Return the contacts that fit everything but what was typed, which `search` finds page by page."""
    rows = Contact.objects.filter(organization=organization)
    needed = wanted.tags_all or (wanted.tags_any if len(wanted.tags_any) == 1 else ())
    if needed:
        # By joining: then PostgreSQL can follow the tag's members, newest first, instead of asking each contact.
        rows = rows.filter(tags=needed[0])
    for condition in _conditions(organization, wanted, joined=needed[:1]):
        rows = rows.filter(condition)
    return rows


def count_up_to(rows: QuerySet[Any], *, most: int = _COUNTED) -> tuple[int, bool]:
    """Count rows without reading them all: the number, at most `most`, and whether there are more."""
    found = len(rows.order_by().values_list("pk")[: most + 1])
    return min(found, most), found > most


def check(organization: Organization, wanted: ContactFilter) -> list[AttributeProblem]:
    """Return what is wrong with the comparisons: an attribute that is not there, a value of another type."""
    known = {definition.key: definition for definition in definitions_of(organization, with_archived=True)}
    problems = []
    for comparison in wanted.attributes:
        definition = known.get(comparison.key)
        if definition is None:
            problems.append(AttributeProblem(comparison.key, "unknown", "There is no attribute of this name."))
        elif comparison.op not in OPERATIONS or definition.kind not in OPERATIONS[comparison.op][1]:
            problems.append(
                AttributeProblem(
                    comparison.key, "bad_comparison", f"{definition.label} cannot be compared in this way."
                )
            )
        elif comparison.op not in {"set", "unset", "begins"}:
            try:
                if read_value(definition, comparison.value) is None:
                    problems.append(AttributeProblem(comparison.key, "empty", "Write what to compare with."))
            except AttributeProblem as problem:
                problems.append(problem)
    return problems


def _conditions(organization: Organization, wanted: ContactFilter, *, joined: Iterable[uuid.UUID] = ()) -> Iterable[Q]:
    for tag in wanted.tags_all:
        if tag not in joined:
            yield Q(_has_tag([tag]))
    if wanted.tags_any and not (len(wanted.tags_any) == 1 and wanted.tags_any[0] in joined):
        yield Q(_has_tag(wanted.tags_any))
    if wanted.tags_none:
        yield Q(~_has_tag(wanted.tags_none))
    if wanted.countries:
        yield Q(region__in=wanted.countries)
    if wanted.languages:
        yield Q(language__in=wanted.languages)
    if wanted.opted_out:
        standing = Exists(OptOut.objects.filter(_same_person(), ended_at=None, scope=OptOut.Scope.ORGANIZATION))
        yield Q(standing) if wanted.opted_out == YES else ~Q(standing)
    if wanted.consent and (condition := _consent_conditions.get(wanted.consent)):
        yield condition(organization)
    zone = ZoneInfo(organization.time_zone)
    if wanted.created_since:
        yield Q(created_at__gte=_first_moment(wanted.created_since, zone))
    if wanted.created_until:
        yield Q(created_at__lte=_last_moment(wanted.created_until, zone))
    if wanted.written_since:
        yield Q(Exists(_written().filter(created_at__gte=_first_moment(wanted.written_since, zone))))
    if wanted.written_until:
        yield Q(Exists(_written()))
        yield ~Q(Exists(_written().filter(created_at__gt=_last_moment(wanted.written_until, zone))))
    if wanted.imported_in:
        yield Q(imported_in=wanted.imported_in)
    if wanted.attributes:
        known = {definition.key: definition for definition in definitions_of(organization, with_archived=True)}
    for comparison in wanted.attributes:
        yield _compared(known.get(comparison.key), comparison)


# Conditions on consent, by the value of ContactFilter.consent; the room of consent adds its own.
ConsentCondition = Callable[[Organization], Q]
_consent_conditions: dict[str, ConsentCondition] = {}
_consent_words: dict[str, str] = {}


def register_consent_condition(value: str, *, words: str, condition: ConsentCondition) -> None:
    """Let contacts be chosen by what they agreed to; the condition may refer to the contact by OuterRef."""
    _consent_conditions[value], _consent_words[value] = condition, words


def consent_choices() -> list[tuple[str, str]]:
    """Return (value, words) of what can be asked about consent."""
    return list(_consent_words.items())


def _has_tag(tags: Iterable[uuid.UUID]) -> Exists:
    return Exists(_tagged.filter(contact_id=OuterRef("pk"), tag_id__in=list(tags)))


def _same_person() -> Q:
    return Q(organization=OuterRef("organization"), phone=OuterRef("phone"))


def _written() -> QuerySet[Any]:
    # By the model's name, because messages know contacts and not the other way round.
    messages = apps.get_model("messaging", "Message")
    return messages._default_manager.filter(contact=OuterRef("pk"))


def _compared(definition: AttributeDefinition | None, comparison: Comparison) -> Q:
    """Return the condition of a comparison; one that makes no sense fits nobody."""
    key, nobody = comparison.key, Q(pk=None)
    if definition is None:
        return nobody
    if comparison.op in {"set", "unset"}:
        is_set = Q(attributes__has_key=key)
        return is_set if comparison.op == "set" else ~is_set
    value_at = KeyTransform(key, "attributes")
    if comparison.op == "begins":
        return Q(KeyTransformIStartsWith(value_at, str(comparison.value or "")))
    try:
        value = read_value(definition, comparison.value)
    except AttributeProblem:
        return nobody
    if value is None or comparison.op not in OPERATIONS or definition.kind not in OPERATIONS[comparison.op][1]:
        return nobody
    if comparison.op in {"is", "is_not"}:
        is_it = Q(attributes__contains={key: value})
        return is_it if comparison.op == "is" else ~is_it
    # As JSON: numbers compare as numbers, dates, which are ISO's texts, as dates.
    compare = LessThan if comparison.op == "below" else GreaterThan
    return Q(compare(value_at, Value(value, output_field=JSONField())))


def _first_moment(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.min, zone)


def _last_moment(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.max, zone)


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return str(value) if isinstance(value, uuid.UUID | date) else value


def _text(value: Any) -> str | None:
    return plain_query(value) if isinstance(value, str) else None


def _codes(value: Any) -> tuple[str, ...] | None:
    return tuple(str(one)[:12] for one in value[:_MOST_VALUES]) if isinstance(value, list) else None


def _ids(value: Any) -> tuple[uuid.UUID, ...] | None:
    found = (as_uuid(one) for one in value[:_MOST_VALUES]) if isinstance(value, list) else ()
    return tuple(one for one in found if one is not None)


def _day(value: Any) -> date | None:
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _comparisons(value: Any) -> tuple[Comparison, ...] | None:
    rows = [row for row in value if isinstance(row, Mapping)] if isinstance(value, list) else []
    return tuple(
        Comparison(key=str(row["key"]), op=str(row.get("op", "is")), value=row.get("value"))
        for row in rows[:20]
        if is_key(str(row.get("key", "")))
    )


_READ: dict[str, Callable[[Any], Any]] = {
    "query": _text,
    "tags_any": _ids,
    "tags_all": _ids,
    "tags_none": _ids,
    "countries": _codes,
    "languages": _codes,
    "opted_out": _text,
    "consent": _text,
    "created_since": _day,
    "created_until": _day,
    "written_since": _day,
    "written_until": _day,
    "imported_in": as_uuid,
    "attributes": _comparisons,
}
