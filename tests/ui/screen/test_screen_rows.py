"""What stands in the conversation for each state of a turn, by value."""

from __future__ import annotations

import pytest
from conversation_app import SPEAKER, STARTED, Drawing, answer, done, grew, opened, typed
from rich.cells import cell_len

from voicecli.core.changes import (
    AnyChange,
    Cut,
    Delayed,
    Foreign,
    HeardNow,
    Interrupted,
    Phase,
    PhaseNow,
    Told,
    TurnGone,
    TurnMoved,
    TurnOpened,
    TurnSet,
)
from voicecli.ui.screen.glyphs import ASCII
from voicecli.ui.screen.layout import Layout
from voicecli.ui.screen.theme import DARK, LIGHT, PLAIN

HEARD, UNHEARD = "It keeps its own session, so a new address does not end it. ", "It needs a port."


def cut(item: str = "a", *, by: str = "voice", heard: str = HEARD, unheard: str = UNHEARD) -> list[AnyChange]:
    text = heard + unheard
    return [
        opened(item),
        grew(item, text),
        TurnSet(
            item=item,
            status="interrupted",
            text=Foreign(text),
            heard=Foreign(heard),
            unheard=Foreign(unheard),
            heard_ms=8400,
            received_ms=12000,
            estimate=True,
            ended=9.0,
        ),
        Interrupted(item, by, (Cut(item, 8400),), (), 5.0),  # type: ignore[arg-type]
    ]


def test_both_sides_stand_on_one_column_with_time_and_delay() -> None:
    drawing = Drawing().feed(STARTED, typed("y", "And when I move?"), answer("a", "Then use mosh."))
    drawing.feed(Delayed("a", 0.06, 0.29, 0.16))
    assert drawing.lines() == [
        "       you  And when I move?                                              14:03",
        " assistant  Then use mosh.                                               0.51 s",
    ]
    assert drawing.style_of("you") == DARK("you", bold=True)
    assert drawing.style_of("assistant") == DARK("ai", bold=True)
    assert drawing.style_of("mosh") == DARK("fg")
    assert drawing.style_of("14:03") == drawing.style_of("0.51 s") == DARK("muted")


def test_what_is_typed_and_waits_for_a_connection_says_so_until_it_is_sent() -> None:
    drawing = Drawing().feed(STARTED, TurnOpened("y", None, "you", "text", 0.0))
    drawing.feed(TurnSet(item="y", status="waiting", text=Foreign("And when I move?")))
    assert [line.strip() for line in drawing.lines()] == [
        "you  And when I move?                                              14:03",
        "not sent yet",
    ]
    drawing.feed(TurnSet(item="y", status="done", text=Foreign("And when I move?"), ended=1.0))
    assert len(drawing.lines()) == 1
    drawing.feed(TurnSet(item="y", status="failed", text=Foreign("And?"), error_code="not_sent", ended=1.0))
    assert drawing.lines()[1].strip() == "not sent: there was no connection"


def test_a_time_that_cannot_be_read_is_left_out() -> None:
    drawing = Drawing().feed(TurnOpened("y", None, "you", "text", 1e18), done("y", "Hello."))
    assert drawing.feed(STARTED).lines() == ["       you  Hello."]


def test_there_is_a_blank_line_before_the_person_and_with_room_before_everyone() -> None:
    talk = [*typed("y", "One?"), *answer("a", "Two."), *typed("z", "Three?"), *answer("b", "Four.")]
    words = ["you", "assistant", "", "you", "assistant"]
    assert [line[:10].strip() for line in Drawing(80, 24).feed(talk).lines()] == words
    words = ["you", "", "assistant", "", "you", "", "assistant"]
    assert [line[:10].strip() for line in Drawing(80, 40).feed(talk).lines()] == words


def test_where_it_is_narrow_the_word_stands_on_its_own_line() -> None:
    drawing = Drawing(60, 24).feed(STARTED, typed("y", "Hello."))
    assert drawing.lines() == [" you                                                  14:03", " Hello."]
    assert Drawing(30, 10).feed(STARTED, typed("y", "Hello there, how are you today?")).lines() == [
        "you",
        "Hello there, how are you",
        "today?",
    ]


