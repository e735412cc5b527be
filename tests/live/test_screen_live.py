"""The program on its screen, in tmux on virtual devices: by voice and keys, and each end gives back what it had."""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter

import numpy as np
import pytest
from panes import AT_PROMPT, PROMPT, Pane
from talking import QUESTION
from virtual_audio import Recording, VirtualAudio

from tests.commands.processes import Home, Running, children, gone, wait_for
from voicecli.server.tones import tones

pytestmark = [pytest.mark.sound, pytest.mark.xdist_group("sound"), pytest.mark.usefixtures("tmux")]

TALK = f"{sys.executable} -P -m voicecli talk --offline"
CUT = re.compile(r" ?\(Interrupted at \d+\.\d seconds\.(?: Not heard, by estimate: (?P<unheard>.*))?\)$")
AMOUNT = re.compile(r"\d+\.\d")
SILENT_S = 0.5
"""From a key to silence. It is a few milliseconds; tmux, 30 looks a second and a busy machine come on top."""
END_S = 10.0
"""Two are promised; this machine may be busy."""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@contextmanager
def pane(home: Home, audio: VirtualAudio, columns: int = 80, lines: int = 24) -> Iterator[Pane]:
    environ = home.environ(**{**audio.env, "COLUMNS": None})
    with Pane(audio.folder, environ, columns=columns, lines=lines) as pane:
        yield pane


def released(audio: VirtualAudio) -> bool:
    return audio.listeners() == audio.speakers() == []


def turns(lines: list[str]) -> list[str]:
    """The lines of a transcript that are turns."""
    return [line for line in lines if line.startswith(("you: ", "assistant: "))]


# ---- a whole talk


def test_a_whole_talk_by_voice_and_by_keys(virtual_audio: VirtualAudio, home: Home) -> None:
    """Beside it the same is said to `--plain`, by whose turns that which is printed afterwards is judged."""
    with plain(home, virtual_audio) as beside, pane(home, virtual_audio, 120, 40) as screen:
        before = screen.modes
        screen.type(f"{TALK}; echo code=$?")
        screen.until("listening .* mic on")
        beside.lines().until("^state: listening")
        assert len(virtual_audio.listeners()) == 2
        monitor = virtual_audio.monitor()

        speak(virtual_audio, screen)
        screen.until(r"assistant speaking · \d\.\d s to come")
        wait_for(lambda: monitor.loud)
        screen.until(r"I heard \d\.\d seconds of speech\..*▏")
        key_at = perf_counter()
        screen.press("Escape")
        screen.until(r"stopped by key at \d\.\d s · \d+ words not heard")
        screen.until(r"listening · you interrupted at \d\.\d s")
        stop(beside, times=1)
        time.sleep(max(0.0, key_at + SILENT_S + 0.3 - perf_counter()))

        typed_at = perf_counter()
        screen.type("hello there")
        beside.type("hello there")
        screen.until(r'wrote: "hello there"\..*▏.*assistant speaking')
        speaking_at, spoken_at = speak(virtual_audio, screen)
        screen.until(r"[^u] interrupted at \d\.\d s · \d+ words not heard")
        screen.until(
            r"you \(speech, \d\.\d s\)[^I]*assistant I heard \d\.\d seconds of speech\. No.*▏.*assistant speaking"
        )
        screen.press("Escape")
        stop(beside, times=3)
        screen.until("turns 6, 3 interrupted")
        beside.type("/quit")
        lines = beside.done().lines

        screen.press("C-o")
        screen.until("× muted .* mic off")
        wait_for(lambda: virtual_audio.listeners() == [], 2)
        screen.press("C-o")
        screen.until("○ listening .* mic on")
        wait_for(lambda: len(virtual_audio.listeners()) == 1, 2)

        screen.press("C-q")
        screen.until(r"code=0")
        screen.until(AT_PROMPT)
        assert screen.modes == before
        recording = monitor.stop()
        assert released(virtual_audio)
        printed = turns(screen.all)
    assert AMOUNT.sub("N", printed[0]) == "you: (speech, N s)"
    assert printed[2] == "you: hello there"
    said_by_voice = [line for line in printed if line != "you: hello there"]  # in the other one the terminal echoes it
    for mine, other in zip(said_by_voice, turns(lines), strict=True):
        assert same(mine, other)
    assert np.mean(sound(recording, key_at - 0.5, key_at) != 0) > 0.9, "until then the answer is heard"
    assert not sound(recording, key_at + SILENT_S, typed_at).any(), "esc makes the speaker silent"
    word = np.frombuffer(next(tones(1, [3])), "<i2")
    at = recording.find(word)
    assert at is not None, "the answer to what was typed is heard, sample for sample"
    assert recording.when(at) > typed_at
    assert not sound(recording, speaking_at + 0.1, spoken_at).any(), "who speaks hears nobody else"


