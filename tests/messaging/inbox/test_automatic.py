"""What is answered without a person, and what keeps machines from answering each other for ever."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from messaging.alerts.watch import watch
from messaging.consent.ledger import Entry, record_consent, state_of
from messaging.consent.models import OptOut
from messaging.contacts.models import Contact
from messaging.inbox.matching import fold, says
from messaging.inbox.models import Conversation, InboxPolicy, KeywordRule
from messaging.inbox.office_hours import is_staffed
from messaging.receipts.models import Callback
from messaging.sending.models import Message
from tests.conftest import Cast

from .conftest import OURS, PERSON, Incoming

pytestmark = pytest.mark.django_db
NIGHT = datetime(2026, 3, 4, 22, 0, tzinfo=UTC)  # a Wednesday, 23:00 in Berlin
DAY = datetime(2026, 3, 4, 10, 0, tzinfo=UTC)


def sent() -> list[tuple[str, str]]:
    rows = Message.objects.filter(direction="outbound").order_by("id")
    return [(row.source, row.body) for row in rows]


@pytest.fixture
def away(cast: Cast) -> InboxPolicy:
    return InboxPolicy.objects.create(
        organization=cast.organization,
        is_on=True,
        text='Hi {{ first_name | "there" }}, we are back at nine.',
        hours=[[day, "09:00", "17:00"] for day in range(5)],
        holidays=["2026-03-05"],
    )


@pytest.fixture
def rule(cast: Cast) -> KeywordRule:
    return KeywordRule.objects.create(
        organization=cast.organization, name="Hours", words=["hours"], reply="9 to 5.", tag="asked", pause_minutes=30
    )


# ---- office hours


def test_who_writes_at_night_is_answered_once_an_hour_from_the_number_written_to(
    incoming: Incoming, away: InboxPolicy
) -> None:
    with time_machine.travel(NIGHT, tick=False) as clock:
        incoming("Hello?")
        incoming("Anybody?")
        assert sent() == [("auto_reply", "Hi there, we are back at nine.")]
        assert Message.objects.get(direction="outbound").sender == OURS
        clock.shift(timedelta(minutes=59))
        incoming("Still nobody?")
        assert len(sent()) == 1
        clock.shift(timedelta(minutes=2))
        incoming("Hello again")
        assert len(sent()) == 2
        incoming("I am another", sender="+4917012345678")
        assert len(sent()) == 3


def test_webhook_that_comes_twice_is_answered_once(incoming: Incoming, away: InboxPolicy) -> None:
    with time_machine.travel(NIGHT, tick=False):
        for _ in range(3):
            incoming("Hello?", sid="SM" + "7" * 32)
    assert len(sent()) == 1


@pytest.mark.parametrize("body", ["STOP", "Start", "HELP"])
def test_keywords_get_no_away_text(incoming: Incoming, away: InboxPolicy, body: str) -> None:
    with time_machine.travel(NIGHT, tick=False):
        incoming(body)
    assert ("auto_reply", "Hi there, we are back at nine.") not in sent()


@pytest.mark.parametrize("writer", ["12345", "BANK"])
def test_short_codes_and_names_get_no_answer(incoming: Incoming, away: InboxPolicy, writer: str) -> None:
    with time_machine.travel(NIGHT, tick=False):
        incoming("Your bill", sender=writer)
    assert sent() == []


def test_who_opted_out_gets_no_answer_and_no_blocked_row(cast: Cast, incoming: Incoming, away: InboxPolicy) -> None:
    OptOut.objects.create(organization=cast.organization, phone=PERSON, source="keyword")
    with time_machine.travel(NIGHT, tick=False):
        incoming("Hello?")
    assert sent() == []
    assert Conversation.objects.get().auto_replied_at is None


def test_in_office_hours_and_switched_off_nothing_is_answered(incoming: Incoming, away: InboxPolicy) -> None:
    with time_machine.travel(DAY, tick=False):
        incoming("Hello?")
    InboxPolicy.objects.update(is_on=False)
    with time_machine.travel(NIGHT, tick=False):
        incoming("Hello?")
    assert sent() == []


def test_muted_number_gets_no_answer(incoming: Incoming, away: InboxPolicy) -> None:
    with time_machine.travel(DAY, tick=False):
        incoming("Hello?")
    Conversation.objects.update(muted_at=DAY)
    with time_machine.travel(NIGHT, tick=False):
        incoming("Hello?")
    assert sent() == []


def test_message_taken_in_late_is_left_to_a_person(incoming: Incoming, away: InboxPolicy, monkeypatch: Any) -> None:
    store = Callback.objects.create

    def late(**fields: Any) -> Callback:
        return store(**fields, received_at=timezone.now() - timedelta(hours=2))

    monkeypatch.setattr(Callback.objects, "create", late)
    with time_machine.travel(NIGHT, tick=False):
        incoming("Hello?")
    assert sent() == []
    assert Message.objects.count() == 1


def test_without_a_way_to_send_the_message_is_kept_all_the_same(
    incoming: Incoming, away: InboxPolicy, connection: Any
) -> None:
    type(connection).objects.update(status="broken", broken_code=20003)
    with time_machine.travel(NIGHT, tick=False):
        incoming("Hello?")
    assert sent() == []
    assert Conversation.objects.get().unread == 1
    assert Conversation.objects.get().auto_replied_at is None


@pytest.mark.parametrize(
    ("moment", "staffed"),
    [
        ("2026-03-04T08:00+00:00", True),  # Wednesday 09:00 in Berlin
        ("2026-03-04T07:59+00:00", False),
        ("2026-03-04T15:59+00:00", True),
        ("2026-03-04T16:00+00:00", False),
        ("2026-03-05T10:00+00:00", False),  # a holiday
        ("2026-03-07T10:00+00:00", False),  # Saturday
        ("2026-07-01T07:00+00:00", True),  # summer time: 09:00 again
    ],
)
def test_office_hours_are_those_of_the_organizations_zone(
    cast: Cast, away: InboxPolicy, moment: str, staffed: bool
) -> None:
    assert is_staffed(away, cast.organization, at=datetime.fromisoformat(moment)) is staffed


# ---- keyword rules


@pytest.mark.parametrize(
    ("match", "word", "fits", "fits_not"),
    [
        ("exact", "Öffnungszeiten", ["öffnungszeiten", " OFFNUNGSZEITEN! "], ["Öffnungszeiten bitte"]),
        ("starts", "join", ["JOIN", "join us", "Join, please"], ["joining", "I join"]),
        ("contains", "price", ["the price?", "PRICE list", "prix, price."], ["priceless", "prices"]),
        ("contains", "営業時間", ["明日の営業時間は？"], ["営業"]),
        ("contains", "opening hours", ["your  opening\nhours please"], ["opening the hours"]),
        ("exact", "👍", ["👍"], ["👎"]),
    ],
)  # fmt: skip
def test_words_fit_as_people_write_them(match: str, word: str, fits: list[str], fits_not: list[str]) -> None:
    rule = KeywordRule(match=match, words=[fold(word)])
    for text in fits:
        assert says(rule, fold(text)), text
    for text in fits_not:
        assert not says(rule, fold(text)), text


def test_rule_answers_and_tags_once_in_its_pause(incoming: Incoming, rule: KeywordRule) -> None:
    with time_machine.travel(DAY, tick=False) as clock:
        for _ in range(3):
            incoming("Hours?")
        assert sent() == [("keyword_rule", "9 to 5.")]
        assert [tag.name for tag in Contact.objects.get().tags.all()] == ["asked"]
        clock.shift(timedelta(minutes=31))
        incoming("hours")
        assert len(sent()) == 2


def test_first_rule_that_fits_decides_and_stands_before_the_office_hours(
    cast: Cast, incoming: Incoming, rule: KeywordRule, away: InboxPolicy
) -> None:
    KeywordRule.objects.create(
        organization=cast.organization, name="Second", match="contains", words=["hours"], reply="No.", position=1
    )
    with time_machine.travel(NIGHT, tick=False):
        incoming("Hours")
    assert sent() == [("keyword_rule", "9 to 5.")]


def test_rule_switched_off_does_nothing(incoming: Incoming, rule: KeywordRule) -> None:
    KeywordRule.objects.update(is_on=False)
    incoming("hours")
    assert sent() == []


def test_rule_opts_out_and_start_undoes_it(cast: Cast, incoming: Incoming) -> None:
    KeywordRule.objects.create(
        organization=cast.organization, name="Leave me", match="contains", words=["leave me alone"], opts_out=True
    )
    incoming("Please leave me alone!")
    block = OptOut.objects.get()
    assert (block.source, block.scope, block.ended_at) == ("keyword", "organization", None)
    incoming("START")
    assert not OptOut.objects.filter(ended_at=None).exists()


def test_what_made_a_rule_opt_out_stands_as_proof(cast: Cast, incoming: Incoming) -> None:
    record_consent(cast.organization, Entry(phone=PERSON, action="granted", source="staff", reason="at the desk"))
    KeywordRule.objects.create(
        organization=cast.organization, name="Leave me", match="contains", words=["leave me alone"], opts_out=True
    )
    incoming("Please leave me alone!")
    standing = state_of(cast.organization, phone=PERSON)
    assert standing is not None
    assert (standing.state, standing.record.source) == ("withdrawn", "keyword")
    assert standing.record.evidence["message"] == str(Message.objects.get(direction="inbound").pk)
    assert standing.record.evidence["rule"] == "Leave me"


def test_stop_is_never_a_rules(cast: Cast, incoming: Incoming) -> None:
    KeywordRule.objects.create(
        organization=cast.organization, name="Trap", match="contains", words=["stop"], reply="Do not go!"
    )
    incoming("STOP")
    assert ("keyword_rule", "Do not go!") not in sent()
    incoming("Please stop by on Monday", sender="+4917012345678")
    assert ("keyword_rule", "Do not go!") in sent()


def test_rules_of_another_organization_do_nothing(cast: Cast, incoming: Incoming) -> None:
    KeywordRule.objects.create(organization=cast.other, name="Theirs", words=["hours"], reply="x")
    incoming("hours")
    assert sent() == []


def test_two_machines_stop_answering_each_other(incoming: Incoming, rule: KeywordRule, away: InboxPolicy) -> None:
    with time_machine.travel(NIGHT, tick=False) as clock:
        for _ in range(120):
            incoming("hours")
            incoming("I am a machine as well")
            clock.shift(timedelta(seconds=20))
    # Forty minutes: the rule at 0 and 30, the away text once.
    assert sorted(source for source, _ in sent()) == ["auto_reply", "keyword_rule", "keyword_rule"]


# ---- floods


def test_flood_is_kept_in_one_conversation_told_of_and_not_answered(
    cast: Cast, incoming: Incoming, rule: KeywordRule
) -> None:
    KeywordRule.objects.update(pause_minutes=1)
    with time_machine.travel(DAY, tick=False) as clock:
        for number in range(200):
            incoming("hours" if number > 20 else f"text {number}")
            clock.shift(timedelta(milliseconds=60))
        assert Message.objects.filter(direction="inbound").count() == 200
        conversation = Conversation.objects.get()
        assert (conversation.unread, conversation.minute_count) == (200, 200)
        assert sent() == []
        client = cast.client("agent")
        watch()
        page = client.get(cast.url("contacts/")).content.decode()
        assert "One number floods the inbox" in page
        assert cast.url(f"inbox/{conversation.pk}/") in page
        client.post(cast.url(f"inbox/{conversation.pk}/state/"), {"do": "mute"})
        watch()
        assert "floods the inbox" not in client.get(cast.url("contacts/")).content.decode()
        clock.shift(timedelta(minutes=5))
        incoming("one more")
        assert client.get(cast.url("inbox/count/")).json()["unread"] == 0


def test_stop_in_a_flood_still_counts(incoming: Incoming) -> None:
    with time_machine.travel(DAY, tick=False):
        for number in range(70):
            incoming(f"text {number}")
        incoming("STOP")
    assert OptOut.objects.filter(phone=PERSON, ended_at=None).exists()
