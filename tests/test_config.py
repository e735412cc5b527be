"""Where values come from, which key may go where, and files that are not what they should be."""

import json
import os
import time
from pathlib import Path

import pytest

from voicecli.config import ConfigError, Place, World, describe_source, load, user_env
from voicecli.secret import Secret
from voicecli.settings import KeySaid
from voicecli.target import with_query

CANARY = "sk-CANARY0123456789"
URL = "wss://voice.example/v1/realtime"


class Files:
    """A working directory and a user's folder that a test fills."""

    def __init__(self, folder: Path) -> None:
        self.here = folder / "work" / ".env"
        self.user = folder / "home" / "config.env"
        self.here.parent.mkdir()
        self.user.parent.mkdir()

    def load(self, flags=None, environ=None, here: str | None = None, user: str | None = None, command: str = "talk"):
        for path, text in ((self.here, here), (self.user, user)):
            if text is not None:
                path.write_text(text)
        return load(command, flags or {}, World(environ or {}, self.here, self.user))


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def refusal(files: Files, **where) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        files.load(**where)
    assert CANARY not in f"{caught.value!r}{caught.value}{caught.value.hint}"
    return caught.value


# ---- precedence ------------------------------------------------------------------------------------------------------


def test_the_nearest_place_to_the_command_line_holds(files: Files):
    places = {
        "flags": {"model": "flag"},
        "environ": {"VOICECLI_MODEL": "environment"},
        "here": "VOICECLI_MODEL=folder",
        "user": "VOICECLI_MODEL=user",
    }
    for expected, place in (("flag", "flags"), ("environment", "environ"), ("folder", "here"), ("user", "user")):
        assert files.load(**places).settings.model == expected
        places[place] = {} if place in ("flags", "environ") else ""
    assert files.load(**places).settings.model is None


def test_a_variable_set_to_nothing_is_not_set(files: Files):
    found = files.load(
        environ={"VOICECLI_MODEL": " ", "OPENAI_API_KEY": ""}, user="VOICECLI_MODEL=user\nVOICECLI_VOICE="
    )
    assert (found.settings.model, found.settings.voice, found.target.key) == ("user", None, None)


def test_an_empty_flag_is_a_mistake(files: Files):
    assert refusal(files, flags={"url": ""}).message == "--url is empty."
    assert files.load(flags={"instructions": ""}).settings.instructions == ""


def test_a_bad_value_names_field_value_and_limit(files: Files):
    assert (
        refusal(files, flags={"vad_threshold": "1.5"}).message
        == '--vad-threshold is "1.5"; it must be a number from 0 to 1.'
    )
    error = refusal(files, user="VOICECLI_VAD_PREFIX_MS=-1")
    assert error.message.startswith('config.env (VOICECLI_VAD_PREFIX_MS) is "-1"; it must be a whole number')
    assert "CANARY" not in refusal(files, environ={"VOICECLI_DIALECT": CANARY}).message


def test_options_of_another_command_are_left_alone(files: Files):
    assert files.load(environ={"VOICECLI_VAD_THRESHOLD": "nonsense"}, command="chat").settings.vad_threshold is None


def test_what_excludes_each_other_in_one_place_is_refused_and_else_the_nearer_holds(files: Files):
    assert "--plain and --jsonl exclude each other" in refusal(files, flags={"plain": True, "jsonl": True}).message
    refusal(files, flags={"offline": True, "url": URL})
    settings = files.load(flags={"jsonl": True}, environ={"VOICECLI_PLAIN": "1"}).settings
    assert (settings.jsonl, settings.plain) == (True, False)
    assert files.load(flags={"offline": True}, environ={"VOICECLI_URL": URL}).target.offline
    assert files.load(flags={"url": URL}, environ={"VOICECLI_OFFLINE": "1"}).target.url == URL
    assert files.load(flags={"jsonl": True}, environ={"VOICECLI_PLAIN": "0"}).settings.jsonl


@pytest.mark.parametrize(
    ("one", "other", "value"),
    [
        ("ptt", "vad_threshold", "0.4"),
        ("ptt", "vad_prefix_ms", "100"),
        ("ptt", "vad_silence_ms", "100"),
        ("no_transcription", "language", "de"),
    ],
)
def test_what_would_be_dropped_without_a_word_is_refused(files: Files, one: str, other: str, value: str):
    assert "exclude each other" in refusal(files, flags={one: True, other: value}).message
    settings = files.load(flags={one: True}, environ={f"VOICECLI_{other.upper()}": value}).settings
    assert (getattr(settings, one), getattr(settings, other)) == (True, None)


