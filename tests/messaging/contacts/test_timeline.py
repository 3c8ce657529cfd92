"""What happened with a contact: from every room, by time, page after page, and nothing of what was removed."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from integrations.connections.models import Connection
from messaging.consent.ledger import Entry as Consent
from messaging.consent.ledger import record_consent
from messaging.consent.models import OptOut
from messaging.consent.opt_outs import end_by_member, opt_out
from messaging.contacts import timeline as room
from messaging.contacts.models import Contact
from messaging.contacts.timeline import Entry, register_timeline_source, timeline
from tests.conftest import Cast
from tests.factories import ContactFactory, MessageFactory

PHONE = "+4915112345678"
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def anna(cast: Cast) -> Contact:
    return ContactFactory(organization=cast.organization, name="Anna Schmidt", phone=PHONE)


def test_messages_opt_outs_and_consent_stand_in_order(cast: Cast, anna: Contact, connection: Connection) -> None:
    MessageFactory(
        organization=cast.organization, connection=connection, phone=PHONE, body="before she was a contact",
        created_at=timezone.now() - timedelta(days=1),
    )  # fmt: skip
    MessageFactory(organization=cast.organization, connection=connection, contact=anna, phone=PHONE, body="hello")
    MessageFactory(organization=cast.organization, connection=connection, body="to somebody else")
    record_consent(cast.organization, Consent(phone=PHONE, action="granted", source="staff", reason="at the fair"),
                   actor=cast.agent)  # fmt: skip
    standing = opt_out(cast.organization, phone=PHONE, source=OptOut.Source.STAFF, actor=cast.agent)
    end_by_member(standing, actor=cast.agent)
    entries = timeline(cast.organization, anna).entries
    assert [entry.at for entry in entries] == sorted((entry.at for entry in entries), reverse=True)
    told = [entry.body or entry.text for entry in entries]
    assert told[-2:] == ["hello", "before she was a contact"]
    assert "to somebody else" not in told
    assert any(text.startswith("Agreed to marketing: A member, agent@") for text in told)
    assert "The opt-out ended: A member" in told


def test_pages_show_each_entry_once_also_those_of_one_moment(
    cast: Cast, anna: Contact, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "_sources", {})
    made = [Entry(NOON - timedelta(minutes=n // 4), f"x:{n:02}", "sms", f"{n}") for n in range(20)]
    for kind in (0, 1):
        mine = made[kind::2]

        def source(
            organization: object, contact: object, before: datetime | None, limit: int, mine: list[Entry] = mine
        ) -> list[Entry]:
            fitting = [entry for entry in mine if before is None or entry.at <= before]
            return sorted(fitting, key=lambda entry: entry.place, reverse=True)[:limit]

        register_timeline_source(f"kind {kind}", source)
    seen: list[str] = []
    before = ""
    for _ in range(20):
        page = timeline(cast.organization, anna, before=before, size=3)
        seen += [entry.text for entry in page.entries]
        before = page.next
        if not before:
            break
    assert len(seen) == len(set(seen)) == 20


@pytest.mark.parametrize("before", ["nonsense", "~", "2026-05-01T12:00:00~message:x", "\x00", "9" * 500])
def test_any_place_in_the_address_is_taken(cast: Cast, anna: Contact, before: str) -> None:
    client = cast.client("viewer")
    assert client.get(cast.url(f"contacts/{anna.pk}/"), {"before": before}).status_code == 200


def test_the_page_leads_on_to_what_is_older(cast: Cast, anna: Contact, connection: Connection) -> None:
    for n in range(25):
        MessageFactory(
            organization=cast.organization, connection=connection, contact=anna, phone=PHONE, body=f"text {n:02}",
            created_at=NOON + timedelta(minutes=n),
        )  # fmt: skip
    client = cast.client("viewer")
    first = client.get(cast.url(f"contacts/{anna.pk}/"))
    assert "text 24" in first.content.decode()
    assert "text 04" not in first.content.decode()
    following = first.context["story"].next
    second = client.get(cast.url(f"contacts/{anna.pk}/"), {"before": following}).content.decode()
    assert "text 04" in second
    assert "text 05" not in second
