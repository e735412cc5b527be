"""The client of language models over loopback: word by word, cut off at once, and every failure by its code."""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from chat_completions import Answer, ChatServer, Out, Request, responds, says

from voicecli.protocol.items import Tool
from voicecli.secret import Secret
from voicecli.server.llm import PATIENCE, Mind, MindState, Patience
from voicecli.server.orders import Call, Grew, Message, Over, Prompt, Tokens

PROMPT = Prompt(messages=(Message("user", "Hello."),))
SHORT = Patience(first_s=0.15, next_s=0.1, end_s=0.05, check_s=0.15)
"""For what is too slow, and for nothing else: this machine may be slow as well."""
KEY = Secret("sk-CANARY0123456789")
LIMIT_S = 20


def run(*answers: Answer) -> Callable[[Callable[[ChatServer], Awaitable[None]]], None]:
    """Runs a test against a server with these answers."""

    def wrap(test: Callable[[ChatServer], Awaitable[None]]) -> None:
        async def main() -> None:
            async with asyncio.timeout(LIMIT_S), ChatServer(*answers) as server:
                await test(server)

        asyncio.run(main())

    return wrap


async def thought(mind: Mind, prompt: Prompt = PROMPT) -> list[Grew | Call | Over]:
    told = [each async for each in mind.think(prompt)]
    await mind.close()
    assert [isinstance(each, Over) for each in told] == [False] * (len(told) - 1) + [True]
    return told


def failure(*answers: Answer, key: Secret | None = None, patience: Patience = PATIENCE) -> tuple[str, str]:
    """The code and the words of the failure that an answer ends with."""
    found: list[tuple[str, str]] = []

    @run(*answers)
    async def _(server: ChatServer) -> None:
        *_, over = await thought(Mind(server.url, "m", key, patience))
        assert isinstance(over, Over)
        assert over.status == "failed"
        assert over.error is not None
        found.append((over.error.code or "", over.error.message or ""))

    return found[0]


def test_words_come_as_they_are_written():
    async def main() -> None:
        go = asyncio.Event()

        async def answer(_: Request, out: Out) -> None:
            await out.head()
            await out.word("One.")
            await go.wait()
            await out.word(" Two.")
            await out.end(usage={"prompt_tokens": 9, "completion_tokens": 2})

        async with asyncio.timeout(LIMIT_S), ChatServer(answer) as server:
            mind = Mind(server.url, "m")
            async with aclosing(mind.think(PROMPT)) as told:
                assert await anext(told) == Grew("One.")
                go.set()
                assert [each async for each in told] == [Grew(" Two."), Over(tokens=Tokens(9, 2))]
            await mind.close()

    asyncio.run(main())


@pytest.mark.parametrize("how", ["closed", "cancelled"])
def test_an_answer_that_nobody_wants_any_more_is_hung_up_on_at_once(how: str):
    async def main() -> None:
        gone = asyncio.Event()

        async def answer(_: Request, out: Out) -> None:
            await out.head()
            await out.word("One.")
            await out.gone()
            gone.set()

        async with asyncio.timeout(LIMIT_S), ChatServer(answer) as server:
            mind, began = Mind(server.url, "m"), asyncio.Event()

            async def listen() -> None:
                async with aclosing(mind.think(PROMPT)) as told:
                    async for _ in told:
                        began.set()
                        if how == "closed":
                            return

            task = asyncio.create_task(listen())
            await began.wait()
            if how == "cancelled":
                task.cancel()
            await gone.wait()
            await asyncio.wait([task])
            assert task.cancelled() == (how == "cancelled")
            await mind.close()

    asyncio.run(main())


def test_an_answer_that_has_not_begun_is_hung_up_on_as_well():
    async def main() -> None:
        asked, gone = asyncio.Event(), asyncio.Event()

        async def answer(_: Request, out: Out) -> None:
            asked.set()
            await out.gone()
            gone.set()

        async with asyncio.timeout(LIMIT_S), ChatServer(answer) as server:
            mind = Mind(server.url, "m")
            task = asyncio.create_task(thought(mind))
            await asked.wait()
            task.cancel()
            await gone.wait()

    asyncio.run(main())


