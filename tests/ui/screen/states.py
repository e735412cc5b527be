"""The states of the screen, each reached by changes and by keys, as text: what stands in it, and in which inks.

    python -m tests.ui.screen.states --write [NAME ...]     writes them anew into tests/screens, all or those named

Read what has changed before it is committed: `git diff tests/screens`.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal, NamedTuple
from unittest import mock

from textual.pilot import Pilot

from tests.ui.screen.emulated import Emulated, Pen, Run
from tests.ui.screen.recording import Recording
from tests.ui.screen.scripted import Scripted
from voicecli.core import notices
from voicecli.core.changes import (
    AnyChange,
    Cut,
    Delayed,
    Foreign,
    HeardNow,
    Interrupted,
    LevelsNow,
    LimitNow,
    LimitsNow,
    LinkNow,
    PhaseNow,
    QueuedNow,
    SoundNow,
    Started,
    Tokens,
    TurnGrew,
    TurnOpened,
    TurnSet,
    UsageNow,
)
from voicecli.core.limits import Limits
from voicecli.core.stimuli import Asked, LinkEnded, TalkPressed
from voicecli.ports import LinkFailure, Side, SoundFailed, SoundFailure
from voicecli.ui.screen.app import Look, TalkApp
from voicecli.ui.screen.theme import DARK, LIGHT, PLAIN, Inks

FOLDER: Final = Path(__file__).parents[2] / "screens"
SIZES: Final = ((80, 24), (120, 40))
BEGAN: Final = 1000.0
"""When the talk began, by the clock of the screen."""
NOW: Final = BEGAN + 724.0
LOUD: Final = (
    *(
        -27.0,
        -14.0,
        -9.0,
        -18.0,
        -12.0,
        -7.0,
        -24.0,
        -31.0,
        -16.0,
        -5.0,
        -11.0,
        -20.0,
        -38.0,
        -60.0,
        -22.0,
        -8.0,
        -13.0,
    ),
    *(-29.0, -19.0, -10.0, -4.0, -15.0, -26.0, -34.0, -17.0, -9.0, -60.0, -60.0, -60.0, -21.0, -12.0, -6.0, -23.0),
)
"""Peaks of speech, ten a second, again and again."""

SEEN_ON_BLANKS: Final = frozenset({"reverse", "underline", "strike"})

Mode = Literal["talk", "ptt"]


class Stage:
    """One talk on one screen, and what happens in it. The clock stands but where something is said to last."""

    def __init__(self, app: TalkApp, talking: Scripted, pilot: Pilot[int], clock: Clock) -> None:
        self.app, self.talking, self._pilot, self._clock = app, talking, pilot, clock
        self._terminal = Emulated(*pilot.app.size)
        self._read = 0

    async def tell(self, *changes: AnyChange) -> None:
        """They come now."""
        self.talking.put(*changes)
        while self.talking.waiting:
            await asyncio.sleep(0.003)

    def hear(self, seconds: float, *, you: bool = False, assistant: bool = False, to_come_s: float = 0.0) -> None:
        """So much time, and what both sides sound like in it; looked at ten times a second, as on a screen.

        `to_come_s`: what then waits to be heard.
        """
        for n in range(round(seconds * 10)):
            loud = LOUD[n % len(LOUD)]
            left = to_come_s and to_come_s + seconds - n / 10
            for change in (
                QueuedNow(left, tuple(LOUD[k % len(LOUD)] for k in range(n, n + int(left * 4)))[:40]),
                LevelsNow(loud if you else -90.0, loud if assistant else -90.0, left),
            ):
                self.app.facts.apply(change, self._clock.at)
            self._clock.at += 0.1

    async def press(self, *keys: str) -> None:
        await self._pilot.press(*keys)

    async def until_so(self, fact: Callable[[], bool]) -> None:
        """Waits for what takes its time."""
        while not fact():
            await asyncio.sleep(0.003)

    def later(self, seconds: float) -> None:
        self._clock.at += seconds

    def until(self, at: float) -> None:
        self._clock.at = at

    # ---- looking at it

    async def resize(self, width: int, height: int) -> None:
        """Nothing that stands there now counts any more."""
        self._seen()
        self._terminal = Emulated(width, height)
        await self._pilot.resize_terminal(width, height)

    async def picture(self, inks: Inks) -> str:
        await self._pilot.pause()
        self._seen()
        return described(self._terminal, inks)

    def _seen(self) -> None:
        written: list[str] = self.app.written  # type: ignore[attr-defined]
        self._terminal.write("".join(written[self._read :]))
        self._read = len(written)


class Clock:
    def __init__(self) -> None:
        self.at = BEGAN

    def __call__(self) -> float:
        return self.at


# ---- as text


def described(terminal: Emulated, inks: Inks) -> str:
    """The lines with their numbers; below them the inks of each line, where it has others than plain ones."""
    lines = [f"{n:02}│{line}" for n, line in enumerate(terminal.lines(), 1)]
    styles = [f"{n:02} {said}" for n in range(1, terminal.height + 1) if (said := styled(terminal.runs(n - 1), inks))]
    return "\n".join([*lines, "", *styles]) + "\n"


def styled(runs: list[Run], inks: Inks) -> str:
    """What one line stands on, and each stretch of it in its ink; blanks that show nothing are left out."""
    widths: dict[str, int] = {}
    for run in runs:
        widths[run.pen.ground] = widths.get(run.pen.ground, 0) + len(run.text)
    ground = max(widths, key=lambda one: widths[one])
    said = [f"on {named(ground, inks)}"] if ground else []
    for run in runs:
        if run.text.strip() or run.pen.attributes & SEEN_ON_BLANKS:
            if words := ink(run.pen, ground, inks):
                text = run.text if run.pen.attributes & SEEN_ON_BLANKS else run.text.strip()
                said.append(f"{words} [{text}]")
        elif run.pen.ground != ground:
            said.append(f"on {named(run.pen.ground, inks)} [{len(run.text)} blanks]")
    return "  ".join(said)


def ink(pen: Pen, ground: str, inks: Inks) -> str:
    """A pen in the words of the theme."""
    words = [named(pen.colour, inks)] if pen.colour else []
    words += sorted(pen.attributes)
    if pen.ground != ground:
        words.append(f"on {named(pen.ground, inks)}")
    return " ".join(words)


def named(colour: str, inks: Inks) -> str:
    """Its role, or what stands on it; #rrggbb where it is none of the theme's, and nothing for the terminal's own."""
    roles = {colour: role for role, colour in inks.colours}
    return {**roles, **dict(zip(inks.surface, inks.surface._fields, strict=True))}.get(colour, colour) or "own"


