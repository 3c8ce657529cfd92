"""The statement, its table, the outlook, and the warning before credits run out."""

import csv
import io
import uuid
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from integrations.organizations.models import Organization
from integrations.platform_sms import ledger, statement
from integrations.platform_sms.models import CreditEntry
from integrations.platform_sms.policies import policy_of
from integrations.platform_sms.statement import PAGE, outlook_of
from messaging.alerts.models import Alert
from messaging.alerts.watch import watch
from tests.conftest import Cast

pytestmark = pytest.mark.django_db


def spend(organization: Organization, count: int, *, price: str = "1", is_sent: bool = True) -> None:
    for _ in range(count):
        message = uuid.uuid4()
        ledger.reserve(organization, {message: Decimal(price)})
        (ledger.settle if is_sent else ledger.refund)(organization, [message])


@pytest.fixture
def paid(cast: Cast) -> Organization:
    ledger.top_up(cast.organization, amount=Decimal(100), actor="operator", note="=1+1")
    return cast.organization


def test_statement_shows_every_entry_with_its_balance(cast: Cast, paid: Organization) -> None:
    spend(paid, 1, price="2.3")
    page = cast.client("admin").get(cast.url("credits/")).content.decode()
    assert "97.7" in page
    assert "-2.3" in page
    assert "Topped up" in page
    assert "Message sent" in page


@pytest.mark.parametrize(("who", "status"), [("owner", 200), ("admin", 200), ("agent", 403), ("viewer", 403)])
def test_statement_is_for_owners_and_admins(cast: Cast, paid: Organization, who: str, status: int) -> None:
    for path in ("credits/", "credits/download/"):
        assert cast.client(who).get(cast.url(path)).status_code == status
        assert cast.client("stranger").get(cast.url(path)).status_code == 404


def test_statement_of_another_organization_is_empty_of_ours(cast: Cast, paid: Organization) -> None:
    page = cast.client("stranger").get(cast.url("credits/", cast.other)).content.decode()
    assert "=1+1" not in page
    assert "Nothing yet" in page


def test_old_entries_are_a_page_away(cast: Cast, paid: Organization) -> None:
    spend(paid, PAGE // 2 + 2)
    client = cast.client("owner")
    page = client.get(cast.url("credits/")).content.decode()
    assert "Topped up" not in page
    oldest = CreditEntry.objects.order_by("-id")[PAGE - 1].pk
    assert f"?before={oldest}" in page
    assert "Topped up" in client.get(cast.url(f"credits/?before={oldest}")).content.decode()
    assert client.get(cast.url("credits/?before=nonsense")).status_code == 200


def test_pages_cost_the_same_however_many_entries(
    cast: Cast, paid: Organization, django_assert_max_num_queries: Any
) -> None:
    spend(paid, 30)
    client = cast.client("owner")
    client.get(cast.url("credits/"))
    with django_assert_max_num_queries(16):
        client.get(cast.url("credits/"))


def test_table_holds_all_oldest_first_and_no_formula(cast: Cast, paid: Organization) -> None:
    spend(paid, 2, is_sent=False)
    response = cast.client("owner").get(cast.url("credits/download/"))
    assert response["Cache-Control"] == "private, no-store"
    rows = list(csv.DictReader(io.StringIO(b"".join(response.streaming_content).decode("utf-8-sig"))))  # type: ignore[attr-defined]
    assert [(row["What"], row["Added"], row["Taken"], row["Balance"]) for row in rows] == [
        ("Topped up", "100", "", "100"),
        ("Reserved for a message", "", "1", "99"),
        ("Given back", "1", "", "100"),
        ("Reserved for a message", "", "1", "99"),
        ("Given back", "1", "", "100"),
    ]
    assert rows[0]["Note"].startswith("'")


def test_table_of_some_days(cast: Cast, paid: Organization) -> None:
    client, today = cast.client("owner"), timezone.now().date()

    def count(query: str) -> int:
        response = client.get(cast.url(f"credits/download/?{query}"))
        return len(b"".join(response.streaming_content).splitlines()) - 1  # type: ignore[attr-defined]

    assert count(f"since={today - timedelta(days=1)}") == 1
    assert count(f"until={today - timedelta(days=2)}") == 0
    assert count("since=nonsense&until=2026-99-99") == 1


def test_outlook_counts_what_was_sent_in_the_last_week(paid: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    assert outlook_of(paid).days_left is None
    spend(paid, 10)
    spend(paid, 10, is_sent=False)
    monkeypatch.setattr(statement, "database_now", lambda: timezone.now() + timedelta(days=2))
    outlook = outlook_of(paid)
    assert outlook.balance == 90
    assert round(outlook.a_day) == 5
    assert outlook.days_left in {17, 18}


def test_signature_and_warning_are_saved(cast: Cast, paid: Organization) -> None:
    client = cast.client("admin")
    assert client.post(cast.url("credits/settings/"), {"signature": "【Acme】", "warn_below": "20"}).status_code == 302
    assert 'value="20"' in client.get(cast.url("credits/")).content.decode()
    policy = policy_of(paid)
    assert (policy.signature, policy.warn_below) == ("Acme", Decimal(20))
    refused = client.post(cast.url("credits/settings/"), {"signature": "x" * 30, "warn_below": "-1"})
    assert refused.status_code == 422
    assert cast.client("agent").post(cast.url("credits/settings/"), {}).status_code == 403


def test_admins_are_warned_below_the_threshold_until_they_are_topped_up(cast: Cast, paid: Organization) -> None:
    watch()
    assert not Alert.objects.exists()
    spend(paid, 1, price="60")
    watch()
    alert = Alert.objects.get()
    assert (alert.kind, alert.organization, alert.link) == ("credits_low", paid, "/credits/")
    assert "less than a day" in alert.text
    spend(paid, 1, price="40")
    watch()
    alert.refresh_from_db()
    assert alert.text.startswith("No credits are left")
    page = cast.client("owner").get(cast.url("")).content.decode()
    assert "No credits are left" in page
    ledger.top_up(paid, amount=Decimal(500), actor="operator")
    watch()
    alert.refresh_from_db()
    assert alert.cleared_at is not None


def test_organization_that_never_had_credits_is_not_warned(cast: Cast) -> None:
    ledger.lock_balance(cast.organization)
    watch()
    assert not Alert.objects.exists()


def test_dashboard_shows_the_balance_to_whoever_pays_with_credits(cast: Cast, paid: Organization) -> None:
    assert "credits" in cast.client("viewer").get(cast.url("")).content.decode()
    assert ">credits<" not in cast.client("stranger").get(cast.url("", cast.other)).content.decode()
