"""Things of some height above each other, against a plain list of them."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from voicecli.ui.screen.stack import Placed, Stack


def new(height: int = 1) -> Placed:
    placed = Placed()
    placed.height = height
    return placed


def check(stack: Stack[Placed], model: list[Placed]) -> None:
    assert list(stack) == model
    assert list(reversed(stack)) == model[::-1]
    assert stack.height == sum(one.height for one in model)
    labels = [one.label for one in model]
    assert labels == sorted(set(labels))
    top = 0
    for n, one in enumerate(model):
        assert stack.top(one) == top
        assert stack.above(one) is (model[n - 1] if n else None)
        assert stack.below(one) is (model[n + 1] if n + 1 < len(model) else None)
        assert stack.labelled(one.label) is one
        for row in range(one.height):
            assert stack.at(top + row) == (one, row)
        top += one.height
    assert stack.at(top) is None
    assert stack.at(-1) is None


@given(
    st.lists(
        st.tuples(st.sampled_from(["put", "put", "resize", "take"]), st.integers(0, 999), st.integers(0, 4)),
        max_size=60,
    )
)
def test_it_is_a_list_of_heights(steps: list[tuple[str, int, int]]) -> None:
    stack: Stack[Placed] = Stack()
    model: list[Placed] = []
    for step, at, height in steps:
        where = at % (len(model) + 1)
        if step == "put":
            one = new(height)
            stack.put(one, model[where - 1] if where else None)
            model.insert(where, one)
        elif model and step == "resize":
            stack.resize(model[where - 1], height)
        elif model:
            stack.take(model.pop(where - 1))
    check(stack, model)


def test_thousands_keep_their_order_wherever_they_are_put() -> None:
    stack: Stack[Placed] = Stack()
    model = [new() for _ in range(1000)]
    for n, one in enumerate(model):
        stack.put(one, model[n - 1] if n else None)
    middle = model[500]
    for n in range(1000):
        one = new(n % 3)
        stack.put(one, middle)
        model.insert(501, one)
    check(stack, model)


def test_lines_fit_between_two_labels() -> None:
    """A label and the row of any line below it never reach the next label."""
    stack: Stack[Placed] = Stack()
    first = new()
    stack.put(first, None)
    for _ in range(200):
        stack.put(new(), first)
    labels = [one.label for one in stack]
    assert min(b - a for a, b in pairwise(labels)) > 1_000_000


def test_all_are_measured_anew() -> None:
    stack: Stack[Placed] = Stack()
    model = [new() for _ in range(600)]
    for n, one in enumerate(model):
        stack.put(one, model[n - 1] if n else None)
    stack.measure(lambda one: 3 if one is model[7] else 2)
    assert stack.height == 1201
    assert stack.at(17) == (model[8], 0)
    assert stack.holds(model[3])
    stack.take(model[3])
    assert not stack.holds(model[3])
