"""The pair test: thousands of seeded worlds in which the real client talks with the real server, and what must hold.

The invariants stand in `world/witness.py` and `world/pair.py` (`hold`), each under its name. VOICECLI_WORLDS says how
many worlds are drawn (750); `python -m tests.world 20000` draws more, on every core, `--seed N` runs one alone.
"""

import os

import pytest
from world.clock import Stuck
from world.ear import Broken
from world.mutants import FIVE, MORE, caught
from world.pair import CANARY, World
from world.recipe import draw
from world.rows import every, never
from world.scripted import WORLDS

from voicecli.core.changes import Ended, Interrupted, Told, TurnOpened
from voicecli.core.effects import Read
from voicecli.core.heard import Fate
from voicecli.core.intake import ENOUGH, MOST
from voicecli.ports import RATE
from voicecli.protocol.dialects import Spelling
from voicecli.protocol.items import FORMATS
from voicecli.protocol.profiles import QWEN

DRAWN = int(os.environ.get("VOICECLI_WORLDS", "750"))
CHUNK = 75


def run(recipe, name):
    world = World(recipe)
    try:
        world.run()
    except Exception as why:
        told = "\n".join([f"{name}: {why}", str(recipe), *world.last])
        if isinstance(why, Broken | Stuck):
            pytest.fail(told, pytrace=False)
        raise AssertionError(told) from why
    return world


@pytest.mark.parametrize("first", range(0, DRAWN, CHUNK))
def test_every_drawn_world_holds(first):
    for seed in range(first, min(first + CHUNK, DRAWN)):
        run(draw(seed), f"python -m tests.world --seed {seed}")


@pytest.mark.parametrize("name", WORLDS)
def test_every_written_world_holds(name):
    run(WORLDS[name](), name)


def test_each_format_is_drawn_in_both_directions_and_in_both_spellings_and_16_khz_too():
    drawn = [draw(seed) for seed in range(600)]
    seen = {
        (one.server.spelling, way) for one in drawn for way in (one.input_format, f"out {one.server.output_format}")
    }
    wanted = {(spelling, f"{way}{name}") for spelling in Spelling for way in ("", "out ") for name in FORMATS}
    assert wanted <= seen
    assert sum(one.profile is QWEN for one in drawn) > 10


def test_what_is_said_at_16_khz_is_heard_and_answered_and_what_is_typed_is_not_sent():
    name = "sound at 16 kHz"
    world = run(WORLDS[name](), name)
    rows = [(change.role, change.via) for change in world.shown if isinstance(change, TurnOpened)]
    assert rows.count(("you", "voice")) >= 3
    assert rows.count(("assistant", "voice")) >= 3
    assert "listens_only" in codes(name)
    (server,) = world.servers
    spoken = [item for item in server.session.view() if item.role == "user"]
    assert len(spoken) == rows.count(("you", "voice"))


def test_no_row_of_any_table_is_left_untaken():
    taken = set()
    for name, recipe in WORLDS.items():
        taken |= set(run(recipe(), name).rows)
    left = never(taken)
    print(f"{len(every()) - len(left)} of {len(every())} rows taken; never:", *left, sep="\n")
    assert not left
    assert taken <= set(every()), "a table is missing in world/rows.py"


@pytest.mark.parametrize("seed", range(0, 40, 3))
def test_the_same_seed_gives_the_same_effects_byte_for_byte(seed):
    def told():
        lines = []
        World(draw(seed), log=lambda *what: lines.append(repr(what))).run()
        return lines

    first = told()
    assert len(first) > 2
    assert first == told()


@pytest.mark.parametrize("seed", range(1, 40, 5))
def test_the_key_is_in_no_stimulus_effect_or_change(seed):
    lines = []
    world = World(draw(seed), log=lambda *what: lines.append(repr(what)))
    world.run()
    assert any(CANARY in value for _, value in world.network.headers)
    for line in (*lines, repr(world.plan), *map(repr, world.engine.last), *map(repr, world.shown)):
        assert CANARY not in line


