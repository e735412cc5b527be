"""Words for everything that can go wrong: what happened, in the user's words, and what to do.

Names that stand in a title (a host, a device) are foreign text: the faces pass titles and hints through `printable()`.
"""

from __future__ import annotations

import math
from typing import Final, Literal, NamedTuple

from msgspec.structs import replace

from voicecli.core import catalogue
from voicecli.core.changes import NOTHING, Foreign, LimitNow, Severity, Told
from voicecli.core.pending import Kind, Purpose
from voicecli.core.plan import Plan
from voicecli.core.stimuli import LinkEnded
from voicecli.ports import LinkFailure, Side, SoundFailed, SoundFailure
from voicecli.protocol.dialects import Spelling
from voicecli.protocol.items import ErrorInfo, StatusDetails


class Words(NamedTuple):
    severity: Severity
    title: str
    hint: str


WORDS: Final[dict[str, Words]] = {
    # ---- the link could not be had
    "dns": Words("error", "The name {host} could not be found.", "Is this machine online? Is the URL spelled right?"),
    "refused_tcp": Words(
        "error",
        "{host} cannot be reached.",
        "Nothing answers there, or there is no way to it. Is the server running, and is this machine online?",
    ),
    "tls": Words(
        "error",
        "The connection to {host} is not private, so it was not used.",
        "Check the certificate of the server, the clock of this machine, and that the URL has the right scheme "
        "(wss for TLS, ws without).",
    ),
    "proxy": Words(
        "error",
        "The proxy{proxy} did not let the connection through.",
        "Set HTTPS_PROXY with user and password, or NO_PROXY for this host.",
    ),
    "redirect": Words(
        "error",
        "{host} sends the connection somewhere else, which voicecli does not follow.",
        "If you trust that place, give its address by --url.",
    ),
    "unauthorized": Words("error", "The server refused your key.", "{key} Put a valid key there."),
    "forbidden": Words(
        "error", "The server does not allow this key here.", "{key} Ask for access, or pick another model by --model."
    ),
    "rate_limited": Words(
        "error", "The server takes no more connections from you at the moment.", "{wait}, then try again."
    ),
    "server_failed": Words(
        "error",
        "{host} answers, but with a failure of its own (HTTP {number}).",
        "{wait}, then try again; it is not your settings.",
    ),
    "refused_http": Words(
        "error", "{host} refused the connection (HTTP {number}).", "Its words say why: check --url and --model."
    ),
    "not_realtime": Words(
        "error", "{host} answers, but not as a Realtime server.", "The URL should end in /v1/realtime; check --url."
    ),
    "timeout": Words(
        "error", "{host} does not answer.", "It took more than ten seconds. Is the URL right, is a firewall between?"
    ),
    "slow": Words("info", "Still waiting for {what}.", "Ctrl-C ends it."),
    "silent": Words(
        "warning",
        "No answer from {host} for {seconds} seconds.",
        "The talk goes on when it comes; is this machine online?",
    ),
    "no_greeting": Words(
        "error",
        "{host} is connected, but does not speak.",
        "No session.created came within ten seconds; is it a Realtime server?",
    ),
    "not_configured": Words(
        "warning",
        "The server did not confirm the settings; the talk goes on with its own.",
        "No session.updated came within ten seconds.",
    ),
    "settings_refused": Words(
        "warning",
        "The server refused the settings; the talk goes on with its own.",
        "Its words say which one to leave out.",
    ),
    "setting_outside": Words(
        "warning",
        "A setting is outside of what the protocol has, so none was sent.",
        "The talk goes on with the server's own settings; below is which one it was and what it may be.",
    ),
    "settings_differ": Words(
        "warning", "The server uses other settings than asked for: {what}.", "The talk goes on with them."
    ),
    # ---- the link is gone
    "dropped": Words("error", "The connection dropped.", "What was said so far stays here. /retry connects again."),
    "closed_1000": Words("error", "The server ended the connection.", "/retry connects again."),
    "closed_1001": Words(
        "error", "The server went away.", "It restarts, or ends sessions from time to time. /retry opens a new one."
    ),
    "closed_1002": Words(
        "error",
        "The connection broke the rules of WebSocket, so it was closed.",
        "A proxy between may garble it. /retry connects again.",
    ),
    "closed_1003": Words(
        "error",
        "The server does not take this kind of message.",
        "Is it a Realtime server? /retry connects again.",
    ),
    "closed_1005": Words("error", "The server hung up without a reason.", "/retry connects again."),
    "closed_1007": Words(
        "error", "The connection was closed over a message that could not be read.", "/retry connects again."
    ),
    "closed_1008": Words(
        "error", "The server closed the connection over a rule of its own.", "Often that is the key. {key}"
    ),
    "closed_1009": Words(
        "error",
        "A message was too big for the server, so it closed the connection.",
        "Make the instructions or the text shorter. /retry connects again.",
    ),
    "closed_1010": Words(
        "error",
        "The server misses something in the connection that it needs.",
        "A proxy between may have taken it out. /retry connects again.",
    ),
    "closed_1011": Words("error", "The server failed and closed the connection.", "/retry connects again."),
    "closed_1012": Words("error", "The server starts anew.", "Wait a little, then /retry."),
    "closed_1013": Words("error", "The server is too busy at the moment.", "Wait a minute or two, then /retry."),
    "closed_1014": Words(
        "error",
        "A gateway lost the server that is behind it.",
        "Is that server running? /retry connects again.",
    ),
    "closed_1015": Words(
        "error", "The encryption of the connection failed.", "Check the certificate of the server, then /retry."
    ),
    "closed_4000": Words(
        "error",
        "The server does not speak this dialect of the protocol.",
        "Try the other one: --dialect ga or --dialect beta.",
    ),
    "closed": Words("error", "The server closed the connection with code {number}.", "/retry connects again."),
    "flood": Words("error", "The server flooded the connection, so it was cut off.", "/retry connects again."),
    "too_big": Words("error", "The server sent a message that is too big.", "/retry connects again."),
    "forgotten": Words(
        "info", "Connected again. The assistant knows nothing of the talk so far.", "What you see stays here."
    ),
    "connected_already": Words("info", "The connection is there; nothing to try again.", ""),
    "practice_failed": Words(
        "error", "voicecli's own practice partner could not be started again.", "voicecli serve shows why."
    ),
    "no_link": Words(
        "warning", "There is no connection, so this was not sent yet.", "/retry connects again and sends it."
    ),
    # ---- the dialect
    "dialect_ga": Words(
        "warning",
        "The server speaks the newer dialect.",
        "Connecting again once, in that dialect. Set --dialect ga to skip this.",
    ),
    "dialect_beta": Words(
        "warning",
        "The server speaks the older dialect.",
        "Connecting again once, in that dialect. Set --dialect beta to skip this.",
    ),
    "wrong_dialect": Words(
        "warning",
        "The server speaks another dialect of the protocol than it is spoken to.",
        "Set --dialect {dialect}.",
    ),
    "provider_cannot": Words("info", "{provider} cannot {what}.", "The talk goes on without that."),
    # ---- what the server says
    "invalid_api_key": Words("error", "The server refused your key.", "{key} Put a valid key there."),
    "insufficient_quota": Words(
        "error",
        "Your account has no credit left.",
        "The server will refuse every answer until that is settled with the provider.",
    ),
    "account_deactivated": Words("error", "This account is switched off.", "Ask the provider."),
    "model_not_found": Words(
        "error", "This key may not use that model, or there is no such model.", "Pick another by --model."
    ),
    "modalities_refused": Words(
        "warning",
        "The server does not give answers in that form.",
        "Its words say which forms it has: text alone, or speech with its text.",
    ),
    "setting_unknown": Words(
        "warning",
        "The server does not know one of the settings, so it took none of them.",
        "The talk goes on with its own; its words say which one to leave out.",
    ),
    "too_long": Words(
        "warning",
        "Something is longer than the server allows, so it was not taken.",
        "Its words say what it is and how long it may be.",
    ),
    "nothing_to_cancel": Words("info", "There was no answer left to stop.", "It had come to its end by itself."),
    "answering_still": Words(
        "info", "The server is still busy with the answer before.", "The next one comes when that is done."
    ),
    "nothing_recorded": Words(
        "info", "The server heard too little to make a turn of it.", "Say it again, and a little longer."
    ),
    "cut_too_long": Words(
        "info", "The server counts this answer a little shorter than what you heard.", "It keeps the whole of it."
    ),
    "cut_nothing": Words(
        "warning", "There was no speech in that answer that could be cut.", "The server keeps its whole text."
    ),
    "item_unknown": Words(
        "warning",
        "The server does not have that part of the talk.",
        "It may have let go of it; the talk goes on.",
    ),
    "text_missing": Words(
        "warning",
        "The server takes earlier answers as text only.",
        "That part of the talk was left out; the talk goes on.",
    ),
    "event_unknown": Words(
        "warning",
        "The server does not know a message that it was sent.",
        "It passed it over; the talk goes on. Perhaps another --dialect fits it better.",
    ),
    "beta_api_shape_disabled": Words("error", "The server speaks the newer dialect only.", "Set --dialect ga."),
    "session_expired": Words("error", "The session has reached its longest duration.", "/retry opens a new one."),
    "server_error": Words("error", "The server reports a problem.", "The talk goes on."),
    "text_refused": Words(
        "error", "The server did not take what you typed.", "Its words say why; say it in another way."
    ),
    "listens_only": Words("error", "This server does not read, so what you typed was not sent.", "Say it by voice."),
    "answer_refused": Words("error", "The server did not give an answer.", "Ask once more."),
    "cut_refused": Words(
        "warning",
        "The server could not cut its answer to what you heard.",
        "It may believe that it said everything.",
    ),
    "voice_fixed": Words(
        "warning", "The voice cannot change once the assistant has spoken.", "It changes in the next talk."
    ),
    "rate_limit": Words("warning", "The server is limiting you; this answer was not given.", "{wait}, then ask again."),
    "limited": Words("warning", "The server is limiting you.", "{wait}; the talk goes on."),
    "limit_near": Words(
        "warning", "{what} {nearly}used up: {left} of {whole} left.", "The next answer may be refused. {full}"
    ),
    "content_filter": Words(
        "warning", "The server stopped this answer by its content rules.", "Say it in another way."
    ),
    "max_output_tokens": Words(
        "warning", "The answer was cut at {most}.", '--max-tokens raises it; say "go on" to hear the rest.'
    ),
    "answer_failed": Words("error", "The server could not finish this answer.", "Ask once more."),
    "answer_stopped": Words("error", "The server stopped this answer, unasked.", "Ask once more."),
    "no_answer": Words(
        "error", "The server has been silent for 30 seconds; this answer is given up.", "Ask once more."
    ),
    "transcription_failed": Words(
        "warning",
        "Your words were heard but could not be written down.",
        "The assistant has them; only the text is missing here.",
    ),
    "unknown_event": Words("info", "The server sent something voicecli does not know: {what}.", "It is passed over."),
    "malformed": Words(
        "warning", "The server sent a message that makes no sense.", "It is passed over; the talk goes on."
    ),
    "idle": Words("info", "You said nothing for a while, so the assistant takes the word.", ""),
    "dtmf": Words("info", "A key of the telephone was pressed: {what}.", ""),
    "mcp_failed": Words(
        "warning", "A tool that the server calls by itself{what} failed.", "The answer goes on without it."
    ),
    "mcp_approval": Words(
        "warning",
        "The server asks whether it may use a tool: {what}.",
        "voicecli cannot allow it; require_approval of that tool, set to never, lets it go without asking.",
    ),
    "passed_over": Words("info", "Passed over in this talk: {what}.", ""),
    "not_used": Words("info", "Not used in this talk: {what}.", ""),
    "not_carried": Words("info", "This server's dialect has no place for {what}, so it was left out.", ""),
    # ---- voicecli's own server
    "speech_loading": Words(
        "info",
        "voicecli's ear and voice are being loaded.",
        "You can talk or type already: the answer comes when they are there.",
    ),
    "speech_ready": Words("info", "voicecli understands what you say now, and speaks.", ""),
    "speech_absent": Words(
        "warning",
        "Tones instead of a voice: no speech engines are installed.",
        "pip install '.[local]' in your clone of voicecli brings both; until then typing works in full.",
    ),
    "ear_absent": Words(
        "warning",
        "What you say is not understood: no speech engine for the ear is installed.",
        "pip install '.[local]' in your clone of voicecli brings one; typing works in full.",
    ),
    "voice_absent": Words(
        "warning",
        "Tones instead of a voice: no speech engine for it is installed.",
        "pip install '.[local]' in your clone of voicecli brings one; answers can be read.",
    ),
    "speech_broken": Words(
        "warning",
        "Tones instead of a voice: the speech engines do not work.",
        "pip install --force-reinstall '.[local]' in your clone of voicecli may mend them; typing works in full.",
    ),
    "ear_broken": Words(
        "warning",
        "What you say is not understood: the speech engine of the ear does not work.",
        "pip install --force-reinstall '.[local]' in your clone of voicecli may mend it; typing works in full.",
    ),
    "voice_broken": Words(
        "warning",
        "Tones instead of a voice: the speech engine of the voice does not work.",
        "pip install --force-reinstall '.[local]' in your clone of voicecli may mend it; answers can be read.",
    ),
    # ---- the language model behind it
    "llm_unreachable": Words(
        "error",
        "The language model{mind} cannot be reached.",
        "Is its server running (ollama serve; llama-server -m FILE)? Is --llm-url right?",
    ),
    "llm_model_unknown": Words(
        "error",
        "The language model{mind} is not there.",
        "Fetch it (ollama pull NAME), or name another by --llm-model.",
    ),
    "llm_model_unlisted": Words(
        "warning",
        "The language model{mind} is not among those that its server lists.",
        "Some servers take any name. Where this one does not: ollama pull NAME, or another by --llm-model.",
    ),
    "llm_unauthorized": Words(
        "error",
        "The server of the language model{mind} refuses the key, or wants one.",
        "Put a valid one into VOICECLI_LLM_API_KEY.",
    ),
    "llm_refused": Words(
        "error",
        "The server of the language model{mind} did not take what it was asked.",
        "Its words say why: some models take no tools, or only shorter talks.",
    ),
    "llm_no_api": Words(
        "error",
        "The server of the language model{mind} has no chat completions at that URL.",
        "Is --llm-url the base of its API? That usually ends in /v1.",
    ),
    "llm_rate_limited": Words(
        "warning",
        "The server of the language model{mind} is limiting you; this answer was not given.",
        "Wait a little, then ask again.",
    ),
    "llm_failed": Words(
        "error",
        "The server of the language model{mind} failed.",
        "It may still be loading the model; its own log says more. Ask once more.",
    ),
    "llm_slow": Words(
        "error",
        "The language model{mind} is too slow for a talk, so this answer is given up.",
        "The first answer may have waited for it to be loaded: ask once more. A smaller model, or one that does not "
        "think first, is faster.",
    ),
    "llm_cut": Words(
        "error",
        "The language model{mind} broke off its answer.",
        "Its server's own log says why (out of memory?). Ask once more.",
    ),
    "llm_garbled": Words(
        "error",
        "What the language model{mind} sent is no chat completion.",
        "Is --llm-url the base of its API? That usually ends in /v1.",
    ),
    "llm_endless": Words(
        "error",
        "The language model{mind} did not come to an end.",
        "Its answer was cut after about 64,000 characters. Give it a stop word in its own server's settings, or name "
        "another model by --llm-model.",
    ),
    "llm_empty": Words(
        "error",
        "The language model{mind} answered without a word.",
        "Ask once more. Where that stays so, its server's own log may say why; --llm-model names another model.",
    ),
    "mind_waits": Words(
        "info",
        "The language model{mind} has not begun to answer for {seconds} seconds.",
        "It may be loading, or thinking. /interrupt stops waiting.",
    ),
    # ---- sound
    "no_library": Words(
        "warning",
        "The sound library PortAudio is missing.",
        "apt install libportaudio2 (on a Mac: brew install portaudio){typing}.",
    ),
    "no_microphone": Words(
        "warning",
        "No microphone was found, so voicecli cannot hear you.",
        "Plug one in and start again; answers are still spoken{typing}.",
    ),
    "no_speaker": Words("warning", "No speaker was found, so answers are only shown.", "Plug one in and start again."),
    "no_sound_device": Words(
        "warning",
        "No sound device was found: voicecli can neither hear you nor speak.",
        "Plug one in and start again; voicecli devices shows what there is{typing}.",
    ),
    "in_use": Words("warning", "Another program holds the {device}.", "Close it there, or choose another by {option}."),
    "refused_format": Words(
        "warning",
        "The {device} does not take sound at 24 kHz.",
        "Choose another by {option}; voicecli devices shows which ones do.",
    ),
    "unplayable": Words(
        "warning",
        "The server speaks in a form of sound that voicecli does not know ({what}), so its answers are only shown.",
        "--output-format pcm16 asks for one that it knows.",
    ),
    "unspeakable": Words(
        "warning",
        "The server wants to hear a form of sound that voicecli does not know ({what}), so it may not understand you.",
        "--input-format pcm16 asks for one that it knows. Typing works.",
    ),
    "no_permission": Words(
        "warning",
        "The microphone sends pure silence.",
        "That is usually a missing permission (on a Mac: System Settings, Privacy, Microphone, allow your terminal), "
        "or a switch on the device.",
    ),
    "device_lost": Words("warning", "The {device} is gone.", "The talk goes on by {instead}."),
    "device_stalled": Words("warning", "The {device} has stopped.", "The talk goes on by {instead}."),
    "bad_file": Words("error", "The sound file could not be used.", "{option} takes PCM WAV files."),
    "disk": Words(
        "warning",
        "The sound could not be written to the file any more.",
        "Is the disk full? The talk goes on; the file is not whole.",
    ),
    "sound_other": Words(
        "warning", "The {device} does not work.", "Choose another by {option}. The talk goes on by {instead}."
    ),
    "resting": Words(
        "info",
        "{minutes} minutes of the answer wait to be heard; no more is fetched until some of it was.",
        "/interrupt throws away what was not heard.",
    ),
    "audio_dropped": Words(
        "warning",
        "Your link is too slow for your voice by {seconds} seconds, which were not sent.",
        "{smaller}Say it again, or type.",
    ),
    "stale": Words(
        "info", "voicecli stood still for {seconds} seconds; what was recorded meanwhile was thrown away.", ""
    ),
    "muted_after_sleep": Words(
        "warning", "voicecli stood still for {seconds} seconds, so the microphone is off now.", "/unmute turns it on."
    ),
    "muted_now": Words("info", "The microphone is off.", "/unmute turns it on."),
    "unmuted_now": Words("info", "The microphone is on.", ""),
    "muted_already": Words("info", "The microphone is off already.", "/unmute turns it on."),
    "not_muted": Words("info", "The microphone is on already.", ""),
    "only_noise": Words(
        "info",
        "Sound comes in, but no speech is found in it.",
        "Noise and music are not answered. voicecli devices lists the microphones; typing always works.",
    ),
    "only_silence": Words(
        "warning",
        "Nothing but silence has come from the microphone so far.",
        "Is it switched off, or another one meant? voicecli devices lists them, --input-device names one.",
    ),
    "no_microphone_here": Words("info", "There is no microphone in this talk.", ""),
    "too_short": Words("info", "Too short to be speech; nothing was sent.", "Hold the key while you speak."),
    "recording_full": Words(
        "warning",
        "Two minutes recorded; the microphone is off now.",
        "Enter or /talk sends it, esc or /interrupt throws it away.",
    ),
    "thrown_away": Words("info", "What was recorded is thrown away.", ""),
    "recording_lost": Words(
        "warning", "What you were recording is lost with the connection.", "Say it again once there is a new one."
    ),
    "recording_unsent": Words(
        "warning",
        "What you were recording was not sent, because the talk has ended.",
        "/talk sends a recording; /quit behind it ends the talk.",
    ),
    "pressed_muted": Words("info", "The microphone is off, so nothing is recorded.", "/unmute turns it on."),
    "pressed_unready": Words("info", "There is no connection yet, so nothing is recorded.", "Wait for it, or /retry."),
    "pressed_without_microphone": Words(
        "info", "The microphone does not work, so nothing is recorded.", "/unmute tries it again; typing goes on."
    ),
    "hands_free": Words("info", "This talk is hands-free: just speak.", "--ptt makes it push-to-talk."),
    "voice_refused": Words(
        "warning", "The server did not take what you said.", "Its words say why; say it again, or type."
    ),
    "answering_already": Words("info", "An answer is on its way already.", ""),
    "ask_unready": Words("warning", "There is no connection, so no answer can be asked for.", "/retry connects again."),
    "image_put": Words("info", "{name} is in the talk now.", "Ask about it; /answer asks for an answer without words."),
    "image_not_carried": Words(
        "warning",
        "This server's dialect has no place for images, so that one was not sent.",
        "What you wrote with it was not sent either. Servers of the dialect ga take images.",
    ),
    "kept": Words("info", "The server keeps {what}.", "That is of the last answer that was cut, or else of the last."),
    "nothing_kept": Words("info", "There is no answer yet that the server could keep.", ""),
    "kept_unready": Words("info", "There is no connection, so the server cannot be asked what it keeps.", ""),
    "kept_refused": Words("warning", "The server does not tell what it keeps of an answer.", "Its words say why."),
    "nothing_to_stop": Words("info", "Nothing is being said at the moment.", ""),
    "echo_now": Words("info", "Echo: {what}.", ""),
    "hears_itself": Words(
        "warning",
        "Two answers in a row were cut in their first second: perhaps the microphone hears the assistant.",
        "Use a headset, turn it down, or /echo half-duplex: it then cannot be interrupted by voice.",
    ),
    "cannot_show": Words(
        "warning", "Standard output cannot be written to.", "The talk goes on, but is not shown any more."
    ),
    # ---- ends
    "no_input": Words(
        "error",
        "There is neither a microphone nor a keyboard left to speak with.",
        "voicecli devices shows what there is.",
    ),
}

