"""Each bad input is one clear line with a remedy and the right exit code, or a notice in the running talk."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import wave
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, NamedTuple

import pytest

from tests.commands.processes import PROGRAM, Home
from tests.commands.servers import Peer, Server, elsewhere, http, nothing, raw, server
from tests.commands.speech import question

KEY = "sk-test-0123456789"
TYPED = b"hello\n"


class Row(NamedTuple):
    """What is wrong, and what is said of it."""

    name: str
    server: Callable[[], AbstractContextManager[Server]]
    code: int
    error: str
    """The line of stderr, a pattern; {host} stands for the server's."""
    env: tuple[tuple[str, str | None], ...] = ()


def closes(code: int, reason: str = "", *, when: str) -> Callable[[], AbstractContextManager[Server]]:
    async def script(peer: Peer) -> None:
        if when == "ready":
            await peer.configure()
            await peer.talk(until="response.create")
        await peer.close(code, reason)

    return lambda: server(script)


def first_sends(*frames: Any, close: bool = True) -> Callable[[], AbstractContextManager[Server]]:
    async def script(peer: Peer) -> None:
        await peer.send(*frames)
        if close:
            await peer.close(1000)
        else:
            await peer.stay()

    return lambda: server(script)


def error_frame(code: str, message: str, kind: str = "invalid_request_error", **more: Any) -> dict[str, Any]:
    return {"type": "error", "event_id": "e1", "error": {"type": kind, "code": code, "message": message, **more}}


def fails(**details: Any) -> Callable[[], AbstractContextManager[Server]]:
    """The response fails."""

    async def script(peer: Peer) -> None:
        await peer.configure()
        await peer.talk(until="response.create")
        response = {"id": "r1", "object": "realtime.response", "output": []}
        await peer.send({"type": "response.created", "response": {**response, "status": "in_progress"}})
        failed = {**response, "status": "failed", "status_details": {"type": "failed", **details}}
        await peer.send({"type": "response.done", "response": failed})
        await peer.talk()

    return lambda: server(script)


DROPPED = r"error: The connection dropped\. What was said so far stays here\. /retry connects again\."
KEY_LINE = r"It came from OPENAI_API_KEY in the environment\. Put a valid key there\."
OTHER_DIALECT = (
    r"error: The server does not speak this dialect of the protocol\. "
    r"Try the other one: --dialect ga or --dialect beta\."
)
GONE = r"error: The server went away\. It restarts, or ends sessions from time to time\. /retry opens a new one\."
RULE = (
    r"error: The server closed the connection over a rule of its own\. Often that is the key\. "
    r"It came from OPENAI_API_KEY in the environment\."
)
NOT_REALTIME = (
    r"error: {host} answers, but not as a Realtime server\. The URL should end in /v1/realtime; check --url\."
)

