"""What was said in a session, in words: the user's as they were understood, the assistant's as far as they were heard.

`Conversation` has what both ends must agree about, and of a truncated item no words at all; a language model is told
what was heard. It knows no time and no wire.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from typing import Final

from voicecli.ports import RATE, Format
from voicecli.protocol import events as e
from voicecli.protocol.conversation import ItemView
from voicecli.server.orders import Call, Message

NOT_UNDERSTOOD: Final = "(speech, {seconds:.1f} s, not understood)"
IMAGES: Final = 16 * 1024 * 1024
"""Characters of images that are kept for a language model."""


class _Spoken:
    """The words of an item of the assistant's, with the sample at which each begins."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.starts: list[int] = []
        self.samples = 0
        self.cut: int | None = None

    def heard(self) -> str:
        """Up to the cut; the word in which it falls was not heard."""
        if self.cut is None:
            return "".join(self.texts)
        ends = [*self.starts[1:], self.samples]
        count = min(bisect_right(ends, self.cut), len(self.texts))
        return "".join(self.texts[:count])


class Memory:
    """The words of the items that there are."""

    def __init__(self) -> None:
        self._spoken: dict[str, _Spoken] = {}
        self._understood: dict[str, str | None] = {}
        self._lengths: dict[str, int] = {}
        self._images: dict[str, tuple[str, ...]] = {}

    def speech(self, item_id: str, samples: int) -> None:
        """The user spoke; the words may follow."""
        self._lengths[item_id] = self._lengths.get(item_id, 0) + samples

    def see(self, item_id: str, images: tuple[str, ...]) -> None:
        """The user sent these, as data URLs; of all of them the latest are kept."""
        self._images[item_id] = images
        while sum(len(url) for urls in self._images.values() for url in urls) > IMAGES and len(self._images) > 1:
            del self._images[next(iter(self._images))]

    def understand(self, item_id: str, words: str | None) -> None:
        """The words of the user's speech; None: nobody understands it."""
        self._understood[item_id] = words

    def understood(self, item_ids: Iterable[str]) -> str | None:
        """The words of these items together; None where nobody understood any of them."""
        known = [words for item_id in item_ids if (words := self._understood.get(item_id)) is not None]
        return " ".join(words for words in known if words) if known else None

    def forget(self, item_id: str) -> None:
        """The item is gone."""
        for kept in (self._spoken, self._understood, self._lengths, self._images):
            kept.pop(item_id, None)

    def truncate(self, item_id: str, samples: int) -> None:
        """No more of it was heard."""
        if (known := self._spoken.get(item_id)) is not None:
            known.cut = samples

    def note(self, event: e.ServerEvent, form: Format) -> None:
        """What the assistant says, in its order; `form` is how its sound is spelled."""
        match event:
            case e.AudioTranscriptDelta(item_id=item_id, delta=delta):
                spoken = self._spoken.setdefault(item_id, _Spoken())
                spoken.texts.append(delta)
                spoken.starts.append(spoken.samples)
            case e.AudioDelta(item_id=item_id, delta=data):
                self._spoken.setdefault(item_id, _Spoken()).samples += form.samples(len(data))
            case _:
                pass

    def messages(self, items: Iterable[ItemView]) -> tuple[Message, ...]:
        """The conversation as a language model may know it, oldest first; calls that follow each other are one."""
        out: list[Message] = []
        for item in items:
            match item.type:
                case "function_call":
                    call = Call(item.call_id or "", item.name or "", item.arguments)
                    if out and out[-1].role == "assistant":
                        out[-1] = out[-1]._replace(calls=(*out[-1].calls, call))
                    else:
                        out.append(Message("assistant", calls=(call,)))
                case "function_call_output":
                    out.append(Message("tool", item.output or "", call_id=item.call_id or ""))
                case "message" if (text := self._text(item)) or item.id in self._images:
                    role = item.role if item.role in ("system", "assistant") else "user"
                    out.append(Message(role, text, images=self._images.get(item.id, ())))  # type: ignore[arg-type]
                case _:
                    pass
        return tuple(out)

    def _text(self, item: ItemView) -> str:
        written = " ".join(part.text for part in item.parts if part.text)
        if (spoken := self._spoken.get(item.id)) is not None:
            said: str | None = spoken.heard()
        else:
            said = self._understood.get(item.id)
            if said is None:
                said = " ".join(part.transcript for part in item.parts if part.transcript)
            if not said and not written and (samples := self._lengths.get(item.id)):
                said = NOT_UNDERSTOOD.format(seconds=samples / RATE)
        return " ".join(text for text in (written, said) if text and text.strip())
