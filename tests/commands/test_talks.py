"""Whole talks and chats by pipe, by file and at a terminal, each against a server behind real sockets."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.commands.processes import PROGRAM, Home, Running, wait_for
from tests.commands.servers import Frame, Peer, Server, Speaker, server, tone
from tests.commands.speech import heard, loud_s, question, silence, voice
from tests.contract.check import contract_problems
from voicecli.ports import RATE
from voicecli.server.tones import tones

SPOKEN = Path(__file__).parent.parent / "data" / "question.wav"
DIALECTS = ["ga", "beta"]


@contextmanager
def served(home: Home, *args: str) -> Iterator[str]:
    """`voicecli serve` as a process of its own; its URL."""
    with home.running("serve", "--port", "0", *args) as serve:
        line = serve.lines().until("^voicecli serve: listening on .*$")
        yield line.rsplit(" ", 1)[1]
        serve.process.terminate()
        assert serve.process.wait(10) == 0


def objects(text: str) -> list[dict[str, Any]]:
    """The lines of --jsonl, each whole, numbered without a gap."""
    found = [json.loads(line) for line in text.splitlines()]
    assert [each["seq"] for each in found] == list(range(1, len(found) + 1))
    assert all(each["v"] == 1 for each in found)
    assert text.isascii()
    return found


def last_turns(found: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The last line of each turn: it is whole."""
    turns = {each["id"]: each for each in found if each["type"] == "turn"}
    for turn in turns.values():
        assert {"role", "via", "status", "text", "heard", "unheard", "started", "ended", "error"} <= turn.keys()
        assert turn["status"] in ("done", "interrupted", "failed", "cancelled"), turn
    return turns


# ---- chat


def test_what_the_file_of_a_session_says_in_vain_is_told(home: Home) -> None:
    (home.work / "s.json").write_text('{"modalities": ["text", "audio"], "turn_detection": {"threshold": 0.4}}')
    done = home.run("chat", "hello", "--offline", "--session", "s.json")
    assert (done.code, done.complaints) == (
        0,
        [
            "notice: Not used in this talk: modalities, turn_detection of the file of --session, because nothing is "
            "spoken in a written talk."
        ],
    )


def test_a_line_from_a_pipe_is_answered_offline_and_the_exit_code_is_0(home: Home) -> None:
    done = home.run("chat", stdin=b"hello\n")
    assert done.code == 0
    assert done.err == ""
    assert done.lines[0].startswith("notice: Offline practice (no key is set)")
    assert done.lines[1] == "you: hello"
    assert done.lines[2].startswith('assistant: You wrote: "hello".')
    assert done.lines[3].startswith("end: ")
    assert len(done.lines) == 4


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_line_from_a_pipe_is_answered_by_our_own_serve(dialect: str, home: Home) -> None:
    with served(home) as url:
        done = home.run("chat", "--url", url, "--dialect", dialect, stdin=b"hello\n")
        assert done.code == 0
        assert done.err == ""
        assert [line for line in done.lines if line.startswith(("notice", "error"))] == done.lines[:1]
        assert done.lines[1] == "you: hello"
        assert done.lines[2].startswith('assistant: You wrote: "hello".')
        shot = home.run("chat", "hello", "--url", url, "--dialect", dialect)
        assert (shot.code, shot.complaints) == (0, [])
        assert shot.out == done.lines[2].removeprefix("assistant: ") + "\n"


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_session_that_serve_ends_after_its_time_is_told_and_another_is_had(dialect: str, home: Home) -> None:
    with (
        served(home, "--max-session-s", "1") as url,
        home.running("chat", "--url", url, "--dialect", dialect, terminal=True) as chat,
    ):
        out = chat.lines()
        assert "maximum duration of 0.0166667 minutes" in out.until("^error: .*maximum duration.*$")
        chat.type("/retry")
        # its end is said before it comes
        if "there" in out.until("^notice: (Connected again|The connection is there)"):
            chat.type("/retry")
        out.until("^notice: Connected again")
        chat.type("/quit")
        assert chat.done(10).code == 0


def test_each_line_of_a_pipe_is_a_turn_answered_before_the_next(home: Home) -> None:
    with server(responder=Speaker(delay_s=0.2)) as far:
        done = home.run("chat", "--url", far.url, stdin="one\n\n  two  \nthree é\n".encode())
    assert done.code == 0
    assert done.lines[1:-1] == [
        "you: one",
        "assistant: Answer 1 to one: word1 word2 word3",
        "you: two",
        "assistant: Answer 2 to two: word1 word2 word3",
        "you: three é",
        "assistant: Answer 3 to three é: word1 word2 word3",
    ]
    kinds = [frame["type"] for frame in far.frames]
    assert kinds == ["session.update", *["conversation.item.create", "response.create"] * 3]


