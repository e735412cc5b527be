"""What a seed decides: a recipe for one world. The defaults are a calm talk; `draw` makes it lively."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any, Literal

from msgspec.structs import replace

from voicecli.core.stimuli import LinkEnded
from voicecli.ports import LinkFailure, Side, SoundFailure
from voicecli.protocol.dialects import Spelling
from voicecli.protocol.items import FORMATS
from voicecli.protocol.profiles import CROSSED, EMBEDDED_BETA, EMBEDDED_GA, GENERIC_BETA, OPENAI, QWEN, Profile
from voicecli.server.limits import Limits

from .card import CardRecipe
from .network import NetworkRecipe
from .server import ServerRecipe

What = Literal[
    "speak",
    "type",
    "interrupt",
    "mute",
    "unmute",
    "half-duplex",
    "echo off",
    "retry",
    "sleep",
    "keyboard ends",
    "quit",
    "hold",
    "toggle",
    "talk",
    "answer",
]


@dataclass
class Deed:
    """What the person does at `at` seconds of the talk, or so long after an answer is heard to begin."""

    what: What
    at: float
    value: float = 0.5
    """How long, for what takes time; the exit code of quit.

    A hold is one press of the talk key that is let go after it; toggle and talk are a press without a release (by key,
    by command), and where `value` is not 0 a second one after it.
    """


@dataclass
class Recipe:
    seed: int = 0
    began: float = 100.0
    profile: Profile = EMBEDDED_GA
    microphone: Literal["device", "file", "none"] = "device"
    speaker: bool = True
    keyboard: Literal["terminal", "pipe", "none"] = "terminal"
    echo: Literal["off", "half-duplex"] = "off"
    mode: Literal["talk", "chat"] = "talk"
    levels: bool = False
    ptt: bool = False
    auto_answer: bool = True
    silence_ms: int = 200
    input_format: str = "pcm16"
    """What the client asks for; that of answers is the server's."""
    card: CardRecipe = field(default_factory=CardRecipe)
    network: NetworkRecipe = field(default_factory=NetworkRecipe)
    server: ServerRecipe = field(default_factory=ServerRecipe)
    lags_s: tuple[float, ...] = (0.0,)
    """From a ring until the session's thread runs."""
    deeds: list[Deed] = field(default_factory=list)
    reactions: list[Deed] = field(default_factory=list)
    """To answers that begin to be heard, the first to the first."""
    patience_s: float = 150.0
    """A world that has not come to rest by then never will."""
    quits_at: float | None = None
    """Leaves then, whatever goes on. None: when all is at rest, or the talk ends by itself."""


def draw(seed: int) -> Recipe:
    """Every fourth one is a storm of interruptions, the others are all sorts of talks; some of all by push-to-talk."""
    recipe = _storm(seed) if seed % 4 == 3 else _lively(seed)
    rng = Random(f"format {seed}")
    if rng.random() < 0.4:
        recipe.input_format, recipe.server.output_format = rng.choice(list(FORMATS)), rng.choice(list(FORMATS))
    rng = Random(f"rate {seed}")
    if recipe.server.spelling is Spelling.BETA and rng.random() < 0.25:
        sixteen(recipe)
    rng = Random(f"key {seed}")
    if recipe.mode == "talk" and rng.random() < (0.5 if recipe.microphone == "file" else 0.2):
        _keyed(rng, recipe)
    return recipe


def sixteen(recipe: Recipe) -> Recipe:
    """Sound goes in at 16 kHz, nothing is truncated or deleted, and nobody reads what is typed."""
    recipe.profile = QWEN
    recipe.input_format = recipe.server.output_format = "pcm"
    recipe.server.hears, recipe.server.calls_it = QWEN.input, tuple(sorted(QWEN.names))
    return recipe