OPTIONS: Final = {Side.MICROPHONE: "--input-device", Side.SPEAKER: "--output-device"}
FILES: Final = {Side.MICROPHONE: "--audio-in", Side.SPEAKER: "--audio-out"}
NAMES: Final = {Side.MICROPHONE: "microphone", Side.SPEAKER: "speaker"}
SIDES: Final[dict[Side, Literal["input", "output"]]] = {Side.MICROPHONE: "input", Side.SPEAKER: "output"}
ABOUT: Final[dict[str, Literal["input", "output"]]] = {
    **dict.fromkeys(("no_microphone", "no_permission", "muted_after_sleep"), SIDES[Side.MICROPHONE]),
    "no_speaker": SIDES[Side.SPEAKER],
}
"""The side that a notice is always about."""
INSTEAD: Final = {Side.MICROPHONE: "typing", Side.SPEAKER: "text"}

FATAL: Final = frozenset(
    {
        "invalid_api_key",
        "insufficient_quota",
        "account_deactivated",
        "beta_api_shape_disabled",
        "session_expired",
    }
)
"""Errors after which a server closes: the close is then not told a second time."""

REFUSING: Final = FATAL - {"session_expired"} | {"model_not_found"}
"""Errors that a server also refuses a connection with, before there is a session."""

