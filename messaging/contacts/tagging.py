"""The one door through which contacts get tags: what is new is told to whoever listens, in the same statement."""

import uuid
from collections.abc import Iterable

from django.db import connection, transaction

from messaging.happenings.telling import cause
from messaging.happenings.wake import wake

TAGGED = "contact.tagged"

# Parts of a WITH: `given` are the rows that are new. Where nobody listens, the second finds nothing to do.
TELL_TAGGED = f"""
    INSERT INTO messaging_happening (organization_id, kind, contact_id, phone, data, cause)
    SELECT c.organization_id, '{TAGGED}', c.id, c.phone, jsonb_build_object('tag', t.name, 'tag_id', t.id),
        %(cause)s::uuid
    FROM given JOIN messaging_contact c ON c.id = given.contact_id JOIN messaging_tag t ON t.id = given.tag_id
    WHERE EXISTS (SELECT 1 FROM messaging_listener l
        WHERE l.organization_id = c.organization_id AND l.kind = '{TAGGED}')
    RETURNING 1
"""  # noqa: S608 - a name of ours
_GIVE = f"""
WITH given AS (
    INSERT INTO messaging_contact_tags (contact_id, tag_id)
    SELECT * FROM unnest(%(contacts)s::uuid[], %(tags)s::uuid[]) ORDER BY 1, 2
    ON CONFLICT DO NOTHING RETURNING contact_id, tag_id
), told AS ({TELL_TAGGED})
SELECT contact_id, tag_id, (SELECT count(*) FROM told) FROM given
"""  # noqa: S608 - built from a part of ours


def give_tags(pairs: Iterable[tuple[uuid.UUID, uuid.UUID]]) -> set[tuple[uuid.UUID, uuid.UUID]]:
    """Give contacts tags, as pairs of both ids, and return those that are new.

    Call it in the transaction of the thing; contact and tag are of one organization.
    """
    wanted = list(dict.fromkeys(pairs))
    if not wanted:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(
            _GIVE,
            {
                "contacts": [contact for contact, _ in wanted],
                "tags": [tag for _, tag in wanted],
                "cause": cause(),
            },
        )
        rows = cursor.fetchall()
    if rows and rows[0][2]:
        transaction.on_commit(wake)
    return {(contact, tag) for contact, tag, _ in rows}
