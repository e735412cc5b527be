"""Slash commands, keys, the list of commands and help are views of one table: each action in each, and none else."""

import re
from collections.abc import Iterator

import pytest

from voicecli.core.changes import LinkNow, Phase, PhaseNow, SoundNow, Started, TurnOpened
from voicecli.settings import KeySaid
from voicecli.ui.actions import ACTIONS, Do, help_lines, parse, possible
from voicecli.ui.screen.completion import choices
from voicecli.ui.screen.conversation import READING
from voicecli.ui.screen.facts import Facts
from voicecli.ui.screen.glyphs import ASCII, UNICODE
from voicecli.ui.screen.help import command_rows, help_strips, key_rows
from voicecli.ui.screen.hints import hint, keys_now
from voicecli.ui.screen.keys import DEFAULT, FIXED, label, read_keys
from voicecli.ui.screen.palette import displayed, entries
from voicecli.ui.screen.theme import DARK, PLAIN
from voicecli.ui.view import View

IDS = [action.id for action in ACTIONS]


def facts(
    mode: str = "talk", phase: Phase = "listening", microphone: str | None = "opened", link: str = "open"
) -> Facts:
    facts = Facts()
    facts.apply(Started("", "1", mode, "", "m", None, True, ""), 0.0)
    facts.apply(LinkNow(state=link), 0.0)
    if microphone is not None:
        facts.apply(SoundNow(side="input", state=microphone), 0.0)
    facts.apply(PhaseNow(phase), 0.0)
    return facts


def some_talks() -> Iterator[View]:
    yield View()
    for mode in ("talk", "ptt", "chat"):
        for phase in ("listening", "assistant_speaking", "recording", "muted", "not_connected", "recording_full"):
            for microphone in (None, "opened", "closed", "lost"):
                for link in ("open", "lost"):
                    view = facts(mode, phase, microphone, link).view
                    yield view
                    view.apply(TurnOpened("a", None, "assistant", "voice", 0.0))
                    yield view


def test_ids_are_one_word_in_lower_case_and_no_two_alike():
    assert len(IDS) == len(set(IDS))
    assert all(name.islower() and name.replace("-", "").isalpha() for name in IDS)


def test_each_has_a_name_of_its_own_with_its_area():
    names = [action.name for action in ACTIONS]
    assert len(names) == len(set(names))
    assert all(len(name.split(": ")) == 2 and all(name.split(": ")) for name in names)


def test_slash_commands_are_the_table():
    for action in ACTIONS:
        meant = parse(f"{action.command} {action.choices[0] if action.choices else action.argument}", screen=True)
        assert isinstance(meant, Do)
        assert meant.action is action
    assert [line.partition(":")[0].split()[0] for line in help_lines(screen=True)] == [f"/{name}" for name in IDS]


def test_the_list_of_commands_is_what_is_possible_of_the_table_in_any_talk():
    seen = set()
    for view in some_talks():
        listed = [entry.do.action.id for entry in entries(view, DEFAULT)]
        assert list(dict.fromkeys(listed)) == [action.id for action in possible(view)]
        assert set(listed) <= set(IDS)
        seen |= set(listed)
    assert seen == set(IDS)


def test_whatever_the_list_does_at_once_is_what_its_command_does():
    for view in some_talks():
        for entry in entries(view, DEFAULT):
            if entry.whole:
                line = f"{entry.do.action.command} {entry.do.argument}".rstrip()
                assert parse(line, screen=True) == entry.do


def test_the_completion_of_a_slash_is_the_same_as_that_list():
    for view in some_talks():
        offered = [choice.shown.split()[0] for choice in choices("/", view, DEFAULT)]
        assert offered == [action.command for action in possible(view)]


def test_help_has_each_command_and_each_key_and_none_else():
    assert [command.split()[0] for command, _, _ in command_rows(DEFAULT)] == [f"/{name}" for name in IDS]
    shown = {key for keys, _ in key_rows(DEFAULT, View()) for key in keys.split(", ")}
    bound = {label(key) for action in ACTIONS for key in DEFAULT.keys(action)}
    assert shown == bound | {label(key) for fixed in FIXED for key in fixed.keys}


