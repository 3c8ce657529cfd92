"""What each way of failing means: surely refused, never reached, or unknown; for both gateways."""

import logging
import socket
import time
import traceback
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from requests.exceptions import ConnectionError as RequestsConnectionError
from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException
from twilio.http.response import Response

from integrations.twilio.border import at_the_border
from integrations.twilio.client import Credentials
from integrations.twilio.error_table import Retry
from integrations.twilio.errors import (
    TwilioError,
    TwilioMisconfigured,
    TwilioOutcomeUnknown,
    TwilioRefused,
    TwilioUnreachable,
)
from tests.integrations.twilio.conftest import PATIENCE, AsyncCaller, SyncCaller, a_message
from tests.integrations.twilio.fake_twilio import (
    MESSAGE,
    RECIPIENT,
    Behaviour,
    FakeTwilio,
    answer,
    drip,
    half_an_answer,
    hang,
    hang_up,
    message_payload,
    problem,
    reset,
)

Caller = SyncCaller | AsyncCaller
ACCEPTED = answer(201, message_payload())


class TestRefusals:
    """Any 4xx but 408 and 499: Twilio, or whoever stands before it, surely did not act."""

    def test_the_refusal_carries_what_callers_need(
        self, caller: Caller, twilio: FakeTwilio, credentials: Credentials
    ) -> None:
        twilio.answers(answer(400, problem(21610, "Attempt to send", 400), Twilio_Request_Id="RQ1"))
        with pytest.raises(TwilioRefused) as caught:
            caller.send(credentials, a_message())
        refused = caught.value
        assert (refused.code, refused.http_status, refused.request_id) == (21610, 400, "RQ1")
        assert refused.is_permanent
        assert not refused.outcome_unknown
        assert "opted out" in refused.entry.title
        assert len(twilio.received) == 1

    @pytest.mark.parametrize("status", [429, 400])
    def test_too_many_requests_may_be_sent_again(
        self, caller: Caller, twilio: FakeTwilio, credentials: Credentials, status: int
    ) -> None:
        twilio.answers(answer(status, problem(20429, "Too Many Requests", status), Retry_After="7"))
        with pytest.raises(TwilioRefused) as caught:
            caller.send(credentials, a_message())
        assert not caught.value.is_permanent
        assert caught.value.retry_after == 7.0
        assert caught.value.entry.retry is Retry.LATER
        assert len(twilio.received) == 1

    def test_a_bare_429_is_no_less_temporary(
        self, caller: Caller, twilio: FakeTwilio, credentials: Credentials
    ) -> None:
        twilio.answers(answer(429, "<html>slow down</html>"))
        with pytest.raises(TwilioRefused) as caught:
            caller.send(credentials, a_message())
        assert caught.value.code is None
        assert caught.value.retry_after is None
        assert not caught.value.is_permanent
        assert caught.value.entry.code == 20429

    def test_a_full_queue_is_temporary(self, caller: Caller, twilio: FakeTwilio, credentials: Credentials) -> None:
        twilio.answers(answer(400, problem(21611, "Queue", 400)))
        with pytest.raises(TwilioRefused) as caught:
            caller.send(credentials, a_message())
        assert not caught.value.is_permanent

    @pytest.mark.parametrize("body", ["<html>Forbidden</html>", "", "[]", '"no"', "null", '{"code": "x"}', b"\xff\xfe"])
    @pytest.mark.parametrize("status", [400, 403, 407, 413])
    def test_a_proxy_that_refuses_has_not_passed_the_request_on(
        self, caller: Caller, twilio: FakeTwilio, credentials: Credentials, body: str | bytes, status: int
    ) -> None:
        twilio.answers(answer(status, body))
        with pytest.raises(TwilioRefused) as caught:
            caller.send(credentials, a_message())
        assert (caught.value.code, caught.value.http_status) == (None, status)
        assert caught.value.is_permanent
        assert caught.value.entry.title

    def test_problems_of_the_newer_services_are_read(
        self, caller: Caller, twilio: FakeTwilio, credentials: Credentials
    ) -> None:
        body = {"type": "https://x", "title": "Bad", "status": 403, "code": 20008, "detail": "Test account"}
        twilio.answers(answer(403, body, Content_Type="application/problem+json"))
        with pytest.raises(TwilioRefused, match="Test account") as caught:
            caller.fetch(credentials, MESSAGE)
        assert caught.value.code == 20008

    @pytest.mark.parametrize("code", [None, True, "abc", 400, -1, {}, "1" * 400])
    def test_odd_codes_are_none(
        self, caller: Caller, twilio: FakeTwilio, credentials: Credentials, code: object
    ) -> None:
        twilio.answers(answer(400, {"code": code, "message": "m", "status": 400}))
        with pytest.raises(TwilioRefused) as caught:
            caller.send(credentials, a_message())
        assert caught.value.code is None

    @pytest.mark.parametrize(("header", "seconds"), [
        ("0", 0.0), ("1.5", 1.5), ("-3", 0.0), ("soon", None), ("inf", None), ("nan", None), ("1e999", None),
        ("", None), ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0), ("Thu, 99 Foo 1970 00:00:00 GMT", None),
    ])  # fmt: skip
    def test_retry_after_is_read_with_suspicion(
        self, caller: Caller, twilio: FakeTwilio, credentials: Credentials, header: str, seconds: float | None
    ) -> None:
        twilio.answers(answer(429, problem(20429, "m", 429), Retry_After=header))
        with pytest.raises(TwilioRefused) as caught:
            caller.send(credentials, a_message())
        assert caught.value.retry_after == seconds

    def test_retry_after_may_be_a_date(self, caller: Caller, twilio: FakeTwilio, credentials: Credentials) -> None:
        later = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
        twilio.answers(answer(429, problem(20429, "m", 429), Retry_After=later))
        with pytest.raises(TwilioRefused) as caught:
            caller.send(credentials, a_message())
        assert caught.value.retry_after == pytest.approx(90, abs=5)

    def test_a_refused_page_of_a_list_has_its_code(
        self, caller: Caller, twilio: FakeTwilio, credentials: Credentials
    ) -> None:
        twilio.answers(answer(401, problem(20003, "Authenticate", 401), Twilio_Request_Id="RQ2"))
        with pytest.raises(TwilioRefused) as caught:
            caller.list(credentials, to=RECIPIENT)
        assert (caught.value.code, caught.value.http_status, caught.value.request_id) == (20003, 401, "RQ2")


