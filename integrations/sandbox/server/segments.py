"""How many parts a text is sent in: GSM 03.38 (160, or 153 a part) or UCS-2 (70, or 67 a part).

Parts are counted as carriers cut them, by septets and UTF-16 units; an escape pair or a surrogate pair is never cut.
"""

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("\f^{}\\[~]|€")
_GSM = _BASIC | _EXTENDED

# The replacements people meet most: what word processors and phones put into texts.
_SMART = str.maketrans(
    {
        "“": '"',
        "”": '"',
        "„": '"',
        "«": '"',
        "»": '"',
        "‘": "'",
        "’": "'",
        "‚": "'",
        "`": "'",
        "´": "'",
        "–": "-",
        "—": "-",
        "…": "...",
        "\u00a0": "  ",
        "\u200b": "",
        "\ufeff": "",
    }
)


def smart_encode(text: str) -> str:
    """Replace typographic characters by plain ones, as a Messaging Service with smart encoding does."""
    return text.translate(_SMART)


def count_segments(text: str) -> int:
    """Return the number of parts, at least 1."""
    if _GSM.issuperset(text):
        if len(text) <= 80:  # even if every character were an escape pair
            return 1
        units = [2 if character in _EXTENDED else 1 for character in text]
        return _parts(units, single=160, each=153)
    return _parts([2 if ord(character) > 0xFFFF else 1 for character in text], single=70, each=67)


def _parts(units: list[int], *, single: int, each: int) -> int:
    if sum(units) <= single:
        return 1
    parts, room = 1, each
    for size in units:
        if size > room:
            parts, room = parts + 1, each
        room -= size
    return parts
