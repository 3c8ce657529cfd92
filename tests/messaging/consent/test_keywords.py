"""Keywords: the whole message, however it is written, and nothing that only contains one."""

import pytest

from messaging.consent.keywords import classify


@pytest.mark.parametrize(
    "body",
    ["STOP", "stop", " Stop. ", "«STOP»", "stop!!!", "\u200bSTOP\n", "ＳＴＯＰ", "Stóp", "ST\u200dOP", "STOP\x00",
     "Unsubscribe", "END", "quit", "STOPALL", "revoke", "OptOut", "cancel"],
)  # fmt: skip
def test_a_stop_word_alone_is_a_stop(body: str) -> None:
    assert classify(body) == "stop"


@pytest.mark.parametrize(("body", "expected"), [("Start", "start"), ("yes", "start"), ("UNSTOP", "start"),
                                                ("help", "help"), ("Info?", "help")])  # fmt: skip
def test_start_and_help_words_are_recognised(body: str, expected: str) -> None:
    assert classify(body) == expected


@pytest.mark.parametrize(
    "body",
    ["", "   ", "please stop", "Stop please", "stop it", "yes I will", "STOPP", "non-stop", "...", "🙂", "x" * 100_000,
     "stop" + " " * 5 + "start", "\x00"],
)  # fmt: skip
def test_a_keyword_inside_a_sentence_is_none(body: str) -> None:
    assert classify(body) is None