# ---- what happens before


def started(mode: Mode = "talk", *, offline: bool = False) -> Started:
    return Started(
        at="2026-03-02T13:51:04+00:00",
        version="0.1.0",
        mode=mode,
        url="" if offline else "wss://api.openai.com/v1/realtime",
        model="practice" if offline else "gpt-realtime-2.1",
        voice=None if offline else "marin",
        offline=offline,
        key_source="" if offline else "OPENAI_API_KEY in the environment",
    )


SPEAKER: Final = SoundNow(side="output", state="opened", name=Foreign("Built-in Audio"), rate=24_000, latency_ms=40)
MICROPHONE: Final = SoundNow(side="input", state="opened", name=Foreign("USB Headset"), rate=24_000, latency_ms=12)
OFF: Final = SoundNow(side="input", state="closed")
CONNECTING: Final = (LinkNow(state="connecting"), PhaseNow("connecting"))
CONNECTED: Final = LinkNow(state="open", dialect="ga")
DELAYS: Final = (0.31, 0.44, 0.38, 0.52, 0.41, 1.12, 0.47, 0.44)
FIRST: Final = (
    "Two things help. Set ServerAliveInterval to thirty, so that your side sends a small packet every half minute and "
    "notices a dead link early. And run your work inside tmux: it goes on even when the connection does not."
)
SECOND: Final = (
    "Then use mosh. It keeps its own session over UDP, so a new address does not end it, and your typing shows at "
    "once, before the server has answered. It needs a UDP port open on the server, usually between 60000 and 61000."
)
HEARD: Final = SECOND.partition(" It needs a UDP port")[0]


