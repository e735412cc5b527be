"""The item list that both ends keep: same events, same view, in both spellings."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from tests.protocol.strategies import SERVER_CLASSES, server_event
from voicecli.ports import RATE, SAMPLES_PER_MS
from voicecli.protocol import events as e
from voicecli.protocol.codec import decode_server, encode_server
from voicecli.protocol.conversation import Conversation, PartView
from voicecli.protocol.dialects import Spelling
from voicecli.protocol.items import FORMATS, ContentPart, ConversationInfo, Item, Response, SessionConfig

SECOND = bytes(RATE * 2)


def message(item_id: str, role: str = "user", kind: str = "input_text", **fields: Any) -> Item:
    return Item(id=item_id, type="message", role=role, content=(ContentPart(type=kind, **fields),))


def added(item_id: str, previous: str | None = None) -> e.ConversationItemCreated:
    return e.ConversationItemCreated(item=message(item_id, text=item_id), previous_item_id=previous)


def answer(item_id: str, after: str | None, words: list[str], status: str = "completed") -> list[e.ServerEvent]:
    """A spoken answer as a server tells it, for both spellings: each takes from it what it has a name for."""
    opened = Item(id=item_id, type="message", role="assistant", status="in_progress")
    done = Item(
        id=item_id,
        type="message",
        role="assistant",
        status=status,
        content=(ContentPart(type="audio", transcript="".join(words)),),
    )
    events: list[e.ServerEvent] = [
        e.ResponseCreated(response=Response(id="r", status="in_progress")),
        e.OutputItemAdded(response_id="r", item=opened),
        e.ConversationItemCreated(item=opened, previous_item_id=after),
        e.ConversationItemAdded(item=opened, previous_item_id=after),
        e.ContentPartAdded(response_id="r", item_id=item_id, part=ContentPart(type="audio")),
    ]
    for word in words:
        events.append(e.AudioTranscriptDelta(response_id="r", item_id=item_id, delta=word))
        events.append(e.AudioDelta(response_id="r", item_id=item_id, delta=SECOND))
    return [
        *events,
        e.AudioDone(response_id="r", item_id=item_id),
        e.AudioTranscriptDone(response_id="r", item_id=item_id, transcript="".join(words)),
        e.ContentPartDone(response_id="r", item_id=item_id, part=done.content[0]),
        e.OutputItemDone(response_id="r", item=done),
        e.ConversationItemDone(item=done, previous_item_id=after),
        e.ResponseDone(response=Response(id="r", status=status, output=(done,))),
    ]


def both_ends(events: list[e.ServerEvent], spelling: Spelling) -> tuple[Conversation, Conversation]:
    """The server applies what it says; the client applies what arrives."""
    server, client = Conversation(), Conversation()
    for event in events:
        text = encode_server(event, spelling)
        if text is not None:
            server.apply(event)
            decoded = decode_server(text)
            assert isinstance(decoded, e.Event)
            client.apply(decoded)  # type: ignore[arg-type]
    return server, client


def talk() -> list[e.ServerEvent]:
    """A spoken question, an answer that is cut, one that is deleted, a typed question, a call and its output."""
    heard = message("u1", kind="input_audio")
    call = Item(id="f1", type="function_call", status="completed", call_id="c1", name="look", arguments='{"a":1}')
    output = Item(id="o1", type="function_call_output", call_id="c1", output="found")
    return [
        e.SessionCreated(session=SessionConfig(output_audio_format="pcm16")),
        e.InputAudioBufferCommitted(item_id="u1", previous_item_id=None),
        e.ConversationItemCreated(item=heard, previous_item_id=None),
        e.ConversationItemAdded(item=heard, previous_item_id=None),
        e.ConversationItemDone(item=heard, previous_item_id=None),
        *answer("a1", "u1", ["one ", "two ", "three"]),
        e.TranscriptionCompleted(item_id="u1", transcript="count to three"),
        *answer("a2", "a1", ["four"], "incomplete"),
        e.ConversationItemTruncated(item_id="a1", audio_end_ms=1500),
        e.ConversationItemDeleted(item_id="a2"),
        e.ConversationItemCreated(item=message("u2", text="look"), previous_item_id="a1"),
        e.ConversationItemAdded(item=message("u2", text="look"), previous_item_id="a1"),
        e.OutputItemAdded(item=Item(id="f1", type="function_call", call_id="c1", name="look")),
        e.FunctionCallArgumentsDelta(item_id="f1", call_id="c1", delta='{"a'),
        e.FunctionCallArgumentsDelta(item_id="f1", call_id="c1", delta='":1}'),
        e.FunctionCallArgumentsDone(item_id="f1", call_id="c1", arguments='{"a":1}'),
        e.OutputItemDone(item=call),
        e.ConversationItemCreated(item=output, previous_item_id="f1"),
        e.ConversationItemAdded(item=output, previous_item_id="f1"),
    ]


def test_at_rest_views_are_equal_at_both_ends_and_in_both_spellings() -> None:
    ends = [end for spelling in Spelling for end in both_ends(talk(), spelling)]
    for one, other in pairwise(ends):
        assert one.view() == other.view()
    client = ends[-1]
    assert client.order() == ("u1", "a1", "u2", "f1", "o1")
    assert client.samples("a1") == 1500 * SAMPLES_PER_MS
    by_id = {item.id: item for item in client.view()}
    assert by_id["u1"].parts == (PartView("input_audio", "", "count to three"),)
    assert by_id["a1"].parts == (PartView("audio", "", ""),)
    assert by_id["a1"].status == "completed"
    assert (by_id["f1"].arguments, by_id["f1"].name, by_id["o1"].output) == ('{"a":1}', "look", "found")
    assert client.has_call("c1")


EVENTS = st.lists(st.sampled_from(SERVER_CLASSES).flatmap(server_event), max_size=12)


@given(EVENTS, st.sampled_from(Spelling))
def test_any_events_leave_both_ends_with_the_same_view(events: list[e.ServerEvent], spelling: Spelling) -> None:
    server, client = both_ends(events, spelling)
    assert client.view() == server.view()
    assert client.order() == server.order() == tuple(item.id for item in server.view())
    assert all(item.id in client and client.item(item.id) is not None for item in client.view())


@pytest.mark.parametrize("cls", SERVER_CLASSES)
def test_events_without_ids_or_for_unknown_items_change_nothing_and_never_raise(cls: type[e.ServerBase]) -> None:
    conversation = Conversation()
    frame = json.dumps({"type": cls.__struct_config__.tag, "item": {}, "error": {}, "delta": "AAAA"})
    event = decode_server(frame)
    assert isinstance(event, cls)
    conversation.apply(event)  # type: ignore[arg-type]
    assert conversation.view() == ()


def test_a_truncation_cuts_sound_and_takes_the_transcript_and_late_deltas_bring_neither_back() -> None:
    conversation = Conversation()
    for event in answer("a", None, ["one", "two"]):
        conversation.apply(event)
    assert conversation.samples("a") == 2 * RATE
    conversation.apply(e.ConversationItemTruncated(item_id="a", audio_end_ms=700))
    for event in answer("a", None, ["one", "two"]):
        conversation.apply(event)
    (item,) = conversation.view()
    assert (item.samples, item.parts) == (700 * SAMPLES_PER_MS, (PartView("audio", "", ""),))
    conversation.apply(e.ConversationItemTruncated(item_id="a", audio_end_ms=900))
    assert conversation.samples("a") == 700 * SAMPLES_PER_MS


def test_a_truncation_counts_the_parts_of_an_item_as_one_run_of_samples() -> None:
    conversation = Conversation()
    for index in (0, 1):
        conversation.apply(e.AudioDelta(item_id="a", content_index=index, delta=SECOND))
    assert conversation.samples("a") == 2 * RATE
    conversation.apply(e.ConversationItemTruncated(item_id="a", audio_end_ms=1250))
    assert conversation.samples("a") == RATE * 5 // 4


def test_an_odd_byte_waits_for_the_next_delta_of_its_part() -> None:
    conversation = Conversation()
    conversation.apply(e.AudioDelta(item_id="a", delta=bytes(3)))
    assert conversation.samples("a") == 1
    conversation.apply(e.AudioDelta(item_id="a", delta=bytes(3)))
    assert conversation.samples("a") == 3


def test_samples_are_counted_in_the_format_the_session_names() -> None:
    conversation = Conversation()
    conversation.apply(e.SessionUpdated(session=SessionConfig(output_audio_format="g711_ulaw")))
    assert conversation.output == FORMATS["g711_ulaw"]
    conversation.apply(e.AudioDelta(item_id="a", delta=bytes(8_000)))
    assert conversation.samples("a") == RATE
    conversation.apply(e.SessionUpdated(session=SessionConfig(output_audio_format="unheard_of")))
    assert conversation.output == FORMATS["g711_ulaw"]


def test_an_item_that_is_known_already_only_gets_what_it_lacked() -> None:
    """Trap of section 7: `created` and `added` for one item."""
    conversation = Conversation()
    conversation.apply(e.TextDelta(item_id="a", delta="hel"))
    conversation.apply(added("u"))
    known = Item(id="a", type="message", role="assistant", status="in_progress")
    conversation.apply(e.ConversationItemCreated(item=known, previous_item_id="u"))
    conversation.apply(e.TextDelta(item_id="a", delta="lo"))
    late = Item(id="a", type="function_call", role="user", status="completed", content=(ContentPart(text="other"),))
    conversation.apply(e.ConversationItemAdded(item=late, previous_item_id=None))
    item = conversation.view()[-1]
    assert (item.id, item.type, item.role, item.status) == ("a", "message", "assistant", "in_progress")
    assert item.parts == (PartView("text", "hello", ""),)
    assert conversation.after("a") == "u"


def test_a_transcript_before_its_item_is_kept_and_finds_its_place() -> None:
    """Trap of section 7: transcript or delta before item.created."""
    conversation = Conversation()
    conversation.apply(added("u1"))
    conversation.apply(e.TranscriptionCompleted(item_id="u2", transcript="hi"))
    conversation.apply(added("u3", "u2"))
    conversation.apply(added("u4", "u1"))
    conversation.apply(e.ConversationItemCreated(item=message("u2", kind="input_audio"), previous_item_id="u1"))
    assert conversation.order() == ("u1", "u2", "u3", "u4")
    assert conversation.view()[1].parts == (PartView("input_audio", "", "hi"),)
    assert conversation.view()[1].role == "user"


def test_two_user_transcripts_in_swapped_order_find_their_own_items() -> None:
    conversation = Conversation()
    conversation.apply(e.InputAudioBufferCommitted(item_id="u1"))
    conversation.apply(e.InputAudioBufferCommitted(item_id="u2", previous_item_id="u1"))
    conversation.apply(e.TranscriptionCompleted(item_id="u2", transcript="second"))
    conversation.apply(e.TranscriptionDelta(item_id="u1", delta="fir"))
    conversation.apply(e.TranscriptionDelta(item_id="u1", delta="st"))
    assert [item.parts[0].transcript for item in conversation.view()] == ["first", "second"]


def told(item_id: str, previous: Any) -> list[e.ServerEvent]:
    """A text of the user's as both spellings tell it."""
    item = message(item_id, text=item_id)
    kinds = (e.ConversationItemCreated, e.ConversationItemAdded, e.ConversationItemDone)
    return [kind(item=item, previous_item_id=previous) for kind in kinds]


