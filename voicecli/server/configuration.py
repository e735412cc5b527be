"""The effective configuration of a session: defaults, what an update changes, what is refused. No time, no wire.

What any server of the contract refuses stands in `protocol/rules.py`; here is what only this one cannot do.
"""

from __future__ import annotations

from typing import Any, Final

from msgspec import UNSET
from msgspec.structs import asdict, replace

from voicecli.ports import PCM16
from voicecli.protocol.dialects import Spelling
from voicecli.protocol.items import FORMATS, ErrorInfo, ResponseConfig, SessionConfig, TurnDetection
from voicecli.protocol.profiles import EMBEDDED_GA
from voicecli.protocol.unflatten import format_named
from voicecli.server.buffer import DEFAULT_PREFIX_MS, DEFAULT_SILENCE_MS, DEFAULT_THRESHOLD
from voicecli.server.refusals import invalid, invalid_value

MODEL: Final = EMBEDDED_GA.model
VOICE: Final = "alloy"
TEMPERATURE: Final = 0.8
MOST_DESCRIPTION: Final = 1024
"""Characters of a function's description (seen at OpenAI, not in the contract)."""
_FIXED: Final = frozenset({"id", "object", "expires_at", "model"})
"""What no update changes (D5)."""

DETECTION: Final = TurnDetection(
    type="server_vad",
    threshold=DEFAULT_THRESHOLD,
    prefix_padding_ms=DEFAULT_PREFIX_MS,
    silence_duration_ms=DEFAULT_SILENCE_MS,
    create_response=True,
)
"""E9."""

SEMANTIC: Final = TurnDetection(type="semantic_vad", eagerness="auto", create_response=True, interrupt_response=True)
"""Newer than the contract."""
_DETECTIONS: Final = {str(default.type): default for default in (DETECTION, SEMANTIC)}


def defaults(session_id: str, model: str | None, expires_at: int | None) -> SessionConfig:
    """What a session is before anybody configures it; `expires_at` is in seconds since 1970."""
    return SessionConfig(
        id=session_id,
        object="realtime.session",
        expires_at=UNSET if expires_at is None else expires_at,
        model=model or MODEL,
        modalities=("text", "audio"),
        instructions="",
        voice=VOICE,
        input_audio_format=PCM16.name,
        output_audio_format=PCM16.name,
        input_audio_transcription=None,
        turn_detection=DETECTION,
        tools=(),
        tool_choice="auto",
        temperature=TEMPERATURE,
        max_response_output_tokens="inf",
        input_audio_noise_reduction=None,
        speed=1.0,
        tracing=None,
        truncation="auto",
    )


def updated(old: SessionConfig, change: SessionConfig) -> SessionConfig:
    """The full configuration after an update: only what is said changes (B2), and an object goes whole."""
    said: dict[str, Any] = {
        name: value for name, value in asdict(change).items() if value is not UNSET and name not in _FIXED
    }
    detection = said.get("turn_detection")
    if isinstance(detection, TurnDetection):
        said["turn_detection"] = _filled(detection)
    return replace(old, **said)


def for_response(session: SessionConfig, config: ResponseConfig) -> SessionConfig:
    """The session as one `response.create` overrides it."""
    own = {name: value for name, value in asdict(config).items() if value is not UNSET}
    return replace(session, **{name: value for name, value in own.items() if name in SessionConfig.__struct_fields__})


def refused(config: SessionConfig | ResponseConfig, root: str, spelling: Spelling) -> ErrorInfo | None:
    """What this server cannot do of an update or of a `response.create`; None: it can do it all."""
    for name in ("input_audio_format", "output_audio_format"):
        value = getattr(config, name, UNSET)
        if value is not UNSET and value not in FORMATS:
            listed = ", ".join(repr(format_named(known, spelling)) for known in FORMATS)
            return invalid_value(f"{root}.{name}", format_named(value, spelling), f"Supported values are: {listed}.")
    for n, tool in enumerate(config.tools or ()):
        length = len(tool.description or "")
        if length > MOST_DESCRIPTION:
            path = f"{root}.tools[{n}].description"
            return invalid(
                "string_above_max_length",
                f"Invalid '{path}': string too long. Expected a string with maximum length {MOST_DESCRIPTION}, "
                f"but got a string with length {length} instead.",
                path,
            )
    detection = getattr(config, "turn_detection", UNSET)
    if isinstance(detection, TurnDetection) and detection.type not in (None, *_DETECTIONS):
        listed = ", ".join(f"'{name}'" for name in _DETECTIONS)
        return invalid_value(f"{root}.turn_detection.type", detection.type, f"Supported values are: {listed}.")
    return None


def _filled(detection: TurnDetection) -> TurnDetection:
    said = {name: value for name, value in asdict(detection).items() if value is not None}
    return replace(_DETECTIONS[detection.type or str(DETECTION.type)], **said)
