"""What heads do on a text, in numbers (Clark, Khandelwal, Levy, Manning 2019)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from explorer.analysis.detectors import Detector, detectors, sentence_of
from explorer.errors import ExplorerError
from explorer.layers import ROW_SUM_TOLERANCE, AttentionLayer, Doubles, row_entropy, slices
from explorer.trace import AttentionTrace, Weights

ENTROPY, EVENNESS, SHARPNESS = "entropy", "evenness", "sharpness"
DISTANCE, AMONG_WORDS, COLUMN = "distance", "distance among words", "column"
NO_TOKEN, OWN_SENTENCE = "no token", "own sentence"
_SPARSE = 8  # a pattern is added up cell by cell where it has fewer than one in so many

Report = Callable[[str, float | None], None]


@dataclass(frozen=True, eq=False)
class HeadProfiles:
    """The profile of every head on one text.

    Attributes:
        measures: By name, ``[layer, head]``. ``entropy`` (bits, mean over rows, of what a row gives
            to tokens), ``evenness`` (entropy as a share of what is possible, 0 to 1), ``distance``
            (mean of |i − j|, in tokens), ``distance among words`` (the same of what ordinary tokens
            give to ordinary ones), ``sharpness`` (mean of the row maximum; Voita et al. 2019),
            ``column`` (the largest share that one token gets of all attention), ``no token`` (the
            share that a sink takes or a mask leaves), and the share of attention on every pattern
            of `detectors`. What the text cannot show is left out.
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
    """Profile every head of a trace of self-attention.

    Cost: every weight is read about four times, some at a time: memory for a few rows.

    Args:
        trace: The trace.
        report: Told what is being done; may raise to end it.

    Raises:
        ExplorerError: Queries and keys are different texts.
    """
    if trace.query_tokens != trace.key_tokens:
        raise ExplorerError(
            "Heads are profiled on self-attention: queries and keys are the same. Of an "
            "encoder-decoder choose Encoder or Decoder on Explore first."
        )
    n = len(trace.key_tokens)
    patterns = detectors(trace)
    reading = _Reading(trace, patterns)
    for some in slices(n, n):
        report("Reading every head", some.start / n)
        reading.read(some)
    received = reading.received / n
    possible = possible_entropy(trace.layers)[:, None]
    bits = reading.entropy / n
    measures = {
        ENTROPY: bits,
        EVENNESS: np.divide(bits, possible, out=np.zeros_like(bits), where=possible > 0),
        DISTANCE: reading.distance / n,
        SHARPNESS: reading.sharpness / n,
        COLUMN: received.max(axis=-1),
    }
    if any(t.special for t in trace.key_tokens) and reading.among.any():
        among = reading.among
        apart = np.divide(reading.apart, among, out=np.zeros_like(among), where=among > 0)
        measures[AMONG_WORDS] = apart
    nowhere = 1 - received.sum(axis=-1)
    if nowhere.max() > ROW_SUM_TOLERANCE:
        measures[NO_TOKEN] = np.maximum(nowhere, 0)
    for name, pattern in patterns.items():
        total = reading.on[name] if pattern.keys is None else reading.received @ pattern.keys
        measures[name] = total / pattern.queries.sum()
    return HeadProfiles(measures, received.argmax(axis=-1), own_sentence_share(trace))


