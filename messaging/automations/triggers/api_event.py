"""An event that a program reports by the API sets an automation off."""

import json
from collections.abc import Iterable
from typing import Any

from django import forms
from django.conf import settings as django_settings

from messaging.automations.base import Scope, Settings, SettingsForm, Start, Trigger
from messaging.automations.events import API_EVENT, NAME, key_of_event
from messaging.automations.fields import Field, Type, fields_of
from messaging.automations.trigger_models import SeenEvent
from messaging.happenings.models import Happening

_MOST_SHOWN = 10


class ApiEventForm(SettingsForm):
    """Which event."""

    name = forms.CharField(
        label="Name of the event", max_length=60, help_text="As the program sends it, like order.shipped.",
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false"}),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = SeenEvent.objects.filter(organization=self.scope.organization).order_by("-seen_at")
        if seen := list(rows.values_list("name", flat=True)[:_MOST_SHOWN]):
            self.fields["name"].help_text += f" Lately came: {', '.join(seen)}."

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"]).strip()
        if not NAME.fullmatch(name):
            raise forms.ValidationError("Small letters, digits and _ . - with a letter in front, like order.shipped.")
        return name


class ApiEventTrigger(Trigger):
    """A program reports something by `POST /api/v1/events`."""

    key = "api_event"
    title = "API event"
    text = "A program of yours reports an event by POST /api/v1/events, with an API key and data of its own."
    icon = "api"
    group = "Systems"
    kinds = (API_EVENT,)
    form = ApiEventForm

    def fields(self, scope: Scope, settings: Settings) -> list[Field]:
        always = [
            Field("trigger.event", "Name of the event", Type.TEXT, settings.get("name") or "order.shipped"),
            Field("trigger.phone", "Number that was sent along", Type.PHONE, "+4930123456"),
        ]
        seen = SeenEvent.objects.filter(organization=scope.organization, name=settings.get("name", "")).first()
        return [*always, *(fields_of(seen.sample, under="trigger.data") if seen else [])]

    def describe(self, scope: Scope, settings: Settings) -> str:
        return (
            f"When a program reports {settings['name']}" if settings.get("name") else "When a program reports an event"
        )

    def notes(self, scope: Scope, settings: Settings) -> Iterable[str]:
        call: dict[str, Any] = {"name": settings.get("name") or "order.shipped", "to": "+4915112345678", "data": {}}
        address = f"{django_settings.PUBLIC_BASE_URL or ''}/api/v1/events"
        yield (
            f"The program sends {json.dumps(call)} as JSON by POST to {address}, with the header Authorization: Bearer "
            "and a key that may report events. You make it under API keys."
        )

    def fits(self, settings: Settings, happening: Happening) -> bool:
        return bool(happening.data.get("name") == settings.get("name"))

    def start_of(self, happening: Happening) -> Start:
        told: dict[str, Any] = {
            "event": happening.data.get("name", ""),
            "phone": happening.phone,
            "data": happening.data.get("data", {}),
        }
        event_id = happening.data.get("id")
        return Start.after(happening, told, key=key_of_event(event_id) if event_id else "")
