"""The message log with few rows and with millions: what people ask of it, how long that takes, what is read for it."""

import json
import statistics
import time
from collections.abc import Callable
from typing import Any

from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext

from integrations.organizations.models import Member, Organization, User
from messaging.sending.models import Message
from messaging.sending.selectors import LogFilter, message_log, page_of
from tests.load.rows import Customer

_CHUNK = 250_000
_TURNS = 15
# Ids that grow with time, as those of version 7 do; one in fifty was received, one in forty failed; 40 templates' worth
# of days: the newest row is of now, the others two seconds apart.
_FILL = """
INSERT INTO messaging_message (
    id, organization_id, connection_id, direction, channel, purpose, lane, route, phone, region, sender, body, encoding,
    segments, status, provider_sid, error_code, error_reason, price_unit, attempts, source, created_at, due_at,
    valid_until, handed_over_at, finished_at, updated_at, probes, needs_person, time_zones)
SELECT
    (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || substr(md5(n::text), 1, 3) || '8'
        || substr(md5(n::text), 4, 15))::uuid,
    %(organization)s, %(connection)s, CASE WHEN n %% 50 = 0 THEN 'inbound' ELSE 'outbound' END, 'sms', 'transactional',
    1, 'twilio', '+49151' || lpad((n::bigint * 7919 %% 100000000)::text, 8, '0'), 'DE', 'MG' || repeat('0', 32),
    'Your parcel ' || n || ' arrives today between 10 and 12.', 'GSM-7', 1,
    CASE WHEN n %% 50 = 0 THEN 'received' WHEN n %% 40 = 1 THEN 'failed' ELSE 'delivered' END, 'SM' || md5(n::text),
    CASE WHEN n %% 40 = 1 THEN 30003 END, '', '', 1, 'api', at, at, at + interval '10 hours', at, at, at, 0, false, ''
FROM (SELECT n, now() - (%(last)s - n) * interval '2 seconds' AS at
      FROM generate_series(%(first)s, %(to)s) AS n) AS numbered
"""


def measure_log(customer: Customer, *, sizes: tuple[int, int], say: Callable[[str], None]) -> dict[str, Any]:
    """Fill the log up to each size and time the same questions; the rows stay until the installation goes."""
    organization, client = customer.organization, _member_of(customer.organization)
    results: dict[str, Any] = {"rows": list(sizes), "queries": {}}
    filled, began = 0, time.monotonic()
    for size in sizes:
        filled = _fill(customer, first=filled + 1, to=size, last=sizes[-1], say=say)
        with database.cursor() as cursor:
            cursor.execute("VACUUM (ANALYZE) messaging_message")
        for name, ask in _questions(organization, client, newest=size).items():
            entry = results["queries"].setdefault(name, {"ms": [], "sequential": False})
            entry["ms"].append(_time(ask))
            entry["sequential"] |= _reads_all(ask)
    results["filling_seconds"] = round(time.monotonic() - began)
    for entry in results["queries"].values():
        entry["ratio"] = round(entry["ms"][1] / entry["ms"][0], 2)
    return results


def _fill(customer: Customer, *, first: int, to: int, last: int, say: Callable[[str], None]) -> int:
    values = {"organization": customer.organization.pk, "connection": customer.talking.pk, "last": last}
    for begin in range(first, to + 1, _CHUNK):
        end = min(to, begin + _CHUNK - 1)
        with database.cursor() as cursor:
            # All indexes stay; what a crash could take away may be taken away here.
            cursor.execute("SET synchronous_commit = off")
            cursor.execute(_FILL, {**values, "first": begin, "to": end})
            cursor.execute("RESET synchronous_commit")
        if to > 1_000_000 and end % 1_000_000 < _CHUNK:
            say(f"  {end:,} rows …")
    return to


def _questions(organization: Organization, client: Client, *, newest: int) -> dict[str, Callable[[], object]]:
    some = Message.objects.filter(organization=organization, status="delivered").order_by("-id")[newest // 3]
    address = f"/o/{organization.slug}/messages/"

    def page(**wanted: Any) -> Callable[[], object]:
        return lambda: page_of(message_log(organization, wanted=LogFilter(**wanted)))

    def view() -> None:
        answer = client.get(address, headers={"host": "127.0.0.1"})
        if answer.status_code != 200:
            raise RuntimeError(f"The message log answered {answer.status_code}.")

    return {
        "first page": page(),
        "first page, the whole request": view,
        "search by number": page(query=some.phone),
        "search by the last six digits": page(query=some.phone[-6:]),
        "search by SID": page(query=some.provider_sid),
        "failed ones": page(status="failed"),
        "received ones": page(direction="inbound"),
        "one day": page(since=some.created_at.date(), until=some.created_at.date()),
    }


def _time(ask: Callable[[], object]) -> float:
    """Return the middle of some turns in milliseconds, after one that does not count."""
    ask()
    taken = []
    for _ in range(_TURNS):
        began = time.perf_counter()
        ask()
        taken.append((time.perf_counter() - began) * 1000)
    return round(statistics.median(taken), 2)


def _reads_all(ask: Callable[[], object]) -> bool:
    """Tell whether any statement reads the messages from end to end."""
    with CaptureQueriesContext(database) as captured:
        ask()
    statements = [query["sql"] for query in captured if 'FROM "messaging_message"' in query["sql"]]
    for statement in statements:
        with database.cursor() as cursor:
            cursor.execute("EXPLAIN (FORMAT JSON) " + statement.replace("%", "%%"), ())
            plan = cursor.fetchone()[0]
        plan = json.loads(plan) if isinstance(plan, str) else plan
        if _has_sequential_scan(plan[0]["Plan"]):
            return True
    return False


def _has_sequential_scan(node: dict[str, Any]) -> bool:
    if node["Node Type"] == "Seq Scan" and node.get("Relation Name") == "messaging_message":
        return True
    return any(_has_sequential_scan(inner) for inner in node.get("Plans", ()))


def _member_of(organization: Organization) -> Client:
    user = User.objects.create_user(email="bench@example.com", password=None, name="Bench")
    Member.objects.create(organization=organization, user=user, role="owner")
    client = Client()
    client.force_login(user)
    return client
