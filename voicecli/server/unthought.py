"""Takes out of a growing text what a reasoning model writes down before it speaks; it knows no stream."""

from __future__ import annotations

from typing import Final

BEGINS: Final = ("<think>", "<thinking>")
ENDS: Final = ("</think>", "</thinking>")


class Unthought:
    """What is said, without `<think>...</think>`, however the text is cut; without the white space before it, too."""

    def __init__(self) -> None:
        self._held = ""
        """The end of the text, which may be the beginning of a mark."""
        self.thinking = False
        """What comes now is not said."""
        self._said = False

    def feed(self, text: str) -> str:
        """More of the text; gives what may be said of it by now."""
        text, self._held = self._held + text, ""
        said = ""
        while text:
            marks = ENDS if self.thinking else (*BEGINS, *ENDS)  # the template may have written the beginning itself
            found = min(((at, mark) for mark in marks if (at := text.find(mark)) >= 0), default=None)
            before, after = (text, "") if found is None else (text[: found[0]], text[found[0] + len(found[1]) :])
            if found is None and (begun := _begun(text, marks)):
                before, self._held = text[:-begun], text[-begun:]
            if not self.thinking:
                said += before
            if found is not None:
                self.thinking = found[1] in BEGINS
            text = after
        return self._fresh(said)

    def close(self) -> str:
        """What was held back, now that nothing more comes."""
        held, self._held = self._held, ""
        return "" if self.thinking else self._fresh(held)

    def _fresh(self, said: str) -> str:
        if not self._said:
            said = said.lstrip()
            self._said = bool(said)
        return said


def _begun(text: str, marks: tuple[str, ...]) -> int:
    """How many characters at the end may be the beginning of one of `marks`."""
    lengths = range(min(len(text), max(map(len, marks)) - 1), 0, -1)
    return next((n for n in lengths if any(mark.startswith(text[-n:]) for mark in marks)), 0)
