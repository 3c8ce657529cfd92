"""Change an organization's figures, and read how far its limits are used."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from integrations.clock import database_now
from integrations.organizations.audit import record
from integrations.organizations.models import Organization, User

from .counting import Key, read
from .limit_models import VerificationPolicy
from .limits import LIMITS, OTHER_TITLES

SENTENCES = {"verification.limits_changed": "changed the verification limits"}


@dataclass(frozen=True)
class Refusals:
    """How many requests for codes one limit refused in about a day."""

    title: str
    count: int


def change_limits(
    organization: Organization, *, values: Mapping[str, Any], actor: User | None, ip: str = ""
) -> dict[str, list[Any]]:
    """Save what differs and return it as {name: [old, new]}; it holds from the next request on."""
    with transaction.atomic():
        VerificationPolicy.objects.get_or_create(organization=organization)
        row = VerificationPolicy.objects.select_for_update().get(organization=organization)
        changes = {name: [getattr(row, name), new] for name, new in values.items() if getattr(row, name) != new}
        if not changes:
            return {}
        for name, (_, new) in changes.items():
            setattr(row, name, new)
        row.save(update_fields=list(changes))
        told = {_LABELS.get(name, name): [_plain(old), _plain(new)] for name, (old, new) in changes.items()}
        record(organization, actor=actor, action="verification.limits_changed", target=row, changes=told, ip=ip)
    return changes


def sent_today(organization: Organization) -> int:
    """Return how many codes were asked for and sent in about a day."""
    now = database_now()
    row = read(organization, [Key("day")], now=now).get(Key("day"))
    return 0 if row is None else round(row.sent)


def refusals(organization: Organization) -> list[Refusals]:
    """Return which limits refused how much in about a day, the busiest first."""
    names = [*LIMITS, *OTHER_TITLES]
    rows = read(organization, [Key("refused", name) for name in names], now=database_now())
    titles = {**{limit.name: limit.title for limit in LIMITS.values()}, **OTHER_TITLES}
    found = [Refusals(titles[key.key], round(row.asked)) for key, row in rows.items() if round(row.asked)]
    return sorted(found, key=lambda one: -one.count)


# Names of fields that say too little by themselves in the audit log.
_LABELS = {"ip": "one_internet_address", "asker": "one_form", "day": "all_together", "regions": "further_countries"}


def _plain(value: Any) -> Any:
    return " ".join(value) if isinstance(value, list) else value if value is not None else "standard"