def test_a_last_line_without_its_end_and_slashes_in_a_pipe_are_texts(home: Home) -> None:
    with server() as far:
        done = home.run("chat", "--url", far.url, stdin=b"/quit\n// x")
    assert [line for line in done.lines if line.startswith("you:")] == ["you: /quit", "you: // x"]
    assert done.code == 0


def test_a_question_gives_the_bare_answer_and_a_file_is_what_it_is_about(home: Home) -> None:
    with server() as far:
        done = home.run("chat", "hello", "--url", far.url)
        assert (done.code, done.out, done.complaints) == (0, "Answer 1 to hello: word1 word2 word3\n", [])
        assert done.err.startswith("notice: Connecting to ws://127.0.0.1")
        about = home.run("chat", "a title?", "--url", far.url, stdin=b"diff --git\n+ more\n")
        assert about.code == 0
        text = far.sent("conversation.item.create")[-1]["item"]["content"][0]["text"]
        assert text == "a title?\n\ndiff --git\n+ more"


def test_a_question_in_json_is_a_whole_talk(home: Home) -> None:
    with server() as far:
        done = home.run("chat", "hello", "--jsonl", "--url", far.url)
    found = objects(done.out)
    assert (done.code, done.err) == (0, "")
    assert [turn["text"] for turn in last_turns(found).values()] == ["hello", "Answer 1 to hello: word1 word2 word3"]


def test_an_open_stdin_keeps_a_chat_in_json_up_and_takes_objects(home: Home) -> None:
    with server() as far, home.running("chat", "--jsonl", "--url", far.url) as chat:
        out = chat.lines()
        out.until('"state":"waiting_for_you_to_type"')
        chat.type("not json")
        out.until('"code":"bad_input"')
        chat.type('{"type":"say"}')
        out.until('"code":"bad_input"', times=2)
        chat.type('{"type":"command","line":"/mute"}')
        out.until('"code":"no_microphone_here"')
        chat.type('{"type":"say","text":"hello"}')
        out.until('"status":"done","text":"Answer 1 to hello: word1 word2 word3"')
        assert chat.process.poll() is None
        chat.type('{"type":"say","text":"again"}')
        out.until('"status":"done","text":"Answer 2 to again: word1 word2 word3"')
        assert chat.process.poll() is None
        chat.close_stdin()
        done = chat.done()
        found = objects(done.out)
        assert done.code == 0
        assert [each["type"] for each in found if each["type"] in ("start", "end")] == ["start", "end"]
        assert (found[0]["type"], found[-1]["type"]) == ("start", "end")
        end = {"type": "end", "reason": "done", "exit_code": 0, "turns": 4, "interruptions": 0, "cost": None}
        assert end.items() <= found[-1].items()
        assert [turn["text"] for turn in last_turns(found).values()][::2] == ["hello", "again"]
        deltas = "".join(each["text"] for each in found if each["type"] == "delta")
        assert deltas.startswith("Answer 1 to hello: word1 word2 word3")


def test_a_quit_in_json_ends_at_once_with_0(home: Home) -> None:
    with server() as far, home.running("chat", "--jsonl", "--url", far.url) as chat:
        chat.lines().until('"state":"open"')
        chat.type('{"type":"command","line":"/quit"}')
        done = chat.done()
        assert done.code == 0
        assert objects(done.out)[-1]["type"] == "end"


# ---- talks from a file to a file


def sweep(number: int, *, seconds: float) -> np.ndarray:
    """How the practice partner's answer sounds, as far as it does not depend on the words."""
    pcm = b"".join(tones(number, [len("I"), len("heard")]))
    return np.frombuffer(pcm, "<i2")[: int(seconds * RATE)].astype(float) / 32768


def contains(sound: np.ndarray, part: np.ndarray) -> float:
    """The best correlation of `part` anywhere in `sound`."""
    size = 1 << (len(sound) + len(part)).bit_length()
    raw = np.fft.irfft(np.fft.rfft(sound, size) * np.conj(np.fft.rfft(part, size)), size)[: len(sound)]
    energy = np.convolve(sound**2, np.ones(len(part)), "full")[len(part) - 1 :][: len(raw)]
    return float((raw / np.sqrt(np.maximum(energy, 1e-3) * (part**2).sum())).max())