class _Reading:
    """Sums over all rows of every head, ``[layer, head]``; made some rows of all heads at a time.

    Attributes:
        received: What each key gets, ``[layer, head, key]``.
        entropy, sharpness, distance: Over the rows.
        among: What ordinary tokens give to ordinary ones.
        apart: The same times the distance.
        on: What lies on each pattern whose queries have keys of their own.
    """

    def __init__(self, trace: AttentionTrace, patterns: Mapping[str, Detector]) -> None:
        shape = (trace.model.n_layers, trace.model.n_heads)
        n = len(trace.key_tokens)
        self._layers, self._places = trace.layers, np.arange(n, dtype=np.float32)
        self._words = np.array([not t.special for t in trace.key_tokens])
        self._patterns = {name: p for name, p in patterns.items() if p.keys is None}
        self.received = np.zeros((*shape, n))
        self.entropy, self.sharpness, self.distance = (np.zeros(shape) for _ in range(3))
        self.among, self.apart = np.zeros(shape), np.zeros(shape)
        self.on = {name: np.zeros(shape) for name in self._patterns}

    def read(self, some: slice) -> None:
        """Add some rows of every head."""
        apart = np.abs(self._places - self._places[some, None])
        words, ordinary = self._words[some].astype(np.float32), self._words.astype(np.float32)
        among = apart * ordinary * words[:, None]
        maps = {name: _adder(pattern.rows(some)) for name, pattern in self._patterns.items()}
        sides = np.stack([np.ones(len(words), np.float32), words])
        for at, rows in _heads(self._layers, some):
            every, of_words = (sides @ rows).astype(np.float64)
            self.received[at] += every
            self.among[at] += of_words[self._words].sum()
            self.distance[at] += np.vdot(rows, apart)
            self.apart[at] += np.vdot(rows, among)
            self.entropy[at] += row_entropy(rows).sum()
            self.sharpness[at] += rows.max(axis=-1).sum(dtype=np.float64)
            for name, add in maps.items():
                self.on[name][at] += add(rows)


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


def own_sentence_share(trace: AttentionTrace) -> Doubles | None:
    """What even attention over all keys that a word may look at would give to its own sentence.

    Returns:
        The mean over all words, ``[layer]``; None where the text is of one sentence.
    """
    sentences = sentence_of(trace.key_tokens, trace.texts)
    if sentences.max(initial=-1) <= 0:
        return None
    words = np.flatnonzero(sentences >= 0)
    before = np.concatenate([[0], np.cumsum(sentences >= 0)])
    first = np.searchsorted(sentences[words], np.arange(sentences.max() + 1))
    begins = words[first]
    ends = np.append(begins[1:], len(sentences))
    start, end = begins[sentences[words]], ends[sentences[words]]
    shares = []
    for layer in trace.layers:
        low, high = layer.allowed()[words].T
        own = before[np.clip(end, low, high)] - before[np.clip(start, low, high)]
        counts = layer.n_allowed()[words]
        shares.append((np.minimum(own, counts) / np.maximum(counts, 1)).mean())
    return np.array(shares)


@dataclass(frozen=True, eq=False)
class PooledProfiles:
    """Profiles over several texts.

    Attributes:
        mean: By name, ``[layer, head]``, over the texts that can show the measure.
        spread: The standard deviation over these texts (of the sample); 0 for a single one.
        n_texts: By name, how many texts these are.
        own_sentence: As `HeadProfiles.own_sentence`, over the texts of several sentences: the same
            as those of the measure.
    """

    mean: Mapping[str, Doubles]
    spread: Mapping[str, Doubles]
    n_texts: Mapping[str, int]
    own_sentence: Doubles | None


def pool(profiles: Sequence[HeadProfiles]) -> PooledProfiles:
    """Mean and spread of every measure over texts."""
    names = dict.fromkeys(name for p in profiles for name in p.measures)
    stacks = {
        name: np.stack([p.measures[name] for p in profiles if name in p.measures]) for name in names
    }
    own = [p.own_sentence for p in profiles if p.own_sentence is not None]
    return PooledProfiles(
        {name: s.mean(axis=0) for name, s in stacks.items()},
        {name: s.std(axis=0, ddof=min(1, len(s) - 1)) for name, s in stacks.items()},
        {name: len(s) for name, s in stacks.items()},
        np.mean(own, axis=0) if own else None,
    )


def entropy(layers: Sequence[AttentionLayer]) -> Doubles:
    """Entropy of a row, in bits, the mean over the rows: 0 for one key, log2 n for all alike.

    Returns:
        ``[layer, head]``.
    """
    return np.array([[layer.entropy(h).mean() for h in range(layer.n_heads)] for layer in layers])
