"""The form that asks which contacts are meant, and a filter in words."""

import uuid
from collections.abc import Iterator
from typing import Any

from django import forms

from integrations.organizations.models import Organization
from integrations.organizations.places import languages, regions
from integrations.phones import region_name
from messaging.contact_files.models import ContactImport

from .attributes import definitions_of, shown
from .filters import NO, OPERATIONS, YES, Comparison, ContactFilter, check, consent_choices
from .models import Tag
from .search import plain_query
from .selectors import tags_of

ROWS = 3  # comparisons of attributes at once
_DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
_LISTS = ("tags_any", "tags_all", "tags_none", "countries", "languages")
_DAYS = {
    "created_since": "Added since", "created_until": "Added until",
    "written_since": "Last message since", "written_until": "Last message until",
}  # fmt: skip


class SearchField(forms.CharField):
    """What somebody searches for: anything can be asked, and what no name or number has is left out of it."""

    default_validators = []

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.validators = []

    def to_python(self, value: Any) -> str:
        return plain_query(str(value or ""))


class FilterForm(forms.Form):
    """Every condition of a ContactFilter; `wanted` is the filter once the form is valid."""

    q = SearchField(label="Search", required=False)
    tags_any = forms.MultipleChoiceField(label="Any of these tags", required=False)
    tags_all = forms.MultipleChoiceField(label="All of these tags", required=False)
    tags_none = forms.MultipleChoiceField(label="None of these tags", required=False)
    countries = forms.MultipleChoiceField(label="Country", required=False)
    languages = forms.MultipleChoiceField(label="Language", required=False)
    opted_out = forms.ChoiceField(
        label="Opted out", required=False, choices=[("", "Either"), (YES, "Opted out"), (NO, "Not opted out")]
    )
    consent = forms.ChoiceField(label="Consent", required=False)
    imported_in = forms.ChoiceField(label="Imported by", required=False)
    created_since = forms.DateField(label=_DAYS["created_since"], required=False, widget=_DAY)
    created_until = forms.DateField(label=_DAYS["created_until"], required=False, widget=_DAY)
    written_since = forms.DateField(label=_DAYS["written_since"], required=False, widget=_DAY)
    written_until = forms.DateField(label=_DAYS["written_until"], required=False, widget=_DAY)

    def __init__(self, data: Any = None, *, organization: Organization, shows: ContactFilter | None = None) -> None:
        shows = shows or ContactFilter()
        super().__init__(data, initial=_initial(shows))
        self.organization, self.wanted = organization, shows
        tags = [(str(tag.pk), tag.name) for tag in tags_of(organization)[:500]]
        self.has_tags = bool(tags)
        self._offer("tags_any", tags)
        self._offer("tags_all", tags)
        self._offer("tags_none", tags)
        self._offer("countries", [(code, name.rpartition(" (")[0]) for code, name in regions()])
        self._offer("languages", languages())
        self._offer("consent", [("", "Either"), *consent_choices()])
        self._offer("imported_in", [("", "Any way"), *_imports(organization)])
        self.definitions = definitions_of(organization)
        offered = [("", "—"), *((one.key, one.label) for one in self.definitions)]
        for number in range(1, ROWS + 1 if self.definitions else 1):
            self.fields[f"key_{number}"] = forms.ChoiceField(label="Attribute", required=False, choices=offered)
            self.fields[f"op_{number}"] = forms.ChoiceField(
                label="Comparison", required=False, choices=[(op, words) for op, (words, _) in OPERATIONS.items()]
            )
            self.fields[f"value_{number}"] = forms.CharField(label="Value", required=False, max_length=500)

    def _offer(self, name: str, choices: list[tuple[str, str]]) -> None:
        self.fields[name].choices = choices  # type: ignore[attr-defined]

    def comparison_rows(self) -> list[list[forms.BoundField]]:
        """Return the fields of the comparisons, row by row."""
        numbers = range(1, ROWS + 1 if self.definitions else 1)
        return [[self[f"{part}_{number}"] for part in ("key", "op", "value")] for number in numbers]

    def clean(self) -> None:
        data = self.cleaned_data
        comparisons = []
        for number in range(1, ROWS + 1 if self.definitions else 1):
            if key := data.get(f"key_{number}"):
                value = data.get(f"value_{number}") or None
                comparison = Comparison(key=key, op=data.get(f"op_{number}") or "is", value=value)
                for problem in check(self.organization, ContactFilter(attributes=(comparison,))):
                    self.add_error(f"value_{number}", problem.message)
                comparisons.append(comparison)
        for since, until in (("created_since", "created_until"), ("written_since", "written_until")):
            if data.get(since) and data.get(until) and data[since] > data[until]:
                self.add_error(until, "This day lies before the other one.")
        lists: dict[str, Any] = {name: tuple(uuid.UUID(one) for one in data.get(name, ())) for name in _LISTS[:3]}
        days: dict[str, Any] = {name: data.get(name) for name in _DAYS}
        self.wanted = ContactFilter(
            query=data.get("q", ""),
            **lists,
            countries=tuple(data.get("countries", ())),
            languages=tuple(data.get("languages", ())),
            opted_out=data.get("opted_out", ""),
            consent=data.get("consent", ""),
            imported_in=uuid.UUID(data["imported_in"]) if data.get("imported_in") else None,
            attributes=tuple(comparisons),
            **days,
        )

    def all_errors(self) -> list[str]:
        """Return every error with its field's name, for a place where the fields are not in sight."""
        return [
            f"{self[name].label if name in self.fields else ''}: {' '.join(str(error) for error in errors)}"
            for name, errors in self.errors.items()
        ]


