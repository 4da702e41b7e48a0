"""A model that reads many texts: those of one length at once, so that none needs padding.

Each layer's call is handed on and let go at once, and read some rows of all heads at a time: no
map of a head is ever held, so memory is linear in the length.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.functional import pad

from explorer.analysis.detectors import is_punctuation, same_words, sentence_of
from explorer.analysis.profiles import own_sentence_share
from explorer.corpus.measures import (
    AFTER,
    COLUMN,
    DISTANCE,
    ENTROPY,
    EVENNESS,
    FIRST,
    N_DISTANCES,
    NEXT,
    NO_TOKEN,
    OWN_SENTENCE,
    PREVIOUS,
    PUNCTUATION,
    SAME,
    SELF,
    SHARPNESS,
    SPECIAL,
    STRONGEST,
    VARIANCE,
)
from explorer.errors import ExplorerError
from explorer.language import t
from explorer.layers import NOT_NUMBERS, AttentionLayer
from explorer.sources.forward import failing
from explorer.sources.loading import LoadedModel
from explorer.sources.tap import Call, Tap, layers_from, numbers_of, weights_of
from explorer.sources.tokens import Reading
from explorer.trace import Token

TOKENS = 4096  # of all texts of a batch together
_CELLS = 2**20  # weights of all texts and heads that are made at once: 4 MB
_CELLS_OF_GPU = 2**25  # on a GPU, where each step takes the same time however large: 128 MB
_TINY = 1e-38  # in place of nought, whose logarithm is no number


@dataclass(frozen=True, eq=False)
class Read:
    """A text as it is read.

    Attributes:
        inputs: What the network is called with, each ``[1, token]``.
        tokens: Its tokens.
        words: The running number of the word that each says; −1 for none.
        sentences: The running number of the sentence of each; −1 for none.
        n_cut: How many of its tokens did not fit.
    """

    inputs: dict[str, Tensor]
    tokens: tuple[Token, ...]
    words: npt.NDArray[np.int64]
    sentences: npt.NDArray[np.int64]
    n_cut: int

    @property
    def farthest(self) -> int:
        """How far the same word stands from itself, at most."""
        first: dict[int, int] = {}
        apart = [i - first.setdefault(w, i) for i, w in enumerate(self.words.tolist()) if w >= 0]
        return max(apart, default=0)


def as_read(reading: Reading, texts: tuple[str, ...], unknown: str | None) -> Read:
    """A text that was tokenized."""
    tokens = reading.tokens
    words, sentences = same_words(tokens, unknown), sentence_of(tokens, texts)
    return Read(reading.inputs, tokens, words, sentences, sum(reading.n_cut))


class Batch:
    """Texts of one length that are read at once.

    Args:
        at: Which of the texts they are.
        texts: All texts.
        types: For each token's text its number.

    Attributes:
        at: Which of the texts they are.
        n: Tokens of each.
        inputs: What the network is called with, each ``[text, token]``.
        types: The number of each token's text, ``[text, token]``.
        special, punctuation: Which tokens are such, ``[text, token]``.
        farthest: How far the same word stands from itself at most, ``[text]``.
        several: Which texts are of several sentences, ``[text]``.
        asked: How many tokens of each are of a sentence, ``[text]``.
    """

    def __init__(self, at: Sequence[int], texts: Sequence[Read], types: dict[str, int]) -> None:
        some = [texts[i] for i in at]
        self.at, self.n = list(at), len(some[0].tokens)
        self.inputs = {k: torch.cat([t.inputs[k] for t in some]) for k in some[0].inputs}
        self.types = torch.tensor([[types[t.text] for t in text.tokens] for text in some])
        self.special = torch.tensor([[t.special for t in text.tokens] for text in some])
        self.punctuation = torch.tensor([[is_punctuation(t) for t in r.tokens] for r in some])
        self.farthest = torch.tensor([text.farthest for text in some])
        self._words = torch.from_numpy(np.stack([text.words for text in some]))
        self._sentences = torch.from_numpy(np.stack([text.sentences for text in some]))
        self.several = self._sentences.amax(-1) > 0
        self.asked = (self._sentences >= 0).sum(-1)
        self._of_sentences = [text.sentences for text in some]
        self._maps: dict[int, Tensor] = {}
        self._seen: dict[tuple[int, ...], Seen] = {}

    def to(self, device: torch.device) -> "Batch":
        """The same on another device."""
        for name, value in vars(self).items():
            if isinstance(value, Tensor):
                setattr(self, name, value.to(device))
        self.inputs = {k: v.to(device) for k, v in self.inputs.items()}
        return self

    def patterns(self, rows: Tensor) -> Tensor:
        """Of some rows the cells of the same word elsewhere, and of what came after it.

        Where a text is of several sentences, those of the own one too.

        Returns:
            float32 ``[text, row, key, 2 or 3]``; kept where it is of all rows, as layers share it.
        """
        whole = len(rows) == self.n
        if whole and self._maps:
            return self._maps[0]
        keys = torch.arange(self.n, device=rows.device)
        alike = _alike(self._words, rows)
        found = [alike & (keys != rows[:, None]), torch.zeros_like(alike)]
        found[1][..., 1:] = alike[..., :-1] & (keys[1:] < rows[:, None])
        if bool(self.several.any()):
            found.append(_alike(self._sentences, rows))
        stacked = torch.stack([cells.float() for cells in found], dim=-1)
        if whole:
            self._maps[0] = stacked
        return stacked

    def seen(self, call: Call) -> "Seen":
        """Which keys a layer may look at; kept, as layers share it."""
        parts = (call.mask, call.options.get("position_bias"))
        said = (call.options.get("is_causal"), getattr(call.module, "is_causal", True))
        name = (*map(id, parts), *map(id, said))
        if name not in self._seen:
            # One text tells it of all: they are of one length, and none is padded.
            bare = replace(call, query=call.query[:1, :, :, :1], key=call.key[:1, :, :, :1])
            self._seen[name] = _seen(layers_from([bare], [0])[0], self._of_sentences, parts)
        return self._seen[name]


@dataclass(frozen=True, eq=False)
class Seen:
    """What a layer may look at, in the texts of a batch.

    Attributes:
        possible: The entropy that even attention would have, over all rows of a text, in bits.
        own: The share that even attention would give to the own sentence, float64 ``[text]``; NaN
            for a text of one.
        parts: What it was read from: their names in memory must not become others'.
    """

    possible: float
    own: Tensor
    parts: tuple[Tensor | None, ...]


def _seen(
    layer: AttentionLayer, sentences: Sequence[npt.NDArray[np.int64]], parts: tuple[Any, ...]
) -> Seen:
    everyone = np.ones(layer.n_keys, dtype=bool)
    shares = [own_sentence_share([layer], of, everyone) for of in sentences]
    own = [torch.nan if share is None else float(share[0]) for share in shares]
    possible = float(np.log2(np.maximum(layer.n_allowed(), 1)).sum())
    return Seen(possible, torch.tensor(own, dtype=torch.float64), parts)


def _alike(labels: Tensor, rows: Tensor) -> Tensor:
    """Of some rows the keys with their label, ``[text, row, key]``; below 0 it is like none."""
    own = labels[:, rows, None]
    return (own == labels[:, None]) & (own >= 0)


def batches(texts: Sequence[Read], types: dict[str, int]) -> Iterator[Batch]:
    """All texts, those of one length together, the shortest first."""
    by_length: dict[int, list[int]] = {}
    for i, text in enumerate(texts):
        by_length.setdefault(len(text.tokens), []).append(i)
    for n in sorted(by_length):
        step = max(1, TOKENS // n)
        for start in range(0, len(by_length[n]), step):
            yield Batch(by_length[n][start : start + step], texts, types)


# --- one layer --------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Found:
    """What one layer does in the texts of a batch.

    Attributes:
        measures: By name float64 ``[text, head]``; NaN where a text cannot show it.
        even: What even attention would give to the own sentence, ``[text]``; NaN as well.
        apart: How much attention there is at each bin of distances, over all texts,
            ``[head, bin]``.
        received: What each token gets of all rows, ``[text, head, token]``.
        given: What each token's row gives to other ordinary tokens, ``[text, head, token]``.
    """

    measures: dict[str, Tensor]
    even: Tensor
    apart: Tensor
    received: Tensor
    given: Tensor


def by_distance(n: int, device: torch.device) -> Tensor:
    """What is added up of each offset of a key from its query, from −(n − 1) on.

    Returns:
        float64 ``[2n − 1, 4 + bins]``: the distance, its square, whether it is the token before,
        whether the token after, and in which bin of distances it is.
    """
    offset = torch.arange(1 - n, n, device=device)
    far = offset.abs()
    bins = torch.where(far > 0, far.clamp_min(1).double().log2().floor().long() + 1, 0)
    columns = [far, far**2, offset == -1, offset == 1, *(bins == i for i in range(bins.max() + 1))]
    return torch.stack([c.double() for c in columns], dim=-1)


def diagonals(w: Tensor) -> Tensor:
    """The sums over cells of one offset; of rows that fall by one, ``[..., row, key]``.

    Each row is moved on by one more place, by reading it in lines that are one shorter.

    Returns:
        ``[..., key + row]``: the first is of the first row and the first key.
    """
    s, n = w.shape[-2:]
    wide = pad(w, (0, s)).flatten(-2)[..., : s * (n + s - 1)]
    return wide.unflatten(-1, (s, n + s - 1)).sum(-2)


class _Sums:
    """Sums over the rows of all heads of a layer; all float64."""

    def __init__(self, batch: Batch, n_heads: int, device: torch.device) -> None:
        self.batch, self.n = batch, batch.n
        shape = (len(batch.at), n_heads)
        zeros = partial(torch.zeros, dtype=torch.float64, device=device)
        self.entropy, self.sharpness, self.mass = (zeros(shape) for _ in range(3))
        self.strongest = torch.full(shape, -1.0, device=device)
        self.offsets = zeros((*shape, 2 * self.n - 1))
        self.on = zeros((*shape, 3))
        self.received, self.given = zeros((*shape, self.n)), zeros((*shape, self.n))
        columns = torch.stack([torch.ones_like(batch.special), ~batch.special], dim=-1)
        self.columns = columns.float().to(device)

    def add(self, rows: Tensor, w: Tensor) -> None:
        """Add some rows, ``[text, head, row, key]``, which fall by one from each to the next."""
        t, h, s, n = w.shape
        sums = (w.reshape(t, h * s, n) @ self.columns).reshape(t, h, s, 2)
        whole = sums[..., 0].clamp_min(_TINY)
        spread = torch.einsum("thsn,thsn->ths", w, w.clamp_min(_TINY).log2_())
        self.entropy += (whole.log2() - spread / whole).clamp_min(0).sum(-1, dtype=torch.float64)
        self.mass += sums[..., 0].sum(-1, dtype=torch.float64)
        inner = w[..., 1:].amax(-1) if n > 1 else w[..., 0]
        self.sharpness += torch.maximum(inner, w[..., 0]).sum(-1, dtype=torch.float64)
        if n > 1 and int(rows[0]) > 0:
            later = inner[..., : s - int(rows[-1] == 0)]
            self.strongest = torch.maximum(self.strongest, later.amax(-1))
        start = n - 1 - int(rows[0])
        self.offsets[..., start : start + n + s - 1] += diagonals(w)
        self.received += w.sum(-2)
        own = w[:, :, torch.arange(s), rows]
        ordinary = ~self.batch.special[:, None, rows]
        self.given[:, :, rows] = (sums[..., 1] - own * ordinary).clamp_min(0).double()
        if bool((self.batch.farthest > 0).any() or self.batch.several.any()):
            cells = self.batch.patterns(rows).reshape(t, s * n, -1)
            self.on[..., : cells.shape[-1]] += w.reshape(t, h, s * n) @ cells

    def found(self, seen: Seen) -> Found:
        """What was added up, as means over the rows."""
        batch, n = self.batch, self.n
        mass = self.mass.clamp_min(_TINY)
        on = self.offsets @ by_distance(n, self.offsets.device)
        far, square = on[..., 0] / mass, on[..., 1] / mass
        alone, none = torch.full_like(self.mass, torch.nan), torch.nan

        def where(shown: Tensor, found: Tensor) -> Tensor:
            return torch.where(shown[:, None], found / n, none)

        special, signs = (
            (self.received @ marks.double()[..., None])[..., 0]
            for marks in (batch.special, batch.punctuation)
        )
        measures = {
            ENTROPY: self.entropy / n,
            EVENNESS: self.entropy / seen.possible if seen.possible else self.entropy * 0,
            SHARPNESS: self.sharpness / n,
            STRONGEST: self.strongest.double() if n > 1 else alone,
            DISTANCE: on[..., 0] / n,
            VARIANCE: (square - far**2).clamp_min(0),
            SELF: on[..., 4] / n,
            PREVIOUS: on[..., 2] / n if n > 1 else alone,
            NEXT: on[..., 3] / n if n > 1 else alone,
            FIRST: self.received[..., 0] / n,
            COLUMN: self.received.amax(-1) / n,
            SPECIAL: where(batch.special.any(-1), special),
            PUNCTUATION: where(batch.punctuation.any(-1), signs),
            SAME: where(batch.farthest > 0, self.on[..., 0]),
            AFTER: where(batch.farthest > 1, self.on[..., 1]),
            OWN_SENTENCE: where(batch.several, self.on[..., 2] * (n / batch.asked[:, None])),
            NO_TOKEN: (1 - self.mass / n).clamp_min(0),
        }
        apart = torch.zeros((on.shape[1], N_DISTANCES), dtype=torch.float64)
        apart[:, : on.shape[2] - 4] = on[..., 4:].sum(0)
        return Found(measures, seen.own, apart, self.received, self.given)


def rows_of(call: Call) -> Iterator[tuple[Tensor, Tensor]]:
    """All rows of a call, the last first, some at a time: which, and their weights."""
    t, h, n = call.query.shape[:3]
    most = _CELLS if call.query.device.type == "cpu" else _CELLS_OF_GPU
    step = max(1, most // (t * h * n))
    for end in range(n, 0, -step):
        rows = torch.arange(end - 1, max(end - step, 0) - 1, -1, device=call.query.device)
        yield rows, weights_of(call, rows)


def read_layer(call: Call, batch: Batch) -> Found:
    """Everything that is measured of a layer, in one reading of its rows.

    Raises:
        ExplorerError: Its weights are not numbers.
    """
    sums = _Sums(batch, call.query.shape[1], call.query.device)
    for rows, weights in rows_of(call):
        sums.add(rows, weights)
    if not bool(torch.isfinite(sums.mass).all()):
        raise ExplorerError(NOT_NUMBERS)
    return sums.found(batch.seen(call))


# --- the whole model --------------------------------------------------------------------------


class _Listening(Tap):
    """A tap that hands on each call of the texts' own length, and keeps none.

    After the last layer that is asked for it ends the model's reading.
    """

    def __init__(self, n: int, hear: Callable[[int, Call], None], last: int | None) -> None:
        super().__init__()
        self._n, self._hear, self._last = n, hear, last
        self.modules: list[Call] = []

    def attend(self, *given: Any) -> Tensor:
        output = super().attend(*given)
        call = self.calls.pop()
        if call.query.shape[2] == call.key.shape[2] == self._n:
            empty = call.query.new_empty(0)
            self.modules.append(Call(call.module, empty, empty, None, {}))
            whole = replace(call, query=call.query.float(), key=call.key.float())
            layer = len(self.modules) - 1
            self._hear(layer, whole)
            if layer == self._last:
                raise _HeardError
        return output


class _HeardError(Exception):
    """The last layer that was asked for was heard."""


def listen(
    loaded: LoadedModel,
    batch: Batch,
    hear: Callable[[int, Call], None],
    last: int | None = None,
) -> tuple[int, ...]:
    """Let a model read a batch; each layer's call is heard as soon as it has come.

    Args:
        loaded: The model.
        batch: The texts.
        hear: Told which layer it is, counted from 0, and its call, of float32.
        last: The layer after which nothing is asked for; None for all.

    Returns:
        The model's own numbers of the layers.

    Raises:
        ExplorerError: The model fails, or its attention does not go through the tap.
    """
    tap = _Listening(batch.n, hear, last)
    name = loaded.info.name
    with torch.inference_mode(), failing(name), tap.open(), suppress(_HeardError):
        loaded.network(**batch.inputs)
    if not tap.modules:
        raise ExplorerError(
            t(
                "The attention of {name} does not come as queries and keys, so many "
                "texts cannot be read at once. Choose another model, or look at single "
                "texts on Heads.",
                name=loaded.info.name,
            )
        )
    return numbers_of(loaded.network, tap.modules)
