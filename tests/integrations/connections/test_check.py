"""The live check says what is wrong, at which field, and takes no note for an error."""

from decimal import Decimal
from typing import Any

import pytest

from integrations.connections.check import CheckReport, Level, Step, run_check
from integrations.connections.connecting import candidate
from integrations.connections.models import Connection
from integrations.organizations.models import Organization
from integrations.twilio.errors import TwilioOutcomeUnknown, TwilioUnreachable
from integrations.twilio.results import BalanceInfo

from .fake_twilio import (
    ACCOUNT,
    KEY,
    MG,
    NUMBER,
    OTHER_ACCOUNT,
    SECRET,
    TOKEN,
    VA,
    FakeTwilio,
    account,
    messaging_service,
    number,
    refused,
    sender,
    verify_service,
)

UNAUTHORIZED = refused(20003, 401)
NOT_FOUND = refused(20404, 404)
NO_ROUTE = refused(None, 404)
NOT_BUILT = TwilioOutcomeUnknown("not built", http_status=501)


def by_key(**values: Any) -> Connection:
    given = {"api_key_sid": KEY, "api_key_secret": SECRET, "messaging_service_sid": MG, "verify_service_sid": VA}
    return candidate(Organization(name="Acme"), auth="api_key", **{**given, **values})


def by_token(**values: Any) -> Connection:
    given = {"account_sid": ACCOUNT, "auth_token": TOKEN, "messaging_service_sid": MG}
    return candidate(Organization(name="Acme"), auth="auth_token", **{**given, **values})


def step(report: CheckReport, subject: str, level: Level) -> Step:
    found = [step for step in report.steps if step.subject == subject and step.level == level]
    assert found, [(step.subject, step.level, step.text) for step in report.steps]
    return found[0]


def problem(report: CheckReport) -> Step:
    assert len(report.problems) == 1, report.problems
    return report.problems[0]


def test_good_key_is_good_and_its_account_is_found(twilio: FakeTwilio) -> None:
    report = run_check(by_key())
    assert report.is_good, report.problems
    assert report.account_sid == ACCOUNT
    assert report.account_name == "Acme"
    assert report.messaging_service_name == "Notices"
    assert "found through the Messaging Service" in step(report, "Account", Level.OK).text
    assert NUMBER in step(report, "Senders", Level.OK).text
    assert step(report, "Balance", Level.OK)
    assert not twilio.called("send_message")


def test_account_is_found_through_the_verify_service_alone(twilio: FakeTwilio) -> None:
    report = run_check(by_key(messaging_service_sid="", sender=NUMBER))
    assert report.is_good
    assert report.account_sid == ACCOUNT


def test_good_token_is_good(twilio: FakeTwilio) -> None:
    report = run_check(by_token())
    assert report.is_good
    assert report.account_type == "Full"


@pytest.mark.parametrize(("make", "field"), [(by_key, "api_key_secret"), (by_token, "auth_token")])
def test_wrong_secret_is_said_at_its_field(twilio: FakeTwilio, make: Any, field: str) -> None:
    twilio.everything(UNAUTHORIZED)
    wrong = problem(run_check(make()))
    assert (wrong.field, wrong.code, wrong.breaks) == (field, 20003, True)
    assert wrong.remedy


def test_standard_key_without_account_data_is_no_error(twilio: FakeTwilio) -> None:
    twilio.answers.update(fetch_account=UNAUTHORIZED, fetch_balance=None)
    report = run_check(by_key())
    assert report.is_good
    assert "normal for a Standard key" in step(report, "Account", Level.NOTE).text


def test_auth_token_for_signatures_shows_what_a_standard_key_may_not_see(twilio: FakeTwilio) -> None:
    twilio.by_user[KEY] = {"fetch_account": UNAUTHORIZED, "fetch_balance": None}
    twilio.answers["fetch_account"] = account(type="Trial")
    report = run_check(by_key(signing_token=TOKEN))
    assert report.is_good
    assert "trial account" in step(report, "Account", Level.WARNING).text
    assert step(report, "Balance", Level.OK)


