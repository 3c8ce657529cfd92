"""Every error code of Twilio that we explain, in one mapping.

The words stand in `error_words`, a module per range of codes. A code that has no entry there gets an honest general one
from `explain`, so that a page always has something to say.
"""

from collections.abc import Mapping
from types import MappingProxyType

from integrations.twilio.error_entry import Charged, ErrorEntry, Retry, Scope, describe
from integrations.twilio.error_words import account, calls, channels, delivery, limits, sending, verify

__all__ = ["ERRORS", "Charged", "ErrorEntry", "Retry", "Scope", "explain"]

NO_CODE = 0

ERRORS: Mapping[int, ErrorEntry] = MappingProxyType(
    {
        entry.code: entry
        for module in (account, calls, sending, delivery, limits, verify, channels)
        for entry in module.ENTRIES
    }
)

_WITHOUT_CODE = describe(
    NO_CODE,
    "No error code given",
    "The request failed and no Twilio error code came with it. A network device or a proxy in between may have "
    "answered.",
    "Try once more in a few minutes. If it stays, ask whoever runs this installation whether it can reach Twilio.",
    retry=Retry.UNKNOWN,
    scope=Scope.REQUEST,
    charged=Charged.MAYBE,
)


def explain(code: int | None) -> ErrorEntry:
    """Return the entry of a code; an unknown code gets a general one that carries the code, None one with code 0."""
    if code is None:
        return _WITHOUT_CODE
    entry = ERRORS.get(code)
    if entry is not None:
        return entry
    return describe(
        code,
        f"Twilio error {code}",
        "Twilio reported an error code for which this product has no explanation yet.",
        f"Look the code up at twilio.com/docs/errors/{code}, or find the request in Twilio's Console under "
        "Monitor → Logs → Errors.",
        retry=Retry.UNKNOWN,
        scope=Scope.REQUEST,
        charged=Charged.MAYBE,
    )
