"""Each key of the screen in the whole app, on a talk that runs by script."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from scripted import Scripted
from textual import events
from textual.command import CommandList
from textual.pilot import Pilot

from voicecli.core import notices
from voicecli.core.changes import (
    AnyChange,
    Delayed,
    Foreign,
    LimitNow,
    LimitsNow,
    LinkNow,
    Phase,
    PhaseNow,
    SoundNow,
    Started,
    Told,
    TurnOpened,
    TurnSet,
)
from voicecli.core.stimuli import Asked, TalkPressed
from voicecli.settings import KeySaid
from voicecli.ui.screen.app import Look, TalkApp
from voicecli.ui.screen.keys import DEFAULT, Keymap, read_keys
from voicecli.ui.screen.palette import Palette

Play = Callable[[TalkApp, Scripted, Pilot[int]], Awaitable[None]]
AT = 100.0


def a_talk(mode: str = "talk", phase: Phase = "listening") -> list[AnyChange]:
    return [
        Started("", "1", mode, "", "m", None, True, ""),
        LinkNow(state="open"),
        SoundNow(side="input", state="opened"),
        SoundNow(side="output", state="opened"),
        PhaseNow(phase),
        TurnOpened("a", None, "assistant", "voice", 0.0),
        TurnSet(item="a", status="done", text=Foreign("Hello \x1b[2Jthere.")),
    ]


def play(
    script: Play,
    changes: list[AnyChange] | None = None,
    *,
    size: tuple[int, int] = (80, 24),
    keymap: Keymap = DEFAULT,
    coloured: bool = True,
) -> Scripted:
    talking = Scripted(a_talk() if changes is None else changes)
    app = TalkApp(talking, lambda: AT, Look(coloured=coloured), keymap=keymap)

    async def run() -> None:
        async with app.run_test(size=size) as pilot:
            await drained(pilot)
            await script(app, talking, pilot)

    asyncio.run(run())
    return talking


async def drained(pilot: Pilot[int]) -> None:
    """What has changed is shown: the app looks thirty times a second."""
    await pilot.pause(0.06)
    await pilot.pause()


# ---- the talk key


@pytest.mark.parametrize("key", ["space", "f2"])
def test_with_push_to_talk_the_talk_key_talks(key: str):
    async def script(app: TalkApp, talking: Scripted, pilot: Pilot[int]) -> None:
        await pilot.press(key)
        assert app.face.composer.empty

    assert play(script, a_talk("ptt", "press_to_talk")).given == [TalkPressed(AT, releases_seen=False)]


@pytest.mark.parametrize("key", ["space", "f2"])
def test_hands_free_it_stops_the_answer_and_a_key_that_is_held_stops_it_once(key: str):
    async def script(app: TalkApp, talking: Scripted, pilot: Pilot[int]) -> None:
        await pilot.press(key, key, key)
        assert app.face.composer.empty

    talking = play(script, a_talk(phase="assistant_speaking"))
    assert (talking.stopped, talking.given, talking.done) == (1, [], [])


def test_in_a_quiet_talk_space_on_the_empty_line_does_nothing_and_types_nothing():
    async def script(app: TalkApp, talking: Scripted, pilot: Pilot[int]) -> None:
        await pilot.press("space")
        assert app.face.composer.empty

    talking = play(script)
    assert (talking.given, talking.done, talking.stopped) == ([], [], 0)


def test_space_in_a_text_types_a_space_and_f2_talks_while_typing():
    async def script(app: TalkApp, talking: Scripted, pilot: Pilot[int]) -> None:
        await pilot.press("a", "space", "b", "f2")
        assert app.face.composer.value == "a b"

    assert play(script, a_talk("ptt", "press_to_talk")).given == [TalkPressed(AT, releases_seen=False)]


@pytest.mark.parametrize("mode", ["talk", "ptt"])
def test_what_is_typed_fast_beside_the_line_keeps_its_spaces(mode: str):
    async def script(app: TalkApp, talking: Scripted, pilot: Pilot[int]) -> None:
        await pilot.press("tab")
        for char in "please do this":
            app.post_message(events.Key("space" if char == " " else char, char))
        await pilot.press("enter")

    talking = play(script, a_talk(mode, "assistant_speaking"))
    assert talking.typed == ["please do this"]
    assert (len(talking.given), talking.stopped) == (1, 0)


# ---- typing


def test_typed_words_are_sent_and_never_act():
    async def script(app: TalkApp, talking: Scripted, pilot: Pilot[int]) -> None:
        await pilot.press(*"really", "enter")

    talking = play(
        script,
        [*a_talk("ptt", "press_to_talk"), Told(severity="error", code="dropped", title="The connection dropped.")],
    )
    assert talking.typed == ["really"]
    assert (len(talking.given), talking.done, talking.left) == (1, [], [])


def test_a_new_line_is_ctrl_j():
    async def script(app: TalkApp, talking: Scripted, pilot: Pilot[int]) -> None:
        await pilot.press("a", "ctrl+j", "b", "enter")

    assert play(script).typed == ["a\nb"]


def test_enter_on_the_empty_line_does_what_the_notice_offers():
    async def script(app: TalkApp, talking: Scripted, pilot: Pilot[int]) -> None:
        await pilot.press("enter")

    changes = [*a_talk(phase="not_connected"), LinkNow(state="lost")]
    changes.append(Told(severity="error", code="dropped", title="The connection dropped."))
    assert play(script, changes).given == [Asked("retry")]
    assert play(script).given == []


@pytest.mark.parametrize("text", ["\x11", "\x1b[18~", "safe \x1b text \x03\x11", "\x1b]52;c;eA==\x07", " "])
def test_what_is_pasted_never_acts(text: str):
    async def script(app: TalkApp, talking: Scripted, pilot: Pilot[int]) -> None:
        app.post_message(events.Paste(text))
        await pilot.pause()
        assert app.is_running

    talking = play(script, a_talk("ptt", "press_to_talk"))
    assert (talking.given, talking.done, talking.left) == ([], [], [])


@pytest.mark.parametrize("text", ["/quit", "/quit\n", " /q"])
def test_a_command_that_was_pasted_is_done_by_the_second_enter_once_it_has_been_seen(text: str):
    """Whoever copies from a page does not always see what he gets."""

    async def script(app: TalkApp, talking: Scripted, pilot: Pilot[int]) -> None:
        app.post_message(events.Paste(text))
        await pilot.press("enter")
        await pilot.pause()
        assert (talking.done, talking.given, app.face.composer.value) == ([], [], text)
        assert any("was pasted" in line for line in app.face.notice.lines)
        await pilot.press("enter")

    talking = play(script)
    assert ([do.action.id for do in talking.done], talking.typed) == (["quit"], [])


@pytest.mark.parametrize(
    ("before", "text", "after"), [("/echo ", "off", ""), ("/ec", "ho", " off"), ("", "/echo", " off")]
)
def test_a_command_that_is_typed_or_written_on_with_is_done_at_once(before: str, text: str, after: str):
    async def script(app: TalkApp, talking: Scripted, pilot: Pilot[int]) -> None:
        await pilot.press(*before)
        app.post_message(events.Paste(text))
        await pilot.press(*after, "enter")
        await pilot.pause()
        assert app.facts.notice is None

    assert [do.action.id for do in play(script).done] == ["echo"]


def test_the_question_about_a_pasted_command_is_over_with_what_is_sent_instead():
    async def script(app: TalkApp, talking: Scripted, pilot: Pilot[int]) -> None:
        app.post_message(events.Paste("/quit"))
        await pilot.press("enter")
        await pilot.press("home", "/", "enter")
        await pilot.pause()
        assert app.facts.notice is None

    talking = play(script)
    assert (talking.done, talking.typed) == ([], ["/quit"])


# ---- esc


def test_escape_closes_one_thing_after_the_other_and_leaves_what_is_typed():
    async def script(app: TalkApp, talking: Scripted, pilot: Pilot[int]) -> None:
        await pilot.press("f1", *"/ec")
        await drained(pilot)
        assert (app.face.help.open, app.face.composer.menu.open) == (True, True)
        await pilot.press("escape")
        assert (app.face.help.open, app.face.composer.menu.open) == (True, False)
        await pilot.press("escape")
        assert (app.face.help.open, talking.stopped) == (False, 0)
        await pilot.press("escape")
        assert (talking.stopped, app.facts.notice is not None) == (1, True)
        await pilot.press("escape")
        assert app.facts.notice is None
        await pilot.press("escape", "escape")
        assert app.face.composer.value == "/ec"
        assert app.is_running

    play(script, [*a_talk(phase="assistant_speaking"), Told(severity="warning", code="x", title="Something.")])


def test_escape_throws_a_recording_away():
    async def script(app: TalkApp, talking: Scripted, pilot: Pilot[int]) -> None:
        await pilot.press("escape")

    assert play(script, a_talk("ptt", "recording")).given == [Asked("interrupt")]


# ---- keys of actions


def test_the_microphone_is_turned_off_and_on_by_one_key():
    async def script(app: TalkApp, talking: Scripted, pilot: Pilot[int]) -> None:
        await pilot.press("ctrl+o")
        talking.put(SoundNow(side="input", state="closed"), PhaseNow("muted"))
        await drained(pilot)
        await pilot.press("ctrl+o")

    assert play(script).given == [Asked("mute"), Asked("unmute")]


def test_where_the_microphone_was_turned_off_the_key_that_turns_it_on_is_named():
    async def script(app: TalkApp, talking: Scripted, pilot: Pilot[int]) -> None:
        talking.put(notices.told("muted_after_sleep", seconds=60), notices.told("muted_already"))
        await drained(pilot)
        assert any("^o or /unmute turns it on." in line for line in app.face.notice.lines)
        assert [quiet.told.hint for quiet in app.facts.quiet][-1] == "^o or /unmute turns it on."

    play(script)


@pytest.mark.parametrize("key", ["ctrl+q", "ctrl+d"])
def test_the_talk_is_ended(key: str):
    async def script(app: TalkApp, talking: Scripted, pilot: Pilot[int]) -> None:
        await pilot.press(key)
        await drained(pilot)

    assert [do.action.id for do in play(script).done] == ["quit"]


def test_ctrl_d_in_a_text_deletes_to_the_right():
    async def script(app: TalkApp, talking: Scripted, pilot: Pilot[int]) -> None:
        await pilot.press("a", "b", "home", "ctrl+d")
        assert app.face.composer.value == "b"

    assert play(script).done == []


def test_the_last_answer_is_copied_as_it_is_shown():
    """G34."""

    async def script(app: TalkApp, talking: Scripted, pilot: Pilot[int]) -> None:
        await pilot.press("ctrl+y")
        assert app.clipboard == "Hello ␛[2Jthere."

    play(script)


def test_what_is_selected_in_the_line_is_copied_by_ctrl_c_and_not_cleared():
    async def script(app: TalkApp, talking: Scripted, pilot: Pilot[int]) -> None:
        await pilot.press(*"hello", "shift+left", "shift+left", "ctrl+c")
        assert (app.clipboard, app.face.composer.value) == ("lo", "hello")
        await pilot.press("end", "ctrl+c")
        assert app.face.composer.empty

    play(script)


def test_undo_and_redraw():
    async def script(app: TalkApp, talking: Scripted, pilot: Pilot[int]) -> None:
        await pilot.press("a", "ctrl+j", "b", "ctrl+underscore", "ctrl+l")
        assert app.face.composer.value == "a\n"
        assert app.is_running

    play(script)


# ---- help


def test_help_stands_over_the_conversation_and_nothing_else():
    async def script(app: TalkApp, talking: Scripted, pilot: Pilot[int]) -> None:
        before = {
            widget: widget.region
            for widget in (app.face.top, app.face.state, app.face.tape, app.face.composer, app.face.keys)
        }
        await pilot.press("f1")
        await drained(pilot)
        assert (app.face.help.display, app.face.conversation.display) == (True, False)
        assert {widget: widget.region for widget in before} == before
        await pilot.press("pagedown", "pagedown", *"hi")
        assert app.face.composer.value == "hi"
        await pilot.press("f1")
        assert (app.face.help.display, app.face.conversation.display) == (False, True)

    play(script)


@pytest.mark.parametrize(("size", "left", "right"), [((200, 60), 38, 130), ((80, 24), 1, 79), ((120, 40), 1, 83)])
def test_help_stands_on_the_column_of_the_conversation_where_that_is_centred(
    size: tuple[int, int], left: int, right: int
):
    async def script(app: TalkApp, talking: Scripted, pilot: Pilot[int]) -> None:
        await pilot.press("f1")
        await drained(pilot)
        lines = [line for line in app.face.help.lines if line.strip()]
        assert min(len(line) - len(line.lstrip()) for line in lines) == left
        assert max(len(line.rstrip()) for line in lines) == right

    play(script, size=size)


def test_help_shows_what_is_bound():
    keymap, _ = read_keys([KeySaid("MUTE", "f8", "x"), KeySaid("HELP", "f3", "x"), KeySaid("COPY", "none", "x")])

    async def script(app: TalkApp, talking: Scripted, pilot: Pilot[int]) -> None:
        await pilot.press("f1")
        assert not app.face.help.open
        await pilot.press("f3")
        await drained(pilot)
        text = "\n".join(app.face.help.lines)
        assert "F8" in text
        assert "^o" not in text
        assert "^y" not in text
        assert "F8 mute" in app.face.keys.lines[-1]
        await pilot.press("f8", "ctrl+o")

    assert play(script, keymap=keymap).given == [Asked("mute")]


def test_help_for_a_word_begins_with_its_commands():
    async def script(app: TalkApp, talking: Scripted, pilot: Pilot[int]) -> None:
        await pilot.press(*"/help mute", "enter")
        await drained(pilot)
        assert [line.split()[0] for line in app.face.help.lines[:3] if line.strip()] == ["commands", "/mute"]

    play(script)


# ---- the list of commands


def test_the_list_has_what_is_possible_and_does_what_is_chosen():
    async def script(app: TalkApp, talking: Scripted, pilot: Pilot[int]) -> None:
        await pilot.press("ctrl+p")
        await pilot.pause(0.3)
        assert isinstance(app.screen, Palette)
        await pilot.press(*"mic")
        await pilot.pause(0.3)
        await pilot.press("enter")
        await pilot.pause(0.3)
        assert not isinstance(app.screen, Palette)
        assert app.face.composer.typing

    assert play(script).given == [Asked("mute")]


def test_what_needs_more_words_is_put_into_the_line():
    async def script(app: TalkApp, talking: Scripted, pilot: Pilot[int]) -> None:
        await pilot.press("ctrl+p", *"save")
        await pilot.pause(0.3)
        await pilot.press("enter")
        await pilot.pause(0.3)
        assert (app.face.composer.value, app.face.composer.typing) == ("/save ", True)

    assert [do.action.id for do in play(script).done if do.action.id == "save"] == []


def test_in_the_list_letters_are_typed_the_talk_key_talks_and_escape_closes_it():
    async def script(app: TalkApp, talking: Scripted, pilot: Pilot[int]) -> None:
        await pilot.press("ctrl+p", "space", "q")
        await pilot.pause(0.2)
        assert talking.given == []
        await pilot.press("f2", "escape")
        await pilot.pause(0.2)
        assert not isinstance(app.screen, Palette)
        await pilot.press("x")
        assert app.face.composer.value == "x"

    assert play(script, a_talk("ptt", "press_to_talk")).given == [TalkPressed(AT, releases_seen=False)]


def test_the_list_is_drawn_with_what_the_look_allows():
    async def script(app: TalkApp, talking: Scripted, pilot: Pilot[int]) -> None:
        await pilot.press("ctrl+p")
        await pilot.pause(0.3)
        found = app.screen.query_one("CommandList")
        assert found.max_scroll_y > 0
        assert not found.scrollbars_enabled[0] or found.styles.scrollbar_size_vertical == 0

    play(script, size=(80, 16))


def test_the_list_stands_where_the_conversation_is_also_after_a_change_of_size():
    async def script(app: TalkApp, talking: Scripted, pilot: Pilot[int]) -> None:
        await pilot.press("ctrl+p")
        await pilot.pause(0.3)
        await pilot.press("down")
        found = app.screen.query_one(CommandList)
        for size in ((120, 40), (80, 24), (200, 60), (30, 20), (120, 40)):
            await pilot.resize_terminal(*size)
            await pilot.pause(0.1)
            assert found.highlighted == 1
            layout = app.face.fits
            column = layout.text_column if layout.centred_left else 0
            assert (found.region.x, found.region.right) == (column, min(column + 92, layout.main_width)), size
            prompts = [option.prompt for option in found.options]
            widest = max(prompt.cell_length for prompt in prompts)
            assert widest <= max(found.region.width, 48), size
            assert widest > min(found.region.width, 92) - 20, size

    play(script, size=(120, 40))


def test_the_list_covers_neither_state_nor_tape_nor_line_nor_keys_and_survives_a_storm_of_sizes():
    async def script(app: TalkApp, talking: Scripted, pilot: Pilot[int]) -> None:
        await pilot.press("ctrl+p")
        await pilot.pause(0.3)
        for size in ((80, 24), (20, 5), (120, 40), (10, 3), (200, 60), (60, 16)):
            await pilot.resize_terminal(*size)
            await pilot.pause(0.05)
        await pilot.resize_terminal(80, 24)
        await pilot.pause(0.1)
        bottom = app.screen.query_one("CommandList").region.bottom
        assert bottom <= app.face.state.region.y
        assert app.is_running

    play(script)


# ---- sentences, looks, other keys


def test_limits_delay_and_status_are_said_in_the_conversation():
    async def script(app: TalkApp, talking: Scripted, pilot: Pilot[int]) -> None:
        await pilot.press(*"/lim", "enter", *"/delay", "enter")
        await drained(pilot)
        said = [quiet.told.title for quiet in app.facts.quiet]
        assert "Tokens: 3,600 of 40,000 left, all of it again in 37 seconds." in said
        assert any(title.startswith("The last answer took 0.42 seconds") for title in said)

    limits = LimitsNow((LimitNow(Foreign("tokens"), 40000.0, 3600.0, 37.0),))
    play(script, [*a_talk(), limits, Delayed("a", 0.06, 0.27, 0.09)])


def test_colours_and_motion_are_changed():
    async def script(app: TalkApp, talking: Scripted, pilot: Pilot[int]) -> None:
        await pilot.press(*"/theme light", "enter", *"/motion off", "enter")
        assert (app.face.look.light, app.face.look.motion) == (True, False)
        assert app.theme == "voicecli-light"

    play(script)


def test_where_there_are_no_colours_slash_theme_says_so():
    async def script(app: TalkApp, talking: Scripted, pilot: Pilot[int]) -> None:
        await pilot.press(*"/theme light", "enter")
        await drained(pilot)
        assert any("there are no colours" in line for line in app.face.conversation.lines)

    play(script, coloured=False)


def test_a_key_that_was_given_away_acts_as_the_new_one_and_its_old_place_is_free():
    keymap, told = read_keys([KeySaid("TALK", "f4", "x"), KeySaid("INTERRUPT", "ctrl+k", "x")])
    assert told == ()

    async def script(app: TalkApp, talking: Scripted, pilot: Pilot[int]) -> None:
        await pilot.press("f2", "f4", "ctrl+k", "space", "a")
        assert app.face.composer.value == " a"

    talking = play(script, a_talk("ptt", "recording"), keymap=keymap)
    assert talking.given == [TalkPressed(AT, releases_seen=False), Asked("interrupt")]


@pytest.mark.parametrize(
    ("keys", "empty", "typing"), [("space,f2", "space", "F2"), ("f4", "F4", "F4"), ("none", "/talk", "/talk")]
)
def test_the_talk_key_is_called_on_the_screen_as_it_is_bound_and_as_it_acts(keys: str, empty: str, typing: str):
    keymap, _ = read_keys([KeySaid("TALK", keys, "x")])

    async def script(app: TalkApp, talking: Scripted, pilot: Pilot[int]) -> None:
        assert f"press {empty} to talk" in app.face.state.lines[-1]
        talking.put(PhaseNow("recording", "latched"))
        await drained(pilot)
        assert f"{empty} sends it" in app.face.state.lines[-1]
        await pilot.press("a")
        await drained(pilot)
        assert f"{typing} sends it" in app.face.state.lines[-1]
        assert ("F2 send" in app.face.keys.lines[-1]) is (typing == "F2")
        assert "space" not in app.face.keys.lines[-1]

    play(script, a_talk("ptt", "press_to_talk"), keymap=keymap)


@pytest.mark.parametrize(("keys", "called"), [("ctrl+q,ctrl+d", "^q, ^d"), ("f5", "F5"), ("none", "/quit")])
def test_the_question_whether_to_end_names_the_keys_that_do(keys: str, called: str):
    keymap, _ = read_keys([KeySaid("QUIT", keys, "x")])

    async def script(app: TalkApp, talking: Scripted, pilot: Pilot[int]) -> None:
        await pilot.press("ctrl+c")
        await drained(pilot)
        assert any(f"So does {called}." in line for line in app.face.notice.lines)

    play(script, keymap=keymap)


def test_when_a_file_has_said_all_nothing_offers_to_talk():
    async def script(app: TalkApp, talking: Scripted, pilot: Pilot[int]) -> None:
        assert "no microphone" in app.face.state.lines[-1]
        assert "space" not in app.face.keys.lines[-1]

    play(script, a_talk("ptt", "waiting_for_you_to_type"))


def test_a_talk_key_that_would_only_say_that_the_microphone_is_off_is_not_offered():
    async def script(app: TalkApp, talking: Scripted, pilot: Pilot[int]) -> None:
        assert "space talk" in app.face.keys.lines[-1]
        talking.put(SoundNow(side="input", state="closed"), PhaseNow("muted"))
        await drained(pilot)
        assert "space" not in app.face.keys.lines[-1]

    play(script, a_talk("ptt", "press_to_talk"))


@pytest.mark.parametrize("keys", ["f5", "none"])
def test_a_key_that_no_longer_ends_the_talk_does_nothing(keys: str):
    keymap, told = read_keys([KeySaid("QUIT", keys, "VOICECLI_KEY_QUIT")])
    assert told == ()

    async def script(app: TalkApp, talking: Scripted, pilot: Pilot[int]) -> None:
        await pilot.press("ctrl+q")
        await drained(pilot)
        assert app.is_running

    talking = play(script, keymap=keymap)
    assert (talking.given, talking.done, talking.left) == ([], [], [])


def test_after_a_resize_the_line_with_the_cursor_is_seen():
    async def script(app: TalkApp, talking: Scripted, pilot: Pilot[int]) -> None:
        app.face.composer.value = "\n".join(f"line {n}" for n in range(9))
        for size in ((20, 5), (80, 24), (40, 8)):
            await pilot.resize_terminal(*size)
            await drained(pilot)
            await drained(pilot)
            editor = app.face.composer.editor
            assert 0 <= 8 - editor.scroll_offset.y < editor.size.height

    play(script)


def test_the_line_goes_on_where_it_was_after_a_screen_that_was_too_small():
    async def script(app: TalkApp, talking: Scripted, pilot: Pilot[int]) -> None:
        await pilot.press(*"abc")
        await pilot.resize_terminal(19, 4)
        await drained(pilot)
        await pilot.resize_terminal(80, 24)
        await drained(pilot)
        await pilot.press("backspace", "enter", "up")
        assert app.face.composer.value == "ab"

    assert play(script).typed == ["ab"]


@pytest.mark.parametrize("size", [(20, 5), (36, 10), (60, 16)])
def test_small_screens_have_the_line_and_help_too(size: tuple[int, int]):
    async def script(app: TalkApp, talking: Scripted, pilot: Pilot[int]) -> None:
        await pilot.press("f1", "pagedown", "escape", "slash")
        await drained(pilot)
        assert app.face.composer.editor.region.height >= 1
        assert app.face.composer.editor.region.bottom <= size[1]
        await pilot.press("escape", "backspace", "a", "enter")

    assert play(script, size=size).typed == ["a"]