@pytest.mark.parametrize("spelling", Spelling)
@pytest.mark.parametrize("previous", ["root", None])
def test_root_and_null_are_the_beginning(spelling: Spelling, previous: str | None) -> None:
    """D3, D9: null is what a server that knows its order says of the first item."""
    server, client = both_ends([*told("b", None), *told("c", "b"), *told("a", previous), *told("d", "c")], spelling)
    assert client.order() == server.order() == ("a", "b", "c", "d")
    assert (client.after("a"), client.before("a"), client.before("d")) == (None, "b", None)


@pytest.mark.parametrize("spelling", Spelling)
def test_root_is_the_beginning_whatever_was_told_before(spelling: Spelling) -> None:
    _, client = both_ends([*told("b", None), *told("a", "root")], spelling)
    assert client.order() == ("a", "b")


@pytest.mark.parametrize("previous", [None, UNSET, ""])
def test_a_server_that_never_says_which_item_another_follows_appends_them_all(previous: Any) -> None:
    conversation = Conversation()
    for item_id in "abc":
        for event in told(item_id, previous):
            conversation.apply(event)
    assert conversation.order() == ("a", "b", "c")


@pytest.mark.parametrize("spelling", Spelling)
def test_a_place_that_is_not_told_is_the_end_as_is_a_null_for_what_was_said_or_generated(spelling: Spelling) -> None:
    """Servers differ: some name predecessors for some items only."""
    events = [
        *told("a", None),
        *told("b", "a"),
        e.InputAudioBufferCommitted(item_id="u", previous_item_id=None),
        *told("u", None),
        *answer("x", None, ["one"]),
    ]
    _, client = both_ends(events, spelling)
    assert client.order() == ("a", "b", "u", "x")
    client.apply(e.ConversationItemAdded(item=message("z"), previous_item_id=UNSET))
    assert client.last() == "z"


