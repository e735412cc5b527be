"""The state of the talk in words: the one state, how long, and whether the microphone is on; it draws nothing."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple, assert_never

from voicecli.core.changes import Phase
from voicecli.ui.screen.theme import Role
from voicecli.ui.view import View

Shape = Literal["listening", "you", "thinking", "speaks", "off", "reconnecting", "waits"]
"""The name of a glyph."""
Kind = Phase | Literal["starting", "ended"]


class Look(NamedTuple):
    word: str
    """KEY in it is the talk key."""
    short: str
    """Where there is no room: ten characters at most."""
    shape: Shape
    ink: Role


LOOKS: Final[dict[Kind, Look]] = {
    "starting": Look("starting", "starting", "reconnecting", "muted"),
    "not_connected": Look("not connected", "no link", "off", "bad"),
    "connecting": Look("connecting", "connecting", "reconnecting", "warn"),
    "recording": Look("recording", "recording", "you", "bad"),
    "recording_full": Look("recorded", "recorded", "you", "warn"),
    "you_are_speaking": Look("you are speaking", "you speak", "you", "you"),
    "assistant_speaking": Look("assistant speaking", "assistant", "speaks", "ai"),
    "waiting_for_sound": Look("waiting for sound", "no sound", "thinking", "warn"),
    "thinking": Look("thinking", "thinking", "thinking", "fg"),
    "muted": Look("muted", "muted", "off", "warn"),
    "waiting_for_the_limit": Look("waiting for the limit", "limit", "thinking", "warn"),
    "press_to_talk": Look("press KEY to talk", "press key", "listening", "fg"),
    "waiting_for_you_to_type": Look("waiting for you to type", "type", "listening", "fg"),
    "listening": Look("listening", "listening", "listening", "fg"),
    "ended": Look("the talk is over", "over", "off", "muted"),
}


class State(NamedTuple):
    kind: Kind
    word: str
    detail: str
    """"" where there is nothing to add."""
    right: str
    """Whether the microphone is on, and what is to be known about echo."""
    short: str
    right_short: str
    shape: Shape
    ink: Role


def seconds(s: float) -> str:
    """A time that grows or shrinks while it is looked at: in steps of 0.2 s, from 10 s on in whole seconds."""
    return f"{int(s)} s" if s >= 10 else f"{int(s * 5 + 1e-6) / 5:.1f} s"


def minutes(s: float) -> str:
    """As on a clock: 0:06, 12:04, 1:00:00."""
    whole = max(0, int(s))
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"


class Times(NamedTuple):
    """What counts up or down in words."""

    since_s: float
    """In this phase."""
    queued_s: float
    """Of sound that waits to be heard."""
    limit_s: float | None
    """Until a limit that is used up is full again."""
    interrupted: str
    """What is said of an interruption just now; "": nothing."""


def state(view: View, times: Times, *, talk_key: str) -> State:
    """What is true of `view`; `talk_key` is what that key is called."""
    kind: Kind = "starting" if view.phase is None else view.phase.phase
    if view.ended is not None:
        kind = "ended"
    look = LOOKS[kind]
    right, right_short = microphone(view, kind)
    detail = _detail(kind, view.phase.detail if view.phase else "", times, talk_key)
    return State(kind, look.word.replace("KEY", talk_key), detail, right, look.short, right_short, look.shape, look.ink)


def _detail(kind: Kind, told: str, times: Times, key: str) -> str:
    match kind:
        case "you_are_speaking" | "thinking":
            return times.interrupted or seconds(times.since_s)
        case "recording":
            then = {"held": "let go to send", "latched": f"{key} sends it"}.get(told, "")
            return f"{seconds(times.since_s)} · {then}" if then else seconds(times.since_s)
        case "recording_full":
            return f"two minutes · {key} sends it, esc throws it away"
        case "assistant_speaking":
            return f"{seconds(times.queued_s)} to come" if times.queued_s >= 0.2 else ""
        case "connecting":
            return f"{int(times.since_s)} s" if times.since_s >= 1 else ""
        case "waiting_for_sound":
            return told
        case "waiting_for_the_limit":
            return "" if times.limit_s is None else minutes(times.limit_s)
        case "listening" | "muted" | "press_to_talk" | "waiting_for_you_to_type":
            return times.interrupted
        case "starting" | "not_connected" | "ended":
            return ""
        case _:
            assert_never(kind)


def microphone(view: View, kind: Kind) -> tuple[str, str]:
    """Whether it is on, with what is to be known about echo, and without."""
    if view.started is not None and view.started.mode == "chat":
        return "no microphone in this talk", "no mic"
    sound = view.sound.get("input")
    if sound is None or sound.state == "closed":
        return "mic off", "mic off"
    if sound.state == "lost" or kind == "waiting_for_you_to_type":  # a file that spoke is at its end
        return "no microphone", "no mic"
    if view.half_duplex:
        word = "mic shut" if kind == "assistant_speaking" else "mic on"
        return f"{word} · half-duplex", word
    if view.started is not None and view.started.mode == "ptt":
        return "mic on · push-to-talk", "mic on"
    return "mic on · no echo cancelling", "mic on"
