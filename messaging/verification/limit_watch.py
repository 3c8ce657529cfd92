"""What admins must hear of: prefixes that are paused, and limits that hold codes back."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.db.models.functions import Now

from integrations.clock import database_now
from integrations.organizations.models import Organization
from integrations.phones import region_name

from .counting import fade
from .limit_models import LimitCount, PausedPrefix

# So long after the last refusal an alert stands, so that it does not come and go.
_TOLD_FOR = timedelta(minutes=15)
_NAMED = 3
_WHAT = {"form": "a public form", "portal": "a portal"}


@dataclass(frozen=True)
class Trouble:
    """Something of an organization that its admins have to hear of."""

    organization: Organization
    key: str
    text: str


def paused_prefixes() -> Iterator[Trouble]:
    """Find the organizations with paused prefixes: one trouble each, however many prefixes there are."""
    found: dict[uuid.UUID, list[PausedPrefix]] = {}
    for row in PausedPrefix.objects.filter(released_at=None, until__gt=Now()).order_by("-paused_at")[:5_000]:
        found.setdefault(row.organization_id, []).append(row)
    for organization in Organization.objects.filter(pk__in=found) if found else ():
        yield Trouble(organization, "", of_paused(found[organization.pk]))


def held_codes() -> Iterator[Trouble]:
    """Find limits that refused visitors lately and that an admin can do something about."""
    rows = LimitCount.objects.filter(held_at__gt=Now() - _TOLD_FOR).select_related("organization")
    now = database_now()
    for row in rows:
        fade(row, now=now)
        yield Trouble(row.organization, f"{row.scope}:{row.key}"[:60], of_held(row))


def of_paused(prefixes: list[PausedPrefix]) -> str:
    """Say which prefixes get no codes, and why."""
    named = ", ".join(
        f"{row.prefix}… ({region_name(row.region)}: {row.sent} codes, {row.approved} confirmed)"
        for row in prefixes[:_NAMED]
    )
    more = f" and {len(prefixes) - _NAMED:,} more" if len(prefixes) > _NAMED else ""
    subject = "Numbers with this beginning get" if len(prefixes) == 1 else "Numbers with these beginnings get"
    return (
        f"{subject} no codes for some hours: {named}{more}. Too few were confirmed, as when somebody has codes sent to "
        "numbers that he is paid for. If you know why, for example a campaign there, release them."
    )[:600]


def of_held(row: LimitCount) -> str:
    """Say which limit holds codes back, and what to do about it."""
    figures = f"about {row.sent:,.0f} codes left in the last hour, {row.approved:,.0f} were confirmed"
    if row.scope == "day":
        return (
            f"All codes of a day are used, {row.sent:,.0f}: nobody gets one until some are older than a day. "
            "If these were your visitors, raise the limit; if not, look which countries they went to."
        )
    if row.scope == "country":
        return (
            f"Codes to {region_name(row.key)} are held back: {figures}. If nobody of yours is there, take the country "
            "off the list; if you expect a crowd, raise the limit."
        )
    what = _WHAT.get(row.key.partition(":")[0], "a form")
    return (
        f"Codes of {what} are held back: {figures}, and {row.asked:,.0f} were asked for. Somebody may be having codes "
        "sent for money. Visitors solve a small task unseen and still get through; if this is a crowd of yours, raise "
        "the limit for the day."
    )
