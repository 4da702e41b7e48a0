"""AttentionTrace: the one object that flows through the app, checked at the door, read-only."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from explorer.errors import ExplorerError
from explorer.visible import visible

Weights = npt.NDArray[np.float32]

# A float32 softmax over 512 keys sums to 1 within 1e-6; half-precision models within 1e-3.
ROW_SUM_TOLERANCE = 2e-3


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
class ModelInfo:
    """What made the weights, its sizes, and what a reader should know of it (``notes``)."""

    name: str
    revision: str | None
    n_layers: int
    n_heads: int
    d_model: int
    max_tokens: int
    unknown_token: str | None = None
    part: str | None = None  # which attention of an encoder-decoder this is
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "notes", tuple(self.notes))  # a stored one comes as a list


@dataclass(frozen=True, slots=True)
class Patches:
    """What a vision model saw: its patches are the tokens after the special ones, row by row.

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
    """Every attention weight of one run.

    Attributes:
        model: The model's name and sizes.
        texts: The pasted text, and the second one if there was one.
        query_tokens: The tokens that look; one per row of a head's map.
        key_tokens: The tokens that are looked at; one per column. The same as ``query_tokens``
            in self-attention.
        weights: float32 ``[layer, head, query, key]``, read-only. Rows sum to 1, or to 0 where
            a mask left a query no key at all.
        n_cut: For each text, how many of its tokens did not fit into the model.
        patches: The picture, where the tokens are pieces of one.

    Raises:
        ExplorerError: The parts do not fit together, or the rows are no distributions.
    """

    model: ModelInfo
    texts: tuple[str, ...]
    query_tokens: tuple[Token, ...]
    key_tokens: tuple[Token, ...]
    weights: Weights
    n_cut: tuple[int, ...] = (0,)
    patches: Patches | None = None

    def __post_init__(self) -> None:
        weights = np.ascontiguousarray(self.weights, dtype=np.float32)
        wanted = (
            self.model.n_layers,
            self.model.n_heads,
            len(self.query_tokens),
            len(self.key_tokens),
        )
        if weights.shape != wanted:
            raise ExplorerError(
                f"The attention weights have the shape {list(weights.shape)}; with these tokens "
                f"and this model [layer, head, query, key] must be {list(wanted)}."
            )
        _check_rows(weights)
        if weights is self.weights:
            # Lock our own view, not an array that the caller may still be writing to.
            weights = weights.view()
        weights.flags.writeable = False
        object.__setattr__(self, "weights", weights)

    @property
    def tokens(self) -> tuple[Token, ...]:
        """Every token once: in cross-attention those that are looked at, then those that look."""
        same = self.key_tokens == self.query_tokens
        return self.key_tokens if same else self.key_tokens + self.query_tokens

    @property
    def nbytes(self) -> int:
        """Memory that the weights take."""
        return self.weights.nbytes

    def __repr__(self) -> str:
        shape = " x ".join(map(str, self.weights.shape))
        return f"AttentionTrace({self.model.name!r}, [layer, head, query, key] = {shape})"

    def show(self, height: int = 1000) -> object:
        """The instrument for a notebook cell; the same as `explorer.show`."""
        from explorer import show  # the face of the house knows the way; this room does not

        return show(self, height)

    def cut_at(self, segment: int) -> int | None:
        """The character of a text from which on its tokens did not fit; None if all did."""
        if not self.n_cut[segment]:
            return None
        ends = [t.span[1] for t in self.tokens if t.segment == segment and t.span]
        return max(ends, default=0)


def _check_rows(weights: Weights) -> None:
    """Refuse weights that are not rows of probabilities."""
    with np.errstate(over="ignore", invalid="ignore"):  # what becomes infinite is refused
        sums = weights.sum(axis=-1)
    if not np.isfinite(sums).all():
        raise ExplorerError(
            "The model returned attention weights that are not numbers (NaN or infinite). "
            "Its weights are probably damaged: try another model."
        )
    if weights.min(initial=0.0) < 0:
        raise ExplorerError("An attention weight is negative; softmax weights never are.")
    off = np.where(sums == 0, 0, np.abs(sums - 1)).max(initial=0.0)
    if off > ROW_SUM_TOLERANCE:
        raise ExplorerError(
            f"The rows of the attention weights must sum to 1; one is off by {off:.3g}. "
            "Are these scores from before the softmax?"
        )
