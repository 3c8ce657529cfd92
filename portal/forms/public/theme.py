"""An organization's colour on a public page: kept where it can be read, moved just as far as needed where it cannot.

Contrast is WCAG 2.2's: 4.5 for text (1.4.3), https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio.
"""

import re
from dataclasses import dataclass

DEFAULT = "#1f66b5"
# The papers of form.css, and the ink that stands on light colours there.
LIGHT_PAPER, DARK_PAPER = "#ffffff", "#161d27"
_WHITE, _INK = "#ffffff", "#0c1520"
_READABLE = 4.5
_HEX = re.compile(r"#[0-9a-f]{6}", re.IGNORECASE)
_SHORT_HEX = re.compile(r"#[0-9a-f]{3}", re.IGNORECASE)


@dataclass(frozen=True)
class Shades:
    """A colour as fill with the text on it, for one paper; as text and edges it can be read on that paper."""

    accent: str
    on_accent: str


@dataclass(frozen=True)
class Theme:
    """The shades for light and for dark screens."""

    light: Shades
    dark: Shades


def theme_of(color: object) -> Theme:
    """Return the shades of a colour like #1f66b5; what is no colour gets ours."""
    wanted = _read(color)
    light = _shades(wanted, LIGHT_PAPER, toward=(0, 0, 0))
    return Theme(light=light, dark=_shades(wanted, DARK_PAPER, toward=(255, 255, 255)))


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours, 1 to 21."""
    lighter, darker = sorted((_luminance(_rgb(one)), _luminance(_rgb(other))), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _shades(color: str, paper: str, *, toward: tuple[int, ...]) -> Shades:
    accent = next(
        shade for shade in (_mix(color, toward, step / 50) for step in range(51)) if contrast(shade, paper) >= _READABLE
    )
    return Shades(accent, max((_WHITE, _INK), key=lambda text: contrast(text, accent)))


def _read(color: object) -> str:
    text = color.strip() if isinstance(color, str) else ""
    if _SHORT_HEX.fullmatch(text):
        text = "#" + "".join(digit * 2 for digit in text[1:])
    return text.lower() if _HEX.fullmatch(text) else DEFAULT


def _rgb(color: str) -> tuple[int, ...]:
    return tuple(int(color[at : at + 2], 16) for at in (1, 3, 5))


def _mix(color: str, toward: tuple[int, ...], share: float) -> str:
    mixed = (round(own + (other - own) * share) for own, other in zip(_rgb(color), toward, strict=True))
    return "#" + "".join(f"{part:02x}" for part in mixed)


def _luminance(rgb: tuple[int, ...]) -> float:
    linear = [part / 255 / 12.92 if part / 255 <= 0.04045 else ((part / 255 + 0.055) / 1.055) ** 2.4 for part in rgb]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
