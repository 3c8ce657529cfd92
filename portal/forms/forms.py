"""Forms of the members' pages: shape only; what makes a question whole is the definition's to say."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django import forms

from integrations.organizations.models import Organization
from integrations.templatetags.hg_base import zone_of
from messaging.consent.models import ConsentPurpose
from messaging.contacts.attributes import definitions_of
from messaging.contacts.models import AttributeDefinition
from messaging.templates.models import Template
from messaging.templates.selectors import active_templates

from .definition import LONGEST_HELP, LONGEST_LABEL, LONGEST_WORDING, Field, Kind
from .file_kinds import FILE_KINDS, LARGEST_MB
from .filters import SubmissionFilter
from .models import PublicForm
from .public.languages import LANGUAGES
from .selectors import Column
from .settling import OriginProblem, read_origins

_PURPOSES = [
    (ConsentPurpose.TRANSACTIONAL.value, "Transactional messages"),
    (ConsentPurpose.MARKETING.value, "Marketing"),
]
_MAX_LABELS: dict[Kind, tuple[str, str]] = {
    Kind.SHORT_TEXT: ("Characters at most", "Empty: 200."),
    Kind.LONG_TEXT: ("Characters at most", "Empty: 2,000."),
    Kind.CHOICES: ("Answers at most", "Empty: as many as there are."),
    Kind.NUMBER: ("Largest number", ""),
    Kind.FILE: ("Size at most, in MB", f"1 to {LARGEST_MB}. Empty: 5."),
}
_OF_ATTRIBUTE: dict[Kind, set[str]] = {
    Kind.SHORT_TEXT: {"text"},
    Kind.CHOICE: {"text", "choice", "yes_no"},
    Kind.DATE: {"text", "date"},
    Kind.NUMBER: {"text", "number"},
}


class TitleForm(forms.Form):
    """A new form."""

    title = forms.CharField(
        label="Title",
        max_length=120,
        help_text="It stands on top of the form; you can change it later.",
        error_messages={"required": "Give the form a title."},
        widget=forms.TextInput(attrs={"autocomplete": "off", "dir": "auto"}),
    )


class FieldForm(forms.Form):
    """One question; only the parts that its kind knows are there."""

    use_required_attribute = False

    label = forms.CharField(label="Question", required=False, max_length=LONGEST_LABEL)
    wording = forms.CharField(
        label="Words they agree to",
        required=False,
        max_length=LONGEST_WORDING,
        help_text="They stand beside the box, and the consent ledger keeps these very words.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    purpose = forms.ChoiceField(label="They agree to", required=False, choices=_PURPOSES)
    options = forms.CharField(
        label="Answers", required=False, help_text="One a line.", widget=forms.Textarea(attrs={"rows": 4})
    )
    help = forms.CharField(
        label="Help", required=False, max_length=LONGEST_HELP, help_text="A line below the question."
    )
    required = forms.BooleanField(label="Required", required=False)
    verify = forms.BooleanField(
        label="Verify by code",
        required=False,
        help_text="The visitor gets a code at this number and enters it: nobody can send the form for somebody else.",
    )
    min = forms.FloatField(label="Smallest number", required=False)
    max = forms.FloatField(label="Largest", required=False)
    accept = forms.MultipleChoiceField(
        label="Types of files",
        required=False,
        choices=[(kind.name, kind.label) for kind in FILE_KINDS.values()],
        widget=forms.CheckboxSelectMultiple,
        help_text="A file is taken for what is in it, not for what its name says.",
    )
    saves_as = forms.ChoiceField(
        label="Keep at the contact as", required=False, help_text="Only who proved the number changes a contact."
    )

    def __init__(
        self,
        data: Any = None,
        *,
        field: Field,
        attributes: list[AttributeDefinition],
        knows_number: bool = False,
        initial: Any = None,
    ) -> None:
        super().__init__(data, prefix=field.key, initial=initial)
        self.field = field
        common = {"label", "help", "required"}
        unasked = {"verify"} if knows_number else set()
        for name in (set(self.fields) - common - field.knows) | (unasked & set(self.fields)):
            del self.fields[name]
        if field.kind in _MAX_LABELS and "max" in self.fields:
            self.fields["max"].label, self.fields["max"].help_text = _MAX_LABELS[field.kind]
        if "saves_as" in self.fields:
            self.fields["saves_as"].choices = list(_places(field, attributes))  # type: ignore[attr-defined]
        if field.kind == Kind.CONSENT:
            self.fields["label"].help_text = "A short name for your own lists; visitors read the words below."
        for one in self.fields.values():
            if isinstance(one.widget, forms.TextInput | forms.Textarea):
                one.widget.attrs.update({"dir": "auto", "autocomplete": "off"})

    @classmethod
    def of(cls, field: Field, *, attributes: list[AttributeDefinition], knows_number: bool = False) -> "FieldForm":
        """Return the form as the question stands."""
        values = {name: getattr(field, name) for name in cls.base_fields} | {"options": "\n".join(field.options)}
        return cls(initial=values, field=field, attributes=attributes, knows_number=knows_number)

    def values(self) -> dict[str, Any]:
        """Return the parts as a definition has them."""
        data = dict(self.cleaned_data)
        if "options" in data:
            data["options"] = [line for line in data["options"].splitlines() if line.strip()]
        for name in ("min", "max"):
            if isinstance(data.get(name), float) and data[name] == int(data[name]):
                data[name] = int(data[name])
        return data


class WordsForm(forms.Form):
    """What stands around the questions, in which languages and colour."""

    use_required_attribute = False

    description = forms.CharField(
        label="Description",
        required=False,
        max_length=2000,
        help_text="Below the title: what the form is for, and what happens with the answers.",
        widget=forms.Textarea(attrs={"rows": 4, "dir": "auto"}),
    )
    languages = forms.MultipleChoiceField(
        label="Languages",
        choices=[(language.code, language.name) for language in LANGUAGES.values()],
        widget=forms.CheckboxSelectMultiple,
        help_text="Buttons, hints and messages come in the visitor’s language. Your own words stay as you write them.",
        error_messages={"required": "Choose at least one language."},
    )
    written_in = forms.ChoiceField(
        label="Your words are in",
        choices=[(language.code, language.name) for language in LANGUAGES.values()],
        help_text="Who reads none of the languages above gets this one.",
    )
    color = forms.RegexField(
        label="Colour",
        regex=r"^#[0-9A-Fa-f]{6}$",
        error_messages={"invalid": "Write the colour like #1f66b5."},
        help_text="Of buttons and links; it is darkened where it could not be read.",
        widget=forms.TextInput(attrs={"type": "color"}),
    )

    def clean_color(self) -> str:
        return str(self.cleaned_data["color"]).lower()

    def values(self) -> dict[str, Any]:
        """Return the parts as the model has them, the language of the words first."""
        data = dict(self.cleaned_data)
        written = data.pop("written_in")
        data["languages"] = [written, *(code for code in data["languages"] if code != written)]
        return data


class LookForm(WordsForm):
    """Words, languages and colour of a public form, and what follows when it was sent."""

    title = forms.CharField(label="Title", max_length=120, error_messages={"required": "Give the form a title."})
    thank_you = forms.CharField(
        label="Thank-you text",
        required=False,
        max_length=1000,
        help_text="What is shown when the form was sent. Empty: our own words.",
        widget=forms.Textarea(attrs={"rows": 3, "dir": "auto"}),
    )
    redirect_url = forms.CharField(
        label="Go on to",
        required=False,
        max_length=500,
        help_text="An https address that visitors are led to instead of the thank-you text.",
        widget=forms.URLInput(attrs={"placeholder": "https://www.example.com/thank-you"}),
    )
    updates_contact = forms.BooleanField(
        label="Keep who sends it as a contact",
        required=False,
        help_text="A new number becomes a contact. A known contact is changed only by who proved the number.",
    )
    confirmation_template = forms.ModelChoiceField(
        label="Confirmation SMS",
        queryset=Template.objects.none(),
        required=False,
        empty_label="None",
        help_text="Sent to verified numbers. The template may say {{ form }}, and {{ answer.f1 }} for an answer.",
    )

    def __init__(self, *args: Any, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["confirmation_template"].queryset = active_templates(organization)  # type: ignore[attr-defined]

    @classmethod
    def of(cls, form: PublicForm) -> "LookForm":
        values = {name: getattr(form, name) for name in cls.base_fields if name != "written_in"}
        return cls(initial={**values, "written_in": (form.languages or ["en"])[0]}, organization=form.organization)

    def clean_redirect_url(self) -> str:
        text = str(self.cleaned_data["redirect_url"]).strip()
        if not text:
            return ""
        try:
            parts = urlsplit(text)
            is_good = parts.scheme == "https" and bool(parts.hostname) and not parts.username
        except ValueError:
            is_good = False
        if not is_good or any(sign.isspace() or ord(sign) < 32 for sign in text):
            raise forms.ValidationError("Write a whole address that begins with https://.")
        return text


class RulesForm(forms.Form):
    """When and how often the form is open, to whom, where it may be embedded. Times are in the organization's zone."""

    use_required_attribute = False

    opens_at = forms.DateTimeField(label="Open from", required=False)
    closes_at = forms.DateTimeField(label="Open until", required=False)
    limit_total = forms.IntegerField(
        label="Submissions in all", required=False, min_value=1, max_value=1_000_000, help_text="Empty: no limit."
    )
    limit_per_number = forms.IntegerField(
        label="Submissions of one number",
        required=False,
        min_value=1,
        max_value=1000,
        help_text="It counts by the number that the form asks for. Empty: no limit.",
    )
    password = forms.CharField(
        label="New password",
        required=False,
        min_length=4,
        max_length=100,
        help_text="Visitors are asked for it before they see the form. It is not shown again.",
        error_messages={"min_length": "Take at least four characters."},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    no_password = forms.BooleanField(label="Take the password away", required=False)
    closed_message = forms.CharField(
        label="Text of a closed form",
        required=False,
        max_length=1000,
        help_text="What visitors read when it is closed, over or full. Empty: our own words, in their language.",
        widget=forms.Textarea(attrs={"rows": 3, "dir": "auto"}),
    )
    embed_origins = forms.CharField(
        label="Sites that may embed it",
        required=False,
        max_length=5000,
        help_text="One a line, like https://www.example.com. No other site can show the form inside its pages.",
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._zone = zone_of(organization)
        for name in ("opens_at", "closes_at"):
            self.fields[name].widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
            place = organization.time_zone.replace("_", " ")
            self.fields[name].help_text = f"By the clock of {place}. Empty: no limit."

    @classmethod
    def of(cls, form: PublicForm) -> "RulesForm":
        zone = zone_of(form.organization)
        initial: dict[str, Any] = {
            name: getattr(form, name) for name in ("limit_total", "limit_per_number", "closed_message")
        }
        for name in ("opens_at", "closes_at"):
            moment = getattr(form, name)
            initial[name] = moment.astimezone(zone).replace(tzinfo=None) if moment else None
        initial["embed_origins"] = "\n".join(form.embed_origins)
        return cls(initial=initial, organization=form.organization)

    def _clean_moment(self, name: str) -> datetime | None:
        # Read by the page's default zone, which is UTC; the member means the organization's.
        moment = self.cleaned_data[name]
        return moment.replace(tzinfo=self._zone) if moment else None

    def clean_opens_at(self) -> datetime | None:
        return self._clean_moment("opens_at")

    def clean_closes_at(self) -> datetime | None:
        return self._clean_moment("closes_at")

    def clean_embed_origins(self) -> list[str]:
        try:
            return read_origins(self.cleaned_data["embed_origins"])
        except OriginProblem as problem:
            raise forms.ValidationError(str(problem)) from problem

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        opens, closes = cleaned.get("opens_at"), cleaned.get("closes_at")
        if opens and closes and closes <= opens:
            self.add_error("closes_at", "The end must come after the beginning.")
        if cleaned.get("password") and cleaned.get("no_password"):
            self.add_error("no_password", "Either a new password or none: empty the field, or untick this.")
        return cleaned


class CloseForm(forms.Form):
    """The words of a form that is being closed."""

    message = forms.CharField(label="Text for visitors", required=False, max_length=1000)


class FilterForm(forms.Form):
    """Which submissions a list shows."""

    use_required_attribute = False

    query = forms.CharField(
        label="Search",
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off", "placeholder": "Number or answer"}),
    )
    since = forms.DateField(label="From", required=False, widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(label="To", required=False, widget=forms.DateInput(attrs={"type": "date"}))
    verified = forms.ChoiceField(
        label="Number", required=False, choices=[("", "All"), ("yes", "Verified"), ("no", "Not verified")]
    )
    language = forms.ChoiceField(
        label="Language",
        required=False,
        choices=[("", "All"), *((language.code, language.name) for language in LANGUAGES.values())],
    )
    answer = forms.ChoiceField(label="Answer", required=False)

    def __init__(self, *args: Any, columns: list[Column], shows: SubmissionFilter | None = None, **kwargs: Any) -> None:
        if shows is not None:
            kwargs["initial"] = {
                **shows.as_json(),
                "answer": f"{shows.field}:{shows.answer}" if shows.field and shows.answer else "",
            }
        super().__init__(*args, **kwargs)
        self.fields["answer"].choices = [("", "All"), *_answers(columns)]  # type: ignore[attr-defined]

    @property
    def wanted(self) -> SubmissionFilter:
        data = self.cleaned_data
        field, _, answer = data["answer"].partition(":")
        return SubmissionFilter(
            query=data["query"].replace("\x00", "").strip(),
            since=data["since"].isoformat() if data["since"] else "",
            until=data["until"].isoformat() if data["until"] else "",
            verified=data["verified"],
            language=data["language"],
            field=field,
            answer=answer,
        )


def _answers(columns: list[Column]) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    for column in columns:
        if column.field.options:
            yield (
                column.field.label or column.key,
                [(f"{column.key}:{option}", option) for option in column.field.options],
            )


def _places(field: Field, attributes: list[AttributeDefinition]) -> Iterator[tuple[str, str]]:
    yield "", "Nothing"
    if field.kind == Kind.SHORT_TEXT:
        yield "name", "Name"
    if field.kind == Kind.EMAIL:
        yield "email", "E-mail"
    for attribute in attributes:
        if attribute.kind in _OF_ATTRIBUTE.get(field.kind, set()):
            yield f"attr.{attribute.key}", attribute.label


def attributes_of(organization: Organization) -> list[AttributeDefinition]:
    """Return what an answer may be kept as, besides name and e-mail."""
    return definitions_of(organization)
