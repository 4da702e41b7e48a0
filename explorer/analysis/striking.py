"""What is most worth seeing in a text's attention, found by stated rules, each with its baselines.

First a model is asked whether it shows anything but noise. A head whose weights are random links
words by chance, and a sharp one links them strongly: so strength says nothing, and what does is
that a habit comes back, word after word or head after head. Of random weights

- the token before, the token after or the token itself is the most looked-at of the words that a
  word may look at as often as any other is: once in as many as there are different words. What
  counts is in how many different pairs of neighbours it is (a head sees a repeated pair alike);
- so is the same word elsewhere, in as many different words as come again; and, where nobody looks
  ahead, what came right after the same word before, in as many different words, and as
  often as it is found at another distance than just before;
- at most one head in two gives most of its rows' largest weight to one and the same token, as a
  head with all signs turned is as likely, and gives it the smallest there.

The chance of what was found, times the number of heads or tokens that it was looked for in, is held
against `CHANCE`. Only where some habit passes is anything told. Then the rules are of strength:
what is told is at least `FAR` times each of its baselines (a text kept apart: `BLOCK` beyond), and
its strength is the number times log2 of the number over the largest baseline, the bits by which it
differs from what the baseline would have.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import factorial
from typing import Literal

import numpy as np
import numpy.typing as npt

from explorer.analysis.headreading import OFFSETS, After, HeadReading, Neighbour, Words
from explorer.analysis.patterns import BLOCK, POSITION
from explorer.language import t
from explorer.layers import Doubles
from explorer.trace import AttentionTrace

CHANCE = 0.001  # one model of random weights in a thousand says something
FAR = 3.0  # times a baseline
APART = 3  # words between which a link is told: nearer ones are linked by all heads that look near
SEEN = 0.1  # a share of a word's attention from which it is worth looking at
MOST = 10  # findings
MOST_WEIGHTS = 2**28  # that are read for it: some ten seconds; 1,930 tokens in 72 heads
_RULES = 6  # that `CHANCE` is shared among
_CANDIDATES = 24  # pairs that all other heads are asked about

KindOf = (
    Neighbour | Literal["pair", "words again", "goes on", "sink", "own text", "other text", "off"]
)
MOST_OF = {"pair": 4, "words again": 2, "goes on": 2, "sink": 2}  # of a kind; of others one
Silence = Literal["noise", "nothing", "short", "few words", "long", "two texts"]
Flags = npt.NDArray[np.bool_]
Report = Callable[[str, float | None], None]


@dataclass(frozen=True)
class Finding:
    """One thing that is worth seeing, and where.

    Attributes:
        kind: ``pair``: a word gives another far more than others do; ``words again``: words look
            at the same word elsewhere; ``goes on``: they look at what came after it before
            (induction); ``previous``, ``next``, ``self``: tokens look at such a
            neighbour; ``sink``: most tokens look most at one; ``own text``, ``other text``: words
            stay in their own text, or look into the other; ``off``: the model's answer moves most
            without this head.
        layer: The model's own number of the layer.
        head: The head, from 0; where several do the same the one that does it most.
        queries: The tokens that look; none where all do.
        keys: The tokens that are looked at; none where each looks at its own.
        number: A share of attention, a mean over the queries; of ``own text`` and ``other text``
            of what goes to words; of ``off`` how far the answer moves.
        baselines: What the number is held against, by name. ``even``: what even attention would
            give; ``others``: what other words give to this key; ``distance``: what this head gives
            at that distance elsewhere; ``heads``: what the other heads give, their mean.
        n_heads: In how many heads it is so, with this one.
    """

    kind: KindOf
    layer: int
    head: int
    queries: tuple[int, ...]
    keys: tuple[int, ...]
    number: float
    baselines: Mapping[str, float]
    n_heads: int = 1

    @property
    def strength(self) -> float:
        """`strength_of` it."""
        return strength_of(self.number, self.baselines)


def strength_of(number: float, baselines: Mapping[str, float]) -> float:
    """A number times log2 of it over its largest baseline, in bits."""
    return float(abs(number) * np.log2(abs(number) / max(*baselines.values(), 1e-4)))


@dataclass(frozen=True)
class Striking:
    """What was found, or why nothing is told.

    Attributes:
        findings: The strongest first; ten at most.
        silence: ``noise``: no habit here is beyond what random weights can do; ``nothing``: some
            habit is, and yet no rule holds; ``short``: the text is too short to tell; ``few
            words``: it says the same few again and again, and as many different ones would tell;
            ``long``: it is longer than is read for this; ``two texts``: queries and keys are
            different texts, which the rules do not know. None where something is found.
    """

    findings: tuple[Finding, ...]
    silence: Silence | None = None


def striking(trace: AttentionTrace, report: Report = lambda doing, share: None) -> Striking:
    """The five to ten things most worth seeing in a trace; fewer where there are fewer.

    Every weight is read once, some rows of a layer at a time: memory for a few rows.

    Args:
        trace: The trace.
        report: Told what is being done; may raise to end it.
    """
    if trace.query_tokens != trace.key_tokens:
        return Striking((), "two texts")
    if int(np.prod(trace.shape, dtype=np.int64)) > MOST_WEIGHTS:
        return Striking((), "long")
    words = Words.of(trace)
    readings = []
    for i, layer in enumerate(trace.layers):
        report(t("Looking for what is worth a look"), i / len(trace.layers))
        readings.append(HeadReading(layer, words, SEEN))
    silence = _silence(readings, words)
    if silence:
        return Striking((), silence)
    found = [
        *_positions(readings, words),
        *_sinks(readings, words),
        *_again(readings, words),
        *_going_on(readings, words),
        *_texts(readings, words),
        *_pairs(trace, readings, words),
    ]
    return Striking(_best(found), None if found else "nothing")


def moved_most(numbers: Sequence[int], effects: Doubles) -> Finding | None:
    """The head without which a model's answer moves most; None where none moves it.

    Args:
        numbers: The model's own numbers of the layers.
        effects: How far the answer moves with each head off alone, ``[layer, head]``.
    """
    sizes = np.abs(effects)
    at, head = _largest(sizes)
    if sizes.size < 2 or not sizes[at, head] > 0:
        return None
    others = float((sizes.sum() - sizes[at, head]) / (sizes.size - 1))
    baselines = {"heads": others}
    return Finding("off", numbers[at], head, (), (), float(effects[at, head]), baselines)


def _best(found: Sequence[Finding]) -> tuple[Finding, ...]:
    """The strongest of each kind, and of all of these."""
    counts: dict[str, int] = {}
    best = []
    for finding in sorted(found, key=lambda f: -f.strength):
        counts[finding.kind] = counts.get(finding.kind, 0) + 1
        if counts[finding.kind] <= MOST_OF.get(finding.kind, 1):
            best.append(finding)
    return tuple(best[:MOST])


# — is it more than noise? —


def _silence(readings: Sequence[HeadReading], words: Words) -> Silence | None:
    """Why nothing is to be told; None where some habit is strong and beyond chance."""
    n_heads = sum(reading.layer.n_heads for reading in readings)
    found, possible = [1.0], [1.0]
    for reading in readings:
        habits = [(reading.again_trials, _follows_words(reading))]
        habits += [(reading.trials[o], _follows_place(reading, o, words)) for o in OFFSETS]
        for trials, strong in habits:
            tail = tail_of(tuple(trials.chances.values())) * n_heads
            came = trials.came_true(reading.layer.n_heads)[strong]
            found.append(float(tail[came.max(initial=0)]))
            possible.append(float(tail[-1]))
        if reading.after:
            by_chance, at_best = _chance_of_going_on(reading.after, n_heads)
            found.append(by_chance)
            possible.append(at_best)
    tail = tail_of((0.5,) * n_heads) * words.n_tokens
    found.append(float(tail[_agreeing(readings).max()]))
    possible.append(float(tail[-1]))
    if min(found) * _RULES <= CHANCE:
        return None
    if min(possible) * _RULES <= CHANCE:
        return "noise"
    return "few words" if _would_tell(words, n_heads) else "short"


def _would_tell(words: Words, n_heads: int) -> bool:
    """Whether as many words, all different, would be enough to tell a habit from chance."""
    is_repeated = len(np.unique(words.said)) < words.n
    enough = n_heads * _RULES / CHANCE  # each word halves, thirds, … what chance may do
    return is_repeated and factorial(words.n - 1) >= enough


def _follows_place(reading: HeadReading, name: Neighbour, words: Words) -> Flags:
    """Whether each head looks at a neighbour as much as is told."""
    least = max(POSITION * words.n_tokens, FAR * reading.even_on[name])
    return np.asarray(reading.on[name] >= least)


def _follows_words(reading: HeadReading) -> Flags:
    """Whether each head looks at the same word elsewhere as much as is told."""
    return np.asarray(reading.again_share() >= max(SEEN, FAR * reading.even_again))


def _chance_of_going_on(after: After, n_heads: int) -> tuple[float, float]:
    """The chance that a head looks so often at what came after the same word before.

    Returns:
        Of the head that does it most, and of one that always does. Both are the larger of two: the
        same word may do it each time, and so may a stretch of words that are equally far from it.
    """
    strong = _goes_on(after)
    chances = []
    for trials in (after.by_word, after.by_stretch):
        tail = tail_of(tuple(trials.chances.values())) * n_heads
        came = trials.came_true(len(after.share))
        chances.append((tail[came], float(tail[-1])))
    largest = np.maximum(*(found for found, _ in chances))[strong]
    return float(largest.min(initial=1.0)), max(best for _, best in chances)


def _goes_on(after: After) -> Flags:
    """Whether each head looks at what came after the same word as much as is told."""
    if not after.may.any():
        return np.zeros(len(after.share), dtype=np.bool_)
    return np.asarray(after.mean >= max(SEEN, FAR * after.even))


@lru_cache(maxsize=64)
def tail_of(chances: tuple[float, ...]) -> Doubles:
    """The chance that at least 0, 1, 2, … of some independent things come true."""
    exactly = np.ones(1)
    for chance in chances:
        exactly = np.append(exactly, 0) * (1 - chance) + np.append(0, exactly) * chance
    return np.asarray(np.cumsum(exactly[::-1])[::-1])


def _agreeing(readings: Sequence[HeadReading]) -> npt.NDArray[np.int64]:
    """In how many heads most rows look most at each token, ``[token]``."""
    return np.sum([(2 * r.most > max(r.n_rows, 1)).sum(axis=0) for r in readings], axis=0)


# — the rules —


def _is_far(number: float, baselines: Mapping[str, float]) -> bool:
    return number >= SEEN and all(number >= FAR * base for base in baselines.values())


def _besides(values: Doubles, place: tuple[int, ...]) -> float:
    """The mean of all numbers but one; 0 of a single one."""
    rest = values.size - 1
    return float((values.sum() - values[place]) / rest) if rest else 0.0


def _largest(values: Doubles) -> tuple[int, int]:
    """The layer and the head, counted from 0, of the largest number."""
    at, head = divmod(int(values.argmax()), values.shape[1])
    return at, head


def _by_head(readings: Sequence[HeadReading], of: Callable[[HeadReading], Doubles]) -> Doubles:
    """A number of every head, ``[layer, head]``."""
    return np.stack([of(reading) for reading in readings])


def _positions(readings: Sequence[HeadReading], words: Words) -> Iterator[Finding]:
    """The sharpest heads that look at a neighbour: at least `POSITION` of their attention."""
    n = words.n_tokens
    for name in OFFSETS:
        shares = np.stack([reading.on[name] for reading in readings]) / n
        at, head = _largest(shares)
        number = float(shares[at, head])
        baselines = {
            "even": readings[at].even_on[name] / n,
            "heads": _besides(shares, (at, head)),
        }
        if number >= POSITION and _is_far(number, baselines):
            count = int(np.count_nonzero(shares >= POSITION))
            layer = readings[at].layer.number
            yield Finding(name, layer, head, (), (), number, baselines, count)


def _sinks(readings: Sequence[HeadReading], words: Words) -> Iterator[Finding]:
    """Tokens that most rows look at most, in one head of ten and two at least; told once each."""
    counts = _agreeing(readings)
    least = max(2, sum(reading.layer.n_heads for reading in readings) / 10)
    shares = _by_head(readings, lambda r: r.received / words.n_tokens)
    for key in np.flatnonzero(counts >= least).tolist():
        of_key = shares[..., key]
        at, head = _largest(of_key)
        number = float(of_key[at, head])
        baselines = {"even": float(readings[at].even_received[key] / words.n_tokens)}
        if _is_far(number, baselines):
            layer, count = readings[at].layer.number, int(counts[key])
            yield Finding("sink", layer, head, (), (key,), number, baselines, count)


def _again(readings: Sequence[HeadReading], words: Words) -> Iterator[Finding]:
    """Heads that look from a word to the same word elsewhere."""
    shares = _by_head(readings, lambda r: r.again_share())
    for at, head in np.argwhere(shares >= SEEN).tolist():
        number = float(shares[at, head])
        baselines = {"even": float(readings[at].even_again), "heads": _besides(shares, (at, head))}
        if not _is_far(number, baselines):
            continue
        word = _telling(words, readings[at].again[head], number)
        others = np.flatnonzero(words.said == words.said[word])
        keys = [i for other in others.tolist() if other != word for i in words.tokens(other)]
        layer = readings[at].layer.number
        queries = words.tokens(word)
        yield Finding("words again", layer, head, queries, tuple(keys), number, baselines)


def _going_on(readings: Sequence[HeadReading], words: Words) -> Iterator[Finding]:
    """Heads that look from a word to what came after the same word before: induction.

    Only where the text can tell: at least two different words come again, and what came after them
    is at two different distances at least. Else a head that looks so far back would do the same.
    """
    afters = [reading.after for reading in readings]
    if not any(after and _can_be_told(after) for after in afters):
        return
    none = np.zeros(readings[0].layer.n_heads)
    shares = np.stack([a.mean if a and a.may.any() else none for a in afters])
    for at, head in np.argwhere(shares >= SEEN).tolist():
        after, reading = afters[at], readings[at]
        if after is None or not _can_be_told(after):
            continue
        number = float(shares[at, head])
        others, distance = (float(some[head]) for some in after.elsewhere(reading))
        baselines = {"even": after.even, "others": others, "distance": distance}
        baselines["heads"] = _besides(shares, (at, head))
        if not _is_far(number, baselines):
            continue
        word = _telling(words, after.share[head], number)
        allowed = reading.layer.allowed()[words.ends[word] - 1]
        wanted = np.flatnonzero(words.after(np.array([word]))[0])
        keys = [i for key in wanted.tolist() for i in words.tokens(key) if allowed[0] <= i]
        layer = reading.layer.number
        yield Finding("goes on", layer, head, words.tokens(word), tuple(keys), number, baselines)


def _can_be_told(after: After) -> bool:
    return min(len(after.by_word.counts), len(after.by_stretch.counts)) > 1


def _telling(words: Words, shares: Doubles, least: float) -> int:
    """The rarest word that gives as much to the same word elsewhere as is told; the heaviest."""
    counts = np.bincount(words.said)[words.said]
    order = np.lexsort((-shares, counts, shares < least, ~words.content))
    return int(order[0])


def _texts(readings: Sequence[HeadReading], words: Words) -> Iterator[Finding]:
    """The heads that keep to a word's own text most, and that look into the other most."""
    own, other = _by_head(readings, lambda r: r.own), _by_head(readings, lambda r: r.other)
    both = own + other
    seen = both >= SEEN * np.count_nonzero(words.ordinary)
    if not other.any() or not seen.any():
        return
    shares = np.divide(own, both, out=np.zeros_like(own), where=both > 0)
    even = np.array([[r.even_own] for r in readings]) + np.zeros_like(own)
    near = _by_head(readings, lambda r: r.near_own)
    sides: list[tuple[KindOf, Doubles, Doubles, Doubles]] = [
        ("own text", shares, even, near),
        ("other text", 1 - shares, 1 - even, 1 - near),
    ]
    for kind, share, base, by_distance in sides:
        # Who looks near stays in his text by that alone: half of what distance leaves is to be
        # beyond it, and as much as can be seen.
        beyond = np.maximum((1 - by_distance) / 2, SEEN)
        apart = seen & (share - base >= BLOCK) & (share - by_distance >= beyond)
        if not apart.any():
            continue
        best = np.where(apart, share - by_distance, -1)
        at, head = _largest(best)
        baselines = {"even": float(base[at, head]), "distance": float(by_distance[at, head])}
        number, layer = float(share[at, head]), readings[at].layer.number
        count = int(np.count_nonzero(apart))
        yield Finding(kind, layer, head, (), (), number, baselines, count)