ANSWERED: Final = frozenset(
    {
        LinkFailure.UNAUTHORIZED,
        LinkFailure.FORBIDDEN,
        LinkFailure.RATE_LIMITED,
        LinkFailure.SERVER_FAILED,
        LinkFailure.REFUSED_HTTP,
        LinkFailure.NOT_REALTIME,
    }
)
"""Ends of dialling in which the server's own words may say more than its status does."""

ANSWERS: Final = {
    Kind.UPDATE: "settings_refused",
    Kind.ITEM: "text_refused",
    Kind.RESPONSE: "answer_refused",
    Kind.TRUNCATE: "cut_refused",
    Kind.DELETE: "cut_refused",
    Kind.COMMIT: "voice_refused",
    Kind.RETRIEVE: "kept_refused",
}
"""What an error means by what it answers."""

CANNOT: Final = {
    "audio": "hear you, because it takes other sound than voicecli sends",
    "text": "read what you type",
    "truncate": "be told how much of an answer you heard",
}
"""What a provider may lack (`Profile.can`) and a person would miss."""


OWN_WORDS: Final = frozenset(
    {
        *("setting_outside", "not_carried", "malformed", "practice_failed", "cannot_show"),
        *("no_library", "no_microphone", "no_speaker", "no_sound_device", "in_use", "refused_format", "no_permission"),
        *("device_lost", "device_stalled", "bad_file", "disk", "sound_other"),
        *("speech_broken", "ear_broken", "voice_broken"),
        *("llm_unreachable", "llm_model_unlisted", "llm_slow", "llm_cut", "llm_garbled"),
        *("llm_endless", "llm_empty"),
    }
)
"""Notices whose detail is never the server's word."""


