"""However long a talk is, a face keeps no more than the last turns (G11)."""

import gc
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType

import pytest

from voicecli.core.changes import (
    Ended,
    Foreign,
    Interrupted,
    Tokens,
    Told,
    TurnGone,
    TurnGrew,
    TurnMoved,
    TurnOpened,
    TurnSet,
    UsageNow,
)
from voicecli.ui.jsonl import Jsonl
from voicecli.ui.plain import OneShot, Plain

SHARED = (type, ModuleType, FunctionType, BuiltinFunctionType, MethodType)
ROWS = 20


def kept(face) -> int:
    """Everything that the face holds, in objects and characters."""
    seen, count, left = set(), 0, [face]
    while left:
        one = left.pop()
        if id(one) in seen or isinstance(one, SHARED):
            continue
        seen.add(id(one))
        count += 1 + (len(one) if isinstance(one, str) else 0)
        left += gc.get_referents(one)
    return count


def turn(n: int):
    """A spoken question whose words come late or never, an answer in pieces, one that nobody heard, one by text."""
    you, answer, unheard, typed = (f"{who}{n:05}" for who in ("u", "a", "x", "t"))
    yield TurnOpened(item=you, after=None, role="you", via="voice", started=1.0 * n)
    yield TurnOpened(item=answer, after=you, role="assistant", via="voice", started=1.0 * n)
    for _ in range(3):
        yield TurnGrew(answer, Foreign("so much "))
    yield TurnOpened(item=unheard, after=None, role="assistant", via="voice", started=1.0 * n)
    yield TurnGrew(unheard, Foreign("more"))
    yield TurnSet(item=answer, status="interrupted", text=Foreign("so much so much so much"), ended=1.0 * n)
    yield Interrupted(item=answer, by="voice", cut=(), removed=(unheard,), silent_ms=20.0)
    yield TurnGone(unheard)
    yield TurnMoved(item=answer, after=you)
    yield Told(severity="info", code="x", title=f"title {n % 7}", hint="")
    yield UsageNow(item=answer, turn=Tokens(), total=Tokens())
    yield TurnOpened(item=typed, after=None, role="you", via="text", started=1.0 * n)
    yield TurnSet(item=typed, status="done", text=Foreign("typed"))
    yield TurnSet(item=you, status="failed" if n % 3 else "done", text=Foreign("late words"))


@pytest.mark.parametrize(
    "face",
    [
        lambda: Plain(echo_typed=True, states=True, most_rows=ROWS),
        lambda: Plain(echo_typed=False, states=False, most_rows=ROWS),
        lambda: Jsonl(most_rows=ROWS),
        lambda: OneShot(most_rows=ROWS),
    ],
    ids=["plain", "plain, not echoed", "jsonl", "one question"],
)
def test_a_talk_without_end_makes_no_face_grow_g11(face):
    face = face()
    most: list[int] = []
    n = 0
    for until in (1_000, 2_000, 3_000):
        sizes = []
        while n < until:
            for change in turn(n):
                face.show(change, 1.0 * n)
            if n % 20 == 0 and n > until - 400:
                sizes.append(kept(face))
            n += 1
        most.append(max(sizes))
    assert most[2] <= most[0] * 1.02, most
    face.show(Ended(exit_code=0, reason="done", seconds=1.0, turns=n, interruptions=n), 1.0 * n)
