"""Which key does what: the defaults, other keys by VOICECLI_KEY_<ACTION>, and what is wrong with those."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicecli.core import notices
from voicecli.core.changes import Started
from voicecli.settings import KeySaid
from voicecli.ui.actions import ACTIONS, Action
from voicecli.ui.screen.keys import DEFAULT, TAKEN, BadKey, label, read_key, read_keys
from voicecli.ui.view import View


def action(name: str) -> Action:
    return next(action for action in ACTIONS if action.id == name)


def said(**keys: str) -> list[KeySaid]:
    return [KeySaid(name, value, f"VOICECLI_KEY_{name} in the environment") for name, value in keys.items()]


def a_talk(mode: str) -> View:
    view = View()
    view.apply(Started("", "1", mode, "", "m", None, True, ""))
    return view


def test_without_a_word_the_keys_are_those_of_the_table():
    keymap, told = read_keys(())
    assert told == ()
    for each in ACTIONS:
        assert keymap.keys(each) == (each.keys or (action(each.shares).keys if each.shares else ()))


def test_no_default_key_belongs_to_two_actions_or_to_the_line():
    default = [key for each in ACTIONS for key in each.keys]
    assert len(default) == len(set(default))
    assert not TAKEN & set(default)


def test_an_action_takes_other_keys_and_leaves_its_own():
    keymap, told = read_keys(said(COPY="f5, ctrl+k", HELP="ALT+h"))
    assert told == ()
    assert keymap.keys(action("copy")) == ("f5", "ctrl+k")
    assert keymap.bound("ctrl+y") == ()
    assert keymap.bound("alt+h") == (action("help"),)


def test_the_key_that_turns_the_microphone_off_turns_it_on_also_when_it_is_another():
    keymap, _ = read_keys(said(MUTE="f8"))
    assert keymap.keys(action("unmute")) == ("f8",)
    assert keymap.bound("ctrl+o") == ()
    keymap, _ = read_keys(said(MUTE="f8", UNMUTE="f9"))
    assert (keymap.keys(action("mute")), keymap.keys(action("unmute"))) == (("f8",), ("f9",))


def test_none_takes_the_keys_away():
    keymap, told = read_keys(said(QUIT="none"))
    assert told == ()
    assert keymap.keys(action("quit")) == ()


def test_two_actions_can_change_their_keys():
    keymap, told = read_keys(said(COPY="ctrl+l", REDRAW="ctrl+y"))
    assert told == ()
    assert (keymap.bound("ctrl+l"), keymap.bound("ctrl+y")) == ((action("copy"),), (action("redraw"),))


@pytest.mark.parametrize(
    ("keys", "title", "hint"),
    [
        (
            {"COPY": "ctrl+p"},
            "VOICECLI_KEY_COPY in the environment: ^p is the key of /commands already.",
            "Give that other keys first by VOICECLI_KEY_COMMANDS, or none: VOICECLI_KEY_COMMANDS=none.",
        ),
        ({"DANCE": "f5"}, "There is no action for VOICECLI_KEY_DANCE in the environment.", "called as their commands"),
        ({"MUTTE": "f5"}, "There is no action for VOICECLI_KEY_MUTTE in the environment.", "VOICECLI_KEY_MUTE?"),
        ({"COPY": "hyper+q+x"}, 'VOICECLI_KEY_COPY in the environment: "hyper+q+x" is no key.', "f5, ctrl+k or alt+m"),
        ({"COPY": "r"}, "VOICECLI_KEY_COPY in the environment: r is typed into the line, so it cannot act.", "f5"),
        ({"COPY": "enter"}, "VOICECLI_KEY_COPY in the environment: enter belongs to the line that is typed in.", "f5"),
        ({"COPY": "ctrl+i"}, "VOICECLI_KEY_COPY in the environment: tab belongs to the line that is typed in.", "f5"),
        ({"COPY": "ctrl+c"}, "VOICECLI_KEY_COPY in the environment: ^c belongs to the line that is typed in.", "f5"),
    ],
)
def test_what_is_wrong_is_told_with_what_to_do_and_the_action_keeps_its_keys(
    keys: dict[str, str], title: str, hint: str
):
    keymap, (told,) = read_keys(said(**keys))
    assert (told.title, told.severity, told.code) == (title, "warning", "bad_key")
    assert hint in told.hint
    assert keymap.keys(action("copy")) == ("ctrl+y",)


def test_the_same_key_for_two_actions_goes_to_one_and_the_other_keeps_its_own():
    keymap, (told,) = read_keys(said(COPY="f5", REDRAW="f5"))
    assert keymap.bound("f5") == (action("copy"),)
    assert keymap.keys(action("redraw")) == ("ctrl+l",)
    assert "f5" in told.title.lower()


def test_each_thing_that_is_wrong_is_a_notice_of_its_own():
    _, told = read_keys(said(COPY="x", DANCE="f5", HELP="ctrl+p"))
    assert len({each.code for each in told}) == 3


def test_a_long_value_is_not_shown_for_it_may_be_a_secret():
    """G2: a key of another kind in the wrong place."""
    _, (told,) = read_keys(said(COPY="sk-abcdefghijklmnopqrstuvwxyz0123456789"))
    assert "sk-" not in told.title + told.hint


@given(st.dictionaries(st.text(max_size=20), st.text(max_size=60), max_size=5))
def test_nothing_that_is_said_of_keys_breaks_them(keys: dict[str, str]):
    keymap, _ = read_keys([KeySaid(name, value, name) for name, value in keys.items()])
    bound = {key for each in ACTIONS for key in keymap.keys(each)}
    assert not bound & TAKEN
    for key in bound:
        assert len([each for each in keymap.bound(key) if not each.shares]) <= 1


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("^k", "ctrl+k"),
        ("Control+K", "ctrl+k"),
        ("shift+ctrl+f5", "ctrl+shift+f5"),
        ("F12", "f12"),
        ("space", "space"),
        ("ctrl+/", "ctrl+slash"),
    ],
)
def test_keys_are_read_as_people_write_them(text: str, key: str):
    assert read_key(text) == key


@pytest.mark.parametrize("text", ["", "+", "ctrl+", "f25", "ctrl+ctrl+a", "A", "7", "shift+a", "\x1b", "ctrl+hh", "é"])
def test_what_is_no_key_for_an_action_is_refused(text: str):
    with pytest.raises(BadKey):
        read_key(text)


@pytest.mark.parametrize(
    ("key", "shown"),
    [("ctrl+o", "^o"), ("f1", "F1"), ("escape", "esc"), ("shift+enter", "shift+enter"), ("ctrl+underscore", "^_")],
)
def test_keys_are_shown_short(key: str, shown: str):
    assert label(key) == shown


def test_the_talk_key_talks_with_push_to_talk_and_is_nothing_in_a_quiet_talk_without():
    assert DEFAULT.meant("space", a_talk("ptt")) is action("talk")
    assert DEFAULT.meant("space", a_talk("talk")) is None


def test_a_notice_that_says_how_the_microphone_is_turned_on_names_the_key_that_is_bound():
    moved, _ = read_keys([KeySaid("UNMUTE", "f8", "x")])
    none, _ = read_keys([KeySaid("MUTE", "none", "x")])
    empty, _ = read_keys([KeySaid("UNMUTE", "ctrl+d", "x"), KeySaid("QUIT", "f9", "x")])
    told = notices.told("muted_now")
    assert DEFAULT.named_in(told).hint == "^o or /unmute turns it on."
    assert moved.named_in(told).hint == "F8 or /unmute turns it on."
    assert none.named_in(told) == empty.named_in(told) == told, "a key that acts on the empty line only is no promise"
    about = [code for code, words in notices.WORDS.items() if "/unmute" in words.hint]
    assert len(about) >= 5
    for code in about:
        assert "^o or /unmute" in DEFAULT.named_in(notices.told(code, seconds=3)).hint
    assert DEFAULT.named_in(notices.told("dropped")) == notices.told("dropped")
