"""The state machine itself: each pair of states, tried on the database."""

import itertools
import uuid

import pytest

from messaging.sending.models import Message, MessageEvent
from messaging.sending.statuses import ARRIVED, FINAL, FOLLOWERS, FROM_TWILIO, Status, predecessors
from messaging.sending.transitions import Move, advance, advance_one
from tests.conftest import Cast
from tests.factories import MessageFactory

OUTBOUND = [status for status in Status if status != Status.RECEIVED]


@pytest.mark.django_db
def test_every_pair_of_states_moves_only_where_the_table_allows_it(cast: Cast) -> None:
    pairs = list(itertools.product(OUTBOUND, OUTBOUND))
    messages = [MessageFactory(organization=cast.organization, connection=None, status=before) for before, _ in pairs]
    moved = advance(
        Move(message_id=message.pk, to=after, source="engine")
        for message, (_, after) in zip(messages, pairs, strict=True)
    )
    for message, (before, after) in zip(messages, pairs, strict=True):
        message.refresh_from_db()
        is_allowed = after in FOLLOWERS.get(before, frozenset())
        assert (message.pk in moved) == is_allowed, f"{before} → {after}"
        assert message.status == (after if is_allowed else before)
        assert message.events.count() == is_allowed


def test_final_states_end_but_for_delivered_which_may_be_read() -> None:
    for status in FINAL - {Status.DELIVERED}:
        assert not FOLLOWERS.get(status)
    assert FOLLOWERS[Status.DELIVERED] == {Status.READ}


def test_only_sending_and_unknown_go_back_and_only_to_queued() -> None:
    assert predecessors(Status.QUEUED) == ["scheduled", "sending", "unknown"]
    order = list(Status)
    back = {
        (before, after)
        for before, afters in FOLLOWERS.items()
        for after in afters
        if order.index(Status(after)) < order.index(Status(before))
    }
    assert back == {(Status.SENDING, Status.QUEUED), (Status.UNKNOWN, Status.QUEUED)}


def test_every_status_of_twilio_has_one_of_ours() -> None:
    twilio = {"queued", "sending", "sent", "failed", "delivered", "undelivered", "accepted", "scheduled", "read",
              "partially_delivered", "canceled"}  # fmt: skip
    assert set(FROM_TWILIO) == twilio
    assert {FROM_TWILIO[word] for word in ("queued", "accepted", "sending")} == {Status.ACCEPTED}
    assert FROM_TWILIO["delivered"] in ARRIVED


@pytest.mark.django_db
class TestClaimToken:
    """The answer of a claim that was lost changes nothing."""

    def sending(self, cast: Cast, token: uuid.UUID) -> Message:
        return MessageFactory(organization=cast.organization, connection=None, status="sending", claim_token=token)

    def test_outcome_under_another_token_is_void(self, cast: Cast) -> None:
        message = self.sending(cast, uuid.uuid4())
        late = Move(message_id=message.pk, to=Status.ACCEPTED, source="engine", sid="SM1", claim_token=uuid.uuid4())
        assert not advance_one(late)
        message.refresh_from_db()
        assert (message.status, message.provider_sid) == ("sending", "")

    def test_late_answer_of_the_last_claim_still_settles_an_unknown_message(self, cast: Cast) -> None:
        token = uuid.uuid4()
        message = self.sending(cast, token)
        assert advance_one(Move(message_id=message.pk, to=Status.UNKNOWN, source="engine", claim_token=token))
        late = Move(message_id=message.pk, to=Status.ACCEPTED, source="engine", sid="SM1", claim_token=token)
        assert advance_one(late)
        message.refresh_from_db()
        assert (message.status, message.provider_sid, message.claim_token) == ("accepted", "SM1", None)

    def test_answer_after_the_message_went_back_to_the_queue_is_void(self, cast: Cast) -> None:
        token = uuid.uuid4()
        message = self.sending(cast, token)
        advance_one(Move(message_id=message.pk, to=Status.QUEUED, source="poll"))
        late = Move(message_id=message.pk, to=Status.ACCEPTED, source="engine", sid="SM1", claim_token=token)
        assert not advance_one(late)

    def test_move_under_a_contradicting_sid_is_void(self, cast: Cast) -> None:
        message = MessageFactory(
            organization=cast.organization, connection=None, status="accepted", provider_sid="SM" + "1" * 32
        )
        assert not advance_one(Move(message_id=message.pk, to=Status.SENT, source="callback", sid="SM" + "2" * 32))


@pytest.mark.django_db
def test_second_run_of_the_same_moves_is_nothing(cast: Cast) -> None:
    message = MessageFactory(organization=cast.organization, connection=None, status="queued")
    move = Move(message_id=message.pk, to=Status.CANCELED, source="member")
    assert advance([move]) == {message.pk}
    assert advance([move]) == set()
    assert MessageEvent.objects.count() == 1
    assert advance([]) == set()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("before", "code", "reason"), [("unknown", None, ""), ("sending", None, ""), ("sent", 20500, "outcome_unknown")]
)
def test_trouble_of_handing_over_is_not_given_as_the_cause_of_a_later_failure(
    cast: Cast, before: str, code: int | None, reason: str
) -> None:
    message = MessageFactory(
        organization=cast.organization, connection=None, status=before, error_code=20500, error_reason="outcome_unknown"
    )
    assert advance([Move(message_id=message.pk, to=Status.UNDELIVERED, source="callback", sid="SM" + "1" * 32)])
    message.refresh_from_db()
    assert (message.error_code, message.error_reason) == (code, reason)
