"""The cues of a scenario under a clock of the test's: what is due, when, in which order."""

from __future__ import annotations

import json

from voicecli.server.cues import MOST_WAITING, Cues
from voicecli.server.scenario import Close, Cue, Drop, Frame, Scenario

ONE, TWO, END = Frame("one"), Frame("two"), Close(1000, "")


def cues(*made: Cue) -> Cues:
    return Cues(Scenario(cues=made))


def test_a_frame_is_due_exactly_so_long_after_its_event() -> None:
    waiting = cues(Cue("session.update", 0.25, None, ONE))
    assert waiting.deadline is None
    waiting.received('{"type": "session.update", "session": {}}', 10.0)
    assert waiting.deadline == 10.25
    assert waiting.due(10.249) == []
    assert waiting.due(10.25) == [ONE]
    assert (waiting.due(11.0), waiting.deadline) == ([], None)


def test_several_come_in_the_order_of_their_times_and_then_of_the_file() -> None:
    waiting = cues(
        Cue("connect", 0.3, None, END),
        Cue("connect", 0.1, None, ONE),
        Cue("connect", 0.1, None, TWO),
        Cue("turn", 0.0, None, ONE),
    )
    waiting.connected(0.0)
    assert waiting.due(0.1) == [ONE, TWO]
    assert waiting.due(5.0) == [END]


def test_the_nth_event_is_counted_from_one_and_each_without_it() -> None:
    waiting = cues(Cue("response.create", 0.0, 2, ONE), Cue("response.create", 0.0, None, TWO))
    for at, due in enumerate(([TWO], [ONE, TWO], [TWO])):
        waiting.received(b'{"type":"response.create"}', float(at))
        assert waiting.due(at) == due


def test_what_the_session_says_of_the_turns_is_a_cue_and_nothing_else_it_says() -> None:
    waiting = cues(
        Cue("speech_started", 0.0, None, ONE), Cue("turn", 0.0, None, TWO), Cue("response.create", 0.0, None, Drop())
    )
    waiting.sent(json.dumps({"type": "input_audio_buffer.speech_started"}), 0.0)
    waiting.sent(json.dumps({"type": "input_audio_buffer.speech_stopped"}), 0.0)
    waiting.sent(json.dumps({"type": "response.create"}), 0.0)
    assert waiting.due(0.0) == [ONE]
    waiting.sent(json.dumps({"type": "input_audio_buffer.committed"}), 1.0)
    assert waiting.due(1.0) == [TWO]


def test_what_a_client_sends_that_is_no_event_is_no_cue() -> None:
    waiting = cues(Cue("connect", 0.0, None, ONE), Cue("turn", 0.0, None, TWO))
    for raw in ("", "[]", "null", '{"type": 3}', '{"type": "turn"', b"\xff\xfe", "[" * 100_000, '{"type": "connect"}'):
        waiting.received(raw, 0.0)
    assert waiting.due(1.0) == []


def test_a_client_cannot_make_frames_without_end() -> None:
    waiting = cues(*[Cue("input_audio_buffer.append", 3_600.0, None, ONE)] * 100)
    for _ in range(200):
        waiting.received('{"type":"input_audio_buffer.append"}', 0.0)
    assert len(waiting.due(3_600.0)) == MOST_WAITING
