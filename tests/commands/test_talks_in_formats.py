"""A talk in G.711 by the program itself: the settings, what goes over the wire, and that counts are those of pcm16."""

import base64
import json
from typing import Any

import pytest

from tests.commands.processes import Home
from tests.commands.servers import Speaker, server
from tests.commands.speech import loud_s, question, silence, voice


def talk(home: Home, url: str, *more: str) -> list[dict[str, Any]]:
    files = ("--audio-in", "q.wav", "--audio-out", "a.wav", "--vad-silence-ms", "300")
    done = home.run("talk", "--jsonl", "--url", url, *files, *more)
    assert done.code == 0, done.out
    return [json.loads(line) for line in done.out.splitlines()]


@pytest.mark.parametrize(
    ("dialect", "heard", "said"), [("ga", "g711_ulaw", "g711_alaw"), ("beta", "g711_alaw", "g711_ulaw")]
)
def test_a_talk_in_g711_is_understood_answered_and_as_long_as_it_is(
    dialect: str, heard: str, said: str, home: Home
) -> None:
    question(home.work / "q.wav", voice(1.0), silence(1.0))
    with server(responder=Speaker(words=5)) as far:
        found = talk(home, far.url, "--dialect", dialect, "--input-format", heard, "--output-format", said)
        sounds = [base64.b64decode(frame["audio"]) for frame in far.sent("input_audio_buffer.append")]
    assert {len(sound) for sound in sounds} == {160}
    assert any(sound.strip(sound[:1]) for sound in sounds)
    *_, now = [each["settings"] for each in found if each["type"] == "session"]
    assert (now["input_audio_format"], now["output_audio_format"]) == (heard, said)
    turns = {each["id"]: each for each in found if each["type"] == "turn"}
    (answer,) = [turn for turn in turns.values() if turn["role"] == "assistant"]
    assert answer["status"] == "done"
    assert answer["heard_ms"] == answer["received_ms"] > 500
    assert loud_s(home.work / "a.wav") * 1000 == pytest.approx(answer["received_ms"], abs=100)


def test_a_format_that_nobody_has_is_refused_before_the_start(home: Home) -> None:
    done = home.run("talk", "--input-format", "opus", "--url", "ws://127.0.0.1:1/v1/realtime")
    assert done.code == 2
    assert "pcm16, g711_ulaw, g711_alaw" in done.err
