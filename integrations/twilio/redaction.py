"""Keep phone numbers, bodies and credentials out of exceptions and logs."""

import logging
import re

from integrations.masking import mask_phone

# Six digits and more that stand alone: SIDs (letters beside digits) and error codes (five digits) stay readable.
_NUMBER = re.compile(r"(?<![0-9A-Za-z])((?:\+|%2B)?[0-9]{6,15})(?![0-9A-Za-z])", re.IGNORECASE)
_LONGEST_MESSAGE = 500


def mask_numbers(text: str) -> str:
    """Return the text with every phone number in it masked, cut where it is absurdly long."""
    return _NUMBER.sub(lambda found: mask_phone(re.sub("%2B", "+", found[1], flags=re.I)), text[:_LONGEST_MESSAGE])


def scrub(error: Exception) -> Exception:
    """Return the exception with numbers masked in it and in those it came from.

    The exceptions of requests, aiohttp and the SDK carry addresses with `To=`, whole answers and the Authorization
    header; chained to ours they would reach every log and error report.
    """
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        current.args = tuple(value if isinstance(value, int) else mask_numbers(str(value)) for value in current.args)
        for name in ("request", "response", "doc", "url", "uri", "pool"):
            if name in getattr(current, "__dict__", {}):
                setattr(current, name, None)
        for name in ("msg", "title", "detail"):
            if isinstance(getattr(current, "__dict__", {}).get(name), str):
                setattr(current, name, mask_numbers(getattr(current, name)))
        current = current.__cause__ or current.__context__
    return error


class _MaskNumbers(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = mask_numbers(record.getMessage()), ()
        return True


def quieten_foreign_loggers() -> None:
    """Mask what urllib3 logs at DEBUG (addresses with numbers) and shut the SDK's own request log for good."""
    logging.getLogger("urllib3.connectionpool").addFilter(_MaskNumbers())
    for name in ("twilio.http_client", "twilio.async_http_client"):
        logging.getLogger(name).addFilter(lambda record: False)
