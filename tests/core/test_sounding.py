"""The devices and the microphone's gate: what may leave, when a stream is closed, and what is told of failures."""

import pytest
from core_talk import (
    CHAT,
    DROPPED,
    MS,
    TALK,
    WAV,
    Bench,
    added,
    answer,
    committed,
    created,
    failed,
    frames,
    shown,
    sound,
    started,
    stopped,
    uploaded,
)
from msgspec.structs import replace

from voicecli.core.changes import EchoNow, SoundNow, Told
from voicecli.core.effects import CloseSound, Move, OpenSound, SendAudio
from voicecli.core.stimuli import AudioDropped, Begin, EchoSet, Opened, Quit
from voicecli.ports import RATE, Format, MicBlock, Side, SoundClosed, SoundFailure, SoundOpened, Stale
from voicecli.protocol import events as e
from voicecli.protocol.items import SessionConfig, TurnDetection


def closes(effects) -> list[Side]:
    return [effect.side for effect in effects if isinstance(effect, CloseSound)]


def opens(effects) -> list[Side]:
    return [effect.side for effect in effects if isinstance(effect, OpenSound)]


# ---- the gate


def test_not_one_byte_leaves_before_session_updated():
    bench = Bench().dialled()
    assert uploaded(bench.records()) == b""
    bench.give(Opened(1.8e9), at=0.1)
    assert uploaded(bench.records()) == b""
    bench.says(e.SessionCreated(session=SessionConfig()))
    assert uploaded(bench.records()) == b""
    bench.says(e.SessionUpdated(session=TALK.session))
    assert len(uploaded(bench.records(20))) == 20 * MS * 2


def test_not_one_byte_leaves_after_the_link_is_lost():
    bench = Bench().ready()
    bench.give(DROPPED)
    assert uploaded(bench.records()) == b""


def test_sound_leaves_as_it_was_recorded_and_says_the_servers_format():
    ulaw = Format("g711_ulaw", 8_000, 1)
    bench = Bench(replace(TALK, profile=replace(TALK.profile, input=ulaw))).ready()
    (effect,) = [effect for effect in bench.records(20, 7) if isinstance(effect, SendAudio)]
    assert (effect.pcm, effect.form) == (b"\x07\x00" * 480, ulaw)


def test_a_turn_whose_sound_was_cleared_is_not_waited_for():
    bench = Bench().ready()
    bench.says(started())
    assert bench.phase == "you_are_speaking"
    bench.says(e.InputAudioBufferCleared())
    assert bench.phase == "listening"
    assert bench.session.talk.rest


def test_what_was_captured_while_open_was_sent():
    bench = Bench().ready()
    for _ in range(10):
        bench.records(20)
    bench.asks("mute")
    silence = uploaded(bench.effects)[10 * 20 * MS * 2 :]
    bench.records(20)
    uplink = bench.session.talk.uplink
    assert uplink.sent * 2 == len(uploaded(bench.effects)) == 10 * 20 * MS * 2 + len(silence)
    assert uplink.withheld == 20 * MS


# ---- mute: G28


def test_mute_closes_the_stream_and_unmute_opens_it_g28():
    bench = Bench().ready()
    effects = bench.asks("mute", at=1.0)
    assert closes(effects) == [Side.MICROPHONE]
    assert bench.phase == "muted"
    bench.give(SoundClosed(Side.MICROPHONE))
    assert uploaded(bench.records()) == b""
    effects = bench.asks("unmute", at=2.0)
    assert opens(effects) == [Side.MICROPHONE]
    assert uploaded(bench.records()) != b""


def test_mute_in_mid_turn_sends_silence_that_ends_the_turn_and_then_nothing():
    """Else the server's VAD would wait for the end of the turn for ever."""
    bench = Bench().ready()
    bench.says(started(), at=1.0)
    sent = uploaded(bench.asks("mute"))
    assert set(sent) == {0}
    assert len(sent) / 2 / RATE == pytest.approx(0.7), "the VAD's 500 ms and a little"
    assert uploaded(bench.records()) == b""
    bench.says(stopped(), committed())
    assert bench.phase == "thinking"


