"""Options as data: ranges, the generated example, and what may stand where."""

import subprocess
import sys
from pathlib import Path

import pytest

from voicecli.settings import KEY_PREFIX, OPTIONS, BadValue, Option, Settings, example_env, options_of

ROOT = Path(__file__).parent.parent


def option(name: str) -> Option:
    return next(each for each in OPTIONS if each.name == name)


def test_the_example_file_is_what_the_settings_say():
    assert (ROOT / "config.example.env").read_text() == example_env()


def test_the_module_prints_the_example_file():
    run = subprocess.run([sys.executable, "-P", "-m", "voicecli.settings"], capture_output=True, text=True, check=True)
    assert run.stdout == example_env()


def test_every_option_has_help_a_command_and_an_environment_variable_of_its_own():
    assert len({each.env for each in OPTIONS}) == len(OPTIONS) == len(Settings.__struct_fields__)
    for each in OPTIONS:
        assert each.about.help.endswith(".") or each.about.help.endswith(")."), each.name
        assert each.about.commands
        assert each.env in example_env()


def test_every_default_is_a_value_its_option_may_have():
    for each in OPTIONS:
        if each.default is not None:
            assert each.read(str(each.default)) == each.default


def test_commands_have_their_options():
    serve = {each.name for each in options_of("serve")}
    assert {
        "host",
        "port",
        "key-file",
        "tls-cert",
        "plaintext",
        "max-sessions",
        "scenario",
        "tones",
        "llm-url",
        "log-level",
        "log-file",
    } <= serve
    assert not serve & {"url", "model", "ca-file", "audio-in"}
    chat = {each.name for each in options_of("chat")}
    assert {"url", "model", "dialect", "offline", "llm-url", "llm-model", "plain", "jsonl"} <= chat
    assert not chat & {"audio-in", "input-device", "echo", "port"}
    assert {"vad-threshold", "audio-out", "language", "levels"} <= {each.name for each in options_of("talk")}


def test_what_touches_files_or_opens_a_door_is_not_for_the_folders_env_file():
    """G3."""
    assert {each.name for each in OPTIONS if not each.about.folder_env} == {
        "audio-in",
        "audio-out",
        "log-file",
        "session",
        "ca-file",
        "host",
        "scenario",
        "key-file",
        "tls-cert",
        "tls-key",
        "plaintext",
        "allow-origin",
    }
    assert {each.name for each in OPTIONS if each.about.at_file} == {"instructions"}


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("vad-threshold", ["0", "1", "0.5", "1.0"], ["-0.01", "1.01", "nan", "inf", "half", "", "1_0", "٣"]),
        ("vad-prefix-ms", ["0", "300", "10000"], ["-1", "10001", "0.5", "1e3", "9" * 5000]),
        ("vad-silence-ms", ["0", "60000"], ["-1", "60001"]),
        ("temperature", ["0", "0.8", "2"], ["-0.01", "2.01", "inf", "warm"]),  # E5 is for servers
        ("max-tokens", ["1", "4096"], ["0", "4097", "1.5", "inf"]),  # E6
        ("speed", ["0.25", "1.5"], ["0.24", "1.51"]),
        ("port", ["0", "65535"], ["-1", "65536", "http"]),
        ("max-append-mib", ["1", "15"], ["0", "16"]),  # E8
        ("idle-minutes", ["0.5", "15"], ["0", "nan", "never"]),
        ("max-session-s", ["1", "86400"], ["0", "86401", "1.5", "long"]),
        ("dialect", ["auto", "beta", "ga"], ["GA", "other"]),
        ("echo", ["off", "half-duplex"], ["on", "half_duplex"]),
        ("plain", ["1", "true", "Yes", "on", "0", "false", "no", "OFF"], ["2", "maybe", ""]),
        ("url", ["ws://x"], ["", "  "]),
        ("instructions", ["", " two  words "], ["\udc80"]),
    ],
)
def test_a_value_outside_its_range_is_refused(name: str, good: list[str], bad: list[str]):
    for text in good:
        option(name).read(text)
    for text in bad:
        with pytest.raises(BadValue):
            option(name).read(text)


def test_a_refusal_names_the_value_and_the_limits():
    with pytest.raises(BadValue, match=r'^is "1\.5"; it must be a number from 0 to 1$'):
        option("vad-threshold").read("1.5")
    with pytest.raises(BadValue, match=r'^is "-1"; it must be a whole number from 0 to 60000 ms$'):
        option("vad-silence-ms").read("-1")
    with pytest.raises(BadValue, match="auto, beta, ga"):
        option("dialect").read("alpha")


def test_the_defaults_of_serve_are_what_the_server_takes_without_them():
    """G22: its figures stand once as options and once where they are used."""
    from voicecli.commands.serving import bounds_of, limits_of
    from voicecli.server.limits import Limits
    from voicecli.server.serve import Bounds

    assert limits_of(Settings()) == Limits()
    assert bounds_of(Settings()) == Bounds()


def test_no_variable_of_an_option_is_taken_for_a_key_of_the_screen():
    assert not [each.env for each in OPTIONS if each.env.startswith(KEY_PREFIX)]
    assert option("key-file").env == "VOICECLI_SERVE_KEY_FILE"
