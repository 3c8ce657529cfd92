"""What the outbox has to know of a recipient before it takes a message: one question to the database, not four."""

from dataclasses import dataclass
from functools import cache

from integrations.connections.models import Connection
from integrations.organizations.models import Organization
from integrations.quick_rows import QuickRows, prepared_cursor
from messaging.consent.blocking import block_sql
from messaging.contacts.erasure.number_keys import forms_of
from messaging.contacts.models import Contact

# What may be long and says nothing of sending stays where it is.
_CONTACTS = QuickRows(Contact, alias="k", without=("notes", "terms"))
_CONNECTIONS = QuickRows(Connection, alias="c", without=("check_report",))
# As Connection.sends_as has it.
_SENDER = "COALESCE(NULLIF(m.sender, ''), NULLIF(c.messaging_service_sid, ''), c.sender, '')"


@dataclass(frozen=True)
class Facts:
    """The contact who has the number, the organization's default connection, and what stands against the message.

    `block` is the reason of the consent room, "" where the number may be written to from the given sender, or, without
    one, from that of the connection. `blocked_regions` are the countries that the organization does not send to.
    """

    contact: Contact | None
    connection: Connection | None
    block: str
    blocked_regions: frozenset[str]


def facts_about(organization: Organization, *, phone: str, sender: str, purpose: str) -> Facts:
    """Return what is known of a number at this moment; the claim looks at the opt-outs once more."""
    # The last of the forms: the key of an erased number where there can be one, else the number itself.
    erased = forms_of(organization, phone)[-1]
    with prepared_cursor() as cursor:
        cursor.execute(_statement(), [organization.pk, phone, erased, purpose, sender])
        row = cursor.fetchone()
    contact, connection = row[: _CONTACTS.width], row[_CONTACTS.width : -2]
    return Facts(
        contact=_CONTACTS.make(contact),
        connection=_CONNECTIONS.make(connection),
        block=row[-2] or "",
        blocked_regions=frozenset(row[-1] or ()),
    )


@cache
def _statement() -> str:
    block = block_sql(sender=_SENDER, erased="m.erased")
    return f"""
SELECT {_CONTACTS.columns}, {_CONNECTIONS.columns}, {block}, p.blocked_regions
FROM (SELECT %s::uuid AS organization_id, %s::varchar AS phone, %s::varchar AS erased, 'sms'::varchar AS channel,
    %s::varchar AS purpose, %s::varchar AS sender) m
LEFT JOIN messaging_contact k ON k.organization_id = m.organization_id AND k.phone = m.phone
LEFT JOIN integrations_connection c ON c.organization_id = m.organization_id AND c.is_default
LEFT JOIN messaging_sendingpolicy p ON p.organization_id = m.organization_id
"""  # noqa: S608 - columns and expressions of our own
