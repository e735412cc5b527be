"""What a server says about its settings, beside what it was asked for."""

from __future__ import annotations

from collections.abc import Container

import msgspec
from msgspec import UNSET, UnsetType

from voicecli.ports import Format
from voicecli.protocol.items import KNOWN_FORMATS, SessionConfig, TurnDetection


def silence_s(session: SessionConfig) -> float:
    """The VAD's silence window in seconds; the contract's default is 500 ms (E9)."""
    detection = session.turn_detection
    ms = detection.silence_duration_ms if isinstance(detection, TurnDetection) else None
    return float(500 if ms is None else ms) / 1000


def window_ms(session: SessionConfig) -> float | None:
    """The silence that the server's `audio_end_ms` includes; None where its VAD waits as long as it likes."""
    detection = session.turn_detection
    semantic = isinstance(detection, TurnDetection) and detection.type == "semantic_vad"
    return None if semantic else 1000 * silence_s(session)


def agreed(wanted: SessionConfig, effective: SessionConfig) -> SessionConfig:
    """The settings after an update that was taken: where the server is silent about the sound, it is as we asked."""
    return msgspec.structs.replace(
        effective,
        input_audio_format=_or(effective.input_audio_format, wanted.input_audio_format),
        output_audio_format=_or(effective.output_audio_format, wanted.output_audio_format),
    )


def form_in_force(name: str | UnsetType, own: Format, names: frozenset[str] = frozenset()) -> Format | None:
    """The format the server names, which is believed whatever was asked for; None: one that nobody here knows.

    `own`, the profile's, where it names none, or calls it by one of the profile's `names`.
    """
    if name is UNSET or name == own.name or name in names:
        return own
    return KNOWN_FORMATS.get(name)


def _or(name: str | UnsetType, other: str | UnsetType) -> str | UnsetType:
    return other if name is UNSET else name


def said(session: SessionConfig) -> dict[str, str]:
    """The settings that are there: name -> JSON text."""
    fields = {name: getattr(session, name) for name in session.__struct_fields__}
    return {
        name: msgspec.json.encode(value).decode()
        for name, value in fields.items()
        if value is not UNSET and name not in ("id", "object")
    }


def differences(
    wanted: SessionConfig, effective: SessionConfig, left_out: Container[str] = frozenset()
) -> dict[str, str]:
    """What the server said otherwise than we asked: name -> its value as JSON. What it did not say is not counted.

    `left_out`: names that were never sent, which has been told.
    """
    differ = {}
    for name in wanted.__struct_fields__:
        ours, theirs = getattr(wanted, name), getattr(effective, name)
        if name == "model" or name in left_out or ours is UNSET or theirs is UNSET:
            continue
        if name == "modalities" and "audio" in ours and "audio" in theirs:
            continue  # speech has its text with it, whether that is said or not
        if not _covers(msgspec.to_builtins(ours), msgspec.to_builtins(theirs)):
            differ[name] = msgspec.json.encode(theirs).decode()
    return differ


def _covers(ours: object, theirs: object) -> bool:
    """Whether `theirs` says all that `ours` does, as far as it says anything about it."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return all(key not in theirs or _covers(value, theirs[key]) for key, value in ours.items())
    if isinstance(ours, list | tuple) and isinstance(theirs, list | tuple):
        return len(ours) == len(theirs) and all(_covers(a, b) for a, b in zip(ours, theirs, strict=True))
    return ours == theirs