TABLE = [
    Row(
        "wrong key",
        lambda: http("401 Unauthorized", '{"error":{"message":"Incorrect API key provided"}}'),
        3,
        rf'error: The server refused your key\. {KEY_LINE} \(server says: "Incorrect API key provided"\)',
    ),
    Row(
        "no key",
        lambda: http("401 Unauthorized", "who are you?"),
        3,
        r"error: The server refused your key\. No key was sent\. Put a valid key there\. "
        r'\(server says: "who are you\?"\)',
        (("OPENAI_API_KEY", None),),
    ),
    Row(
        "forbidden",
        lambda: http("403 Forbidden", '{"error":{"message":"no access to that model"}}'),
        3,
        r"error: The server does not allow this key here\. It came from OPENAI_API_KEY in the environment\. Ask for "
        r'access, or pick another model by --model\. \(server says: "no access to that model"\)',
    ),
    Row(
        "too many",
        lambda: http("429 Too Many Requests", '{"error":{"message":"Rate limit reached"}}', "Retry-After: 20"),
        3,
        r"error: The server takes no more connections from you at the moment\. Wait 20 seconds, then try again\. "
        r'\(server says: "Rate limit reached"\)',
    ),
    Row(
        "no credit",
        lambda: http("429 Too Many Requests", '{"error":{"code":"insufficient_quota","message":"No more."}}'),
        3,
        r'error: Your account has no credit left\. .* \(server says: "No more\."\)',
    ),
    Row(
        "wrong path",
        lambda: http("404 Not Found", "<html><body>nothing</body></html>", "Content-Type: text/html"),
        3,
        rf'{NOT_REALTIME} \(server says: "Not Found"\)',
    ),
    Row("http answer", lambda: http("200 OK", "It works!"), 3, rf'{NOT_REALTIME} \(server says: "It works!"\)'),
    Row(
        "server error",
        lambda: http("502 Bad Gateway", "<html>nginx</html>"),
        3,
        r"error: {host} answers, but with a failure of its own \(HTTP 502\)\. Wait a little, then try again; it is not "
        r'your settings\. \(server says: "Bad Gateway"\)',
    ),
    Row(
        "no such deployment",
        lambda: http("404 Not Found", '{"error":{"code":"DeploymentNotFound","message":"It does not exist."}}'),
        3,
        r"error: This key may not use that model, or there is no such model\. Pick another by --model\. "
        r'\(server says: "It does not exist\."\)',
    ),
    Row(
        "not http",
        lambda: raw(b"220 mail.example ESMTP\r\n"),
        3,
        rf'{NOT_REALTIME} \(in detail: "the answer is not HTTP; is it a wss:// server\?"\)',
    ),
    Row("hangs up", lambda: raw(b""), 3, NOT_REALTIME + ".*"),
    Row(
        "redirect",
        lambda: http("302 Found", "", "Location: https://elsewhere.example/x"),
        3,
        r"error: elsewhere\.example sends the connection .*",
    ),
    Row(
        "name not found",
        lambda: elsewhere("wss://nowhere.invalid/v1/realtime"),
        3,
        r"error: The name nowhere\.invalid could not be found\. Is this machine online\? Is the URL spelled right\?.*",
    ),
    Row(
        "refused port",
        nothing,
        3,
        r"error: {host} cannot be reached\. Nothing answers there, or there is no way to it\. Is the server running, "
        r'and is this machine online\? \(in detail: "Connection refused"\)',
    ),
    Row(
        "untrusted certificate",
        lambda: server(tls=True),
        3,
        r"error: The connection to {host} is not private, so it was not used\. Check the certificate of the server, "
        r"the clock of this machine, and that the URL has the right scheme \(wss for TLS, ws without\)\..*",
    ),
    Row(
        "tls to a plain port",
        lambda: with_scheme("wss", server()),
        3,
        r"error: The connection to {host} is not private, so it was not used\. .*is it a ws:// server\?.*",
    ),
    Row("plain to a tls port", lambda: with_scheme("ws", server(tls=True)), 3, rf"{NOT_REALTIME} .*wss://.*"),
    Row(
        "proxy refuses",
        lambda: elsewhere("wss://far.example/v1/realtime"),
        3,
        r"error: The proxy 127\.0\.0\.1 did not let the connection through\. .*",
        (("HTTPS_PROXY", "http://127.0.0.1:9"),),
    ),
    Row("1001 before ready", closes(1001, "bye", when="greeting"), 3, rf'{GONE} \(server says: "bye"\)'),
    Row("1001 in a talk", closes(1001, "bye", when="ready"), 3, rf'{GONE} \(server says: "bye"\)'),
    Row("1008 before ready", closes(1008, "policy", when="greeting"), 3, rf'{RULE} \(server says: "policy"\)'),
    Row("1008 in a talk", closes(1008, "policy", when="ready"), 3, rf'{RULE} \(server says: "policy"\)'),
    Row(
        "1011 before ready",
        closes(1011, when="greeting"),
        3,
        r"error: The server failed and closed the connection\. /retry connects again\.",
    ),
    Row(
        "1011 in a talk",
        closes(1011, when="ready"),
        3,
        r"error: The server failed and closed the connection\. /retry connects again\.",
    ),
    Row(
        "4000 before ready",
        closes(4000, "x", when="greeting"),
        3,
        rf'{OTHER_DIALECT} \(server says: "x"\)',
        (("VOICECLI_DIALECT", "beta"),),
    ),
    Row(
        "60 minutes",
        closes(1001, "Your session hit the maximum duration of 60 minutes.", when="ready"),
        3,
        r"error: The session has reached its longest duration\. /retry opens a new one\. "
        r'\(server says: "Your session hit the maximum duration of 60 minutes\."\)',
    ),
    *(
        Row(f"{code} in a talk", closes(code, when="ready"), 3, rf"error: {title}\. .*/retry.*\.")
        for code, title in (
            (1000, "The server ended the connection"),
            (1002, "The connection broke the rules of WebSocket, so it was closed"),
            (1003, "The server does not take this kind of message"),
            (1007, "The connection was closed over a message that could not be read"),
            (1009, "A message was too big for the server, so it closed the connection"),
            (1010, "The server misses something in the connection that it needs"),
            (1012, "The server starts anew"),
            (1013, "The server is too busy at the moment"),
            (1014, "A gateway lost the server that is behind it"),
        )
    ),
    Row("4000 in a talk", closes(4000, "x", when="ready"), 3, rf'{OTHER_DIALECT} \(server says: "x"\)'),
    Row(
        "4321 in a talk",
        closes(4321, when="ready"),
        3,
        r"error: The server closed the connection with code 4321\. /retry connects again\.",
    ),
    Row(
        "an error before session.created",
        first_sends(error_frame("invalid_api_key", "Incorrect API key provided: sk-***")),
        3,
        rf'error: The server refused your key\. {KEY_LINE} \(server says: "Incorrect API key provided: .*"\)',
    ),
    Row(
        "a model that is not there",
        first_sends(error_frame("model_not_found", "no such model")),
        3,
        r"error: This key may not use that model, or there is no such model\. Pick another by --model\. "
        r'\(server says: "no such model"\)',
    ),
    Row(
        "the other dialect",
        first_sends(error_frame("beta_api_shape_disabled", "The Realtime Beta API is no longer supported")),
        3,
        r"error: The server speaks the newer dialect only\. Set --dialect ga\. .*",
    ),
    Row(
        "rate limit",
        fails(error={"type": "requests", "code": "rate_limit_exceeded", "message": "Try again in 20s"}),
        1,
        r"notice: The server is limiting you; this answer was not given\. Wait a little, then ask again\. "
        r'\(server says: "Try again in 20s"\)',
    ),
    Row(
        "no credit",
        fails(error={"type": "insufficient_quota", "code": "insufficient_quota", "message": "You exceeded"}),
        1,
        r"error: Your account has no credit left\. The server will refuse every answer until that is settled with the "
        r'provider\. \(server says: "You exceeded"\)',
    ),
    Row(
        "the answer failed",
        fails(error={"type": "server_error", "code": "server_error", "message": "oops"}),
        1,
        r'error: The server could not finish this answer\. Ask once more\. \(server says: "oops"\)',
    ),
]


