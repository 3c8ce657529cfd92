"""Refused webhooks are kept for reading, the newest only, and a flood of them costs little."""

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from integrations.connections import refusals
from integrations.connections.models import Connection, RefusedWebhook
from integrations.connections.refusals import record_refusal
from tests.conftest import Cast
from tests.factories import ConnectionFactory


def test_refusal_is_noted_without_its_query(connection: Connection) -> None:
    assert record_refusal(connection, "/hooks/x/inbound?h=secret", "unsigned", "No header.", "203.0.113.9")
    row = RefusedWebhook.objects.get()
    assert row.path == "/hooks/x/inbound"
    assert row.reason == "unsigned"


def test_only_the_newest_hundred_stay(connection: Connection, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusals, "BURST", 1000)
    other = ConnectionFactory(organization=cast.other)
    record_refusal(other, "/hooks/other", "unsigned", "", "")
    for n in range(120):
        record_refusal(connection, f"/hooks/{n}", "unsigned", "", "")
    kept = RefusedWebhook.objects.filter(connection=connection).order_by("-id")
    assert kept.count() == 100
    assert kept[0].path == "/hooks/119"
    assert kept[99].path == "/hooks/20"
    assert other.refused_webhooks.count() == 1


def test_flood_of_one_reason_is_left_out_and_hides_no_other(connection: Connection) -> None:
    noted = [record_refusal(connection, "/hooks/x", "unsigned", "", "") for _ in range(500)]
    assert 0 < sum(noted) <= refusals.BURST + 2
    with CaptureQueriesContext(
        database,
    ) as queries:
        assert not record_refusal(connection, "/hooks/x", "unsigned", "", "")
    assert len(queries) == 0
    assert record_refusal(connection, "/hooks/x", "wrong_signature", "", "")


def test_overlong_values_are_cut(connection: Connection) -> None:
    record_refusal(connection, "/" + "x" * 500, "r" * 90, "d" * 900, "2001:db8::1" * 9)
    assert RefusedWebhook.objects.count() == 1
