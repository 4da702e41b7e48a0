"""What all heads of a layer do with a text's words: sums of one reading, some rows at a time.

A word is the sum of its pieces as a key and their mean as a query (Clark et al. 2019). No array
here grows with the square of the length.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

import numpy as np
import numpy.typing as npt

from explorer.analysis.detectors import is_punctuation, same_words
from explorer.layers import AttentionLayer, Doubles
from explorer.trace import AttentionTrace, Weights

Neighbour = Literal["previous", "next", "self"]
OFFSETS: dict[Neighbour, int] = {"previous": -1, "next": 1, "self": 0}
AFTER = 2  # words from what came after the same word to the one that looks, at least
_CELLS = 2**18  # weights that are read at once

Flags = npt.NDArray[np.bool_]
Places = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Words:
    """A text as words: where each begins, and which are the same.

    Attributes:
        ordinary: Which tokens are not special, ``[token]``.
        kinds: Which tokens are the same to the model, ``[token]``: equal numbers are.
        segment: Which text each token is of.
        starts, ends: Where each word begins and ends, ``[word]``; special tokens are no words.
        said: What each word says, ``[word]``: equal numbers are the same word by `same_words`.
        again: Whether a word is found elsewhere too, ``[word]``; what is no word is not, nor is
            punctuation.
        content: Whether it is more than punctuation, ``[word]``.
    """

    ordinary: Flags
    kinds: Places
    segment: Places
    starts: Places
    ends: Places
    said: Places
    again: Flags
    content: Flags
    units: Places = field(repr=False)  # where each word or special token begins
    of_unit: Flags = field(repr=False)  # which of these are words

    @staticmethod
    def of(trace: AttentionTrace) -> "Words":
        tokens = trace.key_tokens
        ordinary = np.array([not t.special for t in tokens], dtype=np.bool_)
        labels = same_words(tokens, trace.model.unknown_token).tolist()
        goes_on = [
            b.word is not None and b.word == a.word and not (a.special or b.special)
            for a, b in pairwise(tokens)
        ]
        units = np.flatnonzero(~np.array([False, *goes_on]))
        of_unit = ordinary[units]
        starts, ends = units[of_unit], np.append(units[1:], len(tokens))[of_unit]
        spans = list(zip(starts.tolist(), ends.tolist(), strict=True))
        # What is no word is not found again, and yet looks alike to a model wherever it stands.
        known = np.array([min(labels[a:b]) >= 0 for a, b in spans], dtype=np.bool_)
        said = _numbered(
            [
                (knows, *(labels[a:b] if knows else (t.text for t in tokens[a:b])))
                for knows, (a, b) in zip(known.tolist(), spans, strict=True)
            ]
        )
        signs = [all(is_punctuation(t) for t in tokens[a:b]) for a, b in spans]
        content = ~np.array(signs, dtype=np.bool_)
        return Words(
            ordinary,
            _numbered([t.text for t in tokens]),
            np.array([t.segment for t in tokens]),
            starts,
            ends,
            said,
            known & content & (np.bincount(said, minlength=1)[said] > 1),
            content,
            units,
            of_unit,
        )

    @property
    def n(self) -> int:
        """How many words there are."""
        return len(self.starts)

    @property
    def n_tokens(self) -> int:
        """How many tokens, special ones among them."""
        return len(self.ordinary)

    def tokens(self, word: int) -> tuple[int, ...]:
        """The positions of a word's pieces."""
        return tuple(range(int(self.starts[word]), int(self.ends[word])))

    def after(self, some: slice | Places) -> Flags:
        """The words that came right after the same word before, of some words ``[some, word]``.

        Left out: the word that stands just before the one that looks, which needs no repetition to
        be looked at, and the same word itself.
        """
        at, keys = np.arange(self.n)[some, None], np.arange(self.n)
        alike = self.again[some, None] & (self.said[some, None] == self.said)
        found = np.zeros(alike.shape, dtype=np.bool_)
        found[:, 1:] = alike[:, :-1]
        return found & (keys <= at - AFTER) & (self.said[some, None] != self.said)

    def chunks(self, rows: int) -> Iterator[slice]:
        """All tokens, about so many rows at a time: no word is cut."""
        start = 0
        while start < self.n_tokens:
            at = int(np.searchsorted(self.units, start + rows))
            end = int(self.units[at]) if at < len(self.units) else self.n_tokens
            yield slice(start, end)
            start = end

    def within(self, some: slice) -> slice:
        """Which words some tokens are."""
        return slice(*np.searchsorted(self.starts, (some.start, some.stop)).tolist())


