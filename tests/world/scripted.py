"""Worlds that are written, not drawn: what seldom happens, so that no row of any table is left to chance."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from voicecli.core.stimuli import LinkEnded
from voicecli.ports import RATE, LinkFailure, Side, SoundFailure
from voicecli.protocol.dialects import Spelling
from voicecli.protocol.profiles import EMBEDDED_BETA, EMBEDDED_GA
from voicecli.server.limits import Limits

from .card import CardRecipe
from .network import NetworkRecipe
from .recipe import Deed, Recipe, sixteen
from .server import ServerRecipe

GONE = LinkEnded(LinkFailure.DROPPED, None, "reset by peer", "simulated")
LONG = (3.0,)
AHEAD = Limits(speed=30.0, ahead_s=None)


def _typed_twice(at: float = 1.0) -> list[Deed]:
    return [Deed("type", at), Deed("interrupt", at + 0.001)]


def _keyed(*deeds: Deed) -> Recipe:
    return Recipe(ptt=True, deeds=list(deeds))


def _filled(*deeds: Deed) -> Recipe:
    """Two minutes are long: the microphone's blocks are too."""
    return Recipe(ptt=True, deeds=list(deeds), card=CardRecipe(microphone_period=4800))


def _hours(*deeds: Deed) -> Recipe:
    """An answer of 33 minutes that comes within a few seconds, a minute in each frame; and a card of few interrupts."""
    return Recipe(
        microphone="none",
        deeds=list(deeds),
        patience_s=2_100.0,
        card=CardRecipe(period=9_600, depth=2),
        server=ServerRecipe(
            seconds=(1_980.0,), words=1, limits=Limits(ahead_s=None, speed=600.0, delta_samples=60 * RATE)
        ),
    )


