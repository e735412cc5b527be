"""The formats of sound in force: what the server says of them is believed, and each counts in real milliseconds."""

import itertools

import pytest
from core_talk import TALK, Bench, created, done, error, frames, sound, started, whole
from msgspec import UNSET
from msgspec.structs import replace

from voicecli.core.changes import Told, TurnSet
from voicecli.core.effective import agreed, form_in_force
from voicecli.core.effects import Play, SendAudio
from voicecli.core.stimuli import Begin, Opened
from voicecli.ports import PCM16, SAMPLES_PER_MS, Format
from voicecli.protocol import events as e
from voicecli.protocol.items import FORMATS, KNOWN_FORMATS, Response, SessionConfig

ULAW, ALAW = FORMATS["g711_ulaw"], FORMATS["g711_alaw"]
WIDE = Format("pcm16_16000hz", 16_000, 2)
OWN = Format("pcm", 16_000, 2)
"""As a server calls its own that has names of its own."""


def bench(asked=UNSET, own=PCM16, greets=UNSET, says=UNSET) -> Bench:
    """A link whose settings were asked for and answered, both formats alike. `says` None: they were refused."""
    profile = replace(TALK.profile, input=own, output=own)
    session = replace(TALK.session, input_audio_format=asked, output_audio_format=asked)
    made = Bench(replace(TALK, profile=profile, session=session))
    made.give(Begin(), Opened(1.8e9))
    made.says(e.SessionCreated(session=SessionConfig(input_audio_format=greets, output_audio_format=greets)))
    if says is None:
        made.says(error("no such format", "invalid_value"))
    else:
        said = replace(session, input_audio_format=says, output_audio_format=says)
        made.says(e.SessionUpdated(session=said))
    return made


def form_of(effects) -> Format:
    (form,) = {effect.form for effect in effects if isinstance(effect, SendAudio | Play)}
    return form


@pytest.mark.parametrize(
    ("how", "form"),
    [
        ({}, PCM16),
        ({"own": OWN}, OWN),
        ({"asked": "g711_ulaw"}, ULAW),
        ({"asked": "g711_ulaw", "greets": "pcm16"}, ULAW),
        ({"asked": "g711_ulaw", "says": "g711_ulaw"}, ULAW),
        ({"asked": "pcm16", "says": "g711_alaw"}, ALAW),
        ({"asked": "g711_ulaw", "says": "pcm16"}, PCM16),
        ({"asked": "pcm16", "says": "pcm16_16000hz"}, WIDE),
        ({"asked": "pcm", "own": OWN, "says": "pcm"}, OWN),
        ({"asked": "g711_ulaw", "says": None}, PCM16),
        ({"asked": "g711_ulaw", "greets": "g711_alaw", "says": None}, ALAW),
    ],
    ids=str,
)
def test_the_format_in_force_is_the_servers_then_what_was_asked_then_the_profiles(how, form):
    made = bench(**how)
    assert form_of(made.records(20)) == form
    made.says(created())
    assert form_of(made.says(e.AudioDelta(response_id="r1", item_id="a1", delta=bytes(form.unit)))) == form


def test_each_side_has_its_own_format():
    session = replace(TALK.session, input_audio_format="g711_ulaw", output_audio_format="g711_alaw")
    made = Bench(replace(TALK, session=session)).ready()
    made.says(e.SessionUpdated(session=session), created())
    assert form_of(made.records(20)) == ULAW
    assert form_of(made.says(sound(1))) == ALAW


@pytest.mark.parametrize(("form", "size"), [(PCM16, 48), (ULAW, 8), (ALAW, 8), (WIDE, 32)], ids=lambda one: str(one))
def test_a_cut_claims_the_milliseconds_of_the_wire(form, size):
    made = bench("pcm16", says=form.name)
    made.says(created(), e.AudioDelta(response_id="r1", item_id="a1", delta=bytes(size * 1000)), at=1.0)
    made.plays(0, 1000)
    assert frames(made.says(started(), at=1.3217)) == [("truncate", "a1", 321)]
    assert made.session.talk.conversation.samples("a1") == 1000 * SAMPLES_PER_MS


