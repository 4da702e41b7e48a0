"""Activations: what a model's attention moves from token to token, beside how it is shared out."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from explorer.errors import ExplorerError
from explorer.language import t
from explorer.residual import Norm
from explorer.trace import ModelInfo, Token

Array = npt.NDArray[np.float32]
MOST_MAPS = 2**28  # weights of all heads, 1 GiB: 1,930 tokens of 72 heads


def check_maps(model: ModelInfo, tokens: int) -> None:
    """Refuse a text whose weights are too many to be held all at once, before any work.

    What norms and ALTI are made of grows with the square of the length.

    Raises:
        ExplorerError: They are.
    """
    heads = model.n_layers * model.n_heads
    if heads * tokens**2 > MOST_MAPS:
        raise ExplorerError(
            t(
                "Norm-weighted attention and ALTI go up to {most_maps} tokens with {heads} "
                "heads; this text has {tokens}. Shorten the text.",
                most_maps=f"{int((MOST_MAPS / heads) ** 0.5):,}",
                heads=heads,
                tokens=f"{tokens:,}",
            )
        )


@dataclass(frozen=True, eq=False)
class Activations:
    """The vectors and maps round the attention of every layer, read-only.

    Of models whose attention adds to what a layer reads. Position i gets of j
    T_ij = Σ_h A[h, i, j] f_h(x_j), with f_h(x_j) = v_h(j) W_O,h. A norm may stand before the
    attention (GPT-2, Llama): the values are made of what it gives out, so it is in f. One may stand
    between the output map and the sum (Gemma 2), or behind the sum (BERT).

    Attributes:
        model: The model's name and sizes.
        tokens: The tokens.
        weights: Attention weights, ``[layer, head, query, key]``; of heads that are off, zero.
        inputs: What attention adds to, x, ``[layer, token, d_model]``.
        values: v, biases and all, for each head, ``[layer, head, token, d_v]``.
        w_o: The output map, ``[layer, d_model, head · d_v]``; its bias belongs to no token.
        added: For each layer the norm that what is moved goes through before it is added; None
            where there is none.
        joined: The norm that the sum goes through; None where there is none.
        outputs: What the attention block gives out, y, ``[layer, token, d_model]``.

    Raises:
        ExplorerError: The shapes do not fit together.
    """

    model: ModelInfo
    tokens: tuple[Token, ...]
    weights: Array
    inputs: Array
    values: Array
    w_o: Array
    added: tuple[Norm | None, ...]
    joined: tuple[Norm | None, ...]
    outputs: Array

    def __post_init__(self) -> None:
        n, m = len(self.tokens), self.model
        layers, heads, d = m.n_layers, m.n_heads, m.d_model
        width = self.values.shape[-1]
        wanted: dict[str, tuple[int, ...]] = {
            "weights": (layers, heads, n, n),
            **dict.fromkeys(("inputs", "outputs"), (layers, n, d)),
            "values": (layers, heads, n, width),
            "w_o": (layers, d, heads * width),
        }
        for name, shape in wanted.items():
            array = getattr(self, name)
            if array.shape != shape:
                raise ExplorerError(
                    t(
                        "{name} has the shape {shape}; with these tokens and this model it must be "
                        "{shape_2}.",
                        name=name,
                        shape=list(array.shape),
                        shape_2=list(shape),
                    )
                )
            array.flags.writeable = False
