"""Whatever comes as a frame: the decoder and the core neither raise nor keep much, in either spelling."""

import os
import random
import time
from pathlib import Path

import pytest

from tests.fuzz.frames import Storm, hostile
from tests.fuzz.listener import KEY, Listener
from voicecli.core.changes import Foreign
from voicecli.core.effects import Show
from voicecli.core.stimuli import Received
from voicecli.protocol.codec import decode_server
from voicecli.protocol.dialects import Spelling
from voicecli.protocol.events import Malformed, Unknown

FRAMES = int(os.environ.get("VOICECLI_FRAMES", "10_000"))
"""In each spelling; more of them by hand."""
STALL_S = 1.0
"""Ten times what is promised, because this machine does other things as well."""


def resident():
    """Bytes of this process that are in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


@pytest.mark.parametrize("spelling", Spelling)
def test_fuzzed_frames_are_events_and_the_core_takes_them(spelling, record_property):
    listener = Listener()
    kinds = {"events": 0, "unknown": 0, "malformed": 0}
    worst_s, began = 0.0, time.perf_counter()
    for frame, _ in zip(Storm(2, spelling), range(FRAMES), strict=False):
        before = time.perf_counter()
        event = decode_server(frame)
        listener.takes(Received(event, len(frame)))
        worst_s = max(worst_s, time.perf_counter() - before)
        kinds[
            "unknown" if isinstance(event, Unknown) else "malformed" if isinstance(event, Malformed) else "events"
        ] += 1
    assert all(count > FRAMES / 20 for count in kinds.values()), kinds
    assert worst_s < STALL_S
    assert not listener.session.ended
    each_us = (time.perf_counter() - began) / FRAMES * 1e6
    record_property(
        "told",
        f"fuzz, {spelling.value}: {FRAMES:,} frames {kinds}, {each_us:.0f} us each, worst {worst_s * 1000:.0f} ms",
    )


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="no /proc")
def test_hostile_events_keep_little_however_many_come_g11(record_property):
    listener, events = Listener(), 2 * FRAMES
    sizes = [resident()]
    for n, event in enumerate(hostile(random.Random(11), events)):
        listener.takes(Received(event, 100))
        if n % (events // 10) == events // 10 - 1:
            sizes.append(resident())
    grown = [round((size - sizes[0]) / 1e6) for size in sizes[1:]]
    record_property("told", f"{events:,} hostile events: MB grown after each tenth: {grown}")
    assert grown[-1] < 60  # 14 for fifty thousand of them
    assert not listener.session.ended


def test_the_same_frames_give_the_same_effects():
    def run():
        listener = Listener()
        return [
            listener.takes(Received(decode_server(frame), 1)) for frame, _ in zip(Storm(5), range(3_000), strict=False)
        ]

    assert run() == run()


def test_no_text_of_a_frame_is_shown_as_ours():
    """Foreign words are `Foreign`, or bounded names inside our own sentences, which the faces make printable."""
    listener = Listener()
    for frame, _ in zip(Storm(7), range(5_000), strict=False):
        for effect in listener.takes(Received(decode_server(frame), 1)):
            if isinstance(effect, Show):
                assert KEY not in str(effect)
                for name in effect.change.__struct_fields__:
                    value = getattr(effect.change, name)
                    assert not isinstance(value, str) or len(value) < 1000 or isinstance(value, Foreign), (name, value)
