"""The link while it dials: every way of not getting a websocket has its own failure, and the key goes nowhere else."""

import asyncio
import errno
import socket
import ssl
import threading

import pytest
from far_ends import CANARY, CERTIFICATE, QUICK, Near, Secret, ends, here, http, nowhere, raw, server_tls, websocket

from voicecli.core.stimuli import LinkEnded, LinkSlow, Opened, Received
from voicecli.ports import LinkFailure


def run(main):
    return asyncio.run(asyncio.wait_for(main, 30))


async def keep(far):
    await far.wait_closed()


# ---- going well


def test_a_link_opens_carries_both_ways_and_is_hung_up():
    async def main():
        requests = []
        got = asyncio.get_running_loop().create_future()

        async def handler(far):
            requests.append(far.request)
            await far.send('{"type":"input_audio_buffer.cleared","event_id":"e"}')
            got.set_result(await far.recv())
            await far.wait_closed()

        async with websocket(handler) as port:
            near = Near(Secret(), wall=lambda: 1234.5)
            near.link.open(f"ws://127.0.0.1:{port}/v1/realtime?model=m", (("OpenAI-Beta", "realtime=v1"),))
            await near.first(Opened)
            near.link.send("hello")
            assert await got == "hello"
            near.link.close(1000)
            end = await near.end()
        opened, received, _ = near.told
        assert opened == Opened(1234.5)
        assert isinstance(received, Received)
        assert received.event.event_id == "e"
        assert received.size == 52
        assert end == LinkEnded(LinkFailure.CLOSED, 1000, "", f"127.0.0.1:{port}", ours=True)
        assert requests[0].path == "/v1/realtime?model=m"
        assert requests[0].headers["OpenAI-Beta"] == "realtime=v1"
        assert requests[0].headers["Authorization"] == f"Bearer {CANARY}"
        assert "Sec-WebSocket-Extensions" not in requests[0].headers

    run(main())


def test_localhost_is_dialled_as_the_literal_address_without_a_lookup_g6():
    async def main():
        async with websocket(keep) as port:
            near = Near(lookup=nowhere)
            near.link.open(f"ws://localhost:{port}/", ())
            await near.first(Opened)
            near.link.close(1000)
            await near.end()

    run(main())


def test_the_key_goes_into_the_header_that_the_provider_wants():
    async def main():
        requests = []

        async def handler(far):
            requests.append(far.request.headers)

        async with websocket(handler) as port:
            await ends(f"ws://127.0.0.1:{port}/", key=Secret(), key_header=("api-key", ""))
        assert requests[0]["api-key"] == CANARY
        assert "Authorization" not in requests[0]

    run(main())


def test_without_encryption_the_key_is_not_sent_to_a_stranger_g6():
    async def main():
        requests = []

        async def handler(far):
            requests.append(str(far.request.headers))

        async with websocket(handler) as port:
            await ends(f"ws://server.example:{port}/", key=Secret(), lookup=here)
        assert requests
        assert CANARY not in requests[0]

    run(main())


def test_an_encrypted_link_opens_when_its_certificate_is_trusted():
    async def main():
        tls = ssl.create_default_context(cafile=CERTIFICATE)
        async with websocket(keep, ssl=server_tls()) as port:
            near = Near(Secret(), tls=tls)
            near.link.open(f"wss://localhost:{port}/", ())
            await near.first(Opened)
            near.link.close(1000)
            await near.end()

    run(main())


def test_the_next_address_is_tried_when_the_first_refuses():
    async def main():
        async with websocket(keep) as port:

            def two(*_, **__):
                return [(2, 1, 6, "", ("127.0.0.2", 0)), *here()]

            with socket.create_server(("127.0.0.2", 0)):
                near = Near(lookup=two)
                near.link.open(f"ws://server.example:{port}/", ())
                await near.first(Opened)
                near.link.close(1000)
                await near.end()

    run(main())


# ---- HTTP in the place of a websocket


