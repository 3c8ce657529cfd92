"""Outgoing webhook: call an address of the organization's, signed, with a key by which it knows a second try.

A worker that dies after the call and before its outcome is kept calls again, under the same key.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.core.serializers.json import DjangoJSONEncoder

from integrations.clock import database_now
from messaging.automations.base import (
    Done,
    Node,
    NodeFailed,
    Outcome,
    Scope,
    Settings,
    SettingsForm,
    Step,
    TryLater,
)
from messaging.automations.fields import Field, Type, look_up, plain_keys
from messaging.outgoing.addresses import read_url
from messaging.outgoing.keeping import secret_row, secrets_of
from messaging.outgoing.posting import LONGEST_BODY, Answer, post
from messaging.outgoing.problems import AddressRefused, NoAnswer

from .picking import choice, shown_when

LONGEST_KEPT = 8_000
_GONE = "A chosen field is not known here any more. Choose again."
_UNSIGNED = "Make the signing secret first, under Settings, Outgoing webhooks: calls are signed with it."


class WebhookForm(SettingsForm):
    """Where to, how, and what is sent along."""

    url = forms.CharField(
        label="Address",
        max_length=2000,
        widget=forms.TextInput(attrs={"inputmode": "url", "placeholder": "https://example.com/hook"}),
        error_messages={"required": "Write the address to call."},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["method"] = choice("Method", [("POST", "POST"), ("PUT", "PUT")])
        every = [("all", "Everything the run knows"), ("some", "Some fields")]
        self.fields["what"] = choice("What is sent", every, help_text="As JSON.")
        self.fields["fields"] = shown_when(
            forms.MultipleChoiceField(
                label="Fields",
                required=False,
                choices=[(field.path, field.label) for field in self.scope.fields],
                widget=forms.CheckboxSelectMultiple,
                error_messages={"invalid_choice": _GONE},
            ),
            "what=some",
        )

    def clean_url(self) -> str:
        url = str(self.cleaned_data["url"]).strip()
        if "{{" in url:
            raise forms.ValidationError("The address has no variables: what is known is sent along as JSON.")
        try:
            read_url(url)
        except AddressRefused as refused:
            raise forms.ValidationError(refused.detail) from refused
        return url

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("what") != "some":
            cleaned["fields"] = []
        elif not cleaned.get("fields") and "fields" not in self.errors:
            self.add_error("fields", "Choose at least one field.")
        return cleaned


class WebhookNode(Node):
    """Tells another system, and takes what it answers."""

    key = "webhook_out"
    title = "Outgoing webhook"
    text = "Call an address of yours with what the run knows, signed."
    icon = "webhook"
    group = "Do"
    is_outside = True
    form = WebhookForm

    def fields(self, scope: Scope, settings: Settings) -> list[Field]:
        return [Field(f"{scope.node_id}.status", "Webhook: status of the answer", Type.NUMBER, 200)]

    def problems(self, scope: Scope, settings: Settings) -> Iterable[str]:
        if secret_row(scope.organization) is None:
            yield _UNSIGNED

    def describe(self, scope: Scope, settings: Settings) -> str:
        try:
            return f"Call {read_url(str(settings.get('url', ''))).host}"
        except AddressRefused:
            return "Call an address"

    def run(self, step: Step) -> Outcome:
        method, url, body = _prepared(step)
        secrets = secrets_of(step.organization)
        if not secrets:
            raise NodeFailed("no_secret", _UNSIGNED)
        try:
            answer = post(url, body, secrets=secrets, key=str(step.id), method=method)
        except AddressRefused as refused:
            raise NodeFailed(refused.code, refused.detail) from refused
        except NoAnswer as silent:
            raise TryLater(silent.code, silent.detail) from silent
        if answer.is_good:
            return Done({"status": answer.status, "answer": _kept(answer)})
        raise _failure(answer)

    def rehearse(self, step: Step) -> Outcome:
        _, _, body = _prepared(step)
        step.shown["in this test"] = f"nothing is called; it would be {len(body):,} bytes"
        return Done({"status": 200, "answer": {}})


def _prepared(step: Step) -> tuple[str, str, bytes]:
    """Return method, address and body, and say on the run page what is sent where."""
    settings = step.settings
    method, url = str(settings.get("method") or "POST"), str(settings.get("url", ""))
    try:
        target = read_url(url)
    except AddressRefused as refused:
        raise NodeFailed(refused.code, refused.detail) from refused
    chosen = settings.get("fields") if settings.get("what") == "some" else None
    data: Mapping[str, Any] = {path: look_up(step.values, path) for path in chosen} if chosen else step.values
    body = json.dumps(
        {
            "id": str(step.id),
            "automation": {"id": str(step.run.automation_id), "name": step.run.automation.name},
            "run": str(step.run.pk),
            "at": database_now().isoformat(),
            "data": data,
        },
        cls=DjangoJSONEncoder,
        ensure_ascii=False,
    ).encode()
    if len(body) > LONGEST_BODY:
        raise NodeFailed("too_large", "What the run knows is larger than 256 KB. Choose the fields that are needed.")
    # The address may hold a secret in its path, as those of chat services do.
    step.shown = {"call": f"{method} {target.host}", "sent": "everything" if chosen is None else ", ".join(chosen)}
    return method, url, body


def _failure(answer: Answer) -> NodeFailed | TryLater:
    said = f"The service answered with status {answer.status}."
    if answer.may_come_again:
        return TryLater(f"http_{answer.status}", said, seconds=answer.retry_after)
    if 300 <= answer.status < 400:
        return NodeFailed(
            "redirect", f"{said} It leads elsewhere, which is not followed. Write the address it leads to."
        )
    return NodeFailed(f"http_{answer.status}", f"{said} Look into its log, mend it, and try the run again.")


def _kept(answer: Answer) -> dict[str, Any]:
    """Return what was answered, where it is JSON and small, as later steps may use it."""
    found: Any = plain_keys(answer.record())
    return found if len(json.dumps(found)) <= LONGEST_KEPT else {}
