"""Secrets do not print, and sinks put [key] in their place."""

import ast
import copy
import json
import pickle
from pathlib import Path

import pytest

from voicecli.secret import Redactor, Secret

ROOT = Path(__file__).parent.parent / "voicecli"
CANARY = 'sk"CANARY\\0123/45'


def test_a_secret_gives_stars():
    """G8."""
    secret = Secret(CANARY)
    shown = [
        repr(secret),
        str(secret),
        f"{secret}",
        f"{secret!r:>9}",
        "%s" % secret,  # noqa: UP031
        repr([secret]),
        repr(pickle.dumps(secret)),
        str(pickle.loads(pickle.dumps(secret))),
        copy.deepcopy(secret).reveal(),
    ]
    assert not any("CANARY" in text for text in shown)
    assert "***" in shown[0]
    assert secret.reveal() == CANARY


def test_only_the_link_and_the_childs_start_reveal_a_secret():
    """G8."""
    allowed = {"secret.py", "runtime/socket.py", "runtime/process.py", "runtime/child.py", "server/llm.py"}
    allowed |= {"cli.py"}  # the key of `serve`
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and node.attr == "reveal":
                assert path.relative_to(ROOT).as_posix() in allowed, path


@pytest.mark.parametrize(
    "text",
    [
        f"Bearer {CANARY}",
        json.dumps({"error": CANARY}),
        repr({"k": CANARY}),
        f"wss://x/?k={CANARY}",
        "sk%22CANARY%5C0123%2F45",
    ],
)
def test_a_known_secret_is_found_however_it_is_written(text: str):
    """G9."""
    redactor = Redactor([Secret(CANARY)])
    assert "CANARY" not in redactor(text)
    assert "CANARY" not in redactor.known(text)
    assert "[key]" in redactor(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a ek_abc123DEF b", "a [key] b"),
        ("Incorrect API key provided: sk-proj-abc. Find", "Incorrect API key provided: [key] Find"),
        ('{"client_secret": {"value": "abcdef", "n": 1}}', '{"client_secret": {"value": "[key]", "n": 1}}'),
        ("Authorization: Bearer abc.def", "Authorization: Bearer [key]"),
        ("{'authorization': 'Basic dXNlcg=='}", "{'authorization': 'Basic [key]'}"),
        ("('Authorization', 'Bearer abcdefgh')", "('Authorization', 'Bearer [key]')"),
        ("api-key: 0123abc, x", "api-key: [key], x"),
        ('{"api_key": "0123abc"}', '{"api_key": "[key]"}'),
        ("X-API-Key: abc", "X-API-Key: [key]"),
        ("realtime, openai-insecure-api-key.abc, x", "realtime, openai-insecure-api-key.[key], x"),
        ("http://user:pw@proxy:8080/", "http://[key]@proxy:8080/"),
        ("wss://h/p?model=m&token=abc&api-version=1", "wss://h/p?model=m&token=[key]&api-version=1"),
        ("wss://h/p?sig=a/b%20c#d", "wss://h/p?sig=[key]#d"),
    ],
)  # fmt: skip
def test_what_looks_like_a_secret_is_replaced(text: str, shown: str):
    """G9."""
    assert Redactor()(text) == shown
    assert Redactor()(shown) == shown


@pytest.mark.parametrize(
    "text", ["I task you", "a risk-free skip", "the key is under the mat", "see https://x.y/z a@b.c"]
)
def test_ordinary_words_stay(text: str):
    assert Redactor()(text) == text


def test_words_of_a_talk_lose_known_secrets_only():
    redactor = Redactor([Secret("hunter2hunter2")])
    assert redactor.known("https://tube/watch?v=hunter2hunter2 and ?v=abc") == "https://tube/watch?v=[key] and ?v=abc"


def test_a_key_that_is_a_common_word_does_not_tear_holes_into_the_talk():
    assert Redactor([Secret("test")]).known("a test") == "a test"


@pytest.mark.parametrize(
    ("text", "put"),
    [
        ("no key", "no key"),
        ("the.secret/of+somebody", "[key]"),
        ('is "the.secret/of+som..."', 'is "[key]..."'),
        ("the.secret/o the.secret/ the.secret/of+somebody.", "[key] the.secret/ [key]."),
        ("short", "short"),
    ],
)
def test_a_quoted_value_shows_no_beginning_of_a_secret_either(text: str, put: str):
    assert Secret.cutter([Secret("the.secret/of+somebody"), Secret("short")])(text) == put


def test_a_secret_shorter_than_what_may_be_shown_is_replaced_whole():
    assert Secret.cutter([Secret("12345678")])("x12345678 1234567") == "x[key] 1234567"


def test_a_secret_whose_end_is_cut_off_is_not_shown_at_the_end_of_a_notice():
    redact = Redactor([Secret("the.secret/of+somebody")])
    assert redact("Their words: the.secret/of+s") == "Their words: [key]"
    assert redact("the.secret/o") == "[key]"
    assert redact("Somebody said the.secret") == "Somebody said the.secret"
    assert redact("the.secret/of+s or not") == "the.secret/of+s or not"
