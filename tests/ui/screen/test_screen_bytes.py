"""G17 at the last door: whatever a server says, no character leaves the program that steers a terminal or hides."""

from __future__ import annotations

import asyncio
import math
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from msgspec import Struct

from tests.ui.screen.recording import Recording, text_of
from tests.ui.screen.scripted import Scripted
from voicecli.core.changes import AnyChange, Ended, Foreign, Started, Told, TurnGrew, TurnOpened, TurnSet
from voicecli.printable import UNSAFE
from voicecli.ui.screen.app import Look, TalkApp

BAD = (
    "\x1b]52;c;SGVsbG8=\x07",
    "\x1b]0;title\x1b\\",
    "\x1b[2J\x1b[31m",
    "\x9b2J",
    "\u202eevil\u202c",
    "\U000e0041\U000e0042",
    "\u200b\u2060\ufeff",
    "\ue000\ud800",
    "a" + "\u0301" * 30,
    "[red]x[/] [/nope] [@click=app.act('quit')]x[/]",
    "\u3164\uffa0",
    "\r\x08\x0b\x0c\t",
    "\u2028\u2029\n",
    "日本語 👩‍👩‍👧 नमस्ते",
)
NASTY = st.lists(st.sampled_from(BAD) | st.text(max_size=12), max_size=4).map("".join)
ITEMS = st.sampled_from(["item_1", "item_2", "item_3", "\x1b[2Jitem"])
NUMBERS = st.floats(0, 1e6)
IMPOSSIBLE = NUMBERS | st.sampled_from([math.inf, math.nan, -1.0, 1e300])
"""What a server may put where it fills in numbers: into its limits."""


def values(kind: Any, name: str = "") -> st.SearchStrategy[Any]:
    """Anything of that type, with text from a bad server in it."""
    origin = get_origin(kind)
    if origin is Literal:
        return st.sampled_from(get_args(kind))
    if origin in (Union, UnionType):
        return st.one_of(*(values(each, name) for each in get_args(kind)))
    if origin is tuple:
        inner = get_args(kind)
        if inner[-1] is Ellipsis:
            return st.lists(values(inner[0]), max_size=5).map(tuple)
        return st.tuples(*map(values, inner))
    if kind is NoneType:
        return st.none()
    if kind is str:
        return ITEMS if name in ("item", "after") else NASTY
    if kind is bool:
        return st.booleans()
    if kind is int:
        return st.integers(0, 10**9)
    if kind is float:
        return IMPOSSIBLE if name in ("limit", "remaining", "reset_seconds") else NUMBERS
    assert issubclass(kind, Struct), kind
    hints = get_type_hints(kind)
    return st.builds(kind, **{field: values(hints[field], field) for field in kind.__struct_fields__})


CHANGES = st.one_of(*(values(kind) for kind in get_args(AnyChange) if kind is not Ended))
EVERYWHERE: list[AnyChange] = [
    Started(
        at="2026-01-01T10:00:00+00:00",
        version="1",
        mode="talk",
        url="ws://" + "".join(BAD[:4]),
        model="".join(BAD),
        voice="".join(BAD),
        offline=False,
        key_source="".join(BAD),
    ),
    *(TurnOpened(item=f"i{n}", after=None, role="assistant", via="voice", started=0.0) for n in range(len(BAD))),
    *(TurnGrew(item=f"i{n}", text=Foreign(bad * 3)) for n, bad in enumerate(BAD)),
    TurnSet(item="i1", status="failed", text=Foreign(BAD[0]), error=Foreign("".join(BAD)), error_code=BAD[1]),
    *(Told(severity="error", code="closed", title=bad, hint=bad, detail=Foreign(bad)) for bad in BAD),
]


async def drawn(changes: list[AnyChange], size: tuple[int, int], *, ascii_only: bool) -> str:
    talking = Scripted(changes)
    now = 0.0

    def clock() -> float:
        nonlocal now
        now += 0.05
        return now

    app = TalkApp(talking, clock, Look(ascii=ascii_only), driver_class=Recording)
    async with app.run_test(headless=False, size=size) as pilot:
        for _ in range(3):
            await pilot.pause()
        talking.put(*changes)
        await pilot.press("escape")
        await pilot.pause()
    return "".join(app.written)  # type: ignore[attr-defined]


def holds(written: str) -> None:
    text = text_of(written).replace("\r", "").replace("\n", "")
    assert UNSAFE.findall(text) == []


def test_the_recording_sees_what_is_drawn() -> None:
    assert "item of mine" in asyncio.run(
        drawn(
            [
                TurnOpened(item="i", after=None, role="assistant", via="text", started=0.0),
                TurnGrew(item="i", text=Foreign("item of mine")),
            ],
            (80, 24),
            ascii_only=False,
        )
    )


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.lists(CHANGES, max_size=40), st.sampled_from([(80, 24), (120, 40), (40, 12)]), st.booleans())
@example(EVERYWHERE, (80, 24), False)
@example(EVERYWHERE, (120, 40), True)
def test_nothing_that_a_server_says_steers_the_terminal_g17(
    changes: list[AnyChange], size: tuple[int, int], ascii_only: bool
) -> None:
    holds(asyncio.run(drawn(changes, size, ascii_only=ascii_only)))