def test_each_action_can_be_given_a_key_by_its_name_and_help_and_list_show_it():
    for action in ACTIONS:
        said = KeySaid(action.id.upper().replace("-", "_"), "f10", "here")
        keymap, told = read_keys([said])
        assert told == ()
        assert keymap.keys(action) == ("f10",)
        assert any("F10" in keys.split(", ") for keys, _ in key_rows(keymap, View()))
        assert "F10" in {keys for command, _, keys in command_rows(keymap) if command.split()[0] == action.command}
        for view in some_talks():
            if action.when(view):
                assert {entry.keys for entry in entries(view, keymap) if entry.do.action is action} == {"F10"}


def test_no_two_actions_that_are_possible_at_once_have_a_key_but_talk_and_stop():
    for view in some_talks():
        for key in {key for action in ACTIONS for key in DEFAULT.keys(action)}:
            now = [action.id for action in DEFAULT.bound(key) if action.when(view)]
            assert len(now) <= 1 or now == ["talk", "interrupt"]


@pytest.mark.parametrize("width", [20, 40, 80, 84, 120])
@pytest.mark.parametrize(("inks", "glyphs"), [(DARK, UNICODE), (PLAIN, ASCII)])
def test_help_fits_every_width(width: int, inks, glyphs):
    for word in ("", "mute"):
        strips = help_strips(DEFAULT, View(), word, width, inks, glyphs)
        assert {strip.cell_length for strip in strips} == {width}
        text = "\n".join(strip.text for strip in strips)
        assert "/mute" in text
        assert "esc" in text
        if glyphs is ASCII:
            assert text.isascii()


def test_help_says_what_acts_in_the_conversation_and_what_the_mouse_does():
    said = " ".join(" ".join(strip.text for strip in help_strips(DEFAULT, View(), "", 80, DARK, UNICODE)).split())
    words = set(re.split(r"[ ,;:]+", said[said.index("Tab leads") :]))
    assert words >= READING
    assert "The mouse held on the state line" in said


@pytest.mark.parametrize("width", [72, 80, 84, 200])
def test_help_leaves_nothing_out(width: int):
    lines = [strip.text for strip in help_strips(DEFAULT, View(), "", width, DARK, UNICODE)]
    assert [line for line in lines if UNICODE.more in line] == []


@pytest.mark.parametrize("room", [14, 36, 74, 88])
def test_the_list_is_one_line_for_each_where_there_is_room_for_names(room: int):
    for entry, shown in displayed(entries(facts().view, DEFAULT), room, UNICODE):
        assert entry.name in shown.plain
        assert shown.cell_length <= max(room, 48)


# ---- what works now


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (facts(), "just speak, or type"),
        (facts(phase="assistant_speaking"), "speak to interrupt, or type"),
        (facts(phase="muted", microphone="closed"), "^o turns the microphone on, or type"),
        (facts("ptt", "press_to_talk"), "space to talk, or type"),
        (facts("ptt", "recording"), "space sends it · esc throws it away"),
        (facts("chat", "waiting_for_you_to_type", None), "type, enter sends"),
        (facts(phase="not_connected", link="lost"), "/retry connects again"),
        (facts(microphone="lost"), "type, enter sends"),
        (Facts(), ""),
    ],
)
def test_the_grey_hint_says_what_works_now(now: Facts, said: str):
    assert hint(now, DEFAULT) == said


def test_hint_and_keys_are_those_that_are_bound():
    keymap, _ = read_keys([KeySaid("TALK", "f4", "x"), KeySaid("MUTE", "none", "x"), KeySaid("HELP", "f6", "x")])
    assert hint(facts("ptt", "press_to_talk"), keymap) == "F4 to talk, or type"
    assert hint(facts(phase="muted", microphone="closed"), keymap) == "/unmute turns the microphone on, or type"
    shown = [tuple(key) for key in keys_now(facts("ptt", "press_to_talk"), keymap)]
    assert shown == [("F4", "talk"), ("^p", "commands"), ("F6", "help")]


def test_the_line_of_keys_has_only_what_works_now():
    assert [tuple(key) for key in keys_now(facts(phase="assistant_speaking"), DEFAULT)] == [
        ("esc", "stop"),
        ("^o", "mute"),
        ("^p", "commands"),
        ("F1", "help"),
    ]
    assert ("esc", "throw away") in [tuple(key) for key in keys_now(facts("ptt", "recording"), DEFAULT)]
    assert ("^o", "unmute") in [tuple(key) for key in keys_now(facts(microphone="closed"), DEFAULT)]
    assert ("^o", "try the mic") in [tuple(key) for key in keys_now(facts(microphone="lost"), DEFAULT)]
    assert all(key.key != "^o" for key in keys_now(facts("chat", microphone=None), DEFAULT))