def test_mute_and_unmute_in_mid_answer_are_said_because_the_state_word_is_about_the_answer_g28():
    bench = Bench().ready()
    answer(bench, 5000)
    bench.plays(0, 5000)
    assert bench.codes(bench.asks("mute", at=1.0)) == ["muted_now"]
    assert bench.codes(bench.asks("mute")) == ["muted_already"]
    assert bench.phase == "assistant_speaking"
    assert bench.codes(bench.asks("unmute")) == ["unmuted_now"]


def test_mute_and_unmute_in_silence_are_said_by_the_state_word_alone_g28():
    bench = Bench().ready()
    assert bench.codes(bench.asks("mute", at=1.0)) == []
    assert bench.codes(bench.asks("unmute")) == []


def test_mute_before_the_link_is_ready_holds_when_it_is():
    bench = Bench().dialled()
    effects = bench.asks("mute")
    assert closes(effects) == [Side.MICROPHONE]
    bench.ready()
    assert bench.phase == "muted"
    assert uploaded(bench.records()) == b""
    assert opens(bench.effects).count(Side.MICROPHONE) == 1


def test_unmute_before_the_link_is_ready_opens_it_when_it_is():
    bench = Bench().dialled()
    bench.asks("mute")
    bench.asks("unmute")
    bench.ready()
    assert opens(bench.effects).count(Side.MICROPHONE) == 2
    assert uploaded(bench.records()) != b""


def test_a_muted_microphone_stays_muted_over_a_reconnect_g28():
    bench = Bench().ready()
    bench.asks("mute")
    bench.give(DROPPED, at=1.0)
    bench.asks("retry")
    bench.ready(2.0)
    assert bench.phase == "muted"
    assert uploaded(bench.records()) == b""


@pytest.mark.parametrize(
    ("plan", "asked", "code"),
    [
        (TALK, ["mute", "mute"], "muted_already"),
        (TALK, ["unmute"], "not_muted"),
        (CHAT, ["mute"], "no_microphone_here"),
        (CHAT, ["unmute"], "no_microphone_here"),
    ],
)
def test_what_changes_nothing_is_said(plan, asked, code):
    bench = Bench(plan).ready()
    for what in asked:
        effects = bench.asks(what)
    assert bench.codes(effects) == [code]


def test_chat_opens_no_sound_at_all_g28():
    assert opens(Bench(CHAT).ready().effects) == []


def test_a_link_down_for_ten_seconds_closes_the_microphone_g28():
    bench = Bench().ready()
    bench.give(DROPPED, at=1.0)
    assert closes(bench.until(10.9)) == []
    assert closes(bench.until(11.1)) == [Side.MICROPHONE]
    bench.asks("retry", at=20.0)
    bench.ready(21.0)
    assert opens(bench.effects).count(Side.MICROPHONE) == 2
    assert uploaded(bench.records()) != b""


def test_a_link_that_is_back_within_ten_seconds_closes_nothing():
    bench = Bench().ready()
    bench.give(DROPPED, at=1.0)
    bench.asks("retry", at=2.0)
    bench.ready(3.0)
    assert closes(bench.until(60.0)) == []


# ---- standing still: G27


def test_a_short_standstill_is_told_and_the_microphone_stays_on_g27():
    bench = Bench().ready()
    assert bench.codes(bench.give(Stale(3, 2.5))) == ["stale"]
    assert bench.phase == "listening"


def test_after_half_a_minute_of_standstill_the_microphone_is_off_until_it_is_asked_for_g27():
    bench = Bench().ready()
    effects = bench.give(Stale(3, 31.0))
    assert bench.codes(effects) == ["muted_after_sleep"]
    assert closes(effects) == [Side.MICROPHONE]
    assert uploaded(bench.records()) == b""
    bench.asks("unmute")
    assert uploaded(bench.records()) != b""