def spoken_talk(home: Home, *where: str) -> None:
    shutil.copy(SPOKEN, home.work / "q.wav")
    done = home.run("talk", "--plain", "--audio-in", "q.wav", "--audio-out", "a.wav", *where)
    assert done.code == 0, done.out
    assert done.err == ""
    assert len([line for line in done.lines if line.startswith("notice")]) == 1, done.out
    roles = [line.partition(":")[0] for line in done.lines[1:]]
    assert roles == ["you", "assistant", "end"], done.out
    assert "seconds of speech" in done.lines[2]
    sound = heard(home.work / "a.wav")
    assert 4 < loud_s(home.work / "a.wav") < 12
    assert contains(sound, sweep(0, seconds=0.3)) > 0.95
    assert contains(sound, sweep(1, seconds=0.3)) < 0.8


def test_a_question_in_a_file_is_answered_into_a_file_offline(home: Home) -> None:
    spoken_talk(home)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_question_in_a_file_is_answered_into_a_file_by_our_own_serve(dialect: str, home: Home) -> None:
    with served(home) as url:
        spoken_talk(home, "--url", url, "--dialect", dialect)


def test_a_talk_in_json_is_whole(home: Home) -> None:
    question(home.work / "q.wav", silence(0.2), voice(0.8), silence(2.2), voice(0.8))
    with server() as far:
        args = ("--jsonl", "--levels", "--url", far.url, "--audio-in", "q.wav", "--audio-out", "a.wav")
        done = home.run("talk", *args)
    assert (done.code, done.err) == (0, "")
    found = objects(done.out)
    turns = list(last_turns(found).values())
    assert [(turn["role"], turn["via"], turn["status"]) for turn in turns] == [
        ("you", "voice", "done"),
        ("assistant", "voice", "done"),
    ] * 2
    assert turns[1]["text"] == turns[1]["heard"]
    assert turns[1]["heard_ms"] == turns[1]["received_ms"] == 400
    assert turns[0]["delay"] is None
    for delay in (turns[1]["delay"], turns[3]["delay"]):  # the server waits for half a second of silence
        assert not delay["from_commit"]
        assert 0.4 < delay["noticed"] < 1.5
        assert min(delay.values()) >= 0
        assert delay["first_sent"] + delay["first_heard"] < 1.5
    assert [each["state"] for each in found if each["type"] == "link"] == ["connecting", "open", "closed"]
    assert {each["side"] for each in found if each["type"] == "device"} == {"input", "output"}
    assert sum(each["type"] == "level" for each in found) > 10
    assert {"limits", "usage", "session"} <= {each["type"] for each in found}
    assert found[-1]["type"] == "end"
    assert found[-1]["turns"] == 4
    assert loud_s(home.work / "a.wav") == pytest.approx(0.8, abs=0.15)


VAD = {"threshold": 0.7, "prefix_padding_ms": 120, "silence_duration_ms": 900}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_is_set_reaches_the_servers_session(dialect: str, home: Home) -> None:
    question(home.work / "q.wav", silence(0.1))
    (home.work / "told.txt").write_text("Be short.\n")
    settings = ["--vad-threshold", "0.7", "--vad-prefix-ms", "120", "--vad-silence-ms", "900", "--voice", "verse"]
    settings += ["--transcription-model", "whisper-9", "--language", "de", "--instructions", "@told.txt"]
    files = ["--audio-in", "q.wav", "--audio-out", "a.wav"]
    with server() as far:
        done = home.run("talk", "--jsonl", "--url", far.url, "--dialect", dialect, *settings, *files)
        assert done.code == 0, done.out
        (update,) = far.sent("session.update")
        session = update["session"]
        if dialect == "ga":
            heard_by = session["audio"]["input"]
            detection, words = heard_by["turn_detection"], heard_by["transcription"]
            said_by = session["audio"]["output"]["voice"]
        else:
            detection, words = session["turn_detection"], session["input_audio_transcription"]
            said_by = session["voice"]
        assert VAD.items() <= detection.items()
        assert (words["model"], words["language"], said_by) == ("whisper-9", "de", "verse")
        assert session["instructions"].strip() == "Be short."
        *_, now = [each for each in objects(done.out) if each["type"] == "session"]
        assert now["settings"]["turn_detection"]["silence_duration_ms"] == 900


