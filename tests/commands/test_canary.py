"""G9: a canary key is in no output, log or recording, whatever fails and whatever the server says."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.commands.processes import Home, children
from tests.commands.servers import Peer, Server, Speaker, elsewhere, http, nothing, server
from tests.commands.speech import question
from voicecli.core.notices import FATAL
from voicecli.server.answers import Answer, AnswerPart, Piece, one_item
from voicecli.server.responder import Asked

CANARY = "sk-canary-0123456789-abcdefghijklmnop"
OWN = "my.own/key+with=odd~signs"
"""It looks like nobody's key, so only knowing it helps."""
KEYS = [CANARY, OWN]


def traces(key: str) -> list[bytes]:
    """What the key would be found by, also where it was written in another way."""
    text = key.encode()
    return [text, base64.b64encode(text)[:-4], text.hex().encode(), key[::-1].encode()]


def clean(key: str, home: Home, *outputs: str) -> None:
    """Nothing that was said or written holds it."""
    found = [output.encode() for output in outputs]
    found += [path.read_bytes() for path in [*home.path.rglob("*"), *home.work.rglob("*")] if path.is_file()]
    for data in found:
        assert not any(trace in data for trace in traces(key)), data


def joined(lines: str) -> list[str]:
    """What a program has of the turns that puts the pieces of --jsonl together."""
    texts: dict[str, str] = {}
    for each in map(json.loads, lines.splitlines()):
        if each["type"] == "delta":
            texts[each["turn"]] = texts.get(each["turn"], "") + each["text"]
    return list(texts.values())


def echoing(key: str) -> Callable[[], AbstractContextManager[Server]]:
    """Says the key wherever a server can say something, then closes with it."""

    async def script(peer: Peer) -> None:
        await peer.configure()
        await peer.send(
            {"type": "error", "error": {"type": key, "code": key, "message": f"bad key {key} for {key}", "param": key}},
            {"type": key, "x": key},
            {"type": "response.audio.delta", "delta": {"a": key}},
            f'{{"type":"{key}',
            {"type": "rate_limits.updated", "rate_limits": [{"name": key, "limit": 1, "remaining": 1}]},
            {"type": "session.updated", "session": {"instructions": key, "voice": key, "model": key}},
        )
        await peer.talk(until="response.create")
        item = {"id": key, "type": "message", "role": "assistant", "status": "in_progress", "content": []}
        names = {"response_id": "r1", "item_id": key, "output_index": 0, "content_index": 0}
        response: dict[str, Any] = {"id": "r1", "object": "realtime.response", "output": []}
        await peer.send(
            {"type": "response.created", "response": {**response, "status": "in_progress"}},
            {"type": "response.output_item.added", "response_id": "r1", "output_index": 0, "item": item},
            *({"type": "response.text.delta", **names, "delta": piece} for piece in ("Your key is ", key, ".")),
            {"type": "response.text.done", **names, "text": f"Your key is {key}."},
            {
                "type": "conversation.item.input_audio_transcription.completed",
                "item_id": "u9",
                "content_index": 0,
                "transcript": f"My key is {key}",
            },
            {
                "type": "conversation.item.input_audio_transcription.failed",
                "item_id": "u8",
                "content_index": 0,
                "error": {"type": "x", "code": key, "message": key},
            },
            {
                "type": "response.done",
                "response": {
                    **response,
                    "status": "failed",
                    "status_details": {"type": "failed", "error": {"type": key, "code": key, "message": f"no {key}"}},
                },
            },
        )
        await peer.talk()

    return lambda: server(script)


def fatal(code: str, close: int) -> Callable[[str], Callable[[], AbstractContextManager[Server]]]:
    """An error after which servers close, with the key wherever it can stand in it; then the close with it."""

    def make(key: str) -> Callable[[], AbstractContextManager[Server]]:
        async def script(peer: Peer) -> None:
            await peer.configure()
            error = {"type": key, "code": code, "message": f"{code}: {key}", "param": key, "event_id": key}
            await peer.send({"type": "error", "event_id": key, "error": error})
            await peer.close(close, f"{'x' * 80} {key}"[:120])

        return lambda: server(script)

    return make


