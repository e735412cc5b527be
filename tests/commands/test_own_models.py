"""A language model of one's own, end to end: the program, its child, and a chat-completions server of the test's."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.commands.processes import Home, children, wait_for
from tests.server.chat_completions import Answer, ChatServer, Out, Request, responds, says

KEY = "sk-CANARY0123456789"
MODELS = responds(200, {"data": [{"id": "tiny"}]})


@contextmanager
def serving(*answers: Answer) -> Iterator[ChatServer]:
    """In a thread of its own; the first answer is for the question which models there are."""
    server, ready, over = ChatServer(*answers), threading.Event(), threading.Event()

    async def main() -> None:
        async with server:
            ready.set()
            await asyncio.to_thread(over.wait)

    thread = threading.Thread(target=asyncio.run, args=(main(),), daemon=True)
    thread.start()
    assert ready.wait(20)
    try:
        yield server
    finally:
        over.set()
        thread.join(20)


def by_path(chat: Answer, models: Answer = MODELS) -> Answer:
    async def answer(request: Request, out: Out) -> None:
        await (models if request.path.endswith("/models") else chat)(request, out)

    return answer


def asked(server: ChatServer) -> list[Request]:
    return [request for request in server.asked if request.method == "POST"]


def lines(*texts: str) -> bytes:
    return b"".join(json.dumps({"type": "say", "text": text}).encode() + b"\n" for text in texts)


def test_a_question_is_answered_by_the_language_model(home: Home):
    usage = {"prompt_tokens": 12, "completion_tokens": 3}
    with serving(by_path(says("It ", "scatters.", usage=usage))) as server:
        flags = ("--llm-url", server.url, "--llm-model", "tiny", "--instructions", "Be brief.", "--max-tokens", "50")
        done = home.run("chat", "why is the sky blue", *flags)
    assert (done.code, done.out) == (0, "It scatters.\n")
    where = f"notice: Talking with the language model tiny at 127.0.0.1:{server.port} (from --llm-url)."
    assert f"{where} Nothing leaves this machine." in done.err
    (request,) = asked(server)
    assert request.body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "why is the sky blue"},
    ]
    assert (request.body["model"], request.body["max_tokens"]) == ("tiny", 50)
    assert "authorization" not in request.headers


def test_a_talk_goes_on_with_what_was_said_before(home: Home):
    with serving(by_path(says("Yes."))) as server:
        flags = ("--llm-url", server.url, "--llm-model", "tiny", "--jsonl")
        done = home.run("chat", *flags, stdin=lines("one", "two"))
    assert done.code == 0
    assert json.loads(done.lines[0])["llm"] == {"model": "tiny", "host": f"127.0.0.1:{server.port}", "local": True}
    said = [(each["role"], each["content"]) for each in asked(server)[-1].body["messages"]]
    assert said == [("user", "one"), ("assistant", "Yes."), ("user", "two")]


def test_the_temperature_reaches_the_model_in_a_dialect_that_has_none(home: Home, tmp_path: Path):
    file = tmp_path / "mine.json"
    file.write_text('{"temperature": 0.7}')
    with serving(by_path(says("Yes."))) as server:
        flags = ("hello", "--llm-url", server.url, "--llm-model", "tiny")
        done = [home.run("chat", *flags, "--temperature", "1.5"), home.run("chat", *flags, "--session", str(file))]
    assert [(each.code, each.out) for each in done] == [(0, "Yes.\n")] * 2
    assert [request.body["temperature"] for request in asked(server)] == [1.5, 0.7]
    assert all("temperature" not in each.err for each in done)


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="only /proc shows another process's environment")
def test_g29_its_key_is_sent_to_it_and_stands_in_nobodys_environment_arguments_or_log(home: Home):
    with serving(by_path(responds(500, {"error": f"no {KEY}"}))) as server:
        flags = ("--llm-url", server.url, "--llm-model", "tiny", "--log-level", "debug")
        environ: dict[str, str | None] = {"VOICECLI_LLM_API_KEY": KEY}
        with home.running("chat", *flags, env=environ, stdin=-1) as running:
            running.type("hello")
            wait_for(lambda: bool(asked(server)))
            (child,) = children(running.pid)
            seen = [Path(f"/proc/{child}/{name}").read_bytes() for name in ("environ", "cmdline")]
            seen.append(Path(f"/proc/{running.pid}/cmdline").read_bytes())
            running.close_stdin()
            done = running.done()
    assert {request.headers["authorization"] for request in server.asked} == {f"Bearer {KEY}"}
    assert all(KEY.encode() not in each for each in seen)
    assert KEY not in done.out + done.err + home.log
    assert "The server of the language model tiny at" in done.err + done.out


@pytest.mark.parametrize(
    ("chat", "models", "words"),
    [
        (responds(404, {"error": 'model "tiny" not found'}), MODELS, "ollama pull"),
        (responds(404, b"404 page not found", "text/plain"), responds(404), "--llm-url the base of its API"),
        (says("Yes."), responds(200, {"data": [{"id": "other"}]}), "it has other"),
        (responds(401, {"error": "who?"}), responds(401, {"error": "who?"}), "VOICECLI_LLM_API_KEY"),
    ],
)
def test_what_goes_wrong_is_a_notice_with_a_remedy(home: Home, chat: Answer, models: Answer, words: str):
    with serving(by_path(chat, models)) as server:
        done = home.run("chat", "--llm-url", server.url, "--llm-model", "tiny", stdin=b"hello\n")
    assert words in done.err + done.out
    assert f"tiny at 127.0.0.1:{server.port}" in done.err + done.out


def test_a_server_that_is_not_running_is_told_and_the_question_fails(home: Home):
    with serving(says("")) as server:
        url = server.url
    done = home.run("chat", "hello", "--llm-url", url, "--llm-model", "tiny")
    assert (done.code, done.out) == (1, "")
    assert "cannot be reached" in done.err
    assert "ollama serve" in done.err


def test_g5_and_g7_no_proxy_is_asked_and_no_redirect_followed(home: Home):
    with serving(says("No.")) as other:
        more = f"Location: {other.url}/chat/completions\r\n"
        with serving(by_path(responds(308, more=more))) as server:
            proxy = f"http://127.0.0.1:{other.port}"
            environ: dict[str, str | None] = {"HTTP_PROXY": proxy, "ALL_PROXY": proxy, "http_proxy": proxy}
            done = home.run("chat", "hello", "--llm-url", server.url, "--llm-model", "tiny", env=environ)
        assert done.code == 1
        assert other.connections == 0
        assert "elsewhere" in done.err


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--llm-url", "http://127.0.0.1:1/v1"), "--llm-model"),
        (("--llm-model", "tiny"), "--llm-url"),
        (
            ("--llm-url", "http://127.0.0.1:1/v1", "--llm-model", "m", "--url", "ws://127.0.0.1:1/"),
            "exclude each other",
        ),
        (("--llm-url", "ftp://127.0.0.1", "--llm-model", "m"), "none of http://"),
    ],
)
def test_what_does_not_go_together_is_exit_2(home: Home, flags: tuple[str, ...], words: str):
    done = home.run("chat", "hello", *flags)
    assert done.code == 2
    assert words in done.err


def test_serve_lends_its_voice_too_and_says_what_is_wrong_with_the_model(home: Home):
    with serving(by_path(says("Yes."), responds(503, {"error": {"message": "Loading model"}}))) as model:
        flags = ("--port", "0", "--llm-url", model.url, "--llm-model", "tiny", "--temperature", "0.3")
        with home.running("serve", *flags, env={"VOICECLI_LLM_API_KEY": KEY}) as house:
            assert house.err is not None
            told = house.err.until("Loading model.*")
            url = house.lines().until(r"ws://\S+")
            done = home.run("chat", "hello", "--url", url)
        assert (done.code, done.out) == (0, "Yes.\n")
        assert {request.headers["authorization"] for request in model.asked} == {f"Bearer {KEY}"}
        assert [request.body["temperature"] for request in asked(model)] == [0.3]
    assert "Loading model" in told


def test_g9_serve_does_not_hand_its_key_to_clients_where_the_model_repeats_it(home: Home):
    with serving(by_path(says("It is ", KEY[:2], KEY[2:9], KEY[9:], ", ", KEY[:5]))) as model:
        flags = ("--port", "0", "--llm-url", model.url, "--llm-model", "tiny")
        with home.running("serve", *flags, env={"VOICECLI_LLM_API_KEY": KEY}) as house:
            done = home.run("chat", "hello", "--url", house.lines().until(r"ws://\S+"))
    assert (done.code, done.out) == (0, f"It is [key], {KEY[:5]}\n")