@dataclass(frozen=True)
class _Pair:
    """Words of which one gives the other far more than others do, near and far."""

    at: int  # of the layer, among those with attention
    head: int
    query: int  # words
    key: int
    number: float
    baselines: dict[str, float]

    @property
    def strength(self) -> float:
        return strength_of(self.number, self.baselines)


def _pairs(
    trace: AttentionTrace, readings: Sequence[HeadReading], words: Words
) -> Iterator[Finding]:
    """The strongest pairs that other heads do not link so; a head and a word are told once."""
    found = [pair for at, reading in enumerate(readings) for pair in _of_head(at, reading, words)]
    found = sorted(found, key=lambda pair: -pair.strength)[:_CANDIDATES]
    if not found:
        return
    queries = sorted({i for pair in found for i in words.tokens(pair.query)})
    rows = [
        np.stack([layer.rows(head, queries) for head in range(layer.n_heads)])
        for layer in trace.layers
    ]
    told: set[tuple[object, ...]] = set()
    for pair in found:
        lines = np.searchsorted(queries, words.tokens(pair.query))
        keys = slice(words.starts[pair.key], words.ends[pair.key])
        every = np.stack([r[:, lines, keys].sum(axis=2, dtype=float).mean(axis=1) for r in rows])
        baselines = pair.baselines | {"heads": _besides(every, (pair.at, pair.head))}
        own: set[tuple[object, ...]] = {("head", pair.at, pair.head)}
        own |= {("query", pair.query), ("key", pair.key)}
        own |= {("both", frozenset((pair.query, pair.key)))}
        if told & own or not _is_far(pair.number, baselines):
            continue
        told |= own
        layer = readings[pair.at].layer.number
        places = words.tokens(pair.query), words.tokens(pair.key)
        yield Finding("pair", layer, pair.head, *places, pair.number, baselines)


def _of_head(at: int, reading: HeadReading, words: Words) -> Iterator[_Pair]:
    """Pairs of a layer that are far above what other words give, and what this distance gets."""
    for head, query, key, number in reading.pairs.T.tolist():
        i, j, h = int(query), int(key), int(head)
        place = j - i + words.n - 1
        n_others = reading.looking[j] - reading.looking_self[j] - 1
        n_distant = reading.places_apart[place] - 1
        if abs(i - j) < APART or n_others < 1 or n_distant < 1:
            continue
        others = (reading.given[h, j] - reading.to_self[h, j] - number) / n_others
        distant = (reading.apart[h, place] - number) / n_distant
        baselines = {"others": max(float(others), 0.0), "distance": max(float(distant), 0.0)}
        if _is_far(number, baselines):
            yield _Pair(at, h, i, j, number, baselines)
