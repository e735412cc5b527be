"""A child of the tests: the embedded server's sessions behind websockets, with answers by order, and all written down.

What a talk is answered stands in the model of its URL, as JSON: `answers` is a list of answers, taken in turn, each a
list of the seconds of its items; `delay` seconds pass before each. `speed` and `burst` set the pace. Every item is
noise of its own: its words begin with `SEED:SAMPLES:`, so whoever reads them can make the same. It prints its URL and
ends when its standard input does. `NUMBER.jsonl` in the folder holds the frames of talk NUMBER in both directions, in
order (sound only counted), `NUMBER.pcm` what its microphone sent.
"""

from __future__ import annotations

import asyncio
import base64
import json
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from ear import noise
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from voicecli.audio.vad import FRAME, best_vad
from voicecli.ports import RATE
from voicecli.server import door
from voicecli.server.answers import Answer, AnswerItem, AnswerPart, Piece
from voicecli.server.limits import Limits
from voicecli.server.responder import Asked
from voicecli.server.session import ServerSession

WORD = RATE // 4


class Ordered:
    """Gives the answers in turn, whatever is asked."""

    def __init__(self, talk: int, answers: list[list[float]], delay_s: float) -> None:
        self._answers, self._delay_s = answers, delay_s
        self._seed = 100_000 * talk

    def answer(self, asked: Asked) -> Answer:
        seconds = self._answers[asked.number % len(self._answers)]
        return Answer(tuple(self._item(each) for each in seconds), delay_s=self._delay_s)

    def _item(self, seconds: float) -> AnswerItem:
        self._seed += 10
        pcm = noise(seconds, self._seed)
        words = [f"{self._seed}:{len(pcm)}:"] + [" word"] * ((len(pcm) - 1) // WORD)
        pieces = (Piece(word, pcm[n * WORD : (n + 1) * WORD].tobytes()) for n, word in enumerate(words))
        return AnswerItem((AnswerPart(tuple(pieces)),))


class House:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._talks = 0

    async def talk(self, connection: ServerConnection) -> None:
        assert connection.request
        self._talks += 1
        number = self._talks
        order: dict[str, Any] = json.loads(door.model(connection.request.path) or "{}")
        limits = Limits(ahead_s=None, speed=order.get("speed", 3.0), burst_s=order.get("burst", 0.2))
        session = ServerSession(
            Ordered(number, order.get("answers", [[1.0]]), order.get("delay", 0.0)),
            best_vad,
            limits,
            door.spelling(connection.request.headers.get_all),
            prefix=f"{number}_",
        )
        with (
            (self._folder / f"{number}.jsonl").open("w", buffering=1) as frames,
            (self._folder / f"{number}.pcm").open("wb", buffering=0) as sound,
            suppress(ConnectionClosed),
        ):
            await converse(connection, session, Written(frames, sound))


class Written:
    def __init__(self, frames: Any, sound: Any) -> None:
        self._frames, self._sound = frames, sound

    def note(self, way: str, raw: str | bytes) -> None:
        frame = json.loads(raw)
        for name in ("audio", "delta"):
            if "audio" in frame["type"] and "transcript" not in frame["type"] and isinstance(frame.get(name), str):
                pcm = base64.b64decode(frame[name])
                frame[name] = len(pcm) // 2
                if way == "in":
                    self._sound.write(pcm)
        if frame["type"] != "input_audio_buffer.append":
            self._frames.write(json.dumps([way, frame]) + "\n")


async def converse(connection: ServerConnection, session: ServerSession, written: Written) -> None:
    clock = asyncio.get_running_loop().time
    frames = session.greeting(clock())
    while True:
        for frame in frames:
            written.note("out", frame)
            await connection.send(frame)
        await asyncio.sleep(0)
        deadline = session.deadline
        wait_s = None if deadline is None else deadline - clock()
        if wait_s is not None and wait_s <= 0:
            frames = session.tick(clock())
            continue
        try:
            async with asyncio.timeout(wait_s):
                raw = await connection.recv()
        except TimeoutError:
            frames = session.tick(clock())
        else:
            written.note("in", raw)
            frames = session.receive(raw, clock())


async def main(folder: Path) -> None:
    best_vad().feed(bytes(2 * FRAME))  # loads what the first sound will need
    async with serve(House(folder).talk, "127.0.0.1", 0, max_size=None, ping_interval=None) as server:
        print(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}{door.PATH}", flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
