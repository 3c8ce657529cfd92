"""Which column holds what: guessed from its name in several languages, else from its cells, and never twice."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from integrations.phones import PhoneProblem, parse_phone

_SHARE = 0.6  # of the cells that hold something, for a column to be recognised by what is in it
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")


@dataclass(frozen=True, kw_only=True)
class FieldSpec:
    """Something a page wants from the file: `names` a column may bear, and how its cells look where no name fits."""

    key: str
    label: str
    names: tuple[str, ...] = ()
    is_required: bool = False
    help: str = ""
    looks_right: Callable[[str], bool] | None = None


PHONE_NAMES = (
    "phone", "phone number", "mobile", "mobile number", "mobile phone", "cell", "cell phone", "telephone", "tel",
    "number", "msisdn", "to", "recipient", "whatsapp", "contact number", "phone 1 value",
    "telefon", "telefonnummer", "handy", "handynummer", "mobil", "mobilnummer", "mobiltelefon", "rufnummer", "nummer",
    "téléphone", "portable", "mobile", "numéro", "numéro de téléphone",
    "teléfono", "móvil", "celular", "número", "telefone", "telemóvel", "telefono", "cellulare", "numero",
    "telefoon", "telefoonnummer", "mobiel", "telefonnummer", "puhelin", "puhelinnumero",
    "телефон", "мобильный", "номер", "номер телефона", "telefon numarası", "cep telefonu", "numer telefonu", "komórka",
    "电话", "手机", "手机号", "手机号码", "电话号码", "號碼", "電話", "手機", "手機號碼",
    "電話番号", "携帯電話", "携帯番号",
    "전화번호", "휴대폰", "휴대전화", "هاتف", "رقم الهاتف", "الجوال", "फ़ोन", "मोबाइल",
)  # fmt: skip
NAME_NAMES = (
    "name", "full name", "contact name", "display name", "customer", "customer name", "contact", "first name",
    "vorname", "nachname", "kunde", "ansprechpartner", "nom", "prénom", "nombre", "nombre completo", "nome", "naam",
    "namn", "navn", "nimi", "имя", "фио", "ad", "ad soyad", "imię", "imię i nazwisko", "姓名", "名字", "名前", "氏名",
    "이름", "성명", "اسم", "الاسم", "नाम",
)  # fmt: skip


def phone_field(*, region: str, key: str = "phone", label: str = "Phone number") -> FieldSpec:
    """Return the field that almost every page needs: numbers in any writing, national ones as in `region`."""

    def looks_right(cell: str) -> bool:
        if sum(character.isdigit() for character in cell) < 6:
            return False
        try:
            parse_phone(cell, region=region, allow_magic=True)
        except PhoneProblem:
            return False
        return True

    return FieldSpec(key=key, label=label, names=PHONE_NAMES, is_required=True, looks_right=looks_right)


def looks_like_email(cell: str) -> bool:
    """Tell whether a cell holds an e-mail address."""
    return bool(_EMAIL.fullmatch(cell.strip()))


def guess_columns(
    header: Sequence[str], sample_rows: Sequence[Sequence[str]], *, fields: Iterable[FieldSpec]
) -> dict[str, int]:
    """Return the column of each field that was recognised, by key; a column serves one field at most."""
    fields = tuple(fields)
    guess: dict[str, int] = {}
    folded = [fold(name) for name in header]
    for is_fitting in (_same, _contained):
        for spec in fields:
            if spec.key not in guess and (found := _by_name(spec, folded, guess, is_fitting)) is not None:
                guess[spec.key] = found
    for spec in fields:
        if spec.key not in guess and spec.looks_right is not None:
            shares = {
                column: share(sample_rows, column, spec.looks_right)
                for column in range(len(header))
                if column not in guess.values()
            }
            best = max(shares, key=lambda column: shares[column], default=None)
            if best is not None and shares[best] >= _SHARE:
                guess[spec.key] = best
    return _prefer_cells(guess, header, sample_rows, fields)


def share(rows: Iterable[Sequence[str]], column: int, looks_right: Callable[[str], bool]) -> float:
    """Return how many of the column's cells that hold something look right, as a share of 1."""
    cells = [row[column] for row in rows if column < len(row) and row[column].strip()]
    return sum(map(looks_right, cells)) / len(cells) if cells else 0.0


def fold(name: str) -> str:
    """Return a column's name without what differs between writings: case, accents, signs, spaces."""
    plain = unicodedata.normalize("NFKD", name.casefold())
    kept = (character for character in plain if not unicodedata.combining(character))
    return " ".join("".join(character if character.isalnum() else " " for character in kept).split())


def _by_name(
    spec: FieldSpec, folded: Sequence[str], guess: Mapping[str, int], is_fitting: Callable[[str, str], bool]
) -> int | None:
    wanted = [fold(name) for name in (spec.key, spec.label, *spec.names)]
    for name in wanted:
        for column, heading in enumerate(folded):
            if column not in guess.values() and is_fitting(name, heading):
                return column
    return None


def _same(name: str, heading: str) -> bool:
    return name == heading


def _contained(name: str, heading: str) -> bool:
    """Tell whether the heading has the name among its words; two letters alone say too little."""
    return len(name) > 3 and f" {name} " in f" {heading} "


def _prefer_cells(
    guess: dict[str, int], header: Sequence[str], rows: Sequence[Sequence[str]], fields: Sequence[FieldSpec]
) -> dict[str, int]:
    """Give up a name that its cells contradict where another column's cells speak for it: “Number” may count rows."""
    for spec in fields:
        column = guess.get(spec.key)
        if column is None or spec.looks_right is None or not rows:
            continue
        if share(rows, column, spec.looks_right) >= _SHARE / 2:
            continue
        for other in range(len(header)):
            if other not in guess.values() and share(rows, other, spec.looks_right) >= _SHARE:
                guess[spec.key] = other
                break
    return guess
