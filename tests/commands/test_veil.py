"""Secrets in the stream of changes, whole and in pieces (G9)."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from voicecli.commands.veil import Veil
from voicecli.core.changes import (
    AnyChange,
    Ended,
    Foreign,
    LimitNow,
    LimitsNow,
    LinkNow,
    Told,
    TurnGrew,
    TurnOpened,
    TurnSet,
)
from voicecli.secret import GONE, Redactor, Secret

KEY = "sk-canary-0123456789"
REDACTOR = Redactor([Secret(KEY)])
PLACES = st.lists(st.integers(0, 60), max_size=6)


def grown(changes: list[AnyChange]) -> str:
    return "".join(change.text.raw for change in changes if isinstance(change, TurnGrew))


def pieces(text: str, places: list[int]) -> list[str]:
    edges = sorted({0, len(text), *(place % (len(text) + 1) for place in places)})
    return [text[begin:end] for begin, end in pairwise(edges)]


@given(st.text(max_size=7), st.text(max_size=7), PLACES)
def test_a_secret_that_comes_in_pieces_is_never_seen_to_grow(before: str, after: str, places: list[int]) -> None:
    text = f"{before}{KEY}{after}"
    veil = Veil(REDACTOR)
    seen = grown([change for piece in pieces(text, places) for change in veil(TurnGrew("i", Foreign(piece)))])
    assert KEY[:8] not in seen
    whole = Veil(REDACTOR)
    (last,) = whole(TurnSet(item="i", status="done", text=Foreign(text)))
    assert isinstance(last, TurnSet)
    assert last.text.raw == f"{before}{GONE}{after}"


@given(st.lists(st.text(max_size=8), max_size=8))
def test_what_grows_is_whole_but_for_an_end_that_waits(texts: list[str]) -> None:
    veil = Veil(REDACTOR)
    got = grown([change for text in texts for change in veil(TurnGrew("i", Foreign(text)))])
    text = "".join(texts)
    assert text.startswith(got)
    assert KEY.startswith(text[len(got) :])


def test_a_beginning_that_waits_comes_with_what_shows_that_it_was_none() -> None:
    veil = Veil(REDACTOR)
    assert list(veil(TurnGrew("i", Foreign("s")))) == []
    assert list(veil(TurnGrew("i", Foreign("ay")))) == [TurnGrew("i", Foreign("say"))]


def test_two_turns_that_grow_side_by_side_are_not_mixed() -> None:
    veil = Veil(REDACTOR)
    halves = [("a", KEY[:9]), ("b", "sk-"), ("a", KEY[9:]), ("b", "ate")]
    changes = [change for item, text in halves for change in veil(TurnGrew(item, Foreign(text)))]
    assert changes == [TurnGrew("a", Foreign(GONE)), TurnGrew("b", Foreign("sk-ate"))]


def test_a_secret_across_what_was_heard_and_what_was_not_is_in_neither() -> None:
    change = TurnSet(
        item="i",
        status="interrupted",
        text=Foreign(f"It is {KEY}."),
        heard=Foreign(f"It is {KEY[:10]}"),
        unheard=Foreign(f"{KEY[10:]}."),
    )
    (clean,) = Veil(REDACTOR)(change)
    assert KEY[:8] not in repr(clean)
    assert KEY[12:] not in repr(clean)
    assert isinstance(clean, TurnSet)
    assert clean.text.raw == clean.unheard.raw == f"It is {GONE}."


def test_every_text_of_every_other_change_is_without_it() -> None:
    changes: list[AnyChange] = [
        Told(severity="error", code="closed", title=KEY, hint=f"a {KEY}", detail=Foreign(f"{KEY} b")),
        LinkNow(state="lost", reason=Foreign(KEY)),
        LimitsNow((LimitNow(Foreign(KEY), 1.0, 1.0, None),)),
    ]
    veil = Veil(REDACTOR)
    for change in changes:
        (clean,) = veil(change)
        assert KEY not in repr(clean)
        assert GONE in repr(clean)


def test_what_waits_comes_at_the_end() -> None:
    veil = Veil(REDACTOR)
    ended = Ended(exit_code=0, reason="quit", seconds=1.0, turns=1, interruptions=0)
    assert list(veil(TurnGrew("i", Foreign("yes, s")))) == [TurnGrew("i", Foreign("yes, "))]
    assert list(veil(ended)) == [TurnGrew("i", Foreign("s")), ended]


def test_what_holds_no_secret_is_the_same() -> None:
    change = TurnOpened(item="i", after=None, role="you", via="text", started=0.0)
    (same,) = Veil(REDACTOR)(change)
    assert same is change
