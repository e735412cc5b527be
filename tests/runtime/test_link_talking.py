"""The link while it is open: how it ends, what it drops and what it never drops, and that the loop gets its turn."""

import asyncio
import base64
import hashlib
import socket
import ssl
import time

import pytest
from far_ends import CANARY, CERTIFICATE, PATIENCE_S, QUICK, Near, Secret, raw, server_tls, wait_for_ever, websocket

from voicecli.core.stimuli import AudioDropped, LinkEnded, LinkSilent, Opened, Received
from voicecli.ports import LinkFailure
from voicecli.protocol.events import Malformed, Unknown
from voicecli.runtime.engine import MOST

FRAME = '{"type":"input_audio_buffer.cleared"}'


def run(main):
    return asyncio.run(asyncio.wait_for(main, 30))


async def keep(far):
    await far.wait_closed()


async def opened(port, **options):
    near = Near(**options)
    near.link.open(f"ws://127.0.0.1:{port}/", ())
    await near.first(Opened)
    return near


async def accept(reader, writer):
    """The server's half of the handshake, by hand."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    key = next(line.partition(": ")[2] for line in head.split("\r\n") if line.lower().startswith("sec-websocket-key:"))
    accepted = base64.b64encode(hashlib.sha1(f"{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode()).digest()).decode()
    writer.write(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Accept: {accepted}\r\n\r\n".encode()
    )


# ---- ends


@pytest.mark.parametrize(
    ("code", "failure"),
    [
        (1000, LinkFailure.CLOSED),
        (1001, LinkFailure.CLOSED),
        (1008, LinkFailure.CLOSED),
        (1009, LinkFailure.CLOSED),
        (1011, LinkFailure.CLOSED),
        (4000, LinkFailure.CLOSED),
    ],
)
def test_a_close_code_is_told_with_the_servers_reason(code, failure):
    async def main():
        async def handler(far):
            await far.close(code, f"so says the server of {CANARY}")

        async with websocket(handler) as port:
            near = await opened(port, key=Secret())
            end = await near.end()
        assert end == LinkEnded(failure, code, "so says the server of [key]", f"127.0.0.1:{port}")

    run(main())


def test_a_cut_connection_is_told_as_dropped():
    async def main():
        async def handler(far):
            await far.send(FRAME)
            far.transport.abort()

        async with websocket(handler) as port:
            near = await opened(port)
            end = await near.end()
        assert (end.failure, end.code) == (LinkFailure.DROPPED, None)

    run(main())


def test_what_came_before_the_end_is_told_before_it():
    async def main():
        async def handler(far):
            for _ in range(200):
                await far.send(FRAME)
            await far.close(1001, "60 minutes")

        async with websocket(handler) as port:
            near = await opened(port)
            await near.end()
        assert len(near.all(Received)) == 200
        assert [type(one) for one in near.told[-2:]] == [Received, LinkEnded]

    run(main())


def test_a_close_frame_whose_tcp_stays_open_is_noticed_g14_f21():
    async def main():
        async def talk(reader, writer):
            await accept(reader, writer)
            writer.write(bytes([0x88, 2]) + (4000).to_bytes(2, "big"))
            while await reader.read(1024):
                pass
            await wait_for_ever()

        async with raw(talk) as (port, _):
            near = await opened(port, limits=QUICK._replace(ping_s=60.0))
            began = time.perf_counter()
            end = await near.end()
        assert (end.failure, end.code, end.ours) == (LinkFailure.CLOSED, 4000, False)
        assert time.perf_counter() - began < 5

    run(main())


def test_a_server_that_answers_no_ping_is_given_up_g14():
    async def main():
        async def talk(reader, writer):
            await accept(reader, writer)
            await wait_for_ever()

        async with raw(talk) as (port, _):
            near = await opened(port, limits=QUICK._replace(ping_s=0.05, pong_s=0.1))
            end = await near.end()
        assert (end.failure, end.code) == (LinkFailure.DROPPED, None)
        assert "answer" in end.reason

    run(main())


def test_a_frame_over_the_limit_is_too_big_and_not_a_lost_link():
    async def main():
        async def handler(far):
            await far.send("x" * 20_000)
            await far.wait_closed()

        async with websocket(handler) as port:
            near = await opened(port, limits=QUICK._replace(frame=10_000))
            end = await near.end()
        assert (end.failure, end.code) == (LinkFailure.TOO_BIG, 1009)
        assert near.all(Received) == []

    run(main())


def test_a_broken_frame_ends_the_link_with_the_protocols_code():
    async def main():
        async def talk(reader, writer):
            await accept(reader, writer)
            writer.write(bytes([0xF1, 1, 65]))
            await reader.read()

        async with raw(talk) as (port, _):
            near = await opened(port)
            end = await near.end()
        assert (end.failure, end.code, end.ours) == (LinkFailure.CLOSED, 1002, True)

    run(main())


def test_hanging_up_on_a_deaf_server_takes_no_longer_than_the_limit_g15():
    async def main():
        async def talk(reader, writer):
            await accept(reader, writer)
            await wait_for_ever()

        async with raw(talk) as (port, _):
            near = await opened(port)
            near.link.close(1000)
            near.link.close(1000)
            end = await near.end()
        assert (end.failure, end.code) == (LinkFailure.CLOSED, 1000)

    run(main())


def test_hanging_up_at_once_ends_a_link_that_never_began():
    async def main():
        near = Near()
        near.link.open("ws://127.0.0.1:1/", ())
        near.link.close(1000)
        assert (await near.end()).failure is LinkFailure.CLOSED

    run(main())


def test_a_link_can_be_opened_again_but_not_twice():
    async def main():
        async with websocket(keep) as port:
            near = await opened(port)
            with pytest.raises(RuntimeError):
                near.link.open(f"ws://127.0.0.1:{port}/", ())
            near.link.close(1000)
            await near.end()
            near.told.clear()
            near.link.open(f"ws://127.0.0.1:{port}/", ())
            await near.first(Opened)
            near.link.close(1000)
            await near.end()

    run(main())


def test_without_a_link_sending_and_closing_do_nothing():
    async def main():
        near = Near()
        near.link.send("x")
        near.link.send_audio("x", 480)
        near.link.close(1000)
        await asyncio.sleep(0)
        assert near.told == []

    run(main())


def test_a_bug_of_whoever_takes_what_comes_is_the_end_of_the_link_and_its_text_is_in_no_log(caplog):
    class Fragile(Near):
        def take(self, stimulus):
            super().take(stimulus)
            if isinstance(stimulus, Received):
                raise ZeroDivisionError(CANARY)

    async def main():
        async def handler(far):
            await far.send(FRAME)
            await far.wait_closed()

        async with websocket(handler) as port:
            near = Fragile()
            near.link.open(f"ws://127.0.0.1:{port}/", ())
            end = await near.end()
        assert (end.failure, end.reason) == (LinkFailure.DROPPED, "ZeroDivisionError")

    run(main())
    assert "ZeroDivisionError" in caplog.text
    assert CANARY not in caplog.text.replace("raise ZeroDivisionError(CANARY)", "")


# ---- frames


def test_frames_that_are_no_events_are_told_as_such():
    async def main():
        async def handler(far):
            await far.send("not json")
            await far.send('{"type":"never.heard.of"}')
            await far.send(b"\xff\xfe")
            await far.wait_closed()

        async with websocket(handler) as port:
            near = await opened(port)
            while len(near.all(Received)) < 3:
                await asyncio.sleep(0.001)
            near.link.close(1000)
            await near.end()
        kinds = [type(one.event) for one in near.all(Received)]
        assert kinds == [Malformed, Unknown, Unknown]
        assert [one.size for one in near.all(Received)] == [8, 25, 2]

    run(main())


def test_text_that_is_no_utf_8_is_told_and_not_the_end():
    async def main():
        async def talk(reader, writer):
            await accept(reader, writer)
            writer.write(bytes([0x81, 2, 0xFF, 0xFE]))
            await reader.read()

        async with raw(talk) as (port, _):
            near = await opened(port)
            assert isinstance((await near.first(Received)).event, Malformed | Unknown)
            near.link.close(1000)
            await near.end()

    run(main())


def test_a_flood_of_tiny_frames_leaves_the_loop_a_word_g12():
    frames = 10_000

    async def main():
        async def talk(reader, writer):
            await accept(reader, writer)
            frame = bytes([0x81, len(FRAME)]) + FRAME.encode()
            for _ in range(frames // 1000):
                writer.write(frame * 1000)
                await writer.drain()
            await reader.read()

        async with raw(talk) as (port, _):
            near = await opened(port, work_s=30e-6)
            bursts = []
            while len(near.told) < frames:
                before = len(near.told)
                await asyncio.sleep(0)
                bursts.append(len(near.told) - before)
            near.link.close(1000)
            await near.end()
        assert max(bursts) < 1000, "one turn of the loop is at most a few milliseconds of frames"

    run(main())


@pytest.mark.parametrize("what", ["frames", "pings", "fragments"])
def test_a_flood_is_cut_off_and_no_timer_waits_for_it_g12(what, record_property):
    """Pings and fragments never get as far as whoever reads frames; they count as well."""
    text = FRAME.encode()
    piece = {"frames": bytes([0x81, len(text)]) + text, "pings": b"\x89\x00", "fragments": b"\x00\x00"}[what]

    async def main():
        async def talk(reader, writer):
            await accept(reader, writer)
            await reader.readexactly(1)
            writer.write(b"\x01\x00" if what == "fragments" else b"")
            for _ in range(100):
                writer.write(piece * 1000)
                await writer.drain()
            await wait_for_ever()

        late = 0.0

        async def timer():
            nonlocal late
            while True:
                due = time.perf_counter() + 0.005
                await asyncio.sleep(0.005)
                late = max(late, time.perf_counter() - due)

        async with raw(talk) as (port, _):
            near = await opened(port, work_s=30e-6, key=Secret())
            ticks = asyncio.create_task(timer())
            began = time.perf_counter()
            near.link.send("go")
            end = await near.end()
            ticks.cancel()
            took_s = time.perf_counter() - began
        if what == "fragments":  # websockets bears 4,096 of them
            assert end.failure is LinkFailure.TOO_BIG
        else:
            assert end == LinkEnded(LinkFailure.FLOOD, None, "", f"127.0.0.1:{port}", ours=True)
        assert len(near.all(Received)) <= 20_000
        assert late < 1.5
        told = f"a flood of {what}: cut off after {took_s:.2f} s, a timer was {late * 1000:.0f} ms late"
        record_property("told", told)

    run(main())


def test_many_frames_that_are_no_flood_are_all_given_g12():
    async def main():
        async def handler(far):
            for _ in range(19_000):
                await far.send(FRAME)
            await far.close(1000)

        async with websocket(handler) as port:
            near = await opened(port)
            assert (await near.end()).failure is LinkFailure.CLOSED
        assert len(near.all(Received)) == 19_000

    run(main())


def test_no_more_frames_wait_for_whoever_takes_them_than_he_takes_at_once_g12():
    """Else the mailbox of the session would grow for as long as a flood is borne."""

    async def main():
        async def handler(far):
            for _ in range(5_000):
                await far.send(FRAME)
            await far.wait_closed()

        async with websocket(handler) as port:
            near = await opened(port)
            most = 0
            while len(near.told) < 5_000:
                before = len(near.told)
                await asyncio.sleep(0)
                most = max(most, len(near.told) - before)
            near.link.close(1000)
            await near.end()
        assert most <= MOST

    run(main())


# ---- reading, and not


def test_what_is_not_read_waits_at_the_server_and_the_pings_rest_g13():
    block = "x" * 100_000

    async def main():
        sent = 0

        async def handler(far):
            nonlocal sent
            for _ in range(300):
                await far.send(block)
                sent += 1
            await far.wait_closed()

        async with websocket(handler, ping_interval=None) as port:
            near = await opened(port, limits=QUICK._replace(ping_s=0.05, silent_s=0.05, pong_s=0.1))
            near.link.read(False)
            await asyncio.sleep(0.6)
            given = len(near.all(Received))
            assert given < 20
            assert sent < 300, "the server has to wait"
            assert near.all(LinkSilent) == []
            near.link.read(True)
            while len(near.all(Received)) < 300:
                assert near.all(LinkEnded) == []
                await asyncio.sleep(0.001)
            near.link.close(1000)
            await near.end()

    run(main())


def test_a_server_that_closes_while_nothing_is_read_is_read_to_its_end_g13():
    async def main():
        async def handler(far):
            for _ in range(50):
                await far.send("x" * 1000)
            await far.close(1001, "bye")

        async with websocket(handler) as port:
            near = await opened(port)
            near.link.read(False)
            await asyncio.sleep(0.2)
            assert near.all(LinkEnded) == []
            near.link.read(True)
            end = await near.end()
        assert (end.failure, end.code) == (LinkFailure.CLOSED, 1001)
        assert len(near.all(Received)) == 50

    run(main())


def test_hanging_up_while_nothing_is_read_ends_the_link_g13():
    async def main():
        async def handler(far):
            while True:
                await far.send("x" * 100_000)

        async with websocket(handler) as port:
            near = await opened(port)
            near.link.read(False)
            await asyncio.sleep(0.05)
            near.link.close(1000)
            end = await near.end()
        assert (end.failure, end.code) == (LinkFailure.CLOSED, 1000)

    run(main())


# ---- silence


def test_an_unanswered_ping_is_told_before_the_link_is_given_up_g14():
    async def main():
        async def talk(reader, writer):
            await accept(reader, writer)
            await wait_for_ever()

        async with raw(talk) as (port, _):
            near = await opened(port, limits=QUICK._replace(ping_s=0.05, silent_s=0.1, pong_s=0.3))
            end = await near.end()
        assert [type(one) for one in near.told] == [Opened, LinkSilent, LinkEnded]
        assert end.failure is LinkFailure.DROPPED

    run(main())


def test_a_slow_answer_is_no_silence_g14():
    """The answer to our ping stands behind a long stretch of sound; what comes of that is a sign of life."""

    async def main():
        async def talk(reader, writer):
            await accept(reader, writer)
            head, rest = bytes([0x81, 127]) + (40_000).to_bytes(8, "big"), b"x" * 40_000
            writer.write(head)
            for start in range(0, len(rest), 1000):
                writer.write(rest[start : start + 1000])
                await asyncio.sleep(0.02)
            await wait_for_ever()

        async with raw(talk) as (port, _):
            near = await opened(port, limits=QUICK._replace(ping_s=0.05, silent_s=0.3, pong_s=0.4))
            await near.first(Received)
            assert near.all(LinkSilent) == []
            await near.end()

    run(main())


# ---- the uplink


def test_control_frames_arrive_in_order_and_none_is_dropped_on_a_stalled_uplink_g12b():
    samples, size = 480, 4096

    async def main():
        go_on = asyncio.Event()
        got = []

        async def handler(far):
            await go_on.wait()
            async for text in far:
                got.append(text)
                if text == "last":
                    break

        async with websocket(handler, max_queue=1) as port:
            near = await opened(port, limits=QUICK._replace(stale_s=0.1))
            sent = 0
            by = time.perf_counter() + PATIENCE_S
            while not near.all(AudioDropped):
                assert time.perf_counter() < by
                for _ in range(200):
                    near.link.send_audio(f"a{sent}".ljust(size), samples)
                    sent += 1
                    if sent % 100 == 0:
                        near.link.send(f"control {sent}")
                await asyncio.sleep(0.01)
            near.link.send("last")
            go_on.set()
            while "last" not in got:
                assert time.perf_counter() < by
                await asyncio.sleep(0.01)
            near.link.close(1000)
            await near.end()
        sound = [int(text[1:]) for text in got if text.startswith("a")]
        control = [text for text in got if text.startswith("control")]
        assert control == [f"control {n}" for n in range(100, sent + 1, 100)]
        assert sound == sorted(sound)
        assert len(sound) < sent
        dropped = sum(one.samples for one in near.all(AudioDropped))
        assert len(sound) * samples + dropped == sent * samples, "what was captured was sent or told as dropped"

    run(main())


@pytest.mark.parametrize("encrypted", [False, True])
def test_a_stalled_uplink_swallows_little_before_sound_is_dropped_g12b_f23(encrypted):
    size = 4096

    async def main():
        stalled, go_on = asyncio.Event(), asyncio.Event()
        swallowed = 0

        async def relay(reader, writer):
            nonlocal swallowed
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", far)

            async def back():
                while data := await far_reader.read(65536):
                    writer.write(data)

            task = asyncio.create_task(back())
            while data := await reader.read(1024):
                if stalled.is_set():
                    writer.transport.pause_reading()
                    await go_on.wait()
                    writer.transport.resume_reading()
                    swallowed += len(data)
                else:
                    far_writer.write(data)
            task.cancel()
            far_writer.close()

        listening = socket.socket()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        listening.bind(("127.0.0.1", 0))
        tls = ssl.create_default_context(cafile=CERTIFICATE) if encrypted else None
        async with (
            websocket(keep, ssl=server_tls() if encrypted else None) as far,
            raw(relay, sock=listening, limit=1024) as (port, _),
        ):
            near = Near(limits=QUICK._replace(stale_s=0.1), tls=tls)
            near.link.open(f"{'wss' if encrypted else 'ws'}://localhost:{port}/", ())
            await near.first(Opened)
            stalled.set()
            by = time.perf_counter() + PATIENCE_S
            while not near.all(AudioDropped):
                assert time.perf_counter() < by
                for _ in range(50):
                    near.link.send_audio("a" * size, 480)
                await asyncio.sleep(0.002)
            go_on.set()
            near.link.close(1000)
            await near.end()
        assert size < swallowed < 60_000, "0.9 s of speech, what the relay takes included"

    run(main())


def test_what_was_to_be_sent_is_sent_before_hanging_up_but_sound_is_not():
    async def main():
        got = []

        async def handler(far):
            async for text in far:
                got.append(text)

        async with websocket(handler) as port:
            near = await opened(port)
            near.link.send("one")
            near.link.send_audio("sound", 480)
            near.link.send("two")
            near.link.close(1000)
            near.link.send("late")
            await near.end()
        assert got == ["one", "two"]

    run(main())
