"""Stand-ins for the widgets that are being built; the last of them takes this file with it."""

from __future__ import annotations

from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

from voicecli.ui.plain import transcript
from voicecli.ui.screen.facts import Facts


class TopLine(Static):
    def show(self, facts: Facts, at: float) -> None:
        started = facts.view.started
        self.update(Content(f" {started.model if started else ''} {at:.0f}"))


class Conversation(Static):
    def show(self, facts: Facts, at: float) -> None:  # noqa: ARG002
        self.update(Content("\n".join(transcript(facts.view)[-200:])))


class Notice(Static):
    def show(self, facts: Facts, at: float) -> None:  # noqa: ARG002
        told = facts.notice
        self.update(Content(f"{told.title} {told.hint}" if told else ""))
        self.display = told is not None


class StateLine(Static):
    def show(self, facts: Facts, at: float) -> None:  # noqa: ARG002
        self.update(Content(facts.view.phase.phase if facts.view.phase else ""))


class Composer(Input):
    class Sent(Message):
        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    async def action_submit(self) -> None:
        text, self.value = self.value, ""
        self.post_message(self.Sent(text))
