"""What becomes of contacts sets an automation off: made, tagged, changed, opted out."""

from collections.abc import Iterable
from typing import Any

from django import forms

from integrations.organizations.models import Organization, as_uuid
from messaging.automations.base import Scope, Settings, SettingsForm, Start, Trigger
from messaging.automations.fields import Field, Type
from messaging.consent.models import OptOut
from messaging.consent.opt_outs import OPTED_OUT
from messaging.contacts.attributes import definitions_of
from messaging.contacts.models import Tag
from messaging.contacts.tagging import TAGGED
from messaging.contacts.telling import CHANGED, CREATED
from messaging.happenings.models import Happening

_SOURCES = (
    ("member", "a member, on a page"),
    ("system", "a form, the API or an automation"),
    ("import", "an import"),
    ("inbound", "a text from an unknown number"),
)
# Own fields of a contact whose changes are told; attributes are offered beside them.
_OWN = {"name": "Name", "phone": "Number", "email": "E-mail", "language": "Language", "time_zone": "Time zone"}
_WITHOUT_VALUES = ("phone", "email")


class CreatedForm(SettingsForm):
    """Who made the contact, if that matters."""

    sources = forms.MultipleChoiceField(
        label="Made by", choices=_SOURCES, required=False, widget=forms.CheckboxSelectMultiple,
        help_text="Nothing chosen: by anybody.",
    )  # fmt: skip


class ContactCreated(Trigger):
    """Somebody becomes a contact, whoever or whatever made them one."""

    key = "contact_created"
    title = "Contact created"
    text = "Somebody becomes a contact: by a page, a form, an import, the API, or by writing to you."
    icon = "person_add"
    kinds = (CREATED,)
    form = CreatedForm

    def fields(self, scope: Scope, settings: Settings) -> list[Field]:
        return [Field("trigger.source", "Made by", Type.CHOICE, "import", tuple(key for key, _ in _SOURCES))]

    def describe(self, scope: Scope, settings: Settings) -> str:
        words = [words for key, words in _SOURCES if key in settings.get("sources", ())]
        return f"When a contact is made by {' or '.join(words)}" if words else "When a contact is made"

    def fits(self, settings: Settings, happening: Happening) -> bool:
        wanted = settings.get("sources")
        return not wanted or happening.data.get("source") in wanted


