"""Every error of the catalogue is told in words of its own, whichever half of it a server leaves out."""

from collections import Counter

import pytest
from core_talk import TALK
from msgspec.structs import replace

from voicecli.core.catalogue import LIMITED, ROWS, benign, meant, mistaken
from voicecli.core.notices import WORDS, error
from voicecli.core.pending import Kind, Purpose
from voicecli.protocol.items import ErrorInfo
from voicecli.protocol.profiles import GENERIC_BETA, GENERIC_GA

CATALOGUE = [
    # what happened, code, param, message, notice
    ("beta header", "beta_api_shape_disabled", None, "The Realtime Beta API is no longer supported. Please use",
     "beta_api_shape_disabled"),
    ("unknown event", "invalid_value", "type", "Invalid value: 'x'. Supported values are: 'session.update', 'input",
     "event_unknown"),
    ("unknown session field", "unknown_parameter", "session.x", "Unknown parameter: 'session.x'.", "setting_unknown"),
    ("too long", "string_above_max_length", "session.tools[3].description",
     "Invalid 'session.tools[3].description': string too long. Expected", "too_long"),
    ("cancel without answer", "response_cancel_not_active", None, "Cancellation failed: no active response found",
     "nothing_to_cancel"),
    ("create while active", "conversation_already_has_active_response", None,
     "Conversation already has an active response in progress: resp_X. Wait", "answering_still"),
    ("short commit", "input_audio_buffer_commit_empty", None,
     "Error committing input audio buffer: buffer too small. Expected at least 100ms", "nothing_recorded"),
    ("voice", "cannot_update_voice", "session.voice",
     "Cannot update a conversation's voice if assistant audio is present.", "voice_fixed"),
    ("truncate too long", None, None, "Audio content of 9250ms is already shorter than 57340ms", "cut_too_long"),
    ("truncate of text", "unsupported_content_type", None, "Only model output audio messages can be truncated",
     "cut_nothing"),
    ("retrieve", "item_retrieve_invalid_item_id", "item_id", "Error retrieving item: the item does not exist",
     "item_unknown"),
    ("sound without text", "missing_required_parameter", "item.content[0].text",
     "Missing required parameter: 'item.content[0].text'.", "text_missing"),
    ("expired", "session_expired", None, "Your session hit the maximum duration of 30 minutes.", "session_expired"),
    ("modalities", None, "session.modalities",
     "Invalid modalities: ['audio']. Supported combinations are: ['text'] and ['audio', 'text'].",
     "modalities_refused"),
    ("key", "invalid_api_key", None, "Incorrect API key provided: sk-***", "invalid_api_key"),
    ("quota", "insufficient_quota", None, "You exceeded your current quota, please check", "insufficient_quota"),
    ("billing", "billing_hard_limit_reached", None, "Billing hard limit has been reached", "insufficient_quota"),
    ("account", "account_deactivated", None, "The account has been deactivated", "account_deactivated"),
    ("model", "model_not_found", None, "The model `x` does not exist or you do not have access to it.",
     "model_not_found"),
]  # fmt: skip
IDS = [row[0] for row in CATALOGUE]
SPOKEN_ELSEWHERE = {"retrieve"}
"""Servers word it as they like; only the code is known."""


@pytest.mark.parametrize(("what", "code", "param", "message", "notice"), CATALOGUE, ids=IDS)
def test_every_error_of_the_catalogue_has_its_notice(what, code, param, message, notice):
    info = ErrorInfo(message, "invalid_request_error", code, param)
    kinds = [kind for kind in Kind if kind is not Kind.RESPONSE or notice != "answering_still"]
    for purpose in (None, *(Purpose(kind, "") for kind in kinds)):
        told = error(info, purpose, TALK)
        assert (told.code, told.detail.raw) == (notice, message)
        assert told.title
        assert told.hint


def test_an_answer_that_is_given_up_because_of_another_one_is_told_as_refused():
    info = ErrorInfo("Conversation already has an active response")
    assert error(info, Purpose(Kind.RESPONSE, ""), TALK).code == "answer_refused"


@pytest.mark.parametrize(("what", "code", "param", "message", "notice"), CATALOGUE, ids=IDS)
def test_an_error_is_known_by_its_code_alone_by_its_type_or_by_its_words(what, code, param, message, notice):
    if code is not None:
        assert meant(ErrorInfo("", "", code, param)) == notice
        assert meant(ErrorInfo("", code, None, param)) == notice
    if what not in SPOKEN_ELSEWHERE:
        assert meant(ErrorInfo(message.upper())) == notice


