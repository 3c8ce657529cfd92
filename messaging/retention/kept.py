"""What is deleted as a whole after so many days: each room registers what it keeps. Nothing goes until days are set."""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from integrations.organizations.models import Organization

from .models import RetentionPolicy

SLICE = 500


@dataclass(frozen=True)
class Kept:
    """One kind of things: `field` is that of the policy, `older` finds what was made before a moment.

    `action` is what the audit log calls a change of the days, with a sentence that the room registers.
    `delete` deletes those of the ids that are given, in the caller's transaction, with all that belongs to them.
    """

    field: str
    action: str
    noun: str
    nouns: str
    help: str
    older: Callable[[Organization, datetime], QuerySet[Any]]
    delete: Callable[[Organization, Sequence[uuid.UUID]], None]


KINDS: dict[str, Kept] = {}


def register_kept(kind: Kept) -> None:
    """Have things of a room deleted after so many days; use it in `AppConfig.ready()`."""
    KINDS[kind.field] = kind


def forget_due(*, slices: int = 20) -> int:
    """Delete what has served its time in all organizations that set a time, in slices; return how many things."""
    count = 0
    for policy in RetentionPolicy.objects.select_related("organization").order_by("organization_id"):
        for kind in KINDS.values():
            for _ in range(slices):
                deleted = forget_slice(policy, kind)
                count += deleted
                if deleted < SLICE:
                    break
    return count


def forget_slice(policy: RetentionPolicy, kind: Kept) -> int:
    """Delete the next things of one organization, the oldest first; return how many."""
    days = getattr(policy, kind.field)
    if days is None:
        return 0
    with transaction.atomic():
        rows = kind.older(policy.organization, before(days)).order_by("pk").values_list("pk", flat=True)
        ids = list(rows[:SLICE])
        if ids:
            kind.delete(policy.organization, ids)
    return len(ids)


def before(days: int) -> datetime:
    """Return the moment before which things are older than so many days."""
    return timezone.now() - timedelta(days=days)
