"""What becomes of a platform message's credits: spent once it was sent, given back where it never was.

Called in the transaction that moves the messages, after it locked their rows. Whoever takes messages in locks the
account first, but of messages that nobody else can know of yet: no two can wait for each other in a circle.
"""

import uuid
from collections.abc import Iterable

from integrations.organizations.models import Organization
from integrations.platform_sms import ledger

from .statuses import GIVEN_BACK, SPENT


def close_reservations(moved: Iterable[tuple[uuid.UUID, uuid.UUID, str]]) -> None:
    """Settle or refund what was set aside for messages: (message, organization, state it came to)."""
    spent: dict[uuid.UUID, list[uuid.UUID]] = {}
    unspent: dict[uuid.UUID, list[uuid.UUID]] = {}
    for message_id, organization_id, status in moved:
        if status in SPENT:
            spent.setdefault(organization_id, []).append(message_id)
        elif status in GIVEN_BACK:
            unspent.setdefault(organization_id, []).append(message_id)
    owners = Organization.objects.in_bulk(spent.keys() | unspent.keys()) if spent or unspent else {}
    # In one order: each account stays locked until the end.
    for key in sorted(owners):
        ledger.settle(owners[key], spent.get(key, ()))
        ledger.refund(owners[key], unspent.get(key, ()), note="not sent")