def test_no_two_rows_tell_the_same_and_every_row_has_words_and_a_hint():
    assert max(Counter(row.told for row in ROWS).values()) == 1
    titles = [WORDS[row.told].title for row in (*ROWS, LIMITED)]
    assert len(set(titles)) == len(titles)
    assert all(WORDS[row.told].hint for row in (*ROWS, LIMITED))


def test_every_row_is_met_by_the_catalogue():
    assert {row[-1] for row in CATALOGUE} == {row.told for row in ROWS}


@pytest.mark.parametrize(
    "info",
    [
        ErrorInfo("x", "invalid_request_error", "invalid_value", "session.turn_detection.threshold"),
        ErrorInfo("x", "invalid_request_error", "missing_required_parameter", "response.x"),
        ErrorInfo("x", "invalid_request_error", "unknown_parameter", "response.x"),
        ErrorInfo("x", "invalid_request_error", "unknown_parameter"),
        ErrorInfo("", ""),
        ErrorInfo("Something else", "server_error", "server_error"),
        ErrorInfo("The audio exceeds the maximum duration of 15 s", "invalid_request_error"),
    ],
)
def test_a_general_code_of_another_field_is_not_taken_for_a_row(info):
    assert meant(info) is None


@pytest.mark.parametrize(
    ("info", "quiet"),
    [
        (ErrorInfo("Cancellation failed: no active response found", "invalid_request_error"), True),
        (ErrorInfo("", "invalid_request_error", "response_cancel_not_active"), True),
        (ErrorInfo("", "response_cancel_not_active"), True),
        (ErrorInfo("Conversation already has an active response in progress: r"), True),
        (ErrorInfo("Error committing input audio buffer: BUFFER TOO SMALL. Expected"), True),
        (ErrorInfo("Audio content of 9250ms is already shorter than 57340ms"), True),
        (ErrorInfo("Item to truncate not found"), False),
        (ErrorInfo(""), False),
        (ErrorInfo("Something else", "server_error", "server_error"), False),
    ],
)
def test_what_only_crossed_on_the_wire_is_quiet_by_code_or_by_words(info, quiet):
    assert benign(info, TALK.profile) is quiet


GA, BETA = GENERIC_GA, GENERIC_BETA


@pytest.mark.parametrize(
    ("profile", "info", "says"),
    [
        (BETA, ErrorInfo("x", "", "beta_api_shape_disabled"), True),
        (BETA, ErrorInfo("x", "invalid_request_error.beta_api_shape_disabled"), True),
        (BETA, ErrorInfo("The Realtime Beta API is no longer supported."), True),
        (BETA, ErrorInfo("Missing required parameter: 'session.type'."), True),
        (BETA, ErrorInfo("x", "", "missing_required_parameter", "session.type"), True),
        (BETA, ErrorInfo("Unknown parameter: 'session.modalities'."), True),
        (BETA, ErrorInfo("x", "", "unknown_parameter", "session.input_audio_format"), True),
        (BETA, ErrorInfo("Unknown parameter: 'session.speed'."), False),
        (BETA, ErrorInfo("Invalid modalities: 'session.modalities'"), False),
        (GA, ErrorInfo("Unknown parameter: 'session.type'."), True),
        (GA, ErrorInfo("x", "", "unknown_parameter", "session.audio"), True),
        (GA, ErrorInfo("Unknown parameter: 'session.typewriter'."), False),
        (GA, ErrorInfo("x", "", "unknown_parameter", "session.speed"), False),
        (GA, ErrorInfo("x", "", "invalid_value", "session.type"), False),
        (GA, ErrorInfo("x", "", "beta_api_shape_disabled"), False),
        (GA, ErrorInfo(""), False),
    ],
)
def test_an_error_tells_that_the_dialect_is_the_wrong_one(profile, info, says):
    assert mistaken(info, profile) is says


def test_a_dialect_that_was_set_and_is_the_wrong_one_says_what_to_set():
    plan = replace(TALK, profile=GA)
    told = error(ErrorInfo("Unknown parameter: 'session.type'."), Purpose(Kind.UPDATE, ""), plan)
    assert (told.code, told.hint) == ("wrong_dialect", "Set --dialect beta.")
    told = error(ErrorInfo("Missing required parameter: 'session.type'."), None, replace(TALK, profile=BETA))
    assert told.hint == "Set --dialect ga."
