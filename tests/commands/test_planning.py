"""From settings and the file of `--session` to what a connection is configured with."""

import json
from typing import Any
from urllib.parse import quote

import pytest
from msgspec import UNSET
from msgspec.structs import asdict

from tests.contract.check import contract_problems
from voicecli.commands.planning import Sides, answers, dialled, plan, session, started, unused
from voicecli.protocol.codec import encode
from voicecli.protocol.events import SessionUpdate
from voicecli.protocol.items import CustomVoice, NoiseReduction, SessionConfig, Transcription, TurnDetection
from voicecli.protocol.profiles import GENERIC_BETA, OPENAI, choose
from voicecli.secret import Secret
from voicecli.settings import Settings
from voicecli.target import MindTarget, Target

NEWER = ("temperature", "max_response_output_tokens", "speed", "input_audio_noise_reduction", "tracing")
SERVER_VAD = TurnDetection("server_vad", 0.5, 300, 500, create_response=True)


def sent(config: SessionConfig, profile: Any) -> tuple[dict[str, Any], set[str]]:
    text, lost = encode(SessionUpdate(session=config), profile)
    assert text is not None
    return json.loads(text), {one.path for one in lost}


def test_a_setting_that_was_not_asked_for_is_not_sent() -> None:
    plain = session(Settings(), OPENAI, "talk")
    assert {name for name in NEWER if getattr(plain, name) is not UNSET} == set()
    assert plain.turn_detection == SERVER_VAD
    assert sent(plain, OPENAI)[1] == set()
    frame, lost = sent(session(Settings(language=None), GENERIC_BETA, "talk"), GENERIC_BETA)
    assert (contract_problems(frame), lost) == ([], set())


def test_each_option_is_in_the_update() -> None:
    settings = Settings(
        temperature=0.7,
        max_tokens=100,
        semantic_vad="low",
        speed=1.25,
        noise_reduction="near_field",
        voice="voice_7",
        no_auto_response=True,
    )
    config = session(settings, OPENAI, "talk")
    assert config.turn_detection == TurnDetection("semantic_vad", eagerness="low", create_response=False)
    frame, lost = sent(config, OPENAI)
    assert lost == {"session.temperature"}
    assert frame["session"]["max_output_tokens"] == 100
    assert frame["session"]["audio"]["output"] == {
        "format": {"type": "audio/pcm", "rate": 24000},
        "voice": {"id": "voice_7"},
        "speed": 1.25,
    }
    assert frame["session"]["audio"]["input"]["noise_reduction"] == {"type": "near_field"}
    frame, lost = sent(config, GENERIC_BETA)
    assert lost == {"session.voice"}
    assert (frame["session"]["temperature"], frame["session"]["max_response_output_tokens"]) == (0.7, 100)
    assert frame["session"]["input_audio_noise_reduction"] == {"type": "near_field"}


def test_an_option_goes_before_the_file_and_the_file_before_what_is_usual() -> None:
    given = SessionConfig(
        voice="ash", instructions="from the file", speed=1.5, input_audio_transcription=Transcription("m", "de", "p")
    )
    config = session(Settings(instructions="said", language="en"), OPENAI, "talk", given)
    assert (config.voice, config.instructions, config.speed) == ("ash", "said", 1.5)
    assert config.input_audio_transcription == Transcription("m", "en", "p")
    assert session(Settings(no_transcription=True), OPENAI, "talk", given).input_audio_transcription is None
    assert session(Settings(), OPENAI, "talk").voice == "marin"
    none = SessionConfig(input_audio_transcription=None)
    assert session(Settings(), OPENAI, "talk", none).input_audio_transcription is None


@pytest.mark.parametrize(
    ("settings", "given", "wanted"),
    [
        (Settings(), TurnDetection(threshold=0.9), TurnDetection("server_vad", 0.9, 300, 500, create_response=True)),
        (
            Settings(vad_silence_ms=200),
            TurnDetection("server_vad", 0.9, interrupt_response=False),
            TurnDetection("server_vad", 0.9, 300, 200, create_response=True, interrupt_response=False),
        ),
        (
            Settings(vad_threshold=0.1),
            TurnDetection("semantic_vad", eagerness="high"),
            TurnDetection("server_vad", 0.1, 300, 500, create_response=True),
        ),
        (
            Settings(semantic_vad="auto"),
            TurnDetection("server_vad", 0.9, create_response=False),
            TurnDetection("semantic_vad", eagerness="auto", create_response=False),
        ),
        (Settings(), TurnDetection("azure_semantic_vad"), TurnDetection("azure_semantic_vad", create_response=True)),
        (Settings(ptt=True), TurnDetection("semantic_vad"), None),
    ],
)
def test_turn_detection_goes_whole(settings: Settings, given: TurnDetection, wanted: TurnDetection | None) -> None:
    """Trap: a part of an object leaves the server with touchy defaults."""
    assert session(settings, OPENAI, "talk", SessionConfig(turn_detection=given)).turn_detection == wanted


def test_whether_answers_come_by_themselves_may_stand_in_the_file() -> None:
    quiet = SessionConfig(turn_detection=TurnDetection(create_response=False))
    assert (answers(Settings()), answers(Settings(), quiet)) == (True, False)
    assert not answers(Settings(no_auto_response=True))


