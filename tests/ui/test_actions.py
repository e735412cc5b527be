"""What a typed line and a line of JSON mean."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicecli.core.changes import Told
from voicecli.core.stimuli import Asked, EchoSet, Quit, Typed
from voicecli.ui.actions import ACTIONS, Do, Say, file_and_text, help_lines, parse, parse_json


@pytest.mark.parametrize(
    ("line", "stimulus"),
    [
        ("hello", Typed("hello")),
        ("  two words ", Typed("two words")),
        ("//etc is a folder", Typed("/etc is a folder")),
        ("/mute", Asked("mute")),
        ("/m", Asked("mute")),
        ("/UNM", Asked("unmute")),
        ("/int", Asked("interrupt")),
        ("/echo half-duplex", EchoSet("half-duplex")),
        ("/e o", EchoSet("off")),
        ("/r", Asked("retry")),
        ("/talk", Asked("talk")),
        ("/ans", Asked("answer")),
        ("/k", Asked("kept")),
        ("/q", Quit()),
        ("/quit ", Quit()),
    ],
)
def test_a_line_is_a_text_or_a_command_of_which_a_unique_beginning_is_enough(line: str, stimulus: object):
    meant = parse(line)
    assert isinstance(meant, Say | Do)
    assert meant.stimulus == stimulus


def test_saving_and_help_are_the_faces_own_affair():
    saved = parse("/save my talk.md")
    assert isinstance(saved, Do)
    assert (saved.action.id, saved.argument, saved.stimulus) == ("save", "my talk.md", None)
    helped = parse("/help")
    assert isinstance(helped, Do)
    assert (helped.action.id, helped.argument) == ("help", "")


@pytest.mark.parametrize(
    ("argument", "meant"),
    [
        ("photo.png", ("photo.png", "")),
        ("photo.png  what is this?", ("photo.png", "what is this?")),
        ('"my photo.png" what?', ("my photo.png", "what?")),
        ("'my photo.png'", ("my photo.png", "")),
        ("my\\ own\\ photo.png what is this?", ("my own photo.png", "what is this?")),
        (r"C:\new\x.png what?", (r"C:\new\x.png", "what?")),
        ("it's.png", ("it's.png", "")),
        ('"my photo.png', None),
        ('""', None),
    ],
)
def test_a_file_is_a_word_or_quoted_and_the_rest_is_said_to_it(argument: str, meant: tuple[str, str] | None):
    assert file_and_text(argument) == meant
    assert isinstance(parse(f"/image {argument}"), Told if meant is None else Do)


@pytest.mark.parametrize(
    ("line", "title"),
    [
        ("/nothing", "There is no command /nothing."),
        ("/", "There is no command /."),
        ("/ mute", "There is no command /."),
        ("/mute now", "/mute takes nothing after it."),
        ("/save", "/save needs FILE after it."),
        ("/image", "/image needs FILE after it."),
        ('/image "x.png', "A quotation mark is missing behind the name of the file."),
        ("/echo", "/echo needs off or half-duplex after it."),
        ("/echo loud", "/echo takes off or half-duplex, not loud."),
        (
            "/\x1b[2J" + "x" * 500,
            "There is no command /␛[2Jxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...",
        ),
    ],
)
def test_a_line_that_means_nothing_says_what_is_wrong(line: str, title: str):
    meant = parse(line)
    assert isinstance(meant, Told)
    assert meant.code == "bad_input"
    assert meant.title == title or (len(title) > 60 and meant.title.startswith(title[:30]) and len(meant.title) < 80)


def test_an_empty_line_is_nothing():
    assert parse(" \t") is None
    assert parse_json(b" \r") is None


@given(st.text())
def test_no_line_breaks_the_parser(line: str):
    parse(line)
    parse("/" + line)


def test_every_command_can_be_typed_and_is_in_help():
    for action in ACTIONS:
        meant = parse(f"{action.command} {action.choices[0] if action.choices else action.argument}", screen=True)
        assert isinstance(meant, Do)
        assert meant.action is action
        assert any(line.startswith(action.command) for line in help_lines(screen=True))
        assert any(line.startswith(action.command) for line in help_lines()) is not action.screen
    assert help_lines("/mu") == ["/mute: Turn the microphone off; nothing is sent."]
    assert len(help_lines("zzz", screen=True)) == len(ACTIONS)


def test_what_is_about_the_screen_is_said_to_be_there_only():
    for action in ACTIONS:
        if action.screen:
            told = parse(action.command)
            assert isinstance(told, Told)
            assert told.title == f"{action.command} is there on the screen only."
    assert isinstance(parse("/m"), Do)
    told = parse("/m", screen=True)
    assert isinstance(told, Told)
    assert told.hint == "It may be /mute, /motion."


@pytest.mark.parametrize(
    ("line", "stimulus"),
    [
        ({"type": "say", "text": "/mute is a word"}, Typed("/mute is a word")),
        ({"type": "say", "text": " as it is ", "more": 1}, Typed(" as it is ")),
        ({"type": "command", "line": "/mute"}, Asked("mute")),
        ({"type": "command", "line": "/echo off"}, EchoSet("off")),
    ],
)
def test_a_line_of_json_says_or_commands(line: dict, stimulus: object):
    meant = parse_json(json.dumps(line).encode())
    assert isinstance(meant, Say | Do)
    assert meant.stimulus == stimulus


@pytest.mark.parametrize(
    "line",
    [
        b"hello",
        b"{}",
        b"[]",
        b"null",
        b'{"type":"say"}',
        b'{"type":"say","text":""}',
        b'{"type":"say","text":7}',
        b'{"type":"command","line":"mute"}',
        b'{"type":"command","line":"//mute"}',
        b'{"type":"command","line":"/nothing"}',
        b'{"type":"allow","id":"x","answer":"once"}',
        b'{"type":"say","text":"\xff"}',
        b'{"type":"say","text":"\\ud800"}',
        b"[" * 100_000,
        b'{"type":"say","text":"x"} {"type":"say","text":"y"}',
    ],
)
def test_a_bad_line_of_json_is_a_notice_and_nothing_else(line: bytes):
    meant = parse_json(line)
    assert isinstance(meant, Told)
    assert (meant.code, meant.severity) == ("bad_input", "warning")
