"""A core that answers by a script; a card and a link that write down what they are asked. Nothing here waits."""

from collections import deque

from voicecli.core.changes import Ended, Told
from voicecli.core.effects import Show
from voicecli.ports import PCM16
from voicecli.protocol.dialects import Spelling
from voicecli.protocol.profiles import Profile

PROFILE = Profile(
    name="test",
    spelling=Spelling.GA,
    model="m",
    voice=None,
    transcription_model=None,
    headers=(("X-Test", "1"),),
    input=PCM16,
    output=PCM16,
)


def told(code):
    return Show(Told(severity="info", code=code, title=code))


def ended(code=0):
    return Show(Ended(exit_code=code, reason="done", seconds=1.0, turns=0, interruptions=0))


class Script:
    """`answers` maps the type of a stimulus to its effects, or to a function of the stimulus."""

    def __init__(self, answers=None):
        self.answers = answers or {}
        self.handled = []
        self.deadline = None

    def handle(self, stimulus, at):
        self.handled.append((stimulus, at))
        answer = self.answers.get(type(stimulus), [])
        return list(answer(stimulus) if callable(answer) else answer)

    @property
    def kinds(self):
        return [type(stimulus).__name__ for stimulus, _ in self.handled]


class Card:
    def __init__(self):
        self.calls = []
        self.coming = deque()

    def open(self, side):
        self.calls.append(("open", side))

    def close(self, side):
        self.calls.append(("close", side))

    def lay(self, pcm):
        self.calls.append(("lay", pcm))

    def move(self, playhead):
        self.calls.append(("move", playhead))

    def take(self):
        while self.coming:
            yield self.coming.popleft()


class Wire:
    def __init__(self):
        self.calls = []

    def open(self, url, headers):
        self.calls.append(("open", url, headers))

    def send(self, text):
        self.calls.append(("send", text))

    def send_audio(self, text, samples):
        self.calls.append(("audio", text, samples))

    def read(self, on):
        self.calls.append(("read", on))

    def close(self, code):
        self.calls.append(("close", code))
