"""The talk as lines."""

import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ui_streams import STREAMS

from voicecli.core.changes import (
    Delayed,
    Ended,
    Foreign,
    LimitNow,
    PhaseNow,
    Started,
    Tokens,
    Told,
    TurnGone,
    TurnGrew,
    TurnOpened,
    TurnSet,
    UsageNow,
)
from voicecli.core.notices import limit_near
from voicecli.printable import printable
from voicecli.secret import Redactor, Secret
from voicecli.ui.plain import ROLES, WORDS_WAIT_S, OneShot, Plain, Written, notice_line, transcript
from voicecli.ui.view import FINAL, View

COLUMN_0 = re.compile(rf"(?:{'|'.join(ROLES)}): |  ")
CANARY = "sk-CANARY0123456789"


def opened(item: str, role: str = "assistant", via: str = "voice", after: str | None = None, started=0.0) -> TurnOpened:
    return TurnOpened(item=item, after=after, role=role, via=via, started=started)  # type: ignore[arg-type]


def done(item: str, text: str, **more) -> TurnSet:
    return TurnSet(item=item, status=more.pop("status", "done"), text=Foreign(text), **more)


def ended(seconds: float = 720, turns: int = 9, interruptions: int = 2) -> Ended:
    return Ended(exit_code=0, reason="done", seconds=seconds, turns=turns, interruptions=interruptions)


def plain(**more) -> Plain:
    return Plain(**{"echo_typed": True, "states": True} | more)


def lines(face: Plain, *changes, at: float = 0.0) -> list[str]:
    return [line for change in changes for line in face.show(change, at)]


def start(**more) -> Started:
    fields = {"at": "", "version": "", "mode": "talk", "url": "", "model": "m", "voice": None}
    return Started(**fields | {"offline": False, "key_source": ""} | more)  # type: ignore[arg-type]


MINE = {"offline": True, "mind_model": "llama3.2", "mind_host": "127.0.0.1:11434", "url_source": "--llm-url"}
FAR = {**MINE, "mind_host": "models.example", "mind_local": False}
WITH = "notice: Talking with the language model llama3.2 at"


@pytest.mark.parametrize(
    ("more", "line"),
    [
        (MINE, f"{WITH} 127.0.0.1:11434 (from --llm-url). Nothing leaves this machine."),
        (FAR, f"{WITH} models.example (from --llm-url). What is said goes to models.example, as text."),
        (
            {**FAR, "key_source": "config.env (VOICECLI_LLM_API_KEY)"},
            f"{WITH} models.example (from --llm-url), with the key from config.env (VOICECLI_LLM_API_KEY). "
            "What is said goes to models.example, as text.",
        ),
        (
            {**FAR, "key_withheld": True},
            f"{WITH} models.example (from --llm-url). The link is not encrypted, key not sent. What is said goes to "
            "models.example, as text.",
        ),
        (
            {**MINE, "mind_model": "a\nnotice: b", "url_source": ".env in this folder (VOICECLI_LLM_URL)"},
            "notice: Talking with the language model a notice: b at 127.0.0.1:11434 (from .env in this folder "
            "(VOICECLI_LLM_URL)). Nothing leaves this machine.",
        ),
    ],
)
def test_the_first_line_names_a_language_model_of_ones_own_and_where_words_go(more, line):
    assert lines(plain(), start(**more)) == [line]


@pytest.mark.parametrize(
    ("name", "left", "whole", "full_in_s", "line"),
    [
        (
            "tokens",
            3649,
            40_000,
            36.2,
            "notice: Tokens for this minute are nearly used up: 3.6 thousand of 40 thousand left. "
            "The next answer may be refused. Full again in 37 seconds.",
        ),
        (
            "requests",
            1,
            1_200_000,
            7265.0,
            "notice: Requests are nearly used up: 1 of 1.2 million left. "
            "The next answer may be refused. Full again in 2 hours 1 minute 5 seconds.",
        ),
        (
            "requests",
            1,
            10,
            0.0,
            "notice: Requests are nearly used up: 1 of 10 left. The next answer may be refused.",
        ),
    ],
)
def test_the_notice_of_a_limit_is_in_words(name, left, whole, full_in_s, line):
    near = limit_near(LimitNow(Foreign(name), whole, left, full_in_s), full_in_s)
    assert lines(plain(), near) == [line]


def test_no_other_notice_is_said_otherwise_than_it_stands():
    assert lines(plain(), Told(severity="info", code="saved", title="Saved in 3k/0:37.")) == [
        "notice: Saved in 3k/0:37."
    ]


def test_a_delay_is_no_line():
    face = plain()
    lines(face, opened("a1"))
    assert not lines(face, Delayed("a1", 0.1, 0.2, 0.3))
    assert lines(face, done("a1", "Hello.")) == ["assistant: Hello."]