class TestOutcomeUnknown:
    """Once a byte was written, everything but a readable answer is unknown; nothing is ever repeated by itself."""

    @pytest.mark.parametrize("behaviour", [
        reset, hang_up, half_an_answer, hang,
        drip(b'HTTP/1.1 201 X\r\nContent-Length: 100000\r\n\r\n{"a": "'), drip(b"HTTP/1.1 201 X\r\nX-Long: "),
        answer(500, problem(20500, "m", 500)), answer(502, "<html>"), answer(503, problem(20503, "m", 503)),
        answer(504, ""), answer(408, problem(20408, "m", 408)), answer(499, ""), answer(302, "", Location="http://127.0.0.1:1/"),
        answer(304, ""), answer(307, "", Location="/elsewhere"),
        answer(201, "<html>Welcome to the hotel</html>"), answer(200, ""), answer(201, '{"sid": "SM'),
        answer(201, "[]"), answer(201, {}), answer(201, {"sid": None}), answer(201, message_payload(date_created=7)),
        answer(204, ""), answer(201, '{"a":' * 100_000), answer(201, b"\x1f\x8b broken", Content_Encoding="gzip"),
    ], ids=[
        "reset", "hang up", "half an answer", "silence", "dripping body", "dripping head",
        "500", "502", "503", "504", "408", "499", "302", "304", "307",
        "html", "empty", "cut json", "list", "no sid", "null sid", "odd date", "204", "deep", "broken gzip",
    ])  # fmt: skip
    def test_after_writing_the_outcome_is_unknown(
        self, caller: Caller, twilio: FakeTwilio, credentials: Credentials, behaviour: Behaviour
    ) -> None:
        twilio.answers(behaviour)
        started = time.monotonic()
        with pytest.raises(TwilioOutcomeUnknown) as caught:
            caller.send(credentials, a_message(), timeout=PATIENCE)
        assert time.monotonic() - started < PATIENCE + 3
        assert caught.value.outcome_unknown
        assert not caught.value.is_permanent
        assert len(twilio.received) == 1

    def test_code_and_pause_of_a_5xx_are_kept(
        self, caller: Caller, twilio: FakeTwilio, credentials: Credentials
    ) -> None:
        twilio.answers(answer(503, problem(20503, "m", 503), Retry_After="2", Twilio_Request_Id="RQ3"))
        with pytest.raises(TwilioOutcomeUnknown) as caught:
            caller.send(credentials, a_message())
        unknown = caught.value
        assert (unknown.code, unknown.http_status, unknown.retry_after, unknown.request_id) == (20503, 503, 2.0, "RQ3")

    @pytest.mark.parametrize("behaviour", [reset, hang_up], ids=["reset", "hang up"])
    def test_a_kept_connection_that_dies_under_a_post_is_unknown(
        self, caller: Caller, twilio: FakeTwilio, credentials: Credentials, behaviour: Behaviour
    ) -> None:
        twilio.answers(ACCEPTED, behaviour, ACCEPTED)
        caller.send(credentials, a_message())
        with pytest.raises(TwilioOutcomeUnknown):
            caller.send(credentials, a_message())
        assert [request.connection for request in twilio.received] == [1, 1]

    def test_reading_fails_in_the_same_way(self, caller: Caller, twilio: FakeTwilio, credentials: Credentials) -> None:
        twilio.answers(answer(500, ""))
        with pytest.raises(TwilioOutcomeUnknown):
            caller.fetch(credentials, MESSAGE)
        twilio.answers(answer(200, {"page": 0, "unexpected": [], "and": []}))
        with pytest.raises(TwilioOutcomeUnknown):
            caller.list(credentials, to=RECIPIENT)
        twilio.answers(answer(206, {"messages": []}))
        with pytest.raises(TwilioOutcomeUnknown):
            caller.list(credentials, to=RECIPIENT)

    def test_the_next_call_is_not_affected(self, caller: Caller, twilio: FakeTwilio, credentials: Credentials) -> None:
        twilio.answers(reset, ACCEPTED)
        with pytest.raises(TwilioOutcomeUnknown):
            caller.send(credentials, a_message())
        assert caller.send(credentials, a_message()).sid == MESSAGE


