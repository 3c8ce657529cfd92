"""Answers: every kind in every writing, and what a page that was tampered with sends."""

from typing import Any

import pytest
from django.http import QueryDict

from portal.forms.answers import Reading, SentFile, read_answers, search_text_of
from portal.forms.definition import parse
from portal.forms.file_kinds import FILE_KINDS, accept_of, kind_of
from tests.portal.forms.samples import EXE, HTML, JPEG, PDF, PNG, QUESTIONS, SVG, archive, docx

DEFINITION = parse(QUESTIONS)
GOOD = {"f1": "Ada", "f2": "+49 1511 2345678"}


def read_it(files: dict[str, SentFile] | None = None, *, kept: dict[str, Any] | None = None, **given: Any) -> Reading:
    data = QueryDict(mutable=True)
    for name, value in {**GOOD, **given}.items():
        data.setlist(name, value if isinstance(value, list) else [value])
    return read_answers(DEFINITION, data, files, region="DE", kept_files=kept)


def test_good_answers_are_kept_by_key() -> None:
    reading = read_it(
        {"f8": SentFile("me.png", PNG)},
        f3=" ada@example.com ", f4="M", f5=["Wed", "Mon"], f6="2026-05-31", f7="3", f9="on", f10="Two\r\nlines",
    )  # fmt: skip
    assert reading.problems == {}
    assert reading.answers == {
        "f1": "Ada",
        "f2": "+4915112345678",
        "f3": "ada@example.com",
        "f4": "M",
        "f5": ["Mon", "Wed"],
        "f6": "2026-05-31",
        "f7": 3,
        "f8": {"name": "me.png", "size": len(PNG), "type": "png"},
        "f9": True,
        "f10": "Two\nlines",
    }
    assert reading.phone is not None
    assert reading.phone.e164 == "+4915112345678"
    assert [(file.key, file.name, file.kind) for file in reading.files] == [("f8", "me.png", "png")]
    assert "ada@example.com" in search_text_of(DEFINITION, reading.answers)


def test_what_is_not_answered_is_left_out_and_what_is_required_asked_for() -> None:
    reading = read_it(f1="  ", f2="")
    assert set(reading.problems) == {"f1", "f2"}
    assert reading.answers == {"f9": False}
    assert not reading.is_good


def test_nothing_but_the_questions_is_read() -> None:
    reading = read_it(f99="extra", csrf="x", verified_at="2026-01-01", phone="+15005550006", f4="M")
    assert set(reading.answers) == {"f1", "f2", "f4", "f9"}


@pytest.mark.parametrize(
    "number",
    ["01511 2345678", "+49 (0)1511/234-5678", "００４９１５１１２３４５６７８", "+٤٩١٥١١٢٣٤٥٦٧٨", "0049-1511-2345678"],
)
def test_number_is_read_in_every_writing_and_script(number: str) -> None:
    reading = read_it(f2=number)
    assert reading.answers["f2"] == "+4915112345678", reading.problems


@pytest.mark.parametrize(
    "number", ["12", "+999 123", "no number", "+49 1511 2345678 9012345678", "+15005550006", "🙂", "x" * 500]
)
def test_impossible_number_reads_one_calm_sentence(number: str) -> None:
    problem = read_it(f2=number).problems["f2"]
    assert problem.endswith(".")
    assert number not in problem


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("f3", "ada"),
        ("f3", "a@b"),
        ("f3", "x" * 300 + "@example.com"),
        ("f4", "XXL"),
        ("f5", ["Mon", "Sun"]),
        ("f5", ["Mon", "Tue", "Wed"]),
        ("f6", "31.05.2026"),
        ("f6", "2026-02-30"),
        ("f6", "0001-01-01"),
        ("f7", "three"),
        ("f7", "0"),
        ("f7", "11"),
        ("f7", "1e3"),
        ("f7", "1.000,5"),
        ("f7", "9" * 400),
        ("f7", "NaN"),
        ("f1", "x" * 201),
        ("f10", "x" * 51),
    ],
)
def test_answer_that_does_not_fit_is_refused_at_its_question(key: str, value: Any) -> None:
    reading = read_it(**{key: value})
    assert list(reading.problems) == [key]
    assert key not in reading.answers


def test_digits_of_other_scripts_are_digits() -> None:
    reading = read_it(f6="２０２６-05-٣١", f7="٣")
    assert (reading.answers["f6"], reading.answers["f7"]) == ("2026-05-31", 3)


def test_signs_that_cannot_be_stored_or_seen_are_taken_out() -> None:
    reading = read_it(f1="A\u200bd\u202ea\x00", f10="\x00\ufeff")
    assert reading.answers["f1"] == "Ada"
    assert "f10" not in reading.answers


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("photo.png", HTML),
        ("photo.png", SVG),
        ("photo.jpg", EXE),
        ("photo.png", PDF),
        ("photo.png", b"\x89PN"),
        ("photo.png", b""),
    ],
)
def test_disguised_file_is_refused(name: str, content: bytes) -> None:
    reading = read_it({"f8": SentFile(name, content)})
    assert set(reading.problems) == {"f8"}
    assert reading.files == []


def test_oversized_file_is_refused_with_its_limit() -> None:
    for sent in (SentFile("big.png", None), SentFile("big.png", PNG + b"\x00" * 1_000_000)):
        assert "1 MB" in read_it({"f8": sent}).problems["f8"]


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd", "passwd.png"),
        ("C:\\photos\\me.PNG", "me.png"),
        ("me.png.exe", "me.png.png"),
        ("a<b>\x00\u202e.jpg", "a_b_.png"),
        ("", "file.png"),
        (".png", "png.png"),
        ("x" * 300 + ".png", "x" * 116 + ".png"),
    ],
)
def test_name_of_a_file_is_harmless_and_ends_as_what_it_is(name: str, kept: str) -> None:
    [file] = read_it({"f8": SentFile(name, PNG)}).files
    assert file.name == kept


def test_file_that_came_before_stays_until_another_comes() -> None:
    before = {"name": "me.png", "size": 5, "type": "png"}
    assert read_it(kept={"f8": before}).answers["f8"] == before
    assert read_it({"f8": SentFile("new.jpg", JPEG)}, kept={"f8": before}).answers["f8"]["name"] == "new.jpg"


def test_file_is_known_by_what_is_in_it() -> None:
    samples = {
        "pdf": PDF,
        "png": PNG,
        "jpg": JPEG,
        "gif": b"GIF89a...",
        "webp": b"RIFF\x00\x00\x00\x00WEBPVP8 ",
        "heic": b"\x00\x00\x00\x18ftypheic",
        "mp4": b"\x00\x00\x00\x18ftypisom",
        "docx": docx(),
        "xlsx": archive("[Content_Types].xml", "xl/workbook.xml"),
        "odt": b"PK\x03\x04" + b"\x00" * 26 + b"mimetypeapplication/vnd.oasis.opendocument.textPK",
        "ods": b"PK\x03\x04" + b"\x00" * 26 + b"mimetypeapplication/vnd.oasis.opendocument.spreadsheetPK",
        "txt": "Größe,1\nÄ,2\n".encode(),
    }
    assert {name: kind.name for name, content in samples.items() if (kind := kind_of(content))} == {
        name: name for name in FILE_KINDS
    }
    with_macros = archive("[Content_Types].xml", "word/vbaProject.bin")
    for other in (HTML, SVG, EXE, archive("x"), with_macros, b"PK\x03\x04x", b"", b"#!/bin/sh"):
        assert kind_of(other) is None
    assert accept_of(["pdf", "jpg"]) == ".pdf,.jpg,.jpeg"
