"""What goes wrong is logged with its traceback, but without the values that were at hand."""

import logging
import logging.config
import sys

import pytest

from config.logging import logging_config


@pytest.mark.parametrize("as_json", [True, False])
def test_traceback_holds_no_local_variables(as_json: bool) -> None:
    wiring = logging_config(level="INFO", as_json=as_json)["formatters"]["structured"]
    formatter = wiring.pop("()")(**wiring)

    def fail(*, auth_token: str) -> None:
        raise LookupError("nothing there")

    try:
        fail(auth_token="do-not-" + "write-me")
    except LookupError:
        record = logging.LogRecord("django.request", logging.ERROR, __file__, 1, "went wrong", None, sys.exc_info())
    written = formatter.format(record)
    assert "went wrong" in written
    assert "LookupError" in written
    assert "do-not-write-me" not in written
