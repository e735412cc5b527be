"""`--dialect auto` by the program itself: the four ways to find out, what is said, one more connection, and no loop."""

from __future__ import annotations

import json
import re

import pytest

from tests.commands.bare import Dialect, chat, closes, created, refusal, shape, speaks
from tests.commands.processes import Done, Home
from tests.commands.servers import NAMED as CERTIFICATE
from tests.commands.servers import Peer, Script, Server, named, server

KEY: dict[str, str | None] = {"VOICECLI_API_KEY": "the-key-of-somebody"}
REASON = "invalid_request_error.beta_api_shape_disabled"
GONE = {
    "type": "error",
    "error": {
        "type": "invalid_request_error",
        "code": "beta_api_shape_disabled",
        "message": "The Realtime Beta API is no longer supported. Please use /v1/realtime for the GA API.",
    },
}
NEWER = "notice: The server speaks the newer dialect. Connecting again once, in that dialect. Set --dialect ga"
OLDER = "notice: The server speaks the older dialect. Connecting again once, in that dialect. Set --dialect beta"
DATED = "wss://res.openai.azure.com/openai/realtime?api-version=2024-10-01-preview&deployment=d"


def chats(home: Home, far: Server, *more: str, url: str = "", env: dict[str, str | None] | None = None) -> Done:
    """Two lines from a pipe, typed before there is any connection."""
    return home.run("chat", "--url", url or far.url, *more, stdin=b"one\ntwo\n", env={**KEY, **(env or {})})


def spoken(far: Server) -> list[tuple[bool, list[Dialect | None]]]:
    """Of each connection: whether it had the header of the beta, and in which dialect it sent its settings."""
    return [
        ("OpenAI-Beta" in headers, [shape(frame) for frame in frames if frame["type"] == "session.update"])
        for headers, frames in zip(far.headers, far.connections, strict=True)
    ]


def whole(done: Done, far: Server) -> None:
    """Both texts came, once, to the last connection, and were answered."""
    assert done.code == 0, done
    assert [line for line in done.lines if re.match("you|assistant", line)] == [
        "you: one",
        "assistant: You said one.",
        "you: two",
        "assistant: You said two.",
    ]
    texts = [frame["item"]["content"][0]["text"] for frame in far.sent("conversation.item.create")]
    assert texts == ["one", "two"]
    assert [frame["type"] for frame in far.connections[-1]] == [
        "session.update",
        *["conversation.item.create", "response.create"] * 2,
    ]


def said(done: Done) -> list[str]:
    """What was told beside the first line."""
    return [line for line in done.lines if re.match("notice|error", line)][1:]


# ---- the four ways


def test_by_url_an_unknown_server_is_spoken_to_in_the_newer_dialect(home: Home) -> None:
    with server(speaks("ga")) as far:
        done = chats(home, far)
    whole(done, far)
    assert spoken(far) == [(False, ["ga"])]
    assert said(done) == []


def test_by_url_a_server_that_is_known_for_the_older_dialect_is_spoken_to_in_it(home: Home) -> None:
    with server(speaks("beta"), tls=True, certificate=CERTIFICATE) as far, named(far) as env:
        done = chats(home, far, url=DATED, env=env)
    whole(done, far)
    assert spoken(far) == [(True, ["beta"])]
    assert said(done) == []


def test_by_its_greeting_on_the_same_connection_and_without_a_word(home: Home) -> None:
    with server(speaks("beta")) as far:
        done = chats(home, far)
    whole(done, far)
    assert spoken(far) == [(False, ["beta"])]
    assert said(done) == []


def test_by_its_greeting_a_server_of_the_older_sort_that_has_become_new_is_spoken_to_anew(home: Home) -> None:
    with server(speaks("ga"), tls=True, certificate=CERTIFICATE) as far, named(far) as env:
        done = chats(home, far, url=DATED, env=env)
    whole(done, far)
    assert spoken(far) == [(True, ["ga"])]
    assert said(done) == []


@pytest.mark.parametrize("first", [closes(4000, REASON, GONE), closes(4000, REASON), closes(4000, "")])
def test_by_close_4000_with_one_more_connection_said_aloud(first: Script, home: Home) -> None:
    """The beta that has ended: an error, then the close; or the close alone."""
    with server(first, speaks("ga"), tls=True, certificate=CERTIFICATE) as far, named(far) as env:
        done = chats(home, far, url=DATED, env=env)
    whole(done, far)
    assert spoken(far) == [(True, []), (False, ["ga"])]
    (line,) = said(done)
    assert line.startswith(NEWER)


