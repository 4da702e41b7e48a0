"""The attention of a text that grows: every row is kept as it comes, and together they are layers.

While a model writes it reads one token at a time, and keeps the keys and values of those before. So
each call through the tap has the query of the new token alone; its row joins those that are there,
and what comes of it is what the whole text would have given at once.
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from explorer.layers import FromScores, GivenWeights, ScoreRule, Weights


@dataclass
class Growing:
    """One layer of a text that grows.

    Attributes:
        number: The model's own number of the layer.
        cross: Whether its keys are those of another text, which does not grow.
        part: Of an encoder-decoder: whose attention it is.
    """

    number: int
    cross: bool = False
    part: str = ""
    _queries: list[Weights] = field(default_factory=list)
    _keys: list[Weights] = field(default_factory=list)
    _blocks: list[tuple[int, int, ScoreRule]] = field(default_factory=list)
    _n_queries: int = 0
    _n_keys: int = 0

    def add(self, layer: FromScores) -> None:
        """Further rows, as a layer of their own: its last keys are those of its queries.

        A layer with a window may have forgotten its first keys; those have been kept here.
        """
        new = layer.n_queries
        self._queries.append(layer.q)
        self._n_queries += new
        if not self.cross:
            self._keys.append(layer.k[:, -new:].copy() if new < layer.n_keys else layer.k)
            self._n_keys += new
        elif not self._keys:
            self._keys.append(layer.k)
            self._n_keys = layer.n_keys
        self._blocks.append((new, layer.n_keys, layer.rule))

    def layer(self) -> FromScores:
        """The whole layer, as it is so far."""
        q, k = (np.concatenate(some, axis=1) for some in (self._queries, self._keys))
        self._queries, self._keys = [q], [k]  # joined once
        return FromScores(self.number, q, k, self._rule())

    def _rule(self) -> ScoreRule:
        one = self._blocks[0][2]
        if len(self._blocks) == 1:
            return one
        shape = (self._n_queries, self._n_keys)
        rules = [rule for _, _, rule in self._blocks]
        allowed = np.concatenate([self._allowed(*block) for block in self._starts()])
        if all(rule.offsets is None and rule.added is None for rule in rules):
            return ScoreRule(one.scale, one.cap, allowed, None, None, one.sinks)
        if all(rule.added is None for rule in rules):
            offsets = self._offsets()
            return ScoreRule(one.scale, one.cap, allowed, offsets, None, one.sinks)
        added = np.zeros((max(map(_height, rules)), *shape), np.float32)
        for start, new, n_keys, rule in self._starts():
            first = self._first(start + new, n_keys)
            added[:, start : start + new, first : first + n_keys] = _dense(rule, new, n_keys)
        return ScoreRule(one.scale, one.cap, allowed, None, added, one.sinks)

    def _starts(self) -> list[tuple[int, int, int, ScoreRule]]:
        """The blocks, each with its first query before it."""
        found, start = [], 0
        for new, n_keys, rule in self._blocks:
            found.append((start, new, n_keys, rule))
            start += new
        return found

    def _first(self, seen: int, n_keys: int) -> int:
        """The place of the first key that a block of queries had before it."""
        return 0 if self.cross else seen - n_keys

    def _allowed(self, start: int, new: int, n_keys: int, rule: ScoreRule) -> npt.NDArray[np.int32]:
        first = self._first(start + new, n_keys)
        whole = np.tile(np.array([[0, n_keys]], np.int32), (new, 1))
        found: npt.NDArray[np.int32] = (whole if rule.allowed is None else rule.allowed) + first
        return found.astype(np.int32)

    def _offsets(self) -> Weights:
        """What is added by ``key − query``: each block tells it as far back as it sees."""
        n, keys = self._n_queries, self._n_keys
        heads = next(len(r.offsets) for _, _, r in self._blocks if r.offsets is not None)
        found = np.zeros((heads, n + keys - 1), np.float32)
        for start, new, n_keys, rule in self._starts():
            if rule.offsets is None:
                continue
            # In a block's own numbers the first is that of its first key and its last query.
            back = self._first(start + new, n_keys) - (start + new - 1)
            found[:, back + n - 1 : back + n - 1 + new + n_keys - 1] = rule.offsets
        return found


def _height(rule: ScoreRule) -> int:
    parts = [part for part in (rule.offsets, rule.added) if part is not None]
    return max(map(len, parts), default=1)


def _dense(rule: ScoreRule, new: int, n_keys: int) -> Weights:
    """What a rule adds, ``[head or 1, query, key]``."""
    found = np.zeros((1, new, n_keys), np.float32) if rule.added is None else rule.added
    if rule.offsets is not None:
        places = np.arange(n_keys)[None] - np.arange(new)[:, None] + new - 1
        found = found + rule.offsets[:, places]
    return found


@dataclass
class GrowingWeights:
    """The same of a model whose attention does not go through the tap: rows of weights."""

    number: int
    part: str = ""
    _rows: list[Weights] = field(default_factory=list)

    def add(self, weights: Weights) -> None:
        """Further rows, float32 ``[head, query, key]``."""
        self._rows.append(weights)

    def layer(self) -> GivenWeights:
        """The whole layer, as it is so far."""
        n_keys = max(rows.shape[2] for rows in self._rows)
        whole = [np.pad(rows, ((0, 0), (0, 0), (0, n_keys - rows.shape[2]))) for rows in self._rows]
        self._rows = [np.concatenate(whole, axis=1)]
        return GivenWeights(self.number, self._rows[0])
