"""The order of items: a function of their predecessors, not of their arrival."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from voicecli.protocol.order import Order

CHAINS = st.integers(1, 12).flatmap(lambda n: st.permutations([f"i{k}" for k in range(n)]))


def before_each(order: Order) -> list[str]:
    """The list, read backwards through `before`: both directions must agree."""
    ids = []
    at = order.last()
    while at is not None:
        ids.append(at)
        at = order.before(at)
    return ids[::-1]


@given(CHAINS, st.randoms(use_true_random=False))
def test_order_is_a_function_of_the_predecessors_and_not_of_arrival(chain: list[str], rng: random.Random) -> None:
    told = list(zip(chain, [None, *chain], strict=False))
    rng.shuffle(told)
    order = Order()
    for item_id, previous in told:
        order.place(item_id, previous)
    assert list(order) == chain
    assert before_each(order) == chain


@given(CHAINS, st.randoms(use_true_random=False))
def test_items_that_deltas_opened_first_end_in_the_same_order(chain: list[str], rng: random.Random) -> None:
    """Trap of section 7: transcript or delta before item.created; the row finds its place later."""
    told = [(item_id, previous) for item_id, previous in zip(chain, [None, *chain], strict=False) if previous]
    rng.shuffle(told)
    order = Order()
    order.place(chain[0], None)
    for item_id in rng.sample(chain, rng.randint(0, len(chain))):
        order.open(item_id)
    for item_id, previous in told:
        order.place(item_id, previous)
        if rng.random() < 0.3:
            order.place(item_id, previous)  # told again: changes nothing
    assert list(order) == chain
    assert before_each(order) == chain


@given(
    st.lists(st.tuples(st.integers(0, 8), st.none() | st.just("root") | st.integers(0, 8), st.booleans()), max_size=30)
)
def test_in_the_order_of_a_server_it_is_a_plain_list(steps: list[tuple[int, int | str | None, bool]]) -> None:
    order, model = Order(), []
    for item, previous, delete in steps:
        item_id, after = f"i{item}", previous if previous in (None, "root") else f"i{previous}"
        if delete:
            order.remove(item_id)
            model = [one for one in model if one != item_id]
        elif item_id not in model and (after in (None, "root") or after in model):
            order.place(item_id, after)
            at = len(model) if after is None else 0 if after == "root" else model.index(after) + 1
            model.insert(at, item_id)
        assert list(order) == before_each(order) == model
        assert len(order) == len(model)


MOVES = st.lists(
    st.tuples(st.sampled_from(["open", "place", "remove"]), st.integers(0, 6), st.none() | st.integers(0, 6)),
    max_size=40,
)


@given(MOVES)
def test_nothing_a_server_says_breaks_the_list(moves: list[tuple[str, int, int | None]]) -> None:
    """Cycles, unknown and deleted predecessors, an item after itself: every id stays in it exactly once."""
    order, there = Order(), set()
    for what, item, previous in moves:
        item_id = f"i{item}"
        if what == "open":
            order.open(item_id)
        elif what == "place":
            order.place(item_id, None if previous is None else f"i{previous}")
        else:
            order.remove(item_id)
        (there.discard if what == "remove" else there.add)(item_id)
        assert sorted(order) == sorted(there)
        assert list(order) == before_each(order)
        assert all((f"i{n}" in order) == (f"i{n}" in there) for n in range(7))


def test_an_item_waits_at_the_end_for_its_predecessor_and_brings_its_successors() -> None:
    order = Order()
    for item_id, previous in (("c", "b"), ("d", "c"), ("a", None)):
        order.place(item_id, previous)
    assert list(order) == ["c", "d", "a"]
    order.place("b", "a")
    assert list(order) == ["a", "b", "c", "d"]


def test_a_known_item_stays_where_it_is() -> None:
    """Trap of section 7: `created` and `added` for one item."""
    order = Order()
    for item_id in "abc":
        order.place(item_id, None)
    order.place("a", "c")
    order.place("b", "root")
    order.open("c")
    assert list(order) == ["a", "b", "c"]


def test_waiting_is_bounded() -> None:
    """G11: a thousand predecessors that never come cost no more than that, and the list is whole."""
    order = Order()
    for n in range(3000):
        order.place(f"i{n}", f"never{n}")
    order.place("never0", None)
    order.place("never2999", "root")
    ids = list(order)
    assert len(ids) == 3002
    assert ids[:2] == ["never2999", "i2999"]
    assert ids[-1] == "never0"


def test_an_item_that_was_placed_otherwise_waits_no_more() -> None:
    order = Order()
    order.open("t")
    order.place("w", "late")
    order.place("w", "t")
    order.place("z", None)
    order.place("late", None)
    assert list(order) == ["t", "w", "z", "late"]
