"""Each provider of `protocol/profiles.py` by the program itself: its own host name, TLS, and a server that is scripted.

What the server is asked for and sent, what its extras are, and what it is never sent, because it has no such thing.
"""

from __future__ import annotations

import base64
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.commands.bare import Dialect, answer, created, done, shape
from tests.commands.processes import Home
from tests.commands.servers import NAMED, Frame, Peer, Server, named, server, tone
from tests.commands.speech import question, silence, voice

KEY = "the-key-of-somebody"
AHEAD_S, INTO_S, AFTER_S = 0.4, 0.8, 0.4
"""How much of the microphone is heard before the answer, while it is heard, and after it was interrupted."""


class Provider(NamedTuple):
    """What is asked for, and what has to come of it."""

    url: str
    path: str
    query: dict[str, str]
    dialect: Dialect = "ga"
    key: tuple[str, str] = ("Authorization", f"Bearer {KEY}")
    voice: str | None = None
    transcription: str | None = "whisper-1"
    formats: tuple[str, str] = ("pcm16", "pcm16")
    """By the names of the dialect beta."""
    block: int = 960
    """Bytes of 20 ms."""
    cut: bool = True
    """Whether it can be told how much was heard."""
    cannot: str = ""
    extras: tuple[Frame, ...] = ()
    options: tuple[str, ...] = ()


AZURE = ("api-key", KEY)
PROVIDERS = {
    "openai": Provider(
        "wss://api.openai.com/v1/realtime",
        "/v1/realtime",
        {"model": "gpt-realtime-2.1"},
        voice="marin",
        transcription="gpt-transcribe",
        extras=({"type": "ping"},),
    ),
    "azure openai": Provider(
        "wss://res.openai.azure.com/openai/v1/realtime?model=mine",
        "/openai/v1/realtime",
        {"model": "mine"},
        key=AZURE,
        voice="marin",
    ),
    "azure openai, dated": Provider(
        "wss://res.openai.azure.com/openai/realtime",
        "/openai/realtime",
        {"deployment": "mine", "api-version": "2024-10-01-preview"},
        "beta",
        AZURE,
        voice="alloy",
        options=("--model", "mine"),
    ),
    "azure voice live": Provider(
        "https://res.services.ai.azure.com/voice-live/realtime",
        "/voice-live/realtime",
        {"model": "gpt-realtime", "api-version": "2026-07-15"},
        "beta",
        AZURE,
        voice="alloy",
        extras=(
            {"type": "session.avatar.connecting", "server_sdp": "v=0"},
            {"type": "response.audio_timestamp.delta", "item_id": "item_r1", "audio_offset_ms": 1, "text": "Good"},
            {"type": "response.animation_viseme.delta", "item_id": "item_r1", "viseme_id": 4},
            {"type": "response.viseme.done", "item_id": "item_r1"},
            {"type": "input_audio.turn.started"},
            {"type": "warning", "warning": {"message": "The voice is deprecated.", "code": "x"}},
        ),
    ),
    "qwen": Provider(
        "wss://dashscope.aliyuncs.com/api-ws/v1/realtime",
        "/api-ws/v1/realtime",
        {"model": "qwen3.5-omni-plus-realtime"},
        "beta",
        transcription="gummy-realtime-v1",
        formats=("pcm", "pcm"),
        block=640,
        cut=False,
        cannot="Qwen-Omni cannot read what you type and cannot be told how much of an answer you heard.",
        extras=({"type": "session.finished"},),
    ),
    "stepfun": Provider(
        "wss://api.stepfun.com/v1/realtime",
        "/v1/realtime",
        {"model": "step-audio-2"},
        "beta",
        transcription=None,
        extras=({"type": "response.cancelled", "event_id": "e1"},),
    ),
    "any other": Provider(
        "wss://far.example/v1/realtime",
        "/v1/realtime",
        {"model": "gpt-realtime-2.1"},
        extras=({"type": "heartbeat"}, {"type": "localai.status"}, {"type": "conversation.item.speaker"}),
    ),
    "any other, in the older dialect": Provider(
        "wss://far.example/v1/realtime",
        "/v1/realtime",
        {"model": "gpt-4o-realtime-preview"},
        "beta",
        voice="alloy",
        options=("--dialect", "beta"),
        extras=({"type": "heartbeat"}, {"type": "localai.status"}),
    ),
}


