"""AttentionTrace: the one object that flows through the app, checked at the door, read-only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from explorer.errors import ExplorerError
from explorer.language import t
from explorer.layers import AttentionLayer, Doubles, GivenWeights, Positions, Weights, of_weights
from explorer.once import once
from explorer.visible import visible

MOST_WEIGHTS = 2**31  # bytes of all weights together; longer texts are read by rows and tiles
_KEPT = 2**26  # bytes of all weights that are worth keeping beside q and k


@dataclass(frozen=True, slots=True)
class Token:
    """One position of a text as the model sees it.

    Attributes:
        text: What the reader is shown: ``cat``, ``##ing``, ``[CLS]``; what cannot be seen as marks.
        span: First and one-past-last character in the pasted text, counted in code points;
            None where the token stands for no characters (``[CLS]``).
        word: Running number of the word the token is a piece of, over all texts; None for a
            token that belongs to no word.
        segment: 0 for the first text, 1 for the second.
        special: True for a token that marks a place ([CLS], [SEP], ``<s>``), not a piece of text.
    """

    text: str
    span: tuple[int, int] | None
    word: int | None
    segment: int
    special: bool

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", visible(self.text))


@dataclass(frozen=True, slots=True)
class Passport:
    """How far a model's numbers here were found from Transformers' own eager attention.

    Attributes:
        form: ``scores``: its attention is kept as q, k and a score rule; ``weights``: as the
            weights that Transformers returns.
        n_tokens: Length of the text that was read both ways; 0 if none was.
        weights: Largest difference of an attention weight.
        output: Largest difference of the last hidden state, relative to its largest number.
        reason: Why weights are taken as they are, where that is so.
    """

    form: Literal["scores", "weights"]
    n_tokens: int = 0
    weights: float = 0.0
    output: float = 0.0
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What made the weights, its sizes, and what a reader should know of it (``notes``).

    ``n_layers`` counts the layers with attention, ``n_heads`` the heads of each. ``max_tokens`` is
    the most that are read here, ``own_tokens`` the most that the model itself takes (None: it sets
    no limit); what is beyond is cut at the ``truncation_side``.
    """

    name: str
    revision: str | None
    n_layers: int
    n_heads: int
    d_model: int
    max_tokens: int
    unknown_token: str | None = None
    part: str | None = None  # which attention of an encoder-decoder this is
    notes: tuple[str, ...] = ()
    passport: Passport | None = None
    own_tokens: int | None = None
    truncation_side: Literal["right", "left"] = "right"

    def __post_init__(self) -> None:
        object.__setattr__(self, "notes", tuple(self.notes))  # a stored one comes as a list


@dataclass(frozen=True, slots=True)
class Patches:
    """What a vision model saw: its patches are the tokens that are not special, row by row.

    Attributes:
        png: The picture as the model got it: scaled and cropped.
        rows: Patches from top to bottom.
        columns: Patches from left to right.
    """

    png: bytes
    rows: int
    columns: int


