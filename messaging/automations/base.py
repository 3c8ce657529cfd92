"""What a trigger and a node are: one class each, with its form, its validation and its run.

Rooms register theirs in `AppConfig.ready()` (registry.py); a wing above registers from above.
"""

import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Self, TypeVar

from django import forms
from django.db.models import Model

from integrations.organizations.models import Organization
from messaging.contacts.models import Contact
from messaging.happenings.models import Happening

from .fields import Field, fill_in
from .flow import Flow, NodeSpec
from .models import Automation, Run

Settings = Mapping[str, Any]
T = TypeVar("T")


@dataclass(frozen=True)
class Problem:
    """What a trigger or a node lacks: a sentence with the next step, the node's id ("" for the trigger), the field."""

    text: str
    node: str = ""
    field: str = ""


class SettingsForm(forms.Form):
    """The form of a trigger's or a node's settings.

    It is bound to the stored settings (`data`) both in the side panel and where the flow is checked; `to_settings`
    turns what was typed into the settings that are kept, as JSON. `scope` says what the form may offer.
    """

    def __init__(self, *args: Any, scope: "Scope", **kwargs: Any) -> None:
        self.scope = scope
        super().__init__(*args, **kwargs)

    def to_settings(self) -> dict[str, Any]:
        """Return the cleaned data as JSON takes it."""
        return {name: _plain(value) for name, value in self.cleaned_data.items() if value not in (None, "", [])}

    def add_problems(self, found: Iterable[tuple[str, str]]) -> None:
        """Show problems, pairs of a field and a sentence, where the field has none yet; without it, on top."""
        for name, text in found:
            if name not in self.errors:
                self.add_error(name if name in self.fields else None, text)

    @classmethod
    def to_data(cls, settings: Settings) -> dict[str, Any]:
        """Return stored settings as the form's data: the other direction."""
        return dict(settings)

    @classmethod
    def begun(cls, settings: Settings, *, scope: "Scope") -> "SettingsForm":
        """Return the form as the side panel shows it: with the settings, or with what it begins with."""
        form = cls(cls.to_data(settings), scope=scope)
        if settings:
            return form
        begins = {name: field.initial for name, field in form.fields.items() if field.initial is not None}
        return cls({**begins, **form.data}, scope=scope)


class NoSettings(SettingsForm):
    """For what needs none."""


@dataclass(frozen=True)
class Scope:
    """Where a trigger or node stands: the organization, the flow, and the fields that are known there.

    Scopes of one look at a flow share `memory`, so that fifty steps ask for the list of tags once.
    """

    organization: Organization
    fields: tuple[Field, ...] = ()
    flow: Flow = field(default_factory=Flow)
    node_id: str = ""
    has_contact: bool = False
    automation: Automation | None = None
    memory: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def once(self, name: str, ask: Callable[[], T]) -> T:
        """Return what `ask` finds, asked once for all scopes of one look; nobody changes what it returned."""
        if name not in self.memory:
            self.memory[name] = ask()
        found: T = self.memory[name]
        return found

    def field(self, path: str) -> Field | None:
        """Return the field at a path."""
        return next((one for one in self.fields if one.path == path), None)


@dataclass(frozen=True, kw_only=True)
class Start:
    """A wish to begin a run: `key` is what set it off, once per automation; `data` are the trigger's fields.

    With a `reason` the run is stored as not begun, with `detail` as the sentence for it: nothing is lost silently.
    """

    key: str
    data: Mapping[str, Any] = field(default_factory=dict)
    contact_id: uuid.UUID | None = None
    phone: str = ""
    due_at: datetime | None = None
    cause: uuid.UUID | None = None
    reason: str = ""
    detail: str = ""

    @classmethod
    def after(
        cls,
        happening: Happening,
        data: Mapping[str, Any] | None = None,
        *,
        key: str = "",
        reason: str = "",
        detail: str = "",
    ) -> Self:
        """Return the start that a happening leads to, once for each unless there is a `key` of what it is about."""
        return cls(
            key=key or f"h{happening.pk}",
            data=happening.data if data is None else data,
            contact_id=happening.contact_id,
            phone=happening.phone,
            cause=happening.cause,
            reason=reason,
            detail=detail,
        )