def test_a_prompt_goes_out_whole_and_the_key_only_where_there_is_one():
    @run(says("Hi."))
    async def _(server: ChatServer) -> None:
        tool = Tool(name="time", parameters={"type": "object"})
        await thought(Mind(server.url, "m", KEY), Prompt("Be brief.", PROMPT.messages, (tool,), temperature=0.5))
        await thought(Mind(server.url + "/", "m"))
        first, second = server.asked
        assert (first.method, first.path, second.path) == ("POST", "/v1/chat/completions", "/v1/chat/completions")
        assert first.headers["authorization"] == f"Bearer {KEY.reveal()}"
        assert first.body["model"] == "m"
        assert first.body["messages"][0] == {"role": "system", "content": "Be brief."}
        assert first.body["tools"][0]["function"]["name"] == "time"
        assert first.body["temperature"] == 0.5
        assert "authorization" not in second.headers


def test_a_prompt_without_a_temperature_has_that_of_the_mind_and_one_with_it_its_own():
    @run(says("Hi."))
    async def _(server: ChatServer) -> None:
        for own in (None, 0.0, 0.5):
            await thought(Mind(server.url, "m", temperature=0.9), Prompt(messages=PROMPT.messages, temperature=own))
        await thought(Mind(server.url, "m"))
        assert [request.body.get("temperature") for request in server.asked] == [0.9, 0.0, 0.5, None]


def test_half_a_character_in_a_prompt_goes_out_as_it_is():
    @run(says("Hi."))
    async def _(server: ChatServer) -> None:
        told = await thought(Mind(server.url, "m"), Prompt(messages=(Message("user", "a\ud800"),)))
        assert told == [Grew("Hi."), Over()]
        assert server.asked[0].body["messages"][-1]["content"] == "a\ud800"


def test_a_query_of_the_url_stays_behind_the_path():
    @run(says("Hi."))
    async def _(server: ChatServer) -> None:
        await thought(Mind(f"{server.url}?api-version=1", "m"))
        assert server.asked[0].path == "/v1/chat/completions?api-version=1"


def test_a_server_that_does_not_count_is_asked_without_it_from_then_on():
    place = ["body", "stream_options"]
    refuses = responds(422, {"detail": [{"type": "extra_forbidden", "loc": place, "msg": "not permitted"}]})

    @run(refuses, says("Hi."))
    async def _(server: ChatServer) -> None:
        mind = Mind(server.url, "m")
        assert [each async for each in mind.think(PROMPT)] == [Grew("Hi."), Over()]
        await thought(mind)
        assert ["stream_options" in each.body for each in server.asked] == [True, False, False]


def test_a_server_that_refuses_everything_is_asked_a_few_times_only():
    words = "no stream_options, no temperature, max_completion_tokens"

    @run(responds(400, {"error": words}))
    async def _(server: ChatServer) -> None:
        await thought(Mind(server.url, "m"), Prompt(messages=PROMPT.messages, temperature=1.0, max_tokens=3))
        assert len(server.asked) == 4


def test_an_answer_that_is_not_streamed_is_read():
    @run(responds(200, {"choices": [{"message": {"content": "Hi."}, "finish_reason": "stop"}]}))
    async def _(server: ChatServer) -> None:
        assert await thought(Mind(server.url, "m")) == [Grew("Hi."), Over()]


# ---- failures --------------------------------------------------------------------------------------------------------


async def _hangs_up(_: Request, out: Out) -> None:
    pass


async def _hangs_up_in_the_middle(_: Request, out: Out) -> None:
    await out.head()
    await out.word("Half a")


