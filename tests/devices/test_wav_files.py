"""WAV files in the place of devices, with the time given by hand: `beat` is told what time it is."""

from __future__ import annotations

import os
import stat
import struct
import subprocess
import sys
import threading
import wave
from pathlib import Path

import pytest

from voicecli.audio import wav
from voicecli.audio.capture import Raw
from voicecli.audio.playout import Playout
from voicecli.audio.wav import BadWav
from voicecli.devices.files import BLOCK, FileMicrophone, FileSpeaker, load
from voicecli.devices.growing import CUT_NOTE, OPEN_NOTE, WHOLE_NOTE, GrowingWav
from voicecli.devices.stream import File, Trouble
from voicecli.ports import RATE, InputSpent, Playhead, SoundFailed, SoundFailure


def ramp(start: int, n: int) -> bytes:
    return struct.pack(f"<{n}h", *((start + i) % 30_000 + 1 for i in range(n)))


def run(stream: FileMicrophone | FileSpeaker, start: float, seconds: float) -> float:
    """Beats whenever it wants to, as an idle machine would; when the last beat was."""
    again, end = start, start + seconds
    while again < end:
        again = stream.beat(again)
    return again


# ---- the microphone


def test_the_file_is_said_in_blocks_of_20_ms_at_the_pace_of_real_time_then_it_is_silent() -> None:
    heard: list[object] = []
    microphone = FileMicrophone(File("q.wav", ramp(0, 1000)), heard.append)
    microphone.start()
    run(microphone, 1e9, 0.0999)
    blocks = [mail for mail in heard if isinstance(mail, Raw)]
    assert b"".join(raw.pcm for raw in blocks) == ramp(0, 1000) + bytes(2 * (5 * BLOCK - 1000))
    assert [round(raw.came_at - 1e9, 3) for raw in blocks] == [0, 0.02, 0.04, 0.06, 0.08]
    assert all(abs(raw.came_at - raw.adc_at - 0.02) < 1e-6 for raw in blocks)


def test_the_end_of_the_file_is_told_once_behind_its_last_block() -> None:
    heard: list[object] = []
    microphone = FileMicrophone(File("q.wav", ramp(0, 2 * BLOCK)), heard.append)
    microphone.start()
    run(microphone, 1e9, 0.2)
    assert [type(mail) for mail in heard[:4]] == [Raw, Raw, InputSpent, Raw]
    assert sum(isinstance(mail, InputSpent) for mail in heard) == 1


def test_a_muted_file_stands_still_so_that_nothing_of_the_question_is_lost() -> None:
    heard: list[object] = []
    microphone = FileMicrophone(File("q.wav", ramp(0, 10 * BLOCK)), heard.append)
    microphone.start()
    run(microphone, 1e9, 0.0599)
    microphone.close()
    microphone.start()
    run(microphone, 1e9 + 60, 0.1399)
    said = b"".join(mail.pcm for mail in heard if isinstance(mail, Raw))
    assert said == ramp(0, 10 * BLOCK)


def test_a_process_that_stood_still_goes_on_in_the_file_where_it_was() -> None:
    heard: list[object] = []
    microphone = FileMicrophone(File("q.wav", ramp(0, 50 * BLOCK)), heard.append)
    microphone.start()
    again = run(microphone, 1e9, 0.0399)
    microphone.beat(again + 15)
    assert len(heard) == 3, "no burst after a SIGSTOP"


