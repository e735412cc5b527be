"""What each provider is like, as data: never an `if`. A new provider is a new value. It knows no event and no key."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple
from urllib.parse import urlsplit

from msgspec import Struct
from msgspec.structs import replace

from voicecli.ports import PCM16, RATE, Format
from voicecli.protocol.dialects import Spelling

CAN: Final = frozenset({"truncate", "delete", "cancel", "transcribe", "audio", "text"})
"""Cut an answer to what was heard, delete an item, cancel an answer, write down what was said, take PCM16 sound, and
take what was typed."""


class Profile(Struct, frozen=True):
    """One provider, in one spelling."""

    name: str
    spelling: Spelling
    model: str
    """Default model; appended to a URL that names none."""
    voice: str | None
    transcription_model: str | None
    """The newest one it offers; None: it offers none."""
    model_query: str = "model"
    """How the URL calls the model."""
    query: tuple[tuple[str, str], ...] = ()
    """What else a URL is given, where it says nothing of it."""
    headers: tuple[tuple[str, str], ...] = ()
    """Sent at the handshake, without the key."""
    key_header: tuple[str, str] = ("Authorization", "Bearer ")
    """Name of the header that carries the key, and what stands before the key."""
    input: Format = PCM16
    output: Format = PCM16
    names: frozenset[str] = frozenset({"pcm"})
    """What else it calls these two."""
    can: frozenset[str] = CAN
    """What it takes of `CAN`; the rest is not sent, and told where it is missed."""
    closed: bool = False
    """Whether the contract's lists of words (E4, E13 to E16) are whole there, so that another word is not sent."""
    unheard: Literal["delete", "truncate", "leave"] = "delete"
    """What is sent for an item that nobody heard."""
    cap_s: float | None = None
    """How long a session may last."""
    ignore: frozenset[str] = frozenset()
    """Event types that need no notice when they are unknown; `response.viseme.*` is all that begin so."""
    benign: tuple[tuple[str, str], ...] = ()
    """(code, part of the message): errors where two messages only crossed. Either of them suffices; "" matches none."""


CROSSED: Final[tuple[tuple[str, str], ...]] = (
    ("response_cancel_not_active", "no active response"),
    ("conversation_already_has_active_response", "already has an active response"),
    ("", "active response in progress"),
    ("input_audio_buffer_commit_empty", "buffer too small"),
    ("", "buffer is empty"),
    ("", "already shorter"),
)
"""Errors where two messages only crossed: by code or by words, as many servers give no code."""

HEARTBEATS: Final = frozenset({"ping", "heartbeat"})
"""What servers send to keep a line open."""

EXTRAS: Final = HEARTBEATS | {"localai.*", "conversation.item.speaker"}
"""What servers of one's own say beside the protocol."""


class Mistaken(NamedTuple):
    """What a server says that does not know this spelling: codes of errors, or fields of the session that it names."""

    codes: frozenset[str]
    words: tuple[str, ...]
    fields: frozenset[str]


MISTAKEN: Final[dict[Spelling, Mistaken]] = {
    Spelling.BETA: Mistaken(
        frozenset({"beta_api_shape_disabled", "invalid_request_error.beta_api_shape_disabled"}),
        ("beta_api_shape_disabled", "realtime beta api is no longer supported"),
        frozenset(
            {
                "session.type",  # it is missing
                "session.modalities",
                "session.input_audio_format",
                "session.output_audio_format",
                "session.input_audio_transcription",
            }
        ),
    ),
    Spelling.GA: Mistaken(
        frozenset(),
        (),
        frozenset({"session.type", "session.audio", "session.output_modalities", "session.max_output_tokens"}),
    ),
}
"""How it is noticed that a server speaks the other spelling; only the fields that one spelling alone has."""

NAMING: Final = {
    "unknown_parameter": "unknown parameter",
    "missing_required_parameter": "missing required parameter",
}
"""The errors that name such a field: code and words."""

WRONG_DIALECT: Final = 4000
"""The close code of a server that does not take the spelling (OpenAI, since the end of the beta)."""

