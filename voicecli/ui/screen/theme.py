"""Colours by what they mean: dark, light and none at all; the themes of Textual are made from the same table.

It knows no widget. Cool colours are talk, warm ones want the person; no meaning hangs on a colour alone.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, Literal, NamedTuple

from rich.style import Style
from textual.theme import Theme

Role = Literal["fg", "muted", "you", "ai", "ok", "warn", "bad", "faint", "line"]
"""fg text; muted labels, hints, what is not heard; you, ai the two sides; ok done; warn, bad notices and errors; faint
shapes that are no text; line ornament only."""

TEXT_ROLES: Final[tuple[Role, ...]] = ("fg", "muted", "you", "ai", "ok", "warn", "bad")
"""They are read: contrast 4.5 at least on each surface (WCAG 2, 1.4.3). `faint` is seen: 3 (1.4.11)."""


class Surface(NamedTuple):
    """What everything stands on, "" where the terminal's own colour stays."""

    bg: str
    """The conversation."""
    panel: str
    """State, tape, the line to type in, keys."""
    raised: str
    """Notices, and what opens."""


@lru_cache(maxsize=1024)
def _style(colour: str, bold: bool, italic: bool, underline: bool, strike: bool, reverse: bool) -> Style:
    return Style(
        color=colour or None,
        bold=bold or None,
        italic=italic or None,
        underline=underline or None,
        strike=strike or None,
        reverse=reverse or None,
    )


class Inks(NamedTuple):
    """One set of colours. `inks("muted")` is a style without a background: that is the widget's."""

    name: str
    """Of the theme that goes with it."""
    dark: bool
    surface: Surface
    colours: tuple[tuple[Role, str], ...]

    @property
    def coloured(self) -> bool:
        return bool(self.colours)

    def colour(self, role: Role) -> str:
        """As #rrggbb; "" where there are no colours."""
        return next((colour for name, colour in self.colours if name == role), "")

    def __call__(
        self,
        role: Role,
        *,
        bold: bool = False,
        italic: bool = False,
        underline: bool = False,
        strike: bool = False,
        reverse: bool = False,
    ) -> Style:
        return _style(self.colour(role), bold, italic and self.coloured, underline, strike, reverse)

    def theme(self) -> Theme:
        """For Textual: its $background, $surface and $panel are our bg, panel and raised."""
        return _theme(self) if self.coloured else _plain_theme(self)


DARK: Final = Inks(
    "voicecli-dark",
    True,
    Surface("#0f1318", "#161b22", "#1e252e"),
    (
        ("fg", "#d9e0e8"),
        ("muted", "#8a97a6"),
        ("you", "#5fd0c0"),
        ("ai", "#a9b6ff"),
        ("ok", "#8ccf7e"),
        ("warn", "#f2bd5c"),
        ("bad", "#ff8a7a"),
        ("faint", "#6f7d8d"),
        ("line", "#2f3945"),
    ),
)
LIGHT: Final = Inks(
    "voicecli-light",
    False,
    Surface("#fbfaf6", "#f1efe8", "#e6e3d9"),
    (
        ("fg", "#1d232b"),
        ("muted", "#5b6470"),
        ("you", "#00695f"),
        ("ai", "#4a45b0"),
        ("ok", "#2c6b34"),
        ("warn", "#8a5a00"),
        ("bad", "#7e071b"),
        ("faint", "#757b84"),
        ("line", "#cbc7ba"),
    ),
)
PLAIN: Final = Inks("voicecli-plain", True, Surface("", "", ""), ())
"""NO_COLOR: bold, underline, strike and reverse are all there is; where italics are missing they are often reversed."""

ALL: Final = (DARK, LIGHT, PLAIN)


def contrast(one: str, other: str) -> float:
    """Of two colours #rrggbb, after WCAG 2: 1 to 21."""
    bright, dim = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _theme(inks: Inks) -> Theme:
    colour, (bg, panel, raised) = inks.colour, inks.surface
    return Theme(
        name=inks.name,
        dark=inks.dark,
        primary=colour("ai"),
        secondary=colour("you"),
        accent=colour("ai"),
        success=colour("ok"),
        warning=colour("warn"),
        error=colour("bad"),
        foreground=colour("fg"),
        background=bg,
        surface=panel,
        panel=raised,
        boost=raised,
        text_alpha=1.0,
        variables={
            "text": colour("fg"),
            "text-muted": colour("muted"),
            "text-disabled": colour("faint"),
            "foreground-muted": colour("muted"),
            "foreground-disabled": colour("faint"),
            "text-primary": colour("ai"),
            "text-secondary": colour("you"),
            "text-accent": colour("ai"),
            "text-success": colour("ok"),
            "text-warning": colour("warn"),
            "text-error": colour("bad"),
            "border": colour("line"),
            "border-blurred": colour("line"),
            "block-cursor-background": colour("ai"),
            "block-cursor-foreground": bg,
            "input-cursor-background": colour("fg"),
            "input-cursor-foreground": bg,
            "input-selection-background": colour("line"),
            "screen-selection-background": colour("line"),
            "scrollbar": colour("line"),
            "scrollbar-hover": colour("faint"),
            "scrollbar-active": colour("faint"),
            "scrollbar-background": bg,
            "scrollbar-background-hover": bg,
            "scrollbar-background-active": bg,
            "scrollbar-corner-color": bg,
            "footer-key-foreground": colour("fg"),
            "footer-description-foreground": colour("muted"),
            "link-color": colour("ai"),
        },
    )


def _plain_theme(inks: Inks) -> Theme:
    """Nothing but the terminal's own two colours; what is marked is marked by Textual's reverse."""
    own = "ansi_default"
    return Theme(
        name=inks.name,
        ansi=True,
        primary=own,
        secondary=own,
        accent=own,
        success=own,
        warning=own,
        error=own,
        foreground=own,
        background=own,
        surface=own,
        panel=own,
        boost=own,
        variables={
            "ansi-background": own,
            "ansi-foreground": own,
            "border": own,
            "border-blurred": own,
            "block-cursor-text-style": "reverse",
            "block-cursor-foreground": own,
            "block-cursor-background": own,
            "input-cursor-text-style": "reverse",
            "input-cursor-foreground": own,
            "input-cursor-background": own,
        },
    )