def test_text_is_never_wider_than_its_column() -> None:
    drawing = Drawing(200, 60).feed(answer("a", "word " * 100))
    assert max(len(line) for line in drawing.lines()) <= Layout.of(200, 60).text_column + 92


def test_the_needle_parts_heard_from_not_yet_heard_and_moves_no_text() -> None:
    text = "your side sends a small packet every half minute and notices a dead link early"
    drawing = Drawing().feed(SPEAKER, opened("a"), grew("a", text))
    places = []
    for at in (0, 5, 10, 56, len(text)):
        drawing.feed(HeardNow("a", at * 60, at))
        lines = drawing.lines()
        places.append("\n".join(lines).index("▏"))
        assert "".join(lines).replace("▏", "").replace(" ", "") == "assistant" + text.replace(" ", "")
    assert places == sorted(places)
    drawing.feed(HeardNow("a", 600, 10))
    assert drawing.lines()[0] == " assistant  your side▏sends a small packet every half minute and"
    line = drawing.lines()[0]
    assert drawing.feed(HeardNow("a", 590, 9)).lines()[0] == line
    assert drawing.style_of("your side") == DARK("fg")
    assert drawing.style_of("sends a small") == DARK("muted")
    assert drawing.style_of("▏") == DARK("ai", bold=True)


def test_the_needle_comes_with_the_first_word_that_it_is_heard() -> None:
    drawing = Drawing().feed(opened("a"), grew("a", "["))
    assert drawing.lines() == [" assistant  ["]
    assert drawing.feed(HeardNow("a", 0, 1)).lines() == [" assistant  [▏"]


def test_what_is_told_as_heard_before_its_text_is_there_is_heard_when_it_comes() -> None:
    drawing = Drawing().feed(opened("a"), HeardNow("a", 0, 1))
    assert drawing.lines() == []
    assert drawing.feed(grew("a", "[")).lines() == [" assistant  [▏"]


def test_an_answer_that_is_to_be_heard_is_grey_before_it_begins_and_plain_when_it_is_over() -> None:
    drawing = Drawing().feed(SPEAKER, opened("a"), grew("a", "Wait for it."))
    assert drawing.lines() == [" assistant ▏Wait for it."]
    assert drawing.style_of("Wait") == DARK("muted")
    drawing.feed(done("a", "Wait for it."))
    assert drawing.lines() == [" assistant  Wait for it."]
    assert drawing.style_of("Wait") == DARK("fg")


def test_an_answer_was_heard_to_its_end_once_another_is_heard() -> None:
    drawing = Drawing().feed(SPEAKER, opened("a"), grew("a", "One two."), HeardNow("a", 100, 4))
    drawing.feed(opened("b"), grew("b", "Three four."))
    assert drawing.lines() == [" assistant  One▏two.", " assistant ▏Three four."]
    drawing.feed(HeardNow("b", 100, 6))
    assert drawing.lines() == [" assistant  One two.", " assistant  Three▏four."]
    assert drawing.style_of("One two.") == DARK("fg")


def test_a_speaker_that_is_opened_late_makes_grey_what_is_to_be_heard() -> None:
    drawing = Drawing().feed(opened("a"), grew("a", "One two."))
    assert drawing.lines() == [" assistant  One two."]
    assert drawing.feed(SPEAKER).lines() == [" assistant ▏One two."]


def test_an_answer_that_is_only_read_has_no_needle() -> None:
    """By text, or without a speaker."""
    assert Drawing().feed(opened("a"), grew("a", "Read me.")).lines() == [" assistant  Read me."]
    drawing = Drawing().feed(SPEAKER, opened("a", via="text"), grew("a", "Read me."))
    assert drawing.lines() == [" assistant  Read me."]


