"""From what the person wants to what the talk is: settings and target in, `Plan` and `Started` out. Pure."""

from __future__ import annotations

from typing import Any, Final, Literal, NamedTuple

from msgspec import UNSET, UnsetType
from msgspec.structs import asdict, replace

from voicecli.core.changes import Started
from voicecli.core.plan import Plan
from voicecli.protocol.dialects import SOUND_ALONE
from voicecli.protocol.items import CustomVoice, NoiseReduction, SessionConfig, Transcription, TurnDetection
from voicecli.protocol.profiles import Choice, Profile, choose
from voicecli.secret import Redactor
from voicecli.settings import Settings
from voicecli.target import MindTarget, Target, in_query, with_query

Mode = Literal["talk", "chat"]
Keyboard = Literal["terminal", "pipe", "none"]

NOTHING: Final = SessionConfig()
_UNDETECTED: Final = TurnDetection()
OWN_VOICE: Final = "voice_"
"""How the id of a custom voice begins."""
SERVER_VAD: Final = {"threshold": 0.5, "prefix_padding_ms": 300, "silence_duration_ms": 500}
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


def plan(
    settings: Settings,
    target: Target,
    mode: Mode,
    sides: Sides,
    url: str,
    given: SessionConfig = NOTHING,
    mind: MindTarget | None = None,
) -> Plan:
    """`url`: where the first connection goes. `mind`: the language model behind our own server.

    The temperature of a `mind` is in what our server is started with: sessions in GA have none.
    """
    if mind is not None:
        settings, given = replace(settings, temperature=None), replace(given, temperature=UNSET)
    first, other = chosen(settings, target)
    spare = _plan(settings, target, mode, sides, dialled(settings, target, other), other, given) if other else None
    whole = replace(_plan(settings, target, mode, sides, url, first, given), other=spare)
    return whole if mind is None else replace(whole, mind_model=Redactor()(mind.model), mind_host=mind.host)


def _plan(
    settings: Settings, target: Target, mode: Mode, sides: Sides, url: str, known: Profile, given: SessionConfig
) -> Plan:
    return Plan(
        profile=known,
        url=url,
        session=session(settings, known, mode, given),
        mode=mode,
        microphone=sides.microphone if "audio" in known.can else "none",
        speaker=sides.speaker,
        keyboard=sides.keyboard,
        echo=settings.echo,
        levels=settings.levels,
        ptt=settings.ptt and mode == "talk",
        auto_answer=answers(settings, given),
        key_source=target.key_source,
    )


def session(settings: Settings, profile: Profile, mode: Mode, given: SessionConfig = NOTHING) -> SessionConfig:
    """What the one `session.update` of a connection carries. An option goes before the file, which is `given`."""
    if mode == "chat":
        said = {**_said(given), **_asked(settings), "modalities": ("text",), "turn_detection": None}
        return SessionConfig(**said)
    said = {
        "modalities": ("text", "audio"),
        "voice": profile.voice or UNSET,
        "input_audio_format": profile.input.name,
        "output_audio_format": profile.output.name,
        **_said(given),
        **_asked(settings),
        "input_audio_transcription": _transcription(settings, profile, given.input_audio_transcription),
        "turn_detection": None if settings.ptt else _detection(settings, given.turn_detection),
    }
    said["modalities"] = _modalities(said["modalities"], profile)
    return SessionConfig(**said)


def _modalities(given: tuple[str, ...], profile: Profile) -> tuple[str, ...]:
    """Each once; where the spelling is GA, sound means sound with its text, so that nothing is lost by saying it."""
    return SOUND_ALONE[profile.spelling] if set(given) == {"audio"} else tuple(dict.fromkeys(given))


def unused(settings: Settings, plan: Plan, given: SessionConfig) -> tuple[str, ...]:
    """What was asked for and has no place in this talk, each with the reason; for a notice."""
    found: list[str] = []
    detection = given.turn_detection
    if plan.mode == "chat":
        names = [name for name in ("input_audio_format", "output_audio_format") if getattr(given, name) is not UNSET]
        names += ["modalities"] if given.modalities is not UNSET and "audio" in given.modalities else []
        names += ["turn_detection"] if isinstance(detection, TurnDetection) else []
        if names:
            found.append(f"{', '.join(names)} of the file of --session, because nothing is spoken in a written talk")
    elif plan.ptt and isinstance(detection, TurnDetection) and replace(detection, create_response=None) != _UNDETECTED:
        found.append("turn_detection of the file of --session, because with --ptt you say where your turns end")
    if settings.language and plan.session.input_audio_transcription is None:
        found.append("--language, because what you say is not written down")
    return tuple(found)