async def configure(peer: Peer, provider: Provider) -> None:
    """Greets in the provider's dialect, and takes the settings as they are."""
    await peer.send(created(provider.dialect))
    await peer.receive()
    await peer.send({"type": "session.updated", "session": peer.frames[-1]["session"]}, *provider.extras)


async def listen(peer: Peer, provider: Provider, seconds: float) -> None:
    """Until the microphone has sent so much more."""
    blocks = 0
    while blocks < seconds * 50:
        await peer.receive()
        if peer.frames[-1]["type"] == "input_audio_buffer.append":
            blocks += 1


def session(update: Frame) -> dict[str, Any]:
    """A `session.update` by the names of the older dialect."""
    config = update["session"]
    if shape(update) == "beta":
        return dict(config)
    heard, said = config["audio"]["input"], config["audio"]["output"]
    formats = {"audio/pcm": "pcm16"}
    return {
        "modalities": {"audio": ["text", "audio"]}.get(*config["output_modalities"]),
        "voice": said.get("voice"),
        "input_audio_format": formats.get(heard["format"]["type"]),
        "output_audio_format": formats.get(said["format"]["type"]),
        "input_audio_transcription": heard["transcription"],
        "turn_detection": heard["turn_detection"],
    }


def opened(far: Server, provider: Provider) -> Frame:
    """How the one connection began; its `session.update`."""
    ((headers, path),) = zip(far.headers, far.paths, strict=True)
    parts = urlsplit(path)
    assert parts.path == provider.path
    assert {name: value for name, (value,) in parse_qs(parts.query).items()} == provider.query
    host = urlsplit(provider.url).hostname
    assert headers["Host"] == host
    name, value = provider.key
    assert headers[name] == value
    assert [each for each in headers.values() if KEY in each] == [value], "the key goes once, and nowhere else"
    assert headers.get("OpenAI-Beta") == ("realtime=v1" if provider.dialect == "beta" else None)
    update = far.frames[0]
    assert (update["type"], shape(update)) == ("session.update", provider.dialect)
    return update


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_provider_is_spoken_to_as_it_wants_to_be(name: str, home: Home) -> None:
    provider = PROVIDERS[name]
    question(home.work / "q.wav", voice(1.0), silence(2.0))

    async def script(peer: Peer) -> None:
        await configure(peer, provider)
        await listen(peer, provider, AHEAD_S)
        await peer.send(*answer(provider.dialect, "r1", ["Good ", "morning."], [tone(0.1)] * 30))
        await listen(peer, provider, INTO_S)
        await peer.send(
            {"type": "input_audio_buffer.speech_started", "item_id": "u1", "audio_start_ms": 1200},
            *done("r1", "cancelled", type="cancelled", reason="turn_detected"),
        )
        await listen(peer, provider, AFTER_S)
        await peer.close(1000)

    with server(script, tls=True, certificate=NAMED) as far, named(far) as env:
        files = ("--audio-in", "q.wav", "--audio-out", "a.wav")
        args = ("talk", "--plain", "--url", provider.url, *files, *provider.options)
        ran = home.run(*args, stdin=b"" if provider.cannot else None, env={**env, "VOICECLI_API_KEY": KEY})
    assert ran.code == 3, ran  # the server left

    asked = session(opened(far, provider))
    assert asked["modalities"] == ["text", "audio"]
    assert asked.get("voice") == provider.voice
    assert (asked["input_audio_format"], asked["output_audio_format"]) == provider.formats
    heard = asked["input_audio_transcription"]
    assert heard == (provider.transcription and {"model": provider.transcription})
    assert asked["turn_detection"]["type"] == "server_vad"

    blocks = {len(base64.b64decode(frame["audio"])) for frame in far.sent("input_audio_buffer.append")}
    assert blocks == {provider.block}

    others = [frame for frame in far.frames[1:] if frame["type"] != "input_audio_buffer.append"]
    if provider.cut:
        (cut,) = others
        assert (cut["type"], cut["item_id"], cut["content_index"]) == ("conversation.item.truncate", "item_r1", 0)
        assert 300 < cut["audio_end_ms"] < 1500
    else:
        assert others == [], "neither truncate nor delete nor cancel"

    assert next(line for line in ran.lines if line.startswith("assistant: ")).endswith(")")
    assert "Interrupted at " in ran.out
    notices = [line for line in ran.lines if line.startswith(("notice: ", "error: "))]
    told = [f"notice: {provider.cannot}"] if provider.cannot else []
    assert [line.removesuffix(" The talk goes on without that.") for line in notices[1:-1]] == told, notices
    assert notices[-1].startswith("error: The server ended the connection.")


