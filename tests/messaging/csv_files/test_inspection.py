"""What a file is, how it is written, and what its columns may be."""

import codecs

import pytest

from messaging.csv_files.columns import FieldSpec, guess_columns, looks_like_email, phone_field
from messaging.csv_files.inspection import Inspection, inspect, letters_of
from messaging.csv_files.problems import FileProblem
from tests.messaging.csv_files.conftest import Keep

pytestmark = pytest.mark.django_db

PHONE = phone_field(region="DE")
NAME = FieldSpec(key="name", label="Name", names=("full name", "姓名"))
EMAIL = FieldSpec(key="email", label="E-mail", names=("mail",), looks_right=looks_like_email)
FIELDS = (PHONE, NAME, EMAIL)


@pytest.mark.parametrize(
    ("encoding", "found"),
    [
        ("utf-8", "utf-8"), ("utf-8-sig", "utf-8"), ("utf-16", "utf-16-le"), ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"), ("gb18030", "gb18030"), ("gbk", "gb18030"),
    ],
)  # fmt: skip
def test_encoding_is_found(keep: Keep, encoding: str, found: str) -> None:
    text = "姓名,电话\n王小明,+86 138 0013 8000\n李雷,+86 138 0013 8001\n"
    seen = inspect(keep(text.encode(encoding)), fields=FIELDS)
    assert (seen.encoding, seen.header) == (found, ["姓名", "电话"])
    assert seen.sample_rows == [["王小明", "+86 138 0013 8000"], ["李雷", "+86 138 0013 8001"]]
    assert seen.guess == {"name": 0, "phone": 1}


def test_big_endian_with_its_mark(keep: Keep) -> None:
    content = codecs.BOM_UTF16_BE + "Name\tPhone\nÄnne\t+49 30 123456\n".encode("utf-16-be")
    seen = inspect(keep(content))
    assert (seen.encoding, seen.delimiter, seen.header) == ("utf-16-be", "\t", ["Name", "Phone"])


def test_western_file_is_not_taken_for_chinese(keep: Keep) -> None:
    people = ["Jürgen Müller", "Zoë Gröning", "François Béchar", "Señor Núñez"]
    content = "Name;Telefon\n" + "".join(f"{name};030 12345{n}\n" for n, name in enumerate(people))
    seen = inspect(keep(content.encode("cp1252")), fields=FIELDS)
    assert seen.encoding == "cp1252"
    assert [row[0] for row in seen.sample_rows] == people


def test_first_letter_beyond_ascii_may_stand_in_the_last_row(keep: Keep) -> None:
    content = b"Name,Phone\n" + b"Ada,+4930123456\n" * 40_000
    assert inspect(keep(content + "王小明,+4930123456\n".encode("gb18030"))).encoding == "gb18030"
    assert inspect(keep(content + "王小明,+4930123456\n".encode())).encoding == "utf-8"


def test_member_knows_better_than_the_guess(keep: Keep) -> None:
    content = "Имя;Телефон\nИван;+7 912 345-67-89\n".encode()
    upload = keep(content if len(content) % 2 else content + b"\n")
    with pytest.raises(FileProblem, match="not written in"):
        inspect(upload, encoding="utf-16-be", delimiter=";")
    as_rows = inspect(upload, delimiter=",", has_header=False)
    assert (as_rows.delimiter, as_rows.header, as_rows.has_header) == (",", ["Column A"], False)
    assert as_rows.first_number == 1


@pytest.mark.parametrize(
    ("delimiter", "other"), [(",", ";"), (";", ","), ("\t", ","), ("|", ","), ("^", ","), ("~", ";")]
)
def test_delimiter_is_found(keep: Keep, delimiter: str, other: str) -> None:
    rows = [["name", "phone", "note"], [f"a{other}b", "+49 30 123456", "x"], ["c", "+49 30 123457", f'"q{other}\nz"']]
    seen = inspect(keep("\n".join(delimiter.join(row) for row in rows).encode()))
    assert (seen.delimiter, seen.header) == (delimiter, ["name", "phone", "note"])


def test_line_that_names_the_separator_is_no_row(keep: Keep) -> None:
    seen = inspect(keep("sep=|\r\nname|phone\r\nAda|+49 30 123456\r\n".encode("utf-8-sig")))
    assert (seen.delimiter, seen.header, seen.first_number) == ("|", ["name", "phone"], 2)


