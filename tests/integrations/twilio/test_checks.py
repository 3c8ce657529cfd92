"""What the connect page asks of Twilio, one call at a time, and the probe of test credentials."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from integrations.twilio.client import Credentials, Gateway
from integrations.twilio.errors import TwilioOutcomeUnknown, TwilioRefused
from integrations.twilio.results import AccountInfo, BalanceInfo, MessagingServiceInfo, NumberInfo, SenderInfo
from tests.integrations.twilio.fake_twilio import (
    ACCOUNT,
    MESSAGE,
    RECIPIENT,
    SENDER,
    SERVICE,
    VERIFY_SERVICE,
    FakeTwilio,
    Received,
    answer,
    message_payload,
    problem,
)

ACCEPTED = answer(201, message_payload())


class TestChecks:
    """What the connect page asks, one at a time."""

    def test_account_without_its_auth_token(self, twilio: FakeTwilio, gateway: Gateway) -> None:
        body = {"sid": ACCOUNT, "friendly_name": "Us", "status": "active", "type": "Trial", "owner_account_sid": "AC9"}
        twilio.answers(answer(200, {**body, "auth_token": "very-secret"}))
        account = gateway.fetch_account()
        assert account == AccountInfo(ACCOUNT, "Us", "active", "Trial", "AC9")
        assert "very-secret" not in repr(account)

    def test_balance(self, twilio: FakeTwilio, gateway: Gateway) -> None:
        twilio.answers(answer(200, {"account_sid": ACCOUNT, "balance": "0.05", "currency": "usd"}))
        assert gateway.fetch_balance() == BalanceInfo(Decimal("0.05"), "USD")

    @pytest.mark.parametrize("status", [401, 403, 404])
    def test_a_balance_one_may_not_see_is_none(self, twilio: FakeTwilio, gateway: Gateway, status: int) -> None:
        twilio.answers(answer(status, problem(20003, "m", status)))
        assert gateway.fetch_balance() is None

    def test_a_balance_that_failed_is_not_none(self, twilio: FakeTwilio, gateway: Gateway) -> None:
        twilio.answers(answer(429, problem(20429, "m", 429)), answer(500, ""), answer(200, {"balance": None}))
        with pytest.raises(TwilioRefused):
            gateway.fetch_balance()
        for _ in range(2):
            with pytest.raises(TwilioOutcomeUnknown):
                gateway.fetch_balance()

    def test_services_need_no_account_sid_and_tell_it(self, twilio: FakeTwilio, credentials: Credentials) -> None:
        gateway = Gateway(replace(credentials, account_sid=""), timeout=5)
        twilio.answers(
            answer(200, {"sid": SERVICE, "account_sid": ACCOUNT, "friendly_name": "S", "validity_period": 14400,
                         "inbound_request_url": None, "use_inbound_webhook_on_number": True, "smart_encoding": True}),
            answer(200, {"sid": VERIFY_SERVICE, "account_sid": ACCOUNT, "friendly_name": "V", "code_length": 6}),
        )  # fmt: skip
        assert gateway.fetch_messaging_service(SERVICE) == MessagingServiceInfo(
            SERVICE, ACCOUNT, "S", "", True, "", True, 14400
        )
        verify = gateway.fetch_verify_service(VERIFY_SERVICE)
        assert (verify.account_sid, verify.code_length) == (ACCOUNT, 6)
        assert [request.path for request in twilio.received] == [
            f"/messaging.twilio.com/v1/Services/{SERVICE}", f"/verify.twilio.com/v2/Services/{VERIFY_SERVICE}",
        ]  # fmt: skip

    @pytest.mark.parametrize(("code", "status"), [(20003, 401), (20404, 404), (20008, 403), (10001, 403)])
    def test_a_refusal_says_which(self, twilio: FakeTwilio, gateway: Gateway, code: int, status: int) -> None:
        twilio.router = lambda request: (status, problem(code, "m", status))
        for call in (
            gateway.fetch_account,
            lambda: gateway.fetch_messaging_service(SERVICE),
            lambda: gateway.list_senders(SERVICE),
            lambda: gateway.fetch_verify_service(VERIFY_SERVICE),
            lambda: gateway.find_number(SENDER),
        ):
            with pytest.raises(TwilioRefused) as caught:
                call()
            assert (caught.value.code, caught.value.http_status) == (code, status)

    def test_senders_of_every_kind_over_absolute_pages(self, twilio: FakeTwilio, gateway: Gateway) -> None:
        base = f"https://messaging.twilio.com/v1/Services/{SERVICE}"

        def route(request: Received) -> tuple[int, Any]:
            meta: dict[str, Any] = {"next_page_url": None}
            if request.path.endswith("/PhoneNumbers"):
                if "Page" not in request.query:
                    number = {
                        "sid": "PN1",
                        "phone_number": SENDER,
                        "country_code": "US",
                        "capabilities": ["SMS", "MMS"],
                    }
                    meta = {"next_page_url": f"{base}/PhoneNumbers?Page=1&PageToken=t"}
                else:
                    number = {"sid": "PN2", "phone_number": RECIPIENT, "country_code": "DE", "capabilities": []}
                return 200, {"phone_numbers": [number], "meta": {**meta, "key": "phone_numbers"}}
            if request.path.endswith("/ShortCodes"):
                code = {"sid": "SC1", "short_code": "12345", "country_code": "US", "capabilities": ["SMS"]}
                return 200, {"short_codes": [code], "meta": {**meta, "key": "short_codes"}}
            sender = {"sid": "AI1", "alpha_sender": "Helio", "capabilities": ["SMS"]}
            return 200, {"alpha_senders": [sender], "meta": {**meta, "key": "alpha_senders"}}

        twilio.router = route
        assert gateway.list_senders(SERVICE) == [
            SenderInfo("phone_number", "PN1", SENDER, "US", ("mms", "sms")),
            SenderInfo("phone_number", "PN2", RECIPIENT, "DE", ()),
            SenderInfo("short_code", "SC1", "12345", "US", ("sms",)),
            SenderInfo("alpha_sender", "AI1", "Helio", "", ("sms",)),
        ]

    def test_a_page_elsewhere_gets_no_credentials(self, twilio: FakeTwilio, gateway: Gateway) -> None:
        meta = {"next_page_url": "https://evil.example/next", "key": "phone_numbers"}
        twilio.answers(answer(200, {"phone_numbers": [], "meta": meta}))
        with pytest.raises(TwilioRefused):
            gateway.list_senders(SERVICE)
        assert twilio.received[1].path == "/evil.example/next", "stayed behind the base address"

    def test_only_the_very_number_is_found(self, twilio: FakeTwilio, gateway: Gateway) -> None:
        longer = {"sid": "PN1", "phone_number": SENDER + "9", "capabilities": {"sms": True}, "status": "in-use"}
        exact = {
            "sid": "PN2",
            "phone_number": SENDER,
            "capabilities": {"sms": True, "voice": True, "fax": False},
            "status": "in-use",
        }
        twilio.answers(
            answer(200, {"incoming_phone_numbers": [longer, exact]}), answer(200, {"incoming_phone_numbers": [longer]})
        )
        assert gateway.find_number(SENDER) == NumberInfo("PN2", SENDER, ("sms", "voice"), "in-use")
        assert gateway.find_number(SENDER) is None
        assert twilio.received[0].query["PhoneNumber"] == [SENDER]

    def test_cancel_and_redact(self, twilio: FakeTwilio, gateway: Gateway) -> None:
        twilio.answers(answer(200, message_payload(status="canceled")), answer(200, message_payload(body="")))
        assert gateway.cancel_message(MESSAGE).status == "canceled"
        assert gateway.redact_message(MESSAGE).body == ""
        assert [request.form for request in twilio.received] == [{"Status": ["canceled"]}, {"Body": [""]}]


class TestProbeOfTestCredentials:
    def test_recognised_and_confirmed(self, twilio: FakeTwilio, gateway: Gateway) -> None:
        twilio.answers(answer(403, problem(20008, "m", 403)), ACCEPTED)
        assert gateway.probe_test_credentials() is True
        assert twilio.received[1].form["From"] == ["+15005550006"]
        assert "MessagingServiceSid" not in twilio.received[1].form

    def test_live_ones_send_nothing(self, twilio: FakeTwilio, gateway: Gateway) -> None:
        twilio.answers(answer(200, {"sid": ACCOUNT, "status": "active"}))
        assert gateway.probe_test_credentials() is False
        assert len(twilio.received) == 1

    def test_wrong_ones_send_nothing(self, twilio: FakeTwilio, gateway: Gateway) -> None:
        twilio.answers(answer(401, problem(20003, "m", 401)))
        with pytest.raises(TwilioRefused) as caught:
            gateway.probe_test_credentials()
        assert caught.value.code == 20003
        assert len(twilio.received) == 1

    def test_a_refused_magic_number_is_reported(self, twilio: FakeTwilio, gateway: Gateway) -> None:
        twilio.answers(answer(403, problem(20008, "m", 403)), answer(401, problem(20003, "m", 401)))
        with pytest.raises(TwilioRefused):
            gateway.probe_test_credentials()
