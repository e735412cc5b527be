"""Which errors of servers mean what: the codes and the words they come with, and the notice each of them is.

Nothing is matched by its code alone: servers put it elsewhere, call it otherwise, or leave it out.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from voicecli.protocol.items import ErrorInfo
from voicecli.protocol.profiles import MISTAKEN, NAMING, Profile


class Row(NamedTuple):
    """One cause, and what tells it: a code (of a certain field, where `params` are given), or a part of the message."""

    told: str
    """The notice, in `notices.WORDS`."""
    codes: tuple[str, ...] = ()
    words: tuple[str | tuple[str, ...], ...] = ()
    """In small letters; of several together, all."""
    params: tuple[str, ...] = ()
    """How the name of the field begins; for codes that mean little by themselves."""


ROWS: Final = (
    # ---- after these the server closes
    Row(
        "beta_api_shape_disabled",
        ("beta_api_shape_disabled", "invalid_request_error.beta_api_shape_disabled"),
        ("realtime beta api is no longer supported",),
    ),
    Row("invalid_api_key", ("invalid_api_key",), ("incorrect api key", "invalid api key")),
    Row(
        "insufficient_quota",
        ("insufficient_quota", "billing_hard_limit_reached"),
        ("exceeded your current quota", "billing hard limit"),
    ),
    Row("account_deactivated", ("account_deactivated",), ("account has been deactivated", "account deactivated")),
    Row("session_expired", ("session_expired",), (("session", "maximum duration"), "session_expired")),
    # ---- settings
    Row(
        "model_not_found",
        ("model_not_found", "DeploymentNotFound"),
        ("does not exist or you do not have access", "api deployment for this resource does not exist"),
    ),
    Row("voice_fixed", ("cannot_update_voice",), ("assistant audio is present",)),
    Row("modalities_refused", (), ("invalid modalities", "supported combinations are")),
    Row("setting_unknown", ("unknown_parameter",), ("unknown parameter: 'session.",), ("session.",)),
    Row("too_long", ("string_above_max_length",), ("string too long",)),
    # ---- answers
    Row("nothing_to_cancel", ("response_cancel_not_active",), ("no active response",)),
    Row(
        "answering_still",
        ("conversation_already_has_active_response",),
        ("already has an active response", "active response in progress"),
    ),
    # ---- what was said, and what was heard
    Row("nothing_recorded", ("input_audio_buffer_commit_empty",), ("buffer too small", "buffer is empty")),
    Row("cut_too_long", (), ("already shorter",)),
    Row("cut_nothing", ("unsupported_content_type",), ("only model output audio messages can be truncated",)),
    Row(
        "item_unknown",
        ("item_retrieve_invalid_item_id", "item_truncate_invalid_item_id", "item_delete_invalid_item_id"),
        ("item to truncate not found",),
    ),
    Row("text_missing", ("missing_required_parameter",), ("item.content[0].text",), ("item.content",)),
    Row("event_unknown", ("invalid_value",), ("supported values are: 'session.update'",), ("type",)),
)
"""The first that fits is it."""

LIMITED: Final = Row("rate_limit", ("rate_limit_exceeded", "inference_rate_limit_exceeded"), ("rate limit",))
"""Of an answer that was not given, or of anything else that is sent."""

ELSEWHERE: Final = frozenset(
    {
        *("voice_fixed", "modalities_refused", "setting_unknown", "too_long", "event_unknown"),
        *("nothing_to_cancel", "nothing_recorded", "cut_too_long", "cut_nothing", "item_unknown", "text_missing"),
    }
)
"""Notices of what is about settings, items, cuts or what was heard, and so never about an answer that is asked for."""


def fits(row: Row, info: ErrorInfo) -> bool:
    coded = info.code in row.codes or info.type in row.codes
    if coded and (not row.params or (info.param or "").startswith(row.params)):
        return True
    message = info.message.lower()
    return any(all(word in message for word in ((words,) if isinstance(words, str) else words)) for words in row.words)


def meant(info: ErrorInfo) -> str | None:
    """The notice that an error is by what it says; None where only what it answers can tell."""
    return next((row.told for row in ROWS if fits(row, info)), None)


def about_else(info: ErrorInfo, profile: Profile) -> bool:
    """Whether an error says that it is about something else than an answer that was asked for."""
    elsewhere = (info.param or "").startswith(("session", "item", "audio"))
    return elsewhere or meant(info) in ELSEWHERE or benign(info, profile)


def benign(error: ErrorInfo, profile: Profile) -> bool:
    """Whether two messages only crossed on the wire. By code or by message, since servers differ in where it stands."""
    message = error.message.lower()
    return any(
        (code and code in (error.code, error.type)) or (words and words.lower() in message)
        for code, words in profile.benign
    )


def mistaken(info: ErrorInfo, profile: Profile) -> bool:
    """Whether the error says that the server does not know the spelling."""
    signs, message = MISTAKEN[profile.spelling], info.message.lower()
    if info.code in signs.codes or info.type in signs.codes or any(words in message for words in signs.words):
        return True
    naming = info.code in NAMING or any(words in message for words in NAMING.values())
    return naming and (info.param in signs.fields or any(f"'{field}'" in message for field in signs.fields))