def _keyed(rng: Random, recipe: Recipe) -> None:
    """Who speaks presses a key, and sometimes a second one."""
    recipe.ptt, recipe.auto_answer = True, rng.random() < 0.9
    if recipe.microphone == "file":
        return
    for deeds in (recipe.deeds, recipe.reactions):
        for n, deed in enumerate(deeds):
            ways: tuple[What, ...] = ("hold", "hold", "hold", "toggle", "talk")
            if deed.what == "speak" or (deed.what == "type" and rng.random() < 0.3):
                held_s = rng.choice((deed.value, deed.value, 0.05, 0.09, 0.12, 0.31))
                deeds[n] = Deed(rng.choice(ways), deed.at, held_s)
    if recipe.deeds and rng.random() < 0.5:
        later = recipe.deeds[-1].at + rng.choice((0.0, 0.02, 0.1, 0.16, 0.4, 1.0))
        more: tuple[What, ...] = ("hold", "toggle", "talk", "interrupt", "mute", "answer")
        recipe.deeds.append(Deed(rng.choice(more), later, rng.choice((0.05, 0.4))))
    if recipe.keyboard == "pipe" and rng.random() < 0.5:
        recipe.keyboard = "terminal"


def _storm(seed: int) -> Recipe:
    """An answer of several items after the other, each interrupted, over a quick network and every sort of device."""
    rng = Random(f"storm {seed}")
    pick = rng.choice
    beta = rng.random() < 0.5
    server = _server(rng, Spelling.BETA if beta else Spelling.GA, foul=False)
    server.items, server.parts = pick(((1,), (2, 3), (2, 3))), pick(((1,), (1, 2)))
    server.kinds = pick((("spoken",), ("spoken",), ("spoken", "spoken", "written", "sound only")))
    server.seconds = pick(((0.1, 0.4), (0.3, 1.0), (0.02, 0.2, 1.5)))
    server.endings, server.delays_s = ("completed",), (0.0,)
    server.limits = replace(server.limits, requests_per_minute=500, speed=pick((3.0, 30.0)))
    card = _card(rng, foul=False)
    card.open_s = {}
    network = NetworkRecipe(
        dial_s=0.02, up_s=pick((0.0005, 0.01)), down_s=pick((0.0005, 0.01)), jitter_s=pick((0.0, 0.02))
    )
    ways: tuple[What, ...] = pick((("interrupt", "type"), ("speak",), ("interrupt", "type", "speak"), ("type",)))
    reactions = [
        Deed(pick(ways), pick((0.0, 0.02, 0.1, 0.4, 1.0)) * 2 * rng.random(), 0.15) for _ in range(rng.randint(2, 6))
    ]
    asks: What = "speak" if ways == ("speak",) else "type"
    return Recipe(
        seed=seed,
        began=pick((0.0, 100.0, 98_765.4321)),
        profile=pick((EMBEDDED_BETA, GENERIC_BETA) if beta else (EMBEDDED_GA, OPENAI)),
        silence_ms=pick((100, 200)),
        lags_s=pick(((0.0,), (0.0, 0.001, 0.005))),
        card=card,
        network=network,
        server=server,
        deeds=[Deed(asks, 0.3 + n * pick((0.7, 1.5)), 0.2) for n in range(rng.randint(1, 4))],
        reactions=reactions,
    )


def _lively(seed: int) -> Recipe:
    rng = Random(seed)
    pick = rng.choice
    foul = rng.random() < 0.5  # else nothing is missing, lost or refused
    beta = rng.random() < 0.4
    profile = pick((EMBEDDED_BETA, GENERIC_BETA) if beta else (EMBEDDED_GA, EMBEDDED_GA, OPENAI))
    if rng.random() < 0.15:
        profile = replace(profile, unheard=pick(("truncate", "leave")))
    if rng.random() < 0.05:
        profile = replace(profile, can=profile.can - {pick(("truncate", "delete"))}, benign=CROSSED)
    chat = rng.random() < 0.04
    pipe = rng.random() < 0.2
    recipe = Recipe(
        seed=seed,
        began=pick((0.0, 100.0, 98_765.4321)),
        profile=profile,
        microphone="none" if chat else pick(("device",) * 6 + ("file", "none")),
        speaker=not (chat or (foul and rng.random() < 0.08)),
        keyboard="pipe" if pipe else pick(("terminal",) * 7 + ("none",)),
        echo=pick(("off", "off", "off", "half-duplex")),
        mode="chat" if chat else "talk",
        levels=rng.random() < 0.1,
        silence_ms=pick((100, 200, 400)),
        lags_s=pick(((0.0,), (0.0, 0.0002, 0.001), (0.0, 0.001, 0.005, 0.03))),
        card=_card(rng, foul),
        network=_network(rng, foul),
        server=_server(rng, Spelling.BETA if beta else Spelling.GA, foul),
    )
    if recipe.microphone == "file":
        recipe.card.file_s = rng.uniform(0.2, 3.0)
        recipe.card.lost_s.pop(Side.MICROPHONE, None)
    if recipe.microphone == "none" and recipe.keyboard == "none":
        recipe.keyboard = "pipe"
    _person(rng, recipe)
    return recipe