def with_scheme(scheme: str, real: AbstractContextManager[Server]) -> AbstractContextManager[Server]:
    @contextmanager
    def changed() -> Iterator[Server]:
        with real as far:
            far.url = re.sub(r"^wss?", scheme, far.url)
            yield far

    return changed()


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
def test_what_can_go_wrong_with_the_link_is_one_line_and_an_exit_code(row: Row, home: Home) -> None:
    with row.server() as far:
        env = {"OPENAI_API_KEY": KEY, **dict(row.env)}
        done = home.run("chat", "hello", "--url", far.url, env=env)
        assert len(done.complaints) == 1, done.err
        assert re.fullmatch(row.error.replace("{host}", re.escape(far.host)), done.complaints[0]), done.complaints[0]
        assert (done.code, done.out) == (row.code, "")
        assert len(done.err.splitlines()) == 2
        assert "Traceback" not in home.log
        assert KEY not in done.err + home.log


@pytest.mark.parametrize("name", ["wrong key", "1011 in a talk", "rate limit", "refused port"])
def test_the_same_line_stands_in_a_talk_by_pipe_with_the_same_exit_code(name: str, home: Home) -> None:
    row = next(row for row in TABLE if row.name == name)
    with row.server() as far:
        done = home.run("chat", "--url", far.url, stdin=TYPED, env={"OPENAI_API_KEY": KEY})
        told = [line for line in done.lines if re.fullmatch(row.error.replace("{host}", re.escape(far.host)), line)]
        assert len(told) == 1, done.out
        assert (done.code, done.err) == (row.code, "")
        assert done.lines[-1].startswith("end: ")
        if row.code == 1 or "in a talk" in name:
            assert done.lines[1] == "you: hello"


# ---- notices in a talk that goes on


class Passing(NamedTuple):
    name: str
    frames: tuple[Any, ...]
    notice: str


