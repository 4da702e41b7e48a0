"""LayerTrace: every number that one attention layer made on its way from tokens to output.

Families of models differ in what stands on that way: a norm before it or behind, a norm of each
query and key, a turn by their places, biases, shared keys. What a layer has is a field that is
there, and what it has not is None; nobody asks for a family's name.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from explorer.errors import ExplorerError
from explorer.language import t
from explorer.layers import ScoreRule
from explorer.trace import ModelInfo, Token

Array = npt.NDArray[np.float32]
StepName = Literal["norm", "turn"]


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
class Normed:
    """A LayerNorm or RMSNorm: ``gave = (read − mean) / scale · gain + shift``.

    Of a layer's vectors, ``[token, d]``; or of its queries or keys, ``[head, token, d]``, where
    what belongs to a vector is ``[head, token]`` and what belongs to a number ``[head, d]``.

    Attributes:
        read: What it read.
        gave: What it gave out.
        scale: What each vector was divided by.
        gain: What each number was then multiplied with.
        shift: What was added at the end; None for an RMSNorm.
        mean: What was taken off each vector first (LayerNorm); None where nothing was.
    """

    read: Array
    gave: Array
    scale: Array
    gain: Array
    shift: Array | None = None
    mean: Array | None = None

    @property
    def kind(self) -> str:
        """What it is called."""
        return "RMSNorm" if self.mean is None else "LayerNorm"


@dataclass(frozen=True, eq=False)
class Turn:
    """Queries and keys turned by their places, two numbers at a time (rotary embedding).

    The pair ``(a, b)`` becomes ``(a cos − b sin, b cos + a sin)``. Cosines and sines are the
    model's own, with all that it does to stretch them; numbers in no pair stay as they are.

    Attributes:
        pairs: Which numbers go together, ``[pair, 2]``.
        cos, sin: ``[token, pair]``.
    """

    pairs: npt.NDArray[np.int32]
    cos: Array
    sin: Array

    def of(self, vectors: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
        """Vectors ``[head, token, d]``, turned."""
        a, b = self.pairs.T
        turned = np.array(vectors)
        turned[..., a] = vectors[..., a] * self.cos - vectors[..., b] * self.sin
        turned[..., b] = vectors[..., b] * self.cos + vectors[..., a] * self.sin
        return turned


@dataclass(frozen=True, eq=False)
class LayerTrace:
    """One layer's attention, number by number, as the model itself computed it.

    Queries that share keys are counted in order: of H heads and G key heads, head h reads key head
    h · G // H.

    Attributes:
        model: The model's name and sizes.
        layer: Which layer, by the model's own number.
        tokens: The tokens that look, in the order in which the model read them.
        parts: Where the layer reads the embeddings: what they are added up from; else empty.
        normed: Whether the sum of the parts went through a LayerNorm to become what is read.
        x: What the maps read, ``[token, d]``.
        w_q, w_k, w_v: Weights of the three maps, ``[head · d_k, d]``: q = x w_qᵀ + b_q.
        b_q, b_k, b_v: Their biases, ``[head · d_k]``; None where there are none.
        q, k: As the products are made of them: ``[head, token, d_k]``, ``[key head, key, d_k]``.
        v: Values, ``[key head, key, d_v]``.
        rule: What makes scores of products, and which keys are seen.
        allowed: Whether a query may look at a key, ``[query, key]``.
        weights: Attention weights, ``[head, query, key]``.
        joined: The heads' outputs side by side, ``[token, head · d_v]``.
        w_o, b_o: The output map, ``[d, head · d_v]`` and ``[d]``, or no bias.
        output: The attention's output, before any residual connection, ``[token, d]``.
        positions: Where the model adds a vector for each position to its tokens: those of the
            first positions, of the text's own and more, ``[position, d]``; else None.
        numbers: The model's own numbers of all layers with attention.
        follows: Whether what comes first here is what the layer before wrote (layer 0: what the
            embeddings are): not in the second attention of a layer.
        norm: The norm before the maps; None if they read what comes as it is.
        key_tokens: The tokens that are looked at, where these are others (cross-attention).
        x_keys: What keys and values are made of then, ``[key, d]``.
        steps: What is done to queries and keys behind their maps, in the model's order.
        q_mapped, k_mapped: What the maps gave, where there are such steps.
        q_norm, k_norm: The norm of each query and key.
        turn: Their turn by their places.
        buckets: Where what is added to a score hangs on a distance by a table: which row of it,
            ``[query, key]``.
        after: The norm behind the output map.

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
    b_q: Array | None
    b_k: Array | None
    b_v: Array | None
    q: Array
    k: Array
    v: Array
    rule: ScoreRule
    allowed: npt.NDArray[np.bool_]
    weights: Array
    joined: Array
    w_o: Array
    b_o: Array | None
    output: Array
    positions: Array | None = None
    numbers: tuple[int, ...] = ()
    follows: bool = True
    norm: Normed | None = None
    key_tokens: tuple[Token, ...] | None = None
    x_keys: Array | None = None
    steps: tuple[StepName, ...] = ()
    q_mapped: Array | None = None
    k_mapped: Array | None = None
    q_norm: Normed | None = None
    k_norm: Normed | None = None
    turn: Turn | None = None
    buckets: npt.NDArray[np.int32] | None = None
    after: Normed | None = None

    def __post_init__(self) -> None:
        self._check_shapes()
        if not self.numbers:
            object.__setattr__(self, "numbers", tuple(range(self.model.n_layers)))
        for array in self._arrays():
            if array is not self.rule.added and not np.isfinite(array).all():
                raise ExplorerError(
                    t(
                        "This layer computed numbers that are not finite. The model's weights are "
                        "probably damaged: try another model."
                    )
                )
            array.flags.writeable = False

    def _check_shapes(self) -> None:
        n, d = len(self.tokens), self.x.shape[-1]
        keys = n if self.key_tokens is None else len(self.key_tokens)
        heads, d_k = self.q.shape[0], self.q.shape[-1]
        groups, d_v = self.v.shape[0], self.v.shape[-1]
        wide = self.w_o.shape[0]
        d_keys = d if self.x_keys is None else self.x_keys.shape[-1]
        wanted: dict[str, tuple[int, ...]] = {
            "x": (n, d),
            "x_keys": (keys, d_keys),
            "w_q": (heads * d_k, d),
            "w_k": (groups * d_k, d_keys),
            "w_v": (groups * d_v, d_keys),
            "b_q": (heads * d_k,),
            "b_k": (groups * d_k,),
            "b_v": (groups * d_v,),
            "q": (heads, n, d_k),
            "k": (groups, keys, d_k),
            "v": (groups, keys, d_v),
            "weights": (heads, n, keys),
            "allowed": (n, keys),
            "joined": (n, heads * d_v),
            "w_o": (wide, heads * d_v),
            "b_o": (wide,),
            "output": (n, wide),
        }
        for name, shape in wanted.items():
            found = getattr(self, name)
            if found is not None and found.shape != shape:
                raise ExplorerError(
                    t(
                        "{name} has the shape {shape}; with these tokens and this model it must be "
                        "{shape_2}.",
                        name=name,
                        shape=list(found.shape),
                        shape_2=list(shape),
                    )
                )
        if any(part.values.shape != (n, d) for part in self.parts):
            raise ExplorerError(
                t("Every part of the input must have the shape {value}.", value=[n, d])
            )
        if self.positions is not None and self.positions.shape[1:] != (d,):
            raise ExplorerError(t("Every vector of a position must have {d} numbers.", d=d))

    @property
    def d_k(self) -> int:
        """Width of a head's queries and keys."""
        return self.q.shape[-1]

    @property
    def d_v(self) -> int:
        """Width of a head's values."""
        return self.v.shape[-1]

    @property
    def is_causal(self) -> bool:
        """Whether each query sees its own place and those before it, and nothing else."""
        return bool(np.array_equal(self.allowed, np.tri(*self.allowed.shape, dtype=bool)))

    @property
    def is_plain(self) -> bool:
        """Whether it is the article's: four maps, ``softmax(QKᵀ/√d_k)V``, and nothing else."""
        more = (self.norm, self.q_norm, self.turn, self.after, self.x_keys, self.rule.cap)
        bare = all(b is not None for b in (self.b_q, self.b_k, self.b_v, self.b_o))
        shared = self.q.shape[0] != self.k.shape[0]
        added = (self.rule.offsets, self.rule.added, self.rule.sinks)
        return bare and not shared and all(part is None for part in (*more, *added))

    def key_head(self, head: int) -> int:
        """Which of the key heads a head reads."""
        return head * self.k.shape[0] // self.q.shape[0]

    def beside(self, head: int) -> tuple[int, ...]:
        """All heads that read the keys that a head reads, itself among them."""
        mine = self.key_head(head)
        return tuple(h for h in range(self.q.shape[0]) if self.key_head(h) == mine)

    def bias(self, head: int) -> Array | None:
        """What is added to a head's scores, ``[query, key]``; 0 where a key is not seen."""
        rule, (n, keys) = self.rule, self.allowed.shape
        if rule.offsets is None and rule.added is None:
            return None
        found = np.zeros((n, keys), dtype=np.float32)
        if rule.offsets is not None:
            found += rule.offsets[head][np.arange(keys) - np.arange(n)[:, None] + n - 1]
        if rule.added is not None:
            found += np.where(self.allowed, rule.added[head % len(rule.added)], 0)
        found[~self.allowed] = 0
        return found if found.any() else None

    @property
    def nbytes(self) -> int:
        """Memory that its numbers take."""
        return sum(array.nbytes for array in self._arrays())

    def _arrays(self) -> list[npt.NDArray[np.generic]]:
        return [*_arrays_in(self), *(part.values for part in self.parts)]


def _arrays_in(owner: object) -> Iterator[npt.NDArray[np.generic]]:
    """All arrays of a value, and of the values in it."""
    for field in fields(owner):  # type: ignore[arg-type]
        found = getattr(owner, field.name)
        if isinstance(found, np.ndarray):
            yield found
        elif is_dataclass(found):
            yield from _arrays_in(found)
