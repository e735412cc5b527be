"""What any run of a session's frames must keep to, in either spelling, whatever was asked of it (B1 to B14)."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

Frame = dict[str, Any]
TRANSCRIPT = "conversation.item.input_audio_transcription."


def plain(part: Frame) -> Frame:
    """A part with the type that both have: GA calls it `audio` while it is made and `output_audio` in its item."""
    return {**part, "type": part["type"].removeprefix("output_")}


class Response:
    """One response while it is told."""

    def __init__(self, told: Frame) -> None:
        self.id = told["id"]
        self.aside = told["conversation_id"] is None
        self.output: list[Frame] = []
        self.item: Frame | None = None
        self.parts: list[Frame] = []
        self.part: Frame | None = None
        self.closed: set[str] = set()
        """Kinds of the open part whose `.done` came."""
        self.written: dict[str, str] = {}

    def take(self, kind: str, frame: Frame) -> None:
        """An event inside it; `kind` without `response.` and `output_`."""
        assert frame["response_id"] == self.id
        assert frame["output_index"] == len(self.output), frame
        match kind.split("."):
            case ["item", "added"]:
                assert self.item is None
                self.item, self.parts, self.written = frame["item"], [], {}
                assert self.item["status"] == "in_progress"
            case ["item", "done"]:
                assert self.item is not None
                assert self.part is None
                item = frame["item"]
                assert item["id"] == self.item["id"]
                assert item["status"] in ("completed", "incomplete")
                assert [plain(part) for part in item.get("content", [])] == self.parts
                assert item.get("arguments", "") == self.written.get("arguments", "")
                self.output.append(item)
                self.item = None
            case ["content_part", "added"]:
                self._here(frame)
                assert self.part is None
                self.part, self.closed, self.written = frame["part"], set(), {}
            case ["content_part", "done"]:
                self._here(frame)
                assert self.part is not None
                spoken = "audio" in frame["part"]["type"]
                assert self.closed == ({"audio", "audio_transcript"} if spoken else {"text"})
                said = frame["part"].get("transcript", frame["part"].get("text"))
                assert said == self.written.get("audio_transcript" if spoken else "text", "")
                self.parts.append(plain(frame["part"]))
                self.part = None
            case ["function_call_arguments", step]:
                assert self.item is not None
                assert (frame["item_id"], frame["call_id"]) == (self.item["id"], self.item["call_id"])
                self._write("arguments", step, frame, "arguments")
            case [("text" | "audio" | "audio_transcript") as what, step]:
                self._here(frame)
                assert self.part is not None
                assert what not in self.closed
                self._write(what, step, frame, "transcript" if what == "audio_transcript" else what)
            case _:
                raise AssertionError(frame)

    def _here(self, frame: Frame) -> None:
        assert self.item is not None
        assert frame["item_id"] == self.item["id"]
        assert frame["content_index"] == len(self.parts), frame

    def _write(self, what: str, step: str, frame: Frame, name: str) -> None:
        if step == "delta":
            assert frame["delta"]
            self.written[what] = self.written.get(what, "") + frame["delta"]
            return
        self.closed.add(what)
        if what != "audio":
            assert frame[name] == self.written.get(what, "")


class Grammar:
    """Reads the frames of one session in order; raises AssertionError at the first that breaks a rule."""

    def __init__(self) -> None:
        self.responses: dict[str, Response] = {}
        self.over: set[str] = set()
        self.order: list[str] = []
        self.items: set[str] = set()
        """All that ever were."""
        self.whole: set[str] = set()
        self.deleted: set[str] = set()
        self.heard: set[str] = set()
        """Items whose words have come, or will not."""
        self.spoken_ms = 0.0
        self.speaking: str | None = None
        self.events: set[str] = set()

    def read(self, frames: list[Frame]) -> None:
        """All frames of a session from its first."""
        assert [frame["type"] for frame in frames[:2]] == ["session.created", "conversation.created"]
        for n, (frame, after) in enumerate(pairwise([*frames, {"type": "the end"}])):
            assert frame["event_id"] not in self.events
            self.events.add(frame["event_id"])
            try:
                self._take(frame, after)
            except AssertionError as wrong:
                told = [(each["type"], each.get("item_id")) for each in frames[max(0, n - 8) : n + 2]]
                raise AssertionError(f"frame {n}: {frame}\n{told}") from wrong

    def _take(self, frame: Frame, after: Frame) -> None:
        kind = frame["type"]
        match kind.split(".", 1):
            case ["response", "created"]:
                told = Response(frame["response"])
                assert told.id not in self.responses
                assert told.aside or all(one.aside for one in self.responses.values() if one.id not in self.over)
                assert frame["response"]["status"] == "in_progress"
                assert after["type"] == "rate_limits.updated"
                self.responses[told.id] = told
            case ["response", "done"]:
                told = self.responses[frame["response"]["id"]]
                assert told.id not in self.over
                assert told.item is None
                assert frame["response"]["output"] == told.output
                usage = frame["response"]["usage"]
                assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
                assert after["type"] == "rate_limits.updated"
                self.over.add(told.id)
            case ["response", inside]:
                assert frame["response_id"] not in self.over
                inside = inside.replace("output_", "")
                told = self.responses[frame["response_id"]]
                told.take(inside, frame)
                if inside == "item.added" and not told.aside:
                    assert after["type"] in ("conversation.item.created", "conversation.item.added")
                    assert after["item"]["id"] == frame["item"]["id"]
            case ["conversation", "item.created" | "item.added"]:
                self._place(frame)
            case ["conversation", "item.done"]:
                item = frame["item"]
                assert item["id"] in self.items
                assert item["id"] not in self.whole
                self.whole.add(item["id"])
                if item["id"] in self.order:
                    assert frame["previous_item_id"] == self._before(item["id"])
            case ["conversation", "item.deleted"]:
                self.order.remove(frame["item_id"])
                self.deleted.add(frame["item_id"])
            case ["conversation", "item.truncated" | "item.retrieved"]:
                assert (frame.get("item_id") or frame["item"]["id"]) in self.order
            case ["conversation", _] if kind.startswith(TRANSCRIPT):
                assert frame["item_id"] in self.order
                assert frame["item_id"] not in self.heard
                if not kind.endswith("delta"):
                    self.heard.add(frame["item_id"])
            case ["input_audio_buffer", "speech_started"]:
                assert self.speaking is None
                assert frame["audio_start_ms"] >= self.spoken_ms
                self.spoken_ms, self.speaking = frame["audio_start_ms"], frame["item_id"]
            case ["input_audio_buffer", "speech_stopped"]:
                assert frame["item_id"] == self.speaking
                assert frame["audio_end_ms"] >= self.spoken_ms
                assert (after["type"], after["item_id"]) == ("input_audio_buffer.committed", self.speaking)
                self.spoken_ms, self.speaking = frame["audio_end_ms"], None
            case ["input_audio_buffer", "committed"]:
                assert after["type"] in ("conversation.item.created", "conversation.item.added")
                assert after["item"]["id"] == frame["item_id"]
                assert after["previous_item_id"] == frame["previous_item_id"] == (self.order or [None])[-1]
                assert self.speaking in (None, frame["item_id"])
                self.speaking = None
            case ["input_audio_buffer", "cleared"]:
                self.speaking = None
            case ["session", "updated"]:
                session = frame["session"]
                heard = session["audio"]["input"] if "audio" in session else session
                self.speaking = self.speaking if heard["turn_detection"] else None
            case ["error"] | ["rate_limits", _] | ["session", "created"] | ["conversation", "created"]:
                pass
            case ["input_audio_buffer", "timeout_triggered"]:
                assert after["type"] == "input_audio_buffer.committed"
            case _:
                raise AssertionError(kind)

    def _place(self, frame: Frame) -> None:
        item, before = frame["item"], frame["previous_item_id"]
        assert item["id"] not in self.items
        self.items.add(item["id"])
        if before is not None:
            assert before in self.order
        self.order.insert(0 if before is None else self.order.index(before) + 1, item["id"])

    def _before(self, item_id: str) -> str | None:
        place = self.order.index(item_id)
        return self.order[place - 1] if place else None

    def at_rest(self, ga: bool) -> None:
        """Nothing is left open, once the session has nothing more to say."""
        assert self.responses.keys() == self.over
        if ga:
            assert self.items - self.whole <= self.deleted
