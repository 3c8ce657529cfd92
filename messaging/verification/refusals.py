"""Why a code is not sent or not looked at: one exception, with words for the visitor and other ones for the admin."""

import uuid

from integrations.twilio.errors import TwilioError

from .reasons import admin_words
from .sentences import visitor_sentence


class VerificationRefused(Exception):
    """Nothing was done. `code` is stable: a word of ours, a limit's name, or Twilio's number in digits.

    `visitor` is a sentence in the language that was active, `detail` is for the admin and the API, `retry_after` in
    seconds where waiting helps, `field` the input at fault. `kind` says what it is about: `input`, `route` (nothing of
    the number's: the organization cannot send), `limit` (wait, or use another number), `ended`, `provider` (Twilio).
    `verification_id` names the row that shows it to members, where there is one.
    """

    def __init__(
        self,
        code: str,
        *,
        kind: str,
        visitor: str = "",
        detail: str = "",
        retry_after: int | None = None,
        field: str = "",
    ) -> None:
        self.code, self.kind = code, kind
        self.visitor = visitor or visitor_sentence(reason=code)
        self.detail = detail or admin_words(reason=code).sentence
        self.retry_after, self.field = retry_after, field
        self.verification_id: uuid.UUID | None = None
        super().__init__(self.detail)

    @property
    def is_limit(self) -> bool:
        """Tell whether waiting cures it within the hour: a limit of ours, or one of Twilio's for a moment."""
        return self.kind == "limit" or self.code in _LIMITS_OF_TWILIO


def by_twilio(error: TwilioError, *, reason: str = "", field: str = "") -> VerificationRefused:
    """Return the refusal for what Twilio answered."""
    words = admin_words(code=error.code, reason=reason)
    wait = None if error.retry_after is None else max(1, round(error.retry_after))
    return VerificationRefused(
        reason or str(error.code or "unreachable"),
        kind="provider",
        visitor=visitor_sentence(code=None if reason else error.code, reason=reason or "unreachable"),
        detail=words.sentence,
        retry_after=wait if wait is not None else WAITS.get(error.code or 0),
        field=field,
    )


_LIMITS_OF_TWILIO = frozenset({"20429", "60202", "60203", "60212", "60245"})
# How long waiting takes where Twilio does not say: https://www.twilio.com/docs/verify/api/rate-limits-and-timeouts
WAITS: dict[int, int] = {20429: 5, 60202: 600, 60203: 600, 60212: 5, 60245: 3600, 60410: 12 * 3600}