PASSING = [
    Passing(
        "no json",
        ("{nonsense",),
        r"notice: The server sent a message that makes no sense\. It is passed over; the talk goes on\. .*",
    ),
    Passing(
        "wrong shape",
        ({"type": "response.audio.delta", "item_id": [1], "delta": {}},),
        r"notice: The server sent a message that makes no sense\. It is passed over; the talk goes on\. "
        r'\(in detail: "response\.audio\.delta: .*"\)',
    ),
    Passing("a list", ("[1,2,3]",), r"notice: The server sent a message that makes no sense\. .*"),
    Passing("deep", ("[" * 200_000,), r"notice: The server sent a message that makes no sense\. .*"),
    Passing(
        "unknown twice",
        ({"type": "response.telepathy.delta"}, {"type": "response.telepathy.delta"}),
        r"notice: The server sent something voicecli does not know: response\.telepathy\.delta\. It is passed over\.",
    ),
    Passing("hostile name", ({"type": "\x1b[2J\nyou: x"},), r"notice: The server sent something .*"),
    Passing("binary", (b"\x00\x01\xff",), r"notice: The server sent .* a message that is no text\. .*"),
    Passing(
        "error of its own",
        (error_frame("odd", "Something \x1b[31mwent wrong\nyou: I pay"),),
        r'error: The server reports a problem\. The talk goes on\. \(server says: "Something [^\n]*I pay"\)',
    ),
]


@pytest.mark.parametrize(
    ("when", "row"),
    [pytest.param("ready", row, id=row.name) for row in PASSING]
    + [
        pytest.param("greeting", row, id=f"{row.name} before session.created")
        for row in PASSING
        if row.name in ("no json", "unknown twice", "binary")
    ],
)
def test_what_makes_no_sense_is_told_once_and_the_answer_comes_all_the_same(
    row: Passing, when: str, home: Home
) -> None:
    async def script(peer: Peer) -> None:
        if when == "greeting":
            await peer.send(*row.frames)
        await peer.configure()
        if when == "ready":
            await peer.send(*row.frames)
        await peer.talk()

    with server(script) as far:
        done = home.run("chat", "--url", far.url, stdin=TYPED)
    assert done.code == 0, done.out
    assert done.err == ""
    told = [line for line in done.lines[1:] if line.startswith(("notice:", "error:"))]
    if row.name == "unknown twice":
        assert told.pop() == "notice: Passed over in this talk: 2 messages of unknown kinds."
    assert len(told) == 1, done.out
    assert re.fullmatch(row.notice, told[0]), told[0]
    assert [line for line in done.lines if line.startswith(("you:", "assistant:"))] == [
        "you: hello",
        "assistant: Answer 1 to hello: word1 word2 word3",
    ]
    assert "\x1b" not in done.out


def test_settings_that_the_server_refuses_are_told_and_the_talk_goes_on_with_its_own(home: Home) -> None:
    async def script(peer: Peer) -> None:
        await peer.greet()
        await peer.receive()
        await peer.send(error_frame("invalid_value", "Unknown voice", event_id=peer.frames[0]["event_id"]))
        await peer.talk()

    with server(script) as far:
        done = home.run("chat", "--url", far.url, stdin=TYPED)
    assert done.code == 0
    assert (
        "notice: The server refused the settings; the talk goes on with its own. Its words say which one to leave "
        'out. (server says: "Unknown voice")'
    ) in done.lines
    assert "assistant: Answer 1 to hello: word1 word2 word3" in done.lines


def test_a_connection_that_is_cut_in_an_answer_keeps_what_came(home: Home) -> None:
    async def script(peer: Peer) -> None:
        await peer.configure()
        await peer.talk(until="response.create")
        response = {"id": "r1", "object": "realtime.response", "status": "in_progress", "output": []}
        item = {"id": "i1", "type": "message", "role": "assistant", "status": "in_progress", "content": []}
        names = {"response_id": "r1", "item_id": "i1", "output_index": 0, "content_index": 0}
        await peer.send(
            {"type": "response.created", "response": response},
            {"type": "response.output_item.added", "response_id": "r1", "output_index": 0, "item": item},
            {"type": "response.text.delta", **names, "delta": "The beginning of"},
        )
        peer.connection.transport.abort()

    with server(script) as far:
        done = home.run("chat", "--url", far.url, stdin=TYPED)
        assert done.code == 3
        assert done.lines[1] == "you: hello"
        assert any(line.startswith("assistant: The beginning of") for line in done.lines)
        assert any(re.match(DROPPED, line) for line in done.lines)
        shot = home.run("chat", "hello", "--url", far.url)
        assert (shot.code, shot.out) == (3, "The beginning of\n")
        assert re.match(DROPPED, shot.complaints[0])