def test_what_comes_late_for_a_deleted_item_opens_nothing_but_it_may_be_created_again() -> None:
    conversation = Conversation()
    for event in answer("a", None, ["x"]):
        conversation.apply(event)
    conversation.apply(e.ConversationItemDeleted(item_id="a"))
    conversation.apply(e.AudioDelta(item_id="a", delta=SECOND))
    conversation.apply(e.TranscriptionCompleted(item_id="a", transcript="x"))
    conversation.apply(e.OutputItemDone(item=Item(id="a")))
    conversation.apply(e.ConversationItemDone(item=Item(id="a")))
    assert "a" not in conversation
    assert conversation.samples("a") == 0
    assert conversation.item("a") is None
    conversation.apply(added("a"))
    assert conversation.order() == ("a",)
    conversation.apply(e.ConversationItemDeleted(item_id=""))


def test_a_deleted_call_can_be_answered_no_more() -> None:
    conversation = Conversation()
    conversation.apply(e.FunctionCallArgumentsDelta(item_id="f", call_id="c", delta="{}"))
    assert conversation.has_call("c")
    conversation.apply(e.ConversationItemDeleted(item_id="f"))
    assert not conversation.has_call("c")


def test_an_output_is_no_call_that_could_be_answered() -> None:
    conversation = Conversation()
    conversation.apply(e.ConversationItemCreated(item=Item(id="o", type="function_call_output", call_id="c")))
    assert not conversation.has_call("c")