def test_a_longer_silence_ends_the_turn_later(home: Home) -> None:
    """Two words half a second apart are two turns, or one."""
    question(home.work / "q.wav", voice(0.5), silence(0.7), voice(0.5))
    turns = []
    with server(responder=Speaker(words=0)) as far:
        for silence_ms in ("300", "1500"):
            files = ("--audio-in", "q.wav", "--audio-out", "a.wav", "--vad-silence-ms", silence_ms)
            done = home.run("talk", "--plain", "--url", far.url, *files)
            assert done.code == 0
            turns.append(sum(line.startswith("you: ") for line in done.lines))
    assert turns == [2, 1]


# ---- at a terminal


LONG = Speaker(words=200, word_s=0.1)


@contextmanager
def at_terminal(home: Home, far: Server, *args: str) -> Iterator[Running]:
    question(home.work / "q.wav", bytes(90 * 48_000))
    files = ("--audio-in", "q.wav", "--audio-out", "a.wav")
    with home.running("talk", "--plain", "--url", far.url, *files, *args, terminal=True) as talk:
        talk.lines().until("^state: (listening|recording)")
        yield talk


def speaking(home: Home, seconds: float = 0.3) -> None:
    wait_for(lambda: loud_s(home.work / "a.wav") > seconds)


def test_a_text_that_is_typed_interrupts_and_the_assistant_learns_what_was_heard(home: Home) -> None:
    with server(responder=LONG) as far, at_terminal(home, far) as talk:
        talk.type("hello")
        speaking(home)
        talk.type("stop, please")
        (cut,) = _wait(lambda: far.sent("conversation.item.truncate"))
        out = talk.lines()
        out.until(r"^assistant: Answer 1 to hello: .*\(Interrupted at \d+\.\d seconds\. Not heard, by estimate: .*\)$")
        _wait(lambda: far.sent("conversation.item.create")[1:])
        speaking(home, 0.6)
        talk.type("/interrupt")
        _wait(lambda: far.sent("conversation.item.truncate")[1:])
        out.until(r"^assistant: Answer 2 to stop, please: .*\(Interrupted at")
        talk.type("/interrupt")
        out.until(r"^notice: Nothing is being said at the moment\.$")
        talk.type("/quit")
        done = talk.done()
        assert done.code == 0
        assert done.lines[-1].startswith("end: ")
        assert "4 turns, 2 interruptions" in done.lines[-1]
        assert "you: " not in done.out  # the terminal shows what was typed
        in_file_ms = loud_s(home.work / "a.wav") * 1000
        claimed = sum(frame["audio_end_ms"] for frame in far.sent("conversation.item.truncate"))
        assert cut["audio_end_ms"] > 200
        assert claimed == pytest.approx(in_file_ms, abs=60)


def _wait(found: Any) -> Any:
    wait_for(lambda: bool(found()))
    return found()


def sound_of(frame: Frame) -> bytes:
    return base64.b64decode(frame["audio"])


def test_mute_sends_nothing_and_unmute_goes_on(home: Home) -> None:
    with server() as far, at_terminal(home, far) as talk:
        out = talk.lines()
        _wait(lambda: far.sent("input_audio_buffer.append"))
        talk.type("/mute")
        out.until("^state: muted$")
        talk.type("hello")
        out.until("^assistant: Answer 1 to hello")
        muted = len(far.sent("input_audio_buffer.append"))
        talk.type("/mute")
        out.until(r"^notice: The microphone is off already\. /unmute turns it on\.$")
        talk.type("again")
        out.until("^assistant: Answer 2 to again")
        assert len(far.sent("input_audio_buffer.append")) == muted
        talk.type("/unmute")
        out.until("^state: listening$", times=2)
        _wait(lambda: len(far.sent("input_audio_buffer.append")) > muted)
        talk.type("/unm")
        out.until(r"^notice: The microphone is on already\.$")
        talk.type("/quit")
        assert talk.done().code == 0


