"""The rows: order, late text, what was heard of them. What a face folds out of the changes is what was meant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.core_talk import Bench, message
from voicecli.core.changes import AnyChange, TurnGone, TurnGrew, TurnMoved, TurnOpened, TurnSet
from voicecli.core.heard import Fate, Verdict
from voicecli.core.transcript import Transcript
from voicecli.ports import RATE
from voicecli.protocol import events as e
from voicecli.protocol.items import ContentPart
from voicecli.ui.view import View


class Rows:
    """A transcript, and a face that reads it."""

    def __init__(self) -> None:
        self.changes: list[AnyChange] = []
        self.view = View()
        self.transcript = Transcript(self._show)

    def _show(self, change: AnyChange) -> None:
        self.changes.append(change)
        self.view.apply(change)

    def text(self, item: str) -> str:
        row = self.view.row(item)
        assert row is not None
        return row.text.raw

    def last(self) -> TurnSet:
        (*_, found) = [change for change in self.changes if isinstance(change, TurnSet)]
        return found

    def answer(self, item: str, *pieces: tuple[float, str], part: int = 0) -> None:
        """Text that came when so many seconds of sound were there."""
        self.transcript.open(item, "assistant", "voice", None)
        for seconds, text in pieces:
            self.transcript.grow(item, part, text, int(seconds * RATE))

    def cut(self, item: str, heard_s: float, received_s: float) -> tuple[str, str]:
        self.transcript.settled(Verdict(item, Fate.CUT, int(heard_s * RATE), int(received_s * RATE)))
        return self.last().heard.raw, self.last().unheard.raw


# ---- order


def test_rows_stand_in_the_order_in_which_they_are_opened():
    rows = Rows()
    for item in "abc":
        rows.transcript.open(item, "you", "text", None)
    assert rows.view.order == ("a", "b", "c")
    assert [change.after for change in rows.changes] == [None, "a", "b"]


def test_a_row_of_the_beginning_stands_before_all_of_its_conversation_and_behind_what_was_before():
    """D9: after another connection the rows of the old one still stand above."""
    rows = Rows()
    for item in ("old", "b", "c", "a"):
        rows.transcript.open(item, "you", "text", None)
    rows.transcript.put_before("a", "b")
    assert rows.view.order == ("old", "a", "b", "c")
    rows.transcript.put_before("a", "b")
    rows.transcript.put_before("nobody", "b")
    rows.transcript.put_before("c", "nobody")
    assert rows.view.order == ("old", "a", "b", "c")
    assert sum(isinstance(change, TurnMoved) for change in rows.changes) == 1
    rows.transcript.open("z", "you", "text", None)
    rows.transcript.put_before("z", "old")
    assert rows.view.order == ("z", "old", "a", "b", "c")


@pytest.mark.parametrize("previous", ["root", None])
def test_d9_an_item_that_was_put_at_the_beginning_is_shown_there(previous):
    bench = Bench().ready()
    for item, before in (("b", None), ("c", "b"), ("a", previous)):
        text = message(item, ContentPart(type="input_text", text=item), role="user")
        bench.says(e.ConversationItemAdded(item=text, previous_item_id=before))
        bench.says(e.ConversationItemDone(item=text, previous_item_id=before))
    view = View()
    for change in [*bench.shown(TurnOpened), *bench.shown(TurnMoved)]:
        view.apply(change)
    assert view.order == ("a", "b", "c")


def test_a_row_is_opened_once():
    rows = Rows()
    rows.transcript.open("a", "you", "text", None)
    rows.transcript.open("a", "assistant", "voice", "b")
    assert len(rows.changes) == 1


def test_a_row_is_opened_behind_its_predecessor():
    rows = Rows()
    for item in "abc":
        rows.transcript.open(item, "you", "text", None)
    rows.transcript.open("x", "assistant", "voice", "a")
    rows.transcript.open("d", "you", "text", None)
    assert rows.view.order == ("a", "x", "b", "c", "d")


def test_a_row_behind_something_that_has_no_row_stands_at_the_end():
    rows = Rows()
    rows.transcript.open("a", "you", "text", None)
    rows.transcript.open("b", "assistant", "voice", "an output of a tool")
    rows.transcript.open("c", "you", "text", None)
    assert rows.view.order == ("a", "b", "c")


def test_text_before_the_place_is_known_opens_a_row_that_finds_its_place():
    rows = Rows()
    rows.transcript.open("a", "you", "voice", None)
    rows.transcript.open("b", "assistant", "voice", None)
    rows.transcript.open("late", "you", "voice", None)
    rows.transcript.grow("late", 0, "early words")
    rows.transcript.place("late", "a")
    assert rows.view.order == ("a", "late", "b")
    assert rows.text("late") == "early words"
    assert TurnMoved("late", "a") in rows.changes


def test_after_the_last_row_has_moved_the_next_one_stands_at_the_end():
    rows = Rows()
    for item in "abc":
        rows.transcript.open(item, "you", "text", None)
    rows.transcript.place("c", "a")
    rows.transcript.open("d", "you", "text", None)
    assert rows.view.order == ("a", "c", "b", "d")


@pytest.mark.parametrize("after", [None, "unknown", "a", "b"])
def test_a_place_that_is_no_news_moves_nothing(after):
    rows = Rows()
    rows.transcript.open("a", "you", "text", None)
    rows.transcript.open("b", "you", "text", None)
    before = len(rows.changes)
    rows.transcript.place("b", after)
    assert len(rows.changes) == before


def test_what_the_server_puts_behind_the_row_before_a_gone_one_stands_behind_the_gone_one():
    rows = Rows()
    for item in ("u1", "a1", "b1"):
        rows.transcript.open(item, "assistant", "voice", None)
    rows.transcript.gone("a1")
    rows.transcript.gone("b1")
    rows.transcript.open("u2", "you", "voice", "u1")
    rows.transcript.place("u2", "u1")
    assert rows.view.order == ("u1", "a1", "b1", "u2")


def test_what_happens_to_unknown_rows_changes_nothing():
    rows = Rows()
    rows.transcript.open("", "you", "text", None)
    rows.changes.clear()
    for item in ("x",):
        rows.transcript.grow(item, 0, "text")
        rows.transcript.replace(item, 0, "text")
        rows.transcript.said(item, "text")
        rows.transcript.failed(item, "code", "message")
        rows.transcript.generated(item, 5)
        rows.transcript.settled(Verdict(item, Fate.CUT, 1, 2))
        rows.transcript.stopped(item, "failed")
        rows.transcript.gone(item)
        rows.transcript.place(item, "")
        rows.transcript.speech(item, 5)
    assert rows.changes == []


@given(
    st.lists(st.tuples(st.sampled_from("abcde"), st.sampled_from(["open", "place", "gone"]), st.sampled_from("abcdex")))
)
def test_every_face_sees_every_row_once_and_the_last_one_last(steps):
    rows = Rows()
    opened: list[str] = []
    for item, what, after in steps:
        match what:
            case "open":
                if item not in opened:
                    opened.append(item)
                rows.transcript.open(item, "you", "text", after)
            case "place":
                rows.transcript.place(item, after)
            case "gone":
                rows.transcript.gone(item)
    rows.transcript.open("end", "you", "text", None)
    assert sorted(rows.view.order) == sorted([*opened, "end"])
    assert rows.view.order[-1] == "end"


# ---- text


def test_deltas_append_and_the_whole_text_adds_only_what_was_lacking():
    rows = Rows()
    rows.answer("a", (0, "Hello "), (0, "wor"))
    rows.transcript.replace("a", 0, "Hello world")
    assert rows.text("a") == "Hello world"
    assert [change.text.raw for change in rows.changes if isinstance(change, TurnGrew)] == ["Hello ", "wor", "ld"]


def test_a_whole_text_that_is_the_same_shows_nothing():
    rows = Rows()
    rows.answer("a", (0, "Hello"))
    before = len(rows.changes)
    rows.transcript.replace("a", 0, "Hello")
    assert len(rows.changes) == before


def test_a_whole_text_that_says_otherwise_replaces():
    rows = Rows()
    rows.answer("a", (0, "Hullo"))
    rows.transcript.replace("a", 0, "Hello")
    assert rows.text("a") == "Hello"


def test_parts_stand_on_lines_of_their_own_in_their_order():
    rows = Rows()
    rows.answer("a", (0, "first"))
    rows.answer("a", (0, "second"), part=1)
    assert rows.text("a") == "first\nsecond"
    rows.transcript.generated("a", 0)
    assert rows.text("a") == "first\nsecond"


def test_late_text_of_a_settled_row_is_not_added():
    rows = Rows()
    rows.answer("a", (0, "one two"))
    rows.cut("a", 0.5, 1.0)
    before = len(rows.changes)
    rows.transcript.grow("a", 0, " three")
    rows.transcript.replace("a", 0, "one two three")
    assert len(rows.changes) == before


def test_completed_words_replace_what_was_recognised_so_far():
    rows = Rows()
    rows.transcript.open("u", "you", "voice", None)
    rows.transcript.grow("u", 0, "how are ewe")
    rows.transcript.said("u", "How are you?")
    assert rows.text("u") == "How are you?"


def test_words_that_come_after_the_answer_find_their_row():
    rows = Rows()
    rows.transcript.open("u", "you", "voice", None)
    rows.answer("a", (0, "fine"))
    rows.transcript.generated("a", 0)
    assert rows.transcript.unwritten == 1
    rows.transcript.said("u", "how are you")
    assert rows.transcript.unwritten == 0
    assert rows.view.order == ("u", "a")


def test_what_is_said_again_is_shown_once_and_what_is_said_otherwise_is_shown():
    rows = Rows()
    rows.transcript.open("u", "you", "text", None)
    for text in ("hello", "hello", None, "hello!"):
        rows.transcript.said("u", text)
    assert [change.text.raw for change in rows.changes if isinstance(change, TurnSet)] == ["hello", "hello!"]


def test_a_failed_transcription_keeps_what_there_was():
    rows = Rows()
    rows.transcript.open("u", "you", "voice", None)
    rows.transcript.grow("u", 0, "how a")
    rows.transcript.failed("u", "audio_unintelligible", "could not")
    last = rows.last()
    assert (last.status, last.text.raw, last.error_code, last.error.raw) == (
        "failed",
        "how a",
        "audio_unintelligible",
        "could not",
    )
    assert rows.transcript.unwritten == 0


# ---- outcomes


def test_an_answer_that_waits_to_be_heard_is_playing_and_then_done():
    rows = Rows()
    rows.answer("a", (0, "yes"))
    rows.transcript.generated("a", RATE)
    assert (rows.last().status, rows.last().received_ms, rows.last().heard_ms) == ("playing", 1000, None)
    rows.transcript.settled(Verdict("a", Fate.WHOLE, RATE, RATE))
    last = rows.last()
    assert (last.status, last.heard, last.unheard.raw, last.heard_ms, last.estimate) == (
        "done",
        last.text,
        "",
        1000,
        False,
    )


def test_an_unheard_row_keeps_its_text_as_unheard():
    rows = Rows()
    rows.answer("a", (0, "nobody heard"))
    rows.transcript.settled(Verdict("a", Fate.UNHEARD, 5, RATE))
    rows.transcript.gone("a")
    row = rows.view.row("a")
    assert row is not None
    assert (row.status, row.heard.raw, row.unheard.raw, row.gone) == ("interrupted", "", "nobody heard", True)
    assert isinstance(rows.changes[-1], TurnGone)


def test_a_row_is_settled_once():
    rows = Rows()
    rows.answer("a", (0, "one two"))
    rows.cut("a", 0.5, 1.0)
    before = len(rows.changes)
    rows.transcript.settled(Verdict("a", Fate.WHOLE, 9, 9))
    rows.transcript.stopped("a", "failed")
    rows.transcript.generated("a", 0)
    assert len(rows.changes) == before


def test_a_row_that_is_read_while_it_streams_stays_open():
    rows = Rows()
    rows.answer("a", (0, "one "))
    rows.transcript.settled(Verdict("a", Fate.READ, 0, RATE))
    rows.transcript.grow("a", 0, "two")
    rows.transcript.generated("a", 0)
    assert (rows.last().status, rows.last().heard.raw) == ("done", "one two")


def test_the_end_closes_what_is_open_and_nothing_else():
    rows = Rows()
    rows.transcript.open("u", "you", "voice", None)
    rows.answer("a", (0, "half"))
    rows.transcript.open("t", "you", "text", None)
    rows.transcript.said("t", "typed")
    rows.changes.clear()
    rows.transcript.close()
    assert [(change.item, change.status) for change in rows.changes if isinstance(change, TurnSet)] == [
        ("u", "done"),
        ("a", "cancelled"),
    ]


# ---- heard and unheard


def test_text_is_parted_at_the_end_of_the_last_word_that_was_heard():
    rows = Rows()
    rows.answer("a", (0, "one two three four"))
    assert rows.cut("a", 0.6, 1.0) == ("one two ", "three four")
    assert rows.last().estimate


@pytest.mark.parametrize(
    ("heard_s", "expected"), [(0.1, ""), (0.5, "one"), (0.99, "one"), (1.0, "one two"), (1.5, "one two")]
)
def test_text_belongs_to_the_sound_that_came_with_it(heard_s, expected):
    """Each piece came with a second of sound."""
    rows = Rows()
    rows.answer("a", (0, "one"), (1.0, " two"), (2.0, " three"))
    heard, unheard = rows.cut("a", heard_s, 3.0)
    assert heard + unheard == "one two three"
    assert heard.rstrip() in ("", "one", "one two")
    assert len(heard.rstrip()) <= len(expected)


def test_all_heard_is_all_of_the_text():
    rows = Rows()
    rows.answer("a", (0, "one two"), (0.5, " three"))
    assert rows.cut("a", 1.0, 1.0) == ("one two three", "")


def test_the_second_part_is_unheard_where_only_the_first_was_heard():
    rows = Rows()
    rows.answer("a", (0, "first part"))
    rows.answer("a", (1.0, "second part"), part=1)
    heard, unheard = rows.cut("a", 1.0, 2.0)
    assert heard.strip() == "first part"
    assert unheard.strip() == "second part"


TEXTS = st.text(alphabet="ab \n\u00e9\u4e16", max_size=12)


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 50), TEXTS), max_size=8),
    st.integers(0, 60),
    st.integers(0, 60),
)
def test_heard_and_unheard_are_the_text_and_more_heard_is_never_less_text(pieces, heard, more):
    received = 60

    def parted(samples: int) -> tuple[str, str, str]:
        rows = Rows()
        rows.transcript.open("a", "assistant", "voice", None)
        for part, at, text in sorted(pieces, key=lambda piece: piece[1]):
            rows.transcript.grow("a", part, text, at)
        rows.transcript.settled(Verdict("a", Fate.CUT, samples, received))
        last = rows.last()
        return last.heard.raw, last.unheard.raw, last.text.raw

    low, high = sorted((heard, more))
    first, rest, text = parted(low)
    assert first + rest == text
    assert not rest or not first or first[-1].isspace() or rest[0].isspace() or low >= received
    assert len(first) <= len(parted(high)[0])


# ---- connections


def test_a_new_server_may_give_an_old_id_again():
    rows = Rows()
    rows.answer("item_1", (0, "old"))
    rows.transcript.generated("item_1", 0)
    rows.transcript.lost({})
    rows.transcript.reconnected((), {})
    rows.answer("item_1", (0, "new"))
    assert rows.view.order == ("item_1", "item_1#2")
    assert (rows.text("item_1"), rows.text("item_1#2")) == ("old", "new")
    assert rows.transcript.key("item_1") == "item_1#2"


def test_a_row_that_is_still_heard_after_a_reconnect_is_found_under_its_new_name():
    rows = Rows()
    rows.answer("item_1", (0, "old"))
    rows.transcript.lost({"item_1": RATE})
    rows.transcript.reconnected((), {"item_1": "alias"})
    rows.transcript.settled(Verdict("alias", Fate.WHOLE, RATE, RATE))
    assert (rows.last().item, rows.last().status, rows.last().error_code) == ("item_1", "failed", "link_lost")
    assert rows.last().heard.raw == rows.last().text.raw == "old"


def test_an_answer_that_was_all_here_when_the_link_was_lost_is_whole():
    rows = Rows()
    rows.answer("a", (0, "all of it"))
    rows.transcript.generated("a", RATE)
    rows.transcript.lost({"a": RATE})
    rows.transcript.settled(Verdict("a", Fate.WHOLE, RATE, RATE))
    assert (rows.last().status, rows.last().error_code) == ("done", "")


def test_an_answer_that_the_link_cut_and_the_person_too_is_interrupted():
    rows = Rows()
    rows.answer("a", (0, "only some "), (0.5, "of it"))
    rows.transcript.lost({"a": RATE})
    assert rows.cut("a", 0.5, 1.0) == ("only some ", "of it")
    assert (rows.last().status, rows.last().error_code) == ("interrupted", "")


def test_a_lost_link_closes_what_will_get_no_more():
    rows = Rows()
    rows.transcript.open("u", "you", "voice", None)
    rows.transcript.open("v", "you", "voice", None)
    rows.transcript.grow("v", 0, "some words")
    rows.answer("a", (0, "hal"))
    rows.answer("b", (0, "heard soon"))
    rows.changes.clear()
    rows.transcript.lost({"b": RATE})
    assert [
        (change.item, change.status, change.error_code) for change in rows.changes if isinstance(change, TurnSet)
    ] == [
        ("u", "failed", "link_lost"),
        ("v", "done", ""),
        ("a", "failed", "link_lost"),
        ("b", "playing", ""),
    ]


def test_the_time_of_a_row_is_the_talks():
    rows = Rows()
    rows.transcript.now = 3.25
    rows.transcript.open("a", "you", "text", None)
    rows.transcript.now = 4.5
    rows.transcript.said("a", "x")
    opened = next(change for change in rows.changes if isinstance(change, TurnOpened))
    assert (opened.started, rows.last().ended) == (3.25, 4.5)
