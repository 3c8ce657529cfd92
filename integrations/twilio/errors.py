"""What a call to Twilio can end in, apart from a result. Callers decide by class and attributes, never by text.

    TwilioError
    ├── TwilioMisconfigured     we did not even build the request: something is missing or malformed
    ├── TwilioUnreachable       no connection came about, nothing was written: sending again is safe
    │   └── TwilioNotBegun      it was too late to begin: we ourselves let it be
    ├── TwilioRefused           Twilio said no and did nothing: `entry.retry` and `is_permanent` say what next
    └── TwilioOutcomeUnknown    it may have worked: look at Twilio's list before anything is repeated

`message` is Twilio's own text, or ours where Twilio said nothing, with phone numbers masked; for people use `entry`.
"""

from http import HTTPStatus

from integrations.twilio.error_entry import ErrorEntry, Retry
from integrations.twilio.error_table import explain
from integrations.twilio.redaction import mask_numbers

TOO_MANY_REQUESTS_CODE = 20429


class TwilioError(Exception):
    """Base of all. `retry_after` is in seconds, `request_id` is what Twilio's support asks for."""

    outcome_unknown = False

    def __init__(
        self,
        message: str,
        *,
        code: int | None = None,
        http_status: int | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        self.message = mask_numbers(message)
        self.code = code
        self.http_status = http_status
        self.request_id = request_id
        self.retry_after = retry_after
        super().__init__(self.message)

    @property
    def entry(self) -> ErrorEntry:
        """The explanation in our words; a bare 429 without a code is explained as what it is."""
        if self.code is None and self.http_status == HTTPStatus.TOO_MANY_REQUESTS:
            return explain(TOO_MANY_REQUESTS_CODE)
        return explain(self.code)

    @property
    def is_permanent(self) -> bool:
        """Whether the same request can never succeed, however long one waits."""
        return False

    def __str__(self) -> str:
        known = {"code": self.code, "http": self.http_status, "request": self.request_id}
        details = ", ".join(f"{name} {value}" for name, value in known.items() if value is not None)
        return f"{self.message} ({details})" if details else self.message


class TwilioMisconfigured(TwilioError):
    """The request was never built: no sender, no account, a malformed SID, an address we do not trust."""

    @property
    def is_permanent(self) -> bool:
        return True


class TwilioUnreachable(TwilioError):
    """Name resolution, connecting or the TLS handshake failed before a byte of the request was written."""


class TwilioNotBegun(TwilioUnreachable):
    """The moment before which the request was to begin had passed when it could have been written."""


class TwilioRefused(TwilioError):
    """A 4xx other than 408 and 499: whoever answered, Twilio surely did not act."""

    @property
    def is_permanent(self) -> bool:
        """True unless it is a matter of rate or time; an unexplained refusal would only be repeated."""
        return self.http_status != HTTPStatus.TOO_MANY_REQUESTS and self.entry.retry is not Retry.LATER


class TwilioOutcomeUnknown(TwilioError):
    """Timeout or reset after writing, 5xx, redirect, or an answer that cannot be read."""

    outcome_unknown = True
