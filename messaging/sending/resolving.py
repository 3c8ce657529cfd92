"""A person settles what no machine could: whether Twilio has a flagged message."""

from django.db import transaction

from integrations.organizations import audit
from integrations.organizations.models import User

from .models import Message, MessageEvent
from .nudges import nudge
from .statuses import Status
from .transitions import Move, advance_one

SENTENCES = {"message.settled": "settled whether {which} was sent"}


def resolve(message: Message, *, was_sent: bool, actor: User | str) -> bool:
    """Settle a flagged message: it was sent, or it was not and goes out now. False where it is settled already.

    Platform SMS is the operator's to settle, in whose account it would stand; the organization reads no name then.
    """
    if not message.needs_person:
        return False
    name = actor.get_short_name() if isinstance(actor, User) else actor
    move = Move(
        message_id=message.pk,
        to=Status.SENT if was_sent else Status.QUEUED,
        source=MessageEvent.Source.MEMBER,
        note=f"settled by {name}: {'sent' if was_sent else 'not sent'}",
        clear_error=True,
        only_from=Status.UNKNOWN,
    )
    with transaction.atomic():
        moved = advance_one(move)
        if moved:
            audit.record(
                message.organization,
                actor=actor,
                action="message.settled",
                target=message,
                changes={"was_sent": was_sent},
            )
            if not was_sent and message.connection_id is not None:
                connection_id, lane, sender = message.connection_id, message.lane, message.sender
                transaction.on_commit(lambda: nudge(connection_id, lane=lane, sender=sender) and None)
    return moved