async def _breaks_off(_: Request, out: Out) -> None:
    await out.raw(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 1000\r\n\r\n")
    await out.word("Half a")


async def _speaks_no_http(_: Request, out: Out) -> None:
    await out.raw(b"220 mail.example ESMTP\r\n\r\n")


async def _says_nothing(_: Request, out: Out) -> None:
    await out.gone()


async def _stops_in_the_middle(_: Request, out: Out) -> None:
    await out.head()
    await out.word("One.")
    await out.gone()


async def _thinks_for_ever(_: Request, out: Out) -> None:
    await out.head()
    while True:
        await out.word("", reasoning_content="Hm.")
        await asyncio.sleep(0.01)


async def _keeps_it_alive(_: Request, out: Out) -> None:
    await out.head()
    while True:
        await out.raw(b": still here\n\n")
        await asyncio.sleep(0.01)


async def _never_ends_a_line(_: Request, out: Out) -> None:
    await out.head()
    while True:
        await out.raw(b"x" * 65536)


async def _never_ends(_: Request, out: Out) -> None:
    await out.head()
    while True:
        await out.word("word " * 2000)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (responds(401, {"error": "who?"}), "llm_unauthorized"),
        (responds(404, {"error": 'model "m" not found'}), "llm_model_unknown"),
        (responds(400, {"error": "m does not support tools"}), "llm_refused"),
        (responds(200, {"error": "Unexpected endpoint or method. (POST /chat/completions)"}), "llm_no_api"),
        (responds(429, {"error": "slow down"}), "llm_rate_limited"),
        (responds(500, {"error": "out of memory"}), "llm_failed"),
        (responds(200, "<html>hello</html>", "text/html"), "llm_garbled"),
        (responds(200, b"\x00\xff" * 100, "application/octet-stream"), "llm_garbled"),
        (responds(200, b"{", "application/json"), "llm_garbled"),
        (_hangs_up, "llm_cut"),
        (_hangs_up_in_the_middle, "llm_cut"),
        (_breaks_off, "llm_cut"),
        (_speaks_no_http, "llm_garbled"),
        (_says_nothing, "llm_slow"),
        (_stops_in_the_middle, "llm_slow"),
        (_thinks_for_ever, "llm_slow"),
        (_keeps_it_alive, "llm_slow"),
    ],
)
def test_what_goes_wrong_is_told_by_its_code(answer: Answer, code: str):
    assert failure(answer, patience=SHORT if code == "llm_slow" else PATIENCE)[0] == code


@pytest.mark.parametrize("answer", [_never_ends_a_line, _never_ends])
def test_an_answer_without_end_is_cut_off(answer: Answer):
    assert failure(answer)[0] == "llm_garbled"


def test_the_words_of_a_slow_answer_say_what_was_waited_for():
    assert failure(_says_nothing, patience=SHORT)[1] == "no word came within 0.15 seconds"
    thinking = failure(_thinks_for_ever, patience=Patience(first_s=0.5))[1]
    assert thinking == "no word came within 0.5 seconds (it was thinking)"
    stopped = failure(_stops_in_the_middle, patience=Patience(next_s=0.1))[1]
    assert stopped == "nothing more came for 0.1 seconds"


def test_the_patience_for_the_first_word_is_none_for_the_whole_answer():
    async def answer(_: Request, out: Out) -> None:
        await out.head()
        await out.word("One.")
        await asyncio.sleep(1.1)
        await out.word(" Two.")
        await out.end()

    @run(answer)
    async def _(server: ChatServer) -> None:
        mind = Mind(server.url, "m", None, Patience(first_s=1.0))
        assert await thought(mind) == [Grew("One."), Grew(" Two."), Over()]


def test_an_answer_whose_words_are_all_here_does_not_wait_long_for_its_usage():
    async def answer(_: Request, out: Out) -> None:
        await out.head()
        await out.event({"choices": [{"delta": {"content": "Hi."}, "finish_reason": "stop"}]})
        await out.gone()

    @run(answer)
    async def _(server: ChatServer) -> None:
        assert await thought(Mind(server.url, "m", None, Patience(end_s=0.05))) == [Grew("Hi."), Over()]


def test_a_server_that_is_not_there_is_told():
    async def main() -> None:
        async with ChatServer(says("Hi.")) as server:
            url = server.url
        *_, over = await thought(Mind(url, "m"))
        assert isinstance(over, Over)
        assert over.error is not None
        assert over.error.code == "llm_unreachable"
        assert over.error.message == "Connection refused"
        assert (await Mind(url, "m").check()).state is MindState.UNREACHABLE

    asyncio.run(main())


