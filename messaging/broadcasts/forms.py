"""Forms of broadcasts: what is said to whom, and the filters of the list."""

import uuid
from typing import Any

from django import forms
from django.urls import reverse

from integrations.connections.models import Connection
from integrations.connections.selectors import connections_of
from integrations.organizations.models import Organization
from messaging.contacts.models import SavedFilter, Tag
from messaging.csv_files.columns import FieldSpec, phone_field
from messaging.templates.models import Template
from messaging.templates.rendering import TemplateProblem, parse
from messaging.templates.variables import OFFERED

from .creating import Plan
from .models import Broadcast
from .sources import NUMBER

_Audience = Broadcast.Audience
_OFFERED_AUDIENCES = [
    (_Audience.CONTACTS, "All contacts"),
    (_Audience.TAG, "Contacts with a tag"),
    (_Audience.FILTER, "A saved filter of contacts"),
    (_Audience.CSV, "A CSV file"),
]


class BroadcastForm(forms.Form):
    """A broadcast to be prepared: nothing is sent by it."""

    name = forms.CharField(
        label="Name",
        max_length=120,
        help_text="Only you and your colleagues see it.",
        error_messages={"required": "Give the broadcast a name; only you see it."},
    )
    template = forms.ModelChoiceField(
        Template.objects.none(), required=False, empty_label="No template: write the text below", label="Template"
    )
    body = forms.CharField(
        label="Text",
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 5, "placeholder": "Your text…"}),
        help_text="Variables in double braces, like {{ first_name }}, come from the contact or the file.",
    )
    purpose = forms.ChoiceField(
        label="Purpose",
        choices=[
            (Broadcast.Purpose.TRANSACTIONAL, "Transactional: they expect it"),
            (Broadcast.Purpose.MARKETING, "Marketing: goes only to people who agreed to it"),
        ],
    )
    audience = forms.ChoiceField(
        label="To whom", choices=_OFFERED_AUDIENCES, widget=forms.RadioSelect, initial=_Audience.CONTACTS
    )
    tag = forms.ModelChoiceField(Tag.objects.none(), required=False, empty_label="Choose a tag", label="Tag")
    saved_filter = forms.ModelChoiceField(
        SavedFilter.objects.none(), required=False, empty_label="Choose a saved filter", label="Saved filter"
    )
    connection = forms.ModelChoiceField(
        Connection.objects.none(), required=False, empty_label=None, label="Through which connection"
    )
    includes_landlines = forms.BooleanField(
        label="Send to landlines, too", required=False,
        help_text="SMS hardly ever arrives there, and may still be charged.",
    )  # fmt: skip
    request_id = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.organization = organization
        choices: dict[str, Any] = {
            "template": Template.objects.filter(organization=organization, archived_at=None).select_related("current"),
            "tag": Tag.objects.filter(organization=organization),
            "saved_filter": SavedFilter.objects.filter(organization=organization),
            "connection": connections_of(organization, with_disconnected=False),
        }
        for name, rows in choices.items():
            self.fields[name].queryset = rows  # type: ignore[attr-defined]
        if choices["connection"].count() < 2:
            del self.fields["connection"]
        for name in ("template", "body"):
            self.fields[name].widget.attrs |= {
                "hx-post": reverse("templates:measure"),
                "hx-trigger": "change" if name == "template" else "input changed delay:300ms",
                "hx-target": "#measure",
                "hx-include": "closest form",
                "hx-params": "template,body",
                "hx-sync": "closest form:replace",
            }

    def clean_body(self) -> str:
        body: str = self.cleaned_data["body"]
        if not self.cleaned_data.get("template"):
            try:
                parse(body)
            except TemplateProblem as problem:
                raise forms.ValidationError(str(problem)) from problem
        return body

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not data.get("template") and not (data.get("body") or "").strip() and "body" not in self.errors:
            self.add_error("body", "Write the text, or choose a template.")
        if data.get("audience") == _Audience.TAG and not data.get("tag"):
            self.add_error("tag", "Choose the tag whose contacts shall get it.")
        if data.get("audience") == _Audience.FILTER and not data.get("saved_filter"):
            self.add_error("saved_filter", "Choose the saved filter whose contacts shall get it.")
        return data

    def plan(self, *, known_source: dict[str, Any] | None = None) -> Plan:
        """Return what the valid form asks for; the file that was matched before stays."""
        data = self.cleaned_data
        return Plan(
            name=data["name"],
            template=data.get("template"),
            body=data.get("body") or "",
            purpose=data["purpose"],
            audience=data["audience"],
            source=self._source(known_source or {}),
            connection=data.get("connection"),
            includes_landlines=data["includes_landlines"],
            request_id=data.get("request_id") or uuid.uuid4(),
        )

    def _source(self, known: dict[str, Any]) -> dict[str, Any]:
        data = self.cleaned_data
        match data["audience"]:
            case _Audience.TAG:
                return {"tag": str(data["tag"].pk), "label": data["tag"].name}
            case _Audience.FILTER:
                saved = data["saved_filter"]
                # As it is now: the rows of one check must not come from two filters.
                return {"filter": str(saved.pk), "wanted": saved.wanted, "label": saved.name}
            case _Audience.CSV:
                return {name: known[name] for name in ("upload", "label", "inspection") if name in known}
            case _:
                return {}

    @staticmethod
    def initial_of(broadcast: Broadcast) -> dict[str, Any]:
        """Return what a broadcast's form shows when it is opened to be changed."""
        return {
            "name": broadcast.name,
            "template": broadcast.template_id,
            "body": broadcast.body,
            "purpose": broadcast.purpose,
            "audience": broadcast.audience,
            "tag": broadcast.source.get("tag"),
            "saved_filter": broadcast.source.get("filter"),
            "connection": broadcast.connection_id,
            "includes_landlines": broadcast.includes_landlines,
        }


class BroadcastFilterForm(forms.Form):
    """The filters of the list; what cannot be read is left out."""

    q = forms.CharField(label="Name", required=False, max_length=120)
    status = forms.ChoiceField(
        label="Status", required=False, choices=[("", "Every status"), *Broadcast.Status.choices]
    )

    def wanted(self) -> dict[str, str]:
        """Return the filter, of the fields that could be read."""
        self.is_valid()
        return {"query": self.cleaned_data.get("q") or "", "status": self.cleaned_data.get("status") or ""}


def columns_wanted(broadcast: Broadcast) -> list[FieldSpec]:
    """Return what a broadcast wants from a file: the number, and a column for each variable of its text.

    What a contact or the organization may know need not be in the file, nor what has a fallback.
    """
    fields = [phone_field(region=broadcast.organization.default_region, key=NUMBER)]
    text = broadcast.template.current.body if broadcast.template and broadcast.template.current else broadcast.body
    for variable in parse(text).variables:
        bare = variable.name.removeprefix("contact.")
        is_known = bare in OFFERED
        words = ""
        if variable.fallback is not None:
            words = f"Empty cells: “{variable.fallback}”."
        elif is_known:
            words = "Without a column: what the contact has."
        fields.append(
            FieldSpec(
                key=variable.name,
                label=variable.name,
                names=(bare, bare.replace("_", " ")),
                is_required=not is_known and variable.fallback is None,
                help=words,
            )
        )
    return fields