@pytest.mark.parametrize(
    ("status", "failure"),
    [
        (200, LinkFailure.NOT_REALTIME),
        (400, LinkFailure.REFUSED_HTTP),
        (401, LinkFailure.UNAUTHORIZED),
        (403, LinkFailure.FORBIDDEN),
        (402, LinkFailure.NO_CREDIT),
        (404, LinkFailure.REFUSED_HTTP),
        (407, LinkFailure.PROXY),
        (429, LinkFailure.RATE_LIMITED),
        (500, LinkFailure.SERVER_FAILED),
        (502, LinkFailure.SERVER_FAILED),
        (504, LinkFailure.SERVER_FAILED),
        (503, LinkFailure.RATE_LIMITED),
    ],
)
def test_an_http_answer_is_told_with_its_status_and_words(status, failure):
    async def main():
        body = '{"error": {"message": "it is so", "code": "x"}}'
        async with raw(http(status, body=body)) as (port, _):
            end = await ends(f"ws://127.0.0.1:{port}/wrong")
        assert end == LinkEnded(failure, status, "it is so", f"127.0.0.1:{port}", error_code="x")

    run(main())


@pytest.mark.parametrize("body", ['{"detail": "Not Found"}', "<html></html>", "", '{"error": {}}', '{"error": "gone"}'])
def test_whoever_has_no_error_of_an_api_to_show_is_not_one(body):
    async def main():
        async with raw(http(404, body=body)) as (port, _):
            assert (await ends(f"ws://127.0.0.1:{port}/")).failure is LinkFailure.NOT_REALTIME

    run(main())


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("plain words\n", "plain words"),
        ("<html><body>Portal</body></html>", "Said"),
        ("", "Said"),
        ('{"detail": "gone"}', "gone"),
        ('{"error": "gone"}', "gone"),
        ('{"error": {"message": 3}}', "Said"),
        ("[" * 5000, "[" * 200),
        ("x" * 5000, "x" * 200),
        (f"no such key: {CANARY}", "no such key: [key]"),
    ],
)
def test_the_words_of_a_refusal_are_short_and_without_the_key_g9(body, reason):
    async def main():
        async with raw(http(403, body=body)) as (port, _):
            end = await ends(f"ws://127.0.0.1:{port}/", key=Secret())
        assert end.reason == reason

    run(main())


DATE = "Date: Wed, 25 Nov 2026 10:00:00 GMT\r\n"


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ("Retry-After: 17\r\n", 17.0),
        ("Retry-After: 17\r\nRetry-After: 5\r\n", 17.0),
        (f"{DATE}Retry-After: Wed, 25 Nov 2026 10:01:30 GMT\r\n", 90.0),
        (f"{DATE}Retry-After: Wed, 25 Nov 2026 09:00:00 GMT\r\n", None),
        ("Retry-After: Wed, 25 Nov 2026 10:01:30 GMT\r\n", None),
        ("Retry-After: 0\r\n", None),
        ("Retry-After: -3\r\n", None),
        ("Retry-After: 1e3\r\n", None),
        (f"Retry-After: {'9' * 30}\r\n", None),
        (f"{DATE}Retry-After: Wed, 99 Nov 99999 10:01:30 GMT\r\n", None),
        (f"{DATE}Retry-After: Wed, 25 Nov 2026 10:01:30\r\n", None),
        ("", None),
    ],
)
def test_how_long_a_server_wants_to_be_left_alone_is_read(headers, wait_s):
    async def main():
        async with raw(http(429, headers)) as (port, _):
            assert (await ends(f"ws://127.0.0.1:{port}/")).wait_s == wait_s

    run(main())


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ('{"error": {"code": "insufficient_quota"}}', "insufficient_quota"),
        ('{"error": {"type": "insufficient_quota", "code": null}}', "insufficient_quota"),
        ('{"error": {"code": 3}}', ""),
        ('{"error": "gone"}', ""),
        ('["error"]', ""),
        ("plain words", ""),
        ("[" * 5000, ""),
        (f'{{"error": {{"code": "{CANARY}"}}}}', "[key]"),
    ],
)
def test_the_code_of_a_refusal_is_found_and_without_the_key_g9(body, code):
    async def main():
        async with raw(http(429, body=body)) as (port, _):
            assert (await ends(f"ws://127.0.0.1:{port}/", key=Secret())).error_code == code

    run(main())


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_never_followed_g5(status):
    async def main():
        async def canary(reader, writer):
            await reader.read()

        async with raw(canary) as (target, seen):
            location = f"Location: ws://user:{CANARY}@localhost:{target}/there\r\n"
            async with raw(http(status, location)) as (port, _):
                end = await ends(f"ws://127.0.0.1:{port}/", key=Secret())
            await asyncio.sleep(0.05)
            assert seen == []
        assert (end.failure, end.code, end.host) == (LinkFailure.REDIRECT, status, f"localhost:{target}")

    run(main())


