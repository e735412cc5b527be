"""The parts of the screen above each other, each shown what it draws from; it knows no key and no talk."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Static

from voicecli.core.changes import AnyChange
from voicecli.ui.screen.bars import KeysLine, StateLine, TopLine
from voicecli.ui.screen.below import Below
from voicecli.ui.screen.completion import Files, no_files
from voicecli.ui.screen.composer import Composer
from voicecli.ui.screen.conversation import Conversation
from voicecli.ui.screen.facts import Facts
from voicecli.ui.screen.glyphs import ASCII, UNICODE, Glyphs
from voicecli.ui.screen.help import HelpPanel
from voicecli.ui.screen.hints import keys_now
from voicecli.ui.screen.keys import Keymap
from voicecli.ui.screen.layout import Layout
from voicecli.ui.screen.notice import NoticeBar
from voicecli.ui.screen.rail import Rail
from voicecli.ui.screen.tape import Tape
from voicecli.ui.screen.theme import DARK, LIGHT, PLAIN, Inks


class Look(NamedTuple):
    """How it is to look."""

    light: bool = False
    ascii: bool = False
    motion: bool = True
    coloured: bool = True

    @property
    def inks(self) -> Inks:
        if not self.coloured:
            return PLAIN
        return LIGHT if self.light else DARK

    @property
    def glyphs(self) -> Glyphs:
        return ASCII if self.ascii else UNICODE


class Face(Vertical):
    """All of it. `show` is cheap: each part repaints what differs, and nothing else."""

    DEFAULT_CSS = """
    Face > #middle { height: 1fr; }
    Face #left { width: 1fr; }
    Face > .-hidden { display: none !important; }
    Face > #small { display: none; height: 1fr; }
    """

    def __init__(
        self,
        look: Look,
        clock: Callable[[], float],
        keymap: Keymap,
        on_empty: Callable[[str], bool],
        files: Files = no_files,
        clean: Callable[[str], str] = str,
    ) -> None:
        """`on_empty`: what a key does on the empty line."""
        super().__init__()
        self.look, self.keymap = look, keymap
        self.fits: Layout = Layout.of(80, 24)
        """What is shown at this size."""
        inks, glyphs = look.inks, look.glyphs
        self.top, self.rail = TopLine(inks, glyphs), Rail(inks, glyphs)
        self.conversation = Conversation(inks, glyphs, clean)
        self.below = Below(self.conversation, inks, glyphs)
        self.help = HelpPanel(inks, glyphs, keymap)
        self.notice = NoticeBar(inks, glyphs, clean)
        self.state = StateLine(inks, glyphs, clock)
        self.tape = Tape(inks, glyphs, motion=look.motion)
        self.composer = Composer(inks, glyphs, keymap=keymap, files=files)
        self.keys = KeysLine(inks, glyphs)
        self.composer.on_empty = on_empty
        self._small = Static("", id="small", markup=False)

    def compose(self) -> ComposeResult:
        yield self.top
        with Horizontal(id="middle"):
            with Vertical(id="left"):
                yield self.conversation
                yield self.below
                yield self.help
            yield self.rail
        yield self.notice
        yield self.state
        yield self.tape
        yield self.composer
        yield self.keys
        yield self._small

    def note(self, change: AnyChange, facts: Facts) -> None:
        """Takes a change that `facts` has taken just before."""
        self.conversation.note(change, facts)

    def reshape(self, width: int, height: int) -> None:
        """The screen has this size now. What did not fit and fits again is back."""
        self.fits = Layout.of(width, height)
        if self.fits.fits is self._small.display:
            self._small.display = not self.fits.fits
            for part in self.children:
                if part is not self._small:
                    part.set_class(not self.fits.fits, "-hidden")
        self._small.update(Content(self.fits.too_small))
        self.rail.display = self.fits.rail

    def show(self, facts: Facts, at: float, *, covered: bool = False, typed: bool = False) -> None:
        """`covered`: something is open over it; `typed`: a key that can be typed is."""
        if not self.fits.fits:
            return
        for part in (self.top, self.rail, self.notice, self.state, self.tape, self.composer, self.conversation):
            part.show(facts, self.fits, at)
        keys = keys_now(facts, self.keymap, open_panel=covered or self.help.open, typed=typed)
        self.keys.show(keys, self.fits)

    def restyle(self, look: Look) -> None:
        """With the next `show`."""
        self.look = look
        self.tape.motion = look.motion
        for part in (
            *(self.top, self.rail, self.conversation, self.below, self.help),
            *(self.notice, self.state, self.tape, self.composer, self.keys),
        ):
            part.restyle(look.inks, look.glyphs)

    def open_help(self, facts: Facts, word: str = "", *, keys_only: bool = False) -> None:
        """In the place of the conversation."""
        self.help.show_for(facts.view, word, keys_only=keys_only)
        self.conversation.display = self.below.display = False

    def close_help(self) -> bool:
        """Whether it was open."""
        self.conversation.display = self.below.display = True
        return self.help.close()
