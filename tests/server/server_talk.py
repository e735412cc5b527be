"""A client of `ServerSession` under its own clock: it keeps the frames, and the `Conversation` that clients keep."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

from voicecli.audio.vad import FRAME
from voicecli.ports import RATE
from voicecli.protocol.codec import decode_server
from voicecli.protocol.conversation import Conversation
from voicecli.protocol.dialects import Spelling
from voicecli.protocol.events import Malformed, Unknown
from voicecli.server.answers import Answer, AnswerCall, AnswerItem, AnswerPart, Piece, one_item
from voicecli.server.limits import Limits
from voicecli.server.orders import Outside, Result
from voicecli.server.responder import Asked
from voicecli.server.session import ServerSession
from voicecli.server.transcribing import Transcribe, length_only

DEFAULTS = Limits()
NOTHING_OUTSIDE = Outside()
LOUD = (3000).to_bytes(2, "little", signed=True)


class LoudnessVad:
    """Speech is whatever is loud: frames with a loud sample at their start."""

    name = "loudness"

    def __init__(self) -> None:
        self._waiting = b""

    def feed(self, pcm: bytes) -> list[float]:
        self._waiting += pcm
        found = []
        while len(self._waiting) >= 2 * FRAME:
            frame, self._waiting = self._waiting[: 2 * FRAME], self._waiting[2 * FRAME :]
            found.append(0.9 if LOUD in frame else 0.0)
        return found

    def reset(self) -> None:
        self._waiting = b""


def speech(seconds: float) -> bytes:
    return LOUD * round(seconds * RATE)


def silence(seconds: float) -> bytes:
    return bytes(2 * round(seconds * RATE))


class Written:
    """A responder that gives answers from a list, the last of them again and again."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.asked: list[Asked] = []

    def answer(self, asked: Asked) -> Answer:
        self.asked.append(asked)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def spoken(*words: tuple[str, float]) -> AnswerPart:
    """A spoken part of words and their seconds; every sample is a different one."""
    pieces = []
    count = 0
    for n, (text, seconds) in enumerate(words):
        samples = round(seconds * RATE)
        pcm = b"".join((((count + i) % 60_000) - 30_000).to_bytes(2, "little", signed=True) for i in range(samples))
        count += samples
        pieces.append(Piece(text if n == 0 else f" {text}", pcm))
    return AnswerPart(tuple(pieces))


def written(text: str) -> AnswerPart:
    words = text.split(" ")
    return AnswerPart(tuple(Piece(word if n == 0 else f" {word}") for n, word in enumerate(words)), spoken=False)


def sound_of(answer: Answer) -> bytes:
    parts = [part for item in answer.items if isinstance(item, AnswerItem) for part in item.parts]
    return b"".join(piece.pcm for part in parts for piece in part.pieces)


ONE_SECOND = one_item(spoken(("one", 0.5), ("two", 0.5)))
FIVE_SECONDS = one_item(spoken(*((f"word{n}", 0.25) for n in range(20))))
TWO_ITEMS = Answer(
    (
        AnswerItem((spoken(("first", 0.4)), spoken(("part", 0.4)))),
        AnswerItem((written("a text"),)),
    )
)


CALL = Answer((AnswerCall("weather", '{"city": "Oslo", "unit": "celsius"}', "call_w"),))
SPOKEN_CALL = Answer((*ONE_SECOND.items, *CALL.items))