def test_a_standstill_while_muted_does_not_unmute_and_is_told_g27():
    bench = Bench().ready()
    bench.asks("mute")
    assert bench.codes(bench.give(Stale(3, 31.0))) == ["stale"]
    assert bench.phase == "muted"


# ---- half-duplex

HALF = replace(TALK, echo="half-duplex")


def test_half_duplex_sends_silence_while_the_assistant_is_to_be_heard():
    """The server counts time in samples, so silence goes in the place of what is recorded."""
    bench = Bench(HALF).ready()
    answer(bench, 1000)
    bench.plays(0, 1000)
    sent = uploaded(bench.records(20))
    assert len(sent) == 20 * MS * 2
    assert set(sent) == {0}


def test_half_duplex_opens_when_the_room_is_quiet_again():
    bench = Bench(HALF).ready()
    answer(bench, 1000)
    bench.plays(0, 1000)
    bench.until(1.3)
    assert set(uploaded(bench.records(20))) == {0}
    bench.until(1.45)
    assert set(uploaded(bench.records(20))) == {0, 1}


def test_half_duplex_can_be_set_and_taken_back_in_mid_answer():
    bench = Bench().ready()
    answer(bench, 5000)
    bench.plays(0, 5000)
    assert bench.codes(bench.give(EchoSet("half-duplex"), at=1.0)) == ["echo_now"]
    assert set(uploaded(bench.records(20))) == {0}
    bench.give(EchoSet("off"))
    bench.until(1.5)
    assert set(uploaded(bench.records(20))) == {0, 1}


def test_what_is_done_about_echo_is_told_as_it_begins_and_as_it_changes():
    bench = Bench(HALF).ready()
    assert bench.shown(EchoNow) == [EchoNow("half-duplex")]
    bench.give(EchoSet("off"))
    assert bench.shown(EchoNow)[1:] == [EchoNow("off")]
    assert Bench().ready().shown(EchoNow) == [], "it is off before anything is said"


def test_half_duplex_does_not_keep_a_typed_text_from_interrupting():
    bench = Bench(HALF).ready()
    answer(bench, 5000)
    bench.plays(0, 5000)
    assert frames(bench.types("stop", at=1.0))[0][0] == "truncate"


def test_half_duplex_mute_and_unmute_in_mid_answer_keeps_it_shut():
    bench = Bench(HALF).ready()
    answer(bench, 5000)
    bench.plays(0, 5000)
    bench.asks("mute", at=1.0)
    bench.asks("unmute")
    assert set(uploaded(bench.records(20))) == {0}


def test_half_duplex_without_a_speaker_shuts_nothing():
    bench = Bench(replace(HALF, speaker=False)).ready()
    answer(bench, 5000)
    assert set(uploaded(bench.records(20))) == {0, 1}


def test_without_half_duplex_the_microphone_is_open_while_the_assistant_speaks():
    bench = Bench().ready()
    answer(bench, 1000)
    bench.plays(0, 1000)
    assert set(uploaded(bench.records(20))) == {0, 1}


# ---- devices


def test_a_device_that_opens_is_shown():
    bench = Bench()
    bench.give(Begin())
    (now,) = shown(SoundNow, bench.give(SoundOpened(Side.SPEAKER, "USB\x1b", RATE, 0.0213)))
    assert (now.side, now.state, now.name.raw, now.rate, now.latency_ms) == ("output", "opened", "USB\x1b", RATE, 21)


def test_no_library_is_one_notice_for_both_sides_with_the_install_line():
    bench = Bench()
    bench.give(Begin())
    effects = bench.give(
        failed(Side.MICROPHONE, SoundFailure.NO_LIBRARY), failed(Side.SPEAKER, SoundFailure.NO_LIBRARY)
    )
    (told,) = shown(Told, effects)
    assert told.code == "no_library"
    assert "apt install libportaudio2" in told.hint
    assert told.hint.endswith(". Until then you can type.")


