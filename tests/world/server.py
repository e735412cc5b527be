"""The far end: the real `ServerSession` with an ear for loudness, and before it what other servers do otherwise."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any, Literal

from voicecli.audio.wire import FromWire
from voicecli.ports import PCM16, Format
from voicecli.protocol.dialects import Spelling
from voicecli.protocol.items import StatusError
from voicecli.server.answers import Answer, AnswerItem, AnswerPart, Piece
from voicecli.server.limits import Limits
from voicecli.server.responder import Asked
from voicecli.server.session import ServerSession

from .clock import Clock
from .voice import LoudnessVad

RAMP = b"".join(i.to_bytes(2, "little") for i in range(65536)) * 2
"""Sample n has the value n, so that no two places of an answer are alike."""

SOUND = {"input_audio_format", "output_audio_format"}

NONSENSE: tuple[str | bytes, ...] = (
    '{"type":"nobody.knows.this","value":1}',
    '{"type":"response.output_item.added"}',
    '{"type":"response.audio.delta","delta":5}',
    "this is no JSON",
    "[]",
    b"\xff\xfe\x00",
    '{"type":"response.audio.delta","response_id":"nobody","item_id":"","delta":""}',
    '{"type":"ping"}',
    '{"type":"error","error":{"type":"server_error","message":"something went wrong here"}}',
)


@dataclass
class ServerRecipe:
    spelling: Spelling = Spelling.GA
    limits: Limits = field(default_factory=Limits)
    output_format: str = "pcm16"
    """What the client asks for."""
    hears: Format = PCM16
    """How the sound is that comes in where its name says less than that: at 16 kHz, as Qwen-Omni wants it."""
    calls_it: tuple[str, ...] = ()
    """Its own names for sound; empty: those of the contract."""
    prefix: str | None = None
    """In every id; None: another one for each connection."""
    # the answers
    items: tuple[int, ...] = (1,)
    parts: tuple[int, ...] = (1,)
    kinds: tuple[Literal["spoken", "written", "sound only", "empty"], ...] = ("spoken",)
    seconds: tuple[float, ...] = (0.3, 1.0)
    words: int = 3
    endings: tuple[Literal["completed", "incomplete", "failed"], ...] = ("completed",)
    delays_s: tuple[float, ...] = (0.0,)
    # what other servers do
    done_before_started: bool = False
    """The end of the cut response comes before `speech_started`."""
    doubled: float = 0.0
    nonsense: float = 0.0
    odd: float = 0.0
    """Sound is cut in the middle of a sample."""
    says_created: bool = True
    """There is a `response.created`."""
    late_ends: bool = False
    """That an item is whole is told only with the end of its response."""
    calls: float = 0.0
    """A function call follows what was said."""
    untranscribed: float = 0.0
    refused_creates: float = 0.0
    nameless: bool = False
    """Errors about an active response do not name their cause."""
    update: Literal["obeyed", "refused", "refused without a name", "ignored"] = "obeyed"
    greets: bool = True
    truncate: Literal["obeyed", "ignored", "refused"] = "obeyed"
    hangs: Literal["never", "asked", "created", "cancelled"] = "never"
    """From there on nothing comes of the first response any more."""


class Answers:
    """A responder that draws."""

    def __init__(self, recipe: ServerRecipe, rng: Random) -> None:
        self._recipe, self._rng = recipe, rng
        self._at = rng.randrange(65536)

    def answer(self, asked: Asked) -> Answer:
        rng, recipe = self._rng, self._recipe
        items = tuple(
            AnswerItem(tuple(self._part(asked) for _ in range(rng.choice(recipe.parts))))
            for _ in range(rng.choice(recipe.items))
        )
        ending = rng.choice(recipe.endings)
        return Answer(
            items,
            status=ending,
            reason=rng.choice(("max_output_tokens", "content_filter")) if ending == "incomplete" else None,
            error=StatusError(type="server_error", code="server_error", message="no") if ending == "failed" else None,
            delay_s=rng.choice(recipe.delays_s),
            text_word_s=rng.choice((0.0, 0.02, 0.2)),
        )

    def _part(self, asked: Asked) -> AnswerPart:
        rng, recipe = self._rng, self._recipe
        kind = rng.choice(recipe.kinds) if asked.spoken else "written"
        words = [] if kind == "empty" else [f"{n} word" for n in range(rng.randint(1, recipe.words))]
        if kind in ("written", "empty"):
            return AnswerPart(tuple(Piece(word) for word in words), spoken=kind == "empty" and rng.random() < 0.5)
        samples = max(1, round(rng.choice(recipe.seconds) * 24_000))
        each = [samples // len(words)] * len(words)
        each[0] += samples - sum(each)
        return AnswerPart(
            tuple(
                Piece("" if kind == "sound only" else word, self._sound(n)) for word, n in zip(words, each, strict=True)
            )
        )

    def _sound(self, n: int) -> bytes:
        self._at = (self._at + 12_345) % 65536
        turns, rest = divmod(n, 65536)
        ramp = RAMP[2 * self._at : 2 * (self._at + 65536)]
        return ramp * turns + ramp[: 2 * rest]


class Server:
    """One connection of it. `send` takes its frames one by one."""

    def __init__(
        self, clock: Clock, recipe: ServerRecipe, rng: Random, number: int, send: Callable[[str | bytes], None]
    ) -> None:
        prefix = f"c{number}_" if recipe.prefix is None else recipe.prefix
        self.session = ServerSession(
            Answers(recipe, Random(rng.random())), LoudnessVad, recipe.limits, recipe.spelling, prefix
        )
        self.strangers: set[str] = set()
        """Items that the session knows nothing of."""
        self.untranscribed: set[str] = set()
        """Items whose words it has, and the client was told that there are none."""
        self.creates = 0
        """`response.create` that reached it."""
        self._clock, self._recipe, self._rng, self._send = clock, recipe, rng, send
        self._gone = False
        self._tick_at: float | None = None
        self._hung: set[str] = set()
        self._hangs = recipe.hangs
        self._calls = 0
        self._held_back: list[str] = []
        self._wire = FromWire()

    def start(self) -> None:
        frames = self.session.greeting(self._clock.now)
        self._say(frames if self._recipe.greets else [])

    def hang_up(self) -> None:
        self._gone = True

    def receive(self, frame: str) -> None:
        if self._gone:
            return
        if (answers := self._otherwise(frame)) is not None:
            self._say(answers)
        else:
            frame = self._translated(frame) if self._recipe.calls_it else frame
            self._say(self.session.receive(frame, self._clock.now))

    @property
    def rest(self) -> bool:
        """Nothing is to be said."""
        return self._gone or self.session.deadline is None

    def _tick(self, at: float) -> None:
        if at == self._tick_at and not self._gone:
            self._tick_at = None
            self._say(self.session.tick(self._clock.now))

    def _say(self, frames: list[str]) -> None:
        for frame in self._shuffled(frames):
            self._send(frame)
        deadline = self.session.deadline
        if deadline is not None and (self._tick_at is None or deadline < self._tick_at):
            self._tick_at = max(deadline, self._clock.now)
            self._clock.at(self._tick_at, self._tick, self._tick_at)

    # ---- other names and rates for sound, which the session does not know

    def _translated(self, frame: str) -> str:
        said = json.loads(frame)
        match said:
            case {"type": "input_audio_buffer.append", "audio": audio}:
                pcm = self._wire.read(base64.b64decode(audio), self._recipe.hears)
                said["audio"] = base64.b64encode(pcm).decode()
            case {"type": "session.update", "session": session}:
                for name in SOUND & session.keys():
                    session[name] = "pcm16"
        return json.dumps(said)

    def _called(self, frame: str) -> str:
        said = json.loads(frame)
        for name in SOUND & said["session"].keys():
            said["session"][name] = self._rng.choice(self._recipe.calls_it)
        return json.dumps(said)

    # ---- what comes in, and is not obeyed

    def _otherwise(self, frame: str) -> list[str] | None:
        """What is answered in the session's place; None: it is the session's."""
        if "input_audio_buffer.append" in frame:
            return None
        said = json.loads(frame)
        match said["type"]:
            case "session.update" if self._recipe.update == "refused":
                return [_error(said, "invalid_value", "no such setting")]
            case "session.update" if self._recipe.update == "refused without a name":
                return [_error({}, "invalid_value", "no such setting")]
            case "session.update" if self._recipe.update == "ignored":
                return []
            case "conversation.item.truncate" if self._recipe.truncate == "ignored":
                return []
            case "conversation.item.truncate" if self._recipe.truncate == "refused":
                return [_error(said, "not_implemented", "nobody truncates here")]
            case "response.create":
                self.creates += 1
                if self._hangs == "asked":
                    self._hangs = "never"
                    return []
                if self._rng.random() < self._recipe.refused_creates:
                    return [_error(said, "server_error", "not now")]
        return None

    # ---- what goes out

    def _shuffled(self, frames: list[str]) -> list[str | bytes]:
        if self._recipe.done_before_started:
            frames = _swapped(frames)
        out: list[str | bytes] = []
        for frame in self._late(frames) if self._recipe.late_ends else frames:
            out += self._spelled(frame)
            if self._rng.random() < self._recipe.nonsense:
                out.append(self._rng.choice(NONSENSE))
        return out

    def _late(self, frames: list[str]) -> list[str]:
        out = []
        for frame in frames:
            match _kind(frame):
                case "response.output_item.done":
                    self._held_back.append(frame)
                    continue
                case "response.done":
                    out += self._held_back
                    self._held_back = []
            out.append(frame)
        return out

    def _spelled(self, frame: str) -> list[str]:
        recipe, rng = self._recipe, self._rng
        kind = _kind(frame)
        if (self._hangs != "never" or self._hung) and self._hanging(kind, frame):
            return []
        match kind:
            case "session.created" | "session.updated" if recipe.calls_it:
                return [self._called(frame)]
            case "response.created" if not recipe.says_created:
                return []
            case "response.audio.delta" | "response.output_audio.delta" if rng.random() < recipe.odd:
                return self._halves(json.loads(frame))
            case "response.audio.done" | "response.output_audio.done" if (
                rng.random() < recipe.odd and recipe.output_format == "pcm16"  # elsewhere it is a sample
            ):
                said = json.loads(frame)
                stray = {**said, "type": kind.replace("done", "delta"), "delta": base64.b64encode(b"\x01").decode()}
                return [json.dumps(stray), frame]
            case "conversation.item.created" | "conversation.item.added" if rng.random() < recipe.doubled:
                other = "conversation.item.added" if kind.endswith("created") else "conversation.item.created"
                return [frame, frame.replace(kind, rng.choice((kind, other)), 1)]
            case "conversation.item.input_audio_transcription.completed" if rng.random() < recipe.untranscribed:
                said = json.loads(frame)
                self.untranscribed.add(said["item_id"])
                why = {"type": "transcription_error", "code": "unintelligible", "message": "not a word"}
                return [
                    json.dumps({"type": kind.replace("completed", "failed"), "item_id": said["item_id"], "error": why})
                ]
            case "response.done" if rng.random() < recipe.calls:
                return [*self._call(json.loads(frame)), frame]
            case "error" if recipe.nameless and "already has an active" in frame:
                said = json.loads(frame)
                said["error"]["event_id"] = None
                return [json.dumps(said)]
        return [frame]

    def _hanging(self, kind: str, frame: str) -> bool:
        """Whether it is of the response that got stuck."""
        if kind == "response.created" and self._hangs == "created":
            self._hangs = "never"
            self._hung.add(json.loads(frame)["response"]["id"])
            return False
        if kind == "response.done" and self._hangs == "cancelled" and '"cancelled"' in frame:
            self._hangs = "never"
            return True
        if not self._hung:
            return False
        said = json.loads(frame)
        if "item" in said and said.get("response_id") in self._hung:
            self.strangers.add(said["item"]["id"])
            self._hung.add(said["item"]["id"])
        names = {said.get("response_id"), said.get("response", {}).get("id"), said.get("item", {}).get("id")}
        return bool(kind != "response.created" and names & self._hung)

    def _halves(self, said: dict[str, Any]) -> list[str]:
        data = base64.b64decode(said["delta"])
        if len(data) < 4:
            return [json.dumps(said)]
        cut = 2 * self._rng.randrange(len(data) // 2) + 1
        return [
            json.dumps({**said, "delta": base64.b64encode(half).decode()}) for half in (data[:cut], data[cut:]) if half
        ]

    def _call(self, done: dict[str, Any]) -> list[str]:
        """A function call, as the last thing of a response."""
        response = done["response"]
        if response["status"] != "completed":
            return []
        self._calls += 1
        name = f"item_call_{response['id']}"
        self.strangers.add(name)
        place = {"response_id": response["id"], "output_index": 9}
        item = {
            "id": name,
            "type": "function_call",
            "status": "in_progress",
            "call_id": f"call_{self._calls}",
            "name": "look",
            "arguments": "",
        }
        whole = {**item, "status": "completed", "arguments": '{"at":1}'}
        of = {**place, "item_id": name, "call_id": item["call_id"]}
        return [
            json.dumps(frame)
            for frame in (
                {"type": "response.output_item.added", **place, "item": item},
                {"type": "response.function_call_arguments.delta", **of, "delta": '{"at":1}'},
                {"type": "response.function_call_arguments.done", **of, "arguments": '{"at":1}'},
                {"type": "response.output_item.done", **place, "item": whole},
            )
        ]


def _kind(frame: str) -> str:
    start = frame.index('"type":"') + 8 if frame.startswith('{"type":"') else -1
    return frame[start : frame.index('"', start)] if start > 0 else str(json.loads(frame)["type"])


def _error(about: dict[str, Any], code: str, message: str) -> str:
    error = {"type": "invalid_request_error", "code": code, "message": message, "event_id": about.get("event_id")}
    return json.dumps({"type": "error", "event_id": "", "error": error})


def _swapped(frames: list[str]) -> list[str]:
    """`speech_started` behind the end of the response that it cut."""
    started = [frame for frame in frames if _kind(frame) == "input_audio_buffer.speech_started"]
    if not started or not any(_kind(frame) == "response.done" for frame in frames):
        return frames
    rest = [frame for frame in frames if frame not in started]
    last = max(n for n, frame in enumerate(rest) if _kind(frame) == "response.done")
    return [*rest[: last + 1], *started, *rest[last + 1 :]]