def test_glm_is_only_written_to_and_says_so(home: Home) -> None:
    """It wants every piece of sound as a WAV of its own; its answers are heard."""
    url = "wss://open.bigmodel.cn/api/paas/v4/realtime"
    glm = Provider(url, "/api/paas/v4/realtime", {"model": "glm-realtime"}, "beta", extras=({"type": "heartbeat"},))
    question(home.work / "q.wav")

    async def script(peer: Peer) -> None:
        await configure(peer, glm)
        while peer.frames[-1]["type"] != "response.create":
            await peer.receive()
        await peer.send(*answer("beta", "r1", ["Good morning."], [tone(0.3)]), *done("r1"))
        await peer.stay()

    with server(script, tls=True, certificate=NAMED) as far, named(far) as env:
        files = ("--audio-in", "q.wav", "--audio-out", "a.wav")
        args = ("talk", "--plain", "--url", url, *files)
        ran = home.run(*args, stdin=b"hello\n", env={**env, "VOICECLI_API_KEY": KEY})
    assert ran.code == 0, ran
    opened(far, glm)
    assert [frame["type"] for frame in far.frames] == ["session.update", "conversation.item.create", "response.create"]
    notices = [line for line in ran.lines if line.startswith(("notice: ", "error: "))]
    assert notices[1].startswith("notice: GLM-Realtime cannot hear you, because it takes other sound than voicecli")
    assert "assistant: Good morning." in ran.lines
    assert len(notices) == 2


def test_qwen_is_sent_nothing_that_was_typed(home: Home) -> None:
    qwen = PROVIDERS["qwen"]

    async def script(peer: Peer) -> None:
        await configure(peer, qwen)
        await peer.stay()

    with server(script, tls=True, certificate=NAMED) as far, named(far) as env:
        ran = home.run("chat", "hello", "--url", qwen.url, env={**env, "VOICECLI_API_KEY": KEY})
    assert (ran.code, ran.out) == (1, "")
    assert [frame["type"] for frame in far.frames] == ["session.update"]
    assert "Qwen-Omni cannot read what you type." in ran.err
    assert "error: This server does not read, so what you typed was not sent. Say it by voice." in ran.err


@pytest.mark.parametrize("dialect", ["ga", "beta"])
def test_our_own_server_is_spoken_to_in_either_dialect_without_a_key(dialect: str, home: Home) -> None:
    done = home.run("chat", "hello", "--offline", "--jsonl", "--dialect", dialect, env={"OPENAI_API_KEY": KEY})
    assert done.code == 0
    assert '"type":"notice"' not in done.out
    assert f'"state":"open","dialect":"{dialect}"' in done.out
