"""What works now, in few words: the grey hint in the line to type in, and the line of keys. Pure."""

from __future__ import annotations

from voicecli.ui.actions import ACTIONS, ANSWERING, Action
from voicecli.ui.screen.bars import Key
from voicecli.ui.screen.facts import Facts
from voicecli.ui.screen.keys import Keymap, label

_BY_ID = {action.id: action for action in ACTIONS}


def hint(facts: Facts, keymap: Keymap) -> str:
    """What the line says while it is empty."""
    view = facts.view
    if view.ended is not None or view.phase is None:
        return ""
    mode = view.started.mode if view.started else "talk"
    talk = keymap.label(_BY_ID["talk"])
    match view.phase.phase:
        case "recording":
            sends = "let go to send" if view.phase.detail == "held" else f"{talk or '/talk'} sends it"
            return f"{sends} · esc throws it away"
        case "recording_full":
            return f"{talk or '/talk'} sends it · esc throws it away"
        case "not_connected":
            return "/retry connects again"
        case "connecting" | "waiting_for_you_to_type" | "waiting_for_sound":
            return "type, enter sends"
        case "muted":
            return f"{keymap.label(_BY_ID['unmute']) or '/unmute'} turns the microphone on, or type"
        case _ if mode == "chat" or not _microphone(facts):
            return "type, enter sends"
        case _ if mode == "ptt":
            return f"{talk or '/talk'} to talk, or type"
        case "assistant_speaking":
            return "type to interrupt" if view.half_duplex else "speak to interrupt, or type"
        case _:
            return "just speak, or type"


def _microphone(facts: Facts) -> bool:
    side = facts.view.sound.get("input")
    return side is not None and side.state == "opened"


def keys_now(facts: Facts, keymap: Keymap, *, open_panel: bool = False, typed: bool = False) -> list[Key]:
    """The keys that do something now, the most useful first; `typed`: a key that can be typed is."""
    view = facts.view
    phase = view.doing
    keys: list[Key] = []
    if open_panel:
        keys.append(Key(label("escape"), "close"))
    elif phase in ("recording", "recording_full"):
        keys.append(Key(label("escape"), "throw away"))
    elif phase in ANSWERING:
        keys.append(Key(label("escape"), "stop"))
    talk = _BY_ID["talk"]
    recording = phase in ("recording", "recording_full")
    silent = phase in ("not_connected", "connecting", "waiting_for_you_to_type")
    if talk.when(view) and (recording or (_microphone(facts) and not silent)):
        keys += _key(keymap, talk, "send" if recording else "talk", typed=typed)
    side = view.sound.get("input")
    on = "try the mic" if side is not None and side.state == "lost" else "unmute"
    for name, word in (("mute", "mute"), ("unmute", on), ("commands", "commands"), ("help", "help")):
        if _BY_ID[name].when(view):
            keys += _key(keymap, _BY_ID[name], word)
    return keys


def _key(keymap: Keymap, action: Action, word: str, *, typed: bool = False) -> list[Key]:
    shown = keymap.acting(action, typed=typed)
    return [Key(shown, word)] if shown else []