@contextmanager
def plain(home: Home, audio: VirtualAudio) -> Iterator[Running]:
    """Hears the same, and is heard by nobody."""
    silent = str(home.path.parent / "beside.wav")
    arguments = ("talk", "--plain", "--offline", "--audio-out", silent)
    with home.running(*arguments, env={**audio.env}, terminal=True) as running:
        yield running


def stop(talk: Running, *, times: int) -> None:
    talk.type("/interrupt")
    talk.lines().until(r"^assistant: .*\(Interrupted at", times=times)


def speak(audio: VirtualAudio, screen: Pane) -> tuple[float, float]:
    """A question into the microphone; when it was seen that somebody speaks, and the end of it."""
    player = audio.speaking(QUESTION)
    screen.until("you are speaking")
    seen_at = perf_counter()
    assert player.wait(10) == 0
    return seen_at, perf_counter() - 0.2


def sound(recording: Recording, begin: float, end: float) -> np.ndarray:
    assert end - begin > 0.1, "long enough to say something"
    return recording.pcm[recording.index(begin) : recording.index(end)]


def same(mine: str, other: str) -> bool:
    """Whether it is the same turn of two talks. What was cut, and how much had come by then, differs by the moment."""
    cut = [CUT.search(line) for line in (mine, other)]
    one, another = (AMOUNT.sub("N", CUT.sub(r" \g<unheard>", line)).rstrip() for line in (mine, other))
    assert [bool(each) for each in cut] in ([True, True], [False, False])
    return one.startswith(another) or another.startswith(one) if all(cut) else one == another


def test_by_push_to_talk_keys_begin_and_send_what_is_said_and_stop_the_answer(
    virtual_audio: VirtualAudio, home: Home
) -> None:
    with pane(home, virtual_audio) as screen:
        before = screen.modes
        screen.type(f"{TALK} --ptt; echo code=$?")
        screen.until("○ press .* to talk")
        screen.press("F2")
        screen.until("recording")
        virtual_audio.speak_into_mic(QUESTION)
        screen.press("F2")
        screen.until(r"I heard \d\.\d seconds of speech\..*▏.*assistant speaking")
        screen.press("Space")
        screen.until(r"stopped by key at \d\.\d s · \d+ words not heard")
        screen.until("recording")
        screen.press("Escape")
        screen.until("○ press .* to talk")
        screen.press("C-q")
        said, answer = over(screen, before, virtual_audio, 0)
    assert AMOUNT.sub("N", said) == "you: (speech, N s)"
    assert CUT.search(answer)


# ---- ends


@contextmanager
def answering(home: Home, audio: VirtualAudio) -> Iterator[tuple[Pane, str]]:
    """A talk in which an answer is heard, and the terminal's modes before it."""
    with pane(home, audio) as screen:
        before = screen.modes
        screen.type(f"{TALK}; echo code=$?")
        screen.until("listening .* mic on")
        assert screen.modes != before
        screen.type("go on")
        screen.until(r'You wrote: "go on"\..*▏.*assistant speaking')
        assert len(audio.listeners()) == 1
        assert len(audio.speakers()) == 1
        yield screen, before


def over(screen: Pane, before: str, audio: VirtualAudio, code: int) -> list[str]:
    """Waits for the end, and gives the turns that are printed."""
    screen.until(f"code={code}", END_S)
    assert screen.modes == before
    assert released(audio)
    return turns(screen.all)


ENDS: dict[str, tuple[Callable[[Pane], None], int]] = {
    "ctrl+c twice": (lambda screen: screen.press("C-c", "C-c", "C-c"), 130),
    "SIGTERM": (lambda screen: os.kill(screen.job, signal.SIGTERM), 143),
    "SIGHUP": (lambda screen: os.kill(screen.job, signal.SIGHUP), 129),
}


@pytest.mark.parametrize("how", ENDS)
def test_each_end_in_mid_answer_gives_back_the_terminal_and_the_devices(
    how: str, virtual_audio: VirtualAudio, home: Home
) -> None:
    end, code = ENDS[how]
    with answering(home, virtual_audio) as (screen, before):
        (server,) = children(screen.job)
        end(screen)
        typed, answer = over(screen, before, virtual_audio, code)
        wait_for(lambda: gone(server), 3)
    assert typed == "you: go on"
    assert answer.startswith('assistant: You wrote: "go on".')
    assert CUT.search(answer)


