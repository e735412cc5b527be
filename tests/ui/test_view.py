"""The stream folded to what is true now."""

from hypothesis import given
from hypothesis import strategies as st
from ui_streams import STREAMS, joined

from voicecli.core.changes import Foreign, TurnGone, TurnGrew, TurnMoved, TurnOpened, TurnSet
from voicecli.ui.view import View


def seen(stream) -> View:
    view = View()
    for change in stream:
        view.apply(change)
    return view


def shown(view: View) -> tuple:
    return (
        tuple(view.rows()),
        *(view.started, view.ended, view.link, view.phase, view.sound, view.heard, repr(view.levels)),
        *(repr(view.limits), view.usage, view.session, view.interruptions, view.notices),
    )


def opened(item: str, after: str | None, role="assistant", via="voice") -> TurnOpened:
    return TurnOpened(item=item, after=after, role=role, via=via, started=0.0)


@given(STREAMS, st.data())
def test_any_allowed_joining_and_dropping_gives_the_same_view(stream, data):
    assert shown(seen(stream)) == shown(seen(joined(stream, data)))


def test_rows_stand_behind_the_one_they_follow():
    view = seen([opened("a", None), opened("c", "a"), opened("b", "a"), opened("d", "unknown")])
    assert view.order == ("a", "b", "c", "d")
    view.apply(TurnMoved(item="d", after="a"))
    assert view.order == ("a", "d", "b", "c")
    view.apply(TurnMoved(item="c", after=None))
    view.apply(TurnMoved(item="b", after="b"))
    view.apply(TurnMoved(item="nobody", after="a"))
    assert view.order == ("c", "a", "d", "b")


def test_text_for_an_unknown_item_opens_a_row():
    view = seen([TurnGrew("x", Foreign("a")), TurnGrew("x", Foreign("b"))])
    row = view.row("x")
    assert row is not None
    assert (row.text.raw, row.role, row.status) == ("ab", "assistant", "streaming")


def test_a_turn_as_it_is_replaces_what_had_grown():
    view = seen(
        [opened("a", None), TurnGrew("a", Foreign("xyz")), TurnSet(item="a", status="done", text=Foreign("Hello"))]
    )
    row = view.row("a")
    assert row is not None
    assert row.text.raw == "Hello"
    assert row.over


def test_what_nobody_heard_stays_as_unheard_in_either_order():
    whole = TurnSet(item="a", status="interrupted", text=Foreign("Hi"), unheard=Foreign("Hi"))
    for stream in (
        [whole, TurnGone("a")],
        [TurnGone("a"), whole, TurnGone("a")],
        [opened("a", None), TurnGone("a"), whole],
    ):
        row = seen(stream).row("a")
        assert row is not None
        assert row.over
        assert row.unheard.raw == "Hi"
        assert row.heard.raw == ""


def test_old_turns_that_are_over_are_forgotten_when_there_are_too_many_g11():
    view = View(most_rows=10)
    for n in range(50):
        view.apply(TurnOpened(item=f"i{n}", after=None, role="you", via="text", started=0.0))
        view.apply(TurnSet(item=f"i{n}", status="done", text=Foreign("x")))
    assert view.order == tuple(f"i{n}" for n in range(40, 50))
    assert [row.item for row in view.rows()] == list(view.order)


def test_a_turn_that_is_not_over_is_never_forgotten_g11():
    view = View(most_rows=10)
    for n in range(50):
        view.apply(TurnOpened(item=f"i{n}", after=None, role="you", via="text", started=0.0))
    assert len(view.order) == 50


def test_all_texts_together_are_bounded_g11():
    view = View(most_text=1000)
    for n in range(50):
        view.apply(TurnOpened(item=f"i{n}", after=None, role="assistant", via="text", started=0.0))
        view.apply(TurnGrew(f"i{n}", Foreign("x" * 50)))
        view.apply(TurnSet(item=f"i{n}", status="done", text=Foreign("x" * 100)))
    assert 9 <= len(view.order) <= 11
    assert view.order[-1] == "i49"
