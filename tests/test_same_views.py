"""The same world in both spellings shows the same: every row, notice and interruption, by its text, not by its name."""

import re
from dataclasses import replace as altered
from typing import Any, NamedTuple

import pytest
from msgspec.structs import asdict, replace
from world.pair import World
from world.recipe import Recipe, draw
from world.scripted import WORLDS

from voicecli.protocol.dialects import Spelling
from voicecli.protocol.profiles import EMBEDDED_BETA, EMBEDDED_GA, QWEN
from voicecli.ui.jsonl import Jsonl
from voicecli.ui.plain import Plain
from voicecli.ui.view import View

PROFILES = {Spelling.BETA: EMBEDDED_BETA, Spelling.GA: EMBEDDED_GA}
SEEDS = 60
SECONDS = re.compile(r"\d+(\.\d+)?( seconds?| tokens?)")
LENGTHS = ("heard_ms", "received_ms")
NEAR_MS = 60
"""When the card starts and stops is drawn too, so where an answer is cut these may differ a little."""


def calm(recipe: Recipe) -> Recipe:
    """Without what is drawn anew for each frame: the spellings have not the same number of frames.

    And no turn is left without words after GA has told some of them.
    """
    recipe.network.jitter_s = 0.0
    recipe.lags_s = recipe.card.between_s = (0.0,)
    server = recipe.server
    server.doubled = server.nonsense = server.odd = server.calls = server.untranscribed = 0.0
    server.refused_creates = float(server.refused_creates > 0.0)
    return recipe


def spelled(recipe: Recipe, spelling: Spelling) -> Recipe:
    profile = replace(PROFILES[spelling], unheard=recipe.profile.unheard, can=recipe.profile.can)
    return altered(recipe, profile=profile, server=altered(recipe.server, spelling=spelling))


class Shown(NamedTuple):
    view: list[Any]
    """That a face has at the end."""
    lengths: list[int]
    """Of what was heard and received, in milliseconds."""
    lines: list[str]
    """Of the plain face."""
    kinds: list[str]
    """Of the JSON lines."""


def shown(recipe: Recipe) -> Shown:
    world = World(recipe)
    world.run()
    view, plain, jsonl = View(), Plain(echo_typed=True, states=True), Jsonl()
    lines: list[str] = []
    kinds: list[str] = []
    for change in world.shown:
        view.apply(change)
        lines += plain.show(change, 0.0)
        kinds += [line.partition('"type":')[2].partition(",")[0] for line in jsonl.show(change, 0.0)]
    names = {item: n for n, item in enumerate(view.order)}
    rows = [
        {**asdict(row), "item": names[row.item], "after": names.get(row.after) if row.after else None}
        for row in view.rows()
    ]
    lengths = [row.pop(name) or 0 for row in rows for name in LENGTHS]
    for row in rows:
        del row["started"], row["ended"]
    cuts = [
        (cut.by, cut.silent_ms is None, [names.get(one.item) for one in cut.cut], len(cut.removed))
        for cut in view.interruptions
    ]
    told = [(notice.code, notice.severity, notice.title, notice.hint) for notice in view.notices]
    lengths += [one.audio_end_ms for cut in view.interruptions for one in cut.cut]
    return Shown([rows, cuts, told, view.phase, view.ended], lengths, lines, kinds)


def same(recipe: Recipe) -> int:
    beta, ga = (shown(spelled(recipe, spelling)) for spelling in Spelling)
    for one, other in zip(beta.view, ga.view, strict=True):
        assert one == other, recipe.seed
    assert beta.lengths == pytest.approx(ga.lengths, abs=NEAR_MS)
    assert [SECONDS.sub("", line) for line in beta.lines] == [SECONDS.sub("", line) for line in ga.lines]
    assert [kind for kind in beta.kinds if kind != '"delta"'] == [kind for kind in ga.kinds if kind != '"delta"']
    return len(beta.view[0])


@pytest.mark.parametrize("name", [name for name, recipe in WORLDS.items() if recipe().profile is not QWEN])
def test_a_written_world_shows_the_same_in_both_spellings(name: str) -> None:
    same(calm(WORLDS[name]()))


def test_drawn_worlds_show_the_same_in_both_spellings() -> None:
    recipes = [(seed, draw(seed)) for seed in range(SEEDS)]
    rows = [same(calm(recipe)) for _, recipe in recipes if recipe.profile is not QWEN]
    assert sum(rows) > SEEDS
