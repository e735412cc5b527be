"""The screen in a terminal: each way to end leaves it as it was, with the talk printed and the right exit code."""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from pathlib import Path

import pytest

from tests.commands.processes import Home, children, gone, wait_for
from tests.commands.servers import Speaker, server
from tests.commands.speech import question, silence, voice
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


def test_a_practice_server_that_dies_is_told_and_enter_starts_another(home: Home) -> None:
    with shown(home, "chat") as chat:
        chat.terminal.until(READY)
        (child,) = children(chat.process.pid)
        os.kill(child, signal.SIGKILL)
        chat.terminal.until("try again")
        chat.terminal.type("\r")
        chat.terminal.until("Connected again")
        (another,) = children(chat.process.pid)
        say(chat, "hello", 'You wrote: "hello"')
        chat.terminal.type("\x11")
        assert chat.code(END_S) == 0
        chat.clean()
        wait_for(lambda: gone(another), 3)


def test_a_terminal_that_goes_away_is_129(home: Home) -> None:
    with server() as far, shown(home, "chat", "--url", far.url) as chat:
        chat.terminal.until(READY)
        chat.terminal.hang_up()
        assert chat.code(END_S) == 129
        assert "Traceback" not in home.log


def test_a_terminal_that_goes_away_without_a_signal_is_129_too(home: Home) -> None:
    """As a remote shell that was cut off: reading fails, and nobody says why."""
    program = (
        "import signal, sys; signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGHUP])\n"
        "from voicecli.cli import main\n"
        "sys.exit(main())"
    )
    with server() as far, shown(home, "chat", "--url", far.url, program=program) as chat:
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
        data = chat.terminal.data
        assert data.count(b"\x1b[<u") == len(re.findall(rb"\x1b\[>\d+u", data)), "the shell has its own entry below"
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