def test_a_slow_name_server_is_told_and_an_interrupt_ends_the_wait_at_once(home: Home) -> None:
    """G15, F27."""
    program = (
        "import socket, sys, time\n"
        "socket.getaddrinfo = lambda *_, **__: time.sleep(60)\n"
        "from voicecli.cli import main\n"
        "sys.exit(main())"
    )
    with home.running("chat", "hello", "--url", "wss://slow.example/v1/realtime", program=program) as chat:
        chat.close_stdin()
        assert chat.err is not None
        chat.err.until(r"^notice: Still waiting for the name of slow\.example\. Ctrl-C ends it\.$")
        chat.signal(signal.SIGINT)
        assert chat.done(6).code == 130


# ---- what is wrong before anything begins


class Usage(NamedTuple):
    name: str
    args: tuple[str, ...]
    error: str
    prepare: Callable[[Home], object] = lambda home: None
    code: int = 2
    remedy: bool = True


def write(name: str, data: bytes) -> Callable[[Home], object]:
    return lambda home: (home.work / name).write_bytes(data)


def compressed(home: Home) -> None:
    path = home.work / "q.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 24_000, 0, "NONE", ""))
        file.writeframes(bytes(480))
    data = bytearray(path.read_bytes())
    data[20:22] = b"\x11\x00"  # IMA ADPCM
    path.write_bytes(data)


def truncated(home: Home) -> None:
    path = question(home.work / "q.wav")
    path.write_bytes(path.read_bytes()[:-9_001])


WAV = ("talk", "--plain", "--offline", "--audio-in", "q.wav", "--audio-out", "a.wav")
USAGE = [
    Usage("unknown option", ("talk", "--por", "1"), "error: No such option"),
    Usage("plain and jsonl", ("talk", "--plain", "--jsonl"), "error: --plain and --jsonl exclude each other."),
    Usage("empty question", ("chat", "  "), "error: The question is empty."),
    Usage("wrong scheme", ("chat", "x", "--url", "ftp://h/x"), "error: The URL from --url cannot be used: it begins"),
    Usage("user info", ("chat", "x", "--url", "wss://me:pw@h/x"), "error: The URL from --url cannot be used: it has a"),
    Usage("garbage", ("chat", "x", "--url", "::::"), "error: The URL from --url cannot be used: "),
    Usage("no host", ("chat", "x", "--url", "wss:///v1"), "error: The URL from --url cannot be used: its host or"),
    Usage("bad port", ("chat", "x", "--url", "wss://h:99999/"), "error: The URL from --url cannot be used: its host"),
    Usage("no wav", WAV, "error: q.wav cannot speak for you: ", write("q.wav", b"This is a text.\n" * 40)),
    Usage("empty wav", WAV, "error: q.wav cannot speak for you: ", write("q.wav", b"")),
    Usage("half a header", WAV, "error: q.wav cannot speak for you: ", write("q.wav", b"RIFF\x24\0\0\0WAVEfmt ")),
    Usage("compressed wav", WAV, "error: q.wav cannot speak for you: ", compressed),
    Usage("truncated wav", WAV, "error: q.wav cannot speak for you: it is cut short", truncated),
    Usage(
        "the question as recording",
        (*WAV[:-1], "q.wav"),
        "error: --audio-out q.wav is the file of --audio-in",
        lambda home: question(home.work / "q.wav"),
    ),
    Usage("missing wav", WAV, "error: q.wav cannot be read: No such file or directory."),
    Usage("folder as wav", WAV, "error: q.wav cannot speak for you: ", lambda home: (home.work / "q.wav").mkdir()),
    Usage("pipe as wav", WAV, "error: q.wav cannot speak for you: ", lambda home: os.mkfifo(home.work / "q.wav")),
    Usage(
        "typo in .env",
        ("chat", "x"),
        "error: Line 2 of .env in this folder is not NAME=value.",
        write(".env", b"# mine\nVOICECLI_MODEL gpt\n"),
    ),
    Usage("latin-1 .env", ("chat", "x"), "error: .env in this folder is not UTF-8", write(".env", b"A=1\nB=\xe9\n")),
    Usage("huge .env", ("chat", "x"), "error: .env in this folder is larger than 64 KiB.", write(".env", b"#" * 70000)),
    Usage(
        "pipe as .env",
        ("chat", "x"),
        "error: .env in this folder is not a regular file.",
        lambda home: os.mkfifo(home.work / ".env"),
    ),
]