def test_g5_a_redirect_is_not_followed():
    async def main() -> None:
        async with asyncio.timeout(LIMIT_S), ChatServer(says("Hi.")) as other:
            more = f"Location: {other.url}/chat/completions\r\n"
            async with ChatServer(responds(307, more=more)) as server:
                *_, over = await thought(Mind(server.url, "m", KEY))
                assert isinstance(over, Over)
                assert over.error is not None
                assert over.error.code == "llm_refused"
                assert "127.0.0.1" in (over.error.message or "")
                assert (await Mind(server.url, "m", KEY).check()).state is MindState.READY
            assert other.connections == 0

    asyncio.run(main())


def test_g7_a_certificate_that_nobody_trusts_is_not_trusted_here():
    async def main() -> None:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(Path(__file__).parent.parent / "runtime" / "untrusted.pem")
        async with asyncio.timeout(LIMIT_S), ChatServer(says("Hi."), tls=tls) as server:
            for host in ("127.0.0.1", "localhost"):
                *_, over = await thought(Mind(f"https://{host}:{server.port}/v1", "m", KEY))
                assert isinstance(over, Over)
                assert over.error is not None
                assert over.error.code == "llm_unreachable"
                assert "not be private" in (over.error.message or "")
            *_, over = await thought(Mind(f"http://127.0.0.1:{server.port}/v1", "m", KEY))
            assert isinstance(over, Over)
            assert over.error is not None
            assert over.error.code in ("llm_cut", "llm_garbled")
            assert server.asked == []

    asyncio.run(main())


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST"])
def test_g7_loopback_is_dialled_without_the_proxy_of_the_environment(host: str, monkeypatch: pytest.MonkeyPatch):
    async def main() -> None:
        async with asyncio.timeout(LIMIT_S), ChatServer(says("No.")) as proxy, ChatServer(says("Hi.")) as server:
            for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
                monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
            assert (await thought(Mind(f"http://{host}:{server.port}/v1", "m")))[0] == Grew("Hi.")
            assert proxy.connections == 0
            assert server.asked[0].headers["host"] == f"{host}:{server.port}"

    asyncio.run(main())


def test_g7_others_are_dialled_by_the_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch):
    async def main() -> None:
        async with asyncio.timeout(LIMIT_S), ChatServer(says("Hi.")) as proxy:
            monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
            monkeypatch.delenv("NO_PROXY", raising=False)
            monkeypatch.delenv("no_proxy", raising=False)
            assert (await thought(Mind("http://models.example/v1", "m")))[0] == Grew("Hi.")
            assert proxy.asked[0].path == "http://models.example/v1/chat/completions"

    asyncio.run(main())


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:9", "nonsense://x", "http://["])
def test_a_proxy_that_cannot_be_used_is_told(proxy: str, monkeypatch: pytest.MonkeyPatch):
    async def main() -> None:
        monkeypatch.setenv("HTTP_PROXY", proxy)
        *_, over = await thought(Mind("http://models.example/v1", "m"))
        assert isinstance(over, Over)
        assert over.error is not None
        assert over.error.code == "llm_unreachable"

    asyncio.run(main())


