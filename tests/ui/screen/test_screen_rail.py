"""The rail right of the conversation."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from screen_facts import START, limit, rich, started, style_of, talk, texts

from voicecli.core.changes import Delayed, Foreign, LimitsNow, LinkNow, SoundNow, Tokens, UsageNow
from voicecli.printable import UNSAFE
from voicecli.ui.screen.facts import Facts
from voicecli.ui.screen.glyphs import ASCII, UNICODE
from voicecli.ui.screen.layout import Layout
from voicecli.ui.screen.rail import host, rail_lines, thousands
from voicecli.ui.screen.theme import DARK, PLAIN

L120 = Layout.of(120, 40)

WHOLE = """\
│
│ limits
│ requests ▰▱▱▱▱▱▱▱▱▱    6 %   0:03
│ tokens   ▰▰▰▰▱▱▱▱▱▱   41 %   0:37
│
│ delay                      0.42 s
│ ▃▄█▄
│ turn noticed                 0.06
│ first sound sent             0.27
│ first heard                  0.09
│
│ tokens                      19.8k
│ text         3.1k in      420 out
│ audio       11.2k in     5.1k out
│ cached       8.0k in
│
│ sound
│ microphone              USB Audio
│ speaker                  Built-in
│ latency             12 ms + 40 ms
│
│ talk                   hands-free
│ model            gpt-realtime-2.1
│ server             api.openai.com
│ dialect                        GA
│ turns                           4
│
│"""


def test_the_whole_rail() -> None:
    strips = rail_lines(rich(talk()), L120, DARK, UNICODE, START, 28)
    lines = texts(strips)
    assert lines == WHOLE.split("\n")
    assert {strip.cell_length for strip in strips} == {36}
    assert max(len(line) for line in lines) == 35  # a margin


def test_where_it_is_low_the_blank_lines_go_first_then_what_stands_lowest() -> None:
    low = texts(rail_lines(rich(talk()), L120, DARK, UNICODE, START, 21))
    assert low[0] == "│ limits"
    assert "│" not in low
    assert low[-1].startswith("│ turns")
    lower = texts(rail_lines(rich(talk()), L120, DARK, UNICODE, START, 9))
    assert len(lower) == 9
    assert lower[-1].startswith("│ tokens")
    assert rail_lines(rich(talk()), L120, DARK, UNICODE, START, 0) == []


def test_there_is_none_where_the_layout_has_none() -> None:
    assert rail_lines(rich(talk()), Layout.of(80, 24), DARK, UNICODE, START, 20) == []


def test_what_is_not_known_is_not_named() -> None:
    words = "\n".join(texts(rail_lines(talk(mode="chat", offline=True), L120, DARK, UNICODE, START, 30)))
    for word in ("limits", "delay", "tokens", "sound", "microphone", "cost", "echo", "model"):
        assert word not in words
    assert "typed" in words
    assert "on this machine" in words
    assert not "\n".join(texts(rail_lines(Facts(), L120, DARK, UNICODE, START, 9))).replace("│", "").strip()


def test_a_limit_that_is_near_is_warm_and_counted_down() -> None:
    facts = talk()
    facts.apply(LimitsNow((limit("requests", 100, 50, 5), limit("tokens", 100, 9, 37))), START)
    strips = rail_lines(facts, L120, DARK, UNICODE, START + 4, 20)
    assert style_of(strips, "91 %") == DARK("warn")
    assert style_of(strips, "tokens") == DARK("warn")
    assert style_of(strips, "50 %") == DARK("fg")
    assert "0:33" in "\n".join(texts(strips))
    later = "\n".join(texts(rail_lines(facts, L120, DARK, UNICODE, START + 6, 20)))
    assert "requests ▱▱▱▱▱▱▱▱▱▱" in later
    assert " 0 %" in later


def test_the_split_says_where_it_begins_when_nobody_told_the_end_of_speech() -> None:
    facts = talk()
    facts.apply(Delayed("x", None, 0.3, 0.1, from_commit=True), START)
    words = "\n".join(texts(rail_lines(facts, L120, DARK, UNICODE, START, 20)))
    assert "from the turn's end on" in words
    assert "turn noticed" not in words


def test_devices_that_are_off_or_lost_are_said_so() -> None:
    facts = talk(microphone="closed")
    facts.apply(SoundNow(side="output", state="lost", name=Foreign("USB")), START)
    lines = [" ".join(line.split()) for line in texts(rail_lines(facts, L120, DARK, UNICODE, START, 20))]
    assert "│ microphone off" in lines
    assert "│ speaker lost: USB" in lines


@pytest.mark.parametrize("path", ["/tmp/a/talk.wav", "C:\\a\\talk.wav", "talk.wav"])
def test_of_a_file_only_its_name_is_shown(path: str) -> None:
    facts = talk()
    facts.apply(SoundNow(side="output", state="opened", name=Foreign(path)), START)
    lines = [" ".join(line.split()) for line in texts(rail_lines(facts, L120, DARK, UNICODE, START, 20))]
    assert "│ speaker talk.wav" in lines


def test_tokens_are_summed_without_counting_cached_ones_twice() -> None:
    assert Tokens(input_text=1, input_audio=2, cached=3, output_text=4, output_audio=5, input_image=7).total == 19
    assert [thousands(n) for n in (0, 999, 1000, 3199, 99_999, 112_000, 1_250_000, 10**15)] == [
        *("0", "999", "1.0k", "3.1k", "99.9k", "112k", "1.2M", "99999M"),
    ]


def test_the_dialect_stays_when_the_link_is_lost() -> None:
    facts = talk()
    facts.apply(LinkNow(state="lost"), START)
    lines = [" ".join(line.split()) for line in texts(rail_lines(facts, L120, DARK, UNICODE, START, 20))]
    assert "│ dialect GA" in lines


def test_the_server_is_named_without_what_may_be_secret() -> None:
    assert host("wss://user:word@host.example:8443/v1/realtime?key=x", offline=False) == "host.example:8443"
    assert host("wss://[::1", offline=False) == "wss://[::1"
    assert host("", offline=False) == ""


def test_a_language_model_of_ones_own_is_in_the_rail_with_its_host() -> None:
    facts = Facts()
    facts.apply(replace(started(offline=True), mind_model="llama3.2", mind_host="127.0.0.1:11434"), START)
    lines = [" ".join(line.split()) for line in texts(rail_lines(facts, L120, DARK, UNICODE, START, 20))]
    assert "│ model llama3.2" in lines
    assert "│ server 127.0.0.1:11434" in lines


@pytest.mark.parametrize("height", [0, 1, 5, 20, 60])
def test_foreign_text_is_made_safe_and_never_wider_than_the_rail(height: int) -> None:
    """G17"""
    nasty = "\x1b[2J\u202e名前\n" * 20
    facts = rich(Facts())
    facts.apply(started(model=nasty), START)
    facts.apply(LinkNow(state="open", dialect=nasty), START)
    facts.apply(SoundNow(side="input", state="opened", name=Foreign(nasty)), START)
    facts.apply(SoundNow(side="output", state="lost", name=Foreign(nasty)), START)
    facts.apply(LimitsNow(tuple(limit(nasty, 100, n, 1e6) for n in range(50))), START)
    facts.apply(
        UsageNow(
            None,
            Tokens(),
            Tokens(input_text=10**18, input_audio=10**18, cached=10**18, output_text=10**18, output_audio=10**18),
        ),
        START,
    )
    for strip in rail_lines(facts, L120, DARK, UNICODE, START, height):
        assert strip.cell_length == 36
        assert not UNSAFE.search(strip.text)


def test_in_ascii_and_without_colours_the_words_are_the_same() -> None:
    strips = rail_lines(rich(talk()), L120, PLAIN, ASCII, START, 28)
    assert all(strip.text.isascii() for strip in strips)
    assert "| requests #---------    6 %   0:03" in "\n".join(texts(strips))
    assert all(segment.style is None or segment.style.color is None for strip in strips for segment in strip)
