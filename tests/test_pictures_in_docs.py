"""The pictures in docs/screens: those that README and docs show are there, and none asks for anything elsewhere."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PICTURES = sorted((ROOT / "docs" / "screens").glob("*.svg"))
LARGEST = 100_000


def scenes() -> set[str]:
    return set(re.findall(r'^    Scene\("([^"]+)"', (ROOT / "docs" / "pictures.py").read_text(), re.MULTILINE))


def test_there_is_a_picture_of_every_scene_and_no_other():
    assert scenes() == {picture.stem for picture in PICTURES}


def test_every_picture_that_the_readme_shows_is_there():
    shown = re.findall(r"\]\((docs/[^)]+\.svg)\)", (ROOT / "README.md").read_text())
    assert shown
    for name in shown:
        assert (ROOT / name).is_file()


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.stem)
def test_a_picture_is_small_and_whole(picture):
    text = picture.read_text(encoding="utf-8")
    assert len(text) < LARGEST
    assert text.startswith("<svg")
    assert text.rstrip().endswith("</svg>")
    assert set(re.findall(r"https?://[^\"\s<]+", text)) <= {
        "http://www.w3.org/2000/svg",
        "https://www.textualize.io",
    }
    assert "<script" not in text
