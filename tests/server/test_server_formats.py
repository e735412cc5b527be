"""G.711 at the server, in both spellings and both directions: what it hears, what it says, and that it counts alike."""

import base64

import numpy as np
import pytest
from server_talk import FIVE_SECONDS, ONE_SECOND, Talk, every, kinds, only, silence, sound, sound_of, speech

from voicecli.audio.vad import EnergyVad
from voicecli.audio.wire import FromWire, ToWire
from voicecli.ports import RATE, SAMPLES_PER_MS
from voicecli.protocol.dialects import Spelling
from voicecli.protocol.items import FORMATS
from voicecli.server.answers import AnswerPart, Toned, one_item
from voicecli.server.limits import Limits

G711 = ("g711_ulaw", "g711_alaw")
GA_NAMES = {
    "pcm16": {"type": "audio/pcm", "rate": 24_000},
    "g711_ulaw": {"type": "audio/pcmu"},
    "g711_alaw": {"type": "audio/pcma"},
}

both_spellings = pytest.mark.parametrize("spelling", Spelling, ids=lambda spelling: spelling.value)
each_format = pytest.mark.parametrize("name", FORMATS)


def formatted(spelling: Spelling, *answers, heard: str = "pcm16", said: str = "pcm16", limits=None, **more) -> Talk:
    """A talk whose formats were set in its own spelling."""
    talk = Talk(*answers, spelling=spelling, limits=limits or Limits(), **more)
    if spelling is Spelling.BETA:
        told = talk.send("session.update", session={"input_audio_format": heard, "output_audio_format": said})
        session = only(told, "session.updated")["session"]
        assert (session["input_audio_format"], session["output_audio_format"]) == (heard, said)
    else:
        audio = {"input": {"format": GA_NAMES[heard]}, "output": {"format": GA_NAMES[said]}}
        told = talk.send("session.update", session={"type": "realtime", "audio": audio})
        session = only(told, "session.updated")["session"]["audio"]
        assert (session["input"]["format"], session["output"]["format"]) == (GA_NAMES[heard], GA_NAMES[said])
    return talk


def tone(seconds: float) -> bytes:
    return np.rint(9_000 * np.sin(np.arange(round(seconds * RATE)) / 9)).astype("<i2").tobytes()


def answered(talk: Talk, **fields) -> bytes:
    """The sound of one more answer."""
    return sound(talk.send("response.create", **fields) + talk.rest())


def told_ms(talk: Talk) -> tuple[int, int]:
    return (
        only(talk.seen, "input_audio_buffer.speech_started")["audio_start_ms"],
        only(talk.seen, "input_audio_buffer.speech_stopped")["audio_end_ms"],
    )


@both_spellings
@each_format
def test_a_turn_is_found_where_it_is_in_real_milliseconds(spelling: Spelling, name: str) -> None:
    talk = formatted(spelling, heard=name, vad=EnergyVad)
    said = silence(1.0) + tone(1.2) + silence(1.0)
    stream = ToWire()
    pieces = [stream.spell(said[at : at + 960], FORMATS[name]) for at in range(0, len(said), 960)]
    assert sum(map(len, pieces)) == len(said) // 2 * FORMATS[name].rate // RATE * FORMATS[name].width
    talk.speak(*pieces)
    start, end = told_ms(talk)
    assert abs(start - (1_000 - 300)) <= 64
    assert abs(end - (2_200 + 500)) <= 64
    talk.rest()
    assert talk.session.view() == talk.conversation.view()


@both_spellings
@pytest.mark.parametrize("name", G711)
def test_sound_that_comes_faster_or_in_other_pieces_is_the_same_turn(spelling: Spelling, name: str) -> None:
    data = ToWire().spell(silence(0.5) + tone(1.0) + silence(1.0), FORMATS[name])
    found = []
    for size in (len(data), 160, 161, 997):
        talk = formatted(spelling, heard=name, vad=EnergyVad)
        talk.speak(*(data[at : at + size] for at in range(0, len(data), size)))
        found.append(told_ms(talk))
    assert len(set(found)) == 1


@both_spellings
@each_format
def test_the_sound_of_an_answer_has_its_length_in_each_format(spelling: Spelling, name: str) -> None:
    talk = formatted(spelling, ONE_SECOND, said=name)
    talk.type("hello")
    data = answered(talk)
    form = FORMATS[name]
    assert len(data) == form.rate * form.width
    (item,) = [item for item in talk.conversation.view() if item.role == "assistant"]
    assert item.samples == form.samples(len(data)) == RATE
    assert talk.session.view() == talk.conversation.view()


@each_format
def test_an_answer_sounds_the_same_in_each_format(name: str) -> None:
    answer = one_item(AnswerPart(Toned(0, tuple(f" {word}" for word in ("some", "words", "of", "any", "length")))))
    talk = formatted(Spelling.BETA, answer, said=name)
    talk.type("hello")
    heard = np.frombuffer(FromWire().read(answered(talk), FORMATS[name]), "<i2").astype(float)
    meant = np.frombuffer(sound_of(answer), "<i2").astype(float)
    assert len(heard) == len(meant)
    # A few samples late; at the right place the two are nearly one.
    best = max(
        float(heard[n : n + 20_000] @ meant[:20_000])
        / float(np.linalg.norm(heard[n : n + 20_000]) * np.linalg.norm(meant[:20_000]))
        for n in range(12)
    )
    assert best > 0.99


