"""What people paste is cleaned and judged by its looks."""

import pytest

from integrations.connections.pasted import (
    clean_pasted,
    clean_sender,
    secret_problem,
    sender_kind,
    sender_problem,
    sid_problem,
)

SID = "SK" + "0123456789abcdef" * 2


@pytest.mark.parametrize(
    "around",
    [
        "{} ", " {}", "\t{}\r\n", "\u00a0{}\u00a0", "\u200b{}\u200d", "\ufeff{}", '"{}"', "“{}”", "'{}'",
        "\u2009{}\u3000", "`{}`", "\u202a{}\u202c", "\x00{}", "\u2028{}",
    ],
)  # fmt: skip
def test_every_kind_of_blank_and_quote_is_stripped(around: str) -> None:
    assert clean_pasted(around.format(SID)) == SID


def test_blanks_inside_are_stripped_too() -> None:
    assert clean_pasted("SK01 2345\u00a06789\nab") == "SK0123456789ab"


@pytest.mark.parametrize(
    ("value", "prefix", "words"),
    [
        (SID, "SK", ""),
        ("AC" + SID[2:], "SK", "That is an Account SID"),
        ("MG" + SID[2:], "VA", "That is a Messaging Service SID"),
        ("sk" + SID[2:], "SK", "capitals"),
        (SID[:-1], "SK", "too short"),
        (SID + "0", "SK", "too long"),
        (SID[:-1] + "g", "SK", "another character"),
        ("hello", "SK", "begins with SK"),
        ("SK", "SK", "too short"),
        ("SK" + "٣" * 32, "SK", "another character"),
    ],
)
def test_sid_is_judged_in_words(value: str, prefix: str, words: str) -> None:
    problem = sid_problem(value, prefix)
    assert words in problem if words else problem == ""


@pytest.mark.parametrize(
    ("value", "kind", "words"),
    [
        ("KeySecretThatMustNotLeak12345678", "API Key Secret", ""),
        (SID, "API Key Secret", "That is an API Key SID"),
        ("k3yS3cr3t", "API Key Secret", "too short"),
        ("deadbeef" * 4, "Auth Token", ""),
        ("deadbeef" * 4 + "0", "Auth Token", "32 characters"),
        ("•" * 32, "Auth Token", "another character"),
    ],
)
def test_secret_is_judged_without_being_quoted(value: str, kind: str, words: str) -> None:
    problem = secret_problem(value, kind)
    assert words in problem if words else problem == ""
    assert value not in problem


@pytest.mark.parametrize(
    ("typed", "cleaned", "kind"),
    [
        ("+1 (415) 555-0123", "+14155550123", "number"),
        ("\u202a+49 151 12345678\u202c", "+4915112345678", "number"),
        ("12345", "12345", "short_code"),
        (" My  Shop ", "My Shop", "alphanumeric"),
        ("“Acme”", "Acme", "alphanumeric"),
        ("A-b_c &+", "A-b_c &+", "alphanumeric"),
    ],
)
def test_sender_is_cleaned(typed: str, cleaned: str, kind: str) -> None:
    assert clean_sender(typed) == cleaned
    assert sender_problem(cleaned) == ""
    assert sender_kind(cleaned) == kind


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("TwelveLetter", "at most 11"),
        ("Ümlaut", "letters, digits"),
        ("4915112345678", "with + and the country code"),
        ("+12", "7 to 15 digits"),
        ("+0151123456", "7 to 15 digits"),
        ("MG" + SID[2:], "Messaging Service SID"),
        ("--", "at least one letter"),
    ],
)
def test_wrong_sender_is_explained(value: str, words: str) -> None:
    assert words in sender_problem(value)
