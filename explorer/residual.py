"""The residual stream of a decoder: what each part of it adds at a position, and how it is read.

Of models whose layers add to what they read: x ← x + attention(…) + mlp(…). The last norm divides
by a length; with that kept as it is (frozen), the logit of a token is a sum over what was added.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from explorer.headname import head_name
from explorer.language import t

Doubles = npt.NDArray[np.float64]
Kind = Literal[
    "token", "position", "embedding", "head", "attention", "mlp", "other", "bias", "constant"
]
_BEFORE: Mapping[str, str] = {
    "token": t("token embedding"),
    "position": t("position embedding"),
    "embedding": t("embedding"),
    "constant": t("its own biases"),
}
_OF_A_LAYER: Mapping[str, str] = {
    "attention": t("attention of layer {layer}"),
    "mlp": t("MLP of layer {layer}"),
    "bias": t("biases of attention of layer {layer}"),
    "other": t("other parts of layer {layer}"),
}


@dataclass(frozen=True, slots=True)
class Part:
    """What has added something to the stream.

    Attributes:
        kind: ``token`` and ``position`` (their embeddings, or ``embedding`` for both where they
            cannot be told apart), ``head``, ``attention`` (all heads of a layer, where they cannot
            be told apart), ``mlp``, ``other`` (what else a layer adds), ``bias`` (of the map behind
            a layer's heads, and of the norm behind them), ``constant`` (what a query or a key has
            in any case: the biases of its map and of the norm before it).
        layer: The model's own number of the layer; None for what stands before the layers.
        head: The head.
    """

    kind: Kind
    layer: int | None = None
    head: int | None = None

    @property
    def name(self) -> str:
        """In words: ``L3·H1``, ``MLP of layer 3``."""
        if self.layer is None:
            return _BEFORE.get(self.kind, self.kind)
        if self.head is not None:
            return head_name(self.layer, self.head)
        return t(_OF_A_LAYER[self.kind], layer=self.layer)


@dataclass(frozen=True, eq=False)
class Norm:
    """A LayerNorm or RMSNorm with what it divides by kept as it is: then it is linear.

    Attributes:
        gain: ``[d]``.
        shift: ``[d]``.
        centred: Whether the mean is taken off first.
        scale: What each position is divided by, ``[position]``.
    """

    gain: Doubles
    shift: Doubles
    centred: bool
    scale: Doubles

    def of(self, parts: Doubles, position: int) -> Doubles:
        """What becomes of parts of a position's vector, ``[…, d]``: without the shift."""
        found: Doubles = self.undivided(parts) / self.scale[position]
        return found

    def undivided(self, parts: Doubles) -> Doubles:
        """The same before it is divided by what differs from position to position."""
        if self.centred:
            parts = parts - parts.mean(axis=-1, keepdims=True)
        found: Doubles = parts * self.gain
        return found

    def seen_from(self, direction: Doubles, position: int) -> Doubles:
        """The direction before the norm that is one behind it, ``[…, d]``."""
        found: Doubles = direction * self.gain / self.scale[position]
        return found - found.mean(axis=-1, keepdims=True) if self.centred else found


@dataclass(frozen=True, eq=False)
class AtPosition:
    """All that was added to the stream at one position, and the words that are read from it.

    Attributes:
        position: The position.
        parts: What added something, in the model's order.
        vectors: What each added, ``[part, d]``.
        stream: The model's own vector behind the last layer, ``[d]``.
        norm: The last norm; None if there is none.
        tokens: Numbers of the tokens that are asked for.
        directions: For each the direction in which its logit grows, ``[token, d]``.
        biases: What is added to each in any case, ``[token]``.
        raw: The logits that the parts add up to, ``[token]``.
        logits: The model's own, ``[token]``: the same, unless a cap has bent them (Gemma 2).
    """

    position: int
    parts: tuple[Part, ...]
    vectors: Doubles
    stream: Doubles
    norm: Norm | None
    tokens: tuple[int, ...]
    directions: Doubles
    biases: Doubles
    raw: Doubles
    logits: Doubles


