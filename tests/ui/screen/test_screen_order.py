"""Any stream of changes: the rows are those of the view in its order, as high as what is drawn, and never too wide."""

from __future__ import annotations

from conversation_app import SPEAKER, STARTED, Drawing
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from voicecli.core.changes import (
    AnyChange,
    Cut,
    Delayed,
    Foreign,
    HeardNow,
    Interrupted,
    Told,
    TurnGone,
    TurnGrew,
    TurnMoved,
    TurnOpened,
    TurnSet,
)
from voicecli.ui.screen.layout import Layout

ITEMS = st.sampled_from("abcdef")
AFTER = st.one_of(st.none(), ITEMS)
TEXTS = st.text(st.sampled_from("ab  \n漢e\u0301\u200d👩❤\ufe0fש\x1b[]\u202e\t"), max_size=60).map(Foreign)
STATUS = st.sampled_from(["reserved", "waiting", "streaming", "playing", "done", "interrupted", "failed", "cancelled"])


@st.composite
def settled(draw: st.DrawFn) -> TurnSet:
    text = draw(TEXTS)
    at = draw(st.integers(0, 60))
    return TurnSet(
        item=draw(ITEMS),
        status=draw(STATUS),
        text=text,
        heard=Foreign(text.raw[:at]),
        unheard=Foreign(text.raw[at:]),
        heard_ms=draw(st.one_of(st.none(), st.integers(0, 9000))),
        received_ms=draw(st.one_of(st.none(), st.integers(0, 9000))),
        estimate=draw(st.booleans()),
        error_code=draw(st.sampled_from(["", "link_lost", "x"])),
        error=draw(TEXTS),
        ended=draw(st.one_of(st.none(), st.floats(0, 1e9))),
    )


ROLES = st.sampled_from(["you", "assistant", "tool", "system"])
VIAS = st.sampled_from(["voice", "text", "tool"])
CHANGES: st.SearchStrategy[AnyChange] = st.one_of(
    st.builds(TurnOpened, ITEMS, AFTER, ROLES, VIAS, st.floats(0, 1e12)),
    st.builds(TurnMoved, ITEMS, AFTER),
    st.builds(TurnGrew, ITEMS, TEXTS),
    settled(),
    st.builds(TurnGone, ITEMS),
    st.builds(HeardNow, ITEMS, st.integers(0, 9000), st.integers(0, 80)),
    st.builds(Delayed, ITEMS, st.floats(0, 1e9), st.floats(0, 1), st.floats(0, 1)),
    st.builds(
        Interrupted,
        st.one_of(st.none(), ITEMS),
        st.sampled_from(["voice", "key", "text", "command"]),
        st.lists(st.builds(Cut, ITEMS, st.integers(0, 9000)), max_size=2).map(tuple),
        st.lists(ITEMS, max_size=2).map(tuple),
        st.none(),
    ),
    st.builds(Told, severity=st.sampled_from(["info", "warning"]), code=st.just("x"), title=st.text(max_size=40)),
    st.just(SPEAKER),
)
SIZES = st.tuples(st.integers(20, 200), st.integers(5, 60))


@settings(max_examples=300)
@given(st.lists(CHANGES, max_size=40), SIZES, SIZES)
def test_rows_are_those_of_the_view(changes: list[AnyChange], size: tuple[int, int], other: tuple[int, int]) -> None:
    changes = [STARTED, *changes]
    drawing = Drawing(*size)
    for change in changes:
        drawing.feed(change)
        drawing.strips()
        turns = [entry.item for entry in drawing.rows.stack if entry.is_turn]
        assert turns == list(drawing.facts.view.order)
    whole = Drawing(*size).feed(changes).strips()
    assert drawing.strips() == whole
    assert all(strip.cell_length == cell_len(strip.text) == Layout.of(*size).main_width for strip in whole)
    layout = Layout.of(*other)
    drawing.rows.reshape(drawing.rows.look._replace(layout=layout, width=layout.main_width))
    while drawing.rows.unwrapped:
        drawing.rows.wrap_more()
    assert drawing.strips() == Drawing(*other).feed(changes).strips()
