"""`/image`: an item of its own, asked about where something is said to it, and told where it cannot be sent."""

from __future__ import annotations

from core_talk import CHAT, DROPPED, TALK, Bench, answer, error, frames, sent
from msgspec.structs import replace

from voicecli.core.changes import TurnOpened
from voicecli.core.stimuli import Pictured
from voicecli.protocol.profiles import EMBEDDED_BETA, GENERIC_BETA

URL = "data:image/png;base64,AAAA"
ASKED = Pictured(name="cat.png", size="4x3", url=URL, text="what is this?")
PUT = Pictured(name="cat.png", size="4x3", url=URL)


def test_an_image_with_a_text_is_one_item_that_is_answered() -> None:
    bench = Bench(CHAT).ready()
    item, create = sent(bench.give(ASKED, at=1.0))
    assert [(part.type, part.image_url, part.text) for part in item.item.content] == [
        ("input_image", URL, None),
        ("input_text", None, "what is this?"),
    ]
    assert item.item.role == "user"
    assert create.__struct_config__.tag == "response.create"
    (opened,) = bench.shown(TurnOpened)
    assert (opened.role, opened.via, opened.image.raw) == ("you", "text", "cat.png, 4x3")
    assert bench.turn(item.item.id).text.raw == "what is this?"


def test_an_image_alone_is_only_put_into_the_talk_and_that_is_said() -> None:
    bench = Bench(TALK).ready()
    answer(bench, 1000)
    effects = bench.give(PUT, at=1.0)
    (event,) = sent(effects)
    assert [part.type for part in event.item.content] == ["input_image"]
    assert bench.codes(effects) == ["image_put"]
    assert bench.turn(event.item.id).status == "done"
    assert bench.phase == "assistant_speaking"
    assert frames(bench.asks("answer")) == ["create"]


def test_an_image_with_a_text_interrupts_as_a_text_does() -> None:
    bench = Bench(TALK).ready()
    answer(bench, 1000)
    bench.plays(0, 300)
    assert [type(event).__name__ for event in sent(bench.give(ASKED, at=1.0))] == [
        "ConversationItemTruncate",
        "ConversationItemCreate",
        "ResponseCreate",
    ]


def test_what_the_beta_has_no_place_for_is_told_and_not_sent() -> None:
    for profile in (EMBEDDED_BETA, GENERIC_BETA):
        bench = Bench(replace(CHAT, profile=profile)).ready()
        effects = bench.give(ASKED, at=1.0)
        assert sent(effects) == []
        assert bench.codes(effects) == ["image_not_carried"]
        (row,) = bench.rows
        assert (bench.turn(row).status, bench.turn(row).text.raw) == ("failed", "what is this?")
        assert bench.session.talk.rest


def test_an_image_that_was_not_taken_is_sent_again_on_the_next_connection() -> None:
    bench = Bench(CHAT).ready()
    (first, _) = sent(bench.give(ASKED, at=1.0))
    bench.give(DROPPED)
    bench.asks("retry")
    before = len(bench.effects)
    bench.ready(2.0)
    _, again, _ = sent(bench.effects[before:])
    assert again.item == first.item
    assert len(bench.rows) == 1


def test_an_image_that_is_refused_is_told() -> None:
    bench = Bench(CHAT).ready()
    (item,) = sent(bench.give(PUT, at=1.0))
    bench.says(error("This model takes no images.", about=str(item.event_id)))
    assert bench.codes()[-1] == "text_refused"
    assert bench.turn(item.item.id).status == "failed"