def told(code: str, detail: str = "", **names: object) -> Told:
    """The notice `code` with `names` in their places; `detail` is what somebody else said about it."""
    return waiting(code, None, detail, **names)


def waiting(code: str, wait_s: float | None, detail: str = "", **names: object) -> Told:
    """As `told`. `wait_s`: how long to wait, where its words have a place for that; None: nobody says."""
    severity, title, hint = WORDS[code]
    if "{wait}" not in hint:
        wait_s = None
    wait = "" if wait_s is None else _span(wait_s)
    return Told(
        severity=severity,
        code=code,
        title=title.format(**names),
        hint=hint.format(wait=f"Wait {wait or 'a little'}", **names).strip(),
        detail=Foreign(detail[:2000]) if detail else NOTHING,
        ours=code in OWN_WORDS,
        wait_s=wait_s,
        wait=wait,
        side=ABOUT.get(code),
    )


def of_mind(code: str) -> bool:
    """Whether a code is one of our server's about the language model behind it."""
    return code.startswith("llm_") and code in WORDS


def key_hint(source: str) -> str:
    return f"It came from {source}." if source else "No key was sent."


def link_ended(ended: LinkEnded, key_source: str, url_host: str) -> Told:
    """Why there is no link."""
    host, key = ended.host or url_host or "the server", key_hint(key_source)
    if ended.failure is LinkFailure.CLOSED:
        expired = catalogue.meant(ErrorInfo(ended.reason)) == "session_expired"  # 1001 looks like a clean end
        code = "session_expired" if expired else f"closed_{ended.code}"
        code = code if code in WORDS else "closed"
        return replace(told(code, ended.reason, host=host, key=key, number=ended.code), ours=ended.ours)
    proxy = f" {ended.host}" if ended.host else ""
    meant = catalogue.meant(ErrorInfo(ended.reason, code=ended.error_code)) if ended.failure in ANSWERED else None
    code = meant if meant in REFUSING else ended.failure.value
    names = {"host": host, "key": key, "proxy": proxy, "number": ended.code}
    notice = waiting(code, ended.wait_s, ended.reason, **names)
    # What a proxy says is no word of the server's either.
    return replace(notice, ours=ended.ours or ended.failure is LinkFailure.PROXY)


