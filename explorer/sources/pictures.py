"""Uploaded pictures: opened safely, made small, written anew. Needs no torch."""

import hashlib
import io

from PIL import Image, ImageOps

from explorer.errors import ExplorerError, refusing
from explorer.picture import Picture

MAX_PIXELS = 50_000_000  # a photograph of 50 megapixels
SIDE = 768  # pixels of a picture's longer side, as it is kept
_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")


def picture_of(data: bytes) -> Picture:
    """An uploaded picture: opened, turned upright, made small, and written anew.

    Raises:
        ExplorerError: It is no picture, or a far too large one.
    """
    kinds = ", ".join(_FORMATS)
    with (
        refusing(
            f"This file is no picture that can be read, or it is damaged. Choose one of {kinds}."
        ),
        Image.open(io.BytesIO(data), formats=_FORMATS) as image,
    ):
        if image.width * image.height > MAX_PIXELS:  # known before a pixel is unpacked
            raise ExplorerError(
                f"This picture has {image.width:,} × {image.height:,} pixels; at most "
                f"{MAX_PIXELS // 10**6} million can be read. Make it smaller first."
            )
        upright = ImageOps.exif_transpose(image).convert("RGBA")
    paper = Image.new("RGBA", upright.size, "white")  # what is transparent has no colour
    flat = Image.alpha_composite(paper, upright).convert("RGB")
    flat.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    return stored(flat)


def stored(image: Image.Image) -> Picture:
    """A picture as this app keeps it."""
    out = io.BytesIO()
    image.save(out, "PNG")
    png = out.getvalue()
    return Picture(hashlib.blake2b(png, digest_size=8).hexdigest(), png)
