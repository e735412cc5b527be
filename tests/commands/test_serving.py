"""`voicecli serve` as people run it: what it demands first, its log, our own client over TLS (G20)."""

from __future__ import annotations

import os
import re
import signal
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.commands.processes import Home, Running

ANYWHERE = Path(__file__).with_name("anywhere.pem")
"""A certificate with its key for an address that is not of this machine only, as `voicecli` reads addresses."""
KEY = "sk-canary-of-a-server"
LISTENS = r"^voicecli serve: listening on \S+$"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and modes of POSIX")


@pytest.fixture
def key_file(home: Home) -> Path:
    return private(home.work / "key", KEY + "\n")


def private(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o600)
    return path


@contextmanager
def serving(home: Home, *args: str, env: dict[str, str | None] | None = None) -> Iterator[tuple[Running, str]]:
    """The server, once it listens, and its URL."""
    with home.running("serve", "--port", "0", *args, env=env) as server:
        yield server, server.lines().until(LISTENS).rsplit(" ", 1)[1]


def ended(server: Running) -> str:
    """Its stderr, after SIGTERM."""
    server.signal(signal.SIGTERM)
    done = server.done(3.0)
    assert done.code == 0
    return done.err


def test_g20_our_client_logs_in_to_our_server_beyond_this_machine_with_tls(home: Home, key_file: Path) -> None:
    args = ("--host", "0.0.0.0", "--key-file", str(key_file), "--tls-cert", str(ANYWHERE))
    with serving(home, *args) as (server, url):
        assert re.fullmatch(r"wss://0\.0\.0\.0:\d+/v1/realtime", url)
        told = Path(f"/proc/{server.pid}/cmdline")
        assert not told.exists() or KEY not in told.read_text()
        asks = ("chat", "--url", url, "--ca-file", str(ANYWHERE), "hello")
        assert "You wrote" in home.run(*asks, env={"VOICECLI_API_KEY": KEY}).out
        assert home.run(*asks, env={"VOICECLI_API_KEY": "sk-wrong"}).code == 3
        assert home.run("chat", "--url", url, "hello", env={"VOICECLI_API_KEY": KEY}).code == 3
        err = ended(server)
    assert err.count("began") == err.count("ended") == 1
    assert KEY not in err + home.log
    assert "hello" not in err + home.log


def test_g20_without_tls_it_says_at_each_start_that_nothing_is_encrypted(home: Home) -> None:
    args = ("--host", "0.0.0.0", "--plaintext")
    with serving(home, *args, env={"VOICECLI_SERVE_KEY": KEY}) as (server, url):
        assert url.startswith("ws://0.0.0.0:")
        assert "nothing is encrypted" in ended(server)


@pytest.mark.parametrize(
    ("args", "key", "words"),
    [
        (("--host", "0.0.0.0"), None, "a key is needed"),
        (("--host", "::", "--plaintext"), None, "a key is needed"),
        (("--host", "0.0.0.0"), KEY, "must be encrypted"),
        (("--host", "[::]", "--tls-key", "x.pem"), KEY, "must be encrypted"),
        (("--tls-key", str(ANYWHERE)), None, "--tls-key has no certificate"),
        (("--tls-cert", "absent.pem"), None, "the file that --tls-cert names cannot be read"),
        (("--tls-cert", "pipe"), None, "the file that --tls-cert names cannot be read"),
        (("--tls-cert", "key"), None, "certificate and private key cannot be used"),
        (
            ("--tls-cert", str(ANYWHERE), "--tls-key", str(Path(__file__).with_name("named.pem"))),
            None,
            "cannot be used",
        ),
        (("--tls-cert", str(ANYWHERE), "--plaintext"), None, "--plaintext and --tls-cert exclude each other"),
        (("--key-file", "absent"), None, "cannot be read"),
        (("--key-file", "pipe"), None, "is not a regular file"),
        (("--key-file", "readable"), None, "may be read by others"),
        (("--key-file", "empty"), None, "is empty"),
        (("--key-file", "odd"), None, "cannot be a key"),
        (("--key-file", "large"), None, "is larger than 64 KiB"),
        (("--max-sessions", "9999", "--spare-connections", "9999"), None, "open files"),
    ],
)
def test_g20_what_guards_nothing_or_cannot_be_used_is_a_line_and_2(
    home: Home, args: tuple[str, ...], key: str | None, words: str
) -> None:
    for name, text in (("key", KEY), ("empty", "\n"), ("odd", "sk canary\n"), ("large", "x" * 70_000)):
        private(home.work / name, text)
    (home.work / "readable").write_text(KEY)
    (home.work / "readable").chmod(0o640)
    os.mkfifo(home.work / "pipe", 0o600)
    program = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256)); "
        "from voicecli.cli import main; sys.exit(main())"
    )
    done = home.run("serve", "--port", "0", *args, env={"VOICECLI_SERVE_KEY": key}, program=program)
    assert done.code == 2
    assert words in done.err
    assert "canary" not in done.err + home.log


def test_the_file_of_certificates_must_have_one(home: Home) -> None:
    private(home.work / "none.pem", "no certificate\n")
    for name, words in (("none.pem", "no certificate that can be read"), ("absent.pem", "cannot be read")):
        done = home.run("chat", "--url", "wss://127.0.0.1:1/v1/realtime", "--ca-file", name, "hello")
        assert done.code == 2
        assert words in done.err


def test_one_line_as_a_session_begins_and_one_as_it_ends_on_stderr_and_in_the_log(home: Home) -> None:
    with serving(home) as (server, url):
        assert home.run("chat", "--url", url + "?model=some%1B%5B2Jmodel", "hello").code == 0
        err = ended(server)
    began, over = err.splitlines()
    assert re.fullmatch(r"voicecli serve: session 1 began: 127\.0\.0\.1:\d+, ga, model some.\[2Jmodel", began)
    assert began.isprintable()
    assert re.fullmatch(r"voicecli serve: session 1 ended after \d+\.\d s: 1 answer, closed with 100[01].*", over)
    assert home.log.count("session 1 began") == home.log.count("session 1 ended") == 1


def test_a_lower_log_level_says_nothing_of_sessions(home: Home) -> None:
    with serving(home, "--log-level", "warning") as (server, url):
        assert home.run("chat", "--url", url, "hello").code == 0
        assert ended(server) == ""


def test_health_is_told_without_a_key_and_says_nothing_else(home: Home, key_file: Path) -> None:
    with serving(home, "--key-file", str(key_file)) as (server, url):
        with urllib.request.urlopen(url.replace("ws://", "http://").replace("/v1/realtime", "/healthz")) as answer:
            assert (answer.status, answer.read()) == (200, b"ok\n")
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(url.replace("ws://", "http://"))
        assert ended(server) == ""


def test_a_stderr_that_nobody_reads_stalls_no_session(home: Home) -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with suppress(BlockingIOError):
        while os.write(writer, bytes(4096)):
            pass
    os.set_blocking(writer, True)
    with home.running("serve", "--port", "0", stderr=writer) as server:
        url = server.lines().until(LISTENS).rsplit(" ", 1)[1]
        assert home.run("chat", "--url", url, "hello").code == 0
        server.signal(signal.SIGTERM)
        assert server.done(3.0).code == 0
    os.close(reader)
    os.close(writer)
    assert "session 1 ended" in home.log
