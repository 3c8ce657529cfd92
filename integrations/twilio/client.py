"""The gateway for calls one at a time: checking a connection, sweeps, single messages."""

import threading
from collections import OrderedDict
from datetime import datetime
from http import HTTPStatus
from typing import Any

from twilio.rest import Client

from integrations.twilio.border import at_the_border
from integrations.twilio.errors import TwilioMisconfigured, TwilioRefused
from integrations.twilio.http import SyncHttpClient
from integrations.twilio.outgoing import (
    Credentials,
    OutgoingMessage,
    checked_sid,
    create_arguments,
    in_utc,
    list_arguments,
)
from integrations.twilio.results import (
    AccountInfo,
    BalanceInfo,
    CountryPrices,
    MessagePage,
    MessageSnapshot,
    MessagingServiceInfo,
    NumberInfo,
    SenderInfo,
    VerificationSnapshot,
    VerifyAttempt,
    VerifyServiceInfo,
    read_account,
    read_attempt,
    read_balance,
    read_country_prices,
    read_message,
    read_messaging_service,
    read_number,
    read_sender,
    read_verification,
    read_verify_service,
)

__all__ = ["Credentials", "Gateway", "OutgoingMessage", "gateway_for"]

GATEWAYS = 256  # kept per process; an SDK client is some 20 kB
SENDERS = 400  # Twilio's own limit for a pool
TEST_CREDENTIALS_CODE = 20008
# Twilio's magic number for "a valid sender" under test credentials, and any number that passes as a recipient:
# https://www.twilio.com/docs/iam/test-credentials
MAGIC_SENDER = "+15005550006"
MAGIC_RECIPIENT = "+14108675310"

# An empty mapping would make the SDK read TWILIO_* of our own process, whose account and region are not the tenant's.
NO_ENVIRONMENT = {"_": ""}


