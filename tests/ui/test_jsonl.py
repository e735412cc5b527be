"""The talk as JSON lines."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ui_streams import STREAMS, joined

from voicecli.core import notices
from voicecli.core.changes import (
    Delayed,
    EchoNow,
    Ended,
    Foreign,
    HeardNow,
    LinkNow,
    QueuedNow,
    SessionNow,
    Started,
    Tokens,
    Told,
    TurnConfirmed,
    TurnGone,
    TurnGrew,
    TurnMoved,
    TurnOpened,
    TurnSet,
    UsageNow,
)
from voicecli.ports import Side, SoundFailed, SoundFailure
from voicecli.secret import Redactor, Secret
from voicecli.ui.jsonl import Jsonl

CANARY = "sk-CANARY0123456789"


def read(stream, face: Jsonl | None = None) -> list[dict]:
    face = face or Jsonl()
    return [json.loads(line) for n, change in enumerate(stream) for line in face.show(change, 10.0 + n)]


def turns(lines: list[dict]) -> dict[str, dict]:
    return {line["id"]: line for line in lines if line["type"] == "turn"}


@given(STREAMS)
def test_every_line_is_ascii_json_and_the_numbers_have_no_gap(stream):
    """G17."""
    face = Jsonl()
    lines = [line for change in stream for line in face.show(change, 1.0)]
    for number, line in enumerate(lines, 1):
        assert line.isascii()
        assert line.isprintable()
        read = json.loads(line, parse_constant=lambda name: pytest.fail(name))
        assert (read["v"], read["seq"]) == (1, number)
        assert {"t", "type"} <= read.keys()
    assert json.loads(lines[0])["type"] == "start"
    assert json.loads(lines[-1])["type"] == "end"


@given(STREAMS, st.data())
def test_the_latest_line_of_a_turn_is_the_truth_however_the_stream_was_joined(stream, data):
    def last(changes):
        face = Jsonl()
        text: dict[str, str] = {}
        whole: dict[str, dict] = {}
        for change in changes:
            for line in map(json.loads, face.show(change, 0.0)):
                if line["type"] == "turn":
                    whole[line["id"]], text[line["id"]] = line, line["text"]
                elif line["type"] == "delta":
                    text[line["turn"]] += line["text"]
        return text, {
            id: {k: v for k, v in line.items() if k not in ("seq", "t", "text", "unheard")}
            for id, line in whole.items()
        }

    assert last(stream) == last(joined(stream, data))


def test_a_turn_line_comes_when_it_opens_and_whenever_it_changes_and_is_whole():
    lines = read(
        [
            TurnOpened(item="a", after=None, role="assistant", via="voice", started=1.5),
            TurnGrew("a", Foreign("Hel")),
            TurnGrew("a", Foreign("lo")),
            TurnSet(item="a", status="playing", text=Foreign("Hello"), received_ms=900),
            TurnMoved(item="a", after="u"),
            TurnSet(
                item="a",
                status="interrupted",
                text=Foreign("Hello"),
                heard=Foreign("Hel"),
                unheard=Foreign("lo"),
                heard_ms=400,
                received_ms=900,
                estimate=True,
                ended=3.0,
            ),
        ]
    )
    assert [line["type"] for line in lines] == ["turn", "delta", "delta", "turn", "turn", "turn"]
    assert [line["t"] for line in lines] == [0, 1, 2, 3, 4, 5]
    assert lines[0]["status"] == "streaming"
    assert {k: v for k, v in lines[-1].items() if k not in ("v", "seq", "t", "type")} == {
        "id": "a",
        "item_id": "a",
        "after": "u",
        "role": "assistant",
        "via": "voice",
        "status": "interrupted",
        "text": "Hello",
        "heard": "Hel",
        "unheard": "lo",
        "heard_ms": 400,
        "received_ms": 900,
        "estimate": True,
        "error": None,
        "started": 1.5,
        "ended": 3.0,
        "delay": None,
        "confirmed": None,
        "kept_ms": None,
        "image": None,
    }


def test_a_turn_that_is_as_it_was_is_not_told_again():
    whole = TurnSet(item="a", status="streaming", text=Foreign("Hello"))
    lines = read([whole, whole, TurnGrew("a", Foreign("x")), whole])
    assert [line["type"] for line in lines] == ["turn", "delta", "turn"]


def test_a_delta_of_an_item_never_announced_opens_its_turn_first():
    lines = read([TurnGrew("x", Foreign("a")), TurnGrew("x", Foreign("b"))])
    assert [(line["type"], line.get("text")) for line in lines] == [("turn", ""), ("delta", "a"), ("delta", "b")]


def test_what_nobody_heard_ends_as_interrupted():
    lines = read([TurnGrew("x", Foreign("a")), TurnGone("x")])
    assert (turns(lines)["x"]["status"], turns(lines)["x"]["unheard"]) == ("interrupted", "a")


def test_text_is_the_same_text_and_no_byte_of_it_steers_a_terminal():
    """F38."""
    text = "\x9b2J\u202e\u2028\x7f\x1b]52;c;x\x07é👨"
    (_, delta) = Jsonl().show(TurnGrew("x", Foreign(text)), 0.0)
    assert json.loads(delta)["text"] == text
    assert delta.isascii()
    assert delta.isprintable()


def test_settings_are_values_and_what_is_no_json_stays_text():
    (line,) = read(
        [
            SessionNow(
                settings=(
                    ("voice", Foreign('"marin"')),
                    ("x", Foreign("{")),
                    ("deep", Foreign("[" * 5000 + "]" * 5000)),
                ),
                refused=(("speed", Foreign("1.5")),),
            )
        ]
    )
    assert line["settings"]["voice"] == "marin"
    assert line["settings"]["x"] == "{"
    assert line["refused"] == [{"field": "speed", "value": 1.5, "reason": None}]


def test_a_session_has_the_names_that_the_server_gave_it():
    named = SessionNow(settings=(), id=Foreign("sess_1"), model=Foreign("m-2025"), conversation=Foreign("conv_1"))
    nameless, line = read([SessionNow(settings=()), named])
    assert {nameless[name] for name in ("id", "model", "conversation")} == {None}
    assert [line[name] for name in ("id", "model", "conversation")] == ["sess_1", "m-2025", "conv_1"]


def test_what_the_server_has_cut_or_deleted_is_said_in_a_whole_line_of_the_turn():
    whole = TurnSet(item="a", status="interrupted", text=Foreign("Hello"), heard=Foreign("Hel"), unheard=Foreign("lo"))
    lines = read([whole, TurnConfirmed("a", 400), TurnConfirmed("a", 400), TurnConfirmed("a", None)])
    assert [(line["confirmed"], line["kept_ms"]) for line in lines] == [(None, None), ("cut", 400), ("deleted", None)]
    assert {line["status"] for line in lines} == {"interrupted"}
    assert read([TurnConfirmed("nobody", 1)]) == []


def test_an_image_stands_beside_the_text_of_its_turn():
    opened = TurnOpened("a", None, "you", "text", 0.0, Foreign("cat.png, 4x3"))
    lines = read([opened, TurnSet(item="a", status="done", text=Foreign("what is this?"))])
    assert [(line["image"], line["text"]) for line in lines] == [
        ("cat.png, 4x3", ""),
        ("cat.png, 4x3", "what is this?"),
    ]


def test_usage_is_by_kind_and_what_the_server_did_not_say_is_null():
    turn = Tokens(input_text=1, input_audio=2, input_image=3, cached=4, cached_text=4, output_text=5, output_audio=6)
    (line,) = read([UsageNow(item="a", turn=turn, total=turn)])
    assert line["turn"] == "a"
    assert line["input"] == {"text": 1, "audio": 2, "image": 3, "cached": 4, "cached_text": 4, "cached_audio": None}
    assert line["output"] == {"text": 5, "audio": 6}
    assert line["total"] == {"input": line["input"], "output": line["output"]}


def test_what_has_no_line_leaves_no_gap():
    face = Jsonl()
    assert face.show(HeardNow("a", 1, 1), 0.0) == []
    (line,) = read([Ended(exit_code=0, reason="done", seconds=1.0, turns=0, interruptions=0)], face)
    assert line["seq"] == 1


def test_the_first_line_says_with_what_and_whose_key_but_not_the_key():
    (line,) = read(
        [
            Started(
                at="2026-01-01T00:00:00Z",
                version="1",
                mode="talk",
                url="wss://h",
                model="m",
                voice=None,
                offline=False,
                key_source="OPENAI_API_KEY in the environment",
            )
        ]
    )
    assert (line["type"], line["url"], line["key_source"]) == ("start", "wss://h", "OPENAI_API_KEY in the environment")


def test_the_first_line_names_a_language_model_of_ones_own():
    mine = Started("", "1", "talk", "", "m", None, True, "", mind_model="llama3.2", mind_host="127.0.0.1:11434")
    (line,) = read([mine])
    assert line["llm"] == {"model": "llama3.2", "host": "127.0.0.1:11434", "local": True}
    (line,) = read([Started("", "1", "talk", "", "m", None, True, "")])
    assert line["llm"] is None


def test_a_key_that_a_server_repeats_is_in_no_line():
    """G9."""
    face = Jsonl(clean=Redactor([Secret(CANARY)]))
    lines = face.show(Told(severity="error", code="x", title=CANARY, hint=CANARY, detail=Foreign(CANARY)), 0.0)
    lines += face.show(LinkNow(state="lost", reason=Foreign(CANARY)), 0.0)
    lines += face.show(SessionNow(settings=(("instructions", Foreign(f'"{CANARY}"')),)), 0.0)
    assert "CANARY" not in "".join(lines)


def test_a_turn_carries_its_delay_once_it_was_heard():
    opened = TurnOpened(item="a1", after=None, role="assistant", via="voice", started=0.5)
    delay = Delayed("a1", 0.0601, 0.2702, 0.0903)
    done = TurnSet(item="a1", status="done", text=Foreign("Hello."))
    before, heard, over = read([opened, delay, done])
    assert before["delay"] is None
    assert heard["type"] == "turn"
    assert heard["delay"] == {"noticed": 0.06, "first_sent": 0.27, "first_heard": 0.09, "from_commit": False}
    assert over["delay"] == heard["delay"]


def test_a_delay_that_begins_at_the_commit_says_so():
    opened = TurnOpened(item="a1", after=None, role="assistant", via="voice", started=0.5)
    line = read([opened, Delayed("a1", None, 0.2, 0.1, from_commit=True)])[-1]
    assert line["delay"] == {"noticed": None, "first_sent": 0.2, "first_heard": 0.1, "from_commit": True}


def test_a_delay_of_a_turn_that_nobody_knows_is_no_turn():
    assert not read([Delayed("a1", 0.1, 0.2, 0.1)])


def test_what_is_still_to_be_heard_is_no_line():
    assert not read([QueuedNow(1.0, (-3.0,) * 4)])


SECRET = 'my.own/"key"+with=odd~signs'


def told(lines: list[str]) -> str:
    """What a program has of the one turn that puts the pieces together."""
    text = ""
    for line in map(json.loads, lines):
        match line["type"]:
            case "turn":
                text = line["text"]
            case "delta":
                text += line["text"]
    return text


@pytest.mark.parametrize("size", [1, 2, 7, 100])
@pytest.mark.parametrize("end", [True, False])
def test_g9_a_key_that_comes_in_pieces_cannot_be_put_together(size: int, end: bool):
    """Nor is anything else of the text lost."""
    face = Jsonl(Redactor([Secret(SECRET)]))
    said = f"It is my. Or my.own/{SECRET}{SECRET[:-1]}! {SECRET} my.ow"
    lines = face.show(TurnOpened("a", None, "assistant", "text", 0.0), 0.0)
    for at in range(0, len(said), size):
        lines += face.show(TurnGrew("a", Foreign(said[at : at + size])), 0.0)
        lines += face.show(TurnMoved("a", None), 0.0)  # shows it whole, as far as it is
        lines += face.show(TurnSet(item="a", status="streaming", text=Foreign(said[: at + size])), 0.0)
        assert SECRET not in told(lines)
        assert said.replace(SECRET, "[key]").startswith(told(lines))
    deltas = [json.loads(line)["text"] for line in lines if '"type":"delta"' in line]
    assert SECRET not in "".join(deltas)
    if end:
        lines += face.show(TurnSet(item="a", status="done", text=Foreign(said), ended=1.0), 0.0)
        assert told(lines[:-1]) == said.replace(SECRET, "[key]")
    else:
        lines += face.show(Ended(exit_code=0, reason="quit", seconds=1, turns=1, interruptions=0), 0.0)
        assert told(lines) == said.replace(SECRET, "[key]")


def test_without_secrets_nothing_waits():
    face = Jsonl()
    lines = face.show(TurnGrew("a", Foreign("my")), 0.0)
    assert told(lines) == "my"


def test_a_notice_has_the_seconds_to_wait_and_the_side_it_is_about():
    waits, about, plain = read(
        [
            notices.waiting("rate_limit", 11.27),
            notices.sound_failed(SoundFailed(Side.SPEAKER, SoundFailure.LOST, "USB", "")),
            notices.told("idle"),
        ]
    )
    assert (waits["wait_s"], waits["side"], waits["hint"]) == (11.3, None, "Wait 12 seconds, then ask again.")
    assert (about["wait_s"], about["side"]) == (None, "output")
    assert (plain["wait_s"], plain["side"]) == (None, None)


def test_what_is_done_about_echo_is_a_line():
    lines = read([EchoNow("half-duplex"), EchoNow("off")])
    assert [(line["type"], line["echo"]) for line in lines] == [("sound", "half_duplex"), ("sound", "off")]
