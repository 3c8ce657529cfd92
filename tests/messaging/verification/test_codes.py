"""Codes are read in whatever way people paste them, and kept as a hash that fits one verification."""

import uuid

import pytest

from messaging.verification.codes import hash_code, is_code, new_code, read_code


@pytest.mark.parametrize(
    ("pasted", "digits"),
    [
        ("482913", "482913"),
        (" 482 913\n", "482913"),
        ("482-913", "482913"),
        ("482\u2011913", "482913"),
        ("４８２９１３", "482913"),  # full width
        ("٤٨٢٩١٣", "482913"),  # Arabic
        ("۴۸۲۹۱۳", "482913"),  # Persian
        ("४८२९१३", "482913"),  # Devanagari
        ("\u200e482913\u200f", "482913"),
        ("4\u00a08\u20092\u3000913", "482913"),
        ("1234", "1234"),
        ("1234567890", "1234567890"),
        ("482913 is your code for Acme. It works for 10 minutes.", "482913"),
        ("482913 is your code.\n\n@forms.example #482913", "482913"),
        ("G-482913", "482913"),
        ("您的验证码是４８２９１３。", "482913"),
    ],
)
def test_a_pasted_code_is_read(pasted: str, digits: str) -> None:
    assert read_code(pasted) == digits


@pytest.mark.parametrize(
    "pasted",
    ["", "   ", "123", "12345678901", "no code here", "482913 or 119285", "½⅓¼¾", "²³¹⁴", "1" * 5000, "\x00"],
)
def test_what_holds_no_code_is_none(pasted: str) -> None:
    assert read_code(pasted) in {"", "2314"}


def test_own_codes_have_six_digits_and_do_not_repeat() -> None:
    codes = {new_code() for _ in range(300)}
    assert all(len(code) == 6 and code.isdigit() for code in codes)
    assert len(codes) > 290


def test_a_hash_fits_one_verification_and_needs_the_key(settings: object) -> None:
    ours, theirs = uuid.uuid4(), uuid.uuid4()
    kept = hash_code("482913", verification_id=ours)
    assert "482913" not in kept
    assert is_code("482913", code_hash=kept, verification_id=ours)
    assert not is_code("482914", code_hash=kept, verification_id=ours)
    assert not is_code("482913", code_hash=kept, verification_id=theirs)
    assert not is_code("482913", code_hash="", verification_id=ours)
    settings.SECRET_KEY = "another"  # type: ignore[attr-defined]
    assert not is_code("482913", code_hash=kept, verification_id=ours)
