"""Masks show enough to recognise and never enough to use."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.masking import mask_email, mask_ip, mask_numbers_in, mask_phone, mask_secret


@pytest.mark.parametrize(
    ("phone", "masked"),
    [
        ("+4930123456", "+49•••••56"),
        ("+12125550100", "+1•••••00"),
        ("+85291234567", "+852•••••67"),
        ("+999123456", "+•••••56"),
        ("+49 30 123456", "+49•••••56"),
        ("whatsapp:+4930123456", "whatsapp:+49•••••56"),
        ("030123456", "•••••56"),
        ("12345", "•••••45"),
        ("123", "•••••"),
        ("Acme 24", "Acme 24"),
        ("MG0123456789abcdef0123456789abcdef", "MG0123456789abcdef0123456789abcdef"),
        ("", ""),
    ],
)
def test_a_number_keeps_its_country_and_two_digits(phone: str, masked: str) -> None:
    assert mask_phone(phone) == masked


@pytest.mark.parametrize(
    ("email", "masked"),
    [
        ("ana@example.com", "a•••••@example.com"),
        ('"a@b"@example.com', '"•••••@example.com'),
        ("@example.com", "•••••@example.com"),
        ("not an address", "•••••"),
        ("", ""),
    ],
)
def test_an_address_keeps_a_letter_and_its_domain(email: str, masked: str) -> None:
    assert mask_email(email) == masked


def test_a_secret_shows_only_that_it_is_there() -> None:
    assert mask_secret("x") == mask_secret("a much longer secret") == "•••••"
    assert mask_secret("") == ""


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("The number +917000123456 is unverified.", "The number +91•••••56 is unverified."),
        ("'To' number: +22177123XXXX", "'To' number: +221•••••"),
        ("call 030 123 45 67 or (030) 765-4321.", "call •••••67 or (•••••21."),
        ("To=+1(212)555-0100&From=12125550199", "To=+1•••••00&From=•••••99"),
        ("whatsapp:+4930123456", "whatsapp:+49•••••56"),
        ("To=%2B4930123456", "To=%2B•••••56"),
        ("+2030-12-34 56", "+20•••••56"),
        ("+49\u00a030\u200e123\u2011456", "+49•••••56"),
        ("٠٣٠١٢٣٤٥٦٧", "•••••٦٧"),
        ("error 21610, 160 characters, 2026", "error 21610, 160 characters, 2026"),
        ("on 2026-03-01 at noon", "on 2026-03-01 at noon"),
        ("SM01234567890123456789012345678901", "SM01234567890123456789012345678901"),
        ("01931111-2222-7333-8444-123456789012", "01931111-2222-7333-8444-123456789012"),
        ("https://www.twilio.com/docs/errors/21608", "https://www.twilio.com/docs/errors/21608"),
        ("", ""),
    ],
)
def test_numbers_in_free_text_are_masked_and_nothing_else(text: str, masked: str) -> None:
    assert mask_numbers_in(text) == masked


@pytest.mark.parametrize(
    ("ip", "network"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        (" 203.0.113.77 ", "203.0.113.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("fe80::1%eth0", "fe80::/48"),
        ("not an address", ""),
        ("", ""),
    ],
)
def test_an_address_is_kept_as_its_network(ip: str, network: str) -> None:
    assert mask_ip(ip) == network


@given(st.text(st.sampled_from("0123456789+-. ()/Xx,ab:\u00a0\u200e"), max_size=60))
def test_no_run_of_seven_digits_is_left(text: str) -> None:
    assert not re.search(r"\d{7}", mask_numbers_in(text))


@given(st.from_regex(r"\+[1-9][0-9]{7,14}", fullmatch=True), st.text(max_size=20), st.text(max_size=20))
def test_a_whole_number_never_survives_in_a_text(phone: str, before: str, after: str) -> None:
    masked = mask_numbers_in(f"{before} {phone} {after}")
    assert phone not in masked
    assert sum(map(str.isdecimal, mask_phone(phone))) <= 5