def you(item: str, text: str, at: float, after: str | None = None) -> list[AnyChange]:
    """Something said and written down."""
    done = TurnSet(item=item, status="done", text=Foreign(text), heard=Foreign(text), received_ms=2700, ended=at + 0.4)
    return [TurnOpened(item, after, "you", "voice", at), done]


def assistant(item: str, text: str, at: float, delay: float) -> list[AnyChange]:
    """An answer that was heard to its end."""
    done = TurnSet(item=item, status="done", text=Foreign(text), heard=Foreign(text), received_ms=9000, ended=at + 9.0)
    return [TurnOpened(item, None, "assistant", "voice", at), Delayed(item, 0.06, delay - 0.15, 0.09), done]


def limits(tokens_left: float = 23_600.0, reset_s: float = 37.0) -> LimitsNow:
    requests = LimitNow(Foreign("requests"), 1000.0, 940.0, 3.0)
    return LimitsNow((requests, LimitNow(Foreign("tokens"), 40_000.0, tokens_left, reset_s)))


async def begun(stage: Stage, mode: Mode = "talk") -> None:
    """A talk that is twelve minutes old: the person has asked, was answered, and has asked again."""
    await stage.tell(started(mode), *CONNECTING, SPEAKER, CONNECTED, MICROPHONE)
    delays = [Delayed("earlier", 0.06, delay - 0.15, 0.09) for delay in DELAYS]
    stage.until(NOW - 16.0)
    await stage.tell(
        *delays,
        *you("you_1", "How do I keep an SSH connection open over a bad network?", 672.0),
        *assistant("answer_1", FIRST, 676.0, 0.44),
        *you("you_2", "And when I move from one network to another?", 713.0),
        UsageNow(
            "answer_1",
            Tokens(),
            Tokens(input_text=3100, input_audio=11_200, cached=8000, output_text=420, output_audio=5120),
        ),
    )
    stage.hear(2.0, assistant=True)
    stage.hear(1.0)
    stage.hear(2.5, you=True)
    stage.hear(0.4)
    stage.until(NOW - 10.0)
    await stage.tell(limits())


async def answering(stage: Stage, *, whole: bool = True) -> None:
    """...and is being answered, with some of it heard and more of it there."""
    await begun(stage)
    await stage.tell(
        PhaseNow("assistant_speaking"),
        TurnOpened("answer_2", None, "assistant", "voice", 714.0),
        TurnGrew("answer_2", Foreign(SECOND if whole else HEARD)),
        Delayed("answer_2", 0.06, 0.36, 0.09),
        TurnSet(item="answer_2", status="playing", text=Foreign(SECOND if whole else HEARD), received_ms=14_200),
    )
    stage.hear(8.4, assistant=True, to_come_s=5.8 if whole else 0.2)
    await stage.tell(HeardNow("answer_2", 8400, len(HEARD) - 40))


# ---- the states


async def connecting(stage: Stage) -> None:
    await stage.tell(started(), *CONNECTING, SPEAKER)
    stage.later(3.0)


async def first_start(stage: Stage) -> None:
    """Nobody has given a key: the practice partner of our own."""
    await stage.tell(started(offline=True), *CONNECTING, SPEAKER, CONNECTED, PhaseNow("listening"), MICROPHONE)
    stage.later(6.0)


