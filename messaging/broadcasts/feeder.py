"""The feeder: turns the rows of running broadcasts into messages of the outbox, a window at a time.

One statement makes up to a thousand messages with their first events and moves the broadcast's position, under the lock
of the broadcast's row. So a feeder killed at any line has done all of a chunk or nothing, two feeders at once take
turns, and a pause or a cancellation falls between two chunks. That a row is a message once is also a unique index.
"""

import time
import uuid
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

import structlog
from django.db import DatabaseError, connection, transaction
from django.db.models.functions import Now
from django.utils import timezone

from integrations.connections.models import Connection
from integrations.identifiers import new_id
from integrations.organizations.models import Organization
from integrations.platform_sms import ledger
from integrations.platform_sms.models import PLATFORM_SENDER
from integrations.platform_sms.offers import current_offer
from integrations.twilio.error_table import explain
from messaging.consent.blocking import MARKETING, block_sql
from messaging.consent.links import VARIABLE, keep_links
from messaging.jobs.models import Job
from messaging.sending.holding import HELD_UNTIL
from messaging.sending.models import Message
from messaging.sending.nudges import nudge
from messaging.sending.statuses import IN_FLIGHT, WAITING, Status

from . import lifecycle, waiting
from .check import adds_way_out
from .models import Broadcast, Recipient
from .pace import note_pace
from .ways import CHINA, offers_platform, only_by_platform

log = structlog.get_logger(__name__)

WINDOW = 5000  # due messages of a broadcast in the outbox; a pause or a STOP of many has this much to catch up with
CHUNK = 1000
LATE_STRAGGLERS = timedelta(days=1)

# Opt-outs and consent are looked at again: the check may be days old. The claim looks once more.
_BLOCK = block_sql(
    organization="%(organization)s", phone="n.phone", channel="'sms'", purpose="%(purpose)s", sender="n.sender"
)
_FEED = f"""
WITH next AS (
    SELECT r.*, row_number() OVER (ORDER BY r.row) AS place,
        %(by_platform)s AND r.region = 'CN' AS is_platform,
        CASE WHEN %(by_platform)s AND r.region = 'CN' THEN %(platform_sender)s ELSE %(sender)s END AS sender
    FROM (
        SELECT * FROM messaging_recipient
        WHERE broadcast_id = %(broadcast)s AND state = 'ready' AND row > %(after)s ORDER BY row LIMIT %(limit)s
    ) r
), asked AS (
    SELECT n.*, ids.id AS message_id, {_BLOCK} AS consent_block
    FROM next n JOIN unnest(%(ids)s::uuid[]) WITH ORDINALITY AS ids(id, place) ON ids.place = n.place
), judged AS (
    SELECT *, COALESCE(consent_block, CASE
        WHEN is_platform AND %(no_way)s <> '' THEN %(no_way)s
        WHEN is_platform AND count(*) FILTER (WHERE is_platform AND consent_block IS NULL)
            OVER (ORDER BY place) > %(affordable)s THEN 'insufficient_credits'
    END, '') AS block
    FROM asked
), made AS (
    INSERT INTO messaging_message (
        id, organization_id, connection_id, contact_id, template_id, template_version_id, broadcast_id, broadcast_row,
        direction, channel, purpose, lane, route, phone, region, time_zones, sender, body, encoding, segments, status,
        provider_sid, error_reason, price, price_unit, attempts, source, created_by_id, created_at, due_at, valid_until,
        finished_at, updated_at, probes, needs_person)
    SELECT message_id, %(organization)s, CASE WHEN is_platform THEN %(carrier)s ELSE %(connection)s END, contact_id,
        %(template)s, %(version)s, %(broadcast)s, row,
        'outbound', 'sms', %(purpose)s, %(lane)s, CASE WHEN is_platform THEN 'platform' ELSE 'twilio' END, phone,
        region, time_zones, sender, body, encoding, segments,
        CASE WHEN block = '' THEN 'queued' ELSE 'blocked' END,
        '', block, CASE WHEN is_platform THEN CASE WHEN block = '' THEN %(price)s::numeric ELSE 0 END END,
        CASE WHEN is_platform THEN 'credits' ELSE '' END, 0, 'broadcast', %(actor)s, now(), now(),
        now() + %(validity)s * interval '1 second',
        CASE WHEN block = '' THEN NULL ELSE now() END, now(), 0, false
    FROM judged ORDER BY place
    RETURNING id, status, error_reason, route
), logged AS (
    INSERT INTO messaging_messageevent (message_id, status, source, note, at)
    SELECT id, status, 'intake', error_reason, now() FROM made
), moved AS (
    UPDATE messaging_broadcast b SET fed_through = n.last, fed_count = b.fed_count + n.count
    FROM (SELECT max(row) AS last, count(*) AS count FROM next) n WHERE b.id = %(broadcast)s AND n.count > 0
)
SELECT count(*), count(*) FILTER (WHERE status = 'queued'),
    array_agg(id) FILTER (WHERE status = 'queued' AND route = 'platform')
FROM made
"""  # noqa: S608 - built from our own rule