def test_a_redirect_to_an_odd_place_is_told_in_ascii():
    async def main():
        async with raw(http(302, "Location: http://[broken/\r\n")) as (port, _):
            assert (await ends(f"ws://127.0.0.1:{port}/")).failure is LinkFailure.REDIRECT
        async with raw(http(302)) as (port, _):
            assert (await ends(f"ws://127.0.0.1:{port}/")).failure is LinkFailure.REDIRECT

    run(main())


# ---- nothing like HTTP


def test_a_port_where_nobody_listens_is_refused():
    async def main():
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        end = await ends(f"ws://127.0.0.1:{port}/")
        assert end.failure is LinkFailure.REFUSED_TCP
        assert end.host == f"127.0.0.1:{port}"
        assert end.reason

    run(main())


def test_a_certificate_that_nobody_vouches_for_is_refused_before_the_key_is_sent_g7():
    async def main():
        async with websocket(keep, ssl=server_tls()) as port:
            end = await ends(f"wss://127.0.0.1:{port}/", key=Secret())
        assert end.failure is LinkFailure.TLS
        assert "certificate" in end.reason

    run(main())


def test_a_certificate_for_another_name_is_refused_g7():
    async def main():
        tls = ssl.create_default_context(cafile=CERTIFICATE)
        async with websocket(keep, ssl=server_tls()) as port:
            end = await ends(f"wss://server.example:{port}/", tls=tls, lookup=here)
        assert end.failure is LinkFailure.TLS
        assert "server.example" in end.reason

    run(main())


def test_ws_to_an_encrypted_port_is_not_taken_for_a_lost_network():
    async def main():
        async with websocket(keep, ssl=server_tls()) as port:
            end = await ends(f"ws://127.0.0.1:{port}/")
        assert end.failure is LinkFailure.NOT_REALTIME
        assert "wss://" in end.reason

    run(main())


def test_wss_to_a_plain_port_says_that_there_is_no_tls_g7():
    async def main():
        async with websocket(keep) as port:
            end = await ends(f"wss://127.0.0.1:{port}/")
        assert end.failure is LinkFailure.TLS
        assert "ws://" in end.reason

    run(main())


def test_a_server_that_speaks_something_else_is_not_realtime():
    async def main():
        async def talk(reader, writer):
            writer.write(b"220 mail.example ESMTP\r\n")
            await reader.read()

        async with raw(talk) as (port, _):
            assert (await ends(f"ws://127.0.0.1:{port}/")).failure is LinkFailure.NOT_REALTIME

    run(main())


def test_a_server_that_hangs_up_without_an_answer_dropped_us():
    async def main():
        async def talk(reader, writer):
            await reader.readuntil(b"\r\n\r\n")

        tls = ssl.create_default_context(cafile=CERTIFICATE)
        async with raw(talk, ssl=server_tls()) as (port, _):
            assert (await ends(f"wss://127.0.0.1:{port}/", tls=tls)).failure is LinkFailure.DROPPED

    run(main())


def test_an_upgrade_with_a_wrong_accept_key_is_not_realtime():
    async def main():
        async def talk(reader, writer):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n")
            writer.write(b"Sec-WebSocket-Accept: x\r\n\r\n")
            await reader.read()

        async with raw(talk) as (port, _):
            assert (await ends(f"ws://127.0.0.1:{port}/")).failure is LinkFailure.NOT_REALTIME

    run(main())


def test_a_silent_server_has_a_time_limit_and_a_hint_before_it_g15():
    async def main():
        async def talk(reader, writer):
            await reader.read()

        async with raw(talk) as (port, _):
            near = Near(limits=QUICK._replace(slow_s=0.02, handshake_s=0.1))
            near.link.open(f"ws://127.0.0.1:{port}/", ())
            end = await near.end()
        assert near.told[0] == LinkSlow(f"an answer from 127.0.0.1:{port}")
        assert (end.failure, len(near.told)) == (LinkFailure.TIMEOUT, 2)

    run(main())