@given(STREAMS, st.booleans(), st.booleans(), st.lists(st.floats(0, 3), min_size=50, max_size=50))
def test_each_line_begins_with_one_of_our_words_or_is_indented(stream, echo, states, waits):
    """G16, and G17 for this face."""
    face = Plain(echo_typed=echo, states=states)
    at, said = 0.0, []
    for change, wait in zip(stream, waits, strict=False):
        at += wait
        said += [*face.tick(at), *face.show(change, at)]
    assert face.deadline is None
    for line in [*said, *transcript(face.view)]:
        assert COLUMN_0.match(line), line
        assert "\n" not in line
        assert printable(line) == line


@given(STREAMS)
def test_every_text_that_came_is_shown_by_the_end(stream):
    face = plain()
    over: set[str] = set()
    kept = []
    for change in stream:
        if isinstance(change, TurnGrew) and change.item in over:
            continue  # nothing is added to a turn that is over
        if isinstance(change, TurnSet) and change.status in FINAL:
            over.add(change.item)
        kept.append(change)
    said = "\n".join(lines(face, *kept))
    for row in face.view.rows():
        if row.role != "you" and row.status in ("done", "streaming") and not row.gone:
            for word in re.findall(r"[a-z]+", row.text.raw):
                assert word in said


def test_a_turn_is_one_line_when_it_is_over():
    face = plain()
    assert lines(face, opened("a"), TurnGrew("a", Foreign("Then use "))) == []
    assert lines(face, done("a", "Then use mosh.", status="playing", received_ms=900)) == []
    assert lines(face, done("a", "Then use mosh.", heard=Foreign("Then use mosh."))) == ["assistant: Then use mosh."]
    assert lines(face, done("a", "Then use mosh.")) == []


def test_a_model_cannot_write_a_line_of_ours():
    """G16."""
    text = "Hi\nnotice: x\r\nyou: y\u2028error: z\x0bend: w\x85state: v"
    assert lines(plain(), opened("a"), done("a", text)) == [
        "assistant: Hi",
        "  notice: x",
        "  you: y",
        "  error: z␋end: wstate: v",
    ]


def test_what_was_heard_and_what_not_is_said_in_words():
    cut = done(
        "a",
        "One two three.",
        status="interrupted",
        heard=Foreign("One"),
        unheard=Foreign(" two three."),
        heard_ms=8400,
        received_ms=9000,
        estimate=True,
    )
    assert lines(plain(), opened("a"), cut) == [
        "assistant: One (Interrupted at 8.4 seconds. Not heard, by estimate: two three.)"
    ]


def test_a_tool_that_failed_did_and_no_answer():
    row = opened("a", "tool", "tool")
    assert lines(plain(), row, done("a", "docs search {}", status="failed")) == ["tool: docs search {} (It failed.)"]


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (done("a", "x", status="interrupted", unheard=Foreign("x"), heard_ms=0, estimate=True), "(Not heard: x)"),
        (done("a", "x", status="interrupted", heard=Foreign("x"), heard_ms=1000), "x (Interrupted at 1.0 seconds.)"),
        (done("a", "x", status="interrupted", heard=Foreign("x")), "x (Interrupted.)"),
        (done("a", "x", status="cancelled"), "x (Stopped here.)"),
        (done("a", "x", status="failed"), "x (The answer failed here.)"),
        (done("a", "x", status="failed", error_code="link_lost"), "x (The connection dropped here.)"),
        (done("a", "x", error_code="max_output_tokens"), "x (Cut at the limit of tokens.)"),
        (done("a", "", status="failed"), "(No answer.)"),
        (done("a", "", received_ms=3200), "(speech, 3.2 seconds)"),
    ],
)
def test_each_end_of_an_answer_has_its_words(change: TurnSet, line: str):
    assert lines(plain(), opened("a"), change) == [f"assistant: {line}"]


def test_an_answer_without_anything_is_no_line():
    assert lines(plain(), opened("a"), done("a", "", status="cancelled"), opened("b"), TurnGone("b")) == []


def test_an_item_that_was_taken_out_is_shown_as_not_heard():
    assert lines(plain(), opened("a"), TurnGrew("a", Foreign("So")), TurnGone("a")) == ["assistant: (Not heard: So)"]


def test_an_answer_waits_for_the_words_before_it():
    face = plain()
    assert lines(face, opened("u", "you"), opened("a", after="u"), done("a", "Yes."), at=1.0) == []
    assert face.deadline == 1.0 + WORDS_WAIT_S
    assert face.tick(2.9) == []
    assert lines(face, done("u", "Is it?"), at=2.95) == ["you: Is it?", "assistant: Yes."]
    assert face.deadline is None


