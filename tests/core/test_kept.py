"""What a server can make the core keep is bounded (G11), and what went is counted and told."""

import gc
import random
import tracemalloc

import pytest
from core_talk import CHAT, Bench, added, answer, created, done, sound, whole, written

from voicecli.core.changes import Told, TurnGrew, TurnSet
from voicecli.core.heard import MOST_OPEN
from voicecli.core.stimuli import Quit
from voicecli.core.transcript import MOST_ROWS, MOST_TEXT, Transcript
from voicecli.protocol import events as e
from voicecli.protocol.conversation import Conversation
from voicecli.protocol.items import Item


def test_old_rows_are_forgotten_and_counted_and_new_ones_go_on_g11():
    bench = Bench(CHAT).ready()
    for n in range(MOST_ROWS + 10):
        bench.says(e.ConversationItemAdded(item=Item(id=f"u{n}", type="message", role="user")))
        bench.effects.clear()
    bench.says(created(), added("a1"), written("hello", "a1"))
    bench.says(whole("a1"), done("r1", "a1"))
    assert bench.turn("a1").text.raw == "hello"
    bench.give(Quit())
    assert bench.ended.turns == MOST_ROWS + 11
    (told,) = [told for told in bench.shown(Told) if told.code == "passed_over"]
    assert told.title == "Passed over in this talk: 11 turns too many to be kept."


def test_a_row_that_is_forgotten_while_it_is_open_is_closed_for_the_faces_g11():
    bench = Bench(CHAT).ready()
    bench.says(created(), added("a0"), written("hello", "a0"))
    for n in range(MOST_ROWS):
        bench.says(e.ConversationItemAdded(item=Item(id=f"u{n}", type="message", role="user")))
    turn = bench.turn("a0")
    assert (turn.status, turn.text.raw) == ("cancelled", "hello")
    bench.says(whole("a0"), done("r1", "a0"))


def test_of_a_text_without_end_the_beginning_is_shown_and_the_rest_counted_g11():
    bench = Bench(CHAT).ready()
    bench.says(created(), added("a1"))
    for _ in range(120):
        bench.says(written("x" * 10_000, "a1"))
    assert sum(len(grown.text.raw) for grown in bench.shown(TurnGrew)) == MOST_TEXT
    bench.says(e.TextDone(response_id="r1", item_id="a1", text="x" * 1_200_000), whole("a1"), done("r1", "a1"))
    assert len(bench.turn("a1").text.raw) == MOST_TEXT
    bench.give(Quit())
    (told,) = [told for told in bench.shown(Told) if told.code == "passed_over"]
    assert told.title == "Passed over in this talk: 1 text too long to be kept whole."


def test_a_text_that_was_cut_at_its_longest_is_whole_where_it_is_said_again_g11():
    bench = Bench().ready()
    bench.says(e.InputAudioBufferCommitted(item_id="u1"))
    bench.says(e.TranscriptionCompleted(item_id="u1", transcript="y" * 1_200_000))
    before = len(bench.shown(TurnSet))
    bench.says(e.TranscriptionCompleted(item_id="u1", transcript="y" * 1_200_000))
    assert len(bench.shown(TurnSet)) == before


def test_what_was_passed_over_is_counted_at_the_end_g11():
    bench = Bench().ready()
    bench.says(e.Unknown("a.b", b""), e.Unknown("a.b", b""), e.Malformed("c", "no", b""), e.Malformed("d", "no", b""))
    bench.give(Quit())
    (told,) = [told for told in bench.shown(Told) if told.code == "passed_over"]
    assert told.title == "Passed over in this talk: 2 messages of unknown kinds."


def test_what_was_told_each_time_is_not_counted_once_more_g11():
    bench = Bench().ready()
    bench.says(e.Unknown("a.b", b""), e.Malformed("c", "no", b""))
    bench.give(Quit())
    assert bench.codes() == ["unknown_event", "malformed"]


def test_a_usual_talk_ends_without_a_count():
    bench = Bench().ready()
    answer(bench, text="hello")
    bench.plays(0, 1000)
    bench.give(Quit(), at=5.0)
    assert "passed_over" not in bench.codes()


def test_items_that_are_never_whole_are_settled_when_there_are_too_many_g11():
    bench = Bench().ready()
    bench.says(created())
    for n in range(MOST_OPEN + 5):
        bench.says(sound(1, f"a{n}"))
        bench.plays(n, 1, bench.at - 1)
        bench.effects.clear()
    assert bench.session.talk.ledger.unsettled(f"a{MOST_OPEN + 4}")
    assert not bench.session.talk.ledger.unsettled("a0")
    assert len(bench.session.talk.ledger.items) <= MOST_OPEN


@pytest.mark.parametrize("most", [200])
def test_what_a_transcript_keeps_is_flat_once_it_is_full_g11(most):
    kept = []
    transcript = Transcript(kept.append, most_rows=most)
    sizes = []
    tracemalloc.start()
    try:
        for n in range(20 * most):
            item = f"i{n}"
            transcript.open(item, "you", "voice", f"i{max(0, n - 7)}")
            transcript.grow(item, 0, "x" * 100)
            transcript.grow(item, 0, "y" * 100, n)
            transcript.gone(f"i{n - 3}")
            kept.clear()
            if n % (2 * most) == 2 * most - 1:
                gc.collect()
                sizes.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert sizes[-1] < 1.2 * sizes[0] + 20_000
    assert transcript.forgotten == 19 * most


@pytest.mark.parametrize("most", [200])
def test_what_a_conversation_keeps_is_flat_once_it_is_full_g11(most):
    """Also where items are told in such an order that each waits for another, and most wait in vain."""
    conversation, rng = Conversation(most_items=most), random.Random(3)
    sizes = []
    tracemalloc.start()
    try:
        for n in range(60 * most):
            before = rng.choice([f"i{n + 1}", f"i{n - 1}", f"never{n}", None])
            item = Item(id=f"i{n}", type="function_call", call_id=f"c{n}", arguments="{}" * 20)
            conversation.apply(e.OutputItemAdded(item=item))
            conversation.apply(e.ConversationItemAdded(item=item, previous_item_id=before))
            if n % (6 * most) == 6 * most - 1:
                gc.collect()
                sizes.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert sizes[-1] < 1.2 * max(sizes[:5])
    assert len(conversation) == most
    assert len(conversation.order()) == most


def test_all_texts_of_a_conversation_together_are_bounded_g11():
    conversation = Conversation(most_kept=100_000)
    for n in range(100):
        conversation.apply(e.TextDelta(item_id=f"i{n}", delta="x" * 10_000))
    assert "i99" in conversation
    assert len(conversation) <= 10
    assert conversation.forgotten == 100 - len(conversation)


def test_one_item_of_very_many_parts_is_bounded_g11():
    conversation = Conversation()
    for n in range(1000):
        conversation.apply(e.TextDelta(item_id="i", content_index=n, delta="x"))
    assert len(conversation.item("i").content) == 64


def test_a_text_of_very_many_pieces_is_what_was_said_g11():
    conversation = Conversation()
    for n in range(10_000):
        conversation.apply(e.TextDelta(item_id="i", delta=str(n % 10)))
    assert conversation.item("i").content[0].text == "0123456789" * 1000