@pytest.mark.parametrize("first", list(Side))
def test_no_device_on_both_sides_is_one_notice(first):
    bench = Bench()
    bench.give(Begin())
    other = Side.SPEAKER if first is Side.MICROPHONE else Side.MICROPHONE
    bench.give(failed(first, SoundFailure.NO_DEVICE), failed(other, SoundFailure.NO_DEVICE))
    assert bench.codes() == ["no_sound_device"]
    bench.until(30.0)
    assert bench.codes() == ["no_sound_device"]


@pytest.mark.parametrize(
    ("side", "code"), [(Side.MICROPHONE, "no_microphone"), (Side.SPEAKER, "no_speaker")], ids=["in", "out"]
)
def test_no_device_on_one_side_is_told_when_the_other_has_opened(side, code):
    bench = Bench()
    bench.give(Begin())
    other = Side.SPEAKER if side is Side.MICROPHONE else Side.MICROPHONE
    assert bench.codes(bench.give(failed(side, SoundFailure.NO_DEVICE))) == []
    assert bench.codes(bench.give(SoundOpened(other, "x", RATE, 0.0))) == [code]


def test_no_device_on_one_side_is_told_after_a_second_at_most():
    bench = Bench()
    bench.give(Begin())
    bench.give(failed(Side.MICROPHONE, SoundFailure.NO_DEVICE))
    bench.until(1.01)
    assert bench.codes() == ["no_microphone"]


def test_a_side_that_is_lost_twice_is_told_once():
    bench = Bench().ready()
    bench.give(failed(Side.SPEAKER, SoundFailure.STALLED), failed(Side.SPEAKER, SoundFailure.LOST))
    assert bench.codes() == ["device_stalled"]
    assert [now.state for now in bench.shown(SoundNow) if now.side == "output"] == ["opened", "lost"]


def test_a_microphone_of_pure_silence_is_a_missing_permission_and_stays_open():
    bench = Bench().ready()
    effects = bench.give(failed(Side.MICROPHONE, SoundFailure.NO_PERMISSION))
    assert bench.codes(effects) == ["no_permission"]
    assert bench.phase == "listening"
    assert uploaded(bench.records()) != b""


def test_a_full_disk_is_told_and_the_clock_of_the_file_goes_on():
    bench = Bench(WAV).ready()
    answer(bench, 1000)
    bench.give(failed(Side.SPEAKER, SoundFailure.DISK, "answer.wav", "No space left"))
    assert bench.codes() == ["disk"]
    bench.plays(0, 1000)
    bench.until(2.0)
    assert bench.turn("a1").heard_ms == 1000


def test_a_lost_microphone_leaves_the_keyboard_and_the_answer():
    bench = Bench().ready()
    answer(bench, 1000)
    bench.plays(0, 1000)
    effects = bench.give(failed(Side.MICROPHONE, SoundFailure.LOST, "USB"), at=0.5)
    assert [effect for effect in effects if isinstance(effect, Move)] == []
    bench.until(3.0)
    assert bench.turn("a1").status == "done"
    assert frames(bench.types("still here")) == [("item", "still here"), "create"]


def test_an_answer_after_the_speaker_is_gone_is_read():
    bench = Bench().ready()
    bench.give(failed(Side.SPEAKER, SoundFailure.NO_DEVICE))
    answer(bench, 1000, text="read me")
    assert (bench.turn("a1").status, bench.turn("a1").heard.raw) == ("done", "read me")
    assert frames(bench.says(started())) == []


def test_a_microphone_lost_in_mid_turn_ends_the_turn_for_the_server():
    bench = Bench().ready()
    bench.says(started(), at=1.0)
    sent = uploaded(bench.give(failed(Side.MICROPHONE, SoundFailure.LOST)))
    assert set(sent) == {0}
    assert len(sent) / 2 / RATE > 0.5