class TestUnreachable:
    """As long as nothing was written, nothing can have happened."""

    def test_a_closed_port(self, caller: Caller, credentials: Credentials) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        with pytest.raises(TwilioUnreachable) as caught:
            caller.send(replace(credentials, base_url=f"http://127.0.0.1:{port}"), a_message())
        assert not caught.value.outcome_unknown
        assert not caught.value.is_permanent

    def test_nobody_accepts(self, caller: Caller, credentials: Credentials) -> None:
        with socket.socket() as full, socket.socket() as first, socket.socket() as second:
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            for filler in (first, second):  # the queue of connections nobody accepts is full after these
                filler.setblocking(False)
                filler.connect_ex(full.getsockname())
            base_url = f"http://127.0.0.1:{full.getsockname()[1]}"
            with pytest.raises(TwilioUnreachable):
                caller.send(replace(credentials, base_url=base_url), a_message(), timeout=PATIENCE)

    def test_a_name_that_does_not_exist(
        self, caller: Caller, credentials: Credentials, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*args: object, **kwargs: object) -> None:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

        monkeypatch.setattr(socket, "getaddrinfo", fail)
        with pytest.raises(TwilioUnreachable):
            caller.send(replace(credentials, base_url="http://name.invalid"), a_message())

    def test_a_tls_handshake_that_is_never_answered(
        self, caller: Caller, twilio: FakeTwilio, credentials: Credentials
    ) -> None:
        base_url = twilio.url.replace("http:", "https:")
        with pytest.raises(TwilioUnreachable):
            caller.send(replace(credentials, base_url=base_url), a_message(), timeout=PATIENCE)
        assert twilio.received == []