def _voice(given: SessionConfig) -> str | None:
    voice = given.voice
    return voice.id if isinstance(voice, CustomVoice) else voice or None


def answers(settings: Settings, given: SessionConfig = NOTHING) -> bool:
    """Whether what is said by voice is answered without being asked for."""
    detection = given.turn_detection
    return not settings.no_auto_response and not (
        isinstance(detection, TurnDetection) and detection.create_response is False
    )


def _said(session: SessionConfig) -> dict[str, Any]:
    return {name: value for name, value in asdict(session).items() if value is not UNSET}


def _asked(settings: Settings) -> dict[str, Any]:
    """What an option says, and nothing else: a value that was not asked for is not sent."""
    voice = settings.voice
    asked = {
        "instructions": settings.instructions,
        "temperature": settings.temperature,
        "max_response_output_tokens": settings.max_tokens,
        "voice": CustomVoice(voice) if voice and voice.startswith(OWN_VOICE) else voice,
        "speed": settings.speed,
        "input_audio_format": settings.input_format,
        "output_audio_format": settings.output_format,
        "input_audio_noise_reduction": NoiseReduction(settings.noise_reduction) if settings.noise_reduction else None,
    }
    return {name: value for name, value in asked.items() if value is not None}


def _detection(settings: Settings, given: TurnDetection | UnsetType | None) -> TurnDetection:
    """Whole, as an object that is sent goes whole: by the options, else by the file, else as the contract has it."""
    own = given if isinstance(given, TurnDetection) else TurnDetection()
    asked = {
        "threshold": settings.vad_threshold,
        "prefix_padding_ms": settings.vad_prefix_ms,
        "silence_duration_ms": settings.vad_silence_ms,
        "eagerness": settings.semantic_vad,
        "create_response": False if settings.no_auto_response else None,
    }
    said = {name: value for name, value in asked.items() if value is not None}
    kind = own.type or "server_vad"
    if settings.semantic_vad:
        kind = "semantic_vad"
    elif said.keys() & SERVER_VAD.keys():
        kind = "server_vad"
    if kind != (own.type or "server_vad"):  # what only the other kind has does not fit
        own = TurnDetection(create_response=own.create_response, interrupt_response=own.interrupt_response)
    usual = SERVER_VAD if kind == "server_vad" else {}
    held = {name: value for name, value in asdict(own).items() if value is not None}
    return TurnDetection(**{"create_response": True, **usual, **held, **said, "type": kind})


def _transcription(
    settings: Settings, profile: Profile, given: Transcription | UnsetType | None
) -> Transcription | None:
    if settings.no_transcription or (given is None and settings.transcription_model is None):
        return None
    own = given if isinstance(given, Transcription) else Transcription()
    model = settings.transcription_model or own.model or profile.transcription_model
    return None if model is None else replace(own, model=model, language=settings.language or own.language)


def started(
    settings: Settings,
    target: Target,
    mode: Mode,
    url: str,
    at: str,
    version: str,
    given: SessionConfig = NOTHING,
    mind: MindTarget | None = None,
) -> Started:
    """The first change: what the talk is with, whose key it uses and where that is from."""
    known = chosen(settings, target).profile
    key_of = target if mind is None else mind
    return Started(
        at=at,
        version=version,
        mode="ptt" if settings.ptt and mode == "talk" else mode,
        url="" if target.offline else Redactor()(url),
        model=Redactor()(
            mind.model if mind else in_query(target.url, known.model_query) or settings.model or known.model
        ),
        voice=settings.voice or _voice(given) or known.voice if mode == "talk" else None,
        offline=target.offline,
        key_source=key_of.key_source,
        url_source=target.url_source,
        key_withheld=key_of.key_withheld,
        mind_model="" if mind is None else Redactor()(mind.model),
        mind_host="" if mind is None else mind.host,
        mind_local=mind is None or mind.local,
    )
