"""What a server says about its settings, beside what it was asked for."""

import pytest

from voicecli.core.effective import differences, said, silence_s
from voicecli.protocol.items import SessionConfig, Transcription, TurnDetection


@pytest.mark.parametrize(
    ("session", "seconds"),
    [
        (SessionConfig(), 0.5),
        (SessionConfig(turn_detection=None), 0.5),
        (SessionConfig(turn_detection=TurnDetection(type="semantic_vad")), 0.5),
        (SessionConfig(turn_detection=TurnDetection(silence_duration_ms=200)), 0.2),
        (SessionConfig(turn_detection=TurnDetection(silence_duration_ms=0)), 0.0),
    ],
)
def test_the_silence_window_is_the_servers_or_the_contracts(session, seconds):
    assert silence_s(session) == seconds


def test_what_is_said_is_there_and_without_the_sessions_own_name():
    session = SessionConfig(id="s", object="realtime.session", voice="v", turn_detection=None)
    assert said(session) == {"voice": '"v"', "turn_detection": "null"}


WANTED = SessionConfig(
    model="m",
    modalities=("text", "audio"),
    voice="v",
    temperature=0.8,
    turn_detection=TurnDetection(type="server_vad", silence_duration_ms=500),
    input_audio_transcription=Transcription(model="whisper-1"),
)


@pytest.mark.parametrize(
    ("theirs", "differ"),
    [
        (WANTED, {}),
        (SessionConfig(), {}),
        (SessionConfig(voice="w"), {"voice": '"w"'}),
        (SessionConfig(model="another, by alias"), {}),
        (SessionConfig(instructions="their own"), {}),
        (SessionConfig(temperature=0.8), {}),
        (SessionConfig(modalities=("text",)), {"modalities": '["text"]'}),
        (SessionConfig(turn_detection=None), {"turn_detection": "null"}),
        (SessionConfig(turn_detection=TurnDetection(type="server_vad", silence_duration_ms=500, threshold=0.9)), {}),
        (SessionConfig(turn_detection=TurnDetection(type="server_vad", silence_duration_ms=500.0)), {}),
        (SessionConfig(input_audio_transcription=Transcription(model="whisper-1", language="en")), {}),
    ],
)
def test_only_what_the_server_said_otherwise_differs(theirs, differ):
    assert differences(WANTED, theirs) == differ


def test_a_changed_window_differs_as_a_whole_object():
    theirs = SessionConfig(turn_detection=TurnDetection(type="server_vad", silence_duration_ms=200))
    assert list(differences(WANTED, theirs)) == ["turn_detection"]


def test_speech_with_its_text_is_the_same_whether_the_text_is_named_or_not():
    both, alone = SessionConfig(modalities=("text", "audio")), SessionConfig(modalities=("audio",))
    assert differences(alone, both) == differences(both, alone) == {}
    assert list(differences(alone, SessionConfig(modalities=("text",)))) == ["modalities"]


def test_what_was_never_sent_does_not_differ():
    theirs = SessionConfig(voice="w", temperature=0.6)
    assert list(differences(WANTED, theirs, {"voice"})) == ["temperature"]