def test_unknown_names_are_told_with_the_nearest_known(files: Files):
    found = files.load(
        environ={"VOICECLI_VIOCE": "x", "VOICECLI_REQUIRE": "sound"}, here="VOICECLI_ZZZ=1", user="OTHER=1"
    )
    assert found.unknown == (
        "VOICECLI_VIOCE in the environment; did you mean VOICECLI_VOICE?",
        ".env in this folder (VOICECLI_ZZZ).",
    )


def test_other_keys_are_read_from_the_environment_and_the_users_file_and_from_nowhere_else(files: Files):
    """G3: whoever wrote the folder's .env could put the end of the talk on any key."""
    found = files.load(
        environ={"VOICECLI_KEY_MUTE": " f8 ", "VOICECLI_KEY_HELP": ""},
        here="VOICECLI_KEY_QUIT=f2",
        user="VOICECLI_KEY_MUTE=f9\nVOICECLI_KEY_COPY=ctrl+k",
    )
    assert found.keys == (
        KeySaid("COPY", "ctrl+k", "config.env (VOICECLI_KEY_COPY)"),
        KeySaid("MUTE", "f8", "VOICECLI_KEY_MUTE in the environment"),
    )
    assert found.notices == (
        "There is no setting .env in this folder (VOICECLI_KEY_QUIT); keys are set in the environment or in your own "
        "config.env.",
    )


# ---- keys and URLs ---------------------------------------------------------------------------------------------------

KEYS = ("environ", "here", "user")
URLS = ("flags", "environ", "here", "user", "base environ", "base here", "base user", "nobody")


@pytest.mark.parametrize("key_at", KEYS)
@pytest.mark.parametrize("url_at", URLS)
@pytest.mark.parametrize("name", ["OPENAI_API_KEY", "VOICECLI_API_KEY"])
def test_a_key_goes_only_where_its_url_may_take_it(files: Files, key_at: str, url_at: str, name: str):
    """G1, the matrix of sources."""
    environ: dict[str, str] = {}
    flags: dict[str, str] = {}
    text = {"here": "", "user": ""}

    def put(place: str, variable: str, value: str) -> None:
        if place == "environ":
            environ[variable] = value
        else:
            text[place] += f"{variable}={value}\n"

    put(key_at, name, CANARY)
    if url_at == "flags":
        flags["url"] = URL
    elif url_at.startswith("base"):
        put(url_at.removeprefix("base "), "OPENAI_BASE_URL", "https://voice.example/v1")
    elif url_at != "nobody":
        put(url_at, "VOICECLI_URL", URL)
    if "here" in url_at and key_at != "here":
        error = refusal(files, flags=flags, environ=environ, **text)
        assert ".env in this folder" in error.message
        assert describe_key(name, key_at) in error.message
        assert error.hint
        return
    target = files.load(flags, environ, **text).target
    assert target.key == Secret(CANARY)
    assert target.url == ("wss://api.openai.com/v1/realtime" if url_at == "nobody" else URL)
    assert target.from_folder == ("here" in (key_at, url_at.split()[-1]))
    assert target.key_source == describe_key(name, key_at)
    assert CANARY not in repr(target)


def describe_key(name: str, place: str) -> str:
    return {
        "environ": f"{name} in the environment",
        "here": f".env in this folder ({name})",
        "user": f"config.env ({name})",
    }[place]


def test_our_own_key_goes_before_the_one_of_openai(files: Files):
    target = files.load(environ={"OPENAI_API_KEY": "other"}, user=f"VOICECLI_API_KEY={CANARY}").target
    assert target.key == Secret(CANARY)


def test_without_key_and_url_it_is_offline_and_with_an_url_alone_it_connects_without_a_key(files: Files):
    assert files.load().target.offline
    target = files.load({"url": URL}).target
    assert (target.offline, target.key, target.url) == (False, None, URL)
    target = files.load(here=f"VOICECLI_URL={URL}").target
    assert (target.key, target.from_folder) == (None, True)
    assert files.load({"offline": True}, {"OPENAI_API_KEY": CANARY}).target.key is None


