"""Writing templates: each saved wording is a version of its own, and nobody overwrites a colleague unseen."""

import unicodedata

from django.db import IntegrityError, transaction
from django.utils import timezone

from integrations.organizations.audit import record
from integrations.organizations.models import Organization, User

from .models import Template, TemplateVersion
from .rendering import ParsedTemplate, TemplateProblem, TextTooLong, clean_text, parse, render
from .segments import LONGEST_TEXT

SENTENCES = {
    "template.created": "wrote the template {which}",
    "template.renamed": "renamed a template from {old} to {new}",
    "template.reworded": "saved version {version} of the template {which}",
    "template.restored": "went back to version {restored} of the template {which}, as version {version}",
    "template.archived": "archived the template {which}",
    "template.unarchived": "brought the template {which} back",
}
_LONGEST_NAME = Template._meta.get_field("name").max_length or 80


class WordingProblem(Exception):
    """The template was not changed: a stable `code`, a sentence for people, the field, and what is in the way."""

    def __init__(self, code: str, detail: str, *, field: str = "", existing: Template | None = None) -> None:
        super().__init__(detail)
        self.code, self.detail, self.field, self.existing = code, detail, field, existing


class SavedMeanwhile(WordingProblem):
    """A colleague saved another wording since this one was opened; `version` is theirs."""

    def __init__(self, version: TemplateVersion) -> None:
        who = version.created_by.get_short_name() if version.created_by else "Somebody"
        super().__init__(
            "saved_meanwhile",
            f"{who} saved version {version.number} meanwhile. Your text is still below, not saved: "
            "compare the two, then save yours over it or leave.",
        )
        self.version = version


def create_template(organization: Organization, *, name: str, body: str, actor: User | str, ip: str = "") -> Template:
    """Write a template and return it with version 1; the same form sent twice writes one."""
    name, body = clean_name(name), clean_body(body)
    try:
        with transaction.atomic():
            template = Template.objects.create(organization=organization, name=name)
            _add_version(template, body=body, actor=actor)
            record(organization, actor=actor, action="template.created", target=template, ip=ip)
    except IntegrityError:
        existing = find_by_name(organization, name=name)
        if existing is not None and existing.current is not None and existing.current.body == body:
            return existing
        raise _name_taken(name, existing) from None
    return template


def save_wording(
    template: Template, *, name: str, body: str, based_on: int, actor: User | str, ip: str = ""
) -> TemplateVersion:
    """Save name and text and return the version in force: a new one only where the text changed.

    `based_on` is the number of the version the text was written from; where another text was saved since, raises
    SavedMeanwhile and saves nothing.
    """
    name, body = clean_name(name), clean_body(body)
    with transaction.atomic():
        template = _locked(template)
        current = template.current
        if current is None or body != current.body:
            if current is not None and current.number != based_on:
                raise SavedMeanwhile(current)
            current = _add_version(template, body=body, actor=actor)
            changes = {"version": current.number}
            record(
                template.organization, actor=actor, action="template.reworded", target=template, changes=changes, ip=ip
            )
        if name != template.name:
            former, template.name = template.name, name
            _save_name(template, fields=["name"])
            changes_of_name = {"name": [former, name]}
            record(
                template.organization,
                actor=actor,
                action="template.renamed",
                target=template,
                changes=changes_of_name,
                ip=ip,
            )
    return current


def restore(template: Template, *, number: int, actor: User | str, ip: str = "") -> TemplateVersion:
    """Put the wording of an earlier version in force, as a new version; nothing happens where it is in force."""
    with transaction.atomic():
        template = _locked(template)
        wanted = template.versions.filter(number=number).first()
        if wanted is None:
            raise WordingProblem("no_version", "There is no such version.")
        if template.current is not None and wanted.body == template.current.body:
            return template.current
        version = _add_version(template, body=wanted.body, actor=actor)
        record(
            template.organization,
            actor=actor,
            action="template.restored",
            target=template,
            changes={"restored": number, "version": version.number},
            ip=ip,
        )
    return version


