"""A picture as a vision model gets it: scaled, cropped, and cut into a grid of patches."""

import inspect
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from transformers import BatchFeature, ViTImageProcessorPil

from explorer.errors import ExplorerError, refusing
from explorer.language import t
from explorer.sources.families import marks_beside
from explorer.sources.pictures import stored

MAX_PATCHES = 2000  # DINOv2 at 518 pixels has 37 by 37; a head's map of so many has 4 million cells
MAX_PIXELS = 2**22  # of a picture as a model gets it: a square of 2,048
_BILINEAR, _BICUBIC = 2, 3  # as processors number the ways to make a picture smaller


@dataclass(frozen=True)
class Prepared:
    """A picture as a model gets it.

    Attributes:
        inputs: What the network is called with; one picture.
        rows: Patches from top to bottom.
        columns: Patches from left to right.
        n_tokens: Patches and the marks beside them.
        png: The picture as the model got it, with its scaling of colours undone.
        other_size: Its height and width, if the model was trained on another size.
    """

    inputs: dict[str, Any]
    rows: int
    columns: int
    n_tokens: int
    png: bytes
    other_size: tuple[int, int] | None


def prepare(processor: Any, network: Any, name: str, image: Image.Image) -> Prepared:
    """Make of a picture what a vision model is called with.

    Args:
        processor: What scales and crops pictures for it.
        network: The model.
        name: Its name.
        image: The picture.

    Raises:
        ExplorerError: The picture would become too large, or the processor is not the model's.
    """
    config = network.config
    _check_size(processor, name, image.width, image.height)
    unfit = t(
        "{name} failed on this picture: its preprocessor_config.json and its "
        "config.json do not fit each other{why}. Choose another model.",
        name=name,
    )
    with refusing(unfit):
        found = dict(processor(image.convert("RGB"), return_tensors="pt"))
        shapes = found.get("spatial_shapes")
        if shapes is not None:  # SigLIP 2 is given patches, and empty ones up to a fixed number
            rows, columns = (int(n) for n in shapes[0])
            patches = ("pixel_values", "pixel_attention_mask")
            found |= {key: found[key][:, : rows * columns] for key in patches}
            pixels = _joined(found["pixel_values"][0], rows, columns)
        else:
            pixels = found["pixel_values"]
            if pixels.dim() != 4 or len(pixels) != 1:
                raise ValueError(f"it is cut into several pictures: {tuple(pixels.shape)}")
            high, wide = _pair(config.patch_size)
            rows, columns = pixels.shape[2] // high, pixels.shape[3] // wide
            found, pixels = {"pixel_values": pixels}, pixels[0]
            if rows * columns < 1:
                raise ValueError(f"{tuple(pixels.shape[1:])} pixels are less than one patch")
        size = (int(pixels.shape[1]), int(pixels.shape[2]))
        trained = getattr(config, "image_size", None)
        other = size if trained and _pair(trained) != size else None
        found |= _options(network, rows * columns, other is not None)
        seen = _seen(processor, _whole(pixels, rows, columns, config))
    if rows * columns > MAX_PATCHES:
        raise ExplorerError(
            t(
                "{name} cuts a picture into {rows} × {columns} patches; at most "
                "{max_patches} can be shown. Choose a model with larger patches.",
                name=name,
                rows=rows,
                columns=columns,
                max_patches=f"{MAX_PATCHES:,}",
            )
        )
    n_tokens = rows * columns + sum(map(len, marks_beside(config)))
    return Prepared(found, rows, columns, n_tokens, seen, other)


def _pair(size: Any) -> tuple[int, int]:
    """A height and a width, of which a configuration may say one number for both."""
    high, wide = (size, size) if isinstance(size, int) else size
    return int(high), int(wide)


def _options(network: Any, n_patches: int, other_size: bool) -> dict[str, Any]:
    """What a network must be told beside the picture, to read it whole and as it is."""
    known = inspect.signature(network.forward).parameters
    found: dict[str, Any] = {}
    if other_size and "interpolate_pos_encoding" in known:
        found["interpolate_pos_encoding"] = True
    if "noise" in known:  # MAE reads patches in the order of noise
        found["noise"] = torch.arange(n_patches, dtype=torch.float32)[None]
    return found


