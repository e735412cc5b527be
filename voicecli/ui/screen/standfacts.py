"""A stand-in for facts.py."""

from __future__ import annotations

from voicecli.core.changes import AnyChange, Told
from voicecli.ui.view import View


class Facts:
    def __init__(self) -> None:
        self.view = View()
        self.notice: Told | None = None

    def apply(self, change: AnyChange, at: float) -> None:  # noqa: ARG002
        self.view.apply(change)
        if isinstance(change, Told) and change.severity != "info":
            self.notice = change

    def close_notice(self) -> None:
        self.notice = None
