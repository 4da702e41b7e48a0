"""Vision transformers as a source: ViT and DeiT, whose tokens are patches of a picture."""

import io
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from PIL import Image

from explorer.errors import ExplorerError
from explorer.run import Run
from explorer.sources.families import family_of
from explorer.sources.forward import attention_of, sized
from explorer.sources.loading import LoadedModel
from explorer.sources.pictures import stored
from explorer.trace import AttentionTrace, Patches, Token

MAX_PATCHES = 1024
MAX_PIXELS = 2**22  # of a picture as a model gets it: a square of 2,048


def trace_picture(loaded: LoadedModel, run: Run) -> AttentionTrace:
    """Run a picture through a vision model.

    Raises:
        ExplorerError: There is no picture, or the model does not cut it into a grid of patches.
    """
    name = loaded.info.name
    if run.picture is None:
        raise ExplorerError(
            f"{name} looks at pictures: turn on “Picture” and upload one, or choose a model of "
            "text."
        )
    with _fitting(name), Image.open(io.BytesIO(run.picture.png)) as image:
        check_size(loaded, image.width, image.height)
        pixels = loaded.tokenizer(image.convert("RGB"), return_tensors="pt")["pixel_values"]
    with _fitting(name):
        rows, columns = grid_of(loaded, pixels)
    marks = family_of(loaded.network.config).marks
    tokens = tuple(Token(mark, None, None, 0, special=True) for mark in marks)
    tokens += tuple(
        Token(f"{row}·{column}", None, row * columns + column, 0, special=False)
        for row in range(rows)
        for column in range(columns)
    )
    sides = (len(tokens), len(tokens))
    layers = attention_of(loaded, {"pixel_values": pixels}, sides)
    patches, info = Patches(_seen(loaded, pixels), rows, columns), sized(loaded.info, layers)
    return AttentionTrace(info, run.texts, tokens, tokens, layers, patches=patches)


@contextmanager
def _fitting(name: str) -> Iterator[None]:
    """Says of a processor and a model that they do not fit; memory that runs out is said elsewhere.

    Raises:
        ExplorerError: They do not.
    """
    try:
        yield
    except (ValueError, TypeError, LookupError, RuntimeError) as error:
        if "alloc" in str(error):
            raise
        raise ExplorerError(
            f"{name} failed on this picture: its preprocessor_config.json and its config.json do "
            "not fit each other. Choose another model."
        ) from error


def check_size(loaded: LoadedModel, width: int, height: int) -> None:
    """Refuse a picture that the model's processor would make too large: before it does.

    Raises:
        ExplorerError: It would.
    """
    processor: Any = loaded.tokenizer
    size = dict(getattr(processor, "size", None) or {}) if processor.do_resize else {}
    short, long = sorted((width, height))
    if size.get("height") and size.get("width"):
        pixels = size["height"] * size["width"]
    elif size.get("shortest_edge"):  # the longer one grows with it
        edge = size["shortest_edge"]
        longest = size.get("longest_edge") or math.inf
        pixels = min(edge * edge * long // max(short, 1), longest * longest)
    else:
        pixels = max(width * height, max(size.values(), default=0) ** 2)
    if pixels > MAX_PIXELS:
        raise ExplorerError(
            f"{loaded.info.name} would make this picture of {width:,} × {height:,} pixels one of "
            f"{pixels:,}; at most {MAX_PIXELS:,} can be shown. Crop the picture, or choose another "
            "model."
        )


def grid_of(loaded: LoadedModel, pixels: torch.Tensor) -> tuple[int, int]:
    """How many patches a picture is cut into, from top to bottom and from left to right.

    Raises:
        ExplorerError: There are too many.
    """
    size = loaded.network.config.patch_size
    height, width = (size, size) if isinstance(size, int) else size
    rows, columns = pixels.shape[2] // height, pixels.shape[3] // width
    if rows * columns > MAX_PATCHES:
        raise ExplorerError(
            f"{loaded.info.name} cuts a picture into {rows} × {columns} patches; at most "
            f"{MAX_PATCHES:,} can be shown. Choose a model with larger patches."
        )
    return rows, columns


def _seen(loaded: LoadedModel, pixels: torch.Tensor) -> bytes:
    """The picture as the model got it, with its scaling of colours undone."""
    processor: Any = loaded.tokenizer
    values = pixels[0].permute(1, 2, 0).numpy()
    if processor.do_normalize:
        values = values * np.array(processor.image_std) + np.array(processor.image_mean)
    if processor.do_rescale:
        values = values / processor.rescale_factor
    return stored(Image.fromarray(np.clip(np.round(values), 0, 255).astype(np.uint8))).png
