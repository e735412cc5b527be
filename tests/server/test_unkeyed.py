"""The key of a language model that repeats it: however its answer is cut, it is in no piece and in no sum of them."""

from __future__ import annotations

import json

import pytest

from voicecli.protocol.items import StatusError
from voicecli.secret import Redactor, Secret
from voicecli.server.orders import Call, Grew, Over
from voicecli.server.unkeyed import Unkeyed, ended

KEY = 'sk-CANARY"0123456789'


def heard(*told: Grew | Call | Over) -> list[Grew | Call | Over]:
    unkeyed = Unkeyed(Redactor([Secret(KEY)]))
    return [each for one in told for each in unkeyed.feed(one)]


def words(text: str, size: int) -> str:
    *grown, over = heard(*(Grew(text[at : at + size]) for at in range(0, len(text), size)), Over())
    assert over == Over()
    assert all(isinstance(each, Grew) and each.text for each in grown)
    return "".join(each.text for each in grown if isinstance(each, Grew))


@pytest.mark.parametrize("size", range(1, len(KEY) + 4))
def test_g9_the_key_is_taken_out_however_the_words_are_cut(size: int):
    assert words(f"Yes, it is {KEY}. Or sk-sk-{KEY}{KEY}!", size) == "Yes, it is [key]. Or sk-sk-[key][key]!"


def test_g9_most_of_the_key_at_the_end_is_taken_out_and_what_only_begins_like_it_is_said():
    assert words(f"It is {KEY[:-1]}", 3) == "It is [key]"
    assert words("It is so: ask", 3) == "It is so: ask"
    assert words("What begins with sk", 1) == "What begins with sk"


def test_what_cannot_be_the_key_does_not_wait():
    assert heard(Grew("It is sk"), Grew("y.")) == [Grew("It is "), Grew("sky.")]


def test_g9_the_key_is_in_no_call_and_in_no_error_and_what_waited_comes_before_them():
    call = Call(KEY, KEY, json.dumps({"key": KEY}))
    assert heard(Grew("s"), call) == [Grew("s"), Call("[key]", "[key]", '{"key": "[key]"}')]
    failed = Over("failed", error=StatusError(code="llm_failed", message=f"no {KEY}"))
    assert heard(Grew("s"), failed) == [
        Grew("s"),
        Over("failed", error=StatusError(code="llm_failed", message="no [key]")),
    ]


def test_without_a_secret_all_is_as_it_was():
    assert ended(Redactor(), KEY) == KEY
    unkeyed = Unkeyed(Redactor())
    assert list(unkeyed.feed(Grew(KEY))) == [Grew(KEY)]
