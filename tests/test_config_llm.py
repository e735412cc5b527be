"""A language model behind our own server: which settings go together, where its key may go, and what its URL may be."""

from __future__ import annotations

from pathlib import Path

import pytest

from voicecli.config import Config, ConfigError, World, load
from voicecli.secret import Secret

CANARY = "sk-CANARY0123456789"
URL = "https://models.example/v1"
LOCAL = "http://127.0.0.1:11434/v1"
BOTH = {"llm_url": LOCAL, "llm_model": "llama3.2"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "here").mkdir()
    (tmp_path / "home").mkdir()
    return tmp_path


def read(
    folder: Path,
    flags: dict[str, str | bool] | None = None,
    environ: dict[str, str] | None = None,
    here: str = "",
    user: str = "",
    command: str = "talk",
) -> Config:
    places = folder / "here" / ".env", folder / "home" / "config.env"
    for path, text in zip(places, (here, user), strict=True):
        path.write_text(text)
    return load(command, flags or {}, World(environ or {}, *places))


def refusal(folder: Path, **where: object) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        read(folder, **where)  # type: ignore[arg-type]
    assert CANARY not in f"{caught.value!r}{caught.value.message}{caught.value.hint}"
    return caught.value


@pytest.mark.parametrize("command", ["talk", "chat", "serve"])
def test_a_language_model_has_a_url_and_a_name_and_is_behind_our_own_server(folder: Path, command: str):
    config = read(folder, BOTH, {"OPENAI_API_KEY": CANARY}, command=command)
    assert config.target.offline
    assert config.target.key is None
    assert config.mind is not None
    assert (config.mind.url, config.mind.model, config.mind.key) == (LOCAL, "llama3.2", None)
    assert (config.mind.host, config.mind.local) == ("127.0.0.1:11434", True)
    assert config.mind.url_source == "--llm-url"
    assert read(folder, command=command).mind is None


def test_its_url_is_why_the_talk_is_offline(folder: Path):
    assert read(folder, BOTH).target.url_source == "--llm-url"
    found = read(folder, environ={"VOICECLI_LLM_URL": LOCAL, "VOICECLI_LLM_MODEL": "m"})
    assert found.target.url_source == "VOICECLI_LLM_URL in the environment"


def test_one_without_the_other_is_refused_with_the_remedy(folder: Path):
    error = refusal(folder, flags={"llm_url": LOCAL})
    assert error.message == "--llm-url names no model."
    assert "--llm-model" in error.hint
    error = refusal(folder, flags={"llm_model": "m"})
    assert error.message == "--llm-model says which model, and nothing says where it is."
    assert "--llm-url" in error.hint
    assert refusal(folder, environ={"VOICECLI_LLM_MODEL": "m"}, command="serve").message.startswith(
        "VOICECLI_LLM_MODEL"
    )


def test_it_excludes_another_server(folder: Path):
    assert refusal(folder, flags={**BOTH, "url": URL}).message == "--llm-url and --url exclude each other."


@pytest.mark.parametrize("far", ["wss://far.example/v1/realtime"])
def test_of_two_places_the_nearer_to_the_command_line_holds(folder: Path, far: str):
    mine = f"VOICECLI_LLM_URL={LOCAL}\nVOICECLI_LLM_MODEL=m"
    assert read(folder, user=mine).mind is not None
    found = read(folder, {"url": far}, user=mine)
    assert (found.mind, found.target.offline, found.target.url) == (None, False, far)
    found = read(folder, {"offline": True}, user=mine)
    assert (found.mind, found.target.offline, found.target.url_source) == (None, True, "--offline")
    found = read(folder, BOTH, {"VOICECLI_URL": far, "OPENAI_BASE_URL": "https://far.example/v1"})
    assert (found.mind is not None, found.target.offline) == (True, True)
    assert read(folder, {**BOTH, "offline": True}).mind is not None
    assert "nothing says where" in refusal(folder, flags={"url": far, "llm_model": "m"}, user=mine).message


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("http://localhost:8080", "http://localhost:8080"),
        ("http://localhost:8080/v1/", "http://localhost:8080/v1"),
        ("https://models.example/v1/chat/completions", URL),
        ("https://models.example/v1/chat/completions/?a=b", f"{URL}?a=b"),
    ],
)
def test_the_base_of_the_api_is_what_counts(folder: Path, given: str, used: str):
    mind = read(folder, {**BOTH, "llm_url": given}).mind
    assert mind is not None
    assert mind.url == used


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("ws://127.0.0.1/v1", "none of http://, https://"),
        ("127.0.0.1:11434", "none of http://, https://"),
        ("http:///v1", "host"),
        ("http://x:99999/v1", "port"),
        (f"http://user:{CANARY}@x/v1", "user or password"),
        ("http://x/v1#y", "#"),
        ("http://x /v1", "space"),
        ("http://é/v1", "ASCII"),
        ("http://x/" + "y" * 5000, "longer"),
    ],
)
def test_a_url_that_is_none_is_refused_without_being_repeated(folder: Path, url: str, words: str):
    error = refusal(folder, flags={**BOTH, "llm_url": url})
    assert words in error.message
    assert error.hint
    assert "realtime" not in error.hint