class Talk:
    """The other end of a session. `seen` has every frame, parsed; `at` is the time."""

    def __init__(
        self,
        *answers: Answer,
        spelling: Spelling = Spelling.GA,
        limits: Limits = DEFAULTS,
        vad: Callable[[], Any] = LoudnessVad,
        update: dict[str, Any] | None = None,
        transcribe: Transcribe = length_only,
        outside: Outside = NOTHING_OUTSIDE,
    ) -> None:
        self.spelling = spelling
        self.responder = Written(*(answers or (ONE_SECOND,)))
        self.session = ServerSession(
            self.responder, vad, limits, spelling, prefix="t", transcribe=transcribe, outside=outside
        )
        self.conversation = Conversation()
        self.seen: list[dict[str, Any]] = []
        self.at = 0.0
        self.take(self.session.greeting(self.at))
        if update is not None:
            self.update(**update)

    def take(self, frames: list[str]) -> list[dict[str, Any]]:
        new = []
        for frame in frames:
            event = decode_server(frame)
            assert not isinstance(event, Unknown | Malformed), event
            self.conversation.apply(event)
            new.append(json.loads(frame))
        self.seen += new
        return new

    def raw(self, frame: str | bytes) -> list[dict[str, Any]]:
        """Sends it, and gives what comes at once."""
        return self.take(self.session.receive(frame, self.at))

    def give(self, result: Result) -> list[dict[str, Any]]:
        """What was asked of the shell is there."""
        return self.take(self.session.give(result, self.at))

    def send(self, kind: str, **fields: Any) -> list[dict[str, Any]]:
        return self.raw(json.dumps({"type": kind, **fields}))

    def update(self, **session: Any) -> list[dict[str, Any]]:
        """An update in the spelling of this talk; names are the contract's."""
        if self.spelling is Spelling.BETA:
            return self.send("session.update", session=session)
        audio: dict[str, Any] = {"input": {}, "output": {}}
        wire: dict[str, Any] = {"type": "realtime", "audio": audio}
        for name, value in session.items():
            match name:
                case "turn_detection":
                    audio["input"]["turn_detection"] = value
                case "input_audio_transcription":
                    audio["input"]["transcription"] = value
                case "voice":
                    audio["output"]["voice"] = value
                case "modalities":
                    wire["output_modalities"] = ["audio"] if "audio" in value else ["text"]
                case _:
                    wire[name] = value
        return self.send("session.update", session=wire)

    def speak(self, *pcm: bytes) -> list[dict[str, Any]]:
        """Appends sound and waits until all of it was heard, without any time going by."""
        new = []
        for sound in pcm:
            new += self.send("input_audio_buffer.append", audio=base64.b64encode(sound).decode())
            new += self.wait(0.0)
        return new

    def type(self, text: str, **fields: Any) -> list[dict[str, Any]]:
        content = [{"type": "input_text", "text": text}]
        item = {"type": "message", "role": "user", "content": content}
        return self.send("conversation.item.create", item=item, **fields)

    def wait(self, seconds: float) -> list[dict[str, Any]]:
        """Lets time go by, ticking whenever the session wants it."""
        end = self.at + seconds
        new = []
        while (deadline := self.session.deadline) is not None and deadline <= end:
            self.at = max(self.at, deadline)
            new += self.take(self.session.tick(self.at))
        self.at = end
        return new

    def rest(self) -> list[dict[str, Any]]:
        """Waits until the session has nothing more to say."""
        new = []
        while (deadline := self.session.deadline) is not None:
            new += self.wait(max(0.0, deadline - self.at))
        return new


def kinds(frames: list[dict[str, Any]], *, but: tuple[str, ...] = ("rate_limits.updated",)) -> list[str]:
    """The types in order, neighbours of one type once."""
    found: list[str] = []
    for frame in frames:
        if frame["type"] not in but and (not found or found[-1] != frame["type"]):
            found.append(frame["type"])
    return found


def only(frames: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    found = [frame for frame in frames if frame["type"] == kind]
    assert len(found) == 1, (kind, [frame["type"] for frame in frames])
    return found[0]


def every(frames: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [frame for frame in frames if frame["type"] == kind]


def sound(frames: list[dict[str, Any]]) -> bytes:
    """All assistant sound in these frames."""
    return b"".join(
        base64.b64decode(frame["delta"])
        for frame in frames
        if frame["type"] in ("response.audio.delta", "response.output_audio.delta")
    )