def test_hanging_up_does_not_wait_for_the_handshake_and_leaves_no_connection_g15():
    async def main():
        left = asyncio.Event()

        async def talk(reader, writer):
            await reader.read()
            left.set()

        async with raw(talk) as (port, seen):
            near = Near()
            near.link.open(f"ws://127.0.0.1:{port}/", ())
            while not seen:
                await asyncio.sleep(0.001)
            near.link.close(1000)
            assert (await near.end()).failure is LinkFailure.CLOSED
            await asyncio.wait_for(left.wait(), 5)

    run(main())


# ---- names


def test_a_name_that_does_not_exist_is_told():
    async def main():
        def fails(*_, **__):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

        end = await ends("wss://nowhere.example/", lookup=fails)
        assert end == LinkEnded(LinkFailure.DNS, None, "Name or service not known", "nowhere.example", ours=True)

    run(main())


def test_a_name_that_no_name_can_be_is_told():
    async def main():
        end = await ends(f"wss://{'x' * 80}.example/", lookup=socket.getaddrinfo)
        assert end.failure is LinkFailure.DNS

    run(main())


def test_a_slow_name_server_is_hinted_at_and_hanging_up_does_not_wait_for_it_g15_f27():
    async def main():
        answer = threading.Event()

        def slow(*_, **__):
            answer.wait(20)
            return here()

        near = Near(lookup=slow, limits=QUICK._replace(slow_s=0.02))
        near.link.open("wss://slow.example/", ())
        assert await near.first(LinkSlow) == LinkSlow("the name of slow.example")
        near.link.close(1000)
        end = await near.end()
        answer.set()
        assert end == LinkEnded(LinkFailure.CLOSED, 1000, "", "slow.example", ours=True)

    run(main())


def test_a_name_server_that_never_answers_has_a_time_limit_g15():
    async def main():
        answer = threading.Event()
        end = await ends(
            "wss://slow.example/", lookup=lambda *_, **__: answer.wait(20), limits=QUICK._replace(lookup_s=0.05)
        )
        answer.set()
        assert end.failure is LinkFailure.DNS

    run(main())


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "ws:///path",
        "ws://127.0.0.1:99999/",
        "ws://127.0.0.1:x/",
        f"ws://user:{CANARY}@127.0.0.1/",
        f"ws://{CANARY}@127.0.0.1/",
        "ws://[::1/",
        f"ws://127.0.0.1:1/#{CANARY}",
        f"ws://server.example:1/#{CANARY}",
        "",
        CANARY,
    ],
)
def test_a_url_that_cannot_be_dialled_is_told_without_its_text_g6(url):
    async def main():
        end = await ends(url, lookup=here)
        assert end.failure is LinkFailure.NOT_REALTIME
        assert "URL" in end.reason
        assert CANARY not in repr(end)

    run(main())


# ---- proxies


PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "WS_PROXY", "WSS_PROXY", "ALL_PROXY", "SOCKS_PROXY")


def through(monkeypatch, proxy):
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    for name in PROXIES:
        monkeypatch.setenv(name, proxy)
        monkeypatch.setenv(name.lower(), proxy)


