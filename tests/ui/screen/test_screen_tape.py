"""The tape: what is kept of the levels, and how it is drawn."""

from __future__ import annotations

import pytest
from screen_facts import L80, START, interrupt, levels, queue, style_of, talk, texts

from voicecli.ui.screen.glyphs import ASCII, UNICODE
from voicecli.ui.screen.lanes import Cell, Tape, step
from voicecli.ui.screen.layout import Layout
from voicecli.ui.screen.tape import still_lines, tape_lines
from voicecli.ui.screen.theme import DARK, PLAIN

LANE = 80 - 12 - 1
NOW = int(LANE * 0.64)


@pytest.mark.parametrize(
    ("db", "height"),
    [
        (-200, 0),
        (-50, 0),
        (-49.9, 1),
        (-33, 1),
        (-32, 2),
        (-25, 3),
        (-10, 6),
        (-3.3, 7),
        (-0.1, 8),
        (0, 8),
        (9, 8),
        (float("nan"), 0),
    ],
)
def test_a_peak_has_one_of_eight_heights(db: float, height: int) -> None:
    assert step(db) == height


@pytest.mark.parametrize("db", [float("inf"), float("-inf")])
def test_an_endless_peak_is_no_bug(db: float) -> None:
    assert step(db) in (0, 8)


def test_a_cell_is_the_loudest_quarter_of_a_second() -> None:
    tape = Tape()
    for at, db in ((10.01, -45), (10.11, -1), (10.21, -45), (10.26, -45)):
        tape.hear(at, db, -100)
    assert list(tape.cells) == [Cell(you=8)]


def test_past_cells_never_change() -> None:
    tape = Tape()
    for n in range(8):
        tape.hear(10 + n / 4, -20 + n, -100)
    before = list(tape.cells)
    tape.hear(9.0, 0, 0)
    tape.cut(12.0)
    tape.hear(13.0, 0, 0)
    assert list(tape.cells)[: len(before)] == before


def test_the_tape_stands_still_in_silence_and_shows_it_as_one_gap() -> None:
    facts = talk()
    at = levels(facts, START, 1, input_db=-10)
    at = levels(facts, at, 2.5)
    stood = facts.tape.version
    at = levels(facts, at, 60)
    assert facts.tape.version == stood
    levels(facts, at, 1, input_db=-10)
    marks = "".join({"gap": "g", "cut": "c"}.get(cell.mark, "#" if cell.you else ".") for cell in facts.tape.cells)
    assert marks == "####........g###"


def test_silence_at_the_beginning_is_no_gap() -> None:
    facts = talk()
    at = levels(facts, START, 10)
    assert not facts.tape.cells
    levels(facts, at, 1, input_db=-10)
    assert [cell.mark for cell in facts.tape.cells] == [""] * 3


def test_levels_that_did_not_come_are_silence() -> None:
    tape = Tape()
    tape.hear(10.0, -10, -100)
    tape.hear(11.0, -10, -100)
    tape.hear(11.3, -10, -100)
    assert [cell.you > 0 for cell in tape.cells] == [True, False, False, False, True]
    tape.hear(99.0, -10, -100)
    tape.hear(99.3, -10, -100)
    assert [cell.mark for cell in tape.cells].count("gap") == 1


def test_what_is_queued_is_drawn_right_of_now_in_faint() -> None:
    facts = talk("assistant_speaking")
    at = levels(facts, START, 1, output_db=-1)
    queue(facts, at, -1, -25, -60, -49)
    levels(facts, at, 0.5, output_db=-1)
    you, assistant = tape_lines(facts, L80, DARK, UNICODE)
    assert assistant.text.rstrip() == "assistant".rjust(10) + "  " + "·" * (NOW - 5) + "█████│█▃ ▁"
    assert you.text.rstrip() == "you".rjust(10) + "  " + "·" * NOW + "│"
    assert style_of([assistant], "█▃") == DARK("faint")
    assert style_of([assistant], "█████") == DARK("ai")


def test_on_an_interruption_what_was_to_come_goes_at_once_and_a_warm_mark_stays() -> None:
    facts = talk("assistant_speaking")
    at = levels(facts, START, 2, output_db=-1)
    queue(facts, at, *[-1.0] * 12)
    at = levels(facts, at, 0.5, output_db=-1)
    assert tape_lines(facts, L80, DARK, UNICODE)[1].text.rstrip().endswith("│" + "█" * 12)
    interrupt(facts, at)
    assert tape_lines(facts, L80, DARK, UNICODE)[1].text.rstrip().endswith("│")
    levels(facts, at, 1, input_db=-1)
    you, assistant = texts(tape_lines(facts, L80, DARK, UNICODE))
    assert assistant.endswith("██╱··│")
    assert you.endswith("··███│")
    assert style_of(tape_lines(facts, L80, DARK, UNICODE), "╱") == DARK("warn", bold=True)


def test_without_colours_what_is_to_come_has_another_shape() -> None:
    facts = talk("assistant_speaking")
    at = levels(facts, START, 1, output_db=-1)
    queue(facts, at, -1, -25, -60, -49)
    levels(facts, at, 0.5, output_db=-1)
    assert texts(tape_lines(facts, L80, PLAIN, UNICODE))[1].endswith("  █████│░░ ░")
    assert texts(tape_lines(facts, L80, PLAIN, ASCII))[1].endswith("  #####|-- -")


def test_a_lane_without_sound_has_a_quiet_name() -> None:
    facts = talk()
    levels(facts, START, 1, input_db=-10)
    strips = tape_lines(facts, L80, DARK, UNICODE)
    assert style_of(strips, "you") == DARK("you")
    assert style_of(strips, "assistant") == DARK("muted")


def test_there_is_no_tape_where_no_path_for_sound_is_open() -> None:
    assert tape_lines(talk(mode="chat"), L80, DARK, UNICODE) == []
    assert tape_lines(talk(), Layout.of(63, 24), DARK, UNICODE) == []
    assert tape_lines(talk(), Layout.of(80, 15), DARK, UNICODE) == []
    assert len(tape_lines(talk(), L80, DARK, UNICODE)) == 2
    assert len(tape_lines(talk(), Layout.of(80, 30), DARK, UNICODE)) == 3


@pytest.mark.parametrize("width", [64, 80, 116, 120, 200])
def test_now_is_at_64_percent_and_nothing_is_wider_than_the_screen(width: int) -> None:
    facts = talk()
    at = levels(facts, START, 90, input_db=-10, output_db=-10)
    queue(facts, at, *[-1.0] * 40)
    levels(facts, at, 0.5)
    layout = Layout.of(width, 24)
    for strip in tape_lines(facts, layout, DARK, UNICODE):
        assert strip.cell_length == width
        assert strip.text.index("│") - layout.text_column == int((layout.edge - layout.text_column) * 0.64)
        assert strip.text[layout.edge :].strip() == ""


def test_without_motion_both_levels_stand_in_one_line() -> None:
    facts = talk()
    levels(facts, START, 2, input_db=-25)
    assert texts(still_lines(facts, L80, DARK, UNICODE)) == ["            mic ▃   speaker ·"]
    assert still_lines(talk(mode="chat"), L80, DARK, UNICODE) == []
