"""Inks, glyphs and what is shown at which size."""

from __future__ import annotations

from itertools import product

import pytest
from rich.cells import cell_len
from textual.color import Color

from voicecli.ui.screen.glyphs import ASCII, UNICODE
from voicecli.ui.screen.layout import Layout
from voicecli.ui.screen.theme import ALL, DARK, LIGHT, PLAIN, TEXT_ROLES, Inks, contrast


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)
    assert contrast("#123456", "#123456") == 1


@pytest.mark.parametrize("inks", [DARK, LIGHT], ids=lambda inks: inks.name)
def test_everything_that_is_read_has_a_contrast_of_4_5_on_each_surface_and_shapes_have_3(inks: Inks) -> None:
    for surface in inks.surface:
        for role in TEXT_ROLES:
            assert contrast(inks.colour(role), surface) >= 4.5, (role, surface)
        assert contrast(inks.colour("faint"), surface) >= 3, surface


def test_without_colours_nothing_has_a_colour() -> None:
    for role, _ in DARK.colours:
        style = PLAIN(role, bold=True, italic=True)
        assert style.color is None
        assert style.bgcolor is None
        assert style.bold
        assert not style.italic
    assert not PLAIN.coloured


def test_a_style_has_what_was_asked_for_and_nothing_else() -> None:
    style = DARK("muted", strike=True)
    assert style.strike
    assert not style.bold
    assert not style.italic
    assert style.color is not None
    assert style.color.name == "#8a97a6"


@pytest.mark.parametrize("inks", [DARK, LIGHT], ids=lambda inks: inks.name)
def test_the_theme_of_textual_is_made_from_the_same_table(inks: Inks) -> None:
    theme = inks.theme()
    colours = theme.to_color_system().generate()
    assert theme.name == inks.name
    assert theme.dark is inks.dark
    for name, colour in {
        "background": inks.surface.bg,
        "surface": inks.surface.panel,
        "panel": inks.surface.raised,
        "foreground": inks.colour("fg"),
        "text-muted": inks.colour("muted"),
        "warning": inks.colour("warn"),
    }.items():
        theirs, ours = Color.parse(colours[name]).rgb, Color.parse(colour).rgb
        assert all(abs(a - b) <= 1 for a, b in zip(theirs, ours, strict=True)), name  # Textual rounds


def test_the_theme_without_colours_leaves_the_terminals_own() -> None:
    theme = PLAIN.theme()
    assert theme.ansi
    assert theme.background == theme.foreground == theme.surface == "ansi_default"
    assert len({inks.name for inks in ALL}) == 3


@pytest.mark.parametrize("glyphs", [UNICODE, ASCII], ids=["unicode", "ascii"])
def test_each_glyph_takes_one_cell(glyphs: object) -> None:
    assert isinstance(glyphs, type(UNICODE))
    for name, glyph in glyphs._asdict().items():
        if name == "levels":
            assert len(glyph) == 8
            assert all(cell_len(char) == 1 for char in glyph)
        elif name == "cut_text":
            assert cell_len(glyph) == 2
        elif name != "more":
            assert cell_len(glyph) == 1, name


def test_the_ascii_glyphs_are_ascii() -> None:
    assert all(glyph.isascii() and glyph.isprintable() for glyph in ASCII)


def test_columns_lie_within_the_screen_at_every_width() -> None:
    for width, height in product(range(20, 260), (5, 12, 24, 26, 60)):
        layout = Layout.of(width, height)
        assert 0 <= layout.centred_left <= layout.text_column
        assert layout.text_width <= 92
        assert layout.text_column + layout.text_width + layout.side_width <= layout.main_width
        assert layout.text_column < layout.edge <= width


def test_what_goes_first_when_it_gets_narrow() -> None:
    def shown(width: int) -> list[str]:
        layout = Layout.of(width, 40)
        names = ("rail", "sparkline", "echo_words", "model", "tape", "gutter", "bar", "delay")
        return [name for name in names if getattr(layout, name)]

    assert shown(116) == ["rail", "sparkline", "echo_words", "model", "tape", "gutter", "bar", "delay"]
    assert shown(115) == ["sparkline", "echo_words", "model", "tape", "gutter", "bar", "delay"]
    assert shown(71) == ["model", "tape", "gutter", "bar", "delay"]
    assert shown(63) == ["bar", "delay"]
    assert shown(55) == []


def test_what_goes_first_when_it_gets_low() -> None:
    def shown(height: int) -> list[str]:
        layout = Layout.of(120, height)
        return [name for name in ("air", "rail", "tape", "keys", "top") if getattr(layout, name)]

    assert shown(30) == ["air", "rail", "tape", "keys", "top"]
    assert shown(29) == ["rail", "tape", "keys", "top"]
    assert shown(25) == ["tape", "keys", "top"]
    assert shown(15) == ["keys", "top"]
    assert shown(9) == ["top"]
    assert shown(7) == []


def test_wide_screens_have_their_column_in_the_middle() -> None:
    wide = Layout.of(200, 60)
    assert wide.main_width == 164
    assert wide.centred_left == 26
    assert wide.text_column == 38
    assert Layout.of(159, 60).centred_left == 0


def test_under_20x5_the_size_that_is_needed_is_said() -> None:
    assert Layout.of(20, 5).fits
    assert not Layout.of(19, 5).fits
    assert not Layout.of(20, 4).fits
    assert Layout.of(12, 3).too_small == "needs 20x5"
    assert Layout.of(5, 1).too_small == "needs"
    assert Layout.of(0, 0).too_small == ""
    assert Layout.of(-3, -3).width == 0
