"""The broadcast that a page's address names."""

import uuid

from django.http import Http404

from integrations.organizations.pages import MemberRequest
from messaging.broadcasts.models import Broadcast
from messaging.broadcasts.selectors import find_broadcast


def broadcast_of(request: MemberRequest, pk: uuid.UUID) -> Broadcast:
    """Return the organization's broadcast; 404 for another one's."""
    broadcast = find_broadcast(request.organization, pk)
    if broadcast is None:
        raise Http404("There is no such broadcast.")
    return broadcast
