"""The streams with PortAudio played by a stub: its callbacks come when the test says so."""

from __future__ import annotations

import struct
from time import perf_counter
from types import SimpleNamespace
from typing import Any

import pytest

from voicecli.audio.capture import Raw
from voicecli.audio.playout import Playout
from voicecli.devices.library import Found
from voicecli.devices.portaudio import PLAIN_BLOCK, Microphone, Speaker
from voicecli.devices.stream import Trouble
from voicecli.ports import RATE, Bell, Playhead, SoundFailure

FOUND = Found(3, "Stub", "Core Audio", 1, 1)
WALL = 1.7e9
"""The stub's clock is a wall clock, far from ours."""


class PortAudioError(Exception):
    pass


class StubStream:
    latency = 0.04

    def __init__(self, **how: Any) -> None:
        self.how, self.log, self.active = how, [], False

    def start(self) -> None:
        self.log.append("start")
        self.active = True

    def abort(self, ignore_errors: bool = False) -> None:
        self.log.append("abort")
        self.active = False

    def close(self, ignore_errors: bool = False) -> None:
        self.log.append("close")


class StubLibrary:
    PortAudioError = PortAudioError
    _libname = "/nowhere/libportaudio.so"

    def __init__(self) -> None:
        self.streams: list[StubStream] = []
        self.error: Exception | None = None

    def RawOutputStream(self, **how: Any) -> StubStream:
        if self.error:
            raise self.error
        self.streams.append(StubStream(**how))
        return self.streams[-1]

    RawInputStream = RawOutputStream

    @property
    def stream(self) -> StubStream:
        return self.streams[-1]


def ramp(start: int, n: int) -> bytes:
    return struct.pack(f"<{n}h", *((start + i) % 30_000 + 1 for i in range(n)))


def called(
    sd: StubLibrary, lead_s: float = 0.05, underflow: bool = False, dac: bool = True, n: int = PLAIN_BLOCK
) -> bytes:
    """One callback; what it handed over."""
    out, now = bytearray(b"\xff" * 2 * n), perf_counter() + WALL
    times = SimpleNamespace(currentTime=now, outputBufferDacTime=now + lead_s if dac else 0.0)
    sd.stream.how["callback"](out, n, times, SimpleNamespace(output_underflow=underflow))
    return bytes(out)


def speaker() -> tuple[StubLibrary, Playout, Speaker]:
    sd, playout = StubLibrary(), Playout()
    out = Speaker(sd, FOUND, playout, Bell())
    out.start()
    return sd, playout, out


def test_the_first_block_of_a_start_has_no_speech_because_its_time_is_wrong() -> None:
    sd, playout, _ = speaker()
    playout.lay(ramp(0, 1000))
    assert called(sd) == bytes(2 * PLAIN_BLOCK)
    assert called(sd) == ramp(0, PLAIN_BLOCK)


def test_times_of_a_wall_clock_become_ours_by_difference() -> None:
    sd, playout, _ = speaker()
    playout.lay(ramp(0, 1000))
    called(sd)
    before = perf_counter()
    called(sd, lead_s=0.05)
    assert before + 0.05 <= playout.spans[0].dac_at <= perf_counter() + 0.05


def test_without_a_dac_time_the_latency_stands_in_and_nothing_is_heard_in_the_past() -> None:
    sd, playout, _ = speaker()
    playout.lay(ramp(0, 2000))
    called(sd)
    before = perf_counter()
    called(sd, dac=False)
    called(sd, lead_s=-0.5)
    assert playout.spans[0].dac_at == pytest.approx(before + 0.04, abs=0.02)
    assert playout.spans[1].dac_at >= before


def test_nothing_of_a_new_run_goes_into_the_stream_that_is_about_to_be_cut() -> None:
    """The callback comes between the decision and the cut; what is laid for the new run must not be thrown away."""
    sd, playout, out = speaker()
    playout.lay(ramp(0, 5000))
    called(sd)
    called(sd)
    playout.lay(ramp(5000, 1000))
    playout.move(Playhead(1, 5000, True))
    assert called(sd) == bytes(2 * PLAIN_BLOCK)
    out.silence(1, perf_counter())
    assert sd.stream.log == ["start", "abort", "start"]
    called(sd)
    assert called(sd) == ramp(5000, PLAIN_BLOCK)
    assert [(span.run, span.position) for span in playout.spans] == [(0, 0), (1, 5000)]


