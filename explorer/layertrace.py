"""LayerTrace: every number that one attention layer made on its way from tokens to output."""

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from explorer.errors import ExplorerError
from explorer.trace import ModelInfo, Token

Array = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Part:
    """One of the vectors that a layer's input is added up from.

    Attributes:
        name: What it says: ``token``, ``position``, ``text A or B``.
        values: ``[token, d_model]``.
    """

    name: str
    values: Array


@dataclass(frozen=True, eq=False)
class LayerTrace:
    """One layer's attention, number by number, as the model itself computed it.

    Attributes:
        model: The model's name and sizes.
        layer: Which layer, from 0.
        tokens: The tokens, in the order in which the model read them.
        parts: Where the layer reads the embeddings: what they are added up from; else empty.
        normed: Whether the sum of the parts went through a LayerNorm to become ``x``.
        x: What the layer reads, ``[token, d_model]``.
        w_q, w_k, w_v: Weights of the three maps, ``[d_model, d_model]``: q = x w_qᵀ + b_q.
        b_q, b_k, b_v: Their biases, ``[d_model]``.
        q, k, v: Queries, keys and values, ``[head, token, d_k]``.
        allowed: Whether a query may look at a key, ``[query, key]``.
        weights: Attention weights, ``[head, query, key]``.
        joined: The heads' outputs side by side, ``[token, d_model]``.
        w_o, b_o: The output map, ``[d_model, d_model]`` and ``[d_model]``.
        output: The attention's output, before any residual connection, ``[token, d_model]``.
        positions: Where the model adds a vector for each position to its tokens: those of the
            first positions, of the text's own and more, ``[position, d_model]``; else None.

    Raises:
        ExplorerError: The shapes do not fit together, or a number is not finite.
    """

    model: ModelInfo
    layer: int
    tokens: tuple[Token, ...]
    parts: tuple[Part, ...]
    normed: bool
    x: Array
    w_q: Array
    w_k: Array
    w_v: Array
    b_q: Array
    b_k: Array
    b_v: Array
    q: Array
    k: Array
    v: Array
    allowed: npt.NDArray[np.bool_]
    weights: Array
    joined: Array
    w_o: Array
    b_o: Array
    output: Array
    positions: Array | None = None

    def __post_init__(self) -> None:
        n, d, heads = len(self.tokens), self.model.d_model, self.model.n_heads
        wanted: dict[str, tuple[int, ...]] = {
            **dict.fromkeys(("x", "joined", "output"), (n, d)),
            **dict.fromkeys(("w_q", "w_k", "w_v", "w_o"), (d, d)),
            **dict.fromkeys(("b_q", "b_k", "b_v", "b_o"), (d,)),
            **dict.fromkeys(("q", "k", "v"), (heads, n, d // heads)),
            "weights": (heads, n, n),
            "allowed": (n, n),
        }
        for name, shape in wanted.items():
            if getattr(self, name).shape != shape:
                raise ExplorerError(
                    f"{name} has the shape {list(getattr(self, name).shape)}; with these tokens "
                    f"and this model it must be {list(shape)}."
                )
        if any(part.values.shape != (n, d) for part in self.parts):
            raise ExplorerError(f"Every part of the input must have the shape {[n, d]}.")
        if self.positions is not None and self.positions.shape[1:] != (d,):
            raise ExplorerError(f"Every vector of a position must have {d} numbers.")
        for array in self._arrays():
            if not np.isfinite(array).all():
                raise ExplorerError(
                    "This layer computed numbers that are not finite. The model's weights are "
                    "probably damaged: try another model."
                )
            array.flags.writeable = False

    @property
    def d_k(self) -> int:
        """Width of a head's queries and keys."""
        return self.model.d_model // self.model.n_heads

    @property
    def nbytes(self) -> int:
        """Memory that its numbers take."""
        return sum(array.nbytes for array in self._arrays())

    def _arrays(self) -> list[npt.NDArray[np.generic]]:
        own = (getattr(self, f.name) for f in fields(self))
        return [a for a in own if isinstance(a, np.ndarray)] + [p.values for p in self.parts]
