"""From what the person wants to what the talk is: settings and target in, `Plan` and `Started` out. Pure."""

from __future__ import annotations

from typing import Literal, NamedTuple

from msgspec import UNSET
from msgspec.structs import replace

from voicecli.core.changes import Started
from voicecli.core.plan import Plan
from voicecli.protocol.items import SessionConfig, Transcription, TurnDetection
from voicecli.protocol.profiles import Choice, Profile, choose
from voicecli.secret import Redactor
from voicecli.settings import Settings
from voicecli.target import Target, with_query

Mode = Literal["talk", "chat"]
Keyboard = Literal["terminal", "pipe", "none"]

THRESHOLD, PREFIX_MS, SILENCE_MS = 0.5, 300, 500
"""The contract's defaults (E9). They are sent as well, because an object that is sent goes whole."""


class Sides(NamedTuple):
    """Who speaks and what is heard."""

    microphone: Literal["device", "file", "none"] = "none"
    speaker: bool = False
    keyboard: Keyboard = "none"


def chosen(settings: Settings, target: Target) -> Choice:
    """Who is behind the target, and in which dialect it is spoken to."""
    return choose(target.url, settings.dialect, target.offline)


def dialled(settings: Settings, target: Target, profile: Profile) -> str:
    """The URL of the connection; the embedded server's own comes from elsewhere."""
    url = with_query(target.url, profile.model_query, settings.model or profile.model)
    for name, value in profile.query:
        url = with_query(url, name, value)
    return url


def plan(settings: Settings, target: Target, mode: Mode, sides: Sides, url: str) -> Plan:
    """`url`: where the first connection goes."""
    first, other = chosen(settings, target)
    spare = _plan(settings, target, mode, sides, dialled(settings, target, other), other) if other else None
    return replace(_plan(settings, target, mode, sides, url, first), other=spare)


def _plan(settings: Settings, target: Target, mode: Mode, sides: Sides, url: str, known: Profile) -> Plan:
    return Plan(
        profile=known,
        url=url,
        session=session(settings, known, mode),
        mode=mode,
        microphone=sides.microphone if "audio" in known.can else "none",
        speaker=sides.speaker,
        keyboard=sides.keyboard,
        echo=settings.echo,
        levels=settings.levels,
        ptt=settings.ptt and mode == "talk",
        auto_answer=not settings.no_auto_response,
        key_source=target.key_source,
    )


def session(settings: Settings, profile: Profile, mode: Mode) -> SessionConfig:
    """What the one `session.update` of a connection carries."""
    instructions = UNSET if settings.instructions is None else settings.instructions
    if mode == "chat":
        return SessionConfig(modalities=("text",), instructions=instructions, turn_detection=None)
    voice = settings.voice or profile.voice
    return SessionConfig(
        modalities=("text", "audio"),
        instructions=instructions,
        voice=voice or UNSET,
        input_audio_format=settings.input_format or profile.input.name,
        output_audio_format=settings.output_format or profile.output.name,
        input_audio_transcription=_transcription(settings, profile),
        turn_detection=None if settings.ptt else _detection(settings),
    )


def _detection(settings: Settings) -> TurnDetection:
    return TurnDetection(
        type="server_vad",
        threshold=_or(settings.vad_threshold, THRESHOLD),
        prefix_padding_ms=_or(settings.vad_prefix_ms, PREFIX_MS),
        silence_duration_ms=_or(settings.vad_silence_ms, SILENCE_MS),
        create_response=not settings.no_auto_response,
    )


def _or(said: float | None, default: float) -> float:
    return default if said is None else said


def _transcription(settings: Settings, profile: Profile) -> Transcription | None:
    model = settings.transcription_model or profile.transcription_model
    if settings.no_transcription or model is None:
        return None
    return Transcription(model=model, language=settings.language)


def started(settings: Settings, target: Target, mode: Mode, url: str, at: str, version: str) -> Started:
    """The first change: what the talk is with, whose key it uses and where that is from."""
    known = chosen(settings, target).profile
    return Started(
        at=at,
        version=version,
        mode="ptt" if settings.ptt and mode == "talk" else mode,
        url="" if target.offline else Redactor()(url),
        model=settings.model or known.model,
        voice=settings.voice or known.voice if mode == "talk" else None,
        offline=target.offline,
        key_source=target.key_source,
        url_source=target.url_source,
        key_withheld=target.key_withheld,
    )
