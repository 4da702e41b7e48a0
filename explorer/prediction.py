"""Prediction: what a model takes for the next token, with the whole row that it is made of."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from explorer.trace import Token

Logits = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]


def log_softmax(logits: npt.ArrayLike, temperature: float = 1.0) -> Doubles:
    """Logits as the logarithms of probabilities, along the last axis; in float64."""
    scaled = np.asarray(logits, np.float64) / temperature
    scaled = scaled - scaled.max(axis=-1, keepdims=True)
    found: Doubles = scaled - np.log(np.exp(scaled).sum(axis=-1, keepdims=True))
    return found


def likeliest(logits: npt.NDArray[np.floating], count: int) -> npt.NDArray[np.intp]:
    """The numbers of the largest logits, the largest first; of equal ones the smaller number."""
    count = min(count, logits.shape[-1])
    some = np.argpartition(-logits, count - 1)[:count]
    some = np.flatnonzero(logits >= logits[some].min())  # with all that are equal to the last
    found: npt.NDArray[np.intp] = some[np.lexsort((some, -logits[some]))][:count]
    return found


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a model takes for the next token at one position.

    Attributes:
        model: The model's name.
        tokens: The tokens that it read; of an encoder-decoder those of its decoder.
        position: The token after which the next one is asked for.
        logits: float32 ``[vocabulary]``: the model's own number for every token, read-only.
        ids: The numbers of the likeliest tokens, the likeliest first.
        texts: What each of these writes here, as it can be seen; a space before it as ␣.
        temperature: What the logits are divided by before they become probabilities.
        top_k: How many of the likeliest share all the probability; None for all tokens.
    """

    model: str
    tokens: tuple[Token, ...]
    position: int
    logits: Logits
    ids: tuple[int, ...]
    texts: tuple[str, ...]
    temperature: float = 1.0
    top_k: int | None = None

    def __post_init__(self) -> None:
        self.logits.flags.writeable = False

    @property
    def row(self) -> Doubles:
        """The logarithm of the probability of every token, ``[vocabulary]``; −inf beyond top-k."""
        return log_chances(self.logits, self.temperature, self.top_k)

    @property
    def log_probabilities(self) -> Doubles:
        """Those of `ids`."""
        found: Doubles = self.row[list(self.ids)]
        return found

    @property
    def probabilities(self) -> Doubles:
        """The probabilities of `ids`; those of all tokens sum to 1."""
        found: Doubles = np.exp(self.log_probabilities)
        return found

    def probability(self, token: int) -> float:
        """The probability of any token, by its number."""
        return float(np.exp(self.row[token]))

    def rank(self, token: int) -> int:
        """How many tokens are likelier than one."""
        return int((self.logits > self.logits[token]).sum())


def log_chances(logits: Logits, temperature: float = 1.0, top_k: int | None = None) -> Doubles:
    """The logarithms of the probabilities that tokens are drawn with, ``[vocabulary]``.

    Args:
        logits: ``[vocabulary]``.
        temperature: What they are divided by; at 0 the likeliest token has all.
        top_k: How many of the likeliest are drawn from; None for all.
    """
    if temperature == 0:
        temperature, top_k = 1.0, 1
    if top_k is None or top_k >= len(logits):
        return log_softmax(logits, temperature)
    kept = likeliest(logits, top_k)
    found = np.full(len(logits), -np.inf)
    found[kept] = log_softmax(logits[kept], temperature)
    return found


@dataclass(frozen=True, eq=False)
class NewRow:
    """The row of one new token in one layer's attention.

    Attributes:
        number: The model's own number of the layer.
        part: Of an encoder-decoder: ``decoder`` or ``cross``; else empty.
        weights: float32 ``[head, key]``: how the token looks at those before it and at itself, or
            at the text that an encoder-decoder reads.
        query: float32 ``[head, d]``; None where the weights are not made of q and k.
        key: float32 ``[key head, d]``; None in cross-attention, which has no new key.
    """

    number: int
    part: str
    weights: npt.NDArray[np.float32]
    query: npt.NDArray[np.float32] | None = None
    key: npt.NDArray[np.float32] | None = None


@dataclass(frozen=True, eq=False)
class WrittenToken:
    """A token that a model, or a reader, has put behind a text.

    Attributes:
        id: Its number in the vocabulary.
        text: What it writes here, as it can be seen; a space before it as ␣.
        position: Its place among the tokens.
        probability: What the model gave to it: out of all tokens, at temperature 1.
        drawn_with: The probability with which it was drawn; None where a reader chose it.
        rank: How many tokens were likelier.
        rows: Its row in every layer.
    """

    id: int
    text: str
    position: int
    probability: float
    drawn_with: float | None
    rank: int
    rows: tuple[NewRow, ...] = ()


@dataclass(frozen=True, eq=False)
class Predictions:
    """What a model takes for the next token at each of some positions, one after the other.

    Attributes:
        first: The first of the positions.
        last: The last position of the text that can be gone on from: no closing mark is.
        ids: int32 ``[position, k]``: the numbers of the likeliest tokens, the likeliest first.
        logs: float32 ``[position, k]``: the logarithms of their probabilities.
        real: float32 ``[position]``: that of the token that really stands behind; NaN where none
            does.
        ranks: int32 ``[position]``: how many tokens are likelier than that one; −1 where none is.
        texts: What the tokens of `ids` write, by their numbers.
        vocabulary: How many tokens there are.
        ends: Those that end a text.
        room: How many tokens more the model can read.
    """

    first: int
    last: int
    ids: npt.NDArray[np.int32]
    logs: npt.NDArray[np.float32]
    real: npt.NDArray[np.float32]
    ranks: npt.NDArray[np.int32]
    texts: Mapping[int, str]
    vocabulary: int
    ends: tuple[int, ...]
    room: int
