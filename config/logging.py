"""Logs: structured, one line an event, without numbers or secrets."""

from collections.abc import MutableMapping
from typing import Any

import structlog

from integrations.masking import mask_numbers_in

_PRE_CHAIN: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso"),
]


def mask_exception(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Mask phone numbers in a traceback: an error of the database repeats the values that were written."""
    if isinstance(event.get("exception"), str):
        event["exception"] = mask_numbers_in(event["exception"])
    return event


def logging_config(*, level: str, as_json: bool) -> dict[str, Any]:
    """Return the dictConfig of standard logging and set structlog up to end in the same handlers."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.filter_by_level,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.add_log_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            mask_exception,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if as_json
        # The stock formatter of exceptions prints the local variables of every frame: passwords, tokens, numbers.
        else structlog.dev.ConsoleRenderer(
            colors=False, pad_event_to=0, exception_formatter=structlog.dev.plain_traceback
        )
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "structured": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processor": renderer,
                "foreign_pre_chain": _PRE_CHAIN,
            }
        },
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "structured"}},
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            # The request line of a search may hold a number: our own access log (django_structlog) masks it.
            "django.server": {"handlers": [], "propagate": False},
            "django.request": {"level": "ERROR"},
            "django_structlog": {"level": "WARNING"},
            "twilio": {"level": "WARNING"},
            # A line for each task and sweep would bury what matters.
            "celery": {"level": "WARNING"},
            "httpx": {"level": "WARNING"},
            "faker": {"level": "WARNING"},
        },
    }
