"""Forms of the room: shape and limits; what the database knows is asked by the verbs."""

from typing import Any

from django import forms
from django.core.validators import RegexValidator
from django.utils.html import format_html

from integrations.phones import NumberKind, PhoneProblem, parse_phone, region_name

from .models import Organization
from .places import languages, regions, time_zones
from .problems import OrganizationProblem
from .roles import ROLE_HELP, Role
from .scopes import EVERYTHING, SCOPES


class ProblemForm(forms.Form):
    """A form that can show what a verb refused."""

    def add_problem(self, problem: OrganizationProblem) -> None:
        """Put the problem at the field it names, or above the form."""
        self.add_error(problem.field if problem.field in self.fields else None, problem.detail)


def role_choices(roles: list[str]) -> list[tuple[str, str]]:
    """Return (role, name and what it may do) for radio buttons."""
    words = '<strong class="hg-strong">{}</strong><br><span class="hg-soft">{}</span>'
    return [(role, format_html(words, Role(role).label, ROLE_HELP[role])) for role in roles]


class InviteForm(ProblemForm):
    """Whom to invite, as what."""

    email = forms.EmailField(
        label="E-mail address",
        max_length=254,
        help_text="The invitation is for this address alone and holds for seven days.",
        widget=forms.EmailInput(attrs={"autocomplete": "off", "autofocus": True}),
    )
    role = forms.ChoiceField(label="Role", widget=forms.RadioSelect, initial=Role.AGENT)

    def __init__(self, *args: Any, roles: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = role_choices(roles)  # type: ignore[attr-defined]


class RoleForm(ProblemForm):
    """A member's role."""

    role = forms.ChoiceField(label="Role", widget=forms.RadioSelect)

    def __init__(self, *args: Any, roles: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = role_choices(roles)  # type: ignore[attr-defined]


def how_read(organization: Organization) -> str:
    """Return the help beside a phone field."""
    return f"In any writing. Without + it is read as a national number: {region_name(organization.default_region)}."


class PhoneForm(ProblemForm):
    """A member's number in any writing; cleaned, it is E.164, or "" for none."""

    phone = forms.CharField(
        label="Phone number",
        max_length=60,
        required=False,
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "off"}),
    )

    def __init__(self, *args: Any, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.organization = organization
        self.fields["phone"].help_text = how_read(organization)

    def clean_phone(self) -> str:
        typed = self.cleaned_data["phone"]
        if not typed.strip():
            return ""
        try:
            phone = parse_phone(typed, region=self.organization.default_region)
        except PhoneProblem as problem:
            raise forms.ValidationError(problem.message, code=problem.code) from problem
        # Any member may write a number here, and the organization pays for what is sent to it.
        if phone.kind in {NumberKind.PREMIUM, NumberKind.SHARED_COST}:
            raise forms.ValidationError("Texts to this number cost extra. Write a mobile number.", code="costs_extra")
        return phone.e164


class SettingsForm(forms.ModelForm):
    """An organization's own settings."""

    default_region = forms.ChoiceField(
        label="Default country", help_text="Numbers written without + are read as numbers of this country."
    )
    time_zone = forms.ChoiceField(label="Time zone", help_text="Times on all pages are shown in this zone.")
    language = forms.ChoiceField(
        label="Language", help_text="What your recipients are addressed in unless they choose another."
    )

    class Meta:
        model = Organization
        fields = ("name", "default_region", "time_zone", "language")
        help_texts = {"name": "What members see, and what invitations are signed with."}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = {"default_region": regions(), "time_zone": time_zones(), "language": languages()}
        for name, known in choices.items():
            present = getattr(self.instance, name)
            # A value set by a command may be one the list leaves out: keep it rather than change it unasked.
            extra = [] if present in dict(known) else [(present, present)]
            self.fields[name].choices = [*known, *extra]  # type: ignore[attr-defined]

    def clean_name(self) -> str:
        return " ".join(self.cleaned_data["name"].split())


class ApiKeyForm(ProblemForm):
    """A new API key."""

    name = forms.CharField(
        label="Name",
        max_length=80,
        help_text="Where the key will live, so that you know it again: “Shop, production”.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "autofocus": True}),
    )
    scopes = forms.MultipleChoiceField(
        label="What it may do",
        choices=list(SCOPES.items()),
        initial=list(EVERYTHING),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "A key without any scope can do nothing: choose one."},
    )


class AuditFilterForm(forms.Form):
    """What of the audit log to show; all empty shows all."""

    who = forms.CharField(label="Who", required=False, max_length=100)
    action = forms.ChoiceField(label="What", required=False)
    since = forms.DateField(label="From", required=False, widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(label="To", required=False, widget=forms.DateInput(attrs={"type": "date"}))

    def __init__(self, *args: Any, actions: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["action"].choices = [("", "Anything"), *actions]  # type: ignore[attr-defined]


class NewOrganizationForm(ProblemForm):
    """A new organization and its first owner, as the operator enters them."""

    name = forms.CharField(label="Name", max_length=120, widget=forms.TextInput(attrs={"autofocus": True}))
    slug = forms.CharField(
        label="Slug",
        max_length=50,
        required=False,
        help_text="The organization's part of each address, /o/slug/. Left empty, it is made from the name.",
        validators=[
            RegexValidator(
                r"^[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?$",
                "Small letters, digits and hyphens between them: acme-logistics.",
            )
        ],
    )
    owner_email = forms.EmailField(
        label="Owner's e-mail address",
        max_length=254,
        help_text="Somebody with an account becomes owner at once; anybody else gets an invitation.",
    )
    default_region = forms.ChoiceField(label="Default country", choices=regions, initial="US")
    time_zone = forms.ChoiceField(label="Time zone", choices=time_zones, initial="UTC")

    def clean_slug(self) -> str:
        return self.cleaned_data["slug"].lower()


class SuspendForm(ProblemForm):
    """Why an organization is suspended; its members read it."""

    reason = forms.CharField(
        label="Reason",
        max_length=300,
        help_text="Its members read this on every page, and so does the audit log.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
