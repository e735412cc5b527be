"""A language model behind an OpenAI-compatible server: it is asked, and its answer comes as it is written.

It knows no session and no sound. What goes wrong is the end of an answer, with a code of ours and never an exception.
"""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
from collections.abc import AsyncGenerator
from contextlib import aclosing
from enum import Enum
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import parse_qsl, urlsplit, urlunsplit

import msgspec
from msgspec.structs import replace

from voicecli.loopback import loopback
from voicecli.protocol.items import StatusError
from voicecli.secret import PUBLIC_QUERY, Redactor, Secret
from voicecli.server import chat_wire
from voicecli.server.chat_reading import MOST_BYTES, Reading
from voicecli.server.chat_wire import Ways, failed
from voicecli.server.orders import Call, Grew, Over, Prompt
from voicecli.server.unkeyed import Unkeyed, ended

if TYPE_CHECKING:
    import httpx2

MOST_REFUSED_BYTES: Final = 64 * 1024
MOST_ASKED: Final = 4
"""A server that does not take how it is asked is asked in another way, so often in all."""
MOST_MODELS: Final = 1000
SHOWN_MODELS: Final = 8
HEADERS: Final = {
    "Accept": "text/event-stream, application/json",
    "Accept-Encoding": "identity",
    "User-Agent": "voicecli",
}


class Patience(NamedTuple):
    """How long is waited, in seconds."""

    connect_s: float = 10.0
    first_s: float = 25.0
    """For the first word, thoughts of a reasoning model not counted: a client gives an answer up after 30 s (G15)."""
    next_s: float = 20.0
    end_s: float = 2.0
    """For the count of tokens, once all words are here."""
    check_s: float = 5.0


PATIENCE: Final = Patience()


class MindState(Enum):
    """What there is behind the URL; the value is the code of the notice."""

    READY = "ready"
    UNREACHABLE = "llm_unreachable"
    UNLISTED = "llm_model_unlisted"
    """It has other models. Some servers take any name all the same."""
    UNAUTHORIZED = "llm_unauthorized"
    FAILED = "llm_failed"


class MindNews(NamedTuple):
    """What was found at the start."""

    state: MindState
    words: str = ""
    """What more there is to say: the server's words, or which models there are. Foreign text."""
    remedy: str = ""
    models: tuple[str, ...] = ()
    """What the server lists; empty where it lists nothing."""


REMEDIES: Final = {
    MindState.READY: "",
    MindState.UNREACHABLE: "Start it (ollama serve; llama-server -m FILE), and check --llm-url.",
    MindState.UNLISTED: "Choose one of them by --llm-model, or fetch it (ollama pull NAME).",
    MindState.UNAUTHORIZED: "Put its key into VOICECLI_LLM_API_KEY.",
    MindState.FAILED: "It may still be loading the model; its own log says more.",
}