_HEADERS: Final[dict[Spelling, tuple[tuple[str, str], ...]]] = {
    Spelling.BETA: (("OpenAI-Beta", "realtime=v1"),),
    Spelling.GA: (),
}


def _spelled(profile: Profile, spelling: Spelling) -> Profile:
    """The same provider in another spelling."""
    others = tuple(header for header in profile.headers if header not in _HEADERS[profile.spelling])
    return replace(profile, spelling=spelling, headers=others + _HEADERS[spelling])


OPENAI: Final = Profile(
    name="OpenAI",
    spelling=Spelling.GA,
    model="gpt-realtime-2.1",
    voice="marin",
    # whisper-1 and gpt-4o-*transcribe end in February 2027; gpt-live-transcribe and gpt-realtime-whisper take no turn
    # detection.
    transcription_model="gpt-transcribe",
    cap_s=3600.0,
    ignore=HEARTBEATS,
    benign=CROSSED,
)

GENERIC_GA: Final = Profile(
    name="GA server",
    spelling=Spelling.GA,
    model="gpt-realtime-2.1",
    voice=None,
    transcription_model="whisper-1",
    ignore=EXTRAS,
    benign=CROSSED,
)

GENERIC_BETA: Final = Profile(
    name="beta server",
    spelling=Spelling.BETA,
    model="gpt-4o-realtime-preview",
    voice="alloy",
    transcription_model="whisper-1",
    headers=_HEADERS[Spelling.BETA],
    ignore=EXTRAS,
    closed=True,
    benign=CROSSED,
)

EMBEDDED_GA: Final = Profile(
    name="offline practice",
    spelling=Spelling.GA,
    model="practice",
    voice=None,
    transcription_model="whisper-1",
    names=frozenset(),
    closed=True,
    benign=CROSSED,
)

EMBEDDED_BETA: Final = _spelled(EMBEDDED_GA, Spelling.BETA)

AZURE_OPENAI: Final = Profile(
    name="Azure OpenAI",
    spelling=Spelling.GA,
    model="gpt-realtime",
    voice="marin",
    transcription_model="whisper-1",
    key_header=("api-key", ""),
    ignore=HEARTBEATS,
    benign=CROSSED,
)
"""`/openai/v1/`: the model is the name of a deployment."""

AZURE_OPENAI_DATED: Final = Profile(
    name="Azure OpenAI",
    spelling=Spelling.BETA,
    model="gpt-4o-realtime-preview",
    model_query="deployment",
    query=(("api-version", "2024-10-01-preview"),),
    voice="alloy",
    transcription_model="whisper-1",
    headers=_HEADERS[Spelling.BETA],
    key_header=("api-key", ""),
    cap_s=1800.0,
    ignore=HEARTBEATS,
    closed=True,
    benign=CROSSED,
)
"""`/openai/realtime?api-version=`: given up by Azure, but still there."""

VOICE_LIVE: Final = Profile(
    name="Azure Voice Live",
    spelling=Spelling.BETA,
    model="gpt-realtime",
    query=(("api-version", "2026-07-15"),),
    voice="alloy",
    transcription_model="whisper-1",
    headers=_HEADERS[Spelling.BETA],
    key_header=("api-key", ""),
    ignore=HEARTBEATS
    | {
        "response.audio_timestamp.*",
        "response.animation_*",
        "response.viseme.*",
        "input_audio.turn.*",
        "session.avatar.*",
        "warning",
    },
    benign=CROSSED,
)

QWEN: Final = Profile(
    name="Qwen-Omni",
    spelling=Spelling.BETA,
    model="qwen3.5-omni-plus-realtime",
    voice=None,
    transcription_model="gummy-realtime-v1",
    headers=_HEADERS[Spelling.BETA],
    input=Format("pcm", 16_000, 2),
    output=Format("pcm", RATE, 2),
    names=frozenset({"pcm", "pcm16", "pcm24"}),
    can=frozenset({"cancel", "transcribe", "audio"}),
    unheard="leave",
    cap_s=7200.0,
    ignore=HEARTBEATS | {"session.finished"},
    benign=CROSSED,
)
"""Its client events have no truncate and no delete, and no item of text either.

Sound goes in at 16 kHz and comes out at 24; both are called pcm, in 2025 still pcm16 and pcm24.
"""

