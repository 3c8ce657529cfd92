"""What goes wrong is logged with its traceback, but without the values that were at hand."""

import logging
import logging.config
import sys

import pytest

from config.logging import logging_config, mask_exception


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


def test_numbers_in_a_traceback_are_masked() -> None:
    detail = "DETAIL:  Key (organization_id, phone)=(01a224f9-f0b2-7b96-bcbe-5088ac152d9d, +4915112345678) exists."
    event = mask_exception(None, "error", {"event": "step_failed", "exception": f'File "a.py", line 2892\n{detail}'})
    assert "4915112345678" not in event["exception"] and "line 2892" in event["exception"]
    assert "01a224f9-f0b2-7b96-bcbe-5088ac152d9d" in event["exception"]
    assert mask_exception(None, "info", {"event": "x"}) == {"event": "x"}
