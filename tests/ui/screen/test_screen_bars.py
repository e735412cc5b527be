"""The state line, the top line and the keys, as text and where it carries meaning in ink."""

from __future__ import annotations

from itertools import product
from typing import get_args

import pytest
from msgspec.structs import replace
from screen_facts import L80, SIZES, START, interrupt, limit, queue, rich, started, style_of, talk, texts

from voicecli.core.changes import Delayed, LimitsNow, Phase, PhaseNow
from voicecli.printable import UNSAFE
from voicecli.ui.screen.bars import Key, keys_line, state_line, top_line
from voicecli.ui.screen.facts import Facts
from voicecli.ui.screen.glyphs import ASCII, UNICODE, Glyphs
from voicecli.ui.screen.layout import Layout
from voicecli.ui.screen.states import LOOKS
from voicecli.ui.screen.theme import ALL, DARK, PLAIN, Inks

KEYS = [Key("esc", "stop"), Key("space", "stop and talk"), Key("^o", "mute"), Key("^p", "commands"), Key("F1", "help")]


def speaking() -> Facts:
    facts = rich(talk("assistant_speaking"))
    queue(facts, START, *[-10.0] * 23)
    return facts


def state(facts: Facts, size: tuple[int, int], at: float = START, glyphs: Glyphs = UNICODE, inks: Inks = DARK) -> str:
    return texts(state_line(facts, Layout.of(*size), inks, glyphs, at))[-1]


def top(facts: Facts, size: tuple[int, int], at: float = START + 724, glyphs: Glyphs = UNICODE) -> str:
    return "".join(texts(top_line(facts, Layout.of(*size), DARK, glyphs, at)))


# ---- the state line


def row(width: int, left: str, right: str) -> str:
    """Both, the right one up to the margin that a screen of that width has."""
    return left + right.rjust(width - (1 if width >= 36 else 0) - len(left))


def test_the_state_at_each_size() -> None:
    wide, echo = "▶ assistant speaking · 5.6 s to come", "mic on · no echo cancelling"
    assert [state(speaking(), size) for size in SIZES] == [
        row(80, " " * 12 + wide, echo),
        row(120, " " * 12 + wide, echo),
        row(200, " " * 38 + wide, echo),
        row(60, f" {wide}", "mic on"),
        row(40, " ▶ assistant speaking", "mic on"),
        row(20, "▶ assistant", "mic on"),
    ]


def test_whether_the_microphone_is_on_is_said_in_every_state_at_every_size() -> None:
    words = (*("mic on", "mic off", "no mic", "no microphone", "mic shut", "half-duplex"), "no echo cancelling")
    for phase, microphone, half_duplex in product(get_args(Phase), ("opened", "closed", "lost"), (False, True)):
        facts = talk(phase, "held", microphone=microphone, half_duplex=half_duplex)
        interrupt(facts, START)
        for width in (*range(20, 130), 200):
            line = state(facts, (width, 24))
            assert line.endswith(words), (phase, width, line)
            assert len(line) <= width


def test_the_echo_words_go_before_the_detail_does() -> None:
    facts = talk("you_are_speaking")
    interrupt(facts, START)
    said = "● you are speaking · you interrupted at 8.4 s"
    assert state(facts, (80, 24)) == row(80, " " * 12 + said, "mic on")
    assert state(facts, (40, 12)) == row(40, " ● you are speaking", "mic on")


def test_a_detail_of_two_parts_loses_the_second_one_first() -> None:
    facts = talk("recording", "held", mode="ptt")
    assert "· 3.0 s · let go to send" in state(facts, (60, 20), START + 3)
    assert state(facts, (40, 12), START + 3).startswith(" ● recording · 3.0 s  ")