def test_by_close_4000_also_the_other_way_round(home: Home) -> None:
    with server(closes(4000, "no such dialect"), speaks("beta")) as far:
        done = chats(home, far)
    whole(done, far)
    assert spoken(far) == [(False, []), (True, ["beta"])]
    (line,) = said(done)
    assert line.startswith(OLDER)
    assert line.endswith('(server says: "no such dialect")')


@pytest.mark.parametrize("greets", ["", "ga"])
def test_by_an_unknown_parameter_with_one_more_connection_said_aloud(greets: Dialect, home: Home) -> None:
    with server(speaks("beta", greets)) as far:
        done = chats(home, far)
    assert spoken(far) == [(False, ["ga"]), (True, ["beta"])]
    whole(done, far)
    (line,) = said(done)
    assert line.startswith(OLDER)
    assert "Unknown parameter: 'session.type'." in line


def test_a_missing_parameter_is_as_good(home: Home) -> None:
    with server(speaks("ga", ""), tls=True, certificate=CERTIFICATE) as far, named(far) as env:
        done = chats(home, far, url=DATED, env=env)
    whole(done, far)
    assert spoken(far) == [(True, ["beta"]), (False, ["ga"])]
    (line,) = said(done)
    assert line.startswith(NEWER)


def test_for_programs_it_is_a_notice_with_its_code_and_the_link_says_which_dialect_it_is(home: Home) -> None:
    with server(speaks("beta", "")) as far:
        done = home.run("chat", "hello", "--jsonl", "--url", far.url)
    found = [json.loads(line) for line in done.lines]
    assert [each["code"] for each in found if each["type"] == "notice"] == ["dialect_beta"]
    links = [(each["state"], each["dialect"]) for each in found if each["type"] == "link"]
    assert [state for state, _ in links] == ["connecting", "lost", "connecting", "open", "closed"]
    assert links[3] == ("open", "beta")


# ---- never a loop


@pytest.mark.parametrize("code", [4000, 1008])
def test_a_server_that_takes_neither_dialect_is_connected_to_twice_and_no_more(code: int, home: Home) -> None:
    with server(closes(4000, "not this one"), closes(code, "nor this one")) as far:
        done = chats(home, far)
    assert done.code == 3
    assert len(far.connections) == 2
    first, second = said(done)
    assert first.startswith(OLDER)
    assert second.startswith("error: ")
    assert far.sent("conversation.item.create") == []


def test_a_server_that_says_what_is_not_spoken_to_it_is_not_asked_for_that(home: Home) -> None:
    with server(closes(4000, REASON, GONE)) as far:
        done = chats(home, far)
    assert (done.code, spoken(far)) == (3, [(False, [])])
    (line,) = said(done)
    assert line.startswith("error: The server speaks the newer dialect only.")


def test_a_server_that_refuses_the_settings_of_both_goes_on_with_its_own_after_two(home: Home) -> None:
    async def refuses(peer: Peer) -> None:
        await peer.send(created(""))
        await peer.receive()
        field = "session.type" if len(far.connections) == 1 else "session.modalities"
        await peer.send(refusal(peer.frames[-1], f"Unknown parameter: '{field}'.", code="unknown_parameter"))
        await chat(peer, "beta")

    with server(refuses) as far:
        done = chats(home, far)
    assert spoken(far) == [(False, ["ga"]), (True, ["beta"])]
    whole(done, far)
    first, second = said(done)
    assert first.startswith(OLDER)
    assert second.startswith("notice: ")
    assert "--dialect" in second


def test_a_loss_after_the_dialect_was_found_dials_nobody_by_itself(home: Home) -> None:
    async def leaves(peer: Peer) -> None:
        await peer.send(created("beta"))
        await peer.receive()
        await peer.send({"type": "session.updated", "session": peer.frames[-1]["session"]})
        await peer.receive()
        await peer.close(4000, REASON)

    with server(leaves) as far:
        done = chats(home, far)
    assert done.code == 3
    assert len(far.connections) == 1


# ---- what the person has set


@pytest.mark.parametrize(("set_to", "other"), [("ga", "beta"), ("beta", "ga")])
@pytest.mark.parametrize("way", ["greeting", "4000", "parameter"])
def test_a_dialect_that_was_set_is_never_changed(way: str, set_to: Dialect, other: Dialect, home: Home) -> None:
    scripts: dict[str, Script] = {
        "greeting": speaks(other),
        "4000": closes(4000, REASON),
        "parameter": speaks(other, ""),
    }
    with server(scripts[way]) as far:
        done = chats(home, far, "--dialect", set_to)
    assert len(far.connections) == 1
    assert spoken(far)[0][0] is (set_to == "beta")
    assert set(spoken(far)[0][1]) <= {set_to}
    assert f"--dialect {other}" in done.out
    assert not any("Connecting again" in line for line in done.lines)
    assert done.code == (3 if way == "4000" else 0)
