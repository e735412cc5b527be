"""Each event of a server, and what a face shows of it; `docs/events.md` is this table.

`python -m tests.core.test_every_event` prints the document.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.contract.check import contract
from tests.core.core_talk import (
    CHAT,
    TALK,
    Bench,
    added,
    committed,
    created,
    done,
    error,
    heard_words,
    message,
    shown,
    sound,
    started,
    stopped,
    whole,
    words,
    written,
)
from tests.protocol.strategies import SERVER_CLASSES
from voicecli.core.changes import Change
from voicecli.core.stimuli import Begin, Opened, Tick
from voicecli.protocol import events as e
from voicecli.protocol.codec import decode_server, encode_server
from voicecli.protocol.dialects import GA_NAMES, Spelling
from voicecli.protocol.items import (
    ContentPart,
    ConversationInfo,
    Item,
    RateLimit,
    SessionConfig,
    TranscriptionError,
    Usage,
)

DOCUMENT = Path(__file__).parents[2] / "docs" / "events.md"


class Case(NamedTuple):
    """One event, after others."""

    event: Any
    before: tuple[Any, ...] = ()
    shows: str = ""
    """Names of the changes that follow."""
    sees: str = ""
    """In the person's words."""
    dialled: bool = False
    """The connection is not configured yet."""
    written: bool = False
    """In a written talk."""
    heard_ms: int = 0
    """So much of it was heard, and then it was silent for two seconds."""


def call(**more: Any) -> Item:
    return Item(id="f1", type="function_call", call_id="c1", name="look", **more)


def tool(kind: type, **more: Any) -> Any:
    return kind(response_id="r1", item_id="f1", call_id="c1", **more)


SAID = (created(), added())
CALLED = (created(), e.OutputItemAdded(response_id="r1", item=call(status="in_progress")))
MCP = Item(id="m1", type="mcp_call", name="search", server_label="docs")
MCP_CALLED = (created(), e.OutputItemAdded(response_id="r1", item=MCP))
SPOKEN = (started(), stopped(), committed())
TYPED = message("u9", ContentPart(type="input_text", text="hello"), role="user", status="completed")