@pytest.mark.parametrize(
    ("phase", "ink", "shape"),
    [
        ("listening", "fg", "○"),
        ("you_are_speaking", "you", "●"),
        ("assistant_speaking", "ai", "▶"),
        ("recording", "bad", "●"),
        ("not_connected", "bad", "×"),
        ("connecting", "warn", "↻"),
        ("muted", "warn", "×"),
        ("thinking", "fg", "◆"),
    ],
)
def test_shape_and_word_have_the_ink_of_the_state(phase: Phase, ink: str, shape: str) -> None:
    strips = state_line(talk(phase), L80, DARK, UNICODE, START)
    assert style_of(strips, shape) == DARK(ink, bold=True)  # type: ignore[arg-type]
    assert style_of(strips, LOOKS[phase].word) == DARK(ink, bold=True)  # type: ignore[arg-type]


def test_a_microphone_that_is_off_unsaid_is_warm() -> None:
    assert style_of(state_line(talk("thinking", microphone="closed"), L80, DARK, UNICODE, 0), "mic off") == DARK("warn")
    assert style_of(state_line(talk("muted", microphone="closed"), L80, DARK, UNICODE, 0), "mic off") == DARK("muted")


def test_the_state_in_ascii_is_ascii() -> None:
    said = state(speaking(), (80, 24), glyphs=ASCII)
    assert said == row(80, " " * 12 + "> assistant speaking - 5.6 s to come", "mic on - no echo cancelling")
    for phase in LOOKS:
        if phase not in ("starting", "ended"):
            assert state(talk(phase, "held"), (80, 24), glyphs=ASCII).isascii()  # type: ignore[arg-type]


def test_without_colours_the_state_is_bold() -> None:
    style = style_of(state_line(speaking(), L80, PLAIN, UNICODE, START), "assistant speaking")
    assert style.bold
    assert style.color is None


def test_with_room_there_is_a_blank_line_above_the_state() -> None:
    assert len(state_line(talk(), Layout.of(80, 30), DARK, UNICODE, START)) == 2
    assert len(state_line(talk(), Layout.of(80, 29), DARK, UNICODE, START)) == 1


# ---- the top line


def test_the_top_line_at_each_size() -> None:
    brand = "voicecli  gpt-realtime-2.1 · marin"
    assert [top(rich(talk(), START + 710), size) for size in SIZES] == [
        row(80, " gpt-realtime-2.1 · marin", "0.42 s ▃▄█▄   tokens ▰▰▱▱▱ 0:23   12:04"),
        row(120, "  " + brand, "12:04"),
        row(200, " " * 28 + brand, "12:04"),
        row(60, " gpt-realtime-2.1", "0.42 s   tokens ▰▰▱▱▱ 0:23   12:04"),
        row(40, " gpt-realtime-2.1", "tokens 41 %   12:04"),
        "",
    ]


def test_without_a_rail_a_wide_top_line_has_everything() -> None:
    line = top(rich(talk(), START + 710), (120, 24))
    assert line == row(120, "  voicecli  gpt-realtime-2.1 · marin", "0.42 s ▃▄█▄   tokens ▰▰▱▱▱ 0:23   12:04")


def test_offline_practice_says_that_it_is_no_language_model() -> None:
    facts = talk(offline=True)
    assert top(facts, (80, 24), START + 6) == row(80, " offline practice · not a language model", "0:06")
    assert top(facts, (40, 12), START + 6) == row(40, " offline practice", "0:06")
    assert style_of(top_line(facts, L80, DARK, UNICODE, START), "offline practice") == DARK("warn", bold=True)


def test_a_limit_is_warm_from_80_percent_on() -> None:
    for left, ink in ((20.1, "muted"), (20.0, "warn")):
        facts = talk()
        facts.apply(LimitsNow((limit("tokens", 100, left, 30),)), START)
        strips = top_line(facts, L80, DARK, UNICODE, START)
        assert style_of(strips, "tokens") == DARK(ink)  # type: ignore[arg-type]
    assert style_of(top_line(facts, L80, PLAIN, UNICODE, START), "tokens").bold


