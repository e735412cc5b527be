"""The notice above the state line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from screen_facts import L80, SIZES, START, style_of, talk, texts

from voicecli.core import notices
from voicecli.core.changes import Foreign, LinkNow, Phase, PhaseNow, Told
from voicecli.printable import UNSAFE
from voicecli.ui.actions import ACTIONS
from voicecli.ui.screen.facts import Facts
from voicecli.ui.screen.glyphs import ASCII, UNICODE
from voicecli.ui.screen.layout import Layout
from voicecli.ui.screen.notice import notice_lines, remedies, wrapped
from voicecli.ui.screen.theme import DARK, PLAIN

KEY = "It came from .env in this folder (OPENAI_API_KEY)."


def refused(detail: str = "Incorrect API key provided") -> Facts:
    facts = talk("not_connected", microphone=None)
    facts.apply(LinkNow(state="lost"), START)
    facts.apply(notices.told("unauthorized", detail, key=KEY), START)
    return facts


def with_notice(told: Told) -> Facts:
    facts = talk()
    facts.apply(told, START)
    return facts


def shown(facts: Facts, size: tuple[int, int]) -> list[str]:
    return texts(notice_lines(facts, Layout.of(*size), DARK, UNICODE))


def test_a_wrong_key_at_each_size() -> None:
    assert shown(refused(), (80, 24)) == [
        "     error  The server refused your key.",
        "            It came from .env in this folder (OPENAI_API_KEY). Put a valid key",
        "            there.",
        '            the server says: "Incorrect API key …   enter try again   esc close',
    ]
    assert shown(refused(), (120, 40)) == [
        "     error  The server refused your key.",
        "            It came from .env in this folder (OPENAI_API_KEY). Put a valid key there.",
        '            the server says: "Incorrect API key provided"',
        "            enter try again   esc close",
    ]
    assert shown(refused(), (60, 20)) == [
        " error The server refused your key.",
        " It came from .env in this folder (OPENAI_API_KEY). Put a",
        " valid key there.",
        ' the server says: "Incorrec …   enter try again   esc close',
    ]
    assert shown(refused(), (40, 12)) == [
        " error The server refused your key.",
        " It came from .env in this folder …",
        " enter try again   esc close",
    ]
    assert shown(refused(), (20, 5)) == ["error The server …"]


def test_what_is_left_out_of_the_words_of_a_server_is_marked_also_where_the_keys_have_a_line_of_their_own() -> None:
    told = notices.told("server_error", "the first words of it " * 8)
    (*_, said, keys) = shown(with_notice(told), (80, 24))
    assert said.endswith(" …")
    assert len(said) <= L80.width
    assert "the server says" in said
    assert "close" in keys


def test_role_title_keys_and_the_words_of_others_have_their_inks() -> None:
    strips = notice_lines(refused(), L80, DARK, UNICODE)
    assert style_of(strips, "error") == DARK("bad", bold=True)
    assert style_of(strips, "The server refused your key.") == DARK("fg", bold=True)
    assert style_of(strips, "It came from") == DARK("fg")
    assert style_of(strips, "the server says") == DARK("muted")
    assert style_of(strips, "enter") == DARK("ai", bold=True)
    warned = notice_lines(with_notice(notices.told("no_microphone", typing="")), L80, DARK, UNICODE)
    assert style_of(warned, "notice") == DARK("warn", bold=True)
    assert style_of(notice_lines(refused(), L80, PLAIN, UNICODE), "enter").bold


def test_there_is_nothing_where_nothing_is_wrong_or_it_was_closed() -> None:
    assert notice_lines(talk(), L80, DARK, UNICODE) == []
    facts = refused()
    facts.close_notice()
    assert notice_lines(facts, L80, DARK, UNICODE) == []
    assert remedies(facts) == ()


def test_enter_tries_again_only_where_there_is_no_link() -> None:
    assert [remedy.key for remedy in remedies(refused())] == ["enter", "esc"]
    facts = talk()
    facts.apply(notices.told("silent", host="x", seconds=6), START)
    assert [remedy.key for remedy in remedies(facts)] == ["esc"]


def test_a_full_recording_is_sent_or_thrown_away() -> None:
    facts = talk("recording_full", mode="ptt")
    facts.apply(notices.told("recording_full"), START)
    assert [(remedy.key, remedy.action) for remedy in remedies(facts)] == [("enter", "talk"), ("esc", "interrupt")]
    assert shown(facts, (80, 24))[-1] == "            enter send it   esc throw it away"


@pytest.mark.parametrize("phase", ["assistant_speaking", "thinking", "waiting_for_sound", "recording"])
def test_esc_is_said_to_close_it_only_after_what_it_does_first(phase: Phase) -> None:
    facts = talk(phase, mode="ptt")
    facts.apply(notices.told("malformed"), START)
    (esc,) = remedies(facts)
    assert (esc.key, esc.action) == ("esc", "")
    assert esc.word.endswith(", then close")
    facts.apply(PhaseNow("press_to_talk"), START)
    assert [remedy.word for remedy in remedies(facts)] == ["close"]


def test_every_remedy_is_an_action_and_no_key_of_it_could_be_typed() -> None:
    actions = {action.id for action in ACTIONS}
    for code, words in notices.WORDS.items():
        facts = with_notice(Told(severity="error", code=code, title=words.title, hint=words.hint))
        facts.apply(LinkNow(state="lost"), START)
        for remedy in remedies(facts):
            assert remedy.key in ("enter", "esc")
            assert remedy.action in actions | {""}


def test_how_many_more_there_are_is_said() -> None:
    facts = with_notice(Told(severity="warning", code="a", title="A."))
    facts.apply(Told(severity="warning", code="b", title="B."), START)
    assert shown(facts, (80, 24)) == ["    notice  B.", "            esc close   1 more"]


@pytest.mark.parametrize("size", [*SIZES, (80, 6), (64, 16), (30, 9)])
def test_every_notice_fits_with_its_keys_and_pushes_no_more_than_it_may(size: tuple[int, int]) -> None:
    layout = Layout.of(*size)
    for code, words in notices.WORDS.items():
        if words.severity == "info":
            continue
        facts = refused()
        told = Told(severity=words.severity, code=code, title=words.title, hint=words.hint, detail=Foreign("why " * 20))
        facts.apply(told, START)
        strips = notice_lines(facts, layout, DARK, UNICODE)
        assert 1 <= len(strips) <= layout.notice_lines
        assert all(strip.cell_length == size[0] for strip in strips)
        assert all(strip.text[layout.edge :].strip() == "" for strip in strips)
        if layout.notice_lines > 1 and size[0] >= 36:
            assert "esc" in strips[-1].text, (code, texts(strips))
        if layout.notice_lines >= 4 and layout.gutter:
            assert "".join(words.title.split()) in "".join("".join(texts(strips)).split()), code


def test_what_must_not_be_shown_is_taken_out() -> None:
    facts = refused("your key sk-secret is wrong")
    strips = notice_lines(facts, Layout.of(120, 40), DARK, UNICODE, lambda text: text.replace("sk-secret", "[key]"))
    assert "sk-secret" not in "".join(texts(strips))
    assert "[key]" in "".join(texts(strips))


@given(st.text(max_size=120), st.text(max_size=200), st.text(max_size=200), st.sampled_from(SIZES), st.booleans())
def test_no_words_of_others_leave_their_lines(
    title: str, hint: str, detail: str, size: tuple[int, int], plain: bool
) -> None:
    """G17"""
    told = Told(severity="error", code="x", title=title, hint=hint, detail=Foreign(detail))
    strips = notice_lines(with_notice(told), Layout.of(*size), DARK, ASCII if plain else UNICODE)
    assert len(strips) <= Layout.of(*size).notice_lines
    for strip in strips:
        assert strip.cell_length == size[0]
        assert not UNSAFE.search(strip.text)
        assert "\n" not in strip.text


@given(st.text(st.sampled_from("ab 名é"), max_size=60), st.integers(2, 20), st.integers(0, 8))
def test_wrapping_loses_no_word_and_no_line_is_too_wide(text: str, room: int, before: int) -> None:
    lines = wrapped(text, room, before)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(cell_len(line) <= room for line in lines)
    assert cell_len(lines[0]) <= max(0, room - before)


def test_words_are_kept_whole_where_they_fit() -> None:
    assert wrapped("one two three", 7) == ["one two", "three"]
    assert wrapped("one", 7, before=6) == ["", "one"]
    assert wrapped("abcdefghij kl", 4) == ["abcd", "efgh", "ij", "kl"]
    assert wrapped("", 4) == [""]
