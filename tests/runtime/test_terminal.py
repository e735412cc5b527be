"""What a terminal says of itself, and what is made of it."""

from __future__ import annotations

import os
import select
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicecli.runtime.terminal import ASK, Known, Modes, ask, foreground, light_by_name, read

termios = pytest.importorskip("termios")


@pytest.fixture(autouse=True)
def _usual(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")


def answers(master: int, answer: bytes) -> threading.Thread:
    """A terminal that answers the question with this."""

    def run() -> None:
        seen = b""
        while ASK[-4:] not in seen:
            seen += os.read(master, 1024)
        os.write(master, answer)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


@pytest.mark.parametrize(
    ("answer", "known"),
    [
        (b"\x1b]11;rgb:0f0f/1313/1818\x1b\\\x1b[1;2R", Known(False, True)),
        (b"\x1b]11;rgb:ff/fa/f6\x07\x1b[1;3R", Known(True, False)),
        (b"\x1b[1;4R", Known(None, False)),
        (b"\x1b[1;1R", Known(None, False)),
        (b"", Known(None, True, answered=False)),
        (b"\x1b[1;2R", Known(None, True)),
        (b"he\x1b[1;2R\x1b]11;rgb:ffff/ffff/ffff\x1b\\llo", Known(True, True, b"hello")),
        (b"\x1b]11;rgb:zz/zz/zz\x1b\\\x1b[1;2R", Known(None, True, b"\x1b]11;rgb:zz/zz/zz\x1b\\")),
    ],
)
def test_an_answer_says_how_light_the_background_is_and_how_wide_the_glyphs(answer: bytes, known: Known) -> None:
    assert read(answer) == known


@given(st.binary(max_size=200))
def test_whatever_a_terminal_answers_is_read(data: bytes) -> None:
    known = read(data)
    assert len(known.typed) <= len(data)


def test_a_terminal_that_answers_is_asked_in_a_moment_and_left_as_it_was() -> None:
    master, slave = os.openpty()
    before = termios.tcgetattr(slave)
    answers(master, b"q\x1b]11;rgb:ffff/ffff/ffff\x1b\\\x1b[1;2R")
    assert ask(slave, slave, 10.0) == Known(True, True, b"q")
    assert termios.tcgetattr(slave) == before


def test_a_terminal_that_never_answers_costs_a_tenth_of_a_second() -> None:
    _, slave = os.openpty()
    at = time.perf_counter()
    assert ask(slave, slave) == Known(answered=False)
    assert 0.09 < time.perf_counter() - at < 1.0


@pytest.mark.parametrize("name", ["dumb", "linux", ""])
def test_a_terminal_that_would_show_the_question_is_not_asked(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", name)
    master, slave = os.openpty()
    ask(slave, slave, 10.0)
    os.set_blocking(master, False)
    with pytest.raises(BlockingIOError):
        os.read(master, 1)


def test_what_is_no_terminal_is_not_asked() -> None:
    reader, writer = os.pipe()
    assert ask(reader, writer, 10.0) == Known()


@pytest.mark.parametrize(
    ("colours", "light"),
    [("15;0", False), ("0;15", True), ("0;default;7", True), ("0;8", False), ("", None), ("0;default", None)],
)
def test_colorfgbg_names_the_background_last(colours: str, light: bool | None) -> None:
    assert light_by_name(colours) is light


def test_modes_are_put_back_by_force() -> None:
    master, slave = os.openpty()
    before = termios.tcgetattr(slave)
    modes = Modes(slave, slave)
    os.write(slave, b"half a frame \x1b[3")
    changed = termios.tcgetattr(slave)
    changed[3] &= ~(termios.ECHO | termios.ICANON)
    termios.tcsetattr(slave, termios.TCSANOW, changed)
    modes.restore()
    assert termios.tcgetattr(slave) == before
    written = b""
    while b"\x1b[0m\r" not in written:  # it comes in pieces, as the kernel likes
        assert select.select([master], [], [], 2.0)[0], written
        written += os.read(master, 4096)
    for mode in (b"?1049l", b"?1003l", b"?2004l", b"?25h", b"<u", b"?7h"):
        assert b"\x1b[" + mode in written


def test_where_nobody_can_be_asked_the_terminal_is_ours() -> None:
    _, slave = os.openpty()
    reader, _ = os.pipe()
    assert foreground(slave)
    assert foreground(reader)
