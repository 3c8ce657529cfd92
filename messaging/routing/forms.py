"""The form of the page "Why this route"."""

from django import forms

from integrations.organizations.models import Organization
from integrations.phones import EXAMPLE, Phone, PhoneProblem, parse_phone
from messaging.sending.models import Message

_PURPOSES = [
    (Message.Purpose.TRANSACTIONAL, "Transactional: order news, reminders, alerts"),
    (Message.Purpose.MARKETING, "Marketing"),
    (Message.Purpose.VERIFICATION, "Verification code"),
]


class RouteForm(forms.Form):
    """A number in any writing, and what is to be sent to it."""

    use_required_attribute = False

    to = forms.CharField(
        label="Number",
        max_length=80,
        help_text=f"In any writing, for example {EXAMPLE}. It is looked at and not kept.",
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off"}),
    )
    purpose = forms.ChoiceField(label="What is sent", choices=_PURPOSES, initial=Message.Purpose.TRANSACTIONAL)

    def __init__(self, *args: object, organization: Organization, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.organization = organization

    def clean_to(self) -> Phone:
        try:
            return parse_phone(self.cleaned_data["to"], region=self.organization.default_region, allow_magic=True)
        except PhoneProblem as problem:
            raise forms.ValidationError(problem.message, code=problem.code) from problem
