"""Uploaded pictures of every kind are read in little memory, or refused before that."""

import io
import subprocess
import sys
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from explorer.errors import ExplorerError
from explorer.sources import pictures
from explorer.sources.pictures import SIDE, picture_of


def file_of(image, kind="PNG", **options):
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def read(data):
    with Image.open(io.BytesIO(picture_of(data).png)) as image:
        assert image.mode == "RGB"
        assert image.info == {}
        return np.asarray(image).astype(int)


def waves(height, width, channels):
    y, x = np.mgrid[:height, :width]
    layers = [127 * np.sin(x / 50 + c) * np.cos(y / 70) + 128 for c in range(channels)]
    return Image.fromarray(np.stack(layers, -1).astype(np.uint8))


@pytest.mark.parametrize("image", [waves(1600, 900, 3), waves(700, 2000, 4), waves(50, 60, 4)])
def test_a_picture_read_in_bands_is_the_one_read_whole(image):
    paper = Image.new("RGBA", image.size, "white")
    whole = Image.alpha_composite(paper, image.convert("RGBA")).convert("RGB")
    whole.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    assert np.array_equal(read(file_of(image)), np.asarray(whole))


def test_grey_of_sixteen_bits_is_not_cut_off():
    grey = Image.fromarray(np.full((4, 6), 0x8000, np.uint16))
    assert np.all(read(file_of(grey)) == 0x80)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_mode_of_a_png_is_read(mode):
    assert read(file_of(Image.new(mode, (30, 20)))).shape == (20, 30, 3)


@pytest.mark.parametrize(
    ("kind", "options"),
    [("JPEG", {}), ("JPEG", {"progressive": True}), ("GIF", {}), ("WEBP", {}), ("BMP", {})],
)
def test_every_kind_of_file_is_read(kind, options):
    red = read(file_of(Image.new("RGB", (40, 30), (250, 0, 0)), kind, **options))
    assert np.abs(red - (250, 0, 0)).max() <= 4


def test_a_jpeg_of_four_inks_is_read():
    assert read(file_of(Image.new("CMYK", (40, 30)), "JPEG")).min() > 250


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_of_a_moving_picture_the_first_is_shown(kind):
    first, *others = (Image.new("RGB", (8, 8), (200 - i, 0, 0)) for i in range(100))
    assert read(file_of(first, kind, save_all=True, append_images=others))[0, 0, 0] in (199, 200)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("way", range(1, 9))
def test_a_picture_is_turned_as_its_camera_says(kind, way):
    image = waves(60, 90, 3)
    exif = image.getexif()
    exif[0x0112] = way
    data = file_of(image, kind, exif=exif)
    with Image.open(io.BytesIO(data)) as again:
        upright = np.asarray(ImageOps.exif_transpose(again).convert("RGB"))
    assert np.array_equal(read(data), upright)


@pytest.mark.parametrize("size", [(1, 65_535), (65_535, 1), (3000, 2)])
def test_a_picture_of_one_line_is_read(size):
    assert max(read(file_of(Image.new("RGB", size, "red"))).shape[:2]) == SIDE


@pytest.mark.parametrize("size", [(1, 65_536), (70_000, 1), (8000, 7000), (20_000, 20_000)])
def test_a_picture_of_too_many_pixels_is_refused_with_their_number(size):
    data = file_of(Image.new("1", size))
    words = (
        f"{size[0]:,} × {size[1]:,} pixels; at most 50 million can be read, and 65,535 on a side"
    )
    with pytest.raises(ExplorerError, match=words):
        picture_of(data)


def test_a_picture_is_counted_before_it_is_unpacked(monkeypatch):
    asked, data = [], file_of(Image.new("RGB", (1000, 900)))

    def no_room(size, what, instead):
        asked.append(size)
        raise ExplorerError(f"{what} takes {size}. {instead}")

    monkeypatch.setattr(pictures, "take", no_room)
    monkeypatch.setattr(Image.Image, "load", None)
    with pytest.raises(ExplorerError, match="Unpacking this picture takes"):
        picture_of(data)
    assert 4 * 900_000 <= asked[0] <= 8 * 900_000


PEAK = """
import io, resource
from PIL import Image
from explorer.sources.pictures import picture_of
data = io.BytesIO()
Image.new("RGB", (100, 100)).save(data, "PNG")
picture_of(data.getvalue())
large = open(r"{path}", "rb").read()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
picture_of(large)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.parametrize(("mode", "most"), [("RGBA", 5), ("P", 2)])
def test_fifty_megapixels_take_the_memory_that_is_counted_and_no_copies(mode, most, tmp_path):
    path = tmp_path / "large.png"
    Image.new(mode, (7071, 7071)).save(path, compress_level=1)
    out = subprocess.run(
        [sys.executable, "-c", PEAK.format(path=path)], capture_output=True, text=True, check=True
    )
    assert 1024 * int(out.stdout) < most * 7071**2


GOOD = [file_of(waves(20, 30, 3), kind) for kind in ("PNG", "JPEG", "GIF", "WEBP", "BMP")]


@settings(max_examples=300)
@given(st.sampled_from(GOOD), st.integers(0, 10**4), st.integers(0, 255), st.integers(0, 10**4))
def test_a_damaged_picture_is_shown_or_refused_in_words(data, place, byte, end):
    damaged = bytearray(data)
    damaged[place % len(data)] = byte
    try:
        picture_of(bytes(damaged[: end or None]))
    except ExplorerError:
        return


def _jpeg(**how):
    out = io.BytesIO()
    Image.new("L", (64, 64)).save(out, "JPEG", **how)
    return out.getvalue()


def many_scans():
    data = _jpeg(progressive=True)
    last, end = data.rfind(b"\xff\xda"), data.rfind(b"\xff\xd9")
    return data[:end] + data[last:end] * 200 + data[end:]


def many_markers():
    data = _jpeg()
    return data[:2] + b"\xff\xe9\x00\x02" * 30_000 + data[2:]


def many_chunks():
    out = io.BytesIO()
    Image.new("L", (8, 8)).save(out, "PNG")
    data = out.getvalue()
    empty = b"\0\0\0\0teSt" + zlib.crc32(b"teSt").to_bytes(4, "big")
    return data[:33] + empty * 30_000 + data[33:]


def runs_of_pixels():
    out = io.BytesIO()
    Image.new("L", (8, 8)).save(out, "BMP")
    data = bytearray(out.getvalue())
    data[30] = 1
    return bytes(data)


@pytest.mark.parametrize("made", [many_scans, many_markers, many_chunks, runs_of_pixels])
def test_a_picture_of_very_many_parts_is_refused_before_it_is_unpacked(made):
    with pytest.raises(ExplorerError, match="more parts than any needs"):
        picture_of(made())


def test_an_ordinary_progressive_jpeg_is_read():
    assert picture_of(_jpeg(progressive=True)).png
