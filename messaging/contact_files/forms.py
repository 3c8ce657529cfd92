"""Forms of the import: what the columns hold, and what is to happen with everybody in the file."""

from typing import Any

from django import forms

from integrations.organizations.models import Organization
from integrations.organizations.places import regions
from messaging.consent.models import ConsentPurpose
from messaging.consent.opt_outs import STOP_TAG
from messaging.contacts.address_book import plain_line
from messaging.csv_files.columns import FieldSpec, guess_columns
from messaging.csv_files.forms import MappingForm, UploadField
from messaging.csv_files.inspection import Inspection

from .drafts import CONSENT, LONGEST_TAG, MOST_TAGS
from .fields import CONSENT_NAMES, import_fields
from .models import ContactImport
from .options import BY_COLUMN, EVERYBODY, NOBODY, SKIP, UPDATE, tag_of_today


class StartForm(forms.Form):
    """The file, and what stands in it."""

    kind = forms.ChoiceField(
        label="What stands in the file",
        choices=[
            (ContactImport.Kind.CONTACTS, "Contacts: people to add, or to bring up to date"),
            (ContactImport.Kind.OPT_OUTS, "Opt-outs: numbers that must not be written to any more"),
        ],
        initial=ContactImport.Kind.CONTACTS,
        widget=forms.RadioSelect,
    )
    file = UploadField()


class ImportForm(MappingForm):
    """Which column holds what, and the decisions about all rows; of opt-outs only the number and its country."""

    existing = forms.ChoiceField(
        label="Who is in your contacts already",
        choices=[
            (UPDATE, "is brought up to date: what the file says replaces what stands; an empty cell changes nothing"),
            (SKIP, "stays as it is; only opt-outs and consent that was taken back are recorded"),
        ],
        initial=UPDATE,
        widget=forms.RadioSelect,
    )
    region = forms.ChoiceField(
        label="Numbers without + are numbers of", help_text="As the people in the file would dial each other."
    )
    tags = forms.CharField(
        label="Tags for everybody in the file",
        required=False,
        max_length=500,
        help_text="Several with commas between them. By the tag you find them again, and can undo what was wrong.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    agreed = forms.ChoiceField(
        label="Did these people agree to be written to?",
        choices=[
            (NOBODY, "Not known. No consent is recorded, so no marketing is sent to them"),
            (EVERYBODY, "Yes, everybody in this file did"),
            (BY_COLUMN, "It stands in a column: yes, no, or empty"),
        ],
        initial=NOBODY,
        widget=forms.RadioSelect,
    )
    purpose = forms.ChoiceField(
        label="To what",
        required=False,
        choices=[
            (ConsentPurpose.MARKETING, ConsentPurpose.MARKETING.label),
            (ConsentPurpose.TRANSACTIONAL, ConsentPurpose.TRANSACTIONAL.label),
        ],
        initial=ConsentPurpose.MARKETING,
    )
    consent_column = forms.ChoiceField(
        label="Column with the consent", required=False, help_text="“No” takes back a consent that stands."
    )
    wording = forms.CharField(
        label="Where and by which words they agreed",
        required=False,
        max_length=300,
        help_text="Kept with each record as its proof, beside the name and the SHA-256 of the file and the row.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(
        self,
        *args: Any,
        organization: Organization,
        inspection: Inspection,
        kind: str,
        stored: Any = None,
        **kwargs: Any,
    ) -> None:
        fields = import_fields(organization, kind=kind)
        initial = {f"column_{key}": str(column) for key, column in inspection.guess.items()}
        consent = guess_columns(
            inspection.header, [], fields=[FieldSpec(key=CONSENT, label="Consent", names=CONSENT_NAMES)]
        )
        initial |= {"region": organization.default_region, "tags": tag_of_today(organization)}
        initial["consent_column"] = str(consent.get(CONSENT, ""))
        super().__init__(*args, inspection=inspection, fields=fields, initial=initial | (stored or {}), **kwargs)
        self.fields["region"].choices = regions()  # type: ignore[attr-defined]
        self.fields["consent_column"].choices = [  # type: ignore[attr-defined]
            ("", "Choose a column"),
            *((str(number), name) for number, name in enumerate(inspection.header)),
        ]
        if kind == ContactImport.Kind.OPT_OUTS:
            for name in ("existing", "tags", "agreed", "purpose", "consent_column", "wording"):
                del self.fields[name]

    def clean_tags(self) -> list[str]:
        names = list(dict.fromkeys(filter(None, map(plain_line, self.cleaned_data["tags"].split(",")))))
        if len(names) > MOST_TAGS or any(len(name) > LONGEST_TAG for name in names):
            raise forms.ValidationError(f"At most {MOST_TAGS} tags, each of at most {LONGEST_TAG} characters.")
        if any(name.casefold() == STOP_TAG.casefold() for name in names):
            raise forms.ValidationError(f"{STOP_TAG} follows the opt-outs. Import a list of opt-outs instead.")
        return names

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        agreed = cleaned.get("agreed", NOBODY)
        if agreed != NOBODY and not plain_line(cleaned.get("wording", "")):
            self.add_error("wording", "Write where they agreed and to what: without it the consent proves nothing.")
        if agreed == BY_COLUMN and not cleaned.get("consent_column"):
            self.add_error("consent_column", "Choose the column in which it stands.")
        return cleaned

    def mapping(self) -> dict[str, int]:
        """Return the columns, that of the consent among them where one says it."""
        mapping = super().mapping()
        if self.cleaned_data.get("agreed") == BY_COLUMN:
            mapping[CONSENT] = int(self.cleaned_data["consent_column"])
        return mapping

    def options(self) -> dict[str, Any]:
        """Return the decisions, as the import keeps them."""
        names = ("existing", "region", "tags", "agreed", "purpose", "wording", "consent_column")
        chosen = {name: self.cleaned_data[name] for name in names if name in self.cleaned_data}
        if "wording" in chosen:
            chosen["wording"] = plain_line(chosen["wording"])
        return chosen

    @staticmethod
    def stored_of(importing: ContactImport) -> dict[str, Any]:
        """Return what the member had chosen before, to be shown again."""
        if not importing.mapping:
            return {}
        columns = {f"column_{key}": str(column) for key, column in importing.mapping.items() if key != CONSENT}
        unset = {
            f"column_{spec}": "" for spec in importing.inspection.get("guess", {}) if spec not in importing.mapping
        }
        options = {**importing.options, "tags": ", ".join(importing.options.get("tags", []))}
        return {**unset, **columns, **options}
