"""The file of `--session`: everything the protocol has, and nothing else."""

import json

import msgspec
import pytest
from msgspec import UNSET
from msgspec.structs import asdict

from voicecli.config import ConfigError, World, load
from voicecli.protocol.items import CustomVoice, NoiseReduction, SessionConfig, Tool, Transcription, TurnDetection
from voicecli.protocol.profiles import EMBEDDED_BETA, EMBEDDED_GA, GENERIC_BETA, OPENAI, QWEN, VOICE_LIVE, Profile
from voicecli.session_file import BadSession, read

WHOLE = SessionConfig(
    modalities=("text", "audio"),
    instructions="",
    voice=CustomVoice("voice_7"),
    input_audio_format="pcm16",
    output_audio_format="g711_ulaw",
    input_audio_transcription=Transcription(model="m", language="de", prompt="p", keywords=("a",)),
    turn_detection=TurnDetection(type="server_vad", threshold=1, idle_timeout_ms=6000, interrupt_response=False),
    tools=(Tool(name="look", parameters={"type": "object"}), Tool(type="mcp", server_label="s")),
    tool_choice={"type": "function", "function": {"name": "look"}},
    temperature=0.6,
    max_response_output_tokens=4096,
    input_audio_noise_reduction=NoiseReduction("far_field"),
    speed=1.5,
    tracing="auto",
    include=("item.input_audio_transcription.logprobs",),
    prompt={"id": "pmpt_1"},
    truncation="auto",
    reasoning={"effort": "low"},
    parallel_tool_calls=True,
)


def file_of(session: SessionConfig) -> str:
    return msgspec.json.encode(session).decode()


def test_any_field_of_a_session_can_be_in_the_file() -> None:
    unsaid = {name for name, value in asdict(WHOLE).items() if value is UNSET}
    assert unsaid == {"id", "object", "expires_at", "model"}
    assert read(file_of(WHOLE), OPENAI) == WHOLE
    assert read("{}", OPENAI) == SessionConfig()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"temprature": 1}, "there is no field temprature; did you mean temperature?"),
        ({"audio": {}}, "there is no field audio"),
        ({"turn_detection": {"treshold": 0.5}}, "there is no field turn_detection.treshold; did you mean threshold?"),
        ({"tools": [{}, {"strict": True}]}, "there is no field tools[1].strict"),
        ({"temperature": "warm"}, 'temperature is "warm"; Expected `int | float`, got `str`'),
        ({"instructions": None}, "instructions is null; Expected `str`, got `null`"),
        ({"tools": [{"name": 5}]}, "tools[0].name is 5; Expected `str | null`, got `int`"),
        ({"temperature": 0.59}, "'temperature': 0.59 is not between 0.6 and 1.2"),
        ({"temperature": 1.21}, "'temperature': 1.21 is not between 0.6 and 1.2"),
        ({"max_response_output_tokens": 0}, "'max_response_output_tokens': 0 is not between 1 and 4096"),
        ({"max_response_output_tokens": 4097}, "4097 is not between 1 and 4096"),
        ({"max_response_output_tokens": "lots"}, 'max_response_output_tokens is "lots"'),
        ({"turn_detection": {"threshold": 1.01}}, "'turn_detection.threshold': 1.01 is not between 0.0 and 1.0"),
        ({"turn_detection": {"silence_duration_ms": -1}}, "-1 is below the minimum of 0"),
        ({"turn_detection": None}, "turn_detection is null, so nobody would say where your turns end; give --ptt"),
        ({"speed": 2}, "'speed': 2 is not between 0.25 and 1.5"),
        ({"output_audio_format": "mp3"}, 'output_audio_format is "mp3"; it must be one of pcm16, g711_ulaw'),
        ({"tool_choice": 5}, "tool_choice must be"),
        ({"model": "m"}, "model has no place in it: give --model"),
        ({"id": "s"}, "id has no place in it: only a server says it"),
        ([], "it must be one JSON object"),
    ],
)
@pytest.mark.parametrize("profile", [OPENAI, GENERIC_BETA], ids=["ga", "beta"])
def test_what_the_protocol_does_not_have_is_refused_with_field_value_and_limit(
    given: object, said: str, profile: Profile
) -> None:
    """E5 to E9 among them."""
    with pytest.raises(BadSession) as caught:
        read(json.dumps(given), profile)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"turn_detection": {"eagerness": "eager"}}, "'eager'. Supported values for 'turn_detection.eagerness' are"),
        ({"input_audio_noise_reduction": {"type": "loud"}}, "'near_field', 'far_field'"),
        ({"modalities": ["audio"]}, "Invalid modalities"),
        ({"tool_choice": "maybe"}, "'maybe'. Supported values for 'tool_choice' are"),
        ({"tools": [{"type": "code"}]}, "'code'. Supported values for 'tools[0].type' are"),
    ],
)
def test_a_word_that_is_not_in_a_list_is_refused_only_where_the_list_is_whole(given: object, said: str) -> None:
    """E4, E13, E14, and what the late beta added."""
    for closed in (GENERIC_BETA, EMBEDDED_GA):
        with pytest.raises(BadSession) as caught:
            read(json.dumps(given), closed)
        assert said in str(caught.value)
    for opened in (OPENAI, VOICE_LIVE):
        assert file_of(read(json.dumps(given), opened)) == json.dumps(given, separators=(",", ":"))


