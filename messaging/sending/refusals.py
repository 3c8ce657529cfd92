"""Twilio said that somebody opted out: record it as far as it reaches, which is one sender or Messaging Service."""

import uuid

from messaging.consent.models import OptOut
from messaging.consent.opt_outs import opt_out

from .models import Message


def note_opt_out(message_id: uuid.UUID) -> OptOut | None:
    """Record the opt-out that a 21610 (or its kin) on this message tells of; None for an unknown message.

    Twilio blocks the pair of recipient and sender, or the recipient for a whole Messaging Service, and nothing wider:
    https://www.twilio.com/docs/api/errors/21610
    """
    message = Message.objects.select_related("organization").filter(pk=message_id).first()
    if message is None or not message.sender:
        return None
    return opt_out(
        message.organization,
        phone=message.phone,
        channel=message.channel,
        source=OptOut.Source.TWILIO,
        scope=OptOut.Scope.SENDER,
        sender=message.sender,
        twilio_scope=message.sender,
    )