class Mind:
    """One language model. It may answer several prompts at a time. To be used on one event loop."""

    def __init__(
        self,
        url: str,
        model: str,
        key: Secret | None = None,
        patience: Patience = PATIENCE,
        temperature: float | None = None,
    ) -> None:
        """`url`: http or https, up to and without `/chat/completions`. Where a key may go is decided elsewhere.

        `temperature` is that of prompts that have none: a session in GA cannot say one.
        """
        self.model: Final = model
        self._url = urlsplit(url)
        self._literal = loopback(self._url.hostname or "")
        self._key = key
        queried = (Secret(value) for name, value in parse_qsl(self._url.query) if name.lower() not in PUBLIC_QUERY)
        self._redactor = Redactor([*queried, *([] if key is None else [key])])
        self._patience = patience
        self._temperature = temperature
        self._ways = Ways()
        self._client: httpx2.AsyncClient | None = None

    async def check(self) -> MindNews:
        """Asks once which models there are. A server that does not tell is fine. Never raises but CancelledError."""
        try:
            async with asyncio.timeout(self._patience.check_s):
                response = await self._sent("GET", "models")
                try:
                    body = await _some(response, MOST_BYTES)
                finally:
                    await response.aclose()
        except TimeoutError:
            return _news(MindState.UNREACHABLE, f"no answer within {self._patience.check_s:g} seconds")
        except Exception as error:
            return _news(MindState.UNREACHABLE, _failure(error).message or "")
        words = ended(self._redactor, chat_wire.words_of(body)) or f"HTTP {response.status_code}"
        if response.status_code in (401, 403):
            return _news(MindState.UNAUTHORIZED, words)
        if response.status_code >= 500 and response.status_code != 501:
            return _news(MindState.FAILED, words)
        models = tuple(map(self._redactor.known, _models(body))) if response.status_code == 200 else ()
        if models and not {self.model, f"{self.model}:latest"} & set(models):
            more = f" and {len(models) - SHOWN_MODELS} more" if len(models) > SHOWN_MODELS else ""
            return _news(MindState.UNLISTED, f"it has {', '.join(models[:SHOWN_MODELS])}{more}", models)
        return MindNews(MindState.READY, models=models)

    async def think(self, prompt: Prompt) -> AsyncGenerator[Grew | Call | Over]:
        """The answer as it is written, with exactly one `Over` as its last. Never raises but CancelledError.

        Closing the generator closes the stream at once, and with it what the server generates. Its calls are whole;
        the `call_id` of one is empty where the server gave none. The key is in none of it.
        """
        unkeyed = Unkeyed(self._redactor)
        async with aclosing(self._thoughts(prompt)) as thoughts:
            async for told in thoughts:
                for each in unkeyed.feed(told):
                    yield each

    async def _thoughts(self, prompt: Prompt) -> AsyncGenerator[Grew | Call | Over]:
        """As `think`, but the key may be in it."""
        reading = Reading()
        try:
            async with aclosing(self._answer(prompt, reading)) as answer:
                async for told in answer:
                    yield told
        except TimeoutError:
            for told in reading.close() if reading.finished else (_over(failed("llm_slow", self._waited(reading))),):
                yield told
        except Exception as error:
            yield _over(_failure(error))

    async def close(self) -> None:
        """Lets go of its connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def _answer(self, prompt: Prompt, reading: Reading) -> AsyncGenerator[Grew | Call | Over]:
        """As `_thoughts`, but what goes wrong below HTTP is raised."""
        until = asyncio.get_running_loop().time() + self._patience.first_s
        if prompt.temperature is None:
            prompt = replace(prompt, temperature=self._temperature)
        for _ in range(MOST_ASKED):
            asked = json.dumps(chat_wire.request(prompt, self.model, self._ways)).encode()  # half characters and all
            async with asyncio.timeout_at(until):
                response = await self._sent("POST", "chat/completions", asked)
            try:
                if response.status_code == 200:
                    async with aclosing(self._read(response, reading, until)) as answer:
                        async for told in answer:
                            yield told
                    return
                async with asyncio.timeout_at(until):
                    body = await _some(response, MOST_REFUSED_BYTES)
            finally:
                await response.aclose()
            ways = chat_wire.relearned(self._ways, response.status_code, body.decode("utf-8", "replace"))
            if ways is None:
                break
            self._ways = ways
        location = urlsplit(response.headers.get("location", "")).hostname or ""
        yield _over(chat_wire.refused(response.status_code, body, location))

    async def _read(
        self, response: httpx2.Response, reading: Reading, until: float
    ) -> AsyncGenerator[Grew | Call | Over]:
        """The answer in a response that is one. TimeoutError where it comes too slowly."""
        clock = asyncio.get_running_loop().time
        if "json" in response.headers.get("content-type", ""):
            async with asyncio.timeout_at(until):
                body = await _some(response, MOST_BYTES)
            for told in reading.whole(body):
                yield told
            return
        chunks = response.aiter_raw().__aiter__()
        while not reading.over:
            async with asyncio.timeout_at(until):
                data = await anext(chunks, None)
            grown, finished = reading.grown, reading.finished
            for told in reading.close() if data is None else reading.feed(data):
                yield told
            if reading.finished and not finished:
                until = clock() + self._patience.end_s
            elif reading.grown > grown:
                until = clock() + self._patience.next_s

    def _waited(self, reading: Reading) -> str:
        if reading.grown:
            return f"nothing more came for {self._patience.next_s:g} seconds"
        thinks = " (it was thinking)" if reading.thinks else ""
        return f"no word came within {self._patience.first_s:g} seconds{thinks}"

    async def _sent(self, method: str, what: str, body: bytes | None = None) -> httpx2.Response:
        """The head of a response, its body still to be read. Redirects are never followed (G5)."""
        client = self._connected()
        parts, headers, extensions = self._url, dict(HEADERS), {}
        if self._literal is not None:  # dialled as the literal address, so that no name leads elsewhere (G6)
            at = f"[{self._literal}]" if ":" in self._literal else self._literal
            headers["Host"], extensions = parts.netloc, {"sni_hostname": parts.hostname}
            parts = parts._replace(netloc=at if parts.port is None else f"{at}:{parts.port}")
        if body is not None:
            headers["Content-Type"] = "application/json"
        if self._key is not None:
            headers["Authorization"] = f"Bearer {self._key.reveal()}"
        url = urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/{what}"))
        request = client.build_request(method, url, headers=headers, content=body, extensions=extensions)
        return await client.send(request, stream=True, follow_redirects=False)

    def _connected(self) -> httpx2.AsyncClient:
        if self._client is None:
            import httpx2

            for name in ("httpx2", "httpcore2"):  # they log URLs and headers
                logging.getLogger(name).setLevel(logging.WARNING)
            timeout = httpx2.Timeout(None, connect=self._patience.connect_s, write=self._patience.connect_s)
            # Loopback has no proxy (G7); others have the one of the environment.
            here = self._literal is not None
            # Without TLS no certificates are needed, which take a tenth of a second to load.
            bare = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if here and self._url.scheme == "http" else True
            self._client = httpx2.AsyncClient(timeout=timeout, trust_env=not here, verify=bare)
        return self._client


def _failure(error: Exception) -> StatusError:
    from voicecli.server.llm_failures import failure  # it loads the library

    return failure(error)


async def _some(response: httpx2.Response, most: int) -> bytes:
    """The body, as far as `most` bytes of it."""
    body = bytearray()
    async for data in response.aiter_raw():
        body += data
        if len(body) >= most:
            break
    return bytes(body[:most])


def _over(error: StatusError) -> Over:
    return Over("failed", error=error)


def _news(state: MindState, words: str = "", models: tuple[str, ...] = ()) -> MindNews:
    return MindNews(state, words, REMEDIES[state], models)


def _models(body: bytes) -> tuple[str, ...]:
    """The ids in what `/models` gives; none where it is something else, or where the server takes any name."""
    try:
        match msgspec.json.decode(body):
            case {"data": [{"owned_by": "llamacpp"}, *_]}:
                return ()
            case {"data": [*models]} | [*models]:
                names = (model.get("id") for model in models if isinstance(model, dict))
                return tuple(name[:200] for name in names if isinstance(name, str))[:MOST_MODELS]
            case _:
                return ()
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return ()