def test_a_language_model_of_ones_own_is_named_with_its_host() -> None:
    facts = Facts()
    mine = replace(started(offline=True), mind_model="llama3.2", mind_host="127.0.0.1:11434")
    facts.apply(mine, START)
    said = " llama3.2 · 127.0.0.1:11434 · nothing leaves this machine"
    assert top(facts, (80, 24), START + 6) == row(80, said, "0:06")
    assert top(facts, (40, 12), START + 6) == row(40, " llama3.2 · 127.0.0.1:11434", "0:06")
    facts.apply(replace(mine, mind_host="models.example", mind_local=False), START)
    assert top(facts, (80, 24), START + 6) == row(80, " llama3.2 · models.example", "0:06")
    for width in (20, 40, 80, 200):
        facts.apply(replace(mine, mind_model="\x1b]0;x\x07m\u202e" * 50, mind_host="\x1b[2J" * 50), START)
        assert not UNSAFE.search(top(facts, (width, 24), START))


def test_delays_are_drawn_to_a_fixed_scale_and_slow_ones_are_warm() -> None:
    facts = talk()
    for total in (0.0, 0.13, 0.5, 0.99, 1.0, 7.0):
        facts.apply(Delayed("x", 0.0, total, 0.0), START)
    strips = top_line(facts, L80, DARK, UNICODE, START)
    assert "7.00 s ▁▂▅███   0:00" in strips[0].text
    facts.apply(Delayed("x", None, 0.3, 0.0, from_commit=True), START)
    strips = top_line(facts, L80, DARK, UNICODE, START)
    assert style_of(strips, "▃") == DARK("fg")
    assert style_of(strips, "▂") == DARK("muted")
    assert [s.style for s in strips[0] if s.text == "█"][-1] == DARK("warn")


def test_names_from_outside_are_safe_and_short() -> None:
    facts = Facts()
    facts.apply(started(model="\x1b]0;x\x07" + "m\u202eo\ndel" * 50), START)
    for width in (20, 40, 64, 80, 120, 200):
        line = top(facts, (width, 24), START)
        assert not UNSAFE.search(line)
        assert len(line) <= width
        assert line.endswith("0:00")


# ---- the keys


def test_the_keys_stand_on_the_text_column_where_they_fit() -> None:
    assert texts(keys_line(KEYS, Layout.of(120, 24), DARK, UNICODE)) == [
        "            esc stop   space stop and talk   ^o mute   ^p commands   F1 help"
    ]
    assert texts(keys_line(KEYS, Layout.of(72, 24), DARK, UNICODE)) == [
        " esc stop   space stop and talk   ^o mute   ^p commands   F1 help"
    ]
    assert texts(keys_line(KEYS, Layout.of(40, 24), DARK, UNICODE)) == [" esc stop   space stop and talk"]


def test_there_are_five_keys_at_most_and_none_on_a_low_screen() -> None:
    many = [(f"F{n}", "x") for n in range(1, 10)]
    assert texts(keys_line(many, L80, DARK, UNICODE))[0].split() == [
        "F1",
        "x",
        "F2",
        "x",
        "F3",
        "x",
        "F4",
        "x",
        "F5",
        "x",
    ]
    assert keys_line(many, Layout.of(80, 9), DARK, UNICODE) == []
    assert texts(keys_line([], L80, DARK, UNICODE)) == [""]


def test_without_colours_a_key_is_told_from_its_word_by_bold() -> None:
    strips = keys_line(KEYS, L80, PLAIN, UNICODE)
    assert style_of(strips, "esc").bold
    assert not style_of(strips, "stop").bold


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("inks", ALL, ids=lambda inks: inks.name)
@pytest.mark.parametrize("glyphs", [UNICODE, ASCII], ids=["unicode", "ascii"])
def test_every_line_is_as_wide_as_the_screen(size: tuple[int, int], inks: Inks, glyphs: Glyphs) -> None:
    layout = Layout.of(*size)
    facts = speaking()
    facts.apply(PhaseNow("recording", "latched"), START)
    strips = [
        *state_line(facts, layout, inks, glyphs, START),
        *top_line(facts, layout, inks, glyphs, START),
        *keys_line(KEYS, layout, inks, glyphs),
    ]
    for strip in strips:
        assert strip.cell_length == size[0]
        if glyphs is ASCII:
            assert strip.text.isascii()
        if inks is PLAIN:
            assert all(segment.style is None or segment.style.color is None for segment in strip)
