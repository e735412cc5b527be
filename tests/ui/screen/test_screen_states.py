"""The screen in each of its states, at two sizes, dark, light and without colour, beside what is stored of it.

`python -m tests.ui.screen.states --write` stores it anew, after a change that is meant.
"""

from __future__ import annotations

import difflib

import pytest
from textual.widgets import OptionList

from tests.ui.screen.emulated import Emulated
from tests.ui.screen.states import (
    FOLDER,
    LIGHT,
    SIZES,
    STATES,
    Stage,
    State,
    described,
    file_of,
    listening,
    look_at,
)

HOW = "If that is meant: python -m tests.ui.screen.states --write"


def same(name: str, stored: str, now: str) -> None:
    """Fails with the lines that differ."""
    if stored != now:
        lines = difflib.unified_diff(stored.splitlines(), now.splitlines(), f"tests/screens/{name}", "now", lineterm="")
        pytest.fail("\n".join([*lines, HOW]), pytrace=False)


def stored(name: str) -> str:
    file = FOLDER / name
    return file.read_text(encoding="utf-8") if file.is_file() else ""


@pytest.mark.parametrize("coloured", [True, False], ids=["coloured", "no-colour"])
@pytest.mark.parametrize("state", STATES, ids=lambda state: state.name)
def test_a_state_looks_as_it_is_stored_and_light_says_what_dark_says(state: State, coloured: bool):
    seen = look_at(state, coloured=coloured)
    assert len(seen.pictures) == len(SIZES)
    for name, now in seen.pictures.items():
        same(name, stored(name), now)
    for name, now in seen.light.items():
        same(f"{name}, light", stored(name), now)


def test_no_picture_is_stored_of_what_is_no_state_any_more():
    files = {
        file_of(state, size, coloured=coloured) for state in STATES for size in SIZES for coloured in (True, False)
    }
    assert {file.relative_to(FOLDER).as_posix() for file in FOLDER.rglob("*.txt")} == files


def test_without_colour_no_stored_picture_has_an_ink():
    for file in FOLDER.glob("*-no-colour/*.txt"):
        _, _, inks = file.read_text(encoding="utf-8").partition("\n\n")
        words = {word for line in inks.splitlines() for word in line[3:].split("[")[0].split()}
        assert words <= {"bold", "underline", "strike", "reverse"}, file.name


async def listed(stage: Stage) -> None:
    """The list of commands is open, and the second of them chosen."""
    await listening(stage)
    await stage.press("ctrl+p")
    found = stage.app.screen.query_one("CommandList", OptionList)
    await stage.until_so(lambda: found.option_count > 5)
    await stage.press("down")


def test_without_colour_the_choice_in_the_list_is_underlined():
    """What Textual would mark it with, reversed colours, its lists pass over."""
    seen = look_at(State("list", listed), coloured=False)
    for picture in seen.pictures.values():
        (line,) = [line for line in picture.partition("\n\n")[2].splitlines() if "underline" in line]
        assert "answer: ask for one" in line


def test_the_list_has_no_ink_that_is_not_for_text():
    seen = look_at(State("list", listed), coloured=True)
    lines = seen.pictures["80x24/list.txt"].partition("\n\n")[2].splitlines()
    assert "muted [hat to do]" in lines[1]
    assert lines[3].startswith("04 on bg  ai bold [answer: ask for one]")
    assert not any("faint [" in line for line in lines[1:18])


def test_a_picture_tells_every_ink_from_every_other():
    """Else a wrong one would not be seen."""
    terminal = Emulated(20, 1)
    terminal.write(
        "\x1b[1;1H\x1b[1;38;2;0;105;95;48;2;251;250;246myou\x1b[0m\x1b[9mcut\x1b[0m \x1b[38;2;1;2;3mx\x1b[0m"
    )
    assert described(terminal, LIGHT).splitlines() == [
        "01│youcut x▒▒▒▒▒▒▒▒▒▒▒▒",
        "",
        "01 you bold on bg [you]  strike [cut]  #010203 [x]",
    ]
    assert len({colour for _, colour in LIGHT.colours} | set(LIGHT.surface)) == len(LIGHT.colours) + 3


def test_the_emulated_terminal_counts_cells_as_terminals_do():
    terminal = Emulated(10, 2)
    terminal.write("日本日本日本\x1b[2;3Hab\x1b[1;1Hyous")
    assert terminal.lines() == ["yous日本日", "▒▒ab▒▒▒▒▒▒"]
    with pytest.raises(ValueError, match="2J"):
        terminal.write("\x1b[2J")