class TaggedForm(SettingsForm):
    """Which tag."""

    tag = forms.ChoiceField(label="Tag", required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        tags = Tag.objects.filter(organization=self.scope.organization).values_list("pk", "name")
        self.fields["tag"].choices = [("", "Any tag"), *((str(pk), name) for pk, name in tags)]  # type: ignore[attr-defined]
        self.fields["tag"].error_messages["invalid_choice"] = "This tag was deleted. Choose another one."


class ContactTagged(Trigger):
    """A contact gets a tag that it did not have."""

    key = "contact_tagged"
    title = "Contact tagged"
    text = "A contact gets a tag it did not have: by hand, in bulk, by an import, a rule or the API."
    icon = "sell"
    kinds = (TAGGED,)
    form = TaggedForm

    def fields(self, scope: Scope, settings: Settings) -> list[Field]:
        return [Field("trigger.tag", "Tag", Type.TEXT, _tag_name(scope, settings) or "VIP")]

    def describe(self, scope: Scope, settings: Settings) -> str:
        if not settings.get("tag"):
            return "When a contact gets any tag"
        return f"When a contact gets the tag {_tag_name(scope, settings) or 'that was deleted'}"

    def fits(self, settings: Settings, happening: Happening) -> bool:
        wanted = settings.get("tag")
        return not wanted or happening.data.get("tag_id") == wanted

    def start_of(self, happening: Happening) -> Start:
        return Start.after(happening, {"tag": happening.data.get("tag", "")})


class ChangedForm(SettingsForm):
    """Which field, and what it was before and is now."""

    field = forms.ChoiceField(label="What changes")
    before = forms.CharField(
        label="From", max_length=500, required=False, help_text="Empty: whatever it was. As it is shown on the contact."
    )
    after = forms.CharField(
        label="To", max_length=500, required=False, help_text="Empty: whatever it becomes, also nothing."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        attributes = [(one.key, one.label) for one in definitions_of(self.scope.organization)]
        self.fields["field"].choices = [("", "Anything"), *_OWN.items(), *attributes]  # type: ignore[attr-defined]
        self.fields["field"].required = False
        self.fields["field"].error_messages["invalid_choice"] = (
            "This attribute is archived. Choose another one, or take it out of the archive."
        )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if (data.get("before") or data.get("after")) and data.get("field") in ("", None, *_WITHOUT_VALUES):
            self.add_error("before", "Values can be compared for one field other than number and e-mail only.")
        return data


class ContactChanged(Trigger):
    """A field or an attribute of a contact gets another value."""

    key = "contact_changed"
    title = "Contact changed"
    text = "A field or an attribute of a contact gets another value."
    icon = "edit"
    kinds = (CHANGED,)
    form = ChangedForm

    def fields(self, scope: Scope, settings: Settings) -> list[Field]:
        return [
            Field("trigger.field", "What changed", Type.TEXT, settings.get("field") or "city"),
            Field("trigger.before", "Former value", Type.TEXT, settings.get("before") or "Berlin"),
            Field("trigger.after", "New value", Type.TEXT, settings.get("after") or "Hamburg"),
        ]

    def describe(self, scope: Scope, settings: Settings) -> str:
        wanted = settings.get("field")
        if not wanted:
            return "When anything of a contact changes"
        labels = {one.key: one.label for one in definitions_of(scope.organization, with_archived=True)}
        before = f" from {settings['before']}" if settings.get("before") else ""
        after = f" to {settings['after']}" if settings.get("after") else ""
        return f"When {_OWN.get(wanted) or labels.get(wanted, wanted)} changes{before}{after}"

    def fits(self, settings: Settings, happening: Happening) -> bool:
        wanted = settings.get("field")
        if not wanted:
            return True
        if wanted not in happening.data.get("changed", ()):
            return False
        pairs = ((settings.get("before"), "old"), (settings.get("after"), "new"))
        return all(not asked or _same(asked, happening.data.get(side, {}).get(wanted)) for asked, side in pairs)

    def starts(self, organization: Organization, settings: Settings, heard: Iterable[Happening]) -> Iterable[Start]:
        return [self._start_of(settings, one) for one in heard if self.fits(settings, one)]

    def _start_of(self, settings: Settings, happening: Happening) -> Start:
        changed = happening.data.get("changed") or [""]
        name = settings.get("field") or changed[0]
        old, new = (happening.data.get(side, {}).get(name) for side in ("old", "new"))
        return Start.after(happening, {"field": name, "changed": ", ".join(changed), "before": old, "after": new})


class OptedOutForm(SettingsForm):
    """By which way."""

    sources = forms.MultipleChoiceField(
        label="By", choices=OptOut.Source.choices, required=False, widget=forms.CheckboxSelectMultiple,
        help_text="Nothing chosen: in any way.",
    )  # fmt: skip


class ContactOptedOut(Trigger):
    """A number opts out. What is sent to it is blocked, so this is for telling colleagues or other systems."""

    key = "contact_opted_out"
    title = "Opted out"
    text = "A number opts out: by STOP, a link, a file, the API or a colleague. Texts to it are blocked from then on."
    icon = "block"
    kinds = (OPTED_OUT,)
    form = OptedOutForm

    def fields(self, scope: Scope, settings: Settings) -> list[Field]:
        return [
            Field("trigger.phone", "Number", Type.PHONE, "+4930123456"),
            Field("trigger.source", "By which way", Type.CHOICE, "keyword", tuple(OptOut.Source.values)),
            Field("trigger.keyword", "What they wrote", Type.TEXT, "STOP"),
        ]

    def describe(self, scope: Scope, settings: Settings) -> str:
        labels = [str(label) for key, label in OptOut.Source.choices if key in settings.get("sources", ())]
        return f"When a number opts out by {' or '.join(labels)}" if labels else "When a number opts out"

    def fits(self, settings: Settings, happening: Happening) -> bool:
        wanted = settings.get("sources")
        return not wanted or happening.data.get("source") in wanted

    def start_of(self, happening: Happening) -> Start:
        told = {"phone": happening.phone, **{name: happening.data.get(name, "") for name in ("source", "keyword")}}
        return Start.after(happening, told)


def _tag_name(scope: Scope, settings: Settings) -> str:
    tag = as_uuid(settings.get("tag"))
    if tag is None:
        return ""
    return Tag.objects.filter(organization=scope.organization, pk=tag).values_list("name", flat=True).first() or ""


def _same(asked: str, value: Any) -> bool:
    """Compare what somebody typed with a stored value, as people read both."""
    plain = "yes" if value is True else "no" if value is False else "" if value is None else str(value)
    return plain.strip().casefold() == asked.strip().casefold()