def test_the_needle_in_words_without_blanks_stands_between_them() -> None:
    drawing = Drawing().feed(SPEAKER, opened("a"), grew("a", "漢字漢字"), HeardNow("a", 100, 2))
    assert drawing.lines() == [" assistant  漢字▏漢字"]


def test_the_needle_is_counted_in_the_text_as_it_came() -> None:
    drawing = Drawing().feed(SPEAKER, opened("a"), grew("a", "\u200b\u200bone\ttwo three"), HeardNow("a", 100, 10))
    assert drawing.lines() == [" assistant  one    two▏three"]
    drawing.feed(opened("b"), grew("b", "a\u200db c d"), HeardNow("b", 100, 4))
    assert drawing.lines()[1:] == [" assistant  ab▏c d"]


def test_what_was_cut_is_struck_and_said_in_words() -> None:
    drawing = Drawing().feed(cut())
    assert drawing.lines() == [
        " assistant  It keeps its own session, so a new address does not end it.",
        "            ╱╱ It needs a port.",
        "            interrupted at 8.4 s · 4 words not heard (estimate)",
    ]
    assert drawing.style_of("It needs") == DARK("muted", strike=True)
    assert drawing.style_of("╱╱") == DARK("warn", bold=True)
    assert drawing.style_of("interrupted") == DARK("warn")
    assert drawing.style_of("4 words") == DARK("muted")


@pytest.mark.parametrize(
    ("by", "words"),
    [
        ("voice", "interrupted at 8.4 s"),
        ("key", "stopped by key at 8.4 s"),
        ("text", "stopped by typing at 8.4 s"),
        ("command", "stopped by command at 8.4 s"),
    ],
)
def test_it_is_said_what_it_was_interrupted_by(by: str, words: str) -> None:
    assert Drawing().feed(cut(by=by)).lines()[-1].strip().split(" · ")[0] == words


def test_words_that_are_not_parted_by_blanks_are_counted_in_characters() -> None:
    assert "20 characters not heard" in Drawing().feed(cut(heard="漢字", unheard="字" * 20)).lines()[-1]


def test_what_was_wholly_heard_when_it_was_cut_has_no_mark() -> None:
    assert Drawing().feed(cut(unheard="")).lines()[-1] == "            interrupted at 8.4 s"


def test_what_nobody_heard_stays_to_be_read_as_taken_out() -> None:
    drawing = Drawing().feed(opened("a"), grew("a", "I did not"), TurnGone("a"))
    assert drawing.lines() == [
        " assistant  ╱╱ I did not",
        "            interrupted before it was heard · taken out of the talk",
    ]


def test_late_words_have_their_place_before_the_answer() -> None:
    drawing = Drawing().feed(opened("y", "you"), answer("a", "Here it is."))
    assert drawing.lines() == ["       you  ▏words follow", " assistant  Here it is."]
    assert drawing.style_of("words follow") == DARK("muted", italic=True)
    drawing.feed(grew("y", "Where"))
    assert drawing.lines()[0] == "       you  Where ▏words follow"
    drawing.feed(done("y", "Where is it?"))
    assert drawing.lines() == ["       you  Where is it?", " assistant  Here it is."]


def test_words_that_never_came_leave_how_long_was_spoken() -> None:
    speech = TurnSet(item="y", status="done", text=Foreign(""), received_ms=2100, ended=3.0)
    assert Drawing().feed(opened("y", "you"), speech).lines() == ["       you  (speech, 2.1 s)"]
    failed = TurnSet(
        item="y", status="failed", text=Foreign(""), error_code="x", error=Foreign("bad\x1b[2J audio"), ended=2.1
    )
    assert Drawing().feed(opened("y", "you"), failed).lines() == [
        "       you  (speech, 2.1 s)",
        "            the words could not be written down: bad␛[2J audio",
    ]


