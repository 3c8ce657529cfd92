"""What automations are told of a submission, and the fields they have of a form's answers."""

from collections.abc import Mapping
from typing import Any

from messaging.automations.fields import Field, Type
from messaging.happenings.telling import tell

from .definition import Definition, Kind
from .definition import Field as Question
from .display import shown_answer
from .models import PublicForm, Submission

FORM_SUBMITTED = "form.submitted"
_TYPES = {
    Kind.PHONE: Type.PHONE,
    Kind.CHOICE: Type.CHOICE,
    Kind.DATE: Type.DATE,
    Kind.NUMBER: Type.NUMBER,
    Kind.CONSENT: Type.YES_NO,
}
_EXAMPLES = {
    Kind.PHONE: "+4915112345678",
    Kind.EMAIL: "anna@example.com",
    Kind.DATE: "2026-05-01",
    Kind.NUMBER: 3,
    Kind.CONSENT: True,
    Kind.FILE: "photo.jpg",
}
_LONGEST = 2000


def tell_submission(submission: Submission, *, definition: Definition) -> None:
    """Tell that a public form was sent, in its transaction. What a portal asks is told with who registers."""
    form = submission.form
    if form.serves != PublicForm.Serves.PUBLIC:
        return
    tell(
        form.organization_id,
        FORM_SUBMITTED,
        contact_id=submission.contact_id,
        phone=submission.phone,
        data={
            "form_id": str(form.pk),
            "form": form.title,
            "submission_id": str(submission.pk),
            "phone": submission.phone,
            "proved": submission.verified_at is not None,
            "language": submission.language,
            "answer": answer_values(definition, submission.answers),
        },
    )


def answer_values(definition: Definition, answers: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answers as automations compare them: numbers and yes or no as such, the others as texts."""
    return {
        question.key: _value(question, answers[question.key])
        for question in definition.fields
        if answers.get(question.key) not in (None, "", [])
    }


def answer_fields(definition: Definition) -> list[Field]:
    """Return the questions as fields: `trigger.answer.f1`."""
    return [
        Field(
            f"trigger.answer.{question.key}",
            f"Answer: {question.label}",
            _TYPES.get(question.kind, Type.TEXT),
            _EXAMPLES.get(question.kind) or (question.options[0] if question.options else question.label),
            question.options if question.kind == Kind.CHOICE else (),
        )
        for question in definition.fields
    ]


def _value(question: Question, value: Any) -> Any:
    if isinstance(value, bool | int | float):
        return value
    return (str(value) if question.kind == Kind.PHONE else shown_answer(question, value))[:_LONGEST]
