"""Activations: what a model's attention moves from token to token, beside how it is shared out."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from explorer.errors import ExplorerError
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
            f"Norm-weighted attention and ALTI go up to {int((MOST_MAPS / heads) ** 0.5):,} tokens "
            f"with {heads} heads; this text has {tokens:,}. Shorten the text."
        )


@dataclass(frozen=True, eq=False)
class Activations:
    """The vectors and maps round the attention of every layer, read-only.

    Of models whose layers are output = LayerNorm(attention(x) + x), as BERT's are.

    Attributes:
        model: The model's name and sizes.
        tokens: The tokens.
        weights: Attention weights, ``[layer, head, query, key]``.
        inputs: What each layer reads, x, ``[layer, token, d_model]``.
        values: v = x W_Vᵀ + b_V, ``[layer, head, token, d_head]``.
        w_o, b_o: The output map, ``[layer, d_model, d_model]`` and ``[layer, d_model]``.
        gain, shift: Of the LayerNorm behind the residual connection, ``[layer, d_model]``.
        eps: What that LayerNorm adds to the variance, ``[layer]``.
        outputs: What comes out of it, y, ``[layer, token, d_model]``.

    Raises:
        ExplorerError: The shapes do not fit together.
    """

    model: ModelInfo
    tokens: tuple[Token, ...]
    weights: Array
    inputs: Array
    values: Array
    w_o: Array
    b_o: Array
    gain: Array
    shift: Array
    eps: Array
    outputs: Array

    def __post_init__(self) -> None:
        n, m = len(self.tokens), self.model
        layers, heads, d = m.n_layers, m.n_heads, m.d_model
        wanted: dict[str, tuple[int, ...]] = {
            "weights": (layers, heads, n, n),
            **dict.fromkeys(("inputs", "outputs"), (layers, n, d)),
            "values": (layers, heads, n, d // heads),
            "w_o": (layers, d, d),
            **dict.fromkeys(("b_o", "gain", "shift"), (layers, d)),
            "eps": (layers,),
        }
        for name, shape in wanted.items():
            array = getattr(self, name)
            if array.shape != shape:
                raise ExplorerError(
                    f"{name} has the shape {list(array.shape)}; with these tokens and this model "
                    f"it must be {list(shape)}."
                )
            array.flags.writeable = False

    def deviations(self, layer: int) -> npt.NDArray[np.float64]:
        """s_i: what the LayerNorm divides each position by, ``[token]``.

        The deviation of attention + x over the vector's numbers.
        """
        joined = (self.weights[layer] @ self.values[layer]).transpose(1, 0, 2)
        flat = joined.reshape(len(self.tokens), -1).astype(np.float64)
        attention = flat @ self.w_o[layer].T + self.b_o[layer]
        return np.sqrt((attention + self.inputs[layer]).var(axis=-1) + self.eps[layer])