def test_a_written_talk_stays_one_whatever_the_file_says() -> None:
    given = SessionConfig(modalities=("text", "audio"), turn_detection=SERVER_VAD, temperature=1.0, voice="ash")
    config = session(Settings(max_tokens=9), OPENAI, "chat", given)
    assert (config.modalities, config.turn_detection) == (("text",), None)
    assert (config.temperature, config.max_response_output_tokens) == (1.0, 9)
    bare = session(Settings(), OPENAI, "chat")
    assert {name for name, value in asdict(bare).items() if value is not UNSET} == {"modalities", "turn_detection"}


@pytest.mark.parametrize(
    ("settings", "mode", "given", "names"),
    [
        (Settings(), "talk", SessionConfig(modalities=("text", "audio"), turn_detection=SERVER_VAD), ()),
        (Settings(), "chat", SessionConfig(modalities=("text",), temperature=0.7), ()),
        (Settings(), "chat", SessionConfig(modalities=("text", "audio")), ("modalities",)),
        (Settings(), "chat", SessionConfig(turn_detection=SERVER_VAD), ("turn_detection",)),
        (
            Settings(),
            "chat",
            SessionConfig(input_audio_format="g711_ulaw", turn_detection=SERVER_VAD),
            ("input_audio_format, turn_detection",),
        ),
        (Settings(ptt=True), "chat", SessionConfig(turn_detection=SERVER_VAD), ("turn_detection",)),
        (Settings(ptt=True), "talk", SessionConfig(turn_detection=TurnDetection(threshold=0.4)), ("turn_detection",)),
        (Settings(ptt=True), "talk", SessionConfig(turn_detection=TurnDetection(create_response=False)), ()),
        (Settings(language="de"), "talk", SessionConfig(), ()),
        (Settings(language="de"), "talk", SessionConfig(input_audio_transcription=None), ("--language",)),
    ],
)
def test_what_has_no_place_in_a_talk_is_named(settings: Settings, mode: Any, given: SessionConfig, names: Any) -> None:
    target = Target("wss://far.example/v1/realtime", None, False)
    found = unused(settings, plan(settings, target, mode, Sides(), target.url, given), given)
    assert tuple(said.partition(" of the file")[0].partition(", because")[0] for said in found) == names


def test_sound_alone_is_what_the_newer_dialect_has_and_loses_nothing() -> None:
    frame, lost = sent(session(Settings(), OPENAI, "talk", SessionConfig(modalities=("audio", "audio"))), OPENAI)
    assert (frame["session"]["output_modalities"], lost) == (["audio"], set())
    older = session(Settings(), GENERIC_BETA, "talk", SessionConfig(modalities=("audio", "audio")))
    assert older.modalities == ("audio",)
    assert session(Settings(), OPENAI, "talk", SessionConfig(modalities=("text", "text"))).modalities == ("text",)


def test_a_custom_voice_and_noise_reduction_have_their_own_shapes() -> None:
    config = session(Settings(voice="voice_1", noise_reduction="far_field"), OPENAI, "talk")
    assert config.voice == CustomVoice("voice_1")
    assert config.input_audio_noise_reduction == NoiseReduction("far_field")


@pytest.mark.parametrize(
    ("url", "asked", "model"),
    [
        ("wss://h/v1/realtime?model=a%2Fb", "mine", "a/b"),
        ("wss://h/v1/realtime", "mine", "mine"),
        ("wss://h/v1/realtime", None, "gpt-realtime-2.1"),
    ],
)
def test_the_model_that_is_told_is_the_one_that_is_dialled(url: str, asked: str | None, model: str) -> None:
    settings, target = Settings(model=asked), Target(url=url, key=None, offline=False)
    dial = dialled(settings, target, choose(url, "auto", offline=False).profile)
    assert started(settings, target, "talk", dial, "", "1").model == model
    assert dial.endswith(f"?model={quote(model, safe='')}")


def test_a_language_model_of_ones_own_is_in_the_plan_and_in_the_first_change_without_its_key() -> None:
    mind = MindTarget(
        "https://models.example/v1?code=x", "llama3.2", Secret("sk-CANARY0123456789"), "--llm-url", "config.env"
    )
    offline = Target("", None, True, "--llm-url")
    planned = plan(Settings(), offline, "talk", Sides(), "ws://127.0.0.1:1/", mind=mind)
    assert planned.mind == " llama3.2 at models.example"
    first = started(Settings(), offline, "talk", "ws://127.0.0.1:1/", "", "1", mind=mind)
    assert (first.model, first.mind_model, first.mind_host, first.mind_local) == (
        *("llama3.2", "llama3.2", "models.example"),
        False,
    )
    assert (first.key_source, first.url_source, first.key_withheld) == ("config.env", "--llm-url", False)
    assert "CANARY" not in repr(planned) + repr(first)
    assert plan(Settings(), offline, "talk", Sides(), "ws://127.0.0.1:1/").mind == ""


def test_the_temperature_of_a_language_model_of_ones_own_is_not_the_sessions() -> None:
    mind, offline = MindTarget("http://127.0.0.1:1/v1", "tiny", temperature=1.5), Target("", None, True)
    for settings, given in ((Settings(temperature=1.5), SessionConfig()), (Settings(), SessionConfig(temperature=0.7))):
        planned = plan(settings, offline, "chat", Sides(), "ws://127.0.0.1:1/", given, mind)
        assert planned.session.temperature is UNSET
        assert plan(settings, offline, "chat", Sides(), "ws://127.0.0.1:1/", given).session.temperature is not UNSET
