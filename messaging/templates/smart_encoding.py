"""Smart Encoding: the plain characters that Twilio puts in place of typographic ones before it counts segments.

The pairs are those of https://www.twilio.com/docs/messaging/services#smart-encoding. Accents, most currency signs
and emoji are left alone, so a text can still need UCS-2 afterwards.
"""

import re

# Plain text → every character that becomes it.
_REPLACED: dict[str, str] = {
    '"': "«»“”ʺˮ‟„❝❞〝〞",
    "'": "‘’ʻˈʼʽʹ‛´ˊ`ˋ❛❜\u0313\u0314︐︑",
    "/": "÷⧸\u0337\u0338⁄∕",
    "1/4": "¼",
    "1/2": "½",
    "3/4": "¾",
    "\\": "⧹⧵\u20e5﹨",
    "_": "\u0332‗",
    "|": "\u20d2\u20d3∣⎸⎹⏐⎜⎟",
    "-": "⎼⎽―﹣‐⁃—–•",
    "@": "﹫",
    "$": "﹩",
    "!": "ǃ︕﹗",
    "#": "﹟",
    "%": "﹪",
    "&": "﹠",
    ",": "‚\u0326﹐﹑､、",
    "(": "❨❪﹙⟮⦅",
    ")": "❩❫﹚⟯⦆",
    "*": "⁎∗⊛✢✣✤✥✱✲✳✺✻✼✽❃❉❊❋⧆﹡",
    "+": "˖﹢",
    ".": "。﹒｡",
    ":": "ː˸⦂꞉︓",
    ";": "⁏︔﹔",
    "<": "﹤‹",
    "=": "\u0347꞊﹦",
    ">": "﹥›",
    "?": "︖﹖",
    "A": "ᴀ",
    "B": "ʙ",
    "C": "ᴄ",
    "D": "ᴅ",
    "E": "ᴇ",
    "F": "ꜰ",
    "G": "ɢ",
    "H": "ʜ",
    "I": "ɪ",
    "J": "ᴊ",
    "K": "ᴋ",
    "L": "ʟ",
    "M": "ᴍ",
    "N": "ɴ",
    "O": "ᴏ",
    "P": "ᴘ",
    "R": "ʀ",
    "S": "ꜱ",
    "T": "ᴛ",
    "U": "ᴜ",
    "V": "ᴠ",
    "W": "ᴡ",
    "Y": "ʏ",
    "Z": "ᴢ",
    "^": "ˆ\u0302\u1dcd",
    "{": "❴﹛",
    "}": "❵﹜",
    "~": "˜˷\u0303\u0330\u0334∼",
    "  ": (
        "\u00a0\u2000\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000\u008d"
        "\u009f\u0080\u0090\u009b"
    ),
    "": "\u0010\u0000\u0003\u0004\u0017\u0019\u0011\u0012\u0013\u0014\u2060\u200b\u200c\ufeff",
    "       ": "\u0009",
    "!!": "‼",
    " ": "\u2028\u2029\u2001",
    "...": "…",
}
# The full-width forms lie in the order of ASCII, this far above it. Twilio leaves small letters and ` as they are.
_FULL_WIDTH_OFFSET = 0xFEE0
_ALSO_FULL_WIDTH = "!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_{|}~"

SMART_ENCODING: dict[str, str] = {
    **{chr(ord(plain) + _FULL_WIDTH_OFFSET): plain for plain in _ALSO_FULL_WIDTH},
    **{character: plain for plain, characters in _REPLACED.items() for character in characters},
}
_REPLACEABLE = re.compile(f"[{re.escape(''.join(SMART_ENCODING))}]")


def smart_encode(text: str) -> str:
    """Return the text as Twilio sends it with Smart Encoding on; it can become longer (… is three dots)."""
    return _REPLACEABLE.sub(lambda found: SMART_ENCODING[found[0]], text)