@pytest.mark.parametrize("mutant", [*FIVE, *MORE], ids=lambda mutant: mutant.__name__)
def test_a_broken_ledger_is_caught(mutant):
    found = caught(mutant, 500)
    assert found is not None, f"{mutant.__doc__} Nothing noticed."
    print(f"{mutant.__name__}: seed {found[0]}, {found[1]}")


def shown(name, kind):
    return [change for change in run(WORLDS[name](), name).shown if isinstance(change, kind)]


def codes(name):
    return [told.code for told in shown(name, Told)]


def test_a_talk_with_a_dead_device_tells_of_the_interruption_all_the_same():
    (stopped, *_) = shown("a dead device is not waited for", Interrupted)
    assert stopped.silent_ms is None
    assert len(stopped.cut) == 1


def test_a_file_and_a_pipe_end_the_talk_by_themselves_with_0():
    (ended,) = shown("a file and a pipe", Ended)
    assert (ended.exit_code, ended.reason) == (0, "done")


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("the server never greets", "no_greeting"),
        ("the settings are refused", "settings_refused"),
        ("the settings are refused without a name", "settings_refused"),
        ("the settings are never answered", "not_configured"),
        ("the server cannot be reached", "refused_tcp"),
        ("the link is lost in mid-answer, and there is another", "forgotten"),
        ("the link is too slow for the voice", "audio_dropped"),
        ("refused", "answer_refused"),
        ("never begun", "no_answer"),
        ("begun and never done", "no_answer"),
        ("the microphone is lost in mid-turn", "device_lost"),
        ("the process stood still for long", "muted_after_sleep"),
        ("no sound library", "no_library"),
        ("the server refuses to truncate", "cut_refused"),
        ("too short", "too_short"),
        ("held for two minutes", "recording_full"),
        ("latched for two minutes, and thrown away", "thrown_away"),
        ("muted while the key is held", "pressed_muted"),
        ("the link is lost while the key is held", "recording_lost"),
    ],
)
def test_what_goes_wrong_is_told(name, code):
    assert code in codes(name)


HOURS = "more than half an hour "


@pytest.mark.parametrize(
    ("name", "fate", "reads"),
    [
        ("is heard to its end", Fate.WHOLE, [False, True]),
        ("is thrown away once all of it is here", Fate.CUT, [False, True]),
        ("is thrown away while the rest waits", Fate.CUT, [False, True]),
    ],
)
def test_g13_more_than_half_an_hour_waits_at_the_server_and_none_of_it_is_lost(name, fate, reads):
    took = []

    def log(stimulus, at, effects):
        took.extend(
            (effect.on, at, world.session.talk.ledger.queued(at)) for effect in effects if isinstance(effect, Read)
        )

    world = World(WORLDS[HOURS + name](), log=log)
    witness = world.run()
    assert [on for on, _, _ in took] == reads
    (_, rested_at, rested), (_, read_at, left) = took
    assert MOST <= rested < MOST + 61 * RATE
    assert left <= ENOUGH
    verdicts = [said.verdict for said in witness.items.values()]
    assert verdicts[0].fate is fate
    if name != "is thrown away while the rest waits":
        assert read_at - rested_at == pytest.approx(5 * 60, abs=61), "it goes on after five minutes were heard"
        assert verdicts[0].received == 1_980 * RATE
    else:
        assert read_at == pytest.approx(world.recipe.began + 20.0, abs=0.01)
        assert verdicts[0].received < 1_980 * RATE, "what comes of it later is not laid"
    assert "resting" in [told.code for told in world.shown if isinstance(told, Told)]


def test_a_file_that_is_one_press_ends_the_talk_by_itself_with_0():
    (ended,) = shown("a file is one press", Ended)
    assert (ended.exit_code, ended.reason) == (0, "done")


@pytest.mark.parametrize("name", ["refused because of another", "refused because of another, without a name"])
def test_a_create_that_crossed_with_another_answer_is_not_told(name):
    assert codes(name) == []
