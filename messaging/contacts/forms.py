"""Forms of the room: shape and limits; whether a number is taken is asked by the verbs."""

from typing import Any

from django import forms
from django.urls import reverse

from integrations.organizations.forms import how_read
from integrations.organizations.models import Organization
from integrations.organizations.places import languages, time_zones
from integrations.phones import Phone, PhoneProblem, guess_time_zone, parse_phone, pretty

from .address_book import ContactProblem, Details
from .attribute_forms import PREFIX, AttributeFields
from .models import Contact


class PhoneForm(forms.Form):
    """A form with a phone number in any writing, recognised while one types; cleaned, it is a Phone."""

    phone = forms.CharField(
        label="Phone number",
        max_length=60,
        error_messages={"required": "Write the phone number."},
        widget=forms.TextInput(
            attrs={
                "type": "tel",
                "autocomplete": "off",
                "hx-trigger": "input changed delay:250ms",
                "hx-target": "#recognised",
                "hx-sync": "this:replace",
            }
        ),
    )

    def __init__(self, *args: Any, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.organization = organization
        phone = self.fields["phone"]
        phone.widget.attrs["hx-post"] = reverse("contacts:recognise")
        phone.help_text = how_read(organization)

    def clean_phone(self) -> Phone:
        try:
            return parse_phone(self.cleaned_data["phone"], region=self.organization.default_region, allow_magic=True)
        except PhoneProblem as problem:
            raise forms.ValidationError(problem.message, code=problem.code) from problem


class ContactForm(PhoneForm):
    """A contact, as a member enters it."""

    name = forms.CharField(
        label="Name", max_length=150, required=False, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    email = forms.EmailField(
        label="E-mail address", max_length=254, required=False, widget=forms.EmailInput(attrs={"autocomplete": "off"})
    )
    language = forms.ChoiceField(label="Language", required=False)
    time_zone = forms.ChoiceField(
        label="Time zone", required=False, help_text="Quiet hours and times in messages follow it."
    )
    notes = forms.CharField(
        label="Notes",
        max_length=5000,
        required=False,
        help_text="For your colleagues; never sent.",
        widget=forms.Textarea(attrs={"rows": 4}),
    )

    def __init__(self, *args: Any, organization: Organization, contact: Contact | None = None, **kwargs: Any) -> None:
        super().__init__(*args, organization=organization, **kwargs)
        self.existing: Contact | None = None
        zones = time_zones()
        if contact and contact.time_zone and contact.time_zone not in dict(zones):
            zones = [*zones, (contact.time_zone, contact.time_zone)]
        self.fields["time_zone"].choices = [("", "As the number says"), *zones]  # type: ignore[attr-defined]
        self.attributes = AttributeFields()
        self.attributes.add_attribute_fields(self, contact)
        self.fields["language"].choices = [("", "Not known"), *languages()]  # type: ignore[attr-defined]

    def details(self) -> Details:
        """Return what the valid form says."""
        data = {name: value for name, value in self.cleaned_data.items() if not name.startswith(PREFIX)}
        zone = data.pop("time_zone")
        if "time_zone" not in self.changed_data:
            zone = None
        return Details(
            **data,
            time_zone=guess_time_zone(data["phone"].e164) if zone == "" else zone,
            attributes=self.attribute_values,
        )

    def clean(self) -> None:
        self.attribute_values = self.attributes.read_attributes(self)

    def attribute_fields(self) -> list[forms.BoundField]:
        """Return the fields of what the organization keeps besides."""
        return [self[PREFIX + definition.key] for definition in self.attributes.definitions]

    def add_problem(self, problem: ContactProblem) -> None:
        """Put a verb's problem at the field it names, or above the form."""
        self.existing = problem.existing
        self.add_error(problem.field if problem.field in self.fields else None, problem.detail)

    @staticmethod
    def initial_of(contact: Contact) -> dict[str, str]:
        """Return what the form shows of a contact."""
        return {
            "phone": pretty(contact.phone),
            "name": contact.name,
            "email": contact.email,
            "language": contact.language,
            "notes": contact.notes,
            "time_zone": contact.time_zone,
        }
