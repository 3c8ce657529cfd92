"""The letter that carries an invitation's link."""

import smtplib

import structlog
from django.core.mail import EmailMessage, get_connection
from django.template.loader import render_to_string

from integrations.masking import mask_email

from .models import Invitation
from .roles import ROLE_HELP

log = structlog.get_logger(__name__)
SECONDS = 10


def send_invitation(invitation: Invitation, *, link: str) -> bool:
    """Send the link to the invited address; False where the mail server did not take it (the link still works)."""
    context = {
        "invitation": invitation,
        "organization": invitation.organization,
        "inviter": invitation.invited_by,
        "role_help": ROLE_HELP[invitation.role],
        "link": link,
    }
    message = EmailMessage(
        subject=f"{invitation.organization.name} invites you to Heliograph".replace("\n", " "),
        body=render_to_string("integrations/organizations/mail/invitation.txt", context),
        to=[invitation.email],
        connection=get_connection(timeout=SECONDS),
    )
    try:
        message.send()
    except (smtplib.SMTPException, OSError) as error:
        log.warning("invitation_mail_failed", to=mask_email(invitation.email), reason=type(error).__name__)
        return False
    return True