def feed_all(*, seconds: float = 5.0) -> int:
    """See to every broadcast that is under way; return how many messages were made."""
    made = 0
    until = time.monotonic() + seconds
    pause_broken()
    for key in list(
        Broadcast.objects.filter(status=Broadcast.Status.RUNNING).order_by("started_at").values_list("pk", flat=True)
    ):
        try:
            made += feed(key, until=until)
        except DatabaseError as error:
            # One broadcast's trouble is not the next one's; the next turn tries again. Texts of drivers repeat values.
            log.error("broadcast_not_fed", broadcast=str(key), error=type(error).__name__)
    settle_stragglers()
    end_failed_checks()
    return made


def feed(key: uuid.UUID, *, until: float | None = None) -> int:
    """Fill the window of one broadcast, or call it done; return how many messages were made."""
    made = 0
    while until is None or time.monotonic() < until:
        chunk = feed_chunk(key)
        made += chunk
        if chunk < CHUNK:
            break
    return made


def feed_chunk(key: uuid.UUID) -> int:
    """Make the next messages of a broadcast, as many as the window has room for; return how many.

    Nothing happens where somebody else feeds it at this moment, or where it does not run.
    """
    with transaction.atomic():
        broadcast = (
            Broadcast.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("organization", "connection", "template_version")
            .filter(pk=key, status=Broadcast.Status.RUNNING)
            .first()
        )
        if broadcast is None or broadcast.organization.status != Organization.Status.ACTIVE:
            return 0
        waiting.release(broadcast)  # what a resumption that was interrupted left behind
        due = due_count(broadcast)
        room = min(CHUNK, WINDOW - due)
        made = queued = 0
        if room > 0 and broadcast.left_to_feed:
            made, queued = _insert(broadcast, limit=room)
        note_pace(broadcast, gone=broadcast.fed_count + made - waiting_count(broadcast))
        if not made and room > 0 and not has_open(broadcast):
            lifecycle.finish(broadcast)
        if queued and (connection_id := broadcast.connection_id):
            sender = broadcast.sender
            transaction.on_commit(lambda: nudge(connection_id, lane=Message.Lane.BULK, sender=sender) and None)
    return made


def due_count(broadcast: Broadcast) -> int:
    """Count the messages of a broadcast that are due and not claimed, up to the window."""
    due = Message.objects.filter(broadcast=broadcast, status=Status.QUEUED, due_at__lte=Now())
    return len(due.values_list("pk", flat=True)[:WINDOW])


def waiting_count(broadcast: Broadcast) -> int:
    """Count the messages of a broadcast that are in the outbox or just being handed over."""
    return Message.objects.filter(broadcast=broadcast, status__in=WAITING | {Status.SENDING}).count()


def has_open(broadcast: Broadcast) -> bool:
    """Tell whether a message still waits, is being handed over, or is unknown and settles by itself.

    One that is flagged for a person is not waited for: it may take days, and the results say so.
    """
    return Message.objects.filter(
        broadcast=broadcast, status__in=sorted(WAITING | IN_FLIGHT), needs_person=False
    ).exists()


def pause_broken() -> int:
    """Pause the running broadcasts whose connection cannot send; return how many."""
    paused = 0
    broken = Broadcast.objects.filter(status=Broadcast.Status.RUNNING).exclude(
        connection__status=Connection.Status.ACTIVE
    )
    for broadcast in broken.select_related("organization", "connection"):
        if only_by_platform(broadcast):
            continue
        paused += lifecycle.pause(broadcast, actor=None, reason="connection", detail=_why_broken(broadcast.connection))
    return paused


def settle_stragglers() -> int:
    """Hold, or cancel, what came back to the queue of a broadcast that is paused or canceled; return how many."""
    settled = 0
    recently = timezone.now() - LATE_STRAGGLERS
    paused = Broadcast.objects.filter(status=Broadcast.Status.PAUSED)
    canceled = Broadcast.objects.filter(status=Broadcast.Status.CANCELED, fed_count__gt=0, finished_at__gt=recently)
    for broadcast in paused:
        queued = Message.objects.filter(broadcast=broadcast, status=Status.QUEUED, due_at__lt=HELD_UNTIL)
        if queued.exists():
            with transaction.atomic():
                locked = Broadcast.objects.select_for_update(skip_locked=True).filter(
                    pk=broadcast.pk, status=Broadcast.Status.PAUSED
                )
                settled += waiting.hold(broadcast) if locked.exists() else 0
    for broadcast in canceled:
        settled += waiting.cancel(broadcast)
    return settled


