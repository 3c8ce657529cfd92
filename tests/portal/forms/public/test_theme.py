"""Whatever colour an organization picks, it can be read."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.forms.public.theme import DARK_PAPER, DEFAULT, LIGHT_PAPER, contrast, theme_of

COLORS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


@settings(max_examples=200, deadline=None)
@given(color=COLORS)
def test_every_colour_can_be_read_on_both_papers_and_under_its_text(color: str) -> None:
    theme = theme_of(color)
    for shades, paper in ((theme.light, LIGHT_PAPER), (theme.dark, DARK_PAPER)):
        assert contrast(shades.accent, paper) >= 4.5
        assert contrast(shades.accent, shades.on_accent) >= 4.5


def test_a_colour_that_can_be_read_stays_as_it_is() -> None:
    assert theme_of("#1F66B5").light.accent == "#1f66b5"
    assert theme_of("#fff").dark.accent == "#ffffff"


@pytest.mark.parametrize("color", ["", "red", "#12345", "javascript:", "#fff;}body{", None, 7])
def test_what_is_no_colour_gets_ours(color: object) -> None:
    assert theme_of(color) == theme_of(DEFAULT)


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