def in_words(organization: Organization, wanted: ContactFilter) -> list[str]:
    """Return the conditions of a filter as people read them, but for what was typed into the search."""
    return list(_words(organization, wanted))


def _words(organization: Organization, wanted: ContactFilter) -> Iterator[str]:
    ids = {*wanted.tags_all, *wanted.tags_any, *wanted.tags_none}
    names = dict(Tag.objects.filter(organization=organization, pk__in=ids).values_list("pk", "name")) if ids else {}

    def named(tags: tuple[uuid.UUID, ...], joint: str) -> str:
        return joint.join(names.get(tag, "a tag that is gone") for tag in tags)

    if wanted.tags_all:
        yield f"tagged {named(wanted.tags_all, ' and ')}"
    if wanted.tags_any:
        yield f"tagged {named(wanted.tags_any, ' or ')}"
    if wanted.tags_none:
        yield f"not tagged {named(wanted.tags_none, ' or ')}"
    if wanted.countries:
        yield f"in {' or '.join(region_name(code) for code in wanted.countries)}"
    if wanted.languages:
        known = dict(languages())
        yield f"speaking {' or '.join(known.get(code, code) for code in wanted.languages)}"
    if wanted.opted_out:
        yield "opted out" if wanted.opted_out == YES else "not opted out"
    if wanted.consent:
        yield dict(consent_choices()).get(wanted.consent, "with a consent that nobody knows any more").lower()
    if wanted.imported_in:
        yield "from one import"
    for name, label in _DAYS.items():
        if day := getattr(wanted, name):
            yield f"{label.lower()} {day:%Y-%m-%d}"
    labels = {one.key: one for one in definitions_of(organization, with_archived=True)}
    for comparison in wanted.attributes:
        definition = labels.get(comparison.key)
        label = definition.label if definition else comparison.key
        value = shown(definition, comparison.value) if definition and comparison.value is not None else ""
        yield f"{label} {OPERATIONS[comparison.op][0] if comparison.op in OPERATIONS else ''} {value}".strip()


def _initial(wanted: ContactFilter) -> dict[str, Any]:
    initial: dict[str, Any] = {name: [str(one) for one in getattr(wanted, name)] for name in _LISTS}
    initial |= {name: getattr(wanted, name) for name in ("opted_out", "consent", *_DAYS)}
    initial["q"] = wanted.query
    initial["imported_in"] = str(wanted.imported_in or "")
    for number, comparison in enumerate(wanted.attributes[:ROWS], start=1):
        value = {"True": "yes", "False": "no", "None": ""}.get(str(comparison.value), comparison.value)
        initial |= {f"key_{number}": comparison.key, f"op_{number}": comparison.op, f"value_{number}": value}
    return initial


def _imports(organization: Organization) -> list[tuple[str, str]]:
    rows = ContactImport.objects.filter(organization=organization, kind=ContactImport.Kind.CONTACTS, job__isnull=False)
    return [(str(row.job_id), f"{row.file_name[:60]}, {row.created_at:%Y-%m-%d}") for row in rows.order_by("-id")[:20]]
