"""A speech engine as a process: `python -P -m voicecli.speech.engine ear|voice`. It knows no session and holds no key.

Frames come by standard input, one request after the other, and leave by what was standard output; see `frames.py`. It
says that it loads, then that it is ready or what is lacking, and ends when its standard input does, whatever it is at.
"""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
from collections.abc import Callable
from typing import Final, NoReturn

from voicecli.printable import one_line
from voicecli.speech.ear import Ear
from voicecli.speech.frames import (
    HEAD,
    BadFrame,
    Failed,
    Heard,
    Lacking,
    Listen,
    Loading,
    Ready,
    Reply,
    Request,
    Speak,
    Spoken,
    frame,
    request,
    size,
)
from voicecli.speech.voice import Voice
from voicecli.speech.weights import WEIGHTS, Lack, Part, find

USAGE: Final = 2
CANNOT: Final = 3
BAD_FRAME: Final = 4


def main(arguments: list[str]) -> int:
    """2 for a wrong argument, 3 where something is lacking (it was told). With standard input it ends by 0."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if len(arguments) != 1 or arguments[0] not in [part.value for part in Part]:
        return USAGE
    part = Part(arguments[0])
    tell = _answers()
    requests = _requests()
    tell(Loading())
    engine = _load(part)
    if isinstance(engine, Lacking):
        tell(engine)
        return CANNOT
    tell(Ready())
    while True:
        tell(_answer(engine, requests.get()))


def _load(part: Part) -> Ear | Voice | Lacking:
    folder = find(WEIGHTS[part])
    if isinstance(folder, Lack):
        return Lacking(folder)
    try:
        engine = Ear.load(folder) if part is Part.EAR else Voice.load(folder)
        if isinstance(engine, Lack):
            return Lacking(engine)
        engine.warm()
    except Exception as error:  # libraries of others, on a system that we do not know
        return Lacking(Lack.UNUSABLE, _detail(error))
    return engine


def _answer(engine: Ear | Voice, asked: Request) -> Reply:
    try:
        match engine, asked:
            case Ear(), Listen():
                heard = engine.hear(asked.pcm, asked.last)
                return Heard(asked.number, heard.words, heard.taken)
            case Voice(), Speak():
                return Spoken(asked.number, engine.say(asked.text))
            case _:
                return Failed(asked.number, "not what this engine is for")
    except Exception as error:  # the next one may go well
        return Failed(asked.number, _detail(error))


def _detail(error: Exception) -> str:
    return one_line(f"{type(error).__name__}: {error}")


def _answers() -> Callable[[Reply], None]:
    """A way to the pipe that was standard output. What libraries print goes to standard error from here on."""
    own = os.dup(1)
    os.dup2(2, 1)
    _binary(own)

    def tell(reply: Reply) -> None:
        rest = memoryview(frame(reply))
        try:
            while rest:
                rest = rest[os.write(own, rest) :]
        except OSError:
            _end(0)  # nobody reads any more

    return tell


def _requests() -> queue.SimpleQueue[Request]:
    """What is asked, from a thread that ends the process when no more can come."""
    asked: queue.SimpleQueue[Request] = queue.SimpleQueue()
    _binary(0)

    def read() -> None:
        while True:
            try:
                asked.put(request(_exactly(size(_exactly(HEAD)))))
            except BadFrame:
                _end(BAD_FRAME)

    threading.Thread(target=read, name="requests", daemon=True).start()
    return asked


def _exactly(count: int) -> bytes:
    got = bytearray()
    while len(got) < count:
        try:
            more = os.read(0, min(count - len(got), 1 << 20))
        except OSError:
            more = b""
        if not more:
            _end(0)
        got += more
    return bytes(got)


def _binary(descriptor: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.setmode(descriptor, os.O_BINARY)


def _end(code: int) -> NoReturn:
    """Now, also from a thread, while the main one is in somebody's C code."""
    os._exit(code)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