GLM: Final = Profile(
    name="GLM-Realtime",
    spelling=Spelling.BETA,
    model="glm-realtime",
    voice=None,
    transcription_model=None,
    headers=_HEADERS[Spelling.BETA],
    can=frozenset({"cancel", "text"}),
    unheard="leave",
    ignore=HEARTBEATS,
    benign=CROSSED,
)
"""It wants every piece of sound as a WAV file of its own, which is not spoken here."""

STEPFUN: Final = Profile(
    name="StepFun",
    spelling=Spelling.BETA,
    model="step-audio-2",
    voice=None,
    transcription_model=None,
    headers=_HEADERS[Spelling.BETA],
    ignore=HEARTBEATS | {"response.cancelled"},
    benign=CROSSED,
)

Dialect = Literal["auto", "beta", "ga"]


class Choice(NamedTuple):
    """What is spoken first, and what a server that turns out to speak otherwise is spoken to."""

    profile: Profile
    other: Profile | None
    """None: the person has said which dialect it is, so there is nothing to find out."""


class _Provider(NamedTuple):
    """Where a provider is found, and how its two spellings are; `first` is what it is known to speak."""

    host: str
    """`*.example` is whatever ends so."""
    path: str
    """The path begins so."""
    first: Profile
    other: Profile


def _two(host: str, path: str, first: Profile, spelling: Spelling) -> _Provider:
    """A provider of which one spelling is known; nobody knows what words the other one would have."""
    return _Provider(host, path, first, replace(_spelled(first, spelling), closed=False))


_AZURE: Final = ("*.openai.azure.com", "*.services.ai.azure.com", "*.cognitiveservices.azure.com")
_DASHSCOPE: Final = ("dashscope.aliyuncs.com", "dashscope-intl.aliyuncs.com", "*.maas.aliyuncs.com")

_PROVIDERS: Final = (
    _Provider("api.openai.com", "", OPENAI, GENERIC_BETA),
    *(_two(host, "/openai/v1/", AZURE_OPENAI, Spelling.BETA) for host in _AZURE),
    *(_two(host, "/openai/realtime", AZURE_OPENAI_DATED, Spelling.GA) for host in _AZURE),
    *(_two(host, "/voice-live/", VOICE_LIVE, Spelling.GA) for host in _AZURE),
    *(_two(host, "", QWEN, Spelling.GA) for host in _DASHSCOPE),
    _two("open.bigmodel.cn", "", GLM, Spelling.GA),
    _two("api.stepfun.com", "", STEPFUN, Spelling.GA),
    _Provider("*", "", GENERIC_GA, GENERIC_BETA),
)
_EMBEDDED: Final = _Provider("", "", EMBEDDED_GA, EMBEDDED_BETA)


def choose(url: str, dialect: Dialect, offline: bool) -> Choice:
    """The provider behind a URL, as the user wants it spelled. A URL nobody can read is a server nobody knows."""
    provider = _EMBEDDED if offline else _behind(url)
    profiles = {each.spelling.value: each for each in (provider.first, provider.other)}
    choices = {name: Choice(each, None) for name, each in profiles.items()}
    # Our own server answers in whatever it is spoken to.
    choices["auto"] = Choice(provider.first, None if offline else provider.other)
    return choices[dialect]


def _behind(url: str) -> _Provider:
    try:
        parts = urlsplit(url)
        host, path = (parts.hostname or "").rstrip("."), parts.path
    except ValueError:
        host, path = "", ""
    return next(each for each in _PROVIDERS if _is(host, each.host) and path.startswith(each.path))


def _is(host: str, pattern: str) -> bool:
    return host.endswith(pattern[1:]) if pattern.startswith("*") else host == pattern


def ignored(profile: Profile, kind: str) -> bool:
    """Whether an event of this type, which we do not know, needs no notice."""
    return kind in profile.ignore or any(
        pattern.endswith("*") and kind.startswith(pattern[:-1]) for pattern in profile.ignore
    )
