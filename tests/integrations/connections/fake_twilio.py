"""A Twilio whose every answer a test chooses, put in the place of the Gateway."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from integrations.twilio.client import Credentials
from integrations.twilio.errors import TwilioRefused
from integrations.twilio.results import (
    AccountInfo,
    BalanceInfo,
    MessagingServiceInfo,
    NumberInfo,
    SenderInfo,
    VerifyServiceInfo,
)

ACCOUNT = "AC" + "a" * 32
OTHER_ACCOUNT = "AC" + "b" * 32
KEY = "SK" + "1" * 32
MG = "MG" + "2" * 32
VA = "VA" + "3" * 32
SECRET = "KeySecretThatMustNotLeak12345678"
TOKEN = "deadbeef" * 4
NUMBER = "+14155550123"


def refused(code: int | None, status: int) -> TwilioRefused:
    return TwilioRefused("refused", code=code, http_status=status)


def account(**changes: Any) -> AccountInfo:
    values = {"sid": ACCOUNT, "friendly_name": "Acme", "status": "active", "type": "Full", "owner_account_sid": ACCOUNT}
    return AccountInfo(**{**values, **changes})


def messaging_service(**changes: Any) -> MessagingServiceInfo:
    values: dict[str, Any] = {
        "sid": MG,
        "account_sid": ACCOUNT,
        "friendly_name": "Notices",
        "inbound_request_url": "",
        "use_inbound_webhook_on_number": False,
        "status_callback": "",
        "smart_encoding": False,
        "validity_period": 36000,
    }
    return MessagingServiceInfo(**{**values, **changes})


def verify_service(**changes: Any) -> VerifyServiceInfo:
    values: dict[str, Any] = {"sid": VA, "account_sid": ACCOUNT, "friendly_name": "Codes", "code_length": 6}
    return VerifyServiceInfo(**{**values, **changes})


def sender(value: str = NUMBER) -> SenderInfo:
    return SenderInfo(kind="phone_number", sid="PN" + "4" * 32, value=value, country_code="US", capabilities=("sms",))


def number(*capabilities: str) -> NumberInfo:
    return NumberInfo(sid="PN" + "4" * 32, phone_number=NUMBER, capabilities=capabilities or ("sms",), status="in-use")


class FakeTwilio:
    """Answers by method name; a second dictionary answers for one username alone. An exception is raised."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []
        self.credentials: list[Credentials] = []
        self.before: Callable[[str], None] = lambda method: None
        self.by_user: dict[str, dict[str, Any]] = {}
        self.answers: dict[str, Any] = {
            "fetch_account": account(),
            "fetch_balance": BalanceInfo(Decimal("25.5"), "USD"),
            "fetch_messaging_service": messaging_service(),
            "fetch_verify_service": verify_service(),
            "list_senders": [sender()],
            "find_number": number(),
            "list_messages": [],
            "send_message": None,
        }

    def everything(self, answer: Any) -> None:
        """Let every method answer the same."""
        self.answers = dict.fromkeys(self.answers, answer)

    def called(self, method: str) -> int:
        return sum(name == method for _, name in self.calls)

    def gateway_for(self, credentials: Credentials) -> "FakeGateway":
        self.credentials.append(credentials)
        return FakeGateway(self, credentials.username)


class FakeGateway:
    def __init__(self, twilio: FakeTwilio, username: str) -> None:
        self._twilio, self._username = twilio, username

    def __getattr__(self, method: str) -> Callable[..., Any]:
        answers = {**self._twilio.answers, **self._twilio.by_user.get(self._username, {})}
        answer = answers[method]

        def call(*args: Any, **options: Any) -> Any:
            self._twilio.calls.append((self._username, method))
            self._twilio.before(method)
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call