def test_account_data_seen_with_the_token_does_not_prove_the_key(twilio: FakeTwilio) -> None:
    twilio.by_user[KEY] = dict.fromkeys(twilio.answers, UNAUTHORIZED)
    twilio.by_user[KEY].update(fetch_messaging_service=NOT_BUILT, fetch_verify_service=NOT_BUILT)
    report = run_check(by_key(signing_token=TOKEN, account_sid=ACCOUNT), is_lenient=True)
    assert problem(report).field == "api_key_secret"


def test_key_of_another_account_than_typed(twilio: FakeTwilio) -> None:
    twilio.answers["fetch_messaging_service"] = messaging_service(account_sid=OTHER_ACCOUNT)
    wrong = problem(run_check(by_key(account_sid=ACCOUNT)))
    assert wrong.field == "account_sid"
    assert "AC…bbbb" in wrong.text and "AC…aaaa" in wrong.text


def test_key_whose_account_has_neither_service(twilio: FakeTwilio) -> None:
    twilio.answers.update(fetch_messaging_service=NOT_FOUND, fetch_verify_service=NOT_FOUND)
    fields = [step.field for step in run_check(by_key()).problems]
    assert "api_key_sid" in fields


def test_key_of_another_account_with_typed_account(twilio: FakeTwilio) -> None:
    twilio.everything(UNAUTHORIZED)
    twilio.answers.update(fetch_messaging_service=NOT_FOUND, fetch_verify_service=NOT_FOUND)
    report = run_check(by_key(account_sid=ACCOUNT))
    assert report.problems[-1].field == "api_key_sid"
    assert report.breaking is not None


def test_messaging_service_of_another_account(twilio: FakeTwilio) -> None:
    twilio.answers["fetch_messaging_service"] = NOT_FOUND
    assert problem(run_check(by_key())).field == "messaging_service_sid"
    assert problem(run_check(by_token())).field == "messaging_service_sid"
    twilio.answers["fetch_messaging_service"] = messaging_service(account_sid=OTHER_ACCOUNT)
    assert problem(run_check(by_token())).field == "messaging_service_sid"


def test_verify_service_of_another_account(twilio: FakeTwilio) -> None:
    twilio.answers["fetch_verify_service"] = NOT_FOUND
    assert problem(run_check(by_key())).field == "verify_service_sid"
    twilio.answers["fetch_verify_service"] = verify_service(account_sid=OTHER_ACCOUNT)
    assert problem(run_check(by_token(verify_service_sid=VA))).field == "verify_service_sid"


def test_account_that_cannot_be_found_is_asked_for(twilio: FakeTwilio) -> None:
    wrong = problem(run_check(by_key(messaging_service_sid="", verify_service_sid="", sender="Acme")))
    assert wrong.field == "account_sid"


@pytest.mark.parametrize("status", ["suspended", "closed"])
def test_inactive_account(twilio: FakeTwilio, status: str) -> None:
    twilio.answers["fetch_account"] = account(status=status)
    for connection in (by_key(), by_token()):
        wrong = problem(run_check(connection))
        assert status in wrong.text
        assert (wrong.field, wrong.code, wrong.breaks) == ("account_sid", 20005, True)


def test_account_that_answers_as_not_active(twilio: FakeTwilio) -> None:
    twilio.everything(refused(20005, 403))
    assert problem(run_check(by_key())).breaks


def test_trial_account_is_a_warning_with_its_limits(twilio: FakeTwilio) -> None:
    twilio.answers["fetch_account"] = account(type="Trial")
    report = run_check(by_token(messaging_service_sid="", sender="Acme"))
    assert report.is_good
    assert "verified" in step(report, "Account", Level.WARNING).text
    assert "may not use" in step(report, "From", Level.WARNING).text


def test_empty_sender_pool(twilio: FakeTwilio) -> None:
    twilio.answers["list_senders"] = []
    wrong = problem(run_check(by_key()))
    assert (wrong.field, wrong.code) == ("messaging_service_sid", 21704)