def _span(seconds: float) -> str:
    whole = math.ceil(seconds)
    if whole >= 120:
        return f"{math.ceil(seconds / 60)} minutes"
    return f"{whole} second{'' if whole == 1 else 's'}"


def sound_failed(failed: SoundFailed, *, somebody_types: bool = True) -> Told:
    side = failed.side
    device = f'{NAMES[side]} "{failed.device}"' if failed.device else NAMES[side]
    names = {"device": device, "option": OPTIONS[side], "instead": INSTEAD[side], "typing": typing(somebody_types)}
    match failed.failure:
        case SoundFailure.NO_DEVICE:
            code = "no_microphone" if side is Side.MICROPHONE else "no_speaker"
        case SoundFailure.LOST | SoundFailure.STALLED:
            code = f"device_{failed.failure.value}"
        case SoundFailure.OTHER:
            code = "sound_other"
        case SoundFailure.BAD_FILE:
            code, names["option"] = "bad_file", FILES[side]
        case _:
            code = failed.failure.value
    # Without the library there is neither; whichever is there again settles it.
    return replace(told(code, failed.detail, **names), side=None if code == "no_library" else SIDES[side])


def typing(somebody_types: bool) -> str:
    """What is left without devices, as the end of a sentence."""
    return ". Until then you can type" if somebody_types else ""