def test_names_of_models_voices_and_turn_detection_are_open_everywhere() -> None:
    """E1, E3, E10, E11."""
    given = {
        "voice": "x",
        "input_audio_transcription": {"model": "x"},
        "turn_detection": {"type": "azure_semantic_vad"},
    }
    for profile in (OPENAI, GENERIC_BETA, EMBEDDED_BETA):
        assert file_of(read(json.dumps(given), profile))


def test_a_format_may_have_the_providers_own_name() -> None:
    assert read('{"output_audio_format": "pcm24"}', QWEN) == SessionConfig(output_audio_format="pcm24")
    with pytest.raises(BadSession, match="pcm24"):
        read('{"output_audio_format": "pcm24"}', OPENAI)


@pytest.mark.parametrize("text", ["", "{", "voice: marin", "[" * 50_000, '{"voice":"\\ud83d"}', '{"speed":NaN}'])
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(BadSession, match="it is not JSON"):
        read(text, OPENAI)


def test_the_boundaries_themselves_pass() -> None:
    for given in (
        {"temperature": 0.6},
        {"temperature": 1.2},
        {"max_response_output_tokens": 1},
        {"max_response_output_tokens": 4096},
        {"max_response_output_tokens": "inf"},
        {"turn_detection": {"threshold": 0}},
        {"speed": 0.25},
        {"input_audio_transcription": None},
    ):
        assert read(json.dumps(given), OPENAI) != SessionConfig()


def test_the_settings_name_the_file_and_the_folders_env_file_may_not(tmp_path) -> None:
    """G3."""
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text('{"speed": 1.25}')
    bad.write_text('{"speed": 9}')
    here = tmp_path / ".env"
    world = World({}, here, None)
    assert load("talk", {"session": str(good)}, world).session == SessionConfig(speed=1.25)
    assert load("chat", {}, World({"VOICECLI_SESSION": str(good)}, None, None)).session == SessionConfig(speed=1.25)
    with pytest.raises(ConfigError, match=r"--session names cannot be used: Invalid 'speed': 9 is not between"):
        load("talk", {"session": str(bad)}, world)
    with pytest.raises(ConfigError, match="cannot be read"):
        load("talk", {"session": str(tmp_path / "none.json")}, world)
    here.write_text(f"VOICECLI_SESSION={good}")
    with pytest.raises(ConfigError, match=r"VOICECLI_SESSION may not be set by \.env"):
        load("talk", {}, world)


def test_which_words_pass_is_by_the_server_that_the_talk_is_with(tmp_path) -> None:
    file = tmp_path / "s.json"
    file.write_text('{"tool_choice": "perhaps"}')
    given = {"session": str(file), "url": "wss://far.example/v1/realtime"}
    world = World({}, None, None)
    assert load("talk", {**given, "dialect": "ga"}, world).session.tool_choice == "perhaps"
    assert load("talk", given, world).session.tool_choice == "perhaps"
    for closed in ({**given, "dialect": "beta"}, {"session": str(file), "offline": True}):
        with pytest.raises(ConfigError, match="'perhaps'"):
            load("talk", closed, world)