@pytest.mark.parametrize(
    ("content", "has_header"),
    [
        ("name,phone\nAda,+4930123456\n", True),
        ("Ada,+4930123456\nBob,+4930123457\n", False),
        ("+4930123456\n+4930123457\n", False),
        ("Mobile\n+4930123456\n", True),
        ("Kunde,Ort,Nummer\nAda,Rom,030 123456\n", True),
        ("ada@example.com;030 123456\n", False),
    ],
)
def test_heading_is_told_from_rows(keep: Keep, content: str, has_header: bool) -> None:
    seen = inspect(keep(content.encode()), fields=FIELDS)
    assert seen.has_header is has_header
    assert "phone" in seen.guess


NOT_TABLES = {
    "picture": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "not_a_table", "a picture"),
    "jpeg": (b"\xff\xd8\xff\xe0" + bytes(range(256)), "not_a_table", "a picture"),
    "pdf": (b"%PDF-1.7\n%\xe2\xe3\n1 0 obj", "not_a_table", "a PDF"),
    "xlsx": (b"PK\x03\x04\x14\x00" + bytes(200), "not_a_table", "File → Save as"),
    "xls": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(200), "not_a_table", "old Excel"),
    "web page": (b"\n <!DOCTYPE html><html>", "not_a_table", "web page"),
    "vcard": (b"BEGIN:VCARD\r\nVERSION:3.0\r\n", "not_a_table", "address card"),
    "noise": (bytes(range(256)) * 40, "not_text", "holds no text"),
    "nothing but NUL": (b"\x00" * 500, "not_text", "holds no text"),
    "blank": (b"\r\n\r\n  \r\n", "empty", "no rows"),
    "mark alone": (codecs.BOM_UTF8, "empty", "empty"),
    "heading alone": (b"name,phone\n", "no_rows", "no rows below"),
    "one column of words": (b"name\nAda\nBob\n", "no_phones", "no phone numbers"),
    "cyrillic of old": ("имя;телефон\nИван Петров;+7 912\nОльга;+7 913\n" * 5, "encoding", "not known here"),
    "cut off": ("name,phone\nJürg,1\nZoë".encode()[:-1], "cut_off", "its end is missing"),
    "open quote in the heading": (b'"name,phone\nAda,1\n', "open_quote", "never closed"),
    "too long": (b"a,b\n1,2" + b"\n" * 5_000_001, "too_many_rows", "5,000,000 rows"),
    "too wide": (b",".join([b"x"] * 501) + b"\n" + b",".join([b"1"] * 501), "too_many_columns", "500 columns"),
}


@pytest.mark.parametrize("what", NOT_TABLES)
def test_what_is_no_table_is_refused_in_words(keep: Keep, what: str) -> None:
    content, code, words = NOT_TABLES[what]
    with pytest.raises(FileProblem) as refused:
        inspect(keep(content if isinstance(content, bytes) else content.encode("cp1251")), fields=FIELDS)
    assert refused.value.code == code
    assert words in refused.value.detail


def test_inspection_travels_as_json_without_peoples_data(keep: Keep) -> None:
    seen = inspect(keep(b"name,phone\nAda,+4930123456\n"), fields=FIELDS)
    kept = seen.as_json()
    assert "Ada" not in str(kept)
    back = Inspection.from_json(kept)
    assert (back.first, back.header, back.guess) == (seen.first, seen.header, seen.guess)


def test_columns_get_names_one_can_tell_apart(keep: Keep) -> None:
    seen = inspect(keep(b'phone,,phone,"a\nb"\n+4930123456,x,y,z\n'))
    assert seen.header == ["phone", "Column B", "phone (2)", "a b"]
    assert [letters_of(number) for number in (0, 25, 26, 701, 702)] == ["A", "Z", "AA", "ZZ", "AAA"]


@pytest.mark.parametrize(
    ("header", "row", "guess"),
    [
        (["Handynummer", "Vorname"], ["0151 12345678", "Ada"], {"phone": 0}),
        (["手机号码", "姓名"], ["+8613800138000", "王"], {"phone": 0, "name": 1}),
        (["Teléfono", "Correo"], ["+34 612 345 678", "a@b.es"], {"phone": 0, "email": 1}),
        (["Number", "Reach at"], ["1", "030 123456"], {"phone": 1}),
        (["A", "B", "C"], ["Ada", "a@b.de", "030 123456"], {"phone": 2, "email": 1}),
        (["Mobile phone of the customer", "FULL-NAME"], ["", "Ada"], {"phone": 0, "name": 1}),
        (["x", "y"], ["1", "2"], {}),
    ],
)
def test_columns_are_guessed_by_name_and_by_content(header: list[str], row: list[str], guess: dict[str, int]) -> None:
    assert guess_columns(header, [row], fields=FIELDS) == guess