@pytest.mark.parametrize(
    ("text", "code", "error", "line"),
    [
        ("", "rate_limit_exceeded", "Slow down", "no answer: Slow down"),
        ("", "rate_limit_exceeded", "", "no answer: rate limit exceeded"),
        ("One", "", "", "the answer ended here"),
        ("One", "link_lost", "", "the connection dropped here"),
        ("One", "content_filter", "", "stopped by the server's content rules"),
    ],
)
def test_an_answer_that_failed_says_why(text: str, code: str, error: str, line: str) -> None:
    failed = TurnSet(item="a", status="failed", text=Foreign(text), error_code=code, error=Foreign(error))
    drawing = Drawing().feed(opened("a"), failed)
    assert drawing.lines()[-1][12:] == line
    assert drawing.style_of(line) == DARK("bad")


def test_an_answer_that_was_cut_at_the_limit_of_tokens_says_so() -> None:
    ended = TurnSet(
        item="a", status="done", text=Foreign("As far as"), heard=Foreign("As far as"), error_code="max_output_tokens"
    )
    drawing = Drawing().feed(opened("a"), ended)
    assert drawing.lines() == [" assistant  As far as", "            cut at the limit of tokens"]
    assert drawing.style_of("cut at") == DARK("muted")


@pytest.mark.parametrize("phase", ["you_are_speaking", "recording"])
def test_who_speaks_is_seen_to_be_heard_until_there_is_a_turn(phase: Phase) -> None:
    drawing = Drawing().feed(answer("a", "Hello."), PhaseNow(phase))
    heard = [" assistant  Hello.", "", "       you  ▏hearing you"]
    assert drawing.lines() == heard
    assert drawing.feed(PhaseNow(phase, "x")).lines() == heard
    drawing.rows.settled()
    drawing.feed(PhaseNow("thinking"))
    assert drawing.rows.update().all
    assert drawing.lines() == [*heard[:2], "       you  ▏words follow"]
    assert drawing.rows.opened == ["a"]
    drawing.feed(opened("y", "you"))
    assert drawing.lines() == [*heard[:2], "       you  ▏words follow"]
    assert drawing.feed(PhaseNow("listening")).lines() == [*heard[:2], "       you  ▏words follow"]


def test_what_was_spoken_and_thrown_away_leaves_nothing() -> None:
    drawing = Drawing().feed(answer("a", "Hello."), PhaseNow("recording"), PhaseNow("press_to_talk"))
    assert drawing.lines() == [" assistant  Hello."]
    assert drawing.feed(PhaseNow("recording")).lines()[-1] == "       you  ▏hearing you"


def test_what_is_being_spoken_cannot_be_gone_to_and_takes_other_glyphs() -> None:
    drawing = Drawing().feed(answer("a", "Hello."), PhaseNow("you_are_speaking"))
    assert "hearing you" in drawing.lines()[-1]
    last, first = drawing.rows.last_turn(), drawing.rows.first_turn()
    assert last is first is not None
    assert last.item == "a"
    drawing.rows.reshape(drawing.rows.look._replace(glyphs=ASCII))
    assert "".join(drawing.lines()).isascii()


def test_a_tool_is_shown_with_its_name_and_arguments() -> None:
    drawing = Drawing().feed(opened("t", "tool", "tool"), grew("t", "weather "), grew("t", '{"city": "Oslo"}'))
    assert drawing.lines() == ['      tool  weather {"city": "Oslo"}']
    assert drawing.style_of("weather") == DARK("fg", bold=True)
    assert drawing.style_of("city") == DARK("muted")


def test_an_empty_answer_takes_no_line() -> None:
    assert Drawing().feed(typed("y", "Hello."), opened("a"), done("a", "")).lines() == ["       you  Hello."]


def test_a_quiet_information_stands_where_it_happened() -> None:
    drawing = Drawing().feed(typed("y", "One."), Told(severity="info", code="x", title="Muted.", hint="Or not."))
    drawing.feed(Told(severity="info", code="x", title="Again."), answer("a", "Two."))
    drawing.feed(Told(severity="warning", code="x", title="Loud."))
    assert drawing.lines() == [
        "       you  One.",
        "    notice  Muted. Or not.",
        "    notice  Again.",
        " assistant  Two.",
    ]
    assert drawing.style_of("Muted") == DARK("muted")


