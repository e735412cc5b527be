"""How a talk is ended from outside: signals in every phase, a terminal that goes away, a kill (G15)."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

import pytest

from tests.commands.processes import PROGRAM, Home, Running, children, gone, wait_for
from tests.commands.servers import Peer, Server, Speaker, good, raw, server
from tests.commands.speech import heard, loud_s, question

END_S = 6.0
"""Two are promised; this machine may be busy."""
CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}
SIGNALS = list(CODES)

HUNG_CHILD = (
    "import sys, voicecli.runtime.process as p\n"
    "p.EmbeddedServer.__init__.__kwdefaults__['command'] = (sys.executable, '-c', 'import sys; sys.stdin.read()')\n"
    "print('hung', flush=True)\n"
    "from voicecli.cli import main\n"
    "sys.exit(main())"
)


async def greets(peer: Peer) -> None:
    """Never answers `session.update`."""
    await peer.greet()
    await peer.stay()


async def silent(peer: Peer) -> None:
    await peer.stay()


Far = Callable[[], AbstractContextManager[Server]]
Wait = Callable[[Running, Server], object]


def asked_for_settings(running: Running, far: Server) -> None:
    wait_for(lambda: bool(far.sent("session.update")))


def connected(running: Running, far: Server) -> None:
    wait_for(lambda: bool(far.connections))


def listening(running: Running, far: Server) -> None:
    wait_for(lambda: bool(far.sent("input_audio_buffer.append")))


def thinking(running: Running, far: Server) -> None:
    wait_for(lambda: bool(far.sent("response.create")))


PHASES: dict[str, tuple[Far, Wait]] = {
    "handshake": (lambda: raw(None, read=False), connected),
    "before session.created": (lambda: server(silent), connected),
    "before session.updated": (lambda: server(greets), asked_for_settings),
    "listening": (server, listening),
}


@contextmanager
def talk(home: Home, far: Server, **more: object) -> Iterator[Running]:
    """A spoken talk of a minute of silence."""
    path = home.work / "q.wav"
    if not path.exists():
        question(path, bytes(60 * 48_000))
    args = ("--plain", "--url", far.url, "--audio-in", "q.wav", "--audio-out", "a.wav")
    with home.running("talk", *args, **more) as running:  # type: ignore[arg-type]
        yield running


def ended(running: Running, code: int, home: Home, since: float) -> None:
    done = running.done(END_S)
    assert done.code == code
    assert time.monotonic() - since < END_S
    assert done.lines[0].startswith("notice: Connecting to")
    assert done.out.endswith("\n")
    if (home.work / "a.wav").exists():
        heard(home.work / "a.wav")
    assert "Traceback" not in home.log


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
@pytest.mark.parametrize("phase", PHASES)
def test_g15_a_signal_ends_the_talk_in_every_phase(phase: str, number: signal.Signals, home: Home) -> None:
    make, wait = PHASES[phase]
    with make() as far, talk(home, far) as running:
        wait(running, far)
        running.lines().until("^notice: Connecting")
        at = time.monotonic()
        running.signal(number)
        ended(running, CODES[number], home, at)


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_g15_a_signal_while_the_servers_child_starts_leaves_no_child(number: signal.Signals, home: Home) -> None:
    with home.running("chat", program=HUNG_CHILD) as running:
        running.lines().until("^hung")
        wait_for(lambda: bool(children(running.pid)))
        (child,) = children(running.pid)
        running.signal(number)
        done = running.done(END_S)
        assert (done.code, done.out, done.err) == (CODES[number], "hung\n", "")
        wait_for(lambda: gone(child), 3)


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_g15_a_signal_in_an_offline_talk_leaves_no_child(number: signal.Signals, home: Home) -> None:
    with home.running("chat", "--jsonl") as running:
        running.lines().until('"state":"open"')
        (child,) = children(running.pid)
        running.signal(number)
        done = running.done(END_S)
        assert done.code == CODES[number]
        assert f'"exit_code":{CODES[number]}' in done.lines[-1]
        assert '"type":"end"' in done.lines[-1]
        wait_for(lambda: gone(child), 3)


LONG = Speaker(words=300, word_s=0.1)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_g15_a_signal_in_an_answer_keeps_what_was_heard(number: signal.Signals, home: Home) -> None:
    with server(responder=LONG) as far, talk(home, far, terminal=True) as running:
        running.lines().until("^state: listening")
        running.type("hello")
        wait_for(lambda: (home.work / "a.wav").exists() and loud_s(home.work / "a.wav") > 0.5)
        at = time.monotonic()
        running.signal(number)
        ended(running, CODES[number], home, at)
        told = running.lines().text.splitlines()
        (answer,) = [line for line in told if line.startswith("assistant: ")]
        assert answer.startswith("assistant: Answer 1 to hello:")
        assert told[-1].startswith("end: ")
        assert 0.3 < loud_s(home.work / "a.wav") < 20


def test_g15_at_a_terminal_the_first_interrupt_stops_the_answer_and_the_next_one_ends(home: Home) -> None:
    with server(responder=LONG) as far, talk(home, far, terminal=True) as running:
        out = running.lines()
        out.until("^state: listening")
        running.type("hello")
        wait_for(lambda: (home.work / "a.wav").exists() and loud_s(home.work / "a.wav") > 0.3)
        assert running.terminal is not None
        os.write(running.terminal, b"\x03")  # as the key does
        out.until(r"^assistant: .*\(Interrupted at \d+\.\d seconds\. Not heard, by estimate: .*\)$")
        wait_for(lambda: bool(far.sent("conversation.item.truncate")))
        assert running.process.poll() is None
        # It ends whether or not the server has said by now that the answer is over.
        os.write(running.terminal, b"\x03")
        assert running.done(END_S).code == 130
        assert loud_s(home.work / "a.wav") < 20
        assert len(far.sent("conversation.item.truncate")) == 1


def test_g15_the_second_interrupt_ends_although_the_server_has_not_said_that_the_answer_is_over(home: Home) -> None:
    async def stubborn(peer: Peer) -> None:
        await peer.configure()
        await peer.talk(until="response.create")
        response = {"id": "r1", "object": "realtime.response", "status": "in_progress", "output": []}
        await peer.send({"type": "response.created", "response": response})
        await peer.stay()

    with server(stubborn) as far, home.running("chat", "--url", far.url, terminal=True) as chat:
        chat.lines().until("^state: waiting for you to type")
        chat.type("hello")
        thinking(chat, far)
        chat.signal(signal.SIGINT)
        wait_for(lambda: bool(far.sent("response.cancel")))
        assert chat.process.poll() is None
        chat.signal(signal.SIGINT)
        assert chat.done(END_S).code == 130


def test_g15_without_a_terminal_the_first_interrupt_ends(home: Home) -> None:
    with server(responder=Speaker(delay_s=30)) as far, home.running("chat", "--url", far.url) as running:
        running.type("hello")
        thinking(running, far)
        running.signal(signal.SIGINT)
        done = running.done(END_S)
        assert done.code == 130
        assert done.lines[1] == "you: hello"


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_g15_the_second_signal_ends_at_once(number: signal.Signals, home: Home) -> None:
    """A server that neither reads nor closes holds the end up; a second signal does not wait for it."""
    with raw(None) as far, talk(home, far) as running:
        connected(running, far)
        running.lines().until("^notice: Connecting")
        running.signal(number)
        running.signal(number)
        assert running.process.wait(END_S) == CODES[number]


def test_g15_a_deaf_server_does_not_hold_up_the_end(home: Home) -> None:
    with server(deaf) as far, talk(home, far) as running:
        asked_for_settings(running, far)
        running.lines().until("^you:|^notice: Connecting")
        at = time.monotonic()
        running.signal(signal.SIGTERM)
        ended(running, 143, home, at)


def test_g15_a_terminal_that_is_closed_ends_the_talk_with_129(home: Home) -> None:
    with server() as far, talk(home, far, terminal=True) as running:
        running.lines().until("^state: listening")
        running.hang_up()
        done = running.done(END_S)
        assert done.code == 129


@pytest.mark.parametrize("command", ["chat", "talk"])
def test_g15_a_terminal_that_goes_without_a_signal_ends_the_talk_with_129_too(command: str, home: Home) -> None:
    """Reading gives EIO: a remote shell that is gone. The terminal is not the one that controls the process here."""
    with server() as far:
        question(home.work / "q.wav", bytes(60 * 48_000))
        more = ("--audio-in", "q.wav", "--audio-out", "a.wav") if command == "talk" else ()
        with home.running(
            command, "--plain", "--url", far.url, *more, terminal=True, program=f"{PROGRAM}\n"
        ) as running:
            running.lines().until("^state: ")
            running.hang_up()
            done = running.done(END_S)
            assert done.code == 129
            assert done.lines[-1].startswith("end: ")


@pytest.mark.parametrize("offline", [True, False])
def test_a_kill_in_mid_talk_leaves_a_recording_that_can_be_read_and_no_child(offline: bool, home: Home) -> None:
    path = question(home.work / "q.wav")
    with ExitStack() as stack:
        args = ["talk", "--jsonl", "--audio-in", str(path), "--audio-out", "a.wav"]
        if offline:
            args.append("--offline")
        else:
            args += ["--url", stack.enter_context(server(good, responder=LONG)).url]
        running = stack.enter_context(home.running(*args))
        running.lines().until('"state":"assistant_speaking"')
        wait_for(lambda: loud_s(home.work / "a.wav") > 0.5)
        before = children(running.pid)
        assert len(before) == offline
        os.kill(running.pid, signal.SIGKILL)
        running.process.wait()
        assert loud_s(home.work / "a.wav") > 0.5
        wait_for(lambda: all(map(gone, before)), 6)
        for line in running.lines().all().splitlines():
            assert line.startswith('{"v":1,"seq":')
            assert line.endswith("}")


def test_a_child_that_dies_in_mid_talk_is_told_and_retry_starts_another(home: Home) -> None:
    with home.running("chat", "--offline", terminal=True) as running:
        out = running.lines()
        out.until("^state: waiting for you to type")
        (child,) = children(running.pid)
        os.kill(child, signal.SIGKILL)
        out.until("^error: The connection dropped")
        running.type("/retry")
        out.until("^notice: Connected again")
        running.type("hello")
        out.until('^assistant: You wrote: "hello"')
        (other,) = children(running.pid)
        assert other != child
        running.type("/retry")
        out.until("^notice: The connection is there")
        assert children(running.pid) == [other]
        running.type("/quit")
        assert running.done(END_S).code == 0


# ---- while it ends already


async def deaf(peer: Peer) -> None:
    """Takes nothing any more, not even the close."""
    await peer.configure()
    peer.connection.transport.pause_reading()
    await peer.connection.wait_closed()


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_g15_a_signal_while_the_talk_ends_ends_it_at_once(number: signal.Signals, home: Home) -> None:
    with server(deaf) as far, home.running("chat", "--url", far.url, terminal=True) as chat:
        chat.lines().until("^state: waiting for you to type")
        chat.type("/quit")
        chat.lines().until("^end: ")
        chat.signal(number)
        assert chat.process.wait(END_S) == CODES[number]


def test_g15_a_deaf_server_does_not_hold_up_a_quit(home: Home) -> None:
    with server(deaf) as far, home.running("chat", "--url", far.url, terminal=True) as chat:
        chat.lines().until("^state: waiting for you to type")
        chat.type("/quit")
        assert chat.done(END_S).code == 0


def test_g15_an_interrupted_question_keeps_what_came_of_the_answer(home: Home) -> None:
    async def halts(peer: Peer) -> None:
        await peer.configure()
        await peer.talk(until="response.create")
        response = {"id": "r1", "object": "realtime.response", "status": "in_progress", "output": []}
        item = {"id": "i1", "type": "message", "role": "assistant", "status": "in_progress", "content": []}
        names = {"response_id": "r1", "item_id": "i1", "output_index": 0, "content_index": 0}
        await peer.send(
            {"type": "response.created", "response": response},
            {"type": "response.output_item.added", "response_id": "r1", "output_index": 0, "item": item},
            {"type": "response.text.delta", **names, "delta": "The beginning"},
        )
        await peer.stay()

    with server(halts) as far, home.running("chat", "hello", "--url", far.url) as chat:
        chat.close_stdin()
        chat.lines().until("^The beginning")
        chat.signal(signal.SIGINT)
        done = chat.done(END_S)
        assert (done.code, done.out, done.complaints) == (130, "The beginning\n", [])


def test_g15_a_closed_terminal_that_was_also_the_output_is_129(home: Home) -> None:
    with server() as far, home.running("chat", "--plain", "--url", far.url, terminal="all") as chat:
        wait_for(lambda: bool(far.sent("session.update")))
        chat.hang_up()
        assert chat.process.wait(END_S) == 129
        assert "Traceback" not in home.log


def test_two_talks_at_once_do_not_disturb_each_other(home: Home) -> None:
    with (
        home.running("chat", "--offline", terminal=True) as one,
        home.running("chat", "--offline", terminal=True) as two,
    ):
        for chat in (one, two):
            chat.lines().until("^state: waiting for you to type")
            chat.type("hello")
        for chat in (one, two):
            chat.lines().until('^assistant: You wrote: "hello"')
            chat.type("/quit")
            assert chat.done().code == 0
    assert len(list(home.path.rglob("*.log"))) == 2
