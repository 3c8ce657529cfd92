"""The wing's models, one room after the other."""

from portal.forms.models import (
    ExportPiece,
    FormDraft,
    FormPicture,
    FormStep,
    FormVersion,
    PublicForm,
    Submission,
    SubmissionExport,
    SubmissionFile,
)

__all__ = [
    "ExportPiece",
    "FormDraft",
    "FormPicture",
    "FormStep",
    "FormVersion",
    "PublicForm",
    "Submission",
    "SubmissionExport",
    "SubmissionFile",
]
