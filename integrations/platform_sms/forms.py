"""Forms of the operator: carriers and prices, webhooks, credits."""

import uuid
from typing import Any

from django import forms
from django.core.validators import URLValidator

from integrations.connections.models import Connection
from integrations.organizations.models import Organization

from .models import PlatformDestination
from .offers import price_of
from .operating import operators_organizations, possible_carriers
from .providers import provider_of


class CarrierField(forms.ModelChoiceField):
    """A choice of carriers, named with their organization and kind."""

    def label_from_instance(self, obj: Connection) -> str:  # type: ignore[override]
        state = "" if obj.is_usable else f", {obj.get_status_display().lower()}"
        return f"{provider_of(obj).title}: {obj.name} of {obj.organization.name}{state}"


class DestinationForm(forms.Form):
    """Who carries platform SMS to one destination, and what a message costs."""

    use_required_attribute = False

    carrier = CarrierField(
        Connection.objects.none(), required=False, empty_label="Nobody: not offered", label="Who carries it"
    )
    price = forms.DecimalField(required=False, min_value=0, max_digits=10, decimal_places=4, label="Credits a message")

    def __init__(self, data: Any = None, *, row: PlatformDestination) -> None:
        price = None if row.price is None else f"{row.price.normalize():f}"
        super().__init__(data, initial={"carrier": row.carrier_id, "price": price}, prefix=row.destination)
        self.row = row
        self.fields["carrier"].queryset = possible_carriers()  # type: ignore[attr-defined]
        usual = price_of(row.destination, own=None)
        self.fields["price"].help_text = f"Empty: {usual.normalize():f}, the price of the installation's settings."


class WebhookForm(forms.Form):
    """A webhook that carries platform SMS."""

    use_required_attribute = False

    name = forms.CharField(max_length=80, label="Name", widget=forms.TextInput(attrs={"autocomplete": "off"}))
    url = forms.CharField(
        max_length=500,
        label="Address",
        help_text="Each message is posted there as JSON, with a signature. https, or http within your own network.",
        validators=[URLValidator(schemes=["https", "http"])],
        widget=forms.URLInput(attrs={"autocomplete": "off"}),
    )
    organization = forms.ModelChoiceField(
        Organization.objects.none(),
        empty_label=None,
        label="Belongs to",
        help_text="One of your own organizations; it has no page there.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["organization"].queryset = operators_organizations().order_by("name")  # type: ignore[attr-defined]


class TopUpForm(forms.Form):
    """Credits to add."""

    use_required_attribute = False

    amount = forms.DecimalField(label="Credits", max_digits=14, decimal_places=4)
    note = forms.CharField(
        label="Note",
        max_length=200,
        required=False,
        help_text="The organization reads it on its statement: an invoice number, for example.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    request_id = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)


class AdjustForm(forms.Form):
    """A correction of the balance."""

    use_required_attribute = False

    amount = forms.DecimalField(
        label="Credits",
        max_digits=14,
        decimal_places=4,
        help_text="Above zero adds, below zero takes away: -12.5.",
    )
    reason = forms.CharField(
        label="Reason",
        max_length=200,
        help_text="The organization reads it on its statement.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    request_id = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)