CASES = (
    Case(error("the server is tired"), (), "Told", "a notice: what happened, and what to do"),
    Case(
        e.SessionCreated(session=SessionConfig(modalities=("text",))),
        shows="SessionNow",
        sees="the session that there is: its id, the model by the server's own name, and its own settings. It is "
        "answered by `session.update`; without it the talk stays `connecting` and then says that the server does not "
        "speak",
        dialled=True,
    ),
    Case(
        e.SessionUpdated(session=TALK.session),
        (e.SessionCreated(session=SessionConfig()),),
        "LinkNow PhaseNow SessionNow",
        "the settings in force; connected, and listening",
        dialled=True,
    ),
    Case(
        e.ConversationCreated(conversation=ConversationInfo("conv_1")),
        shows="SessionNow",
        sees="its id, beside that of the session",
    ),
    Case(
        committed(),
        (started(), stopped()),
        "PhaseNow TurnOpened TurnSet",
        "the row of your turn with how long you spoke, before its words",
    ),
    Case(e.InputAudioBufferCleared(), (started(),), "PhaseNow", "no longer `you are speaking`"),
    Case(started(), (), "PhaseNow", "`you are speaking`; an answer that is heard stops and is cut"),
    Case(stopped(), (started(),), "PhaseNow", "`thinking`"),
    Case(
        e.ConversationItemCreated(item=TYPED),
        (),
        "TurnOpened TurnSet",
        "a row with its text, where it belongs",
    ),
    Case(heard_words("hello", "u1"), SPOKEN, "TurnSet", "your words"),
    Case(
        e.TranscriptionFailed(item_id="u1", error=TranscriptionError(code="audio_unintelligible", message="noise")),
        SPOKEN,
        "Told TurnSet",
        "your row without words, and a notice why",
    ),
    Case(
        e.ConversationItemTruncated(item_id="a1", audio_end_ms=100),
        (*SAID, words("one two"), sound(500)),
        shows="TurnConfirmed",
        sees="that the server knows: so much of the row is kept there. The row itself was cut when the truncation was "
        "sent; one that is refused has its notice",
    ),
    Case(
        e.ConversationItemDeleted(item_id="a1"),
        (*SAID, words("one two")),
        shows="TurnConfirmed",
        sees="that the server has deleted it. The row itself was marked when the deletion was sent; one that is "
        "refused has its notice",
    ),
    Case(created(), (), "PhaseNow", "`thinking`", written=True),
    Case(
        done("r1", "a1", usage=Usage(total_tokens=5, input_tokens=3, output_tokens=2)),
        (*SAID, written("hello")),
        "PhaseNow TurnSet UsageNow",
        "the row is whole, what it cost, and why it ended where it did not end well",
        written=True,
    ),
    Case(added(), (created(),), "TurnOpened", "the row of an answer, or of a call"),
    Case(
        whole(),
        (*SAID, written("hello")),
        "TurnSet",
        "the row is whole, or plays to its end",
        written=True,
    ),
    Case(
        e.ContentPartAdded(response_id="r1", item_id="a1", part=ContentPart(type="audio")),
        (created(),),
        "TurnOpened",
        "the row, where the item was not announced",
    ),
    Case(
        e.ContentPartDone(response_id="r1", item_id="a1", part=ContentPart(type="audio", transcript="hello")),
        SAID,
        "TurnGrew",
        "the text that did not come by pieces",
    ),
    Case(written("hello"), SAID, "TurnGrew", "text as it comes", written=True),
    Case(
        e.TextDone(response_id="r1", item_id="a1", text="hello you"),
        (*SAID, written("hello")),
        "TurnGrew",
        "what the pieces left out",
        written=True,
    ),
    Case(words("hello"), SAID, "TurnGrew", "the words of what is spoken"),
    Case(
        e.AudioTranscriptDone(response_id="r1", item_id="a1", transcript="hello you"),
        (*SAID, words("hello")),
        "TurnGrew",
        "what the pieces left out",
    ),
    Case(sound(500), SAID, "PhaseNow", "it is heard; `assistant speaking`"),
    Case(
        e.AudioDone(response_id="r1", item_id="a1"),
        (*SAID, sound(20)),
        "PhaseNow",
        "nothing more is waited for: no longer `waiting for sound`",
        heard_ms=20,
    ),
    Case(tool(e.FunctionCallArgumentsDelta, delta="{}"), CALLED, "TurnGrew", "what a tool is called with"),
    Case(
        tool(e.FunctionCallArgumentsDone, arguments="{}"),
        CALLED,
        "TurnGrew",
        "the same, whole",
    ),
    Case(
        e.RateLimitsUpdated(rate_limits=(RateLimit("tokens", 1000, 900, 1.5),)),
        (),
        "LimitsNow",
        "what is left of your limits, and when they are full again",
    ),
    # ---- newer
    Case(e.ConversationItemAdded(item=TYPED), (), "TurnOpened TurnSet", "as `conversation.item.created`"),
    Case(e.ConversationItemDone(item=TYPED), (), "TurnOpened TurnSet", "the same, whole"),
    Case(
        e.ConversationItemRetrieved(item=message("a9", ContentPart(type="text", text="hello"), status="completed")),
        (),
        "TurnGrew TurnOpened TurnSet",
        "a row with the text that the server has",
    ),
    Case(e.TranscriptionDelta(item_id="u1", delta="hel"), SPOKEN, "TurnGrew", "your words as they come"),
    Case(
        e.TranscriptionSegment(item_id="u1", text="hello", speaker="A", start=0, end=1.5),
        SPOKEN,
        "TurnGrew",
        "who of several said which words",
    ),
    Case(e.TimeoutTriggered(item_id="u1", audio_end_ms=6000), (), "Told", "that the assistant takes the word"),
    Case(e.DtmfReceived(event="5", received_at=1.8e9), (), "Told", "the key of the telephone"),
    Case(
        e.McpListToolsFailed(item_id="m1"),
        (e.ConversationItemAdded(item=Item(id="m1", type="mcp_list_tools", server_label="docs")),),
        "Told TurnSet",
        "the row failed, and a notice",
    ),
    Case(
        e.McpCallArgumentsDelta(response_id="r1", item_id="m1", delta="{}"),
        MCP_CALLED,
        "TurnGrew",
        "what the server calls a tool with",
    ),
    Case(
        e.McpCallArgumentsDone(response_id="r1", item_id="m1", arguments="{}"),
        MCP_CALLED,
        "TurnGrew",
        "the same, whole",
    ),
    Case(
        e.McpCallFailed(response_id="r1", item_id="m1"),
        MCP_CALLED,
        sees="nothing by itself: the row fails, and a notice tells why, with its item or the end of the response",
    ),
    *(
        Case(kind(item_id="m1"), (), sees="nothing by itself: the row of its item says it")
        for kind in (e.McpListToolsInProgress, e.McpListToolsCompleted, e.McpCallInProgress, e.McpCallCompleted)
    ),
    *(
        Case(kind(response_id="r1"), (), sees="nothing: it tells of a player on the server's side (WebRTC, SIP)")
        for kind in (e.OutputAudioBufferStarted, e.OutputAudioBufferStopped, e.OutputAudioBufferCleared)
    ),
)