def test_where_nothing_is_to_be_heard_any_more_the_stream_is_left_alone() -> None:
    sd, playout, out = speaker()
    called(sd)
    playout.move(Playhead(1, 0, True))
    at = perf_counter()
    assert out.silence(1, at) == at
    assert sd.stream.log == ["start"]
    playout.lay(ramp(0, 1000))
    assert called(sd) == ramp(0, PLAIN_BLOCK)


def test_silence_is_told_for_when_the_device_had_nothing_left() -> None:
    sd, playout, out = speaker()
    playout.lay(ramp(0, 5000))
    called(sd)
    called(sd, lead_s=0.5)
    playout.move(Playhead(1, 5000, True))
    before = perf_counter()
    assert before <= out.silence(1, before) <= perf_counter()


def test_a_stream_that_is_not_active_any_more_is_lost() -> None:
    sd, _, out = speaker()
    assert out.beat(perf_counter()) > perf_counter()
    sd.stream.active = False
    with pytest.raises(Trouble) as trouble:
        out.beat(perf_counter())
    assert (trouble.value.failure, trouble.value.device) == (SoundFailure.LOST, "Stub")


def beaten(out: Speaker | Microphone, start: float, seconds: float) -> float | None:
    """Beats ten times a second; when it was found to be stalled."""
    for i in range(int(seconds * 10) + 1):
        try:
            out.beat(start + i * 0.1)
        except Trouble as trouble:
            return i * 0.1 if trouble.failure is SoundFailure.STALLED else None
    return None


def test_a_stream_without_callbacks_is_stalled_after_half_a_second_although_it_says_it_is_active() -> None:
    _, _, out = speaker()
    stalled = beaten(out, perf_counter(), 2.0)
    assert stalled is not None
    assert 0.5 <= stalled <= 0.8


def test_a_process_that_stood_still_gives_its_callbacks_time_to_come_again() -> None:
    """G27: behind a SIGSTOP the device thread may be the first to wake."""
    _, _, out = speaker()
    now = perf_counter()
    out.beat(now)
    out.beat(now + 15)
    assert beaten(out, now + 15.1, 0.3) is None
    assert beaten(out, now + 15.5, 1.0) is not None


def test_a_stream_that_cannot_be_opened_is_trouble_with_the_name_of_the_device() -> None:
    sd = StubLibrary()
    sd.error = PortAudioError("Invalid sample rate", -9997)
    for make in (lambda: Speaker(sd, FOUND, Playout(), Bell()), lambda: Microphone(sd, FOUND, print)):
        with pytest.raises(Trouble) as trouble:
            make()
        assert (trouble.value.failure, trouble.value.device) == (SoundFailure.REFUSED_FORMAT, "Stub")


def test_a_closed_speaker_hands_nothing_over() -> None:
    sd, playout, out = speaker()
    playout.lay(ramp(0, 5000))
    called(sd)
    out.close()
    assert called(sd) == bytes(2 * PLAIN_BLOCK)
    assert not playout.spans
    assert sd.stream.log == ["start", "abort", "close"]


def test_the_microphone_delivers_each_block_with_its_own_time() -> None:
    sd, heard = StubLibrary(), []
    microphone = Microphone(sd, FOUND, heard.append)
    microphone.start()
    now = perf_counter()
    for age, adc in ((0.03, True), (14.0, True), (0.0, False)):
        current = perf_counter() + WALL
        times = SimpleNamespace(currentTime=current, inputBufferAdcTime=current - age if adc else 0.0)
        sd.stream.how["callback"](ramp(0, 480), 480, times, None)
    assert all(isinstance(raw, Raw) and raw.pcm == ramp(0, 480) for raw in heard)
    assert [raw.came_at - raw.adc_at for raw in heard] == pytest.approx([0.03, 14.0, 480 / RATE], abs=1e-4)
    assert all(now <= raw.came_at <= perf_counter() for raw in heard)
