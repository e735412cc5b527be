"""Limits, delay and status, said."""

from voicecli.core.changes import (
    Delayed,
    Foreign,
    LimitNow,
    LimitsNow,
    PhaseNow,
    SoundNow,
    Started,
    Tokens,
    Told,
    TurnOpened,
    UsageNow,
)
from voicecli.ui.actions import ACTIONS, Do
from voicecli.ui.sentences import answers, delay_sentence, last_words, limit_sentences
from voicecli.ui.view import View


def said(name: str, view: View, age_s: float = 0.0) -> list[str]:
    (action,) = (action for action in ACTIONS if action.id == name)
    return [told.title for told in answers(Do(action), view, age_s)]


def limits(*rows: LimitNow) -> View:
    view = View()
    view.apply(LimitsNow(rows))
    return view


def test_before_anything_is_known_that_is_said():
    assert said("limits", View()) == ["The server has told no limits."]
    assert said("delay", View()) == ["No answer has been heard yet."]
    assert said("status", View()) == ["The server has told no limits.", "No answer has been heard yet."]
    assert said("mute", View()) == []


def test_what_is_left_of_a_limit_and_when_it_is_full_again_counts_from_when_it_was_told():
    view = limits(LimitNow(Foreign("tokens"), 40000.0, 3600.0, 37.0))
    assert limit_sentences(view, 0.0) == ["Tokens: 3,600 of 40,000 left, all of it again in 37 seconds."]
    assert limit_sentences(view, 36.5) == ["Tokens: 3,600 of 40,000 left, all of it again in 1 second."]
    assert limit_sentences(view, 40.0) == ["Tokens: all 40,000 are there again."]


def test_limits_that_say_nothing_are_left_out_and_their_names_are_foreign():
    nan = float("nan")
    view = limits(
        LimitNow(Foreign("a"), None, 1.0, 1.0),
        LimitNow(Foreign("b"), nan, 1.0, 1.0),
        LimitNow(Foreign("\x1b[2Jx"), 10.0, 20.0, nan),
    )
    (sentence,) = limit_sentences(view, 0.0)
    assert sentence == "␛[2Jx: 20 of 10 left."


def test_the_delay_of_the_last_answer_is_split():
    view = View()
    for item in ("a", "b"):
        view.apply(TurnOpened(item, None, "assistant", "voice", 0.0))
    view.apply(Delayed("a", 0.06, 0.27, 0.09))
    assert delay_sentence(view) == (
        "The last answer took 0.42 seconds: turn noticed 0.06, first sound sent 0.27, first sound heard 0.09."
    )
    view.apply(Delayed("b", None, 0.3, 0.1, from_commit=True))
    assert delay_sentence(view) == (
        "The last answer took 0.40 seconds from where the turn was taken: first sound sent 0.30, "
        "first sound heard 0.10."
    )


def test_status_names_a_language_model_of_ones_own():
    view = View()
    view.apply(Started("", "1", "talk", "", "m", None, True, "", mind_model="llama\x07", mind_host="127.0.0.1:11434"))
    assert said("status", view)[0] == "The talk is hands-free, with the language model llama␇ at 127.0.0.1:11434."


def test_status_says_all_of_it():
    view = View()
    view.apply(Started("", "1", "ptt", "", "gpt", None, False, ""))
    view.apply(PhaseNow("press_to_talk"))
    view.apply(SoundNow(side="input", state="opened", name=Foreign("USB\x07 Audio")))
    view.apply(UsageNow(None, Tokens(), Tokens(input_text=1, input_audio=2, cached=3, output_text=4, output_audio=5)))
    assert said("status", view)[:4] == [
        "The talk is push-to-talk, with gpt.",
        "State: press to talk.",
        'The microphone is on ("USB␇ Audio").',
        "Tokens: text 1 in and 4 out, audio 2 in and 5 out, 3 of those in from the cache.",
    ]


def test_after_the_screen_the_error_that_ended_it_and_a_recording_that_was_lost_are_said():
    view = View()
    for severity, code in (
        ("error", "dropped"),
        ("error", "answer_failed"),
        ("info", "idle"),
        ("warning", "recording_unsent"),
    ):
        view.apply(Told(severity=severity, code=code, title="x"))  # type: ignore[arg-type]
    assert [told.code for told in last_words(view, 1)] == ["answer_failed", "recording_unsent"]
    assert [told.code for told in last_words(view, 0)] == ["recording_unsent"]
