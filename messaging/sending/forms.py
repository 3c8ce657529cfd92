"""Forms of the send page and the log."""

import uuid
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.urls import reverse
from django.utils import timezone

from integrations.organizations.models import Organization
from messaging.templates.models import Template
from messaging.templates.rendering import TemplateSyntaxProblem, parse
from messaging.templates.variables import nest, offered

from .models import Message
from .outbox import Draft
from .selectors import LogFilter
from .statuses import Status

_VARIABLE = "var_"


class SendForm(forms.Form):
    """One message by hand: to a contact or a number, from a template or as text."""

    to = forms.CharField(
        label="To",
        max_length=60,
        help_text="A phone number in any writing, or the name of a contact to choose from.",
        error_messages={"required": "Say to whom: a number, or a contact."},
        widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": "+49 151 12345678, or a name"}),
    )
    template = forms.ModelChoiceField(
        Template.objects.none(), required=False, empty_label="No template: write the text below", label="Template"
    )
    body = forms.CharField(
        label="Text", required=False, strip=False, widget=forms.Textarea(attrs={"rows": 5, "placeholder": "Your text…"})
    )
    purpose = forms.ChoiceField(
        label="Purpose",
        required=False,
        choices=[
            (Message.Purpose.TRANSACTIONAL, "Transactional: they expect it"),
            (Message.Purpose.MARKETING, "Marketing"),
        ],
    )
    send_at = forms.CharField(
        label="Send later",
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
        help_text="Empty: now.",
    )
    nonce = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    def __init__(self, *args: Any, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.organization = organization
        self.fields["template"].queryset = Template.objects.filter(  # type: ignore[attr-defined]
            organization=organization, archived_at=None
        ).select_related("current")
        self.fields["send_at"].help_text = f"Empty: now. In the organization's time, {organization.time_zone}."
        self.fields["to"].widget.attrs |= {
            "hx-post": reverse("messages:recipients"),
            "hx-trigger": "input changed delay:250ms",
            "hx-target": "#recipients",
            "hx-include": "closest form",
        }
        self.fields["template"].widget.attrs |= {
            "hx-post": reverse("messages:template_fields"),
            "hx-trigger": "change",
            "hx-target": "#variables",
            "hx-include": "closest form",
        }
        self.variable_names: list[str] = []
        self._add_variable_fields()

    def _add_variable_fields(self) -> None:
        """Ask for each variable of the chosen template; what a contact knows may stay empty."""
        chosen = self.data.get("template") if self.is_bound else self.initial.get("template")
        template = self._template(chosen)
        if template is None or template.current is None:
            return
        try:
            variables = parse(template.current.body).variables
        except TemplateSyntaxProblem:
            return
        known = offered(self.organization)
        for variable in variables:
            self.variable_names.append(variable.name)
            is_known = variable.name in known or variable.name.removeprefix("contact.") in known
            hint = "Empty: what the contact has." if is_known else ""
            if variable.fallback is not None:
                hint = f"Empty: “{variable.fallback}”."
            self.fields[_VARIABLE + variable.name] = forms.CharField(
                label=variable.name, required=not hint, max_length=500, strip=True, help_text=hint
            )

    def _template(self, chosen: Any) -> Template | None:
        if isinstance(chosen, Template):
            return chosen
        try:
            key = uuid.UUID(str(chosen))
        except ValueError:
            return None
        return self.fields["template"].queryset.filter(pk=key).first()  # type: ignore[attr-defined]

    def variable_fields(self) -> list[forms.BoundField]:
        """Return the fields of the template's variables."""
        return [self[_VARIABLE + name] for name in self.variable_names]

    def clean_send_at(self) -> datetime | None:
        raw = self.cleaned_data["send_at"]
        if not raw:
            return None
        try:
            local = datetime.fromisoformat(raw)
        except ValueError as error:
            raise forms.ValidationError("Write date and time, for example 2026-05-01 09:00.") from error
        at = local if local.tzinfo else local.replace(tzinfo=ZoneInfo(self.organization.time_zone))
        if at < timezone.now():
            raise forms.ValidationError("This time has passed. Leave the field empty to send now.")
        return at

    def draft(self, **who: Any) -> Draft:
        """Return what the valid form asks for."""
        data = self.cleaned_data
        values = nest({name: data.get(_VARIABLE + name) or "" for name in self.variable_names})
        return Draft(
            to=data.get("to") or "",
            template=data.get("template"),
            body="" if data.get("template") else data.get("body") or "",
            variables=values,
            purpose=data.get("purpose") or Message.Purpose.TRANSACTIONAL,
            send_at=data.get("send_at"),
            **who,
        )


_FIELD_OF_PROBLEM = {"to": "to", "body": "body", "template": "template", "send_at": "send_at", "variables": "template"}


def field_for(problem_field: str) -> str | None:
    """Return the form field at which a problem of the outbox is shown; None: above the form."""
    return _FIELD_OF_PROBLEM.get(problem_field)


class LogFilterForm(forms.Form):
    """The filters of the message log; what cannot be read is left out, never an error page."""

    q = forms.CharField(label="Number or SID", required=False, max_length=80)
    status = forms.ChoiceField(label="Status", required=False, choices=[("", "Every status"), *Status.choices])
    direction = forms.ChoiceField(
        label="Direction", required=False, choices=[("", "Both directions"), *Message.Direction.choices]
    )
    template = forms.ModelChoiceField(Template.objects.none(), required=False, empty_label="Every template")
    since = forms.DateField(label="From", required=False, widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(label="To", required=False, widget=forms.DateInput(attrs={"type": "date"}))

    def __init__(self, *args: Any, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["template"].queryset = Template.objects.filter(organization=organization)  # type: ignore[attr-defined]

    def wanted(self) -> LogFilter:
        """Return the filter, of the fields that could be read."""
        self.is_valid()
        data = self.cleaned_data
        template = data.get("template")
        return LogFilter(
            query=(data.get("q") or "").replace("\x00", ""),
            status=data.get("status") or "",
            direction=data.get("direction") or "",
            template=template.pk if template else None,
            since=data.get("since"),
            until=data.get("until"),
        )