def test_what_is_told_before_the_first_turn_stands_above_it() -> None:
    drawing = Drawing().feed(STARTED, Told(severity="info", code="x", title="First."), typed("y", "One."))
    assert [line[:10].strip() for line in drawing.lines()] == ["notice", "", "you"]


def test_a_turn_moves_to_its_place_and_takes_its_blank_line_along() -> None:
    drawing = Drawing().feed(answer("a", "One."), answer("b", "Two."), typed("y", "Zero?"))
    assert [line.strip() for line in drawing.lines()] == ["assistant  One.", "assistant  Two.", "", "you  Zero?"]
    drawing.feed(TurnMoved("y", "a"))
    assert [line.strip() for line in drawing.lines()] == ["assistant  One.", "", "you  Zero?", "assistant  Two."]
    drawing.feed(TurnMoved("y", None))
    assert [line.strip() for line in drawing.lines()] == ["you  Zero?", "assistant  One.", "assistant  Two."]


def test_what_the_view_forgets_is_forgotten() -> None:
    drawing = Drawing()
    drawing.facts.view.__init__(most_rows=3)  # type: ignore[misc]
    for n in range(10):
        assert len(drawing.feed(answer(f"a{n}", f"Number {n}.")).lines()) == min(n + 1, 3)
    assert drawing.lines() == [f" assistant  Number {n}." for n in (7, 8, 9)]


def test_text_in_any_pieces_is_drawn_as_the_whole() -> None:
    text = "Zwölf 漢字漢字 👩\u200d👧 e\u0301\u0301\u0301\u0301\u0301\u0301 \u202eשלום " * 12
    whole = Drawing().feed(SPEAKER, opened("a"), grew("a", text), HeardNow("a", 1000, 100))
    pieces = Drawing().feed(SPEAKER, opened("a"))
    for n in range(0, len(text), 7):
        pieces.feed(grew("a", text[n : n + 7]), HeardNow("a", n, min(100, n)))
        assert all(strip.cell_length == 80 == cell_len(strip.text) for strip in pieces.strips())
    assert pieces.feed(HeardNow("a", 1000, 100)).strips() == whole.strips()


def test_foreign_text_is_made_harmless_wherever_it_stands() -> None:
    """G17"""
    bad = "\x1b]52;c;AA\x07[red]\u202e\U000e0041"
    drawing = Drawing().feed(typed("y", bad), opened("t", "tool", "tool"), done("t", bad))
    drawing.feed(opened("a"), TurnSet(item="a", status="failed", text=Foreign(bad), error=Foreign(bad)))
    for strip in drawing.strips():
        assert "[red]" in strip.text or not strip.text.strip()
        assert not set(strip.text) & set("\x1b\x07\u202e\U000e0041")


def test_only_lines_that_changed_are_to_be_drawn_again() -> None:
    text = "word " * 100
    drawing = Drawing().feed(SPEAKER, opened("a"), grew("a", text), HeardNow("a", 10, 5))
    lines = len(drawing.strips())
    assert lines > 6
    drawing.feed(HeardNow("a", 20, 10))
    assert [row for _, row in drawing.rows.update().rows] == [0]
    drawing.strips()
    drawing.feed(grew("a", "more"))
    assert {row for _, row in drawing.rows.update().rows} == {lines - 1}


@pytest.mark.parametrize("inks", [DARK, LIGHT, PLAIN], ids=lambda inks: inks.name)
def test_the_cut_is_told_without_colour_too(inks: object) -> None:
    drawing = Drawing(inks=inks, glyphs=ASCII).feed(cut())  # type: ignore[arg-type]
    assert drawing.style_of("It needs").strike
    assert all(line.isascii() for line in drawing.lines())
    assert drawing.lines()[-2:] == [
        "            // It needs a port.",
        "            interrupted at 8.4 s - 4 words not heard (estimate)",
    ]
