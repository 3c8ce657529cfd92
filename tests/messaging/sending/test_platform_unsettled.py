"""Platform SMS that nobody can tell: the operator's to settle, in words for both sides."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.organizations.models import AuditEntry
from integrations.platform_sms.ledger import balance_of
from messaging.alerts.models import Alert
from messaging.alerts.watch import watch
from messaging.sending.models import Message
from messaging.sending.outbox import Draft, enqueue
from tests.conftest import Cast

from .platform import CARRIER_NAME, SHANGHAI, give_credits, kinds, offer_platform_sms

pytestmark = pytest.mark.django_db
PAGE = "/operator/platform-sms/unsettled/"


@pytest.fixture
def flagged(cast: Cast) -> Message:
    offer_platform_sms(cast)
    give_credits(cast.organization)
    message = enqueue(cast.organization, draft=Draft(to=SHANGHAI, body="A private text"))
    Message.objects.filter(pk=message.pk).update(
        status="unknown", needs_person=True, attempts=1, posted_at=timezone.now()
    )
    message.refresh_from_db()
    return message


def test_operator_sees_number_and_time_and_no_text(cast: Cast, flagged: Message) -> None:
    page = cast.client("operator").get(PAGE).content.decode()
    assert "+86 139 1234 5678" in page
    assert "Acme Logistics" in page
    assert "private" not in page
    for who in ("owner", "stranger"):
        assert cast.client(who).get(PAGE).status_code == 404
        assert cast.client(who).post(f"{PAGE}{flagged.pk}/", {"was_sent": "yes"}).status_code == 404


@pytest.mark.parametrize(
    ("answer", "status", "entries"), [("yes", "sent", ["reserve", "settle"]), ("no", "queued", ["reserve"])]
)
def test_operator_settles_it_and_the_credits_follow(
    cast: Cast, flagged: Message, answer: str, status: str, entries: list[str]
) -> None:
    client = cast.client("operator")
    for _ in range(2):
        assert client.post(f"{PAGE}{flagged.pk}/", {"was_sent": answer}).status_code == 302
    flagged.refresh_from_db()
    assert (flagged.status, flagged.needs_person, kinds(cast.organization)) == (status, False, entries)
    assert balance_of(cast.organization) == 9
    entry = AuditEntry.objects.get(organization=cast.organization, action="message.settled")
    assert entry.actor_label == "the operator"


def test_answer_that_is_none_settles_nothing(cast: Cast, flagged: Message) -> None:
    cast.client("operator").post(f"{PAGE}{flagged.pk}/", {"was_sent": "perhaps"})
    flagged.refresh_from_db()
    assert flagged.status == "unknown"


def test_member_is_told_that_the_operator_looks_and_cannot_settle_it(cast: Cast, flagged: Message) -> None:
    client = cast.client("owner")
    page = client.get(cast.url(f"messages/{flagged.pk}/")).content.decode()
    assert "Your operator must look." in page
    assert "No, send it now" not in page
    client.post(cast.url(f"messages/{flagged.pk}/resolve/"), {"was_sent": "no"})
    flagged.refresh_from_db()
    assert flagged.status == "unknown"


def test_alert_is_raised_where_the_carrier_belongs(cast: Cast, flagged: Message) -> None:
    watch()
    assert sorted(Alert.objects.values_list("organization__slug", "kind")) == [
        ("acme", "credits_low"),
        ("operations", "needs_person"),
    ]


def test_carrier_that_takes_nothing_is_told_where_it_belongs_until_it_does(cast: Cast, flagged: Message) -> None:
    Message.objects.update(
        status="queued",
        needs_person=False,
        error_reason="platform_unavailable",
        created_at=timezone.now() - timedelta(minutes=11),
        due_at=timezone.now() + timedelta(minutes=1),
    )
    watch()
    alert = Alert.objects.get(kind="queue_old")
    assert alert.organization.slug == "operations"
    assert CARRIER_NAME in alert.text
    Message.objects.update(status="sent", error_reason="")
    watch()
    alert.refresh_from_db()
    assert alert.cleared_at is not None