@pytest.mark.parametrize(
    ("given", "dialled"),
    [
        ("https://h/v1/realtime", "wss://h/v1/realtime"),
        ("HTTP://h:80/x?model=m", "ws://h:80/x?model=m"),
        ("ws://127.0.0.1:9/", "ws://127.0.0.1:9/"),
        ("wss://h", "wss://h"),
    ],
)
def test_the_url_is_the_whole_url(files: Files, given: str, dialled: str):
    assert files.load({"url": given}).target.url == dialled


@pytest.mark.parametrize(
    ("base", "dialled"),
    [
        ("https://api.openai.com/v1", "wss://api.openai.com/v1/realtime"),
        ("http://localhost:8000/v1/", "ws://localhost:8000/v1/realtime"),
        ("https://h/openai/v1/realtime", "wss://h/openai/v1/realtime"),
        ("https://h/v1?api-version=1", "wss://h/v1/realtime?api-version=1"),
    ],
)
def test_the_realtime_path_is_appended_to_a_base(files: Files, base: str, dialled: str):
    assert files.load(environ={"OPENAI_BASE_URL": base}).target.url == dialled
    assert files.load({"url": URL}, {"OPENAI_BASE_URL": base}).target.url == URL


def test_a_model_is_appended_where_the_url_names_none():
    assert with_query("wss://h/p", "model", "a b/c") == "wss://h/p?model=a%20b%2Fc"
    assert with_query("wss://h/p?x=1", "model", "m") == "wss://h/p?x=1&model=m"
    assert with_query("wss://h/p?model=other", "model", "m") == "wss://h/p?model=other"


@pytest.mark.parametrize(
    "url",
    [
        f"wss://user:{CANARY}@h/x",
        "ws://localhost:1@evil.example/",
        "ftp://h",
        "h/v1/realtime",
        "wss:///x",
        "wss://h:99999/",
        "wss://h:0/",
        "wss://h:x/",
        "wss://[::1/",
        "wss://h/#x",
        "wss://h/#",
        "wss://h/ x",
        "wss://h/\r\nX: y",
        "ws://ｌｏｃａｌｈｏｓｔ/",
        "ws://h\\@evil/",
        f"wss://h/?k={CANARY}\x7f",
        "wss://h/" + "x" * 5000,
    ],
)
def test_a_url_that_cannot_be_used_is_refused_without_showing_it(files: Files, url: str):
    """G6: also user info."""
    error = refusal(files, flags={"url": url})
    assert error.message.startswith("The URL from --url cannot be used: ")
    assert "evil" not in error.message


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("ws://127.1:9/", False),
        ("ws://10.0.0.1/", False),
        ("ws://[::ffff:127.0.0.1]/", False),
        ("http://voice.example/", False),
        ("ws://localhost:9/", True),
        ("ws://[::1]:9/", True),
        ("wss://10.0.0.1/", True),
    ],
)
def test_over_a_link_that_is_not_encrypted_no_key_is_sent(files: Files, url: str, sent: bool):
    """G6."""
    target = files.load({"url": url}, {"OPENAI_API_KEY": CANARY}).target
    assert (target.key is not None, target.key_withheld, bool(target.key_source)) == (sent, not sent, sent)


@pytest.mark.parametrize(
    "key", [f"{CANARY}\nX: y", f"é{CANARY}", f"{CANARY} b", f"{CANARY}\x00", f"{CANARY}\x7f", CANARY * 1000]
)
def test_a_key_that_can_be_none_is_refused_unseen(files: Files, key: str):
    """G8."""
    assert "OPENAI_API_KEY in the environment" in refusal(files, environ={"OPENAI_API_KEY": key}).message


def test_a_pasted_line_end_around_a_key_is_no_part_of_it(files: Files):
    """F8."""
    assert files.load(environ={"OPENAI_API_KEY": f" {CANARY}\r\n"}).target.key == Secret(CANARY)
    refusal(files, here=f'OPENAI_API_KEY="{CANARY}\\r\\nX: y"')


