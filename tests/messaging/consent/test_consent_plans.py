"""What PostgreSQL reads to say whether marketing may go: one row for each message, however large the ledger is."""

import json

import pytest
from django.db import connection as database

from integrations.connections.models import Connection
from messaging.consent.blocking import block_sql
from messaging.consent.ledger import rebuild_states
from messaging.consent.models import ConsentRecord
from tests.conftest import Cast

pytestmark = pytest.mark.django_db
PEOPLE = 20_000
_RECORDS = """
INSERT INTO messaging_consentrecord
    (id, organization_id, phone, channel, purpose, action, source, reason, evidence, actor_label, at)
SELECT gen_random_uuid(), %s, '+49151' || lpad(n::text, 8, '0'), 'sms', 'marketing', 'granted', 'import', '', '{}', '',
    now() - interval '1 day'
FROM generate_series(1, %s) AS n
"""
_MESSAGES = """
INSERT INTO messaging_message (
    id, organization_id, connection_id, direction, channel, purpose, lane, route, phone, region, sender, body, encoding,
    segments, status, provider_sid, error_reason, price_unit, attempts, source, created_at, due_at, valid_until,
    updated_at, probes, needs_person, time_zones)
SELECT gen_random_uuid(), %s, %s, 'outbound', 'sms', CASE WHEN n %% 2 = 0 THEN 'marketing' ELSE 'transactional' END, 1,
    'twilio', '+49151' || lpad(n::text, 8, '0'), 'DE', %s, 'x', 'GSM-7', 1, 'queued', '', '', '', 0, 'api', now(),
    now() - interval '1 minute', now() + interval '1 hour', now(), 0, false, ''
FROM generate_series(1, 2000) AS n
"""


def nodes(plan: dict[str, object]) -> list[dict[str, object]]:
    found = [plan]
    for part in plan.get("Plans", []):  # type: ignore[attr-defined]
        found += nodes(part)
    return found


def test_the_ledger_is_read_one_row_at_a_time_and_for_marketing_only(cast: Cast, connection: Connection) -> None:
    with database.cursor() as cursor:
        cursor.execute(_RECORDS, [cast.organization.pk, PEOPLE])
        cursor.execute(_MESSAGES, [cast.organization.pk, connection.pk, connection.sends_as])
        assert rebuild_states() == PEOPLE
        cursor.execute("ANALYZE messaging_consentstate, messaging_message, messaging_optout")
        cursor.execute(
            f"EXPLAIN (ANALYZE, FORMAT JSON) SELECT {block_sql()} FROM messaging_message m WHERE m.status = 'queued'"
        )
        [[plan]] = cursor.fetchall()
    plan = json.loads(plan) if isinstance(plan, str) else plan
    asked = [node for node in nodes(plan[0]["Plan"]) if node.get("Relation Name") == "messaging_consentstate"]
    assert [node["Node Type"] for node in asked] in (["Index Scan"], ["Index Only Scan"])
    assert asked[0]["Actual Loops"] == 1000  # half of the messages are marketing
    assert ConsentRecord.objects.count() == PEOPLE
