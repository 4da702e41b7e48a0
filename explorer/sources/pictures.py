"""Uploaded pictures: counted before they are unpacked, made small, written anew. No torch."""

import hashlib
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice

from PIL import Image, ImageOps

from explorer.errors import ExplorerError, refusing
from explorer.language import t
from explorer.picture import Picture
from explorer.sources.memory import take
from explorer.sources.progress import away

# Pillow has a limit of its own, which would call a large picture a damaged one: ours is lower, and
# asked for after every `Image.open` of a stranger's file.
Image.MAX_IMAGE_PIXELS = None
MAX_PIXELS = 50_000_000  # a photograph of 50 megapixels
MAX_SIDE = 65_535  # pixels, as JPEG has it: a line of pixels takes room, however short
SIDE = 768  # pixels of a picture's longer side, as it is kept
_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
# Bytes of a pixel while a picture is unpacked, as measured: what Pillow keeps of it (at most 4),
# and what a decoder holds beside it, such as all waves of a progressive JPEG.
_BYTES = {"JPEG": 8, "WEBP": 20}
_BYTES_OF_OTHERS = 5
_SCANS = 40  # of a progressive JPEG; ten are usual
_PARTS = 20_000  # of a file; a PNG of 50 megapixels comes in some thousands
_BAND = 64  # rows of the small picture that are made at once
_WHICH_END_IS_UP = ("exif", "xmp", "XML:com.adobe.xmp")
_SEEN_PIXELS = 2**22  # of what a model saw; a file may say anything


def picture_at_hand(image: object) -> Picture | None:
    """A picture that somebody has opened with PIL; None if it is something else.

    Raises:
        ExplorerError: It is too large.
    """
    if not isinstance(image, Image.Image):
        return None
    out = io.BytesIO()
    with refusing(t("This picture cannot be read. Convert it to RGB: image.convert(“RGB”).")):
        image.save(out, "PNG")
    return picture_of(out.getvalue())


def picture_of(data: bytes) -> Picture:
    """An uploaded picture: opened, made small, turned upright, and written anew.

    Of a moving picture it is the first one.

    Raises:
        ExplorerError: It is no picture, or too large to be unpacked here.
    """
    kinds = ", ".join(_FORMATS)
    with (
        away(),  # Pillow unpacks in one go, without Python's lock: others may compute meanwhile
        refusing(
            t(
                "This file is no picture that can be read, or it is damaged. Choose one"
                " of {kinds}.",
                kinds=kinds,
            )
        ),
        _of_few_parts(data),
        Image.open(io.BytesIO(data), formats=_FORMATS) as image,
    ):
        _check_size(image)
        whole = image.size
        image.draft("RGB", (2 * SIDE, 2 * SIDE))  # a JPEG can be unpacked small
        small = _shrunk(image)
        small.info = {key: image.info[key] for key in _WHICH_END_IS_UP if key in image.info}
        upright = ImageOps.exif_transpose(small)
        if upright.size != small.size:  # it lies on its side in the file
            whole = whole[::-1]
        smaller = max(whole) > SIDE
        return replace(stored(upright), made_from=whole if smaller else None)


@contextmanager
def _of_few_parts(data: bytes) -> Iterator[None]:
    """Refuse a picture of very many parts: each takes its time, however small the file.

    Raises:
        ExplorerError: It has more than any picture needs.
    """
    if data[:2] == b"\xff\xd8":  # JPEG: between its pixels no such sign can stand
        many = data.count(b"\xff\xda") > _SCANS or _more_than(rb"\xff[\xe0-\xef\xfe]", data)
    elif data[:2] == b"BM":
        many = int.from_bytes(data[30:34], "little") in (1, 2)  # runs of equal pixels, in old files
    else:
        many = data[:4] == b"\x89PNG" and _chunks(data) > _PARTS
    if many:
        raise ExplorerError(
            t(
                "This picture is put together of more parts than any needs, and would "
                "keep others waiting. Save it anew, as PNG or JPEG, with an ordinary "
                "program."
            )
        )
    yield


def _more_than(sign: bytes, data: bytes) -> bool:
    return next(islice(re.finditer(sign, data), _PARTS, None), None) is not None


def _chunks(data: bytes) -> int:
    """How many parts a PNG has, counted as far as matters."""
    at = count = 8
    while at < len(data) and count <= _PARTS:
        at, count = at + 12 + int.from_bytes(data[at : at + 4], "big"), count + 1
    return count


def _check_size(image: Image.Image) -> None:
    """Refuse a picture that would take too much memory; nothing of it is unpacked yet."""
    pixels = image.width * image.height
    if pixels > MAX_PIXELS or max(image.size) > MAX_SIDE:
        raise ExplorerError(
            t(
                "This picture has {width} × {height} pixels; at most {value} million "
                "can be read, and {max_side} on a side. Make it smaller first.",
                width=f"{image.width:,}",
                height=f"{image.height:,}",
                value=MAX_PIXELS // 10**6,
                max_side=f"{MAX_SIDE:,}",
            )
        )
    size = pixels * _BYTES.get(image.format or "", _BYTES_OF_OTHERS)
    take(size, t("Unpacking this picture"), t("Make it smaller first."))


def _shrunk(image: Image.Image) -> Image.Image:
    """A picture on white, at most `SIDE` on its longer side; band by band, so no copy is large."""
    factor = max(1, max(image.size) // (2 * SIDE))
    columns, rows = (-(-n // factor) for n in image.size)
    small = Image.new("RGB", (columns, rows))
    for top in range(0, rows, _BAND):
        end = min((top + _BAND) * factor, image.height)
        band = image.crop((0, top * factor, image.width, end))
        small.paste(_on_white(band).reduce(factor), (0, top))
    small.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    return small


def _on_white(image: Image.Image) -> Image.Image:
    """A picture in RGB; what is transparent has no colour."""
    if image.mode.startswith("I"):  # 16 bits of grey; Pillow would cut them off at 255
        image = image.convert("I").point(lambda grey: grey / 256).convert("L")
    if not image.has_transparency_data:
        return image.convert("RGB")
    upright = image.convert("RGBA")
    paper = Image.new("RGBA", upright.size, "white")
    return Image.alpha_composite(paper, upright).convert("RGB")


def seen_anew(png: bytes) -> bytes:
    """What a model saw, out of a file that says it is this app's: opened and written anew.

    Raises:
        ExplorerError: It is no PNG, or larger than what models see.
    """
    with (
        refusing(
            t(
                "The picture in this file cannot be read: it is no PNG, or it is "
                "damaged. Save the file again, or leave “about” out of it."
            )
        ),
        Image.open(io.BytesIO(png), formats=("PNG",)) as image,
    ):
        if image.width * image.height > _SEEN_PIXELS:
            raise ExplorerError(
                t(
                    "The picture in this file has {width} × {height} pixels, more than "
                    "models see. Save the file again, or leave “about” out of it.",
                    width=f"{image.width:,}",
                    height=f"{image.height:,}",
                )
            )
        return stored(image.convert("RGB")).png


def stored(image: Image.Image) -> Picture:
    """A picture as this app keeps it: pixels, and nothing that a file may say beside them."""
    out = io.BytesIO()
    image.info = {}
    image.save(out, "PNG")
    png = out.getvalue()
    return Picture(hashlib.blake2b(png, digest_size=8).hexdigest(), png)
