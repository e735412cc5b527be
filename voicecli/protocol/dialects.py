"""The two spellings of one protocol: their names, what differs between them as tables, and which one a session has.

Inside the house everything has the contract's (beta) names and its flat session. `flatten.py` brings what came to the
inside shape, `unflatten.py` writes it as a spelling has it. Not known here: events, bytes, sockets.
"""

from __future__ import annotations

from enum import Enum
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import UNSET, Struct, UnsetType

from voicecli.protocol.items import FORMATS


class Spelling(Enum):
    """How a server spells the protocol: the user's word for it is dialect."""

    BETA = "beta"
    GA = "ga"


HAS_IMAGES: Final = {Spelling.BETA: False, Spelling.GA: True}
"""Whether an item may hold an image."""

SOUND_ALONE: Final = {Spelling.BETA: ("audio",), Spelling.GA: ("text", "audio")}
"""What asking for nothing but sound is inside: GA's sound comes with its text."""


class Lossy(NamedTuple):
    """A value that a spelling has no place for, or that it would bring back as another one."""

    path: str
    """Inside name, like `session.temperature`."""
    value: object
    why: str


GA_NAMES: Final[dict[str, str]] = {
    "response.text.delta": "response.output_text.delta",
    "response.text.done": "response.output_text.done",
    "response.audio.delta": "response.output_audio.delta",
    "response.audio.done": "response.output_audio.done",
    "response.audio_transcript.delta": "response.output_audio_transcript.delta",
    "response.audio_transcript.done": "response.output_audio_transcript.done",
}
"""The contract's event type -> what GA calls it. All others have one name in both."""

GA_CONTENT: Final = {"text": "output_text", "audio": "output_audio"}
INSIDE_CONTENT: Final = {ga: beta for beta, ga in GA_CONTENT.items()}

PCM: Final = "audio/pcm"
GA_FORMATS: Final[dict[str, dict[str, object]]] = {
    "pcm16": {"type": PCM, "rate": FORMATS["pcm16"].rate},
    "g711_ulaw": {"type": "audio/pcmu"},
    "g711_alaw": {"type": "audio/pcma"},
}
INSIDE_FORMATS: Final = {str(ga["type"]): beta for beta, ga in GA_FORMATS.items()}

SPOKEN: Final = ("text", "audio")
"""What both spellings mean by an answer in sound: GA says ["audio"], and the words come as its transcript."""


def modalities_inside(ga: Any) -> Any:
    """What GA's `output_modalities` mean."""
    return SPOKEN if ga is not UNSET and "audio" in ga else ga


class SpellingMarks(Struct, frozen=True):
    """The fields of a session that only one spelling has."""

    type: msgspec.Raw | UnsetType = UNSET
    audio: msgspec.Raw | UnsetType = UNSET
    output_modalities: msgspec.Raw | UnsetType = UNSET
    max_output_tokens: msgspec.Raw | UnsetType = UNSET
    modalities: msgspec.Raw | UnsetType = UNSET
    input_audio_format: msgspec.Raw | UnsetType = UNSET
    output_audio_format: msgspec.Raw | UnsetType = UNSET
    input_audio_transcription: msgspec.Raw | UnsetType = UNSET
    input_audio_noise_reduction: msgspec.Raw | UnsetType = UNSET
    turn_detection: msgspec.Raw | UnsetType = UNSET
    temperature: msgspec.Raw | UnsetType = UNSET
    max_response_output_tokens: msgspec.Raw | UnsetType = UNSET
    voice: msgspec.Raw | UnsetType = UNSET

    def spelling(self) -> Spelling | None:
        """GA's marks decide where both are there (xAI mixes them); None: the session says nothing about it."""
        ga = (self.type, self.audio, self.output_modalities, self.max_output_tokens)
        if any(mark is not UNSET for mark in ga):
            return Spelling.GA
        beta = (
            self.modalities,
            self.input_audio_format,
            self.output_audio_format,
            self.input_audio_transcription,
            self.input_audio_noise_reduction,
            self.turn_detection,
            self.temperature,
            self.max_response_output_tokens,
            self.voice,
        )
        return Spelling.BETA if any(mark is not UNSET for mark in beta) else None
