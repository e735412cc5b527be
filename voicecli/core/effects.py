"""Everything the core can ask for. The engine carries out all effects of one stimulus before it takes the next."""

from __future__ import annotations

from msgspec import Struct

from voicecli.core.changes import AnyChange
from voicecli.ports import Format, Playhead, Side
from voicecli.protocol.events import ClientEvent
from voicecli.protocol.profiles import Profile


class Effect(Struct, frozen=True, tag=True):
    pass


class Connect(Effect, frozen=True):
    """Dial. From here on everything is spelled as `profile` says."""

    profile: Profile
    url: str


class Spell(Effect, frozen=True):
    """The server turns out to speak otherwise: from here on everything is spelled as `profile` says."""

    profile: Profile


class Read(Effect, frozen=True):
    """Whether what the server sends is to be read on; off, it has to wait (G13)."""

    on: bool


class Hangup(Effect, frozen=True):
    code: int = 1000


class Send(Effect, frozen=True):
    event: ClientEvent


class SendAudio(Effect, frozen=True):
    """Microphone sound, PCM16 at RATE, to be brought to `form`. The only thing that may be dropped."""

    pcm: bytes
    form: Format
    kept: bool = False
    """It must not be dropped: the silence that ends a turn."""


class Play(Effect, frozen=True):
    """Sound of an answer as it came, in the format `form`, to be laid at `position` of the timeline.

    The core has cut `data` to whole samples and counted them: `form.samples(len(data))` are laid, not one more or less.
    """

    position: int
    data: bytes
    form: Format


class Move(Effect, frozen=True):
    """A new run: the device thread aborts and restarts."""

    playhead: Playhead


class OpenSound(Effect, frozen=True):
    side: Side


class CloseSound(Effect, frozen=True):
    side: Side


class Show(Effect, frozen=True):
    change: AnyChange


AnyEffect = Connect | Spell | Read | Hangup | Send | SendAudio | Play | Move | OpenSound | CloseSound | Show
