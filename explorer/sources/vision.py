"""Vision transformers as a source: their tokens are patches of a picture, and marks beside them."""

import io
from dataclasses import replace

from PIL import Image

from explorer.errors import ExplorerError
from explorer.language import t
from explorer.run import Run
from explorer.sources.families import marks_beside
from explorer.sources.forward import attention_of, sized
from explorer.sources.loading import LoadedModel
from explorer.sources.patches import Prepared, prepare
from explorer.trace import AttentionTrace, ModelInfo, Patches, Token


def trace_picture(loaded: LoadedModel, run: Run) -> AttentionTrace:
    """Run a picture through a vision model.

    Raises:
        ExplorerError: There is no picture, or the model does not cut it into a grid of patches.
    """
    name = loaded.info.name
    if run.picture is None:
        raise ExplorerError(
            t(
                "{name} looks at pictures: turn on “Picture” and upload one, or choose "
                "a model of text.",
                name=name,
            )
        )
    with Image.open(io.BytesIO(run.picture.png)) as image:
        kept = image.size
        seen = prepare(loaded.tokenizer, loaded.network, name, image)
    before, after = marks_beside(loaded.network.config)
    tokens = (*_marks(before), *_patches(seen), *_marks(after))
    layers = attention_of(loaded, seen.inputs, (len(tokens), len(tokens)))
    info = _with_size(sized(loaded.info, layers), loaded, seen)
    if run.picture.made_from:
        info = replace(info, notes=(*info.notes, _made_smaller(name, run.picture.made_from, kept)))
    patches = Patches(seen.png, seen.rows, seen.columns)
    return AttentionTrace(info, run.texts, tokens, tokens, layers, patches=patches)


def _marks(names: list[str]) -> list[Token]:
    """Marks, numbered where there are several of a kind."""
    shown = [
        name if names.count(name) == 1 else f"{name[:-1]}{names[:i].count(name)}]"
        for i, name in enumerate(names)
    ]
    return [Token(mark, None, None, 0, special=True) for mark in shown]


def _patches(seen: Prepared) -> list[Token]:
    return [
        Token(f"{row}·{column}", None, row * seen.columns + column, 0, special=False)
        for row in range(seen.rows)
        for column in range(seen.columns)
    ]


def _made_smaller(name: str, whole: tuple[int, int], kept: tuple[int, int]) -> str:
    return t(
        "This picture of {whole} × {whole2} pixels was made {kept} × {kept2} "
        "before {name} got it, which then scales it in its own way. From the "
        "whole file the weights may differ a little: crop or scale the picture "
        "yourself to have them exact.",
        whole=f"{whole[0]:,}",
        whole2=f"{whole[1]:,}",
        kept=kept[0],
        kept2=kept[1],
        name=name,
    )


def _with_size(info: ModelInfo, loaded: LoadedModel, seen: Prepared) -> ModelInfo:
    """A model's description, which says so where its positions are stretched to a picture."""
    stretches = any(hasattr(m, "interpolate_pos_encoding") for m in loaded.network.modules())
    if seen.other_size is None or not stretches:
        return info
    size = loaded.network.config.image_size
    trained = (size, size) if isinstance(size, int) else tuple(size)
    note = t(
        "The config.json of {name} speaks of pictures of {trained} × {trained2}"
        " pixels; this one was made {value} × {value2}, and the positions of "
        "its patches were interpolated between those that the model knows, as "
        "Transformers does it.",
        name=info.name,
        trained=trained[0],
        trained2=trained[1],
        value=seen.other_size[0],
        value2=seen.other_size[1],
    )
    return replace(info, notes=(*info.notes, note))
