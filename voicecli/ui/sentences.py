"""How the talk stands, in sentences: limits, delay, and all of it; pure, so it is told how old the limits are."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

from voicecli.core.changes import Delayed, LimitNow, Started, Told
from voicecli.printable import one_line
from voicecli.ui.actions import Do
from voicecli.ui.view import View


def answers(do: Do, view: View, limits_age_s: float) -> tuple[Told, ...]:
    """What `limits`, `delay` and `status` say; nothing for any other action."""
    match do.action.id:
        case "limits":
            said = limit_sentences(view, limits_age_s)
        case "delay":
            said = [delay_sentence(view)]
        case "status":
            said = [*status_sentences(view), *limit_sentences(view, limits_age_s), delay_sentence(view)]
        case _:
            return ()
    return tuple(Told(severity="info", code=do.action.id, title=sentence) for sentence in said)


def limit_sentences(view: View, age_s: float) -> list[str]:
    """What is left of each limit; `age_s` is how long ago the server told them."""
    known = view.limits.limits if view.limits is not None else ()
    return list(_limits(known, age_s)) or ["The server has told no limits."]


def _limits(limits: tuple[LimitNow, ...], age_s: float) -> Iterator[str]:
    for told in limits:
        limit, remaining, reset_s = told.limit, told.remaining, told.reset_seconds
        if limit is None or remaining is None or not (math.isfinite(limit) and math.isfinite(remaining)):
            continue
        name = one_line(told.name.raw, 20) or "limit"
        name = name[0].upper() + name[1:]
        left_s = None if reset_s is None or not math.isfinite(reset_s) else reset_s - age_s
        if left_s is not None and left_s <= 0:
            yield f"{name}: all {_number(limit)} are there again."
            continue
        when = f", all of it again in {_seconds(left_s)}" if left_s is not None and remaining < limit else ""
        yield f"{name}: {_number(max(0.0, remaining))} of {_number(limit)} left{when}."


def delay_sentence(view: View) -> str:
    """Of the last answer that was heard, split in three."""
    delay = next((row.delay for row in reversed(tuple(view.rows())) if row.delay is not None), None)
    return "No answer has been heard yet." if delay is None else _delay(delay)


def _delay(delay: Delayed) -> str:
    parts = [] if delay.noticed is None else [f"turn noticed {delay.noticed:.2f}"]
    parts += [f"first sound sent {delay.first_sent:.2f}", f"first sound heard {delay.first_heard:.2f}"]
    begin = " from where the turn was taken" if delay.from_commit else ""
    return f"The last answer took {delay.total:.2f} seconds{begin}: {', '.join(parts)}."


def status_sentences(view: View) -> list[str]:
    """With what it is, what it does, whether the microphone is on, and what it has used."""
    said: list[str] = []
    if (started := view.started) is not None:
        mode = {"talk": "hands-free", "ptt": "push-to-talk", "chat": "typed"}[started.mode]
        who = _who(started)
        said.append(f"The talk is {mode}, with {who or 'a model that the server chose'}.")
    if view.phase is not None:
        said.append(f"State: {view.phase.phase.replace('_', ' ')}.")
    if started is not None and started.mode != "chat":
        side = view.sound.get("input")
        state = {"opened": "on", "closed": "off", "lost": "lost"}[side.state] if side is not None else "off"
        said.append(f"The microphone is {state}{_named(side.name.raw if side is not None else '')}.")
    if (usage := view.usage) is not None:
        total = usage.total
        said.append(
            f"Tokens: text {total.input_text} in and {total.output_text} out, audio {total.input_audio} in and "
            f"{total.output_audio} out, {total.cached} of those in from the cache."
        )
    return said


def _who(started: Started) -> str:
    if started.mind_model:
        return f"the language model {one_line(started.mind_model, 60)} at {one_line(started.mind_host, 60)}"
    if started.offline:
        return "voicecli's own practice partner, not a language model"
    return one_line(started.model, 60)


def where_words_go(started: Started) -> str:
    """Whether anything leaves this machine, offline; foreign."""
    if started.mind_local:
        return "Nothing leaves this machine."
    return f"What is said goes to {one_line(started.mind_host)}, as text."


EXPLAINED: Final = (1, 3, 4, 70)
"""Exit codes that a person did not ask for."""


def last_words(view: View, code: int) -> list[Told]:
    """What was told as the screen went: the error that explains an exit code, and what was lost by the end."""
    errors = [told for told in view.notices if told.severity == "error"][-1:] if code in EXPLAINED else []
    return [*errors, *(told for told in view.notices if told.code == "recording_unsent")]


def _named(name: str) -> str:
    return f' ("{one_line(name, 60)}")' if name.strip() else ""


def _number(value: float) -> str:
    return f"{value:,.0f}"


def _seconds(value: float) -> str:
    whole = math.ceil(value)
    return f"{whole} second{'' if whole == 1 else 's'}"