@pytest.mark.parametrize("content", [b"", b"no sound", wav.header(0, "")])
def test_a_file_that_cannot_be_said_is_trouble_with_words(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.wav"
    path.write_bytes(content)
    with pytest.raises(Trouble) as trouble:
        FileMicrophone(File(str(path)), print)
    assert trouble.value.failure is SoundFailure.BAD_FILE
    assert trouble.value.detail
    assert trouble.value.device == str(path)


def test_an_absent_file_and_a_folder_are_trouble_with_words(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.wav", tmp_path):
        with pytest.raises(Trouble) as trouble:
            FileMicrophone(File(str(path)), print)
        assert trouble.value.failure is SoundFailure.BAD_FILE


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_in_the_place_of_a_file_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    with pytest.raises(BadWav, match="not a file"):
        load(str(tmp_path / "pipe.wav"))


# ---- the speaker


def speaker(tmp_path: Path) -> tuple[FileSpeaker, Playout, list[object], Path]:
    playout, told, path = Playout(), [], tmp_path / "out.wav"
    out = FileSpeaker(str(path), playout, told.append)
    out.start()
    return out, playout, told, path


def written(path: Path) -> bytes:
    with wave.open(str(path)) as read:
        assert (read.getframerate(), read.getnchannels(), read.getsampwidth()) == (RATE, 1, 2)
        return read.readframes(read.getnframes())


def test_the_file_holds_silence_where_nothing_played_and_speech_where_it_was_heard(tmp_path: Path) -> None:
    out, playout, _, path = speaker(tmp_path)
    again = run(out, 1e9, 0.0999)
    playout.lay(ramp(0, 3 * BLOCK + 7))
    run(out, again, 0.0999)
    spans = list(playout.spans)
    start = round((spans[0].dac_at - 1e9) * RATE)
    content = written(path)
    assert start == 5 * BLOCK
    assert content[2 * start :].rstrip(b"\0") == ramp(0, 3 * BLOCK + 7)
    assert not any(content[: 2 * start])


def test_a_cut_in_the_middle_of_a_block_is_a_cut_in_its_middle(tmp_path: Path) -> None:
    out, playout, _, path = speaker(tmp_path)
    playout.lay(ramp(0, 10 * BLOCK))
    again = run(out, 1e9, 0.0599)
    playout.move(Playhead(1, 10 * BLOCK, True))
    assert out.silence(1, 1e9 + 0.045) == pytest.approx(1e9 + 0.045)
    run(out, again, 0.0999)
    assert written(path).rstrip(b"\0") == ramp(0, round(0.045 * RATE))


def test_a_cut_that_comes_late_still_keeps_what_was_heard_till_then(tmp_path: Path) -> None:
    """The block of the cut is over: it was heard whole, and silence is since the next one."""
    out, playout, _, path = speaker(tmp_path)
    playout.lay(ramp(0, 10 * BLOCK))
    again = run(out, 1e9, 0.0599)
    playout.move(Playhead(1, 10 * BLOCK, True))
    assert out.silence(1, 1e9 + 0.03) == pytest.approx(1e9 + 0.04)
    run(out, again, 0.0599)
    assert written(path).rstrip(b"\0") == ramp(0, 2 * BLOCK)


def test_a_block_of_the_new_run_is_not_cut_by_the_order_that_is_behind_it(tmp_path: Path) -> None:
    out, playout, _, path = speaker(tmp_path)
    playout.lay(ramp(0, 10 * BLOCK))
    again = run(out, 1e9, 0.0399)
    playout.move(Playhead(1, 5 * BLOCK, True))
    again = run(out, again, 0.0199)
    out.silence(1, 1e9 + 0.039)
    run(out, again, 0.3)
    assert written(path).rstrip(b"\0") == ramp(0, 2 * BLOCK) + ramp(5 * BLOCK, 5 * BLOCK)


def test_the_spans_lie_where_the_file_has_the_sound(tmp_path: Path) -> None:
    out, playout, _, path = speaker(tmp_path)
    again = 1e9
    for at in range(0, 20 * 700, 700):
        playout.lay(ramp(at, 700))
        again = run(out, again, 0.0199)
    run(out, again, 0.5)
    content = written(path)
    for span in playout.spans:
        at = round((span.dac_at - 1e9) * RATE)
        assert content[2 * at : 2 * (at + span.n)] == ramp(span.position, span.n)


def test_a_machine_that_lags_for_some_blocks_leaves_no_hole_and_a_stopped_one_stands_still(tmp_path: Path) -> None:
    out, playout, _, path = speaker(tmp_path)
    playout.lay(ramp(0, 100 * BLOCK))
    again = run(out, 1e9, 0.0399)
    again = out.beat(again + 0.09)
    out.beat(again + 15)
    out.beat(again + 15.05)
    content = written(path)
    assert content == ramp(0, len(content) // 2)
    assert len(content) < 2 * 20 * BLOCK


def test_the_header_counts_what_is_there_at_every_moment(tmp_path: Path) -> None:
    out, playout, _, path = speaker(tmp_path)
    playout.lay(ramp(0, 10 * BLOCK))
    again = 1e9
    for n in range(8):
        again = out.beat(again)
        data = path.read_bytes()
        assert wav.note(data) == OPEN_NOTE
        assert len(data) == wav.HEADER_SIZE + 2 * n * BLOCK
        assert written(path) == ramp(0, n * BLOCK)


def test_an_orderly_end_says_so_in_the_file_and_more_may_follow(tmp_path: Path) -> None:
    out, playout, _, path = speaker(tmp_path)
    run(out, 1e9, 0.0599)
    out.close()
    assert wav.note(path.read_bytes()) == WHOLE_NOTE
    before = len(written(path))
    playout.lay(ramp(0, BLOCK))
    out.start()
    run(out, 2e9, 0.0599)
    assert wav.note(path.read_bytes()) == OPEN_NOTE
    assert written(path)[before:].rstrip(b"\0") == ramp(0, BLOCK)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full here")
def test_a_full_disk_is_told_once_and_the_talk_goes_on() -> None:
    playout, told = Playout(), []
    out = FileSpeaker("/dev/full", playout, told.append)
    assert told == []
    out.start()
    playout.lay(ramp(0, 5 * BLOCK))
    run(out, 1e9, 0.2)
    out.close()
    assert [(type(event), event.failure) for event in told] == [(SoundFailed, SoundFailure.DISK)]
    assert sum(span.n for span in playout.spans) == 5 * BLOCK


def test_a_disk_that_fills_up_leaves_a_readable_file_that_says_it_is_not_whole(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    signal = pytest.importorskip("signal")
    old_handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    old_limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    path = tmp_path / "out.wav"
    growing = GrowingWav(str(path))
    growing.append(ramp(0, 1000))
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4000, old_limit[1]))
        with pytest.raises(OSError):  # noqa: PT011 its number is the system's affair
            growing.append(ramp(1000, 2000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old_limit)
        signal.signal(signal.SIGXFSZ, old_handler)
    growing.append(ramp(3000, 1000))
    growing.whole()
    growing.close()
    assert wav.note(path.read_bytes()) == CUT_NOTE
    assert written(path) == ramp(0, 1000)


def test_the_file_is_ours_alone_whatever_the_umask_and_what_was_there_before(tmp_path: Path) -> None:
    """G18"""
    old = os.umask(0)
    try:
        path = tmp_path / "out.wav"
        path.write_bytes(b"something longer than a header" * 100)
        path.chmod(0o666)
        GrowingWav(str(path)).close()
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(path.read_bytes()) == wav.HEADER_SIZE


def test_a_file_that_cannot_be_made_is_trouble_with_words(tmp_path: Path) -> None:
    for path in (tmp_path / "absent" / "out.wav", tmp_path):
        with pytest.raises(Trouble) as trouble:
            FileSpeaker(str(path), Playout(), print)
        assert trouble.value.failure is SoundFailure.BAD_FILE
        assert trouble.value.detail


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_nobody_reads_does_not_hold_us_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises((OSError, ValueError)):
        GrowingWav(str(tmp_path / "pipe"))


TALK = """
import sys, time
from voicecli.devices.card import Card
from voicecli.devices.stream import File, SoundSetup
from voicecli.ports import Side
card = Card(SoundSetup(None, File(sys.argv[1])), lambda: None)
card.open(Side.SPEAKER)
card.lay(bytes([1, 2]) * 240_000)
print("open", flush=True)
sys.stdin.readline()
"""


def test_a_kill_in_mid_talk_leaves_a_readable_wav(tmp_path: Path) -> None:
    path = tmp_path / "out.wav"
    with subprocess.Popen(
        [sys.executable, "-c", TALK, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout
        assert child.stdout.readline() == "open\n"
        for _ in range(1000):
            if path.exists() and path.stat().st_size > 10_000:
                break
            child.poll()
            threading.Event().wait(0.01)
        child.kill()
    content = written(path)
    assert len(content) >= 8_000
    assert content.lstrip(b"\0") == bytes([1, 2]) * (len(content.lstrip(b"\0")) // 2)
    assert wav.note(path.read_bytes()) == OPEN_NOTE
