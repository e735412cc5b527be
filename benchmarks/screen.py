"""What the conversation on the screen costs by how long it is: a delta, a move of the needle, a late text, a resize."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from time import perf_counter, process_time
from typing import Any, Final

from textual.app import App, ComposeResult

from voicecli.core.changes import AnyChange, Foreign, HeardNow, SoundNow, TurnGrew, TurnOpened, TurnRole, TurnSet
from voicecli.ui.screen.conversation import Conversation
from voicecli.ui.screen.facts import Facts
from voicecli.ui.screen.glyphs import UNICODE
from voicecli.ui.screen.layout import Layout
from voicecli.ui.screen.theme import DARK

LENGTHS: Final = (10, 1_000, 10_000)
QUESTION: Final = "My ssh session dies whenever the wifi hiccups. What can I do about it?"
ANSWER: Final = (
    "Two things help. Set ServerAliveInterval to thirty, so that your side sends a small packet every half minute and "
    "notices a dead link early. And run your work inside tmux: it goes on even when the connection does not."
)
WORDS: Final = ANSWER.split(" ")


class Bare(App[None]):
    """Nothing but the conversation."""

    def __init__(self) -> None:
        super().__init__()
        self.facts, self.conversation = Facts(), Conversation(DARK, UNICODE)
        self.shape = Layout.of(120, 40)

    def compose(self) -> ComposeResult:
        yield self.conversation

    def on_mount(self) -> None:
        self.register_theme(DARK.theme())
        self.theme = DARK.name

    def take(self, *changes: AnyChange) -> None:
        for change in changes:
            self.facts.apply(change, 0.0)
            self.conversation.note(change, self.facts)

    def show(self) -> None:
        self.conversation.show(self.facts, self.shape, 0.0)


def turn(item: str, role: TurnRole, text: str) -> Iterator[AnyChange]:
    yield TurnOpened(item, None, role, "voice", 0.0)
    yield TurnSet(item=item, status="done", text=Foreign(text), heard=Foreign(text), ended=1.0)


def talk(turns: int) -> Iterator[AnyChange]:
    yield SoundNow(side="output", state="opened")
    for n in range(turns):
        yield from turn(f"t{n}", "you" if n % 2 else "assistant", QUESTION if n % 2 else ANSWER)
    yield TurnOpened("last", None, "assistant", "voice", 0.0)


async def cost_us(app: Bare, pilot: Any, changes: list[AnyChange]) -> float:
    """Processor time for each of `changes`, taken and drawn, without what an idle app takes."""
    spent = []
    for real in (False, True):
        at = process_time()
        for change in changes:
            if real:
                app.take(change)
                app.show()
            await pilot.pause()
        spent.append(process_time() - at)
    return (spent[1] - spent[0]) / len(changes) * 1e6


async def measure(turns: int, count: int, table: dict[str, list[float]]) -> None:
    app = Bare()
    async with app.run_test(size=(120, 40)) as pilot:
        app.take(*talk(turns))
        app.show()
        await pilot.pause(0.2 + turns / 5_000)  # till all of it is wrapped
        over = f"over {turns:,} turns"
        deltas: list[AnyChange] = [TurnGrew("last", Foreign(f"{WORDS[n % len(WORDS)]} ")) for n in range(count)]
        table[f"a delta, taken and drawn, {over}, processor us"] = [await cost_us(app, pilot, deltas)]
        heard: list[AnyChange] = [HeardNow("last", n, 6 * n) for n in range(count)]
        table[f"a move of the needle, {over}, processor us"] = [await cost_us(app, pilot, heard)]
        late: list[AnyChange] = [
            TurnSet(item="t1", status="done", text=Foreign("late words " * (n % 40)), ended=1.0) for n in range(count)
        ]
        table[f"a late text for the first of them, {over}, processor us"] = [await cost_us(app, pilot, late)]
        values = []
        for width in (80, 119, 90, 120):
            await pilot.resize_terminal(width, 40)
            app.shape = Layout.of(width, 40)
            at = perf_counter()
            app.show()
            values.append((perf_counter() - at) * 1000)
            await pilot.pause(0.05)
        table[f"another width, until the end is there again, {over}, ms"] = values


def costs(table: dict[str, list[float]], quick: bool, say: Callable[[str], None]) -> None:
    """Adds its rows to `table`."""
    for turns in LENGTHS:
        say(f"a conversation of {turns:,} turns")
        asyncio.run(measure(turns, 100 if quick else 500, table))