class Gateway:
    """Call Twilio with one set of credentials. Every method raises the errors of `errors.py`; threads may share it."""

    def __init__(self, credentials: Credentials, *, timeout: float | None = None) -> None:
        self._account = credentials.account
        self._client = Client(
            checked_sid(credentials.username),
            credentials.password,
            account_sid=self._account or None,
            http_client=SyncHttpClient(base_url=credentials.base_url, timeout=timeout),
            environment=NO_ENVIRONMENT,
        )

    def fetch_account(self) -> AccountInfo:
        """Fetch the account; a Standard API key is refused with 20003, though it may send."""
        with at_the_border():
            return read_account(self._of_account().fetch())

    def fetch_balance(self) -> BalanceInfo | None:
        """Fetch the balance; None where these credentials may not see it (subaccounts, Standard keys)."""
        try:
            with at_the_border():
                return read_balance(self._of_account().balance.fetch())
        except TwilioRefused as refused:
            if refused.http_status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND):
                return None
            raise

    def fetch_messaging_service(self, sid: str) -> MessagingServiceInfo:
        """Fetch a Messaging Service; needs no Account SID and tells it."""
        with at_the_border():
            return read_messaging_service(self._client.messaging.v1.services(checked_sid(sid)).fetch())

    def list_senders(self, service_sid: str) -> list[SenderInfo]:
        """List what a Messaging Service can send from: numbers, short codes and names."""
        with at_the_border():
            service = self._client.messaging.v1.services(checked_sid(service_sid))
            return [
                *(read_sender(one, kind="phone_number") for one in service.phone_numbers.list(limit=SENDERS)),
                *(read_sender(one, kind="short_code") for one in service.short_codes.list(limit=SENDERS)),
                *(read_sender(one, kind="alpha_sender") for one in service.alpha_senders.list(limit=SENDERS)),
            ]

    def fetch_verify_service(self, sid: str) -> VerifyServiceInfo:
        """Fetch a Verify Service; needs no Account SID and tells it."""
        with at_the_border():
            return read_verify_service(self._client.verify.v2.services(checked_sid(sid)).fetch())

    def find_number(self, e164: str) -> NumberInfo | None:
        """Find a number among those the account rents; None where it is not one of them."""
        with at_the_border():
            # Twilio's filter also matches parts of numbers.
            found = self._of_account().incoming_phone_numbers.list(phone_number=e164, limit=50)
            return next((read_number(number) for number in found if number.phone_number == e164), None)

    def list_numbers(self, *, limit: int = 200) -> list[NumberInfo]:
        """List the numbers that the account rents, up to a limit."""
        with at_the_border():
            found = self._of_account().incoming_phone_numbers.list(limit=limit, page_size=min(limit, 200))
            return [read_number(number) for number in found]

    def point_service(self, sid: str, *, url: str, method: str = "POST") -> MessagingServiceInfo:
        """Set where a Messaging Service sends incoming messages; an empty address makes Twilio drop them."""
        with at_the_border():
            service = self._client.messaging.v1.services(checked_sid(sid))
            return read_messaging_service(service.update(inbound_request_url=url, inbound_method=method))

    def point_number(self, sid: str, *, url: str, method: str = "POST", application: str = "") -> NumberInfo:
        """Set where a number sends incoming messages: an address, or the TwiML App that goes before it."""
        with at_the_border():
            number = self._of_account().incoming_phone_numbers(checked_sid(sid))
            return read_number(number.update(sms_url=url, sms_method=method, sms_application_sid=application))

    def send_message(self, message: OutgoingMessage) -> MessageSnapshot:
        """Hand a message over; TwilioOutcomeUnknown means that it may be on its way."""
        arguments = create_arguments(message)
        with at_the_border():
            return read_message(self._of_account().messages.create(**arguments))

    def fetch_message(self, sid: str) -> MessageSnapshot:
        """Fetch a message as it stands now."""
        with at_the_border():
            return read_message(self._of_account().messages(checked_sid(sid)).fetch())

    def list_messages(
        self,
        *,
        to: str,
        sent_after: datetime | None = None,
        sent_before: datetime | None = None,
        page_size: int = 100,
        limit: int = 1000,
    ) -> list[MessageSnapshot]:
        """List messages to a number, newest first; with a date, those not sent yet may be missing."""
        arguments = list_arguments(
            to=to, sent_after=sent_after, sent_before=sent_before, page_size=page_size, limit=limit
        )
        with at_the_border():
            return [read_message(message) for message in self._of_account().messages.list(**arguments)]

    def page_of_messages(
        self, *, sent_after: datetime, sent_before: datetime, next_page: str = "", page_size: int = 1000
    ) -> MessagePage:
        """Read one page of everything that was sent in a window; `next_page` is where the page before led to."""
        messages = self._of_account().messages
        with at_the_border():
            if next_page:
                page = messages.get_page(next_page)
            else:
                page = messages.page(
                    date_sent_after=in_utc(sent_after), date_sent_before=in_utc(sent_before), page_size=page_size
                )
            return MessagePage(
                messages=tuple(read_message(message) for message in page), next_page=page.next_page_url or ""
            )

    def fetch_country_prices(self, region: str) -> CountryPrices:
        """Fetch what this account pays for messages to a country (two letters); refused with 404 where unknown."""
        with at_the_border():
            return read_country_prices(self._client.pricing.v1.messaging.countries(checked_sid(region)).fetch())

    def cancel_message(self, sid: str) -> MessageSnapshot:
        """Cancel a scheduled message; refused with 30409 once it is under way."""
        with at_the_border():
            return read_message(self._of_account().messages(checked_sid(sid)).update(status="canceled"))

    def redact_message(self, sid: str) -> MessageSnapshot:
        """Empty the text of a finished message at Twilio."""
        with at_the_border():
            return read_message(self._of_account().messages(checked_sid(sid)).update(body=""))

    def delete_message(self, sid: str) -> None:
        """Delete a finished message at Twilio, with its number and its place in Twilio's log."""
        with at_the_border():
            self._of_account().messages(checked_sid(sid)).delete()

    def start_verification(self, service_sid: str, *, to: str, channel: str, locale: str = "") -> VerificationSnapshot:
        """Have a Verify Service send a code, or the same code again while one is pending for the number.

        Without a locale Twilio chooses the language by the number's country.
        """
        arguments = {"locale": locale} if locale else {}
        with at_the_border():
            service = self._client.verify.v2.services(checked_sid(service_sid))
            return read_verification(service.verifications.create(to=to, channel=channel, **arguments))

    def check_verification(self, service_sid: str, *, code: str, sid: str = "", to: str = "") -> VerificationSnapshot:
        """Compare a code with that of a verification, named by its SID or else by its number.

        Only `approved` means that the code was right. Refused with 60202 or 404 where nothing is left to compare with.
        """
        named = {"verification_sid": checked_sid(sid)} if sid else {"to": to}
        with at_the_border():
            service = self._client.verify.v2.services(checked_sid(service_sid))
            return read_verification(service.verification_checks.create(code=code, **named))

    def fetch_verification(self, service_sid: str, sid: str) -> VerificationSnapshot:
        """Fetch a verification as it stands now."""
        with at_the_border():
            service = self._client.verify.v2.services(checked_sid(service_sid))
            return read_verification(service.verifications(checked_sid(sid)).fetch())

    def cancel_verification(self, service_sid: str, sid: str) -> VerificationSnapshot:
        """Cancel a verification that is pending; refused with 404 where it is not (any more)."""
        with at_the_border():
            service = self._client.verify.v2.services(checked_sid(service_sid))
            return read_verification(service.verifications(checked_sid(sid)).update(status="canceled"))

    def list_attempts(self, service_sid: str, *, created_after: datetime, limit: int = 5000) -> list[VerifyAttempt]:
        """List the codes that a Verify Service sent since then, with what became of each."""
        with at_the_border():
            attempts = self._client.verify.v2.verification_attempts.list(
                verify_service_sid=checked_sid(service_sid),
                date_created_after=in_utc(created_after),
                page_size=min(limit, 1000),
                limit=limit,
            )
            return [read_attempt(attempt) for attempt in attempts]

    def probe_test_credentials(self) -> bool:
        """Tell whether these are Twilio's test credentials; False for live ones, to which nothing is sent.

        Test credentials may do almost nothing, and Twilio says so: reading the account is refused with 20008. Only
        then a message from the magic number proves that they work; it reaches nobody and costs nothing. Raises what
        either request raised otherwise, so wrong credentials are TwilioRefused with 20003.
        """
        try:
            self.fetch_account()
        except TwilioRefused as refused:
            if refused.code != TEST_CREDENTIALS_CODE:
                raise
            self.send_message(OutgoingMessage(to=MAGIC_RECIPIENT, from_=MAGIC_SENDER, body="Heliograph"))
            return True
        return False

    def _of_account(self) -> Any:
        if not self._account:
            raise TwilioMisconfigured("The Account SID is not known, and with an API key it cannot be guessed.")
        return self._client.api.v2010.accounts(checked_sid(self._account))


_gateways: OrderedDict[tuple[Credentials, float | None], Gateway] = OrderedDict()
_lock = threading.Lock()


def gateway_for(credentials: Credentials, *, timeout: float | None = None) -> Gateway:
    """Return the gateway of these credentials, built once and kept while it is among the most recently used.

    A page that somebody waits for names a shorter timeout than the usual one.
    """
    key = (credentials, timeout)
    with _lock:
        gateway = _gateways.pop(key, None) or Gateway(credentials, timeout=timeout)
        _gateways[key] = gateway
        while len(_gateways) > GATEWAYS:
            _gateways.popitem(last=False)
        return gateway
