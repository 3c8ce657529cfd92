"""Building a form: every change is a step that can be undone; publishing makes a version that visitors get.

Colleagues may build at once: a change is applied to the form as it is at that moment, under its lock.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.db import transaction
from django.utils import timezone

from integrations.organizations.audit import record
from integrations.organizations.models import Organization, User
from messaging.contacts.address_book import plain_line

from .definition import (
    MOST_FIELDS,
    Definition,
    Field,
    FieldProblem,
    Kind,
    Problems,
    new_field,
    parse,
    problems_of,
    read,
    read_field,
)
from .models import FormStep, FormVersion, PublicForm, Submission, new_token

SENTENCES = {
    "form.created": "began the form {which}",
    "form.published": "published version {version} of the form {which}",
    "form.opened": "opened the form {which}",
    "form.closed": "closed the form {which}",
    "form.deleted": "deleted the form {which} with {submissions} submissions",
    "form.link_renewed": "gave the form {which} a new link; the former one leads nowhere",
}
MOST_STEPS = 100
MOST_FORMS = 500
_LONGEST_TITLE = PublicForm._meta.get_field("title").max_length or 120


class BuildingProblem(Exception):
    """The form was not changed: a sentence for the member, and the part of the field where there is one."""

    def __init__(self, detail: str, *, part: str = "", problems: Problems | None = None) -> None:
        super().__init__(detail)
        self.detail, self.part, self.problems = detail, part, problems or {}


def create_form(organization: Organization, *, title: str, actor: User, ip: str = "") -> PublicForm:
    """Begin a form with a question for the name and one for the number; raise BuildingProblem."""
    title = clean_title(title)
    forms = PublicForm.objects.filter(organization=organization, serves=PublicForm.Serves.PUBLIC)
    if forms.count() >= MOST_FORMS:
        raise BuildingProblem(f"An organization has at most {MOST_FORMS} forms. Delete one that nobody needs.")
    begins = Definition(
        (
            replace(new_field(Kind.SHORT_TEXT, key="f1"), required=True, saves_as="name"),
            replace(new_field(Kind.PHONE, key="f2"), verify=True),
        )
    )
    with transaction.atomic():
        form = PublicForm.objects.create(
            organization=organization,
            title=title,
            definition=begins.as_json(),
            next_key=3,
            languages=["en"],
            created_by=actor,
        )
        FormStep.objects.create(form=form, number=1, definition=form.definition)
        record(organization, actor=actor, action="form.created", target=form, ip=ip)
    return form


def copy_form(form: PublicForm, *, actor: User, ip: str = "") -> PublicForm:
    """Begin another form with the same questions, words and looks, and none of the rules; raise BuildingProblem."""
    copy = create_form(form.organization, title=f"{form.title[: _LONGEST_TITLE - 7]} (copy)", actor=actor, ip=ip)
    copied = ("definition", "next_key", "description", "languages", "color", "thank_you", "redirect_url",
              "updates_contact", "confirmation_template")  # fmt: skip
    with transaction.atomic():
        for name in copied:
            setattr(copy, name, getattr(form, name))
        copy.save(update_fields=[*copied, "updated_at"])
        copy.steps.update(definition=copy.definition)
    return copy


def add_field(form: PublicForm, *, kind: str) -> Field:
    """Put a new question at the end and return it; raise BuildingProblem."""
    if kind not in list(Kind):
        raise BuildingProblem("There is no such kind of question. Choose one of the list.")
    made: list[Field] = []

    def add(definition: Definition, row: PublicForm) -> Definition:
        if len(definition.fields) >= MOST_FIELDS:
            raise BuildingProblem(f"A form has at most {MOST_FIELDS} questions. Delete one first.")
        made.append(new_field(Kind(kind), key=f"f{row.next_key}"))
        row.next_key += 1
        return replace(definition, fields=(*definition.fields, made[0]))

    _change(form, add, what=f"added {Kind(kind).value}")
    return made[0]


def change_field(form: PublicForm, *, key: str, values: Mapping[str, Any]) -> bool:
    """Give a question these parts in the place of its former ones; False where nothing differs, or BuildingProblem.

    Key and kind stay: an answer of another kind could not be read.
    """

    def change(definition: Definition, row: PublicForm) -> Definition:
        old = _find(definition, key)
        kept = {name: value for name, value in old.as_json().items() if name in {"key", "kind"}}
        parts = {name: value for name, value in values.items() if value not in (None, "", [])}
        try:
            new = read_field({**kept, **parts})
        except FieldProblem as problem:
            raise BuildingProblem(problem.text, part=problem.part) from problem
        return replace(definition, fields=tuple(new if field.key == key else field for field in definition.fields))

    return _change(form, change, what="changed a question")


def move_field(form: PublicForm, *, key: str, by: int) -> bool:
    """Move a question up or down; one at the end stays."""

    def move(definition: Definition, row: PublicForm) -> Definition:
        fields = list(definition.fields)
        place = fields.index(_find(definition, key))
        wanted = min(max(place + by, 0), len(fields) - 1)
        fields.insert(wanted, fields.pop(place))
        return replace(definition, fields=tuple(fields))

    return _change(form, move, what="moved a question")


def order_fields(form: PublicForm, *, keys: Sequence[str]) -> bool:
    """Put the questions into this order; raise BuildingProblem where it does not name each of them once."""

    def order(definition: Definition, row: PublicForm) -> Definition:
        known = {field.key: field for field in definition.fields}
        if sorted(keys) != sorted(known):
            raise BuildingProblem("Somebody changed the form meanwhile. This is how it stands now: move it again.")
        return replace(definition, fields=tuple(known[key] for key in keys))

    return _change(form, order, what="moved a question")


def remove_field(form: PublicForm, *, key: str) -> bool:
    """Take a question out; answers to it that were sent stay."""

    def remove(definition: Definition, row: PublicForm) -> Definition:
        gone = _find(definition, key)
        return replace(definition, fields=tuple(field for field in definition.fields if field is not gone))

    return _change(form, remove, what="deleted a question")


def copy_field(form: PublicForm, *, key: str) -> bool:
    """Put a copy of a question below it."""

    def copy(definition: Definition, row: PublicForm) -> Definition:
        if len(definition.fields) >= MOST_FIELDS:
            raise BuildingProblem(f"A form has at most {MOST_FIELDS} questions. Delete one first.")
        fields = list(definition.fields)
        original = _find(definition, key)
        again = replace(original, key=f"f{row.next_key}", verify=False, saves_as="")
        row.next_key += 1
        fields.insert(fields.index(original) + 1, again)
        return replace(definition, fields=tuple(fields))

    return _change(form, copy, what="copied a question")


def step_back(form: PublicForm, *, shown: int) -> bool:
    """Undo the last change; False where there is none, or where the form is no longer at the step that was shown."""
    return _go(form, shown=shown, by=-1)


def step_forward(form: PublicForm, *, shown: int) -> bool:
    """Do again what was undone last."""
    return _go(form, shown=shown, by=1)


def publish(form: PublicForm, *, actor: User, ip: str = "") -> FormVersion:
    """Make what was built the version that visitors get, and open the form; raise BuildingProblem with the problems.

    Published again without a change, the version stays the one it is.
    """
    with transaction.atomic():
        row = _locked(form)
        definition = read(row.definition, knows_number=row.knows_number)
        if problems := problems_of(definition):
            first = next(text for parts in problems.values() for text in parts.values())
            raise BuildingProblem(f"The form is not ready yet. {first}", problems=problems)
        version = row.current
        if version is None or parse(version.definition, knows_number=row.knows_number) != definition:
            newest = row.versions.order_by("-number").values_list("number", flat=True).first() or 0
            version = FormVersion.objects.create(
                form=row, number=newest + 1, definition=definition.as_json(), created_by=actor
            )
            record(
                row.organization,
                actor=actor,
                action="form.published",
                target=row,
                changes={"version": version.number},
                ip=ip,
            )
        row.current, row.state = version, PublicForm.State.OPEN
        row.save(update_fields=["current", "state", "updated_at"])
    form.refresh_from_db()
    return version


def close_form(form: PublicForm, *, message: str, actor: User, ip: str = "") -> bool:
    """Close a form, with words for those who come afterwards; False where it was not open."""
    changed = PublicForm.objects.filter(pk=form.pk, state=PublicForm.State.OPEN)
    return _set_state(form, changed, PublicForm.State.CLOSED, "form.closed", actor, ip, closed_message=message)


def open_form(form: PublicForm, *, actor: User, ip: str = "") -> bool:
    """Open a closed form again, as it was published last; False where it was not closed."""
    changed = PublicForm.objects.filter(pk=form.pk, state=PublicForm.State.CLOSED)
    return _set_state(form, changed, PublicForm.State.OPEN, "form.opened", actor, ip)


def renew_link(form: PublicForm, *, actor: User, ip: str = "") -> str:
    """Give the form another address; whoever has the former one finds nothing any more."""
    with transaction.atomic():
        form.token = new_token()
        form.save(update_fields=["token", "updated_at"])
        record(form.organization, actor=actor, action="form.link_renewed", target=form, ip=ip)
    return form.token


def delete_form(form: PublicForm, *, actor: User, ip: str = "") -> int:
    """Delete a form with everything that was sent by it; return how many submissions. The consent ledger stays."""
    with transaction.atomic():
        row = _locked(form)
        sent = Submission.objects.filter(form=row)
        count = sent.count()
        record(row.organization, actor=actor, action="form.deleted", target=row, changes={"submissions": count}, ip=ip)
        row.drafts.all().delete()
        sent.delete()
        PublicForm.objects.filter(pk=row.pk).update(current=None, state=PublicForm.State.DRAFT)
        row.delete()
    return count


def clean_title(title: str) -> str:
    """Return a title as it is kept; raise BuildingProblem."""
    title = plain_line(title)
    if not title:
        raise BuildingProblem("Give the form a title.", part="title")
    if len(title) > _LONGEST_TITLE:
        raise BuildingProblem(f"A title has at most {_LONGEST_TITLE} characters.", part="title")
    return title


def _change(form: PublicForm, act: Callable[[Definition, PublicForm], Definition], *, what: str) -> bool:
    with transaction.atomic():
        row = _locked(form)
        before = read(row.definition, knows_number=row.knows_number)
        after = act(before, row)
        if after == before:
            return False
        row.steps.filter(number__gt=row.step).delete()
        row.step, row.definition = row.step + 1, after.as_json()
        row.save(update_fields=["definition", "step", "next_key", "updated_at"])
        FormStep.objects.create(form=row, number=row.step, definition=row.definition, what=what, at=timezone.now())
        row.steps.filter(number__lte=row.step - MOST_STEPS).delete()
    form.definition, form.step, form.next_key = row.definition, row.step, row.next_key
    return True


def _go(form: PublicForm, *, shown: int, by: int) -> bool:
    with transaction.atomic():
        row = _locked(form)
        wanted = row.steps.filter(number=row.step + by).first()
        if row.step != shown or wanted is None:
            return False
        row.step, row.definition = wanted.number, wanted.definition
        row.save(update_fields=["definition", "step", "updated_at"])
    form.definition, form.step = row.definition, row.step
    return True


def _locked(form: PublicForm) -> PublicForm:
    """Return the form as it is now, locked, so that each change is made to the outcome of the one before."""
    PublicForm.objects.select_for_update(no_key=True).only("pk").get(pk=form.pk)
    return PublicForm.objects.select_related("organization", "current").get(pk=form.pk)


def _find(definition: Definition, key: str) -> Field:
    field = definition.find(key)
    if field is None:
        raise BuildingProblem("This question is not there any more: somebody deleted it meanwhile.")
    return field


def _set_state(form: PublicForm, rows: Any, state: str, action: str, actor: User, ip: str, **also: str) -> bool:
    with transaction.atomic():
        changed = rows.update(state=state, updated_at=timezone.now(), **also)
        if changed:
            record(form.organization, actor=actor, action=action, target=form, ip=ip)
    form.refresh_from_db()
    return bool(changed)
