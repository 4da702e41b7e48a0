"""What is shown of one head of a long text, found in one reading of its rows.

No array here grows with the square of the length: rows are read some at a time (`bands`), and what
is left of them are sums and maxima over pieces of the text. A piece is a run of tokens that is cut
by nothing that is asked about: so one reading serves groups, thumbnails and special tokens.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from explorer.analysis.detectors import same_words
from explorer.analysis.profiles import possible_entropy
from explorer.layers import AttentionLayer, Band, Doubles
from explorer.trace import AttentionTrace, Token, Weights

THUMB = 32  # dots on a thumbnail's side, at most
MOST_PAIRS = 50

Places = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]
Dots = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Summary:
    """What is shown of a head besides its rows.

    Attributes:
        received: The mean of each column, ``[key]``.
        ordinary: What each row gives to ordinary tokens, ``[query]``.
        maps: Attention between groups, ``[2, query group, key group]``: summed over keys and
            averaged over queries; and the largest single weight.
        pairs: The strongest single weights, ``[2, m, 2]``: query and key, heaviest first, of equal
            ones the first in the text; of all tokens, and of ordinary ones alone. −1 and −1 where
            there are fewer.
        pair_weights: Their weights, ``[2, m]``; −1 where there are fewer.
        profile: What kind of head it is: ``self``, ``previous``, ``next``, ``repeat``, ``special``
            (shares of all attention), ``entropy`` and ``possible`` (bits, means over the queries),
            ``crosses`` (whether keys are of another text than queries), ``sink`` (the share of all
            attention that goes to no token).
        thumbs: As `thumbnails`.
    """

    received: Weights
    ordinary: Weights
    maps: Weights
    pairs: npt.NDArray[np.int32]
    pair_weights: Weights
    profile: dict[str, float | bool]
    thumbs: Dots


def summarise(
    trace: AttentionTrace,
    number: int,
    head: int,
    query_starts: Sequence[int],
    key_starts: Sequence[int],
    tick: Callable[[], None] = lambda: None,
) -> Summary:
    """Summarise one head in one reading of its rows.

    Args:
        trace: The trace.
        number: The model's own number of the layer.
        head: The head, from 0.
        query_starts: Where the groups of the tokens that look begin, ascending from 0.
        key_starts: The same of the tokens that are looked at.
        tick: Called again and again; may raise to end it.
    """
    layer = trace.layer(number)
    rows = _Pieces.of(trace.query_tokens, query_starts)
    columns = _Pieces.of(trace.key_tokens, key_starts)
    sums = _Sums(rows, columns)
    tops, small, pairs = _Tops(rows.group, columns), _Tops(rows.dot, columns), _Pairs(rows, columns)
    ordinary, profile = _Tops(rows.dot, columns, ~rows.special), _Profile(trace)
    for band, first, starts, highest in _bands(layer, head, rows, tick):
        sums.read(band, first, starts)
        for reading in (tops, small, ordinary):
            reading.read(band, first, highest)
        pairs.read(band, highest)
        profile.read(band)
    received = sums.received / layer.n_queries
    every, of_words = small.by_dot(columns), ordinary.by_dot(columns, ~columns.special)
    places, weights = pairs.found()
    return Summary(
        received.astype(np.float32),
        sums.ordinary,
        np.stack([sums.by_group(), tops.by_group(columns)]).astype(np.float32),
        places,
        weights,
        profile.found(layer, received),
        np.stack([tones(every), tones(of_words)]),
    )


def thumbnails(
    trace: AttentionTrace, number: int, head: int, tick: Callable[[], None] = lambda: None
) -> Dots:
    """A head shrunk by the maximum of each block, so that one strong weight is not lost.

    Args:
        trace: The trace.
        number: The model's own number of the layer.
        head: The head, from 0.
        tick: Called again and again; may raise to end it.

    Returns:
        uint8 ``[2, s_query, s_key]`` with s = min(n, 32): of all tokens, and of ordinary ones
        alone; 255 times the square root of the weight.
    """
    rows, columns = (_Pieces.of(tokens, [0]) for tokens in (trace.query_tokens, trace.key_tokens))
    every, ordinary = _Tops(rows.dot, columns), _Tops(rows.dot, columns, ~rows.special)
    for band, first, _, highest in _bands(trace.layer(number), head, rows, tick):
        every.read(band, first, highest)
        ordinary.read(band, first, highest)
    of_words = ordinary.by_dot(columns, ~columns.special)
    return np.stack([tones(every.by_dot(columns)), tones(of_words)])


def _bands(
    layer: AttentionLayer, head: int, rows: "_Pieces", tick: Callable[[], None]
) -> Iterator[tuple[Band, int, Places, Weights]]:
    """The bands of a head that have any key.

    In each the first piece of its rows, where its pieces begin, and the largest weights of each.
    """
    for band in layer.bands(head):
        tick()
        if band.weights.size:
            first, starts = rows.within(band.queries)
            yield band, first, starts, _highest(band.weights, starts)


def _highest(weights: Weights, starts: Places) -> Weights:
    """The largest weights of rows that begin at some places, ``[piece, key]``."""
    ends = [*starts[1:], len(weights)]  # `reduceat` would take twenty times as long
    return np.stack([weights[a:b].max(axis=0) for a, b in zip(starts, ends, strict=True)])


def tones(weights: Weights) -> Dots:
    """Weights as bytes, finer among small ones: 255 times the square root."""
    return np.round(255 * np.sqrt(np.minimum(weights, 1))).astype(np.uint8)


@dataclass(frozen=True, eq=False)
class _Pieces:
    """A side of a map, cut wherever a group, a dot of a thumbnail or a run of special tokens ends.

    Attributes:
        n: Tokens.
        starts: Where each piece begins, ``[piece]``.
        group: The group that it is of.
        dot: The dot that it is of.
        special: Whether it is of special tokens.
    """

    n: int
    starts: Places
    group: Places
    dot: Places
    special: Flags
    tokens: Flags = field(repr=False)  # the special ones

    @staticmethod
    def of(tokens: Sequence[Token], groups: Sequence[int]) -> "_Pieces":
        n = len(tokens)
        special = np.array([token.special for token in tokens], dtype=np.bool_)
        dots = np.arange(min(n, THUMB)) * n // min(n, THUMB)
        turns = np.flatnonzero(special[1:] != special[:-1]) + 1
        starts = np.unique(np.concatenate([dots, groups, turns]).astype(np.intp))

        def which(begins: npt.ArrayLike) -> Places:
            return np.searchsorted(begins, starts, side="right") - 1

        return _Pieces(n, starts, which(groups), which(dots), special[starts], special)

    def within(self, part: slice) -> tuple[int, Places]:
        """The first piece of a part of the tokens, and where its pieces begin in the part."""
        first = int(np.searchsorted(self.starts, part.start, side="right")) - 1
        last = int(np.searchsorted(self.starts, part.stop))
        return first, np.maximum(self.starts[first:last] - part.start, 0)


class _Sums:
    """Sums over pieces of columns, for each group of queries; over columns, and ordinary keys."""

    def __init__(self, rows: _Pieces, columns: _Pieces) -> None:
        self._rows, self._columns = rows, columns
        self._sums = np.zeros((rows.group[-1] + 1, len(columns.starts)))
        self.received = np.zeros(columns.n)
        self.ordinary = np.zeros(rows.n, dtype=np.float32)
        self._words = (~columns.tokens).astype(np.float32)

    def read(self, band: Band, first: int, starts: Places) -> None:
        count = len(band.weights)
        chosen = np.zeros((len(starts), count), dtype=np.float32)
        chosen[np.searchsorted(starts, np.arange(count), side="right") - 1, np.arange(count)] = 1
        summed = chosen @ band.weights
        self.received[band.keys] += summed.sum(axis=0, dtype=np.float64)
        self.ordinary[band.queries] = band.weights @ self._words[band.keys]
        piece, cuts = self._columns.within(band.keys)
        parts = np.add.reduceat(summed, cuts, axis=1, dtype=np.float64)
        for at, part in enumerate(parts, first):
            self._sums[self._rows.group[at], piece : piece + len(cuts)] += part

    def by_group(self) -> Doubles:
        """Summed over keys and averaged over queries, ``[query group, key group]``."""
        begins = np.flatnonzero(np.diff(self._columns.group, prepend=-1))
        found = np.add.reduceat(self._sums, begins, axis=1)
        ends = np.append(self._rows.starts[1:], self._rows.n)
        lengths = np.bincount(self._rows.group, ends - self._rows.starts)
        return found / lengths[:, None]


class _Tops:
    """The largest weight in each piece of columns, for each group or dot of queries."""

    def __init__(self, line: Places, columns: _Pieces, kept: Flags | None = None) -> None:
        """Begin.

        Args:
            line: For each piece of queries where it goes.
            columns: The pieces of the keys.
            kept: The pieces of queries that count; None for all.
        """
        self._line, self._columns, self._kept = line, columns, kept
        self._tops = np.zeros((line[-1] + 1, len(columns.starts)), dtype=np.float32)

    def read(self, band: Band, first: int, highest: Weights) -> None:
        """Take over the largest weights of each piece of queries in a band, ``[piece, key]``."""
        piece, cuts = self._columns.within(band.keys)
        for at, part in enumerate(np.maximum.reduceat(highest, cuts, axis=1), first):
            if self._kept is None or self._kept[at]:
                line = self._tops[self._line[at], piece : piece + len(cuts)]
                np.maximum(line, part, out=line)

    def by_group(self, columns: _Pieces) -> Weights:
        return self._by(columns.group)

    def by_dot(self, columns: _Pieces, kept: Flags | None = None) -> Weights:
        if kept is not None:
            self._tops[:, ~kept] = 0
        return self._by(columns.dot)

    def _by(self, of_piece: Places) -> Weights:
        begins = np.flatnonzero(np.diff(of_piece, prepend=-1))
        return np.maximum.reduceat(self._tops, begins, axis=1)


class _Pairs:
    """The strongest single weights, of all tokens and of ordinary ones alone."""

    def __init__(self, rows: _Pieces, columns: _Pieces) -> None:
        self._rows, self._columns = rows.tokens, columns.tokens
        self._best = [(np.zeros((0, 2), np.int32), np.zeros(0, np.float32)) for _ in range(2)]

    def read(self, band: Band, highest: Weights) -> None:
        least = min(_least(weights) for _, weights in self._best)
        if highest.max() <= least:
            return
        cells = np.flatnonzero(band.weights > least)
        weights = band.weights.ravel()[cells]
        at, to = np.divmod(cells, band.weights.shape[1])
        places = np.stack([at + band.queries.start, to + band.keys.start], axis=-1)
        self._best[0] = _strongest(self._best[0], places, weights)
        words = ~(self._rows[places[:, 0]] | self._columns[places[:, 1]])
        self._best[1] = _strongest(self._best[1], places[words], weights[words])

    def found(self) -> tuple[npt.NDArray[np.int32], Weights]:
        most = max(len(weights) for _, weights in self._best)
        places = np.full((2, most, 2), -1, np.int32)
        weights = np.full((2, most), -1, np.float32)
        for i, (found, heavy) in enumerate(self._best):
            places[i, : len(heavy)], weights[i, : len(heavy)] = found, heavy
        return places, weights


Best = tuple[npt.NDArray[np.int32], Weights]


def _least(weights: Weights) -> float:
    """What a weight must exceed to be among the strongest; 0 while there are too few."""
    return float(weights[-1]) if len(weights) == MOST_PAIRS else 0.0


def _strongest(best: Best, places: npt.NDArray[np.integer], weights: Weights) -> Best:
    """The strongest of those known and new ones, which stand after them in the text."""
    more = weights > _least(best[1])
    weights, places = weights[more], places[more]
    if len(weights) > MOST_PAIRS:  # most of them need no sorting
        bound = np.partition(weights, len(weights) - MOST_PAIRS)[len(weights) - MOST_PAIRS]
        weights, places = weights[weights >= bound], places[weights >= bound]
    both = np.concatenate([best[1], weights])
    order = np.argsort(-both, kind="stable")[:MOST_PAIRS]
    return np.concatenate([best[0], places.astype(np.int32)])[order], both[order]


class _Profile:
    """Where queries look on average: `profileOf` of the browser, without all weights at once."""

    def __init__(self, trace: AttentionTrace) -> None:
        self._crosses = trace.query_tokens != trace.key_tokens
        words = same_words(trace.key_tokens, trace.model.unknown_token).astype(np.int32)
        self._words = words
        self._looking = np.where(words < 0, -2, words)  # no word is like no other
        self._special = np.array([token.special for token in trace.key_tokens])
        self._repeats = len(np.unique(words[words >= 0])) < np.count_nonzero(words >= 0)
        self._near = dict.fromkeys((-1, 0, 1), 0.0)
        self._alike = self._entropy = 0.0

    def read(self, band: Band) -> None:
        self._entropy += float(band.entropy().sum())
        if self._crosses:
            return
        at = np.arange(band.queries.start, band.queries.stop)
        for offset in self._near:
            to = at + offset
            some = (to >= band.keys.start) & (to < band.keys.stop)
            cells = band.weights[np.flatnonzero(some), to[some] - band.keys.start]
            self._near[offset] += float(cells.sum(dtype=np.float64))
            if offset == 0:
                self._alike -= float(cells[self._words[at[some]] >= 0].sum(dtype=np.float64))
        if self._repeats:
            alike = self._looking[band.queries, None] == self._words[band.keys]
            of_row = np.einsum("qk,qk->q", band.weights, alike.astype(np.float32))
            self._alike += float(of_row.sum(dtype=np.float64))

    def found(self, layer: AttentionLayer, received: Doubles) -> dict[str, float | bool]:
        n = layer.n_queries
        given = received.sum()
        lost = layer.has_sink or int(layer.n_allowed().min()) == 0
        return {
            "crosses": self._crosses,
            "self": self._near[0] / n,
            "previous": self._near[-1] / n,
            "next": self._near[1] / n,
            "repeat": max(self._alike, 0.0) / n,
            "special": float(received[self._special].sum()),
            "entropy": self._entropy / n,
            "possible": float(possible_entropy([layer])[0]),
            "sink": max(0.0, float(1 - given)) if lost else 0.0,
        }
