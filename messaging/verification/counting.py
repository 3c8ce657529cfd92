"""The counts that limits are held against: found, locked, brought up to the moment and written, a few rows at once.

A count is a moving sum. Each code adds one; with time a sum fades, to 37 % after its span (an hour, a day). Of a steady
stream a sum of an hour shows what comes in an hour; of a burst it shows all at first, and less and less afterwards. So
nothing begins anew at a full hour, and one row for each key is enough.
"""

import ipaddress
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import connection
from django.utils.crypto import salted_hmac

from integrations.organizations.models import Organization
from integrations.phones import Phone

from .askers import Asker
from .limit_models import LimitCount

MINUTE, HOUR, DAY = 60.0, 3_600.0, 86_400.0
WEEK = 7 * DAY
FRESH = 3 * MINUTE
# In this order rows are locked, always: of two requests for the same rows one waits for the other, never both.
SCOPES = (
    "number", "number_day", "spare", "pair", "device", "ip", "network", "narrow", "middle", "wide", "country", "asker",
    "day", "address", "addresses", "refused",
)  # fmt: skip
# How many last digits of a number the block that it belongs to leaves open: a hundred thousand numbers, a million, ten.
BLOCKS = {"narrow": 5, "middle": 6, "wide": 7}
_DAILY = frozenset({"number_day", "spare", "pair", "day", "refused"})
_FADED = 0.001  # what is less is nothing

# Locks every row without changing one; those missing are made. The order is that of SCOPES.
_LOCK = """
INSERT INTO messaging_limitcount (organization_id, scope, key, at)
SELECT %s, wanted.scope, wanted.key, %s
FROM unnest(%s::text[], %s::text[]) WITH ORDINALITY AS wanted (scope, key, place) ORDER BY wanted.place
ON CONFLICT (organization_id, scope, key) DO UPDATE SET key = EXCLUDED.key WHERE false
"""
_READ = """
SELECT c.* FROM unnest(%s::text[], %s::text[]) AS wanted (scope, key)
JOIN messaging_limitcount c ON c.organization_id = %s AND c.scope = wanted.scope AND c.key = wanted.key
"""
_NOTE = """
INSERT INTO messaging_limitcount AS c (organization_id, scope, key, at, asked)
VALUES (%(organization)s, 'refused', %(name)s, %(now)s, 1)
ON CONFLICT (organization_id, scope, key) DO UPDATE SET at = greatest(c.at, EXCLUDED.at), asked = 1 + c.asked * exp(
    -least(50, greatest(0, extract(epoch FROM EXCLUDED.at - c.at)::float8 / %(span)s))
)
"""
_SUMS = ("asked", "sent", "approved", "fresh", "paced", "usual_sent", "usual_approved")
_WRITE = f"""
UPDATE messaging_limitcount c SET at = %s, {", ".join(f"{name} = new.{name}" for name in _SUMS)}
FROM unnest(%s::bigint[], {", ".join(["%s::float8[]"] * len(_SUMS))}) AS new (id, {", ".join(_SUMS)})
WHERE c.id = new.id
"""  # noqa: S608 - names of columns only


@dataclass(frozen=True, order=True)
class Key:
    """What a row counts: a scope and, within it, whom."""

    scope: str
    key: str = ""


def keys_of(phone: Phone, asker: Asker) -> list[Key]:
    """Return what a request for a code is counted by, in the order of SCOPES."""
    number = _hashed(phone.e164)
    keys = [Key("number", number), Key("number_day", number)]
    if asker.device:
        keys.append(Key("device", _hashed(f"{phone.e164}|{asker.device}")))
    address = keys_of_address(asker.ip)
    if address and asker.is_public and not asker.device:
        # What is spare when others have used a number up; and the number together with the network that asks for it.
        keys += [Key("spare", number), Key("pair", _hashed(f"{phone.e164}|{address[-1].key}"))]
    keys += address
    keys += [Key(scope, block) for scope, block in blocks_of(phone).items()]
    return [*keys, Key("country", phone.region), key_of_asker(asker), Key("day")]


