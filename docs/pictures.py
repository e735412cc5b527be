"""Makes the pictures in docs/screens again: the real screen in a real talk with the embedded server, driven by keys.

    python docs/pictures.py [NAME ...]       all of them, or those whose names contain one of the words
    python docs/pictures.py --png FOLDER     also as PNG, through rsvg-convert, to look at them

The microphone is a WAV file with the clip that comes along, the speaker another file; nothing is staged but that. It
needs the ear and the voice of the extra `local`, no sound card and no network, and takes as long as the talks do.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import wave
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from voicecli.commands import planning  # noqa: E402
from voicecli.commands.clips import clip  # noqa: E402
from voicecli.commands.conversing import Conversing, Parts, Where  # noqa: E402
from voicecli.config import World, load  # noqa: E402
from voicecli.core.stimuli import Quit  # noqa: E402
from voicecli.devices.card import Card  # noqa: E402
from voicecli.devices.stream import File, SoundSetup  # noqa: E402
from voicecli.logs import open_log  # noqa: E402
from voicecli.ports import RATE  # noqa: E402
from voicecli.runtime.child import Wanted  # noqa: E402
from voicecli.runtime.process import EmbeddedServer  # noqa: E402
from voicecli.server import door, serve  # noqa: E402
from voicecli.server.limits import Limits  # noqa: E402
from voicecli.speech import weights  # noqa: E402
from voicecli.ui.screen.app import Look, TalkApp  # noqa: E402
from voicecli.ui.view import View  # noqa: E402

FOLDER = ROOT / "docs" / "screens"
LIMIT_S = 40.0
"""What has not come by then never will."""
FONT = "DejaVu Sans Mono, Menlo, Consolas, monospace"


class Stage:
    """One talk on one screen, and what can be done with it."""

    def __init__(self, app: TalkApp, pilot: Any, name: str, pngs: Path | None) -> None:
        self._app, self._pilot, self._name, self._pngs = app, pilot, name, pngs

    async def until(self, fact: Callable[[View], object]) -> None:
        """Waits until that is so."""
        limit = time.perf_counter() + LIMIT_S
        while not fact(self._app.facts.view):
            if time.perf_counter() > limit or not self._app.is_running:
                raise TimeoutError(f"{self._name}: what it waits for does not come")
            await asyncio.sleep(0.02)

    async def phase(self, phase: str, then_s: float = 0.0) -> None:
        """Waits for a state, and a little longer."""
        await self.until(lambda view: view.phase is not None and view.phase.phase == phase)
        await asyncio.sleep(then_s)

    async def wait(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def types(self, text: str, enter: bool = True) -> None:
        await self._pilot.press(*("space" if key == " " else key for key in text), *(["enter"] if enter else []))

    async def press(self, *keys: str) -> None:
        await self._pilot.press(*keys)

    async def picture(self, name: str = "") -> None:
        """The screen as it is now."""
        await self._pilot.pause()
        file = FOLDER / f"{self._name}{name}.svg"
        file.write_text(portable(self._app.export_screenshot(title="voicecli")), encoding="utf-8")
        print(f"{file.relative_to(ROOT)}  {file.stat().st_size // 1024} KiB", flush=True)
        if self._pngs is not None:
            png = self._pngs / f"{file.stem}.png"
            subprocess.run(["rsvg-convert", "-o", str(png), str(file)], check=True)


def portable(svg: str) -> str:
    """Without fonts from elsewhere, and so that spaces stay spaces for every program that draws it."""
    svg = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)
    svg = svg.replace("font-family: Fira Code, monospace", f"font-family: {FONT}")
    lines = (line.rstrip() for line in svg.replace("<svg class", '<svg xml:space="preserve" class', 1).splitlines())
    return "\n".join(line for line in lines if line) + "\n"


class Scene(NamedTuple):
    """A picture, and what has to happen for it."""

    name: str
    size: tuple[int, int]
    play: Callable[[Stage], Awaitable[None]]
    look: Look = Look()
    command: planning.Mode = "talk"
    flags: dict[str, str | bool] = {}  # noqa: RUF012 - nobody writes into it
    says: tuple[float, ...] = ()
    """The clip is said after so many seconds, and again after so many more."""
    limits: Limits | None = None
    """Of a server in the place of the child."""
    wrong_key: bool = False


def question(waits: tuple[float, ...]) -> bytes:
    """A WAV that says the clip after each of these seconds of silence, and goes on for a while."""
    pcm = b"".join(bytes(2 * int(seconds * RATE)) + clip("clip:hello") for seconds in waits)
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setparams((1, 2, RATE, 0, "NONE", ""))
        out.writeframes(pcm + bytes(2 * 120 * RATE))
    return file.getvalue()


@contextmanager
def server(limits: Limits, key: str) -> Iterator[str]:
    """The embedded server in a thread, with limits of its own; its URL."""
    house = serve.House(door.Door(digest=door.digest(key)), serve.Bounds(), limits, lambda line: None)
    loop, ready = asyncio.new_event_loop(), threading.Event()
    stop, urls = asyncio.Event(), list[str]()

    def listening(url: str) -> None:
        urls.append(url)
        ready.set()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve.run(house, "127.0.0.1", 0, listening, stop)))
    thread.start()
    ready.wait(10)
    try:
        yield urls[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


async def shoot(scene: Scene, home: Path, pngs: Path | None) -> None:
    key = secrets.token_hex(16)
    if scene.limits is None and not scene.wrong_key:
        child = EmbeddedServer(wanted=Wanted(tones=scene.command == "chat"))
        try:
            where = Where(child.start(), child.token, news=child.news)
            await talk(scene, home, pngs, {}, {}, where, child)
        finally:
            child.stop()
        return
    with server(scene.limits or Limits(), key) as url:
        given = {"VOICECLI_API_KEY": "sk-wrong" if scene.wrong_key else key}
        await talk(scene, home, pngs, {"url": url}, given, None)


async def talk(
    scene: Scene,
    home: Path,
    pngs: Path | None,
    flags: dict[str, str | bool],
    given: dict[str, str],
    where: Where | None,
    child: EmbeddedServer | None = None,
) -> None:
    """Plays the scene."""
    config = load(scene.command, {**flags, **scene.flags}, World(given, None, None))
    log = open_log(config.settings, config.redactor, home)
    setup = None
    if scene.command == "talk":
        (home / "microphone.wav").write_bytes(question(scene.says))
        setup = SoundSetup(File(str(home / "microphone.wav")), File(str(home / "speaker.wav")))
    sides = planning.Sides("device" if setup else "none", setup is not None, "terminal")
    sound = (lambda ring: Card(setup, ring)) if setup else None
    parts = Parts(config, log, scene.command, sides, sound, levels=True, stays=True)
    if where is None:
        profile = planning.chosen(config.settings, config.target).profile
        where = Where(planning.dialled(config.settings, config.target, profile), config.target.key)
    talking = Conversing(parts, where)
    if child is not None:
        child.ring = talking.ring
    talking.begin()
    app = TalkApp(talking, time.perf_counter, scene.look)
    async with app.run_test(size=scene.size) as pilot:
        try:
            await scene.play(Stage(app, pilot, scene.name, pngs))
        finally:
            talking.give(Quit())
            await pilot.pause(0.3)
    limit = time.perf_counter() + 5
    while talking.ended is None and time.perf_counter() < limit:
        for _ in talking.take():
            pass
        await asyncio.sleep(0.05)
    talking.left(0)
    log.close()


# ---- the scenes


async def first_start(stage: Stage) -> None:
    await stage.phase("listening", 2.0)
    await stage.picture()


async def speaking(stage: Stage) -> None:
    await stage.phase("assistant_speaking")
    await stage.until(lambda view: sum(row.role == "assistant" for row in view.rows()) > 1)
    await stage.phase("assistant_speaking", 2.6)
    await stage.picture()


async def interrupted(stage: Stage) -> None:
    await stage.until(lambda view: len(view.interruptions) == 1)
    await stage.phase("you_are_speaking", 1.2)
    await stage.picture()


async def you_speak(stage: Stage) -> None:
    await stage.phase("you_are_speaking", 1.5)
    await stage.picture()


async def recording(stage: Stage) -> None:
    await stage.phase("press_to_talk", 0.5)
    await stage.press("space")
    await stage.phase("recording", 2.6)
    await stage.picture()


async def muted(stage: Stage) -> None:
    await stage.phase("listening", 0.5)
    await stage.types("/mute")
    await stage.phase("muted", 0.5)
    await stage.picture()


async def near(stage: Stage) -> None:
    await stage.until(lambda view: any(told.code == "limit_near" for told in view.notices))
    await stage.phase("assistant_speaking", 0.9)
    await stage.picture()


async def refused(stage: Stage) -> None:
    await stage.phase("not_connected", 0.5)
    await stage.picture()


async def chat(stage: Stage) -> None:
    await stage.phase("waiting_for_you_to_type", 0.3)
    await stage.types("Can you hear me?")
    await stage.until(lambda view: sum(row.role == "assistant" and row.over for row in view.rows()) == 1)
    await stage.types("And how do I keep an SSH connection open?")
    await stage.until(lambda view: sum(row.role == "assistant" and row.over for row in view.rows()) == 2)
    await stage.types("Thank you", enter=False)
    await stage.picture()


async def helped(stage: Stage) -> None:
    await stage.phase("listening", 0.5)
    await stage.press("f1")
    await stage.wait(0.5)
    await stage.picture()


LIGHT, NO_COLOUR = Look(light=True), Look(ascii=True, coloured=False)
INTO = (1.0, 5.0)
"""A question, and another one into its answer."""
SCENES = (
    Scene("speaking-dark-120x40", (120, 40), speaking, says=INTO),
    Scene("interrupted-light-80x24", (80, 24), interrupted, LIGHT, says=INTO),
    Scene("interrupted-dark-120x40", (120, 40), interrupted, says=INTO),
    Scene("speaking-light-200x60", (200, 60), speaking, LIGHT, says=INTO),
    Scene("first-start-dark-80x24", (80, 24), first_start, says=(60.0,)),
    Scene("you-speak-dark-80x24", (80, 24), you_speak, says=(1.0,)),
    Scene("recording-dark-80x24", (80, 24), recording, flags={"ptt": True}, says=(0.5, 0.2, 0.2)),
    Scene("muted-light-80x24", (80, 24), muted, LIGHT, says=(60.0,)),
    Scene("limit-near-dark-80x24", (80, 24), near, says=(1.0,), limits=Limits(tokens_per_minute=1_150)),
    Scene("wrong-key-dark-80x24", (80, 24), refused, says=(60.0,), wrong_key=True),
    Scene("ascii-no-colour-80x24", (80, 24), interrupted, NO_COLOUR, says=INTO),
    Scene("chat-dark-80x24", (80, 24), chat, command="chat"),
    Scene("help-dark-120x40", (120, 40), helped, says=(60.0,)),
)


def main() -> int:
    words = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    words.add_argument("names", nargs="*", help="only those whose names contain one of these")
    words.add_argument("--png", type=Path, help="a folder for the same pictures as PNG")
    asked = words.parse_args()
    if asked.png is not None and not shutil.which("rsvg-convert"):
        words.error("--png needs rsvg-convert (apt install librsvg2-bin)")
    for part in weights.Part:
        if (lack := weights.found(part)) is not None:
            words.error(weights.words(part, lack))
    chosen = [scene for scene in SCENES if not asked.names or any(name in scene.name for name in asked.names)]
    os.environ.setdefault("TERM", "xterm-256color")
    os.environ["COLORTERM"] = "truecolor"
    os.environ.pop("NO_COLOR", None)
    for folder in filter(None, (FOLDER, asked.png)):
        folder.mkdir(parents=True, exist_ok=True)
    failed = 0
    for scene in chosen:
        with tempfile.TemporaryDirectory(prefix="voicecli-pictures-") as home:
            try:
                asyncio.run(shoot(scene, Path(home), asked.png))
            except (TimeoutError, RuntimeError) as error:
                failed += 1
                print(f"{scene.name}: {error}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