def _numbered(said: Sequence[object]) -> Places:
    """Numbers from 0, equal ones for what is equal."""
    numbers: dict[object, int] = {}
    return np.array([numbers.setdefault(one, len(numbers)) for one in said], dtype=np.intp)


@dataclass(eq=False)
class Trials:
    """How often something came true that chance alone would bring: once for every kind of place.

    Attributes:
        hits: How often, ``[head, kind of place]``.
        counts: Out of how many, ``[kind of place]``.
        chances: The largest chance of it at any of these.
    """

    hits: dict[object, npt.NDArray[np.int64]] = field(default_factory=dict)
    counts: dict[object, int] = field(default_factory=dict)
    chances: dict[object, float] = field(default_factory=dict)

    def add(self, place: object, hits: Flags, choices: int) -> None:
        """One more try, ``[head]``, with so many choices, of which chance takes each alike."""
        if choices < 2:
            return
        self.hits[place] = self.hits.get(place, 0) + hits
        self.counts[place] = self.counts.get(place, 0) + 1
        self.chances[place] = max(self.chances.get(place, 0.0), 1 / choices)

    def came_true(self, n_heads: int) -> npt.NDArray[np.int64]:
        """In how many kinds of places it came true more often than not, ``[head]``."""
        found = np.zeros(n_heads, dtype=np.int64)
        for place, hits in self.hits.items():
            found += 2 * hits > self.counts[place]
        return found


