"""Which fields an update or a `response.create` may have in each spelling, and how errors name them there.

It reads frames only as far as the names go; what the values must be is for `protocol/rules.py`. A field that is not
known costs the whole update (4.7), so that no client believes to have set what was dropped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from voicecli.protocol.dialects import Spelling
from voicecli.protocol.items import ErrorInfo
from voicecli.protocol.mending import heal
from voicecli.server.refusals import invalid, invalid_value

Fields = Mapping[str, "Fields | None"]
"""Names that an object may have; None: whatever is in it is its own affair."""


def _fields(names: str, **nested: Fields) -> Fields:
    return {**dict.fromkeys(names.split()), **nested}


_DETECTION: Final = "type threshold prefix_padding_ms silence_duration_ms create_response interrupt_response eagerness"
_FUNCTION: Final = _fields("type name description parameters")

_BETA_SHARED: Final = (
    "modalities instructions voice output_audio_format tools tool_choice temperature max_response_output_tokens"
)
_GA_SHARED: Final = (
    "output_modalities instructions tools tool_choice max_output_tokens parallel_tool_calls prompt reasoning"
)
_BESIDE: Final = "conversation metadata input"
_ANSWERED: Final = "id object expires_at model"
"""What a session has when it is sent back as it came; it changes nothing."""


class _Names(NamedTuple):
    """What one spelling calls things."""

    known: Mapping[str, Fields]
    """Of `session` and of `response`."""
    paths: Mapping[str, str]
    """The inside name of a field -> where this spelling has it, where that differs."""
    types: tuple[str, ...]
    """What `session.type` may be; empty: there is no such field."""
    modalities: tuple[list[str], ...]
    """What `output_modalities` may be."""


_ROOTS: Final = {"session.update": "session", "response.create": "response"}

_NAMES: Final[dict[Spelling, _Names]] = {
    Spelling.BETA: _Names(
        known={
            "session": _fields(
                f"{_ANSWERED} {_BETA_SHARED} input_audio_format speed tracing client_secret",
                input_audio_transcription=_fields("model language prompt"),
                turn_detection=_fields(_DETECTION),
                input_audio_noise_reduction=_fields("type"),
            ),
            "response": _fields(f"{_BETA_SHARED} {_BESIDE}"),
        },
        paths={},
        types=(),
        modalities=(),
    ),
    Spelling.GA: _Names(
        known={
            "session": _fields(
                f"{_ANSWERED} {_GA_SHARED} type include tracing truncation",
                audio=_fields(
                    "",
                    input=_fields(
                        "",
                        format=_fields("type rate"),
                        transcription=_fields("model language prompt delay keywords languages"),
                        noise_reduction=_fields("type strength"),
                        turn_detection=_fields(f"{_DETECTION} idle_timeout_ms"),
                    ),
                    output=_fields("voice speed", format=_fields("type rate")),
                ),
            ),
            "response": _fields(
                f"{_GA_SHARED} {_BESIDE}",
                audio=_fields("", output=_fields("voice", format=_fields("type rate"))),
            ),
        },
        paths={
            "modalities": "output_modalities",
            "voice": "audio.output.voice",
            "speed": "audio.output.speed",
            "output_audio_format": "audio.output.format",
            "input_audio_format": "audio.input.format",
            "input_audio_transcription": "audio.input.transcription",
            "input_audio_noise_reduction": "audio.input.noise_reduction",
            "turn_detection": "audio.input.turn_detection",
            "max_response_output_tokens": "max_output_tokens",
        },
        types=("realtime",),
        modalities=(["text"], ["audio"]),
    ),
}
"""The beta is the late one; `idle_timeout_ms` and `strength` came with GA."""


class _Framed(Struct, frozen=True):
    session: msgspec.Raw = msgspec.Raw()
    response: msgspec.Raw = msgspec.Raw()


_REFUSED: Final = (msgspec.MsgspecError, RecursionError, UnicodeError)
_HEALED: Final = 1 << 20
"""Longer frames are not put right."""
_decode_frame: Final = msgspec.json.Decoder(_Framed).decode
_decode_object: Final = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_list: Final = msgspec.json.Decoder(list[msgspec.Raw]).decode


def wrong_fields(kind: str, raw: str | bytes, spelling: Spelling) -> ErrorInfo | None:
    """The first field of this frame that the spelling does not have, or that it misses; None: all is well."""
    root = _ROOTS.get(kind)
    if root is None:
        return None
    payload = _object(getattr(_frame(raw), root))
    if payload is None:
        return None  # the decoder says it better
    names = _NAMES[spelling]
    for path in _strangers(payload, names.known[root], root):
        return invalid("unknown_parameter", f"Unknown parameter: '{path}'.", path)
    if root == "session" and names.types and (wrong := _wrong_type(payload, names.types)):
        return wrong
    said = _plain(payload.get("output_modalities"))
    if isinstance(said, list) and said not in names.modalities:
        words = f"Invalid modalities: {str(said)[:80]}. Supported combinations are: {_listed(names.modalities)}."
        return invalid("invalid_value", words, f"{root}.output_modalities")
    return None


def names_type(raw: str | bytes) -> bool:
    """Whether this update has a `session.type`."""
    return "type" in (_object(_frame(raw).session) or {})


def spelled(wrong: ErrorInfo, spelling: Spelling) -> ErrorInfo:
    """The same error, with the field named as the spelling has it."""
    root, _, path = (wrong.param or "").partition(".")
    name, dot, rest = path.partition(".")
    place = _NAMES[spelling].paths.get(name)
    if place is None or root not in _ROOTS.values():
        return wrong
    param = f"{root}.{place}{dot}{rest}"
    return replace(wrong, param=param, message=wrong.message.replace(f"'{wrong.param}'", f"'{param}'"))


def _wrong_type(payload: dict[str, msgspec.Raw], types: tuple[str, ...]) -> ErrorInfo | None:
    kind, path = _plain(payload.get("type")), "session.type"
    if kind is None:
        return invalid("missing_required_parameter", f"Missing required parameter: '{path}'.", path)
    if kind not in types:
        return invalid_value(path, kind, f"Supported values are: {_listed(types)}.")
    return None


def _listed(values: tuple[object, ...]) -> str:
    return " and ".join(map(repr, values))


def _strangers(given: dict[str, msgspec.Raw], known: Fields, path: str) -> Iterator[str]:
    """Paths of what is not known, first to last."""
    for name, value in given.items():
        inner = known.get(name)
        if name not in known:
            yield f"{path}.{name[:80]}"
        elif name == "tools":
            yield from _strange_tools(value, f"{path}.tools")
        elif inner is not None:
            yield from _strangers(_object(value) or {}, inner, f"{path}.{name}")


def _strange_tools(raw: msgspec.Raw, path: str) -> Iterator[str]:
    try:
        tools = _decode_list(raw)
    except _REFUSED:
        return
    for n, tool in enumerate(tools):
        given = _object(tool) or {}
        if _plain(given.get("type")) in (None, "function"):
            yield from _strangers(given, _FUNCTION, f"{path}[{n}]")


def _frame(raw: str | bytes) -> _Framed:
    try:
        return _decode_frame(raw)
    except _REFUSED:
        if len(raw) > _HEALED:
            return _Framed()
    try:
        return _decode_frame(heal(raw.encode("utf-8", "replace") if isinstance(raw, str) else bytes(raw)))
    except _REFUSED:
        return _Framed()


def _object(raw: msgspec.Raw) -> dict[str, msgspec.Raw] | None:
    try:
        return _decode_object(raw)
    except _REFUSED:
        return None


def _plain(raw: msgspec.Raw | None) -> Any:
    try:
        return None if raw is None else msgspec.json.decode(raw)
    except _REFUSED:
        return None
