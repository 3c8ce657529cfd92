"""What each kind of answer decides: again, never, or not known."""

import pytest

from integrations.twilio.error_table import ERRORS, Retry, Scope
from integrations.twilio.errors import TwilioMisconfigured, TwilioOutcomeUnknown, TwilioRefused, TwilioUnreachable
from messaging.sending.verdict import MAX_ATTEMPTS, Decision, judge


def refused(code: int | None, status: int = 400, retry_after: float | None = None) -> TwilioRefused:
    return TwilioRefused("no", code=code, http_status=status, retry_after=retry_after)


@pytest.mark.parametrize("code", [20429, 21611])
def test_refused_for_now_goes_back_to_the_queue(code: int) -> None:
    verdict = judge(refused(code, 429), attempts=1)
    assert (verdict.decision, verdict.code, verdict.breaks_connection) == (Decision.AGAIN, code, False)


def test_retry_after_is_honoured_and_pauses_grow() -> None:
    assert judge(refused(20429, 429, retry_after=42), attempts=1).delay == 42
    assert judge(refused(20429, 429), attempts=8).delay > judge(refused(20429, 429), attempts=1).delay


def test_bare_429_is_again_and_a_bare_4xx_is_not_guessed() -> None:
    assert judge(refused(None, 429), attempts=1).decision is Decision.AGAIN
    assert judge(refused(None, 403), attempts=1).decision is Decision.UNKNOWN


def test_table_decides_and_not_the_http_class() -> None:
    assert judge(TwilioOutcomeUnknown("x", code=21211, http_status=500), attempts=1).decision is Decision.FAIL
    assert judge(refused(20500, 400), attempts=1).decision is Decision.UNKNOWN


@pytest.mark.parametrize("code", [20003, 10001, 21702, 21704])
def test_what_concerns_the_whole_connection_breaks_it_and_the_message_waits(code: int) -> None:
    verdict = judge(refused(code, 401), attempts=9)
    assert (verdict.decision, verdict.breaks_connection) == (Decision.AGAIN, True)


def test_no_connection_is_safe_to_repeat_and_a_lost_answer_is_not() -> None:
    assert judge(TwilioUnreachable("no route"), attempts=1).decision is Decision.AGAIN
    assert judge(TwilioOutcomeUnknown("timeout"), attempts=1).decision is Decision.UNKNOWN


def test_given_up_after_the_limit_with_the_last_reason() -> None:
    verdict = judge(refused(21611, 429), attempts=MAX_ATTEMPTS)
    assert (verdict.decision, verdict.code, verdict.reason) == (Decision.FAIL, 21611, "gave_up")


def test_misconfigured_message_fails() -> None:
    assert judge(TwilioMisconfigured("no sender"), attempts=1).decision is Decision.FAIL


def test_code_that_is_in_no_table_is_a_refusal_when_twilio_says_it() -> None:
    verdict = judge(refused(29999), attempts=1)
    assert (verdict.decision, verdict.code) == (Decision.FAIL, 29999)


@pytest.mark.parametrize("code", sorted(ERRORS))
def test_each_code_of_the_table_is_judged_by_its_entry(code: int) -> None:
    entry, verdict = ERRORS[code], judge(refused(code), attempts=1)
    if entry.scope is Scope.CONNECTION and entry.retry is not Retry.UNKNOWN:
        assert verdict.breaks_connection
    elif entry.retry is Retry.LATER or code == 20429:
        assert verdict.decision is Decision.AGAIN
    elif entry.retry in {Retry.NEVER, Retry.AFTER_CHANGE}:
        assert verdict.decision is Decision.FAIL
    else:
        assert verdict.decision is Decision.UNKNOWN
