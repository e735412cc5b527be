"""Words for what goes wrong: every cause has its own title, every failure a remedy, and nothing is left to fill in."""

from collections import Counter
from string import Formatter

import pytest
from core_talk import TALK
from msgspec.structs import replace

from voicecli.core import notices
from voicecli.core.notices import ANSWERED, FATAL, WORDS, cannot, error, link_ended, outcome, sound_failed, told
from voicecli.core.pending import Kind, Purpose
from voicecli.core.stimuli import LinkEnded
from voicecli.ports import LinkFailure, Side, SoundFailed, SoundFailure
from voicecli.protocol.items import ErrorInfo, StatusDetails, StatusError
from voicecli.protocol.profiles import GLM, QWEN

KEY = "OPENAI_API_KEY in the environment"
CODES = [1000, 1001, 1002, 1003, 1005, *range(1007, 1016), 4000]
"""1004 is reserved; 1006 is never sent: it is a link that dropped."""


def lost(failure: LinkFailure, code: int | None = None, reason: str = "their words") -> notices.Told:
    return link_ended(LinkEnded(failure, code, reason, "far.example"), KEY, "far.example")


LINKS = {failure.name: lost(failure) for failure in LinkFailure if failure is not LinkFailure.CLOSED}
CLOSES = {str(code): lost(LinkFailure.CLOSED, code) for code in CODES}
SOUNDS = {
    f"{side.name} {failure.name}": sound_failed(SoundFailed(side, failure, "USB", "their words"))
    for side in Side
    for failure in SoundFailure
}
ERRORS = {code: error(ErrorInfo("their words", "invalid_request_error", code), None, TALK) for code in sorted(FATAL)}
ANSWERS = {
    "rate_limit": outcome("failed", StatusDetails(error=StatusError(code="inference_rate_limit_exceeded")), KEY),
    "failed": outcome("failed", None, KEY),
    "filter": outcome("incomplete", StatusDetails(reason="content_filter"), KEY),
    "tokens": outcome("incomplete", StatusDetails(reason="max_output_tokens"), KEY),
    "quota": outcome("failed", StatusDetails(error=StatusError(code="insufficient_quota")), KEY),
    "stopped": outcome("cancelled", None, KEY, wanted=False),
}
REFUSED = {kind.name: error(ErrorInfo("their words"), Purpose(kind, ""), TALK) for kind in Kind}
ALL = {**LINKS, **CLOSES, **SOUNDS, **ERRORS, **ANSWERS, **REFUSED}

SAME_CAUSE = {
    frozenset({"unauthorized", "invalid_api_key"}),
}
"""Codes that may share a title, because they are one cause that comes in two ways."""


@pytest.mark.parametrize("name", ALL)
def test_every_failure_has_a_title_and_a_remedy_without_anything_left_to_fill_in(name):
    notice = ALL[name]
    assert notice.title
    assert notice.hint
    assert notice.severity in ("warning", "error")
    assert "{" not in notice.title + notice.hint
    assert "  " not in notice.title + notice.hint
    assert notice.hint == notice.hint.strip()


def test_no_two_causes_share_a_title():
    titles: dict[str, set[str]] = {}
    for code, words in WORDS.items():
        titles.setdefault(words.title, set()).add(code)
    shared = {frozenset(codes) for codes in titles.values() if len(codes) > 1}
    assert shared <= SAME_CAUSE


def test_every_link_failure_has_its_own_notice():
    assert max(Counter(notice.code for notice in LINKS.values()).values()) == 1


def test_every_close_code_has_its_own_notice():
    assert [CLOSES[str(code)].code for code in CODES] == [f"closed_{code}" for code in CODES]
    assert len({notice.title for notice in CLOSES.values()}) == len(CODES)


@pytest.mark.parametrize("code", [3999, 4321, 1006, None])
def test_a_close_code_of_nobody_is_told_by_its_number(code):
    assert lost(LinkFailure.CLOSED, code).code == "closed"
    assert str(code) in lost(LinkFailure.CLOSED, code).title


