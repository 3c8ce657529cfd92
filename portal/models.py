"""The wing's models, one room after the other."""

from portal.accounts.batch_models import PortalInvitationBatch, PortalInvitationRow
from portal.accounts.models import (
    Portal,
    PortalDevice,
    PortalInvitation,
    PortalLogin,
    PortalNotification,
    PortalPasskey,
    PortalRole,
    PortalSending,
    PortalSession,
    PortalTerms,
    PortalText,
    PortalUser,
    PortalVisit,
)
from portal.accounts.offer_models import PortalHandover, PortalOffer
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
    "Portal",
    "PortalDevice",
    "PortalHandover",
    "PortalInvitation",
    "PortalInvitationBatch",
    "PortalInvitationRow",
    "PortalLogin",
    "PortalNotification",
    "PortalOffer",
    "PortalPasskey",
    "PortalRole",
    "PortalSending",
    "PortalSession",
    "PortalTerms",
    "PortalText",
    "PortalUser",
    "PortalVisit",
    "PublicForm",
    "Submission",
    "SubmissionExport",
    "SubmissionFile",
]