def test_a_window_that_is_closed_ends_the_talk_and_gives_back_the_devices(
    virtual_audio: VirtualAudio, home: Home
) -> None:
    with answering(home, virtual_audio) as (screen, _):
        talk = screen.job
        (server,) = children(talk)
        screen.close()
        wait_for(lambda: gone(talk) and gone(server), END_S)
        wait_for(lambda: released(virtual_audio), 2)
    assert "Traceback" not in home.log


def test_stopped_by_ctrl_z_it_hears_nobody_and_fg_brings_it_back_muted(virtual_audio: VirtualAudio, home: Home) -> None:
    with answering(home, virtual_audio) as (screen, before):
        within = screen.modes
        screen.press("C-z")
        screen.until("Stopped .*" + AT_PROMPT)
        assert screen.modes == before
        assert virtual_audio.listeners() == []
        screen.type("fg; echo code=$?")
        screen.until("The microphone was turned off while voicecli was stopped")
        screen.until("stopped by key at")
        screen.until("× muted mic off")
        assert screen.modes == within
        assert virtual_audio.listeners() == []
        screen.press("C-o")
        screen.until("○ listening mic on")
        wait_for(lambda: len(virtual_audio.listeners()) == 1, 2)
        screen.press("C-q")
        typed, answer = over(screen, before, virtual_audio, 0)
    assert typed == "you: go on"
    assert CUT.search(answer)


def test_stopped_and_then_ended_in_the_background_it_leaves_the_terminal_to_the_shell(
    virtual_audio: VirtualAudio, home: Home
) -> None:
    """Whoever touches the terminal from there is stopped once more, and would never end."""
    with answering(home, virtual_audio) as (screen, before):
        talk = screen.job
        screen.press("C-z")
        screen.until(f"Stopped .*{AT_PROMPT}")
        screen.type("kill %1; kill -CONT %1")
        wait_for(lambda: gone(talk), END_S)
        screen.type("jobs")
        screen.until(r"(Done\(|Exit )143")  # as shells say it
        assert screen.modes == before
        assert released(virtual_audio)
        typed, answer = turns([line.removeprefix(PROMPT) for line in screen.all])
    assert typed == "you: go on"
    assert CUT.search(answer)


def test_told_to_go_on_in_the_background_it_stops_again_and_fg_brings_it_back(
    virtual_audio: VirtualAudio, home: Home
) -> None:
    with answering(home, virtual_audio) as (screen, before):
        talk = screen.job
        screen.press("C-z")
        screen.until(f"Stopped .*{AT_PROMPT}")
        os.kill(talk, signal.SIGCONT)
        wait_for(lambda: status(talk) != "T")
        wait_for(lambda: status(talk) == "T")
        assert screen.modes == before
        screen.type("fg; echo code=$?")
        screen.until("× muted mic off")
        screen.press("C-q")
        over(screen, before, virtual_audio, 0)


def test_stopped_by_somebody_else_and_ended_in_the_background_it_ends_and_gives_back_the_terminal(
    virtual_audio: VirtualAudio, home: Home
) -> None:
    with answering(home, virtual_audio) as (screen, before):
        talk = screen.job
        os.kill(talk, signal.SIGSTOP)
        screen.until("Stopped")
        os.kill(talk, signal.SIGTERM)
        os.kill(talk, signal.SIGCONT)
        wait_for(lambda: gone(talk), END_S)
        wait_for(lambda: screen.modes == before)
        assert released(virtual_audio)


def status(pid: int) -> str:
    """Of the process, as the system calls it: T is stopped."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def test_a_practice_server_that_is_killed_is_told_and_retry_goes_on_by_voice(
    virtual_audio: VirtualAudio, home: Home
) -> None:
    with answering(home, virtual_audio) as (screen, before):
        (server,) = children(screen.job)
        os.kill(server, signal.SIGKILL)
        screen.until("× not connected")
        screen.until(r"The connection dropped\. .* /retry connects again")
        screen.type("/retry")
        screen.until("Connected again")
        screen.until("○ listening mic on")
        speak(virtual_audio, screen)
        screen.until(r"assistant I heard \d\.\d seconds of speech")
        screen.press("C-q")
        printed = over(screen, before, virtual_audio, 0)
    assert [line.partition(":")[0] for line in printed] == ["you", "assistant"] * 2