@pytest.mark.parametrize("code", [1000, 1001, 1008])
@pytest.mark.parametrize(
    "reason", ["Your session hit the maximum duration of 60 minutes.", "invalid_request_error.session_expired"]
)
def test_a_session_that_is_at_its_end_is_told_as_that_whatever_it_is_closed_with(code, reason):
    assert lost(LinkFailure.CLOSED, code, reason).code == "session_expired"


@pytest.mark.parametrize("side", Side)
def test_every_sound_failure_has_its_own_notice(side):
    found = [SOUNDS[f"{side.name} {failure.name}"] for failure in SoundFailure]
    assert len({notice.title for notice in found}) == len(SoundFailure)


def test_a_missing_microphone_and_a_missing_speaker_are_two_things():
    assert SOUNDS["MICROPHONE NO_DEVICE"].code == "no_microphone"
    assert SOUNDS["SPEAKER NO_DEVICE"].code == "no_speaker"


@pytest.mark.parametrize(("side", "device", "file"), [("MICROPHONE", "--input-device", "--audio-in"),
                                                     ("SPEAKER", "--output-device", "--audio-out")])  # fmt: skip
def test_a_remedy_names_the_option_of_its_side(side, device, file):
    assert device in SOUNDS[f"{side} IN_USE"].hint
    assert file in SOUNDS[f"{side} BAD_FILE"].hint


def test_a_device_without_a_name_leaves_no_empty_quotes():
    assert '""' not in sound_failed(SoundFailed(Side.SPEAKER, SoundFailure.LOST, "", "")).title


@pytest.mark.parametrize("code", WORDS)
def test_every_notice_can_be_filled(code):
    words = WORDS[code]
    fields = {name for text in (words.title, words.hint) for _, name, _, _ in Formatter().parse(text) if name}
    notice = told(code, **dict.fromkeys(fields - {"wait"}, "x"))
    assert notice.code == code
    assert "{" not in notice.title + notice.hint


@pytest.mark.parametrize("code", [code for code, words in WORDS.items() if words.severity != "info"])
def test_every_warning_and_error_says_what_to_do(code):
    assert WORDS[code].hint


@pytest.mark.parametrize("code", WORDS)
def test_notices_are_sentences_without_codes_or_names_of_the_wire(code):
    words = WORDS[code]
    assert words.title.endswith((".", ":", "?"))
    assert words.hint == "" or words.hint.endswith((".", "?", "!", "{key}", "{full}"))
    assert code not in words.title or code.isalpha()
    assert "_" not in words.title


@pytest.mark.parametrize("code", sorted(FATAL))
def test_every_code_that_is_looked_up_has_words(code):
    assert code in WORDS


def test_foreign_names_with_braces_are_only_text():
    ended = LinkEnded(LinkFailure.DNS, None, "{}", "{host}{0}")
    assert "{host}{0}" in link_ended(ended, "", "").title
    assert "{x}" in sound_failed(SoundFailed(Side.SPEAKER, SoundFailure.IN_USE, "{x}", "{y}")).title


def test_their_words_are_a_detail_and_bounded():
    assert lost(LinkFailure.DNS).detail.raw == "their words"
    assert len(lost(LinkFailure.DNS, None, "x" * 100_000).detail.raw) == 2000


def test_a_refused_key_says_where_it_came_from_wherever_it_is_refused():
    refused = [
        lost(LinkFailure.UNAUTHORIZED),
        lost(LinkFailure.FORBIDDEN),
        lost(LinkFailure.CLOSED, 1008),
        ERRORS["invalid_api_key"],
        outcome("failed", StatusDetails(error=StatusError(code="invalid_api_key")), KEY),
    ]
    assert all(f"It came from {KEY}." in notice.hint for notice in refused)


def test_without_a_key_the_notice_says_that_none_was_sent():
    assert "No key was sent." in link_ended(LinkEnded(LinkFailure.UNAUTHORIZED, 401, ""), "", "h").hint


def test_a_code_may_stand_in_the_type():
    """Other servers put the code there and leave `code` null."""
    assert error(ErrorInfo("x", "invalid_api_key"), None, TALK).code == "invalid_api_key"