# ---- a slow link


def test_dropped_sound_is_told_at_once_and_then_summed_up():
    bench = Bench().ready()
    assert bench.codes(bench.give(AudioDropped(RATE), at=1.0)) == ["audio_dropped"]
    for n in range(100):
        bench.give(AudioDropped(480), at=1.0 + n / 50)
    assert bench.codes() == ["audio_dropped"]
    bench.until(11.1)
    told = bench.shown(Told)
    assert [notice.code for notice in told] == ["audio_dropped"] * 2
    assert "1.0 seconds" in told[0].title
    assert "2.0 seconds" in told[1].title


def test_dropped_sound_that_was_not_told_yet_is_told_at_the_end():
    bench = Bench().ready()
    bench.give(AudioDropped(RATE), AudioDropped(RATE), at=1.0)
    bench.give(Quit())
    assert bench.codes() == ["audio_dropped"] * 2


# ---- sound that is no speech


def hears(bench: Bench, db: float, seconds: float) -> None:
    for _ in range(round(seconds * 10)):
        bench.give(MicBlock(bytes(200 * MS), bench.at, db), at=bench.at + 0.1)


def test_noise_in_which_the_server_finds_no_speech_is_told_and_the_talk_goes_on():
    bench = Bench().ready()
    hears(bench, -20.0, 7.9)
    assert bench.codes() == []
    hears(bench, -20.0, 20.0)
    assert bench.codes() == ["only_noise"]
    assert bench.phase == "listening"


def test_a_microphone_that_gives_nothing_is_told_of_a_device_and_not_of_a_file():
    for plan, codes in ((TALK, ["only_silence"]), (WAV, [])):
        bench = Bench(plan).ready()
        hears(bench, -100.0, 40.0)
        assert bench.codes() == codes


def test_what_is_recorded_while_nobody_listens_is_not_counted():
    bench = Bench().ready()
    bench.asks("mute")
    hears(bench, -20.0, 20.0)
    assert bench.codes() == []


def test_speech_that_was_found_is_no_noise():
    bench = Bench().ready()
    hears(bench, -20.0, 7.0)
    bench.says(e.SpeechStarted(item_id="i", audio_start_ms=0))
    hears(bench, -20.0, 20.0)
    assert bench.codes() == []


# ---- blocks that come at odd times


def test_blocks_of_a_stream_that_was_closed_are_withheld():
    bench = Bench().ready()
    bench.asks("mute")
    assert bench.give(MicBlock(bytes(960), 1.0)) == []


def test_the_answer_to_an_older_order_does_not_undo_a_newer_one():
    bench = Bench().ready()
    bench.asks("mute")
    bench.asks("unmute")
    bench.give(SoundClosed(Side.MICROPHONE))
    assert bench.phase == "listening"
    bench.give(SoundOpened(Side.MICROPHONE, "x", RATE, 0.0))
    assert uploaded(bench.records()) != b""


def test_a_server_that_tells_a_silence_of_its_own_gets_that_much_when_muted():
    session = replace(TALK.session, turn_detection=TurnDetection(type="server_vad", silence_duration_ms=2000))
    bench = Bench().ready(session=session)
    bench.says(started(), at=1.0)
    assert len(uploaded(bench.asks("mute"))) / 2 / RATE == pytest.approx(2.2)


def test_an_answer_that_is_laid_before_the_speaker_has_opened_is_heard_when_it_has():
    bench = Bench()
    bench.give(Begin())
    bench.ready(0.1)
    bench.says(created(), added(), sound(100))
    bench.give(SoundOpened(Side.SPEAKER, "x", RATE, 0.1), at=0.5)
    bench.plays(0, 100, dac_at=0.6)
    assert frames(bench.says(started(), at=0.65)) == [("truncate", "a1", 50)]
