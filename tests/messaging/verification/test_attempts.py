"""Whether the codes of a Verify Service arrived, as Twilio lists them; where it says nothing, nobody knows."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db.models import F

from integrations.connections.models import Connection
from integrations.twilio.errors import TwilioRefused, TwilioUnreachable
from integrations.twilio.results import VerifyAttempt
from messaging.verification import attempts, life
from messaging.verification.attempts import ask_twilio, note
from messaging.verification.limit_models import VerificationPolicy
from messaging.verification.models import Verification, VerificationSend
from messaging.verification.selectors import conversion_of
from tests.conftest import Cast

from .conftest import PHONE, SERVICE, VERIFICATION, VISITOR, FakeVerify, snapshot

AT = datetime(2026, 5, 1, 9, 0, 5, tzinfo=UTC)


def said(state: str, *, sid: str = VERIFICATION, code: int | None = None, channel: str = "sms") -> VerifyAttempt:
    return VerifyAttempt(verification_sid=sid, channel=channel, state=state, error_code=code, updated=AT)


def begin(cast: Cast, **changes: Any) -> Verification:
    return life.start(cast.organization, **{"to": PHONE, "asker": VISITOR, **changes})


@pytest.mark.parametrize("state", ["delivered", "read", "completed"])
def test_what_twilio_calls_delivered_is_known_as_that(
    cast: Cast, twilio: FakeVerify, with_service: Connection, state: str
) -> None:
    verification = begin(cast)
    assert conversion_of(cast.organization).total.delivered is None
    note(with_service.pk, [said(state)])
    verification.refresh_from_db()
    assert (verification.delivered_at, verification.reported_at, verification.status) == (AT, AT, "pending")
    total = conversion_of(cast.organization).total
    assert (total.sent, total.delivered, total.approved) == (1, 1, 0)


@pytest.mark.parametrize("state", ["", "queued", "sent", "accepted", "ringing", "something-new"])
def test_whatever_else_twilio_says_is_no_report(
    cast: Cast, twilio: FakeVerify, with_service: Connection, state: str
) -> None:
    verification = begin(cast)
    note(with_service.pk, [said(state)])
    verification.refresh_from_db()
    assert (verification.delivered_at, verification.undelivered_at, verification.reported_at) == (None, None, None)
    assert conversion_of(cast.organization).total.delivered is None


def test_who_entered_the_code_has_it_though_twilio_is_silent(cast: Cast, twilio: FakeVerify) -> None:
    verification = begin(cast)
    twilio.will("check_verification", snapshot("approved"))
    life.check(verification, code="482913")
    total = conversion_of(cast.organization).total
    assert (total.delivered, total.approved) == (None, 1)


def test_a_lost_code_does_not_count_as_sent_and_tells_its_cause(
    cast: Cast, twilio: FakeVerify, with_service: Connection
) -> None:
    verification = begin(cast)
    note(with_service.pk, [said("undelivered", code=30008)])
    verification.refresh_from_db()
    assert (verification.status, verification.error_reason, verification.error_code) == (
        "pending", "not_delivered", 30008)  # fmt: skip
    send = VerificationSend.objects.get()
    assert (send.outcome, send.error_code) == ("failed", 30008)
    total = conversion_of(cast.organization).total
    assert (total.verifications, total.sent, total.delivered) == (1, 0, 0)


def test_one_lost_code_of_two_says_nothing_yet(
    cast: Cast, twilio: FakeVerify, with_service: Connection, later: Any
) -> None:
    verification = begin(cast)
    later(verification, seconds=31)
    life.resend(verification, channel="call", asker=VISITOR)
    note(with_service.pk, [said("undelivered", code=30008)])
    verification.refresh_from_db()
    assert verification.reported_at is None
    note(with_service.pk, [said("undelivered", code=30008), said("completed", channel="call")])
    verification.refresh_from_db()
    assert verification.delivered_at == AT and verification.undelivered_at is None


def test_another_code_after_a_lost_one_is_looked_at_anew(
    cast: Cast, twilio: FakeVerify, with_service: Connection, later: Any
) -> None:
    verification = begin(cast)
    note(with_service.pk, [said("undelivered", code=30008)])
    later(verification, seconds=31)
    life.resend(verification, asker=VISITOR)
    verification.refresh_from_db()
    assert (verification.undelivered_at, verification.reported_at, verification.error_code) == (None, None, None)
    note(with_service.pk, [said("delivered"), said("undelivered", code=30008)])
    verification.refresh_from_db()
    assert verification.delivered_at == AT


def test_another_connections_verification_is_left_alone(
    cast: Cast, twilio: FakeVerify, with_service: Connection
) -> None:
    verification = begin(cast)
    note(cast.organization.pk, [said("delivered")])
    verification.refresh_from_db()
    assert verification.reported_at is None


class TestAsking:
    """One request for each service that has something to know."""

    @pytest.fixture
    def lists(self, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, datetime]]:
        asked: list[tuple[str, datetime]] = []

        class Gateway:
            answer: Any = (said("delivered"),)

            def list_attempts(self, service_sid: str, *, created_after: datetime) -> Any:
                asked.append((service_sid, created_after))
                if isinstance(self.answer, Exception):
                    raise self.answer
                return self.answer

        monkeypatch.setattr(attempts, "gateway_for", lambda credentials: Gateway())
        self.gateway = Gateway
        return asked

    def age(self, **span: float) -> None:
        Verification.objects.update(created_at=F("created_at") - timedelta(**span))

    def test_once_for_all_codes_and_not_again(self, cast: Cast, twilio: FakeVerify, lists: Any) -> None:
        first = begin(cast)
        begin(cast, to="+4915112345679")
        assert ask_twilio() == 0, "reports take a moment"
        self.age(minutes=2)
        assert ask_twilio() == 1
        ((service, since),) = lists
        first.refresh_from_db()
        assert service == SERVICE and since < first.created_at
        assert first.reported_at == AT
        assert ask_twilio() == 0

    def test_what_is_older_than_an_hour_is_given_up(self, cast: Cast, twilio: FakeVerify, lists: Any) -> None:
        begin(cast)
        self.age(minutes=61)
        assert ask_twilio() == 0 and not lists

    @pytest.mark.parametrize("error", [TwilioRefused("no", code=20404, http_status=404), TwilioUnreachable("no")])
    def test_a_refusal_changes_nothing_and_breaks_nothing(
        self, cast: Cast, twilio: FakeVerify, lists: Any, error: Exception
    ) -> None:
        begin(cast)
        self.age(minutes=2)
        self.gateway.answer = error
        assert ask_twilio() == 0 and len(lists) == 1
        assert Connection.objects.get(organization=cast.organization).status == "active"

    def test_a_broken_connection_is_not_asked(
        self, cast: Cast, twilio: FakeVerify, with_service: Connection, lists: Any
    ) -> None:
        begin(cast)
        self.age(minutes=2)
        Connection.objects.filter(pk=with_service.pk).update(status="broken", broken_code=20003)
        assert ask_twilio() == 0 and not lists


def test_in_the_sandbox_texts_arrive_and_some_numbers_get_none(cast: Cast, in_sandbox: Connection) -> None:
    VerificationPolicy.objects.create(organization=cast.organization, regions=["US"])
    good, bad = begin(cast), begin(cast, to="+12025550108")
    Verification.objects.update(created_at=F("created_at") - timedelta(seconds=40))
    assert ask_twilio() == 1
    good.refresh_from_db()
    bad.refresh_from_db()
    assert good.delivered_at and good.reported_at and not good.undelivered_at
    assert (bad.delivered_at, bad.error_code, bad.error_reason) == (None, 30008, "not_delivered")
