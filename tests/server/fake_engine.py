"""A speech engine that says what it was asked to say: `python fake_engine.py KIND`, with the frames of the real one."""

from __future__ import annotations

import os
import sys
import time

from voicecli.speech import frames as f
from voicecli.speech.weights import Lack


def send(reply: f.Reply) -> None:
    os.write(1, f.frame(reply))


def receive() -> f.Request | None:
    head = sys.stdin.buffer.read(f.HEAD)
    return f.request(sys.stdin.buffer.read(f.size(head))) if head else None


def main(kind: str) -> None:
    match kind:
        case "stuck":
            sys.stdin.buffer.read(0)
            time.sleep(60)
        case "dies":
            sys.exit("a library \x1b[31mwas not found")
        case "wrong":
            send(f.Lacking(Lack.WRONG_WEIGHTS))
            return
        case "unusable":
            send(f.Lacking(Lack.UNUSABLE, "ImportError: GLIBC_2.99\x1b[2J"))
            return
        case "absent":
            send(f.Lacking(Lack.NO_RUNTIME))
            return
        case "early":
            send(f.Heard(1, "what?", 2))
        case "noise":
            os.write(1, b"\xff\xff\xff\xffnothing of ours")
            time.sleep(60)
    send(f.Loading())
    send(f.Ready())
    done = 0
    while (asked := receive()) is not None:
        done += 1
        match asked:
            case f.Listen():
                taken = min(len(asked.pcm), 24 * 48_000)
                send(f.Heard(asked.number, f"{done}:{asked.pcm[:1].decode()}", taken))
            case f.Speak(text="die"):
                os._exit(9)
            case f.Speak(text="hang"):
                time.sleep(60)
            case f.Speak(text="garbage"):
                os.write(1, b"\0\0\0\x03abc")
            case f.Speak(text="half"):
                os.write(1, f.frame(f.Spoken(asked.number, b"12345678"))[:9])
                os._exit(0)
            case f.Speak(text="other number"):
                send(f.Spoken(asked.number + 1, b""))
            case f.Speak(text="words"):
                send(f.Heard(asked.number, "words", 5))
            case f.Speak(text="fail"):
                send(f.Failed(asked.number, "IndexError: \x1b[31mout of range"))
            case f.Speak(text="environment"):
                send(f.Spoken(asked.number, "\n".join(f"{name}={os.environ[name]}" for name in os.environ).encode()))
            case f.Speak(text="id"):
                send(f.Spoken(asked.number, str(os.getpid()).encode()))
            case f.Speak():
                send(f.Spoken(asked.number, f"{done}:{asked.text} ".encode()))


if __name__ == "__main__":
    main(sys.argv[1])
