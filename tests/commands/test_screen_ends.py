"""The screen in a terminal: each way to end leaves it as it was, with the talk printed and the right exit code."""

from __future__ import annotations

import signal
import sys
import time

import pytest

from tests.commands.processes import Home
from tests.commands.servers import server
from tests.commands.terminals import Shown, Terminal, shown

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="terminals of other systems differ")

READY = "waiting.for.you.to.type"
END_S = 6.0
"""Two are promised; this machine may be busy."""


def turns(lines: list[str]) -> list[str]:
    """The lines of a transcript that are turns."""
    return [line for line in lines if line.startswith(("you: ", "assistant: ", "tool: ", "  "))]


def say(chat: Shown, text: str, answer: str) -> None:
    chat.terminal.type(f"{text}\r")
    chat.terminal.until(answer)


def test_a_talk_on_the_screen_prints_the_turns_that_plain_mode_prints(home: Home) -> None:
    with server() as far:
        plain = home.run("chat", "--plain", "--url", far.url, stdin=b"hello\nand again\n")
    with server() as far, shown(home, "chat", "--url", far.url) as chat:
        chat.terminal.until(READY)
        say(chat, "hello", "Answer 1 to hello: word1 word2 word3")
        say(chat, "and again", "Answer 2 to and again: word1 word2 word3")
        chat.terminal.type("\x11")
        assert chat.code(END_S) == 0
        assert turns(chat.terminal.after) == turns(plain.lines)
        assert len(turns(plain.lines)) == 4
        chat.clean()


ENDS = {
    "ctrl+q": (lambda chat: chat.terminal.type("\x11"), 0),
    "ctrl+d": (lambda chat: chat.terminal.type("\x04"), 0),
    "/quit": (lambda chat: chat.terminal.type("/quit\r"), 0),
    "ctrl+c twice": (lambda chat: chat.terminal.type("\x03\x03"), 130),
    "SIGTERM": (lambda chat: chat.signal(signal.SIGTERM), 143),
    "SIGHUP": (lambda chat: chat.signal(signal.SIGHUP), 129),
}


@pytest.mark.parametrize("how", ENDS)
def test_each_way_to_end_leaves_the_terminal_as_it_was(how: str, home: Home) -> None:
    end, code = ENDS[how]
    with server() as far, shown(home, "chat", "--url", far.url) as chat:
        chat.terminal.until(READY)
        assert {1049, 1000, 2004, 25} <= set(chat.terminal.modes)
        say(chat, "hello", "Answer 1 to hello: word1 word2 word3")
        at = time.monotonic()
        end(chat)
        assert chat.code(END_S) == code
        assert time.monotonic() - at < END_S
        assert turns(chat.terminal.after) == ["you: hello", "assistant: Answer 1 to hello: word1 word2 word3"]
        chat.clean()


def test_the_signal_of_ctrl_c_is_the_same_as_the_key(home: Home) -> None:
    with server() as far, shown(home, "chat", "--url", far.url) as chat:
        chat.terminal.until(READY)
        chat.terminal.type("half a line")
        chat.terminal.until("half a line")
        chat.signal(signal.SIGINT)  # clears the line
        time.sleep(0.3)
        chat.signal(signal.SIGINT)
        time.sleep(0.3)
        assert chat.process.poll() is None
        chat.signal(signal.SIGINT)
        assert chat.code(END_S) == 130
        chat.clean()


def test_a_server_that_refuses_is_told_after_the_screen_and_is_3(home: Home) -> None:
    with shown(home, "chat", "--url", "ws://127.0.0.1:9/v1/realtime") as chat:
        chat.terminal.until("cannot be reached")
        chat.terminal.type("\x11")
        assert chat.code(END_S) == 3
        assert any(line.startswith("error: 127.0.0.1") for line in chat.terminal.after)
        chat.clean()


def test_a_terminal_that_goes_away_is_129(home: Home) -> None:
    with server() as far, shown(home, "chat", "--url", far.url) as chat:
        chat.terminal.until(READY)
        chat.terminal.hang_up()
        assert chat.code(END_S) == 129
        assert "Traceback" not in home.log


def test_a_bug_in_the_screen_is_70_and_shows_no_locals_g9(home: Home) -> None:
    program = (
        "import os\n"
        "from voicecli.ui.screen.app import TalkApp\n"
        "def fail(self, *_):\n"
        "    local = os.environ['OPENAI_API_KEY']\n"
        "    raise ZeroDivisionError('bug ' + local)\n"
        "TalkApp.action_escape = fail\n"
        "import sys; from voicecli.cli import main; sys.exit(main())"
    )
    key = "sk-canary-0123456789"
    with (
        server() as far,
        shown(home, "chat", "--url", far.url, program=program, OPENAI_API_KEY=key) as chat,
    ):
        chat.terminal.until(READY)
        say(chat, "hello", "Answer 1 to hello: word1 word2 word3")
        chat.terminal.type("\x1b")
        assert chat.code(END_S) == 70
        assert turns(chat.terminal.after) == ["you: hello", "assistant: Answer 1 to hello: word1 word2 word3"]
        assert any("mistake of its own" in line for line in chat.terminal.after)
        assert "canary" not in chat.terminal.text + home.log
        assert "Traceback" not in chat.terminal.text
        chat.clean()


def test_without_a_terminal_on_all_three_streams_there_are_lines(home: Home) -> None:
    with server() as far:
        done = home.run("chat", "--url", far.url, stdin=b"hello\n")
        assert "you: hello" in done.lines
        with shown(home, "chat", "--url", far.url, TERM="dumb") as chat:
            chat.terminal.until("state: waiting for you to type")
            assert chat.terminal.modes == {}


def test_a_terminal_that_is_too_small_gets_lines_and_is_told_why(home: Home) -> None:
    with server() as far, shown(home, "chat", "--url", far.url, terminal=Terminal(19, 24)) as chat:
        chat.terminal.until("too small for the screen")
        chat.terminal.until("state: waiting for you to type")
        assert chat.terminal.modes == {}


def test_a_screen_that_cannot_start_gives_way_to_lines(home: Home) -> None:
    program = "import sys; sys.modules['textual.app'] = None\nfrom voicecli.cli import main\nsys.exit(main())"
    with server() as far, shown(home, "chat", "--url", far.url, program=program) as chat:
        chat.terminal.until("The screen could not be loaded")
        chat.terminal.until("state: waiting for you to type")
        chat.terminal.type("hello\n")
        chat.terminal.until("assistant: Answer 1 to hello")


def test_resizes_down_to_20_by_5_and_back_in_bursts_break_nothing(home: Home) -> None:
    with server() as far, shown(home, "chat", "--url", far.url) as chat:
        chat.terminal.until(READY)
        say(chat, "hello", "Answer 1 to hello: word1 word2 word3")
        for n in range(200):
            chat.terminal.resize(20 + n * 7 % 180, 5 + n * 5 % 55)
        chat.terminal.resize(20, 5)
        time.sleep(0.5)
        at = len(chat.terminal.data)
        chat.terminal.resize(90, 30)
        chat.terminal.until("word3", since=at)
        chat.terminal.type("\x11")
        assert chat.code(END_S) == 0
        chat.clean()