@pytest.mark.parametrize("how", ["off", "option", "command"])
def test_half_duplex_keeps_the_voice_from_the_server_while_the_assistant_speaks(how: str, home: Home) -> None:
    """The file speaks on while the answer is heard: the microphone hears the assistant. Only `off` is interrupted."""
    question(home.work / "loud.wav", voice(0.8), silence(2.0), *([voice(1.0)] * 12))
    args = ["--jsonl", "--audio-in", "loud.wav", "--audio-out", "a.wav", "--vad-silence-ms", "300"]
    args += ["--echo", "half-duplex"] if how == "option" else []
    with server(responder=Speaker(words=40)) as far, home.running("talk", "--url", far.url, *args) as talk:
        out = talk.lines()
        if how == "command":
            out.until('"state":"open"')
            talk.type('{"type":"command","line":"/echo half-duplex"}')
            out.until('"code":"echo_now"')
        out.until('"role":"assistant","via":"voice","status":"(done|interrupted)"')
        talk.type('{"type":"command","line":"/quit"}')
        found = objects(talk.done().out)
        answer = next(turn for turn in last_turns(found).values() if turn["role"] == "assistant")
        if how == "off":
            assert answer["status"] == "interrupted"
            assert far.sent("conversation.item.truncate")
            return
        assert answer["status"] == "done"
        assert answer["heard_ms"] == answer["received_ms"] == 4100
        assert [each for each in found if each["type"] == "interrupt"] == []
        silent = [not any(sound_of(frame)) for frame in far.sent("input_audio_buffer.append")]
        assert sum(silent) * 0.02 > 4.1


def test_a_voice_interrupts_with_open_speakers(home: Home) -> None:
    question(home.work / "q.wav", voice(0.8), silence(1.6), voice(1.0), silence(1.0))
    with server(responder=LONG) as far:
        args = ("--jsonl", "--url", far.url, "--audio-in", "q.wav", "--audio-out", "a.wav", "--vad-silence-ms", "300")
        with home.running("talk", *args) as talk:
            talk.close_stdin()
            out = talk.lines()
            out.until('"type":"interrupt"')
            _wait(lambda: far.sent("conversation.item.truncate"))
            out.until('"state":"assistant_speaking"', times=2)
            talk.process.terminate()
            found = objects(talk.done().out)
        (cut,) = [each for each in found if each["type"] == "interrupt"]
        assert cut["by"] == "voice"
        (frame,) = far.sent("conversation.item.truncate")
        assert cut["cut"][0]["audio_end_ms"] == frame["audio_end_ms"]
        (turn,) = [turn for turn in last_turns(found).values() if turn["id"] == cut["turn"]]
        assert turn["status"] == "interrupted"
        assert turn["heard"] + turn["unheard"] == turn["text"] or turn["estimate"]


def test_retry_connects_again_and_says_that_the_talk_is_forgotten(home: Home) -> None:
    async def leaves(peer: Peer) -> None:
        await peer.configure()
        await peer.talk(until="response.create")
        await peer.close(1011, "tired")

    async def good(peer: Peer) -> None:
        await peer.configure()
        await peer.talk()

    with server(leaves, good) as far, home.running("chat", "--url", far.url, terminal=True) as chat:
        out = chat.lines()
        out.until("^state: waiting for you to type")
        chat.type("/retry")
        out.until(r"^notice: The connection is there; nothing to try again\.$")
        chat.type("one")
        out.until(r"^error: The server failed and closed the connection\. /retry connects again\.")
        chat.type("two")
        out.until(r"^notice: There is no connection, so this was not sent yet\. /retry connects again and sends it\.$")
        chat.type("/retry")
        out.until(r"^notice: Connected again\. The assistant knows nothing of the talk so far\.")
        out.until("^assistant: Answer 1 to two: word1 word2 word3$")
        assert len(far.connections) == 2
        assert [frame["type"] for frame in far.connections[1]][:1] == ["session.update"]
        chat.type("/quit")
        assert chat.done().code == 0


def test_the_commands_of_a_terminal(home: Home) -> None:
    with server() as far, home.running("chat", "--url", far.url, terminal=True) as chat:
        out = chat.lines()
        out.until("^state: waiting for you to type")
        chat.type("hello")
        out.until("^assistant: Answer 1 to hello")
        chat.type("/save talk.txt")
        out.until(r"^notice: The talk so far is saved in talk\.txt\.$")
        saved = (home.work / "talk.txt").read_text()
        assert saved == "you: hello\nassistant: Answer 1 to hello: word1 word2 word3\n"
        assert (home.work / "talk.txt").stat().st_mode & 0o777 == 0o600
        chat.type("/save talk.txt")
        out.until(r"^notice: The talk could not be saved there\. Give another name: /save FILE\.")
        chat.type("/save")
        out.until(r"^notice: /save needs FILE after it\.$")
        chat.type("/help")
        out.until(r"^notice: /mute: ")
        out.until(r"^notice: /quit: ")
        chat.type("/sing")
        out.until(r"^notice: There is no command /sing\. /help says what there is\.$")
        chat.type("//slash")
        out.until("^assistant: Answer 2 to /slash")
        chat.type("/echo loud")
        out.until("^notice: /echo takes off or half-duplex, not loud")
        chat.close_stdin()  # ^D
        done = chat.done()
        assert done.code == 0
        assert (home.work / "talk.txt").read_text() == saved