def kind_of(event: Any) -> str:
    return str(type(event).__struct_config__.tag)


def changes(case: Case, spelled: Callable[[Any], Any] = lambda event: event) -> set[str]:
    """The names of the changes that follow from the event and from nothing before it."""
    bench = Bench(CHAT if case.written else TALK)
    if case.dialled:
        bench.give(Begin(), at=0.0)
        bench.give(Opened(1.8e9), at=0.1)
    else:
        bench.ready()
    bench.says(*map(spelled, case.before))
    if case.heard_ms:
        bench.plays(0, case.heard_ms)
        bench.give(Tick(), at=bench.at + 2.0)
    return {type(change).__name__ for change in shown(Change, bench.says(spelled(case.event)))}


def by_wire(spelling: Spelling) -> Callable[[Any], Any]:
    """The event as it is after it went over the wire; as it was where the spelling has no such event."""

    def spelled(event: Any) -> Any:
        text = encode_server(event, spelling)
        return event if text is None else decode_server(text)

    return spelled


def document() -> str:
    of_the_contract = contract().events("RealtimeServerEvent")
    lines = [
        "# What a face shows of each event",
        "",
        "The changes are those of `voicecli/core/changes.py`; screen, lines and JSON draw them. Made by",
        "`python -m tests.core.test_every_event`, which also holds it.",
        "",
    ]
    for title, wanted in (("The 28 events of the contract", True), ("Newer events", False)):
        lines += [f"## {title}", "", "| event | in GA | changes | what the person sees |", "|---|---|---|---|"]
        for case in CASES:
            kind = kind_of(case.event)
            if (kind in of_the_contract) is wanted:
                ga = f"`{GA_NAMES[kind]}`" if kind in GA_NAMES else ""
                lines.append(f"| `{kind}` | {ga} | {case.shows.replace(' ', ', ') or 'none'} | {case.sees} |")
        lines.append("")
    return "\n".join(lines)


@pytest.mark.parametrize("case", CASES, ids=lambda case: kind_of(case.event))
def test_an_event_changes_what_the_table_says_in_both_spellings(case: Case) -> None:
    wanted = set(case.shows.split())
    assert changes(case) == wanted
    for spelling in Spelling:
        assert changes(case, by_wire(spelling)) == wanted


def test_every_event_has_its_case_and_all_of_the_contract_change_something() -> None:
    assert sorted(kind_of(case.event) for case in CASES) == sorted(
        str(each.__struct_config__.tag) for each in SERVER_CLASSES
    )
    assert all(case.sees for case in CASES)
    silent = {kind_of(case.event) for case in CASES if not case.shows} & set(contract().events("RealtimeServerEvent"))
    assert not silent


def test_the_table_in_the_documents_is_this_one() -> None:
    assert DOCUMENT.read_text() == document()


if __name__ == "__main__":
    print(document(), end="")
