"""The program itself on virtual devices: what it opens, what it sends, and that nothing but its own words is shown."""

from __future__ import annotations

import json
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ear import noise, write_wav
from talking import QUESTION, Server
from virtual_audio import VirtualAudio

from tests.commands.processes import Home, Running, wait_for
from voicecli.ports import RATE

pytestmark = [pytest.mark.sound, pytest.mark.xdist_group("sound")]

NOWHERE: dict[str, str | None] = {"ALSA_CONFIG_PATH": "/usr/share/alsa/alsa.conf", "PULSE_SERVER": "unix:/nowhere"}
FOREIGN = re.compile(r"ALSA|Expression|PortAudio|PaAlsa|snd_|underrun|xrun|pulse", re.IGNORECASE)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def said(talk: Running) -> list[dict[str, Any]]:
    """The lines of a talk with --jsonl so far."""
    return [json.loads(line) for line in talk.lines().text.rpartition("\n")[0].splitlines()]


def command(talk: Running, line: str) -> None:
    talk.type(json.dumps({"type": "command", "line": line}))


def ready(talk: Running) -> None:
    """It is connected, and both devices run."""
    talk.lines().until('"type":"link".*"state":"open"')
    talk.lines().until('"type":"device".*"state":"opened"', times=2)


def test_while_muted_nobody_has_the_microphone_open_and_unmuted_it_is_heard_again(
    virtual_audio: VirtualAudio, server: Server, home: Home, tmp_path: Path
) -> None:
    """G28, with the whole program: muted means closed, for the sound server too, and nothing is sent."""
    url = server.url([[0.5]])
    number = server.talks
    clip = write_wav(tmp_path / "noise.wav", noise(0.5))
    with home.running("talk", "--jsonl", "--url", url, env={**virtual_audio.env}) as talk:
        ready(talk)
        wait_for(lambda: len(server.recorded(number)) > RATE // 2)
        assert len(virtual_audio.listeners()) == 1
        command(talk, "/mute")
        wait_for(lambda: virtual_audio.listeners() == [])
        talk.lines().until('"type":"device".*"side":"input","state":"closed"')
        time.sleep(0.2)  # what was on its way arrives
        before = len(server.recorded(number))
        virtual_audio.speak_into_mic(clip)
        assert len(server.recorded(number)) == before
        command(talk, "/unmute")
        wait_for(lambda: len(virtual_audio.listeners()) == 1)
        wait_for(lambda: len(server.recorded(number)) > before + RATE // 4)
        virtual_audio.speak_into_mic(clip)
        wait_for(lambda: server.spoken(number) == noise(0.5).tobytes())
        command(talk, "/quit")
        assert talk.done().code == 0
    assert virtual_audio.listeners() == []


def test_what_is_said_to_a_stopped_program_is_never_sent(
    virtual_audio: VirtualAudio, server: Server, home: Home, tmp_path: Path
) -> None:
    """G27, with the whole program: it stands still for three seconds in which somebody speaks."""
    url = server.url([[0.5]])
    number = server.talks
    private = write_wav(tmp_path / "private.wav", noise(2.0, seed=5))
    with home.running("talk", "--jsonl", "--url", url, env={**virtual_audio.env}) as talk:
        ready(talk)
        wait_for(lambda: len(server.recorded(number)) > RATE // 2)
        talk.signal(signal.SIGSTOP)
        started = time.monotonic()
        virtual_audio.speak_into_mic(private)
        time.sleep(max(1.0, started + 3.0 - time.monotonic()))
        before = len(server.recorded(number))
        talk.signal(signal.SIGCONT)
        wait_for(lambda: len(server.recorded(number)) > before + RATE)
        virtual_audio.speak_into_mic(QUESTION)
        wait_for(lambda: len(server.spoken(number)) > RATE)
        command(talk, "/quit")
        assert talk.done().code == 0
        told = [line["code"] for line in said(talk) if line["type"] == "notice"]
    sent, secret = server.recorded(number).tobytes(), noise(2.0, seed=5)
    leaked = [at for at in range(0, len(secret), 120) if secret[at : at + 24].tobytes() in sent]
    assert leaked == [], "not one block of it was sent"
    assert "stale" in told


def test_devices_that_vanish_in_mid_answer_are_told_and_the_talk_goes_on_by_text(
    own_audio: VirtualAudio, server: Server, home: Home
) -> None:
    with home.running("talk", "--jsonl", "--url", server.url([[8.0], [1.0]]), env={**own_audio.env}) as talk:
        ready(talk)
        talk.type('{"type":"say","text":"go on"}')
        talk.lines().until('"state":"assistant_speaking"')
        time.sleep(0.3)
        # Both, because the sound server moves a stream to another device where there is one.
        own_audio.unload("sink_name=micfeed")
        own_audio.unload("sink_name=speaker")
        talk.lines().until('"type":"device".*"state":"lost"', times=2)
        talk.type('{"type":"say","text":"and now?"}')
        wait_for(lambda: len(answers(talk)) == 2)
        command(talk, "/quit")
        done = talk.done()
        lines = said(talk)
    assert done.code == 0
    assert done.complaints == []
    notices = [line for line in lines if line["type"] == "notice" and line["severity"] != "info"]
    print(*(f"{line['code']}: {line['title']} {line['hint']}" for line in notices), sep="\n")
    assert 1 <= len(notices) <= 3
    assert all(line["hint"] for line in notices), "each with a remedy"
    first, second = answers(talk)
    assert first["status"] in ("done", "interrupted", "cancelled")
    assert second["status"] == "done"
    assert second["text"].startswith(tuple("0123456789")), "what would have been heard can be read"


def answers(talk: Running) -> list[dict[str, Any]]:
    """The assistant's turns that are at their end, as they are now."""
    turns = {line["id"]: line for line in said(talk) if line["type"] == "turn" and line["role"] == "assistant"}
    return [turn for turn in turns.values() if turn["ended"] is not None]


def test_nothing_that_the_sound_library_prints_is_shown(own_audio: VirtualAudio, home: Home) -> None:
    """Underruns and lost devices make libasound and PortAudio talk on descriptor 2: into the log with it."""
    with home.running("talk", "--plain", "--offline", env={**own_audio.env}) as talk:
        assert talk.err
        talk.type("tell me something long, please, and do not stop before you have to")
        monitor = own_audio.monitor()
        wait_for(lambda: monitor.loud)
        for _ in range(2):
            time.sleep(0.4)
            talk.signal(signal.SIGSTOP)
            time.sleep(0.4)
            talk.signal(signal.SIGCONT)
        monitor.stop()
        own_audio.unload("sink_name=micfeed")
        own_audio.unload("sink_name=speaker")
        talk.lines().until("^notice: The speaker")
        talk.lines().until("^notice: The microphone")
        talk.type("still there?")
        talk.lines().until("^assistant: ", times=2)
        talk.signal(signal.SIGTERM)
        done = talk.done()
    print(done.out, done.err, sep="\n--\n")
    assert done.code == 143
    assert done.complaints == []
    assert not FOREIGN.search(done.out)
    assert "Expression" in home.log, "PortAudio had something to say"


def test_the_virtual_devices_are_listed(virtual_audio: VirtualAudio, home: Home) -> None:
    done = home.run("devices", env={**virtual_audio.env})
    assert done.code == 0
    assert done.err == ""
    assert "vc_mic" in done.out
    assert "vc_speaker" in done.out


@pytest.mark.parametrize("option", ["--input-device", "--output-device"])
def test_a_named_device_that_is_not_there_ends_before_it_begins(
    option: str, virtual_audio: VirtualAudio, home: Home
) -> None:
    done = home.run("talk", "--plain", "--offline", option, "no such thing", env={**virtual_audio.env})
    assert done.code == 4
    assert done.out == ""
    what, hint = done.err.splitlines()
    assert "no such thing" in what
    assert "voicecli devices" in hint


def test_a_named_device_is_the_one_that_is_opened(virtual_audio: VirtualAudio, home: Home) -> None:
    arguments = ("talk", "--jsonl", "--offline", "--input-device", "vc_mic", "--output-device", "VC_SPEAKER")
    with home.running(*arguments, env={**virtual_audio.env}) as talk:
        ready(talk)
        command(talk, "/quit")
        assert talk.done().code == 0
        opened = {line["name"] for line in said(talk) if line["type"] == "device" and line["state"] == "opened"}
    assert opened == {"vc_mic", "vc_speaker"}


@pytest.mark.skipif(any(Path("/dev/snd").glob("pcm*")), reason="this machine has a sound card")
def test_without_any_device_one_notice_says_so_and_typing_works(virtual_audio: VirtualAudio, home: Home) -> None:
    done = home.run("talk", "--plain", "--offline", stdin=b"hello\n", env=NOWHERE)
    print(done.out, done.err, sep="\n--\n")
    assert done.code == 0
    assert done.complaints == []
    assert len(re.findall("^assistant: ", done.out, re.MULTILINE)) == 1
    sound = [line for line in done.lines if "sound" in line and not line.startswith(("assistant:", "you:", "   "))]
    assert len(sound) == 1
    assert not re.search("ALSA lib|Expression", done.out)