def cannot(plan: Plan) -> Told | None:
    """What a provider cannot do in this talk; None: nothing is missed."""
    missed = {
        "audio": plan.mode == "talk" and "audio" not in plan.profile.can,
        "text": (plan.mode == "chat" or plan.keyboard != "none") and "text" not in plan.profile.can,
        "truncate": plan.speaker and "truncate" not in plan.profile.can,
    }
    what = " and cannot ".join(words for name, words in CANNOT.items() if missed[name])
    return told("provider_cannot", provider=plan.profile.name, what=what) if what else None


def error(info: ErrorInfo, purpose: Purpose | None, plan: Plan, wait_s: float | None = None) -> Told:
    """What an `error` event means to the person: by what it says, else by what it answers.

    `wait_s`: until the server's limits are full again; None: not known.
    """
    code = catalogue.meant(info)
    if code not in FATAL and catalogue.mistaken(info, plan.profile):
        (dialect,) = (each.value for each in Spelling if each is not plan.profile.spelling)
        return told("wrong_dialect", info.message, dialect=dialect)
    given_up = code == "answering_still" and purpose is not None and purpose.kind is Kind.RESPONSE
    if code is None and catalogue.fits(catalogue.LIMITED, info):
        code = "rate_limit" if purpose is not None and purpose.kind is Kind.RESPONSE else "limited"
    elif purpose is not None and (code is None or given_up):  # else the answer comes when the other one is done
        code = ANSWERS.get(purpose.kind)
    words = info.message or info.code or ""
    return waiting(code or "server_error", wait_s, words, key=key_hint(plan.key_source))


