"""A file as an image: known by its bytes, bounded, and its failures in words."""

from __future__ import annotations

import base64
import os
import struct
import sys
import threading
import zlib
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicecli.commands.pictures import LARGEST, BadPicture, Reader, Seen, look, read
from voicecli.core.stimuli import Pictured


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int) -> bytes:
    """A whole one, black."""
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress((b"\0" + bytes(width)) * height)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def jpeg(width: int, height: int, marker: int = 0xC0) -> bytes:
    """As far as its size: what cameras write before it, fill bytes too."""
    exif = b"\xff\xe1" + struct.pack(">H", 10) + b"Exif\0\0\xff\xc0"
    frame = b"\xff" + bytes([marker]) + struct.pack(">HBHHB", 17, 8, height, width, 3) + bytes(9)
    return b"\xff\xd8" + exif + b"\xff" + frame + b"\xff\xd9"


@pytest.mark.parametrize(
    ("data", "seen"),
    [
        (png(640, 480), Seen("image/png", 640, 480)),
        (jpeg(1920, 1080), Seen("image/jpeg", 1920, 1080)),
        (jpeg(3, 2, 0xC2), Seen("image/jpeg", 3, 2)),
        (png(640, 480)[:20], Seen("image/png", None, None)),
        (jpeg(640, 480)[:20], Seen("image/jpeg", None, None)),
    ],
)
def test_an_image_is_known_by_its_bytes(data: bytes, seen: Seen) -> None:
    assert look(data) == seen


@pytest.mark.parametrize("start", [b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", jpeg(1, 1)[:16]])
@given(rest=st.binary(max_size=60))
def test_no_bytes_break_it(start: bytes, rest: bytes) -> None:
    with suppress(BadPicture):
        assert look(start + rest).mime in ("image/png", "image/jpeg")


def test_a_file_is_a_data_url_with_its_name_and_size(tmp_path: Path) -> None:
    path = tmp_path / "my photo.txt"
    path.write_bytes(png(4, 3))
    picture = read(path, "what is this?")
    url = f"data:image/png;base64,{base64.b64encode(png(4, 3)).decode()}"
    assert picture == Pictured(name="my photo.txt", size="4x3", url=url, text="what is this?")
    path.write_bytes(jpeg(4, 3)[:20])
    assert read(path).size == "20 bytes"


def test_what_is_too_large_or_nothing_is_refused_before_it_is_sent(tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    path.write_bytes(png(1, 1) + bytes(LARGEST))
    with pytest.raises(BadPicture, match="more than 5 MiB"):
        read(path)
    path.write_bytes((png(1, 1) + bytes(LARGEST))[:LARGEST])
    assert read(path).size == "1x1"
    path.write_bytes(b"")
    with pytest.raises(BadPicture, match="it is empty"):
        read(path)
    path.write_bytes(b"GIF89a")
    with pytest.raises(BadPicture, match="neither PNG nor JPEG"):
        read(path)


def test_a_file_that_cannot_be_read_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(BadPicture, match="No such file"):
        read(tmp_path / "none.png")
    with pytest.raises(BadPicture):
        read(tmp_path)
    with pytest.raises(BadPicture):
        read(Path("nul\0.png"))


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such files")
def test_a_pipe_is_no_file_and_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(BadPicture, match="it is no file"):
        read(tmp_path / "pipe.png")


def test_the_reader_rings_once_it_has_read_or_has_not(tmp_path: Path) -> None:
    rung = threading.Event()
    reader = Reader(rung.set)
    assert not reader.busy
    (tmp_path / "x.png").write_bytes(png(1, 1))
    for name, kind in (("x.png", Pictured), ("none.png", BadPicture)):
        rung.clear()
        reader.start(tmp_path / name, "")
        assert reader.busy
        assert rung.wait(10)
        assert isinstance(reader.take(), kind)
        assert not reader.busy
        assert reader.take() is None