def end_failed_checks() -> int:
    """Make drafts again of broadcasts whose check ended without a result, with what the job says; return how many."""
    over = Job.objects.filter(kind=lifecycle.CHECK_JOB, state__in=[Job.State.FAILED, Job.State.CANCELED])
    stuck = Broadcast.objects.filter(status=Broadcast.Status.CHECKING, check_job_id__in=over.values("pk"))
    ended = 0
    for broadcast in stuck:
        job = over.filter(pk=broadcast.check_job_id).first() if broadcast.check_job_id else None
        if job is not None:
            why = job.error or "The check was stopped. Begin it again."
            ended += lifecycle.give_up_check(broadcast, job_id=job.pk, why=why)
    return ended


def _insert(broadcast: Broadcast, *, limit: int) -> tuple[int, int]:
    """Return how many messages were made, and how many of them are to be sent.

    Of those by platform SMS as many go as the credits cover, in the order of the rows; the rest is stored as blocked.
    """
    way = _platform_way(broadcast, limit=limit)
    with connection.cursor() as cursor:
        cursor.execute(
            _FEED,
            {
                "broadcast": broadcast.pk,
                "organization": broadcast.organization_id,
                "connection": broadcast.connection_id,
                "template": broadcast.template_id,
                "version": broadcast.template_version_id,
                "sender": broadcast.sender,
                "purpose": broadcast.purpose,
                "lane": Message.Lane.BULK,
                "actor": broadcast.created_by_id,
                "validity": waiting.VALIDITY.total_seconds(),
                "after": broadcast.fed_through,
                "limit": limit,
                "ids": [new_id() for _ in range(limit)],
                "by_platform": way is not None,
                "platform_sender": PLATFORM_SENDER,
                "carrier": way.carrier.pk if way and way.carrier else broadcast.connection_id,
                "price": way.price if way else 0,
                "no_way": way.no_way if way else "",
                "affordable": way.affordable if way else 0,
            },
        )
        made, queued, by_platform = cursor.fetchone()
    if way is not None and by_platform and way.carrier:
        if way.price:
            ledger.reserve(broadcast.organization, dict.fromkeys(by_platform, way.price))
        carrier_id = way.carrier.pk
        transaction.on_commit(lambda: nudge(carrier_id, lane=Message.Lane.BULK, sender=PLATFORM_SENDER) and None)
    if adds_way_out(broadcast) or VARIABLE in broadcast.text or (by_platform and broadcast.purpose == MARKETING):
        _keep_links(broadcast)
    return made, queued


@dataclass(frozen=True)
class _PlatformWay:
    """How rows to Mainland China leave: by whom, at which price, for how many the credits suffice; or why not."""

    carrier: Connection | None
    price: Decimal
    affordable: int
    no_way: str = ""


def _platform_way(broadcast: Broadcast, *, limit: int) -> _PlatformWay | None:
    """Return how the next rows to Mainland China leave, None where there are none; the account stays locked."""
    if not offers_platform(broadcast):
        return None
    following = Recipient.objects.filter(
        broadcast=broadcast, state=Recipient.State.READY, row__gt=broadcast.fed_through
    ).order_by("row")
    if CHINA not in set(following.values_list("region", flat=True)[:limit]):
        return None
    offer = current_offer().domestic
    if offer is None or not offer.is_working:
        return _PlatformWay(None, Decimal(0), 0, no_way="no_route" if offer is None else "platform_unavailable")
    if not offer.price:
        return _PlatformWay(offer.carrier, offer.price, affordable=limit)
    balance = ledger.lock_balance(broadcast.organization)
    return _PlatformWay(offer.carrier, offer.price, affordable=int(balance // offer.price))


def _keep_links(broadcast: Broadcast) -> None:
    """Make the unsubscribe links in the texts of the new messages work."""
    fresh = Message.objects.filter(broadcast=broadcast, broadcast_row__gt=broadcast.fed_through, body__contains="/u/")
    keep_links(broadcast.organization, list(fresh.values_list("phone", "sender")))


def _why_broken(connection: Connection | None) -> str:
    if connection is None or connection.status == Connection.Status.DISCONNECTED:
        return "The connection was disconnected."
    cause = explain(connection.broken_code)
    return f"The connection “{connection.name}” is broken: {cause.title} {cause.remedy}"