def misshapen(key: str) -> Callable[[], AbstractContextManager[Server]]:
    """Frames that make no sense, each with the key in it, and settings that are refused with it."""

    async def script(peer: Peer) -> None:
        await peer.greet()
        update = json.loads(await peer.receive())
        refusal = {"type": "invalid_request_error", "code": "unknown_parameter", "param": f"session.{key}"}
        await peer.send(
            {"type": "error", "error": {**refusal, "message": f"Unknown parameter: 'session.{key}'.", "event_id": key}},
            {"type": "error", "error": {**refusal, "message": key, "event_id": update["event_id"]}},
            {"type": "session.created", "session": {"id": key, "model": key, "type": key, "output_modalities": [key]}},
            {"type": "conversation.created", "conversation": {"id": key}},
            key,
            key.encode(),
            f'"{key}"',
            f'["{key}"]',
            f'{{"{key}": 1}}',
            f'{{"type": "response.done", "response": "{key}"}}',
            f'{{"type": "response.audio.delta", "delta": "{key}!"}}',
            f'{{"type": "error", "error": "{key}"}}',
            f'{{"type": "{key}", "type": "{key}"}}',
            f'{{"type": "rate_limits.updated", "rate_limits": "{key}"}}',
            f'{{"type": "response.{key}.delta", "delta": "{key}"}}',
            f'{{"type": "conversation.item.added", "item": {{"id": "{key}", "type": "{key}", "role": "{key}"}}}}',
            {"type": "response.done", "response": {"id": key, "status": key, "status_details": key}},
            {"type": "mcp_list_tools.failed", "item_id": key},
            {"type": "input_audio_buffer.dtmf_event_received", "event": key},
        )
        await peer.talk()

    return lambda: server(script)


def tools(key: str) -> Callable[[], AbstractContextManager[Server]]:
    """Calls a tool with the key, in pieces and whole, and is cut at its limit of tokens."""

    async def script(peer: Peer) -> None:
        await peer.configure()
        await peer.talk(until="response.create")
        names = {"response_id": "r1", "item_id": "c1", "output_index": 0, "call_id": key}
        call = {"id": "c1", "type": "function_call", "name": key, "call_id": key, "arguments": f'{{"k":"{key}"}}'}
        await peer.send(
            {"type": "response.created", "response": {"id": "r1", "status": "in_progress", "output": []}},
            {"type": "response.output_item.added", **names, "item": {**call, "arguments": ""}},
            *({"type": "response.function_call_arguments.delta", **names, "delta": letter} for letter in key),
            {"type": "response.function_call_arguments.done", **names, "name": key, "arguments": key},
            {"type": "response.output_item.done", **names, "item": call},
            {
                "type": "response.done",
                "response": {
                    "id": "r1",
                    "status": "incomplete",
                    "status_details": {"type": "incomplete", "reason": key, "error": {"message": key}},
                    "output": [call],
                },
            },
        )
        await peer.talk()

    return lambda: server(script)


