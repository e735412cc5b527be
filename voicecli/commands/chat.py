"""`voicecli chat`: text only; no audio library is imported."""

from __future__ import annotations

import os

from voicecli.commands import console, planning
from voicecli.commands.conversing import Parts
from voicecli.commands.faces import Face, JsonlFace, OneShotFace, PlainFace, screen_fits
from voicecli.commands.opening import by_lines, converse
from voicecli.config import Config
from voicecli.logs import Log


def run(config: Config, log: Log, question: str | None = None) -> int:
    """With a question the bare answer goes to stdout; standard input, where it is a pipe, is what it is about."""
    if question is not None:
        about = console.context(lambda words: _say(words))
        asked = f"{question}\n\n{about}" if about else question
        shot: Face = JsonlFace(config.redactor) if config.settings.jsonl else OneShotFace(config.redactor)
        parts = Parts(config, log, "chat", planning.Sides(keyboard="pipe"))
        return converse(parts, by_lines(parts, shot, asked))
    stdin = console.kind()
    keyboard: planning.Keyboard = "pipe" if config.settings.jsonl and stdin == "terminal" else stdin
    parts = Parts(config, log, "chat", planning.Sides(keyboard=keyboard))
    if screen_fits(config.settings):
        from voicecli.commands.screen import on_screen

        parts = parts._replace(stays=True)
        return converse(parts, on_screen(parts))
    face: Face = (
        JsonlFace(config.redactor) if config.settings.jsonl else PlainFace(stdin == "terminal", config.redactor)
    )
    return converse(parts, by_lines(parts, face))


def _say(words: str) -> None:
    os.write(2, words.encode())
