"""How the attention of one layer is kept: as q, k and a score rule, or as weights given.

A score is ``scale · q·k``, then capped, then something may be added; a mask leaves keys out; a
softmax over the keys, and over a sink where there is one, makes weights of a query's scores. So
q, k and the rule are the causes of every weight, in memory that is linear in the length, and any
row, column or tile is computed from them when it is wanted.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from explorer.errors import ExplorerError
from explorer.language import t
from explorer.once import once

Weights = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp] | Sequence[int]
Positions = Places | slice

_LOWEST = np.float32(-1e30)  # in place of minus infinity
_CELLS = 2**18  # weights that are made at once: 1 MB, which stays near the processor
FEW_KEYS = 8  # one in so many keys at most is few: their columns take less time than all rows

# A float32 softmax over 512 keys sums to 1 within 1e-6; half-precision models within 1e-3.
ROW_SUM_TOLERANCE = 2e-3


def causal(n_queries: int, n_keys: int) -> npt.NDArray[np.int32]:
    """The keys that queries may look at which see no further than their own place, ``[query, 2]``.

    The first is always key 0; see `ScoreRule.allowed`.
    """
    ends = np.minimum(np.arange(1, n_queries + 1, dtype=np.int32), n_keys)
    return np.stack([np.zeros_like(ends), ends], axis=-1)


@dataclass(frozen=True, eq=False)
class ScoreRule:
    """How a score is made of q and k, and which keys a query may look at.

    Attributes:
        scale: What q·k is multiplied with.
        cap: Scores are then bent into (−cap, cap) by ``cap · tanh(score / cap)`` (Gemma 2); None
            for no cap.
        allowed: int32 ``[query, 2]``: the first key that a query may look at, and the one past the
            last; None if each may look at all. Holds causal masks, windows, chunks, prefixes.
        offsets: float32 ``[head, n_queries + n_keys − 1]``: added to the score of a query and a key
            at ``key − query + n_queries − 1`` (biases of T5, slopes of ALiBi).
        added: float32 ``[head or 1, query, key]``: added where no shorter rule says it, −inf for a
            key that is left out. Takes memory with the square of the length.
        sinks: float32 ``[head]``: one more score in every row's softmax that no key stands for
            (gpt-oss), so that rows sum to less than 1.
    """

    scale: float
    cap: float | None = None
    allowed: npt.NDArray[np.int32] | None = None
    offsets: Weights | None = None
    added: Weights | None = None
    sinks: Weights | None = None

    @property
    def nbytes(self) -> int:
        """Memory that the rule takes."""
        parts = (self.allowed, self.offsets, self.added, self.sinks)
        return sum(part.nbytes for part in parts if part is not None)


@dataclass(frozen=True, eq=False, slots=True)
class Band:
    """Some rows of a head, as far as any of them may look: every other weight of them is 0.

    Attributes:
        queries: Which queries.
        keys: Which keys.
        weights: float32 ``[query, key]`` of these; not to be written to.
        scores: The scores that they were made of, less the largest of each row, where these are
            known; for a key that is left out some number.
        divided: What the exponentials of these were divided by, ``[query]``.
    """

    queries: slice
    keys: slice
    weights: Weights
    scores: Weights | None = None
    divided: Doubles | None = None

    def entropy(self) -> Doubles:
        """How spread out each row is, in bits, ``[query]``: `row_entropy`, to the same 1e-6."""
        if self.scores is None or self.divided is None:
            return row_entropy(self.weights)
        total = self.weights.sum(axis=-1).astype(np.float64)
        some = np.where(total > 0, total, 1)
        # Of p = w / Σw the logarithm is the score less that of Σ exp(score): no other is needed.
        mean = np.einsum("qk,qk->q", self.weights, self.scores) / some
        found: Doubles = (np.log(some * self.divided) - mean) / np.log(2)
        found[total == 0] = 0
        return np.maximum(found, 0, out=found)


class AttentionLayer(ABC):
    """The attention of one layer; every number in it can be had without all the others.

    Attributes:
        number: The model's own number of the layer, from 0: in a hybrid not all are there.
        n_heads: Heads.
        n_queries: Tokens that look.
        n_keys: Tokens that are looked at.
    """

    number: int
    n_heads: int
    n_queries: int
    n_keys: int

    @property
    @abstractmethod
    def has_sink(self) -> bool:
        """Whether rows sum to less than 1, as a sink that is no token takes the rest."""

    @property
    @abstractmethod
    def nbytes(self) -> int:
        """Memory that the layer takes."""

    @property
    def is_read(self) -> bool:
        """Whether the sums of all rows of all heads are known, so that columns cost little."""
        return True

    @abstractmethod
    def rows(self, head: int, queries: Positions | None = None) -> Weights:
        """All weights of some queries, float32 ``[query, key]``; of every query if none is named.

        A row sums to 1, to 0 where a mask leaves a query no key, to less with a sink.
        """

    @abstractmethod
    def tile(self, head: int, queries: Positions, keys: Positions) -> Weights:
        """The weights of some queries on some keys, float32 ``[query, key]``."""

    @abstractmethod
    def log_sum_exp(self, head: int) -> Doubles:
        """The logarithm of what each row's softmax is divided by, ``[query]``.

        ``exp(score − log_sum_exp)`` is a weight. 0 where weights were given: there a score is the
        logarithm of a weight. −inf for a row without keys.
        """

    @abstractmethod
    def allowed(self) -> npt.NDArray[np.int32]:
        """The keys that each query may look at, ``[query, 2]``: the first, and one past the last.

        Of given weights: from the first to the last that any head gives more than 0 to.
        """

    @property
    def looks_back(self) -> bool:
        """Whether no query may look at a key that comes after it."""
        return bool((self.allowed()[:, 1] <= np.arange(1, self.n_queries + 1)).all())

    @abstractmethod
    def cells(self, head: int, queries: Places, keys: Places) -> Weights:
        """Single weights, float32 ``[pair]``: of the first query on the first key, and so on."""

    def n_allowed(self, among: npt.NDArray[np.bool_] | None = None) -> npt.NDArray[np.int64]:
        """How many keys each query may look at, ``[query]``.

        Args:
            among: The keys that count, ``[key]``; all of them if left out.
        """
        first, last = self.allowed().astype(np.int64).T
        if among is None:
            return np.maximum(last - first, 0)
        before = np.concatenate([[0], np.cumsum(among)])
        return np.maximum(before[last] - before[first], 0)

    @abstractmethod
    def bands(self, head: int) -> Iterator[Band]:
        """All rows of a head, some at a time, as far as they may look: a window costs its width."""

    def blocks(self, head: int) -> Iterator[tuple[slice, Weights]]:
        """All rows of a head, some at a time: which queries, and their weights ``[some, key]``."""
        for band in self.bands(head):
            if band.weights.shape[1] == self.n_keys:
                yield band.queries, band.weights
                continue
            whole = np.zeros((len(band.weights), self.n_keys), dtype=np.float32)
            whole[:, band.keys] = band.weights
            yield band.queries, whole

    def weights(self) -> Weights:
        """All weights of the layer, ``[head, query, key]``: memory grows with the square."""
        return np.stack([self.rows(head) for head in range(self.n_heads)])

    def received(self, head: int) -> Doubles:
        """How much attention each key gets from all queries together, ``[key]``: column sums."""
        total = np.zeros(self.n_keys)
        for band in self.bands(head):
            total[band.keys] += band.weights.sum(axis=0, dtype=np.float64)
        return total

    def entropy(self, head: int) -> Doubles:
        """How spread out each row is over its keys, in bits, ``[query]``: `row_entropy`."""
        found = np.zeros(self.n_queries)
        for band in self.bands(head):
            found[band.queries] = band.entropy()
        return found

    def pooled(
        self, head: int, query_groups: Sequence[Sequence[int]], key_groups: Sequence[Sequence[int]]
    ) -> Doubles:
        """The attention between groups of tokens, ``[query group, key group]``.

        Keys add over their group and queries average over theirs (Clark et al. 2019), so that rows
        keep their sum. A position may stand in several groups; no group may be empty.
        """
        if not all((len(query_groups), len(key_groups), *map(len, (*query_groups, *key_groups)))):
            raise ExplorerError(t("A group of tokens is empty: there is nothing to add up."))
        columns = np.concatenate([np.asarray(g, dtype=np.intp) for g in key_groups])
        starts = np.cumsum([0, *map(len, key_groups)])[:-1]
        queries = np.concatenate([np.asarray(g, dtype=np.intp) for g in query_groups])
        of_group = np.repeat(np.arange(len(query_groups)), list(map(len, query_groups)))
        found = np.zeros((len(query_groups), len(key_groups)))
        # Of few keys the columns are read, once a reading of the heads has left the sums of rows.
        few = len(columns) <= self.n_keys // FEW_KEYS and self.is_read
        step = max(1, _CELLS // max(1 if few else self.n_keys, len(columns)))
        for start in range(0, len(queries), step):
            some = slice(start, start + step)
            if few:
                cells = self.tile(head, queries[some], columns).astype(np.float64)
            else:
                cells = self.rows(head, queries[some])[:, columns].astype(np.float64)
            # Where every group is one key there is nothing to add up, which would take its time.
            alone = len(starts) == len(columns)
            summed = cells if alone else np.add.reduceat(cells, starts, axis=1)
            groups, first = np.unique(of_group[some], return_index=True)
            found[groups] += np.add.reduceat(summed, first, axis=0)
        return found / np.array(list(map(len, query_groups)))[:, None]


def slices(n_queries: int, n_keys: int) -> Iterator[slice]:
    """All queries, as many at a time as are worth having at once."""
    step = max(1, _CELLS // max(n_keys, 1))
    for start in range(0, n_queries, step):
        yield slice(start, min(start + step, n_queries))


def row_entropy(rows: Weights) -> Doubles:
    """−Σ p log2 p of each row, divided by its sum first, in bits (Shannon 1948).

    So what a sink takes is no place to look at; a row without keys has 0 bits. Off by 1e-6 at most.

    Args:
        rows: ``[..., key]``.
    """
    # 0 log 0 is 0: the smallest number keeps the logarithm finite.
    bits = np.log2(np.maximum(rows, np.finfo(np.float32).tiny))
    bits *= rows
    total = rows.sum(axis=-1, dtype=np.float64)
    some = np.where(total > 0, total, 1)
    # Of p / s the sum of p log2 p, over s, is left, and log2 s is added.
    found: Doubles = np.log2(some) - bits.sum(axis=-1, dtype=np.float64) / some
    return np.maximum(found, 0, out=found)


@dataclass(frozen=True, eq=False)
class GivenWeights(AttentionLayer):
    """A layer whose weights were given, float32 ``[head, query, key]``, read-only.

    Attributes:
        given: The weights.
        has_sink: Whether a model itself gives a part of a row to no token.

    Raises:
        ExplorerError: The rows are no distributions.
    """

    number: int
    given: Weights
    has_sink: bool = False

    def __post_init__(self) -> None:
        given = np.ascontiguousarray(self.given, dtype=np.float32)
        check_rows(given, self.has_sink)
        given = given.view()  # lock our own view, not an array that the caller may still write to
        given.flags.writeable = False
        object.__setattr__(self, "given", given)

    @property
    def n_heads(self) -> int:  # type: ignore[override]
        return self.given.shape[0]

    @property
    def n_queries(self) -> int:  # type: ignore[override]
        return self.given.shape[1]

    @property
    def n_keys(self) -> int:  # type: ignore[override]
        return self.given.shape[2]

    @property
    def nbytes(self) -> int:
        return self.given.nbytes

    def weights(self) -> Weights:
        return self.given

    def rows(self, head: int, queries: Positions | None = None) -> Weights:
        found: Weights = self.given[head] if queries is None else self.given[head][queries]
        return found

    def tile(self, head: int, queries: Positions, keys: Positions) -> Weights:
        found: Weights = self.given[head][queries][:, keys]
        return found

    def cells(self, head: int, queries: Places, keys: Places) -> Weights:
        found: Weights = self.given[head][np.asarray(queries), np.asarray(keys)]
        return found

    def bands(self, head: int) -> Iterator[Band]:
        for some in slices(self.n_queries, self.n_keys):
            yield Band(some, slice(0, self.n_keys), self.given[head][some])

    def log_sum_exp(self, head: int) -> Doubles:
        return np.where(self.given[head].any(axis=-1), 0.0, -np.inf)

    def allowed(self) -> npt.NDArray[np.int32]:
        return _ends(np.asarray(self.given.any(axis=0)))

    def n_allowed(self, among: npt.NDArray[np.bool_] | None = None) -> npt.NDArray[np.int64]:
        return _count(np.asarray(self.given.any(axis=0)), among)


def _count(
    seen: npt.NDArray[np.bool_], among: npt.NDArray[np.bool_] | None
) -> npt.NDArray[np.int64]:
    """How many keys are seen in each row, of those that count."""
    return np.count_nonzero(seen if among is None else seen[:, among], axis=-1)


def _ends(seen: npt.NDArray[np.bool_]) -> npt.NDArray[np.int32]:
    """The first key that is seen in each row, and the one past the last; 0 and 0 if none is."""
    some = seen.any(axis=-1)
    first = np.where(some, seen.argmax(axis=-1), 0)
    last = np.where(some, seen.shape[-1] - seen[:, ::-1].argmax(axis=-1), 0)
    return np.stack([first, last], axis=-1).astype(np.int32)


@dataclass(frozen=True, eq=False)
class FromScores(AttentionLayer):
    """A layer kept as q, k and a score rule.

    Attributes:
        q: ``[head, query, d]``, after rotation and normalisation: as the scores are made of them.
        k: ``[key head, key, d]``: a key head serves as many heads as there are to one, in order.
        rule: What makes scores of them.

    Raises:
        ExplorerError: q and k do not fit each other, or are not numbers.
    """

    number: int
    q: Weights
    k: Weights
    rule: ScoreRule
    _logs: dict[int, Doubles] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        fits = self.q.ndim == self.k.ndim == 3 and self.q.shape[2] == self.k.shape[2]
        if not fits or self.q.shape[0] % self.k.shape[0]:
            raise ExplorerError(
                t(
                    "The queries {shape} and keys {shape_2} of layer {number} do not fit each "
                    "other.",
                    shape=list(self.q.shape),
                    shape_2=list(self.k.shape),
                    number=self.number,
                )
            )
        for part in (self.q, self.k):
            # One head at a time: a sum in float32 is no number as soon as one of its terms is none.
            if not all(np.isfinite(head.sum(dtype=np.float32)) for head in part):
                raise ExplorerError(NOT_NUMBERS)
        for name in ("q", "k"):
            locked = getattr(self, name).view()
            locked.flags.writeable = False
            object.__setattr__(self, name, locked)

    @property
    def n_heads(self) -> int:  # type: ignore[override]
        return self.q.shape[0]

    @property
    def n_queries(self) -> int:  # type: ignore[override]
        return self.q.shape[1]

    @property
    def n_keys(self) -> int:  # type: ignore[override]
        return self.k.shape[1]

    @property
    def has_sink(self) -> bool:
        return self.rule.sinks is not None

    @property
    def nbytes(self) -> int:
        return self.q.nbytes + self.k.nbytes + self.rule.nbytes

    @property
    def is_read(self) -> bool:
        return len(self._logs) == self.n_heads

    def rows(self, head: int, queries: Positions | None = None) -> Weights:
        weights = self._scores(head, slice(None) if queries is None else queries, slice(None))
        logs, _ = _softmax(weights, weights, self._sink(head))
        if queries is None:
            self._logs.setdefault(head, logs)
        return weights

    def tile(self, head: int, queries: Positions, keys: Positions) -> Weights:
        scores = self._scores(head, queries, keys)
        return _weights_of(scores, self.log_sum_exp(head)[queries][:, None])

    def cells(self, head: int, queries: Places, keys: Places) -> Weights:
        at, to = np.asarray(queries, dtype=np.intp), np.asarray(keys, dtype=np.intp)
        found = np.empty(len(at), dtype=np.float32)
        logs, k = self.log_sum_exp(head), self._keys_of(head)
        step = max(1, _CELLS // self.k.shape[2])
        for start in range(0, len(at), step):
            i, j = at[start : start + step], to[start : start + step]
            q = self.q[head][i].astype(np.float32)
            scores = np.einsum("pd,pd->p", q, k[j].astype(np.float32)) * np.float32(self.rule.scale)
            found[start : start + step] = _weights_of(self._ruled(scores, head, i, j), logs[i])
        return found

    def has_log_sum_exp(self, head: int) -> bool:
        """Whether the sums of a head's rows are known: else `log_sum_exp` reads all of them."""
        return head in self._logs

    def log_sum_exp(self, head: int) -> Doubles:
        if head not in self._logs:
            for _ in self.bands(head):
                pass
        return self._logs[head]

    def bands(self, head: int) -> Iterator[Band]:
        logs = np.empty(self.n_queries)
        k = self._keys_of(head).astype(np.float32, copy=False)
        for some in slices(self.n_queries, self.n_keys):
            band, logs[some] = self._band(head, some, k)
            yield band
        self._logs.setdefault(head, logs)

    def _band(self, head: int, some: slice, k: Weights) -> tuple[Band, Doubles]:
        """Some rows as far as they may look, and the log-sum-exp of each."""
        keys = self._reach(some)
        scores = self._band_scores(head, some, keys, k[keys])
        weights = np.empty_like(scores)
        logs, total = _softmax(scores, weights, self._sink(head))
        if self._leaves_out:  # infinity times a weight of 0 would be no number
            np.maximum(scores, _LOWEST, out=scores)
        return Band(some, keys, weights, scores, total), logs

    def _reach(self, some: slice) -> slice:
        """From the first key that any of some queries may look at to the last."""
        said = self.rule.allowed
        if said is None:
            return slice(0, self.n_keys)
        first, last = said[some].T
        seen = last > first
        if not seen.any():
            return slice(0, 0)
        return slice(int(first[seen].min()), min(int(last[seen].max()), self.n_keys))

    def _band_scores(self, head: int, some: slice, keys: slice, k: Weights) -> Weights:
        """As `_scores`, of queries and keys that stand together, which takes less time."""
        rule, n = self.rule, self.n_queries
        q = self.q[head][some].astype(np.float32) * np.float32(rule.scale)
        scores: Weights = q @ k.T
        _cap(scores, rule.cap)
        if rule.offsets is not None and scores.size:
            # The next query's begin one further left: a window that moves, and no cell is copied.
            windows = sliding_window_view(rule.offsets[head], scores.shape[1])
            scores += windows[n - 1 - np.arange(n)[some] + keys.start]
        if rule.added is not None:
            scores += rule.added[head % len(rule.added)][some, keys]
        if rule.allowed is not None and scores.size:
            first, last = rule.allowed[some].T
            # What each may look at needs no mask: the edges on both sides of it alone do.
            left, right = int(first.max()) - keys.start, int(last.min()) - keys.start
            edges = [slice(0, left), slice(right, None)] if left < right else [slice(None)]
            to = np.arange(keys.start, keys.stop, dtype=np.int32)
            for edge in edges:
                out = (to[edge] < first[:, None]) | (to[edge] >= last[:, None])
                np.copyto(scores[:, edge], np.float32(-np.inf), where=out)
        return scores

    @property
    def _leaves_out(self) -> bool:
        return self.rule.allowed is not None or self.rule.added is not None

    def _sink(self, head: int) -> np.float32 | None:
        return None if self.rule.sinks is None else self.rule.sinks[head]

    def allowed(self) -> npt.NDArray[np.int32]:
        said = self.rule.allowed
        if self._masked is not None:
            return _ends(self._masked)
        if said is not None:
            return said
        return np.tile(np.array([0, self.n_keys], dtype=np.int32), (self.n_queries, 1))

    def n_allowed(self, among: npt.NDArray[np.bool_] | None = None) -> npt.NDArray[np.int64]:
        return super().n_allowed(among) if self._masked is None else _count(self._masked, among)

    @once
    def _masked(self) -> npt.NDArray[np.bool_] | None:
        """Which keys any head may look at, where what is added leaves some out; else None."""
        added, said = self.rule.added, self.rule.allowed
        if added is None or not np.isneginf(added).any():
            return None
        seen = np.asarray(~np.isneginf(added).all(axis=0))
        if said is not None:
            keys = np.arange(self.n_keys)
            seen &= (keys >= said[:, :1]) & (keys < said[:, 1:])
        return seen

    def _scores(self, head: int, queries: Positions, keys: Positions) -> Weights:
        """Scores after cap, additions and mask, float32 ``[query, key]``; −inf where masked."""
        q = self.q[head][queries].astype(np.float32) * np.float32(self.rule.scale)
        scores: Weights = q @ self._keys_of(head)[keys].astype(np.float32, copy=False).T
        at = np.arange(self.n_queries, dtype=np.int32)[queries]
        to = np.arange(self.n_keys, dtype=np.int32)[keys]
        return self._ruled(scores, head, at[:, None], to)

    def _keys_of(self, head: int) -> Weights:
        """The keys that a head reads, ``[key, d]``."""
        found: Weights = self.k[head * self.k.shape[0] // self.n_heads]
        return found

    def _ruled(
        self, scores: Weights, head: int, at: npt.NDArray[np.integer], to: npt.NDArray[np.integer]
    ) -> Weights:
        """Scores, capped, added to and masked; ``at`` and ``to`` are their queries and keys."""
        rule = self.rule
        _cap(scores, rule.cap)
        if rule.offsets is not None:
            scores += rule.offsets[head][to - at + (self.n_queries - 1)]
        if rule.added is not None:
            scores += rule.added[head % len(rule.added)][at, to]
        if rule.allowed is not None:
            first, last = rule.allowed[at, 0], rule.allowed[at, 1]
            np.copyto(scores, np.float32(-np.inf), where=(to < first) | (to >= last))
        return scores


def _cap(scores: Weights, cap: float | None) -> None:
    if cap is not None:
        scores /= np.float32(cap)
        np.tanh(scores, out=scores)
        scores *= np.float32(cap)


def _softmax(scores: Weights, weights: Weights, sink: np.float32 | None) -> tuple[Doubles, Doubles]:
    """Make weights of scores.

    Args:
        scores: ``[query, key]``; the largest of each row is taken from it.
        weights: Where the weights go; may be the same array.
        sink: One more score in every row.

    Returns:
        The log-sum-exp of each row; and what its exponentials were divided by.
    """
    top = scores.max(axis=-1, initial=-np.inf)
    if sink is not None:
        top = np.maximum(top, sink)
    top[np.isneginf(top)] = 0
    scores -= top[:, None]
    np.exp(scores, out=weights)
    total = weights.sum(axis=-1, dtype=np.float64)
    if sink is not None:
        total += np.exp(sink - top, dtype=np.float64)
    with np.errstate(divide="ignore"):
        logs = top + np.log(total)
    total[total == 0] = 1  # a row without keys stays a row of zeros
    weights /= total[:, None].astype(np.float32)
    return logs, total


def _weights_of(scores: Weights, logs: Doubles) -> Weights:
    """The weights of scores whose rows' log-sum-exp is known; 0 in a row without keys."""
    with np.errstate(invalid="ignore"):  # infinity less infinity
        weights = np.exp(scores - logs).astype(np.float32)
    return np.nan_to_num(weights, copy=False, nan=0.0)


def of_weights(weights: Weights) -> tuple[GivenWeights, ...]:
    """Layers, numbered from 0, of an array ``[layer, head, query, key]``.

    Raises:
        ExplorerError: The rows are no distributions.
    """
    return tuple(GivenWeights(number, layer) for number, layer in enumerate(weights))


NOT_NUMBERS = t(
    "The model returned attention weights that are not numbers (NaN or infinite). "
    "Its weights are probably damaged: try another model."
)


def check_rows(weights: Weights, has_sink: bool = False) -> None:
    """Refuse weights that are not rows of probabilities, of any shape ``[..., query, key]``.

    Args:
        weights: The weights.
        has_sink: Whether rows may sum to less than 1.

    Raises:
        ExplorerError: They are not.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # what becomes infinite is refused
        sums = weights.sum(axis=-1)
    if not np.isfinite(sums).all():
        raise ExplorerError(NOT_NUMBERS)
    if weights.min(initial=0.0) < 0:
        raise ExplorerError(t("An attention weight is negative; softmax weights never are."))
    off = np.where(sums == 0, 0, np.abs(sums - 1))
    off = (np.maximum(sums - 1, 0) if has_sink else off).max(initial=0.0)
    if off > ROW_SUM_TOLERANCE:
        raise ExplorerError(
            t(
                "The rows of the attention weights must sum to 1; one is off by {off}. Are "
                "these scores from before the softmax?",
                off=f"{off:.3g}",
            )
        )
