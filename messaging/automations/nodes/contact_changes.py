"""Change the contact: add or take away a tag, set an attribute. By the verbs of the address book, with their audit."""

from collections.abc import Iterable
from typing import Any

from django import forms

from integrations.organizations.models import as_uuid
from integrations.phones import parse_phone
from messaging.automations.base import Done, Node, NodeFailed, Outcome, Scope, Settings, SettingsForm, Step
from messaging.automations.fields import Field, Type
from messaging.contacts.address_book import (
    ContactProblem,
    Details,
    add_tag,
    read_tag_name,
    remove_tag,
    update_contact,
)
from messaging.contacts.attributes import AttributeProblem, definitions_of, read_value, shown
from messaging.contacts.models import AttributeDefinition, Contact, Tag

from .picking import attributes, choice, name_in, tags, text_with_variables

ADD, REMOVE = "add", "remove"
_NO_CONTACT = "This trigger brings no contact, so there is nobody to change. Choose another trigger, or remove it."


class TagForm(SettingsForm):
    """Add or remove, and which tag: one that is there, or a new one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["what"] = choice("Do", [(ADD, "Add a tag"), (REMOVE, "Take a tag away")], required=True)
        gone = "This tag was deleted. Choose another one."
        self.fields["tag"] = choice("Tag", tags(self.scope), empty="Choose a tag", gone=gone)
        self.fields["new"] = forms.CharField(
            label="Or a new tag", required=False, max_length=60, widget=forms.TextInput(attrs={"data-when": "what=add"})
        )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("what") == REMOVE:
            cleaned["new"] = ""
        if cleaned.get("new"):
            cleaned["tag"] = ""
            try:
                cleaned["new"] = read_tag_name(cleaned["new"])
            except ContactProblem as problem:
                self.add_error("new", problem.detail)
        elif not cleaned.get("tag") and not self.errors:
            self.add_error("tag", "Choose the tag, or write a new one." if cleaned.get("what") == ADD else "Choose it.")
        return cleaned


class TagNode(Node):
    """Adds a tag to the contact, or takes one away; that it is so already is fine."""

    key = "tag"
    title = "Add or remove tag"
    text = "Tag the contact, or take a tag away."
    icon = "sell"
    group = "Contact"
    form = TagForm

    def fields(self, scope: Scope, settings: Settings) -> list[Field]:
        return [
            Field(f"{scope.node_id}.tag", "Tag: its name", Type.TEXT, "VIP"),
            Field(f"{scope.node_id}.changed", "Tag: changed anything", Type.YES_NO, True),
        ]

    def problems(self, scope: Scope, settings: Settings) -> Iterable[str]:
        if not scope.has_contact:
            yield _NO_CONTACT

    def describe(self, scope: Scope, settings: Settings) -> str:
        name = settings.get("new") or name_in(tags(scope), settings.get("tag")) or "…"
        return f"Take the tag {name} away" if settings.get("what") == REMOVE else f"Add the tag {name}"

    def run(self, step: Step) -> Outcome:
        return self._change(step, is_real=True)

    def rehearse(self, step: Step) -> Outcome:
        return self._change(step, is_real=False)

    def _change(self, step: Step, *, is_real: bool) -> Outcome:
        new, tag = str(step.settings.get("new", "")), None
        if not new:
            key = as_uuid(step.settings.get("tag"))
            tag = Tag.objects.filter(organization=step.organization, pk=key).first() if key else None
            if tag is None:
                raise NodeFailed("tag_gone", "The tag was deleted. Choose another one, and publish.")
        name, is_added = new or str(tag), step.settings.get("what") != REMOVE
        step.shown = {"add" if is_added else "take away": name}
        if not is_real:
            step.shown["in this test"] = "the contact stays as it is"
            return Done({"tag": name, "changed": False})
        contact = locked_contact(step)
        has_it = contact.tags.filter(name__iexact=name).exists()
        try:
            if is_added and not has_it:
                add_tag(contact, name=name, actor=actor_of(step))
            elif not is_added and has_it and tag is not None:
                remove_tag(contact, tag=tag, actor=actor_of(step))
        except ContactProblem as problem:
            raise NodeFailed(problem.code, problem.detail) from problem
        return Done({"tag": name, "changed": has_it != is_added})


class AttributeForm(SettingsForm):
    """Which attribute, and its value."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = [(one.key, one.label) for one in attributes(self.scope)]
        gone = "This attribute was archived. Choose another one."
        self.fields["attribute"] = choice("Attribute", offered, empty="Choose", gone=gone, required=True)
        self.fields["value"] = text_with_variables("Value", max_length=500, help_text="Empty: take the value away.")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        key, value = cleaned.get("attribute"), cleaned.get("value") or ""
        definition = next((one for one in attributes(self.scope) if one.key == key), None)
        if definition is not None and "{{" not in value:
            try:
                read_value(definition, value)
            except AttributeProblem as problem:
                self.add_error("value", problem.message)
        return cleaned


