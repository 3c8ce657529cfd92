"""Triggers of the portal wing: a form was sent; somebody registered, was approved, rejected or invited."""

from collections.abc import Iterable
from typing import Any, ClassVar

from django import forms

from integrations.organizations.models import Organization, as_uuid
from messaging.automations.base import Scope, Settings, SettingsForm, Trigger
from messaging.automations.fields import Field, Type
from messaging.automations.nodes.picking import choice, name_in
from messaging.happenings.models import Happening
from portal.accounts import told as people_told
from portal.accounts.selectors import questions_of
from portal.forms.definition import Definition, DefinitionProblem, parse
from portal.forms.models import PublicForm
from portal.forms.selectors import find_form
from portal.forms.told import FORM_SUBMITTED, answer_fields

from .choosing import PORTAL_GONE, ROLE_ELSEWHERE, ROLE_GONE, is_role_elsewhere, portal_chosen, portals, roles


class FormTriggerForm(SettingsForm):
    """Which form, and whether an unproved number will do."""

    any_number = forms.BooleanField(
        label="Also where the number was not proved by a code",
        required=False,
        help_text="Without it, a form sent with a number that was not proved sets nothing off. With it, anybody can "
        "have anybody texted: whoever fills the form in names a number.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        gone = "This form was deleted. Choose another one."
        self.fields["form"] = choice("Form", _forms(self.scope), empty="Any form", gone=gone)
        self.fields["form"].widget.attrs["data-reload"] = "yes"
        self.order_fields(["form", "any_number"])

    def to_settings(self) -> dict[str, Any]:
        return {name: value for name, value in super().to_settings().items() if value}


class FormSubmitted(Trigger):
    """Somebody filled a public form in."""

    key = "form_submitted"
    title = "Form submitted"
    text = "Somebody filled in one of your public forms."
    icon = "assignment_turned_in"
    group = "Forms and portals"
    kinds = (FORM_SUBMITTED,)
    form = FormTriggerForm

    def fields(self, scope: Scope, settings: Settings) -> list[Field]:
        return [
            Field("trigger.form", "Form: its title", Type.TEXT, "Delivery slots"),
            Field("trigger.phone", "Form: the number", Type.PHONE, "+4915112345678"),
            Field("trigger.proved", "Form: the number is proved", Type.YES_NO, True),
            Field("trigger.language", "Form: the visitor’s language", Type.TEXT, "en"),
            Field("trigger.submission_id", "Form: id of the submission", Type.TEXT, "0197c3f0"),
            *answer_fields(_definition(scope.organization, settings) or Definition()),
        ]

    def problems(self, scope: Scope, settings: Settings) -> Iterable[str]:
        if not settings.get("form"):
            return
        definition = _definition(scope.organization, settings)
        if definition is None:
            yield "The form is not published yet. Publish it first."
        elif definition.number_field and not definition.verified_field and not settings.get("any_number"):
            yield (
                "The form does not prove the number, so it would set nothing off. Switch on “Verify by code” at its "
                "question for the number, or let unproved numbers set the automation off, too."
            )

    def describe(self, scope: Scope, settings: Settings) -> str:
        title = name_in(_forms(scope), settings.get("form"))
        return f"When the form “{title}” is submitted" if title else "When any form is submitted"

    def fits(self, settings: Settings, happening: Happening) -> bool:
        data = happening.data
        if settings.get("form") and data.get("form_id") != settings["form"]:
            return False
        return bool(settings.get("any_number") or data.get("proved") or not happening.phone)


class PortalTriggerForm(SettingsForm):
    """Which portal, and which role of it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["portal"] = choice("Portal", portals(self.scope), empty="Any portal", gone=PORTAL_GONE)
        self.fields["portal"].widget.attrs["data-reload"] = "yes"
        self.fields["role"] = choice("Role", roles(self.scope), empty="Any role", gone=ROLE_GONE)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if is_role_elsewhere(self.scope, cleaned):
            self.add_error("role", ROLE_ELSEWHERE)
        return cleaned


class _OfPortal(Trigger):
    """Something became of a person of a portal."""

    group = "Forms and portals"
    icon = "badge"
    form = PortalTriggerForm
    words: ClassVar[str]

    def fields(self, scope: Scope, settings: Settings) -> list[Field]:
        return list(people_told.FIELDS)

    def describe(self, scope: Scope, settings: Settings) -> str:
        portal = name_in(portals(scope), settings.get("portal"))
        role = name_in(roles(scope), settings.get("role"))
        where = f"the portal {portal}" if portal else "any portal"
        return f"When somebody {self.words} {where}{f' ({role})' if role else ''}"

    def fits(self, settings: Settings, happening: Happening) -> bool:
        data = happening.data
        return (not settings.get("portal") or data.get("portal_id") == settings["portal"]) and (
            not settings.get("role") or data.get("role_id") == settings["role"]
        )


class PortalRegistered(_OfPortal):
    """Somebody registered, active or waiting."""

    key = "portal_registered"
    title = "Portal user registered"
    text = "Somebody registered in a portal: they are in, or wait for your approval."
    kinds = (people_told.REGISTERED,)
    words = "registers in"

    def fields(self, scope: Scope, settings: Settings) -> list[Field]:
        portal = portal_chosen(scope.organization, settings.get("portal"))
        return [*super().fields(scope, settings), *(answer_fields(questions_of(portal)) if portal else ())]


class PortalApproved(_OfPortal):
    """Somebody who waited was let in."""

    key = "portal_approved"
    title = "Portal user approved"
    text = "Somebody who waited for approval was let in."
    kinds = (people_told.APPROVED,)
    words = "is approved for"


class PortalRejected(_OfPortal):
    """Somebody who waited was turned away."""

    key = "portal_rejected"
    title = "Portal user rejected"
    text = "Somebody who waited for approval was turned away."
    kinds = (people_told.REJECTED,)
    words = "is rejected for"

    def fields(self, scope: Scope, settings: Settings) -> list[Field]:
        return [*super().fields(scope, settings), people_told.REASON]


class PortalInvited(_OfPortal):
    """Somebody was invited, by whomever."""

    key = "portal_invited"
    title = "Portal user invited"
    text = "Somebody was invited to a portal: by hand, from a list, by the API or by an automation."
    kinds = (people_told.INVITED,)
    words = "is invited to"


def _forms(scope: Scope) -> list[tuple[str, str]]:
    rows = PublicForm.objects.filter(organization=scope.organization, serves=PublicForm.Serves.PUBLIC)
    return [(str(form.pk), form.title) for form in rows.order_by("title")]


def _definition(organization: Organization, settings: Settings) -> Definition | None:
    """Return the questions of the chosen form as they are published."""
    key = as_uuid(settings.get("form"))
    form = find_form(organization, key) if key else None
    if form is None or form.current is None:
        return None
    try:
        return parse(form.current.definition)
    except DefinitionProblem:
        return None
