"""Forms of the members' pages of people: shape only; what may be done is said by the verbs."""

from typing import Any

from django import forms

from integrations.organizations.models import Organization
from integrations.phones import EXAMPLE, region_name
from messaging.contacts.models import SavedFilter, Tag
from portal.forms.public.languages import LANGUAGES

from .finding import PersonFilter, countries_of
from .models import Portal, PortalNotification, PortalRole, PortalUser
from .notifying import LONGEST, Plan

_Audience = PortalNotification.Audience
_OFF = {"autocomplete": "off"}


class PeopleFilterForm(forms.Form):
    """Which people a list shows."""

    use_required_attribute = False

    query = forms.CharField(
        label="Search",
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off", "placeholder": "Number or name"}),
    )
    status = forms.ChoiceField(label="Status", required=False, choices=[("", "All"), *PortalUser.Status.choices])
    role = forms.ChoiceField(label="Role", required=False)
    country = forms.ChoiceField(label="Country", required=False)

    def __init__(self, *args: Any, portal: Portal, shows: PersonFilter | None = None, **kwargs: Any) -> None:
        if shows is not None:
            kwargs["initial"] = shows.as_json()
        super().__init__(*args, **kwargs)
        roles = [(str(pk), name) for pk, name in portal.roles.values_list("pk", "name")]
        countries = sorted(((region, region_name(region)) for region in countries_of(portal)), key=lambda one: one[1])
        _offer(self, "role", [("", "All"), *roles, ("none", "Without a role")])
        _offer(self, "country", [("", "All"), *countries])

    @property
    def wanted(self) -> PersonFilter:
        """Return the filter that the valid form asks for."""
        data = self.cleaned_data
        return PersonFilter(**{**data, "query": data["query"].replace("\x00", "").strip()})


class RoleAndLanguageForm(forms.Form):
    """What invited people are given, where the portal has anything to choose from."""

    use_required_attribute = False

    role = forms.ModelChoiceField(PortalRole.objects.none(), label="Role", required=False)
    language = forms.ChoiceField(
        label="Language of the text",
        required=False,
        help_text="Where it is not known otherwise. Everybody can change it inside.",
    )

    def __init__(self, *args: Any, portal: Portal, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        roles = portal.roles.all()
        default = next((role.name for role in roles if role.is_default), "")
        role: Any = self.fields["role"]
        role.queryset, role.empty_label = roles, f"As newcomers: {default}" if default else "None"
        spoken = [(code, LANGUAGES[code].name) for code in portal.form.languages if code in LANGUAGES]
        _offer(self, "language", [("", "As newcomers"), *spoken])
        if not roles:
            del self.fields["role"]
        if len(spoken) < 2:
            del self.fields["language"]

    @property
    def given(self) -> dict[str, Any]:
        """Return role and language of the valid form."""
        return {"role": self.cleaned_data.get("role"), "language": self.cleaned_data.get("language", "")}


class InviteForm(RoleAndLanguageForm):
    """One number to be invited."""

    field_order = ("phone", "name", "role", "language")

    phone = forms.CharField(
        label="Phone number",
        max_length=80,
        help_text=f"In any writing, for example {EXAMPLE}.",
        error_messages={"required": "Write the number to invite."},
        widget=forms.TextInput(attrs={"type": "tel", **_OFF}),
    )
    name = forms.CharField(
        label="Name", required=False, max_length=120, widget=forms.TextInput(attrs={"dir": "auto", **_OFF})
    )


class InviteContactsForm(RoleAndLanguageForm):
    """Contacts to be invited."""

    field_order = ("whom", "tag", "saved_filter", "role", "language")

    whom = forms.ChoiceField(
        label="Whom",
        choices=[("tag", "Contacts with a tag"), ("filter", "A saved filter of contacts"), ("all", "All contacts")],
        widget=forms.RadioSelect,
        initial="tag",
    )
    tag = forms.ModelChoiceField(Tag.objects.none(), required=False, empty_label="Choose a tag", label="Tag")
    saved_filter = forms.ModelChoiceField(
        SavedFilter.objects.none(), required=False, empty_label="Choose a saved filter", label="Saved filter"
    )

    def __init__(self, *args: Any, portal: Portal, **kwargs: Any) -> None:
        super().__init__(*args, portal=portal, **kwargs)
        organization: Organization = portal.organization
        choices: dict[str, Any] = {
            "tag": Tag.objects.filter(organization=organization),
            "saved_filter": SavedFilter.objects.filter(organization=organization),
        }
        for name, rows in choices.items():
            self.fields[name].queryset = rows  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("whom") == "tag" and not data.get("tag"):
            self.add_error("tag", "Choose the tag whose contacts you invite.")
        if data.get("whom") == "filter" and not data.get("saved_filter"):
            self.add_error("saved_filter", "Choose the saved filter whose contacts you invite.")
        return data

    @property
    def source(self) -> dict[str, Any]:
        """Return the tag or the filter of the valid form; nothing for all contacts."""
        match self.cleaned_data["whom"]:
            case "tag":
                return {"tag": self.cleaned_data["tag"]}
            case "filter":
                return {"saved_filter": self.cleaned_data["saved_filter"]}
        return {}


class RejectForm(forms.Form):
    """Why somebody is rejected."""

    reason = forms.CharField(
        label="Reason",
        required=False,
        max_length=300,
        help_text="They read it in the SMS and when they log in. Empty: none is given.",
        widget=forms.TextInput(attrs={"dir": "auto", **_OFF}),
    )


class NotifyForm(forms.Form):
    """What is written to whom; nothing is sent by it."""

    use_required_attribute = False

    audience = forms.ChoiceField(
        label="To whom",
        choices=[(_Audience.ALL, "Everybody who is in"), (_Audience.ROLE, "Those of a role")],
        widget=forms.RadioSelect,
        initial=_Audience.ALL,
    )
    role = forms.ModelChoiceField(PortalRole.objects.none(), required=False, empty_label="Choose a role", label="Role")
    text = forms.CharField(
        label="Text",
        max_length=LONGEST,
        strip=False,
        error_messages={"required": "Write what they shall read."},
        widget=forms.Textarea(attrs={"rows": 4, "dir": "auto", "placeholder": "Gate 4 is closed tomorrow."}),
    )

    def __init__(self, *args: Any, portal: Portal, person: PortalUser | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.person = person
        roles = portal.roles.all()
        if person is not None or not roles:
            del self.fields["audience"], self.fields["role"]
        else:
            self.fields["role"].queryset = roles  # type: ignore[attr-defined]

    @property
    def plan(self) -> Plan:
        """Return what the valid form asks for."""
        data = self.cleaned_data
        if self.person is not None:
            return Plan(audience=_Audience.ONE, text=data["text"], user=self.person)
        return Plan(audience=data.get("audience") or _Audience.ALL, text=data["text"], role=data.get("role"))


class RoleForm(forms.Form):
    """The role of one person."""

    role = forms.ModelChoiceField(PortalRole.objects.none(), required=False, empty_label="None", label="Role")

    def __init__(self, *args: Any, portal: Portal, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].queryset = portal.roles.all()  # type: ignore[attr-defined]


def _offer(form: forms.Form, name: str, choices: list[tuple[str, str]]) -> None:
    form.fields[name].choices = choices  # type: ignore[attr-defined]