WORLDS: dict[str, Callable[[], Recipe]] = {
    "a calm talk": lambda: Recipe(deeds=[Deed("speak", 1.0), Deed("type", 3.0)]),
    "a calm talk in the beta spelling": lambda: Recipe(
        profile=EMBEDDED_BETA,
        server=ServerRecipe(spelling=Spelling.BETA),
        deeds=[Deed("speak", 1.0), Deed("type", 3.0)],
    ),
    # ---- the link
    "the person leaves while it is dialled": lambda: Recipe(network=NetworkRecipe(dial_s=2.5), quits_at=0.5),
    "the server cannot be reached": lambda: Recipe(
        network=NetworkRecipe(refused=(LinkFailure.REFUSED_TCP,)), keyboard="terminal"
    ),
    "it cannot be reached at first": lambda: Recipe(
        network=NetworkRecipe(drop_s=0.3, refused=(None, LinkFailure.DNS)),
        deeds=[Deed("type", 0.2), Deed("retry", 1.0), Deed("type", 1.1), Deed("retry", 2.0)],
    ),
    "the server never greets": lambda: Recipe(server=ServerRecipe(greets=False), deeds=[Deed("type", 12.0)]),
    "the person leaves before the greeting": lambda: Recipe(server=ServerRecipe(greets=False), quits_at=1.0),
    "the link is lost before the greeting": lambda: Recipe(
        server=ServerRecipe(greets=False), network=NetworkRecipe(drop_s=1.0)
    ),
    "the settings are refused": lambda: Recipe(server=ServerRecipe(update="refused"), deeds=[Deed("speak", 1.0)]),
    "the settings are refused without a name": lambda: Recipe(
        server=ServerRecipe(update="refused without a name"), deeds=[Deed("type", 1.0)]
    ),
    "the settings are never answered": lambda: Recipe(
        server=ServerRecipe(update="ignored"), deeds=[Deed("speak", 1.0), Deed("speak", 11.0)]
    ),
    "the person leaves while the settings are open": lambda: Recipe(
        server=ServerRecipe(update="ignored"), quits_at=1.0
    ),
    "the link is lost while the settings are open": lambda: Recipe(
        server=ServerRecipe(update="ignored"), network=NetworkRecipe(drop_s=1.0)
    ),
    "the link is lost in mid-answer, and there is another": lambda: Recipe(
        network=NetworkRecipe(drop_s=1.6, drop=GONE),
        server=ServerRecipe(seconds=LONG, limits=AHEAD),
        deeds=[Deed("type", 1.0), Deed("retry", 3.0), Deed("type", 4.0)],
    ),
    "the new server gives the ids of the old one": lambda: Recipe(
        network=NetworkRecipe(drop_s=1.6, drop=GONE),
        server=ServerRecipe(seconds=LONG, limits=AHEAD, prefix="same_"),
        deeds=[Deed("type", 1.0), Deed("retry", 1.8), Deed("type", 2.2), Deed("interrupt", 3.0)],
    ),
    "the old answer is heard while the new one comes, under the same id": lambda: Recipe(
        network=NetworkRecipe(drop_s=1.6, drop=GONE),
        server=ServerRecipe(seconds=LONG, limits=AHEAD, prefix="same_"),
        deeds=[Deed("type", 1.0), Deed("type", 1.7), Deed("retry", 1.8), Deed("interrupt", 4.7)],
    ),
    "the link is too slow for the voice": lambda: Recipe(
        network=NetworkRecipe(stall=(1.0, 4.0)), deeds=[Deed("speak", 1.0, 3.0)]
    ),
    # ---- responses
    "stopped before it has an id": lambda: Recipe(
        network=NetworkRecipe(up_s=0.2, down_s=0.2), deeds=[*_typed_twice(), Deed("type", 3.0)]
    ),
    "stopped before it is refused": lambda: Recipe(
        network=NetworkRecipe(up_s=0.2, down_s=0.2), server=ServerRecipe(refused_creates=1.0), deeds=_typed_twice()
    ),
    "refused": lambda: Recipe(server=ServerRecipe(refused_creates=1.0), deeds=[Deed("type", 1.0)]),
    "refused because of another": lambda: Recipe(
        network=NetworkRecipe(up_s=0.2, down_s=0.2),
        server=ServerRecipe(seconds=LONG),
        deeds=[Deed("speak", 1.0, 0.4), Deed("type", 1.65), Deed("type", 1.7)],
    ),
    "refused because of another, without a name": lambda: Recipe(
        network=NetworkRecipe(up_s=0.2, down_s=0.2),
        server=ServerRecipe(seconds=LONG, nameless=True),
        deeds=[Deed("speak", 1.0, 0.4), Deed("type", 1.65), Deed("type", 1.7)],
    ),
    "never begun": lambda: Recipe(server=ServerRecipe(hangs="asked"), deeds=[Deed("type", 1.0), Deed("type", 33.0)]),
    "begun and never done": lambda: Recipe(
        server=ServerRecipe(hangs="created"), deeds=[Deed("type", 1.0), Deed("type", 33.0)]
    ),
    "cancelled and never done": lambda: Recipe(
        server=ServerRecipe(hangs="cancelled", seconds=LONG), deeds=[Deed("type", 1.0), Deed("interrupt", 1.6)]
    ),
    "without response.created, and nothing is said": lambda: Recipe(
        server=ServerRecipe(says_created=False, items=(0,)), deeds=[Deed("type", 1.0)]
    ),
    "without response.created": lambda: Recipe(server=ServerRecipe(says_created=False), deeds=[Deed("type", 1.0)]),
    # ---- the microphone
    "muted before the link is there": lambda: Recipe(
        network=NetworkRecipe(dial_s=1.0), deeds=[Deed("mute", 0.5), Deed("unmute", 2.0), Deed("speak", 2.5)]
    ),
    "muted in mid-turn": lambda: Recipe(deeds=[Deed("speak", 1.0, 1.0), Deed("mute", 1.5), Deed("unmute", 5.0)]),
    "muted while the turn's beginning is on its way": lambda: Recipe(
        network=NetworkRecipe(down_s=0.3), deeds=[Deed("speak", 1.0, 1.0), Deed("mute", 1.3)]
    ),
    "muted in mid-turn over a link that stands still": lambda: Recipe(
        network=NetworkRecipe(stall=(1.2, 4.0)), deeds=[Deed("speak", 1.0, 1.0), Deed("mute", 1.5)]
    ),
    "muted and not, while the room still rings": lambda: Recipe(
        echo="half-duplex",
        server=ServerRecipe(seconds=LONG, limits=AHEAD),
        deeds=[Deed("type", 1.0), Deed("mute", 1.5), Deed("interrupt", 1.7), Deed("unmute", 1.75)],
    ),
    "muted while the microphone opens": lambda: Recipe(
        card=CardRecipe(open_s={Side.MICROPHONE: 2.0}), deeds=[Deed("mute", 1.0), Deed("unmute", 4.0)]
    ),
    "half-duplex": lambda: Recipe(
        echo="half-duplex",
        server=ServerRecipe(seconds=LONG),
        deeds=[Deed("type", 1.0), Deed("speak", 1.5), Deed("mute", 2.0), Deed("unmute", 2.5), Deed("type", 7.0)],
    ),
    "half-duplex, and the link is lost": lambda: Recipe(
        echo="half-duplex",
        server=ServerRecipe(seconds=LONG, limits=AHEAD),
        network=NetworkRecipe(drop_s=1.8),
        deeds=[Deed("type", 1.0)],
    ),
    "half-duplex from the middle of an answer": lambda: Recipe(
        server=ServerRecipe(seconds=LONG),
        deeds=[Deed("type", 1.0), Deed("half-duplex", 1.7), Deed("speak", 2.0), Deed("echo off", 2.8)],
    ),
    "the microphone is lost in mid-turn": lambda: Recipe(
        card=CardRecipe(lost_s={Side.MICROPHONE: 1.4}), deeds=[Deed("speak", 1.0, 1.0), Deed("unmute", 4.0)]
    ),
    "no microphone, and it is asked for": lambda: Recipe(
        card=CardRecipe(missing={Side.MICROPHONE: SoundFailure.NO_DEVICE}),
        deeds=[Deed("unmute", 1.0), Deed("mute", 2.0), Deed("type", 2.5)],
    ),
    "the process stood still": lambda: Recipe(deeds=[Deed("sleep", 1.0, 1.5), Deed("speak", 4.0)]),
    "the process stood still for long": lambda: Recipe(
        deeds=[Deed("sleep", 1.0, 31.0), Deed("unmute", 34.0), Deed("speak", 34.5)]
    ),
    "a file and a pipe": lambda: Recipe(
        microphone="file",
        keyboard="pipe",
        card=CardRecipe(file_s=1.0),
        deeds=[Deed("speak", 0.0, 0.6), Deed("type", 0.1), Deed("keyboard ends", 0.2)],
    ),
    # ---- formats
    "a talk in G.711": lambda: Recipe(
        input_format="g711_ulaw",
        server=ServerRecipe(output_format="g711_alaw", seconds=LONG),
        deeds=[Deed("speak", 1.0), Deed("type", 4.0)],
        reactions=[Deed("speak", 0.4)],
    ),
    "sound at 16 kHz": lambda: sixteen(
        Recipe(
            server=ServerRecipe(spelling=Spelling.BETA, seconds=LONG),
            deeds=[Deed("speak", 1.0), Deed("type", 1.5), Deed("interrupt", 2.5), Deed("speak", 5.0)],
            reactions=[Deed("speak", 0.4)],
        )
    ),
    "sound at 16 kHz by push-to-talk": lambda: sixteen(
        Recipe(ptt=True, server=ServerRecipe(spelling=Spelling.BETA), deeds=[Deed("hold", 1.0, 0.8)])
    ),
    "G.711 is refused": lambda: Recipe(
        input_format="g711_ulaw",
        server=ServerRecipe(output_format="g711_ulaw", update="refused"),
        deeds=[Deed("speak", 1.0), Deed("type", 3.0)],
    ),
    # ---- push-to-talk
    "held": lambda: _keyed(Deed("hold", 1.0, 0.8), Deed("hold", 4.0, 0.4)),
    "held in the beta spelling": lambda: Recipe(
        ptt=True,
        profile=EMBEDDED_BETA,
        server=ServerRecipe(spelling=Spelling.BETA),
        deeds=[Deed("hold", 1.0, 0.8), Deed("talk", 4.0, 0.4)],
    ),
    "tapped, and tapped again": lambda: _keyed(Deed("hold", 1.0, 0.1), Deed("hold", 2.0, 0.1)),
    "toggled": lambda: _keyed(Deed("toggle", 1.0, 0.9), Deed("talk", 4.0, 0.3)),
    "held, and ended by a command": lambda: _keyed(Deed("hold", 1.0, 0.8), Deed("talk", 1.5, 0.0)),
    "let go and pressed again before the sound was there": lambda: _keyed(
        Deed("hold", 1.0, 0.5), Deed("hold", 1.501, 0.5), Deed("talk", 4.0, 0.5), Deed("talk", 4.501, 0.5)
    ),
    "an answer is stopped by the key": lambda: Recipe(
        ptt=True,
        server=ServerRecipe(seconds=LONG),
        deeds=[Deed("type", 1.0), Deed("hold", 2.0, 0.6)],
        reactions=[Deed("type", 9.0), Deed("hold", 0.5, 0.5), Deed("toggle", 0.7, 0.8)],
    ),
    "too short": lambda: _keyed(Deed("talk", 1.0, 0.08)),
    "held for two minutes": lambda: _filled(Deed("hold", 1.0, 124.0), Deed("talk", 126.0, 0.0)),
    "latched for two minutes, and thrown away": lambda: _filled(Deed("talk", 1.0, 0.0), Deed("interrupt", 123.0)),
    "thrown away": lambda: _keyed(
        *(Deed("hold", 1.0, 0.8), Deed("interrupt", 1.5)),
        *(Deed("talk", 3.0, 0.0), Deed("interrupt", 3.5)),
        *(Deed("hold", 5.0, 0.5), Deed("interrupt", 5.501)),
    ),
    "muted while the key is held": lambda: _keyed(
        Deed("hold", 1.0, 0.8), Deed("mute", 1.5), Deed("hold", 2.5, 0.5), Deed("unmute", 4.0), Deed("hold", 4.5, 0.5)
    ),
    "the microphone is lost while the key is held": lambda: Recipe(
        ptt=True, card=CardRecipe(lost_s={Side.MICROPHONE: 1.6}), deeds=[Deed("hold", 1.0, 1.5), Deed("hold", 4.0, 0.5)]
    ),
    "the keyboard ends while it is latched": lambda: _keyed(Deed("talk", 1.0, 0.0), Deed("keyboard ends", 2.0)),
    "the link is lost while the key is held": lambda: Recipe(
        ptt=True,
        network=NetworkRecipe(drop_s=1.6, drop=GONE),
        deeds=[Deed("hold", 1.0, 1.0), Deed("retry", 3.0), Deed("hold", 4.0, 0.5)],
    ),
    "the link is too slow for what the key sends": lambda: Recipe(
        ptt=True, network=NetworkRecipe(stall=(1.0, 4.0)), deeds=[Deed("hold", 1.0, 3.0)]
    ),
    "a file is one press": lambda: Recipe(
        ptt=True, microphone="file", keyboard="none", card=CardRecipe(file_s=1.0), server=ServerRecipe(seconds=(2.0,))
    ),
    "answers only when they are asked for": lambda: Recipe(
        ptt=True, auto_answer=False, deeds=[Deed("hold", 1.0, 0.5), Deed("hold", 3.0, 0.5), Deed("answer", 5.0)]
    ),
    # ---- the speaker
    "no sound library": lambda: Recipe(
        card=CardRecipe(missing=dict.fromkeys(Side, SoundFailure.NO_LIBRARY)), deeds=[Deed("type", 1.0)]
    ),
    "the speaker is lost in mid-answer": lambda: Recipe(
        card=CardRecipe(lost_s={Side.SPEAKER: 1.8}),
        server=ServerRecipe(seconds=LONG),
        deeds=[Deed("type", 1.0), Deed("interrupt", 2.5), Deed("type", 3.0)],
    ),
    "a dead device is not waited for": lambda: Recipe(
        card=CardRecipe(lost_s={Side.SPEAKER: 1.8}, told_s=2.0),
        server=ServerRecipe(seconds=LONG),
        deeds=[Deed("type", 1.0), Deed("interrupt", 2.0), Deed("type", 4.0)],
    ),
    "cut again inside the fade": lambda: Recipe(
        card=CardRecipe(abort_s=(0.3, 0.3)),
        network=NetworkRecipe(up_s=0.001, down_s=0.001),
        server=ServerRecipe(seconds=LONG, items=(2,)),
        deeds=[Deed("type", 1.0), Deed("type", 1.5), Deed("interrupt", 1.6), Deed("interrupt", 1.601)],
    ),
    "the speaker opens late": lambda: Recipe(
        card=CardRecipe(open_s={Side.SPEAKER: 3.0}),
        deeds=[Deed("type", 0.5), Deed("type", 1.5), Deed("type", 3.2)],
    ),
    # ---- more than half an hour of sound at once (G13)
    "more than half an hour is heard to its end": lambda: _hours(Deed("type", 1.0)),
    "more than half an hour is thrown away while the rest waits": lambda: _hours(
        Deed("type", 1.0), Deed("interrupt", 20.0), Deed("type", 21.0), Deed("interrupt", 22.0)
    ),
    "more than half an hour is thrown away once all of it is here": lambda: _hours(
        Deed("type", 1.0), Deed("interrupt", 400.0)
    ),
    # ---- servers
    "the server refuses to truncate": lambda: Recipe(
        server=ServerRecipe(seconds=LONG, truncate="refused"), deeds=[Deed("type", 1.0), Deed("type", 2.0)]
    ),
    "the server ignores truncates": lambda: Recipe(
        server=ServerRecipe(seconds=LONG, truncate="ignored"), deeds=[Deed("type", 1.0), Deed("type", 2.0)]
    ),
    "nobody there can truncate or delete": lambda: Recipe(
        profile=replace(EMBEDDED_GA, can=frozenset({"cancel", "transcribe", "audio"})),
        server=ServerRecipe(seconds=LONG, items=(2,)),
        deeds=[Deed("type", 1.0), Deed("type", 2.0)],
    ),
}
"""Name -> recipe."""
