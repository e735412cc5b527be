"""The outbox's dropping, and what counts as loopback."""

import asyncio

import pytest

from voicecli.runtime.outbox import Outbox
from voicecli.runtime.route import BadUrl, Place, Route, place, route


def drained(outbox):
    return [outbox.pop() for _ in range(len(outbox))]


def test_only_sound_that_waited_longer_than_two_seconds_is_dropped():
    outbox = Outbox()
    outbox.put("control", 0, 0.0)
    outbox.put("old", 480, 0.0)
    outbox.put("two seconds", 240, 1.0)
    outbox.put("control 2", 0, 1.0)
    outbox.put("new", 480, 2.5)
    assert outbox.drop(3.0) == 480
    assert drained(outbox) == ["control", "two seconds", "control 2", "new"]


def test_old_control_frames_alone_drop_nothing():
    outbox = Outbox()
    outbox.put("control", 0, 0.0)
    assert outbox.drop(100.0) == 0
    assert drained(outbox) == ["control"]


def test_all_sound_can_be_dropped_and_is_counted():
    outbox = Outbox()
    outbox.put("a", 480, 0.0)
    outbox.put("control", 0, 0.0)
    outbox.put("b", 20, 0.0)
    assert outbox.drop_sound() == 500
    assert outbox.drop_sound() == 0
    assert drained(outbox) == ["control"]


@pytest.mark.parametrize(
    ("url", "addresses"),
    [
        ("ws://LocalHost:1/", ("127.0.0.1", "::1")),
        ("ws://127.9.9.9:1/", ("127.9.9.9",)),
        ("wss://[::1]:1/", ("::1",)),
    ],
)
def test_loopback_is_dialled_as_a_literal_address_without_lookup_or_proxy_g6_g7(monkeypatch, url, addresses):
    def lookup(*_, **__):
        raise AssertionError

    for name in ("HTTP_PROXY", "HTTPS_PROXY", "WS_PROXY", "WSS_PROXY"):
        monkeypatch.setenv(name, "http://proxy.example:1")
    assert asyncio.run(route(url, place(url), lookup)) == Route(addresses, None)


def test_a_url_says_where_it_leads():
    assert place("wss://Server.example/v1?model=m") == Place("server.example", 443, True, "server.example")
    assert place("ws://[::1]:8000/") == Place("::1", 8000, False, "[::1]:8000")
    assert place("ws://localhost/") == Place("localhost", 80, False, "localhost")


def test_user_info_is_refused_also_where_the_host_looks_like_loopback_f41():
    with pytest.raises(BadUrl):
        place("ws://localhost:1@evil.example/")
