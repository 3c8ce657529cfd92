"""How Twilio's answers to a check are read, before anybody decides what they mean for a field."""

from collections.abc import Callable
from enum import StrEnum
from typing import Generic, TypeVar

from integrations.twilio.client import TEST_CREDENTIALS_CODE
from integrations.twilio.errors import TwilioError, TwilioMisconfigured

T = TypeVar("T")

AUTHENTICATION_CODE = 20003
ACCOUNT_NOT_ACTIVE_CODE = 20005
NOT_FOUND_CODE = 20404


class Kind(StrEnum):
    """What an answer amounts to."""

    OK = "ok"
    WRONG_SECRET = "wrong_secret"  # noqa: S105 - the name of an answer
    FORBIDDEN = "forbidden"  # the credentials are right and may not see this
    ABSENT = "absent"  # Twilio says that there is no such thing in this account
    NOT_OFFERED = "not_offered"  # whoever answers does not know this address: a Twilio look-alike
    TEST_CREDENTIALS = "test_credentials"
    NOT_ACTIVE = "not_active"
    NO_ANSWER = "no_answer"


class Answer(Generic[T]):
    """A result, or the error instead of it; `kind` says which."""

    def __init__(self, kind: Kind, *, values: tuple[T, ...] = (), error: TwilioError | None = None) -> None:
        self.kind = kind
        self._values = values
        self.error = error

    @property
    def value(self) -> T:
        """The result; there is one only where the kind is OK."""
        return self._values[0]

    @property
    def code(self) -> int | None:
        return self.error.code if self.error else None


def ask(call: Callable[[], T], *, is_lenient: bool) -> Answer[T]:
    """Make one call to Twilio and read its answer.

    `is_lenient`: whoever answers is not Twilio, and its 404s, 5xx and unreadable answers only mean that it does not
    offer what was asked for.
    """
    try:
        return Answer(Kind.OK, values=(call(),))
    except TwilioError as error:
        return Answer(_read(error, is_lenient=is_lenient), error=error)


def _read(error: TwilioError, *, is_lenient: bool) -> Kind:
    status, code = error.http_status, error.code
    if code == TEST_CREDENTIALS_CODE:
        return Kind.TEST_CREDENTIALS
    if code == ACCOUNT_NOT_ACTIVE_CODE:
        return Kind.NOT_ACTIVE
    if status == 401:
        return Kind.WRONG_SECRET
    if status == 403:
        return Kind.FORBIDDEN
    if code == NOT_FOUND_CODE and not is_lenient:
        return Kind.ABSENT
    if status in (404, 405, 501) or isinstance(error, TwilioMisconfigured):
        return Kind.NOT_OFFERED
    return Kind.NOT_OFFERED if is_lenient and error.outcome_unknown else Kind.NO_ANSWER
