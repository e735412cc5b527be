"""The yardstick: a realtime client as most examples write one. It knows nothing of voicecli.

`python minimal.py URL` talks by the default devices until it is terminated. A queue between the socket and the
speaker's callback, emptied when the person speaks; `truncate` claims what the callback has taken.
"""

from __future__ import annotations

import asyncio
import base64
import json
import queue
import sys
from typing import Any

import sounddevice
import websockets

RATE = 24_000
BLOCK = 480
SOUND: dict[str, Any] = {"samplerate": RATE, "channels": 1, "dtype": "int16", "blocksize": BLOCK, "latency": "low"}

SESSION: dict[str, Any] = {
    "type": "realtime",
    "output_modalities": ["audio"],
    "audio": {
        "input": {"format": {"type": "audio/pcm", "rate": RATE}, "turn_detection": {"type": "server_vad"}},
        "output": {"format": {"type": "audio/pcm", "rate": RATE}},
    },
}


class Speaker:
    def __init__(self) -> None:
        self.blocks: queue.Queue[bytes] = queue.Queue()
        self.rest = b""
        self.item = ""
        self.played = 0
        self.stream = sounddevice.RawOutputStream(**SOUND, callback=self.callback)
        self.stream.start()

    def callback(self, out: Any, frames: int, *_: object) -> None:
        try:
            block = self.blocks.get_nowait()
        except queue.Empty:
            block = b""
        self.played += len(block)
        out[:] = block.ljust(2 * frames, b"\0")

    def add(self, item: str, pcm: bytes) -> None:
        if item != self.item:
            self.item, self.played = item, 0
        pcm = self.rest + pcm
        while len(pcm) >= 2 * BLOCK:
            self.blocks.put(pcm[: 2 * BLOCK])
            pcm = pcm[2 * BLOCK :]
        self.rest = pcm

    def finish(self) -> None:
        if self.rest:
            self.blocks.put(self.rest)
            self.rest = b""

    def flush(self) -> bool:
        """Whether there was anything left to play."""
        waiting = not self.blocks.empty()
        while not self.blocks.empty():
            self.blocks.get_nowait()
        self.rest = b""
        return waiting


async def send_microphone(socket: Any) -> None:
    loop = asyncio.get_running_loop()
    blocks: asyncio.Queue[bytes] = asyncio.Queue()

    def callback(data: Any, *_: object) -> None:
        loop.call_soon_threadsafe(blocks.put_nowait, bytes(data))

    with sounddevice.RawInputStream(**SOUND, callback=callback):
        while True:
            audio = base64.b64encode(await blocks.get()).decode()
            await socket.send(json.dumps({"type": "input_audio_buffer.append", "audio": audio}))


async def receive(socket: Any, speaker: Speaker) -> None:
    async for raw in socket:
        event = json.loads(raw)
        match event["type"]:
            case "response.output_audio.delta":
                speaker.add(event["item_id"], base64.b64decode(event["delta"]))
            case "response.output_audio.done":
                speaker.finish()
            case "input_audio_buffer.speech_started":
                if speaker.flush():
                    ms = speaker.played // 2 * 1000 // RATE
                    claim = {"item_id": speaker.item, "content_index": 0, "audio_end_ms": ms}
                    await socket.send(json.dumps({"type": "conversation.item.truncate", **claim}))


async def main(url: str) -> None:
    speaker = Speaker()
    async with websockets.connect(url) as socket:
        await socket.send(json.dumps({"type": "session.update", "session": SESSION}))
        await asyncio.gather(send_microphone(socket), receive(socket, speaker))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