@dataclass(frozen=True, eq=False)
class AttentionTrace:
    """The attention of one run: every layer, kept so that any weight of it can be had.

    Attributes:
        model: The model's name and sizes.
        texts: The pasted text, and the second one if there was one.
        query_tokens: The tokens that look; one per row of a head's map.
        key_tokens: The tokens that are looked at; one per column. The same as ``query_tokens``
            in self-attention.
        layers: The layers with attention, in order, each with the model's own number. An array
            ``[layer, head, query, key]`` is taken as given weights of layers from 0.
        n_cut: For each text, how many of its tokens did not fit into the model.
        patches: The picture, where the tokens are pieces of one.
        n_written: How many of the last ``query_tokens`` were not given but written: by the model,
            or by a reader who chose them one by one.

    Raises:
        ExplorerError: The parts do not fit together, or the rows are no distributions.
    """

    model: ModelInfo
    texts: tuple[str, ...]
    query_tokens: tuple[Token, ...]
    key_tokens: tuple[Token, ...]
    layers: Sequence[AttentionLayer]
    n_cut: tuple[int, ...] = (0,)
    patches: Patches | None = None
    n_written: int = 0

    def __post_init__(self) -> None:
        if isinstance(self.layers, np.ndarray):
            object.__setattr__(self, "layers", of_weights(self._checked(self.layers)))
        object.__setattr__(self, "layers", tuple(self.layers))
        shapes = {(a.n_heads, a.n_queries, a.n_keys) for a in self.layers}
        if shapes - {self.shape[1:]} or len(self.layers) != self.model.n_layers:
            found = [len(self.layers), *max(shapes, default=(0, 0, 0))]
            raise ExplorerError(self._wrong_shape(found))
        if list(self.numbers) != sorted(set(self.numbers)):
            raise ExplorerError(t("The numbers of the layers must rise from each to the next."))

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Layers, heads, queries and keys, without any weight being made."""
        sides = (len(self.query_tokens), len(self.key_tokens))
        return (self.model.n_layers, self.model.n_heads, *sides)

    def _checked(self, weights: Weights) -> Weights:
        if weights.shape != self.shape:
            raise ExplorerError(self._wrong_shape(list(weights.shape)))
        return weights

    def _wrong_shape(self, found: list[int]) -> str:
        return t(
            "The attention weights have the shape {found}; with these tokens and this "
            "model [layer, head, query, key] must be {shape}.",
            found=found,
            shape=list(self.shape),
        )

    # — by the model's own number of a layer —

    @property
    def numbers(self) -> tuple[int, ...]:
        """The model's own numbers of the layers, in order."""
        return tuple(layer.number for layer in self.layers)

    def layer(self, number: int) -> AttentionLayer:
        """The layer of a number.

        Raises:
            ExplorerError: The model has no attention there.
        """
        if number not in self.numbers:
            raise ExplorerError(
                t(
                    "{name} has no attention in layer {number}: it has the layers {numbers}.",
                    name=self.model.name,
                    number=number,
                    numbers=_listed(self.numbers),
                )
            )
        return self.layers[self.numbers.index(number)]

    def nearest(self, number: int) -> int:
        """The number of a layer with attention that is nearest to a number."""
        return min(self.numbers, key=lambda own: (abs(own - number), own))

    def rows(self, layer: int, head: int, queries: Positions | None = None) -> Weights:
        """All weights of some queries, float32 ``[query, key]``; of every query if none is named.

        Raises:
            ExplorerError: There is no such layer, head or query.
        """
        found = self._at(layer, head)
        _check_positions(queries, found.n_queries, "query")
        return found.rows(head, queries)

    def tile(self, layer: int, head: int, queries: Positions, keys: Positions) -> Weights:
        """The weights of some queries on some keys, float32 ``[query, key]``.

        Raises:
            ExplorerError: There is no such layer, head or position.
        """
        found = self._at(layer, head)
        _check_positions(queries, found.n_queries, "query")
        _check_positions(keys, found.n_keys, "key")
        return found.tile(head, queries, keys)

    def pooled(
        self,
        layer: int,
        head: int,
        query_groups: Sequence[Sequence[int]],
        key_groups: Sequence[Sequence[int]],
    ) -> Doubles:
        """The attention between groups of tokens (words, sentences): `AttentionLayer.pooled`.

        Raises:
            ExplorerError: There is no such layer or head, or a group is empty.
        """
        found = self._at(layer, head)
        for group in query_groups:
            _check_positions(group, found.n_queries, "query")
        for group in key_groups:
            _check_positions(group, found.n_keys, "key")
        return found.pooled(head, query_groups, key_groups)

    def log_sum_exp(self, layer: int, head: int) -> Doubles:
        """What each row's softmax is divided by, as a logarithm, ``[query]``.

        Raises:
            ExplorerError: There is no such layer or head.
        """
        return self._at(layer, head).log_sum_exp(head)

    def received(self, layer: int, head: int) -> Doubles:
        """How much attention each key gets from all queries together, ``[key]``.

        Raises:
            ExplorerError: There is no such layer or head.
        """
        return self._at(layer, head).received(head)

    def entropy(self, layer: int, head: int) -> Doubles:
        """How spread out each row is, in bits, ``[query]``.

        Raises:
            ExplorerError: There is no such layer or head.
        """
        return self._at(layer, head).entropy(head)

    def _at(self, layer: int, head: int) -> AttentionLayer:
        found = self.layer(layer)
        if not 0 <= head < found.n_heads:
            raise ExplorerError(
                t(
                    "There is no head {head}: a layer has 0 to {n_heads}.",
                    head=head,
                    n_heads=found.n_heads - 1,
                )
            )
        return found

    # — all at once —

    @property
    def weights(self) -> Weights:
        """Every weight, float32 ``[layer, head, query, key]``, read-only; made when asked for.

        Raises:
            ExplorerError: They would take too much memory: more with the square of the length.
        """
        size = 4 * int(np.prod(self.shape, dtype=np.int64))
        if size > MOST_WEIGHTS:
            raise ExplorerError(
                t(
                    "All weights together would take {size} GiB; at most {most_weights} GiB are "
                    "made at once. Take rows(layer, head), tile(layer, head, queries, keys) or "
                    "pooled(…): they are as exact.",
                    size=f"{size / 2**30:,.1f}",
                    most_weights=f"{MOST_WEIGHTS / 2**30:.0f}",
                )
            )
        return self._weights if self._keeps else self._dense()

    @property
    def _keeps(self) -> bool:
        """Whether all weights are kept once made: given ones need no copy."""
        size = 4 * int(np.prod(self.shape, dtype=np.int64))
        return size <= _KEPT and not all(isinstance(a, GivenWeights) for a in self.layers)

    @once
    def _weights(self) -> Weights:
        return self._dense()

    def _dense(self) -> Weights:
        weights = np.empty(self.shape, dtype=np.float32)
        for i, layer in enumerate(self.layers):
            weights[i] = layer.weights()
        weights.flags.writeable = False
        return weights

    @property
    def tokens(self) -> tuple[Token, ...]:
        """Every token once: in cross-attention those that are looked at, then those that look."""
        same = self.key_tokens == self.query_tokens
        return self.key_tokens if same else self.key_tokens + self.query_tokens

    @property
    def nbytes(self) -> int:
        """Memory that the attention takes, with all weights where they are kept once made."""
        size = 4 * int(np.prod(self.shape, dtype=np.int64))
        return sum(layer.nbytes for layer in self.layers) + (size if self._keeps else 0)

    def __repr__(self) -> str:
        shape = " x ".join(map(str, self.shape))
        return f"AttentionTrace({self.model.name!r}, [layer, head, query, key] = {shape})"

    def show(
        self,
        *,
        layer: int | None = None,
        head: int | None = None,
        query: str | int | None = None,
        layers: Sequence[int] | None = None,
        heads: Sequence[Sequence[int]] | None = None,
        height: int = 1000,
        view: Mapping[str, str] | None = None,
    ) -> object:
        """The instrument for a notebook cell, opened at a place; the same as `explorer.show`."""
        from explorer import show  # the face of the house knows the way; this room does not

        return show(
            self,
            layer=layer,
            head=head,
            query=query,
            layers=layers,
            heads=heads,
            height=height,
            view=view,
        )

    def cut_at(self, segment: int) -> int | None:
        """The character of a text at which it was cut; None if all of its tokens did fit.

        What stands after it did not fit, or what stands before it, by the ``truncation_side``.
        """
        if not self.n_cut[segment]:
            return None
        spans = [t.span for t in self.tokens if t.segment == segment and t.span]
        if self.model.truncation_side == "left":
            return min((start for start, _ in spans), default=len(self.texts[segment]))
        return max((end for _, end in spans), default=0)


def _check_positions(positions: Positions | None, n: int, side: str) -> None:
    """Refuse positions that a text does not have.

    Raises:
        ExplorerError: There are some, or they are no positions.
    """
    if positions is None or isinstance(positions, slice):
        return
    places = np.asarray(positions)
    if places.ndim != 1 or (places.size and places.dtype.kind not in "iu"):
        raise ExplorerError(
            t(
                "The {side} positions must be a list of whole numbers or a slice, such as [0, 5].",
                side=side,
            )
        )
    beyond = [int(p) for p in places if not -n <= p < n]
    if beyond:
        raise ExplorerError(
            t(
                "There is no {side} {beyond}: there are the positions 0 to {n}.",
                side=side,
                beyond=beyond[0],
                n=n - 1,
            )
        )


def _listed(numbers: Sequence[int]) -> str:
    """Numbers as a reader reads them: a range where they are one."""
    if len(numbers) > 2 and list(numbers) == list(range(numbers[0], numbers[-1] + 1)):
        return f"{numbers[0]} to {numbers[-1]}"
    return ", ".join(map(str, numbers))