@pytest.mark.parametrize("row", USAGE, ids=lambda row: row.name)
def test_what_is_wrong_before_the_talk_is_one_line_and_exit_2(row: Usage, home: Home) -> None:
    row.prepare(home)
    done = home.run(*row.args)
    first, *rest = done.err.splitlines()
    assert first.startswith(row.error), done.err
    assert len(rest) <= 1
    assert all(line.startswith("  ") for line in rest)
    assert (done.code, done.out) == (row.code, "")


@pytest.mark.parametrize(
    ("where", "why"),
    [
        ("nowhere/a.wav", "its folder is not there"),
        ("file/a.wav", "its folder is not there"),
        (".", "it is a folder"),
        ("shut/a.wav", "Permission denied"),
    ],
)
def test_a_recording_that_cannot_be_written_is_told_before_anything_is_dialled(
    where: str, why: str, home: Home
) -> None:
    (home.work / "file").write_text("")
    (home.work / "shut").mkdir(0o500)
    if where.startswith("shut") and os.access(home.work / "shut", os.W_OK):
        pytest.skip("this user may write everywhere")
    question(home.work / "q.wav")
    with server() as far:
        done = home.run("talk", "--plain", "--url", far.url, "--audio-in", "q.wav", "--audio-out", where)
        assert done.err == (
            f"error: --audio-out {where} cannot be written: {why}.\n"
            "  It takes the name of a WAV file in a folder that you can write to.\n"
        )
        assert (done.code, done.out, far.connections) == (2, "", [])


# ---- the process's own streams and folders (G36)


@pytest.mark.parametrize("args", [(), ("--jsonl",), ("hello",)])
def test_g36_a_reader_that_goes_away_ends_the_talk_with_141(args: tuple[str, ...], home: Home) -> None:
    reader, writer = os.pipe()
    with server() as far, home.running("chat", "--url", far.url, *args, stdout=writer) as chat:
        os.close(writer)
        os.close(reader)
        chat.type("hello")
        chat.close_stdin()
        done = chat.done()
        assert (done.code, done.complaints) == (141, [])


def test_g36_without_readers_of_its_notices_a_question_is_answered_all_the_same(home: Home) -> None:
    reader, writer = os.pipe()
    with server() as far, home.running("chat", "hello", "--url", far.url, stderr=writer) as chat:
        os.close(writer)
        os.close(reader)
        chat.close_stdin()
        done = chat.done()
        assert (done.code, done.out) == (0, "Answer 1 to hello: word1 word2 word3\n")


def test_what_a_question_is_about_is_cut_at_1_mib_and_that_is_told(home: Home) -> None:
    with server() as far:
        done = home.run("chat", "what?", "--url", far.url, stdin=b"x" * (1 << 20))
        assert (done.code, done.complaints) == (0, [])
        done = home.run("chat", "what?", "--url", far.url, stdin=b"x" * ((1 << 20) + 1))
        assert done.code == 0
        assert done.complaints == ["notice: Standard input is larger than 1 MiB; the rest of it was left out."]


def test_bytes_that_are_no_text_are_a_turn_like_any_other(home: Home) -> None:
    with server() as far:
        done = home.run("chat", "--url", far.url, stdin=b"a\0b\n\xff\n\x1b[2J\r\n")
    assert done.code == 0
    assert [line for line in done.lines if line.startswith("you:")] == [
        "you: a\u2400b",
        "you: \ufffd",
        "you: \u241b[2J",
    ]