def test_long_pool_is_summed_up(twilio: FakeTwilio) -> None:
    twilio.answers["list_senders"] = [sender(f"+1415555{n:04d}") for n in range(9)]
    assert "and 4 more" in step(run_check(by_key()), "Senders", Level.OK).text


def test_from_that_is_not_ours_or_cannot_send(twilio: FakeTwilio) -> None:
    connection = by_token(messaging_service_sid="", sender=NUMBER)
    assert run_check(connection).is_good
    twilio.answers["find_number"] = None
    wrong = problem(run_check(connection))
    assert (wrong.field, wrong.code) == ("sender", 21606)
    twilio.answers["find_number"] = number("voice")
    assert "cannot send SMS" in problem(run_check(connection)).text


@pytest.mark.parametrize(("sender_value", "words"), [("Acme", "cannot reply"), ("12345", "short code")])
def test_from_that_cannot_be_looked_up_is_a_note(twilio: FakeTwilio, sender_value: str, words: str) -> None:
    report = run_check(by_token(messaging_service_sid="", sender=sender_value))
    assert report.is_good
    assert words in step(report, "From", Level.NOTE).text
    assert not twilio.called("find_number")


@pytest.mark.parametrize(
    ("balance", "level"),
    [("25.50", Level.OK), ("4.99", Level.WARNING), ("0", Level.WARNING), ("-3", Level.WARNING)],
)
def test_balance(twilio: FakeTwilio, balance: str, level: Level) -> None:
    twilio.answers["fetch_balance"] = BalanceInfo(Decimal(balance), "USD")
    report = run_check(by_key())
    assert report.is_good
    assert "USD" in step(report, "Balance", level).text


def test_balance_that_may_not_be_seen_is_a_note(twilio: FakeTwilio) -> None:
    for answer in (None, TwilioUnreachable("gone")):
        twilio.answers["fetch_balance"] = answer
        report = run_check(by_key())
        assert report.is_good
        assert step(report, "Balance", Level.NOTE)


def test_missing_verify_service_says_what_it_costs(twilio: FakeTwilio) -> None:
    report = run_check(by_key(verify_service_sid=""))
    assert report.is_good
    assert "our own" in step(report, "Verify Service", Level.NOTE).text


def test_auth_token_for_signatures_is_checked(twilio: FakeTwilio) -> None:
    twilio.by_user[ACCOUNT] = {"fetch_account": UNAUTHORIZED}
    report = run_check(by_key(signing_token=TOKEN))
    assert problem(report).field == "signing_token"
    assert not problem(report).breaks
    twilio.by_user.clear()
    assert step(run_check(by_key(signing_token=TOKEN)), "Webhooks", Level.OK)
    assert "cannot be checked" in step(run_check(by_key()), "Webhooks", Level.NOTE).text


@pytest.mark.parametrize(
    "error",
    [
        TwilioUnreachable("refused"),
        TwilioOutcomeUnknown("timeout"),
        TwilioOutcomeUnknown("trouble", http_status=503),
        refused(20429, 429),
    ],
)
def test_twilio_that_does_not_answer_is_no_verdict(twilio: FakeTwilio, error: Exception) -> None:
    twilio.everything(error)
    for connection in (by_key(), by_token()):
        report = run_check(connection)
        assert report.is_unreachable
        assert "Try again" in problem(report).remedy
        assert report.breaking is None


class TestTestCredentials:
    """Twilio's test credentials are recognised by 20008 and proven by a magic number."""

    @pytest.fixture(autouse=True)
    def _only_magic(self, twilio: FakeTwilio) -> None:
        twilio.everything(refused(20008, 403))
        twilio.answers["send_message"] = None

    def test_recognised(self, twilio: FakeTwilio) -> None:
        report = run_check(by_token(messaging_service_sid="", sender="+15005550006"))
        assert report.is_good
        assert report.mode == "test"
        assert twilio.called("send_message") == 1
        assert step(report, "Account", Level.WARNING)

    def test_with_live_senders(self, twilio: FakeTwilio) -> None:
        report = run_check(by_token(messaging_service_sid=MG, verify_service_sid=VA))
        assert [step.field for step in report.problems] == ["messaging_service_sid", "verify_service_sid"]
        assert problem(run_check(by_token(messaging_service_sid="", sender=NUMBER))).field == "sender"
        assert not twilio.called("send_message")

    def test_refused_probe(self, twilio: FakeTwilio) -> None:
        twilio.answers["send_message"] = UNAUTHORIZED
        wrong = problem(run_check(by_token(messaging_service_sid="", sender="+15005550006")))
        assert (wrong.field, wrong.code) == ("auth_token", 20003)