class Trigger:
    """What sets an automation off.

    `kinds` are the happenings it listens to; a trigger with `looks` is asked by itself, from time to time. What comes
    from elsewhere (a webhook) calls `starting.start_runs`.
    """

    key: ClassVar[str]
    title: ClassVar[str]
    text: ClassVar[str]
    icon: ClassVar[str] = "bolt"
    group: ClassVar[str] = "Contacts"
    kinds: ClassVar[tuple[str, ...]] = ()
    has_contact: ClassVar[bool] = True
    looks: ClassVar[bool] = False
    form: ClassVar[type[SettingsForm]] = NoSettings

    def brings_contact(self, settings: Settings) -> bool:
        """Tell whether runs have a contact, with these settings."""
        return self.has_contact

    def fields(self, scope: Scope, settings: Settings) -> list[Field]:
        """Return what later nodes may use, as `trigger.…`; the contact's fields come by themselves."""
        return []

    def problems(self, scope: Scope, settings: Settings) -> Iterable[str]:
        """Say what is wrong beyond what the form finds, like a tag that was deleted since."""
        return ()

    def describe(self, scope: Scope, settings: Settings) -> str:
        """Return one line for the builder: "When a contact gets the tag VIP"."""
        return self.title

    def notes(self, scope: Scope, settings: Settings) -> Iterable[str]:
        """Say what is good to know and keeps nothing from being published, like the next times of a schedule."""
        return ()

    def starts(self, organization: Organization, settings: Settings, heard: Sequence[Happening]) -> Iterable[Start]:
        """Return a Start for each happening that fits; each is of one of `kinds` and of this organization."""
        return [self.start_of(happening) for happening in heard if self.fits(settings, happening)]

    def fits(self, settings: Settings, happening: Happening) -> bool:
        """Tell whether a happening is meant."""
        return True

    def start_of(self, happening: Happening) -> Start:
        """Return the start that a happening leads to."""
        return Start.after(happening)

    def look(self, automation: Automation, settings: Settings, *, now: datetime) -> tuple[list[Start], datetime | None]:
        """For a trigger that `looks`: what is to begin now, and when to look again. Called under the automation's lock.

        `automation.looked_until` says up to which moment it has looked; the trigger moves it on.
        """
        return [], None

    def next_look(self, automation: Automation, settings: Settings, *, now: datetime) -> datetime | None:
        """For a trigger that `looks`: when to look first, once published or resumed; None is never."""
        return None


@dataclass(kw_only=True)
class Step:
    """A node at work: what it knows, and what it may say to the run page.

    `id` is the same however often the step is tried: effects are made once under it. `memory` is the node's own and
    survives a Wait, an Again and a failure that is tried again. `shown` is the input that people read.
    """

    id: uuid.UUID
    run: Run
    spec: NodeSpec
    organization: Organization
    contact: Contact | None
    values: Mapping[str, Any]
    memory: dict[str, Any]
    attempts: int
    is_resumed: bool
    now: datetime
    shown: dict[str, Any] = field(default_factory=dict)
    # Of all steps that are done together: what one has looked up need not be looked up by the next.
    shared: dict[Any, Any] = field(default_factory=dict)
    # Rows to be stored with the run's progress, those of all steps at once; dropped where the step fails.
    rows: list[Model] = field(default_factory=list)

    @property
    def settings(self) -> Settings:
        return self.spec.settings

    @property
    def is_test(self) -> bool:
        return self.run.is_test

    def text(self, name: str) -> str:
        """Return a setting with its variables filled in; raise MissingVariables where one has no value."""
        return fill_in(str(self.settings.get(name, "")), self.values)


# What a node returns.
@dataclass(frozen=True)
class Done:
    """Go on, by a branch where the node has some; `output` is what later nodes may use, `note` what people read."""

    output: Mapping[str, Any] = field(default_factory=dict)
    branch: str = ""
    note: str = ""


@dataclass(frozen=True)
class Wait:
    """Come to this node again at a moment, or as soon as `wake_key` is called (see moves.wake_runs)."""

    until: datetime
    wake_key: str = ""
    note: str = ""


@dataclass(frozen=True)
class Again:
    """There is more to do at once: what was done so far is kept, and others have their turn between."""


@dataclass(frozen=True)
class End:
    """End the run here."""

    detail: str = ""


Outcome = Done | Wait | Again | End


class NodeFailed(Exception):
    """The step cannot be done: a stable `code`, and a sentence that says what happened and what to do next."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code, self.detail = code, detail


class TryLater(Exception):
    """The step may succeed later, and not before `seconds`; pauses grow. Given up after MOST_ATTEMPTS."""

    def __init__(self, code: str, detail: str, *, seconds: float | None = None) -> None:
        super().__init__(detail)
        self.code, self.detail, self.seconds = code, detail, seconds


class Node(ABC):
    """What is done. `outlets` are the branches, by key with the words for it.

    `run` works in the engine's transaction: rows it writes and the run's progress are kept together or not at all, so
    that they are written once. A node with `is_outside` talks to somebody outside instead: `run` is called without a
    transaction and may be called again after a crash, with the same step id and the memory it saved.
    """

    key: ClassVar[str]
    title: ClassVar[str]
    text: ClassVar[str]
    icon: ClassVar[str] = "bolt"
    group: ClassVar[str] = "Do"
    is_outside: ClassVar[bool] = False
    writes: ClassVar[bool] = True  # False for a node that only reads: it is spared a savepoint
    form: ClassVar[type[SettingsForm]] = NoSettings

    def outlets(self, settings: Settings) -> Mapping[str, str]:
        """Return the branches: key → words; {} for a node without."""
        return {}

    def fields(self, scope: Scope, settings: Settings) -> list[Field]:
        """Return what later nodes may use; paths begin with `{scope.node_id}.`."""
        return []

    def problems(self, scope: Scope, settings: Settings) -> Iterable[str]:
        """Say what is wrong beyond what the form finds."""
        return ()

    def describe(self, scope: Scope, settings: Settings) -> str:
        """Return one line for the builder."""
        return self.title

    @abstractmethod
    def run(self, step: Step) -> Outcome:
        """Do it; raise NodeFailed or TryLater. MissingVariables becomes a failure by itself."""

    def rehearse(self, step: Step) -> Outcome:
        """Do it in a test run: nothing leaves but to the sandbox, nothing changes, nothing waits."""
        return self.run(step)


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if hasattr(value, "pk"):
        return str(value.pk)
    if isinstance(value, bool | int | float | str) or value is None:
        return value
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
