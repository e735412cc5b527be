"""Sound to English words: Moonshine tiny by plain onnxruntime. It knows no process, no pipe and no session.

Three things about the weights that are written nowhere: the encoder wants a mask; the decoder's
`encoder_attention_mask` has the length of the samples and not of the encoder's frames; the encoder's half of the cache
is kept from the first step on, only the `.decoder.` half is renewed.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from voicecli.audio.vad import Vad, best_vad
from voicecli.ports import RATE
from voicecli.speech.weights import MOONSHINE, Lack, read

if TYPE_CHECKING:
    from numpy.typing import NDArray

LONGEST_S: Final = 24
"""Of what is listened to in one go: the model was made for up to half a minute, and its time grows faster than that."""
SHORTEST_CUT_S: Final = 12
"""Longer speech is cut at the quietest place behind this."""
QUIET_MS: Final = 120

_MODEL_RATE: Final = 16_000
_BEFORE_S, _AFTER_S = 0.25, 0.5
"""Silence around it: a word that begins with the first sample is guessed at."""
_START, _END = 1, 2
_PIECES_PER_S: Final = 6.5
"""More than anybody says; it may repeat itself without end."""
_SPEECH_FRAMES: Final = 4
"""Less speech than these 128 ms is none: of noise, silence and music the model makes "You" and "Thank you"."""
_SPEECH: Final = 0.5
_LISTENED_AT_ONCE: Final = RATE // 2
_LONGEST_LOOP: Final = 12
"""Pieces in what is said again and again."""
_NO_WORDS: Final = re.compile(r"[♪♫\s]+")


class Heard(NamedTuple):
    """The words of the first `taken` bytes; empty where nobody speaks."""

    words: str
    taken: int


class Ear:
    """Hears one utterance after the other."""

    def __init__(self, encoder: bytes, decoder: bytes, tokens: bytes, vad: Vad | None = None) -> None:
        """The contents of the three files. Raises what onnxruntime raises, ImportError included. 0.2 s."""
        import onnxruntime as ort

        options = ort.SessionOptions()
        # A second thread gains 5 % and takes the core on which the sound is played.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        providers = ["CPUExecutionProvider"]
        self._encoder = ort.InferenceSession(encoder, options, providers=providers)
        self._decoder = ort.InferenceSession(decoder, options, providers=providers)
        self._past = [each.name for each in self._decoder.get_inputs() if each.name.startswith("past")]
        self._present = [each.name.replace("present", "past_key_values") for each in self._decoder.get_outputs()[1:]]
        self._pieces = pieces(tokens)
        self._vad = vad or best_vad()

    @classmethod
    def load(cls, folder: Path) -> Ear | Lack:
        """From checked files (G29)."""
        contents = []
        for name in ("encoder_model.ort", "decoder_model_merged.ort", "tokenizer.bin"):
            content = read(MOONSHINE, folder, name)
            if isinstance(content, Lack):
                return content
            contents.append(content)
        encoder, decoder, tokens = contents
        return cls(encoder, decoder, tokens)

    def warm(self) -> None:
        """Hears a second of nothing, so that the first real one is not the slow one."""
        import numpy as np

        self._vad.feed(bytes(2 * RATE))
        self._recognise(np.zeros(_MODEL_RATE, np.float32))

    def hear(self, pcm: bytes, last: bool = True) -> Heard:
        """The words of PCM16 at 24 kHz: of all of it where that is up to `LONGEST_S`, else of the first part.

        Where `last` is false more will follow, and nothing is taken of what is too short to be cut well. A byte that
        is half a sample is left out.
        """
        import numpy as np
        import soxr

        samples = np.frombuffer(pcm, "<i2", len(pcm) // 2).astype(np.float32) / 32768
        end = len(samples)
        if end > LONGEST_S * RATE:
            end = quietest(samples[: LONGEST_S * RATE], SHORTEST_CUT_S * RATE)
        elif not last:
            return Heard("", 0)
        taken = len(pcm) if end == len(samples) else 2 * end
        if not self._speech_in(pcm[: 2 * end]):
            return Heard("", taken)
        sound = soxr.resample(samples[:end], RATE, _MODEL_RATE, quality="HQ")
        return Heard(self._recognise(sound), taken)

    def _speech_in(self, pcm: bytes) -> bool:
        self._vad.reset()
        frames = 0
        for at in range(0, len(pcm), 2 * _LISTENED_AT_ONCE):
            likely = self._vad.feed(pcm[at : at + 2 * _LISTENED_AT_ONCE])
            frames += sum(each >= _SPEECH for each in likely)
            if frames >= _SPEECH_FRAMES:
                return True
        return False

    def _recognise(self, sound: NDArray[Any]) -> str:
        """Float32 at 16 kHz, up to about half a minute."""
        import numpy as np

        most = int(len(sound) / _MODEL_RATE * _PIECES_PER_S) + 8
        sound = np.pad(sound, (int(_BEFORE_S * _MODEL_RATE), int(_AFTER_S * _MODEL_RATE)))
        mask = np.ones((1, len(sound)), np.int64)
        (hidden,) = self._encoder.run(None, {"input_values": sound[None], "attention_mask": mask})
        cache = {name: np.zeros((1, 8, 0, 36), np.float32) for name in self._past}
        said: list[int] = []
        for step in range(most):
            fed = {
                "input_ids": np.array([[said[-1] if said else _START]], np.int64),
                "encoder_hidden_states": hidden,
                "encoder_attention_mask": mask,
                "use_cache_branch": np.array([step > 0]),
                **cache,
            }
            logits, *renewed = self._decoder.run(None, fed)
            fresh = zip(self._present, renewed, strict=True)
            cache |= {name: value for name, value in fresh if step == 0 or ".decoder." in name}
            piece = int(logits[0, -1].argmax())
            if piece == _END:
                break
            said.append(piece)
        else:
            said = once(said)
        return self._text(said)

    def _text(self, said: list[int]) -> str:
        raw = b"".join(self._pieces[each] for each in said if _END < each < len(self._pieces))
        text = raw.decode("utf-8", "replace").replace("\u2581", " ")
        return _NO_WORDS.sub(" ", text).strip()


def pieces(tokens: bytes) -> list[bytes]:
    """Of the tokenizer's file: a length of one or two bytes and then the piece, again and again."""
    found: list[bytes] = []
    at = 0
    while at < len(tokens):
        length, at = tokens[at], at + 1
        if length >= 128:
            length, at = tokens[at] * 128 + length - 128, at + 1
        found.append(tokens[at : at + length])
        at += length
    return found


def quietest(samples: NDArray[Any], least: int) -> int:
    """Where to cut: the middle of the quietest `QUIET_MS` behind `least`; the latest of those that are as quiet."""
    import numpy as np

    width = QUIET_MS * RATE // 1000
    step = width // 4
    power = np.square(samples[least:], dtype=np.float64)
    blocks = np.add.reduceat(power, np.arange(0, len(power) - step + 1, step))[: len(power) // step]
    sums = np.convolve(blocks, np.ones(4), "valid")
    latest = len(sums) - 1 - int(np.argmin(sums[::-1]))
    return least + latest * step + width // 2


def once(said: list[int]) -> list[int]:
    """Pieces without the loop at their end, in which what repeats itself was kept once."""
    for length in range(1, _LONGEST_LOOP + 1):
        loop = said[-length:]
        end = len(said)
        while end >= 2 * length and said[end - 2 * length : end - length] == loop:
            end -= length
        if len(said) - end >= 2 * length:
            return said[:end]
    return said