KEYS = ("environ", "here", "user")
URLS = ("flags", "environ", "here", "user")


@pytest.mark.parametrize("key_at", KEYS)
@pytest.mark.parametrize("url_at", URLS)
@pytest.mark.parametrize("command", ["talk", "serve"])
def test_g1_its_key_goes_only_where_its_url_may_take_it(folder: Path, key_at: str, url_at: str, command: str):
    flags: dict[str, str | bool] = {}
    environ, text = {"OPENAI_API_KEY": "sk-of-another"}, {"here": "", "user": ""}

    def put(place: str, name: str, value: str) -> None:
        if place == "environ":
            environ[name] = value
        else:
            text[place] += f"{name}={value}\n"

    put(key_at, "VOICECLI_LLM_API_KEY", CANARY)
    if url_at == "flags":
        flags |= {"llm_url": URL, "llm_model": "m"}
    else:
        put(url_at, "VOICECLI_LLM_URL", URL)
        put(url_at, "VOICECLI_LLM_MODEL", "m")
    if url_at == "here" and key_at != "here":
        error = refusal(folder, flags=flags, environ=environ, command=command, **text)
        assert ".env in this folder (VOICECLI_LLM_URL)" in error.message
        assert "VOICECLI_LLM_API_KEY" in error.message
        assert "--llm-url" in error.hint
        return
    config = read(folder, flags, environ, command=command, **text)
    assert config.mind is not None
    assert config.mind.key == Secret(CANARY)
    assert "VOICECLI_LLM_API_KEY" in config.mind.key_source
    assert config.target.key is None
    assert config.notices == ()
    assert CANARY not in repr(config)
    assert CANARY not in config.redactor(f"Bearer {CANARY}")


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("http://models.example/v1", False),
        ("http://127.1/v1", False),
        ("https://models.example/v1", True),
        ("http://localhost:1/v1", True),
        ("http://[::1]:1/v1", True),
    ],
)
def test_g6_its_key_leaves_this_machine_on_encrypted_links_only(folder: Path, url: str, sent: bool):
    mind = read(folder, {**BOTH, "llm_url": url}, {"VOICECLI_LLM_API_KEY": CANARY}).mind
    assert mind is not None
    assert (mind.key is not None, mind.key_withheld, bool(mind.key_source)) == (sent, not sent, sent)


@pytest.mark.parametrize("key", ["a b", "é" * 10, "k\x00k"])
def test_g8_a_key_that_cannot_be_one_is_refused(folder: Path, key: str):
    assert "cannot be a key" in refusal(folder, flags=BOTH, environ={"VOICECLI_LLM_API_KEY": key}).message


def test_the_keys_in_its_url_are_known_as_secrets(folder: Path):
    config = read(folder, {**BOTH, "llm_url": f"{URL}?code={CANARY}"})
    assert CANARY not in config.redactor.known(f"something {CANARY} something")


@pytest.mark.parametrize("value", ["0", "1.5", "2"])
def test_a_language_model_of_ones_own_takes_temperatures_that_realtime_servers_do_not(folder: Path, value: str):
    mind = read(folder, {**BOTH, "temperature": value}).mind
    assert mind is not None
    assert mind.temperature == float(value)
    error = refusal(folder, flags={"offline": True, "temperature": value})
    assert error.message == f'--temperature is "{value}"; it must be a number from 0.6 to 1.2.'
    assert "--llm-url" in error.hint


def test_its_temperature_is_that_of_the_flag_before_that_of_the_file(folder: Path, tmp_path: Path):
    file = tmp_path / "mine.json"
    file.write_text('{"temperature": 0.7}')
    for more, temperature in (({}, 0.7), ({"temperature": "0"}, 0.0)):
        mind = read(folder, {**BOTH, "session": str(file), **more}).mind
        assert mind is not None
        assert mind.temperature == temperature
    mind = read(folder, BOTH).mind
    assert mind is not None
    assert mind.temperature is None


def test_a_temperature_in_the_environment_is_no_affair_of_serve_without_a_model(folder: Path):
    assert read(folder, environ={"VOICECLI_TEMPERATURE": "0.9"}, command="serve").mind is None
    assert "none answers here" in refusal(folder, flags={"temperature": "0.9"}, command="serve").message