def test_billing_is_the_same_cause_as_quota():
    assert error(ErrorInfo("x", "", "billing_hard_limit_reached"), None, TALK).code == "insufficient_quota"


def test_the_voice_that_cannot_change_is_said_whatever_it_was_sent_for():
    info = ErrorInfo("x", "invalid_request_error", "cannot_update_voice")
    assert error(info, Purpose(Kind.UPDATE, ""), TALK).code == "voice_fixed"


@pytest.mark.parametrize("status", [None, "completed", "cancelled", "in_progress"])
def test_an_outcome_that_is_none_of_a_failure_has_no_notice(status):
    assert outcome(status, None, KEY) is None


def test_a_turn_that_came_between_is_no_failure():
    for status in ("incomplete", "cancelled"):
        assert outcome(status, StatusDetails(reason="turn_detected"), KEY, wanted=False) is None


def test_a_status_that_nobody_knows_is_a_failure_and_is_named():
    told = outcome("expired", None, KEY)
    assert (told.code, told.detail.raw) == ("answer_failed", "expired")


@pytest.mark.parametrize(
    ("details", "code"),
    [
        (StatusDetails(error=StatusError(type="insufficient_quota")), "insufficient_quota"),
        (StatusDetails(error=StatusError(message="You exceeded your current quota")), "insufficient_quota"),
        (StatusDetails(error=StatusError(code="billing_hard_limit_reached")), "insufficient_quota"),
        (StatusDetails(error=StatusError(message="Rate limit reached for gpt-x")), "rate_limit"),
        (StatusDetails(error=StatusError(code="server_error", message="oops")), "answer_failed"),
        (StatusDetails(reason="You exceeded your current quota"), "insufficient_quota"),
        (StatusDetails(reason="odd", error=StatusError()), "answer_failed"),
        (None, "answer_failed"),
    ],
)
def test_a_failed_answer_says_why_by_code_or_by_words(details, code):
    told = outcome("failed", details, KEY)
    assert told.code == code
    if details and (said := details.reason or details.error.message):
        assert told.detail.raw == said


def test_an_answer_that_was_cut_at_a_limit_says_at_which():
    cut = StatusDetails(reason="max_output_tokens")
    assert outcome("incomplete", cut, KEY, most=400).title == "The answer was cut at your limit of 400 tokens."
    for most in ("inf", None):
        assert outcome("incomplete", cut, KEY, most=most).title == "The answer was cut at the limit of tokens."


def test_an_answer_that_was_not_given_for_a_limit_says_how_long_to_wait():
    limited = StatusDetails(error=StatusError(code="rate_limit_exceeded"))
    assert outcome("failed", limited, KEY).hint == "Wait a little, then ask again."
    assert outcome("failed", limited, KEY, wait_s=11.2).hint == "Wait 12 seconds, then ask again."


def test_an_incomplete_answer_says_why():
    told = outcome("incomplete", StatusDetails(reason="out_of_breath"), KEY)
    assert (told.code, told.detail.raw) == ("answer_failed", "out_of_breath")


def test_what_a_provider_cannot_do_is_said_where_it_is_missed():
    assert cannot(TALK) is None
    glm = cannot(replace(TALK, profile=GLM))
    assert glm.title.startswith("GLM-Realtime cannot hear you, ")
    assert "cannot be told how much of an answer you heard." in glm.title
    qwen = replace(TALK, profile=QWEN)
    assert cannot(qwen).title == (
        "Qwen-Omni cannot read what you type and cannot be told how much of an answer you heard."
    )
    assert cannot(replace(qwen, keyboard="none")).title == "Qwen-Omni cannot be told how much of an answer you heard."
    assert cannot(replace(qwen, mode="chat", speaker=False, keyboard="none")).title == (
        "Qwen-Omni cannot read what you type."
    )
    assert cannot(replace(TALK, profile=GLM, mode="chat", speaker=False)) is None


# ---- refused at the door


def refused_at_the_door(code="", message="", failure=LinkFailure.RATE_LIMITED, status=429, wait_s=None):
    return link_ended(LinkEnded(failure, status, message, "far.example", code, wait_s), KEY, "far.example")


