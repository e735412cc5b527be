"""The other end as a process of its own, so that it can be stopped: `python -P far.py [BYTES]`. It prints its port.

`BYTES` is the size of its receive buffer in the kernel.

It greets, confirms the settings, answers `response.create` with sound, and says for each microphone block that comes
how old it is: the block begins with the time at which it was recorded, by the clock that all processes share.
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import socket
import struct
import sys
import time
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

QUIET = logging.getLogger("far")
QUIET.setLevel(logging.CRITICAL)
QUIET.addHandler(logging.NullHandler())
SECOND = bytes(range(1, 241)) * 200
"""Sound that is not silence."""


def say(**words: Any) -> None:
    print(json.dumps(words), flush=True)


async def talk(far: ServerConnection) -> None:
    try:
        await far.send(json.dumps({"type": "session.created", "session": {"type": "realtime", "id": "sess_1"}}))
        async for text in far:
            frame = json.loads(text)
            match frame["type"]:
                case "session.update":
                    await far.send(json.dumps({"type": "session.updated", "session": frame["session"]}))
                case "input_audio_buffer.append":
                    pcm = base64.b64decode(frame["audio"])
                    (recorded_at,) = struct.unpack("<d", pcm[:8])
                    say(block=recorded_at, at=time.monotonic())
                case "conversation.item.create":
                    item = frame["item"]
                    await far.send(json.dumps({"type": "conversation.item.added", "item": item}))
                    seconds = float(item["content"][0]["text"])
                    if seconds:
                        await answer(far, seconds)
    except ConnectionClosed:
        pass


async def answer(far: ServerConnection, seconds: float) -> None:
    """So much sound, as fast as it can be sent."""
    place = {"response_id": "r1", "item_id": "a1", "output_index": 0, "content_index": 0}
    item = {"id": "a1", "type": "message", "role": "assistant", "content": []}

    async def send(kind: str, **fields: Any) -> None:
        await far.send(json.dumps({"type": kind, **fields}))

    await send("response.created", response={"id": "r1", "status": "in_progress"})
    await send("response.output_item.added", response_id="r1", output_index=0, item=item)
    step = 1.0 if seconds <= 60 else 10.0
    sound = base64.b64encode(SECOND * int(step)).decode()
    for _ in range(int(seconds / step)):
        await send("response.output_audio.delta", **place, delta=sound)
    await send("response.output_item.done", response_id="r1", output_index=0, item={**item, "status": "completed"})
    await send("response.done", response={"id": "r1", "status": "completed", "output": []})


async def main() -> None:
    listening = socket.socket()
    if len(sys.argv) > 1:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, int(sys.argv[1]))
    listening.bind(("127.0.0.1", 0))
    async with serve(talk, sock=listening, max_size=None, ping_interval=None, logger=QUIET) as server:
        say(port=server.sockets[0].getsockname()[1])
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
        say(over=True)


if __name__ == "__main__":
    asyncio.run(main())
