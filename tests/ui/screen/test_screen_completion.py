"""What a command that is being typed may become."""

from collections.abc import Iterable

import pytest

from voicecli.core.changes import LinkNow, PhaseNow, SoundNow, Started
from voicecli.ui.actions import ACTIONS, Do, parse
from voicecli.ui.screen.completion import choices
from voicecli.ui.screen.keys import DEFAULT
from voicecli.ui.view import View


def a_talk(mode: str = "talk") -> View:
    view = View()
    view.apply(Started("", "1", mode, "", "m", None, True, ""))
    view.apply(LinkNow(state="open"))
    view.apply(SoundNow(side="input", state="opened"))
    view.apply(PhaseNow("listening"))
    return view


def lines(line: str, view: View | None = None) -> list[str]:
    return [choice.line for choice in choices(line, view or a_talk(), DEFAULT)]


@pytest.mark.parametrize("line", ["", "hello", "//etc", " /mute", "hello /mute", "/mute\nnow", "/nothing", "/mute on"])
def test_what_is_no_command_is_offered_nothing(line: str):
    assert lines(line) == []


def test_a_slash_offers_all_that_is_possible_now():
    view = a_talk()
    assert {choice.shown.split()[0] for choice in choices("/", view, DEFAULT)} == {
        action.command for action in ACTIONS if action.when(view)
    }
    assert "/mute" in lines("/")
    assert "/unmute" not in lines("/")
    view.apply(SoundNow(side="input", state="closed"))
    assert "/mute" not in lines("/", view)
    assert "/unmute" in lines("/", view)
    assert "/talk" not in lines("/")
    assert "/talk" in lines("/", a_talk("ptt"))


def test_a_beginning_offers_what_begins_so_whatever_its_case():
    assert lines("/S") == ["/status", "/save ", "/suspend"]


def test_choices_of_an_argument_are_offered_by_their_beginning_too():
    assert lines("/echo ") == ["/echo off", "/echo half-duplex"]
    assert lines("/e h") == ["/echo half-duplex"]
    assert lines("/echo x") == []
    assert "/help mute" in lines("/help m")


@pytest.mark.parametrize("command", ["/save", "/image"])
def test_files_are_offered_and_those_that_cannot_be_shown_are_not(command: str):
    asked: list[str] = []

    def files(beginning: str) -> Iterable[str]:
        asked.append(beginning)
        return ("notes/", "talk.md", "evil\x1b]0;x\x07.md")

    found = choices(f"{command} ta", a_talk(), DEFAULT, files)
    assert asked == ["ta"]
    assert [(choice.line, choice.whole) for choice in found] == [
        (f"{command} notes/", False),
        (f"{command} talk.md", True),
    ]


def test_whatever_is_whole_can_be_done_as_it_stands():
    view = a_talk("ptt")
    for choice in choices("/", view, DEFAULT):
        assert isinstance(parse(choice.line, screen=True), Do) is choice.whole