LIMITS: Final = {"tokens": "Tokens", "requests": "Requests"}
MINUTE_S: Final = 60.0


def limit_near(limit: LimitNow, full_in_s: float) -> Told:
    """A limit is nearly used up, and full again in so many seconds; 0: nobody says when. Needs both its numbers."""
    name = LIMITS.get(limit.name.raw)
    what = f"{name}{' for this minute' if 0 < full_in_s <= MINUTE_S else ''} are" if name else _of_its_own(limit)
    left, whole = _short(limit.remaining or 0), _short(limit.limit or 0)
    clock = _clock(full_in_s) if full_in_s > 0 else ""
    full = f"Full again in {clock}." if clock else ""
    nearly = "nearly " if (limit.remaining or 0) > 0 else ""
    near = told("limit_near", what=what, nearly=nearly, left=left, whole=whole, full=full)
    return replace(near, wait_s=full_in_s, wait=clock) if clock else near


def _of_its_own(limit: LimitNow) -> str:
    return f'The server\'s limit "{limit.name.raw[:40]}" is' if limit.name.raw else "A limit of the server's is"


def _short(number: float) -> str:
    """3649 as 3.6k, rounded down: nothing is left that is not there."""
    for unit, word in ((1_000_000, "M"), (1_000, "k")):
        if number >= unit:
            tenths = int(10 * number / unit)
            return f"{tenths // 10}{f'.{tenths % 10}' if tenths % 10 and tenths < 1_000 else ''}{word}"
    return str(int(max(0.0, number)))


