"""Pictures and files of incoming messages: noted by the webhook, fetched by a worker, kept in the database.

PostgreSQL keeps them because web and workers may be on different machines, and because they go with the message when
it is deleted.
"""

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

import structlog
from django.db import connection, transaction
from django.utils import timezone

from integrations.connections.credentials import ConnectionUnusable, credentials_of
from integrations.twilio.media import MediaUnavailable, Medium, fetch_medium
from messaging.sending.models import Message

from .models import MessageMedia

log = structlog.get_logger(__name__)
_State = MessageMedia.State

MOST_FILES = 10  # Twilio's own limit for a message
LARGEST = 5 * 1024 * 1024  # Twilio's limit for what it delivers, too
ALLOWED = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/gif": "gif",
    "image/webp": "webp",
    "image/heic": "heic",
    "video/mp4": "mp4",
    "video/3gpp": "3gp",
    "video/quicktime": "mov",
    "audio/mpeg": "mp3",
    "audio/mp4": "m4a",
    "audio/ogg": "ogg",
    "audio/amr": "amr",
    "audio/aac": "aac",
    "audio/3gpp": "3gp",
    "application/pdf": "pdf",
    "text/plain": "txt",
    "text/vcard": "vcf",
    "text/x-vcard": "vcf",
    "text/calendar": "ics",
}
# Beginnings by which a picture is known: what only says that it is one is never shown as one.
_PICTURES = {
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/gif": (b"GIF87a", b"GIF89a"),
    "image/webp": (b"RIFF",),
}
SHOWN = frozenset(_PICTURES)
# Seconds after each failure; the last one is repeated.
_PAUSES = (10, 60, 300, 1800, 7200)
_TRIES = 8
_LEASE = timedelta(minutes=2)
_BATCH = 20
TYPE_NOT_ALLOWED, DISCONNECTED = "type_not_allowed", "disconnected"

REASONS = {
    "not_twilios": "The address is none of Twilio's, so it was not asked.",
    "too_large": f"The file is larger than {LARGEST // 1024 // 1024} MB. It can still be seen in Twilio's Console.",
    "gone": "Twilio does not have it any more.",
    "refused": "Twilio did not give it out. Check the connection.",
    "no_answer": "Twilio's store could not be reached.",
    TYPE_NOT_ALLOWED: "Files of this kind are not taken.",
    DISCONNECTED: "The connection was disconnected before it was fetched.",
}

# MATERIALIZED, because within IN (…) PostgreSQL may ask the question again for each row and claim more than the limit.
_CLAIM = """
WITH due AS MATERIALIZED (
    SELECT id FROM messaging_messagemedia WHERE state = 'waiting' AND next_try_at <= %s
    ORDER BY next_try_at LIMIT %s FOR UPDATE SKIP LOCKED
)
UPDATE messaging_messagemedia m SET attempts = attempts + 1, next_try_at = %s FROM due WHERE m.id = due.id
RETURNING m.id
"""


def note_media(message: Message, params: dict[str, object]) -> int:
    """Keep the addresses of what came with a message, in the transaction that stores it; return how many."""
    announced = str(params.get("NumMedia") or "0")
    count = (
        min(int(announced), MOST_FILES) if announced.isascii() and announced.isdecimal() and len(announced) < 4 else 0
    )
    rows = [
        MessageMedia(
            organization=message.organization,
            message=message,
            position=place,
            url=str(params.get(f"MediaUrl{place}") or "")[:500],
            content_type=str(params.get(f"MediaContentType{place}") or "").partition(";")[0].strip().lower()[:100],
        )
        for place in range(count)
    ]
    MessageMedia.objects.bulk_create(rows)
    return len(rows)


def fetch_due() -> int:
    """Fetch what waits, and return how much was claimed; what fails is tried again after a pause.

    Claimed by one worker at a time: the claim is committed before the network is touched, and runs out by itself.
    """
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, [now, _BATCH, now + _LEASE])
        claimed = [row[0] for row in cursor.fetchall()]
    for key in claimed:
        _fetch(key)
    return len(claimed)


def _fetch(key: UUID) -> None:
    row = MessageMedia.objects.select_related("message__connection").defer("content").filter(pk=key).first()
    if row is None or row.message.connection is None:
        return
    try:
        credentials = credentials_of(row.message.connection)
        if row.content_type and row.content_type not in ALLOWED:
            raise MediaUnavailable(TYPE_NOT_ALLOWED, is_final=True)
        medium = fetch_medium(row.url, credentials=credentials, most=LARGEST)
    except ConnectionUnusable:
        _end(row, MessageMedia.State.FAILED, DISCONNECTED)
    except MediaUnavailable as problem:
        if problem.is_final:
            _end(row, _State.REFUSED if problem.reason != "gone" else _State.FAILED, problem.reason)
        else:
            _try_again(row, problem.reason)
    else:
        _keep(row, medium)


def _keep(row: MessageMedia, medium: Medium) -> None:
    content_type = medium.content_type if medium.content_type in ALLOWED else row.content_type
    if content_type not in ALLOWED or (medium.content_type and medium.content_type not in ALLOWED):
        _end(row, _State.REFUSED, TYPE_NOT_ALLOWED)
        return
    MessageMedia.objects.filter(pk=row.pk, state=_State.WAITING).update(
        state=_State.STORED,
        content=medium.content,
        content_type=content_type,
        size=len(medium.content),
        is_picture=looks_like_picture(medium.content, content_type),
        reason="",
    )


def _end(row: MessageMedia, state: str, reason: str) -> None:
    log.info("media_not_kept", media=str(row.pk), reason=reason)
    MessageMedia.objects.filter(pk=row.pk, state=_State.WAITING).update(state=state, reason=reason)


def _try_again(row: MessageMedia, reason: str) -> None:
    if row.attempts >= _TRIES:
        _end(row, _State.FAILED, reason)
        return
    pause = _PAUSES[min(row.attempts, len(_PAUSES)) - 1]
    MessageMedia.objects.filter(pk=row.pk, state=_State.WAITING).update(
        reason=reason, next_try_at=timezone.now() + timedelta(seconds=pause)
    )


def looks_like_picture(content: bytes, content_type: str) -> bool:
    """Tell whether the content may be shown in a page: one of four kinds, and it begins like it."""
    return any(content.startswith(mark) for mark in _PICTURES.get(content_type, ()))


def empty_media(messages: Iterable[UUID]) -> int:
    """Take away the files of these messages, as when their texts are redacted; return how many there were."""
    with transaction.atomic():
        rows = MessageMedia.objects.filter(message_id__in=list(messages)).exclude(state=_State.DELETED)
        return rows.update(state=_State.DELETED, content=None, url="", reason="", size=None)
