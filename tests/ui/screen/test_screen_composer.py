"""The line to type in, by its keys: what acts, what is only typed, what is pasted, what was sent before."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable

import pytest
from textual import events
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from voicecli.core.changes import LinkNow, PhaseNow, SoundNow, Started
from voicecli.printable import UNSAFE
from voicecli.ui.actions import Do, Say, parse
from voicecli.ui.screen.composer import MOST, Composer, PasteCut, Scrolled, Sent
from voicecli.ui.screen.facts import Facts
from voicecli.ui.screen.glyphs import ASCII, UNICODE
from voicecli.ui.screen.layout import Layout
from voicecli.ui.screen.theme import DARK, PLAIN


def files(beginning: str) -> Iterable[str]:
    return (name for name in ("notes/", "talk.md", "tools.md") if name.startswith(beginning))


class Host(App[None]):
    """Shows one composer, and keeps what it says."""

    CSS = "Screen { align: left bottom; }"

    def __init__(self, mode: str = "talk") -> None:
        super().__init__()
        self.line = Composer(DARK, UNICODE, files=files)
        self.sent: list[str] = []
        self.cut: list[int] = []
        self.scrolled: list[str] = []
        self.facts = Facts()
        for change in (
            Started("", "1", mode, "", "m", None, True, ""),
            LinkNow(state="open"),
            SoundNow(side="input", state="opened"),
            PhaseNow("listening"),
        ):
            self.facts.apply(change, 0.0)

    def compose(self) -> ComposeResult:
        yield self.line

    def on_mount(self) -> None:
        self.register_theme(DARK.theme())
        self.theme = DARK.name
        self.show()
        self.line.focus()

    def show(self) -> None:
        self.line.show(self.facts, Layout.of(self.size.width, self.size.height), 0.0)

    def on_sent(self, sent: Sent) -> None:
        self.sent.append(sent.text)

    def on_paste_cut(self, cut: PasteCut) -> None:
        self.cut.append(cut.dropped)

    def on_scrolled(self, scrolled: Scrolled) -> None:
        self.scrolled.append(scrolled.to)


Play = Callable[[Host, Pilot[None]], Awaitable[None]]


def play(script: Play, size: tuple[int, int] = (80, 24), mode: str = "talk") -> Host:
    host = Host(mode)

    async def run() -> None:
        async with host.run_test(size=size) as pilot:
            await script(host, pilot)

    asyncio.run(run())
    return host


async def paste(host: Host, pilot: Pilot[None], text: str) -> None:
    host.line.editor.post_message(events.Paste(text))
    await pilot.pause()


def test_enter_sends_and_leaves_an_empty_line():
    async def script(host: Host, pilot: Pilot[None]) -> None:
        await pilot.press(*"hello there", "enter")
        assert host.line.empty

    assert play(script).sent == ["hello there"]


def test_enter_on_the_empty_line_says_so_and_keeps_nothing():
    async def script(host: Host, pilot: Pilot[None]) -> None:
        await pilot.press("enter", "up")
        assert host.line.empty

    assert play(script).sent == [""]


@pytest.mark.parametrize("key", ["ctrl+j", "shift+enter"])
def test_a_new_line_is_typed_and_sent_with_the_rest(key: str):
    async def script(host: Host, pilot: Pilot[None]) -> None:
        await pilot.press(*"one", key, *"two", "enter")

    assert play(script).sent == ["one\ntwo"]


def test_it_grows_to_six_lines_and_no_further_and_shrinks_again():
    async def script(host: Host, pilot: Pilot[None]) -> None:
        heights = []
        for _ in range(8):
            heights.append(host.line.size.height)
            await pilot.press("x", "ctrl+j")
            await pilot.pause()
        assert heights == [1, 2, 3, 4, 5, 6, 6, 6]
        await pilot.press("enter")
        await pilot.pause()
        assert host.line.size.height == 1

    play(script)


def test_a_long_line_is_wrapped_and_grows_too():
    async def script(host: Host, pilot: Pilot[None]) -> None:
        await paste(host, pilot, "word " * 40)
        await pilot.pause()
        assert host.line.size.height == 4

    play(script)


@pytest.mark.parametrize("word", ["really", "x", "y", "n", "q", "space bar", "quit", "help me", "mute it"])
def test_words_are_only_words(word: str):
    """Nothing acts by a letter: who types "really" must not retry, refuse or record."""

    async def script(host: Host, pilot: Pilot[None]) -> None:
        await pilot.press(*("space" if letter == " " else letter for letter in word))
        assert host.line.value == word
        assert host.sent == []

    play(script)


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        (("Z", "backspace", "Q"), "Q"),
        (("a", "b", "backspace", "backspace", "Q", "X"), "QX"),
        (("a", "b", "c", "left", "left", "Q"), "aQbc"),
        (("a", "b", "c", "home", "delete", "X"), "Xbc"),
        (("a", "space", "b", "ctrl+w", "c", "ctrl+u", "d"), "d"),
    ],
)
def test_what_is_typed_fast_keeps_its_order(typed: tuple[str, ...], text: str):
    async def script(host: Host, pilot: Pilot[None]) -> None:
        for key in typed:  # all at once, as a terminal gives what was typed while the screen was busy
            host.post_message(events.Key(key, " " if key == "space" else key if len(key) == 1 else None))
        await pilot.pause()
        await pilot.pause()
        assert host.line.value == text

    play(script)


def test_undo_is_where_terminals_have_it_and_ctrl_z_and_ctrl_y_change_nothing():
    async def script(host: Host, pilot: Pilot[None]) -> None:
        await pilot.press(*"ab", "ctrl+j", "c")
        await pilot.press("ctrl+z", "ctrl+y")
        assert host.line.value == "ab\nc"
        await pilot.press("ctrl+underscore")
        assert host.line.value == "ab\n"

    play(script)


# ---- history


def test_up_and_down_are_what_was_sent_before_and_the_draft_is_kept():
    async def script(host: Host, pilot: Pilot[None]) -> None:
        await pilot.press(*"one", "enter", *"two", "enter", *"dra")
        seen = []
        for key in ("up", "up", "up", "down", "down", "down"):
            await pilot.press(key)
            seen.append(host.line.value)
        assert seen == ["two", "one", "one", "two", "dra", "dra"]

    play(script)


def test_in_a_text_of_several_lines_up_and_down_walk_first():
    async def script(host: Host, pilot: Pilot[None]) -> None:
        await pilot.press(*"before", "enter", *"a", "ctrl+j", *"b")
        await pilot.press("up")
        assert host.line.value == "a\nb"
        await pilot.press("up")
        assert host.line.value == "before"
        await pilot.press("down")
        assert host.line.value == "a\nb"

    play(script)


def test_a_command_from_the_history_opens_no_menu_that_would_hold_the_keys():
    async def script(host: Host, pilot: Pilot[None]) -> None:
        await pilot.press(*"hello", "enter", *"/echo off", "enter")
        await pilot.press("up")
        assert (host.line.value, host.line.menu.open) == ("/echo off", False)
        await pilot.press("up")
        assert host.line.value == "hello"

    play(script)


# ---- commands


def test_a_unique_beginning_is_enough():
    async def script(host: Host, pilot: Pilot[None]) -> None:
        await pilot.press(*"/mut", "enter")

    (line,) = play(script).sent
    meant = parse(line, screen=True)
    assert isinstance(meant, Do)
    assert meant.action.id == "mute"


def test_the_menu_stands_above_the_line_and_goes_with_the_command():
    async def script(host: Host, pilot: Pilot[None]) -> None:
        await pilot.press(*"/ec")
        await pilot.pause()
        assert host.line.menu.lines[0].split()[:3] == ["›", "/echo", "MODE"]
        assert host.line.menu.region.bottom == host.line.editor.region.y
        await pilot.press("backspace", "backspace", "backspace")
        await pilot.pause()
        assert not host.line.menu.open

    play(script)


def test_tab_takes_the_choice_and_its_argument_after_it():
    async def script(host: Host, pilot: Pilot[None]) -> None:
        await pilot.press(*"/e", "tab")
        assert host.line.value == "/echo "
        await pilot.press("down", "tab")
        assert host.line.value == "/echo half-duplex"
        await pilot.press("enter")

    assert play(script).sent == ["/echo half-duplex"]


def test_enter_takes_the_choice_that_was_gone_to_and_does_it():
    async def script(host: Host, pilot: Pilot[None]) -> None:
        await pilot.press(*"/s", "up", "enter")

    assert play(script).sent == ["/suspend"]


def test_enter_on_what_is_not_enough_shows_what_it_would_be_and_does_nothing_yet():
    async def script(host: Host, pilot: Pilot[None]) -> None:
        await pilot.press(*"/m", "enter")
        assert (host.line.value, host.sent) == ("/mute", [])
        await pilot.press("enter")

    assert play(script).sent == ["/mute"]


def test_a_click_takes_a_choice_into_the_line():
    async def script(host: Host, pilot: Pilot[None]) -> None:
        await pilot.press("/")
        await pilot.pause()
        assert host.line.menu.lines[-1].rstrip().endswith(" more")
        await pilot.click(host.line.menu, offset=(15, 1))
        assert (host.line.value, host.sent, host.line.typing) == ("/answer", [], True)

    play(script)


def test_files_are_completed_for_save_and_a_new_name_is_taken_as_it_is():
    async def script(host: Host, pilot: Pilot[None]) -> None:
        await pilot.press(*"/save n", "tab")
        assert host.line.value == "/save notes/"
        host.line.value = ""
        await pilot.press(*"/save ta", "enter")

    assert play(script).sent == ["/save ta"]


def test_a_command_that_there_is_not_is_sent_so_that_it_can_be_told():
    async def script(host: Host, pilot: Pilot[None]) -> None:
        await pilot.press(*"/xyz", "enter")

    assert play(script).sent == ["/xyz"]


def test_escape_closes_the_menu_and_leaves_what_is_typed():
    async def script(host: Host, pilot: Pilot[None]) -> None:
        await pilot.press(*"/ec", "escape")
        assert (host.line.value, host.line.menu.open) == ("/ec", False)
        await pilot.press("escape")
        assert host.line.value == "/ec"
        await pilot.press("h")
        assert host.line.menu.open

    play(script)


# ---- pastes


def test_a_paste_keeps_its_lines_and_is_not_sent_by_them():
    async def script(host: Host, pilot: Pilot[None]) -> None:
        await paste(host, pilot, "one\r\ntwo\rthree\n")
        assert host.line.value == "one\ntwo\nthree\n"
        assert host.sent == []

    play(script)


@pytest.mark.parametrize(
    "hostile",
    ["\x1b[2J", "\x1b]52;c;SGVsbG8=\x07", "\x11", "\x03", "\x1b", "a\u202eb", "\U000e0041", "\x9b2J", "\x1b[201~\x11"],
)
def test_pasted_escape_sequences_never_act_as_keys(hostile: str):
    """G17: they are text, shown as what they are, and sent as they are seen."""

    async def script(host: Host, pilot: Pilot[None]) -> None:
        await paste(host, pilot, f"safe {hostile} text")
        assert host.is_running
        assert host.sent == []
        assert host.line.value.startswith("safe ")
        assert not UNSAFE.search(host.line.value)

    play(script)


def test_a_megabyte_stands_as_a_mark_quickly_and_is_sent_whole():
    text = "some words in a line\n" * 49_932

    async def script(host: Host, pilot: Pilot[None]) -> None:
        began = time.perf_counter()
        await paste(host, pilot, text)
        await pilot.press("a")
        assert time.perf_counter() - began < 2
        assert host.line.editor.text == "[pasted text 1, 49933 lines]a"
        await pilot.press("enter")

    host = play(script)
    assert host.sent == [f"{text}a"]
    assert host.cut == []


def test_what_is_too_long_is_cut_and_told():
    async def script(host: Host, pilot: Pilot[None]) -> None:
        await paste(host, pilot, "x" * (MOST - 10))
        await paste(host, pilot, "y" * 25)
        assert len(host.line.value) <= MOST
        await paste(host, pilot, "z" * 25)

    host = play(script)
    assert host.cut[0] >= 15
    assert host.cut[1] == 25


def test_a_mark_is_deleted_as_one_and_what_it_stood_for_is_not_sent():
    async def script(host: Host, pilot: Pilot[None]) -> None:
        await paste(host, pilot, "x" * 5000)
        await pilot.press("backspace")
        assert host.line.empty
        await pilot.press(*"hi", "enter")

    assert play(script).sent == ["hi"]


def test_a_long_paste_can_be_had_again_from_the_history():
    async def script(host: Host, pilot: Pilot[None]) -> None:
        await paste(host, pilot, "x" * 5000)
        await pilot.press("enter", "up", "enter")

    assert play(script).sent == ["x" * 5000] * 2


@pytest.mark.parametrize("text", ["/quit\nnow", "/quit " + "x" * 5000])
def test_a_pasted_text_that_begins_with_a_slash_is_no_command(text: str):
    async def script(host: Host, pilot: Pilot[None]) -> None:
        await paste(host, pilot, text)
        await pilot.press("enter")

    (line,) = play(script).sent
    assert parse(line, screen=True) == Say(text)


# ---- beside the line


def test_pages_are_the_conversations_and_end_too_while_nothing_is_typed():
    async def script(host: Host, pilot: Pilot[None]) -> None:
        await pilot.press("pageup", "pagedown", "end", "a", "home", "end", "b")
        assert host.line.value == "ab"

    assert play(script).scrolled == ["up", "down", "end"]


@pytest.mark.parametrize("size", [(20, 5), (40, 12), (80, 24), (200, 60)])
def test_it_stands_on_the_text_column_at_every_size(size: tuple[int, int]):
    async def script(host: Host, pilot: Pilot[None]) -> None:
        host.show()
        await pilot.pause()
        assert host.line.editor.region.x == max(2, Layout.of(*size).text_column)
        await pilot.press(*"/e")
        await pilot.pause()
        assert host.line.region.bottom == size[1]

    play(script, size)


def test_it_can_be_drawn_in_other_inks_and_glyphs():
    async def script(host: Host, pilot: Pilot[None]) -> None:
        await pilot.press("/")
        host.line.restyle(PLAIN, ASCII)
        host.show()
        await pilot.pause()
        assert host.line.menu.lines[0].isascii()

    play(script)
