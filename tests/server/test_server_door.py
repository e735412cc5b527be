"""Who is let in: the tables of path, Origin, Host and key (G19, G21)."""

from __future__ import annotations

import pytest

from voicecli.protocol.dialects import Spelling
from voicecli.server import door

KEY = "sk-right"
LOCKED = door.Door(digest=door.digest(KEY))
OPEN = door.Door()
HOST = {"Host": ["127.0.0.1:8080"]}


def refused(entry: door.Door, path: str = door.PATH, **headers: list[str]) -> int | None:
    given = {**HOST, **{name.replace("_", "-"): values for name, values in headers.items()}}
    refusal = entry.refuse(path, lambda name: given.get(name, []))
    return None if refusal is None else refusal.status


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/realtime/", "/v1/realtime2", "/V1/realtime", "//v1/realtime", ""])
def test_other_paths_are_not_found(path: str) -> None:
    assert refused(OPEN, path) == 404


@pytest.mark.parametrize("path", ["/v1/realtime", "/v1/realtime?model=any", "/v1/realtime?"])
def test_the_path_is_found_with_any_query(path: str) -> None:
    assert refused(OPEN, path) is None


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "", "http://localhost", "http://127.0.0.1:8080"])
def test_g19_every_origin_is_refused(origin: str) -> None:
    assert refused(OPEN, Origin=[origin]) == 403
    assert refused(LOCKED, Origin=[origin], Authorization=[f"Bearer {KEY}"]) == 403


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:1", "localhost", "LOCALHOST:80", "[::1]", "[::1]:8080"])
def test_g19_this_machine_is_let_in_as_host(host: str) -> None:
    assert refused(OPEN, Host=[host]) is None


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example", "localhost.evil", "127.1", "::1", "", ":80", "localhost:80:80", "é"],
)
def test_g19_other_hosts_are_refused(host: str) -> None:
    assert refused(OPEN, Host=[host]) == 403


def test_g19_no_host_and_two_hosts_are_refused() -> None:
    assert refused(OPEN, Host=[]) == 403
    assert refused(OPEN, Host=["localhost", "localhost"]) == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": [f"Bearer {KEY}"]},
        {"Authorization": [f"bearer {KEY}"]},
        {"Authorization": [f"Bearer  {KEY} "]},
        {"api_key": [KEY]},
        {"Sec_WebSocket_Protocol": [f"realtime, openai-insecure-api-key.{KEY}"]},
        {"Sec_WebSocket_Protocol": ["realtime", f"openai-insecure-api-key.{KEY}"]},
        {"Authorization": ["Bearer wrong"], "api_key": [KEY]},
    ],
)
def test_g21_the_key_is_taken_in_each_of_its_places(headers: dict[str, list[str]]) -> None:
    assert refused(LOCKED, **headers) is None


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": [""]},
        {"Authorization": ["Bearer"]},
        {"Authorization": ["Bearer "]},
        {"Authorization": [KEY]},
        {"Authorization": [f"Basic {KEY}"]},
        {"Authorization": [f"Bearer {KEY}x"]},
        {"Authorization": ["Bearer sk-é"]},
        {"Authorization": ["Bearer \udcff\udc80"]},
        {"Authorization": ["Bearer " + "x" * 1_000_000]},
        {"api_key": ["nope"]},
        {"Sec_WebSocket_Protocol": ["openai-insecure-api-key."]},
        {"Sec_WebSocket_Protocol": ["openai-insecure-api-key.no,,,;;"]},
        {"Sec_WebSocket_Protocol": [KEY]},
    ],
)
def test_g21_a_missing_wrong_or_malformed_key_is_401(headers: dict[str, list[str]]) -> None:
    assert refused(LOCKED, **headers) == 401


def test_a_key_in_the_query_is_no_key() -> None:
    assert refused(LOCKED, f"{door.PATH}?api-key={KEY}") == 401


def test_without_a_key_any_credentials_are_taken() -> None:
    assert refused(OPEN, Authorization=["Bearer whatever"]) is None
    assert refused(OPEN, api_key=["é"]) is None


def test_no_refusal_says_anything_of_the_key() -> None:
    refusal = LOCKED.refuse(door.PATH, lambda name: {"Host": ["localhost"], "api-key": ["canary"]}.get(name, []))
    assert refusal is not None
    assert "canary" not in refusal.line
    assert KEY not in repr(LOCKED)


@pytest.mark.parametrize(
    ("offered", "answered"),
    [
        (["realtime"], "realtime"),
        (["openai-insecure-api-key.K", "realtime"], "realtime"),
        (["realtime", "openai-beta.realtime-v1"], "realtime"),
        (["openai-insecure-api-key.K"], None),
        ([], None),
    ],
)
def test_g21_the_answered_subprotocol_never_holds_a_key(offered: list[str], answered: str | None) -> None:
    assert door.chosen(offered) == answered


@pytest.mark.parametrize(
    ("headers", "spelling"),
    [
        ({}, Spelling.GA),
        ({"OpenAI-Beta": ["realtime=v1"]}, Spelling.BETA),
        ({"OpenAI-Beta": ["assistants=v2"]}, Spelling.GA),
        ({"OpenAI-Beta": ["assistants=v2", "realtime=v1"]}, Spelling.BETA),
        ({"Sec-WebSocket-Protocol": ["realtime, openai-beta.realtime-v1"]}, Spelling.BETA),
        ({"Sec-WebSocket-Protocol": ["realtime"]}, Spelling.GA),
    ],
)
def test_the_headers_decide_the_spelling_of_the_greeting(headers: dict[str, list[str]], spelling: Spelling) -> None:
    assert door.spelling(lambda name: headers.get(name, [])) is spelling


@pytest.mark.parametrize(
    ("path", "model"),
    [
        ("/v1/realtime?model=gpt-realtime", "gpt-realtime"),
        ("/v1/realtime?x=1&model=a%20b&model=c", "a b"),
        ("/v1/realtime", None),
        ("/v1/realtime?model=", None),
        ("/v1/realtime?" + "&".join(f"a{n}=1" for n in range(100)), None),
        ("//[", None),
    ],
)
def test_any_model_may_be_named(path: str, model: str | None) -> None:
    assert door.model(path) == model


@pytest.mark.parametrize(
    ("origins", "status"),
    [
        (["https://app.example"], None),
        ([], None),
        (["https://app.example", "https://evil.example"], 403),
        (["http://app.example"], 403),
        (["https://app.example:8443"], 403),
        (["https://app.example.evil.example"], 403),
        (["null"], 403),
        ([""], 403),
    ],
)
def test_only_the_pages_that_are_named_are_let_in(origins: list[str], status: int | None) -> None:
    entry = door.Door(origins=frozenset({"https://app.example"}))
    assert refused(entry, Origin=origins) == status


def test_health_is_told_to_everybody_on_this_machine_and_to_no_page() -> None:
    assert refused(LOCKED, door.HEALTH) == 200
    assert refused(LOCKED, door.HEALTH + "?x=1") == 200
    assert refused(LOCKED, door.HEALTH + "/") == 404
    assert refused(LOCKED, door.HEALTH, Origin=["https://evil.example"]) == 403
    assert refused(LOCKED, door.HEALTH, Host=["evil.example"]) == 403
    assert refused(door.Door(hosts=None), door.HEALTH, Host=["a.balancer"]) == 200