@pytest.mark.parametrize("form", [PCM16, ULAW, WIDE], ids=str)
def test_sound_that_is_cut_anywhere_is_laid_in_whole_units_and_counted_as_at_the_server(form):
    made = bench("pcm16", says=form.name)
    made.says(created(), at=1.0)
    data = bytes(range(1, 60))
    cuts = (0, 1, 2, 5, 6, 13, 30, 59)
    effects = made.says(
        *(e.AudioDelta(response_id="r1", item_id="a1", delta=data[low:high]) for low, high in itertools.pairwise(cuts))
    )
    plays = [effect for effect in effects if isinstance(effect, Play)]
    assert b"".join(play.data for play in plays) == data[: len(data) // form.unit * form.unit]
    assert all(len(play.data) % form.unit == 0 for play in plays)
    assert made.laid == form.samples(len(data)) == made.session.talk.conversation.samples("a1")
    made.says(whole())
    assert made.session.talk.ledger.dropped_bytes == len(data) % form.unit


def test_a_part_keeps_the_format_it_began_with():
    made = bench("g711_ulaw", says="g711_ulaw")
    delta = e.AudioDelta(response_id="r1", item_id="a1", delta=bytes(80))
    made.says(created(), delta)
    made.says(e.SessionUpdated(session=replace(TALK.session, output_audio_format="pcm16")))
    assert form_of(made.says(delta)) == ULAW
    assert made.laid == made.session.talk.conversation.samples("a1") == 20 * SAMPLES_PER_MS
    assert form_of(made.says(replace(delta, item_id="a2"))) == PCM16
    assert form_of(made.says(replace(delta, content_index=1))) == PCM16


def test_a_new_connection_has_what_its_own_server_says():
    made = bench("g711_ulaw", says="g711_alaw")
    assert form_of(made.records(20)) == ALAW
    made.session.talk.reconnect()
    assert made.session.talk.conversation.output == PCM16


def test_what_is_agreed_is_what_the_server_says_but_for_the_formats_it_does_not_name():
    wanted = SessionConfig(voice="a", input_audio_format="g711_ulaw", output_audio_format="g711_ulaw")
    said = SessionConfig(output_audio_format="pcm16")
    assert agreed(wanted, said) == SessionConfig(input_audio_format="g711_ulaw", output_audio_format="pcm16")


def test_a_format_that_is_not_named_or_called_otherwise_is_the_profiles_own():
    assert form_in_force(UNSET, OWN) == form_in_force("pcm", OWN) == OWN
    assert form_in_force("pcm16", OWN, frozenset({"pcm16"})) == OWN
    assert form_in_force("pcm16", OWN) == PCM16
    assert form_in_force("mp3", OWN) is None


@pytest.mark.parametrize("name", ["mp3", "audio/opus", "pcm16_44100hz", "", "{x}", "y" * 100_000])
def test_sound_in_a_format_that_nobody_knows_is_told_and_read_and_never_played(name):
    made = bench("pcm16", says=name)
    plays, notices = [], [each for each in made.shown(Told) if each.code == "unplayable"]
    assert len(notices) == 1
    assert len(notices[0].title) < 200
    delta = e.AudioDelta(response_id="r1", item_id="a1", delta=bytes(4800))
    words = e.AudioTranscriptDelta(response_id="r1", item_id="a1", delta="Good morning.")
    plays += made.says(created(), words, delta, delta)
    assert made.phase == "thinking"
    plays += made.says(started(), at=made.at + 1)
    assert frames(plays) == [], "what is read is not cut"
    plays += made.says(whole(), done(), at=made.at + 1)
    assert not [each for each in plays if isinstance(each, Play)]
    (turn,) = [each for each in made.shown(TurnSet) if each.item == "a1" and each.ended is not None]
    assert (turn.text.raw, turn.heard.raw) == ("Good morning.", "Good morning.")
    assert made.codes().count("unplayable") == 1


def test_an_answer_of_its_own_in_a_format_that_nobody_knows_is_read_and_the_next_is_heard():
    made = bench("pcm16", says="pcm16")
    delta = e.AudioDelta(response_id="r1", item_id="a1", delta=bytes(4800))
    made.says(e.ResponseCreated(response=Response(id="r1", status="in_progress", output_audio_format="mp3")))
    assert not [each for each in made.says(delta) if isinstance(each, Play)]
    assert made.codes() == ["unplayable"]
    made.says(done())
    assert form_of(made.says(created("r2"), replace(delta, response_id="r2", item_id="a2"))) == PCM16


def test_a_format_that_is_only_greeted_with_is_not_told():
    assert "unplayable" not in bench("pcm16", greets="mp3", says="pcm16").codes()
    assert "unplayable" in bench("pcm16", greets="mp3", says=None).codes()


def test_a_microphone_whose_format_nobody_knows_is_told():
    made = bench("pcm16", says="mp3")
    assert made.codes().count("unspeakable") == 1
    assert form_of(made.records(20)) == PCM16


@pytest.mark.parametrize("form", [ULAW, ALAW, KNOWN_FORMATS["pcm16_8000hz"]], ids=str)
def test_g10_a_delta_that_would_grow_beyond_bounds_is_passed_over_and_told(form):
    """32 MiB of base64 are 50 minutes of G.711, which would take 144 MiB and a second to read."""
    made = bench("pcm16", says=form.name)
    delta = e.AudioDelta(response_id="r1", item_id="a1", delta=b"")
    most = 5 * 60 * form.rate * form.width
    made.says(created())
    assert len([each for each in made.says(replace(delta, delta=bytes(most))) if isinstance(each, Play)]) == 1
    effects = made.says(*[replace(delta, delta=bytes(most + form.unit))] * 3)
    assert not [each for each in effects if isinstance(each, Play)]
    assert [code for code in made.codes() if code != "settings_differ"] == ["malformed"]
    assert made.session.talk.malformed == 3
    assert form_of(made.says(replace(delta, delta=bytes(form.unit)))) == form, "the answer goes on"


def test_g10_sound_that_does_not_grow_is_only_bounded_by_its_frame():
    made = bench("pcm16", says="pcm16")
    made.says(created())
    effects = made.says(e.AudioDelta(response_id="r1", item_id="a1", delta=bytes(24 * 1024 * 1024)))
    assert form_of(effects) == PCM16
