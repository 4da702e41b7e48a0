"""What heads do on a text, in numbers (Clark, Khandelwal, Levy, Manning 2019)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from explorer.analysis.detectors import Detector, detectors, sentence_of
from explorer.errors import ExplorerError
from explorer.language import t
from explorer.layers import ROW_SUM_TOLERANCE, AttentionLayer, Doubles, row_entropy, slices
from explorer.trace import AttentionTrace, Weights

ENTROPY, EVENNESS, SHARPNESS = "entropy", "evenness", "sharpness"
DISTANCE, COLUMN = "distance", "column"
FIRST, NO_TOKEN, OWN_SENTENCE = "first", "no token", "own sentence"
_SPARSE = 8  # a pattern is added up cell by cell where it has fewer than one in so many
_LEAST_LEFT = 1e-30  # below it float32 has no digits of what a row leaves for ordinary tokens

Report = Callable[[str, float | None], None]
Mask = npt.NDArray[np.bool_]
Rows = TypeVar("Rows", Weights, Mask)


@dataclass(frozen=True, eq=False)
class HeadProfiles:
    """The profile of every head on one text.

    Attributes:
        measures: By name, ``[layer, head]``. ``entropy`` (bits, mean over rows, of what a row gives
            to tokens), ``evenness`` (entropy as a share of what is possible, 0 to 1), ``distance``
            (mean of |i − j|, in tokens), ``sharpness`` (mean of the row maximum; Voita et al.
            2019), ``column`` (the largest share that one token gets of all attention), ``no token``
            (the share that a sink takes or a mask leaves), and the share of attention on every
            pattern of `detectors`. What the text cannot show is left out; NaN where a head has no
            row that could show it.
        sinks: The position of the token that gets that largest share, ``[layer, head]``.
        own_sentence: The share of its own sentence that a word would get in each layer if attention
            were even over all tokens that may be looked at, ``[layer]``; None for one sentence.
    """

    measures: Mapping[str, Doubles]
    sinks: npt.NDArray[np.int64]
    own_sentence: Doubles | None


def head_profiles(
    trace: AttentionTrace, report: Report = lambda doing, share: None
) -> HeadProfiles:
    """Profile every head of a trace of self-attention, special tokens counted.

    Cost: every weight is read about four times, some at a time: memory for a few rows.

    Args:
        trace: The trace.
        report: Told what is being done; may raise to end it.

    Raises:
        ExplorerError: Queries and keys are different texts.
    """
    _check(trace)
    reading = _Reading(trace, np.ones(len(trace.key_tokens), dtype=bool))
    _read(trace, [reading], report)
    return reading.profiles()


def profiles_both_ways(
    trace: AttentionTrace, report: Report = lambda doing, share: None
) -> tuple[HeadProfiles, HeadProfiles | None]:
    """Profile every head twice: special tokens counted, and left out.

    Left out: the rows of special tokens do not count, and each other row is divided by what it
    gives to ordinary tokens, so that it sums to 1 over them. A row that gives them nothing says
    nothing of where it would look, and does not count either. Places stay as they are: the token
    before is the one that stands before in the model's own order, and if that is a special one
    there is none.

    Args:
        trace: As of `head_profiles`.
        report: As of `head_profiles`.

    Returns:
        Counted; and left out, None of a text that has no special tokens. Of one that has nothing
        else every number is NaN.
    """
    _check(trace)
    words = np.array([not t.special for t in trace.key_tokens])
    counted = _Reading(trace, np.ones(len(words), dtype=bool))
    left_out = _Reading(trace, words) if words.any() and not words.all() else None
    _read(trace, [counted, left_out] if left_out else [counted], report)
    found = counted.profiles()
    if not words.any():
        return found, _of_no_row(found)
    return found, None if left_out is None else left_out.profiles()


def _of_no_row(found: HeadProfiles) -> HeadProfiles:
    """The same heads where nothing counts."""
    names = (ENTROPY, EVENNESS, DISTANCE, SHARPNESS, COLUMN)
    unknown = np.full(found.sinks.shape, np.nan)
    return HeadProfiles(dict.fromkeys(names, unknown), found.sinks, None)


def _check(trace: AttentionTrace) -> None:
    if trace.query_tokens != trace.key_tokens:
        raise ExplorerError(
            t(
                "Heads are profiled on self-attention: queries and keys are the same. "
                "Of an encoder-decoder choose Encoder or Decoder on Explore first."
            )
        )


def _read(trace: AttentionTrace, readings: "Sequence[_Reading]", report: Report) -> None:
    """Give every row of every head to some readings, a few rows of all heads at a time."""
    n = len(trace.key_tokens)
    for some in slices(n, n):
        report(t("Reading every head"), some.start / n)
        adders = [reading.some(some) for reading in readings]
        for at, rows in _heads(trace.layers, some):
            for add in adders:
                add(at, rows)


class _Reading:
    """Sums over the rows of every head, ``[layer, head]``, of the tokens that count.

    Attributes:
        rows: How many rows count.
        received: What each token that counts gets, ``[layer, head, token]``.
        entropy, possible, sharpness, distance: Over these rows.
        on: What lies on each pattern whose queries have keys of their own.
        asked: How many rows each of these is about.
        cells: How many cells each of these has; one without any cannot be shown.
    """

    def __init__(self, trace: AttentionTrace, counts: Mask) -> None:
        shape = (trace.model.n_layers, trace.model.n_heads)
        self._trace, self._counts, self._all = trace, counts, bool(counts.all())
        self._places = np.flatnonzero(counts)
        self._possible = [np.log2(np.maximum(c, 1)) for c in _keys_that_count(trace, counts)]
        patterns = detectors(trace) | {FIRST: onto_first(counts)}
        self._columns = {k: p.keys[counts] for k, p in patterns.items() if p.keys is not None}
        self._patterns = {name: p for name, p in patterns.items() if p.keys is None}
        self.received = np.zeros((*shape, len(self._places)))
        self.rows, self.entropy, self.possible = (np.zeros(shape) for _ in range(3))
        self.sharpness, self.distance = np.zeros(shape), np.zeros(shape)
        self.on = {name: np.zeros(shape) for name in self._patterns}
        self.asked = {name: np.zeros(shape) for name in self._patterns}
        self.cells = dict.fromkeys(self._patterns, 0)

    def some(self, some: slice) -> Callable[[tuple[int, int], Weights], None]:
        """What adds some rows of a head, which it is given whole."""
        counts = self._counts[some]
        places = some.start + np.flatnonzero(counts)
        apart = np.abs(self._places - places[:, None]).astype(np.float32)
        maps = {}
        for name, pattern in self._patterns.items():
            map_ = self._cut(pattern.rows(some), counts)
            self.cells[name] += int(np.count_nonzero(map_))
            maps[name] = (pattern.queries[places], _adder(map_))

        def add(at: tuple[int, int], whole: Weights) -> None:
            rows, said = self._shares(whole, counts)
            self.rows[at] += said.sum()
            self.received[at] += said.astype(np.float32) @ rows
            self.distance[at] += np.vdot(rows, apart)
            self.entropy[at] += row_entropy(rows).sum()
            self.possible[at] += self._possible[at[0]][places[said]].sum()
            self.sharpness[at] += rows.max(axis=-1, initial=0).sum(dtype=np.float64)
            for name, (asked, on) in maps.items():
                self.asked[name][at] += (asked & said).sum()
                self.on[name][at] += on(rows)

        return add

    def _cut(self, whole: Rows, counts: Mask) -> Rows:
        """Of some rows those that count, over the tokens that count."""
        return whole if self._all else whole[counts][:, self._places]

    def _shares(self, whole: Weights, counts: Mask) -> tuple[Weights, Mask]:
        """The rows that count, divided by their sums; and which of them say anything."""
        rows = self._cut(whole, counts)
        if self._all:
            return rows, np.ones(len(rows), dtype=bool)
        left = rows.sum(axis=-1, dtype=np.float64)
        said: Mask = left > _LEAST_LEFT
        by: Weights = np.where(said, left, np.inf).astype(np.float32)
        return np.divide(rows, by[:, None]), said

    def profiles(self) -> HeadProfiles:
        """What was read, as means over the rows that count."""
        received, known = _per(self.received, self.rows[..., None]), self.rows > 0
        measures = {
            ENTROPY: _per(self.entropy, self.rows),
            EVENNESS: np.where(known & (self.possible == 0), 0, _per(self.entropy, self.possible)),
            DISTANCE: _per(self.distance, self.rows),
            SHARPNESS: _per(self.sharpness, self.rows),
            COLUMN: received.max(axis=-1),
        }
        nowhere = 1 - received.sum(axis=-1)
        if nowhere.max() > ROW_SUM_TOLERANCE:
            measures[NO_TOKEN] = np.maximum(nowhere, 0)
        for name, keys in self._columns.items():
            if keys.any():
                measures[name] = received @ keys
        for name, total in self.on.items():
            if self.cells[name]:
                measures[name] = _per(total, self.asked[name])
        sentences = sentence_of(self._trace.key_tokens, self._trace.texts)
        own = own_sentence_share(self._trace.layers, sentences, self._counts)
        return HeadProfiles(measures, self._places[received.argmax(axis=-1)], own)


def _per(total: Doubles, count: Doubles) -> Doubles:
    """A mean; NaN where nothing was counted."""
    return np.divide(
        total,
        count,
        out=np.full(total.shape, np.nan),
        where=np.broadcast_to(count > 0, total.shape),
    )


def onto_first(counts: Mask) -> Detector:
    """Every query on the first token that counts."""
    keys = np.arange(len(counts)) == np.argmax(counts)
    return Detector(lambda some: np.tile(keys, (len(keys[some]), 1)), np.ones_like(keys), keys)


def _keys_that_count(trace: AttentionTrace, counts: Mask) -> list[npt.NDArray[np.int64]]:
    """How many of them each query may look at, in each layer."""
    return [layer.n_allowed(None if counts.all() else counts) for layer in trace.layers]


def _heads(
    layers: Sequence[AttentionLayer], some: slice
) -> Iterator[tuple[tuple[int, int], Weights]]:
    """Some rows of every head, each behind the places of its layer and head."""
    for i, layer in enumerate(layers):
        for head in range(layer.n_heads):
            yield (i, head), layer.rows(head, some)


def _adder(pattern: npt.NDArray[np.bool_]) -> Callable[[Weights], float]:
    """What adds up the weights on a pattern ``[some, key]``."""
    cells = np.flatnonzero(pattern)
    if len(cells) * _SPARSE < pattern.size:
        return lambda rows: float(rows.ravel()[cells].sum(dtype=np.float64))
    whole = pattern.astype(np.float32)
    return lambda rows: float(np.vdot(rows, whole))


def possible_entropy(layers: Sequence[AttentionLayer]) -> Doubles:
    """The entropy that even attention would have in each layer, in bits, ``[layer]``.

    The mean over the queries of log2 of how many keys each may look at: log2 n where each may look
    at all, less under a causal mask or a window.
    """
    counts = [np.maximum(layer.n_allowed(), 1) for layer in layers]
    return np.array([np.log2(count).mean() for count in counts])


def own_sentence_share(
    layers: Sequence[AttentionLayer], sentences: npt.NDArray[np.int64], counts: Mask
) -> Doubles | None:
    """What even attention over all keys that a word may look at would give to its own sentence.

    Args:
        layers: The layers, of whose weights none is asked for.
        sentences: The number of each token's sentence, as `sentence_of` has it.
        counts: The tokens that count, ``[key]``.

    Returns:
        The mean over all words, ``[layer]``; None where the text is of one sentence.
    """
    if sentences.max(initial=-1) <= 0:
        return None
    words = np.flatnonzero(sentences >= 0)
    before = np.concatenate([[0], np.cumsum(sentences >= 0)])
    first = np.searchsorted(sentences[words], np.arange(sentences.max() + 1))
    begins = words[first]
    ends = np.append(begins[1:], len(sentences))
    start, end = begins[sentences[words]], ends[sentences[words]]
    shares = []
    for layer in layers:
        low, high = layer.allowed()[words].T
        own = before[np.clip(end, low, high)] - before[np.clip(start, low, high)]
        keys = layer.n_allowed(None if counts.all() else counts)[words]
        shares.append((np.minimum(own, keys) / np.maximum(keys, 1)).mean())
    return np.array(shares)


@dataclass(frozen=True, eq=False)
class Pooled:
    """A measure over several texts.

    Attributes:
        mean: Over the texts that can show it, ``[layer, head]``.
        spread: The standard deviation over these texts (of the sample); 0 for a single one.
        n_texts: How many texts these are.
        farthest: Which text, counted through all, is farthest from the mean, ``[layer, head]``.
        extreme: The number there, ``[layer, head]``.
    """

    mean: Doubles
    spread: Doubles
    n_texts: int
    farthest: npt.NDArray[np.int64]
    extreme: Doubles


def pool(profiles: Sequence[HeadProfiles]) -> dict[str, Pooled]:
    """Mean and spread of every measure over texts, and the text that fits them least."""
    names = dict.fromkeys(name for p in profiles for name in p.measures)
    return {name: _pooled(name, profiles) for name in names}


def _pooled(name: str, profiles: Sequence[HeadProfiles]) -> Pooled:
    texts = np.array([i for i, p in enumerate(profiles) if name in p.measures])
    stack = np.stack([profiles[i].measures[name] for i in texts])
    known = ~np.isnan(stack)
    count = known.sum(axis=0).astype(np.float64)
    mean = _per(np.where(known, stack, 0).sum(axis=0), count)
    apart = np.where(known, stack - mean, 0)
    spread = np.sqrt((apart**2).sum(axis=0) / np.maximum(count - 1, 1))
    at = np.abs(apart).argmax(axis=0)
    extreme = np.take_along_axis(stack, at[None], axis=0)[0]
    return Pooled(mean, spread, len(texts), texts[at], extreme)


def entropy(layers: Sequence[AttentionLayer]) -> Doubles:
    """Entropy of a row, in bits, the mean over the rows: 0 for one key, log2 n for all alike.

    Returns:
        ``[layer, head]``.
    """
    return np.array([[layer.entropy(h).mean() for h in range(layer.n_heads)] for layer in layers])