def _clock(seconds: float) -> str:
    whole = math.ceil(seconds)
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


def outcome(
    status: str | None,
    details: StatusDetails | None,
    key_source: str,
    *,
    most: float | str | None = None,
    wait_s: float | None = None,
    wanted: bool = True,
    mind: str = "",
) -> Told | None:
    """Why a response did not end well; None where it did, or was cancelled by somebody here.

    `most`: the tokens that it could have; `wait_s`: until the server's limits are full again. None: not known.
    `wanted`: that it is cancelled was wanted here. `mind`: `Plan.mind`. A status that nobody knows is a failure.
    """
    reason = (details.reason if details else None) or ""
    if status in (None, "completed", "in_progress") or reason == "turn_detected":
        return None
    if status == "cancelled":
        return None if wanted else told("answer_stopped", reason)
    if status == "incomplete":
        code = reason if reason in ("content_filter", "max_output_tokens") else "answer_failed"
        limit = f"your limit of {most:.0f} tokens" if isinstance(most, int | float) else "the limit of tokens"
        return told(code, reason if code == "answer_failed" else "", most=limit)
    failed = details.error if details else None
    code = (failed.code or failed.type or "") if failed else ""
    words = (failed.message or code) if failed else ""
    if of_mind(code):
        return told(code, (failed.message or "") if failed else "", mind=mind)
    if not words:  # D12: the reason alone, perhaps with the code before a colon
        words = reason or ("" if status == "failed" else status)
        code = words.partition(":")[0].strip()
    info = ErrorInfo(words, (failed.type or "") if failed else "", code)
    if catalogue.fits(catalogue.LIMITED, info):
        return waiting("rate_limit", wait_s, words)
    meant = catalogue.meant(info)
    return told(meant if meant in FATAL else "answer_failed", words, key=key_hint(key_source))