@dataclass(frozen=True, eq=False)
class EdgeVectors:
    """The query and the key of one edge in one head, by what they are made of.

    Attributes:
        query_parts: What the query is made of.
        key_parts: What the key is made of.
        query: What each part gives to the query, turned to its place, ``[part, d]``.
        key: What each gives to the key, ``[part, d]``.
        scale: What q·k is multiplied with.
        score: That product, as the model has it.
        shown: The score as it comes to the softmax: bent by a cap, with what is added.
        bands: Dimensions that are turned together, the fastest turn first, and last those that are
            not turned; None where none is.
    """

    query_parts: tuple[Part, ...]
    key_parts: tuple[Part, ...]
    query: Doubles
    key: Doubles
    scale: float
    score: float
    shown: float
    bands: tuple[tuple[int, ...], ...] | None


@dataclass(frozen=True, eq=False)
class LensRow:
    """What would be predicted at one position if the model ended after each layer.

    Attributes:
        numbers: The layers: −1 for what stands before the first, then the model's own numbers.
        ids: The likeliest tokens, ``[layer, rank]``.
        probabilities: ``[layer, rank]``.
        texts: What each writes, ``[layer][rank]``.
        chosen: The token that is followed.
        chosen_probabilities: Its probability after each layer, ``[layer]``.
        chosen_ranks: How many tokens are likelier than it, ``[layer]``.
    """

    numbers: tuple[int, ...]
    ids: npt.NDArray[np.intp]
    probabilities: Doubles
    texts: tuple[tuple[str, ...], ...]
    chosen: int
    chosen_probabilities: Doubles
    chosen_ranks: npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class LensMap:
    """The same over positions: the likeliest token and its probability, and a chosen one's.

    Attributes:
        numbers: The layers, as in `LensRow`.
        positions: The positions.
        ids: ``[layer, position]``.
        probabilities: ``[layer, position]``.
        texts: What each writes behind the text up to there, ``[layer][position]``.
        chosen: The token that is followed; None where each position follows the token that the
            model itself finds likeliest there.
        chosen_probabilities: ``[layer, position]``.
    """

    numbers: tuple[int, ...]
    positions: tuple[int, ...]
    ids: npt.NDArray[np.intp]
    probabilities: Doubles
    texts: tuple[tuple[str, ...], ...]
    chosen: int | None
    chosen_probabilities: Doubles


def pairs_of_turns(
    before: npt.NDArray[np.floating], after: npt.NDArray[np.floating]
) -> tuple[tuple[int, ...], ...] | None:
    """Which dimensions are turned with which, by what a turn has done to vectors.

    Args:
        before: Vectors at position 0, ``[vector, d]``.
        after: The same at another position.

    Returns:
        The pairs in order of their dimensions, then all that stays as it is, if any; None if
        nothing is turned, or in no way that is known.
    """
    size = float(np.abs(before).max())
    turned = np.flatnonzero(np.abs(after - before).max(axis=0) > 1e-5 * size)
    if not len(turned):
        return None
    d = before.shape[1]
    for first, n in ((0, int(turned[-1]) + 1), (int(turned[0]), d - int(turned[0])), (0, d)):
        if n % 2:
            n += 1
        halves = tuple((first + i, first + i + n // 2) for i in range(n // 2))
        beside = tuple((first + 2 * i, first + 2 * i + 1) for i in range(n // 2))
        for pairs in (halves, beside):
            if pairs[-1][1] < d and _keeps_lengths(pairs, before, after):
                rest = tuple(i for i in range(d) if not first <= i < first + n)
                return (*pairs, rest) if rest else pairs
    return None


def _keeps_lengths(
    pairs: tuple[tuple[int, int], ...],
    before: npt.NDArray[np.floating],
    after: npt.NDArray[np.floating],
) -> bool:
    """Whether each pair of dimensions is as long after a turn as it was before."""
    one, other = (np.array(side) for side in zip(*pairs, strict=True))
    lengths = [np.hypot(x[:, one], x[:, other]) for x in (before, after)]
    return bool(np.abs(lengths[0] - lengths[1]).max() <= 1e-4 * lengths[0].max())