def _card(rng: Random, foul: bool) -> CardRecipe:
    pick = rng.choice
    card = CardRecipe(
        period=pick((240, 240, 441, 480, 960)),
        depth=pick((1, 2, 3, 5, 20)),
        binds_late=rng.random() < 0.5,
        between_s=pick(((0.0,), (0.0, 0.0004, 0.002), (0.004, 0.04))),
        microphone_period=pick((480, 960, 960, 1920)),
        told_s=pick((0.0, 0.05, 0.9)),
        loss=pick((SoundFailure.LOST, SoundFailure.STALLED)),
    )
    for side in Side:
        card.open_s[side] = pick((0.0, 0.03, 0.03, 0.03, 0.3, 0.3, 1.5))
        if foul and rng.random() < 0.08:
            card.missing[side] = pick((SoundFailure.NO_DEVICE, SoundFailure.NO_DEVICE, SoundFailure.IN_USE))
        if foul and rng.random() < 0.15:
            card.lost_s[side] = rng.uniform(0.3, 4.0)
    if foul and rng.random() < 0.03:
        for side in Side:
            card.missing[side] = SoundFailure.NO_LIBRARY
    return card


def _network(rng: Random, foul: bool) -> NetworkRecipe:
    pick = rng.choice
    network = NetworkRecipe(
        dial_s=pick((0.0, 0.05, 0.05, 0.3, 0.3, 2.5)),
        up_s=pick((0.0005, 0.01, 0.05, 0.25)),
        down_s=pick((0.0005, 0.01, 0.05, 0.25)),
        jitter_s=pick((0.0, 0.01, 0.2)),
    )
    if foul and rng.random() < 0.25:
        network.drop_s = rng.uniform(0.0, 4.0)
        network.drop = pick(
            (
                LinkEnded(LinkFailure.DROPPED, None, "reset by peer", "simulated"),
                LinkEnded(LinkFailure.CLOSED, 1001, "going away", "simulated"),
                LinkEnded(LinkFailure.CLOSED, 1011, "", "simulated"),
            )
        )
    if foul and rng.random() < 0.08:
        network.refused = (pick((LinkFailure.DNS, LinkFailure.UNAUTHORIZED, LinkFailure.TIMEOUT)),)
    if foul and rng.random() < 0.12:
        network.stall = (rng.uniform(0.1, 2.0), pick((0.5, 2.5, 4.0)))
    return network