def duplicate(template: Template, *, actor: User | str, ip: str = "") -> Template:
    """Write a template with the same text under a free name, and return it."""
    if template.current is None:
        raise WordingProblem("empty", "The template has no text yet.")
    taken = set(
        Template.objects.filter(organization=template.organization, archived_at=None).values_list("name", flat=True)
    )
    name = next(
        candidate
        for candidate in (
            f"{template.name[: _LONGEST_NAME - 12]} (copy{f' {number}' if number > 1 else ''})"
            for number in range(1, len(taken) + 2)
        )
        if candidate not in taken
    )
    return create_template(template.organization, name=name, body=template.current.body, actor=actor, ip=ip)


def archive(template: Template, *, actor: User | str, ip: str = "") -> None:
    """Take a template out of every choice; what is queued with it still goes out. A second time changes nothing."""
    with transaction.atomic():
        template = _locked(template, archived_too=True)
        if template.archived_at is None:
            template.archived_at = timezone.now()
            template.save(update_fields=["archived_at"])
            record(template.organization, actor=actor, action="template.archived", target=template, ip=ip)


def unarchive(template: Template, *, actor: User | str, ip: str = "") -> None:
    """Offer a template again; raises WordingProblem where its name was given away meanwhile."""
    with transaction.atomic():
        template = _locked(template, archived_too=True)
        if template.archived_at is not None:
            template.archived_at = None
            _save_name(template, fields=["archived_at"])
            record(template.organization, actor=actor, action="template.unarchived", target=template, ip=ip)


def clean_name(name: str) -> str:
    """Return the name as one line without signs that cannot be seen; raise WordingProblem where it is none."""
    visible = "".join(" " if unicodedata.category(sign) in {"Cc", "Cf", "Cs"} else sign for sign in name)
    name = " ".join(visible.split())
    if not name:
        raise WordingProblem("empty", "Give the template a name.", field="name")
    if len(name) > _LONGEST_NAME:
        raise WordingProblem("too_long", f"A name has at most {_LONGEST_NAME} characters.", field="name")
    return name


def clean_body(body: str) -> str:
    """Return the text without control characters; raise WordingProblem with what is wrong and how to mend it."""
    body = clean_text(body)
    try:
        _check(parse(body))
    except TemplateProblem as problem:
        raise WordingProblem("bad_text", str(problem), field="body") from problem
    return body


def _check(parsed: ParsedTemplate) -> None:
    """Refuse what no values could turn into a message: nothing to read, or too long with every variable left out."""
    if not parsed.variables:
        render(parsed, {})
    literal = "".join(part for part in parsed.parts if isinstance(part, str))
    if len(literal) > LONGEST_TEXT:
        raise TextTooLong(len(literal))


def find_by_name(organization: Organization, *, name: str) -> Template | None:
    """Return the template in use that has this name, or None."""
    return (
        Template.objects.filter(organization=organization, name=name, archived_at=None)
        .select_related("current", "organization")
        .first()
    )


def _locked(template: Template, *, archived_too: bool = False) -> Template:
    """Return the template as it is now, locked: versions are numbered one after the other, and names change alone.

    Read in a second query: one that waited for the lock would see the new template beside the old versions.
    """
    Template.objects.select_for_update().only("pk").get(pk=template.pk)
    template = Template.objects.select_related("organization", "current__created_by").get(pk=template.pk)
    if template.archived_at is not None and not archived_too:
        raise WordingProblem("archived", "This template is archived. Bring it back before you change it.")
    return template


def _add_version(template: Template, *, body: str, actor: User | str) -> TemplateVersion:
    number = (template.current.number if template.current else 0) + 1
    version = TemplateVersion.objects.create(
        template=template, number=number, body=body, created_by=actor if isinstance(actor, User) else None
    )
    template.current = version
    template.save(update_fields=["current"])
    return version


def _save_name(template: Template, *, fields: list[str]) -> None:
    try:
        with transaction.atomic():
            template.save(update_fields=fields)
    except IntegrityError:
        raise _name_taken(template.name, find_by_name(template.organization, name=template.name)) from None


def _name_taken(name: str, existing: Template | None) -> WordingProblem:
    return WordingProblem(
        "name_taken", f"Another template is called “{name}”. Choose another name.", field="name", existing=existing
    )