def test_every_key_that_was_found_is_redacted_used_or_not(files: Files):
    """G9."""
    found = files.load(
        {"url": "wss://h/?model=gpt-realtime&token=QUERY-secret"},
        {"VOICECLI_API_KEY": "first-secret", "OPENAI_API_KEY": "second-secret"},
        here="VOICECLI_SERVE_KEY=third-secret",
        user="OPENAI_API_KEY=fourth-secret",
    )
    shown = found.redactor.known("first-secret second-secret third-secret fourth-secret QUERY-secret gpt-realtime")
    assert shown == "[key] [key] [key] [key] [key] gpt-realtime"
    assert found.target.shown_url == "wss://h/?model=gpt-realtime&token=[key]"


def test_the_key_of_serve_is_for_serve_only(files: Files):
    environ = {"VOICECLI_SERVE_KEY": CANARY}
    assert files.load(environ=environ, command="serve").serve_key == Secret(CANARY)
    assert files.load(environ=environ).serve_key is None


@pytest.mark.parametrize(
    ("environ", "why"),
    [
        ({"VOICECLI_SERVE_KEY": " "}, "VOICECLI_SERVE_KEY is empty."),
        ({"VOICECLI_KEY_FILE": "key"}, "VOICECLI_KEY_FILE"),
    ],
)
def test_g20_a_key_that_was_meant_and_not_said_does_not_leave_the_door_open(
    files: Files, environ: dict[str, str], why: str
):
    with pytest.raises(ConfigError) as refused:
        files.load(environ=environ, command="serve")
    assert refused.value.message.startswith(why)
    assert files.load(environ=environ).serve_key is None


# ---- files -----------------------------------------------------------------------------------------------------------


def test_a_folders_env_file_changes_nothing_but_our_own_values(files: Files):
    """G2, F3, F4, F5."""
    before = dict(os.environ)
    found = files.load(
        here="HTTPS_PROXY=http://evil\nSSL_CERT_FILE=x\nTEXTUAL_DRIVER=evil:Driver\nALSA_CONFIG_PATH=x\nBROWSER=./x.sh\n"
        "EDITOR=x\nPULSE_SERVER=x\nVOICECLI_MODEL=${OPENAI_API_KEY}\nexport VOICECLI_VOICE='a'\n",
        environ={"OPENAI_API_KEY": CANARY},
    )
    assert dict(os.environ) == before
    assert found.settings.model == "${OPENAI_API_KEY}"
    assert found.settings.voice == "a"
    assert found.unknown == ()


@pytest.mark.parametrize("name", ["LOG_FILE", "AUDIO_IN", "AUDIO_OUT", "HOST"])
def test_a_folders_env_file_may_not_touch_files(files: Files, tmp_path: Path, name: str):
    """G3."""
    victim = tmp_path / "victim"
    victim.write_text("kept")
    error = refusal(files, here=f"VOICECLI_{name}={victim}", flags={name.lower(): "x"} if name != "HOST" else {})
    assert f"VOICECLI_{name}" in error.message
    assert victim.read_text() == "kept"
    found = files.load(
        environ={f"VOICECLI_{name}": str(victim)}, here="", command="serve" if name == "HOST" else "talk"
    )
    assert str(getattr(found.settings, name.lower())) == str(victim)


@pytest.mark.parametrize("place", ["here", "environ"])
def test_a_file_is_named_for_instructions_by_flag_and_by_the_users_config_only(files: Files, place: str):
    """G3, F40."""
    text = "@/etc/passwd"
    where = (
        {"environ": {"VOICECLI_INSTRUCTIONS": text}}
        if place == "environ"
        else {"here": f"VOICECLI_INSTRUCTIONS={text}"}
    )
    assert "names a file" in refusal(files, **where).message


def test_instructions_come_from_a_file(files: Files, tmp_path: Path):
    said = tmp_path / "said.txt"
    said.write_text("Be brief.\n")
    assert files.load({"instructions": f"@{said}"}).settings.instructions == "Be brief.\n"
    (files.user.parent / "mine.txt").write_text("Be kind.")
    assert files.load(user="VOICECLI_INSTRUCTIONS=@mine.txt").settings.instructions == "Be kind."
    for bad in (tmp_path, tmp_path / "absent", "/dev/zero", "~no-such-user/x", "a\0b", ""):
        assert "--instructions" in refusal(files, flags={"instructions": f"@{bad}"}).message


