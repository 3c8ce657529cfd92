"""Reads of forms and of what was sent by them."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, Max, QuerySet

from integrations.organizations.models import Organization

from .definition import Definition, DefinitionProblem, Field, Kind, Problems, problems_of, read
from .models import FormPicture, PublicForm, Submission, SubmissionFile

_TELLING = (Kind.SHORT_TEXT, Kind.EMAIL, Kind.CHOICE, Kind.CHOICES, Kind.NUMBER, Kind.DATE, Kind.LONG_TEXT)


@dataclass(frozen=True)
class Column:
    """A question as the head of a column, over all versions: with the label it had last."""

    key: str
    field: Field


def find_forms(organization: Organization, *, query: str = "") -> QuerySet[PublicForm]:
    """Return the organization's forms, the newest first, with `sent`, how many submissions, and `last_sent_at`."""
    rows = PublicForm.objects.filter(organization=organization, serves=PublicForm.Serves.PUBLIC)
    for word in query.replace("\x00", "").split()[:6]:
        rows = rows.filter(title__icontains=word)
    counted = rows.annotate(sent=Count("submissions"), last_sent_at=Max("submissions__created_at"))
    return counted.select_related("current").order_by("-id")


def find_form(
    organization: Organization, form_id: uuid.UUID, *, serves: str = PublicForm.Serves.PUBLIC
) -> PublicForm | None:
    """Return the organization's form of that id that serves the public, or a portal; None for another one's."""
    return (
        PublicForm.objects.filter(organization=organization, pk=form_id, serves=serves)
        .select_related("organization", "current", "confirmation_template")
        .first()
    )


def find_submission(form: PublicForm, submission_id: uuid.UUID) -> Submission | None:
    """Return a submission of the form."""
    return (
        Submission.objects.filter(form=form, pk=submission_id)
        .select_related("form__organization", "version", "contact", "confirmation")
        .first()
    )


def find_file(form: PublicForm, file_id: uuid.UUID) -> SubmissionFile | None:
    """Return a file that was sent by the form; one of a draft that was never sent is nobody's to read."""
    return SubmissionFile.objects.filter(submission__form=form, pk=file_id).first()


def pictures_of(form: PublicForm) -> dict[str, FormPicture]:
    """Return the pictures of a form by their place, without their bytes."""
    return {picture.place: picture for picture in form.pictures.defer("content")}


def building_of(form: PublicForm) -> tuple[Definition, Problems]:
    """Return what is being built and what keeps it from being published."""
    definition = read(form.definition, knows_number=form.knows_number)
    return definition, problems_of(definition)


def has_changes(form: PublicForm) -> bool:
    """Tell whether what was built differs from what visitors get."""
    return form.current is None or form.current.definition != form.definition


def columns_of(form: PublicForm) -> list[Column]:
    """Return every question that was ever published: those of now in their order, then those of before."""
    found: dict[str, Column] = {}
    current = form.current_id
    versions = sorted(form.versions.all(), key=lambda version: (version.pk != current, -version.number))
    for version in versions:
        try:
            definition = read(version.definition)
        except DefinitionProblem:
            continue
        for field in definition.fields:
            found.setdefault(field.key, Column(field.key, field))
    return list(found.values())


def telling_columns(columns: list[Column], *, most: int = 3) -> list[Column]:
    """Return the questions by which somebody tells submissions apart in a list."""
    return [column for column in columns if column.field.kind in _TELLING][:most]


def titles_of(organization: Organization, form_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, str]:
    """Return what the organization's forms are called: the conversion page tells them apart by that."""
    return dict(PublicForm.objects.filter(organization=organization, pk__in=form_ids).values_list("pk", "title"))
