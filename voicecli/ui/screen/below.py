"""The line under a conversation that is scrolled back: how much has come since, and the way to the end."""

from __future__ import annotations

from textual import events
from textual.strip import Strip

from voicecli.ui.screen.conversation import Conversation
from voicecli.ui.screen.glyphs import Glyphs
from voicecli.ui.screen.layout import Layout
from voicecli.ui.screen.lines import Line, Lines, Piece
from voicecli.ui.screen.theme import Inks


def below_line(new: int | None, layout: Layout, inks: Inks, glyphs: Glyphs) -> list[Strip]:
    """`new` turns are below; None: the end is in sight, and there is no line."""
    if new is None:
        return []
    line = Line(layout.main_width)
    said = Piece(f"{new} new below", inks("warn")) if new else Piece("more below", inks("muted"))
    dot, end = Piece(f" {glyphs.dot} ", inks("muted")), Piece("end", inks("ai", bold=True))
    return [line.put(layout.text_column, said, dot, end).strip()]


class Below(Lines):
    """Beneath the conversation that it is about. It watches that itself, and a click on it leads to the end."""

    def __init__(self, conversation: Conversation, inks: Inks, glyphs: Glyphs, *, id: str | None = None) -> None:
        super().__init__(inks, glyphs, id=id)
        self._conversation = conversation

    def on_mount(self) -> None:
        self.watch(self._conversation, "new_below", self._draw)
        self.watch(self._conversation, "shape", self._draw)

    def _draw(self) -> None:
        new, layout = self._conversation.new_below, self._conversation.shape
        self.show_lines((new, layout), lambda: below_line(new, layout, self.inks, self.glyphs))

    def on_click(self, event: events.Click) -> None:
        event.stop()
        self._conversation.to_end()
