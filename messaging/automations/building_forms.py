"""Forms of beginning and trying automations; those of triggers and steps stand with them."""

from typing import Any

from django import forms

from integrations.organizations.models import Organization
from integrations.phones import PhoneProblem, parse_phone


class NameForm(forms.Form):
    """What an automation is called."""

    name = forms.CharField(
        label="Name",
        max_length=120,
        error_messages={"required": "Give the automation a name."},
        help_text="For your colleagues; recipients never see it.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class FileForm(forms.Form):
    """An automation as JSON. A file is read by the browser and put into the text: nothing is uploaded as a file."""

    text = forms.CharField(
        label="What stands in the file",
        strip=True,
        error_messages={"required": "Choose a file, or paste what stands in it."},
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false", "dir": "ltr"}),
    )


class TestForm(forms.Form):
    """Which virtual phone gets the texts of a test run."""

    phone = forms.CharField(
        label="Virtual phone",
        max_length=40,
        help_text="Any number you like: in the sandbox no real phone rings.",
        error_messages={"required": "Write a number for the virtual phone."},
        widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "tel"}),
    )

    def __init__(self, *args: Any, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.organization = organization

    def clean_phone(self) -> str:
        try:
            return parse_phone(
                self.cleaned_data["phone"], region=self.organization.default_region, allow_magic=True
            ).e164
        except PhoneProblem as problem:
            raise forms.ValidationError(problem.message) from problem