async def listening(stage: Stage) -> None:
    await begun(stage)
    await stage.tell(*assistant("answer_2", SECOND, 714.0, 0.51), PhaseNow("listening"))
    stage.hear(6.0, assistant=True)
    stage.hear(1.0)


async def you_speak(stage: Stage) -> None:
    await listening(stage)
    await stage.tell(PhaseNow("you_are_speaking"))
    stage.hear(3.4, you=True)


async def thinking(stage: Stage) -> None:
    """What was said is still being written down."""
    await listening(stage)
    await stage.tell(PhaseNow("you_are_speaking"))
    stage.hear(2.6, you=True)
    await stage.tell(TurnOpened("you_3", "answer_2", "you", "voice", 727.0), PhaseNow("thinking"))
    stage.hear(0.4)


async def speaking(stage: Stage) -> None:
    await answering(stage)


async def interrupted(stage: Stage) -> None:
    """By esc, in an answer of which a part was heard."""
    await answering(stage)
    await stage.press("escape")
    assert stage.talking.stopped == 1
    await stage.tell(
        TurnSet(
            item="answer_2",
            status="interrupted",
            text=Foreign(SECOND),
            heard=Foreign(HEARD),
            unheard=Foreign(SECOND[len(HEARD) :]),
            heard_ms=8400,
            received_ms=14_200,
            estimate=True,
            ended=724.0,
        ),
        QueuedNow(0.0, ()),
        Interrupted("answer_2", "key", (Cut("answer_2", 8400),), (), 6.0),
        PhaseNow("listening"),
    )
    stage.hear(0.8)


async def recording(stage: Stage) -> None:
    """Push-to-talk, in a terminal that does not tell when a key is let go."""
    await begun(stage, "ptt")
    await stage.tell(*assistant("answer_2", SECOND, 714.0, 0.51), PhaseNow("press_to_talk"))
    stage.hear(6.0, assistant=True)
    stage.hear(1.0)
    await stage.press("space")
    assert isinstance(stage.talking.given[-1], TalkPressed)
    await stage.tell(PhaseNow("recording", "latched"))
    stage.hear(3.1, you=True)


async def muted(stage: Stage) -> None:
    await listening(stage)
    await stage.press("ctrl+o")
    assert stage.talking.given == [Asked("mute")]
    await stage.tell(OFF, PhaseNow("muted"))
    stage.hear(2.0)


async def limit_near(stage: Stage) -> None:
    await answering(stage)
    now = limits(tokens_left=3649.0)
    await stage.tell(now, *Limits().news(now, 724.0))


async def link_lost(stage: Stage) -> None:
    """In the middle of an answer, of which no more comes."""
    await answering(stage, whole=False)
    lost = LinkEnded(LinkFailure.DROPPED, 1006, "no close frame received or sent", ours=True)
    await stage.tell(
        TurnSet(
            item="answer_2",
            status="failed",
            text=Foreign(HEARD),
            heard=Foreign(HEARD),
            heard_ms=8400,
            received_ms=8400,
            error_code="link_lost",
            ended=724.0,
        ),
        LinkNow(state="lost", code=lost.code, reason=Foreign(lost.reason)),
        notices.link_ended(lost, "", "api.openai.com"),
        QueuedNow(0.0, ()),
        OFF,
        PhaseNow("not_connected"),
    )
    stage.hear(1.0)


async def no_microphone(stage: Stage) -> None:
    await stage.tell(started(), *CONNECTING, SPEAKER, CONNECTED)
    failed = SoundFailed(Side.MICROPHONE, SoundFailure.NO_DEVICE, "", "there is no device to record from")
    await stage.tell(
        SoundNow(side="input", state="lost"), notices.sound_failed(failed), PhaseNow("waiting_for_you_to_type")
    )
    stage.later(4.0)