def huge(key: str) -> Callable[[], AbstractContextManager[Server]]:
    """A message that is too big, all of it the key."""

    async def script(peer: Peer) -> None:
        await peer.configure()
        await peer.send(key * (33 * 2**20 // len(key)))
        await peer.stay()

    return lambda: server(script)


def closing(key: str) -> Callable[[], AbstractContextManager[Server]]:
    """Says it in the reason of its close."""

    async def script(peer: Peer) -> None:
        await peer.greet()
        await peer.close(4001, f"go away, {key}")

    return lambda: server(script)


def pieces(key: str) -> Callable[[], AbstractContextManager[Server]]:
    """Says the key letter by letter."""

    class Spells(Speaker):
        def answer(self, asked: Asked) -> Answer:
            return one_item(AnswerPart(tuple(Piece(letter) for letter in f"It is {key}"), spoken=False))

    return lambda: server(responder=Spells())


CLOSES = (4000, 1000, 1001, 1008, 4001)

JSONL, PLAIN, SHOT = ("--jsonl",), (), ("hello",)
FACES = (JSONL, PLAIN, SHOT)


class Way(NamedTuple):
    """How it fails, and what is asked for then. {key} stands for the key."""

    name: str
    make: Callable[[str], Callable[[], AbstractContextManager[Server]]]
    code: int = 3
    env: tuple[tuple[str, str], ...] = ()
    faces: tuple[tuple[str, ...], ...] = (SHOT,)
    keys: tuple[str, ...] = (OWN,)


def says(status: str, body: str = "", *headers: str) -> Callable[[str], Callable[[], AbstractContextManager[Server]]]:
    return lambda key: lambda: http(*(part.replace("{key}", key) for part in (status, body, *headers)))


def at(url: str) -> Callable[[str], Callable[[], AbstractContextManager[Server]]]:
    return lambda key: lambda: elsewhere(url.replace("{key}", key))


WAYS = [
    Way("echoed everywhere", echoing, 1, faces=FACES, keys=(OWN, CANARY)),
    Way("echoed in the close", closing, faces=FACES),
    Way("spelled in pieces", pieces, 0, faces=FACES),
    Way("frames that make no sense", misshapen, 0, faces=FACES),
    Way("a tool's arguments", tools, 1, faces=FACES),
    Way("too big", huge, faces=FACES),
    *(Way(f"fatal {code}", fatal(code, n), faces=(SHOT, JSONL)) for code, n in zip(sorted(FATAL), CLOSES, strict=True)),
    *(Way(f"{code} with the key", says(f"{code} {{key}}", '{"error":"{key}"}')) for code in (400, 403, 429, 500, 503)),
    Way("401 with the key", says("401 No", '{"error":{"message":"bad {key}"}}'), keys=(OWN, CANARY)),
    Way("401 with headers", says("401 No", "Authorization: Bearer {key}"), faces=(JSONL,)),
    Way("404 with a page", says("404 {key}", "<p>{key}")),
    Way("redirect", says("302 Found", "", "Location: https://x.example/?k={key}")),
    Way("redirect to a host", says("302 Found", "", "Location: https://{key}.example/"), keys=(CANARY,)),
    Way("refused", lambda key: nothing),
    Way("tls", lambda key: lambda: server(tls=True)),
    Way("not encrypted", at("ws://nowhere.invalid/v1/realtime")),
    Way("proxy", at("wss://far.example/v1"), env=(("HTTPS_PROXY", "http://user:{key}@127.0.0.1:9"),)),
    Way("no host", at("wss://nowhere.invalid/v1?{key}={key}"), faces=FACES),
    Way("bad proxy", at("wss://far.example/x"), env=(("HTTPS_PROXY", "gopher://{key}@h"),)),
    Way("in the query", at("wss://nowhere.invalid/?token={key}"), faces=FACES),
    Way("in the path", at("wss://nowhere.invalid/{key}"), faces=FACES),
    Way("as a password", at("wss://u:{key}@nowhere.invalid/"), 2),
    Way("as the host", at("wss://{key}.invalid/"), keys=(CANARY,)),
]


@pytest.mark.parametrize(
    ("way", "key"),
    [pytest.param(way, key, id=f"{way.name}-{'sk' if key == CANARY else 'own'}") for way in WAYS for key in way.keys],
)
def test_g9_the_key_is_in_no_output_and_no_file(way: Way, key: str, home: Home) -> None:
    env: dict[str, str | None] = {name: value.replace("{key}", key) for name, value in way.env}
    env["OPENAI_API_KEY" if key == CANARY else "VOICECLI_API_KEY"] = key
    with way.make(key)() as far:
        for face in way.faces:
            line = b'{"type":"say","text":"hello"}\n' if face == JSONL else b"" if face == SHOT else b"hello\n"
            done = home.run("chat", *face, "--url", far.url, "--log-level", "debug", stdin=line, env=env)
            assert done.code == way.code, done
            clean(key, home, done.out, done.err)
            if face == JSONL:
                clean(key, home, *joined(done.out))


@pytest.mark.parametrize("key", KEYS, ids=["sk", "own"])
def test_g9_the_key_is_in_no_recording_and_no_saved_talk(key: str, home: Home) -> None:
    question(home.work / "q.wav")
    args = ("--plain", "--log-level", "debug", "--audio-in", "q.wav", "--audio-out", "a.wav")
    with (
        server() as far,
        home.running("talk", *args, "--url", far.url, env={"OPENAI_API_KEY": key}, terminal=True) as talk,
    ):
        out = talk.lines()
        out.until("^assistant: ")
        assert far.headers[0]["Authorization"] == f"Bearer {key}"
        talk.type(f"my key is {key}")
        out.until(r"^assistant: .*\[key\]")
        talk.type(f"/save {home.work / 'talk.txt'}")
        out.until("^notice: The talk so far is saved")
        talk.type("/quit")
        done = talk.done()
    assert done.code == 0
    assert "[key]" in (home.work / "talk.txt").read_text()
    clean(key, home, done.out, done.err)


@pytest.mark.parametrize("where", ["handle", "loop", "main"])
def test_g9_a_bug_of_ours_shows_no_key_and_ends_with_70(where: str, home: Home) -> None:
    """The exception itself holds the key, and so does a local name."""
    patches = {
        "handle": "import voicecli.core.session as s; s.VoiceSession._received = fail",
        "loop": "import voicecli.runtime.socket as s; s._Line._receive = later",
        "main": "import voicecli.commands.lines as c; c.Lines._typed = fail",
    }
    program = (
        "import os, sys\n"
        "def fail(*_):\n"
        "    local = os.environ['OPENAI_API_KEY']\n"
        "    raise ZeroDivisionError('bug ' + local)\n"
        "async def later(*_): fail()\n"
        f"{patches[where]}\n"
        "from voicecli.cli import main\n"
        "sys.exit(main())"
    )
    with server() as far:
        env: dict[str, str | None] = {"OPENAI_API_KEY": OWN}
        done = home.run("chat", "--url", far.url, stdin=b"hello\n", env=env, program=program)
    assert done.code == (3 if where == "loop" else 70), done
    clean(OWN, home, done.out, done.err)
    assert "ZeroDivisionError" in home.log


@pytest.mark.parametrize("key", KEYS, ids=["sk", "own"])
def test_g9_a_traceback_that_was_asked_for_shows_no_key(key: str, home: Home) -> None:
    program = (
        "import os, sys, voicecli.config as c\n"
        "real = c.load\n"
        "def load(*given):\n"
        "    loaded = real(*given)\n"
        "    c.Config.target = property(lambda _: 1 / int('0' + os.environ['VOICECLI_API_KEY']))\n"
        "    return loaded\n"
        "c.load = load\n"
        "from voicecli.cli import main\n"
        "sys.exit(main())"
    )
    env: dict[str, str | None] = {"VOICECLI_API_KEY": key}
    args = ("chat", "hello", "--log-level", "debug", "--url", "ws://127.0.0.1:9/")
    with home.running(*args, env=env, program=program, stdin=subprocess.DEVNULL) as running:
        assert running.process.wait(30) == 70
        assert running.out is not None
        assert running.err is not None
        out, err = running.out.all(), running.err.all()
    assert "Traceback" in err
    assert "[key]" in err
    clean(key, home, out, err)


@pytest.mark.parametrize(
    "args",
    [
        ("--temperature", "{key}"),
        ("--dialect", "{key}"),
        ("--url", "wss://u:{key}@h/"),
        ("--session", "{key}"),
        ("--session", "s.json"),
        ("--log-file", "/dev/null/{key}", "--temperature", "9"),
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("key", KEYS, ids=["sk", "own"])
def test_g9_a_setting_that_is_refused_does_not_repeat_the_key(args: tuple[str, ...], key: str, home: Home) -> None:
    (home.work / "s.json").write_text("{}")
    given = [arg.replace("{key}", key) for arg in args]
    env: dict[str, str | None] = {"VOICECLI_API_KEY": key}
    texts = [f'{{"{key}": 1}}', f'{{"speed": "{key}"}}', f'{{"{key}'] if "s.json" in args else [""]
    for text in texts:
        file = home.work / "s.json"
        file.write_text(text)
        done = home.run("chat", "hello", *given, env=env)
        file.unlink()
        assert done.code == 2, done
        clean(key, home, done.out, done.err)


def test_g9_a_proxy_that_repeats_what_it_was_logged_in_with_is_not_quoted(home: Home) -> None:
    password = "a.password+of=somebody"
    words = f"no such user: {password}"
    with http(f"407 {password}", words, f"Proxy-Authenticate: Basic realm={password}") as proxy:
        env: dict[str, str | None] = {
            "HTTPS_PROXY": f"http://user:{password}@{proxy.host}",
            "VOICECLI_API_KEY": "another-key",
        }
        done = home.run("chat", "hello", "--url", "wss://far.example/v1", "--log-level", "debug", env=env)
    assert done.code == 3
    assert done.complaints[0].startswith("error: The proxy 127.0.0.1 did not let the connection through.")
    clean(password, home, done.out, done.err)


def test_g9_the_servers_child_has_no_key_in_its_environment(home: Home) -> None:
    with home.running("chat", "--offline", "--jsonl", env={"OPENAI_API_KEY": CANARY, "MY_TOKEN": CANARY}) as chat:
        chat.lines().until('"state":"open"')
        (child,) = children(chat.pid)
        for name in ("environ", "cmdline"):
            assert CANARY.encode() not in Path(f"/proc/{child}/{name}").read_bytes()
        chat.close_stdin()
        assert chat.done().code == 0


# ---- where the key may go


def test_g1_a_url_from_the_folder_never_gets_the_users_key(home: Home) -> None:
    with server() as far:
        (home.work / ".env").write_text(f"VOICECLI_URL={far.url}\n")
        done = home.run("chat", "hello", env={"OPENAI_API_KEY": CANARY})
        assert (done.code, done.out, far.connections) == (2, "", [])
        assert ".env in this folder" in done.err
        assert "OPENAI_API_KEY in the environment" in done.err
        (home.work / ".env").write_text(f"VOICECLI_URL={far.url}\nOPENAI_API_KEY=sk-of-the-folder\n")
        done = home.run("chat", "hello", env={"OPENAI_API_KEY": None})
        assert done.code == 0
        assert "with the key from .env in this folder (OPENAI_API_KEY)" in done.err
        assert far.headers[0]["Authorization"] == "Bearer sk-of-the-folder"


def test_g5_a_redirect_is_not_followed_by_one_packet(home: Home) -> None:
    with server() as other, http("307 Temporary Redirect", "", f"Location: {other.url}") as far:
        done = home.run("chat", "hello", "--url", far.url, env={"OPENAI_API_KEY": CANARY})
        assert done.code == 3
        assert done.complaints[0].startswith(f"error: {other.host} sends the connection somewhere else")
        assert other.connections == []


def test_g7_a_proxy_learns_nothing_of_a_talk_on_this_machine(home: Home) -> None:
    names = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "WS_PROXY", "WSS_PROXY")
    with http("407 Proxy Authentication Required") as proxy:
        url = f"http://{proxy.host}"
        env: dict[str, str | None] = {each: url for name in names for each in (name, name.lower())}
        done = home.run("chat", "hello", "--offline", env=env)
        assert (done.code, done.complaints) == (0, [])
        assert proxy.connections == []
        done = home.run("chat", "hello", "--url", "wss://far.example/v1/realtime", env=env)
        assert done.code == 3
        assert len(done.complaints) == 1
        assert done.complaints[0].startswith("error: The proxy 127.0.0.1 did not let the connection through.")
        assert len(proxy.connections) == 1
        assert CANARY not in proxy.headers[0]["raw"]