@pytest.mark.parametrize("args", [("hello",), ("--plain",), ("--jsonl",)])
def test_g36_a_full_disk_behind_stdout_is_told_on_stderr_and_by_the_exit_code(
    args: tuple[str, ...], home: Home
) -> None:
    with server() as far, open("/dev/full", "wb") as full:
        line = b'{"type":"say","text":"hello"}\n' if "--jsonl" in args else TYPED
        done = home.run("chat", *args, "--url", far.url, stdin=line, stdout=full)
        assert done.complaints == [
            "notice: Standard output cannot be written to. The talk goes on, but is not shown any more. "
            '(in detail: "No space left on device")'
        ]
        assert done.code == 141
        assert len(far.sent("response.create")) == 1


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_g36_a_stream_that_was_closed_before_the_start_is_not_taken_for_another_file(closed: str, home: Home) -> None:
    """The next file that is opened (the log) would get its number, and the words of the talk with it."""
    with server() as far:
        command = f'exec "$0" -P -c "{PROGRAM}" chat hello --url {far.url} {closed}'
        args = ["/bin/sh", "-c", command, sys.executable]
        done = subprocess.run(
            args, cwd=home.work, env=home.environ(), stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
        assert done.returncode == (141 if ">&- " in f"{closed} ".replace("2>&-", "") else 0), done
        assert b"Traceback" not in done.stderr
        if closed == "2>&-":
            assert (done.stdout, done.stderr) == (b"Answer 1 to hello: word1 word2 word3\n", b"")
    assert "word1" not in home.log
    assert "Connecting to" not in home.log


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({"HOME": None}, None),
        ({"HOME": ""}, None),
        ({"HOME": "/dev/null"}, "/dev/null"),
        ({"XDG_STATE_HOME": "/proc/none"}, "/proc/none"),
    ],
)
def test_g36_without_a_folder_for_the_log_one_notice_and_the_talk_goes_on(
    env: dict[str, str | None], said: str | None, home: Home
) -> None:
    with server() as far:
        done = home.run("chat", "hello", "--url", far.url, env=env)
    assert (done.code, done.out) == (0, "Answer 1 to hello: word1 word2 word3\n")
    if said:
        (told,) = done.complaints
        assert told.startswith("notice: There is no log: ")
        assert said in told


def test_g36_a_log_on_a_full_disk_is_told_once(home: Home) -> None:
    with server() as far:
        done = home.run("chat", "hello", "--url", far.url, "--log-file", "/dev/full", "--log-level", "debug")
    assert (done.code, done.out) == (0, "Answer 1 to hello: word1 word2 word3\n")
    assert all(line.startswith("notice: The log cannot be written any more: ") for line in done.complaints)
    assert len(done.complaints) <= 1


# ---- devices

NO_LIBRARY = (
    "import sys\n"
    "class Missing:\n"
    "    def find_spec(self, name, *_):\n"
    "        if name == 'sounddevice': raise OSError('PortAudio library not found')\n"
    "sys.meta_path.insert(0, Missing())\n"
    f"{PROGRAM}"
)
"""As on a machine without PortAudio."""


def test_a_named_device_that_is_not_there_is_exit_4(home: Home) -> None:
    with server() as far:
        done = home.run("talk", "--plain", "--url", far.url, "--input-device", "no such microphone")
        if "PortAudio is missing" in done.out:
            pytest.skip("no PortAudio here")
        assert done.code == 4
        assert done.out == ""
        assert done.err.startswith("error: ")
        assert done.err.splitlines()[1:] == ["  voicecli devices lists what there is."]
        assert far.connections == []


def test_without_a_sound_library_the_talk_says_so_once_and_goes_on_by_typing(home: Home) -> None:
    with (
        server() as far,
        home.running("talk", "--plain", "--url", far.url, terminal=True, program=NO_LIBRARY) as talk,
    ):
        out = talk.lines()
        out.until(
            r"^notice: The sound library PortAudio is missing\. apt install libportaudio2 .*\. Until then you can"
        )
        out.until("^state: waiting for you to type")
        talk.type("hello")
        out.until("^assistant: Answer 1 to hello: word1 word2 word3$")
        talk.type("/quit")
        done = talk.done()
        assert done.code == 0
        assert sum(line.startswith(("notice", "error")) for line in done.lines) == 2


def test_with_neither_device_nor_keyboard_it_is_exit_4(home: Home) -> None:
    with server() as far:
        done = home.run("talk", "--plain", "--url", far.url, program=NO_LIBRARY)
    assert done.code == 4
    (told,) = [line for line in done.lines if line.startswith("error: ")]
    assert told.startswith("error: There is neither a microphone nor a keyboard left to speak with. voicecli devices")


def test_the_log_keeps_what_went_wrong_in_the_servers_words_and_none_of_the_talks(home: Home) -> None:
    with closes(1011, "out of order", when="ready")() as far:
        done = home.run("chat", "--url", far.url, stdin=b"a secret plan\n")
    assert done.code == 3
    assert "1011" in home.log
    assert "out of order" in home.log
    assert "secret plan" not in home.log
    assert re.search(r"ended after [0-9.]+ s: no_connection, 3$", home.log, re.MULTILINE), home.log