class HeadReading:
    """Sums over all rows of a layer, for all its heads at once.

    Attributes:
        layer: The layer.
        received: What each token gets, ``[head, token]``.
        even_received: What it would if attention were even, ``[token]``.
        most: For how many rows it is the most looked-at token, ``[head, token]``; of rows that may
            look at two or more, which are ``n_rows``.
        on: What all rows give to themselves and to their neighbours, by name, ``[head]``.
        even_on: What they would if attention were even, by name.
        trials: How often words look most at such a neighbour among all words, by name.
        own, other: What words give to words of their own text, and of another, ``[head]``.
        even_own: The share of the first that even attention would have, a mean over the words.
        near_own: The share that it would have if each head gave to every distance what it does, and
            minded nothing else, ``[head]``.
        given: What each word gets from all words, ``[head, word]``; ``to_self``: from itself.
        apart: What words give at every distance, ``[head, distance + words − 1]``.
        looking, looking_self, places_apart: Of how many words these are sums.
        again: The share that each word gives to the same word elsewhere, ``[head, word]``; of those
            that may look at one, which are ``may_again``; ``even_again``: the mean of these if
            attention were even.
        again_trials: How often these look at it more than at any other word.
        after: What is given to words that came after the same word before, where nobody looks
            ahead; else None.
        pairs: Words that give at least a share to another, ``[4, m]``: head, query, key, weight.
    """

    def __init__(self, layer: AttentionLayer, words: Words, least: float) -> None:
        """Read all rows of a layer.

        Args:
            layer: The layer.
            words: The words of the text.
            least: The share of a word's attention from which a pair is kept.
        """
        heads, n = layer.n_heads, words.n
        self.layer, self._words, self._least = layer, words, least
        self.received = np.zeros((heads, words.n_tokens))
        self.even_received = np.zeros(words.n_tokens)
        self.most = np.zeros((heads, words.n_tokens), dtype=np.int64)
        self.n_rows = 0
        self.on = {name: np.zeros(heads) for name in OFFSETS}
        self.even_on = dict.fromkeys(OFFSETS, 0.0)
        self.trials = {name: Trials() for name in OFFSETS}
        self.own, self.other = np.zeros(heads), np.zeros(heads)
        self.even_own = self.even_again = 0.0
        self._near = _Distances(heads, words.n_tokens) if words.segment.any() else None
        self.given, self.to_self = np.zeros((heads, n)), np.zeros((heads, n))
        self.apart = np.zeros((heads, 2 * n - 1 if n else 0))
        self.looking, self.looking_self = np.zeros(n), np.zeros(n)
        self.places_apart = np.zeros(self.apart.shape[1])
        self.again, self.may_again = np.zeros((heads, n)), np.zeros(n, dtype=np.bool_)
        self.again_trials = Trials()
        ahead = layer.allowed()[:, 1] > np.arange(1, words.n_tokens + 1)
        self.after = None if ahead.any() or not n else After(heads, words)
        self._found: list[Doubles] = [np.zeros((4, 0))]
        self._read()

    def again_share(self) -> Doubles:
        """What a word gives to the same word elsewhere, a mean over those that may, ``[head]``."""
        if not self.may_again.any():
            return np.zeros(self.layer.n_heads)
        found: Doubles = self.again[:, self.may_again].mean(axis=1)
        return found

    def _read(self) -> None:
        layer, words = self.layer, self._words
        for some in words.chunks(max(1, _CELLS // (layer.n_heads * words.n_tokens))):
            rows = np.stack([layer.rows(head, some) for head in range(layer.n_heads)])
            first, last = layer.allowed()[some].astype(np.intp).T
            self._read_tokens(some, rows, first, last)
            self._read_neighbours(some, rows, first, last)
            which = words.within(some)
            if which.stop > which.start:
                self._read_words(some, which, rows)
        self.even_again /= max(int(np.count_nonzero(self.may_again)), 1)
        self.even_own /= max(int(np.count_nonzero(words.ordinary)), 1)
        self.near_own = self._near.own_share() if self._near else np.ones(layer.n_heads)
        self.pairs = np.concatenate(self._found, axis=1)

    def _read_tokens(self, some: slice, rows: Weights, first: Places, last: Places) -> None:
        """What tokens get, and which get most."""
        words = self._words
        self.received += rows.sum(axis=1, dtype=np.float64)
        for start, end in zip(first.tolist(), last.tolist(), strict=True):
            self.even_received[start:end] += 1 / max(end - start, 1)
        chosen = last - first > 1
        self.n_rows += int(np.count_nonzero(chosen))
        tops = rows[:, chosen].argmax(axis=-1)
        for head, top in enumerate(tops):
            self.most[head] += np.bincount(top, minlength=words.n_tokens)
        if self._near:
            self._read_texts(some, rows, first, last, self._near)

    def _read_texts(
        self, some: slice, rows: Weights, first: Places, last: Places, near: "_Distances"
    ) -> None:
        """What stays in each of two texts."""
        words = self._words
        ordinary = words.ordinary[some]
        mine = words.segment[some][ordinary, None] == words.segment
        keys = np.arange(words.n_tokens)
        seen = words.ordinary & (keys >= first[ordinary, None]) & (keys < last[ordinary, None])
        sides = rows[:, ordinary]
        self.own += np.einsum("hqk,qk->h", sides, (seen & mine).astype(np.float32))
        self.other += np.einsum("hqk,qk->h", sides, (seen & ~mine).astype(np.float32))
        counts = np.maximum(seen.sum(axis=1), 1)
        self.even_own += float(((seen & mine).sum(axis=1) / counts).sum())
        near.read(np.flatnonzero(ordinary) + some.start, sides, seen, mine)

    def _read_neighbours(self, some: slice, rows: Weights, first: Places, last: Places) -> None:
        """What is given to neighbours, and where these are the most looked-at words."""
        words = self._words
        at = np.arange(some.start, some.stop)
        tops = np.where(words.ordinary, rows, -1).argmax(axis=-1)
        choices = _kinds_within(words, first, last)
        for name, offset in OFFSETS.items():
            to = at + offset
            there = (to >= np.maximum(first, 0)) & (to < np.minimum(last, words.n_tokens))
            i, j = np.flatnonzero(there), to[there]
            self.on[name] += rows[:, i, j].sum(axis=1, dtype=np.float64)
            self.even_on[name] += float((1 / (last - first)[i]).sum())
            both = words.ordinary[at[i]] & words.ordinary[j]
            for row, key in zip(i[both].tolist(), j[both].tolist(), strict=True):
                place = (int(words.kinds[at[row]]), int(words.kinds[key]))
                self.trials[name].add(place, tops[:, row] == key, int(choices[row]))

    def _read_words(self, some: slice, which: slice, rows: Weights) -> None:
        """What words give to words."""
        words, n = self._words, self._words.n
        by_key = rows
        if len(words.units) < words.n_tokens:  # else there is nothing to add up
            by_key = np.add.reduceat(rows, words.units, axis=2, dtype=np.float64)
        inside = np.flatnonzero((words.units >= some.start) & (words.units < some.stop))
        by_unit = np.add.reduceat(
            by_key[:, :, words.of_unit], words.units[inside] - some.start, axis=1, dtype=np.float64
        )
        cells: Doubles = by_unit[:, words.of_unit[inside]]
        cells /= (words.ends - words.starts)[which, None]
        allowed = self.layer.allowed()[words.ends[which] - 1]
        reach = (allowed[:, :1] <= words.starts) & (words.ends <= allowed[:, 1:])
        at = np.arange(which.start, which.stop)
        here = np.arange(len(at))
        self.given += np.einsum("hqk,qk->hk", cells, reach)
        self.looking += reach.sum(axis=0)
        self.to_self[:, which] = cells[:, here, at] * reach[here, at]
        self.looking_self[which] = reach[here, at]
        for row, word in enumerate(at.tolist()):
            line = slice(n - 1 - word, 2 * n - 1 - word)
            self.apart[:, line] += cells[:, row] * reach[row]
            self.places_apart[line] += reach[row]
        self._read_again(at, cells, reach)
        if self.after:
            self.after.read(which, cells, reach, self.layer)
        other = (words.said[at, None] != words.said) & words.content[at, None] & words.content
        head, line_of, key = np.nonzero((cells >= self._least) & (other & reach))
        self._found.append(np.stack([head, at[line_of], key, cells[head, line_of, key]]))

    def _read_again(self, at: Places, cells: Doubles, reach: Flags) -> None:
        """What words give to the same word elsewhere."""
        words = self._words
        elsewhere = reach.copy()
        elsewhere[np.arange(len(at)), at] = False
        alike = elsewhere & words.again & (words.said[at, None] == words.said)
        rows = np.flatnonzero(alike.any(axis=1))
        if not len(rows):
            return
        alike, elsewhere, cells = alike[rows], elsewhere[rows], cells[:, rows]
        self.again[:, at[rows]] = np.einsum("hqk,qk->hq", cells, alike)
        self.may_again[at[rows]] = True
        lengths = words.ends - words.starts
        n_allowed = self.layer.n_allowed()[words.ends[at[rows]] - 1]
        self.even_again += float(((alike * lengths).sum(axis=1) / n_allowed).sum())
        order = np.argsort(words.said, kind="stable")
        begins = np.flatnonzero(np.diff(words.said[order], prepend=-1))
        counts = np.add.reduceat(elsewhere[:, order], begins, axis=1, dtype=np.int64)
        summed = np.add.reduceat((cells * elsewhere)[:, :, order], begins, axis=2)
        means = np.where(counts > 0, summed / np.maximum(counts, 1), -1)
        tops = means.argmax(axis=-1)
        for row, said in enumerate(words.said[at[rows]].tolist()):
            choices = int(np.count_nonzero(counts[row]))
            self.again_trials.add(said, tops[:, row] == said, choices)


class After:
    """What words give to words that came right after the same word before.

    All of it are sums over some pairs of words, by the word that looks, by the one that is looked
    at, and by their distance: with the sums over all pairs these tell what else would explain it.

    Attributes:
        share: What each word gives them, ``[head, word]``; of those that may look at one, which are
            ``may``; ``even``: what these would give on average if attention were even.
        given, looking: What each word gets so, ``[head, word]``, and how often.
        apart, places_apart: What is given so at every distance, ``[head, distance + words − 1]``,
            and in how many places.
        by_word, by_stretch: How often it is where a word looks most, by that word; and by
            stretches of such words, one after the other, from which it is equally far: a head that
            looks so far back by its place alone finds all of a stretch or none.
    """

    def __init__(self, n_heads: int, words: Words) -> None:
        n = words.n
        self._words = words
        self.share, self.may = np.zeros((n_heads, n)), np.zeros(n, dtype=np.bool_)
        self._even = np.zeros(n)
        self.given, self.looking = np.zeros((n_heads, n)), np.zeros(n)
        self.apart, self.places_apart = np.zeros((n_heads, 2 * n - 1)), np.zeros(2 * n - 1)
        self.by_word, self.by_stretch = Trials(), Trials()
        self._stretches, self._last = 0, 0  # how many there are so far, and how far back they look

    @property
    def even(self) -> float:
        return float(self._even[self.may].mean()) if self.may.any() else 0.0

    @property
    def mean(self) -> Doubles:
        """What a word gives to what came after the same word, of those that may, ``[head]``."""
        found: Doubles = self.share[:, self.may].mean(axis=1)
        return found

    def read(self, which: slice, cells: Doubles, reach: Flags, layer: AttentionLayer) -> None:
        """Some words, with what they give to every word, ``[head, some, word]``."""
        words = self._words
        found = words.after(which) & reach
        rows = np.flatnonzero(found.any(axis=1))
        if not len(rows):
            return
        at, found, cells = which.start + rows, found[rows], cells[:, rows]
        on = cells * found
        self.share[:, at], self.may[at] = on.sum(axis=2), True
        self.given += on.sum(axis=1)
        self.looking += found.sum(axis=0)
        lengths = words.ends - words.starts
        n_allowed = layer.n_allowed()[words.ends[at] - 1]
        self._even[at] = (found * lengths).sum(axis=1) / n_allowed
        others = reach[rows]
        others[np.arange(len(at)), at] = False
        tops = np.where(others, cells, -1).argmax(axis=2)
        for row, word in enumerate(at.tolist()):
            line = slice(words.n - 1 - word, 2 * words.n - 1 - word)
            self.apart[:, line] += on[:, row]
            self.places_apart[line] += found[row]
            wanted = np.flatnonzero(found[row])
            choices = len(np.unique(words.said[others[row]])) // len(wanted)
            hits = np.isin(tops[:, row], wanted)
            self.by_word.add(int(words.said[word]), hits, choices)
            back = word - int(wanted[-1])
            self._stretches += back != self._last
            self._last = back
            self.by_stretch.add(self._stretches, hits, choices)

    def elsewhere(self, reading: HeadReading) -> tuple[Doubles, Doubles]:
        """What would explain it, ``[head]`` each, as a mean over the same words.

        Of a word that nobody else may look at, and of a distance that is found nowhere else, it is
        what is given so.

        Returns:
            What the words that are looked at get from others; what is given at these distances
            elsewhere.
        """
        got = reading.given - reading.to_self
        n_got = reading.looking - reading.looking_self
        others = _beside(got, n_got, self.given, self.looking)
        distant = _beside(reading.apart, reading.places_apart, self.apart, self.places_apart)
        return others / self.may.sum(), distant / self.may.sum()


def _beside(all_: Doubles, n_all: Doubles, own: Doubles, n_own: Doubles) -> Doubles:
    """The sum, over own places, of the mean of all others of the same kind, ``[head]``."""
    left = n_all - n_own
    mean = np.where(left > 0, (all_ - own) / np.maximum(left, 1), own / np.maximum(n_own, 1))
    found: Doubles = np.maximum(mean, 0) @ n_own
    return found


class _Distances:
    """What each head gives to other words at every distance, in tokens."""

    def __init__(self, n_heads: int, n: int) -> None:
        self._given = np.zeros((n_heads, 2 * n - 1))
        self._places, self._own = np.zeros(2 * n - 1), np.zeros(2 * n - 1)

    def read(self, at: Places, rows: Weights, seen: Flags, mine: Flags) -> None:
        """Some rows of words; which keys are words, and which are of the same text."""
        n = rows.shape[2]
        for row, place in enumerate(at.tolist()):
            line = slice(n - 1 - place, 2 * n - 1 - place)
            self._given[:, line] += rows[:, row] * seen[row]
            self._places[line] += seen[row]
            self._own[line] += seen[row] & mine[row]

    def own_share(self) -> Doubles:
        """The share of the own text if at every distance all keys got alike, ``[head]``."""
        of_place = self._own / np.maximum(self._places, 1)
        total = self._given.sum(axis=1)
        found: Doubles = self._given @ of_place / np.where(total > 0, total, 1)
        return found


def _kinds_within(words: Words, first: Places, last: Places) -> npt.NDArray[np.int64]:
    """How many different words there are from each of some places to each of others."""
    keys = np.arange(words.n_tokens)
    before = np.full(words.n_tokens, -1)  # where the same was said last
    seen: dict[int, int] = {}
    for i, kind in enumerate(words.kinds.tolist()):
        before[i] = seen.get(kind, -1)
        seen[kind] = i
    new = words.ordinary & (keys >= first[:, None]) & (keys < last[:, None])
    new &= before < first[:, None]
    return np.asarray(new.sum(axis=1))
