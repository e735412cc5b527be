"""A private PulseAudio with a speaker and a microphone, for tests: no sound card, no root, nothing in the home folder.

`norewinds=1` is what makes null sinks keep time; sinks at 24 kHz mono pass our samples on as they are.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from time import perf_counter

import numpy as np

RATE = 24_000
APT = "apt-get install --no-install-recommends pulseaudio pulseaudio-utils libasound2-plugins libportaudio2"

ASOUND = """</usr/share/alsa/alsa.conf>
pcm.vc_speaker {{ type pulse server "{server}" device "speaker" }}
pcm.vc_mic     {{ type pulse server "{server}" device "mic" }}
pcm.!default   {{ type pulse server "{server}" }}
ctl.!default   {{ type pulse server "{server}" }}
"""


def missing() -> str:
    """What is not installed, "" if all is there."""
    for tool in ("pulseaudio", "pactl", "parec", "paplay"):
        if not shutil.which(tool):
            return tool
    if not sys.platform.startswith("linux"):
        return "Linux"
    try:
        ctypes.CDLL("libportaudio.so.2")
    except OSError:
        return "libportaudio2"
    if not any(Path("/usr/lib").glob("*/alsa-lib/libasound_module_pcm_pulse.so")):
        return "libasound2-plugins"
    return ""


def _die_with_us() -> None:
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


class VirtualAudio:
    """`with VirtualAudio() as audio:` sets `PULSE_SERVER` and `ALSA_CONFIG_PATH` for this process and its children.

    Each has a folder of its own, so that several may run at once; the sound server dies with this process, even by
    `kill -9`.
    """

    NAMES = ("PULSE_SERVER", "ALSA_CONFIG_PATH", "PULSE_COOKIE", "PULSE_SINK", "PULSE_SOURCE")

    def __init__(self, rate: int = RATE) -> None:
        self.rate = rate
        self.folder = Path(tempfile.mkdtemp(prefix="voicecli-audio-"))
        self.server = f"unix:{self.folder / 'native'}"
        self.env: dict[str, str] = {}
        """What a child needs."""

    def __enter__(self) -> VirtualAudio:
        (self.folder / "asound.conf").write_text(ASOUND.format(server=self.server))
        home = str(self.folder)
        env = {name: value for name, value in os.environ.items() if name not in self.NAMES}
        private = dict.fromkeys(("HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "PULSE_RUNTIME_PATH"), home)
        no_bus = dict.fromkeys(("DBUS_SESSION_BUS_ADDRESS", "DBUS_SYSTEM_BUS_ADDRESS"), "disabled:")
        null = f"module-null-sink norewinds=1 rate={self.rate} channels=1 "
        command = "pulseaudio -n --daemonize=no --use-pid-file=no --exit-idle-time=-1 --disallow-exit=yes --realtime=no"
        self.log = (self.folder / "log").open("wb")
        self.process = subprocess.Popen(
            [
                *command.split(),
                # As on a real system, where it may; else it goes on without.
                "--high-priority=yes",
                "--log-target=stderr",
                *("-L", f"module-native-protocol-unix socket={self.folder / 'native'} auth-anonymous=1"),
                *("-L", null + "sink_name=speaker"),
                *("-L", null + "sink_name=micfeed"),
                *("-L", "module-remap-source source_name=mic master=micfeed.monitor channels=1"),
            ],
            env=env | private | no_bus,
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
            preexec_fn=_die_with_us,
        )
        deadline = time.monotonic() + 10
        while subprocess.run(["pactl", "-s", self.server, "info"], capture_output=True).returncode:
            if self.process.poll() is not None or time.monotonic() > deadline:
                said = (self.folder / "log").read_text()
                self.stop()
                raise RuntimeError(f"pulseaudio did not start:\n{said}")
            time.sleep(0.02)
        self.pactl("set-default-sink", "speaker")
        self.pactl("set-default-source", "mic")
        self.env = {"PULSE_SERVER": self.server, "ALSA_CONFIG_PATH": str(self.folder / "asound.conf")}
        self._saved = {name: os.environ.pop(name, None) for name in self.NAMES}
        os.environ.update(self.env)
        rescan()
        return self

    def __exit__(self, *_: object) -> None:
        for name, value in self._saved.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
        self.stop()
        rescan()

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(3)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def pactl(self, *args: str) -> str:
        command = ["pactl", "-s", self.server, *args]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def listeners(self) -> list[str]:
        """Who has a microphone open just now, one line of pactl each."""
        return [
            line
            for line in self.pactl("list", "short", "source-outputs").splitlines()
            if line and not self._is_ours(line.split()[0])
        ]

    def speakers(self) -> list[str]:
        """Who has a speaker open just now, one line of pactl each."""
        return [line for line in self.pactl("list", "short", "sink-inputs").splitlines() if line]

    def _is_ours(self, number: str) -> bool:
        text = self.pactl("list", "source-outputs")
        block = text.split(f"Source Output #{number}\n", 1)[-1].split("Source Output #", 1)[0]
        return "parec" in block or "remap" in block.lower()

    def unload(self, name: str) -> None:
        """Takes a sink or source away, as if it were unplugged."""
        for line in self.pactl("list", "short", "modules").splitlines():
            if name in line:
                self.pactl("unload-module", line.split()[0])
                return
        raise LookupError(name)

    def speaking(self, wav: os.PathLike[str] | str) -> subprocess.Popen[str]:
        """Starts to play a WAV into the microphone; the caller waits for it and looks at its exit code."""
        return subprocess.Popen(
            ["paplay", "-s", self.server, "--device=micfeed", "--latency-msec=50", str(wav)],
            stderr=subprocess.PIPE,
            text=True,
        )

    def speak_into_mic(self, wav: os.PathLike[str] | str, timeout: float = 60) -> None:
        """Plays a WAV into the microphone to its end."""
        player = self.speaking(wav)
        try:
            _, said = player.communicate(timeout=timeout)
        except BaseException:
            player.kill()
            player.wait()
            raise
        if player.returncode:
            raise RuntimeError(f"paplay ended with {player.returncode}: {said.strip()}")

    def monitor(self, source: str = "speaker.monitor", block_ms: int = 10) -> Monitor:
        """Records what the speaker gives, or another source, until `Monitor.stop`; it gives blocks of `block_ms`."""
        return Monitor(self, source, block_ms)


class Monitor(threading.Thread):
    """What left the speaker, sample for sample (where the sink runs at 24 kHz mono), with the times it did."""

    def __init__(self, audio: VirtualAudio, source: str = "speaker.monitor", block_ms: int = 10) -> None:
        super().__init__(daemon=True)
        self._blocks: list[tuple[float, bool, int, bytes]] = []
        self._n = 0
        self.loud = False
        """Something else than silence has come so far."""
        how = [
            "--raw",
            "--format=s16le",
            f"--rate={RATE}",
            "--channels=1",
            f"--latency-msec={block_ms}",
            f"--process-time-msec={block_ms // 2}",
        ]
        self._process = subprocess.Popen(
            ["parec", "-s", audio.server, "-d", source, *how],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            preexec_fn=_die_with_us,
        )
        self.start()
        deadline = time.monotonic() + 5
        while not self._n and time.monotonic() < deadline:
            time.sleep(0.01)

    def run(self) -> None:
        assert self._process.stdout
        rest, last = b"", 0.0
        while data := os.read(self._process.stdout.fileno(), 65_536):
            now = perf_counter()
            data = rest + data
            whole = len(data) // 2 * 2
            rest = data[whole:]
            self._blocks.append((now, now - last > 0.003, self._n, data[:whole]))
            self._n += whole // 2
            self.loud = self.loud or any(data)
            last = now

    def stop(self) -> Recording:
        self._process.terminate()
        self._process.wait()
        self.join(2)
        return Recording(self._blocks)


class Recording:
    """Sample i of `pcm` (int16) was heard at `when(i)`, by `time.perf_counter`, true within 1 or 2 ms."""

    def __init__(self, blocks: list[tuple[float, bool, int, bytes]]) -> None:
        self.pcm = np.frombuffer(b"".join(block[3] for block in blocks), "<i2")
        # The first read after a pause is the one that came without delay; the earliest of those tell the time.
        heads = np.array([(n, now - n / RATE) for now, head, n, _ in blocks if head])
        self._at = np.arange(0, max(1, len(self.pcm)), 4 * RATE)
        self._offset = np.array([np.percentile(heads[abs(heads[:, 0] - at) <= 8 * RATE][:, 1], 15) for at in self._at])

    def when(self, i: int) -> float:
        return float(np.interp(i, self._at, self._offset)) + i / RATE

    def index(self, at: float) -> int:
        guess = (at - self._offset[0]) * RATE
        return int((at - np.interp(guess, self._at, self._offset)) * RATE)

    def find(self, piece: np.ndarray, start: int = 0, stop: int | None = None) -> int | None:
        """Where these samples lie in the recording, exactly, sample for sample."""
        area = self.pcm[start:stop].tobytes()
        want = piece.astype("<i2").tobytes()
        at = area.find(want)
        while at >= 0 and at % 2:
            at = area.find(want, at + 1)
        return None if at < 0 else start + at // 2


def rescan() -> None:
    """PortAudio lists devices once, when it is initialised: again, for the devices of now."""
    sounddevice = sys.modules.get("sounddevice")
    if sounddevice is not None:
        sounddevice._terminate()
        sounddevice._initialize()