def test_g9_the_key_is_in_no_error_and_in_no_log(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    canary = KEY.reveal()
    for answer in (
        responds(401, {"error": {"message": f"bad key {canary}", "code": canary}}),
        responds(500, f"Bearer {canary}", "text/plain"),
        responds(200, f'data: {{"error": "{canary}"}}\n'.encode(), "text/event-stream"),
        responds(404, f"{'x' * 485}{canary}".encode(), "text/plain"),
    ):
        assert canary[:12] not in "".join(failure(answer, key=KEY))

        @run(answer)
        async def _(server: ChatServer) -> None:
            assert canary[:12] not in repr(await Mind(server.url, "m", KEY).check())

    assert canary not in caplog.text
    assert canary not in repr(Mind("http://127.0.0.1:1/v1", "m", KEY).__dict__)


def test_g9_the_key_is_in_no_words_and_in_no_call():
    canary = KEY.reveal()

    async def answer(_: Request, out: Out) -> None:
        await out.head()
        for word in ("It is ", *canary, "."):
            await out.word(word)
        call = {"index": 0, "id": "c", "function": {"name": "keep", "arguments": json.dumps({"key": canary})}}
        await out.word("", tool_calls=[call])
        await out.end("tool_calls")

    @run(answer)
    async def _(server: ChatServer) -> None:
        *grown, call, over = await thought(Mind(server.url, "m", KEY))
        assert "".join(each.text for each in grown if isinstance(each, Grew)) == "It is [key]."
        assert (call, over) == (Call("c", "keep", '{"key": "[key]"}'), Over())


def test_g9_what_is_secret_in_its_url_is_in_no_error():
    @run(responds(400, {"error": "POST /v1/chat/completions?code=CANARY0123456789&api-version=2024-10-21"}))
    async def _(server: ChatServer) -> None:
        (over,) = await thought(Mind(f"{server.url}?code=CANARY0123456789&api-version=2024-10-21", "m"))
        assert isinstance(over, Over)
        assert over.error is not None
        assert over.error.message == "POST /v1/chat/completions?code=[key]&api-version=2024-10-21"


# ---- the question at the start ---------------------------------------------------------------------------------------


def models(*names: str) -> Answer:
    return responds(200, {"object": "list", "data": [{"id": name} for name in names]})


@pytest.mark.parametrize(
    ("answer", "state", "words"),
    [
        (models("llama3.2:latest", "m"), MindState.READY, ""),
        (models("m:latest"), MindState.READY, ""),
        (models("other", "m:small"), MindState.UNLISTED, "it has other, m:small"),
        (
            models(*(f"n{n}" for n in range(20))),
            MindState.UNLISTED,
            "it has n0, n1, n2, n3, n4, n5, n6, n7 and 12 more",
        ),
        (models(), MindState.READY, ""),
        (responds(404, "no such page", "text/plain"), MindState.READY, ""),
        (responds(501), MindState.READY, ""),
        (responds(200, "<html>", "text/html"), MindState.READY, ""),
        (responds(200, {"data": [3, {"id": 4}]}), MindState.READY, ""),
        (responds(200, {"data": [{"id": "/models/x.gguf", "owned_by": "llamacpp"}]}), MindState.READY, ""),
        (responds(401, {"error": "who?"}), MindState.UNAUTHORIZED, "who?"),
        (responds(503, {"error": {"message": "Loading model"}}), MindState.FAILED, "Loading model"),
        (_says_nothing, MindState.UNREACHABLE, "no answer within 0.15 seconds"),
        (_hangs_up, MindState.UNREACHABLE, ""),
    ],
)
def test_it_is_found_out_at_the_start_what_there_is(answer: Answer, state: MindState, words: str):
    @run(answer)
    async def _(server: ChatServer) -> None:
        mind = Mind(server.url, "m", None, SHORT if answer is _says_nothing else PATIENCE)
        news = await mind.check()
        await mind.close()
        assert (news.state, news.words) == (state, words)
        assert bool(news.remedy) == (state is not MindState.READY)
        assert (server.asked[0].method, server.asked[0].path) == ("GET", "/v1/models")


def test_several_answers_are_written_at_a_time():
    async def main() -> None:
        both = asyncio.Barrier(2)

        async def answer(request: Request, out: Out) -> None:
            await both.wait()
            await says(request.body["messages"][-1]["content"])(request, out)

        async with asyncio.timeout(LIMIT_S), ChatServer(answer) as server:
            mind = Mind(server.url, "m")

            async def ask(words: str) -> Any:
                return [each async for each in mind.think(Prompt(messages=(Message("user", words),)))]

            told = await asyncio.gather(ask("A"), ask("B"))
            assert [each[0] for each in told] == [Grew("A"), Grew("B")]
            await mind.close()

    asyncio.run(main())