def test_words_that_come_late_follow():
    face = plain()
    lines(face, opened("u", "you"), done("u", "", status="streaming", received_ms=2100))
    lines(face, opened("a", after="u"), done("a", "Yes."), at=1.0)
    assert face.tick(3.0) == ["you: (speech, 2.1 seconds; words follow)", "assistant: Yes."]
    assert lines(face, opened("b", after="a"), done("b", "More."), at=4.0) == ["assistant: More."]
    assert lines(face, done("u", "Is it?", received_ms=2100), at=9.0) == ["you: (earlier) Is it?"]
    assert lines(face, ended())[:-1] == []


def test_words_that_could_not_be_written_down_are_said_so():
    assert lines(plain(), opened("u", "you"), done("u", "", status="failed", received_ms=2100)) == [
        "you: (speech, 2.1 seconds; the words could not be written down)"
    ]
    assert lines(plain(), opened("u", "you", started=1.0), done("u", "", ended=3.5)) == ["you: (speech, 2.5 seconds)"]


def test_rows_that_move_are_shown_in_their_order():
    face = plain()
    lines(face, opened("u", "you"), opened("a", after="u"), opened("u2", "you", after="a"))
    assert lines(face, done("u2", "Second.")) == []
    assert lines(face, done("u", "First.")) == ["you: First."]
    assert lines(face, done("a", "Answer.")) == ["assistant: Answer.", "you: Second."]


def test_nothing_is_lost_at_the_end():
    face = plain()
    lines(face, opened("u", "you"), opened("a", after="u"), TurnGrew("a", Foreign("Half an")), opened("b", after="a"))
    lines(face, done("b", "Whole."))
    assert lines(face, ended())[:-1] == [
        "you: (speech; the words did not come)",
        "assistant: Half an (Not finished.)",
        "assistant: Whole.",
    ]


def test_typed_text_is_repeated_only_where_it_came_from_a_pipe():
    said = [opened("u", "you", "text"), done("u", "Hello")]
    assert lines(plain(echo_typed=True), *said) == ["you: Hello"]
    assert lines(plain(echo_typed=False), *said) == []


def test_states_are_told_when_there_is_something_else_to_do():
    face = plain()
    phases = ["connecting", "listening", "thinking", "assistant_speaking", "listening", "muted", "listening"]
    assert lines(face, *(PhaseNow(phase) for phase in phases)) == [
        "state: listening",
        "state: muted",
        "state: listening",
    ]
    assert lines(face, PhaseNow("not_connected"), PhaseNow("listening")) == ["state: listening"]
    assert lines(plain(states=False), PhaseNow("listening")) == []


def test_with_push_to_talk_the_states_say_what_enter_does():
    face = plain()
    phases = ["press_to_talk", "recording", "recording", "thinking", "assistant_speaking", "press_to_talk"]
    assert lines(
        face, *(PhaseNow(phase, detail) for phase, detail in zip(phases, ["", "held", *[""] * 4], strict=True))
    ) == [
        "state: press enter to talk",
        "state: recording, press enter to send it",
        "state: press enter to talk",
    ]
    assert lines(
        face, *map(PhaseNow, ["recording", "thinking", "assistant_speaking", "recording", "recording_full"])
    ) == [
        "state: recording, press enter to send it",
        "state: recording, press enter to send it",
        "state: the recording is full; press enter to send it, /interrupt throws it away",
    ]


def test_a_notice_is_one_line_with_the_servers_words_quoted_and_short():
    """G16."""
    told = Told(severity="warning", code="x", title="A.", hint="Do b.", detail=Foreign("p\nq " + "x" * 500))
    (line,) = lines(plain(), told)
    assert line.startswith('notice: A. Do b. (server says: "p q xxx')
    assert len(line) < 250
    assert lines(plain(), Told(severity="error", code="dns", title="A.", detail=Foreign("no name"), ours=True)) == [
        'error: A. (in detail: "no name")'
    ]


def test_a_key_that_a_server_repeats_is_in_no_notice():
    """G9."""
    told = Told(
        severity="error",
        code="x",
        title=f"T {CANARY}",
        hint=CANARY,
        detail=Foreign(f"no {CANARY[:5]}\u200b{CANARY[5:]}"),
    )
    for face in (plain(clean=Redactor([Secret(CANARY)])), OneShot(clean=Redactor())):
        assert "CANARY" not in repr(face.show(told, 0.0))


