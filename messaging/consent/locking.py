"""One transaction at a time changes what a number agreed to."""

from collections.abc import Iterable

from django.db import connection

from integrations.organizations.models import Organization


def lock_numbers(organization: Organization, phones: Iterable[str]) -> None:
    """Hold the numbers until the transaction ends; many are taken in one order, so that two callers never wait in turn.

    An advisory lock, because there may be no row yet to lock: two STOPs at once, or a STOP while the contact is
    being created, would otherwise not see each other and leave the tag, or the ledger, wrong.
    """
    keys = sorted({f"opt-out:{organization.pk}:{phone}" for phone in phones})
    with connection.cursor() as cursor:
        if len(keys) == 1:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", keys)
        elif keys:
            # By the hash, which is what is locked; OFFSET keeps the planner from locking before it has sorted.
            cursor.execute(
                "SELECT pg_advisory_xact_lock(k) FROM (SELECT DISTINCT hashtextextended(x, 0) AS k "
                "FROM unnest(%s::text[]) AS x ORDER BY k OFFSET 0) AS ordered",
                [keys],
            )