@pytest.mark.parametrize(
    ("text", "line"),
    [(f"A=1\nVOICECLI_URL {CANARY}\n", 2), (f"VOICECLI_VOICE\nX={CANARY}", 1), (f"\n\n'{CANARY}=x\n", 3)],
)
def test_a_bad_line_is_told_by_its_number_and_never_by_its_text(files: Files, text: str, line: int):
    """G2."""
    assert refusal(files, here=text).message == f"Line {line} of .env in this folder is not NAME=value."
    files.here.unlink()
    assert refusal(files, user=text).message == f"Line {line} of {files.user} is not NAME=value."


def test_a_pipe_a_huge_file_and_latin_1_are_refused_at_once(files: Files):
    """G2, F7."""
    begun = time.monotonic()
    for path in (files.here, files.user):
        os.mkfifo(path)
        assert "not a regular file" in refusal(files).message
        path.unlink()
        with path.open("wb") as file:
            file.truncate(100 * 2**20)
        assert "larger than 64 KiB" in refusal(files).message
        path.write_bytes(b"A=1\nB=\xe9\n")
        assert refusal(files).message.endswith("is not UTF-8 (line 2).")
        path.unlink()
        path.symlink_to("/dev/zero")
        assert "not a regular file" in refusal(files).message
        path.unlink()
    assert time.monotonic() - begun < 1


def test_a_folder_of_that_name_and_a_missing_place_are_no_mistake(files: Files):
    files.here.mkdir()
    assert files.load().target.offline
    assert load("talk", {}, World({}, None, None)).target.offline
    assert load("talk", {}, World({}, Path("/dev/null/.env"), Path("/absent/config.env"))).target.offline


def test_parents_are_never_read(files: Files, tmp_path: Path):
    """F6."""
    (tmp_path / ".env").write_text(f"OPENAI_API_KEY={CANARY}")
    assert files.load().target.key is None


def test_a_byte_order_mark_is_no_part_of_the_first_name(files: Files):
    files.here.write_bytes(b"\xef\xbb\xbfVOICECLI_VOICE=a\r\n")
    assert files.load().settings.voice == "a"


def test_the_users_folder_is_never_below_the_working_directory(monkeypatch: pytest.MonkeyPatch):
    """G36: HOME unset or wrong."""
    monkeypatch.setenv("XDG_CONFIG_HOME", "relative")
    monkeypatch.setenv("HOME", "")
    path = user_env()
    assert path is None or path.is_absolute()


def test_the_words_for_a_source():
    assert describe_source("X", Place.ENVIRONMENT) == "X in the environment"
    assert describe_source("X", Place.FOLDER) == ".env in this folder (X)"
    assert describe_source("--x", Place.FLAG) == "--x"


OWN = "my.own/key+with=odd~signs-that-is-longer-than-what-is-quoted-of-a-value"
"""It looks like nobody's key."""


@pytest.mark.parametrize("where", ["environ", "here", "user"])
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("temperature", OWN),
        ("echo", OWN),
        ("dialect", f"x{OWN}"),
        ("vad_silence_ms", OWN[:30]),
        ("url", f"wss://u:{OWN}@h/"),
        ("instructions", f"@{OWN}"),
    ],
)
def test_g9_a_refused_value_that_is_the_key_is_not_repeated(files: Files, field: str, value: str, where: str):
    key = f"VOICECLI_API_KEY={OWN}"
    places = {"environ": {"VOICECLI_API_KEY": OWN}} if where == "environ" else {where: key}
    with pytest.raises(ConfigError) as caught:
        files.load(flags={field: value}, **places)
    assert OWN[:12] not in f"{caught.value!r}{caught.value}{caught.value.hint}"


@pytest.mark.parametrize(
    "text",
    [
        OWN,
        json.dumps(OWN),
        json.dumps({OWN: 1}),
        json.dumps({"turn_detection": {OWN: 1}}),
        json.dumps({"temperature": OWN}),
        json.dumps({"speed": [OWN]}),
        json.dumps({"tool_choice": OWN}),
        json.dumps({"tools": [{"type": OWN}]}),
        json.dumps({"input_audio_format": OWN}),
        json.dumps({"input_audio_noise_reduction": {"type": OWN}}),
    ],
)
def test_g9_a_refused_session_with_the_key_in_it_does_not_repeat_it(files: Files, text: str, tmp_path: Path):
    file = tmp_path / "s.json"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        files.load(flags={"session": str(file), "dialect": "beta", "url": URL}, environ={"VOICECLI_API_KEY": OWN})
    assert OWN[:12] not in f"{caught.value!r}{caught.value}{caught.value.hint}"
