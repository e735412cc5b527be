"""Stand-ins for the widgets that are being built; the last of them takes this file with it."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

from voicecli.ui.plain import transcript
from voicecli.ui.screen.facts import Facts


class Conversation(Static):
    def show(self, facts: Facts, at: float) -> None:  # noqa: ARG002
        self.update(Content("\n".join(transcript(facts.view)[-200:])))
