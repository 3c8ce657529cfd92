"""Numbers are read as people write them, and refused with a sentence that helps."""

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.phones import (
    MAGIC_NUMBERS,
    NumberKind,
    PhoneProblem,
    SearchForms,
    Sender,
    SenderKind,
    find_region,
    flag_emoji,
    parse_phone,
    parse_sender,
    pretty,
    region_name,
    search_forms,
)
from integrations.region_names import REGION_NAMES


@pytest.mark.parametrize(
    ("raw", "region", "e164"),
    [
        ("+49 30 123456", None, "+4930123456"),
        ("030/12 34 56", "DE", "+4930123456"),
        ("030 123456", "de", "+4930123456"),
        ("4930123456", "DE", "+4930123456"),
        ("+49 (0)30 123456", None, "+4930123456"),
        ("(+49) 30-123.456", "US", "+4930123456"),
        ("tel:+4930123456", None, "+4930123456"),
        ("0049 30 123456", None, "+4930123456"),
        ("0049 30 123456", "DE", "+4930123456"),
        ("0049 30 123456", "US", "+4930123456"),
        ("011 49 30 123456", "US", "+4930123456"),
        ("＋４９ ３０ １２３４５６", None, "+4930123456"),
        ("٠٣٠١٢٣٤٥٦", "DE", "+4930123456"),
        ("\u200e+49\u00a030\u202f123\u2011456\u202c", None, "+4930123456"),
        ("\ufeff+49 30 123456\x00\n", None, "+4930123456"),
        ("'+4930123456", None, "+4930123456"),
        ("4930123456.0", "DE", "+4930123456"),
        ("(212) 555-0100", "US", "+12125550100"),
        ("06 1234567", "IT", "+39061234567"),
        ("+39 (0)6 1234567", None, "+39061234567"),
        ("011 15-2345-6789", "AR", "+5491123456789"),
        ("+52 1 55 1234 5678", None, "+525512345678"),
        ("+5215512345678", "US", "+525512345678"),
        ("010 1234 5678", "KR", "+821012345678"),
    ],
)
def test_a_number_is_read_in_any_writing(raw: str, region: str | None, e164: str) -> None:
    assert parse_phone(raw, region=region).e164 == e164


@pytest.mark.parametrize(
    ("e164", "region", "kind"),
    [
        ("+12125550100", "US", NumberKind.FIXED_OR_MOBILE),
        ("+14165550100", "CA", NumberKind.FIXED_OR_MOBILE),
        ("+18762101234", "JM", NumberKind.MOBILE),
        ("+525512345678", "MX", NumberKind.FIXED_OR_MOBILE),
        ("+5491123456789", "AR", NumberKind.MOBILE),
        ("+541123456789", "AR", NumberKind.FIXED_LINE),
        ("+39061234567", "IT", NumberKind.FIXED_LINE),
        ("+77011234567", "KZ", NumberKind.MOBILE),
        ("+79161234567", "RU", NumberKind.MOBILE),
        ("+447624123456", "IM", NumberKind.MOBILE),
        ("+447797712345", "JE", NumberKind.MOBILE),
        ("+447781123456", "GG", NumberKind.MOBILE),
        ("+447400123456", "GB", NumberKind.MOBILE),
        ("+8613800138000", "CN", NumberKind.MOBILE),
        ("+85291234567", "HK", NumberKind.MOBILE),
        ("+85366123456", "MO", NumberKind.MOBILE),
        ("+886912345678", "TW", NumberKind.MOBILE),
        ("+80012345678", "", NumberKind.TOLL_FREE),
        ("+883510012345678", "", NumberKind.VOIP),
    ],
)
def test_the_region_comes_from_the_whole_number(e164: str, region: str, kind: NumberKind) -> None:
    phone = parse_phone(e164, region=None)
    assert (phone.e164, phone.region, phone.kind) == (e164, region, kind)
    assert e164.startswith(f"+{phone.country_code}")
    assert find_region(e164) == region


@pytest.mark.parametrize(
    ("e164", "is_mainland"),
    [("+8613800138000", True), ("+861012345678", True), ("+85291234567", False), ("+85366123456", False),
     ("+886912345678", False), ("+12125550100", False)],
)  # fmt: skip
def test_only_numbers_of_region_cn_are_mainland_china(e164: str, is_mainland: bool) -> None:
    assert parse_phone(e164, region="CN").is_mainland_china is is_mainland


@pytest.mark.parametrize(
    ("raw", "region", "code", "words"),
    [
        ("", "DE", "empty", "Write a phone number"),
        (" \u200e ", "DE", "empty", "Write a phone number"),
        ("+", None, "not_a_number", "not a phone number"),
        ("n/a", "DE", "not_a_number", "no letters"),
        ("1-800-FLOWERS", "US", "not_a_number", "no letters"),
        ("+33612345678 x5", None, "not_a_number", "no letters"),
        ("030123456, 030654321", "DE", "not_a_number", "one number"),
        ("49+30123456", None, "not_a_number", "one number"),
        ("whatsapp:+4930123456", None, "not_a_number", "Leave out “whatsapp:”"),
        ("4.93012E+11", "DE", "not_a_number", "spreadsheet"),
        ("123", "DE", "too_short", "too short"),
        ("+49", None, "too_short", "too short"),
        ("555-0100", "US", "too_short", "area code"),
        ("+49301234567890123", None, "too_long", "too long"),
        ("0" * 100, "DE", "too_long", "too long"),
        ("+999 1234567", None, "unknown_country", "No country"),
        ("+0049 30 123456", None, "unknown_country", "No country"),
        ("+49 1 2345678", None, "not_valid", "in Germany"),
        ("+44 0000 000000", None, "not_valid", "no such numbers."),
        ("2005550100", "US", "not_valid", "another country begins with +"),
        ("030 123456", None, "no_country", "country is missing"),
        ("030 123456", "XX", "no_country", "country is missing"),
        ("+15005550006", None, "not_valid", "Twilio's test numbers"),
    ],
)
def test_what_is_no_number_is_refused_with_a_next_step(raw: str, region: str | None, code: str, words: str) -> None:
    with pytest.raises(PhoneProblem) as caught:
        parse_phone(raw, region=region)
    assert caught.value.code == code
    assert words in caught.value.message
    assert caught.value.message == str(caught.value)


