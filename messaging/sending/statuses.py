"""The states of a message, and which may follow which: the table every transition is checked against."""

from django.db import models


class Status(models.TextChoices):
    """States of a message, in the order a good one passes them."""

    SCHEDULED = "scheduled", "Scheduled"
    QUEUED = "queued", "Queued"
    SENDING = "sending", "Sending"
    UNKNOWN = "unknown", "Outcome unknown"
    ACCEPTED = "accepted", "Accepted by Twilio"
    SENT = "sent", "Sent"
    DELIVERED = "delivered", "Delivered"
    READ = "read", "Read"
    UNDELIVERED = "undelivered", "Undelivered"
    FAILED = "failed", "Failed"
    CANCELED = "canceled", "Canceled"
    BLOCKED = "blocked", "Blocked"
    RECEIVED = "received", "Received"


WAITING = frozenset({Status.SCHEDULED, Status.QUEUED})
IN_FLIGHT = frozenset({Status.SENDING, Status.UNKNOWN})
AT_TWILIO = frozenset({Status.ACCEPTED, Status.SENT})
ARRIVED = frozenset({Status.DELIVERED, Status.READ})
FAILURES = frozenset({Status.UNDELIVERED, Status.FAILED, Status.BLOCKED})
FINAL = ARRIVED | FAILURES | {Status.CANCELED, Status.RECEIVED}
# What becomes of the credits that platform SMS set aside: `accepted` is neither, it may still fail.
SPENT = ARRIVED | {Status.SENT, Status.UNDELIVERED}
GIVEN_BACK = frozenset({Status.FAILED, Status.CANCELED, Status.BLOCKED})

_ANSWERS = frozenset({
    Status.SENT, Status.DELIVERED, Status.READ, Status.UNDELIVERED, Status.FAILED, Status.CANCELED,
})  # fmt: skip

# From a state to those that may follow it. Only `sending` and `unknown` may go back, and only to `queued`: when
# Twilio surely does not have the message. Should a callback prove us wrong, `queued` leads on as they do.
FOLLOWERS: dict[str, frozenset[str]] = {
    Status.SCHEDULED: frozenset({Status.QUEUED, Status.CANCELED, Status.BLOCKED, Status.FAILED}),
    Status.QUEUED: _ANSWERS | {Status.SENDING, Status.ACCEPTED, Status.BLOCKED},
    Status.SENDING: _ANSWERS | {Status.QUEUED, Status.UNKNOWN, Status.ACCEPTED, Status.BLOCKED},
    Status.UNKNOWN: _ANSWERS | {Status.QUEUED, Status.ACCEPTED, Status.BLOCKED},
    Status.ACCEPTED: _ANSWERS,
    Status.SENT: _ANSWERS - {Status.SENT, Status.CANCELED},
    Status.DELIVERED: frozenset({Status.READ}),
}

# Twilio's words for the states of its Message resource, in ours. https://www.twilio.com/docs/messaging/api/message-resource
FROM_TWILIO: dict[str, Status] = {
    "accepted": Status.ACCEPTED,
    "scheduled": Status.ACCEPTED,
    "queued": Status.ACCEPTED,
    "sending": Status.ACCEPTED,
    "sent": Status.SENT,
    "delivered": Status.DELIVERED,
    "partially_delivered": Status.DELIVERED,
    "read": Status.READ,
    "undelivered": Status.UNDELIVERED,
    "failed": Status.FAILED,
    "canceled": Status.CANCELED,
}


def predecessors(target: str) -> list[str]:
    """Return the states from which `target` may be entered."""
    return sorted(state for state, followers in FOLLOWERS.items() if target in followers)
