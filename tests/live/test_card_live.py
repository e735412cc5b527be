"""The card on real PortAudio and virtual devices, judged by what a monitor recorded; figures are loose on purpose."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from time import perf_counter

import numpy as np
import pytest
from ear import Sounding, noise, write_wav
from virtual_audio import VirtualAudio

from voicecli.devices.library import devices
from voicecli.devices.stream import Device
from voicecli.ports import (
    RATE,
    MicBlock,
    Playhead,
    Side,
    Silent,
    SoundClosed,
    SoundFailed,
    SoundFailure,
    SoundOpened,
)

pytestmark = [pytest.mark.sound, pytest.mark.xdist_group("sound")]


def ready(talk: Sounding, *sides: Side) -> None:
    for side in sides:
        talk.card.open(side)
    talk.until(lambda: {event.side for event in talk.of(SoundOpened)} >= set(sides))


def real_failures(talk: Sounding) -> list[SoundFailed]:
    """An idle virtual microphone gives zeros, which looks like a missing permission."""
    return [event for event in talk.of(SoundFailed) if event.failure is not SoundFailure.NO_PERMISSION]


def test_the_speaker_gives_what_was_laid_sample_for_sample(virtual_audio: VirtualAudio) -> None:
    pcm = noise(2.5)
    with Sounding() as talk:
        monitor = virtual_audio.monitor()
        ready(talk, Side.SPEAKER)
        talk.listen(0.4)
        for at in range(0, len(pcm), 2400):
            talk.card.lay(pcm[at : at + 2400].tobytes())
            talk.listen(0.03)
        talk.until(lambda: sum(span.n for span in talk.spans()) == len(pcm))
        talk.listen(0.5)
        recording = monitor.stop()
        found = recording.find(pcm)
        assert found is not None, "a sample is missing, changed or doubled"
        off = [span.dac_at - recording.when(found + span.position) for span in talk.spans()]
        print(f"dac_at off by {1e3 * np.median(off):.2f} ms, {1e3 * min(off):.2f} to {1e3 * max(off):.2f}")
        assert np.percentile(np.abs(off), 95) < 0.02
        assert real_failures(talk) == []


def test_a_cut_is_silent_at_once_and_the_spans_know_what_was_heard(virtual_audio: VirtualAudio) -> None:
    """Ten cuts in mid-answer, with seconds still queued; then the next answer begins behind what was cut."""
    rng, lag, first, claims = random.Random(7), [], [], []
    with Sounding() as talk:
        monitor = virtual_audio.monitor()
        ready(talk, Side.SPEAKER)
        talk.listen(0.5)
        end, story = 0, []
        for run in range(1, 11):
            pcm = noise(3, seed=run)
            laid_at = perf_counter()
            talk.card.lay(pcm.tobytes())
            talk.listen(rng.uniform(0.3, 0.5))
            talk.take()
            cut_at = perf_counter()
            heard = max(
                s.position + min(s.n, int((cut_at - s.dac_at) * RATE)) for s in talk.spans() if s.dac_at <= cut_at
            )
            talk.card.move(Playhead(run, end + len(pcm), True))
            talk.until(lambda run=run: bool(talk.of(Silent)) and talk.of(Silent)[-1].run == run)
            story.append((pcm, laid_at, cut_at, heard - end, talk.of(Silent)[-1].at))
            end += len(pcm)
            talk.listen(0.25)
        recording = monitor.stop()
        for pcm, laid_at, cut_at, heard, silent_at in story:
            start = recording.find(pcm[:480], recording.index(laid_at) - 2400, recording.index(laid_at) + 12_000)
            assert start is not None
            played = recording.pcm[start : start + len(pcm)]
            wrong = np.flatnonzero(played != pcm[: len(played)])
            n = int(wrong[0]) if len(wrong) else len(played)
            assert not recording.pcm[start + n : start + n + 2400].any(), "sound behind the cut"
            first.append(recording.when(start) - laid_at)
            lag.append(recording.when(start + n) - cut_at)
            claims.append((heard - n) / RATE)
            assert abs(silent_at - recording.when(start + n)) < 0.05
        ms = 1e3 * np.array([first, lag, claims])
        for name, row in zip(("first sound", "cut to silence", "claim minus ear"), ms, strict=True):
            print(f"{name}: median {np.median(row):.1f} ms, {row.min():.1f} to {row.max():.1f}")
        assert max(lag) < 0.1
        assert max(np.abs(claims)) < 0.02
        assert np.median(first) < 0.1, "speech queues behind silence"


def test_sound_that_is_laid_right_behind_a_cut_is_heard_whole(virtual_audio: VirtualAudio) -> None:
    """Nothing of the new run may go into the device that is about to be cut."""
    with Sounding() as talk:
        monitor = virtual_audio.monitor()
        ready(talk, Side.SPEAKER)
        talk.listen(0.5)
        end, answers = 0, []
        for run in range(1, 6):
            old, new = noise(2, seed=run), noise(0.2, seed=100 + run)
            talk.card.lay(old.tobytes())
            talk.listen(0.15)
            talk.card.lay(new.tobytes())
            talk.card.move(Playhead(run, end + len(old), True))
            talk.listen(0.5)
            end += len(old) + len(new)
            answers.append(new)
        recording = monitor.stop()
        assert [recording.find(new) is not None for new in answers] == [True] * 5


def test_a_hold_is_silent_and_a_resume_goes_on_from_where_the_ear_was(virtual_audio: VirtualAudio) -> None:
    pcm = noise(1.2)
    with Sounding() as talk:
        monitor = virtual_audio.monitor()
        ready(talk, Side.SPEAKER)
        talk.listen(0.5)
        talk.card.lay(pcm.tobytes())
        talk.listen(0.4)
        now = perf_counter()
        ear = max(s.position + min(s.n, int((now - s.dac_at) * RATE)) for s in talk.spans() if s.dac_at <= now)
        talk.card.move(Playhead(1, ear, False))
        talk.listen(0.4)
        assert not any(span.run == 1 for span in talk.spans())
        talk.card.move(Playhead(2, ear, True))
        talk.until(lambda: sum(span.n for span in talk.spans() if span.run == 2) == len(pcm) - ear)
        talk.listen(0.5)
        recording = monitor.stop()
        before, after = recording.find(pcm[: ear - 480]), recording.find(pcm[ear:])
        assert before is not None
        assert after is not None
        assert after - before > ear + 0.3 * RATE


def test_the_microphone_delivers_what_was_spoken_with_its_level_and_time(
    virtual_audio: VirtualAudio, tmp_path: Path
) -> None:
    pcm = noise(1.0, level=16_384)
    with Sounding() as talk:
        ready(talk, Side.MICROPHONE)
        virtual_audio.speak_into_mic(write_wav(tmp_path / "say.wav", pcm))
        talk.listen(0.4)
        blocks = talk.of(MicBlock)
        heard = np.frombuffer(b"".join(block.pcm for block in blocks), "<i2")
        assert heard.tobytes().find(pcm.tobytes()) >= 0
        assert {len(block.pcm) for block in blocks} == {960}
        assert max(block.level_db for block in blocks) == pytest.approx(-6.02, abs=0.1)
        paces = np.diff([block.adc_at for block in blocks[10:]])
        assert np.median(paces) == pytest.approx(0.02, abs=0.002)
        assert 0 <= perf_counter() - blocks[-1].adc_at < 0.5


def test_muted_means_that_nobody_has_the_microphone_open(virtual_audio: VirtualAudio) -> None:
    """G28: within a second the sound server lists no open microphone, and opening it again works."""
    with Sounding() as talk:
        ready(talk, Side.MICROPHONE, Side.SPEAKER)
        assert len(virtual_audio.listeners()) == 1
        asked = time.monotonic()
        talk.card.close(Side.MICROPHONE)
        talk.until(lambda: bool(talk.of(SoundClosed)))
        assert time.monotonic() - asked < 1
        assert virtual_audio.listeners() == []
        before = len(talk.of(MicBlock))
        talk.listen(0.1)
        assert len(talk.of(MicBlock)) == before
        talk.events.clear()
        ready(talk, Side.MICROPHONE)
        talk.until(lambda: bool(talk.of(MicBlock)))
        assert len(virtual_audio.listeners()) == 1


def test_a_microphone_that_gives_nothing_but_zeros_is_told_once_and_runs_on(virtual_audio: VirtualAudio) -> None:
    with Sounding() as talk:
        ready(talk, Side.MICROPHONE)
        talk.until(lambda: bool(talk.of(SoundFailed)))
        before = len(talk.of(MicBlock))
        talk.listen(2.5)
        assert [event.failure for event in talk.of(SoundFailed)] == [SoundFailure.NO_PERMISSION]
        assert len(talk.of(MicBlock)) > before + 50


def test_unplugged_devices_are_told_and_what_comes_behind_has_its_answer(own_audio: VirtualAudio) -> None:
    """All of them, because the sound server moves a stream to another device where it has one."""
    with Sounding() as talk:
        ready(talk, Side.SPEAKER, Side.MICROPHONE)
        talk.card.lay(noise(10).tobytes())
        talk.listen(0.3)
        gone = time.monotonic()
        own_audio.unload("sink_name=micfeed")
        own_audio.unload("sink_name=speaker")
        talk.until(lambda: len(real_failures(talk)) == 2, 5)
        print(f"told after {time.monotonic() - gone:.2f} s")
        assert {event.side for event in real_failures(talk)} == set(Side)
        assert {event.failure for event in real_failures(talk)} <= {SoundFailure.LOST, SoundFailure.STALLED}
        talk.card.move(Playhead(1, 0, False))
        talk.until(lambda: bool(talk.of(Silent)))
        talk.listen(0.3)
        assert len(real_failures(talk)) == 2, "each is told once"


def test_a_speaker_whose_callbacks_just_stop_is_told_although_it_says_it_is_active(own_audio: VirtualAudio) -> None:
    with Sounding() as talk:
        ready(talk, Side.SPEAKER)
        talk.listen(0.3)
        own_audio.pactl("suspend-sink", "speaker", "1")
        talk.until(lambda: bool(real_failures(talk)), 5)
        assert real_failures(talk)[0].failure is SoundFailure.STALLED
        own_audio.pactl("suspend-sink", "speaker", "0")
        talk.events.clear()
        ready(talk, Side.SPEAKER)


def test_a_sound_server_that_dies_is_told_and_opening_again_finds_no_device(own_audio: VirtualAudio) -> None:
    with Sounding() as talk:
        ready(talk, Side.SPEAKER)
        # A server that dies while a stream is being started would leave PortAudio waiting for ever.
        talk.listen(0.3)
        own_audio.process.kill()
        own_audio.process.wait()
        talk.until(lambda: bool(real_failures(talk)), 5)
        talk.events.clear()
        talk.card.open(Side.SPEAKER)
        talk.until(lambda: bool(real_failures(talk)), 5)
        assert real_failures(talk)[0].failure is SoundFailure.NO_DEVICE


def test_an_impossible_device_is_told_in_words(virtual_audio: VirtualAudio) -> None:
    with Sounding(Device("no such thing"), Device("4711")) as talk:
        talk.card.open(Side.MICROPHONE)
        talk.card.open(Side.SPEAKER)
        talk.until(lambda: len(talk.of(SoundFailed)) == 2)
        by_side = {event.side: event for event in talk.of(SoundFailed)}
        assert by_side[Side.MICROPHONE].failure is SoundFailure.NO_DEVICE
        assert "no such thing" in by_side[Side.MICROPHONE].detail
        assert "4711" in by_side[Side.SPEAKER].detail


def test_a_device_is_found_by_its_name(virtual_audio: VirtualAudio) -> None:
    with Sounding(Device("vc_mic"), Device("SPEAKER")) as talk:
        ready(talk, Side.MICROPHONE, Side.SPEAKER)
        assert {event.device for event in talk.of(SoundOpened)} == {"vc_mic", "vc_speaker"}


def test_the_list_names_both_sides_and_says_that_24_khz_is_taken(virtual_audio: VirtualAudio) -> None:
    found = {device.name: device for device in devices().devices}
    assert found["vc_speaker"].takes_output
    assert found["vc_mic"].takes_input
    assert found["default"].default_input
    assert found["default"].default_output


STOPPED = """
import sys, threading, time
import numpy as np
sys.path.insert(0, sys.argv[1])
from ear import Sounding
from voicecli.ports import MicBlock, Side, SoundOpened, Stale
with Sounding() as talk:
    talk.card.open(Side.MICROPHONE)
    talk.until(lambda: len(talk.of(MicBlock)) > 20)
    print("listening", flush=True)
    threading.Thread(target=lambda: (sys.stdin.readline(), talk.events.append(None)), daemon=True).start()
    while None not in talk.events:
        talk.listen(0.05)
    loud = sum(bool(np.frombuffer(block.pcm, "<i2").any()) for block in talk.of(MicBlock))
    print(loud, len(talk.of(MicBlock)), sum(stale.blocks for stale in talk.of(Stale)), len(talk.of(Stale)), flush=True)
"""


def test_what_was_recorded_while_the_process_was_stopped_is_thrown_away(
    virtual_audio: VirtualAudio, tmp_path: Path
) -> None:
    """G27: a tone is played to a stopped process; when it goes on, not one block of it is delivered."""
    tone = write_wav(tmp_path / "tone.wav", noise(2.0))
    command = [sys.executable, "-c", STOPPED, str(Path(__file__).parent)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdin
        assert child.stdout
        try:
            assert child.stdout.readline() == "listening\n"
            child.send_signal(signal.SIGSTOP)
            virtual_audio.speak_into_mic(tone)
            time.sleep(1.0)
            child.send_signal(signal.SIGCONT)
            time.sleep(1.5)
            said, _ = child.communicate("enough\n", timeout=20)
        finally:
            child.kill()
    loud, delivered, thrown, told = (int(word) for word in said.split())
    print(f"delivered {delivered}, of them loud {loud}; thrown away {thrown}, told {told} times")
    assert loud == 0
    assert thrown > 10
    assert told >= 1
    assert delivered > 60, "it goes on listening"