async def relay(reader, writer):
    """An HTTP proxy: CONNECT to any name leads to the same port of this machine."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    relay.heads.append(head)
    port = int(head.split()[1].rpartition(":")[2])
    far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")

    async def pump(source, sink):
        while data := await source.read(65536):
            sink.write(data)
        sink.close()

    await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_loopback_never_sees_a_proxy_g7(monkeypatch, host):
    async def main():
        async def canary(reader, writer):
            await reader.read()

        async with raw(canary) as (proxy, seen), websocket(keep) as port:
            through(monkeypatch, f"http://127.0.0.1:{proxy}")
            near = Near(Secret())
            near.link.open(f"ws://{host}:{port}/", ())
            await near.first(Opened)
            near.link.close(1000)
            await near.end()
            assert seen == []

    run(main())


def test_other_hosts_go_by_the_proxy_of_the_environment_which_never_sees_the_key(monkeypatch):
    async def main():
        relay.heads = []
        asked = []

        def lookup(host, port, **_):
            asked.append(host)
            return here()

        async with raw(relay) as (proxy, _), websocket(keep, ssl=server_tls()) as port:
            through(monkeypatch, f"http://me:pw%40@proxy.example:{proxy}")
            near = Near(Secret(), lookup=lookup, tls=ssl.create_default_context(cafile=CERTIFICATE))
            near.link.open(f"wss://localhost.:{port}/", ())
            end = await near.end()
            assert end.failure is LinkFailure.TLS, (
                "the certificate is not for that name, so the answer was the server's"
            )
        assert asked == ["proxy.example"], "the name of the server is the proxy's to look up"
        assert relay.heads[0].startswith(f"CONNECT localhost.:{port} ")
        assert "Proxy-Authorization: Basic bWU6cHdA" in relay.heads[0]
        assert CANARY not in relay.heads[0]

    run(main())


def test_a_talk_goes_through_a_proxy(monkeypatch):
    async def main():
        relay.heads = []
        async with raw(relay) as (proxy, _), websocket(keep) as port:
            through(monkeypatch, f"http://127.0.0.1:{proxy}")
            near = Near(lookup=here)
            near.link.open(f"ws://server.example:{port}/", ())
            await near.first(Opened)
            near.link.close(1000)
            await near.end()
        assert len(relay.heads) == 1

    run(main())


def test_a_failing_certificate_behind_a_proxy_prints_nothing_f13(monkeypatch, capfd):
    async def main():
        relay.heads = []
        async with raw(relay) as (proxy, _), websocket(keep, ssl=server_tls()) as port:
            through(monkeypatch, f"http://127.0.0.1:{proxy}")
            problems = []
            asyncio.get_running_loop().set_exception_handler(lambda _, context: problems.append(context))
            end = await ends(f"wss://server.example:{port}/", lookup=here)
        assert end.failure is LinkFailure.TLS

    run(main())
    assert capfd.readouterr().err == ""


def test_a_proxy_that_wants_a_password_is_told_as_such_g7(monkeypatch):
    async def main():
        async with raw(http(407, body="who are you?")) as (proxy, _):
            through(monkeypatch, f"http://127.0.0.1:{proxy}")
            end = await ends("wss://server.example/", lookup=here)
        assert end.failure is LinkFailure.PROXY
        assert (end.code, end.host) == (407, "127.0.0.1")

    run(main())


def test_a_proxy_that_is_not_there_is_told_as_such(monkeypatch):
    async def main():
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            through(monkeypatch, f"http://proxy.example:{free.getsockname()[1]}")
        end = await ends("wss://server.example/", lookup=here)
        assert (end.failure, end.host) == (LinkFailure.PROXY, "proxy.example")

    run(main())


@pytest.mark.parametrize(
    "proxy",
    [
        f"ftp://me:{CANARY}@proxy.example:1",
        f"http://me:{CANARY}@proxy.example:1/path",
        f"http://{CANARY}@proxy.example:1",
        f"http://me:{CANARY}@proxy.example:99999",
        f"socks5h://me:{CANARY}@proxy.example:1",
    ],
)
def test_a_proxy_that_cannot_be_used_is_told_without_its_password_f11(monkeypatch, proxy):
    async def main():
        through(monkeypatch, proxy)
        end = await ends("wss://server.example/", lookup=here)
        assert end.failure is LinkFailure.PROXY
        assert CANARY not in repr(end)

    run(main())


# ---- keys


@pytest.mark.parametrize("key", [CANARY + "\n", CANARY + "\r\nX: y", "é" + CANARY, CANARY + "\0"])
def test_a_key_that_fits_no_header_is_in_no_word_of_ours_g8_f8(key, caplog, capfd):
    async def main():
        async with websocket(keep) as port:
            near = Near(Secret(key))
            near.link.open(f"ws://127.0.0.1:{port}/", ())
            done = {await near.first((LinkEnded, Opened))}
            near.link.close(1000)
            done.add(await near.end())
        assert CANARY not in repr(done)

    with caplog.at_level("DEBUG"):
        run(main())
    out, err = capfd.readouterr()
    assert CANARY not in caplog.text + out + err


def test_an_unreachable_network_is_refused_and_not_a_bug():
    async def main():
        def broken(*_, **__):
            raise OSError(errno.ENETUNREACH, "x")

        assert (await ends("wss://server.example/", lookup=broken)).failure is LinkFailure.REFUSED_TCP

    run(main())
