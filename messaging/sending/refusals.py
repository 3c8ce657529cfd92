"""Twilio said that somebody opted out: record it as far as it reaches, which is one sender or Messaging Service."""

import uuid

from messaging.consent.ledger import Action, Entry, Source, record_consent
from messaging.consent.models import OptOut
from messaging.consent.opt_outs import opt_out

from .models import Message

MARKETING_ONLY = 63050


def note_opt_out(message_id: uuid.UUID, *, code: int | None = None) -> OptOut | None:
    """Record the opt-out that a 21610 (or its kin) on this message tells of; None for an unknown message.

    With 63050 the person wants no more marketing on WhatsApp, and still gets the rest: that is a consent taken back.

    Twilio blocks the pair of recipient and sender, or the recipient for a whole Messaging Service, and nothing wider:
    https://www.twilio.com/docs/api/errors/21610
    """
    message = Message.objects.select_related("organization").filter(pk=message_id).first()
    if message is None or not message.sender:
        return None
    if code == MARKETING_ONLY:
        entry = Entry(
            phone=message.phone,
            channel=message.channel,
            action=Action.WITHDRAWN,
            source=Source.TWILIO,
            evidence={"code": code, "message": str(message.pk), "twilio_scope": message.sender},
        )
        record_consent(message.organization, entry)
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
