"""Segments are counted as Twilio's own calculator counts them, and cut as carriers cut them."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.templates.graphemes import split_graphemes
from messaging.templates.segments import LONGEST_TEXT, ForcingCharacter, measure, suggest_plain
from messaging.templates.smart_encoding import SMART_ENCODING, smart_encode

REFERENCE = Path(__file__).resolve().parents[4] / "shared" / "twilio" / "segments.json"
GSM = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà\f^{}\\[~]|€"
)
FAMILY = "👨‍👩‍👧‍👦"

texts = st.text(max_size=400)
gsm_texts = st.text(st.sampled_from(GSM), max_size=700)
joining_texts = st.lists(
    st.sampled_from(["a", "Ж", "€", "é", "e\u0301", "नि", "👍🏽", FAMILY, "🇮🇹", "\r\n", "ᄒ", "ᅡ", "\u200d", "\u0600"]),
    max_size=120,
).map("".join)


@pytest.fixture(scope="module")
def reference() -> dict[str, Any]:
    if not REFERENCE.exists():
        pytest.skip(f"the reference cases are not here: {REFERENCE.name} beside the project")
    return json.loads(REFERENCE.read_text())


def test_every_reference_case_is_measured_alike(reference: dict[str, Any]) -> None:
    assert len(reference["cases"]) >= 90
    for case in reference["cases"]:
        measured = measure(case["input"], smart_encoding=case["smartEncoding"])
        assert (measured.encoding, measured.segments, measured.code_units) == (
            case["encoding"],
            case["segments"],
            case["codeUnits"],
        ), case["name"]


def test_every_reference_case_is_sent_as_the_same_text(reference: dict[str, Any]) -> None:
    for case in reference["cases"]:
        sent = smart_encode(case["input"]) if case["smartEncoding"] else case["input"]
        assert sent == case["effectiveText"], case["name"]


def test_the_alphabet_is_the_reference_alphabet(reference: dict[str, Any]) -> None:
    septets = {chr(int(code[2:], 16)): len(values) for code, values in reference["gsm7"].items()}
    for code in range(0x10000):
        measured = measure(chr(code))
        assert (measured.encoding == "GSM-7") == (chr(code) in septets), hex(code)
        assert measured.units == septets.get(chr(code), 1), hex(code)


def test_smart_encoding_replaces_what_the_reference_replaces(reference: dict[str, Any]) -> None:
    assert {f"U+{ord(character):04X}": plain for character, plain in SMART_ENCODING.items()} == (
        reference["smart_encoding"]
    )


@pytest.mark.parametrize(
    ("text", "encoding", "segments", "units", "per_segment", "remaining"),
    [
        ("", "GSM-7", 1, 0, 160, 160),
        ("a" * 160, "GSM-7", 1, 160, 160, 0),
        ("a" * 161, "GSM-7", 2, 161, 153, 145),
        ("a" * 306, "GSM-7", 2, 306, 153, 0),
        ("€" * 80, "GSM-7", 1, 160, 160, 0),
        ("€" * 153, "GSM-7", 3, 306, 153, 151),  # 76 pairs a part: a septet is left over in each
        ("a" * 152 + "€" + "b" * 20, "GSM-7", 2, 174, 153, 131),
        ("Ж" * 70, "UCS-2", 1, 70, 70, 0),
        ("Ж" * 71, "UCS-2", 2, 71, 67, 63),
        ("Ж" * 134, "UCS-2", 2, 134, 67, 0),
        ("Ж" * 66 + "😀" * 3, "UCS-2", 2, 72, 67, 61),
        ("a" * 60 + FAMILY, "UCS-2", 2, 71, 67, 56),  # the family moves whole
        ("a\u0301" * 36, "UCS-2", 2, 72, 67, 61),
        ("Ж" + "\u0301" * 140, "UCS-2", 3, 141, 67, 60),  # one grapheme that fits nowhere is cut
        ("\ud83d" * 71, "UCS-2", 2, 71, 67, 63),
    ],
)
def test_a_text_is_cut_where_carriers_cut_it(
    text: str, encoding: str, segments: int, units: int, per_segment: int, remaining: int
) -> None:
    measured = measure(text)
    assert (measured.encoding, measured.segments, measured.units) == (encoding, segments, units)
    assert (measured.per_segment, measured.remaining) == (per_segment, remaining)


def test_1600_characters_are_taken_and_one_more_is_too_long() -> None:
    assert not measure("a" * LONGEST_TEXT).too_long
    assert measure("a" * LONGEST_TEXT).segments == 11
    assert measure("a" * (LONGEST_TEXT + 1)).too_long
    assert measure("…" * 600, smart_encoding=True).characters == 600


def test_characters_that_force_ucs2_are_named_counted_and_placed() -> None:
    assert measure("It’s “on”, isn’t it? 🇮🇹").forcing == (
        ForcingCharacter(char="’", name="right single quotation mark", position=2, count=2),
        ForcingCharacter(char="“", name="left double quotation mark", position=5, count=1),
        ForcingCharacter(char="”", name="right double quotation mark", position=8, count=1),
        ForcingCharacter(char="🇮🇹", name="flag IT", position=21, count=1),
    )


def test_a_character_that_smart_encoding_replaces_forces_nothing() -> None:
    assert [found.char for found in measure("It’s ğood", smart_encoding=True).forcing] == ["ğ"]
    assert measure("It’s good", smart_encoding=True).forcing == ()


@pytest.mark.parametrize(
    ("character", "name"),
    [("\t", "tab"), ("`", "backtick"), ("\u0001", "character U+0001"), ("e\u0301", "combining acute accent")],
)
def test_every_forcing_character_has_a_name(character: str, name: str) -> None:
    assert [(found.char, found.name) for found in measure(f"a {character}").forcing] == [(character, name)]


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("It’s “on” — now…", 'It\'s "on" - now...'),
        ("cafe\u0301 um 9\u00a0Uhr", "café um 9 Uhr"),
        ("a\tb", "a b"),
        ("already plain", None),
        ("It’s 20 °C", None),
        ("Привет…", None),
    ],
)
def test_a_plain_writing_is_offered_where_it_makes_gsm7(text: str, plain: str | None) -> None:
    assert suggest_plain(text) == plain
    assert plain is None or measure(plain).encoding == "GSM-7"


@pytest.mark.parametrize(
    "grapheme",
    [
        "a",
        "e\u0301",
        "नि",
        "👍🏽",
        FAMILY,
        "🏴‍☠️",
        "1️⃣",
        "🇩🇪",
        "한",
        "각\u11a8",
        "ᄒ\u1161\u11ab",
        "\u0600\u0661",
        "กำ",
        "\r",
        "\n",
    ],
)
def test_what_people_see_as_one_character_is_one_grapheme(grapheme: str) -> None:
    assert list(split_graphemes(f"x{grapheme}x")) == ["x", grapheme, "x"]


def test_flags_join_in_pairs() -> None:
    assert list(split_graphemes("🇩🇪🇮🇹🇫")) == ["🇩🇪", "🇮🇹", "🇫"]


def _septets(character: str) -> int:
    return 2 if character in "\f^{}\\[~]|€" else 1


@given(gsm_texts)
def test_gsm_parts_hold_153_septets_and_never_half_a_pair(text: str) -> None:
    total = sum(map(_septets, text))
    parts = [""]
    for character in text:
        if sum(map(_septets, parts[-1])) + _septets(character) > (160 if total <= 160 else 153):
            parts.append("")
        parts[-1] += character
    measured = measure(text)
    assert (measured.encoding, measured.units, measured.segments) == ("GSM-7", total, len(parts))
    assert measured.remaining == measured.per_segment - sum(map(_septets, parts[-1]))


@given(st.one_of(texts, joining_texts), st.booleans())
def test_figures_of_any_text_agree_with_each_other(text: str, smart_encoding: bool) -> None:
    measured = measure(text, smart_encoding=smart_encoding)
    room = measured.segments * measured.per_segment
    assert measured.segments >= 1
    assert 0 <= measured.remaining <= measured.per_segment
    assert measured.units + measured.remaining <= room
    assert bool(measured.forcing) == (measured.encoding == "UCS-2")
    for found in measured.forcing:
        assert text[found.position :].startswith(found.char)


@given(st.one_of(texts, joining_texts, gsm_texts), st.characters())
def test_a_longer_text_never_takes_fewer_segments(text: str, character: str) -> None:
    assert measure(text + character).segments >= measure(text).segments


@given(st.one_of(texts, joining_texts))
def test_the_short_way_counts_as_the_long_way(text: str) -> None:
    """A UCS-2 text is packed grapheme by grapheme, however the measuring found that out."""
    text = "Ж" * 70 + text
    segments, room = 1, 67
    for grapheme in split_graphemes(text):
        whole = len(grapheme.encode("utf-16-le", "surrogatepass")) // 2
        for size in [whole] if whole <= 67 else [len(c.encode("utf-16-le", "surrogatepass")) // 2 for c in grapheme]:
            if size > room:
                segments, room = segments + 1, 67
            room -= size
    if text != "Ж" * 70:
        assert (measure(text).segments, measure(text).remaining) == (segments, room)


@given(st.one_of(texts, joining_texts))
def test_graphemes_joined_are_the_text(text: str) -> None:
    assert "".join(split_graphemes(text)) == text


@given(st.one_of(texts, joining_texts))
def test_smart_encoding_twice_changes_nothing_more(text: str) -> None:
    assert smart_encode(smart_encode(text)) == smart_encode(text)