def _server(rng: Random, spelling: Spelling, foul: bool) -> ServerRecipe:
    pick = rng.choice

    def seldom(p: float, often: float) -> float:
        return often if rng.random() < p else 0.0

    server = ServerRecipe(
        spelling=spelling,
        prefix=pick((None, None, None, "same_")),
        limits=Limits(
            ahead_s=pick((None, 10.0, 0.5)),
            burst_s=pick((0.02, 0.2, 1.0)),
            speed=pick((1.0, 3.0, 30.0)),
            delta_samples=pick((241, 1200, 2400, 9600)),
            transcription_delay_s=pick((0.0, 0.15, 1.2)),
            requests_per_minute=pick((500,) * 8 + (2,)),
        ),
        items=pick(((1,), (1,), (1, 2), (2, 3), (0, 1, 1, 2))),
        parts=pick(((1,), (1, 2), (0, 1, 1, 3))),
        kinds=pick(
            (
                ("spoken",),
                ("spoken", "sound only"),
                ("spoken", "written"),
                ("spoken", "spoken", "written", "sound only", "empty"),
                ("spoken",),
                pick((("written",), ("spoken",))),
            )
        ),
        seconds=pick(((0.3, 1.0), (0.05, 0.3, 1.5), (1 / 24000, 23 / 24000, 24 / 24000, 0.01, 0.5), (1.0, 2.0))),
        words=pick((1, 3, 6)),
        endings=pick((("completed",), ("completed",), ("completed", "completed", "incomplete", "failed"))),
        delays_s=pick(((0.0,), (0.0, 0.4, 1.2))),
        done_before_started=rng.random() < 0.3,
        doubled=seldom(0.3, 0.5),
        nonsense=seldom(0.2, 0.05),
        odd=seldom(0.3, 0.4),
        says_created=not (foul and rng.random() < 0.08),
        late_ends=rng.random() < 0.25,
        calls=seldom(0.2, 0.4),
        untranscribed=seldom(0.2, 0.5),
        refused_creates=seldom(0.2 if foul else 0.0, 0.4),
        nameless=rng.random() < 0.2,
        truncate=pick(("obeyed",) * 6 + ("ignored", "refused")) if foul else "obeyed",
        update=pick(("obeyed",) * 8 + ("refused", "refused without a name", "ignored")) if foul else "obeyed",
        greets=not (foul and rng.random() < 0.02),
    )
    if foul and rng.random() < 0.06:
        server.hangs = pick(("asked", "created", "cancelled"))
    return server


def _person(rng: Random, recipe: Recipe) -> None:
    pick = rng.choice
    ways: list[Any] = ["interrupt"]
    if recipe.microphone != "none":
        ways += ["speak"] * 5 + ["unmute"] * 2 + pick((["mute"], []))
    if recipe.keyboard != "none":
        ways += ["type"] * 4
    ways += [pick(("half-duplex", "echo off", "interrupt", "retry"))]
    opening = sum(recipe.card.open_s.values()) + recipe.network.dial_s
    at = rng.uniform(0.0, 1.0) if rng.random() < 0.2 else rng.uniform(0.0, 1.0) + opening + 4 * recipe.network.down_s
    first = "speak" if recipe.microphone != "none" and (recipe.keyboard == "none" or rng.random() < 0.6) else "type"
    recipe.deeds.append(Deed(first, at, pick((0.15, 0.4, 0.9))))
    for _ in range(rng.randint(0, 4)):
        at += pick((0.0, 0.0005, 0.02, 0.3, 0.8, 1.5))
        recipe.deeds.append(Deed(pick(ways), at, pick((0.15, 0.4, 0.9))))
    if rng.random() < 0.5:
        at += rng.uniform(0.5, 2.5)
        recipe.deeds.append(Deed(first, at, pick((0.15, 0.4, 0.9))))
    if recipe.network.drop_s is not None or recipe.network.refused:
        at = max(at, 2.0 + (recipe.network.drop_s or 0.0))
        if rng.random() < 0.7:
            recipe.deeds.append(Deed("retry", at))
            recipe.deeds.append(Deed(pick(ways), at + rng.uniform(0.0, 1.0)))
    ways += ["interrupt"] * 2 + ["speak", "type"] * (len(ways) // 4)
    ways = [way for way in ways if way != "speak" or recipe.microphone != "none"]
    ways = [way for way in ways if way != "type" or recipe.keyboard != "none"]
    for _ in range(rng.randint(1, 4)):
        recipe.reactions.append(Deed(pick(ways), pick((0.0, 0.001, 0.03, 0.1, 0.3, 0.7)) * rng.random() * 2, 0.2))
    if rng.random() < 0.02:
        recipe.deeds.append(Deed("sleep", at, pick((0.4, 1.5, 31.0))))
    if recipe.keyboard == "pipe":
        recipe.deeds.append(Deed("keyboard ends", at + rng.uniform(0.0, 0.5)))
    if rng.random() < 0.08:
        recipe.quits_at = rng.uniform(0.0, 4.0)
    recipe.deeds.sort(key=lambda deed: deed.at)
