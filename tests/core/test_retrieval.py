"""`/kept`: what the server keeps of an answer."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from core_talk import CHAT, DROPPED, MS, Bench, answer, created, done, error, message, sent, shown, whole, written

from voicecli.core.changes import Told, TurnSet
from voicecli.protocol import events as e
from voicecli.protocol.items import ContentPart, Item


def asks(bench: Bench) -> e.ConversationItemRetrieve:
    """What `/kept` sends."""
    (event,) = sent(bench.asks("kept"))
    assert isinstance(event, e.ConversationItemRetrieve)
    return event


def keeps(bench: Bench, item: str, *parts: ContentPart) -> Told:
    """The notice that follows from what the server says."""
    effects = bench.says(e.ConversationItemRetrieved(item=message(item, *parts, status="incomplete")))
    assert not shown(TurnSet, effects)
    (told,) = shown(Told, effects)
    return told


def cut(bench: Bench) -> int:
    """An answer that was cut, and another one after it; how many milliseconds of it were heard."""
    answer(bench, 1000, text="one two three")
    bench.plays(0, 500)
    (event,) = [event for event in sent(bench.asks("interrupt", at=1.2)) if hasattr(event, "audio_end_ms")]
    bench.says(e.ConversationItemTruncated(item_id="a1", audio_end_ms=event.audio_end_ms))
    bench.says(created("r2"), written("later", "a2", "r2"), whole("a2", "r2"), done("r2", "a2"))
    return int(event.audio_end_ms)


def test_it_is_the_last_answer_that_was_cut_and_the_words_are_gone() -> None:
    bench = Bench().ready(1.0)
    ms = cut(bench)
    assert asks(bench).item_id == "a1"
    told = keeps(bench, "a1", ContentPart(type="audio"))
    assert (told.code, told.severity) == ("kept", "info")
    assert told.title == f"The server keeps {ms / 1000:.1f} seconds of its sound and none of its words."


def test_sound_that_is_sent_along_is_measured() -> None:
    bench = Bench().ready(1.0)
    cut(bench)
    asks(bench)
    part = ContentPart(type="audio", audio=base64.b64encode(bytes(2 * 700 * MS)).decode(), transcript="one")
    told = keeps(bench, "a1", part)
    assert told.title == "The server keeps 0.7 seconds of its sound and these words of it."
    assert told.detail.raw == "one"


def test_without_a_cut_it_is_the_last_answer() -> None:
    bench = Bench(CHAT).ready()
    for n in ("1", "2"):
        bench.says(created(f"r{n}"), written("hello", f"a{n}", f"r{n}"), whole(f"a{n}", f"r{n}"), done(f"r{n}"))
    bench.types("and you?")
    (mine,) = [event.item for event in sent(bench.effects) if isinstance(event, e.ConversationItemCreate)]
    bench.says(e.ConversationItemAdded(item=mine))
    assert asks(bench).item_id == "a2"
    told = keeps(bench, "a2", ContentPart(type="text", text="hello"))
    assert (told.title, told.detail.raw) == ("The server keeps these words of it.", "hello")


def test_an_answer_that_the_server_has_deleted_is_not_asked_about() -> None:
    bench = Bench().ready(1.0)
    answer(bench, 1000)
    bench.asks("interrupt")
    bench.says(e.ConversationItemDeleted(item_id="a1"))
    assert bench.codes(bench.asks("kept")) == ["nothing_kept"]


@pytest.mark.parametrize(
    ("refusal", "code"),
    [
        ({"code": "item_retrieve_invalid_item_id"}, "item_unknown"),
        ({"message": "Not here."}, "kept_refused"),
        ({"code": "invalid_value", "message": "Supported values are: 'session.update', ..."}, "event_unknown"),
    ],
)
def test_a_refusal_is_told(refusal: dict[str, Any], code: str) -> None:
    bench = Bench().ready(1.0)
    answer(bench, 1000)
    event = asks(bench)
    assert bench.codes(bench.says(error(about=str(event.event_id), **refusal))) == [code]
    assert bench.session.talk.pending.kinds() == ()


def test_without_an_answer_or_a_link_nothing_is_asked() -> None:
    bench = Bench().ready(1.0)
    assert bench.codes(bench.asks("kept")) == ["nothing_kept"]
    bench.give(DROPPED)
    effects = bench.asks("kept")
    assert (bench.codes(effects), sent(effects)) == (["kept_unready"], [])


def test_what_nobody_asked_for_is_no_notice() -> None:
    bench = Bench(CHAT).ready()
    bench.says(created(), written("hello"), whole(), done())
    effects = bench.says(e.ConversationItemRetrieved(item=Item(id="a1", type="message", role="assistant")))
    assert not bench.codes(effects)