@pytest.mark.parametrize(
    ("code", "message", "notice"),
    [
        ("insufficient_quota", "", "insufficient_quota"),
        ("", "You exceeded your current quota, please check your plan", "insufficient_quota"),
        ("account_deactivated", "", "account_deactivated"),
        ("rate_limit_exceeded", "Rate limit reached", "rate_limited"),
        ("session_expired", "", "rate_limited"),
        ("unknown_parameter", "session.x", "rate_limited"),
    ],
)
def test_a_refusal_at_the_door_is_told_by_what_the_server_says(code, message, notice):
    assert refused_at_the_door(code, message).code == notice


def test_a_model_that_is_not_there_is_told_as_such_at_the_door():
    for code, message in [
        ("model_not_found", ""),
        ("", "The model `x` does not exist or you do not have access to it."),
        ("DeploymentNotFound", "The API deployment for this resource does not exist."),
    ]:
        assert refused_at_the_door(code, message, LinkFailure.REFUSED_HTTP, 404).code == "model_not_found"
    refused = refused_at_the_door("x", "odd", LinkFailure.REFUSED_HTTP, 400)
    assert (refused.code, refused.title) == ("refused_http", "far.example refused the connection (HTTP 400).")


@pytest.mark.parametrize(
    ("wait_s", "words"),
    [(None, "Wait a little,"), (1, "Wait 1 second,"), (16.2, "Wait 17 seconds,"), (600, "Wait 10 minutes,")],
)
def test_how_long_to_wait_before_the_next_connection_is_told(wait_s, words):
    assert refused_at_the_door(wait_s=wait_s).hint.startswith(words)


def test_a_notice_that_says_how_long_to_wait_has_the_seconds_and_the_words_that_say_them():
    limited = StatusDetails(error=StatusError(code="rate_limit_exceeded"))
    for notice in (refused_at_the_door(wait_s=16.2), outcome("failed", limited, KEY, wait_s=16.2)):
        assert notice is not None
        assert (notice.wait_s, notice.wait) == (16.2, "17 seconds")
        assert notice.hint.startswith(f"Wait {notice.wait},")
    nobody_says = refused_at_the_door(wait_s=None)
    assert (nobody_says.wait_s, nobody_says.wait) == (None, "")
    without_words = refused_at_the_door("insufficient_quota", wait_s=16.2)
    assert (without_words.wait_s, without_words.wait) == (None, ""), "its words have no place for it"


def test_a_notice_about_a_device_says_which_side_it_is_about():
    sides = {Side.MICROPHONE: "input", Side.SPEAKER: "output"}
    for side in Side:
        for failure in SoundFailure:
            told_side = sound_failed(SoundFailed(side, failure, "USB", "")).side
            assert told_side == (None if failure is SoundFailure.NO_LIBRARY else sides[side])
    assert told("muted_after_sleep", seconds=60).side == "input"
    assert told("no_sound_device", typing="").side is None


def test_what_is_said_at_the_door_never_hides_why_the_link_itself_failed():
    for failure in set(LinkFailure) - {LinkFailure.CLOSED} - ANSWERED:
        assert refused_at_the_door("insufficient_quota", "", failure).code == failure.value


# ---- whose words they are


@pytest.mark.parametrize(
    ("ended", "ours"),
    [
        (LinkEnded(LinkFailure.CLOSED, 1002, "invalid opcode", ours=True), True),
        (LinkEnded(LinkFailure.CLOSED, 1002, "you broke it"), False),
        (LinkEnded(LinkFailure.NOT_REALTIME, None, "not a websocket server", ours=True), True),
        (LinkEnded(LinkFailure.NOT_REALTIME, 404, "Not Found"), False),
        (LinkEnded(LinkFailure.PROXY, 407, "log in first"), True),
    ],
)
def test_the_reason_of_an_end_is_the_servers_word_only_where_it_said_it(ended, ours):
    assert link_ended(ended, KEY, "h").ours is ours


def test_what_we_find_wrong_ourselves_is_not_put_into_the_servers_mouth():
    assert told("malformed", "x: expected a string").ours
    assert told("not_carried", "GA has no temperature", what="x").ours
    assert not told("server_error", "oops").ours