async def wrong_key(stage: Stage) -> None:
    await stage.tell(started(), *CONNECTING, SPEAKER)
    said = "Incorrect API key provided. You can find your API key at https://platform.openai.com/account/api-keys."
    ended = LinkEnded(LinkFailure.UNAUTHORIZED, 401, said)
    await stage.tell(
        LinkNow(state="lost", code=401, reason=Foreign(said)),
        notices.link_ended(ended, "OPENAI_API_KEY in the environment", "api.openai.com"),
        PhaseNow("not_connected"),
    )
    stage.later(1.0)


async def helped(stage: Stage) -> None:
    await listening(stage)
    await stage.press("f1")


class State(NamedTuple):
    name: str
    play: Callable[[Stage], Awaitable[None]]


STATES: Final = (
    State("connecting", connecting),
    State("first-start", first_start),
    State("listening", listening),
    State("you-speak", you_speak),
    State("thinking", thinking),
    State("speaking", speaking),
    State("interrupted", interrupted),
    State("recording", recording),
    State("muted", muted),
    State("limit-near", limit_near),
    State("link-lost", link_lost),
    State("no-microphone", no_microphone),
    State("wrong-key", wrong_key),
    State("help", helped),
)


# ---- taking pictures


class Seen(NamedTuple):
    """The pictures of one state, by the name of their file."""

    pictures: dict[str, str]
    light: dict[str, str]
    """The same on a light ground; nothing that these say may differ."""


def file_of(state: State, size: tuple[int, int], *, coloured: bool) -> str:
    width, height = size
    return f"{width}x{height}{'' if coloured else '-no-colour'}/{state.name}.txt"


def look_at(state: State, *, coloured: bool, then: Callable[[TalkApp, str], None] = lambda app, name: None) -> Seen:
    """Plays it once, and looks at it in both sizes; `then` is called with each picture as it stands there."""
    with terminal_of(coloured), no_collecting():
        return asyncio.run(_look_at(state, coloured, then))


async def _look_at(state: State, coloured: bool, then: Callable[[TalkApp, str], None]) -> Seen:
    clock, talking = Clock(), Scripted()
    app = TalkApp(talking, clock, Look(coloured=coloured), driver_class=Recording)
    seen = Seen({}, {})
    async with app.run_test(headless=False, size=SIZES[0]) as pilot:
        stage = Stage(app, talking, pilot, clock)
        await state.play(stage)
        await stage.tell(PhaseNow(app.view.phase.phase, app.view.phase.detail) if app.view.phase else CONNECTED)
        small, large = (file_of(state, size, coloured=coloured) for size in SIZES)
        seen.pictures[small] = await stage.picture(DARK if coloured else PLAIN)
        then(app, small)
        if coloured:
            app.act("theme", "light")
            seen.light[small] = await stage.picture(LIGHT)
            then(app, f"light-{small}")
        await stage.resize(*SIZES[1])
        if coloured:
            seen.light[large] = await stage.picture(LIGHT)
            then(app, f"light-{large}")
            app.act("theme", "dark")
        seen.pictures[large] = await stage.picture(DARK if coloured else PLAIN)
        then(app, large)
    return seen


@contextmanager
def terminal_of(coloured: bool) -> Iterator[None]:
    """One with all colours, or in which nobody wants any, whatever the tests run in."""
    with mock.patch.dict(os.environ, {"TERM": "xterm-256color", "COLORTERM": "truecolor", "NO_COLOR": "1"}):
        if coloured:
            del os.environ["NO_COLOR"]
        yield


@contextmanager
def no_collecting() -> Iterator[None]:
    """An app makes so many objects that looking for garbage among them takes a third of its time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def main() -> None:
    words = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    words.add_argument("--write", action="store_true", required=True, help="write the files anew")
    words.add_argument("names", nargs="*", help="only the states of these names")
    asked = words.parse_args()
    for state in STATES:
        if asked.names and state.name not in asked.names:
            continue
        for coloured in (True, False):
            for name, text in look_at(state, coloured=coloured).pictures.items():
                file = FOLDER / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding="utf-8")
        print(state.name)


if __name__ == "__main__":
    main()
