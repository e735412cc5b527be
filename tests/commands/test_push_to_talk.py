"""Push-to-talk with the whole program: by file, by the enter key of a terminal, by JSON; and answers when asked for."""

from __future__ import annotations

import base64

import pytest

from tests.commands.processes import Home, wait_for
from tests.commands.servers import Server, Speaker, server
from tests.commands.speech import loud_s, question, silence, voice
from tests.commands.test_talks import DIALECTS, last_turns, objects
from tests.contract.check import contract_problems

BLOCK_S = 0.02


def sent_s(far: Server) -> float:
    sound = b"".join(base64.b64decode(frame["audio"]) for frame in far.sent("input_audio_buffer.append"))
    return len(sound) / 48_000


def order(far: Server) -> list[str]:
    """What the client sent, neighbouring appends as one."""
    kinds = [frame["type"] for frame in far.frames]
    return [kind for n, kind in enumerate(kinds) if kind != "input_audio_buffer.append" or kind not in kinds[n - 1 : n]]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_file_speaks_as_one_press_with_nobody_at_the_keyboard(dialect: str, home: Home) -> None:
    """Its pauses end nothing, its silence is sent too, and nothing behind its end is."""
    question(home.work / "q.wav", silence(0.2), voice(0.5), silence(1.5), voice(0.5))
    files = ("--audio-in", "q.wav", "--audio-out", "a.wav")
    with server() as far:
        done = home.run("talk", "--jsonl", "--ptt", "--url", far.url, "--dialect", dialect, *files)
        assert (done.code, done.err) == (0, "")
        assert order(far) == [
            "session.update",
            "input_audio_buffer.append",
            "input_audio_buffer.commit",
            "response.create",
        ]
        assert sent_s(far) == pytest.approx(2.7, abs=BLOCK_S)
        (update,) = far.sent("session.update")
        session = update["session"]
        heard_by = session["audio"]["input"] if dialect == "ga" else session
        assert heard_by["turn_detection"] is None
        if dialect == "beta":
            assert [contract_problems(frame) for frame in far.frames] == [[]] * len(far.frames)
    found = objects(done.out)
    assert found[0]["mode"] == "ptt"
    turns = list(last_turns(found).values())
    assert [(turn["role"], turn["via"], turn["status"]) for turn in turns] == [
        ("you", "voice", "done"),
        ("assistant", "voice", "done"),
    ]
    assert "refused" not in [each["code"] for each in found if each["type"] == "notice"]
    states = [(each["state"], each["detail"]) for each in found if each["type"] == "state"]
    assert ("recording", "latched") in states
    assert loud_s(home.work / "a.wav") == pytest.approx(0.4, abs=0.1)


def test_enter_starts_and_ends_a_recording_at_a_terminal(home: Home) -> None:
    """Field-notes section 7, in plain mode; the file that speaks here is the first press itself."""
    question(home.work / "q.wav", silence(90))
    args = ("--plain", "--ptt", "--audio-in", "q.wav", "--audio-out", "a.wav")
    with (
        server(responder=Speaker(words=100)) as far,
        home.running("talk", "--url", far.url, *args, terminal=True) as talk,
    ):
        out = talk.lines()
        out.until("^state: recording, press enter to send it$")
        wait_for(lambda: sent_s(far) > 0.3)
        talk.type("")
        wait_for(lambda: bool(far.sent("response.create")))
        wait_for(lambda: loud_s(home.work / "a.wav") > 0.3)
        before = sent_s(far)
        talk.type("/talk")
        wait_for(lambda: bool(far.sent("conversation.item.truncate")))
        out.until("^state: recording, press enter to send it$", times=2)
        wait_for(lambda: sent_s(far) > before + 0.5)
        talk.type("/interrupt")
        out.until(r"^notice: What was recorded is thrown away\.$")
        out.until("^state: press enter to talk$")
        wait_for(lambda: order(far)[-1] == "input_audio_buffer.clear")
        talk.type("/talk")
        talk.type("/talk")
        out.until(r"^notice: Too short to be speech; nothing was sent\.")
        talk.type("/quit")
        assert talk.done().code == 0
        assert len(far.sent("input_audio_buffer.commit")) == len(far.sent("response.create")) == 1
        kinds = order(far)
        assert (
            kinds.index("response.cancel")
            < kinds.index("conversation.item.truncate")
            < kinds.index("input_audio_buffer.clear")
        )


def test_json_starts_and_ends_a_recording_by_command(home: Home) -> None:
    question(home.work / "q.wav", voice(0.5), silence(60))
    args = ("--jsonl", "--ptt", "--audio-in", "q.wav", "--audio-out", "a.wav")
    with server() as far, home.running("talk", "--url", far.url, *args) as talk:
        talk.lines().until('"state":"recording","detail":"latched"')
        wait_for(lambda: sent_s(far) > 0.5)
        talk.type('{"type":"command","line":"/talk"}')
        talk.lines().until('"role":"assistant".*"status":"done"')
        talk.lines().until('"state":"press_to_talk"')
        talk.type('{"type":"command","line":"/quit"}')
        done = talk.done()
        assert done.code == 0
        assert len(far.sent("input_audio_buffer.commit")) == 1


def test_without_a_microphone_enter_says_so_and_typing_works(home: Home) -> None:
    with server() as far, home.running("talk", "--plain", "--ptt", "--url", far.url, terminal=True) as talk:
        out = talk.lines()
        out.until("^state: waiting for you to type$")
        talk.type("")
        out.until(r"^notice: The microphone does not work, so nothing is recorded\. /unmute tries it again")
        talk.type("hello")
        out.until("^assistant: Answer 1 to hello")
        talk.type("/quit")
        assert talk.done().code == 0


def test_without_a_keyboard_nobody_can_press(home: Home) -> None:
    with server() as far:
        done = home.run("talk", "--plain", "--ptt", "--url", far.url)
    assert done.code == 4


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("ptt", [False, True])
def test_without_auto_response_nothing_is_answered_until_it_is_asked_for(ptt: bool, dialect: str, home: Home) -> None:
    question(home.work / "q.wav", silence(0.1), voice(0.8), silence(40))
    args = ["--plain", "--no-auto-response", "--dialect", dialect, "--audio-in", "q.wav", "--audio-out", "a.wav"]
    args += ["--ptt"] if ptt else []
    with server() as far, home.running("talk", "--url", far.url, *args, terminal=True) as talk:
        out = talk.lines()
        if ptt:
            wait_for(lambda: sent_s(far) > 1.0)
            talk.type("")
        out.until("^you: ")
        assert far.sent("response.create") == []
        talk.type("/answer")
        out.until("^assistant: Answer 1 to ")
        talk.type("/quit")
        assert talk.done().code == 0
        assert len(far.sent("response.create")) == 1
        (update,) = far.sent("session.update")
        session = update["session"]
        detection = (session["audio"]["input"] if dialect == "ga" else session)["turn_detection"]
        assert detection is None if ptt else detection["create_response"] is False


def test_a_file_that_is_not_answered_ends_with_its_words(home: Home) -> None:
    question(home.work / "q.wav", silence(0.1), voice(0.8), silence(0.1))
    args = ("--plain", "--ptt", "--no-auto-response", "--audio-in", "q.wav", "--audio-out", "a.wav")
    with server() as far:
        done = home.run("talk", "--url", far.url, *args)
    assert done.code == 0
    assert [line.split(":")[0] for line in done.lines][-2:] == ["you", "end"]
    assert far.sent("response.create") == []