class AttributeNode(Node):
    """Sets what the organization keeps about the contact."""

    key = "attribute"
    title = "Set attribute"
    text = "Keep a value with the contact, or take it away."
    icon = "edit_note"
    group = "Contact"
    form = AttributeForm

    def fields(self, scope: Scope, settings: Settings) -> list[Field]:
        return [
            Field(f"{scope.node_id}.value", "Attribute: its value", Type.TEXT, "gold"),
            Field(f"{scope.node_id}.changed", "Attribute: changed anything", Type.YES_NO, True),
        ]

    def problems(self, scope: Scope, settings: Settings) -> Iterable[str]:
        if not scope.has_contact:
            yield _NO_CONTACT

    def describe(self, scope: Scope, settings: Settings) -> str:
        offered = [(one.key, one.label) for one in attributes(scope)]
        label = name_in(offered, settings.get("attribute")) or "an attribute"
        value = str(settings.get("value", ""))
        return f"Set {label} to {value[:60]}" if value else f"Take {label} away"

    def run(self, step: Step) -> Outcome:
        definition, value = _value(step)
        contact = locked_contact(step)
        details = Details(
            phone=parse_phone(contact.phone, region=None, allow_magic=True),
            name=contact.name,
            email=contact.email,
            language=contact.language,
            notes=contact.notes,
            attributes={definition.key: value},
        )
        try:
            changed = update_contact(contact, details=details, actor=actor_of(step))
        except ContactProblem as problem:
            raise NodeFailed(problem.code, problem.detail) from problem
        return Done({"value": shown(definition, value), "changed": bool(changed)})

    def rehearse(self, step: Step) -> Outcome:
        definition, value = _value(step)
        step.shown["in this test"] = "the contact stays as it is"
        return Done({"value": shown(definition, value), "changed": False})


def actor_of(step: Step) -> str:
    """Return who the audit log names for what a step did."""
    return f"Automation “{step.run.automation.name}”"


def locked_contact(step: Step) -> Contact:
    """Return the run's contact, fresh and locked, so that of two runs at once none undoes the other's change."""
    if step.contact is None:
        if step.run.data.get("had_contact"):
            raise NodeFailed("contact_gone", "The contact was deleted or erased meanwhile. There is nobody to change.")
        raise NodeFailed(
            "no_contact",
            "What set the automation off brought no contact: the number is not among yours. Put a branch before this "
            "step that asks whether “Contact: number” is filled in, or let the trigger add contacts; then publish.",
        )
    rows = Contact.objects.select_for_update(of=("self",), no_key=True).filter(organization=step.organization)
    if not rows.filter(pk=step.contact.pk).exists():
        raise NodeFailed("contact_gone", "The contact was deleted or erased meanwhile. There is nobody to change.")
    step.contact.refresh_from_db()
    return step.contact


def _value(step: Step) -> tuple[AttributeDefinition, Any]:
    key = step.settings.get("attribute")
    definition = next((one for one in definitions_of(step.organization) if one.key == key), None)
    if definition is None:
        raise NodeFailed("attribute_gone", "The attribute was archived. Choose another one, and publish.")
    text = step.text("value")
    step.shown = {definition.label: text or "(empty)"}
    try:
        return definition, read_value(definition, text)
    except AttributeProblem as problem:
        raise NodeFailed(problem.code, f"{definition.label} cannot be “{text[:80]}”. {problem.message}") from problem