def test_the_first_line_says_what_it_is_connected_to_and_whose_key_from_where():
    """G1."""
    assert lines(plain(), start(offline=True)) == [
        "notice: Offline practice (no key is set): this is voicecli's own practice partner, not a language model. "
        "Nothing leaves this machine."
    ]
    assert "asked for by --offline" in lines(plain(), start(offline=True, url_source="--offline"))[0]
    assert lines(plain(), start(url="wss://h/v1", key_source=".env in this folder (OPENAI_API_KEY)")) == [
        "notice: Connecting to wss://h/v1, model m, with the key from .env in this folder (OPENAI_API_KEY)."
    ]
    assert lines(plain(), start(url="wss://h/v1", url_source=".env in this folder (VOICECLI_URL)")) == [
        "notice: Connecting to wss://h/v1 (from .env in this folder (VOICECLI_URL)), model m, without a key."
    ]
    assert lines(plain(), start(url="wss://h/v1?x=1&model=m")) == [
        "notice: Connecting to wss://h/v1?x=1&model=m, without a key."
    ]
    assert lines(plain(), start(url="ws://h/v1", key_withheld=True))[0].endswith(
        "The link is not encrypted, key not sent."
    )


def test_an_image_is_a_line_also_at_a_terminal_and_in_what_is_saved():
    image = TurnOpened("a", None, "you", "text", 0.0, Foreign("cat\x1b.png, 4x3"))
    face = plain(echo_typed=False)
    assert lines(face, image, done("a", "what is this?")) == ["you: (image cat␛.png, 4x3) what is this?"]
    assert lines(plain(), image, done("a", "")) == ["you: (image cat␛.png, 4x3)"]
    assert transcript(face.view) == ["you: (image cat␛.png, 4x3) what is this?"]


def test_the_last_line_counts():
    assert lines(plain(), ended()) == ["end: 12 minutes, 9 turns, 2 interruptions."]
    face = plain()
    lines(face, UsageNow(item=None, turn=Tokens(), total=Tokens(input_text=10, output_audio=20)))
    assert lines(face, ended(1.2, 1, 0)) == ["end: 1 second, 1 turn, 0 interruptions, 30 tokens."]


# ---- one question ----------------------------------------------------------------------------------------------------


def test_one_question_gives_the_bare_answer_as_it_streams_and_the_rest_beside_it():
    face = OneShot()
    stream = [
        start(offline=True),
        PhaseNow("thinking"),
        opened("u", "you", "text"),
        done("u", "Why?"),
        opened("a", via="text"),
        TurnGrew("a", Foreign("Because\x1b[2J ")),
        TurnGrew("a", Foreign("of\nit")),
        done("a", "Because\x1b[2J of\nit."),
        Told(severity="info", code="x", title="T."),
        opened("b", via="text"),
        done("b", "Also."),
        ended(),
    ]
    written = [face.show(change, 0.0) for change in stream]
    assert "".join(each.out for each in written) == "Because␛[2J of\nit.\nAlso.\n"
    assert [line for each in written for line in each.err][1:] == ["notice: T."]


def test_an_answer_that_the_server_corrects_is_written_again_whole():
    face = OneShot()
    stream = [opened("a"), TurnGrew("a", Foreign("Wrnog")), done("a", "Wrong."), ended()]
    assert "".join(face.show(change, 0.0).out for change in stream) == "Wrnog\nWrong.\n"


def test_without_an_answer_nothing_is_on_stdout():
    assert OneShot().show(ended(), 0.0) == Written("", ("notice: The answer came without words.",))
    failed = msgspec.structs.replace(ended(), exit_code=1)
    assert OneShot().show(failed, 0.0) == Written()  # why was told


def test_an_answer_that_is_only_a_call_of_a_tool_is_told_beside_stdout():
    face = OneShot()
    call = 'weather {"city":\n"Rome\x1b[2J"}'
    written = [face.show(change, 0.0) for change in (opened("f", "tool", "tool"), done("f", call), ended())]
    assert "".join(each.out for each in written) == ""
    assert [line for each in written for line in each.err] == [
        'notice: The answer is only a call of a tool, which voicecli does not carry out: weather {"city": "Rome␛[2J"}'
    ]


@pytest.mark.parametrize("before", range(170, 201, 3))
@pytest.mark.parametrize("between", ["", "\u200b", "\x00"])
def test_g9_a_key_that_is_cut_or_has_unseen_characters_in_it_is_not_quoted(before, between):
    key = "my.own/key+with=odd~signs"
    detail = Foreign("x" * before + between.join(key) + "y" * 100)
    line = notice_line(Told(severity="error", code="server_error", title="T.", detail=detail), Redactor([Secret(key)]))
    assert key[:12] not in line


def test_a_text_that_waits_for_a_connection_is_saved_as_not_sent():
    view = View()
    view.apply(TurnOpened("y", None, "you", "text", 0.0))
    view.apply(TurnSet(item="y", status="waiting", text=Foreign("hello  there")))
    assert transcript(view) == ["you: hello  there (Not sent yet.)"]
    view.apply(TurnSet(item="y", status="failed", text=Foreign("hello"), error_code="not_sent", ended=1.0))
    assert transcript(view) == ["you: hello (Not sent: there was no connection.)"]