def state(pid: int) -> str:
    """Of the process, as the system calls it: T is stopped."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


STOPS = {"ctrl+z": lambda chat: chat.terminal.type("\x1a"), "SIGTSTP": lambda chat: chat.signal(signal.SIGTSTP)}


@pytest.mark.parametrize("how", STOPS)
def test_stopped_the_terminal_is_the_shells_and_afterwards_the_screen_is_back(how: str, home: Home) -> None:
    with server() as far, shown(home, "chat", "--url", far.url) as chat:
        chat.terminal.until(READY)
        say(chat, "hello", "Answer 1 to hello: word1 word2 word3")
        for _ in range(2):
            STOPS[how](chat)
            wait_for(lambda: state(chat.process.pid) == "T")
            wait_for(lambda: chat.terminal.modes == {})
            chat.clean()
            at = len(chat.terminal.data)
            chat.signal(signal.SIGCONT)
            chat.terminal.until("word3", since=at)
            assert chat.terminal.modes[1049]
            assert chat.terminal.keyboard == 1
        say(chat, "and again", "Answer 2 to and again: word1 word2 word3")
        chat.terminal.type("\x11")
        assert chat.code(END_S) == 0
        chat.clean()


def test_a_stop_that_nobody_asked_us_about_is_mended_when_it_goes_on(home: Home) -> None:
    with server() as far, shown(home, "chat", "--url", far.url) as chat:
        chat.terminal.until(READY)
        chat.signal(signal.SIGSTOP)
        wait_for(lambda: state(chat.process.pid) == "T")
        chat.terminal.cook()
        chat.signal(signal.SIGCONT)
        wait_for(lambda: not chat.terminal.cooked)
        say(chat, "hello", "Answer 1 to hello: word1 word2 word3")
        chat.terminal.type("\x11")
        assert chat.code(END_S) == 0
        chat.clean()


def test_a_terminal_that_stops_reading_does_not_hold_up_the_talk(home: Home) -> None:
    with server(responder=Speaker(words=400, word_s=0.0)) as far, shown(home, "chat", "--url", far.url) as chat:
        chat.terminal.until(READY)
        chat.terminal.type("first\r")
        wait_for(lambda: len(far.sent("response.create")) == 1)
        chat.terminal.stall()
        for n in range(30):
            chat.terminal.resize(60 + n, 20 + n)
            time.sleep(0.02)
        time.sleep(1.0)
        chat.terminal.go_on()
        say(chat, "second", "Answer 2 to second")
        chat.terminal.type("\x11")
        assert chat.code(END_S) == 0
        chat.clean()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_signal_ends_the_talk_in_time_though_the_terminal_has_stopped_reading(
    number: signal.Signals, home: Home
) -> None:
    with server(responder=Speaker(words=4000, word_s=0.0)) as far, shown(home, "chat", "--url", far.url) as chat:
        chat.terminal.until(READY)
        chat.terminal.stall()
        chat.terminal.type("first\r")
        for n in range(60):
            chat.terminal.resize(60 + n, 20 + n)
            time.sleep(0.02)
        at = time.monotonic()
        chat.signal(number)
        assert chat.code(END_S) == {signal.SIGTERM: 143, signal.SIGHUP: 129}[number]
        assert time.monotonic() - at < END_S
        chat.terminal.go_on()
        wait_for(lambda: chat.terminal.modes == {}, 3)
        chat.clean()


def test_a_megabyte_that_is_pasted_is_cut_and_told_and_presses_no_key(home: Home) -> None:
    with server() as far, shown(home, "chat", "--url", far.url) as chat:
        chat.terminal.until(READY)
        chat.terminal.type("\x1b[200~" + "safe \x1b\x11 text " * 160_000 + "\x1b[201~")
        chat.terminal.until("What you pasted was too long")
        assert chat.process.poll() is None
        chat.terminal.type("\x03\x03\x03")
        assert chat.code(END_S) == 130
        chat.clean()


@pytest.mark.parametrize("key", ["\x1b", "\x03", " "], ids=["esc", "ctrl+c", "space"])
def test_an_answer_that_a_key_stops_says_so(key: str, home: Home) -> None:
    question(home.work / "q.wav", voice(0.5), silence(20))
    sound = ("--audio-in", "q.wav", "--audio-out", "a.wav")
    with server(responder=Speaker(words=100)) as far, shown(home, "talk", "--url", far.url, *sound) as talk:
        talk.terminal.until("assistant.speaking")
        talk.terminal.until("to.come")
        time.sleep(1.0)
        talk.terminal.type(key)
        talk.terminal.until("stopped.by.key.at")
        talk.terminal.type("\x11")
        assert talk.code(END_S) == 0


def test_a_paste_whose_end_is_lost_does_not_hold_the_person(home: Home) -> None:
    with server() as far, shown(home, "chat", "--url", far.url) as chat:
        chat.terminal.until(READY)
        chat.terminal.type("\x1b[200~pasted text")
        time.sleep(1.5)
        chat.terminal.type("\x11")
        assert chat.code(END_S) == 0
        chat.clean()


def test_the_answers_of_a_terminal_that_come_late_are_not_typed(home: Home) -> None:
    with server() as far, shown(home, "chat", "--url", far.url) as chat:
        chat.terminal.until(READY)
        chat.terminal.type("\x1b]11;rgb:0f0f/1313/1818\x1b\\hello\r")
        chat.terminal.until("Answer 1 to hello")
        chat.terminal.type("\x11")
        assert chat.code(END_S) == 0


def test_what_was_typed_before_the_screen_stood_is_not_lost(home: Home) -> None:
    terminal = Terminal(early="hello\r")
    with server() as far, shown(home, "chat", "--url", far.url, terminal=terminal) as chat:
        chat.terminal.until("Answer 1 to hello")


@pytest.mark.parametrize(("background", "colour"), [("rgb:ffff/ffff/ffff", b"251;250;246"), ("", b"15;19;24")])
def test_the_colours_are_those_of_the_terminals_background(background: str, colour: bytes, home: Home) -> None:
    terminal = Terminal(background=background)
    with (
        server() as far,
        shown(home, "chat", "--url", far.url, terminal=terminal, COLORTERM="truecolor") as chat,
    ):
        chat.terminal.until(READY)
        wait_for(lambda: b"48;2;" + colour in chat.terminal.data)


def test_without_colours_none_is_sent(home: Home) -> None:
    with server() as far, shown(home, "chat", "--url", far.url, NO_COLOR="1", COLORTERM="truecolor") as chat:
        chat.terminal.until(READY)
        assert not re.search(rb"\x1b\[[0-9;]*[34]8;", chat.terminal.data)


@pytest.mark.parametrize(
    "env",
    [{"LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": "POSIX"}, {"LC_ALL": "C"}, {}],
)
def test_where_the_locale_is_not_utf8_all_of_it_is_ascii(env: dict[str, str], home: Home) -> None:
    args = () if env else ("--ascii",)
    with server() as far, shown(home, "chat", "--url", far.url, *args, **env) as chat:
        chat.terminal.until("o waiting.for.you.to.type")
        assert chat.terminal.data.replace("●".encode(), b"").isascii()