def _check_size(processor: Any, name: str, width: int, height: int) -> None:
    """Refuse a picture that the model's processor would make too large: before it does.

    Raises:
        ExplorerError: It would.
    """
    size = dict(getattr(processor, "size", None) or {}) if processor.do_resize else {}
    short, long = sorted((width, height))
    if hasattr(processor, "max_num_patches"):  # as large as so many patches are
        pixels = processor.max_num_patches * math.prod(_pair(processor.patch_size))
    elif size.get("height") and size.get("width"):
        pixels = size["height"] * size["width"]
    elif size.get("shortest_edge"):  # the longer one grows with it
        edge = size["shortest_edge"]
        longest = size.get("longest_edge") or math.inf
        pixels = min(edge * edge * long // max(short, 1), longest * longest)
    else:
        pixels = max(width * height, max(size.values(), default=0) ** 2)
    if getattr(processor, "do_pad", False):
        square = long * long if not getattr(processor, "pad_size", None) else 0
        pixels = max(pixels, square, math.prod(_sides_of(processor, "pad_size")))
    if pixels > MAX_PIXELS:
        raise ExplorerError(
            t(
                "{name} would make this picture of {width} × {height} pixels one of "
                "{pixels}; at most {max_pixels} can be shown. Crop the picture, or "
                "choose another model.",
                name=name,
                width=f"{width:,}",
                height=f"{height:,}",
                pixels=f"{pixels:,}",
                max_pixels=f"{MAX_PIXELS:,}",
            )
        )


def _sides_of(processor: Any, key: str) -> list[int]:
    return [n for n in dict(getattr(processor, key, None) or {}).values() if n]


def _joined(patches: torch.Tensor, rows: int, columns: int) -> torch.Tensor:
    """The picture ``[colour, height, width]`` of patches ``[patch, height × width × colour]``."""
    side = math.isqrt(patches.shape[1] // 3)
    tiles = patches.reshape(rows, columns, side, side, 3)
    return tiles.permute(4, 0, 2, 1, 3).reshape(3, rows * side, columns * side)


def _whole(pixels: torch.Tensor, rows: int, columns: int, config: Any) -> npt.NDArray[Any]:
    """Whole patches of a picture, ``[height, width, colour]``: no token stands for the rest."""
    high, wide = _pair(config.patch_size)
    found: npt.NDArray[Any] = pixels[:, : rows * high, : columns * wide].permute(1, 2, 0).numpy()
    return found


def _seen(processor: Any, values: npt.NDArray[Any]) -> bytes:
    """The picture ``[height, width, colour]`` that a model got, with its own colours again."""
    if processor.do_normalize:
        values = values * np.array(processor.image_std) + np.array(processor.image_mean)
    if processor.do_rescale:
        values = values / processor.rescale_factor
    return stored(Image.fromarray(np.clip(np.round(values), 0, 255).astype(np.uint8))).png


class DINOv3Processor(ViTImageProcessorPil):
    """What prepares pictures for DINOv3: colours are scaled first, then the picture is made small.

    Transformers has it for torchvision alone; for such numbers torchvision calls the same function
    of PyTorch.
    """

    def _preprocess(
        self,
        images: list[npt.NDArray[Any]],
        do_resize: bool,
        size: Any,
        resample: Any,
        do_rescale: bool,
        rescale_factor: float,
        do_normalize: bool,
        image_mean: Any,
        image_std: Any,
        **_others: Any,
    ) -> BatchFeature:
        picture = torch.from_numpy(np.ascontiguousarray(images[0])).float()[None]
        if do_rescale:
            picture = picture * rescale_factor
        if do_resize:
            mode = {_BILINEAR: "bilinear", _BICUBIC: "bicubic"}[int(resample)]
            picture = torch.nn.functional.interpolate(
                picture, (size.height, size.width), mode=mode, antialias=True
            )
        if do_normalize:
            mean, std = (torch.tensor(n).reshape(1, -1, 1, 1) for n in (image_mean, image_std))
            picture = (picture - mean) / std
        return BatchFeature({"pixel_values": picture})
