"""Events that programs report by the API: told to whoever listens, and their names remembered for the builder."""

import json
import re
import uuid
from collections.abc import Mapping
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection

from integrations.identifiers import new_id
from integrations.organizations.models import Organization
from messaging.contacts.models import Contact
from messaging.happenings.telling import tell

from .fields import plain_keys

API_EVENT = "api.event"
NAME = re.compile(r"[a-z][a-z0-9_.-]{0,59}")
MOST_NAMES = 200
LARGEST_DATA = 65_536

# Of a stream of events a sample is kept each ten seconds. More names than an organization may have are not remembered:
# they set automations off all the same.
_REMEMBER = """
INSERT INTO messaging_seenevent AS e (organization_id, name, sample, seen_at)
SELECT %(organization)s, %(name)s, %(sample)s::jsonb, now()
WHERE EXISTS (SELECT 1 FROM messaging_seenevent WHERE organization_id = %(organization)s AND name = %(name)s)
    OR (SELECT count(*) FROM messaging_seenevent WHERE organization_id = %(organization)s) < %(most)s
ON CONFLICT (organization_id, name) DO UPDATE SET sample = EXCLUDED.sample, seen_at = EXCLUDED.seen_at
    WHERE e.seen_at < now() - interval '10 seconds'
"""


def report_event(
    organization: Organization, *, name: str, data: Mapping[str, Any], contact: Contact | None = None, phone: str = ""
) -> uuid.UUID | None:
    """Tell of an event, in the caller's transaction; return its id, None where no automation listens to events."""
    values = plain_keys(data)
    with connection.cursor() as cursor:
        sample = json.dumps(values, cls=DjangoJSONEncoder)
        cursor.execute(_REMEMBER, {"organization": organization.pk, "name": name, "sample": sample, "most": MOST_NAMES})
    event_id = new_id()
    is_heard = tell(
        organization.pk,
        API_EVENT,
        contact_id=contact.pk if contact else None,
        phone=phone or (contact.phone if contact else ""),
        data={"id": str(event_id), "name": name, "data": values},
    )
    return event_id if is_heard else None


def key_of_event(event_id: object) -> str:
    """Return the key of the runs that an event set off, by which a program finds them."""
    return f"e{event_id}"