def test_what_came_of_an_answer_is_heard_to_its_end_when_the_server_goes(home: Home) -> None:
    async def leaves(peer: Peer) -> None:
        await peer.configure()
        await peer.talk(until="response.create")
        response = {"id": "r1", "object": "realtime.response", "status": "in_progress", "output": []}
        item = {"id": "i1", "type": "message", "role": "assistant", "status": "in_progress", "content": []}
        names = {"response_id": "r1", "item_id": "i1", "output_index": 0, "content_index": 0}
        await peer.send(
            {"type": "response.created", "response": response},
            {"type": "response.output_item.added", "response_id": "r1", "output_index": 0, "item": item},
            {"type": "response.output_audio_transcript.delta", **names, "delta": "As far as"},
            {"type": "response.output_audio.delta", **names, "delta": base64.b64encode(tone(1.5)).decode()},
        )
        await peer.close(1001, "maintenance")

    question(home.work / "q.wav", silence(0.1))
    with server(leaves) as far:
        args = ("--jsonl", "--url", far.url, "--audio-in", "q.wav", "--audio-out", "a.wav", "--vad-silence-ms", "9000")
        with home.running("talk", *args) as talk:
            talk.type('{"type":"say","text":"hello"}')
            talk.close_stdin()
            done = talk.done()
    found = objects(done.out)
    assert done.code == 3
    assert found[-1]["exit_code"] == 3
    turns = list(last_turns(found).values())
    assert [turn["text"] for turn in turns] == ["hello", "As far as"]
    assert turns[1]["heard_ms"] == turns[1]["received_ms"] == 1500
    assert loud_s(home.work / "a.wav") == pytest.approx(1.5, abs=0.05)
    assert [each["code"] for each in found if each["type"] == "notice"] == ["closed_1001"]


def test_g18_what_we_write_is_the_users_alone_whatever_the_umask(home: Home) -> None:
    question(home.work / "q.wav", silence(0.1))
    program = f"import os; os.umask(0); {PROGRAM}"
    with server() as far:
        args = ("--plain", "--url", far.url, "--audio-in", "q.wav", "--audio-out", "a.wav", "--vad-silence-ms", "100")
        assert home.run("talk", *args, program=program).code == 0
    written = [home.work / "a.wav", *home.path.rglob("*.log")]
    assert len(written) == 2
    assert [path.stat().st_mode & 0o777 for path in written] == [0o600] * 2
    assert all(path.stat().st_mode & 0o777 == 0o700 for path in home.path.rglob("*") if path.is_dir())


# ---- the frames of the client


def test_every_frame_of_a_talk_with_an_interruption_passes_the_contract(home: Home) -> None:
    with server(responder=LONG) as far, at_terminal(home, far, "--dialect", "beta") as talk:
        talk.type("hello")
        speaking(home)
        talk.type("and more")
        _wait(lambda: far.sent("conversation.item.truncate"))
        _wait(lambda: far.sent("response.create")[1:])
        talk.type("/interrupt")
        _wait(lambda: far.sent("response.cancel")[1:] or far.sent("conversation.item.delete"))
        talk.type("/mute")
        talk.lines().until("^state: muted")
        talk.type("/quit")
        assert talk.done().code == 0
        assert far.headers[0]["OpenAI-Beta"] == "realtime=v1"
    kinds = {frame["type"] for frame in far.frames}
    assert {
        "session.update",
        "input_audio_buffer.append",
        "conversation.item.create",
        "conversation.item.truncate",
        "response.create",
        "response.cancel",
    } <= kinds
    for frame in far.frames:
        assert contract_problems(frame) == [], frame


def test_every_frame_of_a_chat_passes_the_contract(home: Home) -> None:
    with server() as far:
        done = home.run("chat", "--url", far.url, "--dialect", "beta", "--instructions", "x", stdin=b"one\ntwo\n")
        assert done.code == 0
    assert {frame["type"] for frame in far.frames} == {"session.update", "conversation.item.create", "response.create"}
    for frame in far.frames:
        assert contract_problems(frame) == [], frame