def keys_of_email(email: str) -> list[Key]:
    """Return what a request for a code by e-mail is counted by."""
    return [Key("address", _hashed(email.strip().lower())), Key("addresses")]


def key_of_asker(asker: Asker) -> Key:
    """Return by which key a form, a portal, an API key or a member is counted."""
    return Key("asker", f"{asker.kind}:{asker.id or ''}")


def keys_of_address(ip: str) -> list[Key]:
    """Return the keys of a visitor's address and network; none where there is no address.

    A household has a /64 of IPv6 to itself: one address of it says no more than another.
    """
    address = _address(ip)
    if address is None:
        return []
    return [Key("ip", _hashed(_network(address, 32, 64))), Key("network", _hashed(_network(address, 24, 48)))]


def blocks_of(phone: Phone) -> dict[str, str]:
    """Return the blocks that a number belongs to, by their size; a country's code alone is none."""
    least = len(f"+{phone.country_code}") + 1
    return {scope: phone.e164[:-open_] for scope, open_ in BLOCKS.items() if len(phone.e164) - open_ >= least}


def lock(organization: Organization, keys: Sequence[Key], *, now: datetime) -> dict[Key, LimitCount]:
    """Lock the rows of these keys until the transaction ends, and return them as they stand at this moment."""
    ordered = sorted(set(keys), key=lambda key: (SCOPES.index(key.scope), key.key))
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [organization.pk, now, [key.scope for key in ordered], [key.key for key in ordered]])
    return read(organization, ordered, now=now)


def read(organization: Organization, keys: Sequence[Key], *, now: datetime) -> dict[Key, LimitCount]:
    """Return the rows of these keys that exist, as they stand at this moment."""
    scopes, names = [key.scope for key in keys], [key.key for key in keys]
    rows = {Key(row.scope, row.key): row for row in LimitCount.objects.raw(_READ, [scopes, names, organization.pk])}
    for row in rows.values():
        fade(row, now=now)
    return rows


def write(rows: Sequence[LimitCount], *, now: datetime) -> None:
    """Save the sums of rows that are locked."""
    sums = [[getattr(row, name) for row in rows] for name in _SUMS]
    with connection.cursor() as cursor:
        cursor.execute(_WRITE, [now, [row.pk for row in rows], *sums])


def fade(row: LimitCount, *, now: datetime) -> None:
    """Bring the sums of a row forward to this moment; a clock that went back changes nothing."""
    elapsed = max(0.0, (now - row.at).total_seconds())
    span = span_of(row.scope)
    for name in _SUMS:
        lasts = {"fresh": FRESH, "paced": MINUTE, "usual_sent": WEEK, "usual_approved": WEEK}.get(name, span)
        value = getattr(row, name) * math.exp(-elapsed / lasts)
        setattr(row, name, value if value >= _FADED else 0.0)
    row.at = max(row.at, now)


def span_of(scope: str) -> float:
    """Return over how many seconds a scope is counted."""
    return DAY if scope in _DAILY else HOUR


def note_refusal(organization: Organization, *, name: str, now: datetime) -> None:
    """Count that a limit refused somebody, for the page of limits; one statement, with a transaction of its own."""
    with connection.cursor() as cursor:
        cursor.execute(_NOTE, {"organization": organization.pk, "name": name, "now": now, "span": span_of("refused")})


def _hashed(value: str) -> str:
    return salted_hmac("verification.limits", value, secret=settings.SECRET_KEY, algorithm="sha256").hexdigest()[:40]


def _address(ip: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(ip.strip().partition("%")[0])
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped or address


def _network(address: ipaddress.IPv4Address | ipaddress.IPv6Address, width4: int, width6: int) -> str:
    width = width4 if address.version == 4 else width6
    return str(ipaddress.ip_network(f"{address}/{width}", strict=False))