def test_a_response_that_is_done_tells_the_last_status_of_its_items_and_opens_none() -> None:
    conversation = Conversation()
    conversation.apply(e.TextDelta(item_id="a", delta="x"))
    items = (Item(id="a", status="incomplete"), Item(id="never", status="completed"))
    conversation.apply(e.ResponseDone(response=Response(output=items)))
    assert [(item.id, item.status) for item in conversation.view()] == [("a", "incomplete")]


def test_an_item_is_given_back_as_an_event_would_carry_it() -> None:
    conversation = Conversation()
    for event in answer("a", None, ["one ", "two"]):
        conversation.apply(event)
    assert conversation.item("a") == Item(
        id="a",
        type="message",
        role="assistant",
        status="completed",
        content=(ContentPart(type="audio", transcript="one two"),),
    )
    assert conversation.spoke
    assert (conversation.last(), len(conversation)) == ("a", 1)


# ---- out of band, formats of a response's own, and what is newer -----------------------------------------------------


def response_of(conversation_id: Any, item_id: str, response_id: str, **more: Any) -> list[e.ServerEvent]:
    """A written answer."""
    item = Item(id=item_id, type="message", role="assistant")
    begun = Response(id=response_id, status="in_progress", conversation_id=conversation_id, **more)
    return [
        e.ResponseCreated(response=begun),
        e.OutputItemAdded(response_id=response_id, item=item),
        e.TextDelta(response_id=response_id, item_id=item_id, delta="hello"),
        e.AudioDelta(response_id=response_id, item_id=item_id, content_index=1, delta=bytes(8_000)),
        e.ResponseDone(response=Response(id=response_id, status="completed", output=(item,))),
    ]


def after(*parts: list[e.ServerEvent]) -> Conversation:
    conversation = Conversation()
    for event in (event for part in parts for event in part):
        conversation.apply(event)
    return conversation


@pytest.mark.parametrize("spelling", Spelling)
def test_a_response_out_of_band_enters_no_conversation(spelling: Spelling) -> None:
    aside = response_of(None, "b", "r2")
    late = e.TextDelta(response_id="r2", item_id="b", delta="late")
    server, client = both_ends([*response_of("conv_1", "a", "r1"), *aside, late], spelling)
    assert client.order() == server.order() == ("a",)


