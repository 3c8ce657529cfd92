"""Prefixes that get no codes for a while: paused by what was counted, released by time or by an admin."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from integrations.clock import database_now
from integrations.organizations.audit import record
from integrations.organizations.models import Organization, User
from integrations.phones import Phone, region_name

from .counting import Key, blocks_of, lock, write
from .judging import Refused, growth_of
from .limit_models import LimitCount, PausedPrefix

SENTENCES = {"verification.prefix_released": "released the prefix {which}: numbers there get codes again"}


def standing(organization: Organization, *, phone: Phone, now: datetime) -> Refused | None:
    """Refuse a number whose prefix is paused."""
    rows = PausedPrefix.objects.filter(
        organization=organization, prefix__in=blocks_of(phone).values(), released_at=None, until__gt=now
    )
    paused = rows.order_by("-until").first()
    if paused is None:
        return None
    left = int((paused.until - now).total_seconds()) + 1
    return Refused("prefix", f"The prefix {paused.prefix} is paused ({paused.get_reason_display().lower()}).", left)


def pause(organization: Organization, block: LimitCount, *, phone: Phone, hours: int, now: datetime) -> None:
    """Pause a block whose row is locked, so that of many requests one does it."""
    PausedPrefix.objects.create(
        organization=organization,
        prefix=block.key,
        region=phone.region,
        reason=growth_of(block),
        sent=round(block.sent),
        approved=round(block.approved),
        paused_at=now,
        until=now + timedelta(hours=hours),
    )


def paused_prefixes(organization: Organization) -> QuerySet[PausedPrefix]:
    """Return what is paused now, the newest first."""
    rows = PausedPrefix.objects.filter(organization=organization, released_at=None, until__gt=Now())
    return rows.order_by("-paused_at")


def release(prefix: PausedPrefix, *, actor: User, ip: str = "") -> bool:
    """Let numbers of a prefix have codes again, counting from nothing; return whether it was paused until now."""
    now = database_now()
    with transaction.atomic():
        was_paused = PausedPrefix.objects.filter(pk=prefix.pk, released_at=None, until__gt=now).update(
            released_at=now, released_by=actor
        )
        if not was_paused:
            return False
        _forget(prefix, now=now)
        changes = {"country": region_name(prefix.region), "sent": prefix.sent, "confirmed": prefix.approved}
        record(
            prefix.organization,
            actor=actor,
            action="verification.prefix_released",
            target=prefix,
            changes=changes,
            ip=ip,
        )
    return True


def _forget(prefix: PausedPrefix, *, now: datetime) -> None:
    keys = [Key(scope, prefix.prefix) for scope in ("narrow", "middle", "wide")]
    found = LimitCount.objects.filter(
        organization=prefix.organization, scope__in=[key.scope for key in keys], key=prefix.prefix
    ).values_list("scope", flat=True)
    rows: Sequence[LimitCount] = list(
        lock(prefix.organization, [key for key in keys if key.scope in set(found)], now=now).values()
    )
    for row in rows:
        row.asked = row.sent = row.approved = row.fresh = 0.0
    write(rows, now=now)
