"""Which limits hold for a lane just now: read once a second, so that a claim without any pays for none."""

import uuid
from dataclasses import dataclass, replace
from datetime import time

from integrations.connections.models import Connection
from integrations.organizations.models import Organization

from . import pace
from .limit_models import SendingPolicy


@dataclass(frozen=True)
class Limits:
    """The limits of an organization and of one sender of one connection; what is None or False does not hold."""

    organization_id: uuid.UUID | None = None
    zone: str = "UTC"
    daily_cap: int | None = None
    is_quiet: bool = False
    quiet_from: time | None = None
    quiet_until: time | None = None
    is_paced: bool = False

    @property
    def is_free(self) -> bool:
        return self.daily_cap is None and not self.is_quiet and not self.is_paced


NONE = Limits()


def limits_of(connection: Connection, *, sender: str) -> Limits:
    """Read what holds for messages of this sender."""
    return replace(limits_within(connection.organization), is_paced=pace.is_limited(connection, sender=sender))


def limits_within(organization: Organization) -> Limits:
    """Read what an organization allows itself, through whichever connection."""
    policy = SendingPolicy.objects.filter(organization=organization).first() or SendingPolicy()
    return Limits(
        organization_id=organization.pk,
        zone=organization.time_zone,
        daily_cap=policy.daily_cap,
        is_quiet=policy.is_quiet,
        quiet_from=policy.quiet_from,
        quiet_until=policy.quiet_until,
    )