class TestPrivacy:
    """No full number, body or secret in what an exception or a log shows."""

    def test_numbers_in_twilio_s_words_are_masked(
        self, caller: Caller, twilio: FakeTwilio, credentials: Credentials
    ) -> None:
        twilio.answers(answer(400, problem(21211, f"The 'To' number {RECIPIENT} is not valid, see error 21211.", 400)))
        with pytest.raises(TwilioRefused) as caught:
            caller.send(credentials, a_message())
        assert RECIPIENT.lstrip("+")[3:-2] not in str(caught.value) + caught.value.message
        assert "78" in caught.value.message
        assert "21211" in caught.value.message

    @pytest.mark.parametrize("behaviour", [reset, hang, answer(200, "<html>"), answer(200, {"messages": 5})])
    def test_tracebacks_and_logs_show_nothing(
        self,
        caller: Caller,
        twilio: FakeTwilio,
        credentials: Credentials,
        behaviour: Behaviour,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        caplog.set_level(logging.DEBUG)
        twilio.answers(behaviour)
        message = a_message(body=" ".join(("my", "secret", "words")))  # in pieces: a traceback quotes this line
        with pytest.raises(TwilioError) as caught:
            caller.send(credentials, message, timeout=PATIENCE)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        with pytest.raises(TwilioError) as caught_listing:
            caller.list(replace(credentials, base_url=f"http://127.0.0.1:{port}"), to=RECIPIENT)
        caller_list_failed = "".join(traceback.format_exception(caught_listing.value))
        shown = "".join(traceback.format_exception(caught.value)) + caller_list_failed + caplog.text
        for secret in (RECIPIENT.lstrip("+"), "my secret words", "my+secret", "c2VjcmV0", credentials.password + '"'):
            assert secret not in shown

    def test_credentials_do_not_show_their_secret(self) -> None:
        assert "hidden" not in repr(Credentials("AC1", "hidden"))


class TestBorder:
    """What the SDK raises by itself, should anything pass our HTTP clients."""

    @pytest.mark.parametrize(("raised", "kind", "code"), [
        (TwilioRestException(400, "/x", "Unable to create record: no", 21211, "POST"), TwilioRefused, 21211),
        (TwilioRestException(404, "/x", "html", 404, "POST"), TwilioRefused, None),
        (TwilioRestException(500, "/x", "m", 20500, "POST"), TwilioOutcomeUnknown, 20500),
        (TwilioRestException(302, "/x", "m", 302, "POST"), TwilioOutcomeUnknown, None),
        (TwilioServiceException("t", "Title", 403, 20008, "detail"), TwilioRefused, 20008),
        (TwilioException("Unable to fetch page", Response(401, '{"code": 20003}')), TwilioRefused, 20003),
        (TwilioException("Unable to fetch page", Response(502, "<html>")), TwilioOutcomeUnknown, None),
        (TwilioException("Page Records can not be deserialized"), TwilioOutcomeUnknown, None),
    ])  # fmt: skip
    def test_each_is_translated(self, raised: TwilioException, kind: type[TwilioError], code: int | None) -> None:
        with pytest.raises(kind) as caught, at_the_border():
            raise raised
        assert type(caught.value) is kind
        assert caught.value.code == code
        assert caught.value.__cause__ is raised

    def test_our_own_mistakes_stay_visible(self) -> None:
        with pytest.raises(TypeError), at_the_border():
            raise TypeError("no answer had arrived: this is ours")

    def test_what_is_chained_is_scrubbed_through_and_through(self) -> None:
        error = TwilioException("Unable to fetch page", Response(500, f"body for {RECIPIENT}"))
        error.__cause__ = RequestsConnectionError(f"url: /x?To=%2B{RECIPIENT[1:]}")
        with pytest.raises(TwilioOutcomeUnknown) as caught, at_the_border():
            raise error
        assert RECIPIENT[1:] not in "".join(traceback.format_exception(caught.value))

    def test_misconfigured_is_permanent(self) -> None:
        assert TwilioMisconfigured("x").is_permanent
