"""Whether the codes of Verify Services arrived: Twilio calls nobody back about them, but lists its attempts.

https://www.twilio.com/docs/verify/api/attempts. Best effort: where Twilio refuses the list, or says nothing of a code,
nobody knows, and nothing is made up.
"""

import uuid
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

import structlog
from django.db import connection as database
from django.db import transaction
from django.db.models import Min

from integrations.clock import database_now
from integrations.connections.credentials import ConnectionUnusable, credentials_of
from integrations.connections.models import Connection
from integrations.twilio.client import gateway_for
from integrations.twilio.errors import TwilioError
from integrations.twilio.results import VerifyAttempt

from .arrival import tell_undelivered
from .models import Verification

log = structlog.get_logger(__name__)

# Reports come within seconds or minutes; what is not known after an hour is not asked about any more.
ASKED_FOR, NOT_BEFORE = timedelta(hours=1), timedelta(seconds=30)
_ARRIVED = frozenset({"delivered", "read", "partially_delivered", "completed"})
_LOST = frozenset({"undelivered", "failed", "canceled", "busy", "no-answer"})

_NOTE = """
UPDATE messaging_verification v SET delivered_at = COALESCE(v.delivered_at, told.at), reported_at = told.at,
    undelivered_at = NULL
FROM unnest(%(sids)s::text[], %(times)s::timestamptz[]) AS told (sid, at)
WHERE v.provider_sid = told.sid AND v.connection_id = %(connection)s AND v.backend = 'verify' AND v.reported_at IS NULL
"""
# Only where as many attempts failed as codes were sent, by all that share Twilio's verification: one more may be listed
# a moment later.
_FAIL = """
UPDATE messaging_verificationsend s SET outcome = 'failed', error_code = told.code
FROM messaging_verification v
JOIN unnest(%(sids)s::text[], %(counts)s::int[], %(codes)s::int[]) AS told (sid, count, code)
    ON v.provider_sid = told.sid
WHERE s.verification_id = v.id AND s.outcome IN ('sent', 'unknown') AND v.connection_id = %(connection)s
    AND v.backend = 'verify' AND v.reported_at IS NULL AND told.count >= (
        SELECT count(*) FROM messaging_verificationsend o JOIN messaging_verification w ON w.id = o.verification_id
        WHERE w.provider_sid = told.sid AND w.connection_id = v.connection_id AND o.outcome <> 'refused'
    )
RETURNING s.verification_id
"""


def ask_twilio() -> int:
    """Ask, for each Verify Service with codes of the last hour of which nothing is known, how they fared.

    Return how many services were asked. The network is used outside any transaction.
    """
    now = database_now()
    waiting = (
        Verification.objects.filter(
            backend=Verification.Backend.VERIFY,
            reported_at=None,
            created_at__range=(now - ASKED_FOR, now - NOT_BEFORE),
            connection__status=Connection.Status.ACTIVE,
        )
        .exclude(provider_sid="")
        .order_by()
        .values_list("connection", "service_sid")
        .annotate(first=Min("created_at"))
    )
    asked = 0
    for connection_id, service_sid, first in list(waiting):
        asked += _ask(connection_id, service_sid, since=first)
    return asked


def _ask(connection_id: uuid.UUID, service_sid: str, *, since: datetime) -> bool:
    try:
        gateway = gateway_for(credentials_of(Connection.objects.get(pk=connection_id)))
        attempts = gateway.list_attempts(service_sid, created_after=since - timedelta(minutes=1))
    except (TwilioError, ConnectionUnusable) as error:
        log.info("verify_attempts_not_listed", connection_id=str(connection_id), error=type(error).__name__)
        return False
    note(connection_id, attempts)
    return True


def note(connection_id: uuid.UUID, attempts: Iterable[VerifyAttempt]) -> None:
    """Note what became of codes: arrived where one of a verification's did, lost where all of them surely failed."""
    by_verification: dict[str, list[VerifyAttempt]] = defaultdict(list)
    for attempt in attempts:
        by_verification[attempt.verification_sid].append(attempt)
    arrived, lost = {}, {}
    for sid, ours in by_verification.items():
        if good := [attempt for attempt in ours if attempt.state in _ARRIVED]:
            arrived[sid] = min((one.updated for one in good if one.updated is not None), default=database_now())
        elif all(attempt.state in _LOST for attempt in ours):
            lost[sid] = (len(ours), next((one.error_code for one in ours if one.error_code is not None), None))
    with transaction.atomic(), database.cursor() as cursor:
        if arrived:
            times = list(arrived.values())
            cursor.execute(_NOTE, {"sids": list(arrived), "times": times, "connection": connection_id})
        if lost:
            counts, codes = [count for count, _ in lost.values()], [code for _, code in lost.values()]
            cursor.execute(_FAIL, {"sids": list(lost), "counts": counts, "codes": codes, "connection": connection_id})
            if ids := [row[0] for row in cursor.fetchall()]:
                tell_undelivered(ids)
