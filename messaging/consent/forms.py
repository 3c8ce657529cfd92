"""Forms of the room."""

from typing import Any

from django import forms
from django.urls import reverse

from integrations.organizations.models import Organization
from integrations.phones import Phone, PhoneProblem, parse_phone
from messaging.contacts.forms import how_read


class OptOutForm(forms.Form):
    """The number of somebody who asked, in whatever way, not to be written to."""

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