@pytest.mark.parametrize("e164", sorted(MAGIC_NUMBERS))
def test_magic_numbers_pass_where_they_are_allowed(e164: str) -> None:
    assert parse_phone(e164, region=None, allow_magic=True).e164 == e164


def test_a_phone_is_shown_as_people_write_it() -> None:
    phone = parse_phone("+4930123456", region=None)
    assert (phone.national, phone.international) == ("030 123456", "+49 30 123456")
    assert pretty("+12125550100") == "+1 212-555-0100"
    assert pretty("ACME") == "ACME"
    assert pretty("") == ""


def test_regions_have_names_and_flags() -> None:
    assert (region_name("DE"), flag_emoji("DE"), flag_emoji("de")) == ("Germany", "🇩🇪", "🇩🇪")
    assert (region_name(""), flag_emoji(""), flag_emoji("001")) == ("International number", "", "")
    assert set(phonenumbers.SUPPORTED_REGIONS) <= set(REGION_NAMES)


@pytest.mark.parametrize(
    ("query", "region", "forms"),
    [
        ("+49 30 123456", "US", SearchForms(("+4930123456",), "")),
        ("0049 30 123456", "US", SearchForms(("+4930123456",), "")),
        ("030 123456", "DE", SearchForms(("+4930123456", "+30123456"), "30123456")),
        ("030 123456", "US", SearchForms(("+30123456",), "30123456")),
        ("(212) 555-0100", "DE", SearchForms(("+2125550100",), "2125550100")),
        ("4930123456", None, SearchForms(("+4930123456",), "4930123456")),
        ("+52 1 55 1234 5678", None, SearchForms(("+525512345678", "+5215512345678"), "")),
        ("3456", "DE", SearchForms((), "3456")),
        ("•••• 0012", "DE", SearchForms((), "0012")),
        ("456", "DE", SearchForms()),
        ("Ana", "DE", SearchForms()),
        ("", "DE", SearchForms()),
        ("1" * 18, "DE", SearchForms()),
    ],
)
def test_a_search_finds_any_writing_and_the_last_digits(query: str, region: str | None, forms: SearchForms) -> None:
    found = search_forms(query, region=region)
    assert found.suffix == forms.suffix
    assert set(forms.exact) <= set(found.exact)
    assert len(found.exact) <= 2


@pytest.mark.parametrize(
    ("raw", "region", "sender"),
    [
        ("+1 (212) 555-0100", None, Sender(SenderKind.PHONE_NUMBER, "+12125550100")),
        ("030 123456789", "DE", Sender(SenderKind.PHONE_NUMBER, "+4930123456789")),
        ("+15005550006", None, Sender(SenderKind.PHONE_NUMBER, "+15005550006")),
        ("+15550001111", None, Sender(SenderKind.PHONE_NUMBER, "+15550001111")),
        ("12345", None, Sender(SenderKind.SHORT_CODE, "12345")),
        ("12-345", "US", Sender(SenderKind.SHORT_CODE, "12345")),
        (" Acme ", None, Sender(SenderKind.ALPHANUMERIC, "Acme")),
        ("A&B +-_ 1234", None, None),
        ("A&B +-_ 123", None, Sender(SenderKind.ALPHANUMERIC, "A&B +-_ 123")),
        ("1234567890A", None, Sender(SenderKind.ALPHANUMERIC, "1234567890A")),
        ("Bäcker", None, None),
        ("Acme!", None, None),
        ("", None, None),
        ("12", None, None),
        ("123456789", None, None),
        ("whatsapp:+12125550100", None, None),
        ("+12345", None, None),
    ],
)
def test_a_sender_is_a_number_a_short_code_or_a_name(raw: str, region: str | None, sender: Sender | None) -> None:
    if sender is not None:
        assert parse_sender(raw, region=region) == sender
        return
    with pytest.raises(PhoneProblem) as caught:
        parse_sender(raw, region=region)
    assert caught.value.message.endswith(".")


@given(st.text(max_size=90), st.sampled_from([None, "DE", "US", "IT", "XX"]))
def test_any_input_is_a_number_or_a_problem_that_does_not_repeat_it(raw: str, region: str | None) -> None:
    _check_any(raw, region)


@given(
    st.text(st.sampled_from("+0123456789 ()-/.٣５\u200e"), max_size=24), st.sampled_from([None, "DE", "US", "AR", "BR"])
)
def test_any_run_of_digits_is_a_number_or_a_problem(raw: str, region: str | None) -> None:
    _check_any(raw, region)


def _check_any(raw: str, region: str | None) -> None:
    search_forms(raw, region=region)
    try:
        phone = parse_phone(raw, region=region, allow_magic=True)
    except PhoneProblem as caught:
        problem = caught
    else:
        assert phonenumbers.is_valid_number(phonenumbers.parse(phone.e164))
        assert parse_phone(phone.international, region=None, allow_magic=True) == phone
        assert phone.e164 in search_forms(raw, region=region).exact
        return
    digits = "".join(filter(str.isdecimal, raw))
    assert len(digits) < 7 or digits not in problem.message