CREATED = e.ConversationCreated(conversation=ConversationInfo(id="conv_1"))


@pytest.mark.parametrize("spelling", Spelling)
def test_the_first_response_of_all_may_be_out_of_band(spelling: Spelling) -> None:
    """A server that has told of its conversation means it when it names none."""
    server, client = both_ends([CREATED, *response_of(None, "b", "r1"), *response_of("conv_1", "a", "r2")], spelling)
    assert client.order() == server.order() == ("a",)


@pytest.mark.parametrize("spelling", Spelling)
def test_a_null_for_the_conversation_is_no_news_once_an_item_came_into_it(spelling: Spelling) -> None:
    """A server that tells of a conversation, and writes null in each response all the same."""
    talk = [CREATED]
    for n, item_id in enumerate("ab"):
        begun, opened, *rest = response_of(None, item_id, f"r{n}")
        assert isinstance(opened, e.OutputItemAdded)
        created = e.ConversationItemCreated(item=opened.item, previous_item_id=None)
        talk += [begun, opened, created, e.ConversationItemAdded(item=opened.item, previous_item_id=None), *rest]
    server, client = both_ends(talk, spelling)
    assert client.order() == server.order() == ("a", "b")
    assert [item.parts[0].text for item in client.view()] == ["hello", "hello"]
    assert client.samples("a") == client.samples("b") == 4_000


def test_a_conversation_without_an_id_is_not_told_of() -> None:
    assert after([e.ConversationCreated()], response_of(None, "a", "r1")).order() == ("a",)


def test_a_server_that_never_names_its_conversation_has_all_its_answers_in_it() -> None:
    """Many write null for whatever they do not know, or nothing."""
    assert after(response_of(None, "a", "r1"), response_of(UNSET, "b", "r2")).order() == ("a", "b")
    assert after(response_of("conv_1", "a", "r1"), response_of(UNSET, "b", "r2")).order() == ("a", "b")


@pytest.mark.parametrize(
    ("form", "samples"), [("g711_ulaw", RATE), ("pcm16", 4_000), (None, 4_000), ("opus", 4_000), ("g711_alaw", RATE)]
)
def test_samples_are_counted_in_the_format_of_the_response(form: str | None, samples: int) -> None:
    conversation = after(response_of("c", "a", "r1", output_audio_format=form), response_of("c", "b", "r2"))
    assert (conversation.samples("a"), conversation.samples("b")) == (samples, 4_000)
    assert conversation.form("a", 1).samples(8_000) == samples


def test_an_item_that_was_asked_for_brings_what_was_lacking_and_opens_nothing() -> None:
    conversation = after([e.InputAudioBufferCommitted(item_id="u")])
    whole = Item(id="u", type="message", role="user", content=(ContentPart(type="input_audio", transcript="hello"),))
    conversation.apply(e.ConversationItemRetrieved(item=whole))
    conversation.apply(e.ConversationItemRetrieved(item=Item(id="x", type="message", role="user")))
    (item,) = conversation.view()
    assert item.parts == (PartView("input_audio", "", "hello"),)


def test_a_call_that_the_server_makes_itself_has_its_arguments() -> None:
    conversation = after(
        [
            e.OutputItemAdded(item=Item(id="m", type="mcp_call", name="search", server_label="docs")),
            e.McpCallArgumentsDelta(item_id="m", delta='{"q'),
            e.McpCallArgumentsDone(item_id="m", arguments='{"q":1}'),
        ]
    )
    item = conversation.item("m")
    assert item is not None
    assert (item.server_label, item.name, item.arguments) == ("docs", "search", '{"q":1}')
    assert not conversation.has_call("m")


def test_what_is_remembered_of_responses_is_bounded() -> None:
    """G11: the oldest goes."""
    conversation = after(response_of("c", "a", "r"))
    for n in range(300):
        conversation.apply(e.ResponseCreated(response=Response(id=f"r{n}", conversation_id=None)))
        conversation.apply(e.OutputItemAdded(response_id=f"r{n}", item=Item(id=f"i{n}", type="message")))
    conversation.apply(e.TextDelta(response_id="r0", item_id="old", delta="x"))
    conversation.apply(e.TextDelta(response_id="r299", item_id="new", delta="x"))
    assert conversation.order() == ("a", "old")