class TestLookAlike:
    """A Twilio look-alike may know messages only; what it does not offer is a note, a 401 is an error."""

    @pytest.mark.parametrize("unknown", [NO_ROUTE, NOT_FOUND, NOT_BUILT, TwilioOutcomeUnknown("unreadable")])
    @pytest.mark.parametrize("make", [by_key, by_token])
    def test_messages_are_enough(self, twilio: FakeTwilio, make: Any, unknown: Exception) -> None:
        twilio.everything(unknown)
        twilio.answers["list_messages"] = []
        report = run_check(make(account_sid=ACCOUNT), is_lenient=True)
        assert report.is_good, report.problems
        assert step(report, "Credentials", Level.OK)
        assert step(report, "Account", Level.NOTE)

    def test_from_is_left_unchecked(self, twilio: FakeTwilio) -> None:
        twilio.everything(NO_ROUTE)
        report = run_check(by_token(messaging_service_sid="", sender=NUMBER), is_lenient=True)
        assert report.is_good
        assert step(report, "From", Level.NOTE)
        assert step(report, "Credentials", Level.WARNING)

    @pytest.mark.parametrize("make", [by_key, by_token])
    def test_wrong_secret_is_still_an_error(self, twilio: FakeTwilio, make: Any) -> None:
        twilio.everything(NO_ROUTE)
        twilio.answers["list_messages"] = UNAUTHORIZED
        assert problem(run_check(make(account_sid=ACCOUNT), is_lenient=True)).code == 20003

    def test_look_alike_that_is_down_is_unreachable(self, twilio: FakeTwilio) -> None:
        twilio.everything(TwilioUnreachable("refused"))
        assert run_check(by_token(), is_lenient=True).is_unreachable

    def test_strict_check_takes_twilios_own_404_seriously(self, twilio: FakeTwilio) -> None:
        twilio.answers["fetch_messaging_service"] = NO_ROUTE
        assert run_check(by_token()).is_good
        twilio.answers["fetch_messaging_service"] = NOT_FOUND
        assert not run_check(by_token()).is_good


def test_replies_that_come_here_are_recognised(twilio: FakeTwilio, settings: Any) -> None:
    from integrations.connections.webhooks import inbound_url

    settings.PUBLIC_BASE_URL = "https://sms.acme.com"
    connection = by_token()
    assert step(run_check(connection), "Replies", Level.NOTE)
    twilio.answers["fetch_messaging_service"] = messaging_service(inbound_request_url=inbound_url(connection))
    assert step(run_check(connection), "Replies", Level.OK)
    connection._state.adding = False
    twilio.answers["fetch_messaging_service"] = messaging_service()
    assert "Look at Twilio, and set it" in step(run_check(connection), "Replies", Level.WARNING).remedy
    settings.PUBLIC_BASE_URL = "http://localhost:8000"
    assert (
        "PUBLIC_BASE_URL"
        in step(run_check(connection), "Replies", Level.WARNING).text
        + step(run_check(connection), "Replies", Level.WARNING).remedy
    )


def test_no_secret_in_a_report(twilio: FakeTwilio) -> None:
    for answer in (UNAUTHORIZED, NOT_FOUND, account()):
        twilio.answers["fetch_account"] = answer
        for connection in (by_key(signing_token=TOKEN), by_token()):
            words = str(run_check(connection).as_json())
            assert SECRET not in words and TOKEN not in words