@both_spellings
@each_format
def test_a_truncation_is_in_real_milliseconds_and_not_past_the_end(spelling: Spelling, name: str) -> None:
    talk = formatted(spelling, ONE_SECOND, said=name)
    talk.type("hello")
    talk.send("response.create")
    talk.rest()
    (item,) = [item.id for item in talk.conversation.view() if item.role == "assistant"]
    cut = {"item_id": item, "content_index": 0}
    refused = talk.send("conversation.item.truncate", **cut, audio_end_ms=1_001)
    assert "already shorter" in only(refused, "error")["error"]["message"]
    talk.send("conversation.item.truncate", **cut, audio_end_ms=321)
    assert talk.session.view() == talk.conversation.view()
    (left,) = [item.samples for item in talk.session.view() if item.role == "assistant"]
    assert left == 321 * SAMPLES_PER_MS


@both_spellings
def test_one_response_may_have_another_format_and_is_counted_in_it(spelling: Spelling) -> None:
    talk = formatted(spelling, ONE_SECOND)
    talk.type("hello")
    given = {"audio": {"output": {"format": {"type": "audio/pcmu"}}}}
    if spelling is Spelling.BETA:
        given = {"output_audio_format": "g711_ulaw"}
    assert len(answered(talk, response=given)) == 8_000
    (samples,) = [item.samples for item in talk.session.view() if item.role == "assistant"]
    assert samples == RATE


def test_an_update_in_mid_answer_is_for_the_next_one() -> None:
    talk = formatted(Spelling.BETA, FIVE_SECONDS, said="g711_alaw")
    talk.type("hello")
    talk.send("response.create")
    talk.wait(0.5)
    talk.send("session.update", session={"output_audio_format": "pcm16"})
    talk.rest()
    assert len(sound(talk.seen)) == 5 * 8_000
    assert len(answered(talk)) == 5 * 48_000


@pytest.mark.parametrize("name", G711)
def test_less_than_a_tenth_of_a_second_cannot_be_committed(name: str) -> None:
    talk = formatted(Spelling.BETA, heard=name)
    talk.send("session.update", session={"turn_detection": None})
    talk.speak(bytes(799))
    message = only(talk.send("input_audio_buffer.commit"), "error")["error"]["message"]
    assert "99.88ms" in message
    talk.speak(bytes(1))
    assert "input_audio_buffer.committed" in kinds(talk.send("input_audio_buffer.commit"))


def test_halves_of_samples_meet_and_a_clear_forgets_them() -> None:
    talk = Talk(spelling=Spelling.BETA, update={"turn_detection": None}, limits=Limits(commit_samples=1))
    pcm = speech(0.1)
    talk.speak(pcm[:1001], pcm[1001:])
    assert talk.session.receive('{"type":"input_audio_buffer.clear"}', 0.0)
    talk.speak(b"\x01")
    talk.send("input_audio_buffer.clear")
    talk.speak(b"\x01")
    assert "0.00ms" in only(talk.send("input_audio_buffer.commit"), "error")["error"]["message"]


def test_more_than_the_buffer_holds_is_refused_before_it_is_six_times_as_much() -> None:
    talk = formatted(Spelling.BETA, heard="g711_ulaw", limits=Limits(buffer_samples=RATE))
    new = talk.speak(bytes(8_001))
    assert only(new, "error")["error"]["code"] == "input_audio_buffer_full"
    assert not every(talk.speak(bytes(8_000)), "error")


@both_spellings
def test_a_text_with_sound_from_elsewhere_is_as_long_as_it_is(spelling: Spelling) -> None:
    talk = formatted(spelling, heard="g711_ulaw")
    audio = base64.b64encode(bytes(16_000)).decode()
    item = {"type": "message", "role": "user", "content": [{"type": "input_audio", "audio": audio}]}
    talk.send("conversation.item.create", item=item)
    talk.send("response.create")
    assert talk.responder.asked[-1].heard_ms == 2_000


@pytest.mark.parametrize("side", ["input", "output"])
@both_spellings
def test_a_format_it_does_not_speak_is_refused_with_those_it_does(spelling: Spelling, side: str) -> None:
    talk = Talk(spelling=spelling)
    if spelling is Spelling.BETA:
        new = talk.send("session.update", session={f"{side}_audio_format": "opus"})
    else:
        audio = {side: {"format": {"type": "audio/pcm", "rate": 16_000}}}
        new = talk.send("session.update", session={"type": "realtime", "audio": audio})
    wrong = only(new, "error")["error"]
    assert wrong["code"] == "invalid_value"
    named = [GA_NAMES[name] if spelling is Spelling.GA else name for name in FORMATS]
    assert all(repr(name) in wrong["message"] for name in named)
    assert ("pcm16" in wrong["message"]) == (spelling is Spelling.BETA)
    assert ("opus" if spelling is Spelling.BETA else "16000") in wrong["message"]
